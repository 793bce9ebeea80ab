"""How the dates of a column are written, and whether day and month can be told apart."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from crime_platform.onboarding.guesses.point_guess import draft_source
from crime_platform.onboarding.guesses.raw_table import Column, RawTable
from crime_platform.sources.scan.clock_values import moment_of
from crime_platform.study_area.source import (
    DATE_WORDS,
    EPOCH,
    EPOCH_MS,
    EPOCH_WORDS,
    ISO,
    has_offset,
)
from crime_platform.vocabulary.incident import SourceFormatError

MIN_FIT = 0.95  # of filled values that must be dates
MIN_LISTED_FIT = 0.002  # of values, for a format beside others
MAX_FORMATS = 4
FIRST_YEAR, LAST_YEAR = 1900, 2100  # dates beyond are numbers read as dates
FIRST_EPOCH_YEAR = 1980  # smaller counts are numbers of something else
SAMPLE = 500  # distinct values on which all formats are tried
NOISE = 20  # times as many rows must speak for one order as for the other
MIN_CLOCK_SHARE = 0.05  # of rows not at midnight
MIN_SPAN_MONTHS = 12  # of dates whose one number never changes, to take it for the day

DAY_PARTS = ("-", "/", ".", " ")
CLOCKS = (
    "",
    " %H:%M:%S",
    " %H:%M",
    " %I:%M:%S %p",
    " %I:%M %p",
    " %H:%M:%S.%f",
    "T%H:%M:%S",
    "T%H:%M",
    "T%H:%M:%S.%f",
    ", %H:%M:%S",
    ", %H:%M",
    ", %I:%M:%S %p",
    ", %I:%M %p",
    " %I %p",
    " %H.%M",
    " %H.%M.%S",
    " %Hh%M",
    " %H%M",
)
MONTH_FIRST = tuple(f"%m{mark}%d{mark}{year}" for year in ("%Y", "%y") for mark in DAY_PARTS)
DAY_FIRST = tuple(f"%d{mark}%m{mark}{year}" for year in ("%Y", "%y") for mark in DAY_PARTS)
YEAR_FIRST = tuple(
    form
    for mark in DAY_PARTS
    for form in (f"%Y{mark}%m{mark}%d", f"%Y{mark}%d{mark}%m", f"%y{mark}%m{mark}%d")
)
YEAR_DAY = tuple(f"%Y{mark}%d" for mark in DAY_PARTS)
NAMED_MONTHS = (
    *(
        f"%d{mark}{name}{mark}{year}"
        for mark in DAY_PARTS
        for name in ("%b", "%B")
        for year in ("%Y", "%y")
    ),
    "%b %d %Y",
    "%B %d %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%A, %B %d, %Y",
    "%a %b %d %Y",
    "%a %d %b %Y",
    "%a, %d %b %Y",
    "%A %d %B %Y",
    "%A, %d %B %Y",
    "%Y-%b-%d",
    "%Y-%B-%d",
    "%d. %B %Y",
    *(f"%d{ending} %B %Y" for ending in ("st", "nd", "rd", "th")),
    *(f"%B %d{ending}, %Y" for ending in ("st", "nd", "rd", "th")),
    "%d%b%Y",
    "%d%b%y",
)
OFFSETS = ("%z", " %z", "Z", " UTC", " GMT")
OFFSET_CLOCKS = (" %H:%M:%S", " %H:%M", " %H:%M:%S.%f", "T%H:%M:%S", "T%H:%M", "T%H:%M:%S.%f")
DIGITS = ("%Y%m%d", "%d%m%Y", "%m%d%Y")
DIGIT_CLOCKS = ("", "%H%M", "%H%M%S", " %H%M", " %H:%M", " %H:%M:%S", "T%H%M%S", "-%H%M%S")
MONTHS_ONLY = (
    "%Y%m",
    "%m%Y",
    "%Y-%m",
    "%Y/%m",
    "%Y.%m",
    "%m/%Y",
    "%m-%Y",
    "%m.%Y",
    "%B %Y",
    "%b %Y",
    "%b-%Y",
    "%B-%Y",
    "%b-%y",
    "%Y %B",
    "%Y %b",
    "%Y-%b",
    "%Y-%B",
    "%b/%Y",
    "%B/%Y",
    "%b %y",
)
YEAR_AND_DAY = ("%Y%j", "%Y-%j")  # of 1 to 366; months are tried before
ALL_FORMATS = (
    ISO,
    *(
        day + clock
        for day in (*MONTH_FIRST, *DAY_FIRST, *YEAR_FIRST, *NAMED_MONTHS)
        for clock in CLOCKS
    ),
    *(
        clock + day
        for day in (*MONTH_FIRST, *DAY_FIRST, *YEAR_FIRST)
        for clock in ("%H:%M ", "%H:%M:%S ")
    ),
    *(day + clock for day in DIGITS for clock in DIGIT_CLOCKS),
    *(
        day + clock + offset
        for day in (*MONTH_FIRST, *DAY_FIRST, *YEAR_FIRST, *NAMED_MONTHS)
        for clock in OFFSET_CLOCKS
        for offset in OFFSETS
    ),
    *(f"%Y%m%dT{clock}{offset}" for clock in ("%H%M%S", "%H%M") for offset in ("%z", "Z")),
    *(f"%a %b %d %H:%M:%S {offset} %Y" for offset in ("%z", "UTC", "GMT")),
    *MONTHS_ONLY,
    *YEAR_AND_DAY,
    EPOCH_MS,
    EPOCH,
)
# Not within a day such as 31-01-2021: an offset follows a clock.
OFFSET = re.compile(
    r"((?::\d\d|T\d{4,6})(?:\.\d+)?)\s*(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)(?=$| \d{4}$)"
)
HALF_DAY = re.compile(r"(?<=\d)\s*[ap]\.?\s*m\.?$", re.IGNORECASE)
CODE = re.compile("%[A-Za-z]")
NO_MARK = re.compile(r"[\w\s]")
NUMBER_FORMATS = (
    *(form for form in ALL_FORMATS if not set(form) & set("-/., :T")),
    EPOCH_MS,
    EPOCH,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateReading:
    """How a column's dates are written."""

    forms: tuple[str, ...]  # datetime_format; empty for ISO 8601
    moment: str  # SQL on the table `raw`, as written: nothing is turned into local time
    is_utc: bool = False
    is_mixed_utc: bool = False  # some of the values end in an offset
    is_epoch: bool = False
    is_epoch_of_days: bool = False  # counted from 1970, always midnight: a date, not an instant
    has_clock: bool = False
    rival: "Rival | None" = None  # a way that fits as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A second way to read the same dates."""

    form: str  # the way that was tried first
    other: str
    example: str  # a value that differs; any where all of them mean one day by both
    meanings: tuple[str, str]  # of that value, as 2021-01-31
    in_order: str | None  # the way by which the rows are in order of time
    both_occur: bool  # some dates fit only one way, and some only the other


def moment_by(column: Column, forms: Sequence[str], *, is_utc: bool = False) -> str:
    """SQL for the moment that a column's text says, null where it says none of our times.

    Args:
        column: the texts.
        forms: how they are written.
        is_utc: an offset in ISO 8601 counts; where other formats have one, it always does.
    """
    written = tuple(forms) if tuple(forms) != (ISO,) else ()
    clock = "utc" if is_utc or any(map(has_offset, written)) else "local"
    source = draft_source(datetime_formats=written, timestamps_are=clock)
    return moment_of(column.position, source).replace("$timezone", "'UTC'")


def read_dates(
    raw: RawTable, column: Column, *, told: Sequence[str] = (), is_named: bool = True
) -> DateReading | None:
    """How the dates of a column are written; None if they are none.

    Args:
        raw: the file.
        column: the column.
        told: formats that a person gives.
        is_named: the name speaks of a date. Plain numbers are dates in no other column, as
            identifiers look like 20190131 too.
    """
    is_number = column.number_share >= 0.5
    if not column.n_filled or not column.digit_share or (is_number and not is_named):
        return None
    if told:
        return _told(raw, column, told)
    shares = _fitting(raw, column, NUMBER_FORMATS if is_number else ALL_FORMATS)
    good = [form for form, share in shares.items() if share >= MIN_FIT]
    chosen = [max(good, key=lambda form: shares[form])] if good else _list(raw, column, shares)
    if not chosen:
        return None
    rival = next((found for form in chosen if (found := _rival(raw, column, form, shares))), None)
    if rival is not None:
        settled = _by_constant_day(raw, column, rival) or _by_the_future(raw, column, rival)
        if settled is not None:
            chosen = [settled if form == rival.form else form for form in chosen]
            rival = None
    return _reading(raw, column, chosen, rival)


def _told(raw: RawTable, column: Column, told: Sequence[str]) -> DateReading | None:
    """The reading that a person gives.

    Raises:
        SourceFormatError: if it fits too few values, or is no format at all.
    """
    try:
        share = _shares(raw, column, "raw", [tuple(told)])[0]
    except ValueError as error:
        raise SourceFormatError(f"--date-format: {error}") from error
    if share < MIN_FIT:
        moment = moment_by(column, told)
        rows = raw.rows(
            f"select {column.position} from raw where {column.position} is not null "
            f"and {moment} is null limit 1"
        )
        example = f", e.g. not {rows[0][0]!r}" if rows else ""
        raise SourceFormatError(
            f"--date-format {' and '.join(map(repr, told))} fits only {share:.0%} of the dates in "
            f"column {column.name!r}{example}; correct it, or leave it out to have it guessed"
        )
    return _reading(raw, column, list(told), None)


def _reading(
    raw: RawTable, column: Column, forms: Sequence[str], rival: Rival | None
) -> DateReading:
    moment = moment_by(column, forms)
    place = column.position
    ((offset_share, clock_share),) = raw.rows(
        f"""
        select avg(regexp_matches({place}, '\\d\\s*(Z|UTC|GMT|[+-]\\d\\d(:?\\d\\d)?)$')::int)
                filter (contains({place}, ':')),
            avg((cast({moment} as time) <> time '00:00:00')::int)
        from raw where {moment} is not null
        """
    )
    has_clock = (clock_share or 0) >= MIN_CLOCK_SHARE
    is_epoch = set(forms) <= set(EPOCH_WORDS)
    n_offsets = (offset_share or 0) if ISO in forms else 0
    zoned = [has_offset(form) for form in forms]
    return DateReading(
        forms=() if tuple(forms) == (ISO,) else tuple(forms),
        moment=moment,
        is_utc=all(zoned) or (tuple(forms) == (ISO,) and n_offsets >= MIN_FIT),
        is_mixed_utc=(any(zoned) and not all(zoned))
        or (n_offsets > 0 and (tuple(forms) != (ISO,) or n_offsets < MIN_FIT)),
        is_epoch=is_epoch,
        is_epoch_of_days=is_epoch and not has_clock,
        has_clock=has_clock,
        rival=rival,
    )


def _shares(
    raw: RawTable, column: Column, table: str, ways: Sequence[Sequence[str]]
) -> list[float]:
    """Share of filled values that each way reads as a date of our times."""
    counted = [
        f"count(*) filter (year({moment_by(column, way)}) between "
        f"{FIRST_EPOCH_YEAR if way[0] in EPOCH_WORDS else FIRST_YEAR} and {LAST_YEAR})"
        for way in ways
    ]
    (found,) = raw.rows(f"select {', '.join(counted)}, count({column.position}) from {table}")
    return [n / max(found[-1], 1) for n in found[:-1]]


def _fitting(raw: RawTable, column: Column, forms: Sequence[str]) -> dict[str, float]:
    """The formats that read some of the column, with the share of all rows that each reads."""
    place = column.position
    sample = f"(select distinct {place} from raw where {place} is not null limit {SAMPLE})"
    shapes = {_shape(str(text)) for (text,) in raw.rows(f"select {place} from {sample}")}
    shaped = [form for form in forms if form in DATE_WORDS or _shape_of_format(form) in shapes]
    tried = _shares(raw, column, sample, [(form,) for form in shaped])
    fitting = [form for form, share in zip(shaped, tried, strict=True) if share]
    if not fitting:
        return {}
    shares = _shares(raw, column, "raw", [(form,) for form in fitting])
    return dict(zip(fitting, shares, strict=True))


def _shape(text: str) -> tuple[str, bool, bool, bool]:
    """Marks between the parts, and whether there is a month's name, half a day, an offset.

    It rules most formats out before a database tries them.
    """
    plain = OFFSET.sub(r"\1", text)
    clock = HALF_DAY.sub("", plain)
    has_name = re.search("[A-Za-z]{3}", clock) is not None
    return NO_MARK.sub("", clock), has_name, clock != plain, plain != text


def _shape_of_format(form: str) -> tuple[str, bool, bool, bool]:
    has_name = any(code in form for code in ("%b", "%B"))
    return NO_MARK.sub("", CODE.sub("", form)), has_name, "%p" in form, has_offset(form)


def _list(raw: RawTable, column: Column, shares: dict[str, float]) -> list[str]:
    """Formats that read nearly all values together, each one some that those before do not."""
    chosen: list[str] = []
    covered = 0.0
    while shares and len(chosen) < MAX_FORMATS:
        left = [form for form in shares if form not in chosen]
        if not left:
            break
        gained = _shares(raw, column, "raw", [(*chosen, form) for form in left])
        best = max(range(len(left)), key=lambda at: gained[at])
        if gained[best] - covered < MIN_LISTED_FIT:
            break
        chosen.append(left[best])
        covered = gained[best]
    return chosen if covered >= MIN_FIT else []


def _rival(raw: RawTable, column: Column, form: str, shares: dict[str, float]) -> Rival | None:
    """A format that reads the same texts as other days, where the file does not decide."""
    for other in shares:
        # Nobody who writes the year first writes the day next, unless the file shows it.
        if (
            other == form
            or {other, form} & set(EPOCH_WORDS)
            or other.startswith((*YEAR_DAY, *YEAR_AND_DAY))
        ):
            continue
        # One clock for both: an offset is no other order of day and month.
        is_utc = has_offset(form) or has_offset(other)
        first, second = (moment_by(column, (each,), is_utc=is_utc) for each in (form, other))
        differ = f"{first}::date <> {second}::date and year({second}) >= {FIRST_YEAR}"
        ((n_differ, only_first, only_second, example),) = raw.rows(
            f"select count(*) filter ({differ}), count(*) filter ({first} is not null and {second} "
            f"is null), count(*) filter ({first} is null and {second} is not null), "
            f"coalesce(min({column.position}) filter ({differ}), min({column.position}) filter "
            f"({first} is not null)) from raw"
        )
        # 01/01/2021 alone reads alike both ways, and the next file decides by its own dates.
        is_alike = not n_differ and not only_first and not only_second and _swap(form, other)
        if not (n_differ or is_alike) or only_first > NOISE * only_second:
            continue
        ((one, two),) = raw.rows(
            f"select ({first})::date::varchar, ({second})::date::varchar from raw "
            f"where {column.position} = ? limit 1",
            [example],
        )
        return Rival(
            form=form,
            other=other,
            example=example,
            meanings=(one, two),
            in_order=_in_order(raw, {form: first, other: second}),
            both_occur=bool(only_first and only_second),
        )
    return None


def _swap(form: str, other: str) -> bool:
    """Whether one writes the month first and the other the day."""
    pairs = ((form, other), (other, form))
    return any(a.startswith(MONTH_FIRST) and b.startswith(DAY_FIRST) for a, b in pairs)


def _in_order(raw: RawTable, moments: dict[str, str]) -> str | None:
    """The one way by which the rows of the file are in order of time, if only one is."""
    orderly = []
    for form, moment in moments.items():
        ((share,),) = raw.rows(
            f"select greatest(avg((step >= interval 0 day)::int), avg((step <= interval 0 day)::int"
            f")) from (select {moment} - lag({moment}) over (order by rowid) as step from raw)"
        )
        orderly += [form] if (share or 0) >= 0.99 else []
    return orderly[0] if len(orderly) == 1 else None


def _by_the_future(raw: RawTable, column: Column, rival: Rival) -> str | None:
    """The way by which no date is still to come, where by the other some are."""
    early = []
    for form in (rival.form, rival.other):
        moment = moment_by(column, (form,))
        ((share,),) = raw.rows(
            f"select avg(({moment} > current_date + interval 2 day)::int) from raw"
        )
        early += [form] if (share or 0) <= 1 - MIN_FIT else []
    return early[0] if len(early) == 1 and not rival.both_occur else None


def _by_constant_day(raw: RawTable, column: Column, rival: Rival) -> str | None:
    """The way by which every date is the same day of a month, over a year or more.

    A publisher of months writes 01/03/2021 for March. The same days of one month in several years
    would be no data of incidents.
    """
    constant = []
    for form in (rival.form, rival.other):
        moment = moment_by(column, (form,))
        ((n_days, n_months),) = raw.rows(
            f"select count(distinct day({moment})), count(distinct date_trunc('month', {moment})) "
            "from raw"
        )
        if n_days == 1 and n_months >= MIN_SPAN_MONTHS:
            constant.append(form)
    return constant[0] if len(constant) == 1 and not rival.both_occur else None
