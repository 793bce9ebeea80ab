import pytest
import torch

from crime_platform.models.cells.st_resnet import Fusion, ResUnit, StResNet, StResNetConfig
from crime_platform.models.cells.symmetry import Turn

UNIT_SHAPE = (2, 6, 5)
CHANNELS = (4, 6, 2)


def network(**size):
    torch.manual_seed(0)
    config = StResNetConfig(filters=4, residual_units=1, **size)
    return StResNet(config, channels=CHANNELS, horizon=3, unit_shape=UNIT_SHAPE)


def slices():
    order = torch.Generator().manual_seed(1)
    return [torch.rand(2, channels, 6, 5, generator=order) for channels in CHANNELS]


def test_a_residual_unit_with_zero_weights_is_the_identity():
    unit = ResUnit(3)
    torch.nn.init.zeros_(unit.second.weight)
    torch.nn.init.zeros_(unit.second.bias)
    x = torch.rand(1, 3, 6, 5)

    torch.testing.assert_close(unit(x), x)


def test_output_has_one_map_per_lead_and_type():
    assert network()(*slices()).shape == (2, 3, 2, 6, 5)


def test_every_parameter_gets_a_gradient():
    model = network()

    model(*slices()).square().sum().backward()

    silent = [name for name, weight in model.named_parameters() if not weight.grad.abs().sum() > 0]
    assert silent == []


@pytest.mark.parametrize("changed", [0, 1, 2])
def test_every_slice_reaches_the_output(changed):
    model, before = network(), slices()
    after = list(before)
    after[changed] = after[changed] + 1

    assert not torch.allclose(model(*before), model(*after))


def test_zero_heads_make_the_output_zero():
    model = network()
    for head in model.heads:
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)

    assert model(*slices()).abs().max() == 0


def test_fresh_fusion_is_the_mean_of_the_branches():
    fusion = Fusion(3, UNIT_SHAPE)
    maps = torch.rand(3, 2, 3, *UNIT_SHAPE)

    torch.testing.assert_close(fusion(maps), maps.mean(dim=0))


def test_fusion_weighs_each_cell_by_itself():
    fusion = Fusion(3, UNIT_SHAPE)
    with torch.no_grad():
        fusion.of_cell[1, 0, 2, 3] = 100.0  # only the second branch counts in this cell
    maps = torch.rand(3, 1, 1, *UNIT_SHAPE)

    fused = fusion(maps)

    torch.testing.assert_close(fused[0, 0, 0, 2, 3], maps[1, 0, 0, 0, 2, 3])
    torch.testing.assert_close(fused[0, 0, 1], maps[:, 0, 0, 1].mean(dim=0))
    torch.testing.assert_close(fusion.share().sum(dim=0), torch.ones(UNIT_SHAPE))


@pytest.mark.parametrize(
    "turn",
    [
        Turn(flip_rows=True),
        Turn(flip_cols=True),
        Turn(swap_rows_and_cols=True),
        Turn(flip_rows=True, flip_cols=True, swap_rows_and_cols=True),
    ],
)
def test_a_network_of_symmetric_kernels_does_not_see_a_turn(turn):
    model = network()
    with torch.no_grad():
        for weight in model.parameters():
            # The same weight at all nine places of a kernel looks the same from every side.
            weight.copy_(weight if weight.dim() < 4 else weight.mean(dim=(-2, -1), keepdim=True))

    torch.testing.assert_close(model(*slices(), turn=turn), model(*slices()))


def test_a_turn_changes_what_a_branch_sees():
    model = network()

    assert not torch.allclose(model(*slices(), turn=Turn(flip_rows=True)), model(*slices()))


def test_size_must_be_positive():
    with pytest.raises(ValueError, match="at least 1 filter and 1 residual unit"):
        StResNetConfig(filters=0)
