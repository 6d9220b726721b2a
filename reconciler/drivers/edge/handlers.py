"""What becomes of a request, as Caddy's handlers. Pure."""

from __future__ import annotations

from typing import Any

from reconciler.drivers.edge import refusals
from reconciler.observed.snapshot import Route

TRY = "2s"  # how long another upstream is looked for; long enough for one to come back, short enough for a person
IDLE = "3s"  # below the keep-alive of common servers (5 s), so that none closes what is just being used
STREAMS = 86400.0
"""Seconds that upgraded connections outlive a change at least. Any write to the configuration counts as one, also of
somebody else's route; a stream of an instance that goes ends with it, when its drain is over."""


def proxy(route: Route) -> dict[str, Any]:
    """To the instances. A connection that cannot be made is tried again elsewhere; nothing else but a GET is."""
    dials = sorted({route.dials[name] for name in route.upstreams if name in route.dials})
    if not dials:
        return refusals.NOBODY
    handler: dict[str, Any] = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": dial} for dial in dials],
        "load_balancing": {
            "selection_policy": {"policy": "round_robin"},
            "try_duration": TRY,
            "try_interval": "50ms",
        },
        "transport": {"protocol": "http", "keep_alive": {"idle_timeout": IDLE}},
        "stream_close_delay": f"{max(route.shape.drain, STREAMS):g}s",
    }
    if len(dials) > 1:  # alone, a suspect is still the best there is
        handler["health_checks"] = {"passive": {"fail_duration": "10s"}}
    return handler


def site(root: str) -> dict[str, Any]:
    """Files below ``root``; nothing whose name, or whose folder's, begins with a dot."""
    return {"handler": "file_server", "root": root, "index_names": ["index.html"], "hide": [".*"]}


def redirect(origin: str, status: int) -> dict[str, Any]:
    """To the same path and query at another origin (scheme, host, port)."""
    return _redirect(f"{origin}{{http.request.uri}}", status)


def https_redirect(port: str) -> dict[str, Any]:
    """To the same URL, encrypted; ``port`` is "" or ":8443"."""
    return _redirect(f"https://{{http.request.host}}{port}{{http.request.uri}}", 308)


def _redirect(location: str, status: int) -> dict[str, Any]:
    return {"handler": "static_response", "status_code": status, "headers": {"Location": [location]}}
