"""Which columns of a table of places hold the code and the point of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from crime_platform.onboarding.guesses.point_guess import guess_point
from crime_platform.onboarding.guesses.raw_files import read_raw
from crime_platform.onboarding.guesses.raw_table import Column, RawTable
from crime_platform.sources.scan.typed_values import PLACE_KEY
from crime_platform.vocabulary.incident import SourceFormatError

MIN_MATCH = 0.5  # of the codes that a file of incidents holds


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceGuess:
    """A table of places, and how it is read."""

    file: Path
    place: Column  # of the incidents, with the codes
    code: str
    x: str
    y: str
    in_degrees: bool
    match_share: float  # of incidents with a code that the table has
    points: list[tuple[float, float]]  # of the places that are used, once per incident


def guess_places(raw: RawTable, columns: Sequence[Column], file: Path, scratch: Path) -> PlaceGuess:
    """The columns of a table of places that fit the codes of the incidents.

    Args:
        raw: the incidents.
        columns: those of the incidents that may hold the code.
        file: the table of places.
        scratch: existing folder for what must be unpacked.

    Raises:
        SourceFormatError: if the table cannot be read, holds no coordinates, or no column of it
            knows the codes.
    """
    with duckdb.connect() as connection:
        table = read_raw(connection, [file], scratch).raw
        point = guess_point(table, table.columns(), {})
        if point is None or "point" in point.columns:
            raise SourceFormatError(
                f"--places {file}: no two columns hold coordinates; found "
                f"{', '.join(map(repr, table.names.values()))}"
            )
        used = [column.position for column in point.columns.values()]
        codes = {
            column.name: _keys(table, column)
            for column in table.columns()
            if column.position not in used
        }
        found = table.rows(f"select {point.east}, {point.north} from raw")
        code, place, share = _best_match(raw, columns, codes, file)
        keys = [key for (key,) in table.rows(f"select {_key(_named(table, code))} from raw")]
    where = {key: spot for key, spot in zip(keys, found, strict=True) if None not in spot}
    counted = raw.rows(f"select {_key(place)}, count(*) from raw group by 1")
    east, north = (column.name for column in point.columns.values())
    return PlaceGuess(
        file=file,
        place=place,
        code=code,
        x=east,
        y=north,
        in_degrees=point.in_degrees,
        match_share=share,
        points=[where[key] for key, n in counted if key in where for _ in range(n)],
    )


def _best_match(
    raw: RawTable, columns: Sequence[Column], codes: dict[str, set[str]], file: Path
) -> tuple[str, Column, float]:
    """The two columns that share most codes, and the share of incidents with one of them."""
    best: tuple[float, str, Column] | None = None
    for column in columns:
        counted = raw.rows(
            f"select {_key(column)}, count(*) from raw where {column.position} is not null group "
            "by 1"
        )
        n_rows = sum(n for _, n in counted)
        for name, known in codes.items():
            share = sum(n for key, n in counted if key in known) / max(n_rows, 1)
            if best is None or share > best[0]:
                best = (share, name, column)
    if best is None or best[0] < MIN_MATCH:
        raise SourceFormatError(
            f"--places {file}: no column of it knows the codes of the incidents; name their column "
            "with --column place=NAME, or fetch the table of the edition that the publisher uses"
        )
    return best[1], best[2], best[0]


def _key(column: Column) -> str:
    return PLACE_KEY.format(column.position)


def _keys(table: RawTable, column: Column) -> set[str]:
    return {key for (key,) in table.rows(f"select distinct {_key(column)} from raw") if key}


def _named(table: RawTable, name: str) -> Column:
    return next(column for column in table.columns() if column.name == name)
