"""What a pass collects while it thinks about one unit; the planner freezes it into a Plan at the end.

Everything that is planned goes through ``act``, so that a hold (locked, suspended, held, drift only reported) is
honoured in one place: what is held is shown and never applied.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.plan.actions import (
    Action,
    Block,
    Claim,
    Gate,
    HeldAction,
    Payload,
    Plan,
    Progress,
    Verb,
    Wait,
)

DRIFT_REPORTED = "DriftReported"


@dataclass(slots=True)
class Draft:
    """``holds`` are reasons by resource; ``hold`` is one for the whole unit."""

    unit: UnitKey
    now: float
    hold: str = ""
    holds: dict[ResourceKey, str] = field(default_factory=dict)
    reports_drift: set[ResourceKey] = field(default_factory=set)
    actions: list[Action] = field(default_factory=list)
    held: list[HeldAction] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    progress: dict[ResourceKey, Progress] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)

    def act(
        self,
        key: ResourceKey,
        verb: Verb,
        name: str,
        *,
        cause: str,
        expects: str = "",
        payload: Payload = None,
        drift: bool = False,
    ) -> bool:
        """Plans one action; False when it is held."""
        action = Action(self.unit, key, verb, name, cause, expects, payload, drift)
        reason = self.reason_against(key, drift=drift)
        if reason:
            self.held.append(HeldAction(action, reason))
        else:
            self.actions.append(action)
        return not reason

    def reason_against(self, key: ResourceKey, *, drift: bool = False) -> str:
        """Why nothing may be applied to a resource now, "" when something may."""
        return self.hold or self.holds.get(key, "") or (DRIFT_REPORTED if drift and key in self.reports_drift else "")

    def wait(self, key: ResourceKey, what: str, until: float | None = None) -> None:
        self.waits.append(Wait(key, what, until))

    def block(self, key: ResourceKey, reason: str, message: str = "") -> None:
        self.blocks.append(Block(key, reason, message))

    def freeze(self) -> Plan:
        """The plan, without inventory, approvals and claims, which only the planner can judge."""
        timed = [w.until for w in self.waits if w.until is not None]
        return Plan(
            self.unit,
            actions=tuple(sorted(self.actions)),
            waits=tuple(sorted(set(self.waits))),
            blocks=tuple(sorted(set(self.blocks))),
            held=tuple(sorted(self.held)),
            gates=tuple(sorted(self.gates)),
            progress=dict(sorted(self.progress.items())),
            requeue_after=max(0.0, min(timed) - self.now) if timed else None,
        )

    def amend(self, key: ResourceKey, **changes: object) -> Progress:
        """Replaces some of what is remembered of a resource."""
        self.progress[key] = replace(self.progress[key], **changes)  # type: ignore[arg-type]
        return self.progress[key]
