"""A shop as a daemon publishes it: two servers, one of which does not answer; something of every state in it.

``CANARY`` is planted wherever a secret can be. It must be found in nothing that leaves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from reconciler.api.board import Limits, Surface
from reconciler.desired import objects as want
from reconciler.desired.bindings import Binding
from reconciler.desired.evidence import CertificateFacts
from reconciler.errors import InvalidInput
from reconciler.inventory import Entry
from reconciler.manifests.catalog import Catalog, Document
from reconciler.manifests.identity import ResourceKey, UnitKey, server
from reconciler.manifests.problem import Position, Problem
from reconciler.observed import snapshot as seen
from reconciler.observed.snapshot import Health, State
from reconciler.plan import actions as plans
from reconciler.status.conditions import Condition, ConditionType, Truth
from reconciler.status.presenting.doctor import Facts
from reconciler.status.published import Published, SourceState, WorkItem
from reconciler.status.records import Deployment, DeploymentStatus, Event, Trigger

NOW = 1_763_800_000.0
CANARY = "kanarienvogel-7f3a"
MARKUP = "<script>alert(1)</script>"
COMMIT = "c0ffee" + "0" * 34

VPS1, VPS2 = server("vps1"), server("vps2")
PRODUCTION = UnitKey(VPS1, "shop", "production")
STAGING = UnitKey(VPS2, "shop", "staging")


def key(name: str, environment: str = "production", kind: str = "Resource") -> ResourceKey:
    return ResourceKey(kind, "shop", name, environment)


def release(letter: str) -> str:
    return letter * 64


WEB, WORKER, API, BEAT, OLD = key("web"), key("worker"), key("api"), key("beat"), key("old")
MEDIA = key("media", kind="Volume")
WEB_STAGING = key("web", "staging")


def workload(of: ResourceKey, *, digit: str = "a", line: int = 10, **changes: Any) -> want.Workload:
    template = want.Template(
        artifact=want.Artifact("tree", "1" * 64, "1" * 64),
        command=("python", "-m", of.name),
        ports=(want.Port("http", 0, main=True),),
        probe=want.Probe("http", path="/healthz", port="http"),
    )
    unit = STAGING if of.environment == "staging" else PRODUCTION
    given: dict[str, Any] = {"template": template, "source": "main"} | changes
    return want.Workload(key=of, unit=unit, release=release(digit), place=Position("apps/shop.yaml", line, 1), **given)


def instance(of: ResourceKey, digit: str, ordinal: int = 0, **changes: Any) -> seen.Instance:
    given: dict[str, Any] = {
        "state": State.RUNNING,
        "health": Health.HEALTHY,
        "since": NOW - 180,
        "pid": 4711,
    } | changes
    name = f"shop-{of.environment}-{of.name}-{digit * 10}-{ordinal}"
    return seen.Instance(
        name=name, uid=f"u-{name}", key=of, unit=PRODUCTION, release=release(digit), stamp="", ordinal=ordinal, **given
    )


# --- what is wanted ---------------------------------------------------------------------------------------------------


def _web() -> want.Workload:
    base = workload(WEB, replicas=2, line=12)
    env = (
        ("API_TOKEN", want.Plain(CANARY)),
        ("API_URL", want.Link(API, "http")),
        ("BROKER", want.Composite("redis://:$(DJANGO_SECRET)@cache:6379")),
        ("DATABASE_URL", want.Plain(f"postgres://app:{CANARY}@db/shop")),
        ("DJANGO_SECRET", want.SecretRef("file", "/run/secrets/django")),
        ("LOG", want.Plain("info")),
        ("MIRROR", want.Plain(f"https://reader:{CANARY}@mirror.example/x")),
    )
    mounts = (want.Mount("/srv/media", "shop-production-media-1a2b3c", env="MEDIA"),)
    origin = want.Origin("resource", Position("apps/shop.yaml", 21, 9))
    return replace(
        base, template=replace(base.template, env=env, mounts=mounts), origins={"LOG": origin}, depends_on=(API,)
    )


def _route() -> want.RouteObject:
    binding = Binding("shop.example", document=key("front", kind="Domain"), certificate=key("shop", kind="Certificate"))
    return want.RouteObject("shop.example/", WEB, PRODUCTION, "http", seen.RouteShape("shop.example"), binding=binding)


def _certificate() -> want.CertificateObject:
    usable = want.EdgeCertificate("shop-production-shop-1", want.SecretRef("file", f"/run/secrets/{CANARY}.pem"))
    facts = CertificateFacts("1" * 64, "2" * 64, "CN=shop.example", "CN=Authority", ("shop.example",), 1.0, 2e9)
    return want.CertificateObject(key("shop", kind="Certificate"), "imported", ("shop.example",), facts, usable)


def desired() -> want.Desired:
    problem = Problem(
        Position("apps/beat.yaml", 7, 3), "spec.templateRef", f"not supported by this version yet {MARKUP}"
    )
    workloads = (workload(API, digit="d"), _web(), workload(WORKER, digit="b", line=40), workload(WEB_STAGING))
    return want.Desired(
        revisions={"main": COMMIT},
        workloads=workloads,
        volumes=(want.VolumeObject(MEDIA, PRODUCTION, "shop-production-media-1a2b3c"),),
        routes=(_route(),),
        certificates=(_certificate(),),
        targets={VPS1: want.TargetObject(VPS1, "process"), VPS2: want.TargetObject(VPS2, "process")},
        units={PRODUCTION: want.UnitPolicy(), STAGING: want.UnitPolicy(hold="locked", message="release freeze")},
        declared={w.key: "main" for w in workloads} | {MEDIA: "main", BEAT: "main"},
        projects=frozenset({"shop"}),
        environments=frozenset({("shop", "production"), ("shop", "staging")}),
        blocks=(want.DesiredBlock(BEAT, PRODUCTION, "NotSupported", problem),),
        problems=(problem,),
    )


class Anything(BaseModel):
    """A spec whose model does not matter here."""


def catalog() -> Catalog:
    raw = {"source": {"kind": "local-folder"}, "health": {"http": {"path": "/healthz"}}}
    document = Document(
        WEB.written, "main", "apps/shop.yaml", raw, Anything(), {}, {(): (12, 1), ("spec", "replicas"): (15, 13)}
    )
    return Catalog(documents={WEB.written: document}, ignored={("main", "chart/values.yaml"): "not one of our kinds"})


# --- what is there ----------------------------------------------------------------------------------------------------


def snapshot() -> dict[ResourceKey, seen.Target]:
    instances = [
        instance(WEB, "a", 0, ports={"http": 20001}, created=2, note="NotIsolated: runs as the daemon's user"),
        instance(WEB, "a", 1, ports={"http": 20002}, created=2),
        instance(WEB, "9", 0, state=State.STOPPED, health=Health.UNKNOWN, created=1),
        instance(
            WORKER,
            "b",
            state=State.EXITED,
            health=Health.UNKNOWN,
            exits=4,
            detail=f"exit code 1: cannot open amqp://app:{CANARY}@queue/ {MARKUP}",
        ),
        instance(API, "d", health=Health.STARTING),
        instance(OLD, "e"),
    ]
    media = seen.Volume("shop-production-media-1a2b3c", "u-media", MEDIA, PRODUCTION, path="/srv/volumes/media")
    address = seen.Address("shop-production-web-http", WEB, PRODUCTION, "http", "127.0.0.1", 20001)
    here = seen.Target(
        observed_at=NOW - 5,
        instances={i.name: i for i in instances},
        volumes={media.name: media},
        addresses={address.name: address},
    )
    return {VPS1: here, VPS2: replace(seen.BLIND, trouble="connection refused")}


# --- what is to be done -----------------------------------------------------------------------------------------------


def plan() -> plans.Plan:
    gate = plans.Gate(plans.GateReason.MASS, "main", (OLD,), "deadbeef" * 8, "1 of 5 resources would go")
    create = plans.Action(PRODUCTION, API, plans.Verb.CREATE, "shop-production-api-dddddddddd-1", cause="1 of 2 run")
    repair = plans.Action(PRODUCTION, WORKER, plans.Verb.START, "shop-production-worker", cause="it exited", drift=True)
    stop = plans.Action(PRODUCTION, OLD, plans.Verb.STOP, "shop-production-old", cause="no longer declared")
    return plans.Plan(
        unit=PRODUCTION,
        actions=(create, repair),
        waits=(plans.Wait(API, "health of shop-production-api-dddddddddd-0", NOW + 90),),
        blocks=(plans.Block(OLD, "GateClosed", "commit the Approval that is shown"),),
        held=(plans.HeldAction(stop, "gate"),),
        gates=(gate,),
    )


def progress() -> dict[ResourceKey, plans.Progress]:
    return {
        WEB: plans.Progress(release("a"), NOW - 600, accepted=True, previous=release("9")),
        WORKER: plans.Progress(release("b"), NOW - 900, failed=True, message="exited 4 times before it was healthy"),
        API: plans.Progress(release("d"), NOW - 30),
    }


def conditions() -> dict[ResourceKey | UnitKey, tuple[Condition, ...]]:
    ready = Condition(ConditionType.READY, Truth.TRUE, "Accepted", "", NOW - 600, COMMIT)
    failed = Condition(
        ConditionType.READY, Truth.FALSE, "RolloutFailed", f"exited 4 times before it was healthy {MARKUP}", NOW - 840
    )
    return {WEB: (ready,), WORKER: (failed,)}


def published(**changes: Any) -> Published:
    """Everything together; ``changes`` replace fields."""
    source = SourceState(
        "main",
        "git",
        f"https://bot:{CANARY}@git.example/shop.git",
        ref="main",
        seen=COMMIT,
        applied="beef" * 10,
        checked_at=NOW - 20,
        author="ada",
        subject="Raise the replicas",
        committed_at=NOW - 700,
    )
    whole = Published(
        serial=7,
        generated_at=NOW,
        started_at=NOW - 3600,
        instance_id="one",
        settled=True,
        desired=desired(),
        catalog=catalog(),
        snapshot=snapshot(),
        inventory={PRODUCTION: {OLD: Entry(OLD, PRODUCTION, "main")}},
        plans={PRODUCTION: plan(), STAGING: plans.Plan(STAGING)},
        progress=progress(),
        differences={
            instance(WEB, "a").name: (
                plans.Difference("replicas", "2", "1"),
                plans.Difference("env.API_TOKEN", CANARY, CANARY + "x"),
            )
        },
        conditions=conditions(),
        sources={"main": source},
        work=(
            WorkItem(PRODUCTION, "running", attempts=2, started_at=NOW - 3, trigger="watch"),
            WorkItem(STAGING, "retry-scheduled", attempts=5, due_at=NOW + 40, error="connection refused"),
        ),
        holds=frozenset({WEB_STAGING}),
    )
    return replace(whole, **changes)


# --- the rest of the world --------------------------------------------------------------------------------------------


def events(count: int = 12) -> list[Event]:
    """Newest first; every third one is of the worker, the others of web."""
    return [
        Event(
            at=NOW - 1000 + number,
            type="instance-exited" if number % 3 == 0 else "deployment-progress",
            message=f"number {number} at amqp://app:{CANARY}@queue/ {MARKUP}",
            key=WORKER if number % 3 == 0 else WEB,
            unit=PRODUCTION,
            severity="warning" if number % 3 == 0 else "info",
            revision=COMMIT,
            id=number,
        )
        for number in range(count, 0, -1)
    ]


def deployments() -> list[Deployment]:
    snapshot: dict[str, object] = {"env": {"API_TOKEN": CANARY, "LOG": "info"}, "replicas": 2}
    ids = ("d-3", "d-2", "d-1")
    statuses = (DeploymentStatus.FAILED, DeploymentStatus.SUCCEEDED, DeploymentStatus.SUCCEEDED)
    keys = (WORKER, WEB, WEB)
    return [
        Deployment(
            name,
            k,
            PRODUCTION,
            release("a"),
            release("a"),
            COMMIT,
            Trigger.CREATE,
            s,
            NOW - 500,
            NOW - 400,
            "",
            snapshot,
        )
        for name, s, k in zip(ids, statuses, keys, strict=True)
    ]


@dataclass
class Book:
    """The ledger's history, in memory."""

    recorded: list[Event] = field(default_factory=events)
    rollouts: list[Deployment] = field(default_factory=deployments)

    def events(
        self, *, key: ResourceKey | None = None, type: str = "", since: float = 0.0, before: int = 0, limit: int = 100
    ) -> list[Event]:
        found = [e for e in self.recorded if (not before or e.id < before) and e.at >= since and type in {"", e.type}]
        return [e for e in found if key is None or _same(key, e.key)][:limit]

    def deployments(
        self, *, key: ResourceKey | None = None, status: str = "", before: str = "", limit: int = 100
    ) -> list[Deployment]:
        found = [d for d in self.rollouts if (not before or d.id < before) and status in {"", d.status}]
        return [d for d in found if key is None or _same(key, d.key)][:limit]

    def deployment(self, id: str) -> Deployment | None:
        return next((d for d in self.rollouts if d.id == id), None)


def _same(wanted: ResourceKey, found: ResourceKey | None) -> bool:
    return found is not None and wanted in {found, found.written}


@dataclass
class Pinned:
    """A board that shows what it was given."""

    shown: Published

    def published(self) -> Published:
        return self.shown

    def wait(self, serial: int, timeout: float) -> Published:
        return self.shown


@dataclass
class Printed:
    """What programs print: three lines each; one instance cannot be read."""

    unreadable: Sequence[str] = ()

    def logs(self, target: ResourceKey, instance: str, *, tail: int, follow: bool = False) -> Iterator[str]:
        if instance in self.unreadable:
            raise InvalidInput(f"{instance}: there is no such instance")
        yield from [f"one {MARKUP}", "two", f"three {CANARY}"][-tail:] if tail else []


@dataclass
class StoppedClock:
    time: float = NOW

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


def surface(**changes: Any) -> Surface:
    """The shop's read surface; what it redacts is the canary, as a resolver that handed it out would."""
    given: dict[str, Any] = {
        "board": Pinned(published()),
        "history": Book(),
        "logs": Printed(),
        "clock": StoppedClock(),
        "metrics": lambda: b"reconciler_passes_total 3\n",
        "facts": lambda: Facts(free_bytes=50 * 2**30, total_bytes=100 * 2**30, ledger_error=""),
        "redact": lambda text: text.replace(CANARY, "****"),
        "limits": Limits(poll=0.01, heartbeat=0.02),
    }
    return Surface(**given | changes)
