import pytest
import torch

from crime_platform.models.cells.convlstm import ConvLstm, ConvLstmConfig
from crime_platform.models.cells.rate_model import BaseRateModel, CityEffect, Log1pModel
from crime_platform.models.cells.symmetry import Turn

N_FEATURES = 4


def maps(n_embedded=0):
    torch.manual_seed(0)
    config = ConvLstmConfig(lookback=2, filters=3)
    return ConvLstm(config, channels=2 + n_embedded, horizon=3, unit_shape=(2, 6, 5))


def model(largest_log_ratio=1.0, n_embedded=0):
    embedding = torch.zeros(n_embedded, 6, 5)
    effect = CityEffect(3, 2, N_FEATURES)
    return BaseRateModel(maps(n_embedded), effect, embedding, largest_log_ratio)


def arguments():
    order = torch.Generator().manual_seed(1)
    frames = torch.rand(4, 2, 6, 5, generator=order)
    context = torch.rand(3, 3, 2, N_FEATURES, generator=order)
    base = torch.rand(3, 3, 2, 6, 5, generator=order) + 0.1
    return (frames,), context, base


def wake(heads):
    for head in heads:
        torch.nn.init.normal_(head.weight, std=5.0)


def test_fresh_weights_state_the_base_rate():
    inputs, context, base = arguments()

    expected = model()(inputs, context, base)

    torch.testing.assert_close(expected, base)


def test_maps_move_incidents_but_keep_the_total():
    woken = model()
    wake(woken.maps.heads)
    inputs, context, base = arguments()

    expected = woken(inputs, context, base)

    assert not torch.allclose(expected, base.expand_as(expected))
    total = base.expand_as(expected).sum(dim=(-2, -1))
    torch.testing.assert_close(expected.sum(dim=(-2, -1)), total)


def test_the_city_effect_scales_every_cell_alike():
    scaled = model()
    with torch.no_grad():
        scaled.city_effect.weight[0, 1, 2] = 0.5
    inputs, context, base = arguments()

    ratio = scaled(inputs, context, base) / base

    of_lead_1_type_1 = torch.exp(0.5 * context[:, 0, 1, 2])
    torch.testing.assert_close(ratio[:, 0, 1], of_lead_1_type_1[:, None, None].expand(3, 6, 5))
    torch.testing.assert_close(ratio[:, 1], torch.ones(3, 2, 6, 5))


@pytest.mark.parametrize("bound", [0.1, 0.7])
def test_no_cell_leaves_the_base_rate_further_than_the_bound(bound):
    woken = model(largest_log_ratio=bound)
    wake(woken.maps.heads)
    inputs, context, base = arguments()

    log_ratio = torch.log(woken(inputs, context, base) / base)

    # The maps add at most the bound, and keeping the total takes back at most as much.
    assert log_ratio.abs().max() <= 2 * bound


def test_every_parameter_gets_a_gradient_once_the_head_is_awake():
    woken = model()
    wake(woken.maps.heads)

    woken(*arguments()).square().sum().backward()

    silent = [name for name, weight in woken.named_parameters() if not weight.grad.abs().sum() > 0]
    assert silent == []


def test_the_log1p_model_inverts_the_logarithm():
    inputs, context, base = arguments()
    stated = maps()

    expected = Log1pModel(stated)(inputs, context, base)

    torch.testing.assert_close(torch.log1p(expected), stated(*inputs))


def test_what_is_learned_of_a_cell_moves_its_forecast():
    inputs, context, base = arguments()
    placed = model(n_embedded=2)
    wake(placed.maps.heads)
    before = placed(inputs, context, base)

    with torch.no_grad():
        placed.embedding_of_cell[:, 2, 3] = 3.0
    after = placed(inputs, context, base)

    assert (before - after).abs()[..., 2, 3].min() > 1e-4


def test_the_embedding_turns_with_the_maps():
    inputs, context, base = arguments()
    placed = model(n_embedded=1)
    wake(placed.maps.heads)
    turn = Turn(flip_rows=True)
    with torch.no_grad():
        placed.embedding_of_cell.normal_()
        seen = placed(inputs, context, base, turn)
        placed.embedding_of_cell.copy_(placed.embedding_of_cell.flip(-2))
        flipped = placed(tuple(x.flip(-2) for x in inputs), context, base.flip(-2))

    torch.testing.assert_close(seen, flipped.flip(-2))
