"""Which settings a search may try, per model: ranges, and the config that a trial stands for.

A parameter is named after the field of the config that it sets. During the search a model has one
seed; everything that is not named here stays as in the committed default.
"""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import BaseTrial, FixedTrial

from crime_platform.models.cells.convlstm import ConvLstmConfig
from crime_platform.models.cells.st_resnet import StResNetConfig
from crime_platform.training.fit import NETWORKS, NetworkForecaster
from crime_platform.training.recipe import NetworkConfig
from crime_platform.vocabulary.forecast import Forecaster

TUNABLE = ("st_resnet", "convlstm", "lightgbm")
# A search judges trees by expected counts one month ahead: no other lead, and no spread.
ALONE = {"seeds": 1, "horizon": 1, "held_out_months": 0}
NEAR_BORDER = 0.05  # of a range's width: closer than that, the optimum may lie outside
Border = Literal["inside", "low", "high", "least", "choice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpace:
    """One model's ranges; the default is a point in them."""

    model: str
    default: Any  # config of the first trial
    suggest: Callable[[BaseTrial], Any]  # config of a trial
    build: Callable[[str, Any], Any]  # forecaster of a name and a config, monthly or of streets
    # A parameter that is read only where another one has a certain value. It is asked for in every
    # trial all the same, so that all have the same parameters, but lies at no border elsewhere.
    only_with: Mapping[str, tuple[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        outside = [
            f"{name} = {value!r} in {self.ranges[name]}"
            for name, value in self.default_parameters.items()
            if not _holds(self.ranges[name], value)
        ]
        if outside:
            raise ValueError(
                f"the default of {self.model} lies outside its search space: {'; '.join(outside)}; "
                "widen the range, so that the default is among the trials"
            )
        rebuilt = self.config_of(self.default_parameters)
        if rebuilt != self.default:
            raise ValueError(
                f"the search space of {self.model} does not lead to its default: expected "
                f"{self.default}, got {rebuilt}; name every parameter after its field"
            )

    @property
    def default_parameters(self) -> dict[str, Any]:
        """The default as parameters of a trial."""
        return self._described.params

    @property
    def ranges(self) -> dict[str, BaseDistribution]:
        """What each parameter may be."""
        return self._described.distributions

    def config_of(self, parameters: Mapping[str, Any]) -> Any:
        """The config that a trial with these parameters stands for."""
        return self.suggest(FixedTrial(dict(parameters)))

    @property
    def _described(self) -> FixedTrial:
        # A fixed trial hands out the values it was given and remembers what it was asked for.
        trial = FixedTrial(_fields(asdict(self.default)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of a value outside its range; we raise
            self.suggest(trial)
        return trial


def _fields(config: Mapping[str, Any]) -> dict[str, Any]:
    """Every field of a config by its name, those of nested configs beside the outer ones."""
    flat: dict[str, Any] = {}
    for name, value in config.items():
        flat |= _fields(value) if isinstance(value, dict) else {name: value}
    return flat


def _holds(allowed: BaseDistribution, value: Any) -> bool:
    if isinstance(allowed, IntDistribution) and (value - allowed.low) % allowed.step:
        return False
    if isinstance(allowed, IntDistribution | FloatDistribution):
        return allowed.low <= value <= allowed.high
    return isinstance(allowed, CategoricalDistribution) and value in allowed.choices


def search_space(model: str) -> SearchSpace:
    """The space of a model that a user names.

    Raises:
        ValueError: if the model has none.
    """
    if model == "lightgbm":
        return _lightgbm_space()
    if model not in TUNABLE:
        raise ValueError(f"no search space for {model!r}; there are {', '.join(TUNABLE)}")
    return SearchSpace(
        model=model,
        default=replace(NETWORKS[model].config, seeds=1),
        suggest=suggest_st_resnet if model == "st_resnet" else suggest_convlstm,
        build=_network,
    )


def _network(name: str, config: NetworkConfig) -> NetworkForecaster:
    return NetworkForecaster(name=name, config=config)


def suggest_st_resnet(trial: BaseTrial) -> NetworkConfig:
    """Slices, size and training of ST-ResNet."""
    default = NETWORKS["st_resnet"].config
    shown = default.architecture
    if not isinstance(shown, StResNetConfig):
        raise TypeError(f"st_resnet is a {StResNetConfig.__name__}, got {shown}")
    architecture = replace(
        shown,
        closeness=trial.suggest_int("closeness", 1, 8),
        period=trial.suggest_int("period", 1, 3),
        trend=trial.suggest_int("trend", 1, 4),
        filters=trial.suggest_int("filters", 4, 32, step=4),
        residual_units=trial.suggest_int("residual_units", 1, 4),
    )
    fusion_rate = trial.suggest_float("fusion_rate", 1e-4, 1e-1, log=True)
    return replace(
        default, architecture=architecture, fusion_rate=fusion_rate, **_suggest_training(trial)
    )


def suggest_convlstm(trial: BaseTrial) -> NetworkConfig:
    """Lookback, size and training of ConvLSTM."""
    default = NETWORKS["convlstm"].config
    shown = default.architecture
    if not isinstance(shown, ConvLstmConfig):
        raise TypeError(f"convlstm is a {ConvLstmConfig.__name__}, got {shown}")
    architecture = replace(
        shown,
        lookback=trial.suggest_int("lookback", 1, 12),
        filters=trial.suggest_int("filters", 4, 32, step=4),
        layers=trial.suggest_int("layers", 1, 3),
    )
    return replace(default, architecture=architecture, **_suggest_training(trial))


def _suggest_training(trial: BaseTrial) -> dict[str, Any]:
    """What both networks share."""
    return {
        "seeds": 1,
        "epochs": trial.suggest_int("epochs", 8, 40, step=4),
        "batch_origins": trial.suggest_int("batch_origins", 2, 8, step=2),
        "learning_rate": trial.suggest_float("learning_rate", 1e-3, 3e-2, log=True),
        "weight_decay": trial.suggest_float("weight_decay", 1e-4, 1.0, log=True),
        "cell_embedding": trial.suggest_int("cell_embedding", 0, 4),
        "largest_log_ratio": trial.suggest_float("largest_log_ratio", 0.2, 3.0, log=True),
        "input_scale": trial.suggest_categorical("input_scale", ["sqrt", "log1p"]),
    }


def _lightgbm_space() -> SearchSpace:
    from crime_platform.models.cells.boosted_trees import BoostedTreesConfig

    return SearchSpace(
        model="lightgbm",
        default=replace(BoostedTreesConfig(), **ALONE),
        suggest=_suggest_trees,
        build=_trees,
    )


# Functions with a name, so that a space can be sent to another process.
def _suggest_trees(trial: BaseTrial) -> Any:
    from crime_platform.models.cells.boosted_trees import suggest_boosted_trees

    return replace(suggest_boosted_trees(trial), **ALONE)


def _trees(name: str, config: Any) -> Forecaster:
    from crime_platform.models.cells.boosted_trees import LightGbmForecaster

    return LightGbmForecaster(name=name, config=config)


def border_of(allowed: BaseDistribution, value: Any) -> Border:
    """Whether a value lies at an end of its range, where a better one may lie outside.

    "least" is a count of 0 or 1 that cannot be lower, "choice" one of a list without an order.
    """
    if not isinstance(allowed, IntDistribution | FloatDistribution):
        return _border_among(getattr(allowed, "choices", ()), value)
    scale = math.log if allowed.log else float
    low, high = scale(allowed.low), scale(allowed.high)
    margin = NEAR_BORDER * (high - low)
    if scale(value) >= high - margin:
        return "high"
    if scale(value) > low + margin:
        return "inside"
    is_least = isinstance(allowed, IntDistribution) and value == allowed.low <= 1
    return "least" if is_least else "low"


def _border_among(choices: Sequence[Any], value: Any) -> Border:
    if not all(type(each) in (int, float) for each in choices):
        return "choice"
    if value == max(choices):
        return "high"
    return "low" if value == min(choices) else "inside"
