"""Local control: hold, release, reconcile-now, over a unix socket of the owner's, one JSON object per line.

It is never reachable over the network; the peer's user is asked of the kernel; every use is on record. Nothing can be
changed here that a manifest declares: a hold only keeps the daemon from acting, and is shown.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from reconciler.errors import InvalidInput, ReconcilerError, Unreachable
from reconciler.manifests.identity import UnitKey
from reconciler.ports import Clock, Ledger
from reconciler.runtime.workqueue import WorkQueue
from reconciler.runtime.world import Board, Subject, World
from reconciler.status.records import Event

log = structlog.get_logger(__name__)

VERBS = ("hold", "release", "reconcile-now")
_LIMIT = 64 * 1024
_DEADLINE = 10.0
_PEER = struct.Struct("3i")  # pid, uid, gid


def ask(path: Path, verb: str, subject: str = "") -> Mapping[str, Any]:
    """Sends one request and returns the daemon's answer: ``{"ok": true, "subjects": [...]}``.

    ``subject`` is a unit or a resource as it is shown (``here/shop/production``, ``Resource/shop/production/web``), ""
    for everything. Raises ``Unreachable`` without a daemon, ``InvalidInput`` when it refuses.
    """
    try:
        answer = _exchange(path, json.dumps({"verb": verb, "subject": subject}).encode() + b"\n")
    except OSError as error:
        raise Unreachable(f"{path}: no daemon answers ({error.strerror or error}); is it running?") from error
    if not answer.get("ok"):
        raise InvalidInput(str(answer.get("error", "the daemon gave no reason")))
    return answer


def _exchange(path: Path, request: bytes) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_DEADLINE)
        connection.connect(str(path))
        connection.sendall(request)
        with connection.makefile("rb") as lines:
            answer: dict[str, Any] = json.loads(lines.readline(_LIMIT) or b"{}")
            return answer


@dataclass(frozen=True, slots=True)
class Controls:
    """What a request does. ``again`` forgets backoffs and looks at sources and targets at once."""

    board: Board
    queue: WorkQueue
    ledger: Ledger
    clock: Clock
    again: Callable[[], None]

    def handle(self, verb: str, subject: str, *, peer: str) -> Mapping[str, Any]:
        """Does it, and puts it on record. Raises ``InvalidInput`` for what it does not know."""
        if verb not in VERBS:
            raise InvalidInput(f"verb: {verb!r} is not one of {', '.join(VERBS)}")
        subjects = self._subjects(verb, subject)
        self._record(verb, ", ".join(map(str, subjects)) if subject else "everything", peer)
        if verb == "reconcile-now":
            self.again()
        else:
            self._hold(subjects, release=verb == "release")
        self._wake(subjects)
        return {"ok": True, "subjects": [str(each) for each in subjects]}

    def _subjects(self, verb: str, subject: str) -> list[Subject]:
        world = self.board.read()
        if verb == "reconcile-now" and not subject:
            return list(world.units)
        known = {str(each): each for each in _known(world)}
        ends = [each for name, each in known.items() if subject and name.endswith(f"/{subject}")]
        if subject not in known and len(ends) == 1:
            return ends
        if subject not in known:
            near = ", ".join(sorted(name for name in known if subject and subject in name)[:5])
            raise InvalidInput(f"subject: {subject!r} is not known{'; did you mean: ' + near if near else ''}")
        return [known[subject]]

    def _hold(self, subjects: list[Subject], *, release: bool) -> None:
        def step(world: World) -> World:
            holds = world.holds - frozenset(subjects) if release else world.holds | frozenset(subjects)
            return world if holds == world.holds else replace(world, holds=holds)

        self.ledger.save_holds(step(self.board.read()).holds)
        self.board.change(step)

    def _wake(self, subjects: list[Subject]) -> None:
        world = self.board.read()
        homes: dict[Subject, UnitKey] = {workload.key: workload.unit for workload in world.desired.workloads}
        homes |= {key: unit for unit, entries in world.inventory.items() for key in entries}
        for subject in subjects:
            unit = subject if isinstance(subject, UnitKey) else homes.get(subject)
            if unit is not None:
                self.queue.add(unit, "control")

    def _record(self, verb: str, subject: str, peer: str) -> None:
        log.info("control", verb=verb, subject=subject, peer=peer)
        self.ledger.append([Event(self.clock.now(), f"control-{verb}", f"{verb} {subject} by {peer}")])


def _known(world: World) -> set[Subject]:
    resources = {key for entries in world.inventory.values() for key in entries}
    return {*world.units, *world.holds, *resources, *(workload.key for workload in world.desired.workloads)}


class ControlSocket:
    """Listens at ``path``, one connection at a time, mode 0600 in a folder of its own; peers are this process's user
    and root."""

    def __init__(self, path: Path, controls: Controls) -> None:
        self._path = path
        self._controls = controls
        self._listener: socket.socket | None = None

    def start(self) -> None:
        """Takes over a socket that a killed daemon left: whoever is here holds the state directory's lock."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.parent.chmod(0o700)
        self._path.unlink(missing_ok=True)
        self._listener = listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(self._path))
        except OSError as error:
            raise InvalidInput(f"{self._path}: cannot be a socket: {error}; choose a shorter stateDir") from error
        self._path.chmod(0o600)
        listener.listen(8)
        threading.Thread(target=self._serve, args=(listener,), name="control", daemon=True).start()

    def stop(self) -> None:
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)  # closing alone does not wake who waits in accept
            self._listener.close()
            self._listener = None
        self._path.unlink(missing_ok=True)

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(_DEADLINE)
        try:
            with connection.makefile("rb") as lines:
                answer = self._respond(lines.readline(_LIMIT), connection)
            connection.sendall(json.dumps(answer).encode() + b"\n")
        except OSError as error:
            log.debug("control peer went away", error=str(error))

    def _respond(self, line: bytes, connection: socket.socket) -> Mapping[str, Any]:
        pid, uid, _ = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
        if uid not in {0, os.geteuid()}:
            log.warning("control refused", uid=uid, pid=pid)
            return {"ok": False, "error": f"user {uid} may not control this daemon"}
        try:
            request = json.loads(line)
            return self._controls.handle(str(request["verb"]), str(request.get("subject", "")), peer=f"user {uid}")
        except (ValueError, KeyError, TypeError, AttributeError):
            return {"ok": False, "error": 'a request is one line: {"verb": "hold", "subject": "..."}'}
        except ReconcilerError as error:
            return {"ok": False, "error": str(error)}
