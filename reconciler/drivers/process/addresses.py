"""Ports: reserved addresses, which outlive releases, and free ones for instances. No number is given out twice."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from reconciler.desired.objects import Port
from reconciler.drivers.process import durable, layout, receipts, record
from reconciler.drivers.process.record import AddressRecord, InstanceRecord, JobRecord
from reconciler.drivers.process.site import Site
from reconciler.errors import Conflict, ExistsNotOurs, InvalidInput, TransientError
from reconciler.observed.snapshot import JobState
from reconciler.plan.actions import Action, AddressSpec

KIND = "address"


class Addresses:
    """Reads what is given out from the records themselves, under a lock that other processes respect, too."""

    def __init__(self, site: Site) -> None:
        self._site = site

    @contextmanager
    def giving_out(self) -> Iterator[None]:
        """Held from choosing a port until it is on record."""
        fd = os.open(self._site.layout.ports_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def reserve(self, action: Action, spec: AddressSpec) -> None:
        """Puts an address on record if it is absent. Raises ``Conflict`` for one that is there with another port."""
        path = self._site.layout.address(action.name)
        with self.giving_out():
            present = self._ours(action.name)
            if present is None:
                self._site.step("reserve-address:choosing")
                record.write(path, self._chosen(action.name, spec))
                self._site.step("reserve-address:recorded")
            elif spec.host_port not in (0, present.port):
                raise Conflict(
                    f"address {action.name}: has port {present.port}, not {spec.host_port}; release it first"
                )

    def release(self, action: Action) -> None:
        """Gives an address back; one that is gone is success."""
        with self.giving_out():
            if self._ours(action.name) is not None:
                durable.unlink(self._site.layout.address(action.name))
                self._site.step("release-address:released")

    def assign(self, ports: tuple[Port, ...], bound: Mapping[str, int]) -> dict[str, int]:
        """A number for each port: as ``bound`` or declared, else a free one. Call while ``giving_out``."""
        taken = self._taken()
        given: dict[str, int] = {}
        for port in ports:
            number = bound.get(port.name) or port.host_port
            given[port.name] = number or free_port(self._site.port_range, taken | set(given.values()), port.protocol)
        return given

    def _ours(self, name: str) -> AddressRecord | None:
        present = self._site.reader.read(self._site.layout.address(name), AddressRecord)
        if present is not None and present.mark != self._site.mark(KIND, name):
            raise ExistsNotOurs(f"address {name}: its record is not ours")
        return present

    def _chosen(self, name: str, spec: AddressSpec) -> AddressRecord:
        taken = self._taken()
        if spec.host_port in {a.port for a in self._all()}:
            raise InvalidInput(f"address {name}: port {spec.host_port} belongs to another address; declare another one")
        port = spec.host_port or free_port(spec.port_range, taken, "tcp")
        mark = self._site.mark(KIND, name)
        return AddressRecord(mark, spec.key, spec.unit, spec.port_name, spec.ordinal, spec.bind, port)

    def _all(self) -> list[AddressRecord]:
        """Raises ``Damaged``: what cannot be read may hold any number."""
        paths = [path for path in self._site.layout.addresses.iterdir() if not path.name.startswith(".")]
        read = (self._site.reader.read(path, AddressRecord) for path in paths)
        return [address for address in read if address is not None]

    def _taken(self) -> set[int]:
        reader, places = self._site.reader, self._site.layout
        instances = (reader.read(path, InstanceRecord) for path in _records(places.instances))
        jobs = (reader.read(folder / layout.RECORD, JobRecord) for folder in self._jobs_to_come())
        ports = {number for thing in (*instances, *jobs) if thing is not None for number in thing.ports.values()}
        return ports | {address.port for address in self._all()}

    def _jobs_to_come(self) -> list[Path]:
        """Folders of the jobs that use their ports, or will; the others are receipts, which stay."""
        reader = self._site.reader
        pending = (JobState.CREATED, JobState.RUNNING)
        return [folder for folder in self._site.layout.jobs.iterdir() if receipts.state(reader, folder) in pending]


def _records(folder: Path) -> list[Path]:
    return [place / layout.RECORD for place in folder.iterdir()]


def free_port(port_range: tuple[int, int], taken: set[int], protocol: str) -> int:
    """The first of ``port_range`` (inclusive) that is not ``taken`` and that nobody on this machine uses."""
    first, last = port_range
    for number in range(first, last + 1):
        if number not in taken and not in_use(number, protocol):
            return number
    raise TransientError(f"ports {first}-{last}: none is free; widen portRange")


def in_use(number: int, protocol: str) -> bool:
    """Whether somebody on this machine has the port, on whatever address."""
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", number))
        except OSError:
            return True
    return False
