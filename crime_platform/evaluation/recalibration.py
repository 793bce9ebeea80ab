"""The spread of every model's forecasts, fitted and chosen prequentially.

At each origin only forecasts whose months have happened by then are looked at, as a user would
have looked at them. Expected counts are left as they are.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from crime_platform.metrics.calibration import pit_share
from crime_platform.models.count_distribution import cdf, crps
from crime_platform.models.dispersion import (
    N_RATE_GROUPS,
    SPREADS,
    CaseTable,
    Spread,
    fit_spreads,
    tabulate,
)
from crime_platform.vocabulary.forecast import CountHistory, RollingForecasts
from crime_platform.vocabulary.timesteps import Month

MODEL_OWN = "model_own"  # what the model stated itself
MIN_EARLIER_ORIGINS = 6  # 3 to fit and 3 to choose by
CENTRAL = (0.80, 0.95)
PIT_TOLERANCE = 0.02  # of the share inside a central interval
NOISE_SD = 2.0  # a rate group with few cases may miss by as many standard errors


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadChoice:
    """The spread used at one origin and lead, and what was tried."""

    origin: Month
    lead: int
    distribution: str  # one of SPREADS, or MODEL_OWN
    crps: dict[str, float]  # mean over the months that chose; empty where too few were known
    pit_shortfall: dict[str, float]  # largest one over the one allowed: wide enough up to 1


def calibrated(
    forecasts: RollingForecasts, history: CountHistory
) -> tuple[RollingForecasts, tuple[SpreadChoice, ...]]:
    """The same expected counts with the spread that earlier forecasts' misses call for.

    At origin t and lead L the evidence is the forecasts made at t - L or before, in cells with an
    incident up to t. Every kind of spread is fitted on the older half of those origins and judged
    on the newer half; the one chosen is fitted again on all of them. With fewer than
    `MIN_EARLIER_ORIGINS` the model's own spread stays.

    Chosen is the lowest CRPS of the kinds that are wide enough: in every rate group the PIT inside
    the central 80 and 95 % falls short by no more than `PIT_TOLERANCE`, or noise. If none is, it
    is the one that falls short least. CRPS alone would not do: where a model's mean is off it
    prefers, by a ten-thousandth, a spread far too narrow. What is too wide it rejects by itself.

    Every origin is fitted anew: equal cases are counted once, which makes a fit a matrix product.

    Args:
        forecasts: of one model, origins oldest first.
        history: counts; what lies after an origin is never read for it.

    Source: sharpness subject to calibration, Gneiting, Balabdaoui & Raftery (2007), J. R. Stat.
    Soc. B 69.
    """
    dispersion = forecasts.dispersion.copy()
    choices: list[SpreadChoice] = []
    for lead in range(1, dispersion.shape[1] + 1):
        evidence = _Evidence.of(forecasts, history, lead)
        for position, (choice, spread) in enumerate(_choose(evidence, forecasts.origins, lead)):
            choices.append(choice)
            if spread is not None:
                expected = forecasts.expected_count[position, lead - 1]
                dispersion[position, lead - 1] = spread.alpha(expected)
    replaced = RollingForecasts(
        origins=forecasts.origins,
        expected_count=forecasts.expected_count,
        dispersion=dispersion,
    )
    return replaced, tuple(choices)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Evidence:
    """Forecasts at one lead whose months have happened, as rows of a table of equal cases."""

    table: CaseTable | None  # None where no month has happened
    rows: Int[np.ndarray, "earlier type cell"]
    is_active: Bool[np.ndarray, "origin cell"]  # an incident of any type up to the origin
    n_known: Int[np.ndarray, " origin"]  # the earlier forecasts known at each origin

    @classmethod
    def of(cls, forecasts: RollingForecasts, history: CountHistory, lead: int) -> "_Evidence":
        targets = forecasts.origins + lead
        n_earlier = int((targets <= history.steps[-1]).sum())
        counts = history.counts.reshape(*history.counts.shape[:2], -1)
        active = np.logical_or.accumulate(counts.any(axis=1), axis=0)
        at_origin = np.array([history.index_of(origin) for origin in forecasts.origins])
        cells = active[at_origin[-1]]
        at_target = at_origin[:n_earlier] + lead
        expected = forecasts.expected_count[:n_earlier, lead - 1]
        table, rows = None, np.zeros((0, counts.shape[1], int(cells.sum())), dtype=np.int64)
        if n_earlier:
            table, rows = tabulate(
                counts[at_target][:, :, cells].astype(np.float64),
                expected.reshape(*expected.shape[:2], -1)[:, :, cells],
            )
        known = [int((targets[:n_earlier] <= origin).sum()) for origin in forecasts.origins]
        return cls(
            table=table,
            rows=rows,
            is_active=active[at_origin][:, cells],
            n_known=np.array(known, dtype=np.int64),
        )

    def weights(self, position: int, start: int, end: int) -> Float[np.ndarray, " row"]:
        """How often each row occurs in the earlier forecasts start..end, as seen at an origin."""
        seen = self.rows[start:end][:, :, self.is_active[position]]
        n_rows = 0 if self.table is None else len(self.table.observed)
        return np.bincount(seen.ravel(), minlength=n_rows).astype(np.float64)


def _choose(
    evidence: _Evidence, origins: np.ndarray, lead: int
) -> list[tuple[SpreadChoice, Spread | None]]:
    own = {"lead": lead, "distribution": MODEL_OWN, "crps": {}, "pit_shortfall": {}}
    chosen: list[tuple[SpreadChoice, Spread | None]] = [
        (SpreadChoice(origin=origin, **own), None) for origin in origins
    ]
    known: list[int] = evidence.n_known.tolist()
    judged = [t for t, n_known in enumerate(known) if n_known >= MIN_EARLIER_ORIGINS]
    if not judged or evidence.table is None:
        return chosen
    older = np.stack([evidence.weights(t, 0, known[t] // 2) for t in judged])
    newer = np.stack([evidence.weights(t, known[t] // 2, known[t]) for t in judged])
    on_older = fit_spreads(evidence.table, older)
    on_all = fit_spreads(evidence.table, older + newer)
    verdicts = [_judge(evidence.table, newer, on_older[name]) for name in SPREADS]
    mean_crps, shortfall = (np.stack(each) for each in zip(*verdicts, strict=True))
    for fit, position in enumerate(judged):
        best = SPREADS[_best(mean_crps[:, fit], shortfall[:, fit])]
        choice = SpreadChoice(
            origin=origins[position],
            lead=lead,
            distribution=best,
            crps=dict(zip(SPREADS, mean_crps[:, fit].tolist(), strict=True)),
            pit_shortfall=dict(zip(SPREADS, shortfall[:, fit].tolist(), strict=True)),
        )
        chosen[position] = (choice, on_all[best][fit])
    return chosen


def _best(mean_crps: Float[np.ndarray, " spread"], shortfall: Float[np.ndarray, " spread"]) -> int:
    wide_enough = shortfall <= 1
    if wide_enough.any():
        return int(np.where(wide_enough, mean_crps, np.inf).argmin())
    return int(shortfall.argmin())


def _judge(
    table: CaseTable, weights: Float[np.ndarray, "fit row"], spreads: tuple[Spread, ...]
) -> tuple[Float[np.ndarray, " fit"], Float[np.ndarray, " fit"]]:
    """Mean CRPS, and the largest PIT shortfall over the allowed one, of weighted cases."""
    alphas = np.stack([spread.by_group for spread in spreads])
    score, n = np.zeros(len(weights)), np.zeros((len(weights), N_RATE_GROUPS))
    inside = np.zeros((len(CENTRAL), len(weights), N_RATE_GROUPS))
    for kind, group, rows in table.slices():
        tried, of_fit = np.unique(alphas[:, kind, group], return_inverse=True)
        y, mu, alpha = np.broadcast_arrays(
            table.observed[rows], table.expected[rows], tried[:, None]
        )
        weight = weights[:, rows]
        score += (weight * crps(y, mu, alpha)[of_fit]).sum(axis=1)
        n[:, group] += weight.sum(axis=1)
        low, high = cdf(y - 1, mu, alpha), cdf(y, mu, alpha)
        for position, level in enumerate(CENTRAL):
            ends = (1 + level) / 2, (1 - level) / 2
            share = pit_share(low, high, ends[0]) - pit_share(low, high, ends[1])
            inside[position, :, group] += (weight * share[of_fit]).sum(axis=1)
    cases = np.maximum(n, 1)
    level = np.reshape(CENTRAL, (-1, 1, 1))
    noise = NOISE_SD * np.sqrt(level * (1 - level) / cases)
    missing = np.where(n > 0, level - inside / cases, 0)
    shortfall = (missing / np.maximum(PIT_TOLERANCE, noise)).max(axis=(0, 2))
    return score / np.maximum(n.sum(axis=1), 1), shortfall
