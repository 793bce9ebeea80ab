"""The file behind the warehouse: its lock, its tables, and connections of one transaction."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from crime_platform.warehouse_schema import SCHEMA

if TYPE_CHECKING:
    import pandas as pd


def now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class WarehouseFile:
    """One DuckDB file behind a file lock."""

    path: Path

    @contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # The kernel frees the lock when a process dies, so nothing waits for a killed run.
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, kind)
            yield

    def _make(self) -> None:
        """Create the file whole or not at all: a reader relies on the tables of one that exists."""
        aside = self.path.with_suffix(".new")
        with duckdb.connect(str(aside)) as connection:
            connection.execute(SCHEMA)
        aside.replace(self.path)

    @contextmanager
    def writer(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection inside one transaction: committed at the end, rolled back on any error."""
        with self._locked(fcntl.LOCK_EX):
            if not self.path.exists():
                self._make()
            with duckdb.connect(str(self.path)) as connection:
                connection.execute(f"begin; {SCHEMA} commit")
                connection.begin()
                try:
                    yield connection
                except BaseException:
                    connection.rollback()
                    raise
                connection.commit()

    def add_missing_tables(self) -> None:
        """Bring a file that an earlier version made up to date; what it holds stays."""
        with self.writer():
            pass

    @contextmanager
    def reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection; an absent warehouse reads as an empty one."""
        if not self.path.exists():
            with self.writer():
                pass
        with (
            self._locked(fcntl.LOCK_SH),
            duckdb.connect(str(self.path), read_only=True) as connection,
        ):
            yield connection

    def read(self, query: str, *parameters: object) -> "pd.DataFrame":
        """Result of one parameterised query."""
        with self.reader() as connection:
            return _frame(connection, query, parameters)

    def read_each(self, queries: Sequence[str], *parameters: object) -> "list[pd.DataFrame]":
        """Results of several queries with the same parameters, of one moment."""
        with self.reader() as connection:
            return [_frame(connection, query, parameters) for query in queries]


def _frame(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[object]
) -> "pd.DataFrame":
    # Through Arrow: DuckDB's own conversion warns with pandas 3.
    table = connection.sql(query, params=list(parameters)).to_arrow_table()
    return table.to_pandas(date_as_object=False)
