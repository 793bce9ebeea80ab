import pytest
import torch

from crime_platform.models.cells.convlstm import ConvLstm, ConvLstmConfig, ConvLstmLayer
from crime_platform.models.cells.symmetry import Turn


def network(**size):
    torch.manual_seed(0)
    config = ConvLstmConfig(**{"lookback": 3, "filters": 4, "layers": 2} | size)
    return ConvLstm(config, channels=3, horizon=3, unit_shape=(2, 6, 5))


def frames(n_steps):
    return torch.rand(n_steps, 3, 6, 5, generator=torch.Generator().manual_seed(1))


def test_zero_weights_keep_the_state_empty():
    layer = ConvLstmLayer(3, 4)
    for weight in layer.parameters():
        torch.nn.init.zeros_(weight)

    assert layer(frames(3)).abs().max() == 0


def test_one_step_by_hand():
    layer = ConvLstmLayer(1, 1)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.zero_()
        layer.from_input.bias.copy_(torch.tensor([0.0, 0.0, 0.0, 100.0]))  # candidate is 1

    states = layer(torch.zeros(2, 1, 1, 1)).flatten()

    # Entry, keep and output gates are sigmoid(0) = 0.5: memory 0.5, then 0.25 + 0.5 = 0.75.
    expected = 0.5 * torch.tanh(torch.tensor([0.5, 0.75]))
    torch.testing.assert_close(states, expected)


@pytest.mark.parametrize(("n_steps", "n_origins"), [(3, 1), (7, 5)])
def test_one_output_for_each_origin_of_a_run(n_steps, n_origins):
    assert network()(frames(n_steps)).shape == (n_origins, 3, 2, 6, 5)


def test_an_origin_does_not_see_later_frames():
    model, known = network(), frames(7)
    tampered = known.clone()
    tampered[5:] = 999.0

    torch.testing.assert_close(model(tampered)[:3], model(known)[:3])


def test_the_first_frame_reaches_the_last_output():
    model, known = network(), frames(5)
    changed = known.clone()
    changed[0] += 1

    assert not torch.equal(model(known)[-1], model(changed)[-1])


def test_every_parameter_gets_a_gradient():
    model = network()

    model(frames(4)).square().sum().backward()

    silent = [name for name, weight in model.named_parameters() if not weight.grad.abs().sum() > 0]
    assert silent == []


def test_more_layers_are_more_parameters():
    one, two = (
        sum(weight.numel() for weight in network(layers=layers).parameters()) for layers in (1, 2)
    )

    # A second layer: 4 gates of 4 filters, 3x3 kernels over input and state of 4, and 16 biases.
    assert two - one == 16 * (4 + 4) * 9 + 16


def test_a_turn_changes_what_the_network_sees():
    model = network()

    assert not torch.allclose(model(frames(3), turn=Turn(flip_cols=True)), model(frames(3)))


def test_size_must_be_positive():
    with pytest.raises(ValueError, match="at least 1 month of lookback, 1 filter and 1 layer"):
        ConvLstmConfig(layers=0)
