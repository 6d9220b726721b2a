"""What is wrong or will be, with a remedy each. A check that cannot be made is skipped and says so, never passed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.desired.objects import Workload
from reconciler.manifests.identity import ResourceKey
from reconciler.status import health
from reconciler.status.conditions import ConditionType, Reason, Truth
from reconciler.status.masking import clear
from reconciler.status.parts import CheckStatus, Connectivity
from reconciler.status.presenting import pieces, places
from reconciler.status.presenting.picture import Picture
from reconciler.status.published import SourceState
from reconciler.status.views import CheckView, DoctorView

SOURCE_AGE_SECONDS = 900.0
FUTURE_SECONDS = 300.0
LOW_SHARE, FULL_SHARE = 0.10, 0.02


@dataclass(frozen=True, slots=True)
class Facts:
    """What the shell measured for the doctor; None where it could not. ``ledger_error`` is "" when it can be read."""

    free_bytes: int | None = None
    total_bytes: int | None = None
    ledger_error: str | None = None


def view(picture: Picture, facts: Facts) -> DoctorView:
    """All checks, failed ones first, errors before warnings."""
    found = sorted(_checks(picture, facts), key=_urgency)
    failed = [c for c in found if c.status is CheckStatus.FAILED]
    errors = sum(c.severity == "error" for c in failed)
    return DoctorView(
        generated_at=picture.generated_at,
        status=CheckStatus.FAILED if errors else CheckStatus.PASSED,
        errors=errors,
        warnings=len(failed) - errors,
        checks=tuple(found),
    )


def _urgency(check: CheckView) -> tuple[bool, bool, str, str]:
    return (check.status is not CheckStatus.FAILED, check.severity != "error", check.name, check.subject)


def _checks(picture: Picture, facts: Facts) -> Iterator[CheckView]:
    yield _ledger(facts)
    yield _disk(facts)
    for name in sorted(picture.published.sources):
        yield from _source(picture, picture.published.sources[name])
    for key in places.targets(picture):
        yield _reachable(picture, key)
    for _, workload in sorted(picture.workloads.items()):
        yield from _workload(picture, workload)
        yield from _standing(picture, workload)
    yield from _manifests(picture)


def check(name: str, subject: str, *, bad: str, good: str = "", severity: str = "error", remedy: str = "") -> CheckView:
    """``bad`` is what is wrong, "" when nothing is; the remedy is only said with it."""
    return CheckView(
        name=name,
        subject=subject,
        status=CheckStatus.FAILED if bad else CheckStatus.PASSED,
        severity=severity,
        message=clear(bad or good),
        remedy=remedy if bad else "",
    )


def _skipped(name: str, subject: str, why: str) -> CheckView:
    return CheckView(name=name, subject=subject, status=CheckStatus.SKIPPED, severity="warning", message=why)


def _ledger(facts: Facts) -> CheckView:
    if facts.ledger_error is None:
        return _skipped("ledger", "daemon", "nobody has read it")
    remedy = "move the damaged file away; the daemon makes a new one, and nothing is created or removed for it"
    return check("ledger", "daemon", bad=facts.ledger_error, good="can be read", remedy=remedy)


def _disk(facts: Facts) -> CheckView:
    if not facts.total_bytes or facts.free_bytes is None:
        return _skipped("disk-space", "state directory", "could not be measured")
    share = facts.free_bytes / facts.total_bytes
    said = f"{facts.free_bytes / 2**30:.1f} GiB ({share:.0%}) free"
    full = share < FULL_SHARE
    bad = f"{'full-disk' if full else 'high-disk-usage'}: {said}" if share < LOW_SHARE else ""
    severity = "error" if full else "warning"
    return check("disk-space", "state directory", bad=bad, good=said, severity=severity, remedy="free some space")


def _source(picture: Picture, state: SourceState) -> Iterator[CheckView]:
    remedy = f"make {clear(state.location)} readable for the daemon's user; what was applied stays meanwhile"
    yield check("source-readable", state.name, bad=state.error, good=f"read at {state.seen[:12]}", remedy=remedy)
    age = picture.now - state.checked_at
    if not state.checked_at:
        yield _skipped("source-age", state.name, "never checked")
    else:
        bad = f"checked {age / 60:.0f} minutes ago" if age > SOURCE_AGE_SECONDS else ""
        remedy = "see the source's error and `reconciler get work`"
        yield check("source-age", state.name, bad=bad, good="checked lately", severity="warning", remedy=remedy)
    ahead = state.committed_at - picture.now
    bad = f"the newest commit is dated {ahead / 60:.0f} minutes in the future" if ahead > FUTURE_SECONDS else ""
    yield check("clock", state.name, bad=bad, good="agrees", severity="warning", remedy="synchronise this clock (NTP)")


def _reachable(picture: Picture, key: ResourceKey) -> CheckView:
    subject = pieces.where(key)
    seen = picture.published.snapshot.get(key)
    state = health.connectivity(seen)
    if seen is None or state is Connectivity.UNKNOWN:
        return _skipped("server-reachable", subject, "nobody has looked yet")
    unread = ", ".join(sorted(c.value for c in seen.unknown))
    bad = "" if state is Connectivity.HEALTHY else f"{state.value}: {seen.trouble or 'cannot read ' + unread}"
    remedy = "nothing is removed or replaced there until it answers; look at the server itself"
    return check("server-reachable", subject, bad=bad, good="answers", remedy=remedy)


def _workload(picture: Picture, workload: Workload) -> Iterator[CheckView]:
    subject, raw = str(workload.key), _raw(picture, workload)
    declared = raw is None or "health" in raw or workload.template.probe.kind in {"http", "command"}
    yield check(
        "health-check",
        subject,
        bad="" if declared else f"none declared: healthy when it {_guess(workload)}",
        good="declared",
        severity="warning",
        remedy="add spec.health, for instance health: {http: {path: /healthz}}",
    )
    if workload.template.mounts and _engine(picture, workload) == "process":
        silent = [mount.path for mount in workload.template.mounts if not mount.env]
        bad = f"{', '.join(silent)}: nothing can be mounted here, and no variable passes the place" if silent else ""
        remedy = "set spec.storage.<path>.env, and let the program read that variable"
        yield check("storage-env", subject, bad=bad, good="passed by variables", remedy=remedy)
    notes = [i.note for i in picture.instances.get(workload.key, []) if i.up and i.note.startswith("NotIsolated")]
    if notes or workload.template.user:
        bad = notes[0] if notes else ""
        remedy = (
            "run the daemon where it may change users, or accept that programs can read each other's files"
            if workload.template.user
            else "set spec.user to a user that only this program has, and run the daemon where it may change users"
        )
        yield check("isolated", subject, bad=bad, good="has its own user", severity="warning", remedy=remedy)


def _standing(picture: Picture, workload: Workload) -> Iterator[CheckView]:
    """What goes wrong with it now: a rollout that failed, a crash loop, something that only a person can decide."""
    said = pieces.ready(picture, workload.key)
    crashing = said is not None and said.reason == Reason.CRASH_LOOP
    stalled = any(
        c.type is ConditionType.STALLED and c.status is Truth.TRUE
        for c in picture.published.conditions.get(workload.key, ())
    )
    if said is not None and (crashing or stalled):
        remedy = f"`reconciler why {workload.key}`"
        yield check("resource", str(workload.key), bad=f"{said.reason}: {said.message}", remedy=remedy)


def _raw(picture: Picture, workload: Workload) -> frozenset[str] | None:
    document = picture.published.catalog.documents.get(workload.key.written)
    return frozenset(document.raw) if document else None


def _guess(workload: Workload) -> str:
    probe = workload.template.probe
    return f"accepts connections on port {probe.port}" if probe.kind == "tcp" else "does not exit for a while"


def _engine(picture: Picture, workload: Workload) -> str:
    target = picture.published.desired.targets.get(workload.unit.target)
    return target.engine if target else ""


def _manifests(picture: Picture) -> Iterator[CheckView]:
    """What is written wrong, or is not supported yet: it isolates its resource, and nothing of it is removed."""
    for refused in picture.published.desired.blocks:
        said = f"{refused.problem}"
        yield check(f"manifest: {refused.reason}", str(refused.key), bad=said, remedy="mend the manifest and commit")
    refused_problems = {b.problem for b in picture.published.desired.blocks}
    problems = {*picture.published.catalog.problems, *picture.published.desired.problems} - refused_problems
    for problem in sorted(problems):
        yield check("manifest", problem.place.path, bad=str(problem), remedy="mend the manifest and commit")
