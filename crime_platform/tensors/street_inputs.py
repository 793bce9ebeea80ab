"""What a street network is shown of the days known at an origin: channels per node, one pass.

Sums are carried from day to day, so a hundred origins cost one walk through the days. Nothing here
knows what is done with the channels.

Channels of a node, for each offence group:

1. the base rate, and the log-ratio of each exponentially weighted mean to it: how busy the node is
   now, lately and always;
2. the lookback: incidents in the last 1, 2, 4, ... days up to `lookback`. Every lag is a channel's
   own business, so that a gated layer can weigh yesterday against last week;
3. each mark's recent and lasting rate: at what hours, in what premises, which other offences;
4. how the node's weekdays differ, at the weekday of the target;

then the node's own features, which do not change.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from crime_platform.tensors.street_counts import DayCovariates
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.timesteps import DAYS_PER_WEEK, weekday

LEAST_RATE = 2e-3  # added before a logarithm: two incidents in three years are hardly a rate
WEEKDAY_HALF_LIFE = 730.0
WEEKDAY_PRIOR = 3.0  # incidents spread evenly over the week, so that one Friday is no pattern
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetInputs:
    """Which summaries of the past make the channels. Half-lives are in days."""

    lookback: int = 28  # days counted one by one; longer memory is exponential
    half_lives: tuple[float, ...] = (30.0, 120.0, 365.0, 730.0, 3000.0)
    base_half_lives: tuple[float, ...] = (365.0, 730.0)  # their mean is the base rate
    mark_half_lives: tuple[float, ...] = (200.0, 1500.0)
    level_half_life: float = 14.0  # of the whole area's total

    def __post_init__(self) -> None:
        if self.lookback < 1:
            raise ValueError(f"lookback: expected at least 1 day, got {self.lookback}")
        named = (self.half_lives, self.base_half_lives, self.mark_half_lives)
        if not all(named) or min(*map(min, named), self.level_half_life) <= 0:
            raise ValueError(f"every list of half-lives needs numbers above 0, got {self}")

    @property
    def windows(self) -> tuple[int, ...]:
        """Lengths of the windows that end at the origin: 1, 2, 4, ... and the lookback itself."""
        doubling = (2**power for power in range(self.lookback.bit_length()))
        return tuple(sorted({*doubling, self.lookback}))


class Shown(NamedTuple):
    """Everything a network sees of some origins; targets lie `lead` days after them."""

    channels: Float[np.ndarray, "origin node channel"]
    weekdays: Float[np.ndarray, "origin lead node type"]  # log-ratio at the weekday of the target
    base: Float[np.ndarray, "origin type node"]  # incidents per day, above 0
    level: Float[np.ndarray, "origin type"]  # recent incidents per day in the whole area


def shown_at(
    history: CountHistory,
    positions: Sequence[int],
    inputs: StreetInputs,
    features: Float[np.ndarray, "node feature"],
    *,
    horizon: int = 1,
    chunk: int = 64,
) -> Iterator[Shown]:
    """What is shown at each origin, in chunks, oldest first; later days play no part in it.

    Args:
        history: daily counts and their marks.
        positions: of the origins in the history, rising.
        inputs: which summaries.
        features: of the nodes, unchanging.
        horizon: largest lead.
        chunk: origins that are handed out together.
    """
    memory = _Memory(history, inputs)
    held: list[Shown] = []
    wanted = iter(positions)
    position = next(wanted, None)
    for day in range(len(history.steps)):
        if position is None:
            break
        memory.take_in(day)
        if day == position:
            held.append(memory.shown(features, horizon))
            position = next(wanted, None)
            if len(held) == chunk:
                yield _stacked(held)
                held = []
    if held:
        yield _stacked(held)


def day_covariates(
    targets: np.ndarray, holidays: np.ndarray, ahead: DayCovariates | None
) -> Float[np.ndarray, "day covariate"]:
    """What the calendar and the user's table say of each target day, as a network reads it.

    Seven weekdays and holidays as 0 or 1, the season as a point on a circle, then the user's
    columns as they are.

    Raises:
        ValueError: if a target lies outside the user's table.
    """
    days = targets.astype("datetime64[D]")
    into_year = (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    angle = 2 * np.pi * into_year / DAYS_PER_YEAR
    known = [
        np.eye(DAYS_PER_WEEK)[weekday(days)],
        np.isin(days, holidays)[:, None].astype(np.float64),
        np.stack([np.sin(angle), np.cos(angle)], axis=1),
    ]
    if ahead is not None:
        row = (days - ahead.days[0]).astype(np.int64)
        if row.min(initial=0) < 0 or row.max(initial=0) >= len(ahead.days):
            raise ValueError(
                f"targets {days.min()}..{days.max()} reach beyond the covariates "
                f"{list(ahead.names)}, known for {ahead.days[0]}..{ahead.days[-1]}: extend it"
            )
        known.append(ahead.values[row])
    return np.concatenate(known, axis=1).astype(np.float32)


class _Memory:
    """Sums over the days taken in so far, newest last."""

    def __init__(self, history: CountHistory, inputs: StreetInputs) -> None:
        self.history, self.inputs = history, inputs
        self.sources: list[np.ndarray] = [history.counts, *history.marked.values()]
        marks = range(1, len(self.sources))
        wanted = [(0, each) for each in (*inputs.half_lives, *inputs.base_half_lives)]
        wanted += [(mark, each) for mark in marks for each in inputs.mark_half_lives]
        self.source = np.array([source for source, _ in wanted])
        self.decay = 0.5 ** (1 / np.array([half_life for _, half_life in wanted]))
        shape = history.counts.shape[1:]
        self.sums = np.zeros((len(wanted), *shape))
        self.weight = np.zeros(len(wanted))
        self.weekday_sums = np.zeros((DAYS_PER_WEEK, *shape))
        self.recent = np.zeros((inputs.lookback, *shape))
        self.weekday = weekday(history.steps)
        self.level = np.zeros(shape[0])
        self.level_weight = 0.0
        self.n_days = 0

    def take_in(self, day: int) -> None:
        """One more day."""
        counts = np.stack([source[day] for source in self.sources]).astype(np.float64)
        self.sums *= self.decay[:, None, None]
        self.sums += counts[self.source]
        self.weight = self.decay * self.weight + 1
        self.weekday_sums *= 0.5 ** (1 / WEEKDAY_HALF_LIFE)
        self.weekday_sums[self.weekday[day]] += counts[0]
        self.recent[day % len(self.recent)] = counts[0]
        # A week's mean at a time: the level must not swing with the days of the week.
        week = self.history.counts[max(day - DAYS_PER_WEEK + 1, 0) : day + 1]
        decay = 0.5 ** (1 / self.inputs.level_half_life)
        self.level = decay * self.level + week.sum(axis=(0, 2), dtype=np.float64) / len(week)
        self.level_weight = decay * self.level_weight + 1
        self.n_days = day + 1

    def shown(self, features: Float[np.ndarray, "node feature"], horizon: int) -> Shown:
        """What is known now, as one origin."""
        means = self.sums / self.weight[:, None, None]
        n_means, n_base = len(self.inputs.half_lives), len(self.inputs.base_half_lives)
        # Half an incident spread over the days known: nothing recorded is not nothing possible.
        base = np.maximum(means[n_means : n_means + n_base].mean(axis=0), 0.5 / self.n_days)
        log_base = np.log(base + LEAST_RATE)
        ratios = np.log(means[:n_means] + LEAST_RATE) - log_base
        marks = np.log(means[n_means + n_base :] + LEAST_RATE)
        per_type = np.concatenate([log_base[None], ratios, self._lookback(), marks])
        n_nodes = per_type.shape[-1]
        channels = np.concatenate([per_type.reshape(-1, n_nodes).T, features], axis=1)
        level = np.maximum(self.level / self.level_weight, 0.5 / self.n_days)
        return Shown(
            channels=channels[None].astype(np.float32),
            weekdays=self._weekdays(horizon)[None].astype(np.float32),
            base=base[None].astype(np.float32),
            level=level[None].astype(np.float32),
        )

    def _weekdays(self, horizon: int) -> Float[np.ndarray, "lead node type"]:
        targets = (self.weekday[self.n_days - 1] + np.arange(1, horizon + 1)) % DAYS_PER_WEEK
        total = self.weekday_sums.sum(axis=0)
        share = (DAYS_PER_WEEK * self.weekday_sums[targets] + WEEKDAY_PRIOR) / (
            total + WEEKDAY_PRIOR
        )
        return np.log(share).transpose(0, 2, 1)

    def _lookback(self) -> Float[np.ndarray, "window type node"]:
        newest = self.n_days - 1
        newest_first = self.recent[(newest - np.arange(len(self.recent))) % len(self.recent)]
        within = newest_first.cumsum(axis=0)
        return np.log1p(within[np.array(self.inputs.windows) - 1])


def _stacked(held: list[Shown]) -> Shown:
    return Shown(*(np.concatenate(parts) for parts in zip(*held, strict=True)))


def feature_matrix(
    node_features: Mapping[str, Float[np.ndarray, " node"]], n_nodes: int
) -> Float[np.ndarray, "node feature"]:
    """Node features side by side, in the order of their names; no column without a feature."""
    columns = [np.asarray(node_features[name], dtype=np.float64) for name in sorted(node_features)]
    return np.stack(columns, axis=1) if columns else np.zeros((n_nodes, 0))
