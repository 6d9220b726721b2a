"""What the edge says when it is the edge that says no: a status, a short text, and a header that names the reason.

The header tells these answers from a program's own. The words are those that the status endpoint uses, too.
"""

from __future__ import annotations

from typing import Any

HEADER = "X-Reconciler"


def _refusal(status: int, reason: str, text: str, **headers: str) -> dict[str, Any]:
    told = {HEADER: f"resource_access_{reason}", "Content-Type": "text/plain; charset=utf-8", **headers}
    return {
        "handler": "static_response",
        "status_code": status,
        "headers": {name: [value] for name, value in told.items()},
        "body": f"{text}\n",
    }


def _of_upstreams(status: int, reason: str, text: str) -> dict[str, Any]:
    """Only for errors of the proxy itself; a file that is not there, or an answer of a program, is left as it is."""
    return {
        "match": [{"vars": {"{http.error.status_code}": [str(status)]}}],
        "handle": [_refusal(status, reason, text)],
    }


NOT_FOUND = _refusal(404, "route_not_found", "nothing answers to this name here")
NOBODY = _refusal(503, "route_unavailable", "nothing is running behind this name yet", **{"Retry-After": "5"})
NO_HTTPS = _refusal(503, "route_unavailable", "this name wants TLS, and the edge has no https listener")
OF_UPSTREAMS = {
    "routes": [
        _of_upstreams(502, "upstream_connect_failed", "what runs behind this name does not answer"),
        _of_upstreams(503, "upstream_unavailable", "nothing behind this name is well"),
        _of_upstreams(504, "upstream_timeout", "what runs behind this name took too long"),
    ]
}
