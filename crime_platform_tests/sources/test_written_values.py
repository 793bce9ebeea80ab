"""How publishers write dates, clocks, numbers and points, and the keys that say so."""

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crime_platform.study_area.parts import StudyAreaError
from crime_platform.vocabulary.incident import SourceFormatError
from toys.table_reading import GOOD_ROW, HEADER, accepted, reader_into, rejected


@pytest.fixture
def read(tmp_path):
    return reader_into(tmp_path)


def dated(*moments):
    return HEADER + "".join(f"{moment},Burglary,630250,4833250\n" for moment in moments)


@pytest.mark.parametrize(
    ("written", "form", "day", "hour"),
    [
        ("1577854800", "epoch", dt.date(2020, 1, 1), 0),  # 05:00 UTC is midnight in Toronto
        ("1577854800000", "epoch_ms", dt.date(2020, 1, 1), 0),
        ("1580533199999.0", "epoch_ms", dt.date(2020, 1, 31), 23),
        ("20200131", "%Y%m%d", dt.date(2020, 1, 31), None),
        ("01/31/2020 01:44:00PM", "%m/%d/%Y %I:%M:%S %p", dt.date(2020, 1, 31), 13),
        ("01/31/2020 01:44:00 PM", "%m/%d/%Y %I:%M:%S%p", dt.date(2020, 1, 31), 13),
        ("1/31/2020 1:44 p.m.", "%m/%d/%Y %I:%M %p", dt.date(2020, 1, 31), 13),
        ("1/31/2020 1:44\u202fa. m.", "%m/%d/%Y %I:%M %p", dt.date(2020, 1, 31), 1),
        ("31/01/2020 13h45", "%d/%m/%Y %Hh%M", dt.date(2020, 1, 31), 13),
    ],
)
def test_a_date_is_read_as_its_format_says(read, written, form, day, hour):
    clock = "utc" if form.startswith("epoch") else "local"

    reading = read(dated(written), datetime_formats=(form,), timestamps_are=clock)

    assert accepted(reading, "occurred_on", "occurred_hour") == [(day, hour)]


def test_a_rounded_count_of_seconds_is_no_date(read):
    content = dated("1577854800", "1.57785E+09")

    reading = read(content, datetime_formats=("epoch",), timestamps_are="utc")

    assert rejected(reading) == [(3, "unparseable date", "1.57785E+09")]


def test_dates_in_two_ways_have_an_hour_where_they_have_a_clock(read):
    forms = ("%m/%d/%Y %H:%M", "%m/%d/%Y", "epoch_ms")

    reading = read(
        dated("01/31/2020 23:05", "02/01/2020", "1577854800000"),
        datetime_formats=forms,
        timestamps_are="utc",
    )

    # 23:05 and 05:00 UTC are 18:05 and midnight in Toronto; a day without a clock stays the day.
    assert accepted(reading, "occurred_on", "occurred_hour") == [
        (dt.date(2020, 1, 31), 18),
        (dt.date(2020, 2, 1), None),
        (dt.date(2020, 1, 1), 0),
    ]


def test_half_a_day_is_not_lost_where_no_format_is_given(read):
    reading = read(dated("2020-01-31 01:44:00 PM", "2020-01-31 01:44pm", "2020-01-31 01:44"))

    assert accepted(reading, "occurred_hour") == [(13,), (13,), (1,)]


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("01:44:00PM", 13),
        ("1:44 p.m.", 13),
        ("12:05 AM", 0),
        ("12:05pm", 12),
        ("1 PM", 13),
        ("13h45", 13),
        ("13h", 13),
        ("13.45", 13),
        ('"13,45"', 13),
        ("T23:59:59.5Z", 23),
        ("1899-12-30 08:15:00", 8),
        ("23", 23),
        ("7.0", 7),
        ("24:00", None),
        ("13:75", None),
        ("13:45 AM", None),
        ("99", None),
    ],
)
def test_an_hour_is_read_from_any_clock(read, written, hour):
    header = HEADER.strip() + ",clock\n"
    content = header + GOOD_ROW.strip() + f",{written}\n"

    reading = read(content, columns={"hour": "clock"})

    assert accepted(reading, "occurred_hour") == [(hour,)]


@pytest.mark.parametrize(
    ("written", "hour"), [("2305", 23), ("2305.0", 23), ("5", 0), ("23.05", 23), ("99", None)]
)
def test_an_hour_of_four_digits_may_have_a_stop(read, written, hour):
    content = HEADER.strip() + ",clock\n" + GOOD_ROW.strip() + f",{written}\n"

    reading = read(content, columns={"hour": "clock"}, hour_format="hhmm")

    assert accepted(reading, "occurred_hour") == [(hour,)]


def test_a_date_is_put_together_from_its_columns(read):
    header = "YEAR,MONTH,DAY,HOUR,MINUTE,what,east,north\n"
    rows = "2020,1,31,7,5,Burglary,630250,4833250\n2020,,31,7,5,Burglary,630250,4833250\n"
    when = {"occurred_at": "{YEAR}-{MONTH}-{DAY} {HOUR}:{MINUTE}"}

    reading = read(header + rows, columns=when)

    assert accepted(reading, "occurred_on", "occurred_hour") == [(dt.date(2020, 1, 31), 7)]
    assert rejected(reading) == [(3, "unparseable date", "2020--31 7:5")]


def test_a_date_and_a_clock_are_put_together_by_a_format(read):
    content = "DATE,TIME,what,east,north\n31/01/2020,2305,Burglary,630250,4833250\n"

    reading = read(
        content, columns={"occurred_at": "{DATE} {TIME}"}, datetime_formats=("%d/%m/%Y %H%M",)
    )

    assert accepted(reading, "occurred_on", "occurred_hour") == [(dt.date(2020, 1, 31), 23)]


def test_a_second_clock_in_a_date_that_is_put_together_is_not_dropped(read):
    content = "DATE,TIME,what,east,north\n" + "".join(
        f"2020-01-31{clock},23:05,Burglary,630250,4833250\n" for clock in ("", "T00:00:00")
    )

    reading = read(content, columns={"occurred_at": "{DATE} {TIME}"})

    assert accepted(reading, "occurred_hour") == [(23,)]
    assert rejected(reading) == [(3, "unparseable date", "2020-01-31T00:00:00 23:05")]


@pytest.mark.parametrize(
    ("east", "north", "marks"),
    [
        ("630250,0", "4833250,00", {"decimal": ","}),
        ("630.250,0", "4.833.250", {"decimal": ",", "thousands": "."}),
        ("630,250.00", "4,833,250.00", {"thousands": ","}),
        ("630\u00a0250,0", "4\u202f833 250", {"decimal": ",", "thousands": " "}),
        ("630\u2019250.0", "4'833'250", {"thousands": "'"}),
        ("6,3025e5", "+4833250", {"decimal": ","}),
    ],
)
def test_numbers_are_read_by_the_marks_of_the_source(read, east, north, marks):
    content = f"when;what;east;north\n2020-01-31;Burglary;{east};{north}\n"

    reading = read(content, **marks)

    assert accepted(reading, "x_m", "y_m") == [(630250.0, 4833250.0)]


@pytest.mark.parametrize("east", ["630250.0", "63.0250", "630.25.0", "1.63,025"])
def test_a_mark_is_not_guessed(read, east):
    rows = f"2020-01-31;Burglary;{east};4833250\n" + "2020-01-31;Burglary;630250;4833250\n"

    reading = read("when;what;east;north\n" + rows, decimal=",", thousands=".")

    assert accepted(reading, "x_m") == [(None,), (630250.0,)]


def test_counts_have_the_marks_too(read):
    content = "when;what;east;north;n\n2020-01-31;Burglary;630250;4833250;1.234\n"

    reading = read(content, columns={"count": "n"}, decimal=",", thousands=".")

    assert reading.report.n_incidents == 1234


def test_numbers_of_a_typed_column_have_no_marks(read, tmp_path):
    table = pa.table(
        {
            "when": [20200131],
            "what": ["Burglary"],
            "east": [630250.5],
            "north": [4833250.25],
        }
    )
    pq.write_table(table, tmp_path / "typed.parquet")

    reading = read(
        (tmp_path / "typed.parquet").read_bytes(),
        name="a.parquet",
        decimal=",",
        datetime_formats=("%Y%m%d",),
    )

    assert accepted(reading, "x_m", "occurred_on") == [(630250.5, dt.date(2020, 1, 31))]


@pytest.mark.parametrize(
    ("written", "settings"),
    [
        ("POINT (630250 4833250)", {}),
        ("SRID=26917;point z(630250.0 4833250 7)", {}),
        ('"(4833250.0, 630250.0)"', {"point_format": "lat_lon"}),
        ('"1 MAIN ST\nTOWN 5\n(4833250, 630250)"', {"point_format": "lat_lon"}),
        ("630250;4833250", {"point_format": "lon_lat"}),
        ("[630250 4833250]", {"point_format": "lon_lat"}),
        ('"630250,5; 4833250,0"', {"point_format": "lon_lat", "decimal": ","}),
    ],
)
def test_both_coordinates_are_read_from_one_text(read, written, settings):
    content = f"when,what,the_geom\n2020-01-31,Burglary,{written}\n"
    columns = {"x": None, "y": None, "point": "the_geom"}

    reading = read(content, columns=columns, **settings)

    assert accepted(reading, "row", "col") == [(0, 0)]


@pytest.mark.parametrize("written", ["POINT EMPTY", "LINESTRING (1 2)", '""', "0101000020E6"])
def test_what_is_no_point_is_not_geocoded(read, written):
    content = f"when,what,the_geom\n2020-01-31,Burglary,{written}\n"

    reading = read(content, columns={"x": None, "y": None, "point": "the_geom"})

    assert (reading.report.n_accepted, reading.report.n_geocoded) == (1, 0)


def test_every_row_can_be_one_offence(read):
    content = "when,east,north\n2020-01-31,630250,4833250\n"

    reading = read(content, columns={"offence": None}, offence_label="ROBBERY")

    assert accepted(reading, "offence_type", "source_offence") == [("robbery", "ROBBERY")]


def test_the_iso_word_stands_beside_other_formats(read):
    content = dated("2020-01-31T23:05:00.000Z", "2020-02-01", "02/02/20")

    reading = read(content, datetime_formats=("iso", "%m/%d/%y"))

    assert accepted(reading, "occurred_on", "occurred_hour") == [
        (dt.date(2020, 1, 31), 23),
        (dt.date(2020, 2, 1), None),
        (dt.date(2020, 2, 2), None),
    ]


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("1577854800", 'try datetime_format = "epoch"'),
        ("1577854800000", 'try datetime_format = "epoch_ms"'),
        ("20200131", 'try datetime_format = "%Y%m%d"'),
    ],
)
def test_a_date_of_digits_is_told_by_name(read, written, advice):
    with pytest.raises(SourceFormatError, match=advice):
        read(dated(written))


def test_a_wrong_code_in_one_of_several_formats_is_told(read):
    with pytest.raises(StudyAreaError, match=r"'%Q' holds '%Q', which is no strptime code"):
        read(dated("31/01/2020"), datetime_formats=("%d/%m/%Y", "%Q"))


def test_a_text_that_is_not_utf8_is_told_with_its_encoding(read):
    rows = "2020-01-31,L\u00e4rm,630250,4833250\n" * 20

    with pytest.raises(SourceFormatError, match=r'not UTF-8, and looks like cp1252; .* "cp1252"'):
        read((HEADER + rows).encode("cp1252"))
