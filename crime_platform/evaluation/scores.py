"""Back-test forecasts against what was recorded: the sums behind every score, as long tables.

Sums only: ratios are taken by the views of the release and by `selection`. Nothing here decides.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from crime_platform.metrics.calibration import (
    CalibrationCases,
    CalibrationSums,
    calibration_cases,
    pit_histogram,
    reliability,
)
from crime_platform.metrics.errors import error_sums, naive_scale
from crime_platform.metrics.hotspots import COVERAGE_SHARES, hotspot_sums
from crime_platform.models.dispersion import N_RATE_GROUPS, RATE_GROUPS, rate_group
from crime_platform.schema.values import (
    ALL_CELLS,
    ALL_RATES,
    ANY,
    EVER_ACTIVE,
    NEVER_ACTIVE,
)
from crime_platform.vocabulary.forecast import CountHistory, RollingForecasts
from crime_platform.vocabulary.timesteps import Month, target_step

if TYPE_CHECKING:
    import pandas as pd

_CELL_SETS = ((EVER_ACTIVE, True), (NEVER_ACTIVE, False))
_PARTS = {ALL_CELLS: (EVER_ACTIVE, NEVER_ACTIVE), EVER_ACTIVE: (EVER_ACTIVE,)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """What was recorded, and which cells count as active.

    A cell is ever active if it has an incident of any type anywhere in the series known at
    `as_of`, the scored months included: dropping the cells whose first incident is yet to come
    would hide exactly the misses that a forecast of zero makes.
    """

    history: CountHistory
    offence_types: tuple[str, ...]
    ever_active: Bool[np.ndarray, "row col"]
    area_km2: Float[np.ndarray, "row col"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelScores:
    """One model's rows of the published tables of the same names.

    `backtest_score` holds every origin. Those that served selection are marked and have error sums
    only, their spread is NULL; the other tables hold the scored origins alone. Calibration is
    that of the ever active cells, all offence types pooled.
    """

    backtest_score: "pd.DataFrame"
    backtest_hotspot: "pd.DataFrame"
    calibration: "pd.DataFrame"
    pit_histogram: "pd.DataFrame"
    reliability: "pd.DataFrame"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Case:
    """One model's forecast of one target month, beside what was recorded."""

    labels: dict[str, object]
    lead: int
    is_selection: bool
    observed: Float[np.ndarray, "type row col"]
    expected: Float[np.ndarray, "type row col"]
    dispersion: Float[np.ndarray, "type row col"]
    scale: Float[np.ndarray, "type row col"]


def score_sums(
    model: str, forecasts: RollingForecasts, truth: Truth, *, first_test_origin: Month
) -> ModelScores:
    """Sums of every target month that has happened.

    Args:
        model: its name in the tables.
        forecasts: from selection and test origins; an origin whose months are all still to come
            adds nothing.
        truth: what was recorded up to `as_of`.
        first_test_origin: of the plan; what was forecast before it served selection.
    """
    import pandas as pd

    errors: list[dict[str, object]] = []
    hotspots: list[dict[str, object]] = []
    judged: dict[int, list[CalibrationCases]] = {}
    for case in _cases(model, forecasts, truth, first_test_origin):
        spread = {}
        if not case.is_selection:
            spread = {name: _spread(case, truth.ever_active == is_in) for name, is_in in _CELL_SETS}
            judged.setdefault(case.lead, []).append(spread[EVER_ACTIVE])
            hotspots += _hotspot_rows(case, truth)
        errors += _error_rows(case, truth, spread)
    pooled = {lead: _pooled(cases) for lead, cases in judged.items()}
    rows = {
        "backtest_score": errors,
        "backtest_hotspot": hotspots,
        "calibration": [row for lead, cases in pooled.items() for row in _by_rate(lead, cases)],
        "pit_histogram": [row for lead, cases in pooled.items() for row in _pit(lead, cases)],
        "reliability": [row for lead, cases in pooled.items() for row in _reliability(lead, cases)],
    }
    tables = {name: pd.DataFrame(each) for name, each in rows.items()}
    for name in ("calibration", "pit_histogram", "reliability"):
        tables[name].insert(0, "model", model)
    whole = dict.fromkeys(("n_inside_80", "n_inside_95"), "Int64")  # with NULL, never NaN
    tables["backtest_score"] = tables["backtest_score"].astype(whole)
    return ModelScores(**tables)


def _cases(
    model: str, forecasts: RollingForecasts, truth: Truth, first_test_origin: Month
) -> Iterator[_Case]:
    history = truth.history
    for position, origin in enumerate(forecasts.origins):
        scale = naive_scale(history.through(origin).counts)
        for lead in range(1, forecasts.expected_count.shape[1] + 1):
            target = target_step(origin, lead)
            if target > history.steps[-1]:
                continue  # the month has not happened yet
            is_selection = bool(origin < first_test_origin)
            yield _Case(
                labels={
                    "model": model,
                    "origin_month": _first_day(origin),
                    "target_month": _first_day(target),
                    "lead": lead,
                    "is_selection": is_selection,
                },
                lead=lead,
                is_selection=is_selection,
                observed=history.counts[history.index_of(target)].astype(np.float64),
                expected=forecasts.expected_count[position, lead - 1],
                dispersion=forecasts.dispersion[position, lead - 1],
                scale=scale,
            )


def _spread(case: _Case, mask: np.ndarray) -> CalibrationCases:
    return calibration_cases(
        case.observed[:, mask], case.expected[:, mask], case.dispersion[:, mask]
    )


def _error_rows(
    case: _Case, truth: Truth, spread: dict[str, CalibrationCases]
) -> list[dict[str, object]]:
    n_types = len(truth.offence_types)
    errors: dict[str, list] = {}
    calibrations: dict[str, list] = {}
    for cell_set, is_in in _CELL_SETS:
        mask = truth.ever_active == is_in
        errors[cell_set] = [
            error_sums(case.observed[k], case.expected[k], mask=mask, scale=case.scale[k])
            for k in range(n_types)
        ]
        if spread:
            kind = np.broadcast_to(np.arange(n_types)[:, None], (n_types, int(mask.sum())))
            calibrations[cell_set] = list(spread[cell_set].sums_by(kind, n_types))
    rows = []
    for k, name in enumerate(truth.offence_types):
        for cell_set in (ALL_CELLS, EVER_ACTIVE):
            parts = _PARTS[cell_set]
            rows.append(
                {
                    **case.labels,
                    "offence_type": name,
                    "cell_set": cell_set,
                    **asdict(reduce(add, [errors[part][k] for part in parts])),
                    **_spread_columns([calibrations[part][k] for part in parts if spread]),
                }
            )
    return rows


def _spread_columns(parts: list[CalibrationSums]) -> dict[str, object]:
    spread = reduce(add, parts) if parts else None
    return {
        "sum_crps": spread and spread.sum_crps,
        "n_inside_80": spread and spread.inside_80,
        "n_inside_95": spread and spread.inside_95,
        "sum_stated_80": spread and spread.stated_80,
        "sum_stated_95": spread and spread.stated_95,
    }


def _hotspot_rows(case: _Case, truth: Truth) -> list[dict[str, object]]:
    active = truth.ever_active
    risk, incidents, extent = (
        case.expected[:, active],
        case.observed[:, active],
        truth.area_km2[active],
    )
    ranked = {ANY: (risk.sum(axis=0), incidents.sum(axis=0))}
    ranked |= {name: (risk[k], incidents[k]) for k, name in enumerate(truth.offence_types)}
    rows = []
    for name, (scores, counts) in ranked.items():
        for coverage in COVERAGE_SHARES:
            sums = hotspot_sums(scores, counts, extent, coverage=coverage)
            rows.append(
                {
                    **case.labels,
                    "offence_type": name,
                    "coverage_share": coverage,
                    "sum_hits": sums.hits,
                    "sum_best_hits": sums.best_hits,
                    "sum_incidents": sums.n_incidents,
                }
            )
    return rows


def _pooled(cases: list[CalibrationCases]) -> CalibrationCases:
    names = [field.name for field in fields(CalibrationCases)]
    return CalibrationCases(
        **{name: np.concatenate([getattr(each, name).ravel() for each in cases]) for name in names}
    )


def _by_rate(lead: int, cases: CalibrationCases) -> list[dict[str, object]]:
    groups = cases.sums_by(rate_group(cases.expected), N_RATE_GROUPS)
    return [
        {
            "lead": lead,
            "rate_group": name,
            "n": sums.n,
            "sum_observed": sums.sum_observed,
            "sum_expected": sums.sum_expected,
            "n_inside_80": sums.inside_80,
            "n_inside_95": sums.inside_95,
            "sum_stated_80": sums.stated_80,
            "sum_stated_95": sums.stated_95,
            "n_pit_inside_80": sums.pit_inside_80,
            "n_pit_inside_95": sums.pit_inside_95,
        }
        for name, sums in zip(
            (ALL_RATES, *RATE_GROUPS), (reduce(add, groups), *groups), strict=True
        )
    ]


def _pit(lead: int, cases: CalibrationCases) -> list[dict[str, object]]:
    group = rate_group(cases.expected)
    by_group = pit_histogram(cases.pit_low, cases.pit_high, group, N_RATE_GROUPS)
    heights = np.concatenate([by_group.sum(axis=0, keepdims=True), by_group])
    return [
        {"lead": lead, "rate_group": name, "bin": position, "n": float(n)}
        for name, histogram in zip((ALL_RATES, *RATE_GROUPS), heights, strict=True)
        for position, n in enumerate(histogram)
    ]


def _reliability(lead: int, cases: CalibrationCases) -> list[dict[str, object]]:
    return [
        {"lead": lead, "bin": position, **asdict(each)}
        for position, each in enumerate(reliability(cases.observed, cases.expected))
    ]


def _first_day(month: Month) -> object:
    return month.astype("datetime64[D]").item()
