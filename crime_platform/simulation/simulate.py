"""A whole simulation: places, levels, counts, rows, files, and the study area that reads them."""

import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from crime_platform.simulation.area_file import AREA_NAME, PLACES_FILE, area_file, write_places
from crime_platform.simulation.calibration import (
    BURGLARIES,
    CENTROIDS,
    TOTALS,
    find_tables,
    real_places,
    real_totals,
)
from crime_platform.simulation.downloads import (
    MONTHS_BETWEEN,
    WINDOW_MONTHS,
    DownloadContent,
    write_downloads,
)
from crime_platform.simulation.offences import PROCESSES, WORDINGS, OffenceProcess
from crime_platform.simulation.places import (
    N_CITY_PLACES,
    N_OTHER_PLACES,
    Places,
    invented_places,
)
from crime_platform.simulation.process import monthly_profile, shift_month, simulate_counts
from crime_platform.simulation.victimisations import rows_of
from crime_platform.vocabulary.artifact import write_json, written_aside
from crime_platform.vocabulary.home import PlatformHome

FIRST_MONTH = np.datetime64("2022-02", "M")
PER_MONTH = 24_100.0  # victimisations in the country at scale 1: 1.15 million rows in 48 months
MAX_MONTHS = 600
TRUTH_FILE, NOTE_FILE = "simulation.json", "SIMULATED.txt"
REAL_FOLDER = "raw/auckland"  # below the home: where the real study area keeps its tables


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationRequest:
    """What is to be simulated; equal requests give equal files."""

    n_months: int = 48
    scale: float = 1.0  # of the victimisations
    seed: int = 0
    output: Path | None = None  # folder; raw/auckland_simulated below the home by default
    calibrate_to: Path | None = None  # folder with real tables; raw/auckland by default
    n_city_places: int = N_CITY_PLACES  # when places are invented
    n_other_places: int = N_OTHER_PLACES

    def __post_init__(self) -> None:
        if not 1 <= self.n_months <= MAX_MONTHS:
            raise ValueError(
                f"--months: expected 1 to {MAX_MONTHS}, found {self.n_months}; 48 is the default"
            )
        if not 0 < self.scale <= 100:
            raise ValueError(
                f"--scale: expected a factor above 0 and up to 100, found {self.scale:g}; 1 gives "
                "1.15 million rows in 48 months"
            )
        if self.seed < 0:
            raise ValueError(f"--seed: expected 0 or more, found {self.seed}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What was written."""

    folder: Path
    study_area_file: Path
    months: np.ndarray
    n_rows: int  # different ones
    n_victimisations: int
    contents: list[DownloadContent]  # one per file
    calibrated_to: list[str]  # names of the real tables; none when all is invented

    @property
    def n_written(self) -> int:
        """Rows in all files: a month that is published again counts again."""
        return sum(content.n_rows for content in self.contents)


def simulate_area(request: SimulationRequest, home: PlatformHome) -> Simulation:
    """Write the simulated city's files, its table of places and its study area.

    Raises:
        SourceFormatError: if a real table lacks a column or a month.
        ValueError: if the output folder holds files that no simulation wrote, the folder to
            calibrate to lacks the centroids, the real totals hold fewer months than asked for, or
            so few incidents are asked for that there is none.
    """
    folder = (request.output or home.root / "raw" / AREA_NAME).absolute()
    _require_own_folder(folder)
    for_places, for_counts, for_rows = np.random.default_rng(request.seed).spawn(3)
    places, months, level, calibrated_to = _setting(request, home, for_places)
    counts = simulate_counts(PROCESSES, places.surface, level, for_counts)
    _require_incidents(counts, request)
    rows = rows_of(counts, WORDINGS, for_rows)
    with written_aside(folder) as aside:
        aside.mkdir()
        contents = write_downloads(aside, rows, places, WORDINGS, months)
        write_places(aside / PLACES_FILE, places)
        truth = {
            "is_simulated": True,
            "seed": request.seed,
            "scale": request.scale,
            "months": [str(month) for month in months],
            "level_shift_from": str(months[0] + shift_month(len(months))),
            "calibrated_to": calibrated_to,
            "offences": [asdict(process) for process in PROCESSES],
            "n_rows": len(rows),
            "n_victimisations": int(counts.sum()),
            "files": [asdict(content) for content in contents],
        }
        write_json(aside / TRUTH_FILE, truth)
        (aside / NOTE_FILE).write_text(_note(request, months, calibrated_to), encoding="utf-8")
    study_area = home.study_areas / f"{AREA_NAME}.toml"
    inside = folder.is_relative_to(home.root)
    written = folder.relative_to(home.root) if inside else folder
    with written_aside(study_area) as aside:
        aside.write_text(area_file(written.as_posix(), places, months), encoding="utf-8")
    return Simulation(
        folder=folder,
        study_area_file=study_area,
        months=months,
        n_rows=len(rows),
        n_victimisations=int(counts.sum()),
        contents=contents,
        calibrated_to=calibrated_to,
    )


def _setting(
    request: SimulationRequest, home: PlatformHome, random: np.random.Generator
) -> tuple[Places, np.ndarray, Float[np.ndarray, "month offence authority"], list[str]]:
    """Places, months, levels, and the names of the real tables behind them."""
    folder = request.calibrate_to or home.root / REAL_FOLDER
    tables = find_tables(folder)
    if tables is None and request.calibrate_to is not None:
        raise ValueError(
            f"--calibrate-to: {folder} holds no {CENTROIDS}; put the centroids of Stats NZ's "
            f"meshblocks 2013 there, and {TOTALS} and {BURGLARIES} beside them if you have them, "
            "or leave the option out to invent the places too"
        )
    if tables is None:
        places = invented_places(
            PROCESSES, random, n_city=request.n_city_places, n_other=request.n_other_places
        )
    else:
        places = real_places(tables, PROCESSES, random)
    months = FIRST_MONTH + np.arange(request.n_months)
    totals = PER_MONTH * np.tile(places.authority_share, (request.n_months, 1))
    totals_file = None if tables is None else tables.totals
    if totals_file is not None:
        months, totals = real_totals(totals_file, places, request.n_months)
    level = expected_levels(
        PROCESSES, months, request.scale * totals, hold_totals=totals_file is not None
    )
    return places, months, level, [] if tables is None else tables.names


def expected_levels(
    processes: Sequence[OffenceProcess],
    months: np.ndarray,
    totals: Float[np.ndarray, "month authority"],
    *,
    hold_totals: bool,
) -> Float[np.ndarray, "month offence authority"]:
    """Expected victimisations: the totals divided among the offences by share and profile.

    With `hold_totals` every month keeps its total, so that seasons, trends and shifts move the mix
    alone; without, the totals are those of a mean month and the profiles move them.
    """
    shift_from = shift_month(len(months))
    weight = np.column_stack(
        [
            process.city_share * monthly_profile(process, months, shift_from=shift_from)
            for process in processes
        ]
    )
    if hold_totals:
        weight /= weight.sum(axis=1, keepdims=True)
    return weight[:, :, None] * totals[:, None, :]


def _require_own_folder(folder: Path) -> None:
    """Never write among, or delete, files that no simulation wrote.

    Raises:
        ValueError: if the folder holds some.
    """
    if folder.is_dir() and (folder / TRUTH_FILE).exists():
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(
            f"--output: {folder} holds files that no simulation wrote, and they would be replaced; "
            "choose a folder that is new or empty"
        )


def _require_incidents(
    counts: Int[np.ndarray, "month offence place"], request: SimulationRequest
) -> None:
    if not counts.any():
        raise ValueError(
            f"--scale {request.scale:g} with --months {request.n_months} gives no incident at all; "
            "choose a larger scale or more months"
        )


def _note(request: SimulationRequest, months: np.ndarray, calibrated_to: list[str]) -> str:
    real = (
        f"Calibrated to {', '.join(calibrated_to)}: places, and totals where known, are real; what "
        "happened where and when is invented."
        if calibrated_to
        else "The places are invented too."
    )
    where = textwrap.fill(f"Months: {months[0]} to {months[-1]}. {real}", 88)
    return f"""SIMULATED DATA. NOTHING IN THESE FILES EVER HAPPENED.

Written by: crime-platform simulate auckland --seed {request.seed} --months {len(months)} \
--scale {request.scale:g}
{where}

The files have the layout of New Zealand Police's "Victimisation Time and Place" and no other
connection with it. Do not publish them, or anything made from them, as recorded crime.

One file every {MONTHS_BETWEEN} months holds the {WINDOW_MONTHS} months before it, and the next one
knows more of them. The first half has the layout of 2014 to 2020, the second that of 2025 and 2026.
{TRUTH_FILE} holds the settings and what each file contains.
"""
