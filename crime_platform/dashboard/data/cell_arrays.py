"""Tables of cells as dense arrays: types, months and cells in the order of the part's header."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from crime_platform.dashboard.data.areas import PublishedArea
from crime_platform.dashboard.data.dense import Axis, Rows, place_rows
from crime_platform.dashboard.data.part_error import PartError
from crime_platform.dashboard.data.queries import Connection, first_column

QUANTILES = ("p025", "p10", "p50", "p90", "p975")
BRANCHES = ("closeness", "period", "trend")
FORECAST, BACKTEST, SHARES = "cell_forecast", "backtest_forecast", "fusion_weight"
EXPECTED, PROBABILITY_ANY = "expected_count", "probability_any"

_OF_TABLE = {  # rows that are shown: of the newest month, and one month ahead in the back-test
    FORECAST: "study_area = $area and as_of_month = $as_of",
    BACKTEST: 'study_area = $area and "lead" = 1',
    SHARES: "study_area = $area and as_of_month = $as_of",
}
_WHAT = {FORECAST: "forecast", BACKTEST: "back-test", SHARES: "fusion shares"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CellAxes:
    """What the axes of an area's arrays stand for."""

    study_area: str
    cells: tuple[str, ...]  # by row, then col
    types: tuple[str, ...]  # in the order of the TOML
    months: tuple[date, ...]  # of the record
    forecast_months: tuple[date, ...]
    keys: Mapping[str, object]  # parameters of queries: the area and its newest month
    backtest_months: tuple[date, ...]  # forecast one month ahead; none without a back-test

    def of(self, step: str, steps: tuple[date, ...]) -> list[Axis]:
        """Axes type, step and cell."""
        return [Axis("offence_type", self.types), Axis(step, steps), Axis("cell_id", self.cells)]


def read_axes(connection: Connection, area: PublishedArea) -> CellAxes:
    """The axes of one area."""
    keys = {"area": area.study_area, "as_of": area.as_of_month}

    def column(query: str) -> tuple:
        return first_column(connection, query, keys)

    return CellAxes(
        study_area=area.study_area,
        keys=keys,
        cells=column('select cell_id from cell where study_area = $area order by "row", col'),
        types=column(
            "select offence_type from (select distinct study_area, offence_type from month_count "
            "where study_area = $area) left join offence_type using (study_area, offence_type) "
            "order by position nulls last, offence_type"
        ),
        months=column("select distinct month from month_count where study_area = $area order by 1"),
        forecast_months=column(
            f"select distinct target_month from {FORECAST} where {_OF_TABLE[FORECAST]} order by 1"
        ),
        backtest_months=column(
            f"select distinct target_month from {BACKTEST} where {_OF_TABLE[BACKTEST]} order by 1"
        ),
    )


def models_of(connection: Connection, axes: CellAxes, table: str) -> list[str]:
    """Models with rows in `FORECAST`, `BACKTEST` or `SHARES`, by name."""
    query = f"select distinct model from {table} where {_OF_TABLE[table]} order by 1"
    return list(first_column(connection, query, axes.keys))


def read_history(connection: Connection, axes: CellAxes) -> np.ndarray:
    """Recorded counts [type, month, cell]; a row that is absent is a zero.

    Raises:
        PartError: if a row names a cell, offence type or month that is not listed.
    """
    return place_rows(
        connection,
        "select * from cell_month where study_area = $area",
        axes.of("month", axes.months),
        columns=("count",),
        keys=axes.keys,
        told=f"cell_month for {axes.study_area}",
    ).sparse_counts("count")


def read_forecast(
    connection: Connection, axes: CellAxes, model: str, *, columns: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Columns of the newest forecast of one model [type, lead, cell], quantiles as counts.

    Raises:
        PartError: if there is none, or it lacks a cell, offence type or month.
    """
    steps = axes.of("target_month", axes.forecast_months)
    return _rows_of(connection, axes, model, FORECAST, steps, columns).whole()


def read_backtest(connection: Connection, axes: CellAxes, model: str) -> np.ndarray:
    """Expected counts one month ahead [type, month, cell]; NaN where nothing was forecast.

    Raises:
        PartError: if the model has no back-test.
    """
    steps = axes.of("target_month", axes.backtest_months)
    rows = _rows_of(connection, axes, model, BACKTEST, steps, (EXPECTED,))
    return rows.sparse_floats(EXPECTED)


def read_shares(connection: Connection, axes: CellAxes, model: str) -> np.ndarray:
    """How much a network leans on each branch [branch, type, cell]; NaN where it is not told.

    Raises:
        PartError: if the model has no such branches.
    """
    kind, _, cell = axes.of("", ())
    steps = [Axis("branch", BRANCHES), kind, cell]
    rows = _rows_of(connection, axes, model, SHARES, steps, ("weight_share",))
    return rows.sparse_floats("weight_share")


def _rows_of(
    connection: Connection,
    axes: CellAxes,
    model: str,
    table: str,
    steps: list[Axis],
    columns: tuple[str, ...],
) -> Rows:
    known = models_of(connection, axes, table)
    if model not in known:
        raise PartError(
            f"the release has no {_WHAT[table]} of a model {model!r} for {axes.study_area}; it has "
            f"those of {', '.join(known) or 'none'}"
        )
    return place_rows(
        connection,
        f"select * from {table} where {_OF_TABLE[table]} and model = $model",
        steps,
        columns=columns,
        keys={**axes.keys, "model": model},
        told=f"the {_WHAT[table]} of {model} for {axes.study_area}",
    )
