"""How the parts ask the release: plain queries, its key, and whether it is of this version."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from crime_platform.dashboard.data.part_error import PartError
from crime_platform.schema.cell_tables import TABLES

Connection = duckdb.DuckDBPyConnection
NAMED_AT_MOST = 5  # of what an old release lacks


def release_key(connection: Connection) -> str:
    """What names the release: equal keys, equal contents."""
    return Path(_release_path(connection)).stem.removeprefix("forecasts-")


def require_current(connection: Connection) -> None:
    """Refuse a release that an earlier version of the platform built.

    Raises:
        PartError: if it lacks a table or column of this version.
    """
    rows = connection.execute("select table_name, column_name from duckdb_columns()").fetchall()
    found = set(rows)
    wanted = [(table.name, column.name) for table in TABLES for column in table.columns]
    tables = {name for name, _ in found}
    missing = [
        f"{table}.{column}" if table in tables else table
        for table, column in wanted
        if (table, column) not in found
    ]
    if missing:
        named = list(dict.fromkeys(missing))
        more = f" and {len(named) - NAMED_AT_MOST} more" if len(named) > NAMED_AT_MOST else ""
        raise PartError(
            f"{Path(_release_path(connection)).name} was made by an earlier version of the "
            f"platform: it lacks {', '.join(named[:NAMED_AT_MOST])}{more}. Run "
            "`crime-platform run` again, and the release is made anew."
        )


def execute(connection: Connection, query: str, keys: Mapping[str, object]) -> Connection:
    """Run a query with those of the keys that it names: DuckDB refuses the others."""
    used = {key: value for key, value in keys.items() if f"${key}" in query}
    return connection.execute(query, used)


def first_column(connection: Connection, query: str, keys: Mapping[str, object]) -> tuple[Any, ...]:
    """Values of a query's first column."""
    return tuple(row[0] for row in execute(connection, query, keys).fetchall())


def read_columns(
    connection: Connection, query: str, keys: Mapping[str, object]
) -> dict[str, np.ndarray]:
    """A query's columns as arrays.

    Raises:
        PartError: if one holds NULL, which an array of numbers has no word for.
    """
    found = execute(connection, query, keys).fetchnumpy()
    empty = [name for name, values in found.items() if np.ma.is_masked(values)]
    if empty:
        raise PartError(
            f"{', '.join(empty)} of {Path(_release_path(connection)).name} should have a value in "
            "every row, and some are NULL; run `crime-platform run` again"
        )
    return {name: np.asarray(values) for name, values in found.items()}


def one_row(connection: Connection, query: str, keys: Mapping[str, object]) -> dict[str, Any]:
    """A query's only row by column; None for NULL and NaN, as JSON has no word for either."""
    answer = execute(connection, query, keys)
    columns = [column[0] for column in answer.description or []]
    row = dict(zip(columns, answer.fetchall()[0], strict=True))
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in row.items()
    }


def _release_path(connection: Connection) -> str:
    query = "select path from duckdb_databases() where database_name = current_database()"
    return str(connection.execute(query).fetchall()[0][0])
