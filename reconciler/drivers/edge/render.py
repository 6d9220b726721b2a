"""Routes -> Caddy's JSON. Pure: the same routes give the same text, whoever asks and when.

Public routes lie in one plain and one encrypted server; each stable internal address is a server of its own. Caddy's
automatic HTTPS never decides anything here: what is plain stays plain, and redirects are written out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.desired.objects import EdgeObject
from reconciler.drivers.edge import marks, refusals
from reconciler.drivers.edge.handlers import https_redirect, proxy, redirect, site
from reconciler.drivers.edge.marks import Marks
from reconciler.errors import InvalidInput
from reconciler.observed.snapshot import Route

Json = dict[str, Any]
Served = Callable[[str], str]
"""An artifact's name -> the folder that it is served from, as the proxy sees it."""

SOCKET = "admin.sock"
AUTHORITY = "reconciler"
ISSUED = ("auto", "internal")
"""The values of ``tls`` that let the edge get a certificate itself; any other is the name of one brought along."""
HTTP, HTTPS = "reconciler-http", "reconciler-https"

_PLAIN = {"automatic_https": {"disable": True}, "protocols": ["h1"]}
_ADDRESS = re.compile(r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]*):([0-9]{1,5})$")
_FILE_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
_PLAIN_PATH = re.compile(r"^[A-Za-z0-9/._~-]+$")


@dataclass(frozen=True, slots=True)
class Block:
    """All that is ours in one Caddy's configuration: servers by name, certificate policies, files of certificates that
    were brought along, authorities by name."""

    admin: Json
    servers: Mapping[str, Json] = field(default_factory=dict)
    policies: tuple[Json, ...] = ()
    files: tuple[Json, ...] = ()
    authorities: Mapping[str, Json] = field(default_factory=dict)


def bare(marks_of: Marks) -> Json:
    """The configuration of a Caddy that was never told anything: reachable, and serving nothing."""
    return {"admin": _admin(marks_of.of(marks.EDGE)), "logging": {"logs": {"default": {"exclude": ["admin.api"]}}}}


def block(
    edge: EdgeObject, routes: Iterable[Route], marks_of: Marks, served: Served, *, kept: frozenset[str] = frozenset()
) -> Block:
    """Everything of ours; ``kept`` are the names of the certificates that were brought along and are there.

    Raises ``InvalidInput`` for an address that is none.
    """
    ordered = sorted(routes, key=_precedence)
    public = [route for route in ordered if not route.shape.listen]
    sketch = _Sketch(edge, marks_of, served, {route.shape.host: bool(route.shape.tls) for route in public})
    servers = {f"reconciler-at-{route.id}": sketch.address(route) for route in ordered if route.shape.listen}
    if edge.http:
        servers[HTTP] = sketch.plain(public)
    secured = [route for route in public if route.shape.tls]
    if edge.https and secured:
        servers[HTTPS] = sketch.encrypted(secured)
    internal = any(route.shape.tls == "internal" for route in secured)
    return Block(
        _admin(marks_of.of_edge(edge)),
        servers,
        tuple(sketch.policies(secured)) if edge.https else (),
        tuple(sketch.files(secured, kept)) if edge.https else (),
        {AUTHORITY: _authority(marks_of)} if internal and edge.https else {},
    )


def certificate_path(name: str) -> str:
    """Where a certificate that was brought along lies, below the proxy's folder. Raises ``InvalidInput``."""
    if not _FILE_NAME.match(name):
        raise InvalidInput(f"certificate {name!r}: is not a plain name")
    return f"certificates/{name}.pem"


def checked_address(address: str) -> str:
    """``host:port``, where the host may be missing. Raises ``InvalidInput``."""
    found = _ADDRESS.match(address)
    if found is None or not 0 < int(found[2]) < 65536:
        raise InvalidInput(f"listen address {address!r}: is not host:port; correct spec.edgeProxy.listen of the server")
    return address


def port_suffix(address: str, usual: str) -> str:
    """What a URL needs beside the host to reach a listener."""
    port = address.rpartition(":")[2]
    return "" if port in ("", usual) else f":{port}"


def _precedence(route: Route) -> tuple[bool, int, str, str, str]:
    """Exact hosts before patterns, the longest path first."""
    shape = route.shape
    return (shape.host.startswith("*"), -len(shape.path.rstrip("/")), shape.host, shape.path, route.id)


@dataclass(frozen=True, slots=True)
class _Sketch:
    """What a route's text depends on beside itself; ``encrypted_hosts`` are the hosts of ours, and whether by TLS."""

    edge: EdgeObject
    marks: Marks
    served: Served
    encrypted_hosts: Mapping[str, bool]

    def address(self, route: Route) -> Json:
        entry = {"@id": self.marks.of_route(route), "handle": self._answer(route), "terminal": True}
        return {**self._server(route.id, route.shape.listen, [entry]), **_PLAIN}

    def plain(self, public: list[Route]) -> Json:
        entries = [self._to_https(route) if route.shape.tls else self._entry(route) for route in public]
        entries.append(self._nothing(HTTP))
        return {**self._server(HTTP, self.edge.http, entries), **_PLAIN}

    def encrypted(self, secured: list[Route]) -> Json:
        entries = [*(self._entry(route) for route in secured), self._nothing(HTTPS)]
        brought = sorted({route.shape.host for route in secured if route.shape.tls not in ISSUED})
        return {
            **self._server(HTTPS, self.edge.https, entries),
            "automatic_https": {"disable_redirects": True, **({"skip_certificates": brought} if brought else {})},
            "tls_connection_policies": [{}],
        }

    def policies(self, secured: list[Route]) -> Iterable[Json]:
        for tls in sorted({route.shape.tls for route in secured}.intersection(ISSUED)):
            hosts = sorted({route.shape.host for route in secured if route.shape.tls == tls})
            yield {"@id": self.marks.of(marks.POLICY, tls), "subjects": hosts, "issuers": [self._issuer(tls)]}

    def files(self, secured: list[Route], kept: frozenset[str]) -> Iterable[Json]:
        for name in sorted({route.shape.tls for route in secured} & kept):
            path = certificate_path(name)
            yield {"@id": self.marks.of(marks.FILE, name), "certificate": path, "key": path, "tags": [name]}

    def _issuer(self, tls: str) -> Json:
        if tls == "internal":
            return {"module": "internal", "ca": AUTHORITY}
        known = {"email": self.edge.acme_email, "ca": self.edge.acme_ca}
        return {"module": "acme", **{name: literal(value) for name, value in known.items() if value}}

    def _server(self, name: str, address: str, entries: list[Json]) -> Json:
        return {
            "@id": self.marks.of(marks.SERVER, name),
            "listen": [checked_address(address)],
            "routes": entries,
            "errors": refusals.OF_UPSTREAMS,
        }

    def _entry(self, route: Route) -> Json:
        return {
            "@id": self.marks.of_route(route),
            "match": [matcher(route.shape.host, route.shape.path)],
            "handle": self._answer(route),
            "terminal": True,
        }

    def _to_https(self, route: Route) -> Json:
        told = https_redirect(port_suffix(self.edge.https, "443")) if self.edge.https else refusals.NO_HTTPS
        return {
            "@id": self.marks.of(marks.SECURE, route.id),
            "match": [matcher(route.shape.host, route.shape.path)],
            "handle": [told],
            "terminal": True,
        }

    def _nothing(self, server: str) -> Json:
        return {"@id": self.marks.of(marks.PLACEHOLDER, server), "handle": [refusals.NOT_FOUND], "terminal": True}

    def _answer(self, route: Route) -> list[Json]:
        shape = route.shape
        if shape.redirect_to:
            return [redirect(self._origin(shape.redirect_to), shape.redirect_status)]
        strip = [{"handler": "rewrite", "strip_path_prefix": literal(shape.path.rstrip("/"))}]
        before = strip if shape.strip_prefix and shape.path != "/" else []
        return [*before, site(literal(self.served(shape.static))) if shape.static else proxy(route)]

    def _origin(self, host: str) -> str:
        """Where a host of ours answers; one that is not ours is trusted to speak TLS."""
        encrypted = self.encrypted_hosts.get(host, True)
        ours = host in self.encrypted_hosts
        address, usual = (self.edge.https, "443") if encrypted else (self.edge.http, "80")
        return f"{'https' if encrypted else 'http'}://{host}{port_suffix(address, usual) if ours else ''}"


def matcher(host: str, path: str) -> Json:
    """Requests for a host, at a path and below it."""
    prefix = path.rstrip("/")
    if not prefix:
        return {"host": [host]}
    if _PLAIN_PATH.match(prefix):
        return {"host": [host], "path": [prefix, f"{prefix}/*"]}
    return {"host": [host], "path_regexp": {"pattern": f"^{re.escape(prefix)}(/|$)"}}


def literal(text: str) -> str:
    """A text in which Caddy expands nothing: its placeholders reach files and the environment."""
    return text.replace("\\", "\\\\").replace("{", "\\{") if "{" in text else text


def _admin(mark: str) -> Json:
    """Never without: who loses it, loses the proxy."""
    return {"@id": mark, "listen": f"unix/{SOCKET}|0200", "config": {"persist": True}}


def _authority(marks_of: Marks) -> Json:
    """Our own, so that nothing is ever written into the trust store of the machine."""
    name = "Reconciler Local Authority"
    return {"@id": marks_of.of(marks.AUTHORITY), "name": name, "root_common_name": name, "install_trust": False}
