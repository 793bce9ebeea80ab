"""One area's run through Dagster in this process, recorded where the UI looks, as an exit code."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dagster as dg

from crime_platform.commands.option_value import named_value
from crime_platform.data_checks.blocking import street_days_problem
from crime_platform.definitions import build_definitions
from crime_platform.defs.assets_dashboard import DASHBOARD, STANDS
from crime_platform.defs.assets_street import as_of_days
from crime_platform.defs.dagster_home import prepare_dagster_home
from crime_platform.defs.file_sensors import UNFINISHED
from crime_platform.pipeline.data_checks import COUNT_CHECKS, INCIDENT_CHECKS
from crime_platform.pipeline.known_states import day_record
from crime_platform.study_area.streets import last_complete_day
from crime_platform.study_area.study_area import load_study_area
from crime_platform.system.exit_codes import BAD_INPUT, BROKEN, GATE_FAILED, STOPPED
from crime_platform.system.machine_trouble import SAME_COMMAND, machine_trouble
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.progress import LOGGER
from crime_platform.vocabulary.timesteps import IncompleteDataError, parse_month
from crime_platform.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    from dagster_shared.error import SerializableErrorInfo

GATES = ("beats_historical_average", "beats_long_run_frequency")
# What a user can cure; any other exception is a fault of the platform.
BAD_INPUT_ERRORS = {
    "StudyAreaError",
    "SourceFormatError",
    "CoordinateError",
    "IncompleteDataError",
}
INTERRUPTED = "DagsterExecutionInterruptedError"
TRIGGER = {"trigger": "command line"}
LOCK = "command_line.lock"
LINES_SHOWN = 20  # of an error message
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended."""

    exit_code: int
    run_id: str
    steps: list[str] = field(default_factory=list)  # one line per finished step
    messages: list[str] = field(default_factory=list)  # what a person must know on failure
    warnings: list[str] = field(default_factory=list)  # of the data and the page: stop nothing


def run_area(home: PlatformHome, name: str, as_of: str | None) -> Outcome:
    """Run the monthly job of one area; without `as_of`, from its newest complete month.

    Raises:
        ValueError: if `as_of` is no month, or a month that cannot be forecast from.
    """
    area = load_study_area(home.study_areas / f"{name}.toml")
    with _dagster_of(home) as (definitions, instance):
        month = None if as_of is None else named_value("--as-of", parse_month, as_of)
        warehouse = Warehouse(home.warehouse)
        if month is None:
            # A closed data set whose last month is at hand needs no look at its files first.
            if area.last_month is None or warehouse.last_complete_month(name) != area.last_month:
                ingested = _execute(definitions, f"{name}_ingest", instance, None)
                if ingested.exit_code:
                    return ingested
            month = warehouse.last_complete_month(name)
            if month is not None:
                for reason in warehouse.why_not_newer(name):
                    LOGGER.warning("forecasting as of %s: %s", month, reason)
        months = definitions.resolve_job_def(f"{name}_monthly").partitions_def
        keys = [] if months is None else months.get_partition_keys()
        if str(month) not in keys:
            span = f"{keys[0]} to {keys[-1]}" if keys else "none yet"
            raise IncompleteDataError(
                f"{name} cannot be forecast as of {month}; months with enough history: {span}"
                + "".join(f"; {reason}" for reason in warehouse.why_not_newer(name))
            )
        return _told(_execute(definitions, f"{name}_monthly", instance, str(month)))


def run_streets(home: PlatformHome, name: str, as_of: str | None) -> Outcome:
    """Run the daily job of one area's streets; without `as_of`, from its newest complete day.

    Raises:
        ValueError: if the area has no streets, or `as_of` is no day that can be forecast from.
    """
    from crime_platform.pipeline.street_forecast import parse_day
    from crime_platform.pipeline.street_graph import require_streets

    with _dagster_of(home) as (definitions, instance):
        area = load_study_area(home.study_areas / f"{name}.toml")
        spec = require_streets(area)
        day = None if as_of is None else named_value("--as-of", parse_day, as_of)
        if day is None:
            record = day_record(area, home)
            if record is None or area.last_month is None:
                ingested = _execute(definitions, f"{name}_ingest", instance, None)
                if ingested.exit_code:
                    return ingested
                record = day_record(area, home)
            day = None if record is None else last_complete_day(record, spec, area.last_month)
        days = as_of_days(area)
        if problem := street_days_problem(area, day):
            raise IncompleteDataError(problem)
        if not days.has_partition_key(str(day)):
            raise IncompleteDataError(
                f"the streets of {name} cannot be forecast as of {day}; days with enough history: "
                f"{days.get_first_partition_key()} to {days.get_last_partition_key()}"
            )
        return _told(_execute(definitions, f"{name}_daily", instance, str(day)))


def _told(outcome: Outcome) -> Outcome:
    for warning in outcome.warnings:
        LOGGER.warning("%s", warning)
    return outcome


@contextmanager
def _dagster_of(home: PlatformHome) -> Iterator[tuple[dg.Definitions, dg.DagsterInstance]]:
    """This home's assets and instance, for the only command-line run there is."""
    from crime_platform.publication.publish import repair_release

    prepare_dagster_home(home)
    definitions = build_definitions(home)
    with _one_run_at_a_time(home), dg.DagsterInstance.get() as instance:
        _close_runs_of_killed_processes(instance)
        repair_release(home)
        yield definitions, instance


@contextmanager
def _one_run_at_a_time(home: PlatformHome) -> Iterator[None]:
    """Wait for other command-line runs of this home; the kernel frees the lock of a killed one."""
    with (home.root / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            LOGGER.warning("another crime-platform run is under way in %s: waiting", home.root)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _close_runs_of_killed_processes(instance: dg.DagsterInstance) -> None:
    """Mark command-line runs that can no longer be alive as failed, and free what they held.

    A killed process keeps its slot in Dagster's pools, and the next run would wait for it for ever.
    This process holds the lock, so any other command-line run that is not finished is dead.
    """
    for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED, tags=TRIGGER)):
        instance.report_run_failed(run, "The process of this run was killed.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _execute(
    definitions: dg.Definitions, job: str, instance: dg.DagsterInstance, partition: str | None
) -> Outcome:
    result = definitions.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key=partition,
        run_config=QUIET,
        raise_on_error=False,
        tags=TRIGGER,
    )
    steps = [
        f"{str(event.step_key).split('__')[-1]}: {event.step_success_data.duration_ms / 1000:.1f} s"
        for event in result.all_events
        if event.is_step_success
    ]
    if result.success:
        warnings = _data_warnings(result)
        return Outcome(exit_code=0, run_id=result.run_id, steps=steps, warnings=warnings)
    exit_code, messages = _explain(result)
    failed = {str(event.step_key) for event in result.all_events if event.is_step_failure}
    if failed and all(key.endswith(f"__{DASHBOARD}") for key in failed):
        # It comes after the release, which stands; whoever asked for a forecast has one.
        told = [each if each.startswith(STANDS) else f"{STANDS} {each}" for each in messages]
        warnings = [*_data_warnings(result), *told]
        return Outcome(exit_code=0, run_id=result.run_id, steps=steps, warnings=warnings)
    return Outcome(exit_code=exit_code, run_id=result.run_id, steps=steps, messages=messages)


def _explain(result: dg.ExecuteInProcessResult) -> tuple[int, list[str]]:
    """Exit code and messages of a failed run: refused, fed badly, or broken."""
    refused = [
        check
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR
    ]
    if refused:
        messages = [f"{check.check_name}: {check.description}" for check in refused]
        gate = any(check.check_name in GATES for check in refused)
        return (GATE_FAILED if gate else BAD_INPUT), messages
    errors = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    causes = [error.cause or error for error in errors if error is not None]
    if any(cause.cls_name == INTERRUPTED for cause in causes):
        return STOPPED, [f"Stopped by hand. {SAME_COMMAND}"]
    troubles = [trouble for cause in causes if (trouble := _trouble(cause)) is not None]
    if troubles:
        return BAD_INPUT, list(dict.fromkeys(troubles))
    fed_badly = causes and all(cause.cls_name in BAD_INPUT_ERRORS for cause in causes)
    return (BAD_INPUT if fed_badly else BROKEN), list(dict.fromkeys(map(_one_screen, causes)))


def _trouble(cause: "SerializableErrorInfo") -> str | None:
    """Message on a full disk or its like, from the exception or one that it was raised from."""
    each: SerializableErrorInfo | None = cause
    while each is not None:
        kind, _, text = each.message.strip().partition(": ")
        found = machine_trouble(kind.rpartition(".")[2], text)
        if found is not None:
            return found
        each = each.cause or each.context
    return None


def _data_warnings(result: dg.ExecuteInProcessResult) -> list[str]:
    """What the data checks found: the run went on, and a person should look."""
    names = {check.name for check in (*INCIDENT_CHECKS, *COUNT_CHECKS)}
    return [
        f"{check.check_name}: {problem}"
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.check_name in names
        for problem in (check.description or "").splitlines()
    ]


def _one_screen(cause: "SerializableErrorInfo") -> str:
    """A message without its traceback; the whole of it is in the run's log."""
    message = cause.message.strip()
    kind, _, told = message.partition(": ")
    if cause.cls_name in BAD_INPUT_ERRORS and kind.endswith(str(cause.cls_name)):
        message = told  # whoever can cure it needs no class name
    lines = message.splitlines()
    more = len(lines) - LINES_SHOWN
    return "\n".join([*lines[:LINES_SHOWN], *([f"... and {more} lines more"] if more > 0 else [])])
