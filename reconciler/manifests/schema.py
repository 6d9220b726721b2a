"""JSON Schemas of every kind, made from the models: what editors complete and check with.

Use one in a manifest with ``# yaml-language-server: $schema=schemas/all.json``. Generated files are kept in the
repository; ``python -m reconciler.manifests.schema --check schemas`` says whether they are current.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from reconciler.manifests.identity import API_VERSION
from reconciler.manifests.kinds import KINDS, KindInfo
from reconciler.manifests.kinds.features import NOT_YET

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DEFINITIONS = "#/$defs/{model}"


def generate() -> Mapping[str, str]:
    """The text of every schema file, by file name: one per kind, and ``all.json`` for any of them."""
    definitions = _definitions()
    schemas = {f"{info.name.lower()}.json": _of_kind(info, definitions) for info in KINDS.values()}
    schemas["all.json"] = _of_all(definitions)
    return {name: json.dumps(schemas[name], indent=2, ensure_ascii=False) + "\n" for name in sorted(schemas)}


def _definitions() -> dict[str, Any]:
    models = {model for info in KINDS.values() for model in (info.model, info.metadata)}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, found = models_json_schema([(model, "validation") for model in ordered], ref_template=_DEFINITIONS)
    tidied: dict[str, Any] = {name: _tidied(schema) for name, schema in found["$defs"].items()}
    return tidied


def _of_kind(info: KindInfo, definitions: Mapping[str, Any]) -> dict[str, Any]:
    envelope = _envelope(info, definitions)
    return {
        "$schema": _DIALECT,
        "title": info.name,
        **envelope,
        "$defs": _reachable(envelope, definitions),
    }


def _of_all(definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Chosen by ``kind``, so that an editor speaks of the one kind that is meant and not of all."""
    envelopes = {info.name: _envelope(info, definitions) for info in KINDS.values()}
    return {
        "$schema": _DIALECT,
        "title": "Any manifest",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata"],
        "properties": {"apiVersion": {"const": API_VERSION}, "kind": {"enum": list(KINDS)}},
        "allOf": [
            {"if": _is_kind(name), "then": {"$ref": _DEFINITIONS.format(model=name)}} for name in sorted(envelopes)
        ],
        "$defs": {**definitions, **envelopes},
    }


def _is_kind(name: str) -> dict[str, Any]:
    return {"properties": {"kind": {"const": name}}, "required": ["kind"]}


def _envelope(info: KindInfo, definitions: Mapping[str, Any]) -> dict[str, Any]:
    spec = definitions[info.model.__name__]
    description = spec.get("description", "")
    return {
        "description": description if info.supported else f"{description} {NOT_YET.capitalize()}.",
        "type": "object",
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"const": info.name},
            "metadata": {"$ref": _DEFINITIONS.format(model=info.metadata.__name__)},
            "spec": {"$ref": _DEFINITIONS.format(model=info.model.__name__)},
        },
        "required": ["apiVersion", "kind", "metadata", *(["spec"] if spec.get("required") else [])],
        "additionalProperties": False,
    }


def _reachable(schema: Any, definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The definitions that a schema leads to."""
    found: set[str] = set()
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            name = str(part.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                waiting.append(definitions[name])
        waiting.extend(part.values() if isinstance(part, dict) else part if isinstance(part, list) else ())
    return {name: definitions[name] for name in sorted(found)}


def _tidied(part: Any) -> Any:
    """Without made-up titles and nulls nobody writes; closed where only known names may stand; marks as words."""
    if isinstance(part, list):
        return [_tidied(item) for item in part]
    if not isinstance(part, dict):
        return part
    tidy = {name: _tidied(value) for name, value in part.items() if not _is_made_up(name, value)}
    options = [option for option in tidy.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        del tidy["anyOf"]
        tidy = {**options[0], **tidy}
    elif options:
        tidy["anyOf"] = options
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False
    if "x-later" in tidy:
        tidy["description"] = f"{tidy.get('description', '')} {tidy.pop('x-later')}".strip()
    return tidy


def _is_made_up(name: str, value: Any) -> bool:
    return (name == "title" and isinstance(value, str)) or (name == "default" and value is None)


def main(arguments: Sequence[str] | None = None) -> None:
    """``--write FOLDER`` or ``--check FOLDER``; exits with 1, and names them, when files there are not current."""
    parser = ArgumentParser(prog="python -m reconciler.manifests.schema", description="The JSON Schemas of manifests.")
    verb = parser.add_mutually_exclusive_group(required=True)
    verb.add_argument("--write", type=Path, metavar="FOLDER", help="write every schema into the folder")
    verb.add_argument("--check", type=Path, metavar="FOLDER", help="compare the folder with what would be written")
    options = parser.parse_args(arguments)
    stale = _check(options.check) if options.check else _write(options.write)
    if stale:
        parser.exit(1, f"not current in {options.check}: {', '.join(stale)}; use --write\n")


def _write(folder: Path) -> list[str]:
    for name, text in generate().items():
        (folder / name).write_text(text, encoding="utf-8")
    return []


def _check(folder: Path) -> list[str]:
    wanted = generate()
    present = {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*.json")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


if __name__ == "__main__":
    main()
