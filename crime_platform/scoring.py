"""Back-test forecasts against what was recorded: the sums behind every score, as long tables.

Sums only: ratios are taken by the views of the release and by `champion`. Nothing here decides.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from crime_platform.metrics.calibration import calibration_sums
from crime_platform.metrics.errors import error_sums, naive_scale
from crime_platform.metrics.hotspots import COVERAGE_SHARES, hotspot_sums
from crime_platform.metrics.significance import BLOCK_ORIGINS, bootstrap_skill, diebold_mariano_p
from crime_platform.vocabulary.forecast import CountHistory, RollingForecasts
from crime_platform.vocabulary.timesteps import Month, target_step

if TYPE_CHECKING:
    import pandas as pd

OPPONENT = "historical_average"
ANY_OFFENCE = "any"  # all offence types ranked together
ALL_CELLS, EVER_ACTIVE = "all", "ever_active"
_CELL_SETS = ((EVER_ACTIVE, True), ("never_active", False))


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
class _Case:
    """One model's forecast of one target month, beside what was recorded."""

    labels: dict[str, object]
    observed: Float[np.ndarray, "type row col"]
    expected: Float[np.ndarray, "type row col"]
    dispersion: Float[np.ndarray, "type row col"]
    scale: Float[np.ndarray, "type row col"]


def score_sums(
    model: str, forecasts: RollingForecasts, truth: Truth
) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """Error and calibration sums, and hot-spot sums, of every target month that has happened.

    Returns:
        One row per origin, lead, offence type and cell set; and one row per origin, lead, offence
        type (and `any`) and coverage.
    """
    import pandas as pd

    errors: list[dict[str, object]] = []
    hotspots: list[dict[str, object]] = []
    for case in _cases(model, forecasts, truth):
        for kind, name in enumerate(truth.offence_types):
            errors += _error_rows(case, kind, name, truth)
        hotspots += _hotspot_rows(case, truth)
    return pd.DataFrame(errors), pd.DataFrame(hotspots)


def _cases(model: str, forecasts: RollingForecasts, truth: Truth) -> Iterator[_Case]:
    history = truth.history
    for position, origin in enumerate(forecasts.origins):
        scale = naive_scale(history.through(origin).counts)
        for lead in range(1, forecasts.expected_count.shape[1] + 1):
            target = target_step(origin, lead)
            if target > history.steps[-1]:
                continue  # the month has not happened yet
            yield _Case(
                labels={
                    "model": model,
                    "origin_month": _first_day(origin),
                    "target_month": _first_day(target),
                    "lead": lead,
                },
                observed=history.counts[history.index_of(target)].astype(np.float64),
                expected=forecasts.expected_count[position, lead - 1],
                dispersion=forecasts.dispersion[position, lead - 1],
                scale=scale,
            )


def _error_rows(case: _Case, kind: int, name: str, truth: Truth) -> list[dict[str, object]]:
    observed, expected = case.observed[kind], case.expected[kind]
    errors, calibrations = {}, {}
    for cell_set, wanted in _CELL_SETS:
        mask = truth.ever_active == wanted
        errors[cell_set] = error_sums(observed, expected, mask=mask, scale=case.scale[kind])
        calibrations[cell_set] = calibration_sums(
            observed, expected, case.dispersion[kind], mask=mask
        )
    errors[ALL_CELLS] = errors[EVER_ACTIVE] + errors["never_active"]
    calibrations[ALL_CELLS] = calibrations[EVER_ACTIVE] + calibrations["never_active"]
    rows = []
    for cell_set in (ALL_CELLS, EVER_ACTIVE):
        spread = calibrations[cell_set]
        rows.append(
            {
                **case.labels,
                "offence_type": name,
                "cell_set": cell_set,
                **asdict(errors[cell_set]),
                "sum_crps": spread.sum_crps,
                "n_inside_80": spread.inside_80,
                "n_inside_95": spread.inside_95,
                "sum_stated_80": spread.stated_80,
                "sum_stated_95": spread.stated_95,
            }
        )
    return rows


def _hotspot_rows(case: _Case, truth: Truth) -> list[dict[str, object]]:
    active = truth.ever_active
    risk, incidents, extent = (
        case.expected[:, active],
        case.observed[:, active],
        truth.area_km2[active],
    )
    ranked = {ANY_OFFENCE: (risk.sum(axis=0), incidents.sum(axis=0))}
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


def model_skills(scores: "pd.DataFrame") -> "pd.DataFrame":
    """Skill of every model over the historical average, with interval and p value.

    One row per model, lead and cell set, pooled over offence types; the resampled unit is the
    origin. NaN where fewer origins were scored than the test needs.

    Raises:
        ValueError: if the historical average was not scored.
    """
    import pandas as pd

    if OPPONENT not in set(scores["model"]):
        raise ValueError(
            f"skill is measured against {OPPONENT}, which has no scores; "
            f"there are {sorted(scores['model'].unique())}"
        )
    keys = ["lead", "cell_set", "model", "origin_month"]
    by_origin = scores.groupby(keys)["sum_deviance"].sum().unstack("origin_month")
    rows = []
    for labels, sums in by_origin.iterrows():
        lead, cell_set, model = tuple(labels)  # pyright: ignore[reportArgumentType]
        opponent = by_origin.xs((lead, cell_set, OPPONENT))
        paired = pd.DataFrame({"model": sums, "opponent": opponent})
        paired = paired.dropna()
        ours, theirs = paired["model"].to_numpy(), paired["opponent"].to_numpy()
        low = high = p_value = np.nan
        if len(paired) > max(BLOCK_ORIGINS, lead):
            low, high = bootstrap_skill(ours, theirs)
            p_value = np.nan if model == OPPONENT else diebold_mariano_p(ours, theirs, lead=lead)
        rows.append(
            {
                "model": model,
                "lead": lead,
                "cell_set": cell_set,
                "deviance_skill": 1 - ours.sum() / theirs.sum(),
                "deviance_skill_low": low,
                "deviance_skill_high": high,
                "diebold_mariano_p": p_value,
            }
        )
    return pd.DataFrame(rows)


def _first_day(month: Month) -> object:
    return month.astype("datetime64[D]").item()
