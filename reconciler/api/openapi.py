"""The OpenAPI document, made from the endpoints and the published types; committed, and checked to be current.

``python -m reconciler.api.openapi --check`` says whether the file is what the code says; ``--write`` makes it so.
"""

from __future__ import annotations

import argparse
import re
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
from pydantic.json_schema import models_json_schema

from reconciler.api.endpoints import ENDPOINTS, Endpoint
from reconciler.status.parts import SCHEMA_VERSION
from reconciler.status.views import ProblemBody

FILE = "openapi.json"

_PROBLEMS = {
    "400": "A parameter cannot be used; the body says everything that is wrong.",
    "401": "The token is missing or not the configured one.",
    "403": "Not a direct request from this machine, and no token is configured.",
    "404": "There is no such thing.",
    "409": "The name is not unique.",
    "503": "Too many streams are open.",
}


def document() -> dict[str, Any]:
    """The whole document."""
    models = sorted({endpoint.model for endpoint in ENDPOINTS} | {ProblemBody}, key=lambda model: model.__name__)
    _, schemas = models_json_schema(
        [(model, "serialization") for model in models], ref_template="#/components/schemas/{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "reconciler",
            "version": SCHEMA_VERSION,
            "description": "What is wanted, what is there, and why they differ. Reading only: changes are commits.",
        },
        "paths": {endpoint.path: {"get": _operation(endpoint)} for endpoint in ENDPOINTS},
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "operationId": re.sub(r"\W+", "-", endpoint.path.removeprefix("/api/v1/")).strip("-"),
        "summary": endpoint.summary,
        "parameters": [*_in_path(endpoint), *_in_query(endpoint)],
        "responses": {
            "200": {"description": "As published.", "headers": _ETAG, "content": _content(endpoint)},
            "304": {"description": "Not changed since the given ETag."},
            **{status: _problem(text) for status, text in _PROBLEMS.items()},
        },
    }


_ETAG = {"ETag": {"schema": {"type": "string"}, "description": "For If-None-Match."}}


def _content(endpoint: Endpoint) -> dict[str, Any]:
    content: dict[str, Any] = {
        "application/json": {"schema": {"$ref": f"#/components/schemas/{endpoint.model.__name__}"}}
    }
    return content | ({"text/event-stream": {"schema": {"type": "string"}}} if endpoint.stream else {})


def _in_path(endpoint: Endpoint) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", endpoint.path)
    text = {"type": "string", "minLength": 1}
    return [{"name": name, "in": "path", "required": True, "schema": text} for name in names]


def _in_query(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": p.name, "in": "query", "required": False, "description": p.description, "schema": p.schema()}
        for p in endpoint.parameters
    ]


def _problem(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemBody"}
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


def rendered() -> bytes:
    """As it is committed: sorted, indented, with a newline at the end."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(document(), option=options)


@cache
def committed() -> bytes:
    """The document that came with the package."""
    return files("reconciler.api").joinpath(FILE).read_bytes()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m reconciler.api.openapi", description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="exit 1 when the committed file is not current")
    mode.add_argument("--write", action="store_true", help="write the file")
    path = Path(__file__).with_name(FILE)
    if parser.parse_args(arguments).write:
        path.write_bytes(rendered())
        return 0
    if path.is_file() and path.read_bytes() == rendered():
        return 0
    sys.stderr.write(f"{path.name} is not current: run python -m reconciler.api.openapi --write\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
