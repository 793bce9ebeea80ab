"""How rows of a release become values that JSON can hold."""

import math
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import duckdb


def records(connection: duckdb.DuckDBPyConnection, query: str, given: Sequence) -> list[dict]:
    """Rows of a query by column name; NaN is None, a day is `2021-12-01`, a decimal a float."""
    answer = connection.execute(query, list(given))
    names = [column[0] for column in answer.description or ()]
    return [
        {name: plain(value) for name, value in zip(names, row, strict=True)}
        for row in answer.fetchall()
    ]


def gathered(rows: Sequence[dict], *, by: str) -> list[dict]:
    """One row per value of the key, in the order of first appearance; the other values as lists."""
    found: dict[object, dict] = {}
    for row in rows:
        others = {name: value for name, value in row.items() if name != by}
        whole = found.setdefault(row[by], {by: row[by], **{name: [] for name in others}})
        for name, value in others.items():
            whole[name].append(value)
    return list(found.values())


def plain(value: object) -> object:
    """A value of the database as JSON writes it; neither NaN nor infinity is a number there."""
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, date) else value


def holds(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether the release has this table: one made by earlier code may lack the newer ones."""
    query = "select count(*) as n from duckdb_tables() where table_name = ?"
    return records(connection, query, [table])[0]["n"] > 0
