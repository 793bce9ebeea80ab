"""The command `check-area`: what a TOML makes of its files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.console import Console

from crime_platform.terminal import print_error, print_rows, progress_bars
from crime_platform.vocabulary.exit_codes import BAD_INPUT
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.study_area import StudyAreaError

if TYPE_CHECKING:
    from crime_platform.area_check import AreaCheck
    from crime_platform.area_facts import AreaFacts, SourceFacts, Timing

BARS = "▁▂▃▄▅▆▇█"
MAX_LABELS = 12  # of each kind; the others are summed up
MAX_EXAMPLE = 30  # characters
OUT, ERR = Console(), Console(stderr=True)


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
    from crime_platform.area_check import check_area

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
    say(
        f"{area.title}: cells of {area.grid.cell_size_m:g} m in {area.crs}, "
        f"{area.first_month} to {last}, time zone {area.timezone}"
    )
    for found in facts.sources:
        _print_source(found)
    if facts.timing is not None:
        _print_months(facts.timing)
        _print_labels(facts)
    _print_place(facts)
    for remark in check.to_consider:
        say(f"Worth a look: {remark}", style="yellow")
    if check.to_fix:
        hint = (
            "A row counts under the first thing that is wrong with it: mend these, then check again"
        )
        print_error(ERR, "to fix before a run", [*check.to_fix, hint])


def _print_source(found: "SourceFacts") -> None:
    report = found.report
    files = "1 file" if found.n_files == 1 else f"{found.n_files} files"
    span = f"{report.first_day} to {report.last_day}" if report.first_day else "nothing accepted"
    say(f"\nSource {found.source.name}: {files}, {report.n_rows:,} rows, {span}", style="bold")
    rows = [
        (what, f"{n:,}", f"{share:.2%}", _shortened(example))
        for what, n, share, example in report.findings()
        if n
    ]
    print_rows(OUT, ["rows", "number", "share", "e.g."], rows)
    if report.n_accepted:
        say(
            f"{report.n_geocoded / report.n_accepted:.2%} of accepted rows have a place, "
            f"{found.with_hour_share:.1%} an hour"
        )


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
    from crime_platform.area_check import extent_line

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


def _shortened(example: str | None) -> str:
    if example is None or len(example) <= MAX_EXAMPLE:
        return example or ""
    return f"{example[: MAX_EXAMPLE - 1]}…"


def say(text: str, style: str | None = None, *, wraps: bool = True) -> None:
    """Print a line as it is: nothing in it is markup."""
    OUT.print(text, style=style, highlight=False, markup=False, soft_wrap=not wraps)
