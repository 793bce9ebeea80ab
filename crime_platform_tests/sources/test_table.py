"""A table of incidents read by mapping: which rows are accepted, which rejected, as what."""

import csv
import datetime as dt
import gzip
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crime_platform.sources.table import read_source, read_table_file
from crime_platform.vocabulary.incident import INCIDENT_COLUMNS, REJECTED_COLUMNS, SourceFormatError
from toys.table_reading import (
    AS_OF,
    GOOD_ROW,
    GRID,
    HEADER,
    POLICE,
    TOWN,
    accepted,
    reader_into,
    rejected,
)


@pytest.fixture
def read(tmp_path):
    return reader_into(tmp_path)


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
            None,
            630250.0,
            4833250.0,
            0,
            0,
            1,
            None,
        )
    ]


def test_the_kind_of_place_is_kept_as_written_without_its_blanks(read):
    text = "when,what,east,north,where\n2020-01-31,Burglary,630250,4833250,\t House \u00a0\n"
    reading = read(text + GOOD_ROW.rstrip() + ",\n", columns={"premises": "where"})

    assert accepted(reading, "source_premises") == [("House",), (None,)]


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
        ("of another area", 0, 0.0, None),
        ("before first month", 1, 0.25, "2019-12-31"),
    ]


def test_a_day_after_today_is_in_the_future(read):
    area = replace(TOWN, last_month=None)

    reading = read(HEADER + GOOD_ROW + "2021-01-01,Robbery,630250,4833250\n", area=area)

    assert rejected(reading) == [(3, "in the future", "2021-01-01")]


@pytest.mark.parametrize(
    ("written", "settings", "day", "hour"),
    [
        ("2020-01-31", {}, dt.date(2020, 1, 31), None),
        ("2020/01/31 23:15", {}, dt.date(2020, 1, 31), 23),
        ("2020-01-31T23:15:00.5-05:00", {}, dt.date(2020, 1, 31), 23),
        ("2020-01-31T23:15:00Z", {}, dt.date(2020, 1, 31), 23),
        # Midnight in Toronto is 05:00 UTC in winter and 04:00 in summer.
        ("2020-02-01 04:59:00+00", {"timestamps_are": "utc"}, dt.date(2020, 1, 31), 23),
        ("2020-02-01 05:59:00.5 +0100", {"timestamps_are": "utc"}, dt.date(2020, 1, 31), 23),
        ("2020-02-01 04:59 Z", {"timestamps_are": "utc"}, dt.date(2020, 1, 31), 23),
        ("2020-02-01 04:59:00 GMT", {"timestamps_are": "utc"}, dt.date(2020, 1, 31), 23),
        ("2020-02-01 04:59 GMT", {"timestamps_are": "utc"}, dt.date(2020, 1, 31), 23),
        ("2020-02-01T04:59Z", {"timestamps_are": "utc"}, dt.date(2020, 1, 31), 23),
        ("2020-02-01T05:59+0100", {"timestamps_are": "utc"}, dt.date(2020, 1, 31), 23),
        ("2020-02-01 04:59", {"timestamps_are": "utc"}, dt.date(2020, 1, 31), 23),
        ("2020-07-01 04:00:00", {"timestamps_are": "utc"}, dt.date(2020, 7, 1), 0),
        ("2020-07-01 03:59:59", {"timestamps_are": "utc"}, dt.date(2020, 6, 30), 23),
        ("2020-07-01", {"timestamps_are": "utc"}, dt.date(2020, 7, 1), None),
        ("07/31/2020 11:05:00 PM", {"datetime_formats": ("%m/%d/%Y %I:%M:%S %p",)}, None, 23),
        ("2020-07", {"datetime_formats": ("%Y-%m",)}, dt.date(2020, 7, 1), None),
        ("July 2020", {"datetime_formats": ("%B %Y",)}, dt.date(2020, 7, 1), None),
        (
            "2020-07-01 00:30:00-0400",
            {"datetime_formats": ("%Y-%m-%d %H:%M:%S%z",), "timestamps_are": "utc"},
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
    [
        ("0", 0),
        ("23", 23),
        (" 7.0 ", 7),
        ("21:05:00", 21),
        ("00:00:00", 0),
        ("24", None),
        ("99.0", None),
        ("", None),
        ("(null)", None),
        ("23:05", 23),
        ("00:05:59", 0),
        ("9:05 PM", 21),
        ("24:05", None),
    ],
)
def test_a_mapped_hour_is_kept_when_it_is_one(read, written, hour):
    text = f"when,what,east,north,hour\n2020-01-31,Robbery,630250,4833250,{written}\n"

    assert accepted(read(text, columns={"hour": "hour"}), "occurred_hour") == [(hour,)]


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2305", 23),
        ("0005", 0),
        ("5", 0),  # five past midnight, whose zeros a spreadsheet has dropped
        ("959.0", 9),
        ("1160", None),
        ("2400", None),
        ("99", None),
        ("-5", None),
        ("23:05", 23),
    ],
)
def test_hours_and_minutes_in_one_number_are_read_when_the_area_says_so(read, written, hour):
    text = f"when,what,east,north,hour\n2020-01-31,Robbery,630250,4833250,{written}\n"

    reading = read(text, columns={"hour": "hour"}, hour_format="hhmm")

    assert accepted(reading, "occurred_hour") == [(hour,)]


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


@pytest.mark.parametrize("filler", ["0", "-1", "999", "99999.0"])
def test_a_number_for_both_coordinates_is_no_place(read, filler):
    reading = read(HEADER + f"2020-01-31,Robbery,{filler},{filler}\n")

    assert accepted(reading, "x_m") == [(None,)]


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


def test_a_source_is_all_its_files(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.csv").write_text(HEADER + GOOD_ROW)
    (tmp_path / "raw" / "b.csv").write_text(HEADER + GOOD_ROW * 2)

    readings = read_source(POLICE, TOWN, tmp_path, tmp_path, grid=GRID, as_of=AS_OF)

    assert [reading.report.n_accepted for reading in readings] == [1, 2]


def town_with_patterns(*patterns, ignored=()):
    burglary, robbery = TOWN.offence_types
    kinds = (burglary, replace(robbery, label_patterns=patterns))
    return replace(TOWN, offence_types=kinds, ignored_label_patterns=ignored)


def test_a_label_that_fits_a_pattern_belongs_to_its_type(read):
    area = town_with_patterns("ROB*")
    rows = [f"2020-01-31,{label},630250,4833250\n" for label in ("Robbery armed", " rob ", "Arson")]

    reading = read(HEADER + "".join(rows), area=area)

    assert accepted(reading, "offence_type") == [("robbery",)] * 2
    assert rejected(reading) == [(4, "unmapped label", "Arson")]


def test_a_label_in_a_list_needs_no_pattern(read):
    area = town_with_patterns("*", ignored=())

    reading = read(
        HEADER + "2020-01-31,Burglary,630250,4833250\n2020-01-31,Parking,1,1\n", area=area
    )

    assert accepted(reading, "offence_type") == [("burglary",)]
    assert reading.report.ignored_labels == {"Parking": 1}


def test_a_label_that_fits_an_ignored_pattern_is_ignored(read):
    area = town_with_patterns("ROB*", ignored=("*parking*",))

    reading = read(HEADER + GOOD_ROW + "2020-01-31,No Parking,630250,4833250\n", area=area)

    assert reading.report.ignored_labels == {"No Parking": 1}


def test_a_label_that_two_patterns_claim_is_refused(read):
    area = town_with_patterns("ROB*", ignored=("*officer",))

    with pytest.raises(
        SourceFormatError,
        match=r"'rob officer' fits 'rob\*' of 'robbery' and '\*officer' of 'ignored",
    ):
        read(HEADER + "2020-01-31,Rob Officer,630250,4833250\n", area=area)
