"""The rollout of one resource: what is allowed now, from what is seen now.

Start-first puts the whole generation beside the old one and switches once; stop-first (forced by a host port, a
single-writer volume, a fixed address) replaces one ordinal at a time. A candidate that fails never takes over: that the
route does not move, or that the old ones are started again, is the rollback.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.desired.names import instance_name, short_release
from reconciler.desired.objects import Workload
from reconciler.observed.snapshot import Instance, State, Verdict
from reconciler.plan.actions import Difference, InstanceSpec, Progress, SettingsSpec, Verb
from reconciler.plan.draft import Draft
from reconciler.plan.serving import complete


@dataclass(frozen=True, slots=True)
class Scene:
    """What is seen of one resource: its instances, those that a route leads to, and what differs on them.

    ``has_route`` says that an edge is to lead traffic to it; ``links`` and ``addresses`` (by ordinal, then port name)
    are what a new instance is given.
    """

    workload: Workload
    instances: list[Instance]
    routed: frozenset[str] = frozenset()
    has_route: bool = False
    links: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    differences: Mapping[str, tuple[Difference, ...]] = field(default_factory=dict)

    @property
    def wanted(self) -> list[Instance]:
        w = self.workload
        return [i for i in self.instances if i.generation == w.generation and i.ordinal < w.replicas]

    @property
    def surplus(self) -> list[Instance]:
        w = self.workload
        return [i for i in self.instances if i.generation == w.generation and i.ordinal >= w.replicas]

    @property
    def others(self) -> list[Instance]:
        return [i for i in self.instances if i.generation != self.workload.generation]

    @property
    def whole(self) -> bool:
        """Every replica is healthy and, where there is a route, in it."""
        return complete(self.workload, self.instances) and (
            not self.has_route or {i.name for i in self.wanted} <= self.routed
        )


class Rollout:
    """One resource on one pass. Reads its scene, writes its draft."""

    def __init__(self, scene: Scene, draft: Draft) -> None:
        self.scene, self.draft = scene, draft
        self.workload = scene.workload
        self.key = scene.workload.key

    @property
    def progress(self) -> Progress:
        return self.draft.progress[self.key]

    @property
    def label(self) -> str:
        return short_release(self.key, self.workload.release)

    def step(self, prepared: Callable[[], bool]) -> None:
        """Plans what is allowed now; ``prepared`` is asked only when the first instance is about to be made."""
        if not self.workload.running:
            self._stop_all()
            return
        if self.workload.static:
            prepared()  # its files are all there is; the route moves to them when they are there
            return
        for instance in self.scene.surplus:
            self._retire(instance, Verb.REMOVE, f"replicas is {self.workload.replicas}", drain=self.scene.has_route)
        if self._fails_now():
            return
        if self.progress.failed:
            self._give_up()
            return
        self._update_settings()
        if complete(self.workload, self.scene.instances):
            self._settle()
            return
        self._drop_superseded()
        if not self._is_first() or prepared():
            self._fill()

    # --- verdicts ---------------------------------------------------------------------------------------------------

    def fail(self, message: str) -> None:
        """The verdict over this generation: on record here, and on the target before anything follows from it."""
        self.draft.amend(self.key, failed=True, accepted=False, message=message, token=self.workload.reconcile_token)
        self.record_verdict()

    def record_verdict(self) -> None:
        """Puts the verdict on the target, where it survives the loss of our ledger."""
        w, message = self.workload, self.progress.message
        verdict = Verdict(self.key, w.unit, w.generation, w.reconcile_token, message)
        self.draft.act(self.key, Verb.RECORD_VERDICT, str(self.key), cause=message, payload=verdict)

    def _fails_now(self) -> bool:
        """A verdict needs an instance that is seen sick: missing, starting and unknown are no evidence."""
        sick = [i for i in self.scene.wanted if i.sick]
        if not sick or self.progress.failed:
            return False
        if self._broke_in_probation():
            self.fail(f"{sick[0].name} broke while the previous release was still there: {_told(sick[0])}")
            return True
        deadline = self.progress.since + self.workload.rollout.timeout
        if not self.progress.accepted and self.progress.since and self.draft.now >= deadline:
            self.fail(f"{sick[0].name} did not get healthy in {self.workload.rollout.timeout:g}s: {_told(sick[0])}")
            return True
        return False

    def _broke_in_probation(self) -> bool:
        return (
            self.progress.accepted
            and not self.workload.rollout.stop_first
            and any(o.good and o.generation not in self.progress.rejected for o in self.scene.others)
        )

    def _give_up(self) -> None:
        others = self.scene.others
        self.draft.block(self.key, "ReleaseFailed", self._advice())
        if not others:
            return  # nothing better exists: what runs is left alone
        if not self.workload.rollout.stop_first:
            if any(o.good for o in others):
                self._remove_candidates()
        elif not self.workload.rollout.restart_previous:
            self.draft.block(
                self.key,
                "Stalled",
                "it writes to a volume, so the previous release is not started on data that this one may have changed; "
                "set deploy.onFailure: restart-previous to allow it, or commit a release that works",
            )
        else:
            self._remove_candidates()
            if not self.scene.wanted:
                self._start_previous(others)

    def _advice(self) -> str:
        return f"{self.progress.message}; commit another release, or set spec.reconcileToken to try this one again"

    def _remove_candidates(self) -> None:
        for instance in self.scene.wanted:
            leave = not self.workload.rollout.stop_first or self._someone_else_serves(instance)
            cause = f"{self.label} failed; the previous release goes on"
            self._retire(instance, Verb.REMOVE, cause, leave=leave, drain=False)

    def _start_previous(self, others: list[Instance]) -> None:
        back = self._generation_to_return_to(others)
        for other in others:
            if other.generation == back and other.state in (State.STOPPED, State.CREATED):
                cause = f"{self.label} failed; back to {short_release(self.key, other.release)}"
                self.draft.act(self.key, Verb.START, other.name, cause=cause, expects=other.uid)

    def _generation_to_return_to(self, others: list[Instance]) -> str:
        if any(o.generation == self.progress.previous for o in others):
            return self.progress.previous
        proven = [o for o in others if o.generation not in self.progress.rejected]
        return max(proven or others, key=lambda o: (o.created, o.name)).generation

    # --- the way forward --------------------------------------------------------------------------------------------

    def _is_first(self) -> bool:
        """No instance of this generation exists, and none is known to have served: dependencies and preparations
        gate only this, never a repair."""
        serves = self.progress.accepted or any(i.name in self.scene.routed for i in self.scene.wanted)
        return not self.scene.wanted and not serves

    def _fill(self) -> None:
        have = {i.ordinal: i for i in self.scene.wanted}
        for ordinal in range(self.workload.replicas):
            proceed = self._fill_one(ordinal, have.get(ordinal))
            if self.workload.rollout.stop_first and not proceed:
                break
        if not self.progress.accepted and self.progress.since and self.scene.wanted:
            deadline = self.progress.since + self.workload.rollout.timeout
            if deadline > self.draft.now:
                self.draft.wait(self.key, "the deadline of its health", deadline)

    def _fill_one(self, ordinal: int, instance: Instance | None) -> bool:
        """Brings one ordinal forward; False while it is not there yet."""
        if instance is not None and instance.up:
            if not instance.good:
                self.draft.wait(self.key, f"{instance.name} to get healthy")
            return instance.good
        if instance is not None and instance.state is State.EXITED:
            self.draft.wait(self.key, f"{instance.name} to be restarted by its engine")
            return False
        if self.workload.rollout.stop_first and not self._made_room(ordinal):
            return False
        if instance is None:
            self._create(ordinal)
        else:
            self._start(instance)
        return False

    def _made_room(self, ordinal: int) -> bool:
        """Stop-first: what holds the place goes before the new one comes."""
        replicas = self.workload.replicas
        holders = [o for o in self.scene.others if o.up and (o.ordinal == ordinal or o.ordinal >= replicas)]
        cause = f"stop-first ({self.workload.rollout.why}): {self.label} takes its place"
        for holder in holders:
            leave = self._someone_else_serves(holder)
            if leave and not self.draft.reason_against(self.key):
                self.draft.amend(self.key, leaving=self.progress.leaving | {holder.name})
            self._retire(holder, Verb.STOP, cause, leave=leave, drain=leave)
        return not [o for o in self.scene.others if _in_the_way(o) and (o.ordinal == ordinal or o.ordinal >= replicas)]

    def _someone_else_serves(self, instance: Instance) -> bool:
        return self.scene.has_route and any(
            i.good and i.name != instance.name and i.name in self.scene.routed for i in self.scene.instances
        )

    def _create(self, ordinal: int) -> None:
        repair = self.progress.accepted
        gone = f"instance {ordinal} of {self.label} is gone"
        name = instance_name(self.workload, ordinal)
        spec = InstanceSpec(self.workload, ordinal, self.scene.links, self.scene.addresses.get(ordinal, {}))
        cause = gone if repair else f"no instance {ordinal} of {self.label} yet"
        if self.draft.act(self.key, Verb.CREATE, name, cause=cause, payload=spec, drift=repair):
            self._open_gate()

    def _start(self, instance: Instance) -> None:
        cause = f"{self.label} is wanted again"
        if self.draft.act(self.key, Verb.START, instance.name, cause=cause, expects=instance.uid):
            self._open_gate()

    def _open_gate(self) -> None:
        if not self.progress.accepted and not any(i.up or i.sick for i in self.scene.wanted):
            self.draft.amend(self.key, since=self.draft.now)

    def _update_settings(self) -> None:
        for instance in self.scene.wanted:
            found = self.scene.differences.get(instance.name, ())
            if found:
                cause = ", ".join(f"{d.field}: {d.live or 'unset'} -> {d.wanted or 'unset'}" for d in found)
                spec = SettingsSpec(dict(self.workload.settings))
                self.draft.act(self.key, Verb.UPDATE, instance.name, cause=cause, expects=instance.uid, payload=spec)

    # --- what goes --------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """The generation is whole: what it replaces goes, at first only out of service."""
        if not self.scene.whole:
            self.draft.wait(self.key, f"the route to lead to {self.label}")
        probation = self.scene.has_route or not self.workload.rollout.stop_first
        for other in self.scene.others:
            if _in_the_way(other):
                self._retire(other, Verb.STOP, f"{self.label} serves", drain=probation)
        self._forget_old()

    def _forget_old(self) -> None:
        """Own releases beyond keepReleases; another stamp of this release is no rollback candidate."""
        newest: dict[str, float] = {}
        for other in self.scene.others:
            newest[other.generation] = max(newest.get(other.generation, 0.0), other.created)
        releases = {o.generation: o.release for o in self.scene.others}
        ranked = sorted(newest, key=lambda generation: (-newest[generation], generation))
        candidates = [g for g in ranked if releases[g] != self.workload.release and g not in self.progress.rejected]
        keep = set(candidates[: self.workload.rollout.keep])
        for other in self.scene.others:
            if not _in_the_way(other) and other.generation not in keep:
                cause = f"beyond keepReleases ({self.workload.rollout.keep})"
                self.draft.act(self.key, Verb.REMOVE, other.name, cause=cause, expects=other.uid)

    def _drop_superseded(self) -> None:
        """A candidate that a newer one overtook before it got healthy, and that serves nobody."""
        if self.workload.rollout.stop_first:
            return
        for other in self.scene.others:
            overtaken = other.up and not other.good and other.generation in self.progress.rejected
            if overtaken and other.name not in self.scene.routed:
                cause = f"superseded by {self.label} before it got healthy"
                self.draft.act(self.key, Verb.REMOVE, other.name, cause=cause, expects=other.uid)

    def _stop_all(self) -> None:
        for instance in self.scene.instances:
            self._retire(instance, Verb.STOP, "desiredState is stopped", drain=self.scene.has_route)

    def _retire(self, instance: Instance, verb: Verb, cause: str, *, leave: bool = True, drain: bool = True) -> None:
        """Out of the route first (the furniture does that), then the drain, then the act."""
        if instance.generation in self.progress.rejected:
            verb = Verb.REMOVE  # never accepted, by positive record; without one it is stopped and kept
        if verb is Verb.STOP and not _in_the_way(instance):
            return
        if leave and instance.up and instance.name in self.scene.routed:
            self.draft.wait(self.key, f"the route to leave {instance.name}")
        elif not (drain and instance.good) or self._drained(instance):
            self.draft.act(self.key, verb, instance.name, cause=cause, expects=instance.uid)

    def _drained(self, instance: Instance) -> bool:
        """Whether it has been out of service long enough; the drain is also the new one's probation."""
        drains = self.progress.drains
        if instance.name not in drains and not self.draft.reason_against(self.key):
            self.draft.amend(self.key, drains={**drains, instance.name: self.draft.now})
        until = self.progress.drains.get(instance.name, self.draft.now) + self.workload.rollout.drain
        if self.draft.now < until:
            self.draft.wait(self.key, f"{instance.name} to drain", until)
        return self.draft.now >= until


def _in_the_way(instance: Instance) -> bool:
    """Running, or about to be restarted by its engine: it holds its port and its volume."""
    return instance.up or instance.state is State.EXITED


def _told(instance: Instance) -> str:
    said = instance.detail or ("it exited" if instance.state is State.EXITED else "unhealthy")
    return f"{said} (exits: {instance.exits})" if instance.exits and "exits:" not in said else said
