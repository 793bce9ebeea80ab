"""The `report` command: opens the newest quality report in the browser, or says where it lies."""

import webbrowser
from typing import Annotated

import typer

from crime_platform.commands.area_choice import require_area
from crime_platform.commands.terminal import TerminalConsole, print_error
from crime_platform.reporting.paths import ReportError, find_report
from crime_platform.study_area.study_area import StudyAreaError
from crime_platform.system.exit_codes import BAD_INPUT
from crime_platform.vocabulary.home import PlatformHome


def report(
    study_area: Annotated[
        str | None, typer.Option(help="Name of the study area; the only one by default")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="As-of month of the report, YYYY-MM; the newest by default")
    ] = None,
    path: Annotated[
        bool, typer.Option("--path", help="Print where the report lies instead of opening it")
    ] = False,
) -> None:
    """Open the quality report of the newest forecast in the browser."""
    out, err = TerminalConsole(), TerminalConsole(stderr=True)
    home = PlatformHome.from_environment()
    try:
        if study_area is not None:
            require_area(home, study_area)
        found = find_report(home, study_area, as_of)
    except (StudyAreaError, ReportError) as error:
        print_error(err, "no report", [str(error)])
        raise typer.Exit(BAD_INPUT) from None
    if path:
        typer.echo(found.report)  # whole on one line, for a script
        return
    is_open = webbrowser.open(found.report.as_uri())
    verb = "Opened" if is_open else "No browser was found; open it yourself:"
    out.print(f"{verb} {found.report}", soft_wrap=True, highlight=False, markup=False)
    out.print(f"Model card: {found.model_card}", soft_wrap=True, highlight=False, markup=False)
