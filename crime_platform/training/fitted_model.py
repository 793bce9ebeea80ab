"""A fitted network: it forecasts, and it is written to and read from a folder without pickle."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from einops import repeat
from jaxtyping import Float

from crime_platform.models.baseline_tuning import Setting
from crime_platform.models.cells.rate_model import BaseRateModel, Log1pModel
from crime_platform.models.cells.st_resnet import StResNet
from crime_platform.models.count_distribution import rate_floor
from crime_platform.models.saved_fit import read_verified, require_fit, write_whole
from crime_platform.training.numerics import best_device, number_format, reproducible
from crime_platform.training.recipe import NetworkConfig, config_from_json
from crime_platform.training.samples import build_model, build_samples
from crime_platform.vocabulary.forecast import CountHistory, ForecastArray

WEIGHTS_FILE = "weights.safetensors"
CONFIG_FILE = "config.json"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedNetwork:
    """Networks of one recipe that differ by seed; the forecast is the arithmetic mean of theirs."""

    name: str
    config: NetworkConfig
    fit_origin: np.datetime64  # last step that training saw
    unit_shape: tuple[int, int, int]  # type, row, col
    base_settings: tuple[Setting, ...]  # of the base rate, per offence type
    dispersion: tuple[float, ...]  # alpha of the negative binomial, per offence type
    members: tuple[BaseRateModel | Log1pModel, ...]
    epochs: tuple[int, ...]  # after which each member was best
    training_seconds: float

    @property
    def n_parameters(self) -> int:
        """Learned numbers in all members together."""
        return sum(
            weight.numel() for member in self.members for weight in member.state_dict().values()
        )

    @property
    def fusion_share(self) -> Float[np.ndarray, "branch type row col"] | None:
        """Weight of each ST-ResNet branch in each cell, mean over the members; None for others."""
        fusions = [
            member.maps.fusion for member in self.members if isinstance(member.maps, StResNet)
        ]
        with torch.no_grad():
            shares = [fusion.share().cpu().numpy() for fusion in fusions]
        return np.mean(shares, axis=0) if shares else None

    def forecast(self, history: CountHistory, origin: np.datetime64, horizon: int) -> ForecastArray:
        """Forecast leads 1..horizon; steps after `origin` in `history` are never read.

        Raises:
            ValueError: if the horizon is not one the network was trained for, the origin lies
                before the one it was trained at, or the grid is another one.
            IncompleteDataError: if the history does not hold the origin or the lookback.
        """
        require_fit(self, history, origin, horizon)
        known = history.through(origin)
        expected = self._mean_of_members(known)[:horizon].astype(np.float64)
        n_rows, n_cols = self.unit_shape[1:]
        pattern = "type -> lead type row col"
        alpha = repeat(np.array(self.dispersion), pattern, lead=horizon, row=n_rows, col=n_cols)
        return ForecastArray(
            origin=origin,
            expected_count=np.maximum(expected, rate_floor(known)),
            dispersion=alpha.copy(),
        )

    def _mean_of_members(self, known: CountHistory) -> Float[np.ndarray, "lead type row col"]:
        device = best_device()
        n_cells = math.prod(self.unit_shape[1:])
        with reproducible(0, n_cells=n_cells), torch.inference_mode(), number_format(device):
            newest = [len(known.steps) - 1]
            samples = build_samples(known, newest, self.config, self.base_settings, device)
            stated = [samples.expected_counts(member.to(device), [0])[0] for member in self.members]
            return torch.stack(stated).clamp(min=0).mean(dim=0).cpu().numpy()

    def save(self, folder: Path) -> None:
        """Write the weights and a `config.json` that holds their sha256."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {
            f"member{position}.{key}": value.cpu().contiguous()
            for position, member in enumerate(self.members)
            for key, value in member.state_dict().items()
        }
        weights = safetensors.torch.save(tensors)
        described = {
            "name": self.name,
            "config": asdict(self.config),
            "fit_origin": str(self.fit_origin),
            "unit_shape": self.unit_shape,
            "base_settings": self.base_settings,
            "dispersion": self.dispersion,
            "epochs": self.epochs,
            "training_seconds": self.training_seconds,
            "n_parameters": self.n_parameters,
            "sha256": hashlib.sha256(weights).hexdigest(),
        }
        write_whole(folder / WEIGHTS_FILE, weights)
        write_whole(folder / CONFIG_FILE, json.dumps(described, indent=2).encode())

    @classmethod
    def load(cls, folder: Path) -> "FittedNetwork":
        """Read what `save` wrote.

        Raises:
            ValueError: if the weights are not the ones that `config.json` names.
        """
        described = json.loads((folder / CONFIG_FILE).read_bytes())
        weights = read_verified(
            folder / WEIGHTS_FILE, described["sha256"], cure="fit the network again"
        )
        config = config_from_json(described["config"])
        n_types, n_rows, n_cols = described["unit_shape"]
        unit_shape = (n_types, n_rows, n_cols)
        return cls(
            name=described["name"],
            config=config,
            fit_origin=np.datetime64(described["fit_origin"], "M"),
            unit_shape=unit_shape,
            base_settings=tuple(map(tuple, described["base_settings"])),
            dispersion=tuple(described["dispersion"]),
            members=_members(safetensors.torch.load(weights), config, unit_shape),
            epochs=tuple(described["epochs"]),
            training_seconds=described["training_seconds"],
        )


def _members(
    tensors: dict[str, torch.Tensor], config: NetworkConfig, unit_shape: tuple[int, int, int]
) -> tuple[BaseRateModel | Log1pModel, ...]:
    members = []
    for position in range(config.seeds):
        with reproducible(0, n_cells=math.prod(unit_shape[1:])):
            model = build_model(config, unit_shape)
        prefix = f"member{position}."
        own = {
            key.removeprefix(prefix): value
            for key, value in tensors.items()
            if key.startswith(prefix)
        }
        model.load_state_dict(own)
        members.append(model.eval())
    return tuple(members)
