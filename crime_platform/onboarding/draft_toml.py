"""The TOML of a drafted study area: guesses turned into lines, each with the reason beside it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crime_platform.geography.siting import Extent
from crime_platform.metrics.gate_rule import MIN_ORIGINS
from crime_platform.onboarding.guesses.label_guess import (
    MAX_TYPES,
    MIN_TYPE_SHARE,
    LabelPlan,
    by_spelling,
)
from crime_platform.onboarding.guesses.label_words import folded
from crime_platform.onboarding.guesses.month_span import MonthSpan
from crime_platform.onboarding.guesses.time_zones import ZoneFinding, country_name
from crime_platform.onboarding.source_toml import SourcePlan, source_sections
from crime_platform.sources.label_spelling import spelling_key
from crime_platform.study_area.parts import BacktestSettings, QualityLimits
from crime_platform.study_area.toml_text import on_one_line, quoted

MAX_PREMISES_TYPES = 8
LIMIT_MARGIN = 0.02  # between what a file holds and the limit that is drafted for it
MONTHS_LEARNT = 12  # before the first origin of a back-test


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaPlan:
    """Everything that a drafted TOML says."""

    name: str
    crs: str
    zone: ZoneFinding
    subdivision: str | None  # of the country, where a person named it
    span: MonthSpan
    extent: Extent | None
    cell_size_m: float
    labels: LabelPlan
    premises: Sequence[tuple[str, int]]  # labels with their rows
    placed_share: float | None  # of rows, None where places are codes
    source: SourcePlan


def slug(text: str, taken: Sequence[str] = ()) -> str:
    """A name of small letters, digits and underscores, unlike those that are taken.

    Accents are dropped in every language alike (Körperverletzung is korperverletzung, for no label
    says whether its ö is oe), and other scripts are transliterated.
    """
    plain = re.sub(r"[^a-z0-9]+", "_", folded(text)).strip("_")
    plain = plain if plain[:1].isalpha() else f"n_{plain}".rstrip("_")
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain}_{number}", number + 1
    return name


def wording(plan: AreaPlan) -> str:
    """The TOML, section by section."""
    sections = [
        _top(plan),
        _calendar(plan),
        _grid(plan),
        *_kinds("offence_type", plan.labels.types, titled=True, members=plan.labels.members),
        *_premises(plan.premises),
        *source_sections(plan.source),
        _limits(plan),
        _backtest(plan),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _top(plan: AreaPlan) -> list[str]:
    title = plan.name.replace("_", " ").title()
    files = on_one_line(", ".join(plan.source.paths.patterns))
    return [
        f"# Drafted by crime-platform new-area from {files}: every line is a",
        "# guess until somebody has read it. crime-platform check-area tells what it makes of the",
        "# file.",
        f"name = {quoted(plan.name)}",
        f"title = {quoted(title)}",
        f"crs = {quoted(plan.crs)} # metres",
        f"timezone = {quoted(plan.zone.timezone)}{_doubted(plan.zone.timezone_doubts)}",
        'step = "month"',
        f'first_month = "{plan.span.first}" # {plan.span.first_reason}',
        f'last_month = "{plan.span.last}" # {plan.span.last_reason}',
        *_ignored(plan.labels),
    ]


def _ignored(labels: LabelPlan) -> list[str]:
    """`ignored_labels`, grouped by the reason, with the rows of each."""
    groups = {
        "recorded because police looked, not because somebody reported harm": (
            labels.police_discovered
        ),
        "look like no offences": labels.no_offence,
        f"beyond the {MAX_TYPES} most frequent: write a type for each that you want": labels.beyond,
        f"under {MIN_TYPE_SHARE:.0%} of the rows each: move each to the type where it belongs": (
            labels.rare
        ),
    }
    lines = []
    for reason, pairs in groups.items():
        if pairs:
            lines.append(f"    # {reason}")
            lines += [f"    {quoted(label)}, # {n:,} rows" for label, n in pairs]
    opening = "# Known, and none of our types: a label must stand here or in an offence type."
    return [opening, "ignored_labels = [", *lines, "]"] if lines else []


def _doubted(doubts: Sequence[str]) -> str:
    return f" # {'; '.join(doubts)}" if doubts else ""


def zone_remarks(plan: AreaPlan) -> list[str]:
    """What a person should check of the time zone and of the holidays."""
    zone = plan.zone
    remarks = [
        f'timezone = "{zone.timezone}" was {doubt}. Correct the line if it is wrong'
        for doubt in zone.timezone_doubts
    ]
    if zone.country is None:
        return [*remarks, "no country is known, so models see no holidays: add [calendar] country"]
    if not _has_holidays(zone.country):
        return [*remarks, f"no public holidays are known of {country_name(zone.country)}"]
    return remarks + [
        f'[calendar] country = "{zone.country}" was {doubt}. Models see its holidays: correct '
        "the line if it is wrong"
        for doubt in zone.country_doubts
    ]


def _has_holidays(country: str) -> bool:
    import holidays  # a tenth of a second that only a draft pays

    return country in holidays.list_supported_countries(include_aliases=True)


def _calendar(plan: AreaPlan) -> list[str]:
    """Public holidays; those of one state or province only where a person named it."""
    country, doubts = plan.zone.country, plan.zone.country_doubts
    if country is None or not _has_holidays(country):
        return []
    lines = ["[calendar]", f"country = {quoted(country)} # {country_name(country)}"]
    if doubts:
        lines[-1] += f"; {'; '.join(doubts)}"
    if plan.subdivision is not None:
        return [*lines, f"subdivision = {quoted(plan.subdivision)}"]
    return [*lines, *_subdivisions(country)]


def _subdivisions(country: str) -> list[str]:
    import holidays

    parts = holidays.list_supported_countries(include_aliases=True)[country]
    if not parts:
        return []
    return [f'# subdivision = "{parts[0]}": for holidays of one part only: {", ".join(parts)}']


def _grid(plan: AreaPlan) -> list[str]:
    lines = ["[grid]", f"cell_size_m = {plan.cell_size_m:g}"]
    if plan.extent is None:
        return [*lines, "# the extent follows from the incidents; state extent_m to choose it"]
    edges = ", ".join(f"{edge:.10g}" for edge in plan.extent.bounds_m)
    return [
        *lines,
        f"# {plan.extent.n_cols} columns x {plan.extent.n_rows} rows hold "
        f"{plan.extent.inside_share:.2%} of the points: west, south, east, north",
        f"extent_m = [{edges}]",
    ]


def _kinds(
    kind: str,
    labels: Sequence[tuple[str, int]],
    *,
    titled: bool,
    members: Mapping[str, Sequence[tuple[str, int]]] | None = None,
) -> list[list[str]]:
    """One table per label, named after it, or per group of its spellings or of one first word."""
    tables: list[list[str]] = []
    names: list[str] = []
    for label, n in labels:
        names.append(slug(label, names))
        title = [f"title = {quoted(label.capitalize())}"] if titled else []
        head = [f"[[{kind}]]", f"name = {quoted(names[-1])}", *title]
        group = (members or {}).get(label)
        if group is None:
            tables.append([*head, f"labels = [{quoted(label)}] # {n:,} rows"])
        else:
            lines = [f"    {quoted(each)}, # {n_rows:,} rows" for each, n_rows in group]
            is_one = len({spelling_key(each) for each, _ in group}) == 1
            alike = "spellings of" if is_one else "that begin with"
            told = f"labels = [ # {len(group)} {alike} {on_one_line(label)}, {n:,} rows"
            tables.append([*head, told, *lines, "]"])
    return tables


def _premises(labels: Sequence[tuple[str, int]]) -> list[list[str]]:
    members = by_spelling(labels)
    totals = [(label, sum(n for _, n in pairs)) for label, pairs in members.items()]
    totals.sort(key=lambda pair: -pair[1])
    several = {label: pairs for label, pairs in members.items() if len(pairs) > 1}
    return _kinds("premises_type", totals[:MAX_PREMISES_TYPES], titled=False, members=several)


def _limits(plan: AreaPlan) -> list[str]:
    """A lower limit where the file itself has fewer places than usual, said openly."""
    usual = QualityLimits().min_geocoded_share
    share = plan.placed_share
    if share is None or share - LIMIT_MARGIN >= usual:
        return []
    return [
        "[quality]",
        f"# Only {share:.1%} of the rows have a place; the others count in totals only.",
        f"min_geocoded_share = {max(0.0, share - LIMIT_MARGIN):.2f}",
    ]


def _backtest(plan: AreaPlan) -> list[str]:
    """Fewer origins where the series is short."""
    n_months = int((plan.span.last - plan.span.first).astype(int)) + 1
    usual = BacktestSettings()
    n_origins = max(MIN_ORIGINS, min(usual.n_origins, (n_months - MONTHS_LEARNT) // 3))
    if n_origins == usual.n_origins:
        return []
    return [
        "[backtest]",
        f"n_origins = {n_origins} # of {n_months} in the file; more where the series is longer",
        f"n_selection = {n_origins}",
    ]
