"""Reads manifests as the daemon would, without one: decoded, held against each other, and given their meaning."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reconciler.desired.assemble import assemble
from reconciler.desired.facts import Facts, env_files, secret_references
from reconciler.errors import InvalidInput
from reconciler.manifests.catalog import Catalog, build, candidates, ignore_files
from reconciler.manifests.decode import decode_file
from reconciler.manifests.ignore import ignore_of
from reconciler.manifests.revision import Revision
from reconciler.sources.directory import DirectorySource

SOURCE = "main"


@dataclass(frozen=True, slots=True)
class Judged:
    """``problems`` are located lines, sorted; ``ignored`` files that hold none of our kinds, with the reason."""

    problems: tuple[str, ...]
    ignored: tuple[str, ...]
    summary: str


def judge(path: Path) -> Judged:
    """Everything that is wrong below a directory, or in one file (what it refers to is looked for beside it)."""
    if not path.exists():
        raise InvalidInput(f"{path}: there is no such file or directory")
    root = path if path.is_dir() else path.parent
    source = DirectorySource(SOURCE, root=root)
    revision = source.revision()
    catalog = _catalog(source, revision)
    desired = assemble(catalog, _facts(source, revision, catalog))
    found = {*catalog.problems, *desired.problems, *(block.problem for block in desired.blocks)}
    if not path.is_dir():
        found = {problem for problem in found if problem.place.path == path.name}
    problems = tuple(str(problem) for problem in sorted(found))
    ignored = tuple(f"{name}: {why}" for (_, name), why in sorted(catalog.ignored.items()))
    return Judged(problems, ignored, _summary(catalog, problems, len(desired.workloads)))


def _catalog(source: DirectorySource, revision: Revision) -> Catalog:
    def contents(paths: list[str]) -> dict[str, bytes]:
        blobs = source.read({revision.files[path].blob for path in paths}) if paths else {}
        return {path: blobs[revision.files[path].blob] for path in paths}

    ignore = ignore_of(contents(ignore_files(revision)))
    chosen = contents(candidates(revision, ignore))
    decoded = {(SOURCE, path): decode_file(path, data) for path, data in chosen.items()}
    return build({SOURCE: revision}, decoded, ignores={SOURCE: ignore})


def _facts(source: DirectorySource, revision: Revision, catalog: Catalog) -> Facts:
    """What can be known here. Secrets are on the daemon's machine: they are taken to be there."""
    wanted = [(name, path) for name, path in env_files(catalog) if path in revision.files]
    blobs = source.read({revision.files[path].blob for _, path in wanted}) if wanted else {}
    texts = {(name, path): blobs[revision.files[path].blob].decode(errors="replace") for name, path in wanted}
    return Facts(secrets=dict.fromkeys(secret_references(catalog), ("validate:0",)), env_files=texts)


def _summary(catalog: Catalog, problems: tuple[str, ...], workloads: int) -> str:
    documents = len(catalog.documents)
    if not documents and not problems:
        return "no manifests here: a manifest file has an apiVersion that begins with reconciler.dev/"
    said = f"{documents} manifests, {workloads} resources to run"
    return f"{said}, {len(problems)} problems" if problems else f"{said}: all is well"
