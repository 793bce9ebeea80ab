"""A source beyond its quality limits is refused as a whole, with every limit named at once."""

import datetime as dt
from dataclasses import replace

import pytest

from crime_platform.pipeline.declared_grid import grid_of
from crime_platform.sources.quality import require_quality
from crime_platform.sources.table import read_source
from crime_platform.sources.table_report import TableReport, together
from crime_platform.study_area.parts import QualityLimits
from crime_platform.study_area.source import ColumnMapping
from crime_platform.study_area.study_area import load_study_area
from crime_platform.vocabulary.incident import CoordinateError, SourceFormatError
from toys.paths import FIXTURES

TOWN = load_study_area(FIXTURES / "small_town.toml")
GRID = grid_of(TOWN)
POLICE = TOWN.sources[0]
HEADER = "when,what,east,north\n"
GOOD_ROWS = "2020-01-31,Burglary,630250,4833250\n" * 9


@pytest.fixture
def read(tmp_path):
    """Read nine good rows and one other, under limits that allow nothing else."""

    def read_rows(row, *, header=HEADER, area=TOWN, source=POLICE, **limits):
        (tmp_path / "raw").mkdir(exist_ok=True)
        (tmp_path / "raw" / "file.csv").write_text(header + GOOD_ROWS + row)
        strict = QualityLimits(
            max_broken_row_share=0.0,
            max_missing_offence_share=0.0,
            max_bad_date_share=0.0,
            max_outside_share=0.0,
            min_geocoded_share=1.0,
        )
        area = replace(area, quality=replace(strict, **limits))
        as_of = dt.date(2020, 6, 30)
        return read_source(source, area, tmp_path, tmp_path, grid=GRID, as_of=as_of)

    return read_rows


@pytest.mark.parametrize(
    ("row", "limit", "message"),
    [
        ("short\n", "max_broken_row_share", r"broken row: 1 rows \(10\.00%\): they have more or"),
        (
            "2020-01-31,,630250,4833250\n",
            "max_missing_offence_share",
            r"missing offence: 1 rows \(10\.00%\): column 'what' is blank",
        ),
        (
            "2020-01-31,Arson,630250,4833250\n",
            "max_unmapped_share",
            r"unmapped label: 1 rows \(10\.00%\): 'Arson' \(1\); add each in small_town\.toml",
        ),
        (
            "31.01.2020,Robbery,630250,4833250\n",
            "max_bad_date_share",
            r"unparseable date: .*'31\.01\.2020' .* datetime_format = \[\"iso\", \"%d\.%m\.%Y\"\]",
        ),
        (
            "2020-07-01,Robbery,630250,4833250\n",
            "max_bad_date_share",
            r"in the future: .* e\.g\. 2020-07-01; check that day and month are not swapped",
        ),
    ],
)
def test_a_limit_refuses_until_it_is_raised(read, row, limit, message):
    with pytest.raises(SourceFormatError, match=message):
        read(row)

    (reading,) = read(row, **{limit: 0.1})
    assert reading.report.n_accepted == 9


def test_too_many_bad_counts_are_refused(read):
    columns = ColumnMapping(occurred_at="when", offence="what", x="east", y="north", count="north")

    with pytest.raises(SourceFormatError, match=r"bad count: .*column 'north' holds '1\.5'"):
        read("2020-01-31,Robbery,0,1.5\n", source=replace(POLICE, columns=columns))


def test_places_alone_make_it_a_mistake_of_coordinates(read):
    with pytest.raises(
        CoordinateError, match=r"outside the grid: 1 rows .*check crs of the source"
    ):
        read("2020-01-31,Robbery,700000,4833250\n")


def test_too_few_places_are_refused(read):
    with pytest.raises(SourceFormatError, match=r"only 90\.0% .* 'east' and 'north', expected 100"):
        read("2020-01-31,Robbery,,\n")


def test_all_limits_that_are_passed_are_named_at_once(read):
    with pytest.raises(SourceFormatError) as told:
        read("short\n2020-01-31,Arson,,\n2020-01-31,Robbery,1,1\n2020-01-31,Robbery,,\n")

    message = str(told.value)
    assert message.startswith("source 'police': more is wrong in ")
    assert "than [quality] allows" in message
    assert "broken row" in message
    assert "unmapped label" in message
    assert "outside the grid" in message
    assert "not geocoded" in message


def test_shares_are_taken_over_all_files_of_a_source():
    clean = TableReport(file="a", n_rows=95, n_accepted=95, n_geocoded=95)
    poor = TableReport(
        file="b", n_rows=5, n_accepted=0, n_rejected={"outside the grid": 5}, outside_points=()
    )

    require_quality([clean, poor], POLICE, TOWN, GRID)  # 5 of 100: the limit is 5 %

    assert together([clean, poor], "both").n_rejected == {"outside the grid": 5}


def test_a_source_without_an_accepted_row_is_refused():
    early = TableReport(file="a", n_rows=3, n_rejected={"before first month": 3})

    with pytest.raises(
        SourceFormatError, match=r"no row falls in 2020-01\.\.2020-12; rejected: {'b"
    ):
        require_quality([early], POLICE, TOWN, GRID)


def test_many_unmapped_labels_are_cut_short():
    labels = {f"Offence {number}": 1 for number in range(12)}
    report = TableReport(
        file="a", n_rows=12, n_rejected={"unmapped label": 12}, unmapped_labels=labels
    )

    with pytest.raises(SourceFormatError, match=r"'Offence 9' \(1\) and 2 more; add each"):
        require_quality([report], POLICE, TOWN, GRID)


def test_reports_add_up():
    first = TableReport(
        file="a",
        n_rows=3,
        n_accepted=2,
        n_incidents=4,
        first_day=dt.date(2020, 2, 1),
        last_day=dt.date(2020, 3, 1),
        n_rejected={"bad count": 1},
        examples={"bad count": "0"},
    )
    second = TableReport(
        file="b",
        n_rows=2,
        n_accepted=1,
        n_incidents=1,
        first_day=dt.date(2020, 1, 1),
        last_day=dt.date(2020, 1, 1),
        n_rejected={"bad count": 1},
        examples={"bad count": "-1"},
    )

    whole = together([first, second], "both")

    assert (whole.n_rows, whole.n_accepted, whole.n_incidents) == (5, 3, 5)
    assert (whole.first_day, whole.last_day) == (dt.date(2020, 1, 1), dt.date(2020, 3, 1))
    assert whole.n_rejected == {"bad count": 2}
    assert whole.examples == {"bad count": "0"}


@pytest.mark.parametrize(
    ("known", "found", "told"),
    [
        (
            "K\u00f6rperverletzung",
            "Ko\u0308rperverletzung",
            r"like 'K\u00f6rperverletzung', but its accents are encoded in another way: copy it",
        ),
        ("Straßenraub", "STRASSENRAUB", r"'STRASSENRAUB' \(1, like 'Straßenraub'\); add each"),
    ],
)
def test_a_label_that_is_spelt_otherwise_is_known_again(read, known, found, told):
    burglary, *others = TOWN.offence_types
    kinds = (replace(burglary, labels=(*burglary.labels, known)), *others)
    area = replace(TOWN, offence_types=kinds)

    with pytest.raises(SourceFormatError, match=told):
        read(f"2020-01-31,{found},630250,4833250\n", area=area)


@pytest.mark.parametrize(
    ("forms", "kept", "other"),
    [
        (("%d/%m/%Y",), "{day}/01/2020", "2020-01-{month:02d}"),
        ((), "2020-01-{month:02d}", "{day}/01/2020"),
        (("%Y-%m-%d %H:%M:%S",), "2020-01-{month:02d} 10:00:00", "01/{day}/2020 10:00"),
    ],
)
def test_dates_that_a_spreadsheet_turned_around_are_no_second_way(tmp_path, forms, kept, other):
    rows = [
        f"{written.format(day=12 + at, month=at)},Burglary,630250,4833250\n"
        for at in range(1, 9)
        for written in (kept, other)
    ]
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "file.csv").write_text(HEADER + "".join(rows))
    source = replace(POLICE, datetime_formats=forms)

    with pytest.raises(SourceFormatError, match="a spreadsheet has swapped day and month") as told:
        read_source(source, TOWN, tmp_path, tmp_path, grid=GRID, as_of=dt.date(2020, 6, 30))

    assert "export it anew with the column as text" in str(told.value)
    assert "try" not in str(told.value)


def test_another_decimal_mark_in_some_rows_is_told(read):
    message = r"the first without is '630250,5 4833250', with a ',' where other rows have the decim"
    with pytest.raises(SourceFormatError, match=message):
        read('2020-01-31,Burglary,"630250,5",4833250\n')
