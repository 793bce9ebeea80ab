"""The sections of the About page on the data: sources, files, what was found in them."""

from pathlib import PurePath
from typing import Any

import duckdb
import numpy as np

from crime_platform.dashboard.data.declared import sources
from crime_platform.dashboard.data.rows import holds, records
from crime_platform.dashboard.pages.sections import Section, section
from crime_platform.reporting.words import month_name, whole

NOT_STATED = "not stated"

_MONTHS = """
    select strftime(min(month), '%Y-%m') as first, strftime(max(month), '%Y-%m') as last,
        strftime(max(month) filter (is_complete), '%Y-%m') as last_complete,
        sum(count)::bigint as counted, sum(n_ungeocoded)::bigint as n_ungeocoded
    from month_count where study_area = ? having count(*) > 0
"""
_DAYS = """
    select min(day) as first, max(day) as last, sum(count)::bigint as counted
    from segment_day where study_area = ? having count(*) > 0
"""
_FILES = """
    select source, file_path, coalesce(sum(n_rows) filter (finding = 'accepted'), 0) as n_accepted,
        strftime(max(measured_at), '%Y-%m-%d') as read_on
    from data_quality where study_area = ? group by all order by source, file_path
"""
_FINDINGS = """
    select finding, sum(n_rows)::bigint as n_rows from data_quality where study_area = ?
    group by finding having sum(n_rows) > 0 order by n_rows desc, finding
"""
_CHECKS = """
    select check_name, passed, problem from data_check where study_area = ? order by check_name
"""


def source_section(connection: duckdb.DuckDBPyConnection, area: str) -> Section:
    """Where the incidents come from, how many were counted, and up to when."""
    return section(
        "sources",
        "Sources",
        paragraphs=[*_counted_months(connection, area), *_counted_days(connection, area)],
        head=("Source", "Publisher", "Licence", "Address"),
        rows=[
            [str(row[name] or NOT_STATED) for name in ("source", "publisher", "licence", "url")]
            for row in sources(connection, area)
        ],
    )


def file_section(connection: duckdb.DuckDBPyConnection, area: str) -> Section:
    """The files that were read, by name alone: where they lie is nobody's business."""
    return section(
        "files",
        "Files read",
        head=("File", "Source", "Rows accepted", "Read on (UTC)"),
        rows=[
            [
                PurePath(row["file_path"]).name,
                row["source"],
                whole(int(row["n_accepted"])),
                row["read_on"],
            ]
            for row in records(connection, _FILES, [area])
        ],
    )


def finding_section(connection: duckdb.DuckDBPyConnection, area: str) -> Section:
    """What became of the rows of the files, and what the data checks say."""
    found = records(connection, _CHECKS, [area]) if holds(connection, "data_check") else []
    failed = [row for row in found if not row["passed"]]
    paragraphs = ["Rows of the source files by what became of them."]
    if found and not failed:
        paragraphs.append(f"All {len(found)} checks of the data passed.")
    if failed:
        paragraphs.append(
            f"{len(failed)} of {len(found)} checks found something that a person should look at; "
            "the data are used all the same."
        )
    return section(
        "findings",
        "What was found in the data",
        paragraphs=paragraphs,
        items=_problems(failed, _file_paths(connection, area)),
        head=("Finding", "Rows"),
        rows=[
            [row["finding"], whole(row["n_rows"])] for row in records(connection, _FINDINGS, [area])
        ],
    )


def _counted_months(connection: duckdb.DuckDBPyConnection, area: str) -> list[str]:
    found = records(connection, _MONTHS, [area])
    if not found:
        return []
    told = found[0]
    first, last = _month(told["first"]), _month(told["last"])
    complete = "none" if told["last_complete"] is None else _month(told["last_complete"])
    return [
        f"As of {last}. {whole(told['counted'])} recorded incidents from {first} to {last} were "
        f"counted by month; the last complete month is {complete}."
    ]


def _counted_days(connection: duckdb.DuckDBPyConnection, area: str) -> list[str]:
    found = records(connection, _DAYS, [area]) if holds(connection, "segment_day") else []
    return [
        f"{whole(told['counted'])} recorded incidents from {told['first']} to {told['last']} were "
        "counted by day on streets."
        for told in found
    ]


def _file_paths(connection: duckdb.DuckDBPyConnection, area: str) -> list[str]:
    return [row["file_path"] for row in records(connection, _FILES, [area])]


def _problems(failed: list[dict[str, Any]], paths: list[str]) -> list[str]:
    """Each problem on its own, after the name of its check; files by their names alone."""
    found = []
    for row in failed:
        for line in (row["problem"] or "not told").splitlines():
            told = line
            for path in sorted(paths, key=len, reverse=True):
                told = told.replace(path, PurePath(path).name)
            found.append(f"{row['check_name'].replace('_', ' ').capitalize()}: {told}")
    return found


def _month(written: str) -> str:
    return month_name(np.datetime64(written, "M"))
