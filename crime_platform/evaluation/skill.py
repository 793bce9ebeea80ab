"""What the back-test's sums prove: skill with its noise, turning months, the spread chosen.

Reads the rows of `backtest_score`; nothing here decides who is published.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crime_platform.evaluation.recalibration import SpreadChoice
from crime_platform.metrics.significance import BLOCK_ORIGINS, bootstrap_skill, diebold_mariano_p
from crime_platform.metrics.turning_points import Turn, judge_turns, turning_points
from crime_platform.schema.values import ALL_CELLS, EVER_ACTIVE, HISTORICAL_AVERAGE
from crime_platform.vocabulary.forecast import CountHistory

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class _Skill:
    """Pooled skill over one opponent, its interval and its p value."""

    pooled: float
    low: float
    high: float
    p_value: float


def model_skills(scores: "pd.DataFrame", baselines: Sequence[str]) -> "pd.DataFrame":
    """Skill of every model over the historical average and over the best single baseline.

    One row per model, lead and cell set, pooled over offence types and scored origins; the
    resampled unit is the origin. The best baseline is the one with the lowest pooled deviance one
    month ahead over the ever active cells of the scored origins themselves. It is known in
    hindsight only, which favours the baseline: no one could have picked it beforehand. NaN where
    fewer origins were scored than a test needs, and for a model against itself.

    Args:
        scores: rows of `backtest_score`; those that served selection are left out.
        baselines: names of the single baselines, the historical average among them.

    Raises:
        ValueError: if the historical average was not scored.
    """
    import pandas as pd

    scored = scores[~scores["is_selection"]]
    if HISTORICAL_AVERAGE not in set(scored["model"]):
        raise ValueError(
            f"skill is measured against {HISTORICAL_AVERAGE}, which has no scores; "
            f"there are {sorted(scored['model'].unique())}"
        )
    best = best_baseline(scored, baselines)
    cases = scored[["lead", "cell_set"]].drop_duplicates().sort_values(["lead", "cell_set"])
    rows = []
    for lead, cell_set in cases.itertuples(index=False):
        by_origin = _deviance_by_origin(scored, lead, cell_set)
        for model in by_origin.index:
            over_average, over_best = (
                _skill(by_origin, model, opponent, lead) for opponent in (HISTORICAL_AVERAGE, best)
            )
            rows.append(
                {
                    "model": model,
                    "lead": lead,
                    "cell_set": cell_set,
                    "deviance_skill": over_average.pooled,
                    "deviance_skill_low": over_average.low,
                    "deviance_skill_high": over_average.high,
                    "diebold_mariano_p": over_average.p_value,
                    "best_baseline": best,
                    "skill_over_best_baseline": over_best.pooled,
                    "skill_over_best_baseline_low": over_best.low,
                    "skill_over_best_baseline_high": over_best.high,
                    "diebold_mariano_p_best_baseline": over_best.p_value,
                }
            )
    return pd.DataFrame(rows)


def best_baseline(scored: "pd.DataFrame", baselines: Sequence[str]) -> str:
    """Baseline with the lowest pooled deviance, lead 1, ever active cells; scored everywhere.

    Raises:
        ValueError: if no baseline was scored at every origin.
    """
    lead_one = _deviance_by_origin(scored, 1, EVER_ACTIVE)
    complete = lead_one[lead_one.index.isin(list(baselines))].dropna()
    if len(complete) == 0:
        raise ValueError(
            f"the best baseline is one of {sorted(baselines)}, of which none has scores at every "
            f"origin; scored are {sorted(lead_one.index)}"
        )
    return str(complete.sum(axis=1).idxmin())


def turn_tables(
    scores: "pd.DataFrame", history: CountHistory
) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """Rows of `turning_month` and `model_turn`, lead 1, selection origins included.

    A dozen scored months hold two turns or so; the months before them double the evidence, and
    nothing is chosen by it. City totals are those of all cells and offence types.

    Args:
        scores: rows of `backtest_score`.
        history: counts up to `as_of`.
    """
    import pandas as pd

    totals = history.counts.sum(axis=tuple(range(1, history.counts.ndim)), dtype=np.float64)
    lead_one = scores[scores["lead"] == 1]
    targets = pd.DatetimeIndex(lead_one["target_month"]).to_numpy().astype("datetime64[M]")
    first, last = history.index_of(targets.min()), history.index_of(targets.max())
    turns = [turn for turn in turning_points(totals) if first <= turn.step <= last]
    columns = {cells: _by_target(lead_one, cells, history) for cells in (ALL_CELLS, EVER_ACTIVE)}
    rows = []
    for model in lead_one["model"].unique():
        judged = judge_turns(
            columns[ALL_CELLS]["sum_expected"][model].to_numpy(),
            totals,
            turns,
            deviance=columns[EVER_ACTIVE]["sum_deviance"][model].to_numpy(),
            baseline_deviance=columns[EVER_ACTIVE]["sum_deviance"][HISTORICAL_AVERAGE].to_numpy(),
        )
        rows.append(
            {
                "model": model,
                "n_turns": judged.n_turns,
                "deviance_skill": judged.deviance_skill,
                "share_right_direction": judged.share_right_direction,
                "lag_months": judged.lag_months,
            }
        )
    return _turning_months(turns, totals, history), pd.DataFrame(rows)


def distribution_choices(model: str, choices: Sequence[SpreadChoice]) -> "pd.DataFrame":
    """Rows of `distribution_choice`: every spread tried at the last origin and the one chosen.

    Where too few earlier forecasts were there to judge by, the model kept its own spread and has
    no row.
    """
    import pandas as pd

    last = max((choice.origin for choice in choices), default=None)
    rows = [
        {
            "model": model,
            "lead": choice.lead,
            "distribution": name,
            "crps": crps,
            "pit_shortfall": choice.pit_shortfall[name],
            "is_chosen": name == choice.distribution,
        }
        for choice in choices
        if choice.origin == last
        for name, crps in choice.crps.items()
    ]
    columns = ["model", "lead", "distribution", "crps", "pit_shortfall", "is_chosen"]
    return pd.DataFrame(rows, columns=columns)


def _deviance_by_origin(scored: "pd.DataFrame", lead: int, cell_set: str) -> "pd.DataFrame":
    rows = scored[(scored["lead"] == lead) & (scored["cell_set"] == cell_set)]
    return rows.groupby(["model", "origin_month"])["sum_deviance"].sum().unstack("origin_month")


def _skill(by_origin: "pd.DataFrame", model: str, opponent: str, lead: int) -> _Skill:
    paired = by_origin.loc[[model, opponent]].to_numpy(dtype=np.float64)
    ours, theirs = paired[:, ~np.isnan(paired).any(axis=0)]
    low = high = p_value = np.nan
    if ours.size > max(BLOCK_ORIGINS, lead):
        low, high = bootstrap_skill(ours, theirs)
        p_value = np.nan if model == opponent else diebold_mariano_p(ours, theirs, lead=lead)
    pooled = 1 - ours.sum() / theirs.sum() if theirs.sum() else np.nan
    return _Skill(pooled, low, high, p_value)


def _by_target(
    lead_one: "pd.DataFrame", cell_set: str, history: CountHistory
) -> dict[str, "pd.DataFrame"]:
    """Sums of each month of the history (rows) and model (columns); NaN where none was scored."""
    rows = lead_one[lead_one["cell_set"] == cell_set]
    months = history.steps.astype("datetime64[D]").astype(object)
    grouped = rows.groupby(["target_month", "model"])[["sum_expected", "sum_deviance"]].sum()
    return {
        name: grouped[name].unstack("model").reindex(months)
        for name in ("sum_expected", "sum_deviance")
    }


def _turning_months(
    turns: Sequence[Turn], totals: np.ndarray, history: CountHistory
) -> "pd.DataFrame":
    import pandas as pd

    rows = [
        {
            "target_month": history.steps[turn.step].astype("datetime64[D]").item(),
            "direction": turn.direction,
            "count": totals[turn.step],
        }
        for turn in turns
    ]
    return pd.DataFrame(rows, columns=["target_month", "direction", "count"])
