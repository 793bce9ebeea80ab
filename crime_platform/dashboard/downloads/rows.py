"""What the page shows of one month or day, as rows that a person can take along.

A recorded month or day is counts, zeros written out; one ahead is a model's forecast with its
interval and the baseline beside it. There is a row for every cell (or street) and offence type.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from crime_platform.dashboard.data.declared import declared, sources
from crime_platform.dashboard.downloads.choices import (
    Choice,
    backtest_choice,
    cell_choice,
    street_choice,
)
from crime_platform.reporting.expiries import published_expiries
from crime_platform.reporting.statements import RECORDED_ONLY
from crime_platform.schema.model_titles import model_title
from crime_platform.schema.values import HISTORICAL_AVERAGE, LONG_RUN_FREQUENCY

if TYPE_CHECKING:
    import pyarrow as pa

GEOMETRY = "geometry_wkb"
CELL_INTERVAL = {"80": ["p10", "p90"], "95": ["p025", "p975"]}
MONTH_KEYS = ("as_of_month", "month", "offence_types")
DAY_KEYS = ("as_of_day", "day", "offence_groups")
STREET_INTERVAL = {"90": ["p05", "p95"], "95": ["p025", "p975"]}
_CELL = "c.cell_id, c.row, c.col, c.lon, c.lat, c.is_ever_active"
_SEGMENT = "g.segment_id, g.kind as street_kind, g.lon, g.lat, g.length_m, g.is_ever_active"

_RECORDED_CELLS = f"""
    select c.study_area, $as_of::date as as_of_month, $step::date as month, 'recorded' as kind,
        {_CELL}, t.offence_type, null::varchar as model, coalesce(a.count, 0)::integer as count,
        t.is_complete, c.geometry_wkb
    from cell c
    join month_count t on t.study_area = c.study_area and t.month = $step::date
        and list_contains($kinds, t.offence_type)
    left join cell_month a on a.study_area = c.study_area and a.month = t.month
        and a.cell_id = c.cell_id and a.offence_type = t.offence_type
    where c.study_area = $area order by t.offence_type, c.row, c.col
"""
_FORECAST_CELLS = f"""
    select f.study_area, f.as_of_month, f.target_month as month, 'forecast' as kind,
        {_CELL}, f.offence_type, f.model, f.is_champion, f.lead, f.expected_count,
        f.p025, f.p10, f.p50, f.p90, f.p975, f.probability_any,
        b.expected_count as historical_average_count, (r.last_target_month + interval 1 month)::date
            as expires_on, c.geometry_wkb
    from cell_forecast f
    join cell c using (study_area, cell_id)
    join release r using (study_area, as_of_month)
    left join cell_forecast b on b.study_area = f.study_area and b.as_of_month = f.as_of_month
        and b.target_month = f.target_month and b.cell_id = f.cell_id
        and b.offence_type = f.offence_type and b.model = $baseline
    where f.study_area = $area and f.as_of_month = $as_of::date and f.target_month = $step::date
        and f.model = $model and list_contains($kinds, f.offence_type)
    order by f.offence_type, c.row, c.col
"""
_BACKTEST_CELLS = f"""
    select f.study_area, $as_of::date as as_of_month, f.target_month as month, 'backtest' as kind,
        {_CELL}, f.offence_type, f.model, f.as_of_month as origin_month, f.lead, f.expected_count,
        f.count, f.error, b.expected_count as historical_average_count, c.geometry_wkb
    from forecast_vs_actual f
    join cell c using (study_area, cell_id)
    left join backtest_forecast b on b.study_area = f.study_area
        and b.origin_month = f.as_of_month and b.target_month = f.target_month
        and b.cell_id = f.cell_id and b.offence_type = f.offence_type and b.model = $baseline
    where f.is_backtest and f.study_area = $area and f.target_month = $step::date
        and f.model = $model and list_contains($kinds, f.offence_type)
    order by f.offence_type, c.row, c.col
"""
_RECORDED_STREETS = f"""
    select g.study_area, $as_of::date as as_of_day, $step::date as day, 'recorded' as kind,
        {_SEGMENT}, k.offence_group, null::varchar as model, coalesce(a.count, 0)::integer as count,
        g.geometry_wkb
    from segment g
    cross join (select unnest($kinds) as offence_group) k
    left join segment_day a on a.study_area = g.study_area and a.day = $step::date
        and a.segment_id = g.segment_id and a.offence_group = k.offence_group
    where g.study_area = $area order by k.offence_group, g.segment_id
"""
_FORECAST_STREETS = f"""
    select f.study_area, f.as_of_day, f.target_day as day, 'forecast' as kind,
        {_SEGMENT}, f.offence_group, f.model, f.is_champion, f.lead, f.expected_count,
        f.expected_per_km, f.p025, f.p05, f.p95, f.p975, f.probability_any, f.risk_rank,
        b.expected_count as long_run_count, (r.last_target_day + interval 1 day)::date
            as expires_on, g.geometry_wkb
    from segment_forecast f
    join segment g using (study_area, segment_id)
    join street_release r using (study_area, as_of_day)
    left join segment_forecast b on b.study_area = f.study_area and b.as_of_day = f.as_of_day
        and b.target_day = f.target_day and b.segment_id = f.segment_id
        and b.offence_group = f.offence_group and b.model = $baseline
    where f.study_area = $area and f.as_of_day = $as_of::date and f.target_day = $step::date
        and f.model = $model and list_contains($kinds, f.offence_group)
    order by f.offence_group, f.segment_id
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """Rows of one month or day, their shapes in WGS 84 beside them, and what they are of."""

    rows: "pa.Table"
    shapes: Sequence[bytes]  # WKB, one a row
    about: dict[str, Any]  # JSON-able


def cells_table(
    connection: duckdb.DuckDBPyConnection,
    *,
    area: str,
    offence_type: str | None = None,
    model: str | None = None,
    month: str | None = None,
) -> Shown:
    """Cells of one month: counts of a recorded one, a model's forecast of one ahead.

    Args:
        connection: to the release.
        area: name of a study area.
        offence_type: all of them by default, one below the other.
        model: of a forecast; the champion by default. Of no concern to a recorded month.
        month: YYYY-MM; the first one forecast by default.

    Raises:
        PartError: if the release does not hold what is asked for; the message says what it holds.
    """
    choice = cell_choice(connection, area, offence_type, model, month)
    query = _RECORDED_CELLS if choice.is_recorded else _FORECAST_CELLS
    return _shown(connection, query, choice, baseline=HISTORICAL_AVERAGE, interval=CELL_INTERVAL)


def backtest_table(
    connection: duckdb.DuckDBPyConnection,
    *,
    area: str,
    offence_type: str | None = None,
    model: str | None = None,
    month: str | None = None,
) -> Shown:
    """Cells of one tested month: what a model expected a month before, and what was recorded.

    Args:
        connection: to the release.
        area: name of a study area.
        offence_type: all of them by default.
        model: the champion by default.
        month: YYYY-MM; the newest one tested by default.

    Raises:
        PartError: if the release does not hold what is asked for; the message says what it holds.
    """
    choice = backtest_choice(connection, area, offence_type, model, month)
    return _shown(connection, _BACKTEST_CELLS, choice, baseline=HISTORICAL_AVERAGE)


def streets_table(
    connection: duckdb.DuckDBPyConnection,
    *,
    area: str,
    offence_group: str | None = None,
    model: str | None = None,
    day: str | None = None,
) -> Shown:
    """Streets or places of one day: counts of a recorded one, a model's forecast of one ahead.

    Args:
        connection: to the release.
        area: name of a study area.
        offence_group: all of them by default.
        model: of a forecast; the champion by default.
        day: YYYY-MM-DD; the first one forecast by default.

    Raises:
        PartError: if the release does not hold what is asked for; the message says what it holds.
    """
    choice = street_choice(connection, area, offence_group, model, day)
    query = _RECORDED_STREETS if choice.is_recorded else _FORECAST_STREETS
    return _shown(connection, query, choice, baseline=LONG_RUN_FREQUENCY, interval=STREET_INTERVAL)


def _shown(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    choice: Choice,
    *,
    baseline: str,
    interval: dict[str, list[str]] | None = None,
) -> Shown:
    given = {
        "area": choice.area,
        "as_of": choice.as_of,
        "step": choice.step,
        "kinds": list(choice.kinds),
        "model": choice.model,
        "baseline": baseline,
    }
    # DuckDB refuses a parameter that the query does not name.
    named = {name: value for name, value in given.items() if f"${name}" in query}
    found = connection.sql(query, params=named).to_arrow_table()
    shapes = found.column(GEOMETRY).to_pylist()
    rows = found.drop_columns([GEOMETRY])
    about = _about(connection, choice, rows)
    if choice.model is not None:
        about |= {"baseline": baseline}
    if interval is not None and not choice.is_recorded:
        about |= {"interval": interval}
    return Shown(rows=rows, shapes=shapes, about=about)


def _about(
    connection: duckdb.DuckDBPyConnection, choice: Choice, rows: "pa.Table"
) -> dict[str, Any]:
    by_month = "month" in rows.column_names
    as_of, step, kinds = MONTH_KEYS if by_month else DAY_KEYS
    length = len("YYYY-MM") if by_month else len("YYYY-MM-DD")
    told: dict[str, Any] = {
        "study_area": choice.area,
        "title": choice.title,
        "is_simulated": declared(connection, choice.area, choice.title)["is_simulated"],
        as_of: choice.as_of[:length],
        step: choice.step[:length],
        "kind": choice.kind,
        kinds: list(choice.kinds),
        "n_rows": len(rows),
        "crs": "WGS 84 (EPSG:4326)",
        "sources": sources(connection, choice.area),
        "note": RECORDED_ONLY,
    }
    expiry = published_expiries(connection).get((choice.area, "month" if by_month else "day"))
    if expiry is not None and choice.kind == "forecast":
        now = dt.datetime.now(dt.UTC)
        told |= {"expires_at": expiry.at.isoformat(), "expiry": expiry.sentence(now)}
    if choice.model is not None:
        told |= {
            "model": choice.model,
            "model_title": model_title(choice.model),
            "is_champion": choice.model == choice.champion,
        }
    return told
