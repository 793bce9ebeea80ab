import pytest
import torch

from crime_platform.training.numerics import (
    N_THREADS,
    at_most_threads,
    best_device,
    number_format,
    reproducible,
)


def test_the_same_seed_gives_the_same_numbers():
    with reproducible(7, n_cells=30):
        first = torch.rand(3)
    with reproducible(7, n_cells=30):
        second = torch.rand(3)

    assert torch.equal(first, second)


def test_torch_is_as_before_afterwards():
    torch.manual_seed(1)
    state, n_threads = torch.get_rng_state(), torch.get_num_threads()

    with reproducible(7, n_cells=30):
        torch.rand(3)

    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == n_threads
    assert not torch.are_deterministic_algorithms_enabled()


def test_torch_is_as_before_after_an_error():
    with pytest.raises(KeyError), reproducible(7, n_cells=30):
        raise KeyError

    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize(("n_cells", "n_threads"), [(999, 1), (1000, N_THREADS)])
def test_the_size_of_the_grid_sets_the_threads(n_cells, n_threads):
    with reproducible(7, n_cells=n_cells):
        assert torch.get_num_threads() == n_threads
        assert torch.are_deterministic_algorithms_enabled()


def test_a_process_among_several_takes_one_thread():
    with at_most_threads(1), reproducible(7, n_cells=1000):
        assert torch.get_num_threads() == 1

    with reproducible(7, n_cells=1000):
        assert torch.get_num_threads() == N_THREADS


def test_more_threads_than_are_fixed_are_not_taken():
    with at_most_threads(64), reproducible(7, n_cells=1000):
        assert torch.get_num_threads() == N_THREADS


def test_the_cpu_computes_in_full_precision():
    with number_format(torch.device("cpu")):
        product = torch.ones(2, 2) @ torch.ones(2, 2)

    assert product.dtype == torch.float32


def test_the_device_is_usable():
    assert torch.ones(1, device=best_device()).item() == 1
