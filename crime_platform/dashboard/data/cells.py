"""Parts of an area's cells: history and forecasts, models, back-test, fusion shares, corners."""

from datetime import date
from typing import Any

import numpy as np

from crime_platform.dashboard.data.areas import PublishedArea, area_with_cells
from crime_platform.dashboard.data.binary_format import pack
from crime_platform.dashboard.data.cell_arrays import (
    BACKTEST,
    BRANCHES,
    EXPECTED,
    FORECAST,
    PROBABILITY_ANY,
    QUANTILES,
    SHARES,
    CellAxes,
    models_of,
    read_axes,
    read_backtest,
    read_forecast,
    read_history,
    read_shares,
)
from crime_platform.dashboard.data.outline import outline
from crime_platform.dashboard.data.queries import Connection, one_row, read_columns, release_key
from crime_platform.geography.antimeridian import mean_longitude
from crime_platform.schema.model_titles import model_title
from crime_platform.schema.values import EVER_ACTIVE, HISTORICAL_AVERAGE, POLICY
from crime_platform.vocabulary.projection import WGS84, project

INTERVALS = {"80": ["p10", "p90"], "95": ["p025", "p975"]}
_SHOWN = (EXPECTED, *QUANTILES, PROBABILITY_ANY)


def cells_part(connection: Connection, study_area: str) -> bytes:
    """Part `cells`: every cell's history and the champion's and the baseline's newest forecast.

    Raises:
        PartError: if the release is of an earlier version, has no such area, or lacks rows.
    """
    area = area_with_cells(connection, study_area)
    axes = read_axes(connection, area)
    cells = _read_cells(connection, axes)
    release = _release(connection, area)
    history = read_history(connection, axes)
    forecast = read_forecast(connection, axes, release["champion"], columns=_SHOWN)
    baseline = read_forecast(connection, axes, HISTORICAL_AVERAGE, columns=(EXPECTED,))
    header = {
        "area": _area_header(area, cells),
        "release": release,
        "types": _types(connection, axes),
        "months": _written(axes.months),
        "is_complete": _is_complete(connection, area),
        "forecast_months": _written(axes.forecast_months),
        **_models(connection, axes, release["champion"]),
        "backtest_months": _written(axes.backtest_months),
        "share_models": models_of(connection, axes, SHARES),
        "count_max": history.max(axis=(1, 2)).tolist(),
        "interval": INTERVALS,
    }
    is_active = np.zeros((area.n_rows or 0, area.n_cols or 0), dtype=bool)
    is_active[cells["row"], cells["col"]] = cells["is_ever_active"]
    arrays = {
        "row": cells["row"].astype(np.uint16),
        "col": cells["col"].astype(np.uint16),
        "is_ever_active": cells["is_ever_active"].astype(np.uint8),
        "history": history,
        **_named(forecast),
        "baseline_expected": baseline[EXPECTED],
        "outline": outline(is_active, cell_size_m=float(area.cell_size_m or 0)),
    }
    return pack(header, arrays)


def model_part(connection: Connection, study_area: str, model: str) -> bytes:
    """Part `model`: the newest forecast of one model.

    Raises:
        PartError: if the release is of an earlier version, has no such area or model, or lacks
            rows.
    """
    axes = read_axes(connection, area_with_cells(connection, study_area))
    forecast = read_forecast(connection, axes, model, columns=_SHOWN)
    months = _written(axes.forecast_months)
    header = {"model": model, "forecast_months": months, "types": _types(connection, axes)}
    return pack(header, _named(forecast))


def backtest_part(connection: Connection, study_area: str, model: str) -> bytes:
    """Part `backtest`: what a model expected one month ahead; NaN where it did not forecast.

    The months are those of the area's whole back-test, the same for every model.

    Raises:
        PartError: if the release is of an earlier version, or has no such area or model.
    """
    axes = read_axes(connection, area_with_cells(connection, study_area))
    expected = read_backtest(connection, axes, model)
    months = _written(axes.backtest_months)
    header = {"model": model, "months": months, "types": _types(connection, axes)}
    return pack(header, {"expected": expected})


def shares_part(connection: Connection, study_area: str, model: str) -> bytes:
    """Part `shares`: how much a network leans on each branch, per offence type and cell.

    Raises:
        PartError: if the release is of an earlier version, or has no such area or model.
    """
    axes = read_axes(connection, area_with_cells(connection, study_area))
    share = read_shares(connection, axes, model)
    types = _types(connection, axes)
    return pack({"model": model, "branches": list(BRANCHES), "types": types}, {"share": share})


def corners_part(connection: Connection, study_area: str) -> bytes:
    """Part `corners`: longitude and latitude of the corners of all cells, from their outlines.

    Both have a row and a column more than the grid; NaN at a corner of no cell.

    Raises:
        PartError: if the release is of an earlier version or has no such area.
    """
    import shapely

    area = area_with_cells(connection, study_area)
    cells = _read_cells(connection, read_axes(connection, area))
    squares = shapely.from_wkb([bytes(blob) for blob in cells["geometry_wkb"]])
    # A ring of five: south-west, south-east, north-east, north-west, and the first again.
    rings = shapely.get_coordinates(squares).reshape(-1, 5, 2)
    row, col = cells["row"], cells["col"]
    lonlat = np.full(((area.n_rows or 0) + 1, (area.n_cols or 0) + 1, 2), np.nan)
    for corner, (north, east) in enumerate([(0, 0), (0, 1), (1, 1), (1, 0)]):
        lonlat[row + north, col + east] = rings[:, corner]
    return pack({}, {"lon": lonlat[..., 0], "lat": lonlat[..., 1]})


def _named(forecast: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        "expected" if column == EXPECTED else column: array for column, array in forecast.items()
    }


def _written(months: tuple[date, ...]) -> list[str]:
    return [f"{month:%Y-%m}" for month in months]


def _read_cells(connection: Connection, axes: CellAxes) -> dict[str, np.ndarray]:
    """Row, col, centre, activity and outline of every cell, by row, then col."""
    query = (
        'select "row", col, lon, lat, is_ever_active, geometry_wkb from cell '
        'where study_area = $area order by "row", col'
    )
    return read_columns(connection, query, axes.keys)


def _area_header(area: PublishedArea, cells: dict[str, np.ndarray]) -> dict[str, Any]:
    return {
        "name": area.study_area,
        "title": area.title,
        "crs": area.crs,
        "cell_size_m": area.cell_size_m,
        "west_m": area.west_m,
        "south_m": area.south_m,
        "n_rows": area.n_rows,
        "n_cols": area.n_cols,
        "center": _center(area, cells),
        "is_simulated": area.is_simulated,
    }


def _center(area: PublishedArea, cells: dict[str, np.ndarray]) -> list[float]:
    """Longitude and latitude of the middle of the grid; the mean cell where no CRS is told."""
    if area.crs is None or area.west_m is None or area.south_m is None:
        return [mean_longitude(cells["lon"]), float(cells["lat"].mean())]
    size, n_rows, n_cols = area.cell_size_m or 0, area.n_rows or 0, area.n_cols or 0
    x_m = np.array([area.west_m + size * n_cols / 2])
    y_m = np.array([area.south_m + size * n_rows / 2])
    lon, lat = project(x_m, y_m, source=area.crs, target=WGS84)
    return [float(lon[0]), float(lat[0])]


def _release(connection: Connection, area: PublishedArea) -> dict[str, Any]:
    """The published forecast, with the skills of the champion and of the policy that chose it."""
    told = one_row(
        connection,
        """
        with newest as (select * from release where study_area = $area and is_latest),
        skill as (
            select s.* from model_skill s join newest using (study_area, as_of_month)
            where s.lead = 1 and s.cell_set = $cell_set)
        select strftime(n.as_of_month, '%Y-%m') as as_of_month,
            strftime(timezone('UTC', n.published_at), '%Y-%m-%dT%H:%M:%SZ') as published_at,
            n.champion, n.champion_reason, coalesce(p.best_baseline, k.best_baseline)
                as best_baseline,
            n.deviance_skill, k.deviance_skill_low, k.deviance_skill_high,
            n.policy_deviance_skill, p.deviance_skill_low as policy_deviance_skill_low,
            p.deviance_skill_high as policy_deviance_skill_high, n.last_month_note
        from newest n
        left join skill k on k.model = n.champion
        left join skill p on p.model = $policy
        """,
        {"area": area.study_area, "cell_set": EVER_ACTIVE, "policy": POLICY},
    )
    return {"key": release_key(connection), "baseline": HISTORICAL_AVERAGE, **told}


def _types(connection: Connection, axes: CellAxes) -> list[dict[str, str]]:
    rows = connection.execute(
        "select offence_type, title from offence_type where study_area = ?", [axes.study_area]
    ).fetchall()
    titles = dict(rows)
    return [{"name": name, "title": titles.get(name) or name} for name in axes.types]


def _is_complete(connection: Connection, area: PublishedArea) -> list[bool]:
    query = (
        "select bool_and(is_complete) from month_count where study_area = ? "
        "group by month order by month"
    )
    rows = connection.execute(query, [area.study_area]).fetchall()
    return [bool(is_complete) for (is_complete,) in rows]


def _models(connection: Connection, axes: CellAxes, champion: str) -> dict[str, Any]:
    """Models with a forecast and models with a back-test, both by rank on the leaderboard."""
    query = 'select model, "rank" from leaderboard where study_area = ?'
    ranks = dict(connection.execute(query, [axes.study_area]).fetchall())

    def by_rank(table: str) -> list[str]:
        names = models_of(connection, axes, table)
        # the policy has no rank, and comes last
        return sorted(names, key=lambda name: (ranks.get(name) or len(ranks) + 1, name))

    models = [
        {
            "name": name,
            "title": model_title(name),
            "is_champion": name == champion,
            "is_baseline": name == HISTORICAL_AVERAGE,
            "rank": ranks.get(name),
        }
        for name in by_rank(FORECAST)
    ]
    return {"models": models, "backtest_models": by_rank(BACKTEST)}
