"""How the world reaches a resource: its routes as declared and as seen, and what stands in their way; the domains and
certificates behind them."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.desired.bindings import Binding, Ownership
from reconciler.desired.objects import CertificateObject, EdgeObject, RouteObject
from reconciler.manifests.identity import ResourceKey
from reconciler.observed.snapshot import Collection, EdgeState, Health, Instance, Route, RouteShape
from reconciler.plan.targets import known_targets
from reconciler.status import parts, views
from reconciler.status.masking import clear
from reconciler.status.parts import AppliedState, Blocker, DomainStatus, RouteSource, TlsState
from reconciler.status.presenting import pieces
from reconciler.status.presenting.picture import Picture, instant

_OTHER_SHAPE = frozenset({"host", "path", "strip_prefix", "redirect_to", "redirect_status", "tls"})
_PLANNED = frozenset({AppliedState.NOT_CONFIGURED, AppliedState.PLANNED})
_OF_CERTIFICATE = {
    "missing": Blocker.CERTIFICATE_MISSING,
    "failed": Blocker.CERTIFICATE_MISSING,
    "expired": Blocker.CERTIFICATE_EXPIRED,
}


def of(picture: Picture, key: ResourceKey) -> tuple[parts.RouteView, ...]:
    """The public routes of a resource, in the order in which their addresses are offered: durable domains, what is
    only seen on the edge, what the server gives by itself, and at the end what is only planned."""
    declared = [r for r in picture.routes.get(key, []) if not r.internal]
    found = [_declared(picture, route) for route in declared]
    found += [_left_over(picture, route) for route in _seen(picture, key) if route.id not in {r.id for r in declared}]
    return tuple(sorted(found, key=lambda view: (view.state in _PLANNED, list(RouteSource).index(view.source))))


def public_url(shape: RouteShape, edge: EdgeObject | None) -> str:
    """What a person types to reach a route; the port is left out where it is the scheme's own."""
    scheme, listen = ("https", edge.https if edge else "") if shape.tls else ("http", edge.http if edge else "")
    port = listen.rpartition(":")[2]
    shown = "" if port in {"", "443" if shape.tls else "80"} else f":{port}"
    return f"{scheme}://{shape.host}{shown}{shape.path}"


def _seen(picture: Picture, key: ResourceKey) -> list[Route]:
    """The public routes of ours that the edge has for a resource."""
    routes = picture.target_of(key).routes.values()
    return sorted((r for r in routes if r.resource == key and r.ours and not r.shape.listen), key=lambda r: r.id)


def _edge(picture: Picture, key: ResourceKey) -> EdgeObject | None:
    """As it is declared, or as it was when it still was."""
    unit, published = picture.units.get(key), picture.published
    target = known_targets(published.desired, published.inventory).get(unit.target) if unit is not None else None
    return target.edge if target is not None else None


def _left_over(picture: Picture, route: Route) -> parts.RouteView:
    """Still there, and declared by nobody, or by nobody who can be read."""
    return parts.RouteView(
        id=route.id,
        url=public_url(route.shape, _edge(picture, route.resource)),
        host=route.shape.host,
        path=route.shape.path,
        source=RouteSource.SERVER_APPLIED,
        state=AppliedState.STALE if route.altered else AppliedState.APPLIED,
        redirect_to=route.shape.redirect_to,
        redirect_status=route.shape.redirect_status,
        upstreams=tuple(sorted(route.upstreams)),
    )


def _declared(picture: Picture, route: RouteObject) -> parts.RouteView:
    binding = route.binding or Binding(route.id)
    state, blockers = _applied(picture, route)
    tls = _tls(picture, route, binding)
    seen = _route(picture, route)
    return parts.RouteView(
        id=route.id,
        url=public_url(route.shape, _edge(picture, route.resource)),
        host=route.shape.host,
        path=route.shape.path,
        port=route.port,
        source=RouteSource(binding.source),
        state=state,
        blockers=tuple(dict.fromkeys((*blockers, *_of_domain(route, binding, there=seen is not None), *_of_tls(tls)))),
        message=clear(route.withheld.message if route.withheld is not None else ""),
        redirect_to=route.shape.redirect_to,
        redirect_status=route.shape.redirect_status,
        upstreams=tuple(sorted(seen.upstreams)) if seen is not None else (),
        dns=_dns(picture, binding.ownership),
        tls=tls,
        manifest=pieces.place(route.place),
    )


def _route(picture: Picture, route: RouteObject) -> Route | None:
    """The route as the edge has it; None when it has none, or somebody else's."""
    found = picture.target(route.unit.target).routes.get(route.id)
    return found if found is not None and found.ours and found.resource == route.resource else None


# --- the applied state ------------------------------------------------------------------------------------------------


def _applied(picture: Picture, route: RouteObject) -> tuple[AppliedState, list[Blocker]]:
    target = picture.target(route.unit.target)
    if _edge(picture, route.resource) is None:
        return AppliedState.NOT_CONFIGURED, [Blocker.PROXY_ROUTE_MISSING]
    if not target.knows(Collection.ROUTES) and target.edge.state is not EdgeState.DOWN:
        return AppliedState.UNKNOWN, [Blocker.OBSERVATION_UNAVAILABLE]
    seen = _route(picture, route)
    if target.edge.state is EdgeState.DOWN:
        return AppliedState.FAILED, [Blocker.SERVER_APPLIED_ROUTE_UNAVAILABLE]
    if seen is None:
        return _absent(picture, route), [Blocker.PROXY_ROUTE_MISSING]
    if seen.altered or _is_other(route, seen):
        return AppliedState.STALE, [Blocker.PROXY_ROUTE_STALE]
    if seen.shape.redirect_to or seen.shape.static:
        return AppliedState.READY, []
    return _of_upstreams([target.instances[name] for name in seen.upstreams if name in target.instances])


def _absent(picture: Picture, route: RouteObject) -> AppliedState:
    """Not there: taken by somebody else, held back, or about to come."""
    taken = picture.target(route.unit.target).routes.get(route.id) is not None
    if taken:
        return AppliedState.FAILED
    held = route.withheld is not None and not route.withheld.waiting
    return AppliedState.NOT_CONFIGURED if held else AppliedState.PLANNED


def _is_other(route: RouteObject, seen: Route) -> bool:
    if route.withheld is not None and route.withheld.keeps_shape:
        return False
    return any(getattr(route.shape, name) != getattr(seen.shape, name) for name in _OTHER_SHAPE)


def _of_upstreams(serving: list[Instance]) -> tuple[AppliedState, list[Blocker]]:
    if any(instance.good for instance in serving):
        return AppliedState.READY, []
    up = [instance for instance in serving if instance.up]
    if not up:
        return AppliedState.NOT_READY, [Blocker.RUNTIME_NOT_READY]
    if any(instance.health is Health.UNHEALTHY for instance in up):
        return AppliedState.NOT_READY, [Blocker.HEALTH_CHECK_FAILING]
    return AppliedState.APPLIED, []


# --- DNS and TLS ------------------------------------------------------------------------------------------------------


def _of_domain(route: RouteObject, binding: Binding, *, there: bool) -> Iterator[Blocker]:
    """Wherever its DNS leads elsewhere; that nothing is proven yet stands in the way of the first route only."""
    state = binding.ownership.state
    if state == "mismatch" and binding.ownership.mode == "address":
        yield Blocker.DNS_POINTS_ELSEWHERE
    if not there and route.withheld is not None and state not in {"matched", "skipped"}:
        yield Blocker.DOMAIN_NOT_VERIFIED


def _of_tls(tls: parts.TlsView) -> Iterator[Blocker]:
    if tls.state in _OF_CERTIFICATE:
        yield _OF_CERTIFICATE[tls.state]


def _dns(picture: Picture, ownership: Ownership) -> parts.DnsView:
    question = ownership.question
    answer = picture.published.desired.answers.get(question) if question is not None else None
    return parts.DnsView(
        mode=ownership.mode,
        state=ownership.state,
        name=question.name if question is not None else "",
        wanted=ownership.wanted,
        seen=ownership.seen,
        message=ownership.message,
        checked_at=instant(answer.asked_at) if answer is not None else None,
    )


def _tls(picture: Picture, route: RouteObject, binding: Binding) -> parts.TlsView:
    """What is known of a route's certificate. Those that the edge obtains by itself are not looked into."""
    if binding.tls_off:
        return parts.TlsView(policy=binding.policy, state=TlsState(binding.tls_off))
    seen = _route(picture, route)
    there = seen is not None and seen.shape.tls == route.shape.tls
    if binding.policy == "manual":
        return _imported(picture, binding, there=there)
    if not there:
        return parts.TlsView(policy=binding.policy, state=TlsState.PENDING, message="it comes with the route")
    if route.shape.tls == "internal":
        message = "of the edge proxy's own authority, which browsers do not know"
        return parts.TlsView(policy=binding.policy, state=TlsState.ACTIVE, message=message)
    message = "the edge proxy obtains and keeps it; whether it has it is not looked into"
    return parts.TlsView(policy=binding.policy, state=TlsState.UNKNOWN, message=message)


def _imported(picture: Picture, binding: Binding, *, there: bool) -> parts.TlsView:
    known = picture.published.desired.certificates
    chosen = next((c for c in known if c.key == binding.certificate), None)
    if chosen is None:
        return parts.TlsView(policy="manual", state=TlsState.MISSING, message="no Certificate can be used for it")
    name = pieces.path(chosen.key)
    if chosen.faults:
        state, message = chosen.faults[0]
        return parts.TlsView(policy="manual", state=TlsState(state), certificate=name, message=clear(message))
    return parts.TlsView(policy="manual", state=TlsState.ACTIVE if there else TlsState.PENDING, certificate=name)


# --- domains ----------------------------------------------------------------------------------------------------------


def domains(picture: Picture) -> list[views.DomainView]:
    """Every domain that somebody declared, for every resource it leads to, by id."""
    found = [
        _domain(picture, route, route.binding)
        for routes in picture.routes.values()
        for route in routes
        if route.binding is not None and route.binding.source == "durable-domain-binding"
    ]
    return sorted(found, key=lambda view: view.id)


def _domain(picture: Picture, route: RouteObject, binding: Binding) -> views.DomainView:
    key, shown = route.resource, _declared(picture, route)
    name = binding.document.name if binding.document is not None else route.id.rstrip("/").replace("/", "-")
    return views.DomainView(
        id=f"{key.project}/{key.environment}/{name}",
        project=key.project,
        environment=key.environment,
        name=name,
        domain_name=binding.name,
        resource=pieces.path(key),
        status=_status(shown, withheld=route.withheld is not None),
        generated_at=picture.generated_at,
        observed_at=picture.observed_at(route.unit.target),
        freshness=picture.freshness(route.unit.target),
        route=shown,
    )


def _status(shown: parts.RouteView, *, withheld: bool) -> DomainStatus:
    if shown.state is AppliedState.READY:
        return DomainStatus.READY
    if shown.state not in _PLANNED:
        return {
            AppliedState.APPLIED: DomainStatus.BOUND,
            AppliedState.STALE: DomainStatus.BOUND,
            AppliedState.FAILED: DomainStatus.FAILED,
        }.get(shown.state, DomainStatus.NOT_READY)
    if Blocker.DOMAIN_NOT_VERIFIED in shown.blockers:
        return DomainStatus.PENDING_VERIFICATION
    if shown.tls.state in {TlsState.MISSING, TlsState.FAILED, TlsState.EXPIRED}:
        return DomainStatus.CERTIFICATE_PENDING
    return DomainStatus.FAILED if withheld else DomainStatus.REQUESTED


# --- certificates -----------------------------------------------------------------------------------------------------


def certificates(picture: Picture) -> list[views.CertificateView]:
    """Every Certificate in every environment, by id: what everybody may know of it, never what is secret."""
    desired = picture.published.desired
    users = {c.key: tuple(sorted(_users(desired.routes, c))) for c in desired.certificates}
    return [_certificate(picture, c, users[c.key]) for c in desired.certificates]


def _users(routes: tuple[RouteObject, ...], certificate: CertificateObject) -> Iterator[str]:
    yield from (r.id for r in routes if r.binding is not None and r.binding.certificate == certificate.key)


def _certificate(picture: Picture, certificate: CertificateObject, users: tuple[str, ...]) -> views.CertificateView:
    facts = certificate.facts
    known = facts if facts is not None and facts.digest else None
    return views.CertificateView(
        id=pieces.path(certificate.key),
        project=certificate.key.project,
        environment=certificate.key.environment,
        name=certificate.key.name,
        source=certificate.source,
        status=_certificate_status(certificate),
        domains=certificate.hosts,
        subject=known.subject if known else "",
        names=known.names if known else (),
        issuer=known.issuer if known else "",
        not_before=instant(known.not_before) if known else None,
        not_after=instant(known.not_after) if known else None,
        fingerprint=known.fingerprint if known else "",
        key=known.key if known else "",
        problems=tuple(clear(f"{state}: {message}") for state, message in certificate.faults),
        notes=known.notes if known else (),
        used_by=users,
        manifest=pieces.place(certificate.place),
        generated_at=picture.generated_at,
    )


def _certificate_status(certificate: CertificateObject) -> str:
    """An imported one by what is wrong with it; of a managed one only its edge proxy knows."""
    if certificate.source == "managed":
        return "unknown"
    words = {state for state, _ in certificate.faults}
    return next((w for w in ("failed", "expired") if w in words), "pending" if words else "active")
