"""LightGBM as a forecaster: trees say where incidents happen, a small regression says how many.

A Poisson likelihood falls apart into the city's total of each offence type and the shares of the
cells. The trees are trained on the shares alone, given the recorded totals: they cannot learn the
sixty-odd totals of the training months by heart. The totals follow `city_total`.

Shares drift so slowly that trees trained one month ahead serve every lead: on Toronto, forecasts of
2019 and 2020, trees of their own for the third month were no better.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from crime_platform.models.cells.city_total import city_exposure, city_regressors, fit_city_weights
from crime_platform.models.cells.fitted_trees import (
    BoostedTreesConfig,
    FittedTrees,
    expected_counts,
)
from crime_platform.models.cells.tree_features import MONTHS_PER_YEAR, FeatureBlock, feature_blocks
from crime_platform.models.count_distribution import fit_dispersion
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.progress import Progress, report_progress
from crime_platform.vocabulary.timesteps import IncompleteDataError

if TYPE_CHECKING:
    import lightgbm as lgb

FIRST_ORIGIN = MONTHS_PER_YEAR - 1  # position of the first origin that has seen every season
LARGEST_STEP = 0.7  # LightGBM's poisson_max_delta_step, its default; it keeps a leaf's step short
HESSIAN_OF_INCIDENT = 2.0  # exp(LARGEST_STEP): how LightGBM counts an expected incident
QUIET_MONTH = 0.5  # incidents granted to an offence type in a month without any


@dataclass(frozen=True, slots=True, kw_only=True)
class LightGbmForecaster:
    """Boosted trees under one configuration."""

    name: str = "lightgbm"
    config: BoostedTreesConfig = field(default_factory=BoostedTreesConfig)

    @property
    def min_history_months(self) -> int:
        """Months up to the origin: a year to look back on, a year to train and be judged on."""
        return 2 * MONTHS_PER_YEAR

    def fit(self, history: CountHistory, origin: np.datetime64) -> FittedTrees:
        """Learn from steps up to and including `origin` only.

        The spread comes from one-month-ahead forecasts of the last months, made by trees that had
        not seen them; the trees that are kept have seen every month.

        Raises:
            IncompleteDataError: if fewer than `min_history_months` months are known.
            ValueError: if there is no incident in the months that are trained on.
        """
        known, config = history.through(origin), self.config
        if len(known.steps) < self.min_history_months:
            raise IncompleteDataError(
                f"{self.name} needs {self.min_history_months} months up to {origin}, the history "
                f"holds {len(known.steps)}: take in earlier months or leave this model out"
            )
        started, task = time.perf_counter(), f"{self.name} fit {origin}"
        blocks = feature_blocks(known, config.features, first=FIRST_ORIGIN, horizon=config.horizon)
        report_progress(Progress(task=task, done=1, total=3, unit="stage", detail="features"))
        dispersion = _dispersion(known, blocks, config)
        report_progress(Progress(task=task, done=2, total=3, unit="stage", detail="spread"))
        trees = _fit_trees(known, blocks[:-1], config)
        report_progress(Progress(task=task, done=3, total=3, unit="stage", detail="trees"))
        leads = range(1, config.horizon + 1)
        n_types, n_rows, n_cols = known.counts.shape[1:]
        return FittedTrees(
            name=self.name,
            config=config,
            fit_origin=known.steps[-1],
            unit_shape=(n_types, n_rows, n_cols),
            trees=trees,
            city_weights=np.stack(
                [_fit_total(known, blocks[:-lead], lead, config) for lead in leads]
            ),
            dispersion=dispersion,
            training_seconds=time.perf_counter() - started,
        )

    def load(self, folder: Path) -> FittedTrees:
        """Trees that were fitted and saved earlier.

        Raises:
            ValueError: if the trees are not the ones that their `config.json` names.
        """
        return FittedTrees.load(folder)


def _fit_total(
    known: CountHistory, blocks: Sequence[FeatureBlock], lead: int, config: BoostedTreesConfig
) -> Float[np.ndarray, "type regressor"]:
    """Weights of one lead from blocks whose targets are all known."""
    return fit_city_weights(
        np.stack([city_regressors(block, lead) for block in blocks]),
        np.stack([city_exposure(block, lead) for block in blocks]),
        np.stack([_observed(known, block, lead).sum(axis=1) for block in blocks]),
        penalty=config.city_penalty,
        type_penalty=config.city_type_penalty,
    )


def _fit_trees(
    known: CountHistory, blocks: Sequence[FeatureBlock], config: BoostedTreesConfig
) -> "tuple[lgb.Booster, ...]":
    """One set of trees per seed, trained on the shares of the cells in the next month's total."""
    import lightgbm as lgb

    observed = [_observed(known, block, 1) for block in blocks]
    counts = np.concatenate([each.ravel() for each in observed])
    if not counts.any():
        raise ValueError(
            f"there is no incident in the {len(blocks)} months to train on: nothing can be learned"
        )
    names = list(blocks[0].names)
    settings = _lightgbm_settings(config)
    rows = lgb.Dataset(
        np.concatenate([block.rows(1) for block in blocks]),
        label=counts,
        init_score=np.concatenate(list(map(_log_share_of_total, blocks, observed))),
        feature_name=names,
        categorical_feature=["type"],
        params=settings,
    )
    return tuple(
        lgb.train({**settings, "seed": seed}, rows, num_boost_round=config.rounds)
        for seed in range(config.seeds)
    )


def _log_share_of_total(
    block: FeatureBlock, observed: Float[np.ndarray, "type cell"]
) -> Float[np.ndarray, " row"]:
    """Log of the base rates, scaled to what was recorded of each type in all cells together."""
    recorded = np.maximum(observed.sum(axis=1), QUIET_MONTH)
    scaled = block.base * (recorded / block.base.sum(axis=1))[:, None]
    return np.log(scaled).ravel()


def _lightgbm_settings(config: BoostedTreesConfig) -> dict[str, Any]:
    return {
        "objective": "poisson",
        "poisson_max_delta_step": LARGEST_STEP,
        "learning_rate": config.learning_rate,
        "num_leaves": config.num_leaves,
        "extra_trees": config.extra_trees,
        "min_sum_hessian_in_leaf": HESSIAN_OF_INCIDENT * config.incidents_in_leaf,
        "min_data_in_leaf": 1,
        "min_data_in_bin": 1,
        "lambda_l2": HESSIAN_OF_INCIDENT * config.leaf_penalty,
        "feature_fraction": config.feature_fraction,
        "bagging_fraction": config.row_fraction,
        "bagging_freq": 1,
        "max_bin": config.max_bin,
        "feature_pre_filter": False,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": config.threads,
        "verbose": -1,
    }


def _dispersion(
    known: CountHistory, blocks: Sequence[FeatureBlock], config: BoostedTreesConfig
) -> tuple[float, ...]:
    """Alpha of each offence type, from the last months, which these trees had not seen.

    They are fewer than those that are kept: the first ones find most of what there is to find. On
    Toronto, origins of 2019 and 2020, alpha is within 0.02 of that of the full set, which took
    four times as long.

    Poisson if none is held out: a search judges expected counts and needs no second set of trees.
    """
    if config.held_out_months == 0:
        return (0.0,) * known.counts.shape[1]
    n_seen = len(blocks) - 1 - config.held_out_months
    seen, judged = blocks[:n_seen], blocks[n_seen:-1]
    fewer = replace(config, rounds=min(config.rounds, config.held_out_rounds))
    trees, weights = _fit_trees(known, seen, fewer), _fit_total(known, seen, 1, config)
    observed = [_observed(known, block, 1) for block in judged]
    expected = [expected_counts(block, 1, trees, weights, config) for block in judged]
    of_type = zip(np.concatenate(observed, axis=1), np.concatenate(expected, axis=1), strict=True)
    return tuple(fit_dispersion(counts, rates) for counts, rates in of_type)


def _observed(
    known: CountHistory, block: FeatureBlock, lead: int
) -> Float[np.ndarray, "type cell"]:
    counts = known.counts[block.origin + lead]
    return counts.reshape(len(counts), -1)[:, block.cells].astype(np.float64)


def suggest_boosted_trees(trial: Any) -> BoostedTreesConfig:
    """The config of one trial of an Optuna study; what is not named here stays as committed."""
    default = BoostedTreesConfig()
    features = replace(
        default.features,
        cell_decay=trial.suggest_float("cell_decay", 0.95, 0.995),
        level_decay=trial.suggest_float("level_decay", 0.3, 0.8),
    )
    return replace(
        default,
        features=features,
        rounds=trial.suggest_int("rounds", 50, 500, step=10),
        learning_rate=trial.suggest_float("learning_rate", 0.02, 0.4, log=True),
        num_leaves=trial.suggest_int("num_leaves", 4, 48),
        extra_trees=trial.suggest_categorical("extra_trees", [True, False]),
        incidents_in_leaf=trial.suggest_float("incidents_in_leaf", 20.0, 4000.0, log=True),
        leaf_penalty=trial.suggest_float("leaf_penalty", 1.0, 1000.0, log=True),
        feature_fraction=trial.suggest_float("feature_fraction", 0.1, 0.9),
        row_fraction=trial.suggest_float("row_fraction", 0.3, 0.95),
        largest_log_ratio=trial.suggest_float("largest_log_ratio", 0.3, 3.0, log=True),
        city_penalty=trial.suggest_float("city_penalty", 1.0, 1000.0, log=True),
        city_type_penalty=trial.suggest_float("city_type_penalty", 10.0, 10000.0, log=True),
    )
