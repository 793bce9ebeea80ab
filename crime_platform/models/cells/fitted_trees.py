"""Fitted trees: they forecast, and they are written to and read from a folder without pickle."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from crime_platform.models.cells.city_total import city_totals
from crime_platform.models.cells.tree_features import (
    MONTHS_PER_YEAR,
    FeatureBlock,
    FeatureSettings,
    feature_blocks,
)
from crime_platform.models.count_distribution import rate_floor
from crime_platform.models.saved_fit import require_fit, write_whole
from crime_platform.vocabulary.forecast import CountHistory, ForecastArray

if TYPE_CHECKING:
    import lightgbm as lgb

CONFIG_FILE = "config.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoostedTreesConfig:
    """Everything that decides what fitted trees look like, besides the data.

    The defaults are of 2026-11-21, from trial 22 in benchmarks/tuning/lightgbm.csv.

    Sizes of leaves are incidents, not rows: a leaf's log-ratio is as uncertain as its incidents are
    few, whatever the size of the cells.
    """

    features: FeatureSettings = field(default_factory=FeatureSettings)
    horizon: int = 3  # leads that the total is regressed for
    rounds: int = 330  # trees per seed
    learning_rate: float = 0.148
    num_leaves: int = 21
    extra_trees: bool = True  # tries one random threshold per feature: smoother sums of trees
    incidents_in_leaf: float = 142.0  # expected, at least
    leaf_penalty: float = 52.4  # incidents' worth of pull of every leaf towards the base rate
    feature_fraction: float = 0.707  # of the features, drawn for every tree
    row_fraction: float = 0.792  # of the rows, drawn for every tree
    max_bin: int = 63  # values that a feature is rounded to
    largest_log_ratio: float = 1.34  # between a cell's share and that of its base rate
    seeds: int = 1  # sets of trees whose forecasts are averaged
    held_out_months: int = 6  # last ones before the origin, to learn the spread; 0: Poisson
    held_out_rounds: int = 60  # at most, of trees per seed that the spread is learned with
    city_penalty: float = 14.4  # incidents' worth; on what all offence types have in common
    city_type_penalty: float = 2790.0  # the same, on what sets one offence type apart
    threads: int = 2  # fixed: sums in another order give other trees

    def __post_init__(self) -> None:
        sizes = (self.horizon, self.rounds, self.held_out_rounds, self.seeds, self.threads)
        if min(sizes) < 1 or self.held_out_months < 0:
            raise ValueError(
                "horizon, rounds, held_out_rounds, seeds and threads need >= 1 and "
                f"held_out_months >= 0, got {self}"
            )
        if self.horizon + self.held_out_months >= MONTHS_PER_YEAR:
            raise ValueError(
                f"horizon and held_out_months must leave months to train on: together below "
                f"{MONTHS_PER_YEAR}, got {self}"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedTrees:
    """One set of trees per seed for the cells' shares, and a regression of the total per lead."""

    name: str
    config: BoostedTreesConfig
    fit_origin: np.datetime64  # last step that training saw
    unit_shape: tuple[int, int, int]  # type, row, col
    trees: tuple["lgb.Booster", ...]
    city_weights: Float[np.ndarray, "lead type regressor"]
    dispersion: tuple[float, ...]  # alpha of the negative binomial, per offence type
    training_seconds: float

    @property
    def n_parameters(self) -> int:
        """Leaves of all trees, and weights of the regressions."""
        return sum(map(_n_leaves, self.trees)) + self.city_weights.size

    def forecast(self, history: CountHistory, origin: np.datetime64, horizon: int) -> ForecastArray:
        """Forecast leads 1..horizon; steps after `origin` in `history` are never read.

        Raises:
            ValueError: if the horizon is not one the trees were trained for, the origin lies
                before the one they were trained at, or the grid is another one.
            IncompleteDataError: if the history does not hold the origin, or a year up to it.
        """
        require_fit(self, history, origin, horizon)
        known = history.through(origin)
        newest = len(known.steps) - 1
        (block,) = feature_blocks(known, self.config.features, first=newest, horizon=horizon)
        expected = np.tile(rate_floor(known), (horizon, 1, 1, 1))
        in_cells = expected.reshape(horizon, self.unit_shape[0], -1)
        for lead, weights in enumerate(self.city_weights[:horizon], start=1):
            stated = expected_counts(block, lead, self.trees, weights, self.config)
            least = in_cells[lead - 1][:, block.cells]
            in_cells[lead - 1][:, block.cells] = np.maximum(stated, least)
        alpha = np.reshape(self.dispersion, (1, -1, 1, 1))
        return ForecastArray(
            origin=origin,
            expected_count=expected,
            dispersion=np.broadcast_to(alpha, expected.shape).copy(),
        )

    def save(self, folder: Path) -> None:
        """Write the trees as LightGBM's text, and a `config.json` that holds their sha256."""
        folder.mkdir(parents=True, exist_ok=True)
        texts = {
            _trees_file(seed): trees.model_to_string().encode()
            for seed, trees in enumerate(self.trees)
        }
        described = {
            "name": self.name,
            "config": asdict(self.config),
            "fit_origin": str(self.fit_origin),
            "unit_shape": self.unit_shape,
            "dispersion": self.dispersion,
            "city_weights": self.city_weights.tolist(),
            "training_seconds": self.training_seconds,
            "n_parameters": self.n_parameters,
            "sha256": _sha256(texts),
        }
        for name, text in texts.items():
            write_whole(folder / name, text)
        write_whole(folder / CONFIG_FILE, json.dumps(described, indent=2).encode())

    @classmethod
    def load(cls, folder: Path) -> "FittedTrees":
        """Read what `save` wrote.

        Raises:
            ValueError: if the trees are not the ones that `config.json` names.
        """
        import lightgbm as lgb

        described = json.loads((folder / CONFIG_FILE).read_bytes())
        config = config_from_json(described["config"])
        names = list(map(_trees_file, range(config.seeds)))
        texts = {name: (folder / name).read_bytes() for name in names}
        found = _sha256(texts)
        if found != described["sha256"]:
            raise ValueError(
                f"the trees in {folder} are not those that {CONFIG_FILE} describes: expected "
                f"sha256 {described['sha256']}, found {found}; fit them again"
            )
        n_types, n_rows, n_cols = described["unit_shape"]
        return cls(
            name=described["name"],
            config=config,
            fit_origin=np.datetime64(described["fit_origin"], "M"),
            unit_shape=(n_types, n_rows, n_cols),
            trees=tuple(lgb.Booster(model_str=text.decode()) for text in texts.values()),
            city_weights=np.array(described["city_weights"], dtype=np.float64),
            dispersion=tuple(described["dispersion"]),
            training_seconds=described["training_seconds"],
        )


def expected_counts(
    block: FeatureBlock,
    lead: int,
    trees: Sequence["lgb.Booster"],
    city_weights: Float[np.ndarray, "type regressor"],
    config: BoostedTreesConfig,
) -> Float[np.ndarray, "type cell"]:
    """Shares of the cells by the mean of all sets of trees, times the total by regression."""
    rows, bound = block.rows(lead), config.largest_log_ratio
    share = np.zeros_like(block.base)
    for each in trees:
        stated = np.asarray(each.predict(rows, raw_score=True, num_threads=config.threads))
        log_ratio = np.clip(stated.reshape(block.base.shape), -bound, bound)
        moved = block.base * np.exp(log_ratio)
        share += moved / moved.sum(axis=1, keepdims=True) / len(trees)
    return share * city_totals(block, lead, city_weights)[:, None]


def config_from_json(settings: dict[str, Any]) -> BoostedTreesConfig:
    """The config that `dataclasses.asdict` turned into plain values."""
    features = {name: _hashable(value) for name, value in settings["features"].items()}
    rebuilt: dict[str, Any] = settings | {"features": FeatureSettings(**features)}
    return BoostedTreesConfig(**rebuilt)


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


def _trees_file(seed: int) -> str:
    return f"trees_{seed}.txt"


def _n_leaves(trees: "lgb.Booster") -> int:
    return sum(tree["num_leaves"] for tree in trees.dump_model()["tree_info"])


def _sha256(texts: dict[str, bytes]) -> str:
    return hashlib.sha256(b"".join(texts.values())).hexdigest()
