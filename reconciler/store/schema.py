"""The tables of the ledger, as numbered steps. A step that was released never changes; a new one is added below it.

Keys are columns. A unit is (target_kind, target_name, unit_project, unit_environment), an identity is (kind, project,
name, environment); empty texts where one has none. ``crc`` is a checksum of the row's other columns in their order.
"""

from __future__ import annotations

APPLICATION_ID = 0x5245434F  # "RECO": marks the file as ours, for `file` and for us

_UNIT = """
    target_kind TEXT NOT NULL, target_name TEXT NOT NULL,
    unit_project TEXT NOT NULL, unit_environment TEXT NOT NULL,
"""
_KEY = "kind TEXT NOT NULL, project TEXT NOT NULL, name TEXT NOT NULL, environment TEXT NOT NULL,"
_UNIT_COLUMNS = "target_kind, target_name, unit_project, unit_environment"
_KEY_COLUMNS = "kind, project, name, environment"

_FIRST = f"""
CREATE TABLE fresh (mark INTEGER PRIMARY KEY CHECK (mark = 1)) STRICT;
INSERT INTO fresh VALUES (1);

CREATE TABLE inventory ({_UNIT} {_KEY}
    source TEXT NOT NULL, deletion TEXT NOT NULL, gate TEXT NOT NULL, manifest TEXT NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY ({_UNIT_COLUMNS}, {_KEY_COLUMNS})
) STRICT, WITHOUT ROWID;

CREATE TABLE progress ({_UNIT} {_KEY}
    generation TEXT NOT NULL, since REAL NOT NULL, accepted INTEGER NOT NULL, failed INTEGER NOT NULL,
    message TEXT NOT NULL, previous TEXT NOT NULL, token TEXT NOT NULL,
    rejected TEXT NOT NULL, leaving TEXT NOT NULL, drains TEXT NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY ({_UNIT_COLUMNS}, {_KEY_COLUMNS})
) STRICT, WITHOUT ROWID;

CREATE TABLE approvals (
    approval TEXT NOT NULL, gate TEXT NOT NULL, state TEXT NOT NULL,
    identities TEXT NOT NULL, units TEXT NOT NULL, used TEXT NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (approval)
) STRICT, WITHOUT ROWID;

CREATE TABLE declared_paths (
    source TEXT NOT NULL, path TEXT NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (source, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE declared (
    source TEXT NOT NULL, path TEXT NOT NULL, {_KEY} crc INTEGER NOT NULL,
    PRIMARY KEY (source, path, {_KEY_COLUMNS})
) STRICT, WITHOUT ROWID;

CREATE TABLE conditions ({_UNIT} {_KEY}
    position INTEGER NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL,
    message TEXT NOT NULL, since REAL NOT NULL, revision TEXT NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY ({_UNIT_COLUMNS}, {_KEY_COLUMNS}, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE applied (
    source TEXT NOT NULL, revision TEXT NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (source)
) STRICT, WITHOUT ROWID;

CREATE TABLE holds ({_UNIT} {_KEY} crc INTEGER NOT NULL,
    PRIMARY KEY ({_UNIT_COLUMNS}, {_KEY_COLUMNS})
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, type TEXT NOT NULL, message TEXT NOT NULL,
    severity TEXT NOT NULL, revision TEXT NOT NULL, {_UNIT} {_KEY} crc INTEGER NOT NULL
) STRICT;
CREATE INDEX events_by_time ON events (at);
CREATE INDEX events_by_type ON events (type);
CREATE INDEX events_by_key ON events ({_KEY_COLUMNS});

CREATE TABLE deployments (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, {_UNIT} {_KEY}
    generation TEXT NOT NULL, release TEXT NOT NULL, revision TEXT NOT NULL, trigger TEXT NOT NULL,
    started_at REAL NOT NULL, snapshot TEXT NOT NULL,
    status TEXT NOT NULL, finished_at REAL, message TEXT NOT NULL, crc INTEGER NOT NULL
) STRICT;
CREATE INDEX deployments_by_key ON deployments ({_KEY_COLUMNS});
CREATE INDEX deployments_by_status ON deployments (status);
CREATE TRIGGER deployments_are_history BEFORE UPDATE OF
    number, id, {_UNIT_COLUMNS}, {_KEY_COLUMNS}, generation, release, revision, trigger, started_at, snapshot
    ON deployments BEGIN SELECT RAISE(ABORT, 'what was deployed never changes'); END;
"""  # noqa: S608  # made of constants

MIGRATIONS = (_FIRST,)
"""Step n takes a ledger of version n (``user_version``) to n + 1."""
