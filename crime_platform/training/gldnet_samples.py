"""Origins of a street history as tensors, one sample a day, one day ahead."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse import csr_array
from torch import Tensor

from crime_platform.models.streets.gldnet import Gldnet
from crime_platform.tensors.street_counts import DayCovariates
from crime_platform.tensors.street_inputs import StreetInputs, day_covariates, shown_at
from crime_platform.vocabulary.forecast import CountHistory


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreetSetting:
    """What a network knows of the streets besides their counts."""

    diffusion: csr_array  # rows sum to 1, or to 0 for a node without a link
    features: Float[np.ndarray, "node feature"]
    covariates: DayCovariates | None = None

    @property
    def n_nodes(self) -> int:
        return self.diffusion.indptr.size - 1

    def adjacency(self) -> Tensor:
        """The diffusion matrix as a sparse tensor."""
        entries = self.diffusion.tocoo()
        return torch.sparse_coo_tensor(
            torch.from_numpy(np.stack([entries.row, entries.col]).astype(np.int64)),
            torch.from_numpy(entries.data.astype(np.float32)),
            (self.n_nodes, self.n_nodes),
            check_invariants=True,
        ).coalesce()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreetSamples:
    """Inputs of several origins and what one lead then brought; `observed` is 0 if not yet known.

    Origins come first on every axis.
    """

    channels: Float[Tensor, "batch node channel"]
    covariates: Float[Tensor, "batch covariate"]
    base: Float[Tensor, "batch type node"]
    level: Float[Tensor, "batch type"]
    observed: Float[Tensor, "batch type node"]

    def __len__(self) -> int:
        return len(self.channels)

    def expected(
        self, model: Gldnet, chosen: Tensor | slice = slice(None)
    ) -> Float[Tensor, "batch type node"]:
        """The model's expected counts of some samples."""
        return model(
            self.channels[chosen], self.covariates[chosen], self.base[chosen], self.level[chosen]
        )


def street_samples(
    history: CountHistory,
    origins: Sequence[int],
    inputs: StreetInputs,
    setting: StreetSetting,
    *,
    horizon: int = 1,
    chunk: int = 64,
) -> Iterator[list[StreetSamples]]:
    """Samples of the origins in chunks; each chunk is a list with one entry per lead.

    Args:
        history: daily counts.
        origins: positions in the history, rising.
        inputs: which summaries of the past are shown.
        setting: of the streets.
        horizon: largest lead.
        chunk: origins of one chunk.
    """
    taken = 0
    for shown in shown_at(history, origins, inputs, setting.features, horizon=horizon, chunk=chunk):
        positions = np.array(origins[taken : taken + len(shown.base)])
        taken += len(positions)
        yield [
            StreetSamples(
                channels=torch.from_numpy(
                    np.concatenate([shown.channels, shown.weekdays[:, lead - 1]], axis=-1)
                ),
                covariates=torch.from_numpy(
                    day_covariates(
                        history.steps[positions] + lead, history.holidays, setting.covariates
                    )
                ),
                base=torch.from_numpy(shown.base),
                level=torch.from_numpy(shown.level),
                observed=torch.from_numpy(_observed(history, positions + lead)),
            )
            for lead in range(1, horizon + 1)
        ]


def training_samples(
    history: CountHistory, origins: Sequence[int], inputs: StreetInputs, setting: StreetSetting
) -> StreetSamples:
    """All origins in one, one day ahead."""
    chunks = [each[0] for each in street_samples(history, origins, inputs, setting)]
    names = ("channels", "covariates", "base", "level", "observed")
    return StreetSamples(
        **{name: torch.cat([getattr(chunk, name) for chunk in chunks]) for name in names}
    )


def _observed(history: CountHistory, targets: np.ndarray) -> Float[np.ndarray, "batch type node"]:
    counts = np.zeros((len(targets), *history.counts.shape[1:]), dtype=np.float32)
    known = targets < len(history.steps)
    counts[known] = history.counts[targets[known]]
    return counts
