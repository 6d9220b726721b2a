"""Circles among names: a resource that, in the end, extends or depends on itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from reconciler.manifests.identity import ResourceKey

Graph = Mapping[ResourceKey, frozenset[ResourceKey]]
"""What each identity names."""


def cycles(graph: Graph) -> Iterator[tuple[ResourceKey, ...]]:
    """Circles of the graph, each in the order of its names and beginning with the least; none shares a member."""
    left = dict(graph)
    while True:
        try:
            TopologicalSorter({key: left[key] for key in sorted(left)}).prepare()
            return
        except CycleError as error:
            circle = tuple(reversed(error.args[1][1:]))
        for key in circle:
            left.pop(key, None)
        start = circle.index(min(circle))
        yield (*circle[start:], *circle[:start])
