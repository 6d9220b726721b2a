"""The history as people read it: from any thread, newest first, never waiting for the writer."""

from __future__ import annotations

from reconciler.errors import InvalidInput
from reconciler.manifests.identity import ResourceKey
from reconciler.status.records import Deployment, Event
from reconciler.store import rows
from reconciler.store.database import Readers
from reconciler.store.tables import Field, clean


class History:
    """Reads of the ledger behind their port."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def events(
        self, *, key: ResourceKey | None = None, type: str = "", since: float = 0.0, before: int = 0, limit: int = 100
    ) -> list[Event]:
        """Newest first; ``since`` in epoch seconds, inclusive; ``before`` an event id, exclusive (0: the newest)."""
        asked = _about(key)
        if type:
            asked["type = ?"] = (type,)
        if since:
            asked["at >= ?"] = (float(since),)
        if before:
            asked["id < ?"] = (before,)
        clause, arguments = _clause(asked, "id", limit)
        with self._readers.reading() as connection:
            return [rows.to_event(row) for row in rows.EVENTS.select(connection, clause, arguments)]

    def deployments(
        self, *, key: ResourceKey | None = None, status: str = "", before: str = "", limit: int = 100
    ) -> list[Deployment]:
        """Newest first; ``before`` is a deployment id, exclusive. Raises ``InvalidInput`` for one that is not there."""
        asked = _about(key)
        if status:
            asked["status = ?"] = (status,)
        with self._readers.reading() as connection:
            if before:
                found = connection.execute("SELECT number FROM deployments WHERE id = ?", (clean(before),)).fetchone()
                if found is None:
                    raise InvalidInput(f"before: there is no deployment {before!r}; start again from the newest")
                asked["number < ?"] = found
            clause, arguments = _clause(asked, "number", limit)
            return [rows.to_deployment(row) for row in rows.DEPLOYMENTS.select(connection, clause, arguments)]

    def deployment(self, id: str) -> Deployment | None:
        with self._readers.reading() as connection:
            found = rows.DEPLOYMENTS.select(connection, "WHERE id = ?", (clean(id),))
        return rows.to_deployment(found[0]) if found else None


def _about(key: ResourceKey | None) -> dict[str, tuple[Field, ...]]:
    """What a row must say of its identity; without an environment every one is meant."""
    if key is None:
        return {}
    asked: dict[str, tuple[Field, ...]] = {
        "kind = ? AND project = ? AND name = ?": (clean(key.kind), clean(key.project), clean(key.name))
    }
    if key.environment:
        asked["environment = ?"] = (clean(key.environment),)
    return asked


def _clause(asked: dict[str, tuple[Field, ...]], order: str, limit: int) -> tuple[str, list[Field]]:
    where = f"WHERE {' AND '.join(asked)}" if asked else ""
    arguments = [value for values in asked.values() for value in values]
    return f"{where} ORDER BY {order} DESC LIMIT ?", [*arguments, max(limit, 0)]
