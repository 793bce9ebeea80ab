"""SQL that turns the mapped columns of a file from text into typed values.

A value that cannot be parsed becomes null, with its text beside it where a person will ask for it.
"""

from collections.abc import Sequence

from crime_platform.vocabulary.source import HHMM, place_columns, place_literals
from crime_platform.vocabulary.study_area import Source

MAX_COUNT = 10_000_000  # incidents in one row: more are a mistake, and would overflow the totals
DAY_LENGTH = len("2014-01-31")
SECOND_LENGTH = len("2014-01-31 23:59:59")
# Form in which codes and names of places are compared: publishers end names in a full stop and
# write the same code with and without leading zeros.
PLACE_KEY = "ltrim(lower(trim(rtrim(trim(cast({} as varchar)), '.'))), '0')"
CLOCK_FORMATS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p")
# Years that a calendar knows: a date beyond them cannot be computed with, and is a mistake.
DATED = "moment between timestamp '0001-01-01' and timestamp '9999-12-31 23:59:59.999999'"
OUTER_BLANKS = (9, 10, 13, 32, 160)  # tab, line feed, return, blank, hard blank
CLOCK_CODES = ("%H", "%I", "%-H", "%-I", "%c", "%X")


def wanted_columns(source: Source) -> dict[str, str]:
    """The publisher's columns to read, by the key under which the scan offers each."""
    filtered = {} if source.only is None else {"area": source.only.column}
    return source.columns.mapped() | filtered


def kept_values(source: Source) -> list[str]:
    """What the column of `[source.only]` must hold, in the form that `$kept` is compared in."""
    values = () if source.only is None else source.only.values
    return [value.strip().rstrip(".").strip().lower().lstrip("0") for value in values]


def place_texts(source: Source) -> list[str]:
    """For `$place_texts`: what stands before, between and behind the columns of a template."""
    written = source.columns.place or ""
    return list(place_literals(written)) if place_columns(written) else []


def typed_columns(relation: str, source: Source, keys: Sequence[str]) -> str:
    """Query for the columns of LOADED that follow the row number.

    It reads $path, and $formats, $kept, $place_texts or $timezone when the source needs them.

    Args:
        relation: SQL that offers one text column per key.
        source: how the texts are read.
        keys: of the mapping, as far as the file has their columns.
    """
    cleaned = ", ".join(f"nullif({_trimmed(key)}, '') as {key}" for key in keys)
    optional = (
        *("id", "hour", "count", "premises", "part", "place", "district"),
        *(("x", "y") if source.columns.place is not None else ()),
    )
    absent = ", ".join(f"null as {key}" for key in optional if key not in keys)
    east, north = ("lon", "lat") if source.columns.lon is not None else ("x", "y")
    n_incidents = (
        f"case when count >= 1 and count <= {MAX_COUNT} and count = floor(count) then count end"
        if "count" in keys
        else "1"
    )
    is_elsewhere = (
        f"not list_contains($kept, coalesce({PLACE_KEY.format('area')}, ''))"
        if source.only is not None
        else "false"
    )
    return f"""
        with cleaned as (select {cleaned}{", " + absent if absent else ""} from ({relation})),
        parsed as (
            select
                {_moment(source)} as moment, {_hour(source, keys)} as clock_hour,
                try_cast({east} as double) as east, try_cast({north} as double) as north,
                try_cast(count as double) as count, count as count_text,
                id, occurred_at, offence, premises, part,
                {PLACE_KEY.format(_place(source))} as place,
                {PLACE_KEY.format("district")} as district, {is_elsewhere} as is_elsewhere,
                hash({", ".join(keys)}) as fingerprint
            from cleaned
        ),
        placed as (
            select *, isfinite(east) and isfinite(north) and (east, north) <> (0, 0) as is_placed
            from parsed
        )
        select
            id as source_id,
            case when {DATED} then cast(moment as date) end as occurred_on,
            case when clock_hour between 0 and 23 then cast(clock_hour as tinyint) end,
            case when moment is null or not {DATED} then occurred_at end as bad_date,
            offence as source_offence, cast(premises as varchar) as source_premises,
            cast(part as varchar) as part, place, district, is_elsewhere,
            case when is_placed then east end as east,
            case when is_placed then north end as north,
            cast({n_incidents} as integer) as n_incidents,
            case when {n_incidents} is null then count_text end as bad_count,
            fingerprint
        from placed
    """


def _place(source: Source) -> str:
    """SQL for the code of a place: its column, or the template; null where all of it is blank."""
    names = [f"place_{at}" for at in range(1, len(place_texts(source)))]
    if not names:
        return "place"
    pieces = [f"coalesce({name}, '') || $place_texts[{at}]" for at, name in enumerate(names, 2)]
    whole = " || ".join(["$place_texts[1]", *pieces])
    return f"case when coalesce({', '.join(names)}) is not null then {whole} end"


def _trimmed(key: str) -> str:
    """SQL for a text without outer blanks: of labels, which are compared by letter, tabs too."""
    if key not in ("offence", "premises"):
        return f"trim({key})"
    # To trim characters of one's own choice is slow, so only texts that need it are trimmed.
    blanks = " || ".join(f"chr({code})" for code in OUTER_BLANKS)
    first, last = f"unicode({key})", f"unicode(right({key}, 1))"
    needs_it = f"{first} in {OUTER_BLANKS} or {last} in {OUTER_BLANKS}"
    return f"case when {needs_it} then trim({key}, {blanks}) else {key} end"


def _moment(source: Source) -> str:
    """SQL for the local time of an incident, null where it cannot be parsed."""
    is_utc = source.timestamps_are == "utc"
    if source.datetime_formats:
        parsed = "try_strptime(occurred_at, $formats)"
        if is_utc and _has_clock(source):
            return f"try(timezone($timezone, cast({parsed} as timestamptz)))"
        return parsed
    # What follows the seconds is an offset: a local time is read off the clock, as written.
    local = f"try_cast(left(occurred_at, {SECOND_LENGTH}) as timestamp)"
    if not is_utc:
        return local
    # Instants at the ends of time have no local clock: the attempt gives null.
    instant = "try(timezone($timezone, try_cast(occurred_at as timestamptz)))"
    return f"case when length(occurred_at) <= {DAY_LENGTH} then {local} else {instant} end"


def _hour(source: Source, keys: Sequence[str]) -> str:
    """SQL for the hour: the mapped column, else the clock part of the timestamp."""
    if "hour" in keys:
        clock = f"hour(try_strptime(hour, {list(CLOCK_FORMATS)}))"
        number = "try_cast(hour as double)"
        if source.hour_format == HHMM:  # 5 is five past midnight, and 99 is no time of day
            number = f"case when {number} % 100 < 60 then {number} / 100 end"
        return f"case when contains(hour, ':') then {clock} else floor({number}) end"
    if not source.datetime_formats:
        return f"case when length(occurred_at) > {DAY_LENGTH} then hour({_moment(source)}) end"
    return f"hour({_moment(source)})" if _has_clock(source) else "null"


def _has_clock(source: Source) -> bool:
    return any(code in each for each in source.datetime_formats for code in CLOCK_CODES)
