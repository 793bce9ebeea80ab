"""The commands `check-area` and `new-area`: what a TOML makes of its files, and a first TOML."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.console import Console

from crime_platform.terminal import print_error, print_rows, progress_bars
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.study_area import StudyAreaError
from crime_platform.vocabulary.toml_keys import did_you_mean

if TYPE_CHECKING:
    from crime_platform.area_check import AreaCheck
    from crime_platform.area_facts import AreaFacts, SourceFacts, Timing

BAD_INPUT = 2
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
    _check(toml, home)


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
        str | None, typer.Option(help="IANA time zone; that of the nearest town by default")
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
        told = Told(name=area_name, columns=_columns(column or []), timezone=timezone, crs=crs)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = draft_area(file, home, told)
        with path.open("x", encoding="utf-8") as toml:
            toml.write(text)
    except ValueError as error:
        print_error(ERR, "nothing drafted", [str(error)])
        raise typer.Exit(BAD_INPUT) from None
    _say(f"Drafted {path}. Read it: every line is a guess. This is what it makes of the file:")
    _check(path, home)


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


def _check(toml: Path, home: PlatformHome) -> None:
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
    _say(f"\nNothing to fix. Next: {next_command(toml, home)}", style="green", wraps=False)


def next_command(toml: Path, home: PlatformHome) -> str:
    """What to type once the area is fine."""
    run = f"crime-platform run --study-area {toml.stem}"
    is_known = toml.absolute().parent == home.study_areas
    return run if is_known else f"cp {toml} {home.study_areas}/ && {run}"


def print_check(check: "AreaCheck") -> None:
    """Facts first, then remarks, then what to fix."""
    facts = check.facts
    area = facts.area
    last = "now" if area.last_month is None else str(area.last_month)
    _say(
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
        _say(f"Worth a look: {remark}", style="yellow")
    if check.to_fix:
        hint = (
            "A row counts under the first thing that is wrong with it: mend these, then check again"
        )
        print_error(ERR, "to fix before a run", [*check.to_fix, hint])


def _print_source(found: "SourceFacts") -> None:
    report = found.report
    files = "1 file" if found.n_files == 1 else f"{found.n_files} files"
    span = f"{report.first_day} to {report.last_day}" if report.first_day else "nothing accepted"
    _say(f"\nSource {found.source.name}: {files}, {report.n_rows:,} rows, {span}", style="bold")
    rows = [
        (what, f"{n:,}", f"{share:.2%}", _shortened(example))
        for what, n, share, example in report.findings()
        if n
    ]
    print_rows(OUT, ["rows", "number", "share", "e.g."], rows)
    if report.n_accepted:
        _say(
            f"{report.n_geocoded / report.n_accepted:.2%} of accepted rows have a place, "
            f"{found.with_hour_share:.1%} an hour"
        )


def _print_months(timing: "Timing") -> None:
    counts, months = timing.per_month, timing.months
    least, most = int(np.argmin(counts)), int(np.argmax(counts))
    _say(
        f"\nIncidents per month, {months[0]} to {months[-1]}: least {counts[least]:,} in "
        f"{months[least]}, most {counts[most]:,} in {months[most]}"
    )
    room = max(12, OUT.width)
    for start in range(0, len(counts), room):
        _say(sparkline(counts[start : start + room], top=int(counts.max())))


def sparkline(counts: np.ndarray, top: int) -> str:
    """One bar per count, the highest for `top`; a blank where nothing happened."""
    heights = np.ceil(counts / max(top, 1) * len(BARS)).astype(int)
    return "".join(BARS[height - 1] if height else " " for height in heights)


def _print_labels(facts: "AreaFacts") -> None:
    rows = [(kind, label, f"{n:,}") for kind, label, n in facts.per_label[:MAX_LABELS]]
    rest = facts.per_label[MAX_LABELS:]
    if rest:
        rows.append(("", f"and {len(rest)} more", f"{sum(n for *_, n in rest):,}"))
    _say("")
    print_rows(OUT, ["offence type", "label", "incidents"], rows)
    for found in facts.sources:
        ignored = found.report.ignored_labels
        if ignored:
            shown = ", ".join(f"{label} {n:,}" for label, n in list(ignored.items())[:MAX_LABELS])
            more = f" and {len(ignored) - MAX_LABELS} more" if len(ignored) > MAX_LABELS else ""
            _say(f"Ignored labels ({sum(ignored.values()):,} rows): {shown}{more}")


def _print_place(facts: "AreaFacts") -> None:
    from crime_platform.area_check import extent_line

    if facts.grid is not None:
        west, south, east, north = facts.grid.extent_m
        stated = "" if facts.area.grid.extent_m else ", from the incidents' bounds"
        _say(
            f"\nGrid{stated}: {facts.grid.n_cols} columns x {facts.grid.n_rows} rows, "
            f"[{west:.10g}, {south:.10g}, {east:.10g}, {north:.10g}]"
        )
    if facts.site is not None:
        extent = facts.site.extent
        zone = "" if facts.site.crs == facts.area.crs else f" (their UTM zone: {facts.site.crs})"
        _say(
            f"{extent.n_cols} columns x {extent.n_rows} rows would hold {extent.inside_share:.2%} "
            f"of all points{zone}:"
        )
        _say(f"  {extent_line(facts.site)}")


def _shortened(example: str | None) -> str:
    if example is None or len(example) <= MAX_EXAMPLE:
        return example or ""
    return f"{example[: MAX_EXAMPLE - 1]}…"


def _say(text: str, style: str | None = None, *, wraps: bool = True) -> None:
    OUT.print(text, style=style, highlight=False, markup=False, soft_wrap=not wraps)
