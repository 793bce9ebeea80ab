"""What a search for settings may see: the months before the test, and the past origins in them.

Whoever searches gets a `SelectionHistory`, never a `CountHistory`: the months whose forecasts are
the evidence are not in it, so that no setting can have been chosen on them.
"""

from dataclasses import InitVar, dataclass

import numpy as np
from jaxtyping import Bool, Float

from crime_platform.metrics.errors import error_sums
from crime_platform.models.count_distribution import rate_floor
from crime_platform.vocabulary.artifact import content_key
from crime_platform.vocabulary.forecast import CountHistory, Fitted, Forecaster
from crime_platform.vocabulary.timesteps import IncompleteDataError, Month, month_range

MONTHS_PER_YEAR = 12
LEAD = 1  # what settings are judged by
_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SelectionHistory:
    """Counts up to the first test origin, the last month that is known there; no test target.

    Made by `selection_history` alone, which copies: later months cannot be reached from it.
    """

    history: CountHistory
    _seal: InitVar[object]  # not kept, so that `replace` cannot put other months under it

    def __post_init__(self, _seal: object) -> None:
        if _seal is not _SEAL:
            raise TypeError(
                "a SelectionHistory is made by selection_history(history, first_test_origin) only, "
                "which cuts the test off"
            )

    @property
    def first_test_origin(self) -> Month:
        """The last month held: the first origin whose forecasts are evidence."""
        return self.history.steps[-1]

    @property
    def ever_active(self) -> Bool[np.ndarray, "*unit"]:
        """Units with an incident of any type in these months: those that are judged."""
        return np.asarray(self.history.counts.any(axis=(0, 1)))

    @property
    def data_version(self) -> str:
        """Key of everything a search can learn from."""
        return content_key(*self.history.content)

    def through(self, origin: Month) -> CountHistory:
        """What was known at an origin.

        Raises:
            IncompleteDataError: if the origin is not among these months.
        """
        return self.history.through(origin)


def selection_history(history: CountHistory, first_test_origin: Month) -> SelectionHistory:
    """The months that a search may see.

    Args:
        history: counts of an area, however far they reach.
        first_test_origin: the first origin whose forecasts are evidence; its own count is known
            when it forecasts, the next month's is the first test target.

    Raises:
        IncompleteDataError: if the history does not hold that month.
    """
    known = history.through(first_test_origin)
    cut = CountHistory(
        steps=known.steps.copy(),
        counts=known.counts.copy(),
        holidays=known.holidays.copy(),
        marked={mark: counts.copy() for mark, counts in known.marked.items()},
    )
    return SelectionHistory(history=cut, _seal=_SEAL)


def require_selection(given: object) -> SelectionHistory:
    """The argument itself, if the test is cut off from it.

    Raises:
        TypeError: for anything but a `SelectionHistory`.
    """
    if not isinstance(given, SelectionHistory):
        raise TypeError(
            f"settings are searched on a SelectionHistory, got a {type(given).__name__}, which may "
            "hold test months: make one with selection_history(history, first_test_origin)"
        )
    return given


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TuningFold:
    """One fit and the consecutive past origins that it serves."""

    fit_origin: Month
    origins: np.ndarray  # the first one is the fit's own


def tuning_folds(
    selection: SelectionHistory, *, n_fits: int, refit_every: int
) -> tuple[TuningFold, ...]:
    """The newest fits before the test, in an order that spreads over the years early on.

    Fits are anchored to the calendar as in the back-test (every 6 months: June and December).
    Whoever stops after a few folds has then seen more than one year: of four fits the order is
    first, third, second, fourth.

    Raises:
        TypeError: if the test is not cut off from the history.
        ValueError: if there is no fit, or refits do not divide a year.
        IncompleteDataError: if the history starts after the first fit.
    """
    held = require_selection(selection)
    if n_fits < 1 or refit_every < 1:
        raise ValueError(
            f"need at least 1 fit and a refit interval of at least 1 month, got {n_fits} fits "
            f"every {refit_every} months"
        )
    last_origin = held.first_test_origin - LEAD
    newest = last_origin - (int(last_origin.astype(np.int64)) + 1) % refit_every
    fits = [newest - refit_every * back for back in reversed(range(n_fits))]
    if fits[0] < held.history.steps[0]:
        raise IncompleteDataError(
            f"{n_fits} fits every {refit_every} months before {held.first_test_origin} start in "
            f"{fits[0]}, the history in {held.history.steps[0]}: take in earlier months"
        )
    return tuple(
        TuningFold(
            fit_origin=fits[position],
            origins=month_range(
                fits[position], min(fits[position] + (refit_every - 1), last_origin)
            ),
        )
        for position in spread_order(n_fits)
    )


def spread_order(n: int) -> list[int]:
    """0 to n - 1 so that every beginning of the list is spread over the whole range.

    Source: van der Corput (1935), Verteilungsfunktionen: the positions' binary digits, reversed.
    """
    n_digits = (n - 1).bit_length()
    reversed_digits = [int(f"{i:0{n_digits}b}"[::-1], 2) for i in range(2**n_digits)]
    return [position for position in reversed_digits if position < n]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoldScore:
    """How wrong one fit was, origin by origin; sums, so that folds pool exactly."""

    origins: np.ndarray
    sum_deviance: Float[np.ndarray, " origin"]
    n_cases: int  # of all origins together


def by_origin(scores: list[FoldScore]) -> dict[str, float]:
    """Deviance sums of the origins, oldest first."""
    pairs = [
        pair for score in scores for pair in zip(score.origins, score.sum_deviance, strict=True)
    ]
    return {str(origin): float(deviance) for origin, deviance in sorted(pairs)}


def score_fold(forecaster: Forecaster, selection: SelectionHistory, fold: TuningFold) -> FoldScore:
    """Fit once and score one month ahead from every origin of the fold, ever active units.

    Raises:
        TypeError: if the test is not cut off from the history.
        ValueError: if a target lies in the test, or a fit after the origin it serves.
        IncompleteDataError: if the months up to the fit are too few for the forecaster.
    """
    held = require_selection(selection)
    _require_before_test(fold, held)
    fitted = forecaster.fit(held.through(fold.fit_origin), fold.fit_origin)
    mask = np.broadcast_to(held.ever_active, held.history.counts.shape[1:])
    sums, n_cases = [], 0
    for origin in fold.origins:
        observed = held.history.counts[held.history.index_of(origin + LEAD)]
        scored = error_sums(
            observed.astype(np.float64), _expected(fitted, held.through(origin)), mask=mask
        )
        sums.append(scored.sum_deviance)
        n_cases += scored.n
    return FoldScore(origins=fold.origins, sum_deviance=np.array(sums), n_cases=n_cases)


def _expected(fitted: Fitted, known: CountHistory) -> Float[np.ndarray, " type *unit"]:
    """One month ahead, with the floor that the back-test holds every model to."""
    forecast = fitted.forecast(known, known.steps[-1], LEAD)
    return np.maximum(forecast.expected_count[LEAD - 1], rate_floor(known))


def _require_before_test(fold: TuningFold, held: SelectionHistory) -> None:
    last_target = fold.origins[-1] + LEAD
    if last_target > held.first_test_origin:
        raise ValueError(
            f"the fold's last target {last_target} lies in the test, which starts after "
            f"{held.first_test_origin}: nothing may be chosen on it"
        )
    if fold.fit_origin > fold.origins[0]:
        raise ValueError(
            f"a fit at {fold.fit_origin} knows the future of the origin {fold.origins[0]} that it "
            "should serve: fit at that origin or earlier"
        )


def pooled_skill(scores: list[FoldScore], opponent: list[FoldScore]) -> float:
    """1 - deviance / deviance of the opponent, over all origins of the folds together.

    Raises:
        ValueError: if the two were not scored on the same origins.
    """
    ours, theirs = (
        np.concatenate([score.origins for score in each]) for each in (scores, opponent)
    )
    if not np.array_equal(ours, theirs):
        raise ValueError(f"skill compares forecasts of the same origins, got {ours} and {theirs}")
    deviance, baseline = (
        float(sum(score.sum_deviance.sum() for score in each)) for each in (scores, opponent)
    )
    return 1 - deviance / baseline
