"""Telling by their text what files are, and what a document that cannot be read says it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.kinds import KINDS
from reconciler.manifests.kinds.base import LABEL

_MENTION = re.compile(rb"""apiVersion["']?\s*:\s*["']?reconciler\.dev/""")
_OPENING = re.compile(
    r"""^(?:---[ \t]+)?(?:\{[^#\n]*?)?["']?apiVersion["']?[ \t]*:[ \t]*["']?reconciler\.dev/""", re.MULTILINE
)
_SOPS = re.compile(rb"""^(?:"?sops"?[ \t]*:|\{?[ \t]*"sops"[ \t]*:[ \t\r\n]*\{|\[sops\]|sops_mac=)""", re.MULTILINE)
_SEPARATOR = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_KIND = re.compile(r"""(?:^|[{,][ \t]*)["']?kind["']?[ \t]*:[ \t]*["']?([A-Za-z]+)""", re.MULTILINE)
_VERSION = re.compile(r"""(?:^|[{,][ \t]*)["']?apiVersion["']?[ \t]*:[ \t]*["']?([^\s"',}]*)""", re.MULTILINE)
_METADATA = re.compile(r"""^["']?metadata["']?[ \t]*:(.*(?:\n(?:[ \t].*|[ \t\r]*))*)""", re.MULTILINE)
_NAME = re.compile(r"""(?:^|[\s{,])["']?name["']?[ \t]*:[ \t]*["']?([^\s"',}]+)""")
_PROJECT = re.compile(r"""(?:^|[\s{,])["']?project["']?[ \t]*:[ \t]*["']?([^\s"',}]+)""")
_LABEL = re.compile(LABEL)


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A document with one of our kinds and another apiVersion ("" for none), at a line from 1."""

    key: ResourceKey | None
    kind: str
    api_version: str
    line: int


def mentions_manifests(data: bytes) -> bool:
    """Whether a file may hold manifests: a search in its text, cheap enough for every YAML file there is."""
    return _MENTION.search(data) is not None


def opens_manifest(text: str) -> bool:
    """Whether a text that cannot be parsed has a manifest's apiVersion where a document has it."""
    return _OPENING.search(text) is not None


def is_sops(data: bytes) -> bool:
    """Whether a file (YAML, JSON, INI or dotenv) is one of SOPS's, by its text."""
    return _SOPS.search(data) is not None


def recovered(text: str) -> ResourceKey | None:
    """The identity that a broken document gives itself, as far as its text tells; None when it does not."""
    kind = _our_kind(text)
    info = KINDS[kind.group(1)] if kind else None
    metadata = _METADATA.search(text)
    if info is None or metadata is None:
        return None
    name, project = _label(_NAME, metadata.group(1)), _label(_PROJECT, metadata.group(1))
    if not name or (info.scope == "project" and not project):
        return None
    return ResourceKey(info.name, project if info.scope == "project" else "", name)


def lookalikes(text: str) -> Iterator[Lookalike]:
    """The documents of a file that is not ours which have one of our kinds."""
    starts = [0, *(found.start() for found in _SEPARATOR.finditer(text)), len(text)]
    for begin, end in pairwise(starts):
        part = text[begin:end]
        kind = _our_kind(part)
        if kind is not None:
            version = _VERSION.search(part)
            line = text.count("\n", 0, begin + kind.start()) + 1
            yield Lookalike(recovered(part), kind.group(1), version.group(1) if version else "", line)


def _our_kind(text: str) -> re.Match[str] | None:
    return next((found for found in _KIND.finditer(text) if found.group(1) in KINDS), None)


def _label(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found.group(1) if found and _LABEL.match(found.group(1)) else ""
