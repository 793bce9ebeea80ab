"""How a network is trained: the settings, and nothing that runs."""

from dataclasses import dataclass, field
from typing import Any, Literal

from crime_platform.models.cells.convlstm import ConvLstmConfig
from crime_platform.models.cells.st_resnet import StResNetConfig
from crime_platform.tensors.windows import RECENT_SPANS, Windows

ARCHITECTURES: dict[str, type[StResNetConfig] | type[ConvLstmConfig]] = {
    "st_resnet": StResNetConfig,
    "convlstm": ConvLstmConfig,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """Everything that decides what a fitted network looks like, besides the data.

    Recipe "poisson": the network moves a base rate, is trained on the Poisson likelihood with AdamW
    and a one-cycle schedule, and sees the grid turned at random. Recipe "log1p_mse": it states
    log(1 + count) from the counts alone and is trained on the squared error with Adam at a
    constant rate; the settings that say "poisson only" are then without effect.
    """

    architecture: StResNetConfig | ConvLstmConfig = field(default_factory=StResNetConfig)
    recipe: Literal["poisson", "log1p_mse"] = "poisson"
    horizon: int = 3  # leads stated at once
    seeds: int = 2  # networks whose expected counts are averaged
    epochs: int = 20  # at most
    patience: int = 10  # epochs without a better validation loss before training stops
    validation_steps: int = 6  # last months before the origin
    batch_origins: int = 4
    learning_rate: float = 6e-3  # with the recipe "poisson", the peak of the one-cycle schedule
    weight_decay: float = 1e-2  # poisson only
    # A fusion weight is seen by one cell alone. At the full rate the weights learn the training
    # months of their cells by heart: skill was lost after 40 updates (Toronto, 2019).
    fusion_rate: float = 3e-3  # of the learning rate; ST-ResNet under poisson only
    city_penalty: float = 1000.0  # ridge of the city effect that all types share; poisson only
    city_type_penalty: float = 3000.0  # ridge of a type's departure from it; poisson only
    cell_embedding: int = 0  # learned features of each cell, at the rate of fusion; poisson only
    largest_log_ratio: float = 1.0  # between a cell's map and its base rate; poisson only
    input_scale: Literal["sqrt", "log1p"] = "sqrt"  # of every count that is shown

    def __post_init__(self) -> None:
        sizes = (self.seeds, self.epochs, self.patience, self.batch_origins)
        if min(sizes) < 1:
            raise ValueError(f"seeds, epochs, patience and batch_origins need >= 1, got {self}")
        if not 1 <= self.horizon <= self.validation_steps:
            raise ValueError(
                "every lead needs a month to be judged on: 1 <= horizon <= validation_steps, got "
                f"horizon {self.horizon} and validation_steps {self.validation_steps}"
            )

    @property
    def lookback(self) -> int:
        """Months up to and including the origin that one sample reads."""
        shown = self.architecture
        slices = shown if isinstance(shown, ConvLstmConfig) else windows_of(shown)
        return max(slices.lookback, *RECENT_SPANS)


def windows_of(config: StResNetConfig) -> Windows:
    """The three slices that a network of this size reads."""
    return Windows(closeness=config.closeness, period=config.period, trend=config.trend)


def config_from_json(settings: dict[str, Any]) -> NetworkConfig:
    """The config that `dataclasses.asdict` turned into plain values.

    Raises:
        ValueError: if the architecture is not one of `ARCHITECTURES`.
    """
    size = dict(settings["architecture"])
    kind = size.pop("kind", None)
    if kind not in ARCHITECTURES:
        raise ValueError(f"expected an architecture among {sorted(ARCHITECTURES)}, got {kind!r}")
    rebuilt: dict[str, Any] = settings | {"architecture": ARCHITECTURES[kind](**size)}
    return NetworkConfig(**rebuilt)
