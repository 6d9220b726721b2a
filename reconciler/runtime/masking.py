"""The ledger, with known secret values taken out of every text that goes into it. What was masked stays masked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.inventory import Entry
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.plan.actions import ApprovalRecord, Progress
from reconciler.ports import Ledger, Remembered
from reconciler.status.conditions import Condition
from reconciler.status.records import Deployment, Event


@dataclass(frozen=True, slots=True)
class MaskedLedger:
    """Implements ``ports.Ledger`` over another one; ``mask`` is asked for every text that may quote the world."""

    inner: Ledger
    mask: Callable[[str], str]

    def load(self) -> Remembered:
        return self.inner.load()

    def commit_plan(
        self,
        unit: UnitKey,
        *,
        inventory: Mapping[ResourceKey, Entry] | None,
        progress: Mapping[ResourceKey, Progress],
        approvals: Sequence[ApprovalRecord] = (),
    ) -> None:
        masked = {key: replace(said, message=self.mask(said.message)) for key, said in progress.items()}
        self.inner.commit_plan(unit, inventory=inventory, progress=masked, approvals=approvals)

    def save_declared(self, source: str, declared: Mapping[tuple[str, str], frozenset[ResourceKey]]) -> None:
        self.inner.save_declared(source, declared)

    def save_conditions(self, conditions: Mapping[ResourceKey | UnitKey, tuple[Condition, ...]]) -> None:
        masked = {
            subject: tuple(replace(condition, message=self.mask(condition.message)) for condition in said)
            for subject, said in conditions.items()
        }
        self.inner.save_conditions(masked)

    def save_applied(self, source: str, revision: str) -> None:
        self.inner.save_applied(source, revision)

    def save_holds(self, holds: frozenset[ResourceKey | UnitKey]) -> None:
        self.inner.save_holds(holds)

    def append(self, events: Sequence[Event]) -> None:
        self.inner.append([replace(event, message=self.mask(event.message)) for event in events])

    def put_deployment(self, deployment: Deployment) -> None:
        self.inner.put_deployment(replace(deployment, message=self.mask(deployment.message)))

    def close(self) -> None:
        self.inner.close()
