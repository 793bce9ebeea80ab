"""A table of incidents read by mapping: what is accepted, what is rejected, and how it is told.

The town has 2 x 2 cells of 500 m from 630000, 4833000, and the file's coordinates are metres.
"""

import csv
import datetime as dt
import gzip
import json
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crime_platform.geography.grid import grid_of
from crime_platform.sources.table import read_source, read_table_file
from crime_platform.vocabulary.incident import (
    INCIDENT_COLUMNS,
    REJECTED_COLUMNS,
    CoordinateError,
    SourceFormatError,
)
from crime_platform.vocabulary.study_area import load_study_area
from crime_platform.vocabulary.study_area_parts import ColumnMapping

TOWN = load_study_area(Path(__file__).parent / "fixtures" / "small_town.toml")
GRID = grid_of(TOWN)
POLICE = TOWN.sources[0]
AS_OF = dt.date(2020, 12, 31)
COLUMNS = {"occurred_at": "when", "offence": "what", "x": "east", "y": "north"}
HEADER = "when,what,east,north\n"
GOOD_ROW = "2020-01-31,Burglary,630250,4833250\n"


@pytest.fixture
def read(tmp_path):
    """Read text (or bytes) as one file of the police source, changed as the keywords say."""

    def read_text(content, *, name="file.csv", columns=None, area=TOWN, grid=GRID, **changes):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        mapping = ColumnMapping(**{**COLUMNS, **(columns or {})})
        source = replace(POLICE, columns=mapping, paths=(name,), **changes)
        return read_table_file(path, source, area, tmp_path, grid=grid, as_of=AS_OF)

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


def test_a_row_becomes_an_incident(read):
    reading = read(HEADER + GOOD_ROW)

    columns = [name for name in INCIDENT_COLUMNS if name not in ("lon", "lat")]
    assert pq.read_schema(reading.incidents).names == list(INCIDENT_COLUMNS)
    assert accepted(reading, *columns) == [
        (
            "file.csv",
            2,
            None,
            dt.date(2020, 1, 31),
            None,
            dt.date(2020, 1, 1),
            "Burglary",
            "burglary",
            630250.0,
            4833250.0,
            0,
            0,
            1,
        )
    ]


def test_degrees_are_projected_and_metres_brought_back(read):
    # The central meridian of UTM zone 17 is 81 degrees west and 500 km east.
    reading = read(HEADER + "2020-01-31,Burglary,500000,0\n", grid=None)

    ((lon, lat),) = accepted(reading, "lon", "lat")
    assert (lon, lat) == pytest.approx((-81.0, 0.0), abs=1e-7)


def test_every_row_is_accounted_for_once(read):
    # Row numbers as a spreadsheet shows them: the header is row 1, row 12 is blank.
    reading = read(
        HEADER
        + "2020-01-31, break-IN ,630250,4833250\n"  # 2: label matches without capitals, blanks
        + "2020-01-31,,630250,4833250\n"  # 3
        + "2020-01-31,Arson,630250,4833250\n"  # 4
        + "31/01/2020,Robbery,630250,4833250\n"  # 5
        + "2019-12-31,Robbery,630250,4833250\n"  # 6
        + "2021-01-01,Robbery,630250,4833250\n"  # 7
        + "2020-01-31,Robbery,629999,4833250\n"  # 8
        + "2020-01-31,Parking,629999,4833250\n"  # 9: ignored, whatever else is wrong
        + "2020-01-31,Robbery\n"  # 10
        + "2020-01-31,Robbery,0,0\n"  # 11: kept, without a place
        + "\n"  # 12
        + "2020-01-31,Robbery,n/a,4833250\n"  # 13: kept, without a place
        + "2020-01-31,Robbery,630999,4833999\n"  # 14
    )

    assert accepted(reading, "source_row", "offence_type", "row", "col") == [
        (2, "burglary", 0, 0),
        (11, "robbery", None, None),
        (13, "robbery", None, None),
        (14, "robbery", 1, 1),
    ]
    assert rejected(reading) == [
        (3, "missing offence", None),
        (4, "unmapped label", "Arson"),
        (5, "unparseable date", "31/01/2020"),
        (6, "before first month", "2019-12-31"),
        (7, "after last month", "2021-01-01"),
        (8, "outside the grid", "629999.0 4833250.0"),
        (10, "broken row", None),
    ]
    report = reading.report
    assert (report.n_rows, report.n_accepted, report.n_ignored) == (12, 4, 1)
    assert (report.n_geocoded, report.n_incidents) == (2, 4)
    assert sum(report.n_rejected.values()) == 7
    assert report.unmapped_labels == {"Arson": 1}
    assert pq.read_schema(reading.rejected).names == list(REJECTED_COLUMNS)


def test_findings_share_out_all_rows(read):
    reading = read(HEADER + GOOD_ROW * 3 + "2019-12-31,Robbery,630250,4833250\n")

    assert reading.report.findings() == [
        ("accepted", 3, 0.75, None),
        ("accepted without a place", 0, 0.0, None),
        ("equal to an earlier row", 2, 0.5, None),
        ("ignored label", 0, 0.0, None),
        ("before first month", 1, 0.25, "2019-12-31"),
    ]


def test_a_day_after_today_is_in_the_future(read):
    area = replace(TOWN, last_month=None)

    reading = read(HEADER + GOOD_ROW + "2021-01-01,Robbery,630250,4833250\n", area=area)

    assert rejected(reading) == [(3, "in the future", "2021-01-01")]


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


@pytest.mark.parametrize(
    ("written", "settings", "day", "hour"),
    [
        ("2020-01-31", {}, dt.date(2020, 1, 31), None),
        ("2020/01/31 23:15", {}, dt.date(2020, 1, 31), 23),
        ("2020-01-31T23:15:00.5-05:00", {}, dt.date(2020, 1, 31), 23),
        ("2020-01-31T23:15:00Z", {}, dt.date(2020, 1, 31), 23),
        # Midnight in Toronto is 05:00 UTC in winter and 04:00 in summer.
        ("2020-02-01 04:59:00+00", {"timestamps_are": "utc"}, dt.date(2020, 1, 31), 23),
        ("2020-07-01 04:00:00", {"timestamps_are": "utc"}, dt.date(2020, 7, 1), 0),
        ("2020-07-01 03:59:59", {"timestamps_are": "utc"}, dt.date(2020, 6, 30), 23),
        ("2020-07-01", {"timestamps_are": "utc"}, dt.date(2020, 7, 1), None),
        ("07/31/2020 11:05:00 PM", {"datetime_format": "%m/%d/%Y %I:%M:%S %p"}, None, 23),
        ("2020-07", {"datetime_format": "%Y-%m"}, dt.date(2020, 7, 1), None),
        ("July 2020", {"datetime_format": "%B %Y"}, dt.date(2020, 7, 1), None),
        (
            "2020-07-01 00:30:00-0400",
            {"datetime_format": "%Y-%m-%d %H:%M:%S%z", "timestamps_are": "utc"},
            dt.date(2020, 7, 1),
            0,
        ),
    ],
)
def test_a_time_becomes_a_local_day_and_hour(read, written, settings, day, hour):
    reading = read(HEADER + GOOD_ROW.replace("2020-01-31", written), **settings)

    ((found_day, found_hour),) = accepted(reading, "occurred_on", "occurred_hour")
    assert (found_day, found_hour) == (day or dt.date(2020, 7, 31), hour)


@pytest.mark.parametrize(
    ("written", "hour"),
    [("0", 0), ("23", 23), (" 7.0 ", 7), ("24", None), ("99.0", None), ("", None)],
)
def test_a_mapped_hour_is_kept_when_it_is_one(read, written, hour):
    text = f"when,what,east,north,hour\n2020-01-31,Robbery,630250,4833250,{written}\n"

    assert accepted(read(text, columns={"hour": "hour"}), "occurred_hour") == [(hour,)]


def test_a_row_may_stand_for_several_incidents(read):
    row = "2020-01-31,Robbery,630250,4833250,"
    text = "when,what,east,north,victims\n" + "\n".join(
        row + n for n in ("2", "3.0", "0", "1.5", "")
    )

    reading = read(text, columns={"count": "victims"})

    assert accepted(reading, "n_incidents") == [(2,), (3,)]
    assert reading.report.n_incidents == 5
    assert rejected(reading) == [
        (4, "bad count", "0"),
        (5, "bad count", "1.5"),
        (6, "bad count", None),
    ]


IDENTIFIED = (
    "when,what,east,north,id\n"
    + GOOD_ROW.replace("\n", ",A\n") * 2
    + "2020-02-01,Robbery,630250,4833250,A\n"
    + GOOD_ROW.replace("\n", ",\n") * 2
)


@pytest.mark.parametrize(
    ("rule", "dropped"),
    [
        ("keep", []),
        ("drop_exact", [(3, "exact duplicate", "A"), (6, "exact duplicate", None)]),
        ("drop_same_id", [(3, "repeated id", "A"), (4, "repeated id", "A")]),
    ],
)
def test_duplicates_follow_the_stated_rule_and_are_counted(read, rule, dropped):
    reading = read(IDENTIFIED, columns={"id": "id"}, duplicates=rule)

    assert rejected(reading) == dropped
    assert reading.report.n_repeated == 2
    assert reading.report.n_accepted == 5 - len(dropped)


def test_only_mapped_columns_make_a_duplicate(read):
    text = "note,when,what,east,north\n" + "x," + GOOD_ROW + "y," + GOOD_ROW

    assert read(text, duplicates="drop_exact").report.n_accepted == 1


def test_without_a_grid_nothing_is_outside(read):
    reading = read(HEADER + "2020-01-31,Robbery,9000,9000\n", grid=None)

    assert accepted(reading, "x_m", "row", "col") == [(9000.0, None, None)]


def test_nothing_but_the_result_is_left_behind(read):
    reading = read(gzip.compress((HEADER + GOOD_ROW).encode()), name="file.csv.gz")

    assert sorted(path.name for path in reading.incidents.parent.iterdir()) == [
        "incidents.parquet",
        "rejected.parquet",
    ]


texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=12)
rows = st.tuples(texts, texts, texts, texts)


@settings(max_examples=20)
@given(st.lists(rows, min_size=1, max_size=8))
def test_no_content_makes_a_row_vanish(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("any")
    with (folder / "any.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(["when", "what", "east", "north"])
        writer.writerow(["2020-01-31", "Robbery", "630250", "4833250"])
        writer.writerows(rows)

    reading = read_table_file(folder / "any.csv", POLICE, TOWN, folder, grid=GRID, as_of=AS_OF)

    report = reading.report
    assert report.n_rows == len(rows) + 1
    assert report.n_accepted + report.n_ignored + sum(report.n_rejected.values()) == report.n_rows
    numbers = [row for (row,) in accepted(reading, "source_row")]
    numbers += [row for row, _, _ in rejected(reading)]
    assert set(numbers) <= set(range(2, len(rows) + 3))
    assert len(set(numbers)) == len(numbers)


def test_a_missing_column_is_told_with_what_was_found(read):
    with pytest.raises(SourceFormatError) as told:
        read("when,wath,east,nord\n2020-01-31,Robbery,1,2\n")

    message = str(told.value)
    assert "file.csv: 2 mapped columns are missing" in message
    assert "offence = 'what'; did you mean 'wath'?" in message
    assert "y = 'north'; did you mean 'nord'?" in message
    assert "Columns found: 'when', 'wath', 'east', 'nord'" in message
    assert "correct the names under [source.columns]" in message


def test_two_columns_of_one_name_are_refused(read):
    with pytest.raises(SourceFormatError, match="2 columns are called 'what', so it is not known"):
        read("when,What,WHAT,east,north\n2020-01-31,a,b,1,2\n")


def test_a_header_without_rows_is_refused(read):
    with pytest.raises(SourceFormatError, match=r"file\.csv: a header and no rows; fetch it again"):
        read(HEADER)


def test_an_impossible_date_format_is_refused(read):
    with pytest.raises(SourceFormatError, match="correct datetime_format = '%Q'"):
        read(HEADER + GOOD_ROW, datetime_format="%Q")


def test_an_impossible_date_format_is_refused_for_parquet(read, tmp_path):
    table = pa.table({"when": ["x"], "what": ["Robbery"], "east": [1], "north": [1]})
    pq.write_table(table, tmp_path / "made.parquet")

    with pytest.raises(SourceFormatError, match="correct datetime_format = '%Q'"):
        read((tmp_path / "made.parquet").read_bytes(), datetime_format="%Q")


def test_a_damaged_parquet_file_is_refused(read):
    with pytest.raises(
        SourceFormatError, match=r"file\.csv: cannot be read .* fetch the file again"
    ):
        read(b"PAR1 and nothing else")


@pytest.mark.parametrize(
    ("text", "changes", "error", "message"),
    [
        (
            HEADER + "31/01/2020,Robbery,630250,4833250\n",
            {},
            SourceFormatError,
            r"'31/01/2020' in column 'when' is not ISO 8601; try datetime_format = \"%d/%m/%Y\"",
        ),
        (
            HEADER + "soon,Robbery,630250,4833250\n",
            {"datetime_format": "%Y"},
            SourceFormatError,
            "'soon' in column 'when' is not %Y; correct datetime_format",
        ),
        (
            HEADER + "2020-01-31,Robbry,630250,4833250\n",
            {},
            SourceFormatError,
            r"'Robbry' \(1, like 'Robbery'\); add each in small_town\.toml to the labels",
        ),
        (
            HEADER + "2020-01-31,,630250,4833250\n",
            {},
            SourceFormatError,
            "missing offence: 1 rows .*: column 'what' is blank",
        ),
        (HEADER + "a\n", {}, SourceFormatError, "broken row: 1 rows .*more or fewer fields"),
        (
            HEADER + "2020-01-31,Robbery,4833250,630250\n",
            {},
            CoordinateError,
            "east and north look swapped: exchange them",
        ),
        (
            HEADER + "2020-01-31,Robbery,630250,4833250\n",
            {"crs": "EPSG:4326"},
            CoordinateError,
            r'these are no degrees: map the columns as x and y .* crs = "EPSG:26917"',
        ),
        (
            HEADER + "2020-01-31,Robbery,1,1\n",
            {},
            CoordinateError,
            r"east 1\.\.1, north 1\.\.1 \(EPSG:26917\); check crs of the source and extent_m",
        ),
    ],
)
def test_a_file_without_a_usable_row_says_why(read, text, changes, error, message):
    columns = {"x": None, "y": None, "lon": "east", "lat": "north"} if "crs" in changes else {}

    with pytest.raises(error, match=message):
        read(text, columns=columns, **changes)


def test_a_file_from_before_the_first_month_is_no_mistake(read):
    reading = read(HEADER + "2019-01-31,Robbery,630250,4833250\n")

    assert reading.report.n_accepted == 0


def test_a_source_is_all_its_files(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.csv").write_text(HEADER + GOOD_ROW)
    (tmp_path / "raw" / "b.csv").write_text(HEADER + GOOD_ROW * 2)

    readings = read_source(POLICE, TOWN, tmp_path, tmp_path, grid=GRID, as_of=AS_OF)

    assert [reading.report.n_accepted for reading in readings] == [1, 2]
