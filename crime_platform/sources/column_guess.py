"""Which column of an unknown file holds what, by its name and by its values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from crime_platform.sources.quality import COMMON_FORMATS
from crime_platform.sources.raw_table import Column, RawTable
from crime_platform.vocabulary.incident import SourceFormatError
from crime_platform.vocabulary.toml_keys import did_you_mean

MIN_FIT = 0.95  # of filled values that must look like what the column is taken for
MIN_LABELS, MAX_LABELS = 2, 1000  # distinct offences; more is free text
MAX_PREMISES = 200
FIRST_YEAR, LAST_YEAR = 1900, 2100  # dates beyond are numbers read as dates
EAST_OF_AMERICA = -30.0  # degrees: west of it the month is usually written before the day
MIN_SAMPLE_FIT = 0.25  # of distinct values: a few odd ones weigh more among them than among rows
SAMPLE = 500  # distinct values on which all formats are tried
ISO = ""  # read without a format

# Words of a column's name, most telling first; names are compared as small words with blanks.
NAMES: Mapping[str, tuple[str, ...]] = {
    "occurred_at": (
        r".*\boccur\w*.*|cmplnt fr dt|incident date|date of offen[cs]e|(from|start) date",
        r"date( ?time)?|when|month|year month|timestamp",
        r"(?!.*\b(report|rpt)).*\b(date|datetime|month)\b.*",
        r".*\b(report|rpt).*",
    ),
    "offence": (
        r"offen[cs]es?( (type|description|name))?|crime type|primary type|ofns desc"
        r"|mci( category)?|crime category|anzsoc division",
        r".*\b(offen[cs]es?|crime)\b.*",
        r"(incident )?(category|type)|what",
        r".*\b(category|description|charge)\b.*",
    ),
    "lon": (r"lon|long|lng|longitude", r".*\b(lon|long|lng|longitude)\b.*", r"x|.* x|x .*"),
    "lat": (r"lat|latitude", r".*\b(lat|latitude)\b.*", r"y|.* y|y .*"),
    "x": (r"x|east|easting", r"x .*|.* x|.*\beasting\b.*"),
    "y": (r"y|north|northing", r"y .*|.* y|.*\bnorthing\b.*"),
    "hour": (r".*\bhour\b.*", r".*\b(time|tm)\b.*"),
    "id": (
        r"(incident|event|crime|case|complaint|record|object)? ?(id|number|no|num|key)|cmplnt num",
        r".*\b(incident|event|crime|case)\b.*\b(id|number|no|num|key)\b.*",
    ),
    "premises": (r".*\bprem\w*\b.*", r"(location|locn|place) (type|desc\w*).*"),
}
LATER = re.compile(r".*\b(updat\w*|modif\w*|edit\w*|creat\w*|to|end|clear\w*|clos\w*|entered)\b.*")
POINT_LIMITS = {"lon": 180.0, "lat": 90.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class DateReading:
    """How a column's dates are written."""

    form: str  # strptime, or ISO
    is_utc: bool = False
    is_ambiguous: bool = False  # no day above 12: the day may as well be the month


@dataclass(slots=True, kw_only=True)
class Guess:
    """Columns by key, and what is to be said of them."""

    columns: dict[str, Column] = field(default_factory=dict)
    dates: DateReading | None = None
    hour_format: str | None = None
    remarks: dict[str, str] = field(default_factory=dict)  # by key, for its line in the TOML
    worth_a_look: list[str] = field(default_factory=list)  # for the terminal


def guess_columns(raw: RawTable, given: Mapping[str, str]) -> Guess:
    """The column behind each key of `[source.columns]`, as far as the file tells.

    Args:
        raw: the file.
        given: columns that are known already, by key; they are never guessed.

    Raises:
        SourceFormatError: if a given column is not in the file, or is never loaded.
    """
    columns = raw.columns()
    guess = Guess(columns={key: _called(name, columns, raw) for key, name in given.items()})
    free = [column for column in columns if column not in guess.columns.values()]
    _guess_point(guess, free)
    _guess_dates(raw, guess, free)
    for key, fits in (
        ("offence", lambda c: c.number_share < 0.5 and MIN_LABELS <= c.n_distinct <= MAX_LABELS),
        ("premises", lambda c: c.number_share < 0.5 and 1 < c.n_distinct <= MAX_PREMISES),
        ("id", lambda c: c.n_distinct > 0.5 * c.n_filled),
        ("hour", _is_hour),
    ):
        left = [column for column in free if column not in guess.columns.values() and fits(column)]
        _take(guess, key, left)
    _describe_hour(guess)
    return guess


def _called(name: str, columns: list[Column], raw: RawTable) -> Column:
    for column in columns:
        if column.name.strip().lower() == name.strip().lower():
            return column
    if name in raw.left_out:
        raise SourceFormatError(
            f"column {name!r} describes a person, an arrest or a patrol, and such columns are "
            "never loaded; name another"
        )
    found = [column.name for column in columns]
    raise SourceFormatError(
        f"the file has no column {name!r}{did_you_mean(name, found)} Columns found: "
        f"{', '.join(map(repr, found))}"
    )


def words_of(name: str) -> str:
    """A column's name as small words: `OccurDate` and `OCCUR_DATE` are `occur date`."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(re.findall(r"[a-z0-9]+", split.lower()))


def _rank(key: str, column: Column) -> int | None:
    """How telling the name is, 0 the most; None where it says nothing."""
    name = words_of(column.name)
    ranks = (at for at, pattern in enumerate(NAMES[key]) if re.fullmatch(pattern, name))
    return next(ranks, None)


def _take(guess: Guess, key: str, candidates: list[Column]) -> None:
    """The candidate with the most telling name, the first of equals."""
    ranked = [(rank, column) for column in candidates if (rank := _rank(key, column)) is not None]
    if key not in guess.columns and ranked:
        guess.columns[key] = min(ranked, key=lambda pair: pair[0])[1]


def _guess_point(guess: Guess, free: list[Column]) -> None:
    given = {"lon", "lat", "x", "y", "place"} & guess.columns.keys()
    if given:
        return
    numbers = [c for c in free if c.n_filled and c.number_share >= MIN_FIT and c.low != c.high]
    for east, north in (("lon", "lat"), ("x", "y")):
        for key in (east, north):
            limit = POINT_LIMITS.get(key, float("inf"))
            _take(guess, key, [c for c in numbers if _within(c, limit)])
        if east in guess.columns and north in guess.columns:
            return
        for key in (east, north):
            guess.columns.pop(key, None)


def _within(column: Column, limit: float) -> bool:
    return (
        column.low is not None
        and column.high is not None
        and (-limit <= column.low and column.high <= limit)
    )


def _is_hour(column: Column) -> bool:
    if column.clock_share >= MIN_FIT:
        return True
    is_number = column.number_share >= MIN_FIT and column.low is not None
    return is_number and column.high is not None and column.high <= 2400


def _describe_hour(guess: Guess) -> None:
    hour = guess.columns.get("hour")
    if hour is not None and hour.clock_share < MIN_FIT and (hour.high or 0) > 99:
        guess.hour_format = "hhmm"


def _guess_dates(raw: RawTable, guess: Guess, free: list[Column]) -> None:
    given = guess.columns.get("occurred_at")
    readings: dict[str, DateReading] = {}
    for column in [given] if given else [c for c in free if c.clock_share < MIN_FIT]:
        is_named = _rank("occurred_at", column) is not None
        # Only a telling name lets plain numbers be dates: identifiers look like 20190131 too.
        if column.n_filled and (is_named or column.number_share < 0.5):
            found = read_dates(raw, column)
            if found is not None:
                readings[column.position] = found
    dated = [column for column in free if column.position in readings]
    if given is None and dated:
        ranked = sorted(
            dated,
            key=lambda c: (
                bool(LATER.fullmatch(words_of(c.name))),
                len(NAMES["occurred_at"]) if (rank := _rank("occurred_at", c)) is None else rank,
            ),
        )
        guess.columns["occurred_at"] = ranked[0]
        others = [column.name for column in dated if column is not ranked[0]]
        if others:
            guess.remarks["occurred_at"] = f"other dates: {', '.join(others)}"
    chosen = guess.columns.get("occurred_at")
    guess.dates = readings.get(chosen.position) if chosen else None
    lon = guess.columns.get("lon")
    if guess.dates is not None and guess.dates.is_ambiguous and lon is not None:
        is_american = lon.high is not None and lon.high < EAST_OF_AMERICA
        if guess.dates.form.startswith("%m/%d") and not is_american:
            guess.dates = replace(guess.dates, form=_swapped(guess.dates.form))


def read_dates(raw: RawTable, column: Column) -> DateReading | None:
    """How the dates of a column are written; None if they are none.

    A format must fit nearly all values, not a few: that tells day and month apart, unless no day
    is above 12.
    """
    place = column.position
    sample = f"(select distinct {place} from raw where {place} is not null limit {SAMPLE})"
    fitting = [f for f in (ISO, *COMMON_FORMATS) if _fit(raw, sample, place, f) >= MIN_SAMPLE_FIT]
    shares = {form: _fit(raw, "raw", place, form) for form in fitting}
    good = [form for form in fitting if shares[form] >= MIN_FIT]
    if not good:
        return None
    best = max(good, key=lambda form: shares[form])  # the first of equals
    twin = _swapped(best)
    ((offset_share,),) = raw.rows(
        f"select avg(regexp_matches({place}, '\\d(Z|[+-]\\d\\d(:?\\d\\d)?)$')::int) "
        f"from raw where {place} like '%:%'"
    )
    return DateReading(
        form=best,
        is_utc=best == ISO and (offset_share or 0) >= MIN_FIT,
        is_ambiguous=shares.get(twin) == shares[best],
    )


def _fit(raw: RawTable, table: str, place: str, form: str) -> float:
    """Share of filled values that the format reads as a date of our times."""
    sensible = f"year({moment_of(place, form)}) between {FIRST_YEAR} and {LAST_YEAR}"
    ((share,),) = raw.rows(
        f"select count(*) filter ({sensible}) / greatest(count({place}), 1) from {table}"
    )
    return float(share)


def moment_of(place: str, form: str) -> str:
    """SQL for the moment that a column's text says, null where it says none."""
    if form == ISO:
        return f"try_cast(left({place}, 19) as timestamp)"
    return f"try_strptime({place}, '{form}')"


def _swapped(form: str) -> str:
    """The format with day and month in the other order."""
    swap = {"%m/%d": "%d/%m", "%d/%m": "%m/%d"}
    return next((swap[part] + form[len(part) :] for part in swap if form.startswith(part)), "none")
