"""The `known-at` command: what was known of each month at an earlier moment, beside today."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from crime_platform.commands.area_choice import only_area, require_area
from crime_platform.commands.output_file import require_output_files, written_output
from crime_platform.commands.terminal import TerminalConsole, print_error, print_rows
from crime_platform.system.exit_codes import BAD_INPUT
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.timesteps import IncompleteDataError

MOST_ROWS = 1_000_000
COMPARED = """
    with moments as (
        select month, offence_type, sum(n_incidents) as known_then, 0 as known_now
        from incident_known_at(?::timestamptz) where study_area = ? group by all
        union all
        select month, offence_type, 0, sum(n_incidents)
        from incident where study_area = ? group by all
    )
    select strftime(month, '%Y-%m') as month, offence_type, sum(known_then)::bigint as known_then,
        sum(known_now)::bigint as known_now
    from moments group by month, offence_type having sum(known_then) > 0
    order by month desc, offence_type limit ?
"""
FIRST_KNOWN = """
    select strftime(timezone('UTC', min(known_from)), '%Y-%m-%d %H:%M UTC')
    from file_known where study_area = ?
"""
INCIDENTS = "select * from incident_known_at(?::timestamptz) where study_area = ? order by all"


def known_at(
    moment: Annotated[
        str, typer.Argument(help="Day or time in UTC, e.g. 2026-01-05 or 2026-01-05T06:00:00")
    ],
    study_area: Annotated[
        str | None, typer.Option(help="Name of the study area; the only one with files by default")
    ] = None,
    rows: Annotated[
        int, typer.Option(min=1, max=MOST_ROWS, help="Newest months and offence types to show")
    ] = 24,
    output: Annotated[
        Path | None, typer.Option(help="Parquet file for the incidents that were known then")
    ] = None,
) -> None:
    """Compare what was known at an earlier moment with what is known now."""
    from crime_platform.warehouse.warehouse import Warehouse

    out, err = TerminalConsole(), TerminalConsole(stderr=True)
    home = PlatformHome.from_environment()
    try:
        then = parse_moment(moment)
        if then > (now := datetime.now(UTC)):
            out.print(f"{moment} lies ahead: shown is what is known by now.", highlight=False)
            then = now
        if output is not None:
            require_output_files({"--output": output})
        name = study_area or only_area(home)
        if not home.warehouse.exists():  # to ask makes none
            require_area(home, name)
            raise IncompleteDataError(_nothing(name, then, None))
        with Warehouse(home.warehouse).reader() as connection:
            found = connection.execute(COMPARED, [then, name, name, rows]).fetchall()
            if not found:
                ((first,),) = connection.execute(FIRST_KNOWN, [name]).fetchall()
                if first is None:
                    require_area(home, name)
                raise IncompleteDataError(_nothing(name, then, first))
            if output is not None:
                with written_output("--output", output) as aside:
                    connection.sql(INCIDENTS, params=[then, name]).write_parquet(str(aside))
    except ValueError as error:
        print_error(err, "bad input", [str(error)])
        raise typer.Exit(BAD_INPUT) from None
    changed = [(*row, f"{row[3] - row[2]:+,}" if row[3] != row[2] else "") for row in found]
    print_rows(out, ["month", "offence type", f"known {_written(then)}", "known now", ""], changed)
    if output is not None:
        out.print(f"Incidents known then: {output}", soft_wrap=True, highlight=False)


def parse_moment(text: str) -> datetime:
    """Moment written as a day or a time in ISO 8601, in UTC unless it names another offset.

    Raises:
        ValueError: if the text is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # in UTC it may lie before the year 1 or after 9999
        raise ValueError(
            f"expected a day or a time such as 2026-01-05 or 2026-01-05T06:00:00, got {text!r}"
        ) from None


def _written(moment: datetime) -> str:
    """The day, and the time in UTC unless it is midnight."""
    is_day = moment == moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return f"{moment:%Y-%m-%d}" if is_day else f"{moment:%Y-%m-%d %H:%M:%S UTC}"


def _nothing(name: str, then: datetime, first: str | None) -> str:
    if first is None:
        return (
            f"nothing of {name} was ever read; crime-platform run --study-area {name} reads its "
            "files"
        )
    return f"nothing of {name} was known by {_written(then)}; its first file is known from {first}"
