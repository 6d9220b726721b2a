"""``.reconcilerignore``: what is neither read as a manifest nor part of a release. Works as ``.gitignore`` does."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field

from pathspec import GitIgnoreSpec

IGNORE_FILE = ".reconcilerignore"


@dataclass(frozen=True)
class Ignore:
    """The rules of one revision. ``specs`` is by the folder that a file of rules lies in ("" for the root)."""

    specs: Mapping[str, GitIgnoreSpec] = field(default_factory=dict)
    _folders: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    def matches(self, path: str) -> bool:
        """Whether a file is ignored: by a rule of its own, or with a folder it lies in, which no rule brings back."""
        if not self.specs:
            return False
        return self._folder(posixpath.dirname(path)) or self._judged(path)

    def _folder(self, folder: str) -> bool:
        if not folder:
            return False
        if folder not in self._folders:
            self._folders[folder] = self._folder(posixpath.dirname(folder)) or self._judged(f"{folder}/")
        return self._folders[folder]

    def _judged(self, path: str) -> bool:
        """The last word of the rules nearest to ``path``; a folder's own rules say nothing of the folder itself."""
        folder = posixpath.dirname(path.rstrip("/"))
        while True:
            spec = self.specs.get(folder)
            verdict = spec.check_file(path[len(folder) + 1 if folder else 0 :]).include if spec else None
            if verdict is not None:
                return verdict
            if not folder:
                return False
            folder = posixpath.dirname(folder)


def ignore_of(texts: Mapping[str, bytes]) -> Ignore:
    """The rules in every ``.reconcilerignore`` of a revision, given by path. Bytes that are no UTF-8 match nothing."""
    specs = {
        posixpath.dirname(path): GitIgnoreSpec.from_lines(data.decode("utf-8-sig", errors="replace").splitlines())
        for path, data in texts.items()
        if posixpath.basename(path) == IGNORE_FILE
    }
    return Ignore(specs)


NOTHING = Ignore()
"""No rules: nothing is ignored."""
