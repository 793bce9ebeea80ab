"""A street of a few segments with daily counts: the smallest world a street model can live in."""

import numpy as np
from scipy.sparse import csr_array

from crime_platform.vocabulary.day_split import DaySplit
from crime_platform.vocabulary.forecast import CountHistory

N_NODES = 6
FIRST_DAY = np.datetime64("2020-01-06")  # a Monday


def toy_diffusion(n_nodes: int = N_NODES) -> csr_array:
    """Segments in a row, the last one alone: rows sum to 1, its own to 0."""
    links = np.zeros((n_nodes, n_nodes), dtype=np.float32)
    before = np.arange(n_nodes - 2)
    links[before, before + 1] = links[before + 1, before] = 1
    total = links.sum(axis=1, keepdims=True)
    return csr_array(np.divide(links, total, out=links, where=total > 0))


def toy_history(n_days: int = 120, *, n_types: int = 1, seed: int = 0) -> CountHistory:
    """Poisson counts, busier towards the end of the street, and a mark on some of them."""
    rng = np.random.default_rng(seed)
    rate = np.linspace(0.05, 0.9, N_NODES)
    counts = rng.poisson(rate, (n_days, n_types, N_NODES)).astype(np.float32)
    steps = FIRST_DAY + np.arange(n_days)
    night = rng.binomial(counts.astype(int), 0.4).astype(np.float16)
    return CountHistory(steps=steps, counts=counts, marked={"hours_night": night})


def toy_split(*, train: int = 80, validation: int = 20, test: int = 20) -> DaySplit:
    """The days of `toy_history` in three parts."""
    return DaySplit(
        train_start=FIRST_DAY,
        train_end=FIRST_DAY + (train - 1),
        validation_end=FIRST_DAY + (train + validation - 1),
        test_end=FIRST_DAY + (train + validation + test - 1),
    )
