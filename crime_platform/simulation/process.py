"""The counts: monthly levels, and a self-exciting process that spreads them over places.

One offence, place i, month t, level M_t of the place's authority, long-run share p_i:

    N_it ~ Poisson(lambda_it * G_dt)          G_dt ~ Gamma(mean 1, variance alpha), per district d
    lambda_it = M_t * ((1 - n) * p_i + n * sum_j K_ij * X_j,t-1)
    X_jt = (1 - rho) * N_jt / M_t + rho * X_j,t-1                             X_j0 = p_j

n is the branching ratio: the share of incidents that follow from earlier ones. K spreads what place
j sets off over its neighbours, each column summing to 1, so that the levels hold in expectation
whatever n is. rho makes the memory fade geometrically. Given the past, a district's count is
negative binomial with variance mean + alpha * mean**2.

Source: Mohler, Short, Brantingham, Schoenberg & Tita (2011), Self-exciting point process modeling
of crime, JASA 106(493), equation 3: background plus triggering. Near repeats: Johnson et al.
(2007), Space-time patterns of risk, J. Quant. Criminol. 23. Departures are ours: months instead of
continuous time, a truncated Gaussian kernel in space, geometric decay in time, levels that scale
what is set off, and gamma noise per district.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from crime_platform.simulation.offences import OffenceProcess
from crime_platform.vocabulary.progress import Progress, report_progress
from crime_platform.vocabulary.timesteps import month_of_year

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MONTHS_PER_YEAR = 12
SHIFT_AT = 0.6  # of the months, after which levels shift
NEIGHBOURS = 12  # places that an incident may set off others in, its own among them
NEAR_M = 250.0  # standard deviation of the distance to what an incident sets off
SMALLEST_ALPHA = 1e-9  # where it is 0, only to draw something that is then not used
APART_M = 1e7  # authorities are moved this far from each other, so that none has a neighbour in one


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """Where incidents happen in the long run, and who is whose neighbour."""

    x_m: Float[np.ndarray, " place"]
    y_m: Float[np.ndarray, " place"]
    authority: Int[np.ndarray, " place"]
    district: Int[np.ndarray, " place"]
    share: Float[np.ndarray, "offence place"]  # of the authority's level; sums to 1 in each


def monthly_profile(
    process: OffenceProcess, months: np.ndarray, *, shift_from: int
) -> Float[np.ndarray, " month"]:
    """Level of each month over the mean of all: trend, season and shift.

    Args:
        process: the offence.
        months: `datetime64[M]`, in order.
        shift_from: position of the first month after the level shift.
    """
    step = np.arange(len(months))
    trend = (1 + process.growth_per_year) ** (step / MONTHS_PER_YEAR)
    angle = 2 * np.pi * (month_of_year(months) - (process.peak_month - 1)) / MONTHS_PER_YEAR
    season = 1 + process.season_amplitude * np.cos(angle)
    shift = np.where(step >= shift_from, process.level_shift, 1.0)
    profile = trend * season * shift
    return profile / profile.mean()


def shift_month(n_months: int) -> int:
    """Position of the first month after the level shift."""
    return int(SHIFT_AT * n_months)


def near_repeat_kernel(surface: Surface) -> "csr_array":
    """K of the module's equation: column j says where what happens in place j sets off more."""
    from scipy.sparse import csr_array
    from scipy.spatial import KDTree

    n_places = len(surface.x_m)
    apart = surface.authority * APART_M
    points = np.column_stack([surface.x_m, surface.y_m, apart])
    n_near = min(NEIGHBOURS, n_places)
    distance, near = KDTree(points).query(points, k=n_near)
    distance, near = distance.reshape(n_places, n_near), near.reshape(n_places, n_near)
    weight = np.exp(-0.5 * (distance / NEAR_M) ** 2)
    weight /= weight.sum(axis=1, keepdims=True)
    here = np.repeat(np.arange(n_places), n_near)
    return csr_array((weight.ravel(), (near.ravel(), here)), shape=(n_places, n_places))


def simulate_counts(
    processes: Sequence[OffenceProcess],
    surface: Surface,
    level: Float[np.ndarray, "month offence authority"],
    random: np.random.Generator,
) -> Int[np.ndarray, "month offence place"]:
    """Counts of the self-exciting process that the module describes.

    Args:
        processes: the offences, in the order of the offence axis.
        surface: the places.
        level: expected incidents of each authority.
        random: what is drawn comes from here alone.
    """
    n_months, n_offences, _ = level.shape
    kernel = near_repeat_kernel(surface)
    branching, memory, dispersion = (
        np.array([getattr(process, key) for process in processes])[:, None]
        for key in ("branching", "memory", "dispersion")
    )
    n_districts = int(surface.district.max()) + 1
    excitement = surface.share.copy()  # X of the equation
    counts = np.zeros((n_months, n_offences, len(surface.x_m)), dtype=np.int32)
    for step in range(n_months):
        here = level[step][:, surface.authority]
        set_off = (kernel @ excitement.T).T
        rate = here * ((1 - branching) * surface.share + branching * set_off)
        noise = _district_noise(dispersion, n_districts, random)[:, surface.district]
        counts[step] = random.poisson(rate * noise)
        shares = np.divide(counts[step], here, out=np.zeros_like(here), where=here > 0)
        excitement = (1 - memory) * shares + memory * excitement
        report_progress(
            Progress(task="simulating months", done=step + 1, total=n_months, unit="month")
        )
    return counts


def _district_noise(
    dispersion: Float[np.ndarray, "offence 1"], n_districts: int, random: np.random.Generator
) -> Float[np.ndarray, "offence district"]:
    """Gamma factors with mean 1 and variance alpha; 1 where alpha is 0."""
    alpha = np.maximum(dispersion, SMALLEST_ALPHA)
    noise = random.gamma(1 / alpha, alpha, (len(alpha), n_districts))
    return np.where(dispersion > 0, noise, 1.0)
