"""What history should know of a pass: events of what was done, and deployments that began or ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from reconciler.desired.fingerprint import digest
from reconciler.desired.names import short_release
from reconciler.desired.objects import Composite, Link, Plain, Workload
from reconciler.manifests.identity import UnitKey
from reconciler.plan.actions import Action, Plan, Progress, Verb
from reconciler.plan.inputs import Inputs
from reconciler.status.records import Deployment, DeploymentStatus, Event, Trigger

SUPERSEDED = "superseded-by-newer-deployment"


class Done(Protocol):
    """What became of one action; ``error`` is None when it is done."""

    @property
    def action(self) -> Action: ...

    @property
    def error(self) -> Exception | None: ...

    @property
    def finished(self) -> float: ...


def tell(
    unit: UnitKey, inputs: Inputs, plan: Plan, outcomes: Sequence[Done]
) -> tuple[Sequence[Event], Sequence[Deployment]]:
    """Events and deployments of one pass. A pass that did nothing and learnt nothing tells nothing."""
    revision = ", ".join(sorted(inputs.desired.revisions.values()))
    events = [*_of_outcomes(outcomes, revision), *_of_approvals(plan, inputs, revision)]
    deployments = []
    for workload in inputs.desired.workloads:
        if workload.unit == unit and workload.key in plan.progress:
            found = list(_deployments(workload, inputs, plan, outcomes))
            deployments += found
            events += [_of_deployment(d, inputs.now) for d in found if d.status is not DeploymentStatus.RUNNING]
    return events, deployments


# --- events ----------------------------------------------------------------------------------------------------------


def _of_outcomes(outcomes: Iterable[Done], revision: str) -> Iterator[Event]:
    for outcome in outcomes:
        action = outcome.action
        failed = outcome.error is not None
        type_ = "action-failed" if failed else "drift-repaired" if action.drift else f"{action.verb}-done"
        what = f"{action.verb} {action.name}" if failed or action.drift else action.name
        message = f"{outcome.error if failed else action.cause} ({what})"
        severity = "error" if failed else "warning" if action.drift else "info"
        yield Event(outcome.finished, type_, message, action.key, action.unit, severity, revision)


def _of_approvals(plan: Plan, inputs: Inputs, revision: str) -> Iterator[Event]:
    for record in plan.approvals:
        if record.name not in inputs.approvals:
            names = ", ".join(str(key) for key in sorted(record.identities))
            message = f"Approval {record.name} lets gate {record.gate} through: {names}"
            yield Event(inputs.now, "approval-accepted", message, None, plan.unit, "warning", revision)


def _of_deployment(deployment: Deployment, now: float) -> Event:
    failed = deployment.status is DeploymentStatus.FAILED
    message = f"{deployment.id}: {deployment.message or deployment.status}"
    severity = "error" if failed else "info"
    type_ = f"deployment-{deployment.status}"
    return Event(now, type_, message, deployment.key, deployment.unit, severity, deployment.revision)


# --- deployments -----------------------------------------------------------------------------------------------------


def _deployments(workload: Workload, inputs: Inputs, plan: Plan, outcomes: Sequence[Done]) -> Iterator[Deployment]:
    old, new = inputs.progress.get(workload.key), plan.progress[workload.key]
    if old is not None and old.generation != new.generation and not old.accepted and not old.failed and old.since:
        yield _ended(workload, inputs, old, DeploymentStatus.CANCELED, SUPERSEDED)
    same = old is not None and (old.generation, old.began) == (new.generation, new.began)
    if new.failed and not (same and old is not None and old.failed):
        yield _ended(workload, inputs, new, DeploymentStatus.FAILED, new.message)
    elif new.accepted and not (same and old is not None and old.accepted) and old is not None:
        message = f"{short_release(workload.key, workload.release)} is healthy"
        yield _ended(workload, inputs, new, DeploymentStatus.SUCCEEDED, message)
    elif not new.accepted and not new.failed and _works_on(workload, outcomes):
        yield _deployment(workload, inputs, new, DeploymentStatus.RUNNING)


def _works_on(workload: Workload, outcomes: Iterable[Done]) -> bool:
    rolling = {Verb.CREATE, Verb.START, Verb.CREATE_JOB, Verb.START_JOB}
    return any(o.action.key == workload.key and o.action.verb in rolling and not o.action.drift for o in outcomes)


def _ended(
    workload: Workload, inputs: Inputs, progress: Progress, status: DeploymentStatus, message: str
) -> Deployment:
    return _deployment(workload, inputs, progress, status, finished_at=inputs.now, message=message)


def _deployment(
    workload: Workload,
    inputs: Inputs,
    progress: Progress,
    status: DeploymentStatus,
    *,
    finished_at: float | None = None,
    message: str = "",
) -> Deployment:
    return Deployment(
        id=digest([str(workload.key), progress.generation, progress.began], 12),
        key=workload.key,
        unit=workload.unit,
        generation=progress.generation,
        release=progress.generation.partition("+")[0],
        revision=inputs.desired.revisions.get(workload.source, ""),
        trigger=_trigger(workload, inputs, progress),
        status=status,
        started_at=progress.began,
        finished_at=finished_at,
        message=message,
        snapshot=snapshot_of(workload) if progress.generation == workload.generation else {},
    )


def _trigger(workload: Workload, inputs: Inputs, progress: Progress) -> Trigger:
    """Why it is deployed: told from what was there before."""
    instances = inputs.seen(workload.unit.target).of(workload.key)
    if progress.token and progress.generation in {i.generation for i in instances}:
        return Trigger.RETRY
    release = progress.generation.partition("+")[0]
    if progress.previous and progress.previous.partition("+")[0] == release:
        return Trigger.REDEPLOY
    known = any(i.release == release and i.since <= progress.began for i in instances)
    return Trigger.ROLLBACK if progress.previous and known else Trigger.CREATE


def snapshot_of(workload: Workload) -> dict[str, object]:
    """What is applied, for the record: names of everything, values only of what is no secret."""
    template = workload.template
    return {
        "artifact": template.artifact.name,
        "command": list(template.command),
        "args": list(template.args),
        "replicas": workload.replicas,
        "variables": {name: _shown(workload, name, value) for name, value in template.env},
        "mounts": {mount.path: mount.volume for mount in template.mounts},
        "ports": [port.name for port in template.ports],
        "stopFirst": workload.rollout.why,
    }


def _shown(workload: Workload, name: str, value: object) -> str:
    origin = workload.origins.get(name)
    if isinstance(value, Plain) and not (origin is not None and origin.masked):
        return value.text
    if isinstance(value, Link):
        return str(value)
    return value.template if isinstance(value, Composite) else "****"
