"""The OpenAPI document is current, and the real application keeps what it says."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, settings

from reconciler.api import openapi
from reconciler.api.app import create_app
from reconciler.api.endpoints import ENDPOINTS
from tests.api import shop

TOKEN = {"Authorization": "Bearer token"}

app = create_app(shop.surface(token="token"))
schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=TOKEN)


def test_the_committed_document_is_current() -> None:
    """The file that is served is what the code says; ``--write`` mends it."""
    assert openapi.main(["--check"]) == 0
    assert openapi.committed() == openapi.rendered()


def test_every_route_is_described() -> None:
    """No endpoint is missing, none has anything but GET."""
    paths = openapi.document()["paths"]
    assert set(paths) == {endpoint.path for endpoint in ENDPOINTS}
    assert {method for operations in paths.values() for method in operations} == {"get"}


@schema.parametrize()
@settings(max_examples=6, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_application_keeps_its_description(case) -> None:
    """Generated requests, good and bad: documented statuses, types and schemas, and no server error."""
    case.call_and_validate(headers=TOKEN)
