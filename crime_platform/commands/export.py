"""The `export` command: what the page shows as files, and the page itself as one file."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import duckdb
import typer

from crime_platform.commands.area_choice import only_released_area
from crime_platform.commands.output_file import require_output_files, written_output
from crime_platform.commands.terminal import TerminalConsole, print_error
from crime_platform.publication.release import open_release
from crime_platform.system.exit_codes import BAD_INPUT
from crime_platform.vocabulary.home import PlatformHome

if TYPE_CHECKING:
    from crime_platform.dashboard.downloads.rows import Shown


class What(StrEnum):
    """Which rows of the release are exported."""

    FORECAST = "forecast"
    BACKTEST = "backtest"
    STREETS = "streets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which rows are exported; None leaves the choice to the release."""

    what: What
    study_area: str | None
    offence_type: str | None
    model: str | None
    month: str | None
    day: str | None

    def __post_init__(self) -> None:
        if self.day is not None and self.what is not What.STREETS:
            raise ValueError(f"--day {self.day} is of streets: add --what streets, or give --month")
        if self.month is not None and self.what is What.STREETS:
            raise ValueError(f"streets have days: give --day instead of --month {self.month}")

    @property
    def is_default(self) -> bool:
        """Whether nothing but the area was chosen."""
        chosen = (self.offence_type, self.model, self.month, self.day)
        return self.what is What.FORECAST and not any(chosen)


def export(  # noqa: PLR0913  (an argument is an option of the command)
    csv: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the rows as CSV")] = None,
    geojson: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the rows as GeoJSON")
    ] = None,
    geoparquet: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the rows as GeoParquet")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the whole page as one file")
    ] = None,
    study_area: Annotated[
        str | None,
        typer.Option(help="Name of the study area; by default the only one, in --html all"),
    ] = None,
    what: Annotated[
        What, typer.Option(help="Cells of a month, their back-test, or streets of a day")
    ] = What.FORECAST,
    offence_type: Annotated[
        str | None, typer.Option(help="Offence type (of streets: group); all by default")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model; the champion by default")] = None,
    month: Annotated[
        str | None,
        typer.Option(
            help="Month of cells, YYYY-MM: the first one forecast by default, of a back-test the "
            "newest; a recorded one gives counts"
        ),
    ] = None,
    day: Annotated[
        str | None,
        typer.Option(help="Day of streets, YYYY-MM-DD; the first one forecast by default"),
    ] = None,
) -> None:
    """Write what the page shows of one month or day as files; several at once are fine.

    Exit code 0: written. 2: bad input.
    """
    out, err = TerminalConsole(), TerminalConsole(stderr=True)
    home = PlatformHome.from_environment()
    given = {"--csv": csv, "--geojson": geojson, "--geoparquet": geoparquet}
    files = {option: path for option, path in given.items() if path is not None}
    try:
        wish = Wish(
            what=what,
            study_area=study_area,
            offence_type=offence_type,
            model=model,
            month=month,
            day=day,
        )
        _require_use(wish, files, html)
        require_output_files(files if html is None else {**files, "--html": html})
        lines = [*_write_rows(home, wish, files), *_write_page(home, study_area, html)]
    except (ValueError, OSError, duckdb.Error) as error:
        print_error(err, "not exported", [str(error)])
        raise typer.Exit(BAD_INPUT) from None
    for line in lines:
        out.print(line, soft_wrap=True, highlight=False, markup=False)


def _require_use(wish: Wish, files: Mapping[str, Path], html: Path | None) -> None:
    if not files and html is None:
        raise ValueError(
            "no file to write: add --csv FILE, --geojson FILE, --geoparquet FILE or --html FILE"
        )
    if not files and not wish.is_default:
        raise ValueError(
            "--html holds every month, model and offence type: leave --what, --offence-type, "
            "--model, --month and --day out, or add a file of rows"
        )


def _write_rows(home: PlatformHome, wish: Wish, files: Mapping[str, Path]) -> list[str]:
    """Write the rows in every form asked for; one line about each file."""
    if not files:
        return []
    from crime_platform.dashboard.downloads.formats import (
        csv_bytes,
        geojson_bytes,
        write_geoparquet,
    )

    with open_release(home) as connection:
        shown = _rows(connection, wish)
    lines = []
    for option, path in files.items():
        with written_output(option, path) as aside:
            if option == "--geoparquet":
                write_geoparquet(shown, aside)
            else:
                aside.write_bytes((csv_bytes if option == "--csv" else geojson_bytes)(shown))
        lines.append(f"{path}: {_described(shown)}")
    return [*lines, *([shown.about["expiry"]] if "expiry" in shown.about else [])]


def _rows(connection: duckdb.DuckDBPyConnection, wish: Wish) -> "Shown":
    from crime_platform.dashboard.downloads.rows import backtest_table, cells_table, streets_table

    by_day = wish.what is What.STREETS
    area = wish.study_area or only_released_area(connection, by_day=by_day)
    if by_day:
        return streets_table(
            connection,
            area=area,
            offence_group=wish.offence_type,
            model=wish.model,
            day=wish.day,
        )
    rows = backtest_table if wish.what is What.BACKTEST else cells_table
    return rows(
        connection,
        area=area,
        offence_type=wish.offence_type,
        model=wish.model,
        month=wish.month,
    )


def _described(shown: "Shown") -> str:
    about = shown.about
    step, as_of = ("month", "as_of_month") if "month" in about else ("day", "as_of_day")
    model = f" by {about['model']}" if "model" in about else ""
    return (
        f"{about['n_rows']:,} rows, {about['title']}, {about['kind']} {about[step]}{model}, as of "
        f"{about[as_of]}"
    )


def _write_page(home: PlatformHome, study_area: str | None, html: Path | None) -> list[str]:
    if html is None:
        return []
    from crime_platform.dashboard.export import export_html

    with written_output("--html", html) as aside:
        export_html(home, study_area, aside)
    return [f"{html}: the whole page as one file"]
