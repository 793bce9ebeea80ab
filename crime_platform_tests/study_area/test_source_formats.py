"""Publishers whose layout is known: a study area names the format and maps nothing."""

import datetime as dt
import zipfile

import pytest

from crime_platform.pipeline.ingest import ingest_area
from crime_platform.sources.files.opening import source_files
from crime_platform.sources.table import read_source, read_table_file
from crime_platform.study_area.parts import StudyAreaError
from crime_platform.study_area.source import ColumnMapping
from crime_platform.study_area.study_area import load_study_area
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.incident import SourceFormatError
from crime_platform.warehouse.warehouse import Warehouse
from toys.table_reading import accepted

AREA = """
name = "town"
crs = "{crs}"
timezone = "Europe/London"
first_month = "{first}"
{extra}

[grid]
cell_size_m = 500
extent_m = {extent}

[[offence_type]]
name = "theft"
labels = {labels}

[[source]]
name = "police"
"""
STREET_HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Crime type,Last outcome category,Context\n"
)
# Two equal rows without an identifier, and one that the force could not place.
STREET_ROWS = (
    ",2024-01,Gwent Police,Gwent Police,-2.9950,51.5850,On or near High Street,W01,Newport,"
    "Other theft,,\n"
)
AS_OF = dt.date(2025, 6, 30)
NOWHERE = "a1,2024-01,Gwent Police,Gwent Police,,,No Location,,,Other theft,Under investigation,\n"


def load(folder, text, **blanks):
    path = folder / "town.toml"
    path.write_text(AREA.format(**blanks) + text)
    return load_study_area(path)


@pytest.fixture
def street_area(tmp_path):
    return load(
        tmp_path,
        'format = "police_uk"\npaths = ["raw/*"]\n\n[quality]\nmin_geocoded_share = 0.5\n',
        crs="EPSG:27700",
        first="2024-01",
        extra="",
        extent="[323000, 181000, 341000, 195000]",
        labels='["Other theft"]',
    )


def test_a_street_archive_is_read_without_its_outcomes_and_searches(tmp_path, street_area):
    raw = tmp_path / "raw"
    raw.mkdir()
    with zipfile.ZipFile(raw / "latest.zip", "w") as archive:
        archive.writestr("2024-01/2024-01-gwent-street.csv", STREET_HEADER + STREET_ROWS * 2)
        archive.writestr("2024-01/2024-01-gwent-outcomes.csv", "Crime ID,Month\n1,2024-01\n")
        archive.writestr("2024-01/2024-01-gwent-stop-and-search.csv", "Gender,Age range\nM,1\n")

    (reading,) = read_source(street_area.sources[0], street_area, tmp_path, tmp_path, as_of=AS_OF)

    assert (
        accepted(reading, "occurred_on", "offence_type", "part")
        == [(dt.date(2024, 1, 1), "theft", "Gwent Police")] * 2
    )


def test_a_street_row_without_a_place_counts_in_totals(tmp_path, street_area):
    path = tmp_path / "2024-01-gwent-street.csv"
    path.write_text(STREET_HEADER + STREET_ROWS + NOWHERE)

    reading = read_table_file(path, street_area.sources[0], street_area, tmp_path, as_of=AS_OF)

    assert (reading.report.n_accepted, reading.report.n_geocoded) == (2, 1)


def test_other_files_beside_the_street_files_are_left_alone(tmp_path, street_area):
    raw = tmp_path / "raw"
    raw.mkdir()
    for name in ("2024-01-gwent-street.csv", "2024-01-gwent-stop-and-search.csv"):
        (raw / name).write_text("x")

    found = source_files(street_area.sources[0], tmp_path)

    assert [path.name for path in found] == ["2024-01-gwent-street.csv"]


def test_a_folder_without_a_street_file_is_an_error(tmp_path, street_area):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "2024-01-gwent-outcomes.csv").write_text("x")

    with pytest.raises(SourceFormatError, match=r"reads archives and files named \*-street\.csv"):
        source_files(street_area.sources[0], tmp_path)


NZ_2014 = (
    "Table 1\tANZSOC Division\tYear Month\tMonth Year\tANZSOC Group\tANZSOC Subdivision\t"
    "Area Unit\tLocation Type\tLocn Type Division\tMeshblock\tOccurrence Day Of Week\t"
    "Occurrence Hour Of Day\tTerritorial Authority\tWeapon\tYear Month (copy 2)\t"
    "Number of Records\tVictimisations\n"
)
NZ_2025 = (
    "Year Month,Area Unit,Territorial Authority,Meshblock,ANZSOC Division,ANZSOC Group,"
    "ANZSOC Subdivision,Victimisations,Month Year,Locn Type Division\n"
)
MESHBLOCKS = (
    "MB2013,AU2013_name,X,Y\n579200,Wesley,1755000,5916000\n579300,Wesley,1755200,5916000\n"
)
NZ_PLACES = """
format = "nz_police"
paths = ["raw/*.csv"]

[source.only]
column = "Territorial Authority"
values = ["Auckland"]

[source.places]
file = "meshblocks.csv"
vintage = "meshblocks 2013"
code = "MB2013"
district = "AU2013_name"
x = "X"
y = "Y"
crs = "EPSG:2193"
unknown = ["999999"]

[quality]
min_geocoded_share = 0.5
"""


def old_row(month, block, hour, n, authority="Auckland."):
    return (
        f"1 Victimisation Time and Place\tTheft and Related Offences\t{month}\t{month}\t"
        f"Theft From Retail Premises\tTheft (Except Motor Vehicles)\tWesley.\t.\tOther Location\t"
        f"{block}\tWednesday\t{hour}\t{authority}\tNot Applicable\t{month}\t1\t{n}\n"
    )


@pytest.fixture
def nz_area(tmp_path):
    (tmp_path / "meshblocks.csv").write_text(MESHBLOCKS)
    return load(
        tmp_path,
        NZ_PLACES,
        crs="EPSG:2193",
        first="2014-07",
        extra="",
        extent="[1754000, 5915000, 1757000, 5917000]",
        labels='["Theft and Related Offences", "Theft"]',
    )


def test_an_export_in_utf_16_with_tabs_is_read(tmp_path, nz_area):
    path = tmp_path / "export.csv"
    rows = (
        old_row("July 2014", 579200, "99.0", 2)
        + old_row("201408", -118, "7.0", 1)
        + old_row("July 2014", 1, "3.0", 5, authority="Hamilton.")
    )
    path.write_bytes(b"\xff\xfe" + (NZ_2014 + rows).encode("utf-16-le"))

    reading = read_table_file(
        path, nz_area.sources[0], nz_area, tmp_path, home=tmp_path, as_of=AS_OF
    )

    columns = ("occurred_on", "occurred_hour", "x_m", "n_incidents", "source_premises")
    assert accepted(reading, *columns) == [
        (dt.date(2014, 7, 1), None, 1755000.0, 2, "Other Location"),
        # The block is not known, but its district is: half way between its two blocks.
        (dt.date(2014, 8, 1), 7, 1755100.0, 1, "Other Location"),
    ]
    assert reading.report.n_elsewhere == 1


def test_an_export_of_2025_has_other_columns_names_and_commas(tmp_path, nz_area):
    path = tmp_path / "Download Table_Full Data_data.csv"
    row = "January 2025,Wesley.,Auckland.,579300,Theft,g,s,3,January 2025,Dwelling\n"
    path.write_text("\ufeff" + NZ_2025 + row)

    reading = read_table_file(
        path, nz_area.sources[0], nz_area, tmp_path, home=tmp_path, as_of=AS_OF
    )

    assert accepted(reading, "occurred_on", "x_m", "n_incidents", "occurred_hour") == [
        (dt.date(2025, 1, 1), 1755200.0, 3, None)
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('file = "meshblocks.csv"\n', "", r"\[source 1\.places\] file: the key is missing"),
        ('crs = "EPSG:2193"\nunknown', 'crs = "EPSG:2193"\nmin_match_share = 95\nunknown', "0.95"),
        ('crs = "EPSG:2193"\nunknown', 'crs = "NZTM"\nunknown', "'NZTM' is no CRS that the"),
        ('values = ["Auckland"]', "values = []", "expected at least one, found none"),
        ('column = "Territorial Authority"', 'column = "Victim Age"', "never loaded"),
        ('district = "AU2013_name"\n', "", "does not say which of its columns holds the district"),
        (NZ_PLACES[NZ_PLACES.index("[source.places]") :], "", "belong together"),
        ("[source.only]", '[source.columns]\nlon = "Lon"\n\n[source.only]', "one of the four"),
    ],
)
def test_a_mistake_beside_a_known_format_is_told(tmp_path, old, new, message):
    assert old in NZ_PLACES

    with pytest.raises(StudyAreaError, match=message):
        load(
            tmp_path,
            NZ_PLACES.replace(old, new),
            crs="EPSG:2193",
            first="2014-07",
            extra="",
            extent="[1754000, 5915000, 1757000, 5917000]",
            labels='["Theft"]',
        )


def test_a_district_without_a_place_is_an_error():
    with pytest.raises(StudyAreaError, match="district: it stands in where place is not known"):
        ColumnMapping(occurred_at="when", offence="what", lon="x", lat="y", district="suburb")


def test_a_new_table_of_places_reads_the_files_again(tmp_path, nz_area):
    home = PlatformHome(tmp_path)
    (tmp_path / "raw").mkdir()
    row = "January 2025,Wesley.,Auckland.,579300,Theft,g,s,3,January 2025,Dwelling\n"
    (tmp_path / "raw" / "export.csv").write_text(NZ_2025 + row)

    first, again = ingest_area(nz_area, home), ingest_area(nz_area, home)
    (tmp_path / "meshblocks.csv").write_text(MESHBLOCKS.replace("1755200", "1755300"))
    renewed = ingest_area(nz_area, home)

    assert (first.n_read, again.n_read, renewed.n_read) == (1, 0, 1)
    places = Warehouse(home.warehouse).read("select x_m from incident where study_area = 'town'")
    assert places["x_m"].tolist() == [1755300.0]


def test_a_missing_table_of_places_is_named(tmp_path, nz_area):
    (tmp_path / "meshblocks.csv").unlink()
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "export.csv").write_text(NZ_2025)

    message = r"meshblocks\.csv: no such file\. Put the table of meshblocks 2013 there"
    with pytest.raises(SourceFormatError, match=message):
        ingest_area(nz_area, PlatformHome(tmp_path))


def archive(folder, name, rows_by_month):
    """A police.uk archive: one street file per month and force."""
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / name, "w") as out:
        for (month, force), n in rows_by_month.items():
            row = STREET_ROWS.replace("2024-01", month).replace("Gwent Police", force)
            out.writestr(f"{month}/{month}-{force}-street.csv", STREET_HEADER + row * n)


def months_known(home):
    return (
        Warehouse(home.warehouse)
        .read(
            "select part, strftime(month, '%Y-%m') as month, count(*) as n from incident "
            "where study_area = 'town' group by all order by all"
        )
        .to_records(index=False)
        .tolist()
    )


def test_a_month_published_again_replaces_the_force_s_earlier_one(tmp_path, street_area):
    home, raw = PlatformHome(tmp_path), tmp_path / "raw"
    archive(raw, "a.zip", {("2024-01", "Gwent"): 2, ("2024-02", "Gwent"): 1, ("2024-02", "Met"): 4})
    ingest_area(street_area, home)

    # The newer archive revises January, brings March, and holds nothing of the Met.
    archive(
        raw, "b.zip", {("2024-01", "Gwent"): 3, ("2024-02", "Gwent"): 1, ("2024-03", "Gwent"): 1}
    )
    report = ingest_area(street_area, home)

    assert months_known(home) == [
        ("Gwent", "2024-01", 3),
        ("Gwent", "2024-02", 1),
        ("Gwent", "2024-03", 1),
        ("Met", "2024-02", 4),
    ]
    assert report.n_accepted == 9
    vintages = Warehouse(home.warehouse).read("select count(*) as n from incident_vintage")
    assert vintages["n"].item() == 12


def test_a_month_comes_back_when_the_newer_archive_is_taken_away(tmp_path, street_area):
    home, raw = PlatformHome(tmp_path), tmp_path / "raw"
    archive(raw, "a.zip", {("2024-01", "Gwent"): 2})
    archive(raw, "b.zip", {("2024-01", "Gwent"): 3, ("2024-02", "Gwent"): 1})
    ingest_area(street_area, home)

    (raw / "b.zip").unlink()
    ingest_area(street_area, home)

    assert months_known(home) == [("Gwent", "2024-01", 2)]


def test_of_archives_that_reach_as_far_the_one_read_later_counts(tmp_path, street_area):
    home, raw = PlatformHome(tmp_path), tmp_path / "raw"
    archive(raw, "z.zip", {("2024-01", "Gwent"): 2})
    ingest_area(street_area, home)

    archive(raw, "a.zip", {("2024-01", "Gwent"): 3})
    ingest_area(street_area, home)

    assert months_known(home) == [("Gwent", "2024-01", 3)]
