"""Caddy's admin endpoint, over its unix socket: one request, one connection, one deadline."""

from __future__ import annotations

import http.client
import os
import socket
from pathlib import Path
from typing import Any

import orjson

from reconciler.errors import Conflict, InvalidInput, TransientError, Unreachable

DEADLINE = 10.0  # seconds for an answer; a configuration is loaded before it comes
LARGEST = 64 * 1024 * 1024  # bytes of a configuration
_TRIES = 2  # the endpoint is opened anew with every configuration, and a request may fall in between


class Admin:
    """``socket_path`` may be longer than a socket's address can be."""

    def __init__(self, socket_path: Path, *, deadline: float = DEADLINE) -> None:
        self._path, self._deadline = socket_path, deadline

    def get(self) -> tuple[dict[str, Any], str]:
        """The whole configuration, and the version that ``post`` names. Raises ``Unreachable``."""
        status, version, body = self._asked("GET")
        if status != http.client.OK:
            raise Unreachable(f"{self._path}: the edge's admin endpoint answered {status}: {_said(body)}")
        try:
            config = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise Unreachable(f"{self._path}: the edge's configuration is no JSON: {error}") from error
        return (config if isinstance(config, dict) else {}), version

    def post(self, config: dict[str, Any], version: str) -> None:
        """Replaces the configuration if it is still that ``version``, whole or not at all.

        Raises ``Conflict`` when it is another one, ``TransientError`` when an address cannot be had, ``InvalidInput``
        when Caddy refuses it otherwise, ``Unreachable``.
        """
        status, _, body = self._request("POST", orjson.dumps(config), {"If-Match": version})
        if status == http.client.PRECONDITION_FAILED:
            raise Conflict("the edge's configuration was changed by somebody else meanwhile")
        if status != http.client.OK:
            said = _said(body)
            kind = TransientError if "listen" in said and "bind" in said else InvalidInput
            raise kind(f"the edge refuses its configuration and keeps the one it has: {said}")

    def _asked(self, method: str) -> tuple[int, str, bytes]:
        for _ in range(_TRIES - 1):
            try:
                return self._request(method)
            except Unreachable:
                continue
        return self._request(method)

    def _request(
        self, method: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str, bytes]:
        connection = _Connection(self._path, self._deadline)
        try:
            connection.request(method, "/config/", body, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            data = answer.read(LARGEST + 1)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{self._path}: the edge's admin endpoint does not answer: {error}") from error
        finally:
            connection.close()
        if len(data) > LARGEST:
            raise Unreachable(f"{self._path}: the edge's configuration is larger than {LARGEST} bytes")
        return answer.status, answer.getheader("Etag", ""), data


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, deadline: float) -> None:
        super().__init__("localhost", timeout=deadline)
        self._path = path

    def connect(self) -> None:
        """Through the folder's descriptor, since a socket's address holds 107 bytes and a path may be longer."""
        folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.sock.settimeout(self.timeout)
            self.sock.connect(f"/proc/self/fd/{folder}/{self._path.name}")
        finally:
            os.close(folder)


def _said(body: bytes) -> str:
    """Caddy's own words for an error."""
    try:
        return str(orjson.loads(body)["error"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return body[:300].decode(errors="replace")
