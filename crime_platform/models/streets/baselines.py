"""Baselines of daily counts per street: the rows every network has to beat.

Each is tuned: the numbers in its formula are chosen per offence type among equally many settings on
the validation days, and all get the same floor and the same kind of spread. To add one, write its
rule in `street_rules` and a row of `street_baselines`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy import sparse

from crime_platform.models.baseline_tuning import TUNING_BUDGET, Setting, deviance_terms
from crime_platform.models.count_distribution import fit_dispersion
from crime_platform.models.streets import rules
from crime_platform.models.streets.daily_rates import daily_rate_floor, known_days
from crime_platform.schema.values import EWMA, LONG_RUN_FREQUENCY
from crime_platform.vocabulary.artifact import write_json
from crime_platform.vocabulary.daily_forecast import StreetForecaster, origin_positions
from crime_platform.vocabulary.day_split import DaySplit
from crime_platform.vocabulary.forecast import CountHistory, RollingForecasts

ALL_DAYS = float("inf")  # the half-life that weighs all days alike
SETTINGS = "settings.json"  # what a fitted baseline is, in its folder

# Every setting starts with its half-life in days. Then: share of the area's mean; days of the mean
# added to a weekday; share of the neighbours and hops to them; days of the prior and the
# neighbours' share in it. Half-lives beside a second number lie round the year and a half that
# suited downtown Toronto's validation days; where they do not fit, `ewma` has the wide range.
PLAIN: tuple[Setting, ...] = ((ALL_DAYS,),)  # the gate's opponent stays what everyone takes it for
HALF_LIFE_DAYS = (
    *(7.0, 10.0, 14.0, 20.0, 28.0, 40.0, 56.0, 80.0, 112.0, 140.0, 180.0, 230.0),
    *(290.0, 365.0, 450.0, 560.0, 700.0, 850.0, 1000.0, 1200.0, 1400.0, 1600.0, 1800.0, 2000.0),
)
DECAY_GRID = tuple((days,) for days in HALF_LIFE_DAYS)
LAST_SHARES = (0.0, 0.5, 0.8, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 1.0)
LAST_GRID = tuple((ALL_DAYS, share) for share in LAST_SHARES)
WEEKDAY_GRID = tuple(
    product((250.0, 365.0, 500.0, 700.0, 1000.0, ALL_DAYS), (28.0, 112.0, 448.0, 1792.0))
)
NETWORK_GRID = tuple(product((250.0, 365.0, 500.0, ALL_DAYS), (0.05, 0.1, 0.2), (1.0, 2.0)))
PRIOR_GRID = tuple(product((250.0, 365.0, 500.0, 1000.0), (15.0, 30.0, 60.0), (0.0, 0.7)))


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedStreetBaseline:
    """A baseline with its numbers fixed: a setting and an alpha per offence type."""

    name: str
    rule: rules.DailyRule
    reads_target: bool
    settings: tuple[Setting, ...]
    alpha: tuple[float, ...]

    def rolling(self, history: CountHistory, origins: np.ndarray, horizon: int) -> RollingForecasts:
        """Forecast leads 1..horizon from consecutive days; no day after an origin is read for it.

        Counts are taken as they stand today: `history.vintages` is not read. Where all leads are
        alike the arrays are views that repeat one lead, and so not for writing.

        Raises:
            ValueError: if the history is not daily, has other offence types than the fit, the
                horizon is below 1 or the origins are not consecutive.
            IncompleteDataError: if an origin lies outside the history.
        """
        positions = origin_positions(history, origins, horizon)
        if history.counts.shape[1] != len(self.settings):
            raise ValueError(
                f"{self.name} was fitted on {len(self.settings)} offence types; the history has "
                f"{history.counts.shape[1]}"
            )
        columns = tuple(np.array(self.settings, dtype=np.float64).T[:, None, :, None])
        floor = daily_rate_floor(history.counts[: positions[-1] + 1])
        n_leads = horizon if self.reads_target else 1
        n_types, n_nodes = history.counts.shape[1:]
        expected = np.empty((len(positions), n_leads, n_types, n_nodes))
        for row, known in enumerate(known_days(history, positions, columns[0])):
            least = floor.at(positions[row])
            for lead in range(n_leads):
                rate = self.rule(known, known.origin + (lead + 1), columns)[0]
                np.maximum(rate, least, out=expected[row, lead])
        shape = (len(positions), horizon, n_types, n_nodes)
        return RollingForecasts(
            origins=origins,
            expected_count=np.broadcast_to(expected, shape),
            dispersion=np.broadcast_to(np.array(self.alpha)[:, None], shape),
        )

    def save(self, folder: Path) -> None:
        """Write the settings and the spread into a folder, for `StreetBaseline.load`."""
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / SETTINGS, {"settings": self.settings, "alpha": self.alpha})


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetBaseline:
    """One rule as a forecaster; fitting chooses its settings and its spread.

    `diffusion` is set where the rule looks at neighbours: two forecasters of one name that see
    different neighbours are told apart by it.
    """

    name: str
    rule: rules.DailyRule
    grid: tuple[Setting, ...]  # settings tried, at most `TUNING_BUDGET`
    reads_target: bool = False  # whether rates of the leads differ
    diffusion: sparse.csr_array | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.grid) <= TUNING_BUDGET:
            raise ValueError(
                f"a baseline is tuned over 1 to {TUNING_BUDGET} settings, like every other one; "
                f"{self.name} has {len(self.grid)}"
            )

    def fit(
        self,
        history: CountHistory,
        split: DaySplit,
        *,
        learn_from_validation: bool = False,  # noqa: ARG002
    ) -> FittedStreetBaseline:
        """Choose settings and spread by one-day-ahead forecasts of the validation days.

        No day after `split.validation_end` is read. There is nothing more to learn from the
        validation days: at every origin a rule counts all the days before it.

        Raises:
            ValueError: if the history is not daily.
            IncompleteDataError: if the history does not hold the days of the split.
        """
        known = history.through(split.validation_end)
        origins = split.validation_days - 1
        chosen = self._chosen(known, origin_positions(known, origins, 1))
        n_types = known.counts.shape[1]
        poisson = FittedStreetBaseline(
            name=self.name,
            rule=self.rule,
            reads_target=self.reads_target,
            settings=chosen,
            alpha=(0.0,) * n_types,
        )
        expected = poisson.rolling(known, origins, 1).expected_count[:, 0]
        observed = known.counts[-len(origins) :].astype(np.float64)
        return FittedStreetBaseline(
            name=self.name,
            rule=self.rule,
            reads_target=self.reads_target,
            settings=chosen,
            alpha=tuple(
                fit_dispersion(observed[:, kind], expected[:, kind]) for kind in range(n_types)
            ),
        )

    def load(self, folder: Path) -> FittedStreetBaseline:
        """A baseline that was fitted earlier and saved."""
        written = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        return FittedStreetBaseline(
            name=self.name,
            rule=self.rule,
            reads_target=self.reads_target,
            settings=tuple(tuple(setting) for setting in written["settings"]),
            alpha=tuple(written["alpha"]),
        )

    def _chosen(self, known: CountHistory, positions: range) -> tuple[Setting, ...]:
        """For each offence type, the setting of lowest Poisson deviance, the first of ties."""
        n_types = known.counts.shape[1]
        if len(self.grid) == 1:
            return self.grid * n_types
        loss = np.zeros((len(self.grid), n_types))
        for target, rates in self._rates(known, positions):
            loss += deviance_terms(known.counts[target].astype(np.float64), rates)
        return tuple(self.grid[row] for row in loss.argmin(axis=0))

    def _rates(
        self, known: CountHistory, positions: range
    ) -> Iterator[tuple[int, Float[np.ndarray, "setting type node"]]]:
        columns = tuple(np.array(self.grid, dtype=np.float64).T[:, :, None, None])
        floor = daily_rate_floor(known.counts)
        days = known_days(known, positions, columns[0])
        for position, day in zip(positions, days, strict=True):
            rates = self.rule(day, day.origin + 1, columns)
            yield position + 1, np.maximum(rates, floor.at(position))


def street_baselines(diffusion: sparse.csr_array) -> dict[str, StreetForecaster]:
    """Every baseline in leaderboard order, simplest first; `long_run_frequency` is the opponent.

    Args:
        diffusion: weights of each node's neighbours, node by node, rows summing to 1 (to 0 for a
            node without neighbours, which is then its own).

    Raises:
        ValueError: if the matrix is not one of row-normalised weights.
    """
    weights = rules.row_mean_weights(diffusion)
    network, prior = (partial(r, weights) for r in (rules.network_smoothed, rules.gamma_poisson))
    everything = (
        StreetBaseline(name="constant", rule=rules.constant, grid=PLAIN),
        StreetBaseline(name="last_day", rule=rules.last_day, grid=LAST_GRID),
        StreetBaseline(name=LONG_RUN_FREQUENCY, rule=rules.decayed_mean, grid=PLAIN),
        StreetBaseline(name="exponential_decay", rule=rules.decayed_mean, grid=DECAY_GRID),
        StreetBaseline(name=EWMA, rule=rules.ewma, grid=DECAY_GRID),
        StreetBaseline(name="network_smoothed", rule=network, grid=NETWORK_GRID, diffusion=weights),
        StreetBaseline(
            name="day_of_week", rule=rules.day_of_week, grid=WEEKDAY_GRID, reads_target=True
        ),
        StreetBaseline(name="gamma_poisson", rule=prior, grid=PRIOR_GRID, diffusion=weights),
    )
    return {baseline.name: baseline for baseline in everything}
