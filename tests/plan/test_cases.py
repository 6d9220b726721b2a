"""Planner cases as data: what is wanted, seen and remembered, and the one plan that follows, line by line.

Each file in ``cases/<kind>/`` holds ``desired`` (resources as in ``scenes.Res``), ``observed`` (instances, volumes,
routes, jobs, artifacts), what is on record, and ``plan``. ``web@good[0]`` is an instance: resource, version, ordinal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from reconciler.desired.names import address_name, instance_name, short_release, volume_name
from reconciler.desired.objects import Desired, EdgeObject, Workload
from reconciler.inventory import Entry, Inventory
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import (
    Address,
    Edge,
    EdgeState,
    Health,
    Instance,
    Job,
    JobState,
    Route,
    RouteShape,
    State,
    Target,
    Volume,
)
from reconciler.plan.actions import Claim, Plan, Progress
from reconciler.plan.planner import Inputs, plan
from reconciler.plan.targets import edge_settings
from tests.plan.scenes import HERE, PROJECT, THERE, Res, key, want

CASES = sorted((Path(__file__).parent / "cases").glob("*/*.yaml"))
UNIT = UnitKey(HERE, PROJECT, "production")
NOW = 1000.0


@dataclass(frozen=True)
class Case:
    """One file."""

    data: Mapping[str, Any]

    @property
    def edge(self) -> bool:
        return bool(self.data.get("edge", True))

    def res(self, told: Mapping[str, Any]) -> Res:
        fields = {name.replace("-", "_"): tuple(v) if isinstance(v, list) else v for name, v in told.items()}
        return Res(**{**fields, "target": THERE if fields.get("target") == "there" else HERE})

    def desired(self) -> Desired:
        """What is wanted; stable addresses of the edge are left to the scenes, so that plans stay short."""
        made = want(*(self.res(told) for told in self.data.get("desired", [])), edge=self.edge)
        return replace(made, routes=tuple(route for route in made.routes if not route.internal))

    def workload(self, told: str) -> Workload:
        """``web@good`` as it is, or was, wanted."""
        name, _, version = told.partition("@")
        like = next((d for d in self.data.get("desired", []) if d["name"] == name), {"name": name})
        edges = frozenset({HERE, THERE}) if self.edge else frozenset()
        return self.res({**like, "version": version or "good"}).workload(edges)

    def instances(self) -> Iterator[Instance]:
        for order, told in enumerate(self.data.get("observed", {}).get("instances", [])):
            label, _, ordinal = told["name"].rstrip("]").partition("[")
            w = self.workload(label)
            yield Instance(
                instance_name(w, int(ordinal)),
                uid=f"u{order}",
                key=w.key,
                unit=w.unit,
                release=w.release,
                stamp=w.stamp,
                ordinal=int(ordinal),
                state=State(told.get("state", "running")),
                health=Health(told.get("health", "healthy")),
                created=float(order),
                ours=told.get("ours", True),
                artifact=w.template.artifact.name,
                ports={"http": 30000 + order},
            )

    def names(self) -> dict[str, str]:
        """Real names to those that the cases tell."""
        told = [i["name"] for i in self.data.get("observed", {}).get("instances", [])]
        told += [f"{r['name']}@{r.get('version', 'good')}[{n}]" for r in self.data.get("desired", []) for n in range(4)]
        labels = {t: self.workload(t.partition("[")[0]) for t in told}
        instances = {instance_name(w, int(t[-2])): t for t, w in labels.items()}
        return instances | {short_release(w.key, w.release): t.partition("[")[0] for t, w in labels.items()}

    def target(self, desired: Desired) -> Target:
        seen = self.data.get("observed", {})
        instances = {i.name: i for i in self.instances()}
        real = {told: name for name, told in self.names().items()}
        wanted = [w for w in desired.workloads if seen.get("grounds", True)]
        volumes = {m.volume: _volume(m.volume, w) for w in wanted for m in w.template.mounts}
        volumes |= {
            volume_name(_volume_key(n)): Volume(volume_name(_volume_key(n)), "v", _volume_key(n), UNIT)
            for n in seen.get("volumes", [])
        }
        return Target(
            observed_at=NOW,
            instances=instances,
            volumes=volumes,
            addresses={a.name: a for w in wanted for a in _addresses(w)},
            artifacts=frozenset(a for w in wanted for a in (w.template.artifact.id,) if seen.get("artifacts", True)),
            jobs={
                j["name"]: Job(j["name"], "j", key(j["of"]), UNIT, j["slot"], JobState(j["state"]))
                for j in seen.get("jobs", [])
            },
            routes={
                r["id"]: Route(
                    r["id"],
                    key(r["of"]),
                    UNIT,
                    frozenset(real[n] for n in r["to"]),
                    RouteShape(r["id"].rstrip("/")),
                    {real[n]: f"127.0.0.1:{instances[real[n]].ports['http']}" for n in sorted(r["to"])},
                    altered=r.get("altered", False),
                )
                for r in seen.get("routes", [])
            },
            edge=self.proxy(),
        )

    def proxy(self) -> Edge:
        """As it was told, unless ``told`` says otherwise."""
        seen = self.data.get("observed", {})
        state = EdgeState(seen.get("edge", "running" if self.edge else "absent"))
        told = seen.get("told", edge_settings(EdgeObject()) if state is EdgeState.RUNNING else {})
        return Edge(state, settings=told, altered=seen.get("edge-altered", False))

    def inventory(self, desired: Desired) -> Inventory:
        names = self.data.get("inventory", [w.key.name for w in desired.workloads])
        entries = {key(n): Entry(key(n), UNIT, "root") for n in names}
        entries |= {
            _volume_key(n): Entry(_volume_key(n), UNIT, "root", "retain")
            for n in self.data.get("inventory-volumes", [])
        }
        return {UNIT: entries}

    def progress(self) -> dict[ResourceKey, Progress]:
        found = {}
        for told in self.data.get("progress", []):
            w = self.workload(told["of"])
            previous = self.workload(told["previous"]).generation if "previous" in told else ""
            rejected = frozenset(self.workload(r).generation for r in told.get("rejected", []))
            flags = {name: told[name] for name in ("accepted", "failed", "message") if name in told}
            since = NOW - told.get("ago", 0)
            found[w.key] = Progress(w.generation, since, NOW, previous=previous, rejected=rejected, **flags)
        return found

    def claims(self) -> dict[UnitKey, dict[str, Claim]]:
        if "claims" not in self.data:
            return {}
        real = {told: name for name, told in self.names().items()}
        made = [Claim(c["id"], key(c["of"]), UNIT, frozenset(real[n] for n in c["to"])) for c in self.data["claims"]]
        return {UNIT: {f"{c.id} {c.resource}": c for c in made}}


def _volume_key(name: str) -> ResourceKey:
    return key(name, kind="Volume")


def _volume(name: str, workload: Workload) -> Volume:
    return Volume(name, "v", key("media", kind="Volume"), workload.unit)


def _addresses(workload: Workload) -> Iterator[Address]:
    for ordinal in range(workload.replicas if not workload.template.ports or workload.template.ports[0].fixed else 1):
        for port in workload.template.ports:
            name = address_name(workload.key, port.name, ordinal)
            yield Address(name, workload.key, workload.unit, port.name, "127.0.0.1", 20000 + ordinal, ordinal)


def told(found: Plan, names: Mapping[str, str]) -> list[str]:
    """The plan in lines, with the cases' names."""
    lines = [f"{a.verb} {names.get(a.name, a.name)}: {a.cause}" for a in found.actions]
    lines += [f"wait {w.key.name}: {w.what}" for w in found.waits]
    lines += [f"block {b.key.name}: {b.reason}" for b in found.blocks]
    lines += [f"held {h.action.verb} {names.get(h.action.name, h.action.name)}: {h.reason}" for h in found.held]
    for claim in (found.claims or {}).values():
        to = "as it is" if claim.upstreams is None else ", ".join(sorted(names.get(n, n) for n in claim.upstreams))
        lines.append(f"claim {claim.id}: {to}")
    for real, name in names.items():
        lines = [line.replace(real, name) for line in lines]
    return lines


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_case(path: Path) -> None:
    """The plan is exactly what the file says."""
    case = Case(YAML(typ="safe", pure=True).load(path.read_text()))
    desired = case.desired()
    target = case.target(desired)
    unit = UnitKey(HERE) if case.data.get("unit") == "furniture" else UNIT
    inputs = Inputs(
        desired,
        {HERE: target, THERE: Target(observed_at=NOW)},
        NOW,
        inventory=case.inventory(desired),
        progress=case.progress(),
        claims=case.claims(),
    )
    assert told(plan(unit, inputs), case.names()) == list(case.data["plan"])


def test_every_kind_has_a_noop():
    """What is as wanted needs nothing: the most important plan of all."""
    kinds = {path.parent for path in CASES}
    assert kinds and all((kind / "_noop.yaml").exists() for kind in kinds)
