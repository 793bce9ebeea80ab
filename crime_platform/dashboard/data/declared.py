"""What the release repeats of an area's TOML: titles of offences, sources, whether it is made up.

Where a release or a TOML does not tell, the tables of the data do.
"""

from typing import Any

import duckdb

from crime_platform.dashboard.data.rows import holds, records
from crime_platform.study_area.study_area import SIMULATED

_TITLES = """
    select offence_type as name, title from offence_type where study_area = ? order by position
"""
_COUNTED = """
    select distinct offence_type as name from month_count where study_area = ? order by name
"""
_DISCOVERED = """
    select title from offence_type where study_area = ? and is_police_discovered order by position
"""
_GROUP_TITLES = """
    select offence_group as name, title from offence_group where study_area = ? order by position
"""
_GROUPS = """
    select distinct offence_group as name from segment_day where study_area = ? order by name
"""
_SOURCES = """
    select source, publisher, licence, url from source where study_area = ? order by source
"""
_READ = "select distinct source from data_quality where study_area = ? order by source"
_DECLARED = "select title, cell_size_m, crs, is_simulated from study_area where study_area = ?"


def offence_titles(connection: duckdb.DuckDBPyConnection, area: str) -> dict[str, str]:
    """Title of every offence type of an area by name, in the order of the TOML.

    What has no title there is written as words, in alphabetical order after the others.
    """
    told = records(connection, _TITLES, [area]) if holds(connection, "offence_type") else []
    return _titled(told, records(connection, _COUNTED, [area]))


def group_titles(connection: duckdb.DuckDBPyConnection, area: str) -> dict[str, str]:
    """The same of the offence groups that are counted on streets."""
    told = records(connection, _GROUP_TITLES, [area]) if holds(connection, "offence_group") else []
    return _titled(told, records(connection, _GROUPS, [area]))


def police_discovered(connection: duckdb.DuckDBPyConnection, area: str) -> list[str]:
    """Titles of the offence types that are recorded because police looked."""
    told = records(connection, _DISCOVERED, [area]) if holds(connection, "offence_type") else []
    return [row["title"] for row in told]


def sources(connection: duckdb.DuckDBPyConnection, area: str) -> list[dict[str, Any]]:
    """Publisher, licence and address of every source of an area; None where none is stated."""
    told = records(connection, _SOURCES, [area]) if holds(connection, "source") else []
    named = {row["source"] for row in told}
    untold = [row for row in records(connection, _READ, [area]) if row["source"] not in named]
    return [*told, *({**row, "publisher": None, "licence": None, "url": None} for row in untold)]


def declared(connection: duckdb.DuckDBPyConnection, area: str, title: str) -> dict[str, Any]:
    """`title`, `cell_size_m`, `crs` and `is_simulated` of an area; None where it is not told.

    Args:
        connection: to the release.
        area: name of a study area.
        title: with which the area was published; that of a simulated area says so.
    """
    told = records(connection, _DECLARED, [area]) if holds(connection, "study_area") else []
    found = {"title": title, "cell_size_m": None, "crs": None, "is_simulated": None}
    found |= {name: value for row in told for name, value in row.items() if value is not None}
    if found["is_simulated"] is None:
        found["is_simulated"] = SIMULATED in title.lower()
    return found


def _titled(told: list[dict[str, Any]], counted: list[dict[str, Any]]) -> dict[str, str]:
    titles = {row["name"]: row["title"] for row in told}
    names = [row["name"] for row in counted if row["name"] not in titles]
    return {**titles, **{name: name.replace("_", " ").capitalize() for name in names}}
