"""Lookups on frozen values: found out once, right, and no part of what a value is."""

from __future__ import annotations

from dataclasses import replace

from reconciler.desired.objects import Desired
from reconciler.manifests.identity import ResourceKey
from reconciler.observed.once import Once
from reconciler.observed.snapshot import Instance, Route, Target
from tests.plan.scenes import Res, key, settled, want


def test_it_is_found_out_once():
    """Whoever asks again gets the same, also when that is nothing."""
    asked: list[int] = []
    once: Once[None] = Once()
    assert [once.get(lambda: asked.append(1)) for _ in range(3)] == [None, None, None]
    assert asked == [1]


def test_having_been_asked_changes_no_value():
    """Equal before and after, and a changed copy looks again."""
    wanted = want(Res("web", domain="shop.example"), Res("api"))
    (target, *_) = settled(wanted).model.targets.values()
    fresh = replace(target)
    assert [i.key for i in target.of(key("web"))] == [key("web")]
    assert target == fresh
    assert replace(target, instances={}).of(key("web")) == []
    assert wanted.workload(key("web")) is not None
    assert wanted == replace(wanted)
    assert replace(wanted, workloads=()).workload(key("web")) is None


def test_what_is_not_ours_is_found_nowhere():
    """Neither as an instance nor behind a route."""
    (target, *_) = settled(want(Res("web", domain="shop.example"))).model.targets.values()
    foreign: dict[str, Instance] = {n: replace(i, ours=False) for n, i in target.instances.items()}
    routes: dict[str, Route] = {n: replace(r, ours=False) for n, r in target.routes.items()}
    assert target.of(key("web")) and target.routed(key("web"))
    stranger = replace(target, instances=foreign, routes=routes)
    assert (stranger.of(key("web")), stranger.routed(key("web"))) == ([], frozenset())


def test_nothing_is_found_in_nothing():
    """An unknown identity is no error."""
    nobody = ResourceKey("Resource", "no", "body", "here")
    assert (Target().of(nobody), Target().routed(nobody)) == ([], frozenset())
    assert Desired().workload(nobody) is None
    assert Desired().planned == frozenset()
