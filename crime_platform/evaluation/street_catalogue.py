"""Which street models there are, and what decides the forecasts of each."""

from crime_platform.evaluation.model_catalogue import code_of, config_of
from crime_platform.geography.street_graph import diffusion_matrix
from crime_platform.models.streets.baselines import street_baselines
from crime_platform.schema.values import GLDNET
from crime_platform.tensors.street_counts import SegmentCounts
from crime_platform.vocabulary.daily_forecast import StreetForecaster

KERNEL_M = 250.0  # where a neighbour's weight has fallen to 0.61


def street_forecasters(
    counts: SegmentCounts, *, kernel_m: float = KERNEL_M
) -> dict[str, StreetForecaster]:
    """Every street model by name, simplest first, the network last.

    Args:
        counts: the graph, the features of its nodes and what is known of days ahead.
        kernel_m: distance at which a link's weight has fallen to exp(-1/2), for the baselines;
            the network's is in its configuration.
    """
    # imported here: torch takes seconds to import, and who only reads a run needs none of it
    from crime_platform.models.streets.gldnet import GldnetConfig
    from crime_platform.training.gldnet_fit import GldnetForecaster

    config = GldnetConfig()
    network = GldnetForecaster(
        name=GLDNET,
        config=config,
        diffusion=diffusion_matrix(counts.graph, alpha_m=config.kernel_m),
        node_features=counts.node_features,
        covariates=counts.covariates,
    )
    return {**street_baselines(diffusion_matrix(counts.graph, alpha_m=kernel_m)), GLDNET: network}


def is_network(forecaster: StreetForecaster) -> bool:
    """Whether the model trains weights; a baseline only chooses a few numbers."""
    return hasattr(forecaster, "config")


def street_model_content(forecaster: StreetForecaster) -> tuple[object, ...]:
    """What decides a model's forecasts besides counts and plan, as parts of an artifact's key."""
    content = (forecaster.name, config_of(forecaster), code_of(forecaster))
    diffusion = getattr(forecaster, "diffusion", None)
    if diffusion is None:
        return content
    return (*content, diffusion.data, diffusion.indices, diffusion.indptr)
