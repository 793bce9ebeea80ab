"""Eight short streets with 420 days of counts in two offence groups, for tests of the evidence."""

import numpy as np
import shapely

from crime_platform.evaluation.street_plan import StreetPlan
from crime_platform.geography.street_graph import StreetGraph, diffusion_matrix
from crime_platform.models.streets.baselines import street_baselines
from crime_platform.tensors.street_counts import SegmentCounts
from crime_platform.vocabulary.forecast import CountHistory

GROUPS = ("violent", "property")
N_NODES, N_DAYS = 8, 420
FIRST = np.datetime64("2020-01-01")
DAYS = FIRST + np.arange(N_DAYS)  # until 23 February 2021
PLAN = StreetPlan(as_of=DAYS[-1], anchor=np.datetime64("2021-01-31"), horizon=3, n_refits=2)
LENGTH_M = 100.0 * np.array([1, 2, 1, 3, 1, 2, 1, 4])


def street_row() -> StreetGraph:
    """Eight segments end to end, from 100 to 400 m long."""
    end = 630_000 + np.cumsum(LENGTH_M)
    return StreetGraph(
        kind="segment",
        node_id=tuple(f"s{number}" for number in range(N_NODES)),
        geometry=np.array(
            [
                shapely.LineString([(x - m, 4_834_000), (x, 4_834_000)])
                for x, m in zip(end, LENGTH_M, strict=True)
            ]
        ),
        crs="EPSG:26917",
        length_m=LENGTH_M,
        links=np.stack([np.arange(N_NODES - 1), np.arange(1, N_NODES)], axis=1),
        link_distance_m=(LENGTH_M[1:] + LENGTH_M[:-1]) / 2,
    )


def toy_counts(*, moving: bool = True) -> SegmentCounts:
    """Poisson counts; where `moving`, danger moves along the street after the first third.

    Recent days then tell more than all days alike, so a decay beats the long-run frequency.
    """
    random = np.random.default_rng(3)
    rates = random.gamma(0.8, 0.6, (2, N_NODES))
    by_day = np.repeat(rates[None], N_DAYS, axis=0)
    if moving:
        by_day[140:] = rates[:, ::-1]
    counts = random.poisson(by_day).astype(np.float32)
    return SegmentCounts(
        graph=street_row(),
        offence_groups=GROUPS,
        history=CountHistory(steps=DAYS, counts=counts),
    )


def toy_forecasters(counts: SegmentCounts, *names: str) -> dict:
    """The baselines of these names, or all."""
    baselines = street_baselines(diffusion_matrix(counts.graph, alpha_m=200.0))
    return {name: baselines[name] for name in names or baselines}


def overwritten(counts: SegmentCounts, after: np.datetime64) -> SegmentCounts:
    """The same with 999 incidents everywhere on each day after one."""
    from dataclasses import replace

    tampered = counts.history.counts.copy()
    tampered[counts.history.index_of(after) + 1 :] = 999.0
    return replace(counts, history=replace(counts.history, counts=tampered))
