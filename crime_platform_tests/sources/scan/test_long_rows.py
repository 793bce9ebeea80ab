"""Rows too long or too wide for a scan: every one is counted, and the rows around it are read."""

import pytest

from crime_platform.sources.scan.long_rows import may_hold_long_rows, overwrite_long_rows
from crime_platform.vocabulary.incident import SourceFormatError
from toys.mangling import geojson
from toys.table_reading import GOOD_ROW, HEADER, accepted, reader_into, rejected

GOOD = GOOD_ROW * 10
START, END = "2020-01-31,", ",630250,4833250\n"


@pytest.fixture
def read(tmp_path):
    return reader_into(tmp_path)


@pytest.mark.parametrize(
    "row",
    [
        START + "x" * 33_000_000 + END,
        START + '"' + "x" * 33_000_000 + '"' + END,
        START + "x" * 3_000_000 + END,
        "x," * 300_000 + "\n",
        '"x",' * 100_000 + "\n",
        "x" * 70_000_000 + "\n",
    ],
    ids=["33 MB", "quoted 33 MB", "3 MB", "wide", "quoted wide", "70 MB"],
)
def test_a_row_beyond_all_bounds_is_rejected_at_its_place(read, row):
    reading = read(HEADER + GOOD + row + GOOD)

    assert reading.report.n_rows == 21
    assert rejected(reading) == [(12, "broken row", None)]
    assert accepted(reading, "source_row")[9:11] == [(11,), (13,)]


def test_a_long_last_row_without_a_line_end_is_rejected(read):
    reading = read(HEADER + GOOD + "x" * 33_000_000)

    assert rejected(reading) == [(12, "broken row", None)]


def test_every_line_of_a_field_beyond_all_bounds_is_counted(read):
    lines = ("x" * 500 + "\n") * 6000

    reading = read(HEADER + GOOD + START + '"' + lines + '"' + END + GOOD)

    # The line with the quote, those in it, and the one that closes it.
    assert reading.report.n_rejected == {"broken row": 6001}
    assert reading.report.n_accepted == 20


def test_a_long_field_in_quotes_is_read_up_to_the_longest_row(read):
    shape = '"POLYGON ((' + "1 1, " * 100_000 + '1 1))"'
    header = "when,what,east,north,shape\n"

    reading = read(header + GOOD_ROW.strip() + f",{shape}\n" + GOOD_ROW.strip() + ",\n")

    assert reading.report.n_accepted == 2


def test_carriage_returns_alone_are_no_long_row(read):
    reading = read((HEADER + GOOD_ROW * 9000).replace("\n", "\r"))

    assert reading.report.n_accepted == 9000


def test_ten_long_rows_are_ten(tmp_path):
    path, target = tmp_path / "a.csv", tmp_path / "b.csv"
    path.write_text(HEADER + ("x" * 2_000_001 + "\n" + GOOD_ROW) * 10)

    assert may_hold_long_rows(path, ",", 4)
    assert overwrite_long_rows(path, target, delimiter=",", n_columns=4) == 10
    assert target.read_text() == HEADER + ("x\n" + GOOD_ROW) * 10


def test_a_usual_file_is_not_copied(tmp_path):
    (tmp_path / "a.csv").write_text(HEADER + '"2020-01-31","a,b","1","1"\n' * 40_000)

    assert not may_hold_long_rows(tmp_path / "a.csv", ",", 4)


def test_a_huge_property_is_cut(read):
    good = {"when": "2020-01-31", "what": "Burglary", "east": 630250, "north": 4833250}
    huge = {**good, "what": '"' * 6_000_000}

    reading = read(geojson(*[{"properties": each} for each in (good, huge, good)]))

    assert reading.report.n_rejected == {"unmapped label": 1}
    assert reading.report.n_rows == 3


def test_a_feature_beyond_all_bounds_is_refused(read):
    good = {"when": "2020-01-31", "what": "Burglary", "east": 630250, "north": 4833250}

    with pytest.raises(
        SourceFormatError, match=r"file\.csv: a feature of more than 16,777,216 charact"
    ):
        read(geojson({"properties": {**good, "note": "x" * 20_000_000}}))
