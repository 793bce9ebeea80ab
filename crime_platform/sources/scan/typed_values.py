"""SQL that turns the mapped columns of a file from text into typed values.

A value that cannot be parsed becomes null, with its text beside it where a person will ask for it.
"""

from collections.abc import Collection, Sequence

from crime_platform.sources.scan.clock_values import clock_hour, moment_of
from crime_platform.sources.scan.number_values import is_point, number_of, point_of
from crime_platform.study_area.source import template_columns, template_literals
from crime_platform.study_area.study_area import Source

MAX_COUNT = 10_000_000  # incidents in one row: more are a mistake, and would overflow the totals
# Form in which codes and names of places are compared: publishers end names in a full stop, write
# the same code with and without leading zeros, and programs that meet a blank make 1002.0 of 1002.
# A zero stays one: it is no blank.
PLACE_KEY = (
    r"regexp_replace(regexp_replace(lower(trim(rtrim(trim(cast({} as varchar)), '.'))), "
    r"'^(\d+)\.0+$', '\1'), '^0+(.)', '\1')"
)
# Years that a calendar knows: a date beyond them cannot be computed with, and is a mistake.
DATED = "moment between timestamp '0001-01-01' and timestamp '9999-12-31 23:59:59.999999'"
OUTER_BLANKS = (9, 10, 13, 32, 160)  # tab, line feed, return, blank, hard blank


def wanted_columns(source: Source) -> dict[str, str]:
    """The publisher's columns to read, by the key under which the scan offers each."""
    filtered = {} if source.only is None else {"area": source.only.column}
    return source.columns.mapped() | filtered


def query_values(query: str, source: Source, timezone: str) -> dict[str, object]:
    """Values of the parameters that a query of `typed_columns` has, without the path."""
    columns = source.columns
    kept = () if source.only is None else source.only.values
    values = {
        "kept": list(kept),
        "place_texts": list(template_literals(columns.place or "")),
        "occurred_at_texts": list(template_literals(columns.occurred_at)),
        "offence_label": source.offence_label,
        "timezone": timezone,
    }
    return {name: value for name, value in values.items() if f"${name}" in query}


def typed_columns(
    relation: str, source: Source, keys: Sequence[str], numeric: Collection[str] = ()
) -> str:
    """Query for the columns of LOADED that follow the row number.

    It reads $path, and what `query_values` gives it.

    Args:
        relation: SQL that offers one text column per key.
        source: how the texts are read.
        keys: of the mapping, as far as the file has their columns.
        numeric: keys whose columns hold numbers and no texts: no mark of the source is in them.
    """
    cleaned = ", ".join(f"nullif({_trimmed(key)}, '') as {key}" for key in keys)
    optional = (
        *("id", "hour", "count", "premises", "part", "place", "district"),
        *(("x", "y") if source.columns.place is not None else ()),
    )
    absent = [f"cast(null as varchar) as {key}" for key in optional if key not in keys]
    if source.offence_label is not None:
        absent.append("$offence_label as offence")
    if "occurred_at" not in keys:
        absent.append(f"{_filled_in('occurred_at', source.columns.occurred_at)} as occurred_at")
    whole = ", ".join(["*", *absent])
    east, north = _coordinates(source, numeric)
    n_incidents = (
        f"case when count >= 1 and count <= {MAX_COUNT} and count = floor(count) then count end"
        if "count" in keys
        else "1"
    )
    is_elsewhere = (
        "not list_contains("
        f"list_transform($kept, lambda value: {PLACE_KEY.format('value')}), "
        f"coalesce({PLACE_KEY.format('area')}, ''))"
        if source.only is not None
        else "false"
    )
    return f"""
        with cleaned as (select {cleaned} from ({relation})),
        whole as (select {whole} from cleaned),
        parsed as (
            select
                {moment_of("occurred_at", source)} as moment,
                {clock_hour(source, has_hour="hour" in keys)} as clock_hour,
                {east} as east, {north} as north,
                {number_of("count", source, numeric)} as count, count as count_text,
                id, occurred_at, offence, premises, part,
                {PLACE_KEY.format(_place(source))} as place,
                {PLACE_KEY.format("district")} as district, {is_elsewhere} as is_elsewhere,
                {_place_text(source)} as place_text,
                hash({", ".join(keys)}) as fingerprint
            from whole
        ),
        placed as (
            select *, {is_point("east", "north")} as is_placed
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
            case when not coalesce(is_placed, false) then place_text end as bad_place,
            fingerprint
        from placed
    """


def _coordinates(source: Source, numeric: Collection[str]) -> tuple[str, str]:
    """SQL for the eastward and the northward coordinate."""
    columns = source.columns
    if columns.point is not None:
        return point_of("point", source)
    east, north = ("lon", "lat") if columns.lon is not None else ("x", "y")
    return number_of(east, source, numeric), number_of(north, source, numeric)


def _place_text(source: Source) -> str:
    """SQL for the coordinates as they are written; null where there are none, or codes instead."""
    columns = source.columns
    if columns.point is not None:
        return "point"
    if columns.place is not None:
        return "cast(null as varchar)"  # DuckDB 1.5 takes an untyped one for a number
    east, north = ("lon", "lat") if columns.lon is not None else ("x", "y")
    return f"nullif(concat_ws(' ', {east}, {north}), '')"


def _place(source: Source) -> str:
    """SQL for the code of a place: its column, or the template; null where all of it is blank."""
    written = source.columns.place or ""
    return _filled_in("place", written) if template_columns(written) else "place"


def _filled_in(key: str, template: str) -> str:
    """SQL for a template with its columns filled in; null where all of them are blank."""
    names = [f"{key}_{at}" for at in range(1, len(template_columns(template)) + 1)]
    pieces = [f"coalesce({name}, '') || ${key}_texts[{at}]" for at, name in enumerate(names, 2)]
    whole = " || ".join([f"${key}_texts[1]", *pieces])
    return f"case when coalesce({', '.join(names)}) is not null then trim({whole}) end"


def _trimmed(key: str) -> str:
    """SQL for a text without outer blanks: of labels, which are compared by letter, tabs too."""
    if key not in ("offence", "premises"):
        return f"trim({key})"
    # To trim characters of one's own choice is slow, so only texts that need it are trimmed.
    blanks = " || ".join(f"chr({code})" for code in OUTER_BLANKS)
    first, last = f"unicode({key})", f"unicode(right({key}, 1))"
    needs_it = f"{first} in {OUTER_BLANKS} or {last} in {OUTER_BLANKS}"
    return f"case when {needs_it} then trim({key}, {blanks}) else {key} end"
