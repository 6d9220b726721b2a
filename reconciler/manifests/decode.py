"""Bytes of a file -> its manifests, or all of its problems, each with its place.

``decode_file`` never raises: whatever the bytes are, what can be told of them is told. It knows one file only; what
its documents mean together is the catalog's business. Results may be kept by (path, blob): equal input, equal output.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from reconciler.manifests.document import Document, place_of
from reconciler.manifests.envelope import examine
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.location import Location, dotted
from reconciler.manifests.problem import Position, Problem
from reconciler.manifests.recognition import (
    Lookalike,
    is_sops,
    lookalikes,
    mentions_manifests,
    opens_manifest,
    recovered,
)
from reconciler.manifests.yaml_events import Parsed, Part, parts, unread

MAX_BYTES = 1024 * 1024
_TOO_LARGE = f"larger than {MAX_BYTES // 1024} KiB: split the file"
_NO_TEXT = re.compile("[\0\udc80-\udcff]")


class FileKind(StrEnum):
    """What a YAML file is to us."""

    MANIFESTS = "manifests"
    SOPS = "sops"
    OTHER = "other"
    UNREADABLE = "unreadable"  # no text: nobody can say what it is


@dataclass(frozen=True, slots=True)
class DecodedDocument:
    """One document of a manifest file.

    ``key`` is None when its identity cannot be told, and ``foreign`` when it is not one of ours at all. ``lost``: its
    structure cannot be read, so that it may hold more than it seems to. A document with problems cannot be used;
    without, ``spec`` is its validated model.
    """

    place: Position
    key: ResourceKey | None = None
    problems: tuple[Problem, ...] = ()
    foreign: bool = False
    lost: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict)
    spec: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    positions: Mapping[Location, tuple[int, int]] = field(default_factory=dict)

    def document(self, source: str) -> Document:
        """The same as a document of ``source``; only for one that has a key and no problems."""
        if self.key is None or self.problems:
            raise ValueError(f"{self.place} cannot be used")
        return Document(self.key, source, self.place.path, self.raw, self.spec, self.metadata, self.positions)


@dataclass(frozen=True, slots=True)
class DecodedFile:
    """What one file holds. ``lookalikes`` are documents with one of our kinds in a file that is not ours: of interest
    only when the file declared manifests before. ``reason`` says why nothing is read from a file that is not ours."""

    path: str
    kind: FileKind
    documents: tuple[DecodedDocument, ...] = ()
    lookalikes: tuple[Lookalike, ...] = ()
    reason: str = ""


def decode_file(path: str, data: bytes) -> DecodedFile:
    """What the bytes of the file ``path`` hold. Cheap for files that are not ours."""
    text = data.decode("utf-8-sig", errors="surrogateescape")
    if not mentions_manifests(data):
        return _other(path, data, text)
    found = tuple(parts(text) if len(data) <= MAX_BYTES else unread(text, _TOO_LARGE))
    if not any(_holds_manifest(part) for part in found):
        return _other(path, data, text)
    return DecodedFile(path, FileKind.MANIFESTS, tuple(document for part in found for document in _part(path, part)))


def _other(path: str, data: bytes, text: str) -> DecodedFile:
    if _NO_TEXT.search(text):
        return DecodedFile(path, FileKind.UNREADABLE, reason="not a text in UTF-8")
    if is_sops(data):
        return DecodedFile(path, FileKind.SOPS, reason="a SOPS file: secrets, not a manifest")
    reason = "no document with an apiVersion that begins reconciler.dev/"
    return DecodedFile(path, FileKind.OTHER, lookalikes=tuple(lookalikes(text)), reason=reason)


def _holds_manifest(part: Part) -> bool:
    if part.end is not None and opens_manifest(part.text):
        return True
    return any(_is_ours(parsed.value) for parsed in part.documents)


def _is_ours(value: object) -> bool:
    version = value.get("apiVersion") if isinstance(value, dict) else None
    return isinstance(version, str) and version.startswith("reconciler.dev/")


def _part(path: str, part: Part) -> Iterator[DecodedDocument]:
    for parsed in part.documents:
        if parsed.value is not None or parsed.marks:
            yield _document(path, parsed)
    if part.end is not None:
        yield _lost(path, part)


def _lost(path: str, part: Part) -> DecodedDocument:
    """The rest of a part whose structure is lost; its identity may still be read from the text."""
    place = Position(path, part.end.line, part.end.column) if part.end else Position(path)
    told = part.end.message if part.end else "it cannot be read"
    location = dotted(part.end.location) if part.end else ""
    key = None if part.documents else recovered(part.text)
    return DecodedDocument(place, key, (Problem(place, location, told),), lost=True)


def _document(path: str, parsed: Parsed) -> DecodedDocument:
    found = examine(path, parsed)
    silent = {mark.location for mark in parsed.marks if mark.value}
    marks = [
        Problem(Position(path, mark.line, mark.column), dotted(mark.location), mark.message) for mark in parsed.marks
    ]
    faults = [
        Problem(place_of(path, parsed.positions, fault.location), dotted(fault.location), fault.message)
        for fault in found.faults
        if fault.location not in silent
    ]
    place = place_of(path, parsed.positions, ())
    problems = tuple(sorted({*marks, *faults}))
    return DecodedDocument(
        place=place,
        key=found.key,
        problems=problems,
        foreign=found.foreign,
        raw=found.raw,
        spec=found.spec,
        metadata=found.metadata,
        positions=parsed.positions,
    )
