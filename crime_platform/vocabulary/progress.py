"""How long steps say where they are: a structured log record that any listener may draw.

The science only logs. The command line draws bars from these records, Dagster writes them to the
run's log, and a plain script sees nothing unless it asks for the logger `crime_platform`.
"""

import logging
from dataclasses import dataclass

LOGGER = logging.getLogger("crime_platform")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where one task stands."""

    task: str  # what is under way, e.g. "st_resnet fit 2021-06"
    done: int  # units finished
    total: int  # units in all
    unit: str  # what is counted: "epoch", "origin", "row"
    detail: str = ""  # one short remark, e.g. the validation deviance


def report_progress(progress: Progress) -> None:
    """Log one step of a task, with the numbers attached as `record.progress`."""
    text = f"{progress.task}: {progress.unit} {progress.done}/{progress.total} {progress.detail}"
    LOGGER.info(text.rstrip(), extra={"progress": progress})
