"""Where the report and the model card of an area and month lie, and how the newest is found."""

from dataclasses import dataclass
from pathlib import Path

from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.timesteps import Month, parse_month

REPORT, MODEL_CARD = "report.html", "model_card.md"


class ReportError(ValueError):
    """A report that is asked for and not there."""


@dataclass(frozen=True, slots=True)
class ReportPaths:
    """Where the two files lie."""

    report: Path
    model_card: Path


def report_paths(folder: Path) -> ReportPaths:
    """The two files in a folder, whether written or not."""
    return ReportPaths(folder / REPORT, folder / MODEL_CARD)


def report_folder(home: PlatformHome, study_area: str, as_of: object) -> Path:
    """Folder of the report for one area and as-of month."""
    return home.artifacts(study_area) / str(as_of)


def find_report(home: PlatformHome, study_area: str | None, as_of: str | None) -> ReportPaths:
    """The report of an area and month; the newest month, and the only area, where not stated.

    Raises:
        ReportError: if there is none, if several areas have one and none is named, or if `as_of`
            is no month.
    """
    month = "*" if as_of is None else str(_month(as_of))
    pattern = f"{study_area or '*'}/{month}/{REPORT}"
    found = sorted((home.root / "artifacts").glob(pattern), key=lambda path: path.parent.name)
    areas = sorted({path.parent.parent.name for path in found})
    if not found:
        command = f"crime-platform run{f' --study-area {study_area}' if study_area else ''}"
        command += f" --as-of {month}" if as_of else ""
        raise ReportError(
            f"no report at {home.root / 'artifacts' / pattern}: run `{command}` first, or set "
            "CRIME_PLATFORM_HOME to where the artifacts are"
        )
    if len(areas) > 1:
        raise ReportError(f"{areas} have a report: choose one with --study-area")
    return report_paths(found[-1].parent)


def _month(as_of: str) -> Month:
    try:
        return parse_month(as_of)
    except ValueError as error:
        raise ReportError(f"--as-of: {error}") from error
