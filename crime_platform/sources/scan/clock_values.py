"""SQL for the moment of an incident and its hour, however a publisher writes dates and clocks."""

import re

from crime_platform.study_area.source import (
    DATE_WORDS,
    EPOCH_MS,
    EPOCH_WORDS,
    HHMM,
    ISO,
    Source,
    template_columns,
)

DAY_LENGTH = len("2014-01-31")
SECOND_LENGTH = len("2014-01-31 23:59:59")
CLOCK_CODES = ("%H", "%I", "%-H", "%-I", "%c", "%X")
ISO_HALF_DAYS = ["%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d %I:%M %p", "%Y-%m-%dT%I:%M:%S %p"]

_BLANKS = "[ \t\u00a0\u202f]*"  # programs of the United States put a narrow one before PM
_HALF_DAY = rf"(\d){_BLANKS}([AaPp])\.?{_BLANKS}[Mm]\.?"
# 23:05, 23:05:59.5, 23h05, 23.05, 11 PM, 11:05p.m., a day before it or an offset behind it.
_CLOCK = (
    rf"^(?:\d{{4}}-\d{{2}}-\d{{2}}[T ])?T?(\d{{1,2}}){_BLANKS}(?:[:.,hH]{_BLANKS}(\d{{2}})?)?"
    rf"(?:[:.,m]{_BLANKS}\d{{2}}(?:[.,]\d+)?s?|m|min)?{_BLANKS}"
    rf"(?:([AaPp])\.?{_BLANKS}[Mm]\.?|[hH]|Z|[-+]\d{{2}}:?\d{{2}})?$"
)
# What may follow the seconds of a date that was put together: anything else is a second clock.
_ISO_TAIL = r"^$|^[.,]?\d*\s*(?:Z|UTC|[-+]\d{2}(?::?\d{2})?)?$"
_APART_OFFSET = r"(:\d\d(?:\.\d+)?)\s+(Z|[-+]\d\d)"
_NO_SECONDS = r"^(\S+[T ]\d{1,2}:\d\d)(\s*(?:[A-Za-z]|[-+]\d\d))"


def moment_of(text: str, source: Source) -> str:
    """SQL for the local time of an incident, null where it cannot be parsed.

    Args:
        text: the column that holds it.
        source: how it is written, and by which clock; $timezone is that of the area.
    """
    moments = [moment for moment, _ in _readings(text, source)]
    return moments[0] if len(moments) == 1 else f"coalesce({', '.join(moments)})"


def clock_hour(source: Source, *, has_hour: bool) -> str:
    """SQL for the hour: the column `hour`, else the clock part of `occurred_at`."""
    if has_hour:
        return _hour_of_column(source)
    readings = _readings("occurred_at", source)
    if len(readings) == 1:
        return readings[0][1]
    cases = " ".join(f"when {moment} is not null then {hour}" for moment, hour in readings)
    return f"case {cases} end"


def _readings(text: str, source: Source) -> list[tuple[str, str]]:
    """SQL for the moment and the hour of it, for each way in which dates are written, in order.

    Formats of one kind that follow each other are one way: a database tries them at once.
    """
    groups: list[tuple[list[str], bool]] = []
    for form in source.datetime_formats or (ISO,):
        has_clock = form in EPOCH_WORDS or any(code in form for code in CLOCK_CODES)
        if not groups or {form, groups[-1][0][0]} & set(DATE_WORDS) or groups[-1][1] != has_clock:
            groups.append(([form], has_clock))
        else:
            groups[-1][0].append(form)
    return [_reading(forms, has_clock, text, source) for forms, has_clock in groups]


def _reading(forms: list[str], has_clock: bool, text: str, source: Source) -> tuple[str, str]:
    if forms == [ISO]:
        moment = _iso(text, source)
        return moment, f"case when contains({text}, ':') then hour({moment}) end"
    moment = _moment_by(forms, has_clock, text, source)
    return moment, f"hour({moment})" if has_clock else "null"


def _moment_by(forms: list[str], has_clock: bool, text: str, source: Source) -> str:
    if forms[0] in EPOCH_WORDS:
        factor = 1 if forms[0] == EPOCH_MS else 1000
        # 1.6E12 is a number that a spreadsheet has rounded: its last digits are lost.
        number = f"case when not contains(lower({text}), 'e') then try_cast({text} as double) end"
        parsed = f"try(epoch_ms(try_cast(round({number} * {factor}) as bigint)))"
    else:
        if any("%p" in form for form in forms):
            text = f"regexp_replace({text}, {_quoted(_HALF_DAY)}, '\\1 \\2M')"
            forms = [re.sub(r"\s*%p", " %p", form) for form in forms]
        parsed = f"try_strptime({text}, [{', '.join(map(_quoted, forms))}])"
    if source.timestamps_are == "utc" and has_clock:
        return f"try(timezone($timezone, cast({parsed} as timestamptz)))"
    return parsed


def _iso(text: str, source: Source) -> str:
    # What follows the seconds is an offset: a local time is read off the clock, as written.
    local = f"try_cast(left({text}, {SECOND_LENGTH}) as timestamp)"
    if template_columns(source.columns.occurred_at):
        tail = f"substr({text}, {SECOND_LENGTH + 1})"
        local = f"case when regexp_matches({tail}, {_quoted(_ISO_TAIL)}) then {local} end"
    # Half a day would be lost with AM and PM.
    halves = (
        f"try_strptime(regexp_replace({text}, {_quoted(_HALF_DAY)}, '\\1 \\2M'), {ISO_HALF_DAYS})"
    )
    local = f"case when lower(right({text}, 1)) in ('m', '.') then {halves} else {local} end"
    # A database takes 01/31/20 for a day of the year 1.
    has_year = f"substr({text}, 5, 1) in ('-', '/')"
    local = f"case when {has_year} then {local} end"
    if source.timestamps_are == "local":
        return local
    # Instants at the ends of time have no local clock: the attempt gives null.
    # DuckDB reads no offset behind a blank, and before 2.0 none behind a clock without seconds.
    whole = f"regexp_replace({text}, {_quoted(_NO_SECONDS)}, '\\1:00\\2')"
    joined = f"regexp_replace({whole}, {_quoted(_APART_OFFSET)}, '\\1\\2')"
    instant = f"try(timezone($timezone, try_cast({joined} as timestamptz)))"
    instant = f"case when {has_year} then {instant} end"
    return f"case when contains({text}, ':') then {instant} else {local} end"


def _hour_of_column(source: Source) -> str:
    number = "try_cast(hour as double)"
    # 5 is five past midnight, and 99 is no time of day.
    plain = f"floor({number})"
    if source.hour_format == HHMM:
        plain = f"floor(case when {number} % 100 < 60 then {number} / 100 end)"
        # 23.05 is a clock where 2305 is; where plain hours are expected, it is one all the same.
        is_plain = f"{number} is not null and not regexp_matches(hour, '^\\d{{1,2}}\\.\\d{{2}}$')"
    else:
        is_plain = f"{number} is not null"
    first, minute, half = (
        f"regexp_extract(hour, {_quoted(_CLOCK)}, {group})" for group in (1, 2, 3)
    )
    at = f"try_cast({first} as integer)"
    shifted = (
        f"case when {half} = '' then {at} "
        f"when {at} between 1 and 12 then {at} % 12 + case when lower({half}) = 'p' then 12 else 0 "
        f"end when lower({half}) = 'p' then {at} end"
    )
    clock = f"case when coalesce(try_cast({minute} as integer), 0) < 60 then {shifted} end"
    return f"case when {is_plain} then {plain} else {clock} end"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
