"""Small pieces of a resource's spec, in the shape that planning and engines need: ports, probes, settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.desired.objects import Port, Probe
from reconciler.manifests.kinds.base import seconds
from reconciler.manifests.kinds.resource import PortSpec, ResourceSpec
from reconciler.manifests.kinds.rollout import Health

_LOOPBACK = "127.0.0.1"


def ports_of(spec: ResourceSpec, *, assigned: bool, behind_edge: frozenset[str] = frozenset()) -> tuple[Port, ...]:
    """Its ports by name. ``assigned``: the engine gives the numbers, except to ports that are direct. Those named in
    ``behind_edge`` have a listener of the edge before them; instances bind the addresses of all others themselves."""
    written = spec.ports or {}
    main = _main_name(written)
    direct = spec.network is not None and spec.network.exposure == "direct-port"
    bind = (spec.network.bind_address if spec.network is not None else None) or _LOOPBACK
    made = []
    for name, port in sorted(written.items()):
        long = port if isinstance(port, PortSpec) else PortSpec(port=port)
        host_port = long.host_port or (long.port if direct else 0)
        made.append(
            Port(
                name,
                0 if assigned and not host_port else long.port,
                main=name == main,
                protocol=long.protocol,
                fixed=name not in behind_edge or bool(host_port) or long.protocol == "udp",
                host_port=host_port,
                bind=long.bind_address or (bind if host_port else _LOOPBACK),
            )
        )
    return tuple(made)


def http_ports(spec: ResourceSpec, routed: Iterable[str]) -> frozenset[str]:
    """Ports that speak HTTP, as was said: by their name, by the health check, or by a domain that leads there."""
    ports = ports_of(spec, assigned=True)
    asked = port_called(ports, spec, spec.health.http.port) if spec.health and spec.health.http else None
    named = {port.name for port in ports if port.name.startswith("http")}
    return frozenset(named | set(routed) | ({asked} if asked else set()))


def _main_name(written: Mapping[str, int | PortSpec]) -> str:
    """The one named http, else the only one, else the one that says it is primary."""
    if "http" in written or len(written) == 1:
        return "http" if "http" in written else next(iter(written))
    return next((name for name, port in sorted(written.items()) if isinstance(port, PortSpec) and port.primary), "")


def port_called(ports: Iterable[Port], spec: ResourceSpec, called: str | int | None) -> str | None:
    """The name of a port that is called by its name or number, or of the main one; None when there is none."""
    known = list(ports)
    if called is None:
        return next((port.name for port in known if port.main), None)
    for port in known:
        written = (spec.ports or {})[port.name]
        number = written.port if isinstance(written, PortSpec) else written
        if called in (port.name, number):
            return port.name
    return None


def probe_of(spec: ResourceSpec, ports: tuple[Port, ...], host: str) -> Probe | str:
    """What healthy means; a text says what is wrong with what was written."""
    health = spec.health or Health()
    if health.command is not None:
        return Probe("command", command=tuple(health.command))
    called = health.http.port if health.http is not None else health.tcp.port if health.tcp is not None else None
    port = port_called(ports, spec, called)
    if port is None:
        asked = health.http is not None or health.tcp is not None
        return f"there is no port {called or 'to ask'}; name one of spec.ports" if asked else Probe("quiet")
    if health.http is None:
        return Probe("tcp", port=port)
    http = health.http
    return Probe(
        "http",
        path=http.path,
        port=port,
        method=http.method,
        scheme=http.scheme,
        host=http.host or host,
        statuses=tuple(http.status or ()),
        text=http.text or "",
    )


def settings_of(spec: ResourceSpec) -> dict[str, str]:
    """What may change on an instance in place; what is not written is the engine's default, and left out."""
    health = spec.health or Health()
    durations = {
        "stopTimeout": spec.deploy.stop_timeout if spec.deploy is not None else None,
        "probe.interval": health.interval,
        "probe.timeout": health.timeout,
        "probe.startPeriod": health.start_period,
    }
    settings = {name: str(seconds(text)) for name, text in durations.items() if text is not None}
    if health.retries is not None:
        settings["probe.retries"] = str(health.retries)
    if spec.restart_when_unhealthy:
        settings["restartWhenUnhealthy"] = "true"
    return dict(sorted(settings.items()))
