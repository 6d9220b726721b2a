"""More shops to look at: one behind an edge proxy, and one whose names are as long as they may be."""

from __future__ import annotations

from dataclasses import replace

from reconciler.desired import objects as want
from reconciler.observed.snapshot import Edge, EdgeState, Health, Route
from reconciler.status.published import Published
from tests.api import shop


def routed() -> Published:
    """The shop behind an edge proxy: one route that is ready, one that leads nowhere yet."""
    base, here = shop.desired(), shop.snapshot()[shop.VPS1]
    edge = want.TargetObject(shop.VPS1, "process", edge=want.EdgeObject(":8080", ""))
    shape = base.routes[0].shape
    missing = replace(base.routes[0], id="www.shop.example/", shape=replace(shape, host="www.shop.example"))
    leads_to = frozenset({shop.instance(shop.WEB, "a", 0).name})
    ready = Route("shop.example/", shop.WEB, shop.PRODUCTION, leads_to, shape)
    seen = replace(here, routes={ready.id: ready}, edge=Edge(EdgeState.RUNNING, listening=("127.0.0.1:8080",)))
    wanted = replace(base, routes=(*base.routes, missing), targets=base.targets | {shop.VPS1: edge})
    return shop.published(desired=wanted, snapshot=shop.snapshot() | {shop.VPS1: seen})


def awkward() -> Published:
    """Names as long as they may be, and a message without a space in it."""
    long = shop.key("r" * 63, "e" * 63)
    unit = replace(shop.PRODUCTION, environment="e" * 63)
    workload = replace(shop.workload(long), unit=unit)
    instance = replace(shop.instance(long, "a", health=Health.UNHEALTHY, detail="x" * 400), unit=unit)
    here = replace(shop.snapshot()[shop.VPS1], instances={instance.name: instance})
    wanted = replace(shop.desired(), workloads=(workload,), blocks=(), environments=frozenset({("shop", "e" * 63)}))
    return shop.published(desired=wanted, snapshot={shop.VPS1: here}, plans={}, inventory={}, conditions={})
