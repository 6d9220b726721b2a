"""Verdicts: which generation of a resource failed, one file for each resource."""

from __future__ import annotations

from reconciler.drivers.process import durable, record
from reconciler.drivers.process.site import Site
from reconciler.manifests.identity import ResourceKey
from reconciler.observed.snapshot import Verdict


class Verdicts:
    def __init__(self, site: Site) -> None:
        self._site = site

    def put(self, verdict: Verdict) -> None:
        """Replaces the verdict on a resource; the same one again writes nothing."""
        path = self._site.layout.verdict(verdict.key)
        if self._site.reader.read(path, Verdict) != verdict:
            self._site.step("record-verdict:recording")
            record.write(path, verdict)
            self._site.step("record-verdict:recorded")

    def clear(self, key: ResourceKey) -> None:
        durable.unlink(self._site.layout.verdict(key))
        self._site.step("clear-verdict:cleared")

    def all(self) -> dict[ResourceKey, Verdict]:
        """Raises ``Damaged`` or ``OSError`` for what cannot be read."""
        paths = sorted(path for path in self._site.layout.verdicts.iterdir() if not path.name.startswith("."))
        read = (self._site.reader.read(path, Verdict) for path in paths)
        return {verdict.key: verdict for verdict in read if verdict is not None}
