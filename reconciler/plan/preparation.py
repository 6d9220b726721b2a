"""What must be there before the first instance of a new generation: artifact, dependencies, release command.

One step at a time, each concluded from what is seen: the created and not yet started job is the receipt of a one-shot,
so whatever dies in between, nothing runs twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.desired.names import build_job_name, release_job_name, short_release
from reconciler.desired.objects import Desired, Workload
from reconciler.manifests.identity import ResourceKey
from reconciler.observed.snapshot import BLIND, Collection, Job, JobState, Snapshot, Target
from reconciler.plan.actions import JobSpec, Verb
from reconciler.plan.rollout import Rollout
from reconciler.plan.serving import complete

_BUILD_TIMEOUT = 3600.0


def build_slot(artifact: str) -> str:
    """What a build's job is the receipt of."""
    return f"build:{artifact}"


def release_slot(workload: Workload) -> str:
    """What a release command's job is the receipt of: one release, whatever its stamp."""
    return f"release:{workload.release}"


@dataclass(frozen=True, slots=True)
class Preparation:
    """The preparations of one resource on one pass, in order."""

    rollout: Rollout
    desired: Desired
    snapshot: Snapshot
    target: Target

    @property
    def workload(self) -> Workload:
        return self.rollout.workload

    def ready(self) -> bool:
        """Plans the next missing step; True when nothing is missing."""
        return self.artifact() and self.dependencies() and self.release_command()

    # --- the artifact -----------------------------------------------------------------------------------------------

    def artifact(self) -> bool:
        """The exported tree, or what a build made of it. A build that failed is a verdict."""
        artifact = self.workload.template.artifact
        if artifact.kind == "image" or artifact.name in self.target.artifacts:
            return True
        if artifact.id not in self.target.artifacts:
            self._export(artifact.id)
            return False
        return self._built()

    def _export(self, tree_id: str) -> None:
        key, tree = self.workload.key, self.desired.trees.get(tree_id)
        if tree is None:
            self.rollout.draft.block(key, "SourceMissing", f"the tree {tree_id[:10]} is in no revision that is known")
        else:
            cause = f"the files of {short_release(key, self.workload.release)}"
            self.rollout.draft.act(key, Verb.EXPORT_TREE, tree_id, cause=cause, payload=tree)

    def _built(self) -> bool:
        artifact = self.workload.template.artifact
        if not self._receipts_are_known("build"):
            return False
        slot = build_slot(artifact.name)
        spec = JobSpec("build", self.workload, slot, artifact.commands, _BUILD_TIMEOUT, artifact=artifact.name)
        name = build_job_name(artifact.name, self.workload.reconcile_token)
        job = self.target.jobs.get(name)
        if job is not None and job.state is JobState.LOST:
            cause = "the build was interrupted and starts again"
            self.rollout.draft.act(self.workload.key, Verb.REMOVE_JOB, name, cause=cause, expects=job.uid)
            return False
        self._run(name, spec, job, what="build")
        return False  # the artifact itself is the evidence, not the job

    # --- dependencies -----------------------------------------------------------------------------------------------

    def dependencies(self) -> bool:
        """Each is complete and healthy at the generation that is wanted of it, on whatever target."""
        open_ = [self._missing(key) for key in self.workload.depends_on]
        return not any(open_)

    def _missing(self, key: ResourceKey) -> bool:
        draft, own = self.rollout.draft, self.workload.key
        found = self.desired.workload(key)
        if found is None:
            if not any(block.key == key for block in self.desired.blocks):
                return False  # an external resource: nobody here runs it
            draft.block(own, "DependencyBlocked", f"{key} is blocked itself: `reconciler why {key}`")
        elif not found.running:
            draft.block(own, "DependencyStopped", f"{key} is stopped; start it, or drop it from dependsOn")
        elif not is_ready(found, self.snapshot):
            draft.wait(own, f"{key} to be ready")
        else:
            return False
        return True

    # --- the release command ----------------------------------------------------------------------------------------

    def release_command(self) -> bool:
        """Succeeds at most once per release, before any instance of it. Its failure is a verdict."""
        command = self.workload.release_command
        if command is None:
            return True
        if not self._receipts_are_known("release command"):
            return False
        slot = release_slot(self.workload)
        done = [j for j in self.target.jobs.values() if j.slot == slot and j.key == self.workload.key and j.ours]
        if any(j.state is JobState.SUCCEEDED for j in done):
            return True
        name = release_job_name(self.workload)
        spec = JobSpec(
            "release", self.workload, slot, (command.command,), command.timeout, links=self.rollout.scene.links
        )
        self._run(name, spec, self.target.jobs.get(name), what="release command")
        return False

    def _receipts_are_known(self, what: str) -> bool:
        if not self.target.knows(Collection.JOBS):
            message = f"whether its {what} has run cannot be read; nothing is repeated on a guess"
            self.rollout.draft.block(self.workload.key, "ReceiptUnknown", message)
        return self.target.knows(Collection.JOBS)

    def _run(self, name: str, spec: JobSpec, job: Job | None, *, what: str) -> None:
        """Create, then start, then look: each in a pass of its own."""
        draft, key = self.rollout.draft, self.workload.key
        label = short_release(key, self.workload.release)
        if job is None:
            draft.act(key, Verb.CREATE_JOB, name, cause=f"{what} of {label}", payload=spec)
        elif not job.ours:
            draft.block(key, "ExistsNotOurs", f"a job named {name} is there and is not ours")
        elif job.state is JobState.CREATED:
            draft.act(key, Verb.START_JOB, name, cause=f"{what} of {label}", expects=job.uid)
        elif job.state is JobState.RUNNING:
            draft.wait(key, f"its {what} ({name})")
        elif job.state is JobState.FAILED:
            self.rollout.fail(f"its {what} failed: {job.detail or f'exit code {job.exit_code}'}")
        elif job.state is JobState.LOST:
            self.rollout.fail(f"its {what} was interrupted, and nobody knows how far it came")
        else:
            draft.wait(key, f"the result of its {what} ({name})")


def is_ready(workload: Workload, snapshot: Snapshot) -> bool:
    """Complete at the wanted generation, as far as its target is known."""
    target = snapshot.get(workload.unit.target, BLIND)
    return target.knows(Collection.INSTANCES) and complete(workload, target.of(workload.key))
