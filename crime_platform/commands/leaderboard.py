"""The `leaderboard` command: the models' scores, of what is published and of what was refused."""

from typing import TYPE_CHECKING, Annotated

import typer

from crime_platform.commands.terminal import (
    TerminalConsole,
    print_error,
    print_expiries,
    print_leaderboard,
)
from crime_platform.commands.terminal_streets import print_street_leaderboard
from crime_platform.publication.release import ReleaseError, open_release
from crime_platform.reporting.expiries import published_expiries
from crime_platform.system.exit_codes import BAD_INPUT
from crime_platform.vocabulary.home import PlatformHome

if TYPE_CHECKING:
    import pandas as pd

    from crime_platform.publication.refusals import Branch, Refusal

OUT, ERR = TerminalConsole(), TerminalConsole(stderr=True)


def leaderboard(
    lead: Annotated[int, typer.Option(min=1, help="Months ahead")] = 1,
    streets: Annotated[
        bool, typer.Option("--streets", help="Models of daily risk on streets, one day ahead")
    ] = False,
) -> None:
    """Print the models' scores, best first, from the published release.

    A candidate that the gate refused since then follows, marked as refused, with the reason.
    """
    from crime_platform.publication.refusals import newest_refusals

    home = PlatformHome.from_environment()
    branch: Branch = "streets" if streets else "months"
    refusals = newest_refusals(home, branch)
    if home.forecasts.exists() or not refusals:
        print_published(home, branch, lead)
    for refusal in refusals:
        _print_refused(refusal, branch, lead)


def print_published(home: PlatformHome, branch: "Branch", lead: int = 1) -> None:
    """Print the leaderboard of the release, or end with 2 where there is none."""
    view = "leaderboard_by_lead" if branch == "months" else "street_leaderboard"
    try:
        with open_release(home) as connection:
            table = connection.sql(f"select * from {view}").to_arrow_table()
            rows = table.to_pandas(date_as_object=False)
            expiries = published_expiries(connection)
    except ReleaseError as error:
        print_error(ERR, "no release", [str(error)])
        raise typer.Exit(BAD_INPUT) from None
    if branch == "streets":
        print_street_leaderboard(OUT, rows)
        print_expiries(OUT, expiries, "day")
        return
    if rows.empty:
        OUT.print("No monthly forecast is published yet: crime-platform run makes one.")
        return
    print_leaderboard(OUT, _of_lead(rows, lead))
    print_expiries(OUT, expiries, "month")


def _of_lead(rows: "pd.DataFrame", lead: int) -> "pd.DataFrame":
    """Rows of one lead; ends with 2 where there is none such."""
    leads = sorted(rows["lead"].unique().tolist())
    if lead not in leads:
        told = f"--lead {lead}: forecasts reach {leads[-1]} months ahead; use 1 to {leads[-1]}"
        print_error(ERR, "bad input", [told])
        raise typer.Exit(BAD_INPUT)
    return rows[rows["lead"] == lead]


def _print_refused(refusal: "Refusal", branch: "Branch", lead: int) -> None:
    from crime_platform.publication.refusals import refused_leaderboard

    rows = refused_leaderboard(refusal, branch)
    title = f"REFUSED, not published: {refusal.study_area} as of {refusal.as_of}"
    print_error(OUT, title, list(refusal.reasons))
    if branch == "streets":
        print_street_leaderboard(OUT, rows)
    else:
        print_leaderboard(OUT, _of_lead(rows, lead))
