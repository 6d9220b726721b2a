"""The whole way: every unit's plan against the model, over and over, until nothing more happens.

Time advances to the next timed wait or modelled change. It ends after a round with no action, no changed claim or
verdict and no timed wait; a repeated state is a defect. The property tests run the same loop, and break it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.desired.objects import Desired
from reconciler.errors import ReconcilerError
from reconciler.inventory import Entry
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.plan.actions import Action, ApprovalRecord, Claim, Difference, Plan, Progress, Verb, Wait
from reconciler.plan.model import Model
from reconciler.plan.planner import Inputs, plan, units

_HORIZON = 24 * 3600.0
_ROUNDS = 2000


class DoesNotSettle(ReconcilerError):
    """The simulation came back to where it was, or never ended: a defect of the planner."""


@dataclass(frozen=True, slots=True)
class Step:
    """One action on the way. ``at`` is in seconds since the beginning; ``waited`` is what the way waited for before."""

    at: float
    action: Action
    waited: tuple[str, ...] = ()


@dataclass(slots=True)
class Simulation:
    """All units together, with what a runtime would remember between passes."""

    model: Model
    inventory: dict[UnitKey, dict[ResourceKey, Entry]] = field(default_factory=dict)
    progress: dict[UnitKey, Mapping[ResourceKey, Progress]] = field(default_factory=dict)
    claims: dict[UnitKey, Mapping[str, Claim]] = field(default_factory=dict)
    approvals: dict[str, ApprovalRecord] = field(default_factory=dict)
    holds: frozenset[ResourceKey | UnitKey] = frozenset()
    differences: Mapping[str, tuple[Difference, ...]] = field(default_factory=dict)
    plans: dict[UnitKey, Plan] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    passes: int = 0
    before_pass: Callable[[UnitKey], None] = lambda _: None
    before_action: Callable[[Action], None] = lambda _: None
    after_action: Callable[[Action], None] = lambda _: None
    order: Callable[[list[UnitKey]], list[UnitKey]] = lambda found: found
    started: float | None = None
    waited: set[str] = field(default_factory=set)

    def settle(self, desired: Desired, *, horizon: float = _HORIZON) -> Simulation:
        """Runs until nothing more happens, at most for ``horizon`` modelled seconds."""
        if self.started is None:
            self.started = self.model.now
        end = self.model.now + horizon
        for _ in range(_ROUNDS):
            if self._round(desired):
                continue
            later = self._next_moment()
            if later is None or later > end:
                return self
            self._note_waits(later)
            self.model = self.model.at(later)
        raise DoesNotSettle(f"no end after {_ROUNDS} rounds; the last waits: {self._open_waits()}")

    def step(self, desired: Desired, unit: UnitKey) -> bool:
        """One pass of one unit; True when something changed that others may see."""
        self.before_pass(unit)
        self.passes += 1
        found = plan(unit, self._inputs(desired, unit))
        changed = self._remember(unit, found)
        self.plans[unit] = found
        for action in found.actions:
            self.before_action(action)
            self.model = self.model.after(action)
            self._note_step(action)
            self._mend(action)
            self.after_action(action)
        return changed or bool(found.actions)

    def _round(self, desired: Desired) -> bool:
        everything = units(desired, self.inventory, self.model.observed())
        changed = [self.step(desired, unit) for unit in self.order(everything)]
        return any(changed)

    def _inputs(self, desired: Desired, unit: UnitKey) -> Inputs:
        return Inputs(
            desired,
            self.model.observed(),
            self.model.now,
            inventory=self.inventory,
            progress=self.progress.get(unit, {}),
            claims=self.claims,
            differences=self.differences,
            approvals=self.approvals,
            holds=self.holds,
        )

    def _remember(self, unit: UnitKey, found: Plan) -> bool:
        """What a runtime writes ahead; True when it differs from what was known."""
        before = (self.progress.get(unit), self.claims.get(unit), len(self.approvals), self.inventory.get(unit))
        if found.inventory is not None:
            self.inventory[unit] = dict(found.inventory)
        if found.claims is not None:
            self.claims[unit] = found.claims
        self.progress[unit] = found.progress
        for record in found.approvals:
            self.approvals[record.name] = record.over(self.approvals.get(record.name))
        return before != (
            self.progress.get(unit),
            self.claims.get(unit),
            len(self.approvals),
            self.inventory.get(unit),
        )

    def _next_moment(self) -> float | None:
        later = [t for t in (self.model.next_change(),) if t is not None]
        later += [self.model.now + p.requeue_after for p in self.plans.values() if p.requeue_after]
        return min(later, default=None)

    def _mend(self, action: Action) -> None:
        """What an update wrote differs no more."""
        if action.verb is Verb.UPDATE:
            self.differences = {name: found for name, found in self.differences.items() if name != action.name}

    def _note_waits(self, until: float) -> None:
        self.waited |= {w.what for w in self._waits() if w.until is None or w.until <= until}

    def _note_step(self, action: Action) -> None:
        at = self.model.now - (self.started or 0.0)
        self.steps.append(Step(at, action, tuple(sorted(self.waited))))
        self.waited.clear()

    def _waits(self) -> Iterator[Wait]:
        for found in self.plans.values():
            yield from found.waits

    def _open_waits(self) -> str:
        return "; ".join(sorted({f"{w.key} waits for {w.what}" for w in self._waits()}))
