"""The composition root: settings in, a daemon out. The only place that names concrete adapters.

Order of opening, and in reverse of closing: lock, ledger, sources, targets, listeners. The command line calls it and
decides nothing else about how things are wired.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import structlog

from reconciler.api.board import Surface
from reconciler.api.server import StatusServer
from reconciler.certificates.reader import Reader
from reconciler.desired.assemble import assemble
from reconciler.desired.facts import Facts
from reconciler.desired.objects import Desired, TargetObject
from reconciler.drivers.edge.caddy import Caddy
from reconciler.drivers.memory import MemoryDriver
from reconciler.drivers.process.driver import ProcessDriver
from reconciler.equipment import Current, known_of, lookup, secrets_of, token
from reconciler.errors import InvalidInput, TransientError
from reconciler.manifests.identity import ResourceKey
from reconciler.plan.planner import plan, units
from reconciler.plan.targets import known_targets
from reconciler.ports import Clock, Remembered, SecretResolver, Source, TargetDriver
from reconciler.runtime import logs
from reconciler.runtime.backoff import Backoff
from reconciler.runtime.clock import SystemClock
from reconciler.runtime.control import Controls, ControlSocket
from reconciler.runtime.controller import Controller
from reconciler.runtime.daemon import Daemon, Service
from reconciler.runtime.facts import FactGatherer
from reconciler.runtime.fleet import Fleet
from reconciler.runtime.lookups import Lookups, questions_of, seen_routes
from reconciler.runtime.masking import MaskedLedger
from reconciler.runtime.metrics import Metrics
from reconciler.runtime.outlook import Outlook, look_ahead
from reconciler.runtime.periodic import Periodic
from reconciler.runtime.reading import Reader as ManifestReader
from reconciler.runtime.refresh import Feed, Meaning, Refresher
from reconciler.runtime.report import Report
from reconciler.runtime.rules import Rules
from reconciler.runtime.throttle import Throttle
from reconciler.runtime.workers import Looker, Workers
from reconciler.runtime.workqueue import WorkQueue
from reconciler.runtime.world import Board, remembered_world
from reconciler.secrets.redact import Redactor
from reconciler.settings import Settings, load
from reconciler.sources.blobs import Blobs
from reconciler.sources.directory import DirectorySource
from reconciler.sources.git import GitSource
from reconciler.status.judge import judge
from reconciler.status.presenting.doctor import Facts as DoctorFacts
from reconciler.status.published import SourceState
from reconciler.status.telling import tell
from reconciler.store import remembering
from reconciler.store.database import Readers
from reconciler.store.ledger import Ledger
from reconciler.store.lock import StateLock

log = structlog.get_logger(__name__)

SOURCE = "main"
"""The name of the root source."""

_DAY = 86400.0


def run(path: Path) -> int:
    """The daemon, until SIGTERM; from the main thread. Raises from the tree when it cannot start."""
    with open_daemon(load(path), path=path) as daemon:
        drained = daemon.run()
    if not drained:
        os._exit(0)  # threads that still wait for a target would hold the process up, and have nothing to lose
    return 0


def run_once(path: Path, *, timeout: float = 300.0) -> Report:
    """One whole convergence under the daemon's own lock, without listeners."""
    with open_daemon(load(path), listening=False) as daemon:
        return daemon.run_once(timeout)


def plan_local(path: Path) -> Outlook:
    """The whole way from here without a daemon, by looking only: no lock is taken, and nothing is made."""
    settings = load(path)
    state, ledger = Path(settings.state_dir), Path(settings.state_dir) / "ledger.db"
    memory = _recall(ledger) if ledger.exists() else Remembered()
    secrets = secrets_of(settings, Redactor())
    feed, clock = make_source(settings), SystemClock()
    blobs = Blobs({SOURCE: feed.source})
    reader = ManifestReader(declared=memory.declared_by, metrics=Metrics())
    reader.take(feed.source, feed.source.revision())
    facts = FactGatherer(
        frozenset({SOURCE}),
        blobs,
        lambda: secrets,
        lambda: settings.variables,
        certificates=Reader(lambda: secrets, clock),
        around=lambda: known_of(settings),
    )
    desired = assemble(reader.catalog(), facts.gather(reader.catalog()))

    def driver_for(described: TargetObject) -> TargetDriver:
        if not _root(state, described.key).is_dir():
            return MemoryDriver(described.key, clock=clock)  # nothing was ever there, and looking must not make it
        return _driver(described, state=state, settings=settings, blobs=blobs, secrets=secrets, clock=clock)

    return look_ahead(desired, memory, driver_for, now=clock.now())


@contextmanager
def open_daemon(settings: Settings, *, path: Path | None = None, listening: bool = True) -> Iterator[Daemon]:
    """A daemon that is wired and not yet started. Raises ``AlreadyRunning``, ``LedgerDamaged``, ``InvalidInput``.

    ``path`` is where settings are read again from on a SIGHUP.
    """
    state = Path(settings.state_dir)
    _prepare(state)
    with ExitStack() as opened:
        opened.enter_context(StateLock(state / "lock"))
        ledger = Ledger.open(state / "ledger.db")
        opened.callback(ledger.close)
        yield _House(settings, state=state, ledger=ledger, memory=ledger.load(), path=path).daemon(listening=listening)


def make_source(settings: Settings) -> Feed:
    """The root source, and how it is shown before it was read."""
    git, directory = settings.source.git, settings.source.directory
    if git is not None:
        source: Source = GitSource(SOURCE, repository=Path(git.repository), branch=git.branch, path=git.path)
        return Feed(source, SourceState(SOURCE, "git", git.repository, ref=git.branch))
    if directory is not None:
        return Feed(
            DirectorySource(SOURCE, root=Path(directory.path)), SourceState(SOURCE, "directory", directory.path)
        )
    raise InvalidInput("source: is exactly one of git and directory")


def control_path(settings: Settings) -> Path:
    """Where the daemon's control socket is."""
    return Path(settings.state_dir) / "control" / "socket"


def _prepare(state: Path) -> None:
    """Workloads' own users must pass through, and nobody may look around."""
    try:
        for folder in (state, state / "servers"):
            if not folder.is_dir():
                folder.mkdir(parents=True)
                folder.chmod(0o711)
    except OSError as error:
        raise TransientError(f"{state}: cannot be made: {error.strerror}; check stateDir") from error


def _recall(path: Path) -> Remembered:
    """What a ledger holds, read beside a daemon that may be writing it."""
    readers = Readers(path)
    try:
        with readers.reading() as connection:
            return remembering.load(connection)
    finally:
        readers.close()


def _root(state: Path, server: ResourceKey) -> Path:
    """Each server on this machine has a folder of its own, so that none sees what another runs."""
    return state / "servers" / server.name


def _driver(
    described: TargetObject,
    *,
    state: Path,
    settings: Settings,
    blobs: Blobs,
    secrets: SecretResolver,
    clock: Clock,
) -> TargetDriver:
    if described.engine != "process":
        raise InvalidInput(f"{described.key}: engine {described.engine} is not supported by this version yet")
    root = _root(state, described.key)
    root.mkdir(mode=0o711, exist_ok=True)
    return ProcessDriver(
        described.key,
        root=root,
        instance_id=settings.instance_id,
        blobs=blobs,
        secrets=secrets,
        clock=clock,
        edge=partial(Caddy, described.key, settings.instance_id, secrets),
        port_range=described.port_range,
    )


@dataclass(slots=True)
class _Live:
    """What a reload may replace while the daemon runs."""

    settings: Settings
    secrets: SecretResolver


class _House:
    """Everything of one daemon, made in the order in which one needs the other."""

    def __init__(
        self, settings: Settings, *, state: Path, ledger: Ledger, memory: Remembered, path: Path | None
    ) -> None:
        self._state, self._path, self._history = state, path, ledger
        self._redactor = Redactor()
        self._ledger = MaskedLedger(ledger, self._redactor.text)
        self._live = _Live(settings, secrets_of(settings, self._redactor))
        self._configure_logs()
        self._stopping = threading.Event()
        self._clock: Clock = SystemClock()
        self._metrics = Metrics()
        self._established: frozenset[tuple[str, ResourceKey]] = frozenset()
        self._feed = _remembering(make_source(settings), memory)
        self._blobs = Blobs({SOURCE: self._feed.source})
        backoff = Backoff(random.random)
        self._queue = WorkQueue(self._clock, backoff)
        self._throttle = Throttle(self._clock, errors=backoff, repeats=Backoff(random.random, base=0.25, cap=60.0))
        world = remembered_world(memory)
        self._board = Board(world, self._clock, instance_id=settings.instance_id, work=self._queue.items)
        width = settings.limits.actions_per_target
        self._fleet = Fleet(self._driver_for, clock=self._clock, backoff=backoff, width=width, woken=self._woken)
        self._lookups = Lookups(lookup(settings, self._clock), self._board, self._clock, self._answered)
        self._looker = Looker(self._refresher(memory).run, interval=settings.interval, backoff=backoff)

    def daemon(self, *, listening: bool) -> Daemon:
        self._metrics.watch_queue(self._queue.depth)
        self._metrics.watch_source(SOURCE, self._source_age)
        workers = self._live.settings.limits.workers
        return Daemon(
            self._board,
            self._queue,
            Workers(self._queue, self._controller(), count=workers, metrics=self._metrics, clock=self._clock),
            self._looker,
            self._fleet,
            self._clock,
            self._stopping,
            sources=[self._feed.source],
            services=self._services() if listening else [],
            reload=self._reload,
            ask=self._lookups.look,
        )

    # --- parts

    def _controller(self) -> Controller:
        return Controller(
            self._board,
            fleet=self._fleet,
            ledger=self._ledger,
            history=self._history.history,
            queue=self._queue,
            throttle=self._throttle,
            rules=Rules(plan, units, judge, tell),
            clock=self._clock,
            metrics=self._metrics,
            stopping=self._stopping.is_set,
        )

    def _refresher(self, memory: Remembered) -> Refresher:
        facts = FactGatherer(
            frozenset({SOURCE}),
            self._blobs,
            lambda: self._live.secrets,
            lambda: self._live.settings.variables,
            certificates=Reader(lambda: self._live.secrets, self._clock),
            around=self._around,
        )
        return Refresher(
            {SOURCE: self._feed},
            reader=ManifestReader(declared=memory.declared_by, metrics=self._metrics),
            meaning=Meaning(facts.gather, assemble, units),
            board=self._board,
            queue=self._queue,
            throttle=self._throttle,
            ledger=self._ledger,
            clock=self._clock,
            metrics=self._metrics,
            retarget=self._retarget,
            fresh=memory.fresh,
        )

    def _services(self) -> list[Service]:
        settings = self._live.settings
        surface = Surface(
            board=self._board,
            history=self._history.history,
            logs=self._fleet,
            clock=self._clock,
            metrics=self._metrics.render,
            facts=self._measure,
            redact=self._redactor.text,
            token=token(settings),
        )
        host, port = settings.status
        controls = Controls(self._board, self._queue, self._ledger, self._clock, again=self._again)
        prune = Periodic("prune", lambda: self._history.prune(self._clock.now()), interval=_DAY)
        return [
            StatusServer(surface, host, port),
            ControlSocket(control_path(settings), controls),
            prune,
            self._lookups,
        ]

    def _retarget(self, desired: Desired) -> None:
        self._fleet.sync(known_targets(desired, self._board.read().inventory))
        self._lookups.want(questions_of(desired))

    def _around(self) -> Facts:
        """What is known of the daemon and of the DNS, and which routes were seen in its life."""
        self._established |= seen_routes(self._board.read().snapshot)
        known = known_of(self._live.settings)
        return replace(known, answers=self._lookups.answers(), established=self._established)

    def _answered(self) -> None:
        self._looker.wake("dns")

    def _driver_for(self, described: TargetObject) -> TargetDriver:
        secrets = Current(lambda: self._live.secrets)
        settings, state = self._live.settings, self._state
        return _driver(described, state=state, settings=settings, blobs=self._blobs, secrets=secrets, clock=self._clock)

    # --- what happens while it runs

    def _woken(self, target: object) -> None:
        for unit in self._board.read().units:
            if unit.target == target:
                self._queue.add(unit, "target")

    def _again(self) -> None:
        """Everything that waits for a retry is tried now."""
        self._throttle.clear()
        self._fleet.retry_now()
        self._looker.wake("control")

    def _reload(self) -> None:
        """What can change while it runs does: variables, secrets, log, interval. The rest is told."""
        if self._path is None:
            return
        before, after = self._live.settings, load(self._path)
        self._live.secrets = secrets_of(after, self._redactor)
        self._live.settings = after
        self._looker.interval = after.interval
        self._configure_logs()
        fixed = [name for name in ("instance_id", "state_dir", "listen", "limits") if _differs(before, after, name)]
        if fixed or before.source.model_copy(update={"interval": after.source.interval}) != after.source:
            log.warning("settings need a restart", settings=[*fixed, *(() if fixed else ("source",))])
        log.info("settings reloaded")

    def _configure_logs(self) -> None:
        said = self._live.settings.logs
        logs.configure(level=said.level, as_json=said.format == "json", mask=self._redactor)

    def _source_age(self) -> float:
        state = self._board.read().sources.get(SOURCE)
        return self._clock.now() - state.checked_at if state and state.checked_at else float("inf")

    def _measure(self) -> DoctorFacts:
        disk = os.statvfs(self._state)
        return DoctorFacts(disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize, self._ledger_error())

    def _ledger_error(self) -> str:
        try:
            self._history.history.events(limit=1)
        except Exception as error:  # noqa: BLE001 - the doctor tells whatever is wrong
            return str(error)
        return ""


def _remembering(feed: Feed, memory: Remembered) -> Feed:
    return replace(feed, shown=replace(feed.shown, applied=memory.applied.get(SOURCE, "")))


def _differs(before: Settings, after: Settings, name: str) -> bool:
    return bool(getattr(before, name) != getattr(after, name))
