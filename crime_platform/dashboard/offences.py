"""Titles of an area's offence types, in the order of its TOML."""

import duckdb

from crime_platform.dashboard.rows import holds, records

_TITLES = """
    select offence_type, title from offence_type where study_area = ? order by position
"""
_COUNTED = "select distinct offence_type from month_count where study_area = ? order by 1"


def offence_titles(connection: duckdb.DuckDBPyConnection, area: str) -> dict[str, str]:
    """Title of every offence type of an area by name, in the order of the TOML.

    A release of before titles were published has names only: they are written as words then, in
    alphabetical order.
    """
    told = records(connection, _TITLES, [area]) if holds(connection, "offence_type") else []
    titles = {row["offence_type"]: row["title"] for row in told}
    counted = [row["offence_type"] for row in records(connection, _COUNTED, [area])]
    return {**titles, **{name: _in_words(name) for name in counted if name not in titles}}


def _in_words(name: str) -> str:
    return name.replace("_", " ").capitalize()
