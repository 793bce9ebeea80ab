"""The part behind the Accuracy page: how good the forecasts of an area were, and beside what."""

import duckdb

from crime_platform.dashboard.data.part_error import PartError
from crime_platform.dashboard.data.rows import holds, records
from crime_platform.dashboard.pages.cell_accuracy import cell_accuracy
from crime_platform.dashboard.pages.street_accuracy import street_accuracy


def accuracy_part(connection: duckdb.DuckDBPyConnection, area: str) -> dict:
    """Everything the Accuracy page draws of an area, ready for JSON; a missing number is None.

    Args:
        connection: to the release.
        area: name of a study area in it.

    Returns:
        `cells` one month ahead and `streets` one day ahead; None where the area has no such
        forecast.

    Raises:
        PartError: if the release holds nothing of the area.
    """
    require_area(connection, area)
    return {
        "area": area,
        "cells": cell_accuracy(connection, area),
        "streets": street_accuracy(connection, area),
    }


def require_area(connection: duckdb.DuckDBPyConnection, area: str) -> None:
    """Refuse an area of which nothing is released.

    Raises:
        PartError: naming the areas of the release.
    """
    tables = [name for name in ("release", "street_release") if holds(connection, name)]
    queries = [f"select study_area from {table} where is_latest" for table in tables]
    found = records(connection, " union ".join(queries), [])
    held = sorted(row["study_area"] for row in found)
    if area not in held:
        raise PartError(f"the release holds no study area {area!r}; it holds {held}")
