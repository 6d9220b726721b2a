"""Documents held against each other: one identity twice, names of nothing, circles, bases that are broken.

Whatever is wrong with a document takes it out of use; its identity stays declared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter

from reconciler.manifests.cycles import Graph, cycles
from reconciler.manifests.document import Document
from reconciler.manifests.gathering import Claim
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.location import Location, dotted
from reconciler.manifests.problem import Problem
from reconciler.manifests.references import Reference, dangling, references

_ORDER = attrgetter("kind", "project", "name", "environment")


@dataclass(slots=True)
class Judged:
    """``documents`` (in the order of their identities) can be used; ``broken`` cannot, and count as declared by the
    source given."""

    documents: dict[ResourceKey, Document] = field(default_factory=dict)
    broken: dict[ResourceKey, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    places: dict[ResourceKey, str] = field(default_factory=dict)
    missing: set[ResourceKey] = field(default_factory=set)

    def reject(self, document: Document, location: Location, message: str) -> None:
        """Takes a document out of use, and says why."""
        self.problems.append(Problem(document.place(*location), dotted(location), message))
        self.broken[document.key] = document.source
        self.documents.pop(document.key, None)


@dataclass(frozen=True, slots=True)
class Named:
    """A document and everything that it names."""

    document: Document
    references: tuple[Reference, ...]

    def by(self, field_name: str) -> dict[ResourceKey, Location]:
        """What one field names (``dependsOn`` of overrides, too), and where."""
        chosen = (reference for reference in self.references if field_name in reference.location)
        return {key: reference.location for reference in chosen for key in reference.keys}


def judge(claims: Iterable[Claim]) -> Judged:
    """Which of the claimed documents can be used together."""
    found = Judged()
    _settle_claims(found, claims)
    named = [Named(document, tuple(references(document))) for document in found.documents.values()]
    _check_names(found, named)
    for verb, field_name in (("extends", "extends"), ("depends on", "dependsOn")):
        _check_circles(found, named, verb, field_name)
    _spread_broken_bases(found, named)
    return found


def _settle_claims(found: Judged, claims: Iterable[Claim]) -> None:
    by_key: dict[ResourceKey, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_key[claim.key].append(claim)
    for key in sorted(by_key, key=_ORDER):
        all_claims = by_key[key]
        owner = min(claim.source for claim in all_claims)
        own = [claim for claim in all_claims if claim.source == owner]
        _take(found, own)
        for claim in all_claims:
            rivals = [other for other in all_claims if other is not claim]
            if rivals and not claim.remembered:
                _name_rivals(found, claim, rivals, owner)
        found.places[key] = str(own[0].place)


def _take(found: Judged, own: list[Claim]) -> None:
    claim = own[0]
    if len(own) == 1 and claim.document is not None:
        found.documents[claim.key] = claim.document
    else:
        found.broken[claim.key] = claim.source


def _name_rivals(found: Judged, claim: Claim, rivals: list[Claim], owner: str) -> None:
    other = next((rival for rival in rivals if rival.source == owner), None)
    if other is None:
        return
    where = f"{other.place} of source {other.source}" if other.source != claim.source else str(other.place)
    told = (
        f"was declared by {where}, which cannot be read now" if other.remembered else f"is declared at {where} as well"
    )
    found.problems.append(Problem(claim.place, "metadata.name", f"{claim.key} {told}"))


def _check_names(found: Judged, all_named: list[Named]) -> None:
    known = {**dict.fromkeys(found.broken), **dict.fromkeys(found.documents)}
    for named in all_named:
        document = named.document
        project = ResourceKey("Project", "", document.key.project)
        if document.key.project and project not in known:
            _reject_dangling(found, document, Reference(("metadata", "project"), (project,)))
            continue
        for reference in named.references:
            unknowable = reference.keys[0].kind == "Environment" and project in found.broken
            if reference.found_in(known) is None and not unknowable:
                _reject_dangling(found, document, reference)
        _check_rename(found, document, known)


def _reject_dangling(found: Judged, document: Document, reference: Reference) -> None:
    found.missing.update(reference.keys)
    found.reject(document, reference.location, dangling(reference, found.places))


def _check_rename(found: Judged, document: Document, known: Iterable[ResourceKey]) -> None:
    old = document.metadata.get("renamedFrom")
    if isinstance(old, str):
        former = ResourceKey(document.key.kind, document.key.project, old)
        if former in known:
            message = f"{former} is still declared at {found.places[former]}: remove it, or leave this out"
            found.reject(document, ("metadata", "renamedFrom"), message)


def _check_circles(found: Judged, all_named: list[Named], verb: str, field_name: str) -> None:
    by_key = {named.document.key: named.document for named in all_named}
    places = {named.document.key: names for named in all_named if (names := named.by(field_name))}
    graph: Graph = {key: frozenset(names) for key, names in places.items()}
    for circle in cycles(graph):
        way = " → ".join(key.name for key in (*circle, circle[0]))
        for index, key in enumerate(circle):
            following = circle[(index + 1) % len(circle)]
            found.reject(by_key[key], places[key][following], f"{key.name} {verb} itself: {way}")


def _spread_broken_bases(found: Judged, all_named: list[Named]) -> None:
    children: dict[ResourceKey, list[Document]] = defaultdict(list)
    for named in all_named:
        for base in named.by("extends"):
            children[base].append(named.document)
    waiting = sorted(found.broken)
    while waiting:
        base = waiting.pop()
        for child in children.get(base, ()):
            if child.key in found.documents:
                message = f"its base {base.name} ({found.places[base]}) cannot be used"
                found.reject(child, ("spec", "extends"), message)
                waiting.append(child.key)
