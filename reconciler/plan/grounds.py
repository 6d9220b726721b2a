"""What a resource stands on: its volumes and its stable addresses, and the links to the addresses of others.

An address belongs to (environment, resource, port) and is recorded on the target, so that no release, restart or lost
ledger changes where others find it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.desired.names import address_name
from reconciler.desired.objects import Desired, Link, Port, VolumeObject, Workload
from reconciler.observed.snapshot import BLIND, Address, Snapshot, Target
from reconciler.plan.actions import AddressSpec, Verb
from reconciler.plan.draft import Draft


def plan_volume(volume: VolumeObject, target: Target, draft: Draft, *, known: bool) -> None:
    """Makes a declared volume; ``known``: it was on record before, so that its absence is somebody's doing."""
    found = target.volumes.get(volume.name)
    if found is None:
        cause = "it was there and is gone" if known else "it is declared"
        draft.act(volume.key, Verb.CREATE_VOLUME, volume.name, cause=cause, payload=volume, drift=known)
    elif not found.ours:
        draft.block(volume.key, "ExistsNotOurs", f"a volume named {volume.name} is there and is not ours")


def plan_addresses(workload: Workload, desired: Desired, target: Target, draft: Draft) -> bool:
    """Reserves what is missing; True when every address of the workload is there."""
    missing = [(p, o) for p, o in _places(workload) if address_name(workload.key, p.name, o) not in target.addresses]
    for port, ordinal in missing:
        owner = desired.targets[workload.unit.target]
        host_port = port.host_port + ordinal if port.host_port else 0
        spec = AddressSpec(
            workload.key, workload.unit, port.name, ordinal, owner.port_range, host_port=host_port, bind=port.bind
        )
        name = address_name(workload.key, port.name, ordinal)
        draft.act(workload.key, Verb.RESERVE_ADDRESS, name, cause=f"the address of port {port.name}", payload=spec)
    return not missing


def bound_ports(workload: Workload, target: Target) -> Mapping[int, Mapping[str, int]]:
    """Which port each ordinal is to bind itself, by port name; empty where the engine assigns them."""
    ports: dict[int, dict[str, int]] = {}
    for port, ordinal in _places(workload):
        found = target.addresses.get(address_name(workload.key, port.name, ordinal))
        if port.fixed and found is not None:
            ports.setdefault(ordinal, {})[port.name] = found.port
    return ports


def missing_volumes(workload: Workload, target: Target) -> list[str]:
    """The names of volumes that it mounts and that are not there yet."""
    return [m.volume for m in workload.template.mounts if m.volume not in target.volumes]


def links_of(workload: Workload, desired: Desired, snapshot: Snapshot) -> tuple[dict[str, str], list[str]]:
    """The texts of its links, by variable name, and the addresses that are still missing, in words."""
    texts: dict[str, str] = {}
    missing: list[str] = []
    for name, value in workload.template.env:
        if isinstance(value, Link):
            address = _address_of(value, desired, snapshot)
            if address is None:
                missing.append(f"the address of {value.resource} port {value.port}")
            else:
                texts[name] = _text(value, address)
    return texts, missing


def _places(workload: Workload) -> Iterator[tuple[Port, int]]:
    """Every (port, ordinal) that has an address: all ordinals where instances bind it, else the first stands for the
    listener of the edge."""
    for port in workload.template.ports:
        for ordinal in range(workload.replicas if port.fixed else 1):
            yield port, ordinal


def _address_of(link: Link, desired: Desired, snapshot: Snapshot) -> Address | None:
    home = desired.workload(link.resource)
    if home is None:
        return None
    return snapshot.get(home.unit.target, BLIND).addresses.get(address_name(link.resource, link.port, 0))


def _text(link: Link, address: Address) -> str:
    texts = {
        "url": f"http://{address.host}:{address.port}",
        "address": f"{address.host}:{address.port}",
        "host": address.host,
        "port": str(address.port),
    }
    return texts[link.part]
