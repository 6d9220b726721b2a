"""What ``/`` shows while there is no dashboard: what there is to read. Static, so that nothing can be injected."""

from __future__ import annotations

from html import escape

from reconciler.api.endpoints import ENDPOINTS

_OTHERS = (
    ("/healthz", "the daemon answers"),
    ("/livez", "the daemon is alive"),
    ("/readyz", "every unit has had a pass"),
    ("/metrics", "numbers for Prometheus"),
    ("/openapi.json", "this surface, described"),
)


def _line(path: str, text: str) -> str:
    shown = f"<code>{escape(path)}</code>" if "{" in path else f'<a href="{escape(path)}">{escape(path)}</a>'
    return f"<tr><td>{shown}</td><td>{escape(text)}</td></tr>"


def _page() -> str:
    rows = [_line(e.path, e.summary) for e in ENDPOINTS] + [_line(path, text) for path, text in _OTHERS]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>reconciler</title>'
        "<style>body{font:15px/1.5 sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}"
        "td{padding:.2rem 1rem .2rem 0;vertical-align:top}</style></head><body>"
        "<h1>reconciler</h1><p>This listener only reads. What should be is written in git.</p>"
        f"<table>{''.join(rows)}</table></body></html>\n"
    )


PAGE = _page()
