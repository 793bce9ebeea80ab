"""What a run of an area takes, roughly: memory, time, and whether the machine has it."""

from dataclasses import dataclass

from crime_platform.study_area.study_area import StudyArea
from crime_platform.system.machine import GIGABYTE

N_MODELS = 17  # whose forecasts are compared at once: baselines, learned models, pool and policy
BYTES_OF_FORECAST = 16  # expected count and dispersion
BYTES_OF_COUNT = 16  # as stored, and once more as models read it
BYTES_OF_MARK = 2
N_HOUR_BANDS = 4
BASE_BYTES = 1.0e9  # Python with its libraries
# Toronto as it is bundled, on 2 cores: `make run` takes 14 minutes.
TORONTO_MINUTES, TORONTO_FORECASTS = 12.5, 84 * 61 * 5 * 24  # cells, types, origins
BASE_MINUTES = 1.5  # start, report and page
# Streets: memory of a fit by the benchmark of street training; time by downtown Toronto.
BYTES_OF_NODE = 64_000
TOWN_MINUTES, TOWN_NODE_DAYS = 6.0, 1_123 * 2_484
METRES_PER_KM = 1000
CITY_KM = 150  # wider than any city with its suburbs


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSize:
    """What decides how much a run of the months takes."""

    n_rows: int
    n_cols: int
    n_months: int
    n_types: int
    n_marks: int
    n_origins: int  # forecast from, those for selection included
    horizon: int

    @property
    def n_cells(self) -> int:
        return self.n_rows * self.n_cols

    @property
    def memory_bytes(self) -> float:
        """Memory held at once when the models are compared."""
        series = self.n_cells * self.n_types
        of_counts = self.n_months * (BYTES_OF_COUNT + BYTES_OF_MARK * self.n_marks)
        of_forecasts = N_MODELS * (self.n_origins + 1) * self.horizon * BYTES_OF_FORECAST
        return BASE_BYTES + series * (of_counts + of_forecasts)

    @property
    def minutes(self) -> float:
        """Wall time on two cores."""
        forecasts = self.n_cells * self.n_types * self.n_origins
        return BASE_MINUTES + TORONTO_MINUTES * forecasts / TORONTO_FORECASTS


def size_of_run(area: StudyArea, *, n_rows: int, n_cols: int, n_months: int) -> RunSize:
    """The size of an area's run on a grid."""
    return RunSize(
        n_rows=n_rows,
        n_cols=n_cols,
        n_months=n_months,
        n_types=len(area.offence_types),
        n_marks=len(area.premises_types) + N_HOUR_BANDS,
        n_origins=min(area.backtest.n_origins + area.backtest.n_selection, n_months),
        horizon=area.backtest.horizon,
    )


def size_problem(area: StudyArea, size: RunSize, memory_bytes: int) -> str | None:
    """A run that needs more memory than there is; None where there is enough."""
    if size.memory_bytes <= memory_bytes:
        return None
    high, wide = _km(area, size)
    no_city = max(high, wide) > CITY_KM
    return (
        f"{area.name}: the grid has {size.n_rows:,} x {size.n_cols:,} = {size.n_cells:,} cells, "
        f"and {size.n_months} months of {size.n_types} offence types in them need about "
        f"{size.memory_bytes / GIGABYTE:,.0f} GB of memory; this machine has "
        f"{memory_bytes / GIGABYTE:,.0f} GB. "
        + (
            f"It is {wide:,.0f} km wide and {high:,.0f} km high, which is no city: keep one with "
            "[source.only] or with extent_m under [grid], or choose a larger cell_size_m "
            if no_city
            else "Choose a smaller extent_m or a larger cell_size_m under [grid] "
        )
        + f"(now {area.grid.cell_size_m:g})."
    )


def width_remark(area: StudyArea, size: RunSize) -> str | None:
    """A grid that is wider than a city; None for others."""
    high, wide = _km(area, size)
    if max(high, wide) <= CITY_KM:
        return None
    return (
        f"[grid] is {wide:,.0f} km wide and {high:,.0f} km high, which is no city: keep one with "
        "[source.only] or extent_m if that is not meant"
    )


def street_memory_bytes(*, n_nodes: int, n_days: int, n_groups: int) -> float:
    """Memory held at once when streets are counted and a network is fitted."""
    return BASE_BYTES + n_nodes * (BYTES_OF_NODE + n_days * n_groups * BYTES_OF_COUNT)


def street_size_problem(
    name: str, *, n_nodes: int, n_days: int, n_groups: int, memory_bytes: int
) -> str | None:
    """A run of the streets that needs more memory than there is; None where there is enough."""
    needed = street_memory_bytes(n_nodes=n_nodes, n_days=n_days, n_groups=n_groups)
    if needed <= memory_bytes:
        return None
    return (
        f"{name}: {n_nodes:,} streets or places and {n_days:,} days of {n_groups} offence groups "
        f"need about {needed / GIGABYTE:,.0f} GB of memory; this machine has "
        f"{memory_bytes / GIGABYTE:,.0f} GB. Choose a smaller extent_m or boundary_file under "
        "[streets], or a later first_month"
    )


def street_minutes(*, n_nodes: int, n_days: int) -> float:
    """Wall time of a run of the streets on two cores."""
    return BASE_MINUTES + TOWN_MINUTES * n_nodes * n_days / TOWN_NODE_DAYS


def in_words(minutes: float, memory_bytes: float) -> str:
    """Time and memory as one would say them."""
    hours = minutes / 60
    time = f"{minutes:.0f} minutes" if hours < 2 else f"{hours:,.0f} hours"
    return f"{time} on 2 cores and {memory_bytes / GIGABYTE:,.1f} GB of memory"


def _km(area: StudyArea, size: RunSize) -> tuple[float, float]:
    cell_km = area.grid.cell_size_m / METRES_PER_KM
    return size.n_rows * cell_km, size.n_cols * cell_km
