"""The number that each scanned row has in its file, past those that could not be split."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from jaxtyping import Int

from crime_platform.sources.scan.csv_lines import may_hold_blank_rows, number_rows


def rows_passed_over(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    rejects: list[tuple[int, int]],
    *,
    is_text: bool,
) -> tuple[Int[np.ndarray, " broken"], Int[np.ndarray, " passed"]]:
    """Numbers of the broken rows, and of all rows that are missing from `scanned`."""
    lines, positions = np.array(rejects, dtype=np.int64).reshape(-1, 2).T
    if not is_text or (not lines.size and not may_hold_blank_rows(path)):
        return lines, lines
    numbers = number_rows(path, positions)
    broken = np.unique(numbers.at_positions)
    passed = np.union1d(broken, numbers.blank)
    counted = connection.execute("select count(*) from scanned").fetchall()
    if counted[0][0] + len(passed) + 1 != numbers.n_rows:
        # A stray quote hides line ends from us; DuckDB's own count is then the better one.
        return lines, lines
    return broken, passed


def numbered_rows(
    connection: duckdb.DuckDBPyConnection,
    label: str,
    first_row: int,
    passed: Int[np.ndarray, " passed"],
) -> str:
    """Query for LOADED: `scanned`, with the number that each row has in its file."""
    name = "'" + label.replace("'", "''") + "'"
    if not passed.size:
        return f"select {name}, scanned.rowid + {first_row}, scanned.* from scanned"
    n_passed = np.arange(passed.size)
    n_read = passed - first_row - n_passed  # rows read before each one that was passed over
    connection.register("passed", pa.table({"n_read": n_read, "n_passed": n_passed + 1}))
    connection.execute(
        "create or replace table gaps as "
        "select n_read, max(n_passed) as n_passed from passed group by n_read"
    )
    return f"""
        select {name}, scanned.rowid + {first_row} + coalesce(n_passed, 0), scanned.*
        from scanned asof left join gaps on scanned.rowid >= gaps.n_read
    """
