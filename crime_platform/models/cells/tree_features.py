"""What boosted trees see of the past: one row of numbers per origin, offence type and cell.

Every number of a row comes from steps up to and including its origin, or from the calendar. One
walk through the steps keeps running sums, so that the rows of all origins cost little more than a
single look at each step.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import ndimage

from crime_platform.models.baseline_tuning import Setting
from crime_platform.models.empirical_bayes import empirical_bayes_rate
from crime_platform.tensors.covariates import month_calendar
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.timesteps import IncompleteDataError, month_of_year

MONTHS_PER_YEAR = 12
MEAN_DAYS_PER_MONTH = 365.2425 / MONTHS_PER_YEAR
QUIET_RATE = 0.01  # incidents per month added to every rate before its log: quiet cells look alike
SEASON_COUNT = 0.1  # the same for the mean of a few calendar months, which is noisier
SEASON_BANDWIDTH = 2.0  # cells
SMOOTHING_TRUNCATE = 3.0  # bandwidths at which a Gaussian neighbourhood ends

RECENT_SPANS = (1, 3, 6)  # months over which the city's level is compared with the base rate
CITY_FEATURES = (
    "annual_sine",
    "annual_cosine",
    "weekend_days",
    "holidays",
    *(f"level_of_type_{span}" for span in RECENT_SPANS),
    *(f"level_of_city_{span}" for span in RECENT_SPANS),
    "days_in_month",
)
"""What the last axis of `FeatureBlock.city` holds, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSettings:
    """Speeds and widths at which the past is summed up."""

    cell_decay: float = 0.98  # per month, of the EWMA that says where incidents happen
    level_decay: float = 0.551  # of the EWMA of the city's total, which says how many
    decays: tuple[float, ...] = (0.5, 0.8, 0.9, 0.95, 1.0)  # of further EWMAs; 1 is the plain mean
    near_decays: tuple[float, ...] = (0.8, 0.9, 1.0)  # of those, the ones shown smoothed
    bandwidths: tuple[float, ...] = (0.7, 1.5, 3.0, 6.0)  # of Gaussian neighbourhoods, in cells
    n_lags: int = 3  # latest months shown one by one
    # Decay, strength and reach of what empirical Bayes says, from the quick and local to the slow.
    bayes: tuple[Setting, ...] = ((0.97, 3.0, 2.0), (0.98, 1.0, 4.0), (0.95, 8.0, 1.0))

    def __post_init__(self) -> None:
        decays = (self.cell_decay, self.level_decay, *self.decays)
        if not all(0 < decay <= 1 for decay in decays):
            raise ValueError(f"every decay must be in (0, 1], got {self}; 1 is the plain mean")
        if 1.0 not in self.decays or not set(self.near_decays) <= set(self.decays):
            raise ValueError(f"decays must hold 1 and every one of near_decays, got {self}")
        if min(self.bandwidths, default=1) <= 0:
            raise ValueError(f"bandwidths are cells and must be above 0, got {self}")
        if not 1 <= self.n_lags < MONTHS_PER_YEAR:
            raise ValueError(f"n_lags must be in 1..{MONTHS_PER_YEAR - 1}, got {self.n_lags}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeatureBlock:
    """The rows of one origin: every offence type in every cell that had an incident by then."""

    origin: int  # position on the step axis
    cells: Int[np.ndarray, " cell"]  # positions in the raveled grid
    base: Float[np.ndarray, "type cell"]  # expected count in a month of mean length
    names: tuple[str, ...]  # of the columns of `rows`
    shared: Float[np.ndarray, "type cell shared"]  # the same for every lead
    by_lead: Float[np.ndarray, "lead type cell own"]
    city: Float[np.ndarray, "lead type city"]

    def rows(self, lead: int) -> Float[np.ndarray, "row feature"]:
        """One row per offence type and cell, types outermost; leads count from 1."""
        columns = np.concatenate([self.shared, self.by_lead[lead - 1]], axis=-1)
        return columns.reshape(self.base.size, -1)


def feature_blocks(
    history: CountHistory, settings: FeatureSettings, *, first: int, horizon: int
) -> list[FeatureBlock]:
    """Rows of each origin from position `first` to the last step, for leads 1..horizon.

    Raises:
        IncompleteDataError: if `first` has less than a year of steps up to it.
    """
    if first < MONTHS_PER_YEAR - 1:
        raise IncompleteDataError(
            f"a row of features reads {MONTHS_PER_YEAR} steps up to its origin, but only "
            f"{max(first + 1, 0)} exist there: start from a later origin"
        )
    sums, blocks = _RunningSums(history, settings), []
    for step in range(len(history.steps)):
        sums.advance()
        if step >= first:
            blocks.append(_block(sums, horizon))
    return blocks


def neighbourhood_mean(
    values: Float[np.ndarray, "*stack row col"],
    cells: Bool[np.ndarray, "row col"],
    bandwidth: float,
) -> Float[np.ndarray, "*stack row col"]:
    """Gaussian mean round every cell over the `cells` that take part; 0 where none is near.

    Values elsewhere must be 0. Lake and border thereby do not count as quiet neighbours.
    """
    sigmas = (*[0.0] * (values.ndim - 2), bandwidth, bandwidth)
    options = {"mode": "constant", "truncate": SMOOTHING_TRUNCATE}
    summed = ndimage.gaussian_filter(values, sigmas, **options)
    weight = ndimage.gaussian_filter(cells.astype(values.dtype), bandwidth, **options)
    return summed / np.maximum(weight, 1e-6)


class _RunningSums:
    """What the steps so far add up to; `advance` takes in the next one."""

    def __init__(self, history: CountHistory, settings: FeatureSettings) -> None:
        self.history, self.settings = history, settings
        self.counts = history.counts.astype(np.float32)
        unit_shape = self.counts.shape[1:]
        self.step = -1
        self.decays = (*settings.decays, settings.cell_decay)
        self.weighted = np.zeros((len(self.decays), *unit_shape), dtype=np.float32)
        self.weights = np.zeros(len(self.decays))
        self.n_days = days_in_months(history.steps)
        self.daily_totals = self.counts.sum(axis=(2, 3)) / self.n_days[:, None]
        self.level, self.level_weight = np.zeros(unit_shape[0]), 0.0
        self.marked = {mark: np.zeros(unit_shape, dtype=np.float32) for mark in history.marked}
        self.last_step = np.full(unit_shape, np.nan, dtype=np.float32)  # of an incident
        self.in_month = np.zeros((MONTHS_PER_YEAR, *unit_shape), dtype=np.float32)
        self.n_in_month = np.zeros(MONTHS_PER_YEAR)
        self.is_active = np.zeros(unit_shape[1:], dtype=bool)  # had an incident so far

    def advance(self) -> None:
        self.step += 1
        counts, settings = self.counts[self.step], self.settings
        decays = np.array(self.decays)
        self.weighted *= decays[:, None, None, None].astype(np.float32)
        self.weighted += counts
        self.weights = decays * self.weights + 1
        for mark, weighted in self.marked.items():
            weighted *= np.float32(settings.cell_decay)
            weighted += self.history.marked[mark][self.step]
        self.level = settings.level_decay * self.level + self.daily_totals[self.step]
        self.level_weight = settings.level_decay * self.level_weight + 1
        self.last_step[counts > 0] = self.step
        month = month_of_year(self.history.steps[[self.step]])[0]
        self.in_month[month] += counts
        self.n_in_month[month] += 1
        self.is_active |= counts.any(axis=0)

    @property
    def known(self) -> int:
        """Steps taken in."""
        return self.step + 1

    def rates(self) -> Float[np.ndarray, "decay type row col"]:
        """EWMAs in the order of `decays`, that of `cell_decay` last."""
        return self.weighted / self.weights[:, None, None, None].astype(np.float32)

    def marked_rates(self) -> dict[str, Float[np.ndarray, "type row col"]]:
        """The EWMA of `cell_decay`, of the incidents with each mark."""
        weight = np.float32(self.weights[-1])
        return {mark: weighted / weight for mark, weighted in self.marked.items()}

    def base(self) -> Float[np.ndarray, "type row col"]:
        """Where incidents happen, slowly learned, times how many there are, quickly learned.

        In a month of mean length. Each cell is granted half an incident over all steps.
        """
        half_incident = 0.5 / self.known
        slow = self.weighted[-1] / self.weights[-1]
        slow = np.where(self.is_active, np.maximum(slow, half_incident), 0.0)
        total = np.maximum(MEAN_DAYS_PER_MONTH * self.level / self.level_weight, half_incident)
        share = slow / np.maximum(slow.sum(axis=(1, 2), keepdims=True), half_incident)
        return share * total[:, None, None]

    def level_of(self, span: int) -> Float[np.ndarray, " type"]:
        """Incidents of the last steps, as if each were a month of mean length."""
        recent = self.daily_totals[self.known - span : self.known].mean(axis=0)
        return MEAN_DAYS_PER_MONTH * recent


def days_in_months(months: np.ndarray) -> Float[np.ndarray, " month"]:
    """Number of days of each month."""
    starts = months.astype("datetime64[M]").astype("datetime64[D]")
    ends = (months.astype("datetime64[M]") + 1).astype("datetime64[D]")
    return (ends - starts).astype(np.float64)


def _block(sums: _RunningSums, horizon: int) -> FeatureBlock:
    base = sums.base()
    cells = np.flatnonzero(sums.is_active)
    shared = _shared_columns(sums, base)
    by_lead = [_columns_of_target(sums, lead) for lead in range(1, horizon + 1)]
    return FeatureBlock(
        origin=sums.step,
        cells=cells,
        base=base.reshape(len(base), -1)[:, cells].astype(np.float64),
        names=(*shared, *by_lead[0]),
        shared=_gathered(shared, base.shape, cells),
        by_lead=np.stack([_gathered(columns, base.shape, cells) for columns in by_lead]),
        city=np.stack([_city_columns(sums, base, lead) for lead in range(1, horizon + 1)]),
    )


def _shared_columns(sums: _RunningSums, base: np.ndarray) -> dict[str, np.ndarray]:
    """Maps by name; one without a type axis goes for every offence type."""
    settings, rates = sums.settings, sums.rates()
    slow, of_any_type = rates[-1], rates.sum(axis=1)
    columns = {"log_base": np.log(np.maximum(base, 1e-9)), "log_slow": _log(slow)}
    for decay, rate in zip(settings.decays, rates, strict=False):
        columns[f"ewma_{decay}"] = _log(rate) - _log(slow)
    for decay, rate in zip(settings.decays, of_any_type, strict=False):
        columns[f"any_{decay}"] = _log(rate) - _log(of_any_type[-1])
    columns["any_slow"] = _log(of_any_type[-1])
    columns |= {f"type_{kind}_slow": _log(rate) for kind, rate in enumerate(slow)}
    columns["share_of_any"] = (slow + QUIET_RATE) / (of_any_type[-1] + len(slow) * QUIET_RATE)
    columns |= _near_columns(sums, rates) | _bayes_columns(sums, slow)
    # Houses, shops and nights each have a trend of their own, and a cell has more of one.
    for mark, rate in sums.marked_rates().items():
        columns[mark] = _log(rate) - _log(slow)
        columns[f"any_{mark}"] = _log(rate.sum(axis=0)) - _log(slow)
    for lag in (*range(1, settings.n_lags + 1), MONTHS_PER_YEAR):
        columns[f"lag_{lag}"] = sums.counts[sums.known - lag]
    columns["months_since"] = sums.step - sums.last_step
    columns["months_since_any"] = sums.step - np.fmax.reduce(sums.last_step, axis=0)
    row, col = np.indices(sums.is_active.shape)
    return columns | {"row": row, "col": col, "type": np.arange(len(base))[:, None, None]}


def _near_columns(sums: _RunningSums, rates: np.ndarray) -> dict[str, np.ndarray]:
    """Smoothed rates at several widths, of the row's type and of all types together."""
    settings, columns = sums.settings, {}
    shown = [settings.decays.index(decay) for decay in settings.near_decays]
    for width in settings.bandwidths:
        near = neighbourhood_mean(rates[[*shown, -1]], sums.is_active, width)
        near_any = near.sum(axis=1)
        columns[f"near_slow_{width}"] = _log(near[-1]) - _log(rates[-1])
        columns[f"near_any_slow_{width}"] = _log(near_any[-1])
        for decay, rate, rate_any in zip(settings.near_decays, near, near_any, strict=False):
            columns[f"near_{decay}_{width}"] = _log(rate) - _log(near[-1])
            columns[f"near_any_{decay}_{width}"] = _log(rate_any) - _log(near_any[-1])
    return columns


def _bayes_columns(sums: _RunningSums, slow: np.ndarray) -> dict[str, np.ndarray]:
    """Shares of the cells by empirical Bayes, against the slow EWMA; the total is the same."""
    step = sums.history.steps[sums.step]
    known = sums.history.through(step)
    columns, total = {}, slow.sum(axis=(1, 2), keepdims=True)
    for number, rate in enumerate(empirical_bayes_rate(known, step + 1, sums.settings.bayes)):
        in_city = np.maximum(rate.sum(axis=(1, 2), keepdims=True), 1e-9)
        columns[f"bayes_{number}"] = _log(rate * total / in_city) - _log(slow)
    return columns


def _columns_of_target(sums: _RunningSums, lead: int) -> dict[str, np.ndarray]:
    """The target's calendar month in earlier years over the mean of all months."""
    month = month_of_year(sums.history.steps[[sums.step]] + lead)[0]
    same = sums.in_month[month] / max(sums.n_in_month[month], 1)
    mean = sums.weighted[sums.decays.index(1.0)] / sums.known
    near_same, near_mean = neighbourhood_mean(
        np.stack([same, mean]), sums.is_active, SEASON_BANDWIDTH
    )
    return {
        "same_month": np.log((same + SEASON_COUNT) / (mean + SEASON_COUNT)),
        "same_month_near": _log(near_same) - _log(near_mean),
        "same_month_any": np.log((same.sum(0) + SEASON_COUNT) / (mean.sum(0) + SEASON_COUNT)),
    }


def _city_columns(
    sums: _RunningSums, base: np.ndarray, lead: int
) -> Float[np.ndarray, "type city"]:
    """`CITY_FEATURES` of one lead. Levels are log ratios with half an incident added to both."""
    target = sums.history.steps[[sums.step]] + lead
    angle = 2 * math.pi * month_of_year(target)[0] / MONTHS_PER_YEAR
    days, weekend_days, holidays = month_calendar(target, sums.history.holidays)[0]
    expected = base.sum(axis=(1, 2))
    recent = [sums.level_of(span) for span in RECENT_SPANS]
    of_type = [np.log((level + 0.5) / (expected + 0.5)) for level in recent]
    of_city = [math.log((level.sum() + 0.5) / (expected.sum() + 0.5)) for level in recent]
    # A long weekend more or less is about 1, as large as the waves: one penalty suits them all.
    calendar = [math.sin(angle), math.cos(angle), (weekend_days - days * 2 / 7) / 2, holidays / 2]
    columns: Sequence[float | np.ndarray] = [*calendar, *of_type, *of_city, days]
    return np.stack([np.broadcast_to(column, expected.shape) for column in columns], axis=-1)


def _gathered(
    columns: dict[str, np.ndarray], shape: tuple[int, ...], cells: np.ndarray
) -> Float[np.ndarray, "type cell column"]:
    out = np.empty((shape[0], cells.size, len(columns)), dtype=np.float32)
    for position, values in enumerate(columns.values()):
        out[..., position] = np.broadcast_to(values, shape).reshape(shape[0], -1)[:, cells]
    return out


def _log(rate: np.ndarray) -> np.ndarray:
    return np.log(rate + QUIET_RATE)
