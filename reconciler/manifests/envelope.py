"""The envelope of a document: apiVersion, kind, metadata, spec. Tells its identity even when the rest is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.manifests.identity import API_VERSION, ResourceKey
from reconciler.manifests.kinds import KINDS, KindInfo
from reconciler.manifests.kinds.base import LABEL
from reconciler.manifests.location import Fault, Location
from reconciler.manifests.validation import validate
from reconciler.manifests.wording import close_match, described
from reconciler.manifests.yaml_events import Parsed

_FIELDS = ("apiVersion", "kind", "metadata", "spec")
_LABEL = re.compile(LABEL)


@dataclass(frozen=True, slots=True)
class Examined:
    """A document as far as it can be judged by itself. ``foreign``: it is not one of ours."""

    faults: tuple[Fault, ...] = ()
    key: ResourceKey | None = None
    foreign: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict)
    spec: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def examine(path: str, parsed: Parsed) -> Examined:
    """Judges one document of the file ``path``. Raises nothing."""
    value = parsed.value
    if not isinstance(value, dict):
        shown = described(value, written=None, location=("spec", "variables"))
        return Examined((Fault((), f"a manifest is a mapping with apiVersion, kind, metadata and spec, not {shown}"),))
    info = KINDS.get(value["kind"]) if isinstance(value.get("kind"), str) else None
    version = value.get("apiVersion")
    if info is None and isinstance(version, str) and not version.startswith("reconciler.dev/"):
        text = f'"{version[:60]}" has no place among manifests: move this document to a file of its own'
        return Examined((Fault(("apiVersion",), text),), foreign=True)
    faults = [*_envelope(value, parsed.written)]
    return _of_kind(info, path, parsed, faults) if info is not None else Examined(tuple(faults))


def _envelope(value: Mapping[str, Any], written: Mapping[Location, str]) -> Iterator[Fault]:
    for name in value:
        if name not in _FIELDS:
            yield Fault((name,), f"unknown field{close_match(name, _FIELDS)}")
    version, kind = value.get("apiVersion"), value.get("kind")
    if version is None:
        yield Fault(("apiVersion",), f"is required: write apiVersion: {API_VERSION}")
    elif version != API_VERSION:
        shown = described(version, written=written.get(("apiVersion",)), location=("apiVersion",))
        yield Fault(("apiVersion",), f"{shown} is not {API_VERSION}, which is what this version reads")
    if kind is None:
        yield Fault(("kind",), "is required")
    elif not isinstance(kind, str) or kind not in KINDS:
        shown = described(kind, written=written.get(("kind",)), location=("kind",))
        yield Fault(("kind",), f"{shown} is not a kind{close_match(kind, KINDS) if isinstance(kind, str) else ''}")


def _of_kind(info: KindInfo, path: str, parsed: Parsed, faults: list[Fault]) -> Examined:
    value = parsed.value
    raw = value.get("spec", {})
    metadata = validate(info.metadata, value.get("metadata", {}), at=("metadata",), path=path, written=parsed.written)
    spec = validate(info.model, raw, at=("spec",), path=path, written=parsed.written)
    faults.extend(_scope_in_words(info, fault) for fault in metadata.faults)
    faults.extend(spec.faults)
    return Examined(
        faults=tuple(faults),
        key=_identity(info, value.get("metadata")),
        raw=raw if isinstance(raw, dict) else {},
        spec=spec.value,
        metadata=value["metadata"] if metadata.value is not None else {},
    )


def _scope_in_words(info: KindInfo, fault: Fault) -> Fault:
    if fault.location == ("metadata", "project") and info.scope == "global":
        return Fault(fault.location, f"a {info.name} belongs to no project: leave it out")
    return fault


def _identity(info: KindInfo, metadata: object) -> ResourceKey | None:
    if not isinstance(metadata, dict):
        return None
    name, project = metadata.get("name"), metadata.get("project")
    if not _is_label(name) or (info.scope == "project" and not _is_label(project)):
        return None
    return ResourceKey(info.name, str(project) if info.scope == "project" else "", str(name))


def _is_label(value: object) -> bool:
    return isinstance(value, str) and _LABEL.match(value) is not None
