"""What the tables of each kind show. Worst first where there is a health."""

from __future__ import annotations

from typing import Any

from reconciler.cli.output import Column
from reconciler.cli.text import age, brief, clock, duration, moment, short

Item = dict[str, Any]

ORDER = ("unhealthy", "degraded", "unknown", "starting", "not-deployed", "stopped", "healthy")


def worst_first(items: list[Item]) -> list[Item]:
    """By health where there is one, what is not ready before what is; else as they came."""
    return sorted(items, key=lambda i: (ORDER.index(i["health"]) if i.get("health") in ORDER else 0, _ready(i)))


def _ready(item: Item) -> bool:
    return bool(item.get("ready", "True") == "True")


def said(item: Item) -> str:
    """Reason and message of a resource, in one cell."""
    if item.get("ready") == "True" and item.get("health") == "healthy":
        return ""
    reason, message = item.get("reason") or "", brief(item.get("message") or "", item)
    return f"{reason}: {message}" if reason and message else reason or message


def replicas(item: Item) -> str:
    """Ready of wanted; ``1/?`` while nobody can read how many are wanted."""
    wanted = "?" if item["desiredState"] == "unknown" else item["replicas"]["wanted"]
    return f"{item['replicas']['ready']}/{wanted}"


def counts(item: Item) -> str:
    return ", ".join(f"{number} {word}" for word, number in item["counts"].items())


def not_ready(items: list[Item]) -> str:
    """How many are healthy and all the same not as declared: their health alone would hide them."""
    number = sum(item["health"] == "healthy" and not _ready(item) for item in items)
    return f", {number} not as declared" if number else ""


def of(plural: str, *, now: str) -> list[Column]:
    """The columns of a list; ``now`` is when it was made, and ages are told from there."""
    return {
        "resources": _resources(now),
        "projects": _projects(),
        "environments": _environments(now),
        "servers": _servers(now),
        "domains": _domains(now),
        "certificates": _certificates(),
        "deployments": _deployments(now),
        "events": EVENTS,
        "drift": DRIFT,
        "sources": _sources(now),
        "work": _work(now),
    }[plural]


def name(plural: str, item: Item) -> str:
    """What ``-o name`` prints: good as an argument of the next command."""
    key = {"resources": "id", "drift": "resource", "sources": "name", "work": "unit"}.get(plural, "id")
    return str(item[key])


def _resources(now: str) -> list[Column]:
    return [
        Column("HEALTH", lambda i: i["health"], style=True),
        Column("RESOURCE", lambda i: i["id"]),
        Column("READY", replicas),
        Column("RUNTIME", lambda i: i["lifecycle"]),
        Column("SINCE", lambda i: age(i["since"], now)),
        Column("TARGET", lambda i: i["target"], wide=True),
        Column("SERVING", lambda i: short(i["serving"]), wide=True),
        Column("OBSERVED", lambda i: age(i["observedAt"], now), wide=True),
        Column("URL", lambda i: i["url"], wide=True),
        Column("WHY", said, fold=True),
    ]


def _projects() -> list[Column]:
    return [
        Column("HEALTH", lambda i: i["health"], style=True),
        Column("PROJECT", lambda i: i["name"]),
        Column("ENVIRONMENTS", lambda i: i["environments"]),
        Column("RESOURCES", lambda i: counts(i) or "none", fold=True),
    ]


def _environments(now: str) -> list[Column]:
    return [
        Column("HEALTH", lambda i: i["health"], style=True),
        Column("ENVIRONMENT", lambda i: i["id"]),
        Column("TARGET", lambda i: i["target"]),
        Column("OBSERVED", lambda i: age(i["observedAt"], now)),
        Column("RESOURCES", lambda i: counts(i) or "none", fold=True),
        Column("HOLD", lambda i: ": ".join(t for t in (i["hold"], i["message"]) if t), fold=True),
    ]


def _servers(now: str) -> list[Column]:
    return [
        Column("CONNECTIVITY", lambda i: i["connectivity"], style=True),
        Column("SERVER", lambda i: i["name"]),
        Column("ENGINE", lambda i: i["engine"]),
        Column("LIFECYCLE", lambda i: i["lifecycle"]),
        Column("RUNNING", lambda i: i["instances"]),
        Column("OBSERVED", lambda i: age(i["observedAt"], now)),
        Column("WHY", lambda i: i["message"], fold=True),
    ]


def _domains(now: str) -> list[Column]:
    return [
        Column("STATUS", lambda i: i["status"], style=True),
        Column("URL", lambda i: i["route"]["url"]),
        Column("LEADS TO", lambda i: i["route"]["redirectTo"] or i["resource"]),
        Column("DNS", lambda i: i["route"]["dns"]["state"]),
        Column("TLS", lambda i: i["route"]["tls"]["state"]),
        Column("ASKED", lambda i: age(i["route"]["dns"]["checkedAt"], now), wide=True),
        Column("BLOCKERS", lambda i: ", ".join(i["route"]["blockers"]), wide=True),
        Column("WHY", lambda i: i["route"]["message"] or i["route"]["dns"]["message"], fold=True),
    ]


def _certificates() -> list[Column]:
    return [
        Column("STATUS", lambda i: i["status"], style=True),
        Column("CERTIFICATE", lambda i: i["id"]),
        Column("SOURCE", lambda i: i["source"]),
        Column("DOMAINS", lambda i: ", ".join(i["domains"])),
        Column("UNTIL", lambda i: (i["notAfter"] or "-")[:10]),
        Column("ISSUER", lambda i: i["issuer"], wide=True),
        Column("WHY", lambda i: "; ".join(i["problems"]), fold=True),
    ]


def _deployments(now: str) -> list[Column]:
    return [
        Column("STATUS", lambda i: i["status"], style=True),
        Column("RESOURCE", lambda i: f"{i['project']}/{i['environment']}/{i['name']}"),
        Column("GENERATION", lambda i: short(i["generation"]), wide=True),
        Column("REVISION", lambda i: short(i["revision"])),
        Column("STARTED", lambda i: age(i["startedAt"], now)),
        Column("TOOK", took),
        Column("TRIGGER", lambda i: i["trigger"], wide=True),
        Column("ID", lambda i: i["id"], wide=True),
        Column("WHY", lambda i: brief(i["message"], i), fold=True),
    ]


def took(item: Item) -> str:
    started, finished = moment(item["startedAt"]), moment(item["finishedAt"])
    return duration((finished - started).total_seconds()) if started and finished else "-"


def _sources(now: str) -> list[Column]:
    return [
        Column("SOURCE", lambda i: i["name"]),
        Column("SEEN", lambda i: short(i["revision"]["seen"])),
        Column("APPLIED", lambda i: short(i["revision"]["applied"])),
        Column("BLOCKED", lambda i: short(i["revision"]["blocked"])),
        Column("CHECKED", lambda i: age(i["checkedAt"], now)),
        Column("LOCATION", lambda i: i["location"], wide=True),
        Column("WHAT", lambda i: i["error"] or i["subject"], fold=True),
    ]


def _work(now: str) -> list[Column]:
    return [
        Column("STATUS", lambda i: i["status"], style=True),
        Column("UNIT", lambda i: i["unit"]),
        Column("ATTEMPTS", lambda i: i["attempts"]),
        Column("TRIGGER", lambda i: i["trigger"]),
        Column("DUE IN", lambda i: age(now, i["dueAt"])),
        Column("NEXT", lambda i: i["nextAction"]),
        Column("ERROR", lambda i: i["error"], fold=True),
    ]


EVENTS = [
    Column("AT", lambda i: clock(i["at"])),
    Column("TYPE", lambda i: i["type"]),
    Column("SUBJECT", lambda i: i["resource"].partition("/")[2] or i["unit"]),
    Column("REVISION", lambda i: short(i["revision"]), wide=True),
    Column("MESSAGE", lambda i: i["message"], fold=True),
]

DRIFT = [
    Column("RESOURCE", lambda i: i["resource"].partition("/")[2]),
    Column("FIELD", lambda i: i["field"]),
    Column("WANTED", lambda i: i["wanted"], fold=True),
    Column("LIVE", lambda i: i["live"], fold=True),
    Column("INSTANCE", lambda i: i["instance"], wide=True),
    Column("MANIFEST", lambda i: i["manifest"], fold=True),
]
