"""Rows with a checksum: read back they are what was written, or the ledger is damaged."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Field = str | int | float | None
Row = tuple[Field, ...]


class Unsound(sqlite3.DatabaseError):
    """A row is not what was written; at the border it becomes ``LedgerDamaged``, as all damage does."""


def checksum(row: Sequence[Field]) -> int:
    """CRC-32 of the row's canonical JSON: finds flipped bits, wherever they fall."""
    return zlib.crc32(json.dumps(list(row), ensure_ascii=False, separators=(",", ":")).encode())


def clean(text: str) -> str:
    """The text as the database can hold it: what is not Unicode is written as an escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def cleaned(row: Row) -> Row:
    return tuple(clean(field) if isinstance(field, str) else field for field in row)


@dataclass(frozen=True, slots=True)
class Table:
    """One table; the first ``key`` of its columns identify a row."""

    name: str
    columns: tuple[str, ...]
    key: int

    def read(self, connection: sqlite3.Connection, scope: Row = (), *, tail: str = "") -> list[Row]:
        """The rows whose first columns are ``scope``, each checked. Raises ``Unsound``."""
        where = f"WHERE {_equal(self.columns[: len(scope)])}" if scope else ""
        return self.select(connection, f"{where} {tail}", scope)

    def select(self, connection: sqlite3.Connection, clause: str, arguments: Sequence[Field]) -> list[Row]:
        """The rows that a constant SQL clause picks, each checked. Raises ``Unsound``."""
        columns = ", ".join(self.columns)
        query = f"SELECT {columns}, crc FROM {self.name} {clause}"  # noqa: S608  # names of ours only
        found = []
        for *row, crc in connection.execute(query, arguments):
            if any(isinstance(field, bytes) for field in row) or checksum(row) != crc:
                raise Unsound(f"a row of {self.name} is not what was written")
            found.append(tuple(row))
        return found

    def sync(self, connection: sqlite3.Connection, scope: Row, rows: Iterable[Row]) -> None:
        """Makes the rows of ``scope`` these, and touches only those that differ."""
        wanted = {row[: self.key]: row for row in map(cleaned, rows)}
        present = {row[: self.key]: row for row in self.read(connection, cleaned(scope))}
        for gone in sorted(present.keys() - wanted.keys()):
            where = _equal(self.columns[: self.key])
            connection.execute(f"DELETE FROM {self.name} WHERE {where}", gone)  # noqa: S608  # names of ours only
        for key in sorted(wanted):
            if present.get(key) != wanted[key]:
                self.put(connection, wanted[key])

    def put(self, connection: sqlite3.Connection, row: Row) -> None:
        """Writes one row, in place of the one with its key."""
        columns = ", ".join((*self.columns, "crc"))
        marks = ", ".join("?" * (len(self.columns) + 1))
        row = cleaned(row)
        connection.execute(
            f"INSERT OR REPLACE INTO {self.name} ({columns}) VALUES ({marks})",  # noqa: S608  # names of ours only
            (*row, checksum(row)),
        )

    def amend(self, connection: sqlite3.Connection, row: Row, last: int) -> None:
        """Changes only the ``last`` columns of the row with this key, as far as the database is concerned."""
        changes = ", ".join(f"{column} = ?" for column in (*self.columns[-last:], "crc"))
        where = _equal(self.columns[: self.key])
        connection.execute(
            f"UPDATE {self.name} SET {changes} WHERE {where}",  # noqa: S608  # names of ours only
            (*row[-last:], checksum(row), *row[: self.key]),
        )


def _equal(columns: Iterable[str]) -> str:
    return " AND ".join(f"{column} = ?" for column in columns)
