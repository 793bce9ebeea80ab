"""The `fetch` command: brings an area's API files up to date and says which months changed."""

from typing import Annotated

import typer

from crime_platform.commands.area_choice import only_area
from crime_platform.commands.terminal import TerminalConsole, print_error, print_rows, progress_bars
from crime_platform.study_area.parts import StudyAreaError
from crime_platform.study_area.study_area import load_study_area
from crime_platform.system.exit_codes import BAD_INPUT
from crime_platform.vocabulary.home import PlatformHome

MONTHS_SHOWN = 6


def fetch(
    study_area: Annotated[
        str | None, typer.Option(help="Name of the study area; the only one with files by default")
    ] = None,
    full: Annotated[
        bool,
        typer.Option("--full", help="Fetch everything again and forget rows that were taken back"),
    ] = False,
) -> None:
    """Fetch what changed at the APIs of a study area, without running any model."""
    from crime_platform.sources.api.fetching import fetch_source

    out, err = TerminalConsole(), TerminalConsole(stderr=True)
    home = PlatformHome.from_environment()
    rows = []
    try:
        name = study_area or only_area(home)
        area = load_study_area(home.study_areas / f"{name}.toml")
        sources = [source for source in area.sources if source.api is not None]
        if not sources:
            raise StudyAreaError(f"{area.toml_file}: no source has an API; its files come by hand")
        with progress_bars(out):
            for source in sources:
                found = fetch_source(source, area, home, is_full=full, is_asked_for=True)
                scope = "everything" if found.is_full else "what changed"
                rows.append((source.name, scope, f"{found.n_rows:,}", _shown(found.changed)))
    except ValueError as error:
        print_error(err, "not fetched", [str(error)])
        raise typer.Exit(BAD_INPUT) from None
    print_rows(out, ["source", "asked for", "rows", "months that changed"], rows)


def _shown(months: list[str]) -> str:
    if len(months) <= MONTHS_SHOWN:
        return ", ".join(months) or "none"
    return f"{len(months)}, from {months[0]} to {months[-1]}"
