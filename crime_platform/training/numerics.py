"""Where and how exactly torch computes: device, threads, seed, number format."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

# Fixed, because the last digits of a weight follow the order of sums, which follows the threads.
N_THREADS = min(2, os.cpu_count() or 1)
_MOST_THREADS: ContextVar[int] = ContextVar("most_threads", default=N_THREADS)
CELLS_FOR_THREADS = 1_000  # on fewer cells threads wait for each other longer than they compute


def best_device() -> torch.device:
    """A CUDA device where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def reproducible(
    seed: int, *, n_cells: int, cells_for_threads: int = CELLS_FOR_THREADS
) -> Iterator[None]:
    """Inside, the same seed gives the same numbers; afterwards, torch is as it was before.

    Args:
        seed: of torch's random numbers.
        n_cells: units of one sample.
        cells_for_threads: with fewer units, one thread computes.
    """
    n_threads = torch.get_num_threads()
    was_strict = torch.are_deterministic_algorithms_enabled()
    only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        torch.set_num_threads(granted_threads() if n_cells >= cells_for_threads else 1)
        # On CUDA some backward passes have no repeatable form: say so there, but do not stop.
        torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(was_strict, warn_only=only_warned)
            torch.set_num_threads(n_threads)


@contextmanager
def at_most_threads(n_threads: int) -> Iterator[None]:
    """Inside, `reproducible` takes no more threads: the other cores are for other processes."""
    before = _MOST_THREADS.set(min(n_threads, _MOST_THREADS.get()))
    try:
        yield
    finally:
        _MOST_THREADS.reset(before)


def granted_threads() -> int:
    """How many threads this process may compute with."""
    return _MOST_THREADS.get()


def number_format(device: torch.device) -> torch.autocast:
    """Half-precision products on CUDA, plain float32 on the CPU."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda")
