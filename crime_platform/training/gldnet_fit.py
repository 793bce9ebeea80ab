"""GLDNet as a street forecaster: from a history and a split to fitted networks."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_array

from crime_platform.models.count_distribution import fit_dispersion
from crime_platform.models.streets.gldnet import Gldnet, GldnetConfig
from crime_platform.tensors.street_counts import DayCovariates
from crime_platform.tensors.street_inputs import feature_matrix
from crime_platform.training.fitted_gldnet import FittedGldnet
from crime_platform.training.gldnet_loop import (
    Epoch,
    OnEpoch,
    expected_counts,
    fresh_gldnet,
    repeatable,
    threads_for_seeds,
    train_gldnet,
)
from crime_platform.training.gldnet_samples import StreetSamples, StreetSetting, training_samples
from crime_platform.vocabulary.day_split import DaySplit
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.progress import Progress, report_progress
from crime_platform.vocabulary.timesteps import IncompleteDataError

NAME = "gldnet"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GldnetForecaster:
    """GLDNet on one street graph."""

    diffusion: csr_array  # of the graph, with the kernel that the config names
    node_features: Mapping[str, Float[np.ndarray, " node"]] = field(default_factory=dict)
    covariates: DayCovariates | None = None
    config: GldnetConfig = field(default_factory=GldnetConfig)
    name: str = NAME

    @property
    def setting(self) -> StreetSetting:
        """The streets, as the network sees them."""
        features = feature_matrix(self.node_features, self.diffusion.indptr.size - 1)
        return StreetSetting(
            diffusion=self.diffusion, features=features, covariates=self.covariates
        )

    def fit(
        self,
        history: CountHistory,
        split: DaySplit,
        *,
        learn_from_validation: bool = False,
        on_epoch: OnEpoch | None = None,
    ) -> FittedGldnet:
        """Learn from the train days, and from the validation days too if asked to.

        Without them the validation days judge: they give the curves and the spread. With them the
        spread comes from days that were learned from. No later day is read.

        Args:
            history: daily counts on this graph.
            split: which days are for what.
            learn_from_validation: once the settings are chosen, nothing need be held back.
            on_epoch: called after each epoch, with the expected counts of the validation days where
                they judge; a search may stop the fit by raising.

        Raises:
            IncompleteDataError: if no day is left to learn from after the burn-in.
        """
        started = time.monotonic()
        known = history.through(split.validation_end)
        learned_days = split.train_days
        if learn_from_validation:
            learned_days = np.concatenate([learned_days, split.validation_days])
        setting = self.setting
        shown = _origins(known, split.validation_days)
        if on_epoch is None:  # a search compares every day with its opponent's
            shown = self._thinned(shown, known)
        judged = training_samples(known, shown, self.config.inputs, setting)
        with repeatable(setting.n_nodes):
            origins = self._learned_origins(known, learned_days)
            learned = training_samples(known, origins, self.config.inputs, setting)
            members, epochs = self._train(
                learned, None if learn_from_validation else judged, setting, on_epoch
            )
            expected = np.mean([expected_counts(member, judged) for member in members], axis=0)
        observed = judged.observed.numpy()
        return FittedGldnet(
            name=self.name,
            config=self.config,
            setting=setting,
            fit_day=learned_days[-1],
            alpha=tuple(
                fit_dispersion(observed[:, kind], expected[:, kind])
                for kind in range(observed.shape[1])
            ),
            members=members,
            epochs=epochs,
            training_seconds=time.monotonic() - started,
        )

    def load(self, folder: Path) -> FittedGldnet:
        """The networks that were fitted on these streets earlier and saved.

        Raises:
            ValueError: if the weights are not the ones that were described.
        """
        return FittedGldnet.load(folder, self.setting)

    def _train(
        self,
        learned: StreetSamples,
        judged: StreetSamples | None,
        setting: StreetSetting,
        on_epoch: OnEpoch | None,
    ) -> tuple[tuple[Gldnet, ...], tuple[Epoch, ...]]:
        seeds = range(self.config.seeds)
        members = [fresh_gldnet(self.config, learned, setting, seed=seed) for seed in seeds]

        n_done, one_at_a_time = 0, Lock()

        def tell(epoch: Epoch, expected: Float[np.ndarray, "day type node"] | None) -> None:
            nonlocal n_done
            with one_at_a_time:
                n_done += 1
                self._report(epoch, n_done)
            if on_epoch is not None:
                on_epoch(epoch, expected)

        def train(seed: int) -> list[Epoch]:
            return train_gldnet(
                members[seed], self.config, learned, judged, seed=seed, on_epoch=tell
            )

        if on_epoch is not None:  # a search stops the whole fit at one epoch
            curves = list(map(train, seeds))
        else:
            with ThreadPoolExecutor(threads_for_seeds(setting.n_nodes)) as threads:
                curves = list(threads.map(train, seeds))
        return tuple(members), tuple(epoch for curve in curves for epoch in curve)

    def _report(self, epoch: Epoch, n_done: int) -> None:
        total = self.config.seeds * self.config.epochs
        detail = f"seed {epoch.seed}: loss {epoch.loss:.5f}"
        task = f"{self.name} fit"
        report_progress(Progress(task=task, done=n_done, total=total, unit="epoch", detail=detail))

    def _learned_origins(self, known: CountHistory, days: np.ndarray) -> list[int]:
        """Origins of the days learned from: after the burn-in, thinned out on a large graph."""
        origins = [o for o in _origins(known, days) if o >= self.config.burn_in_days - 1]
        if not origins:
            raise IncompleteDataError(
                f"{self.name} has no day to learn from: its base rates need "
                f"{self.config.burn_in_days} days first, and the train days end on {days[-1]}, "
                f"{len(known.steps)} days known; take in earlier days"
            )
        return self._thinned(origins, known)

    def _thinned(self, origins: list[int], known: CountHistory) -> list[int]:
        """As many days as memory is granted for, drawn at random: every seventh is one weekday."""
        most = max(1, self.config.max_cases // known.counts.shape[-1])
        if len(origins) <= most:
            return origins
        drawn = np.random.default_rng(0).choice(len(origins), most, replace=False)
        return [origins[row] for row in np.sort(drawn).tolist()]


def _origins(known: CountHistory, targets: np.ndarray) -> list[int]:
    first = known.index_of(targets[0]) - 1
    return list(range(max(first, 0), first + len(targets)))
