"""The bytes of every source's blobs behind one port; nobody gets fewer than were asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.errors import SourceUnavailable
from reconciler.ports import Source


class Blobs:
    """Reads from ``sources``, by name; the mapping may be replaced in place when settings change."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources

    def read(self, source: str, blobs: Iterable[str]) -> Mapping[str, bytes]:
        """Exactly the blobs asked for. Raises ``SourceUnavailable`` when the source or one of them is not there."""
        found = self._sources.get(source)
        if found is None:
            raise SourceUnavailable(
                f"source {source!r}: is not configured; known are {', '.join(sorted(self._sources))}"
            )
        wanted = frozenset(blobs)
        contents = found.read(wanted)
        missing = sorted(wanted - contents.keys())
        if missing:
            raise SourceUnavailable(f"source {source!r}: has no blob {missing[0]}, nor {len(missing) - 1} others")
        return {blob: contents[blob] for blob in wanted}
