"""A trial of what a run does with an area's data: stored, counted and checked in scratch.

The rules are the run's own, so that what it would stop at or warn of is known before it starts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from crime_platform.data_checks.blocking import missing_months_problem, short_history_problem
from crime_platform.pipeline.cell_counts import CountReport, rebuild_counts
from crime_platform.pipeline.data_checks import COUNT_CHECKS, INCIDENT_CHECKS, DataCheck, run_checks
from crime_platform.pipeline.ingest import SourceFile, store_readings
from crime_platform.sources.table import TableReading
from crime_platform.study_area.parts import StudyAreaError
from crime_platform.study_area.study_area import StudyArea
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.incident import CoordinateError, SourceFormatError
from crime_platform.vocabulary.timesteps import IncompleteDataError
from crime_platform.warehouse.file import now
from crime_platform.warehouse.warehouse import Warehouse

FRESH = "data_are_fresh"
Made = TypeVar("Made")
REFUSALS = (StudyAreaError, SourceFormatError, CoordinateError, IncompleteDataError)
"""What ends a run with a message to the user; anything else is a fault of the platform."""


@dataclass(slots=True, kw_only=True)
class Trial:
    """What a run would have made of the data."""

    counts: CountReport | None = None  # without one, nothing could be counted
    stops: list[str] = field(default_factory=list)  # a run would stop at each, or count wrong
    warnings: list[str] = field(default_factory=list)  # a run would say each and go on


def try_data(
    area: StudyArea, readings: Sequence[tuple[SourceFile, TableReading]], home: PlatformHome
) -> Trial:
    """Store files that were read, then count and check them as a run does.

    Args:
        area: whose files they are.
        readings: all of them, those that an ingest would refuse included.
        home: its `trial` folder is written to, and nothing else of it.
    """
    trial, read_at = Trial(), now()  # one moment for all files, as an ingest has it
    stored = [pair for pair in readings if _store(trial, area, pair, home, read_at)]
    if not any(reading.report.n_accepted for _, reading in stored):
        return trial
    current = [(file.label(home), file.sha256, file.reading_key) for file, _ in stored]
    Warehouse(home.warehouse).retire_other_files(area.name, current, moment=read_at)
    asked = [check for check in INCIDENT_CHECKS if not (_is_closed(area) and check.name == FRESH)]
    _check(trial, asked, area, home)
    trial.counts = attempt(trial.stops, lambda: rebuild_counts(area, home))
    if trial.counts is not None:
        counts = trial.counts
        problems = (
            missing_months_problem(area.name, counts.missing),
            short_history_problem(
                area,
                n_complete=counts.n_complete,
                first=counts.first,
                last_complete=counts.last_complete,
                unfinished=list(counts.record.unfinished.values()),
            ),
        )
        trial.stops += [problem for problem in problems if problem is not None]
        _check(trial, COUNT_CHECKS, area, home)
    return trial


def attempt(stops: list[str], make: Callable[[], Made]) -> Made | None:
    """What is made, or None and the message of its refusal among the stops."""
    try:
        return make()
    except REFUSALS as refusal:
        stops.append(str(refusal))
        return None


def _is_closed(area: StudyArea) -> bool:
    """Whether the TOML itself says where the data end, so that nobody need be told their age."""
    return area.last_month is not None


def _store(
    trial: Trial,
    area: StudyArea,
    pair: tuple[SourceFile, TableReading],
    home: PlatformHome,
    read_at: datetime,
) -> bool:
    before = len(trial.stops)
    attempt(trial.stops, lambda: store_readings([pair], area, home, read_at=read_at))
    return len(trial.stops) == before


def _check(trial: Trial, checks: Sequence[DataCheck], area: StudyArea, home: PlatformHome) -> None:
    for outcome in run_checks(checks, area, home).values():
        trial.stops += outcome.grave
        trial.warnings += [each for each in outcome.problems if each not in outcome.grave]
