"""The command `tune`: a search for a model's settings, or what one has found."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crime_platform.commands.area_choice import only_counted_area, require_area
from crime_platform.commands.option_value import named_value
from crime_platform.commands.output_file import named_failures, require_output_folder
from crime_platform.commands.terminal import TerminalConsole, print_error, print_rows, progress_bars
from crime_platform.schema.values import GLDNET
from crime_platform.system.exit_codes import BAD_INPUT, STOPPED
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.timesteps import parse_month

if TYPE_CHECKING:
    from crime_platform.tuning.cell_search import TuningRequest
    from crime_platform.tuning.findings import SearchReport

MOST_SHOWN = 10  # trials
NAMES_WIDTH, COLUMN_WIDTH = 32, 11  # of the first and last column together, and of one trial
OUT, ERR = TerminalConsole(), TerminalConsole(stderr=True)


class Model(StrEnum):
    """What can be tuned."""

    ST_RESNET = "st_resnet"
    CONVLSTM = "convlstm"
    LIGHTGBM = "lightgbm"
    GLDNET = "gldnet"


def tune(  # noqa: PLR0913  (an argument is an option of the command)
    model: Annotated[Model, typer.Option(help="Model whose settings are searched")],
    trials: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Settings to try in all, those of earlier sessions included; 40, or 60 of gldnet, "
            "by default",
        ),
    ] = None,
    timeout_minutes: Annotated[
        float | None, typer.Option(help="Begin no new trial after so many minutes")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes that try settings side by side, one thread each; 1 by default, of "
            "gldnet 2 where there are 2 cores. Only with 1 can the order of trials be repeated",
        ),
    ] = None,
    study_area: Annotated[
        str | None,
        typer.Option(help="Name of the TOML in study_areas/; the only one with counts by default"),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            help="Month whose back-test or, of gldnet, test days stay out of sight, "
            "YYYY-MM; newest by default"
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Print what is stored, try nothing")] = False,
    export: Annotated[
        Path | None, typer.Option(help="Folder for MODEL.csv and MODEL.json, to be committed")
    ] = None,
) -> None:
    """Search a model's settings on what lies before the test; go on where the last one stopped.

    Ctrl-C loses one trial per worker at most: the same command goes on. Exit code 0: done. 2: bad
    input. 130: stopped by hand.
    """
    from crime_platform.tuning.cell_search import TuningRequest

    home = PlatformHome.from_environment()
    try:
        if export is not None:
            require_output_folder("--export", export)
        if study_area is not None:
            require_area(home, study_area)
        request = TuningRequest(
            study_area=study_area or only_counted_area(home),
            model=model.value,
            n_trials=trials,
            seconds=None if timeout_minutes is None else 60 * timeout_minutes,
            workers=workers,
            as_of=None if as_of is None else named_value("--as-of", parse_month, as_of),
        )
        is_stopped = not (show or _search(home, request))
        report = _stored_report(home, request)
        lines = _write(report, home, request, show=show, export=export)
    except (ValueError, FileNotFoundError) as error:
        print_error(ERR, "bad input", [str(error)])
        raise typer.Exit(BAD_INPUT) from None
    _print_search(report)
    for line in lines:
        OUT.print(line, highlight=False)
    if is_stopped:
        OUT.print("Stopped by hand: the same command goes on.")
        raise typer.Exit(STOPPED)


def _search(home: PlatformHome, request: "TuningRequest") -> bool:
    """Go on with the search under progress bars; False if it was stopped by hand."""
    from crime_platform.tuning.cell_search import tune_area
    from crime_platform.tuning.street_search import tune_streets

    searched = tune_streets if request.model == GLDNET else tune_area
    with progress_bars(OUT):
        try:
            searched(home, request, announce=_announce)
        except KeyboardInterrupt:
            return False
    return True


def _stored_report(home: PlatformHome, request: "TuningRequest") -> "SearchReport":
    from crime_platform.tuning.cell_search import stored_search

    report = stored_search(home, request.study_area, request.model)
    if report is None:
        raise FileNotFoundError(
            f"there is no search of {request.model} in {request.study_area} yet: "
            f"run crime-platform tune --model {request.model}"
        )
    return report


def _write(
    report: "SearchReport",
    home: PlatformHome,
    request: "TuningRequest",
    *,
    show: bool,
    export: Path | None,
) -> list[str]:
    """Write what was found, but with --show only what --export asks for; where it is."""
    from crime_platform.tuning.cell_search import export_report, tuning_folder, write_report

    if not show:
        write_report(report, home, request.study_area)
    folder = tuning_folder(home, request.study_area, request.model)
    lines = [f"Table, config and pictures: {folder}"]
    if export is not None:
        with named_failures("--export", export):
            table, config = export_report(report, export, study_area=request.study_area)
        lines.append(f"Exported: {table}, {config}")
    return lines


def _announce(text: str) -> None:
    OUT.print(text, highlight=False)


def _print_search(report: "SearchReport") -> None:
    from crime_platform.tuning.report import compared, summary

    room = (OUT.width - NAMES_WIDTH) // COLUMN_WIDTH - 1  # the default has a column of its own
    if any(trial.rank for trial in report.trials):
        print_rows(OUT, *compared(report, min(MOST_SHOWN, max(1, room))))
    for line in summary(report):
        OUT.print(line, highlight=False)
