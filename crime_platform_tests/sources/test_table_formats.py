"""How a file may be written: delimiters, quotes, encodings, gzip, Parquet and GeoJSON."""

import datetime as dt
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crime_platform.study_area.source import RowFilter
from crime_platform.vocabulary.incident import SourceFormatError
from toys.table_reading import GOOD_ROW, HEADER, accepted, reader_into, rejected


@pytest.fixture
def read(tmp_path):
    return reader_into(tmp_path)


def test_a_line_break_in_quotes_starts_no_row(read):
    reading = read(
        'note,when,what,east,north\n"two\nlines",2020-01-31,Robbery,630250,4833250\nbroken\n\n'
        '"a\n\nb",2020-01-31,Robbery,630250,4833250\n'
    )

    assert accepted(reading, "source_row") == [(2,), (5,)]  # 3 is broken and 4 blank
    assert rejected(reading) == [(3, "broken row", None)]


def test_columns_are_found_whatever_their_order_case_and_blanks(read):
    reading = read("\ufeffNorth ,sex, EAST,What,WHEN\n4833250,F,630250,Robbery,2020-01-31\n")

    assert accepted(reading, "offence_type", "row", "col") == [("robbery", 0, 0)]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_delimiters_and_line_ends_are_told(read, delimiter, line_end):
    text = (HEADER + GOOD_ROW + GOOD_ROW).replace(",", delimiter).replace("\n", line_end)

    assert read(text).report.n_accepted == 2


def test_mixed_line_ends_lose_no_row(read):
    reading = read(HEADER + GOOD_ROW + GOOD_ROW.replace("\n", "\r\n") + "short\n" + GOOD_ROW)

    assert accepted(reading, "source_row") == [(2,), (3,), (5,)]
    assert rejected(reading) == [(4, "broken row", None)]


def test_a_quote_inside_a_field_does_not_disturb_the_numbers(read):
    text = "when,what,east,north,note\n"
    plain = GOOD_ROW.replace("\n", ",\n")
    reading = read(text + GOOD_ROW.replace("\n", ',5" pipe\n') + plain + "short\n" + plain)

    assert accepted(reading, "source_row") == [(2,), (3,), (5,)]
    assert rejected(reading) == [(4, "broken row", None)]


@pytest.mark.parametrize("n_behind", [3, 20_000])
@pytest.mark.parametrize("later", ["", '2020-01-31,"Robbery",630250,4833250\n'])
def test_an_open_quote_hides_no_row_behind_it(read, n_behind, later):
    broken = '2020-01-31,"Robbery,630250,4833250\n'

    reading = read(HEADER + GOOD_ROW + broken + GOOD_ROW * n_behind + later + GOOD_ROW)

    assert rejected(reading) == [(3, "broken row", None)]
    assert reading.report.n_accepted == 2 + n_behind + bool(later)
    assert accepted(reading, "max(source_row)") == [(4 + n_behind + bool(later),)]


def test_bytes_that_are_not_utf8_break_only_their_row(read):
    content = (HEADER + GOOD_ROW).encode() + b"2020-01-31,Robb\xe9ry,630250,4833250\n"

    reading = read(content)

    assert accepted(reading, "source_row") == [(2,)]
    assert rejected(reading) == [(3, "broken row", None)]


def test_utf16_is_read(read):
    assert read((HEADER + GOOD_ROW).replace(",", "\t").encode("utf-16")).report.n_accepted == 1


def test_gzip_is_read(read):
    reading = read(gzip.compress((HEADER + GOOD_ROW).encode()), name="file.csv.gz")

    assert accepted(reading, "source_file", "source_row") == [("file.csv.gz", 2)]


def test_parquet_is_read_with_its_own_types(read, tmp_path):
    table = pa.table(
        {
            "when": pa.array(["2020-01-31 23:30", None]).cast(pa.timestamp("us")),
            "what": ["Robbery", "Robbery"],
            "north": [4833250.0, 4833250.0],
            "east": pa.array([630250, 630250], pa.int64()),
        }
    )
    pq.write_table(table, tmp_path / "made.parquet")

    reading = read((tmp_path / "made.parquet").read_bytes(), name="file.parquet")

    assert accepted(reading, "source_row", "occurred_on", "occurred_hour", "row") == [
        (1, dt.date(2020, 1, 31), 23, 0)
    ]
    assert rejected(reading) == [(2, "unparseable date", None)]


def test_parquet_instants_need_the_clock_stated(read, tmp_path):
    when = pa.array(["2020-02-01 04:59Z"]).cast(pa.timestamp("us", tz="UTC"))
    table = pa.table({"when": when, "what": ["Robbery"], "east": [630250], "north": [4833250]})
    pq.write_table(table, tmp_path / "made.parquet")
    content = (tmp_path / "made.parquet").read_bytes()

    reading = read(content, timestamps_are="utc")

    assert accepted(reading, "occurred_on", "occurred_hour") == [(dt.date(2020, 1, 31), 23)]
    with pytest.raises(SourceFormatError, match=r'column \'when\' holds instants.*"utc"'):
        read(content)


def test_geojson_points_are_read(read):
    feature = {
        "type": "Feature",
        "properties": {"When": "2020-01-31", "what": "Robbery", "victim_age": 30},
        "geometry": {"type": "Point", "coordinates": [630250, 4833250]},
    }
    nowhere = {**feature, "geometry": None}
    content = json.dumps({"type": "FeatureCollection", "features": [feature, nowhere]})

    reading = read(content, name="f.geojson", columns={"x": "geometry.x", "y": "geometry.y"})

    assert accepted(reading, "source_row", "row", "col") == [(1, 0, 0), (2, None, None)]


def test_a_row_without_an_area_is_not_of_the_area_zero(read):
    rows = "".join(f"2020-01-31,Burglary,630250,4833250,{area}\n" for area in ("0", "00", "", "1"))

    reading = read(
        f"when,what,east,north,beat\n{rows}", only=RowFilter(column="beat", values=("0",))
    )

    assert accepted(reading, "source_row") == [(2,), (3,)]


def test_rows_of_another_area_are_counted_and_left_alone(read):
    text = "when,what,east,north,council\n"
    here = "2020-01-31,Burglary,630250,4833250,Smalltown.\n"
    there = "2020-01-31,Unheard of,1,1,Elsewhere\n"
    only = RowFilter(column="Council", values=("smalltown",))

    reading = read(text + here + there * 3, only=only)

    assert accepted(reading, "source_row") == [(2,)]
    assert rejected(reading) == []
    assert (reading.report.n_elsewhere, reading.report.n_in_scope) == (3, 1)


def test_a_date_may_come_in_several_formats(read):
    text = HEADER + "202001,Burglary,630250,4833250\nMarch 2020,Burglary,630250,4833250\n"

    reading = read(text, datetime_formats=("%Y%m", "%B %Y"))

    days = accepted(reading, "occurred_on")
    assert days == [(dt.date(2020, 1, 1),), (dt.date(2020, 3, 1),)]


def test_a_column_that_a_file_may_leave_out_is_null_there(read):
    columns = {"hour": "clock", "premises": "where"}

    reading = read(HEADER + GOOD_ROW, columns=columns, optional=("hour", "premises"))

    assert accepted(reading, "occurred_hour", "source_premises") == [(None, None)]
