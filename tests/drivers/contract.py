"""What every driver promises behind the port. Subclassed once for each driver, with its own ``stage`` fixture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import pytest

from reconciler.desired.objects import Tree, VolumeObject, Workload
from reconciler.errors import Conflict, InvalidInput
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import Collection, Health, Instance, Job, JobState, State, Verdict
from reconciler.plan.actions import Action, AddressSpec, InstanceSpec, JobSpec, SettingsSpec, Verb
from reconciler.ports import TargetDriver


class Stage(Protocol):
    """A driver, and something to run on it."""

    driver: TargetDriver
    unit: UnitKey
    tree: Tree  # its blobs are there to be read

    def workload(self, name: str = "web") -> Workload:
        """One that gets healthy by itself, out of ``tree``."""
        ...

    def until(self, holds: Callable[[], bool]) -> None:
        """Lets time pass until something is so; fails when it never is."""
        ...


class DriverContract:
    """``stage`` is a driver on an empty target that is being watched."""

    @pytest.fixture
    def act(self, stage: Stage) -> Callable[..., None]:
        def act(verb: Verb, name: str, *, key: ResourceKey | None = None, payload=None, expects: str = "") -> None:
            subject = key or stage.workload().key
            stage.driver.apply(Action(stage.unit, subject, verb, name, payload=payload, expects=expects))

        return act

    @pytest.fixture
    def exported(self, stage: Stage, act) -> Workload:
        workload = stage.workload()
        act(Verb.EXPORT_TREE, stage.tree.id, payload=stage.tree)
        return workload

    @pytest.fixture
    def running(self, stage: Stage, act, exported: Workload) -> Instance:
        act(Verb.CREATE, "web-0", payload=InstanceSpec(exported, 0))
        return stage.driver.observe().instances["web-0"]

    @pytest.fixture
    def job(self, stage: Stage, act, exported: Workload) -> Job:
        act(Verb.CREATE_JOB, "migrate", payload=self.release(exported))
        return stage.driver.observe().jobs["migrate"]

    def release(self, workload: Workload, slot: str = "release:1") -> JobSpec:
        return JobSpec("release", workload, slot, (("true",),), 60.0)

    # --- instances

    def test_an_empty_target_is_known_to_be_empty(self, stage):
        """Nothing is there, and nothing is unknown."""
        seen = stage.driver.observe()
        assert (seen.instances, seen.jobs, seen.volumes, seen.unknown) == ({}, {}, {}, frozenset())

    def test_create_runs_what_was_asked_for(self, stage, running, exported):
        """What is seen says whose it is, of which generation, and with which settings."""
        assert (running.key, running.unit, running.release) == (exported.key, exported.unit, exported.release)
        assert running.state is State.RUNNING and running.ours and running.uid
        assert running.settings == exported.settings

    def test_create_may_be_repeated(self, stage, act, running, exported):
        """A reply that was lost is found, and nothing is doubled."""
        act(Verb.CREATE, "web-0", payload=InstanceSpec(exported, 0))
        again = stage.driver.observe().instances
        assert list(again) == ["web-0"] and again["web-0"].uid == running.uid

    def test_it_gets_healthy(self, stage, running):
        """Its health check is asked without anybody doing anything."""
        stage.until(lambda: stage.driver.observe().instances["web-0"].health is Health.HEALTHY)

    def test_stop_and_start_keep_the_instance(self, stage, act, running):
        """The same record, not a new one."""
        act(Verb.STOP, "web-0", expects=running.uid)
        stopped = stage.driver.observe().instances["web-0"]
        act(Verb.START, "web-0", expects=running.uid)
        started = stage.driver.observe().instances["web-0"]
        assert (stopped.state, started.state) == (State.STOPPED, State.RUNNING)
        assert stopped.uid == started.uid == running.uid

    def test_stop_and_start_may_be_repeated(self, stage, act, running):
        """What is already so is success."""
        for verb in (Verb.STOP, Verb.STOP, Verb.START, Verb.START):
            act(verb, "web-0", expects=running.uid)
        assert stage.driver.observe().instances["web-0"].state is State.RUNNING

    @pytest.mark.parametrize("verb", [Verb.START, Verb.STOP, Verb.REMOVE, Verb.UPDATE])
    def test_another_uid_is_a_conflict(self, stage, act, running, verb):
        """Only the very instance that was seen is touched."""
        with pytest.raises(Conflict):
            act(verb, "web-0", payload=SettingsSpec({}), expects="another")
        assert stage.driver.observe().instances["web-0"].state is State.RUNNING

    def test_remove_leaves_nothing(self, stage, act, running):
        """Twice is as good as once."""
        for _ in range(2):
            act(Verb.REMOVE, "web-0", expects=running.uid)
        assert stage.driver.observe().instances == {}

    def test_made_anew_it_has_another_uid(self, stage, act, running, exported):
        """The uid tells creations under one name apart."""
        act(Verb.REMOVE, "web-0", expects=running.uid)
        act(Verb.CREATE, "web-0", payload=InstanceSpec(exported, 0))
        assert stage.driver.observe().instances["web-0"].uid != running.uid

    def test_settings_change_in_place(self, stage, act, running, exported):
        """The differences go, the instance stays."""
        wanted = replace(exported, settings={**exported.settings, "stopTimeout": "7"})
        before = stage.driver.compare(wanted, running)
        act(Verb.UPDATE, "web-0", payload=SettingsSpec(wanted.settings), expects=running.uid)
        after = stage.driver.observe().instances["web-0"]
        assert [difference.wanted for difference in before] == ["7"]
        assert (after.uid, after.pid, stage.driver.compare(wanted, after)) == (running.uid, running.pid, ())

    # --- jobs

    def test_a_created_job_waits(self, stage, job):
        """On record and not started: the receipt."""
        assert (job.state, job.slot, job.exit_code) == (JobState.CREATED, "release:1", None)

    def test_a_job_is_put_if_absent(self, stage, act, job, exported):
        """Creating it again leaves the first."""
        act(Verb.CREATE_JOB, "migrate", payload=self.release(exported))
        assert stage.driver.observe().jobs["migrate"].uid == job.uid

    def test_a_job_runs_to_its_end(self, stage, act, job):
        """Starting it again, before or after, is success and no second start."""
        for _ in range(2):
            act(Verb.START_JOB, "migrate", expects=job.uid)
        stage.until(lambda: stage.driver.observe().jobs["migrate"].state is JobState.SUCCEEDED)
        act(Verb.START_JOB, "migrate", expects=job.uid)
        ended = stage.driver.observe().jobs["migrate"]
        assert (ended.state, ended.exit_code) == (JobState.SUCCEEDED, 0)

    def test_a_job_that_is_not_there_cannot_be_started(self, act):
        """Nothing is run that has no receipt."""
        with pytest.raises(Conflict):
            act(Verb.START_JOB, "migrate", expects="any")

    def test_a_removed_job_is_gone(self, stage, act, job):
        """Twice is as good as once."""
        for _ in range(2):
            act(Verb.REMOVE_JOB, "migrate", expects=job.uid)
        assert stage.driver.observe().jobs == {}

    # --- volumes, addresses, artifacts, verdicts

    def test_a_volume_is_made_once_and_deleted_once(self, stage, act):
        """Repetitions change nothing, in either direction."""
        key = ResourceKey("Volume", "shop", "media", "production")
        for _ in range(2):
            act(Verb.CREATE_VOLUME, "media-1", key=key, payload=VolumeObject(key, stage.unit, "media-1"))
        seen = stage.driver.observe().volumes
        assert [(v.name, v.key, v.ours) for v in seen.values()] == [("media-1", key, True)]
        for _ in range(2):
            act(Verb.DELETE_VOLUME, "media-1", key=key, expects=seen["media-1"].uid)
        assert stage.driver.observe().volumes == {}

    def address(self, stage: Stage, ordinal: int = 0) -> AddressSpec:
        return AddressSpec(stage.workload().key, stage.unit, "http", ordinal, port_range=(27000, 27999))

    def test_an_address_stays_what_it_was(self, stage, act):
        """Reserved twice, it is one, with one port."""
        act(Verb.RESERVE_ADDRESS, "web-http-0", payload=self.address(stage))
        first = stage.driver.observe().addresses["web-http-0"]
        act(Verb.RESERVE_ADDRESS, "web-http-0", payload=self.address(stage))
        assert stage.driver.observe().addresses == {"web-http-0": first}
        assert 27000 <= first.port <= 27999 and first.port_name == "http"

    def test_two_addresses_have_two_ports(self, stage, act):
        """No number is given out twice."""
        for ordinal in (0, 1):
            act(Verb.RESERVE_ADDRESS, f"web-http-{ordinal}", payload=self.address(stage, ordinal))
        seen = stage.driver.observe().addresses
        assert len({address.port for address in seen.values()}) == 2

    def test_a_released_address_is_gone(self, stage, act):
        """Twice is as good as once."""
        act(Verb.RESERVE_ADDRESS, "web-http-0", payload=self.address(stage))
        for _ in range(2):
            act(Verb.RELEASE_ADDRESS, "web-http-0")
        assert stage.driver.observe().addresses == {}

    def test_an_exported_tree_is_an_artifact(self, stage, act):
        """Exported twice it is one; removed, it is none."""
        for _ in range(2):
            act(Verb.EXPORT_TREE, stage.tree.id, payload=stage.tree)
        assert stage.driver.observe().artifacts == {stage.tree.id}
        for _ in range(2):
            act(Verb.REMOVE_ARTIFACT, stage.tree.id)
        assert stage.driver.observe().artifacts == frozenset()

    def test_a_verdict_is_kept_until_it_is_cleared(self, stage, act):
        """The last one counts."""
        key = stage.workload().key
        for generation in ("one", "two"):
            act(Verb.RECORD_VERDICT, str(key), payload=Verdict(key, stage.unit, generation, "token", "it failed"))
        assert stage.driver.observe().verdicts[key].generation == "two"
        for _ in range(2):
            act(Verb.CLEAR_VERDICT, str(key))
        assert stage.driver.observe().verdicts == {}

    # --- reading

    def test_logs_of_nobody(self, stage):
        """A name that is not there is an error, not an empty log."""
        with pytest.raises(InvalidInput):
            stage.driver.logs("nobody", tail=1)

    def test_everything_that_is_seen_is_known(self, stage, running):
        """No collection is left out of what an observation says of itself."""
        assert stage.driver.observe().knows(*Collection)
