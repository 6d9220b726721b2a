"""What was written, merged: ``extends`` and overrides are JSON merge patches (RFC 7386) over what people wrote.

A value keeps the document it came from, so that paths stay relative to the file they stand in, and a variable can say
where it was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.manifests.catalog import Catalog, Document
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.paths import inside

INHERITED = frozenset(
    {
        "source", "build", "variables", "envFrom", "bindings", "files", "storage",
        "user", "workingDir", "requests", "limits", "environments", "target",
    }
)  # fmt: skip
"""What ``extends`` copies. Never ports, network, health, domains, replicas, overrides, deploy, or a token."""


def merge_patch(base: Any, patch: Any) -> Any:
    """RFC 7386: mappings merge, null removes, everything else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(base) if isinstance(base, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


@dataclass(frozen=True, slots=True)
class Layer:
    """One thing that was written over another: ``tree`` is (part of) a spec, ``level`` its level of precedence."""

    document: Document
    tree: Mapping[str, Any]
    level: str
    at: tuple[str, ...] = ("spec",)


def layers_of(catalog: Catalog, document: Document, environment: str) -> list[Layer]:
    """What a resource is put together from in one environment, lowest first. The catalog has refused cycles."""
    found: list[Layer] = []
    base = _base_of(catalog, document)
    if base is not None:
        found = [_inherited(layer) for layer in layers_of(catalog, base, environment)]
    own = {name: value for name, value in document.raw.items() if name not in {"overrides", "extends"}}
    found.append(Layer(document, own, "resource"))
    patch = (document.raw.get("overrides") or {}).get(environment)
    if patch:
        found.append(Layer(document, patch, "override", ("spec", "overrides", environment)))
    return found


def merged(layers: list[Layer], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The spec that the layers make together, over a project's defaults; paths are told from the source's root."""
    tree: Any = dict(defaults)
    for layer in layers:
        tree = merge_patch(tree, _rooted(layer.tree, layer.document.path))
    result: dict[str, Any] = tree
    return result


def _base_of(catalog: Catalog, document: Document) -> Document | None:
    name = document.raw.get("extends")
    return catalog.documents.get(ResourceKey("Resource", document.key.project, name)) if name else None


def _inherited(layer: Layer) -> Layer:
    """The child's own field beats the base's override: both are the child's resource level, in order."""
    tree = {name: value for name, value in layer.tree.items() if name in INHERITED}
    return Layer(layer.document, tree, "resource", layer.at)


def _rooted(tree: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The same spec with ``source.path`` and ``envFrom[].path`` told from the source's root."""
    copy = dict(tree)
    if isinstance(copy.get("source"), Mapping):
        copy["source"] = _with_rooted_path(copy["source"], path)
    if isinstance(copy.get("envFrom"), list | tuple):
        copy["envFrom"] = [_with_rooted_path(entry, path) for entry in copy["envFrom"]]
    return copy


def _with_rooted_path(entry: Any, path: str) -> Any:
    written = entry.get("path") if isinstance(entry, Mapping) else None
    rooted = inside(path, written) if isinstance(written, str) else None
    return entry if rooted is None else {**entry, "path": f"/{rooted}"}
