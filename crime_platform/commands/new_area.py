"""The command `new-area`: a first TOML for a city, from its files."""

from pathlib import Path
from typing import Annotated

import typer

from crime_platform.commands.area import BAD_INPUT, ERR, check_and_print, say
from crime_platform.commands.output_file import require_output_files
from crime_platform.commands.terminal import print_error
from crime_platform.study_area.study_area import StudyAreaError
from crime_platform.study_area.toml_table import did_you_mean
from crime_platform.vocabulary.home import PlatformHome

Texts = list[str] | None


def new_area(  # noqa: PLR0913  (an argument is an option of the command)
    files: Annotated[
        list[Path],
        typer.Argument(help="Files of incidents, folders or quoted globs: tables of any kind"),
    ],
    name: Annotated[
        str | None, typer.Option(help="Name of the area; from --output or the file by default")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="TOML to write; study_areas/NAME.toml by default")
    ] = None,
    column: Annotated[
        Texts,
        typer.Option(help="A column you know, KEY=NAME, e.g. offence=Category; may be repeated"),
    ] = None,
    offence_label: Annotated[
        str | None, typer.Option(help="Where every row is one offence: its name")
    ] = None,
    date_format: Annotated[
        Texts, typer.Option(help="How dates are written, e.g. '%d/%m/%Y'; may be repeated")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of text that is not UTF-8, e.g. cp1252")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook")] = None,
    layer: Annotated[str | None, typer.Option(help="Layer of a file with several")] = None,
    exclude: Annotated[
        Texts, typer.Option(help="Glob of files to leave out; may be repeated")
    ] = None,
    places: Annotated[
        Path | None, typer.Option(help="Table with a point for each code, where places are codes")
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
    """Draft the TOML of a study area from its files, then check it. Never overwrites a TOML.

    Columns, dates, CRS, months and labels are guessed and every guess says why. Exit code 0: a
    run can start. 2: something must be fixed first.
    """
    from crime_platform.onboarding.draft import Told, draft_area, name_and_path

    home = PlatformHome.from_environment()
    path = output or home.study_areas
    try:
        area_name, path = name_and_path(files[0], home, name=name, output=output)
        if output is not None:
            require_output_files({"--output": output})
        told = Told(
            name=area_name,
            columns=_columns(column or []),
            timezone=timezone,
            country=country,
            crs=crs,
            date_formats=date_format or (),
            offence_label=offence_label,
            encoding=encoding,
            sheet=sheet,
            layer=layer,
            exclude=exclude or (),
            places=places,
        )
        draft = draft_area(files, home, told)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as toml:
            toml.write(draft.text)
    except ValueError as error:
        print_error(ERR, "nothing drafted", [str(error)])
        raise typer.Exit(BAD_INPUT) from None
    except OSError as error:
        problem = f"{error.filename or path}: {error.strerror}; choose another --output"
        print_error(ERR, "nothing drafted", [problem])
        raise typer.Exit(BAD_INPUT) from None
    say(f"Drafted {path}. Read it: every line is a guess. This is what it makes of the data:")
    for remark in draft.remarks:
        say(f"Worth a look: {remark}", style="yellow")
    check_and_print(path, home)


def _columns(written: list[str]) -> dict[str, str]:
    """Columns by key, of `KEY=NAME`."""
    from crime_platform.study_area.source import ColumnMapping

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
