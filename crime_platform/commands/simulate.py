"""The command `simulate`: an invented city's files, for tests, demonstrations and load."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crime_platform.commands.output_file import require_output_folder
from crime_platform.commands.terminal import TerminalConsole, print_error, progress_bars
from crime_platform.system.exit_codes import BAD_INPUT
from crime_platform.vocabulary.home import PlatformHome


class City(StrEnum):
    """Whose size and publisher's format can be simulated."""

    AUCKLAND = "auckland"


def simulate(
    city: Annotated[City, typer.Argument(help="City whose size and publisher's format to take")],
    months: Annotated[int, typer.Option(help="Months to simulate")] = 48,
    scale: Annotated[
        float, typer.Option(help="Factor on the number of incidents; 1 gives 1.15 million rows")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files")] = 0,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the files; raw/auckland_simulated by default")
    ] = None,
    calibrate_to: Annotated[
        Path | None,
        typer.Option(help="Folder with real centroids and totals; raw/auckland if they lie there"),
    ] = None,
) -> None:
    """Write SIMULATED incident files in a real publisher's format, and the study area to run them.

    Nothing in them ever happened: places, trends, repeats, late reports and dirty rows are
    invented. An earlier simulation in the same folder is replaced. Exit code 0: done. 2: bad input.
    """
    from crime_platform.simulation.simulate import SimulationRequest, simulate_area

    out, err = TerminalConsole(), TerminalConsole(stderr=True)
    home = PlatformHome.from_environment()
    try:
        request = SimulationRequest(
            n_months=months, scale=scale, seed=seed, output=output, calibrate_to=calibrate_to
        )
        if output is not None:
            require_output_folder("--output", output)
        with progress_bars(out):
            done = simulate_area(request, home)
    except ValueError as error:
        print_error(err, "bad input", [str(error)])
        raise typer.Exit(BAD_INPUT) from None
    lines = (
        f"SIMULATED {city.value}, no real incident: {done.n_rows:,} rows for "
        f"{done.n_victimisations:,} victimisations, {done.months[0]} to {done.months[-1]}",
        f"{len(done.contents)} downloads with {done.n_written:,} rows, months published again "
        f"included: {done.folder}",
        f"Calibrated to {', '.join(done.calibrated_to)}"
        if done.calibrated_to
        else "Not calibrated: places and totals are invented too",
        f"Study area: {done.study_area_file}",
        f"Run next: crime-platform run --study-area {done.study_area_file.stem}",
    )
    for line in lines:
        out.print(line, soft_wrap=True, highlight=False, markup=False)
