"""What the sums of street models prove: skill, hit rates and their noise, day blocks resampled.

All models are resampled together, so that what a week did to all of them cancels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from crime_platform.evaluation.street_scores import Case, StreetScores
from crime_platform.metrics.daily_hotspots import CURVE_SHARES, DailyHits
from crime_platform.metrics.errors import skill_score
from crime_platform.metrics.hotspots import COVERAGE_SHARES
from crime_platform.metrics.significance import BLOCK_DAYS, block_draws
from crime_platform.schema.values import ANY, EWMA, LONG_RUN_FREQUENCY

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.95
HEADLINE_COVERAGE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Judged:
    """All models on the days of one case, and the resampled weights of those days."""

    case: Case
    n_draws: Float[np.ndarray, "resample day"]
    deviance: dict[str, Float[np.ndarray, " day"]]
    hits: dict[str, DailyHits]
    rates: dict[str, tuple[np.ndarray, np.ndarray]]  # hit rate by coverage; in each resample
    best_baseline: str

    def deviance_skill(self, model: str) -> tuple[float, float, float]:
        """Skill over the opponent and the ends of its interval."""
        ours, theirs = self.deviance[model], self.deviance[LONG_RUN_FREQUENCY]
        resampled = 1 - (self.n_draws @ ours) / (self.n_draws @ theirs)
        return skill_score(float(ours.sum()), float(theirs.sum())), *_ends(resampled)

    def gain_over_best(self, model: str) -> tuple[float, float, float]:
        """Mean daily deviance saved on the best baseline; NaN for that baseline itself."""
        if model == self.best_baseline:
            return np.nan, np.nan, np.nan
        gap = self.deviance[self.best_baseline] - self.deviance[model]
        return float(gap.mean()), *_ends(self.n_draws @ gap / gap.size)


def street_evidence(
    scores: Mapping[str, StreetScores], baselines: Sequence[str]
) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """Rows of `street_skill` and `street_curve`, for every part, lead and offence group.

    The best baseline of a part and lead is the one with the lowest deviance over all offence
    groups on those very days, known in hindsight only, which favours the baseline.

    Args:
        scores: by model, the opponent among them.
        baselines: names of the models that are not networks.

    Raises:
        ValueError: if the opponent was not scored.
    """
    import pandas as pd

    if LONG_RUN_FREQUENCY not in scores:
        raise ValueError(
            f"skill is measured against {LONG_RUN_FREQUENCY}, which has no scores; "
            f"there are {list(scores)}"
        )
    skills, curves, best = [], [], {}
    for case in scores[LONG_RUN_FREQUENCY].hits:
        part, lead, group = case
        deviance = {model: _daily_deviance(each, case) for model, each in scores.items()}
        if group == ANY:
            tried = [name for name in baselines if name in scores]
            best[part, lead] = min(tried, key=lambda name, of=deviance: float(of[name].sum()))
        n_draws = block_draws(deviance[LONG_RUN_FREQUENCY].size, BLOCK_DAYS).astype(np.float64)
        hits = {model: each.hits[case] for model, each in scores.items()}
        judged = _Judged(
            case=case,
            n_draws=n_draws,
            deviance=deviance,
            hits=hits,
            rates={model: _rates(daily, n_draws) for model, daily in hits.items()},
            best_baseline=best[part, lead],
        )
        of_models = {model: _curve(judged, model) for model in scores}
        for model, each in scores.items():
            skills.append(_skill_row(judged, each, of_models[model]))
        curves += list(of_models.values())
    return pd.DataFrame(skills), pd.concat(curves, ignore_index=True)


def _daily_deviance(scores: StreetScores, case: Case) -> Float[np.ndarray, " day"]:
    rows = rows_of(scores.rows, case)
    return rows.groupby("target_day")["sum_deviance"].sum().to_numpy()


def rows_of(rows: "pd.DataFrame", case: Case) -> "pd.DataFrame":
    """Rows of `street_score` of one part, lead and offence group, or of all groups."""
    part, lead, group = case
    kept = (rows["part"] == part) & (rows["lead"] == lead)
    return rows[kept if group == ANY else kept & (rows["offence_group"] == group)]


def _rates(daily: DailyHits, n_draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hit rate by coverage, pooled and in each resample; NaN without an incident."""
    pooled = _shares(daily.hits.sum(axis=1)[None], daily.n_incidents.sum(keepdims=True))[0]
    return pooled, _shares(n_draws @ daily.hits.T, n_draws @ daily.n_incidents)


def _curve(judged: _Judged, model: str) -> "pd.DataFrame":
    """Rows of `street_curve`: the hit rate at each coverage, beside the opponent and the EWMA."""
    import pandas as pd

    part, lead, group = judged.case
    rate, resampled = judged.rates[model]
    low, high = _ends(resampled)
    best = judged.hits[model].best_hits.sum(axis=1)
    hits = judged.hits[model].hits.sum(axis=1)
    columns = {
        "model": model,
        "part": part,
        "lead": lead,
        "offence_group": group,
        "coverage_share": CURVE_SHARES,
        "hit_rate": rate,
        "hit_rate_low": low,
        "hit_rate_high": high,
        "pai": rate / np.array(CURVE_SHARES),
        "pei": np.divide(hits, best, out=np.full(best.shape, np.nan), where=best > 0),
    }
    for name, other in (("long_run", LONG_RUN_FREQUENCY), ("ewma", EWMA)):
        gain = np.full((3, rate.size), np.nan)
        if other in judged.hits and other != model:
            their_rate, theirs = judged.rates[other]
            gain = np.stack([rate - their_rate, *_ends(resampled - theirs)])
        for ending, values in zip(("", "_low", "_high"), gain, strict=True):
            columns[f"gain_over_{name}{ending}"] = values
    return pd.DataFrame(columns)


def _skill_row(judged: _Judged, scores: StreetScores, curve: "pd.DataFrame") -> dict[str, object]:
    part, lead, group = judged.case
    sums = rows_of(scores.rows, judged.case)
    skill, low, high = judged.deviance_skill(scores.model)
    gain, gain_low, gain_high = judged.gain_over_best(scores.model)
    total = sums.drop(columns=["lead"]).sum(numeric_only=True)
    at = curve.set_index("coverage_share").to_dict()  # by column, then by coverage
    return {
        "model": scores.model,
        "part": part,
        "lead": lead,
        "offence_group": group,
        "n_days": sums["target_day"].nunique(),
        "n_incidents": total["sum_observed"],
        "deviance": total["sum_deviance"] / total["n"],
        "deviance_skill": skill,
        "deviance_skill_low": low,
        "deviance_skill_high": high,
        "best_baseline": judged.best_baseline,
        "gain_over_best_baseline": gain,
        "gain_over_best_baseline_low": gain_low,
        "gain_over_best_baseline_high": gain_high,
        "rmse": np.sqrt(total["sum_squared_error"] / total["n"]),
        "mae": total["sum_absolute_error"] / total["n"],
        "bias_share": _ratio(total["sum_expected"], total["sum_observed"]) - 1,
        **{
            f"{name}_{round(100 * share)}": at[name][share]
            for name in ("hit_rate", "pai", "pei")
            for share in COVERAGE_SHARES
        },
        **{
            f"hit_rate_20_{name}": at[name][HEADLINE_COVERAGE]
            for name in map(str, at)
            if name.startswith("gain_over")
        },
        "node_count_hit_rate_20": scores.node_count_hit_rate[judged.case],
        **{
            f"{name}_{level}": total[f"{column}_{level}"] / total["n"]
            for name, column in (("coverage", "n_inside"), ("stated_coverage", "sum_stated"))
            for level in (80, 95)
        },
    }


def _ends(resampled: np.ndarray) -> tuple[Any, Any]:
    """Low and high end of the central interval, over the first axis."""
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else np.nan


def _shares(hits: np.ndarray, n_incidents: np.ndarray) -> np.ndarray:
    shares = np.full(hits.shape, np.nan)
    return np.divide(hits, n_incidents[:, None], out=shares, where=n_incidents[:, None] > 0)
