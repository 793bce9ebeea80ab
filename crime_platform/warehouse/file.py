"""The file behind the warehouse: its lock, its tables, and connections of one transaction."""

import errno
import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

import duckdb

from crime_platform.vocabulary.artifact import remove, sync_file, sync_folder
from crime_platform.vocabulary.seal import set_aside
from crime_platform.warehouse.tables import MARK, MARKED, SCHEMA

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
        # The kernel frees the lock when a process dies, so nothing waits for a killed run.
        with self._lock_file(kind) as lock:
            fcntl.flock(lock, kind)
            yield

    def _lock_file(self, kind: int) -> IO[bytes]:
        path = self.path.with_suffix(".lock")
        if kind == fcntl.LOCK_SH and path.exists():
            return path.open("rb")  # who may only read the home can hold it too
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb")

    def _make(self) -> None:
        """Create the file whole or not at all: a reader relies on the tables of one that exists.

        It takes its name once its tables are in the file itself, not in the log beside it.

        Raises:
            OSError: if the disk has no room for it; what was begun is removed.
        """
        aside = self.path.with_suffix(".new")
        if _log_of(self.path).exists():  # of a database that is gone
            set_aside(_log_of(self.path), "its database is gone")
        _remove_database(aside)  # what a killed start left may hold anything
        try:
            with duckdb.connect(str(aside)) as connection:
                connection.execute(SCHEMA)
                connection.execute("checkpoint")
                n_tables = _n_tables(connection)
            with duckdb.connect(str(aside), read_only=True) as connection:
                if _n_tables(connection) != n_tables:
                    raise OSError(errno.EIO, "a new warehouse lacks tables", str(aside))
            sync_file(aside)
            aside.replace(self.path)
            sync_folder(self.path.parent)
        finally:
            _remove_database(aside)

    @property
    def _is_begun(self) -> bool:
        return self.path.exists() and self.path.stat().st_size > 0

    @contextmanager
    def writer(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection inside one transaction: committed at the end, rolled back on any error."""
        with self._locked(fcntl.LOCK_EX):
            if not self._is_begun:
                self._make()
            with duckdb.connect(str(self.path)) as connection:
                connection.execute(f"begin; {SCHEMA} commit")
                connection.begin()
                try:
                    yield connection
                except BaseException:
                    with suppress(duckdb.Error):  # a connection that broke rolls back by itself
                        connection.rollback()
                    raise
                connection.commit()

    def add_missing_tables(self) -> None:
        """Bring a file that an earlier version made up to date; what it holds stays.

        A file that is up to date is not written to: sensors ask every few seconds.
        """
        if self._is_begun:
            with self._opened() as connection:
                if _is_newest(connection):
                    return
        with self.writer():
            pass

    @contextmanager
    def reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection; an absent warehouse reads as an empty one."""
        if not self._is_begun:
            self.add_missing_tables()
        with self._opened() as connection:
            if _n_tables(connection):
                yield connection
                return
        # An earlier version could leave a file without its tables when the disk was full.
        self.add_missing_tables()
        with self._opened() as connection:
            yield connection

    @contextmanager
    def _opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
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


def _is_newest(connection: duckdb.DuckDBPyConnection) -> bool:
    found = connection.execute(
        "select comment from duckdb_tables() where table_name = ?", [MARKED]
    ).fetchall()
    return found == [(MARK,)]


def _n_tables(connection: duckdb.DuckDBPyConnection) -> int:
    ((n_tables,),) = connection.execute("select count(*) from duckdb_tables()").fetchall()
    return n_tables


def _remove_database(path: Path) -> None:
    """Delete a database file with its log; what is not there needs no deleting."""
    remove(path)
    remove(_log_of(path))


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def _frame(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[object]
) -> "pd.DataFrame":
    # Through Arrow: DuckDB's own conversion warns with pandas 3.
    table = connection.sql(query, params=list(parameters)).to_arrow_table()
    return table.to_pandas(date_as_object=False)
