"""Which areas the release holds, what they are called and where they lie."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from crime_platform.dashboard.data.part_error import PartError
from crime_platform.dashboard.data.queries import (
    Connection,
    read_columns,
    release_key,
    require_current,
)
from crime_platform.geography.antimeridian import mean_longitude
from crime_platform.geography.grid import SQUARE_METRES_PER_KM2
from crime_platform.geography.siting import utm_crs
from crime_platform.reporting.expiries import published_expiries
from crime_platform.study_area.study_area import SIMULATED
from crime_platform.vocabulary.projection import WGS84, project

SAME_PLACE_M = 1.0  # between a cell as published and as the TOML has it

_AREAS = """
    select study_area, coalesce(s.title, m.title, d.title, study_area) as title,
        m.as_of_month, d.as_of_day, d.graph_kind,
        s.crs, s.cell_size_m, s.west_m, s.south_m, s.n_rows, s.n_cols,
        coalesce(s.is_simulated, contains(lower(coalesce(m.title, d.title)), $simulated), false)
            as is_simulated
    from (select * from release where is_latest) m
    full join (select * from street_release where is_latest) d using (study_area)
    left join study_area s using (study_area)
    order by is_simulated, study_area
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedArea:
    """One area of the release. What lies in metres is None where the release does not tell it."""

    study_area: str
    title: str
    as_of_month: date | None  # None without months
    as_of_day: date | None  # None without streets
    graph_kind: str | None  # segment or place; None without streets
    crs: str | None
    cell_size_m: float | None
    west_m: float | None
    south_m: float | None
    n_rows: int | None
    n_cols: int | None
    is_simulated: bool

    @property
    def has_cells(self) -> bool:
        return self.as_of_month is not None

    @property
    def has_streets(self) -> bool:
        return self.as_of_day is not None


def areas_part(connection: Connection) -> dict[str, object]:
    """Part `areas`: the release's key and its areas, simulated ones last.

    `expiry` holds by step, month or day, the moment the forecast expires and the sentence until and
    from then on: pages stay open, and exported ones are opened years later.

    Raises:
        PartError: if the release lacks a table or column of this version.
    """
    require_current(connection)
    expiries = published_expiries(connection)
    return {
        "release": release_key(connection),
        "areas": [
            {
                "name": area.study_area,
                "title": area.title,
                "as_of_month": str(area.as_of_month)[:7] if area.has_cells else None,
                "as_of_day": str(area.as_of_day) if area.has_streets else None,
                "has_cells": area.has_cells,
                "has_streets": area.has_streets,
                "graph_kind": area.graph_kind,
                "is_simulated": area.is_simulated,
                "expiry": {
                    step: {
                        "at": expiry.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                        "day": str(expiry.day),
                        "current": expiry.current,
                        "expired": expiry.expired,
                    }
                    for (name, step), expiry in expiries.items()
                    if name == area.study_area
                },
            }
            for area in _published_areas(connection)
        ],
    }


def area_with_cells(connection: Connection, name: str) -> PublishedArea:
    """One area with monthly forecasts. Where it lies is told only as its published cells agree.

    A TOML that was changed after its area was last published describes another grid; then the
    cells of the release are right, and what the TOML says of the grid is left out.

    Raises:
        PartError: if the release is of an earlier version or has no such area.
    """
    area = _named(connection, name, "monthly forecasts", "has_cells")
    return _as_published(connection, area)


def area_with_streets(connection: Connection, name: str) -> PublishedArea:
    """One area with daily forecasts of streets; its CRS is always told.

    Raises:
        PartError: if the release is of an earlier version or has no such area.
    """
    area = _named(connection, name, "daily forecasts of streets", "has_streets")
    if area.has_cells:
        area = _as_published(connection, area)
    if area.crs is None:
        query = "select lon, lat from segment where study_area = $area"
        middles = read_columns(connection, query, {"area": name})
        lon, lat = mean_longitude(middles["lon"]), float(middles["lat"].mean())
        area = replace(area, crs=utm_crs(lon=lon, lat=lat))
    return area


def _named(connection: Connection, name: str, what: str, has: str) -> PublishedArea:
    require_current(connection)
    known = {area.study_area: area for area in _published_areas(connection) if getattr(area, has)}
    if name not in known:
        raise PartError(
            f"the release has no {what} of an area {name!r}; it has them of "
            f"{', '.join(known) or 'none'}"
        )
    return known[name]


def _published_areas(connection: Connection) -> list[PublishedArea]:
    answer = connection.execute(_AREAS, {"simulated": SIMULATED})
    columns = [column[0] for column in answer.description or []]
    return [PublishedArea(**dict(zip(columns, row, strict=True))) for row in answer.fetchall()]


def _as_published(connection: Connection, area: PublishedArea) -> PublishedArea:
    cells = read_columns(
        connection,
        'select "row", col, lon, lat, area_km2 from cell where study_area = $area '
        'order by "row", col',
        {"area": area.study_area},
    )
    n_rows, n_cols = int(cells["row"].max()) + 1, int(cells["col"].max()) + 1
    is_same = (area.n_rows, area.n_cols) == (n_rows, n_cols)
    if is_same and _lies_there(area, {name: cells[name][[0, -1]] for name in cells}):
        return area
    size = round(math.sqrt(float(cells["area_km2"][0]) * SQUARE_METRES_PER_KM2), 6)
    nowhere = {"crs": None, "west_m": None, "south_m": None}
    return replace(area, cell_size_m=size, n_rows=n_rows, n_cols=n_cols, **nowhere)


def _lies_there(area: PublishedArea, ends: Mapping[str, np.ndarray]) -> bool:
    """Whether the TOML's first and last cell are where the published ones are."""
    crs, size, west, south = area.crs, area.cell_size_m, area.west_m, area.south_m
    if crs is None or size is None or west is None or south is None:
        return False
    x_m, y_m = project(ends["lon"], ends["lat"], source=WGS84, target=crs)
    off_x = x_m - west - size * (ends["col"] + 0.5)
    off_y = y_m - south - size * (ends["row"] + 0.5)
    return bool((np.hypot(off_x, off_y) < SAME_PLACE_M).all())
