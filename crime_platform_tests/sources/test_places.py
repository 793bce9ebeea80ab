from dataclasses import replace

import pytest

from crime_platform.sources.places import PlaceMatch, matched_together
from crime_platform.sources.quality import require_quality
from crime_platform.sources.table import read_table_file
from crime_platform.study_area.parts import StudyAreaError
from crime_platform.study_area.source import ColumnMapping, PlaceTable
from crime_platform.vocabulary.incident import SourceFormatError
from toys.table_reading import AS_OF, GRID, POLICE, TOWN, accepted

# Blocks 100 and 200 form the district Harbour, block 300 the district Hill. 2006 numbered them
# anew, so that only one old code is still in use.
PLACES = """MB2013,MB2006,AU,X,Y
0100,901,Harbour.,630100,4833100
200,902,Harbour.,630300,4833300
300,300,Hill,630700,4833700
"""
HEADER = "when,what,block,district,n\n"
COLUMNS = ColumnMapping(
    occurred_at="when", offence="what", place="block", district="district", count="n"
)


def places(folder, content=PLACES):
    """The table of the small town's blocks, written into the folder."""
    (folder / "places.csv").write_text(content)
    return PlaceTable(
        file="places.csv",
        vintage="blocks of 2013",
        code="MB2013",
        x="X",
        y="Y",
        crs=TOWN.crs,
        district="AU",
        unknown=("999999",),
    )


@pytest.fixture
def source(tmp_path):
    return replace(POLICE, columns=COLUMNS, places=places(tmp_path), paths=("file.csv",))


@pytest.fixture
def read(tmp_path, source):
    def read_rows(rows, source=source):
        path = tmp_path / "file.csv"
        path.write_text(HEADER + rows)
        return read_table_file(path, source, TOWN, tmp_path, home=tmp_path, grid=GRID, as_of=AS_OF)

    return read_rows


@pytest.mark.parametrize("code", ["100", "0100", "100.", "100.0", "100.00", " 100 "])
def test_one_code_may_be_written_in_several_ways(read, code):
    reading = read(f"2020-01-01,Burglary,{code},Hill,1\n")

    assert accepted(reading, "x_m", "y_m") == [(630100.0, 4833100.0)]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_places_may_be_written_with_decimal_commas(read, tmp_path, source, separator):
    content = PLACES.replace(",", separator).replace("630100", "630100,5")
    read_from = replace(source, places=places(tmp_path, content))

    reading = read("2020-01-01,Burglary,100,Hill,1\n", read_from)

    assert accepted(reading, "x_m", "y_m") == [(630100.5, 4833100.0)]


def test_places_whose_coordinates_are_no_numbers_are_told(read, tmp_path, source):
    content = "MB2013,MB2006,AU,X,Y\n100,901,Harbour,E630100,N4833100\n"
    read_from = replace(source, places=places(tmp_path, content))

    with pytest.raises(SourceFormatError, match=r"two numbers in x = 'X'.*E630100 and N4833100"):
        read("2020-01-01,Burglary,100,Hill,1\n", read_from)


def test_a_code_becomes_the_point_of_its_place(read):
    reading = read("2020-01-01,Burglary,100,Hill,1\n2020-01-02,Burglary,00300.,Hill,2\n")

    assert accepted(reading, "x_m", "y_m", "row", "col", "n_incidents") == [
        (630100.0, 4833100.0, 0, 0, 1),
        (630700.0, 4833700.0, 1, 1, 2),
    ]
    assert reading.report.match == PlaceMatch(n_known=3, n_matched=3)


def test_an_unknown_code_falls_back_to_the_mean_of_its_district(read):
    reading = read("2020-01-01,Burglary,777,harbour,1\n")

    assert accepted(reading, "x_m", "y_m") == [(630200.0, 4833200.0)]
    assert reading.report.match == PlaceMatch(
        n_known=1, n_matched=0, n_by_district=1, unmatched=("777",)
    )


@pytest.mark.parametrize("code", ["-118", "0", "", "999999"])
def test_a_place_that_the_publisher_does_not_know_counts_in_totals_only(read, code):
    reading = read(f"2020-01-01,Burglary,{code},999999,4\n")

    assert accepted(reading, "x_m", "row", "n_incidents") == [(None, None, 4)]
    assert reading.report.match == PlaceMatch()


def test_findings_tell_what_was_not_matched(read):
    reading = read("2020-01-01,Burglary,777,Hill,3\n2020-01-01,Burglary,200,Hill,1\n")

    found = {what: n for what, n, *_ in reading.report.findings()}
    assert found["place not in the table of places"] == 3
    assert found["placed by district"] == 3


def test_a_table_of_the_wrong_year_is_refused_with_the_column_that_fits_better(read, source):
    rows = "".join(f"2020-01-01,Burglary,{code},Hill,1\n" for code in (901, 902, 300))

    reading = read(rows)

    message = (
        r"only 33\.3% .* places\.csv \(blocks of 2013\), expected 95%; missing are e\.g\. 901, "
        r'902; column \'MB2006\' of it knows more: write code = "MB2006"'
    )
    with pytest.raises(SourceFormatError, match=message):
        require_quality([reading.report], source, TOWN, GRID)


def test_where_no_column_fits_better_another_edition_is_asked_for(read, source):
    reading = read("2020-01-01,Burglary,777,Hill,1\n")

    with pytest.raises(SourceFormatError, match="fetch the table of the edition"):
        require_quality([reading.report], source, TOWN, GRID)


def test_several_files_match_together_and_show_the_worst():
    good = PlaceMatch(n_known=3, n_matched=3)
    bad = PlaceMatch(n_known=2, n_matched=1, n_by_district=1, unmatched=("7",), better_column="MB")

    both = matched_together([good, bad])

    assert both == PlaceMatch(
        n_known=5, n_matched=4, n_by_district=1, unmatched=("7",), better_column="MB"
    )
    assert matched_together([]) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (PLACES + "100,1,Hill,630000,4833000\n", r"places\.csv: place '100' stands in 2 rows"),
        ("MB2013,X\n1,2\n", r"places\.csv: 2 mapped columns are missing"),
        ("", "the file is empty"),
    ],
)
def test_a_table_of_places_that_cannot_serve_is_an_error(read, source, tmp_path, content, message):
    broken = replace(source, places=places(tmp_path, content))

    with pytest.raises(SourceFormatError, match=message):
        read("2020-01-01,Burglary,100,Hill,1\n", broken)


STREETS = """address,lon,lat
"5 O'Hara St, Town",630100,4833100
"Hill Rd, Town",630700,4833700
"Hill Rd, Town",630300,4833300
"""
ADDRESSED = ColumnMapping(
    occurred_at="when", offence="what", place="{House No} {Street}, Town", id="n"
)


@pytest.fixture
def addressed(tmp_path):
    table = replace(
        places(tmp_path, STREETS), code="address", x="lon", y="lat", district=None, repeated="first"
    )
    return replace(POLICE, columns=ADDRESSED, places=table, paths=("file.csv",))


def test_a_place_may_be_written_in_several_columns(tmp_path, addressed):
    path = tmp_path / "file.csv"
    path.write_text("when,what,n,House No,Street\n2020-01-01,Burglary,1,5,O'Hara St\n")

    reading = read_table_file(path, addressed, TOWN, tmp_path, home=tmp_path, grid=GRID)

    assert accepted(reading, "x_m", "y_m") == [(630100.0, 4833100.0)]


def test_of_a_place_that_stands_in_several_rows_the_first_may_count(tmp_path, addressed):
    path = tmp_path / "file.csv"
    path.write_text("when,what,n,house no,street\n2020-01-01,Burglary,1,,Hill Rd\n")

    reading = read_table_file(path, addressed, TOWN, tmp_path, home=tmp_path, grid=GRID)

    assert accepted(reading, "x_m", "y_m") == [(630700.0, 4833700.0)]


def test_a_place_whose_columns_are_all_blank_is_not_known(tmp_path, addressed):
    path = tmp_path / "file.csv"
    path.write_text("when,what,n,House No,Street\n2020-01-01,Burglary,1, ,\n")

    reading = read_table_file(path, addressed, TOWN, tmp_path, home=tmp_path, grid=GRID)

    assert accepted(reading, "x_m") == [(None,)]
    assert reading.report.match == PlaceMatch()


def test_every_column_of_a_template_must_be_in_the_file(tmp_path, addressed):
    path = tmp_path / "file.csv"
    path.write_text("when,what,n,House No,Road\n2020-01-01,Burglary,1,5,O'Hara St\n")

    with pytest.raises(SourceFormatError, match="place_2 = 'Street'"):
        read_table_file(path, addressed, TOWN, tmp_path, home=tmp_path, grid=GRID)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{House {Street}", "place: '{House {Street}' is no whole template; write each column"),
        ("{} {Street}", "is no whole template"),
        ("{Suspect} {Street}", "place_1: column 'Suspect' describes a person"),
    ],
)
def test_a_template_that_cannot_serve_is_refused(template, message):
    with pytest.raises(StudyAreaError, match=message):
        ColumnMapping(occurred_at="when", offence="what", place=template)


def test_only_a_known_rule_may_say_what_a_repeated_place_means(tmp_path):
    with pytest.raises(StudyAreaError, match="repeated: expected one of refuse, first; found 'x'"):
        replace(places(tmp_path), repeated="x")


def test_places_that_nobody_knows_are_told_by_the_table_of_places(read, source):
    reading = read("2020-01-01,Burglary,-118,999999,1\n" * 3 + "2020-01-01,Burglary,200,Hill,1\n")

    with pytest.raises(SourceFormatError, match=r"only 25\.0% .* have a place that places\.csv"):
        require_quality([reading.report], source, TOWN, GRID)
