"""The command line: every command is a few lines over functions that live elsewhere."""

import os
import signal
import sys
import traceback
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Annotated, NoReturn

import typer

from crime_platform.commands.area import check_area_command
from crime_platform.commands.area_choice import has_files, only_area
from crime_platform.commands.dashboard import dashboard
from crime_platform.commands.export import export
from crime_platform.commands.fetch import fetch
from crime_platform.commands.known_at import known_at
from crime_platform.commands.leaderboard import leaderboard, print_published
from crime_platform.commands.new_area import new_area
from crime_platform.commands.report import report
from crime_platform.commands.simulate import simulate
from crime_platform.commands.sql import sql
from crime_platform.commands.terminal import TerminalConsole, print_error, print_rows, progress_bars
from crime_platform.commands.tune import tune
from crime_platform.publication.release import open_release
from crime_platform.reporting.expiries import Expiries, expiry_words, published_expiries
from crime_platform.study_area.study_area import (
    StudyAreaError,
    load_study_area,
    study_area_files,
)
from crime_platform.system.exit_codes import (
    BAD_INPUT,
    BROKEN,
    BROKEN_PIPE,
    GATE_FAILED,
    STOPPED,
)
from crime_platform.system.interruptions import heed_interruptions
from crime_platform.system.machine_trouble import chain, trouble_of
from crime_platform.system.signal_log import SignalLog
from crime_platform.vocabulary.home import PlatformHome

TRACEBACK_VARIABLE = "CRIME_PLATFORM_TRACEBACK"
REPORT_IT = (
    "Nothing published was touched. Please report this with the command that you typed; "
    f"{TRACEBACK_VARIABLE}=1 before it shows where it happened."
)
OUT, ERR = TerminalConsole(), TerminalConsole(stderr=True)
app = typer.Typer(
    name="crime-platform",
    help="Monthly forecasts of recorded crime, published only when they beat the historical "
    "average. State lives in data/ or $CRIME_PLATFORM_HOME.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.command()
def run(
    study_area: Annotated[
        str | None,
        typer.Option(help="Name of the TOML in study_areas/; the only one with files by default"),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            help="Last month the forecast may use, YYYY-MM (of streets: day, YYYY-MM-DD); the "
            "newest by default"
        ),
    ] = None,
    streets: Annotated[
        bool, typer.Option("--streets", help="Forecast days on its streets, not months in cells")
    ] = False,
) -> None:
    """Ingest, forecast, judge and publish one study area through Dagster.

    Exit code 0: published. 1: the gate refused, the last release stays. 2: bad input.
    3: a fault of the platform. 130 and 143: stopped by Ctrl-C or SIGTERM.
    """
    from crime_platform.commands.run import run_area, run_streets

    home = PlatformHome.from_environment()
    try:
        name = study_area or only_area(home)
        load_study_area(home.study_areas / f"{name}.toml")
        with progress_bars(OUT):
            outcome = (run_streets if streets else run_area)(home, name, as_of)
    except ValueError as error:
        print_error(ERR, "bad input", [str(error)])
        raise typer.Exit(BAD_INPUT) from None
    for line in outcome.steps:
        OUT.print(f"  {line}", style="dim", highlight=False)
    if outcome.exit_code:
        titles = {GATE_FAILED: "refused by the gate", BAD_INPUT: "bad input"}
        print_error(ERR, titles.get(outcome.exit_code, "run failed"), outcome.messages)
        OUT.print(f"The last release is untouched. Run {outcome.run_id} is in the Dagster UI.")
        if outcome.exit_code == GATE_FAILED:
            option = " --streets" if streets else ""
            OUT.print(f"Scores of what was refused: crime-platform leaderboard{option}")
        raise typer.Exit(outcome.exit_code)
    print_published(home, "streets" if streets else "months")
    OUT.print(f"Published: {home.forecasts}")
    view = "street_forecast_latest" if streets else "forecast_latest"
    OUT.print(f'Look next: crime-platform sql "select * from {view} limit 5"; make dashboard')


@app.command()
def areas() -> None:
    """List the study areas, with what is wrong with those that cannot be read."""
    home = PlatformHome.from_environment()
    problems, rows = [], []
    expiries = _expiries(home)
    for path in study_area_files(home.study_areas):
        try:
            area = load_study_area(path)
        except StudyAreaError as error:
            problems.append(str(error))
        else:
            size = f"{area.grid.cell_size_m:g} m"
            files = "yes" if has_files(home, area.name) else "not fetched"
            last = "open" if area.last_month is None else str(area.last_month)
            months = f"{area.first_month} to {last}"
            told = expiry_words(expiries, area.name)
            rows.append((area.name, area.title, area.crs, size, months, files, told))
    print_rows(OUT, ["name", "title", "CRS", "cell", "months", "files", "forecast"], rows)
    if problems:
        print_error(ERR, "study areas that cannot be read", problems)
        raise typer.Exit(BAD_INPUT)


app.command()(leaderboard)
app.command()(sql)
app.command("check-area")(check_area_command)
app.command("new-area")(new_area)
app.command()(tune)
app.command()(report)
app.command()(dashboard)
app.command("known-at")(known_at)
app.command()(simulate)
app.command()(fetch)
app.command()(export)


def _expiries(home: PlatformHome) -> Expiries:
    """Of what is published; none before the first release."""
    if not home.forecasts.exists():
        return {}
    with open_release(home) as connection:
        return published_expiries(connection)


def main() -> None:
    """Entry point of the `crime-platform` command."""
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    # A SIGTERM then ends a command as Ctrl-C does, with what must be put in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    heed_interruptions()
    log = SignalLog()
    sys.excepthook = partial(end_by_fault, log)
    code = 0
    try:
        typer.main.get_command(app)()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else BAD_INPUT
        # Rich and Typer end with 1 when nobody reads the output any more; 1 means the gate here.
        code = BROKEN_PIPE if any(isinstance(e, BrokenPipeError) for e in chain(end)) else code
    leave(log, code)


def end_by_fault(
    log: SignalLog, kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Say in a sentence what no command foresaw, and end with the exit code for it."""
    trouble = trouble_of(error)
    if trouble is not None:
        print_error(ERR, "this machine", [trouble])
        leave(log, BAD_INPUT)
    if issubclass(kind, KeyboardInterrupt):
        leave(log, STOPPED)
    if os.environ.get(TRACEBACK_VARIABLE):
        traceback.print_exception(kind, error, trace)
    else:
        cause = f"{kind.__name__}: {error}" if str(error) else kind.__name__
        print_error(ERR, "a fault of the platform", [cause, REPORT_IT])
    leave(log, BROKEN)


def leave(log: SignalLog, code: int) -> NoReturn:
    """End the process at once; a signal that stopped it decides the exit code."""
    signal_number = log.stopped_by()
    if code and signal_number is not None:
        code = 128 + signal_number
    with suppress(BrokenPipeError):
        sys.stdout.flush()
    with suppress(BrokenPipeError):
        sys.stderr.flush()
    # DuckDB 2.0 prints a page of leak notices while Python takes itself down, and taking torch
    # down is slow. Everything is closed and flushed here, so leave at once.
    os._exit(code)
