"""The invented places: towns of meshblocks and area units, and how often something happens there.

One city of Auckland's size, and other towns that make up the rest of a country: the publisher's
files hold them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from crime_platform.simulation.offences import OffenceProcess
from crime_platform.simulation.process import Surface

CITY = "Auckland (simulated)"
GRID_EXTENT_M = (1_743_000.0, 5_897_500.0, 1_772_500.0, 5_936_000.0)  # west, south, east, north
RIM_M = 3_000.0  # of the city beyond the grid, as real territorial authorities reach beyond
CITY_LEVEL_SHARE = 0.36  # of the country's victimisations, as in 2014 to 2020
N_CITY_PLACES = 11_768  # as many as Auckland's meshblocks of 2013
N_OTHER_PLACES = 34_853
N_OTHER_TOWNS = 20
OTHER_TOWNS_AT_M = (1_200_000.0, 5_000_000.0)  # east, north of the first one: far from the city
TOWN_STEP_M = 60_000.0
LATTICE_PER_PLACE = 1.6  # lattice points to choose each place from
JITTER_SHARE = 0.3  # of the lattice spacing, to either side
DISTRICT_PLACES = 27  # meshblocks of an area unit
N_CENTRES, CENTRE_SPREAD_M = 9, 2_200.0
EVERYWHERE_SHARE = 0.12  # density far from any centre, of a centre's


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Coded places with their names; `surface` holds what the counts need."""

    code: np.ndarray  # int, as the publisher writes them: no leading zeros
    district_name: tuple[str, ...]
    authority_name: tuple[str, ...]
    authority_share: Float[np.ndarray, " authority"]  # of the country's victimisations
    surface: Surface
    vintage: str  # whose places these are


def invented_places(
    processes: Sequence[OffenceProcess],
    random: np.random.Generator,
    *,
    n_city: int = N_CITY_PLACES,
    n_other: int = N_OTHER_PLACES,
    n_towns: int = N_OTHER_TOWNS,
) -> Places:
    """A city with a few dense centres where Auckland's grid lies, and other towns far from it."""
    west, south, east, north = GRID_EXTENT_M
    city = (west - RIM_M, south - RIM_M, east + RIM_M, north + RIM_M)
    sizes = [n_city, *_parts(n_other, n_towns)]
    towns = [_invented_town(n_city, city, random)]
    for number, size in enumerate(sizes[1:]):
        at_east, at_north = (side + number * TOWN_STEP_M for side in OTHER_TOWNS_AT_M)
        half = TOWN_STEP_M / 6
        extent = (at_east - half, at_north - half, at_east + half, at_north + half)
        towns.append(_invented_town(size, extent, random))
    authority = np.repeat(np.arange(len(towns)), sizes)
    x_m, y_m, density = (np.concatenate(parts) for parts in zip(*towns, strict=True))
    district = _district_of(sizes)
    others = np.array(sizes[1:]) / max(n_other, 1) * (1 - CITY_LEVEL_SHARE)
    return Places(
        code=100_000 + 7 * np.arange(len(x_m)),
        district_name=tuple(f"Invented {number:04d}" for number in range(1, district.max() + 2)),
        authority_name=(CITY, *(f"Town {n:02d} (simulated)" for n in range(1, len(towns)))),
        authority_share=np.concatenate([[CITY_LEVEL_SHARE], others]),
        surface=Surface(
            x_m=x_m,
            y_m=y_m,
            authority=authority,
            district=district,
            share=long_run_shares(processes, density, authority, random),
        ),
        vintage="invented meshblocks (simulated)",
    )


def long_run_shares(
    processes: Sequence[OffenceProcess],
    density: Float[np.ndarray, " place"],
    authority: Int[np.ndarray, " place"],
    random: np.random.Generator,
    *,
    known: Float[np.ndarray, "offence place"] | None = None,
) -> Float[np.ndarray, "offence place"]:
    """Share of each place in its authority's incidents, by offence; sums to 1 in each authority.

    A place draws by its density to the power of the offence's centre pull, times gamma noise, so
    that a few places hold much. Density is over its authority's mean.

    Args:
        processes: the offences.
        density: people or buildings per place, in any unit; 0 where nothing ever happens.
        authority: number of each place's authority.
        random: what is drawn comes from here alone.
        known: weights that replace the drawn ones, NaN where nothing is known.
    """
    mean = np.bincount(authority, density) / np.maximum(np.bincount(authority), 1)
    relative = density / np.where(mean > 0, mean, 1.0)[authority]
    shares = np.empty((len(processes), len(density)))
    for number, process in enumerate(processes):
        site = random.gamma(process.evenness, 1 / process.evenness, len(density))
        weight = np.where(relative > 0, relative**process.centre_pull * site, 0.0)
        if known is not None:
            weight = np.where(np.isnan(known[number]), weight, known[number])
        total = np.bincount(authority, weight)
        shares[number] = weight / np.where(total > 0, total, 1.0)[authority]
    return shares


def _invented_town(
    n_places: int, extent: tuple[float, float, float, float], random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Easting, northing and density of jittered lattice points, more of them near the centres."""
    west, south, east, north = extent
    spacing = np.sqrt((east - west) * (north - south) / (LATTICE_PER_PLACE * n_places + 1))
    at_x, at_y = np.meshgrid(np.arange(west, east, spacing), np.arange(south, north, spacing))
    x_m, y_m = at_x.ravel(), at_y.ravel()
    centres = random.uniform((0.2, 0.2), (0.8, 0.8), (N_CENTRES, 2))
    centres = (west, south) + centres * (east - west, north - south)
    distance = np.hypot(x_m[:, None] - centres[:, 0], y_m[:, None] - centres[:, 1])
    density = EVERYWHERE_SHARE + np.exp(-0.5 * (distance / CENTRE_SPREAD_M) ** 2).sum(axis=1)
    chosen = random.choice(len(x_m), n_places, replace=False, p=density / density.sum())
    # Neighbours stand together in the order of codes, as in a real table, and so do districts.
    chosen = chosen[np.lexsort((x_m[chosen], y_m[chosen] // (4 * spacing)))]
    jitter = random.uniform(-JITTER_SHARE * spacing, JITTER_SHARE * spacing, (2, n_places))
    points = np.round([x_m[chosen] + jitter[0], y_m[chosen] + jitter[1]], 2)
    return points[0], points[1], density[chosen]


def _parts(whole: int, n_parts: int) -> list[int]:
    """Sizes that add up to the whole, halving slowly: a few towns are large, most are small."""
    weight = 0.85 ** np.arange(n_parts)
    sizes = np.maximum((whole * weight / weight.sum()).astype(int), 1)
    sizes[:1] += whole - sizes.sum()
    return [int(size) for size in sizes]


def _district_of(sizes: Sequence[int]) -> Int[np.ndarray, " place"]:
    """Number of each place's district: runs of places that stand together, never of two towns."""
    within = [np.arange(size) // DISTRICT_PLACES for size in sizes]
    first = np.cumsum([0, *(part.max() + 1 for part in within[:-1])])
    return np.concatenate([part + start for part, start in zip(within, first, strict=True)])
