"""GLDNet's layers against their equations, and the promises of a fresh network."""

import numpy as np
import pytest
import torch

from crime_platform.models.streets.gldnet import (
    DiffusionLayer,
    GatedLayer,
    Gldnet,
    GldnetConfig,
    count_loss,
)

N_NODES, N_CHANNELS, N_COVARIATES, N_TYPES = 4, 3, 2, 2
SMALL = GldnetConfig(gated_units=4, diffusion_units=4, node_embedding=2)


def adjacency():
    """Nodes 0 - 1 - 2 in a row; node 3 has no link."""
    dense = torch.tensor([[0, 1.0, 0, 0], [0.5, 0, 0.5, 0], [0, 1.0, 0, 0], [0, 0, 0, 0]])
    row, col = dense.nonzero(as_tuple=True)
    return torch.sparse_coo_tensor(
        torch.stack([row, col]), dense[row, col], dense.shape, check_invariants=True
    ).coalesce()


def network(config=SMALL, seed=0):
    torch.manual_seed(seed)
    return Gldnet(
        config,
        n_types=N_TYPES,
        n_channels=N_CHANNELS,
        n_covariates=N_COVARIATES,
        adjacency=adjacency(),
    )


def inputs(seed=0, n_days=5):
    torch.manual_seed(seed)
    return (
        torch.randn(n_days, N_NODES, N_CHANNELS),
        torch.randn(n_days, N_COVARIATES),
        torch.rand(n_days, N_TYPES, N_NODES) + 0.1,
        torch.rand(n_days, N_TYPES) + 1,
    )


def stirred(config=SMALL):
    """A network whose zeroed layers say something."""
    model = network(config)
    for layer in (model.head, model.area_effect):
        torch.nn.init.normal_(layer.weight)
    return model


def test_gated_layer_by_hand():
    layer = GatedLayer(1, 1)
    torch.nn.init.constant_(layer.shown.weight, 2.0)
    torch.nn.init.constant_(layer.shown.bias, -1.0)
    torch.nn.init.zeros_(layer.gate.weight)
    torch.nn.init.zeros_(layer.gate.bias)

    out = layer(torch.tensor([[[3.0], [0.0]]]))

    # relu(2 * 3 - 1) * sigmoid(0) = 5 / 2; relu(-1) = 0
    assert out.flatten().tolist() == [2.5, 0.0]


def test_diffusion_layer_by_hand():
    layer = DiffusionLayer(1, 1)
    torch.nn.init.constant_(layer.own.weight, 1.0)
    torch.nn.init.zeros_(layer.own.bias)
    torch.nn.init.constant_(layer.local.weight, 10.0)

    out = layer(torch.tensor([[[1.0], [2.0], [4.0], [8.0]]]), adjacency())

    # own + 10 * mean of the neighbours: 1 + 20, 2 + 10 * (1 + 4) / 2, 4 + 20, 8 alone
    assert out.flatten().tolist() == [21.0, 27.0, 24.0, 8.0]


def test_days_of_a_batch_do_not_hear_each_other():
    layer = DiffusionLayer(2, 3)
    h = torch.randn(5, N_NODES, 2)

    together, alone = layer(h, adjacency()), layer(h[2:3], adjacency())

    torch.testing.assert_close(together[2:3], alone)


def test_fresh_weights_state_the_level_in_the_shares_of_the_base():
    channels, covariates, base, level = inputs()

    expected = network()(channels, covariates, base, level)

    torch.testing.assert_close(expected, level[..., None] * base / base.sum(-1, keepdim=True))


def test_inputs_in_other_units_give_the_same_forecast():
    channels, covariates, base, level = inputs()
    model, other = stirred(), stirred()
    other.load_state_dict(model.state_dict())
    fahrenheit = covariates * 1.8 + 32
    model.standardise(channels, covariates)
    other.standardise(channels * 1000, fahrenheit)

    expected = model(channels, covariates, base, level)

    torch.testing.assert_close(expected, other(channels * 1000, fahrenheit, base, level))


def test_shares_move_and_the_total_stays_with_the_level():
    channels, covariates, base, level = inputs()
    model = stirred()
    torch.nn.init.zeros_(model.area_effect.weight)

    expected = model(channels, covariates, base, level)

    torch.testing.assert_close(expected.sum(-1), level)
    assert (expected - level[..., None] * base / base.sum(-1, keepdim=True)).abs().max() > 0.01


def test_no_share_moves_further_than_its_bound():
    channels, covariates, base, level = inputs()
    config = GldnetConfig(gated_units=4, diffusion_units=4, largest_log_ratio=0.1)
    model = stirred(config)
    torch.nn.init.constant_(model.head.weight, 50.0)

    expected = model(channels, covariates, base, level)

    share = expected / expected.sum(-1, keepdim=True) / (base / base.sum(-1, keepdim=True))
    assert share.max() <= np.exp(0.2) + 1e-5
    assert share.min() >= np.exp(-0.2) - 1e-5


@pytest.mark.parametrize("loss", ["poisson", "weighted_mse"])
def test_every_parameter_gets_a_gradient(loss):
    channels, covariates, base, level = inputs()
    config = GldnetConfig(
        gated_layers=2, gated_units=8, diffusion_units=8, node_embedding=2, loss=loss
    )
    model = stirred(config)
    observed = torch.randint(0, 3, base.shape).float()

    count_loss(model(channels, covariates, base, level), observed, config).backward()

    without = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []


def test_a_node_hears_as_many_links_away_as_there_are_layers():
    channels, covariates, base, level = inputs(n_days=1)
    louder = channels.clone()
    louder[0, 2] += 3  # two links from node 0
    near, far = (GldnetConfig(gated_units=8, diffusion_units=8, diffusion_layers=n) for n in (1, 2))

    def heard(config):
        model = stirred(config)
        before, after = (model(each, covariates, base, level) for each in (channels, louder))
        # Shares sum to 1, so compare a node with one that hears nothing: node 3.
        return (before[0, :, 0] / before[0, :, 3] - after[0, :, 0] / after[0, :, 3]).abs().max()

    assert heard(near) < 1e-6
    assert heard(far) > 1e-5


def test_poisson_loss_by_hand():
    expected = torch.tensor([[[0.5, 2.0]]])
    observed = torch.tensor([[[0.0, 3.0]]])

    loss = count_loss(expected, observed, GldnetConfig())

    assert loss.item() == pytest.approx((0.5 + 2.0 - 3 * np.log(2.0)) / 3)


def test_weighted_loss_by_hand():
    expected = torch.tensor([[[0.5, 2.0]]])
    observed = torch.tensor([[[0.0, 3.0]]])

    loss = count_loss(expected, observed, GldnetConfig(loss="weighted_mse", rho=0.1))

    assert loss.item() == pytest.approx((0.1 * 0.25 + 3 * 1.0) / 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gated_layers": 0}, "need >= 1"),
        ({"seeds": 0}, "need >= 1"),
        ({"node_embedding": -1}, "need >= 1"),
        ({"rho": 0.0}, "must be above 0"),
        ({"kernel_m": 0.0}, "must be above 0"),
        ({"weight_decay": -0.1}, "decay >= 0"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        GldnetConfig(**settings)
