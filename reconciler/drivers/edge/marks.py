"""Marks: the ``@id`` of everything in Caddy's configuration that is ours.

A mark proves whose a thing is (the instance id), and that of a route or of the edge holds the very values it was
rendered from. So an observation is lossless, needs no other record, and can tell whether anybody edited the rest.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from reconciler.desired.objects import EdgeObject
from reconciler.observed.snapshot import Route

ROUTE, EDGE, SERVER, PLACEHOLDER = "route", "edge", "server", "nothing"
SECURE, POLICY, AUTHORITY, FILE = "to-https", "certificates", "authority", "certificate-file"

_ROUTES: TypeAdapter[Route] = TypeAdapter(Route)
_EDGES: TypeAdapter[EdgeObject] = TypeAdapter(EdgeObject)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one daemon."""

    instance_id: str

    @property
    def _prefix(self) -> str:
        return f"reconciler:{_packed(self.instance_id.encode())}:"

    def of(self, kind: str, name: str = "") -> str:
        """The mark of something that is told by its kind and name alone."""
        return f"{self._prefix}{kind}:{_packed(name.encode())}"

    def of_route(self, route: Route) -> str:
        return f"{self._prefix}{ROUTE}:{_packed(_bytes(_ROUTES, replace(route, ours=True, altered=False)))}"

    def of_edge(self, edge: EdgeObject) -> str:
        return f"{self._prefix}{EDGE}:{_packed(_bytes(_EDGES, edge))}"

    def kind(self, thing: object) -> str:
        """What a JSON object of ours is; "" for one that is not ours."""
        mark = thing.get("@id") if isinstance(thing, dict) else None
        if not isinstance(mark, str) or not mark.startswith(self._prefix):
            return ""
        return mark.removeprefix(self._prefix).partition(":")[0]

    def route(self, thing: dict[str, Any]) -> Route | None:
        """The route that a JSON object was rendered from; None when its mark makes no sense."""
        return _value(_ROUTES, thing["@id"])

    def edge(self, thing: object) -> EdgeObject | None:
        """The edge that the admin block was rendered from; None when it was by nobody, or not by us."""
        return _value(_EDGES, thing["@id"]) if isinstance(thing, dict) and self.kind(thing) == EDGE else None


def _bytes(kind: TypeAdapter[_T], value: _T) -> bytes:
    """The same bytes for the same value: sets have an order here."""
    told = kind.dump_python(value, mode="json")
    if "upstreams" in told:
        told["upstreams"] = sorted(told["upstreams"])
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _value(kind: TypeAdapter[_T], mark: str) -> _T | None:
    packed = mark.rpartition(":")[2]
    try:
        return kind.validate_json(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    except (ValidationError, binascii.Error, ValueError):
        return None
