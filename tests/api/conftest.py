"""A client of the real application, as a program on this machine would be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from reconciler.api.app import create_app
from tests.api import shop

Connect = Callable[..., TestClient]


@pytest.fixture
def connect() -> Connect:
    """``connect(host, client, **changes)``: who asks, under which Host, of a surface with these changes."""

    def connected(*, host: str = "127.0.0.1:7780", client: str = "127.0.0.1", **changes: Any) -> TestClient:
        app = create_app(shop.surface(**changes))
        return TestClient(app, base_url=f"http://{host}", client=(client, 40000), raise_server_exceptions=False)

    return connected


@pytest.fixture
def client(connect: Connect) -> TestClient:
    return connect()
