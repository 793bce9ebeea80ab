"""A study area: everything that is particular to one city, read from one TOML file.

Nothing here opens a data file, and no slow library is imported until an area is checked.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from crime_platform.study_area.parts import (
    MONTHS_BEFORE_SCORES,
    BacktestSettings,
    GridSpec,
    HolidayCalendar,
    OffenceType,
    PremisesType,
    QualityLimits,
    RevisionRule,
    StudyAreaError,
    require_one_of,
    require_slug,
)
from crime_platform.study_area.reading import (
    all_or_none,
    build,
    read_backtest,
    read_calendar,
    read_grid,
    read_offence,
    read_premises,
    read_quality,
    read_revisions,
    read_source,
)
from crime_platform.study_area.source import Source
from crime_platform.study_area.streets import StreetSpec
from crime_platform.study_area.streets_table import read_streets
from crime_platform.study_area.toml_table import TomlTable
from crime_platform.vocabulary.timesteps import MIN_HISTORY_MONTHS, Day, Month, parse_month

STEPS = ("month",)
SIMULATED = "simulated"  # what the title of such an area must say


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyArea:
    """Everything that is particular to one city."""

    name: str
    title: str
    crs: str  # projected, in metres
    timezone: str  # IANA name
    first_month: Month
    grid: GridSpec
    offence_types: tuple[OffenceType, ...]
    sources: tuple[Source, ...]
    last_month: Month | None = None  # a closed data set ends here
    step: str = "month"
    ignored_labels: tuple[str, ...] = ()  # known, and none of our offence types
    ignored_label_patterns: tuple[str, ...] = ()  # globs of such labels
    premises_types: tuple[PremisesType, ...] = ()  # labels on none of them are left out
    includes_police_discovered: bool = False
    is_simulated: bool = False  # no incident of it ever happened
    quality: QualityLimits = field(default_factory=QualityLimits)
    revisions: RevisionRule = field(default_factory=RevisionRule)
    backtest: BacktestSettings = field(default_factory=BacktestSettings)
    calendar: HolidayCalendar | None = None  # without one, no holiday is known
    streets: StreetSpec | None = None  # without one, nothing is forecast by day
    toml_file: str = ""  # name of the file it was read from, for messages

    def __post_init__(self) -> None:
        require_slug("name", self.name)
        require_one_of("step", self.step, STEPS)
        require_metric_crs(self.crs)
        require_timezone(self.timezone)
        if self.last_month is not None and self.last_month < self.first_month:
            raise StudyAreaError(
                f"last_month: {self.last_month} lies before first_month {self.first_month}"
            )
        if not self.offence_types or not self.sources:
            raise StudyAreaError("offence_type, source: expected at least one of each")
        _require_unique("offence_type", [kind.name for kind in self.offence_types])
        _require_unique("source", [source.name for source in self.sources])
        _require_unique("premises_type", [kind.name for kind in self.premises_types])
        _require_one_owner("ignored_labels", self.ignored_labels, self.offence_types)
        _require_one_owner("", (), self.premises_types)
        _require_one_owner_of_patterns(self.pattern_owners)
        self._require_known_offence_labels()
        self._require_premises_column()
        self._require_flag_for_police_discovered()
        if self.streets is not None:
            self.streets.require_known(self.offence_names, self.sources)
        if self.is_simulated and SIMULATED not in self.title.lower():
            raise StudyAreaError(
                f"title: {self.title!r} must say that the area is {SIMULATED}, or what is made "
                f'from it passes for recorded crime; write e.g. "{self.title} ({SIMULATED})"'
            )

    @property
    def offence_names(self) -> tuple[str, ...]:
        """Names of the offence types, in the order of the file: the `type` axis everywhere."""
        return tuple(kind.name for kind in self.offence_types)

    @property
    def min_months(self) -> int:
        """Complete months that a forecast needs: enough to learn from and to back-test on."""
        return max(MIN_HISTORY_MONTHS, self.backtest.n_origins + MONTHS_BEFORE_SCORES)

    @property
    def first_street_day(self) -> Day:
        """First day from which streets may be forecast."""
        return (self.first_month + MIN_HISTORY_MONTHS).astype("datetime64[D]")

    @property
    def type_of_label(self) -> dict[str, str]:
        """Offence type of each publisher's label; keys as `label_key` writes them."""
        return {label_key(label): kind.name for kind in self.offence_types for label in kind.labels}

    @property
    def pattern_owners(self) -> tuple[tuple[str, str | None], ...]:
        """Patterns of labels, each with its offence type, or None where such rows are ignored.

        Patterns are written as `label_key` writes labels; a label in a list needs no pattern.
        """
        of_types = [
            (label_key(pattern), kind.name)
            for kind in self.offence_types
            for pattern in kind.label_patterns
        ]
        ignored = [(label_key(pattern), None) for pattern in self.ignored_label_patterns]
        return (*of_types, *ignored)

    @property
    def premises_of_label(self) -> dict[str, str]:
        """Premises type of each publisher's label; keys as `label_key` writes them."""
        kinds = self.premises_types
        return {label_key(label): kind.name for kind in kinds for label in kind.labels}

    def _require_known_offence_labels(self) -> None:
        listed = {*self.type_of_label, *map(label_key, self.ignored_labels)}
        for label in [each.offence_label for each in self.sources if each.offence_label]:
            key = label_key(label)
            if key not in listed and not any(
                fnmatchcase(key, pattern) for pattern, _ in self.pattern_owners
            ):
                raise StudyAreaError(
                    f"offence_label: {label!r} belongs to no offence type; add it to the labels "
                    "of an [[offence_type]]"
                )

    def _require_premises_column(self) -> None:
        if self.premises_types and not any(source.columns.premises for source in self.sources):
            raise StudyAreaError(
                "premises_type: no source maps the column; add premises to [source.columns], or "
                "leave the premises types out"
            )

    def _require_flag_for_police_discovered(self) -> None:
        found = [kind.name for kind in self.offence_types if kind.police_discovered]
        if found and not self.includes_police_discovered:
            raise StudyAreaError(
                f"includes_police_discovered: {found} count where police looked, not where harm "
                "was reported; drop them, or set includes_police_discovered = true to say so openly"
            )


def _require_one_owner(
    first: str, labels: Iterable[str], kinds: Iterable[OffenceType | PremisesType]
) -> None:
    owner = dict.fromkeys(map(label_key, labels), first)
    for kind in kinds:
        for key in map(label_key, kind.labels):
            if owner.setdefault(key, kind.name) != kind.name:
                raise StudyAreaError(
                    f"labels: {key!r} belongs to {owner[key]!r} and to {kind.name!r} "
                    "(capitals and outer blanks do not count); keep it in one place"
                )


def _require_one_owner_of_patterns(owners: Iterable[tuple[str, str | None]]) -> None:
    owner: dict[str, str | None] = {}
    for pattern, name in owners:
        if owner.setdefault(pattern, name) != name:
            names = [each or "ignored_label_patterns" for each in (owner[pattern], name)]
            raise StudyAreaError(
                f"label_patterns: {pattern!r} belongs to {names[0]!r} and to {names[1]!r} "
                "(capitals and outer blanks do not count); keep it in one place"
            )


def label_key(label: str) -> str:
    """Form in which labels are compared: capitals and outer blanks do not count."""
    return label.strip().lower()


def require_metric_crs(crs: str) -> None:
    """Refuse a CRS that is not projected in metres.

    Raises:
        StudyAreaError: if it is unknown, geographic, web Mercator, or in feet.
    """
    from pyproj import CRS  # slow to import, and only this check needs it
    from pyproj.exceptions import CRSError

    cure = "use the city's UTM zone or national grid in metres, e.g. EPSG:26917 for Toronto"
    try:
        found = CRS.from_user_input(crs)
    except CRSError as error:
        raise StudyAreaError(f"crs: {crs!r} is not a known CRS; {cure}") from error
    units = {axis.unit_name for axis in found.axis_info[:2]}
    method = found.coordinate_operation.method_name if found.coordinate_operation else ""
    if not found.is_projected:
        raise StudyAreaError(f"crs: {crs} ({found.name}) is geographic, in degrees; {cure}")
    if "Pseudo Mercator" in method:
        raise StudyAreaError(f"crs: {crs} ({found.name}) stretches every distance; {cure}")
    if units != {"metre"}:
        raise StudyAreaError(f"crs: {crs} ({found.name}) measures in {sorted(units)}; {cure}")


def require_timezone(name: str) -> None:
    """Refuse what is no time zone of the tz database.

    Raises:
        StudyAreaError: if it is none.
    """
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise StudyAreaError(
            f"timezone: {name!r} is not an IANA time zone; write e.g. America/Toronto"
        ) from error


def _require_unique(key: str, names: list[str]) -> None:
    if len(set(names)) < len(names):
        raise StudyAreaError(f"{key}: two share a name: {sorted(names)}; rename one")


def study_area_files(folder: Path) -> list[Path]:
    """TOML files of a folder, by name; none when the folder holds none or does not exist."""
    return sorted(folder.glob("*.toml"))


def study_area_names(folder: Path) -> list[str]:
    """Names of the areas with a TOML in the folder, readable or not.

    Raises:
        StudyAreaError: if there is none.
    """
    names = [path.stem for path in study_area_files(folder)]
    if not names:
        raise StudyAreaError(
            f"{folder} holds no study area yet: crime-platform new-area FILE drafts one from a "
            "file of incidents; if your areas are elsewhere, set CRIME_PLATFORM_HOME to their home"
        )
    return names


def load_study_area(path: Path) -> StudyArea:
    """The study area that a TOML file declares.

    Raises:
        StudyAreaError: if the file is missing, is no TOML, or declares an area that cannot work;
            the message lists every mistake found, with its place, value and cure.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        others = ", ".join(file.name for file in study_area_files(path.parent)) or "no TOML file"
        raise StudyAreaError(
            f"{path.absolute()}: no such file; the folder holds {others}"
        ) from error
    except OSError as error:
        raise StudyAreaError(
            f"{path.absolute()}: cannot be read ({error.strerror}); check its permissions, or move "
            "what is no TOML file out of the folder"
        ) from error
    except (ValueError, RecursionError) as error:  # also of numbers and lists without end
        raise StudyAreaError(f"{path}: not a TOML file: {error}") from error
    problems: list[str] = []
    area = _read_area(TomlTable(values, "", problems), path.name)
    if area is not None and area.name != path.stem:
        problems.append(f"name: {area.name!r} is not the file's name {path.stem!r}; rename one")
    if problems or area is None:
        listing = "\n".join(f"  {problem}" for problem in problems)
        plural = "problem" if len(problems) == 1 else "problems"
        raise StudyAreaError(f"{path}: {len(problems)} {plural}\n{listing}")
    return area


def _read_area(table: TomlTable, toml_file: str) -> StudyArea | None:
    table.require("name", "crs", "timezone", "first_month", "grid", "offence_type", "source")
    offence_types = all_or_none([read_offence(t) for t in table.tables("offence_type")])
    last_month = _read_month(table, "last_month")
    streets = table.table("streets")
    fields = {
        "name": table.text("name"),
        "title": table.text("title") or table.values.get("name"),
        "crs": table.text("crs"),
        "timezone": table.text("timezone"),
        "step": table.text("step"),
        "first_month": _read_month(table, "first_month"),
        "last_month": last_month,
        "ignored_labels": table.texts("ignored_labels"),
        "ignored_label_patterns": table.texts("ignored_label_patterns"),
        "includes_police_discovered": table.flag("includes_police_discovered"),
        "is_simulated": table.flag("simulated"),
        "grid": read_grid(table.table("grid")),
        "offence_types": offence_types,
        "premises_types": all_or_none([read_premises(t) for t in table.tables("premises_type")]),
        "sources": all_or_none(
            [read_source(t, str(table.values.get("name"))) for t in table.tables("source")]
        ),
        "quality": read_quality(table.table("quality")),
        "revisions": read_revisions(table.table("revisions")),
        "backtest": read_backtest(table.table("backtest")),
        "calendar": read_calendar(table.table("calendar")),
        "streets": read_streets(streets, offence_types, is_closed=last_month is not None)
        if "streets" in table.values
        else None,
    }
    table.finish()
    if table.problems:
        _note_place_and_time(table, fields)
        return None
    return build(StudyArea, table, toml_file=toml_file, **fields)


def _note_place_and_time(table: TomlTable, fields: Mapping[str, Any]) -> None:
    for key, check in (("crs", require_metric_crs), ("timezone", require_timezone)):
        try:
            check(fields[key] or "")
        except StudyAreaError as error:
            if fields[key] is not None:
                table.problems.append(str(error))


def _read_month(table: TomlTable, key: str) -> Month | None:
    written = table.text(key)
    if written is None:
        return None
    try:
        return parse_month(written)
    except ValueError as error:
        table.note(key, str(error))
        return None
