"""Points for coded places: meshblocks, blocks, tracts, joined from a table of their own.

A code that the table does not know falls back to its district, whose point is the mean of the
district's places. How many codes matched is measured, because a table of another year matches most
of them and silently loses the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from crime_platform.sources.files.kinds import PARQUET
from crime_platform.sources.files.opening import open_tables
from crime_platform.sources.scan.columns import match_columns
from crime_platform.sources.scan.table_scan import drop_loaded
from crime_platform.sources.scan.typed_values import PLACE_KEY
from crime_platform.study_area.source import FIRST, PlaceTable
from crime_platform.vocabulary.incident import SourceFormatError

MAX_CODES_SHOWN = 5
FIRST_OF_EACH = " qualify row_number() over (partition by code order by rowid) = 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceMatch:
    """Incidents of one file by what is known of their place."""

    n_known: int = 0  # whose place the publisher wrote down
    n_matched: int = 0  # of those, with a code that the table has
    n_by_district: int = 0  # of the rest, placed at the point of their district
    unmatched: tuple[str, ...] = ()  # some of the codes
    better_column: str | None = None  # of the table, if too few matched and another knows more

    @property
    def share(self) -> float:
        """Incidents with a code that the table has, of those with a known place."""
        return self.n_matched / self.n_known if self.n_known else 1.0


def matched_together(matches: Sequence[PlaceMatch]) -> PlaceMatch | None:
    """One match over several files; None where no file has coded places."""
    if not matches:
        return None
    worst = min(matches, key=lambda match: match.share)
    return PlaceMatch(
        n_known=sum(match.n_known for match in matches),
        n_matched=sum(match.n_matched for match in matches),
        n_by_district=sum(match.n_by_district for match in matches),
        unmatched=worst.unmatched,
        better_column=worst.better_column,
    )


def locate(
    connection: duckdb.DuckDBPyConnection, places: PlaceTable, home: Path, scratch: Path
) -> PlaceMatch:
    """Fill `east` and `north` of the table `loaded` from the codes in `place` and `district`.

    Raises:
        SourceFormatError: if the table of places is missing, lacks a column, or names a place
            twice.
    """
    _load_points(connection, places, home, scratch)
    unknown = [_key_of(connection, code) for code in places.unknown]
    is_known = (
        "place is not null and not list_contains($unknown, place) "
        "and coalesce(try_cast(place as double), 1) > 0"
    )
    connection.execute(
        f"""
        create or replace table located as
        select loaded.* replace (
                coalesce(spot.east, wider.east) as east, coalesce(spot.north, wider.north) as north
            ),
            {is_known} and place <> '' as is_known, spot.code is not null as is_matched,
            spot.code is null and wider.code is not null as is_by_district
        from loaded left join spot on spot.code = loaded.place
        left join wider on wider.code = loaded.district
            and not list_contains($unknown, loaded.district)
        """,
        {"unknown": unknown},
    )
    match = _measured(connection, places)
    drop_loaded(connection)
    connection.execute(
        "create table loaded as "
        "select * exclude (is_known, is_matched, is_by_district) from located"
    )
    for table in ("located", "spot", "wider", "place_row"):
        connection.execute(f"drop table {table}")
    return match


def _load_points(
    connection: duckdb.DuckDBPyConnection, places: PlaceTable, home: Path, scratch: Path
) -> None:
    """Tables `place_row` (the file), `spot` (a point per place) and `wider` (per district)."""
    files = open_tables(home.absolute() / places.file, scratch)
    if len(files) != 1:
        raise SourceFormatError(
            f"{places.file}: holds {len(files)} tables, expected the one of the places; unpack it"
        )
    reader = "read_parquet(?)" if files[0].kind == PARQUET else "read_csv(?, all_varchar = true)"
    try:
        connection.execute(
            f"create or replace table place_row as from {reader}", [str(files[0].path)]
        )
    except duckdb.Error as error:
        raise SourceFormatError(
            f"{places.file}: cannot be read as a table ({str(error).splitlines()[0]}); correct "
            "file under [source.places]"
        ) from error
    names = [str(row[0]) for row in connection.execute("describe place_row").fetchall()]
    wanted = {"code": places.code, "x": places.x, "y": places.y}
    wanted |= {"district": places.district} if places.district else {}
    positions = match_columns(places.file, names, wanted)
    columns = {key: _quoted(names[at]) for key, at in positions.items()}
    x, y = (_number(connection, columns[key]) for key in ("x", "y"))
    district = PLACE_KEY.format(columns["district"]) if places.district else "cast(null as varchar)"
    connection.execute(
        f"create or replace table spot as select {PLACE_KEY.format(columns['code'])} as code, "
        f"{district} as district, {x} as east, {y} as north from place_row "
        f"where isfinite({x}) and isfinite({y}) and {columns['code']} is not null"
        f"{FIRST_OF_EACH if places.repeated == FIRST else ''}"
    )
    _require_points(connection, places, columns)
    connection.execute(
        "create or replace table wider as select district as code, avg(east) as east, "
        "avg(north) as north from spot where district is not null group by district"
    )
    twice = connection.execute(
        "select code, count(*) from spot group by code having count(*) > 1 order by code limit 1"
    ).fetchone()
    if twice:
        raise SourceFormatError(
            f"{places.file}: place {twice[0]!r} stands in {twice[1]} rows, expected one; keep one "
            "row per place, correct code under [source.places], or say there that the first row "
            'counts: repeated = "first"'
        )


def _number(connection: duckdb.DuckDBPyConnection, column: str) -> str:
    """SQL for a coordinate of a place; a comma is a decimal one where nothing else explains it."""
    has_comma, has_point, is_thousands = connection.execute(f"""
        select count(*) filter (regexp_full_match(number, '[-+]?\\d+,\\d+')),
            count(*) filter (contains(number, '.')),
            count(*) filter (regexp_full_match(number, '[-+]?\\d+,\\d{{3}}'))
        from (select trim(cast({column} as varchar)) as number from place_row)
    """).fetchall()[0]
    if has_comma > is_thousands and not has_point:
        return f"try_cast(replace(cast({column} as varchar), ',', '.') as double)"
    return f"try_cast({column} as double)"


def _require_points(
    connection: duckdb.DuckDBPyConnection, places: PlaceTable, columns: dict[str, str]
) -> None:
    """Some place must have a point: else no code would seem to be in the table."""
    x, y, code = (f"cast({columns[key]} as varchar)" for key in ("x", "y", "code"))
    ((n_places, n_rows, example),) = connection.execute(
        f"select (select count(*) from spot), count(*), "
        f"first({x} || ' and ' || {y} order by rowid) filter ({code} is not null) from place_row"
    ).fetchall()
    if n_rows and not n_places:
        raise SourceFormatError(
            f"{places.file}: no row has a code and two numbers in x = {places.x!r} and "
            f"y = {places.y!r}; the first place has {example or 'blanks'}: correct code, x and y "
            "under [source.places], or write the numbers with a decimal point"
        )


def _measured(connection: duckdb.DuckDBPyConnection, places: PlaceTable) -> PlaceMatch:
    n_known, n_matched, n_by_district = connection.execute("""
        select coalesce(sum(n) filter (is_known), 0),
            coalesce(sum(n) filter (is_known and is_matched), 0),
            coalesce(sum(n) filter (is_by_district), 0)
        from (select *, coalesce(n_incidents, 1) as n from located where not is_elsewhere)
    """).fetchall()[0]
    unmatched = connection.execute(f"""
        select place from located where is_known and not is_matched and not is_elsewhere
        group by place order by count(*) desc, place limit {MAX_CODES_SHOWN}
    """).fetchall()
    match = PlaceMatch(
        n_known=int(n_known),
        n_matched=int(n_matched),
        n_by_district=int(n_by_district),
        unmatched=tuple(code for (code,) in unmatched),
    )
    if match.share >= places.min_match_share:
        return match
    return PlaceMatch(
        n_known=match.n_known,
        n_matched=match.n_matched,
        n_by_district=match.n_by_district,
        unmatched=match.unmatched,
        better_column=_better_column(connection, places, match.share),
    )


def _better_column(
    connection: duckdb.DuckDBPyConnection, places: PlaceTable, share: float
) -> str | None:
    """The column of the table that knows the largest share of the codes, if more than now."""
    best, best_share = None, share
    for (
        name,
        *_,
    ) in connection.execute("describe place_row").fetchall():
        codes = PLACE_KEY.format(_quoted(str(name)))
        (found,) = connection.execute(f"""
            select coalesce(sum(n) filter (place in (select {codes} from place_row)), 0) / sum(n)
            from (select place, coalesce(n_incidents, 1) as n from located
                where is_known and not is_elsewhere)
        """).fetchall()[0]
        if name != places.code and found is not None and found > best_share:
            best, best_share = str(name), float(found)
    return best


def _key_of(connection: duckdb.DuckDBPyConnection, code: str) -> str:
    return str(connection.execute(f"select {PLACE_KEY.format('?')}", [code]).fetchall()[0][0])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
