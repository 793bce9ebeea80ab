"""A published release, asked and changed: every value of a part is compared with SQL on it."""

import shutil
from contextlib import contextmanager
from pathlib import Path

import duckdb

from crime_platform.vocabulary.home import PlatformHome


def asked(connection, query, *values):
    """Rows of a query."""
    return connection.execute(query, list(values)).fetchall()


def in_another_area(*tables):
    """Statements that copy rows to an area `other`, ids, months and days alike."""
    return [
        f"insert into {table} select * replace ('other' as study_area) from {table}"
        for table in tables
    ]


@contextmanager
def changed_release(home: PlatformHome, folder: Path, *statements: str):
    """Read-only connection to a copy of the release on which these statements were run."""
    copy = folder / "forecasts-changed.duckdb"
    shutil.copy(home.forecasts.resolve(), copy)
    with duckdb.connect(str(copy)) as connection:
        for statement in statements:
            connection.execute(statement)
    with duckdb.connect(str(copy), read_only=True) as connection:
        yield connection
