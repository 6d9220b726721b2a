"""The ways in which a value shows up in texts: as it is, and as programs write it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

_SHORTEST_LINE = 12
_SHORTEST_INNER = 6


def renderings(raw: bytes) -> Iterator[bytes]:
    """Every rendering that is looked for: raw, quoted for JSON and URLs, hex, base64 in both alphabets, also inside a
    longer text that was encoded as a whole, and the longer lines of a value of several lines."""
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield from _quoted(raw)
    for shift in range(3):
        yield from _inside_base64(raw, shift)
    for line in raw.split(b"\n"):
        if len(line.strip()) >= _SHORTEST_LINE and line != raw:
            yield line.strip()


def _quoted(raw: bytes) -> Iterator[bytes]:
    for safe in ("/", ""):
        for made in (quote(raw, safe=safe), quote_plus(raw, safe=safe)):
            yield made.encode()
            yield _lower_escapes(made).encode()
    text = raw.decode("utf-8", "backslashreplace")
    yield text.encode()
    for ascii_only in (True, False):
        yield json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode()
    yield repr(text)[1:-1].encode()
    yield repr(raw)[2:-1].encode()


def _lower_escapes(text: str) -> str:
    """The same URL quoting with small hex digits, as some programs write it."""
    parts = text.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


def _inside_base64(raw: bytes, shift: int) -> Iterator[bytes]:
    """What is the same in every base64 of a text that has ``raw`` at a place of this remainder modulo three."""
    encoded = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
    start = (0, 2, 3)[shift]
    end = len(encoded) - (1 if (shift + len(raw)) % 3 else 0)
    inner = encoded[start:end]
    if not shift:
        yield encoded
        yield encoded.translate(_URL)
    if len(inner) >= _SHORTEST_INNER:
        yield inner
        yield inner.translate(_URL)


_URL = bytes.maketrans(b"+/", b"-_")
