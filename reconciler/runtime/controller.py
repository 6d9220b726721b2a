"""One pass of one unit: look, plan, write ahead, act, tell. It decides nothing that the pure core could decide.

Workers call it with a unit from the queue, never twice at a time with the same one. What must survive a crash is in
the ledger before the first action begins; when that write fails, nothing is done. A pass that changes nothing writes
nothing, neither to the ledger nor to a target, and is noticed by no reader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from reconciler.apply.executor import Outcome
from reconciler.manifests.identity import UnitKey
from reconciler.observed.snapshot import EdgeState, Target
from reconciler.plan.actions import Action, Difference, Plan
from reconciler.plan.planner import Inputs
from reconciler.plan.targets import known_targets
from reconciler.ports import Clock, History, Ledger
from reconciler.runtime.fleet import Fleet, Look
from reconciler.runtime.metrics import Metrics
from reconciler.runtime.outlook import differences
from reconciler.runtime.relations import dependents
from reconciler.runtime.rules import Rules
from reconciler.runtime.settling import settle_sources
from reconciler.runtime.steps import of_others, same, unnoticed, with_plan, with_units
from reconciler.runtime.throttle import Throttle
from reconciler.runtime.workqueue import RESYNC, WorkQueue
from reconciler.runtime.world import Board, World, with_approvals, with_conditions
from reconciler.status.records import Deployment

log = structlog.get_logger(__name__)

EDGE_RESYNC = 10.0
"""Seconds between looks at an edge that nothing else asks for."""


@dataclass(frozen=True, slots=True)
class Passed:
    """How a pass ended: when the unit is due again (seconds), for what reason, and what went wrong, if anything."""

    after: float | None
    trigger: str
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class _Pass:
    """What one pass works with."""

    unit: UnitKey
    world: World
    look: Look
    inputs: Inputs
    plan: Plan


class Controller:
    """Runs passes. ``stopping`` says that no action may begin any more; ``resync`` is the safety net, in seconds."""

    def __init__(
        self,
        board: Board,
        *,
        fleet: Fleet,
        ledger: Ledger,
        history: History,
        queue: WorkQueue,
        throttle: Throttle,
        rules: Rules,
        clock: Clock,
        metrics: Metrics,
        stopping: Callable[[], bool],
        resync: float = 60.0,
    ) -> None:
        self._board = board
        self._fleet = fleet
        self._ledger = ledger
        self._history = history
        self._queue = queue
        self._throttle = throttle
        self._rules = rules
        self._clock = clock
        self._metrics = metrics
        self._stopping = stopping
        self._resync = resync

    def run(self, unit: UnitKey) -> Passed:
        """One pass. Raises what the ledger or the planner raises, and then nothing was done."""
        log.debug("pass", unit=str(unit))
        current = self._prepare(unit)
        self._write_ahead(current)
        self._remember(current)
        allowed = self._throttle.allowed(unit, current.plan.actions)
        outcomes = self._execute(current, allowed)
        self._tell(current, outcomes)
        self._wake(current)
        return self._conclude(current, allowed, outcomes)

    # --- look and plan

    def _prepare(self, unit: UnitKey) -> _Pass:
        look = self._fleet.look(unit.target, since=self._clock.monotonic())
        world = self._see(unit, look.target)
        inputs = Inputs(
            desired=world.desired,
            snapshot={**world.snapshot, unit.target: look.target},
            now=self._clock.now(),
            inventory=world.inventory,
            progress=world.progress.get(unit, {}),
            claims=world.claims,
            differences=self._differences(unit, world, look.target),
            approvals=world.approvals,
            holds=world.holds,
        )
        return _Pass(unit, world, look, inputs, self._rules.plan(unit, inputs))

    def _see(self, unit: UnitKey, target: Target) -> World:
        """Publishes what was seen; whoever waits on the same target is woken when it is something new."""
        before = self._board.read()
        news = not same(before.snapshot.get(unit.target), target)
        world = self._board.change(
            lambda world: replace(world, snapshot={**world.snapshot, unit.target: target}), quiet=not news
        )
        if not news:
            return world
        for neighbour, plan in world.plans.items():
            if neighbour.target == unit.target and neighbour != unit and (plan.waits or plan.blocks):
                self._queue.add(neighbour, "target")
        return self._count_units()

    def _differences(self, unit: UnitKey, world: World, target: Target) -> Mapping[str, tuple[Difference, ...]]:
        post = self._fleet.post(unit.target)
        if post is None:
            return {}
        wanted = (workload for workload in world.desired.workloads if workload.unit == unit)
        return differences(post.driver, wanted, target)

    # --- write ahead

    def _write_ahead(self, current: _Pass) -> None:
        unit, plan, world = current.unit, current.plan, current.world
        inventory = plan.inventory if plan.inventory != world.inventory.get(unit, {}) else None
        progress = plan.progress != world.progress.get(unit, {})
        approvals = with_approvals(world.approvals, plan.approvals) is not world.approvals
        if inventory is None and not progress and not approvals:
            return
        self._ledger.commit_plan(unit, inventory=inventory, progress=plan.progress, approvals=plan.approvals)
        self._metrics.commits.labels("plan").inc()

    def _remember(self, current: _Pass) -> None:
        """What was written, and what the plan says, becomes what the next pass and every reader sees."""

        def step(world: World) -> World:
            return with_plan(world, current.plan, edition=current.world.edition, differences=current.inputs.differences)

        before = self._board.read()
        quiet = unnoticed(before, step(before), current.unit)
        self._board.change(step, quiet=quiet)
        if quiet:
            return
        if current.plan.inventory is not None and bool(current.plan.inventory) != (
            current.unit in current.world.inventory
        ):
            self._count_units()
        settle_sources(self._board, self._ledger)

    # --- act

    def _execute(self, current: _Pass, allowed: Sequence[Action]) -> list[Outcome]:
        post = self._fleet.post(current.unit.target)
        if not allowed or post is None:
            return []
        outcomes = post.executor.execute(allowed, lambda: self._may_continue(current))
        for outcome in outcomes:
            self._throttle.record(outcome.action, outcome.error)
            self._report(outcome)
        return outcomes

    def _may_continue(self, current: _Pass) -> bool:
        """No: the daemon stops, a newer desired state is there, or a route's claim is no longer the latest."""
        world, unit = self._board.read(), current.unit
        if self._stopping() or world.edition != current.world.edition or world.holds != current.world.holds:
            return False
        return not unit.is_furniture or of_others(world.claims, unit) == of_others(current.inputs.claims, unit)

    def _report(self, outcome: Outcome) -> None:
        action = outcome.action
        self._metrics.actions.labels(action.verb.value, "ok" if outcome.ok else "failed").inc()
        words = {"unit": str(action.unit), "resource": str(action.key), "verb": action.verb.value, "name": action.name}
        if outcome.ok:
            log.info("action done", cause=action.cause, **words)
        else:
            log.warning("action failed", error=str(outcome.error), kind=type(outcome.error).__name__, **words)

    # --- tell

    def _tell(self, current: _Pass, outcomes: Sequence[Outcome]) -> None:
        events, deployments = self._rules.tell(current.unit, current.inputs, current.plan, outcomes)
        for deployment in deployments:
            self._ledger.put_deployment(self._amended(deployment))
        if events:
            self._ledger.append(events)
        self._metrics.commits.labels("history").inc(len(deployments) + bool(events))
        self._judge(current)

    def _amended(self, deployment: Deployment) -> Deployment:
        """What was on record of it stays, however long ago it began: only how it goes on is news."""
        known = self._history.deployment(deployment.id)
        if known is None:
            return deployment
        return replace(known, status=deployment.status, finished_at=deployment.finished_at, message=deployment.message)

    def _judge(self, current: _Pass) -> None:
        previous = self._board.read().conditions
        judged = self._rules.judge(current.unit, current.inputs, current.plan, previous)
        changed = {subject: said for subject, said in judged.items() if previous.get(subject, ()) != said}
        if not changed:
            return
        self._ledger.save_conditions(changed)
        self._metrics.commits.labels("conditions").inc()
        self._board.change(lambda world: replace(world, conditions=with_conditions(world.conditions, changed)))
        for unit in sorted(dependents(current.world.desired).get(current.unit, ())):
            self._queue.add(unit, "dependency")

    def _wake(self, current: _Pass) -> None:
        """A changed claim concerns the furniture of the target, and everybody who waits for routes there."""
        claims, unit = current.plan.claims, current.unit
        if claims is None or claims == current.world.claims.get(unit):
            return
        for other in self._board.read().units:
            if other.target == unit.target and other != unit:
                self._queue.add(other, "claims")

    def _count_units(self) -> World:
        """Units appear with what is seen, and leave when nothing of them is wanted, recorded or seen any more."""
        before = self._board.read().units
        world = self._board.change(lambda world: with_units(world, self._rules.units))
        if world.units == before:
            return world
        self._fleet.sync(known_targets(world.desired, world.inventory))
        for unit in sorted(set(world.units) - set(before)):
            self._queue.add(unit, "appeared")
        for unit in set(before) - set(world.units):
            self._queue.forget(unit)
        return world

    # --- when again

    def _conclude(self, current: _Pass, allowed: Sequence[Action], outcomes: Sequence[Outcome]) -> Passed:
        unit = current.unit
        acted = any(outcome.ok for outcome in outcomes)
        pace = self._throttle.pace(unit, acted=acted)
        error = current.look.error or self._throttle.failure(unit)
        if current.look.error:
            return Passed(None, "retry", error)
        if acted or len(outcomes) < len(allowed):
            return Passed(pace, "acted", error)
        if self._board.read().edition != current.world.edition:
            return Passed(0.0, "revision", error)
        times = [(current.plan.requeue_after, "requeue"), (self._throttle.due_in(unit), "retry")]
        timed = [(max(0.0, seconds), why) for seconds, why in times if seconds is not None]
        net = self._safety_net(current)
        after, trigger = min(timed, default=(net, RESYNC))
        return Passed(min(after, net), trigger, error)

    def _safety_net(self, current: _Pass) -> float:
        """An edge that runs tells nobody when its configuration is edited, so its furniture looks more often."""
        edge = current.inputs.seen(current.unit.target).edge
        listens = current.unit.is_furniture and edge.state is EdgeState.RUNNING
        return min(self._resync, EDGE_RESYNC) if listens else self._resync
