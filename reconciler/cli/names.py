"""From what somebody typed to one thing the daemon knows; when that is several, all of them are listed."""

from __future__ import annotations

from reconciler.cli.client import Answer, Client, Query, segment
from reconciler.errors import InvalidInput

PLURALS = ("projects", "environments", "resources", "servers", "deployments", "events", "drift", "sources", "work")
ALIASES = {"env": "environments", "envs": "environments", "cluster": "servers", "clusters": "servers"}


def plural(kind: str) -> str:
    """The list of a kind, however it is written: ``Resource``, ``resource``, ``resources``. Raises ``InvalidInput``."""
    word = kind.lower()
    found = ALIASES.get(word) or next((p for p in PLURALS if word in {p, p.removesuffix("s")}), "")
    if not found:
        raise InvalidInput(f"{kind!r} is none of {', '.join(PLURALS)}")
    return found


def reference(text: str, *, kind: str = "") -> tuple[str, str]:
    """``Kind/…/name`` or ``…/name`` as (list, path)."""
    first, slash, rest = text.partition("/")
    if slash and not kind:
        try:
            return plural(first), rest
        except InvalidInput:
            return "resources", text
    return plural(kind) if kind else "resources", text


def scope(project: str, environment: str) -> dict[str, str]:
    return {"project": project, "environment": environment}


def the_resource(daemon: Client, name: str, *, project: str, environment: str) -> Answer:
    """The summary of the one resource that is meant. Raises ``InvalidInput`` when there is none, or several."""
    found = daemon.items("resources", scope(project, environment))
    meant = [item for item in found if _matches(item, name)]
    if len(meant) == 1:
        return meant[0]
    if meant:
        listed = "\n".join(f"  {item['id']}" for item in meant)
        raise InvalidInput(f"{name!r} is not unique; say which with -p PROJECT or -e ENVIRONMENT:\n{listed}")
    near = [item["id"] for item in found if name.rpartition("/")[2] in item["name"]]
    raise InvalidInput(f"there is no resource {name!r}" + (f"; did you mean {', '.join(near[:5])}?" if near else ""))


def _matches(item: Answer, name: str) -> bool:
    project, environment, own = item["project"], item["environment"], item["name"]
    return name in {own, f"{environment}/{own}", f"{project}/{own}", f"{project}/{environment}/{own}"}


def path_of(resource: Answer) -> tuple[str, Query]:
    """Where the daemon has a resource: path and query."""
    path = f"resources/{segment(resource['project'])}/{segment(resource['name'])}"
    return path, {"environment": resource["environment"]}


def in_full(daemon: Client, name: str, *, project: str, environment: str) -> Answer:
    """The whole view of the one resource that is meant."""
    path, query = path_of(the_resource(daemon, name, project=project, environment=environment))
    return daemon.get(path, query)
