"""A fitted GLDNet: forecasts days on its street graph; written and read without pickle."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from jaxtyping import Float

from crime_platform.models.saved_fit import read_verified, write_whole
from crime_platform.models.streets.daily_rates import daily_rate_floor
from crime_platform.models.streets.gldnet import Gldnet, GldnetConfig
from crime_platform.tensors.street_inputs import StreetInputs
from crime_platform.training.gldnet_loop import Epoch, expected_counts, repeatable
from crime_platform.training.gldnet_samples import StreetSamples, StreetSetting, street_samples
from crime_platform.vocabulary.daily_forecast import origin_positions
from crime_platform.vocabulary.forecast import CountHistory, RollingForecasts
from crime_platform.vocabulary.timesteps import Day

WEIGHTS_FILE = "weights.safetensors"
CONFIG_FILE = "config.json"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedGldnet:
    """Networks of one recipe that differ by seed; the forecast is the mean of theirs."""

    name: str
    config: GldnetConfig
    setting: StreetSetting
    fit_day: Day  # last day that was learned from
    alpha: tuple[float, ...]  # of the negative binomial, per offence group
    members: tuple[Gldnet, ...]
    epochs: tuple[Epoch, ...]
    training_seconds: float

    @property
    def n_parameters(self) -> int:
        """Learned numbers in all members together."""
        return sum(weight.numel() for member in self.members for weight in member.parameters())

    @property
    def curves(self) -> list[dict[str, Any]]:
        """Loss and hit rate after each epoch of each member."""
        return [asdict(epoch) for epoch in self.epochs]

    def rolling(self, history: CountHistory, origins: np.ndarray, horizon: int) -> RollingForecasts:
        """Forecast leads 1..horizon from consecutive days; no day after an origin is read for it.

        Raises:
            ValueError: if the history lies on another graph, an origin lies before the days that
                were learned from, or origins are not consecutive days.
            IncompleteDataError: if an origin lies outside the history.
        """
        positions = origin_positions(history, origins, horizon)
        self._require_fit(history, origins)
        floor = daily_rate_floor(history.counts[: positions[-1] + 1])
        parts = [
            np.stack([self._mean_of_members(samples) for samples in leads], axis=1)
            for leads in street_samples(
                history, positions, self.config.inputs, self.setting, horizon=horizon
            )
        ]
        expected = np.concatenate(parts)
        for row, position in enumerate(positions):
            np.maximum(expected[row], floor.at(position), out=expected[row])
        shape = expected.shape
        return RollingForecasts(
            origins=origins,
            expected_count=expected,
            dispersion=np.broadcast_to(np.array(self.alpha)[:, None], shape),
        )

    def _mean_of_members(self, samples: StreetSamples) -> Float[np.ndarray, "batch type node"]:
        with repeatable(samples.base.shape[-1]):
            stated = np.stack([expected_counts(member, samples) for member in self.members])
        return stated.mean(axis=0, dtype=np.float64)

    def _require_fit(self, history: CountHistory, origins: np.ndarray) -> None:
        n_types, n_nodes = history.counts.shape[1:]
        expected = (len(self.alpha), self.setting.n_nodes)
        if (n_types, n_nodes) != expected:
            raise ValueError(
                f"{self.name} was fitted on {expected[0]} offence groups and {expected[1]} nodes; "
                f"the history has {n_types} and {n_nodes}: fit it on this graph"
            )
        if origins[0] < self.fit_day:
            raise ValueError(
                f"{self.name} learned from days up to {self.fit_day}; a forecast from {origins[0]} "
                "would know its own future: fit at that day or earlier"
            )

    def save(self, folder: Path) -> None:
        """Write the weights and a `config.json` that holds their sha256."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {
            f"member{position}.{key}": value.contiguous()
            for position, member in enumerate(self.members)
            for key, value in member.state_dict().items()
        }
        weights = safetensors.torch.save(tensors)
        described = {
            "name": self.name,
            "config": asdict(self.config),
            "fit_day": str(self.fit_day),
            "alpha": self.alpha,
            "epochs": self.curves,
            "training_seconds": self.training_seconds,
            "n_parameters": self.n_parameters,
            "sha256": hashlib.sha256(weights).hexdigest(),
        }
        write_whole(folder / WEIGHTS_FILE, weights)
        write_whole(folder / CONFIG_FILE, json.dumps(described, indent=2).encode())

    @classmethod
    def load(cls, folder: Path, setting: StreetSetting) -> "FittedGldnet":
        """Read what `save` wrote; the streets are those it was fitted on.

        Raises:
            ValueError: if the weights are not the ones that `config.json` names.
        """
        described = json.loads((folder / CONFIG_FILE).read_bytes())
        weights = read_verified(
            folder / WEIGHTS_FILE, described["sha256"], cure="fit the network again"
        )
        config = config_from_json(described["config"])
        return cls(
            name=described["name"],
            config=config,
            setting=setting,
            fit_day=np.datetime64(described["fit_day"], "D"),
            alpha=tuple(described["alpha"]),
            members=_members(safetensors.torch.load(weights), config, setting),
            epochs=tuple(Epoch(**epoch) for epoch in described["epochs"]),
            training_seconds=described["training_seconds"],
        )


def config_from_json(settings: dict[str, Any]) -> GldnetConfig:
    """The config that `dataclasses.asdict` turned into plain values."""
    inputs: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in settings["inputs"].items()
    }
    rebuilt: dict[str, Any] = settings | {"inputs": StreetInputs(**inputs)}
    return GldnetConfig(**rebuilt)


def _members(
    tensors: dict[str, torch.Tensor], config: GldnetConfig, setting: StreetSetting
) -> tuple[Gldnet, ...]:
    members = []
    adjacency = setting.adjacency()
    for position in range(config.seeds):
        prefix = f"member{position}."
        own = {
            key.removeprefix(prefix): value
            for key, value in tensors.items()
            if key.startswith(prefix)
        }
        member = Gldnet(
            config,
            n_types=len(own["head.weight"]),
            n_channels=len(own["mean"]),
            n_covariates=own["area_effect.weight"].shape[1],
            adjacency=adjacency,
        )
        member.load_state_dict(own)
        members.append(member.eval())
    return tuple(members)
