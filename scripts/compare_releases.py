"""Whether two releases hold the same numbers: every table and view, row by row, bit for bit.

Usage: python scripts/compare_releases.py OLD.duckdb NEW.duckdb. Exit code 0: the same but for what
names the run and its code, which is listed; 1: something differs, with the first rows that do.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

# What a run of the same data and the same formulas may change: keys and hashes, which follow the
# text of the code, and where, when and how long it ran.
NOT_COMPARED = (
    "candidate_id",
    "data_version",
    "model_version",
    "sha256",
    "git_commit",
    "run_id",
    "checked_at",
    "measured_at",
    "published_at",
    "training_seconds",
    "fit_seconds",
    "evidence_seconds",
)
ROWS_SHOWN = 10
FLOATS = ("FLOAT", "DOUBLE")


@dataclass(frozen=True, slots=True)
class Column:
    """A column as a release declares it."""

    name: str
    type: str
    comment: str | None


def differences(old: Path, new: Path) -> list[str]:
    """One line per difference of two releases; none if they are the same."""
    with duckdb.connect() as connection:
        for alias, path in (("old", old), ("new", new)):
            quoted = str(path.resolve(strict=True)).replace("'", "''")
            connection.execute(f"attach '{quoted}' as {alias} (read_only)")
        before, after = _relations(connection, "old"), _relations(connection, "new")
        found = [f"{name}: only in the old release" for name in before if name not in after]
        found += [f"{name}: only in the new release" for name in after if name not in before]
        for name in (name for name in before if name in after):
            if before[name] != after[name]:
                found += _declared(name, before[name], after[name])
            else:
                found += _rows(connection, name, before[name].columns)
    return found


@dataclass(frozen=True, slots=True)
class _Relation:
    kind: str
    comment: str | None
    columns: tuple[Column, ...]


def _relations(connection: duckdb.DuckDBPyConnection, alias: str) -> dict[str, _Relation]:
    comments = connection.execute(
        "select table_name, 'table', comment from duckdb_tables() where database_name = ? "
        "union all select view_name, 'view', comment from duckdb_views() "
        "where database_name = ? and not internal order by all",
        [alias, alias],
    ).fetchall()
    columns: dict[str, list[Column]] = {}
    for name, *column in connection.execute(
        "select table_name, column_name, data_type, comment from duckdb_columns() "
        "where database_name = ? order by table_name, column_index",
        [alias],
    ).fetchall():
        columns.setdefault(name, []).append(Column(*column))
    return {name: _Relation(kind, said, tuple(columns[name])) for name, kind, said in comments}


def _declared(name: str, before: _Relation, after: _Relation) -> list[str]:
    if (before.kind, before.comment) != (after.kind, after.comment):
        return [f"{name}: {before.kind} {before.comment!r} became {after.kind} {after.comment!r}"]
    gone = [str(column) for column in before.columns if column not in after.columns]
    come = [str(column) for column in after.columns if column not in before.columns]
    return [f"{name}: columns {', '.join(gone) or '-'} became {', '.join(come) or 'reordered'}"]


def _rows(connection: duckdb.DuckDBPyConnection, name: str, columns: Sequence[Column]) -> list[str]:
    """The first rows that only one of the two has, counted with their repetitions."""
    compared = [column for column in columns if column.name not in NOT_COMPARED]
    values = [f'"{column.name}"' for column in compared]
    # SQL takes 0.0 and -0.0 for one value.
    signs = [f'signbit("{column.name}")' for column in compared if column.type in FLOATS]
    picked = ", ".join([*values, *signs])
    # Millions of rows are set against each other only where their hashes differ.
    sums = [
        connection.execute(
            f'select count(*), sum(hash({picked})::hugeint) from {side}."{name}"'
        ).fetchall()
        for side in ("old", "new")
    ]
    if sums[0] == sums[1]:
        return []
    found = []
    for side, other in (("old", "new"), ("new", "old")):
        rows = connection.execute(
            f'select {picked} from {side}."{name}" except all '
            f'select {picked} from {other}."{name}" order by all limit {ROWS_SHOWN + 1}'
        ).fetchall()
        found += [f"{name}: only in the {side} release: {row}" for row in rows[:ROWS_SHOWN]]
        found += [f"{name}: and more in the {side} release"] * (len(rows) > ROWS_SHOWN)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print, and return the exit code."""
    parser = argparse.ArgumentParser(description="Compare two releases, row by row, bit for bit.")
    parser.add_argument("old", type=Path, help="a forecasts.duckdb")
    parser.add_argument("new", type=Path, help="another one")
    options = parser.parse_args(arguments)
    found = differences(options.old, options.new)
    print("\n".join(found) or "the same numbers")
    print(f"not compared: {', '.join(NOT_COMPARED)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
