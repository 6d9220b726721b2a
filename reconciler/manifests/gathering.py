"""From the files of every source to what they declare: good documents, broken ones, and what must be held.

What a file declared before counts for as long as the file cannot be read to the last identity.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.manifests.decode import DecodedDocument, DecodedFile, FileKind
from reconciler.manifests.document import Document
from reconciler.manifests.expansion import environments_of, environments_written
from reconciler.manifests.identity import API_VERSION, ResourceKey
from reconciler.manifests.ignore import IGNORE_FILE, NOTHING, Ignore
from reconciler.manifests.problem import Position, Problem
from reconciler.manifests.revision import Revision

FileId = tuple[str, str]
"""(source, path)"""


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody says that an identity is theirs. ``document`` is None when it cannot be used; ``remembered``: it is
    known only from what the file declared before."""

    key: ResourceKey
    source: str
    place: Position
    document: Document | None = None
    remembered: bool = False


@dataclass(slots=True)
class Gathered:
    """What all files say, before they are held against each other."""

    claims: list[Claim] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    opaque: set[str] = field(default_factory=set)
    declared_by: dict[FileId, frozenset[ResourceKey]] = field(default_factory=dict)
    ignored: dict[FileId, str] = field(default_factory=dict)
    manifest_files: set[FileId] = field(default_factory=set)
    sops_files: set[FileId] = field(default_factory=set)


def candidates(revision: Revision, ignore: Ignore = NOTHING) -> list[str]:
    """The paths of a revision to decode, sorted: YAML and SOPS files by their names, ignored ones left out."""
    return sorted(path for path in revision.files if is_candidate(path) and not ignore.matches(path))


def ignore_files(revision: Revision) -> list[str]:
    """The paths of the revision's ``.reconcilerignore`` files, to be read before ``candidates`` is asked."""
    return sorted(path for path in revision.files if path.rpartition("/")[2] == IGNORE_FILE)


def is_candidate(path: str) -> bool:
    """Whether a file could hold manifests or secrets, by its name."""
    return path.endswith((".yaml", ".yml")) or ".sops." in path.rpartition("/")[2]


def gather(
    revisions: Mapping[str, Revision],
    decoded: Mapping[FileId, DecodedFile],
    previous: Mapping[FileId, frozenset[ResourceKey]],
    ignores: Mapping[str, Ignore],
) -> Gathered:
    """Reads every file of every revision, in the order of sources and paths."""
    found = Gathered()
    for source in sorted(revisions):
        ignore = ignores.get(source, NOTHING)
        for path in filter(is_candidate, sorted(revisions[source].files)):
            if ignore.matches(path):
                found.ignored[source, path] = f"ignored by {IGNORE_FILE}"
            else:
                _file(found, (source, path), decoded.get((source, path)), previous.get((source, path), frozenset()))
        _refused(found, revisions[source], previous)
    return found


def _file(found: Gathered, file: FileId, decoded: DecodedFile | None, before: frozenset[ResourceKey]) -> None:
    if decoded is None:
        found.problems.append(Problem(Position(file[1]), "", "was not read: what it declares is unknown"))
        _hold(found, file, before, unknown=1)
    elif decoded.kind is FileKind.MANIFESTS:
        _manifests(found, file, decoded, before)
    elif before and (decoded.kind is FileKind.UNREADABLE or decoded.lookalikes):
        _damaged(found, file, decoded, before)
    else:
        found.ignored[file] = decoded.reason
        if decoded.kind is FileKind.SOPS:
            found.sops_files.add(file)


def _manifests(found: Gathered, file: FileId, decoded: DecodedFile, before: frozenset[ResourceKey]) -> None:
    found.manifest_files.add(file)
    claims = [claim for document in decoded.documents for claim in _claims(file[0], document)]
    found.claims.extend(claims)
    found.problems.extend(problem for document in decoded.documents for problem in document.problems)
    declared = frozenset(claim.key for claim in claims)
    if declared:
        found.declared_by[file] = declared
    unknown = sum(document.key is None and not document.foreign for document in decoded.documents)
    if unknown or any(document.lost for document in decoded.documents):
        _hold(found, file, before - declared, unknown=unknown)


def _claims(source: str, document: DecodedDocument) -> Iterator[Claim]:
    if document.key is None:
        return
    if document.problems:
        yield Claim(document.key, source, document.place)
        for name in environments_written(document.key, document.raw):
            yield Claim(ResourceKey("Environment", document.key.name, name), source, document.place)
        return
    usable = document.document(source)
    for found in (usable, *environments_of(usable)):
        yield Claim(found.key, source, found.place(), found)


def _damaged(found: Gathered, file: FileId, decoded: DecodedFile, before: frozenset[ResourceKey]) -> None:
    """The file declared manifests before: what it says now in another voice is damage, not somebody else's file."""
    found.manifest_files.add(file)
    if decoded.kind is FileKind.UNREADABLE:
        found.problems.append(Problem(Position(file[1]), "", f"declared manifests before, and is now {decoded.reason}"))
    for alike in decoded.lookalikes:
        version = f'"{alike.api_version[:60]}"' if alike.api_version else "no apiVersion"
        text = f"a {alike.kind} with {version}, in a file that declared manifests before: write {API_VERSION}"
        found.problems.append(Problem(Position(file[1], alike.line, 1), "apiVersion", text))
    known = frozenset(alike.key for alike in decoded.lookalikes if alike.key is not None)
    _hold(found, file, before | known)


def _refused(found: Gathered, revision: Revision, previous: Mapping[FileId, frozenset[ResourceKey]]) -> None:
    """Symbolic links and submodules: never followed, so what was declared there before is unknown now."""
    for path, reason in sorted(revision.refused.items()):
        if is_candidate(path):
            found.ignored[revision.source, path] = reason
        for file in sorted(_at_or_below(path, revision, previous)):
            found.problems.append(Problem(Position(path), "", f"{reason}; {file[1]} declared manifests before"))
            _hold(found, file, previous[file])


def _at_or_below(path: str, revision: Revision, files: Collection[FileId]) -> Iterator[FileId]:
    for source, known in files:
        if source == revision.source and known not in revision.files and f"{known}/".startswith(f"{path}/"):
            yield source, known


def _hold(found: Gathered, file: FileId, keys: frozenset[ResourceKey], *, unknown: int = 0) -> None:
    """Counts ``keys`` as declared. When documents of ``unknown`` identity outnumber them, anything may be missing."""
    found.claims.extend(Claim(key, file[0], Position(file[1]), remembered=True) for key in sorted(keys))
    found.declared_by[file] = found.declared_by.get(file, frozenset()) | keys
    if len(keys) < unknown:
        found.opaque.add(file[0])
