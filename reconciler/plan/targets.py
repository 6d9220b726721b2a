"""Targets, also those whose manifest vanished: what reaching one takes is kept in the inventory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace

from reconciler.desired.objects import Desired, EdgeObject, TargetObject
from reconciler.inventory import Entry, Inventory
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.manifests.problem import Position


def known_targets(desired: Desired, inventory: Inventory) -> Mapping[ResourceKey, TargetObject]:
    """Every target that is declared, or that something of ours is still on."""
    known = {
        entry.key: target_of(entry)
        for unit, entries in inventory.items()
        if unit.is_furniture
        for entry in entries.values()
        if entry.manifest
    }
    return {**known, **desired.targets}


def entry_of(target: TargetObject) -> Entry:
    """What is put on record of a target."""
    fields = asdict(replace(target, place=Position("")))
    kept = {name: fields[name] for name in ("engine", "lifecycle", "edge", "port_range", "bind_paths")}
    return Entry(target.key, UnitKey(target.key), target.source, manifest=json.dumps(kept, sort_keys=True))


def target_of(entry: Entry) -> TargetObject:
    """The target that an entry stands for."""
    kept = json.loads(entry.manifest)
    return TargetObject(
        entry.key,
        kept["engine"],
        kept["lifecycle"],
        edge=EdgeObject(**kept["edge"]) if kept["edge"] else None,
        port_range=(kept["port_range"][0], kept["port_range"][1]),
        bind_paths=tuple(kept["bind_paths"]),
        source=entry.source,
    )


def edge_settings(edge: EdgeObject) -> dict[str, str]:
    """What an edge is told of itself, as an observation says it."""
    return {name: str(value) for name, value in asdict(edge).items()}
