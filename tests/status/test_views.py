"""From what is published to what may be read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.desired.objects import ApprovalObject, Held, Link
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.manifests.problem import Position, Problem
from reconciler.plan.actions import Block, Difference
from reconciler.status import summary
from reconciler.status.conditions import Condition, ConditionType, Truth
from reconciler.status.parts import CheckStatus, Freshness, Overall
from reconciler.status.presenting import doctor, drift, pieces, places, plans, resources, sources, way
from reconciler.status.presenting.picture import Picture, picture
from tests.api import shop

FACTS = doctor.Facts(free_bytes=50, total_bytes=100, ledger_error="")


@pytest.fixture
def shown() -> Picture:
    return picture(shop.published(), now=shop.NOW)


def with_changes(**changes) -> Picture:
    return picture(shop.published(**changes), now=shop.NOW)


# --- resources --------------------------------------------------------------------------------------------------------


def test_a_healthy_resource_in_full(shown: Picture) -> None:
    """Identity, rollout, addresses, revision and instances."""
    web = resources.view(shown, shop.WEB)
    assert (web.id, web.target, web.desired_state) == ("shop/production/web", "Server/vps1", "running")
    assert (web.replicas.wanted, web.replicas.running, web.replicas.ready) == (2, 2, 2)
    assert web.urls == ("http://shop.example/", "http://127.0.0.1:20001/")
    assert (web.rollout.serving, web.rollout.previous) == (shop.release("a"), shop.release("9"))
    assert (web.revision.seen, web.revision.applied) == (shop.COMMIT, "beef" * 10)
    assert [i.state for i in web.instances] == ["stopped", "running", "running"]
    assert web.manifest == "apps/shop.yaml:12:1"
    assert (web.mounts[0].place, web.mounts[0].present) == ("/srv/volumes/media", True)


def test_variables_say_where_they_come_from(shown: Picture) -> None:
    """Level, file and line; secrets and what is made of them are masked."""
    found = {v.name: v for v in resources.view(shown, shop.WEB).variables}
    assert (found["LOG"].value, found["LOG"].level, found["LOG"].manifest) == (
        "info",
        "resource",
        "apps/shop.yaml:21:9",
    )
    masked = sorted(name for name, v in found.items() if v.value == "****" and v.kind == "secret")
    assert masked == ["API_TOKEN", "BROKER", "DATABASE_URL", "DJANGO_SECRET"]
    assert found["API_URL"].value == "(known after apply)"


@pytest.mark.parametrize(
    ("part", "text"),
    [("url", "http://127.0.0.1:20001"), ("address", "127.0.0.1:20001"), ("host", "127.0.0.1"), ("port", "20001")],
)
def test_links_are_resolved_once_reserved(part, text: str) -> None:
    """Each part of a stable address, as the program gets it."""
    worker = shop.workload(shop.WORKER, digit="b")
    worker = replace(worker, template=replace(worker.template, env=(("WEB", Link(shop.WEB, "http", part)),)))
    view = resources.view(with_changes(desired=replace(shop.desired(), workloads=(worker,))), shop.WORKER)
    assert view.variables[0].value == text


def test_a_failed_one_says_why(shown: Picture) -> None:
    """The verdict, the exit, and since when."""
    worker = resources.view(shown, shop.WORKER)
    assert (worker.health, worker.lifecycle, worker.ready) == ("unhealthy", "restarting", "False")
    assert worker.reason == "RolloutFailed"
    assert worker.rollout.failed
    assert worker.instances[0].detail.startswith("exit code 1: cannot open amqp://app:****@queue/")


def test_one_that_cannot_be_planned_is_shown(shown: Picture) -> None:
    """With the reason, the place and what is wrong."""
    beat = resources.view(shown, shop.BEAT)
    assert (beat.health, beat.desired_state, beat.blocks[0].reason) == ("not-deployed", "unknown", "NotSupported")
    assert beat.manifest == "apps/beat.yaml:7:3"


def test_one_whose_document_is_broken_everywhere_is_shown() -> None:
    """Known by its written identity alone, when nothing is known of it in an environment."""
    lost = shop.key("lost").written
    found = with_changes(catalog=replace(shop.catalog(), broken={lost: "main", shop.WEB.written: "main"}))
    assert lost in found.resources()
    assert shop.WEB.written not in found.resources()
    assert resources.summary(found, lost).health is Overall.UNKNOWN


def test_one_removed_from_git_waits_at_its_gate(shown: Picture) -> None:
    """It is no longer declared, still runs, and shows the Approval that would let it go."""
    old = resources.view(shown, shop.OLD)
    assert (old.declared, old.desired_state, old.replicas.running) == (False, "deleted", 1)
    assert 'gate: "' + "deadbeef" * 8 in old.gates[0].fix
    assert "2025-11-23T08:26:40Z" in old.gates[0].fix
    assert old.held[0].action.verb == "stop"


def test_a_held_identity_is_not_called_deleted() -> None:
    """While what is wanted is unknown, nothing undeclared is meant to go."""
    desired = replace(shop.desired(), held=Held(projects=frozenset({"shop"})))
    assert resources.summary(with_changes(desired=desired), shop.OLD).desired_state == "unknown"


@pytest.mark.parametrize(
    ("identity", "path"),
    [
        (shop.OLD.written, "apps/old.yaml"),
        (ResourceKey("Environment", "shop", "production"), "shop.yaml"),
        (ResourceKey("Project", "", "shop"), "shop.yaml"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(identity: ResourceKey, path: str) -> None:
    """What is wrong in the document itself, or in the one it lives below; never only that something is."""
    wrong = Problem(Position(path, 9, 3), "spec.helth", "unknown field; did you mean health?")
    elsewhere = Problem(Position("other.yaml", 1, 1), "spec", "is wrong, too")
    catalog = replace(shop.catalog(), problems=(elsewhere, wrong), declared_by={("main", path): frozenset({identity})})
    block = Block(shop.OLD, "DesiredUnknown", "what is wanted of it cannot be read; mend the manifest")
    said = pieces.why_blocked(with_changes(catalog=catalog), block)
    assert said == f"{wrong}; until it is mended, what runs is left as it is"


def test_an_unreachable_target_is_unknown(shown: Picture) -> None:
    """No observation, no age, no health."""
    web = resources.summary(shown, shop.WEB_STAGING)
    assert (web.health, web.freshness, web.observed_at) == (Overall.UNKNOWN, Freshness.UNKNOWN, None)


# --- drift ------------------------------------------------------------------------------------------------------------


def test_why_it_is_not_in_sync(shown: Picture) -> None:
    """Field, wanted, live, where it is written, and what to write to leave it."""
    first = drift.of(shown, shop.WEB)[0]
    assert (first.field, first.wanted, first.live) == ("replicas", "2", "1")
    assert (first.manifest, first.ignore) == ("apps/shop.yaml:15:13", "ignore: [replicas]")


def test_secret_fields_are_masked_on_both_sides(shown: Picture) -> None:
    """A differing secret says that it differs, and nothing else."""
    second = drift.of(shown, shop.WEB)[1]
    assert (second.field, second.wanted, second.live) == ("env.API_TOKEN", "****", "****")


def test_variables_made_of_secrets_are_masked() -> None:
    """A template's value is hidden as its most secret part is, though its own name says nothing."""
    name = shop.instance(shop.WEB, "a").name
    found = with_changes(differences={name: (Difference("env.BROKER", "redis://:x@a", "redis://:y@a"),)})
    assert (drift.of(found, shop.WEB)[0].wanted, drift.of(found, shop.WEB)[0].live) == ("****", "****")


def test_repairs_are_drift(shown: Picture) -> None:
    """What is started again because it vanished is named with its cause."""
    assert [(d.wanted, d.live) for d in drift.of(shown, shop.WORKER)] == [("start", "it exited")]


# --- places -----------------------------------------------------------------------------------------------------------


def test_environments_are_as_bad_as_their_worst(shown: Picture) -> None:
    """Counted by word, held by their policy, with what is stored there."""
    production = places.environment_view(shown, ("shop", "production"))
    assert (production.health, production.counts[Overall.HEALTHY]) == ("unhealthy", 2)
    assert [(v.resource, v.declared, v.present) for v in production.volumes] == [
        ("Volume/shop/production/media", True, True)
    ]
    staging = places.environment_view(shown, ("shop", "staging"))
    assert (staging.hold, staging.message, staging.freshness) == ("locked", "release freeze", "unknown")


def test_a_volume_outlives_its_declaration() -> None:
    """No longer declared, still there, retained."""
    found = with_changes(desired=replace(shop.desired(), volumes=()))
    (media,) = places.environment_view(found, ("shop", "production")).volumes
    assert (media.declared, media.present, media.deletion) == (False, True, "retain")


def test_servers_say_whether_they_answer(shown: Picture) -> None:
    """With what cannot be read of them."""
    near, far = (places.server_view(shown, key) for key in (shop.VPS1, shop.VPS2))
    assert (near.connectivity, near.instances, near.unknown) == ("healthy", 4, ())
    assert (far.connectivity, far.message) == ("unreachable", "connection refused")
    assert "instances" in far.unknown


def test_projects_that_are_gone_are_shown_while_something_is_left() -> None:
    """A vanished project with running resources is listed, not declared."""
    found = with_changes(desired=replace(shop.desired(), projects=frozenset()))
    assert places.projects(found) == ["shop"]
    assert not places.project_summary(found, "shop").declared


# --- plan, sources, work ----------------------------------------------------------------------------------------------


def test_the_plan_of_everything_and_of_one_environment(shown: Picture) -> None:
    """Actions, waits, blocks, gates; an environment without any has no changes."""
    whole = plans.view(shown)
    assert (whole.changes, whole.counts) == (True, {"create": 1, "start": 1})
    assert not plans.view(shown, environment="staging").changes


def test_sources_mask_their_address(shown: Picture) -> None:
    """No password of a repository is shown; what was ignored and what is wrong is."""
    main = sources.source(shown, "main")
    assert main.location == "https://bot:****@git.example/shop.git"
    assert main.ignored == {"chart/values.yaml": "not one of our kinds"}
    assert [p.place for p in main.problems] == ["apps/beat.yaml:7:3"]


def test_furniture_is_another_kind_of_work() -> None:
    """A target's own unit realises routes; an environment's deploys."""
    item = shop.published().work[0]
    assert sources.work(item).kind == "deployment"
    assert sources.work(replace(item, unit=UnitKey(shop.VPS1))).kind == "route-realization"


def test_the_status_is_worst_first(shown: Picture) -> None:
    """Unhealthy before unknown before starting; the healthy last."""
    said = summary.view(shown)
    assert [r.name for r in said.resources] == ["worker", "web", "api", "beat", "old", "web"]
    assert (said.health, said.holds) == (Overall.UNHEALTHY, ("Resource/shop/staging/web",))
    assert [r.name for r in summary.view(shown, environment="staging").resources] == ["web"]


def test_a_picture_is_as_old_as_it_is() -> None:
    """Ages are told from when it was made, not from when something was published last."""
    later = picture(shop.published(), now=shop.NOW + 60)
    assert (later.generated_at - picture(shop.published(), now=shop.NOW).generated_at).total_seconds() == 60


# --- doctor -----------------------------------------------------------------------------------------------------------


def failed(found: Picture, facts: doctor.Facts = FACTS) -> dict[str, str]:
    return {c.name: c.severity for c in doctor.view(found, facts).checks if c.status is CheckStatus.FAILED}


def test_the_doctor_finds_what_is_wrong(shown: Picture) -> None:
    """Unsupported fields and an unreachable server are errors, a shared user is a warning; each has a remedy."""
    assert failed(shown) == {"manifest: NotSupported": "error", "server-reachable": "error", "isolated": "warning"}
    found = doctor.view(shown, FACTS)
    assert (found.status, found.errors, found.warnings) == ("failed", 2, 1)
    assert all(c.remedy for c in found.checks if c.status is CheckStatus.FAILED)
    assert [c.status for c in found.checks[:3]] == [CheckStatus.FAILED] * 3


@pytest.mark.parametrize(
    ("facts", "name", "severity"),
    [
        (doctor.Facts(free_bytes=1, total_bytes=100, ledger_error=""), "disk-space", "error"),
        (doctor.Facts(free_bytes=5, total_bytes=100, ledger_error=""), "disk-space", "warning"),
        (doctor.Facts(free_bytes=50, total_bytes=100, ledger_error="is damaged"), "ledger", "error"),
    ],
)
def test_measured_facts(shown: Picture, facts: doctor.Facts, name: str, severity: str) -> None:
    """A full disk and a damaged ledger are found."""
    assert failed(shown, facts)[name] == severity


def test_what_only_a_person_can_decide_is_found() -> None:
    """A stalled resource is an error, with the command that tells the whole story."""
    stalled = Condition(ConditionType.STALLED, Truth.TRUE, "ReleaseFailed", "it did not get healthy", 1.0, "")
    ready = Condition(ConditionType.READY, Truth.FALSE, "ReleaseFailed", "it did not get healthy", 1.0, "")
    shown = with_changes(conditions={shop.WEB: (ready, stalled)})
    (found,) = [c for c in doctor.view(shown, FACTS).checks if c.name == "resource"]
    assert (found.severity, found.message) == ("error", "ReleaseFailed: it did not get healthy")
    assert found.remedy == "`reconciler why Resource/shop/production/web`"


def test_what_was_not_measured_is_skipped(shown: Picture) -> None:
    """Nothing passes unseen."""
    skipped = {c.name for c in doctor.view(shown, doctor.Facts()).checks if c.status is CheckStatus.SKIPPED}
    assert skipped == {"disk-space", "ledger"}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"error": "permission denied"}, "source-readable"),
        ({"checked_at": shop.NOW - 3600}, "source-age"),
        ({"committed_at": shop.NOW + 3600}, "clock"),
    ],
)
def test_sources_are_examined(change: dict, name: str) -> None:
    """Unreadable, not looked at for long, dated in the future."""
    state = replace(shop.published().sources["main"], **change)
    assert name in failed(with_changes(sources={"main": state}))


def test_missing_health_and_storage_variables_are_found() -> None:
    """A program that is only watched, and a volume whose place nobody tells it."""
    web = next(w for w in shop.desired().workloads if w.key == shop.WEB)
    template = web.template
    silent = tuple(replace(mount, env="") for mount in template.mounts)
    bare = replace(web, template=replace(template, mounts=silent, probe=replace(template.probe, kind="tcp")))
    document = replace(shop.catalog().documents[shop.WEB.written], raw={})
    found = with_changes(
        desired=replace(shop.desired(), workloads=(bare,)),
        catalog=replace(shop.catalog(), documents={shop.WEB.written: document}),
    )
    assert failed(found)["health-check"] == "warning"
    assert failed(found)["storage-env"] == "error"


# --- the whole way ----------------------------------------------------------------------------------------------------


def test_the_way_ends_though_fields_differ(shown: Picture) -> None:
    """A setting that is written in place differs once, and no more afterwards."""
    whole = plans.view(shown)
    assert not whole.source_errors
    assert [s.action.name for s in whole.way if s.action.verb == "update"] == [shop.instance(shop.WEB, "a").name]


def test_a_closed_gate_is_not_opened_by_looking_ahead() -> None:
    """An Approval that does not open its gate now does not on the way either."""
    mass = shop.plan().gates[0]
    spent = ApprovalObject("spent", mass.digest, "meant", shop.NOW + 1000)
    found = with_changes(desired=replace(shop.desired(), approvals=(spent,)))
    assert way.approvals(found)["spent"].state == "void"
    assert not way.approvals(with_changes(desired=replace(shop.desired(), approvals=(replace(spent, gate="x"),))))
