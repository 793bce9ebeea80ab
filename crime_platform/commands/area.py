"""The command `check-area`: what a TOML makes of its files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from crime_platform.commands.terminal import TerminalConsole, print_error, print_rows, progress_bars
from crime_platform.study_area.study_area import StudyAreaError
from crime_platform.system.exit_codes import BAD_INPUT
from crime_platform.vocabulary.home import PlatformHome

if TYPE_CHECKING:
    from crime_platform.onboarding.check import AreaCheck
    from crime_platform.onboarding.facts import AreaFacts, SourceFacts, Timing

BARS = "▁▂▃▄▅▆▇█"
MAX_LABELS = 12  # of each kind; the others are summed up
MAX_EXAMPLE = 30  # characters
OUT, ERR = TerminalConsole(), TerminalConsole(stderr=True)


def check_area_command(
    toml: Annotated[
        Path, typer.Argument(help="TOML of a study area, wherever it lies; or an area's name")
    ],
) -> None:
    """Read a study area's files and tell what was understood and what to fix. Stores nothing.

    Exit code 0: a run can start. 2: something must be fixed first.
    """
    home = PlatformHome.from_environment()
    if not toml.suffix:
        toml = home.study_areas / f"{toml}.toml"
    check_and_print(toml, home)


def check_and_print(toml: Path, home: PlatformHome) -> None:
    """Check an area, print it, and end with 2 where a run would stop."""
    from crime_platform.onboarding.check import check_area

    try:
        with progress_bars(OUT):
            check = check_area(toml, home)
    except StudyAreaError as error:
        print_error(ERR, "the TOML must be corrected", [str(error)])
        raise typer.Exit(BAD_INPUT) from None
    print_check(check)
    if check.to_fix:
        raise typer.Exit(BAD_INPUT)
    has_streets = check.facts.area.streets is not None
    say(
        f"\nNothing to fix. Next: {next_command(toml, home, has_streets=has_streets)}",
        style="green",
        wraps=False,
    )


def next_command(toml: Path, home: PlatformHome, *, has_streets: bool = False) -> str:
    """What to type once the area is fine."""
    run = f"crime-platform run --study-area {toml.stem}"
    if has_streets:
        run = f"{run} && {run} --streets"
    is_known = toml.absolute().parent == home.study_areas
    return run if is_known else f"cp {toml} {home.study_areas}/ && {run}"


def print_check(check: "AreaCheck") -> None:
    """Facts first, then remarks, then what to fix."""
    facts = check.facts
    area = facts.area
    last = "now" if area.last_month is None else str(area.last_month)
    calendar = area.calendar
    holidays = calendar and "-".join(filter(None, (calendar.country, calendar.subdivision)))
    say(
        f"{area.title}: cells of {area.grid.cell_size_m:g} m in {area.crs}, "
        f"{area.first_month} to {last}, time zone {area.timezone}, "
        + (f"holidays of {holidays}" if holidays else "no holidays")
    )
    for found in facts.sources:
        _print_source(found)
    if facts.timing is not None:
        _print_months(facts.timing)
        _print_labels(facts)
    _print_place(facts)
    _print_effort(facts)
    for remark in check.to_consider:
        say(f"Worth a look: {remark}", style="yellow")
    if check.to_fix:
        hint = (
            "A row counts under the first thing that is wrong with it: correct these, then check "
            "again"
        )
        print_error(ERR, "to fix before a run", [*check.to_fix, hint])


def _print_source(found: "SourceFacts") -> None:
    report = found.report
    files = "1 file" if found.n_files == 1 else f"{found.n_files} files"
    span = f"{report.first_day} to {report.last_day}" if report.first_day else "nothing accepted"
    say(f"\nSource {found.source.name}: {files}, {report.n_rows:,} rows, {span}", style="bold")
    rows = [
        (what, f"{n:,}", f"{n / max(report.n_rows, 1):.2%}", _shortened(report.examples.get(what)))
        for what, n in report.fates.items()
        if n
    ]
    print_rows(OUT, ["rows", "number", "of all rows", "e.g."], rows)
    if report.n_accepted:
        say(f"Of {report.n_accepted:,} accepted rows {_of_accepted(found)}.")
    if report.match is not None and report.match.n_known > report.match.n_matched:
        n_known, n_lost = report.match.n_known, report.match.n_known - report.match.n_matched
        say(
            f"Of {n_known:,} rows with a code of a place {n_lost:,} ({n_lost / n_known:.2%}) have "
            "one that the table of places lacks."
        )
    if found.n_older:
        say(
            f"{found.n_older:,} of the accepted rows are older vintages: a later file holds their "
            f"months again, and only its rows count ({report.n_accepted - found.n_older:,})."
        )


def _of_accepted(found: "SourceFacts") -> str:
    report = found.report
    parts = [
        f"{report.n_geocoded / report.n_accepted:.2%} have a place",
        f"{found.with_hour_share:.1%} an hour",
    ]
    if report.match is not None and report.match.n_by_district:
        parts.append(f"{report.match.n_by_district / report.n_accepted:.2%} one by district alone")
    if report.n_repeated:
        parts.append(f"{report.n_repeated:,} repeat an earlier row")
    return ", ".join(parts)


def _print_months(timing: "Timing") -> None:
    counts, months = timing.per_month, timing.months
    least, most = int(np.argmin(counts)), int(np.argmax(counts))
    say(
        f"\nIncidents per month, {months[0]} to {months[-1]}: least {counts[least]:,} in "
        f"{months[least]}, most {counts[most]:,} in {months[most]}"
    )
    room = max(12, OUT.width)
    for start in range(0, len(counts), room):
        say(sparkline(counts[start : start + room], top=int(counts.max())))


def sparkline(counts: np.ndarray, top: int) -> str:
    """One bar per count, the highest for `top`; a blank where nothing happened."""
    heights = np.ceil(counts / max(top, 1) * len(BARS)).astype(int)
    return "".join(BARS[height - 1] if height else " " for height in heights)


def _print_labels(facts: "AreaFacts") -> None:
    rows = [(kind, label, f"{n:,}") for kind, label, n in facts.per_label[:MAX_LABELS]]
    rest = facts.per_label[MAX_LABELS:]
    if rest:
        rows.append(("", f"and {len(rest)} more", f"{sum(n for *_, n in rest):,}"))
    say("")
    print_rows(OUT, ["offence type", "label", "incidents"], rows)
    for found in facts.sources:
        ignored = found.report.ignored_labels
        if ignored:
            shown = ", ".join(f"{label} {n:,}" for label, n in list(ignored.items())[:MAX_LABELS])
            more = f" and {len(ignored) - MAX_LABELS} more" if len(ignored) > MAX_LABELS else ""
            say(f"Ignored labels ({sum(ignored.values()):,} rows): {shown}{more}")


def _print_place(facts: "AreaFacts") -> None:
    from crime_platform.onboarding.check import extent_line

    if facts.grid is not None:
        west, south, east, north = facts.grid.extent_m
        stated = "" if facts.area.grid.extent_m else ", from the incidents' bounds"
        say(
            f"\nGrid{stated}: {facts.grid.n_cols} columns x {facts.grid.n_rows} rows, "
            f"[{west:.10g}, {south:.10g}, {east:.10g}, {north:.10g}]"
        )
    if facts.site is not None:
        extent = facts.site.extent
        zone = "" if facts.site.crs == facts.area.crs else f" (their UTM zone: {facts.site.crs})"
        say(
            f"{extent.n_cols} columns x {extent.n_rows} rows would hold {extent.inside_share:.2%} "
            f"of all points{zone}:"
        )
        say(f"  {extent_line(facts.site)}")


def _print_effort(facts: "AreaFacts") -> None:
    """How long a run takes and how much memory, as far as that can be known before it."""
    from crime_platform.data_checks.run_size import in_words
    from crime_platform.system.machine import memory_bytes

    if facts.size is not None and facts.size.memory_bytes <= memory_bytes():
        say(f"\nA run takes roughly {in_words(facts.size.minutes, facts.size.memory_bytes)}.")
    if facts.streets is not None and facts.streets.words is not None:
        say(f"A run with --streets takes roughly {facts.streets.words}.")


def _shortened(example: str | None) -> str:
    if example is None or len(example) <= MAX_EXAMPLE:
        return example or ""
    return f"{example[: MAX_EXAMPLE - 1]}…"


def say(text: str, style: str | None = None, *, wraps: bool = True) -> None:
    """Print a line as it is: nothing in it is markup."""
    OUT.print(text, style=style, highlight=False, markup=False, soft_wrap=not wraps)
