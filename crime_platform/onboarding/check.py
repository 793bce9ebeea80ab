"""What to fix in a study area's TOML and files, and what to look at, before anything runs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crime_platform.data_checks.months import spans
from crime_platform.data_checks.run_size import RunSize, size_problem, width_remark
from crime_platform.metrics.gate_rule import MIN_INCIDENTS, MIN_ORIGINS
from crime_platform.onboarding.facts import AreaFacts, Site, Timing, TypeFacts, gather_facts
from crime_platform.sources.quality import WRONG_ROW_REASONS
from crime_platform.study_area.source import HHMM, HOUR
from crime_platform.study_area.study_area import StudyArea, label_key, load_study_area
from crime_platform.system.machine import memory_bytes
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.incident import OUTSIDE_GRID
from crime_platform.vocabulary.timesteps import Month, month_range

TELLING_SHARE = 0.8  # of rows that ought to be accepted, below which nothing is said of gaps
MAX_STRETCH = 0.01  # of an area in the CRS, against the ground
MIN_HOUR_SHARE = 0.5  # of rows with an hour, where an hour is mapped
PARTIAL_MONTH = 0.5  # of the median month
ROOMY = 2.0  # times the cells of the suggested extent
LONG_MEMORY_MONTHS = 25  # of models that look back two years
FEW_A_MONTH = 1.0  # incidents with a place, of a whole offence type
MAX_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaCheck:
    """What was understood, and what to do about it."""

    facts: AreaFacts
    to_fix: list[str]  # a run would stop at each
    to_consider: list[str]  # a run would go on, perhaps not as meant

    @property
    def is_fine(self) -> bool:
        return not self.to_fix


def check_area(path: Path, home: PlatformHome) -> AreaCheck:
    """Read the files of the study area that a TOML declares, and judge them.

    Args:
        path: the TOML, anywhere.
        home: where relative paths of files start; its warehouse is not touched.

    Raises:
        StudyAreaError: if the TOML is missing or declares an area that cannot work; the message
            lists every mistake.
    """
    facts = gather_facts(load_study_area(path), home)
    to_fix, to_consider = list(facts.refusals), _about_hours(facts)
    if not facts.refusals or _is_telling(facts):  # else gaps may be the rows that were refused
        to_fix += facts.trial.stops
    if facts.timing is not None and _is_telling(facts):
        to_consider += facts.trial.warnings
        to_consider += _about_months(facts, facts.timing)
        to_consider += _about_types(facts)
        to_consider += _about_labels(facts)
    if facts.size is not None:
        to_fix += _too_much(facts.area, facts.size)
        remark = width_remark(facts.area, facts.size)
        to_consider += [] if remark is None else [remark]
    if facts.streets is not None:
        to_fix += facts.streets.stops
        to_consider += facts.streets.remarks
    if facts.site is not None:
        to_consider += _about_place(facts, facts.site)
    return AreaCheck(facts=facts, to_fix=to_fix, to_consider=to_consider)


def _too_much(area: StudyArea, size: RunSize) -> list[str]:
    problem = size_problem(area, size, memory_bytes())
    return [] if problem is None else [problem]


def _is_telling(facts: AreaFacts) -> bool:
    """Whether enough was accepted to speak of months and labels that are not there."""
    n_accepted = sum(found.report.n_accepted for found in facts.sources)
    n_wrong = 0
    for found in facts.sources:
        wrong = {reason: found.report.n_rejected.get(reason, 0) for reason in WRONG_ROW_REASONS}
        n_placed = found.report.n_geocoded + wrong[OUTSIDE_GRID]
        if wrong[OUTSIDE_GRID] <= facts.area.quality.max_outside_share * n_placed:
            del wrong[OUTSIDE_GRID]  # the files cover a wider area, and the TOML says so
        n_wrong += sum(wrong.values())
    return n_accepted >= TELLING_SHARE * (n_accepted + n_wrong)


def _about_months(facts: AreaFacts, timing: Timing) -> list[str]:
    area = facts.area
    remarks = []
    usual = float(np.median(timing.per_month))
    for at, key in ((0, "first_month"), (-1, "last_month")):
        month, n = timing.months[at], int(timing.per_month[at])
        if 0 < n < PARTIAL_MONTH * usual:
            remarks.append(
                f"{key}: {month} holds {n:,} incidents, a month usually {usual:,.0f}; if the files "
                f"{'begin' if at == 0 else 'end'} within that month, leave it out"
            )
    if facts.trial.counts is not None and area.last_month is None:
        unfinished = facts.trial.counts.record.unfinished
        remarks += [f"{unfinished[month]}. A run leaves it out" for month in sorted(unfinished)[:1]]
    remarks += _about_earlier(area, facts.earlier, usual)
    before_scores = timing.n_complete - area.backtest.n_origins
    if timing.n_complete >= area.min_months and before_scores < LONG_MEMORY_MONTHS:
        remarks.append(
            f"[backtest] n_origins = {area.backtest.n_origins} leaves {before_scores} months "
            "before the first scored origin: models that look back two years are left out"
        )
    return remarks + _about_gate(area, timing)


def _about_gate(area: StudyArea, timing: Timing) -> list[str]:
    """Why the gate would publish nothing, however good the forecasts."""
    n_origins, remarks = area.backtest.n_origins, []
    if n_origins < MIN_ORIGINS:
        remarks.append(
            f"[backtest] n_origins = {n_origins} can never be published: the gate needs at least "
            f"{MIN_ORIGINS} scored months to tell skill from chance"
        )
    if timing.last_complete is None:
        return remarks
    is_scored = (timing.months <= timing.last_complete) & (
        timing.months > timing.last_complete - n_origins
    )
    n_scored = int(timing.per_month[is_scored].sum())
    if n_scored < MIN_INCIDENTS:
        remarks.append(
            f"the last {n_origins} months, which are scored, hold {n_scored:,} incidents: the gate "
            f"publishes nothing below {MIN_INCIDENTS}, so take more months with n_origins under "
            "[backtest], more offence types or a wider area"
        )
    return remarks


def _about_earlier(area: StudyArea, earlier: dict[Month, int], usual: float) -> list[str]:
    """Whole months before the first one that a gap parts from it: their counts are given up."""
    full = [month for month, n in earlier.items() if n >= PARTIAL_MONTH * usual]
    if not full:
        return []
    gap = [
        month
        for month in month_range(full[-1], area.first_month)[1:-1]
        if earlier.get(month, 0) < PARTIAL_MONTH * usual
    ]
    if not gap:
        return []
    missing = [month for month in gap if month not in earlier]
    what = f"no row at all in {spans(missing)}" if missing else f"few rows in {spans(gap)}"
    n = sum(earlier.values())
    return [
        f"first_month: the files hold {n:,} incidents of {spans(full)} that are not counted, and "
        f'{what}: a file may be missing; add it and set first_month = "{full[0]}"'
    ]


def _about_hours(facts: AreaFacts) -> list[str]:
    return [
        f"hour: only {found.with_hour_share:.0%} of accepted rows have an hour in column "
        f"{found.source.columns.hour!r}"
        + (
            f'; if 2305 means five past eleven, write hour_format = "{HHMM}"'
            if found.source.hour_format == HOUR
            else ""
        )
        for found in facts.sources
        if found.source.columns.hour
        and found.report.n_accepted
        and found.with_hour_share < MIN_HOUR_SHARE
    ]


def _about_types(facts: AreaFacts) -> list[str]:
    """Offence types that no forecast per cell can be made of, or none worth much."""
    remarks = [_about_type(kind, facts) for kind in facts.per_type]
    unplaced = [
        f"source {found.source.name!r} has no row with a place: its incidents count in monthly "
        "totals only, and no forecast per cell knows of them"
        for found in facts.sources
        if found.report.n_accepted and not found.report.n_geocoded
    ]
    return unplaced + [remark for remark in remarks if remark is not None]


def _about_type(kind: TypeFacts, facts: AreaFacts) -> str | None:
    who = f"offence type {kind.name!r} has"
    months = 0 if facts.timing is None else len(facts.timing.months)
    if kind.n_outside:
        return (
            f"{who} no incident in the grid: all {kind.n_outside:,} rows of it lie outside; check "
            "extent_m under [grid], or leave the type out"
        )
    if not kind.n:
        return f"{who} no incident at all"
    if not kind.n_placed:
        return (
            f"{who} no row with a place (0 of {kind.n:,} incidents): it counts in monthly totals "
            "only, and a forecast per cell of it is empty; check its coordinates, or leave it out"
        )
    if kind.n_placed < months * FEW_A_MONTH:
        return (
            f"{who} {kind.n_placed:,} incidents with a place in {months} months: too few to tell "
            "one cell from another, so its forecast is near zero everywhere; count it together "
            "with a similar type"
        )
    return None


def _about_labels(facts: AreaFacts) -> list[str]:
    """Labels of the TOML that no row has: a word misspelt, or one the publisher gave up."""
    area = facts.area
    borne = {label_key(label) for _, label, _ in facts.per_label}
    borne |= {label_key(label) for found in facts.sources for label in found.report.ignored_labels}
    remarks = []
    for kind in area.offence_types:
        unseen = [label for label in kind.labels if label_key(label) not in borne]
        if 0 < len(unseen) < len(kind.labels):
            remarks.append(f"labels of {kind.name!r} that no row has: {_listed(unseen)}")
    unseen = [label for label in area.ignored_labels if label_key(label) not in borne]
    if unseen:
        remarks.append(f"ignored_labels that no row has: {_listed(unseen)}")
    return remarks


def _about_place(facts: AreaFacts, site: Site) -> list[str]:
    remarks = list(site.crs_remarks)
    if not remarks and abs(site.stretch) > MAX_STRETCH:
        remarks.append(
            f"crs: in {facts.area.crs} an area here comes out {site.stretch:+.1%} of its size on "
            f"the ground; the UTM zone of the incidents is {site.crs}"
        )
    n_cells = site.extent.n_rows * site.extent.n_cols
    if facts.grid is not None and facts.grid.n_cells > ROOMY * n_cells:
        remarks.append(
            f"[grid] holds {facts.grid.n_cells:,} cells; {n_cells:,} would hold "
            f"{site.extent.inside_share:.1%} of the incidents: {extent_line(site)}"
        )
    return remarks


def extent_line(site: Site) -> str:
    """The suggested extent as a line of the TOML."""
    return f"extent_m = [{', '.join(f'{edge:.10g}' for edge in site.extent.bounds_m)}]"


def _listed(words: list[str]) -> str:
    shown = ", ".join(words[:MAX_SHOWN])
    return shown + (f" and {len(words) - MAX_SHOWN} more" if len(words) > MAX_SHOWN else "")
