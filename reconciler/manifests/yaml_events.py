"""Text of a YAML file -> plain values with positions, through libyaml's events: no recursion, nothing constructed.

Depth and the number of nodes are bounded, aliases counted by what they expand to. A fault that leaves the structure
intact (a duplicate key, a tag, an ambiguous scalar) is collected, and reading goes on; one that does not ends its part
of the file. Called by ``decode`` only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ruamel.yaml import events
from ruamel.yaml.cyaml import CParser
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from reconciler.manifests.location import Location, may_hold_secret
from reconciler.manifests.scalars import ambiguity, resolve

MAX_DEPTH = 64
MAX_NODES = 20_000

_ABSENT: Any = object()  # no key has been read
DROPPED = "<dropped>"  # stands in locations below a key that cannot be used: the value goes nowhere
_SEPARATOR = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TOO_MANY = f"more than {MAX_NODES} values in one file, aliases expanded: split it"
_PUZZLING = {
    "found unexpected ':'": "not YAML: a colon within a text here: put the text in quotes",
    "mapping values are not allowed in this context": "not YAML: a colon where none may be: put the text in quotes, "
    "or correct the indentation",
}
"""What libyaml says of slips that people make often, in words that help."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something wrong in the text, at a line and column from 1. ``value``: what is wrong is the value itself, so that
    nothing else need be said of it."""

    location: Location
    line: int
    column: int
    message: str
    value: bool = False


class Unreadable(Exception):
    """The structure is lost from ``mark`` on."""

    def __init__(self, mark: Mark) -> None:
        super().__init__(mark.message)
        self.mark = mark


@dataclass(slots=True)
class Parsed:
    """One document. ``written`` are the plain scalars that are no texts, as they were written."""

    value: Any = None
    positions: dict[Location, tuple[int, int]] = field(default_factory=dict)
    written: dict[Location, str] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file between two ``---``: what could be read, and why the rest could not."""

    text: str
    documents: tuple[Parsed, ...]
    end: Mark | None = None


@dataclass(slots=True)
class _Frame:
    """An open mapping or sequence. ``height`` is that of its content, ``start`` the node count when it began."""

    container: dict[str, Any] | list[Any]
    path: Location
    start: int
    anchor: str | None
    key: Any = _ABSENT
    dropped: bool = False
    height: int = 0


@dataclass(slots=True)
class _Anchored:
    value: Any
    nodes: int
    height: int


def parts(text: str) -> Iterator[Part]:
    """Every part of a file by itself, so that what is broken in one does not reach the next.

    Bytes that are no UTF-8 may stand in ``text`` as ``surrogateescape`` leaves them: they cost their part only.
    """
    budget = _Budget()
    for first_line, chunk in _split(text):
        if budget.used > MAX_NODES:
            yield Part(chunk, (), Mark((), first_line + 1, 1, _TOO_MANY))
        else:
            yield _read(chunk, first_line, budget)


def unread(text: str, message: str) -> Iterator[Part]:
    """Every part of a file that is not to be read, because of ``message``."""
    for _, chunk in _split(text):
        yield Part(chunk, (), Mark((), 1, 1, message))


def _split(text: str) -> Iterator[tuple[int, str]]:
    """The parts of a text that hold something, each with the number of lines before it."""
    starts = [0, *(found.start() for found in _SEPARATOR.finditer(text)), len(text)]
    line = 0
    for begin, end in pairwise(starts):
        if text[begin:end].removeprefix("---").strip():
            yield line, text[begin:end]
        line += text.count("\n", begin, end)


class _Budget:
    """How many nodes a file may still have, aliases expanded."""

    def __init__(self) -> None:
        self.used = 0


def _read(chunk: str, first_line: int, budget: _Budget) -> Part:
    reader = _Reader(first_line, budget)
    try:
        reader.refuse_unprintable(chunk)
        reader.read(CParser(chunk))
    except Unreadable as error:
        return Part(chunk, tuple(reader.documents), error.mark)
    except MarkedYAMLError as error:
        return Part(chunk, tuple(reader.documents), _syntax_error(error, chunk, first_line))
    except YAMLError as error:
        reason = getattr(error, "reason", "") or "it cannot be read"
        return Part(chunk, tuple(reader.documents), Mark((), first_line + 1, 1, f"not YAML: {reason}"))
    return Part(chunk, tuple(reader.documents))


def _syntax_error(error: MarkedYAMLError, chunk: str, first_line: int) -> Mark:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = chunk.rstrip().split("\n")
    if line >= len(lines):  # the end of the part: its last line is what a person can look at
        line, column = len(lines) - 1, len(lines[-1])
    here = lines[line]
    if (
        "tab character" in (error.problem or "")
        or here[column : column + 1] == "\t"
        or "\t" in here[: len(here) - len(here.lstrip())]
    ):
        message = "a tab cannot indent: use spaces"
    elif here.startswith("%") or chunk.lstrip().startswith("%"):
        message = "a YAML directive (%) is not supported: leave the line out"
    else:
        message = _PUZZLING.get(error.problem or "", "") or _plainly(error)
    return Mark((), first_line + line + 1, column + 1, message)


def _plainly(error: MarkedYAMLError) -> str:
    context = f" {error.context}" if error.context else ""
    return f"not YAML: {error.problem or 'it cannot be read'}{context}"


def _unprintable(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # what surrogateescape makes of a byte
        return f"the byte 0x{code - 0xDC00:02X} is not UTF-8: save the file as UTF-8"
    return f"the character U+{code:04X} cannot be in a manifest: remove it"


class _Reader:
    """Walks the events of one part. ``stack`` holds the open containers; nothing here recurses."""

    def __init__(self, first_line: int, budget: _Budget) -> None:
        self.first_line = first_line
        self.budget = budget
        self.documents: list[Parsed] = []
        self.current = Parsed()
        self.stack: list[_Frame] = []
        self.anchors: dict[str, _Anchored] = {}

    def read(self, parser: Any) -> None:
        handlers = {
            events.ScalarEvent: self.scalar,
            events.MappingStartEvent: self.mapping,
            events.SequenceStartEvent: self.sequence,
            events.MappingEndEvent: self.close,
            events.SequenceEndEvent: self.close,
            events.AliasEvent: self.alias,
            events.DocumentStartEvent: self.begin,
            events.DocumentEndEvent: self.finish,
        }
        while True:
            event = parser.get_event()
            handler = handlers.get(type(event))
            if handler is not None:
                handler(event)
            elif type(event) is events.StreamEndEvent:
                return

    def refuse_unprintable(self, chunk: str) -> None:
        found = _UNPRINTABLE.search(chunk)
        if found is not None:
            line = chunk.count("\n", 0, found.start())
            column = found.start() - (chunk.rfind("\n", 0, found.start()) + 1)
            message = _unprintable(ord(found.group()))
            raise Unreadable(Mark((), self.first_line + line + 1, column + 1, message))

    def begin(self, event: Any) -> None:
        self.current, self.stack, self.anchors = Parsed(), [], {}
        if event.version is not None and tuple(event.version) != (1, 2):
            self.mark(event, (), "a manifest is YAML 1.2: leave the %YAML line out")

    def finish(self, event: Any) -> None:
        self.documents.append(self.current)

    def scalar(self, event: Any) -> None:
        frame = self.stack[-1] if self.stack else None
        if frame is not None and type(frame.container) is dict and frame.key is _ABSENT:
            self.key(event, frame)
            return
        self.count(event, 1)
        plain = event.implicit[0] and event.tag is None
        value = resolve(event.value) if plain else event.value
        location = self.attach(event, value)
        if event.anchor:
            self.anchors[event.anchor] = _Anchored(value, 1, 0)
        self.refuse_tag(event, location)
        if plain:
            self.note_plain(event, value, location)

    def note_plain(self, event: Any, value: object, location: Location) -> None:
        if type(value) is not str:
            self.current.written[location] = event.value
        why = ambiguity(event.value)
        if why:
            shown = "this" if may_hold_secret(location) else event.value[:60]
            self.mark(event, location, f"{shown} {why}", value=True)

    def key(self, event: Any, frame: _Frame) -> None:
        self.count(event, 1)
        name: str = event.value
        location = (*frame.path, name)
        frame.key, frame.dropped = name, True
        plain = event.implicit[0]
        if event.anchor:
            self.anchors[event.anchor] = _Anchored(name, 1, 0)
        if event.tag is not None:
            self.refuse_tag(event, location)
        elif plain and name == "<<":
            self.mark(event, location, "merge keys are not part of YAML 1.2: write the fields out, or use extends")
        elif plain and type(resolve(name)) is not str:
            self.mark(event, location, f'the key {name[:60]} is not a text: write "{name[:60]}"')
        elif name in frame.container:
            line, column = self.current.positions[location]
            self.mark(event, location, f"duplicate key; it is already given at {line}:{column}")
        else:
            frame.dropped = False
            self.current.positions[location] = self.where(event)

    def mapping(self, event: Any) -> None:
        self.open(event, {})

    def sequence(self, event: Any) -> None:
        self.open(event, [])

    def open(self, event: Any, container: dict[str, Any] | list[Any]) -> None:
        if len(self.stack) >= MAX_DEPTH:
            raise self.unreadable(event, f"nested deeper than {MAX_DEPTH} levels")
        self.count(event, 1)
        location = self.attach(event, container)
        self.refuse_tag(event, location)
        if event.anchor:
            self.anchors.pop(event.anchor, None)
        self.stack.append(_Frame(container, location, self.budget.used, event.anchor))

    def close(self, event: Any) -> None:
        frame = self.stack.pop()
        height = frame.height + 1
        if self.stack:
            self.stack[-1].height = max(self.stack[-1].height, height)
        if frame.anchor:
            self.anchors[frame.anchor] = _Anchored(frame.container, self.budget.used - frame.start + 1, height)

    def alias(self, event: Any) -> None:
        anchored = self.anchors.get(event.anchor)
        if anchored is None:
            raise self.unreadable(event, f"the alias *{event.anchor[:60]} has no anchor before it")
        if len(self.stack) + anchored.height > MAX_DEPTH:
            raise self.unreadable(event, f"nested deeper than {MAX_DEPTH} levels, aliases expanded")
        self.count(event, anchored.nodes)
        self.attach(event, anchored.value)
        if self.stack:
            self.stack[-1].height = max(self.stack[-1].height, anchored.height)

    def attach(self, event: Any, value: Any) -> Location:
        """Puts a value where it belongs, and says where that is."""
        if not self.stack:
            self.current.value = value
            self.current.positions[()] = self.where(event)
            return ()
        frame = self.stack[-1]
        if type(frame.container) is list:
            location = (*frame.path, len(frame.container))
            frame.container.append(value)
            self.current.positions[location] = self.where(event)
            return location
        if frame.key is _ABSENT:
            raise self.unreadable(event, "a key must be a plain text")
        name, frame.key = frame.key, _ABSENT
        if frame.dropped:
            return (*frame.path, DROPPED, name)
        frame.container[name] = value
        return (*frame.path, name)

    def count(self, event: Any, nodes: int) -> None:
        self.budget.used += nodes
        if self.budget.used > MAX_NODES:
            raise self.unreadable(event, _TOO_MANY)

    def refuse_tag(self, event: Any, location: Location) -> None:
        if event.tag is not None:
            self.mark(event, location, f"tags are not allowed in manifests: remove {event.tag[:60]}", value=True)

    def mark(self, event: Any, location: Location, message: str, *, value: bool = False) -> None:
        shown = tuple(part for part in location if part is not DROPPED)
        self.current.marks.append(Mark(shown, *self.where(event), message, value))

    def unreadable(self, event: Any, message: str) -> Unreadable:
        location = self.stack[-1].path[:8] if self.stack else ()
        return Unreadable(Mark(location, *self.where(event), message))

    def where(self, event: Any) -> tuple[int, int]:
        mark = event.start_mark
        return self.first_line + mark.line + 1, mark.column + 1
