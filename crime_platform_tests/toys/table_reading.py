"""One file of the small town's police source, written, read, and asked for its rows.

The town has 2 x 2 cells of 500 m from 630000, 4833000, and the file's coordinates are metres.
"""

import datetime as dt
from dataclasses import replace

import duckdb

from crime_platform.pipeline.declared_grid import grid_of
from crime_platform.sources.table import read_table_file
from crime_platform.study_area.source import ColumnMapping
from crime_platform.study_area.study_area import load_study_area
from toys.paths import FIXTURES

TOWN = load_study_area(FIXTURES / "small_town.toml")
GRID = grid_of(TOWN)
POLICE = TOWN.sources[0]
AS_OF = dt.date(2020, 12, 31)
COLUMNS = {"occurred_at": "when", "offence": "what", "x": "east", "y": "north"}
HEADER = "when,what,east,north\n"
GOOD_ROW = "2020-01-31,Burglary,630250,4833250\n"


def reader_into(folder):
    """Read text (or bytes) as one file of the police source, changed as the keywords say."""

    def read_text(content, *, name="file.csv", columns=None, area=TOWN, grid=GRID, **changes):
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        mapping = ColumnMapping(**{**COLUMNS, **(columns or {})})
        source = replace(POLICE, **{"columns": mapping, "paths": (name,), **changes})
        return read_table_file(path, source, area, folder, grid=grid, as_of=AS_OF)

    return read_text


def accepted(reading, *columns):
    """These columns of the accepted rows, in file order."""
    query = f"""
        select {", ".join(columns)}
        from (from read_parquet(?) order by source_file, source_row)
    """
    with duckdb.connect() as connection:
        return connection.execute(query, [str(reading.incidents)]).fetchall()


def rejected(reading):
    """Row, reason and value of the rejected rows, in file order."""
    query = "select source_row, reason, value from read_parquet(?) order by source_file, source_row"
    with duckdb.connect() as connection:
        return connection.execute(query, [str(reading.rejected)]).fetchall()
