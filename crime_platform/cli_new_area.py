"""The command `new-area`: a first TOML for a city, from its files."""

from pathlib import Path
from typing import Annotated

import typer

from crime_platform.cli_area import BAD_INPUT, ERR, check_and_print, say
from crime_platform.terminal import print_error
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.study_area import StudyAreaError
from crime_platform.vocabulary.toml_keys import did_you_mean


def new_area(
    file: Annotated[Path, typer.Argument(help="File of incidents: CSV, TSV, Parquet, GeoJSON")],
    name: Annotated[
        str | None, typer.Option(help="Name of the area; from --output or the file by default")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="TOML to write; study_areas/NAME.toml by default")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="A column you know, KEY=NAME, e.g. offence=Category; may be repeated"),
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="IANA time zone; that of the points by default")
    ] = None,
    country: Annotated[
        str | None,
        typer.Option(help="Whose holidays: US, or US-TX with them of a state; by default as zone"),
    ] = None,
    crs: Annotated[
        str | None, typer.Option(help="CRS of x and y in metres, and of the grid; else UTM")
    ] = None,
) -> None:
    """Draft the TOML of a study area from a file, then check it. Never overwrites a TOML.

    Columns, dates, CRS, months and labels are guessed and every guess says why. Exit code 0: a
    run can start. 2: something must be fixed first.
    """
    from crime_platform.area_draft import Told, draft_area, name_and_path

    home = PlatformHome.from_environment()
    try:
        area_name, path = name_and_path(file, home, name=name, output=output)
        told = Told(
            name=area_name,
            columns=_columns(column or []),
            timezone=timezone,
            country=country,
            crs=crs,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = draft_area(file, home, told)
        with path.open("x", encoding="utf-8") as toml:
            toml.write(draft.text)
    except ValueError as error:
        print_error(ERR, "nothing drafted", [str(error)])
        raise typer.Exit(BAD_INPUT) from None
    say(f"Drafted {path}. Read it: every line is a guess. This is what it makes of the file:")
    for remark in draft.remarks:
        say(f"Worth a look: {remark}", style="yellow")
    check_and_print(path, home)


def _columns(written: list[str]) -> dict[str, str]:
    """Columns by key, of `KEY=NAME`."""
    from crime_platform.vocabulary.source import ColumnMapping

    known = list(ColumnMapping.__slots__)
    columns: dict[str, str] = {}
    for pair in written:
        key, _, columns[key] = pair.partition("=")
    for key, column_name in columns.items():
        if key not in known or not column_name:
            raise StudyAreaError(
                f"--column {key}={column_name}: expected KEY=NAME with one of {', '.join(known)}"
                f"{did_you_mean(key, known)}"
            )
    return columns
