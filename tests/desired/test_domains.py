"""Domains: both forms, default hosts, environments, rivals, circles, TLS; what withholds a route, and no resource."""

from __future__ import annotations

import pytest

from reconciler.desired.assemble import assemble
from reconciler.desired.facts import Facts
from reconciler.desired.objects import Desired, RouteObject
from reconciler.manifests.hosts import ascii_host, covers, host_and_path
from reconciler.manifests.identity import ResourceKey
from tests.manifests.conftest import HEAD, Repository

SERVER = "connection: {kind: local}, engine: process, edgeProxy: {kind: caddy, listen: {LISTEN}}"
LOCAL = 'http: "127.0.0.1:8080", https: "127.0.0.1:8443"'
APP = "source: {kind: local-folder, path: app}, ports: {http: 8000}"


class World(Repository):
    """One project, with as many environments as are named, on a server with an edge proxy."""

    def __init__(self, *environments: str, listen: str = LOCAL, more: str = "") -> None:
        super().__init__()
        self.listen = listen
        self.write("app/run.py", "print()")
        self.document("Server", "here", SERVER.replace("LISTEN", listen) + more, project="")
        self.project("shop", *(environments or ("live",)))

    def document(self, kind: str, name: str, spec: str, *, project: str = "shop") -> None:
        where = f", project: {project}" if project else ""
        text = f"{HEAD}kind: {kind}\nmetadata: {{name: {name}{where}}}\nspec: {{{spec}}}\n"
        self.write(f"{project}{kind}-{name}.yaml".lower(), text)

    def project(self, name: str, *environments: str) -> None:
        placed = ", ".join(f"{environment}: {{target: {{server: here}}}}" for environment in environments)
        self.document("Project", name, f"environments: {{{placed}}}", project="")

    def web(self, domains: str = "", *, more: str = "", name: str = "web", project: str = "shop") -> None:
        said = f", domains: {{{domains}}}" if domains else ""
        self.document("Resource", name, f"{APP}{said}{more}", project=project)

    def desired(self, **facts) -> Desired:
        return assemble(self.catalog(), Facts(**facts))


def public(desired: Desired) -> dict[str, RouteObject]:
    """The public routes, by id and resource where there are several."""
    routes = [route for route in desired.routes if not route.internal]
    return {f"{r.id} {r.resource.project}/{r.resource.environment}/{r.resource.name}": r for r in routes}


def only(desired: Desired) -> RouteObject:
    assert not desired.problems, [str(p) for p in desired.problems]
    assert not desired.blocks, [str(b.problem) for b in desired.blocks]
    (route,) = public(desired).values()
    return route


def said(desired: Desired) -> list[str]:
    """Everything that is wrong, whether it blocks or not."""
    return sorted({*map(str, desired.problems), *(str(b.problem) for b in desired.blocks)})


# --- both forms -------------------------------------------------------------------------------------------------------


def test_the_long_form_says_what_the_short_form_says():
    """One resource, two ways to write its domain, one route."""
    world = World()
    world.web("shop.localhost/api: {stripPrefix: true, port: 8000}")
    short = only(world.desired())
    world.web()
    world.document("Domain", "api", "domainName: shop.localhost/api, resource: web, stripPrefix: true, port: http")
    long = only(world.desired())
    assert long.shape == short.shape
    assert (long.id, long.port) == (short.id, short.port) == ("shop.localhost/api", "http")
    assert (short.binding.document, long.binding.document.name) == (None, "api")


@pytest.mark.parametrize(
    "written", ["Shop.Localhost/api/", "shop.localhost.: {pathPrefix: /api}", "SHOP.localhost/api"]
)
def test_a_name_means_what_the_network_makes_of_it(written):
    """Letter case, a dot at the end of a host, a slash at the end of a path."""
    world = World()
    world.web(written if ": {" in written else f"{written}: {{}}")
    assert only(world.desired()).id == "shop.localhost/api"


def test_a_path_is_said_once():
    """Behind the host or as pathPrefix, not both."""
    world = World()
    world.web("shop.localhost/a: {pathPrefix: /b}")
    (told,) = said(world.desired())
    assert told.startswith("shopresource-web.yaml:4:99 domains.pathPrefix: shop.localhost/a has a path already")


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("Bücher.example", "xn--bcher-kva.example"),
        ("*.Shop.Example", "*.shop.example"),
        ("pr--12.example", "pr--12.example"),
    ],
)
def test_hosts_as_the_network_knows_them(written, host):
    """Punycode for what is not ASCII; a leading wildcard stays; dashes are nobody's business."""
    assert ascii_host(written) == host


@pytest.mark.parametrize(
    "written", ["a..b", "-a.example", "a b", "*.*.example", "x" * 64, "a.*", "ä" * 70, "a_b.example"]
)
def test_what_is_no_host_is_refused_with_its_value(written):
    """Whatever is wrong with it."""
    with pytest.raises(ValueError, match="is not a host name"):
        host_and_path(written)


def test_an_impossible_host_is_told_where_it_stands():
    """By the decoder, like any other field."""
    world = World()
    world.web("a..b: {}")
    assert "is not a host name" in said(world.desired())[0]


def test_a_wildcard_covers_one_label():
    """As certificates and proxies have it."""
    assert [covers("*.a.b", host) for host in ("x.a.b", "a.b", "y.x.a.b", "*.a.b")] == [True, False, False, True]


# --- environments -----------------------------------------------------------------------------------------------------


def test_with_several_environments_one_is_named():
    """The error lists them, the routes wait, and the resources go on."""
    world = World("live", "test")
    world.web("shop.localhost: {}")
    desired = world.desired()
    assert said(desired)[0].endswith("web is in live, test: name the environment of shop.localhost/")
    assert [r.withheld.reason for r in public(desired).values()] == ["NotPossible", "NotPossible"]
    assert len(desired.workloads) == 2


@pytest.mark.parametrize("form", ["short", "long"])
def test_a_named_environment_is_the_only_one(form):
    """In both forms."""
    world = World("live", "test")
    if form == "short":
        world.web("shop.localhost: {environment: test}")
    else:
        world.web()
        world.document("Domain", "d", "domainName: shop.localhost, resource: web, environment: test")
    assert only(world.desired()).resource.environment == "test"


def test_an_override_gives_each_environment_its_own():
    """Then nothing is left to ask, and an override of a Domain counts as well."""
    world = World("live", "test")
    overrides = ", overrides: {live: {domains: {a.localhost: {}}}, test: {domains: {b.localhost: {}}}}"
    world.web(more=overrides)
    assert [r.id for r in public(world.desired()).values()] == ["a.localhost/", "b.localhost/"]
    world.document(
        "Domain", "d", "domainName: c.localhost, resource: web, environment: live, overrides: {live: {pathPrefix: /x}}"
    )
    assert "c.localhost/x shop/live/web" in public(world.desired())


def test_an_environment_without_the_resource_is_an_error():
    """Nothing is left out in silence."""
    world = World("live", "test")
    world.web("shop.localhost: {environment: test}", more=", environments: [live]")
    assert said(world.desired())[0].endswith("web is not in test, it is in live")
    world.web(more=", environments: [live]")
    world.document("Domain", "d", "domainName: shop.localhost, resource: web, environment: test")
    assert said(world.desired())[0].endswith("web is nothing that we run in test, so shop.localhost leads nowhere")


# --- rivals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("second", ["short", "long"])
def test_two_claimants_are_told_both_places(second):
    """Across projects and forms; both keep their claims, since only who holds the route can decide."""
    world = World()
    world.project("other", "live")
    world.web("Shop.localhost: {}")
    if second == "short":
        world.web("shop.localhost: {}", project="other")
        place = "otherresource-web.yaml:4"
    else:
        world.web(project="other")
        world.document("Domain", "d", "domainName: shop.localhost/, resource: web", project="other")
        place = "otherdomain-d.yaml:4"
    desired = world.desired()
    first, other = sorted(said(desired), reverse=True)
    assert first.startswith("shopresource-web.yaml:4") and place in first and "Resource/other/live/web" in first
    assert other.startswith(place) and "shopresource-web.yaml:4" in other
    assert len(desired.workloads) == 2
    assert [r.withheld for r in public(desired).values()] == [None, None]


def test_one_resource_that_says_two_things_keeps_what_is_there():
    """Nobody knows which one is meant."""
    world = World()
    world.web("shop.localhost: {}")
    world.document("Domain", "d", "domainName: shop.localhost, resource: web, stripPrefix: true")
    desired = world.desired()
    (route,) = public(desired).values()
    assert (route.withheld.reason, route.withheld.keeps_shape) == ("DomainConflict", True)
    assert len(said(desired)) == 2


def test_hosts_and_paths_beside_each_other_are_no_rivals():
    """The longer path answers first, which is the edge's to do."""
    world = World()
    world.web("shop.localhost: {}, shop.localhost/api: {}")
    assert said(world.desired()) == []


# --- redirects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("written", "status"), [("", 308), (", redirectStatus: 302", 302)])
def test_a_redirect_is_permanent_unless_it_says_otherwise(written, status):
    """To a host that need not be ours."""
    world = World()
    world.web(f"www.localhost: {{redirectTo: Elsewhere.example{written}}}")
    shape = only(world.desired()).shape
    assert (shape.redirect_to, shape.redirect_status) == ("elsewhere.example", status)


def test_a_circle_of_redirects_shows_every_place():
    """Across projects; everything else goes on."""
    world = World()
    world.project("other", "live")
    world.web("a.localhost: {redirectTo: b.localhost}, c.localhost: {redirectTo: a.localhost}")
    world.web("b.localhost/: {redirectTo: a.localhost}", project="other")
    desired = world.desired()
    told = said(desired)
    assert len(told) == 2
    assert all("shopresource-web.yaml:4" in t and "otherresource-web.yaml:4" in t for t in told)
    held = {r.id: r.withheld.reason for r in public(desired).values() if r.withheld is not None}
    assert held == {"a.localhost/": "RedirectLoop", "b.localhost/": "RedirectLoop"}
    assert len(desired.workloads) == 2


def test_a_longer_path_that_answers_ends_a_circle():
    """Requests below /shop go round; those for / never do."""
    world = World()
    world.web(
        "a.localhost/shop: {redirectTo: b.localhost}, b.localhost: {}, b.localhost/shop/x: {redirectTo: a.localhost}"
    )
    told = said(world.desired())
    assert len(told) == 1
    assert "b.localhost to a.localhost" in told[0]
    world.web("a.localhost: {redirectTo: b.localhost}, b.localhost: {}")
    assert said(world.desired()) == []


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ("a.localhost: {redirectTo: A.localhost}", "a.localhost redirects to itself"),
        ("a.localhost: {redirectTo: '*.localhost'}", "redirect to a host by its name"),
        ("a.localhost: {redirectStatus: 301}", "redirectStatus goes with redirectTo"),
        ("a.localhost: {port: admin}", "there is no port admin"),
        (
            "a.localhost: {tlsMode: disabled, certificateRef: c}",
            "it has no TLS, and certificateRef names a certificate for it",
        ),
        ("'*.shop.example': {}", "no certificate for *.shop.example can be obtained here"),
    ],
)
def test_what_one_domain_cannot_be(domain, message):
    """A resource's own short form blocks it, with a place."""
    world = World()
    world.web(domain)
    world.document("Certificate", "c", "source: managed, domains: [a.localhost]")
    desired = world.desired()
    assert any(message in text for text in said(desired)), said(desired)
    assert desired.workloads == ()


def test_the_same_in_a_document_of_its_own_withholds_its_route_alone():
    """The resource runs, and what is there stays as it is."""
    world = World()
    world.web()
    world.document("Domain", "d", "domainName: a.localhost, resource: web, port: admin")
    desired = world.desired()
    (route,) = public(desired).values()
    assert (route.withheld.reason, route.withheld.keeps_shape, len(desired.workloads)) == ("NotPossible", True, 1)
    assert "there is no port admin" in said(desired)[0]


@pytest.mark.parametrize("more", [", visibility: internal", ", network: {exposure: none}"])
def test_what_is_not_for_the_world_has_no_domain(more):
    """Two fields that contradict each other are never weighed."""
    world = World()
    world.web("a.localhost: {}", more=more)
    assert world.desired().workloads == ()


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "domain", "tls", "off"),
    [
        ("a.localhost", "{}", "", "not-applicable"),
        ("a.localhost", "{tlsMode: auto}", "internal", ""),
        ("a.example", "{}", "auto", ""),
        ("a.example", "{tlsMode: disabled}", "", "disabled"),
        ("a.example", "{certificatePolicy: disabled}", "", "disabled"),
    ],
)
def test_what_is_encrypted(host, domain, tls, off):
    """Plain http where it was asked for, and for *.localhost unless auto is written."""
    world = World()
    world.web(f"{host}: {domain}")
    route = only(world.desired())
    assert (route.shape.tls, route.binding.tls_off) == (tls, off)


def test_without_a_listener_for_https_nothing_is_promised():
    """Plain http by default; what asks for TLS is an error."""
    world = World(listen='http: "127.0.0.1:8080"')
    world.web("a.example: {}")
    assert only(world.desired()).shape.tls == ""
    world.web("a.example: {tlsMode: auto}")
    assert "listens for no https" in said(world.desired())[0]


# --- default domains --------------------------------------------------------------------------------------------------

TEMPLATE = ', defaultDomain: {mode: custom-template, template: "{resource}-{environment}-{project}.localhost"}'


def test_what_is_public_and_speaks_http_gets_a_default_domain():
    """Beside its own; a worker, an internal one and one that is not behind the proxy get none."""
    world = World(more=TEMPLATE)
    world.web("shop.localhost: {}")
    world.web(name="inner", more=", visibility: internal")
    world.web(name="direct", more=", network: {exposure: direct-port}")
    world.document("Resource", "worker", "source: {kind: local-folder, path: app}")
    world.document("Resource", "raw", "source: {kind: local-folder, path: app}, ports: {queue: 1}")
    routes = public(world.desired())
    assert {r.id: r.binding.source for r in routes.values()} == {
        "shop.localhost/": "durable-domain-binding",
        "web-live-shop.localhost/": "generated-default-access",
    }


def test_a_server_that_turns_them_off_beats_the_settings():
    """The settings only speak for servers that say nothing."""
    world = World()
    world.web()
    template = "{resource}.localhost"
    assert [r.id for r in public(world.desired(default_domain=template)).values()] == ["web.localhost/"]
    off = World(more=", defaultDomain: {mode: disabled}")
    off.web()
    assert public(off.desired(default_domain=template)) == {}


def test_a_declared_domain_goes_before_a_default_one_and_two_default_ones_are_rivals():
    """What somebody wrote is meant; of two that nobody wrote the holder keeps it, and the template is to blame."""
    world = World("live", more=', defaultDomain: {mode: custom-template, template: "{resource}.localhost"}')
    world.project("other", "live")
    world.web()
    world.web("web.localhost: {}", project="other")
    assert {r.resource.project for r in public(world.desired()).values()} == {"other"}
    world.web(project="other")
    told = said(world.desired())
    assert len(told) == 2
    assert all(t.startswith("server-here.yaml:4") and "spec.defaultDomain" in t for t in told)


def test_a_label_that_would_be_too_long_loses_letters_and_gets_digits():
    """So that two long names stay apart."""
    world = World(more=TEMPLATE)
    world.web(name="a" * 60)
    world.web(name="a" * 61)
    hosts = [r.shape.host.partition(".")[0] for r in public(world.desired()).values()]
    assert [len(host) for host in hosts] == [63, 63]
    assert len(set(hosts)) == 2


@pytest.mark.parametrize("template", ["{resource}.{stage}", "{resource}..localhost", "{resource"])
def test_a_template_that_makes_no_host_is_an_error_of_the_server(template):
    """Found where it is written."""
    world = World(more=f', defaultDomain: {{mode: custom-template, template: "{template}"}}')
    assert "server-here.yaml:4" in said(world.desired())[0]


def test_what_nobody_runs_here_gets_no_route():
    """An external resource, or one that is to go."""
    world = World()
    world.document("Resource", "web", "source: {kind: external}")
    world.document("Domain", "d", "domainName: a.localhost, resource: web")
    desired = world.desired()
    assert public(desired) == {}
    assert "web is nothing that we run" in said(desired)[0]
    assert ResourceKey("Domain", "shop", "d") in desired.declared
