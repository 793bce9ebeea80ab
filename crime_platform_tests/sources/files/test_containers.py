"""Workbooks, vector files and JSON lines as files of incidents: read, or refused by name."""

import datetime as dt
import gzip
import io
import json
import zipfile

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from crime_platform.sources.conversion import parent
from crime_platform.sources.files.opening import file_sha256, file_state
from crime_platform.vocabulary.incident import SourceFormatError
from toys.table_reading import accepted, reader_into, rejected
from toys.workbooks import CLOCK_STYLE, DAY_STYLE, MOMENT_STYLE, workbook

HEADER = ["when", "what", "east", "north"]
GOOD = [(43861.0, DAY_STYLE), "Burglary", 630250, 4833250.5]  # 2020-01-31
LON_LAT = {"x": None, "y": None, "lon": "geometry.x", "lat": "geometry.y"}
METRES = {"x": "geometry.x", "y": "geometry.y"}


@pytest.fixture
def read(tmp_path):
    return reader_into(tmp_path)


def points(*, crs="EPSG:26917", **columns):
    table = {"when": ["2020-01-31", "2020-02-01"], "what": ["Burglary", "Robbery"], **columns}
    places = [shapely.Point(630250, 4833250), shapely.Point(630750, 4833750)]
    return gpd.GeoDataFrame(table, geometry=places, crs="EPSG:26917").to_crs(crs)


def written(table, path, **options):
    table.to_file(path, engine="pyogrio", **options)
    return path.read_bytes()


def test_a_workbook_is_read_with_its_dates_and_digits(read):
    rows = [[*HEADER, "id", "clock"], [*GOOD, 123456789012345.0, (0.5625, CLOCK_STYLE)]]

    reading = read(workbook(Data=rows), name="a.xlsx", columns={"id": "id", "hour": "clock"})

    assert accepted(reading, "occurred_on", "occurred_hour", "source_id", "y_m", "source_row") == [
        (dt.date(2020, 1, 31), 13, "123456789012345", 4833250.5, 2)
    ]


def test_a_moment_in_a_workbook_has_its_hour(read):
    moment = [(43861.75, MOMENT_STYLE), *GOOD[1:]]

    reading = read(workbook(Data=[HEADER, moment]), name="a.xlsx")

    assert accepted(reading, "occurred_hour") == [(18,)]


def test_rows_of_a_workbook_have_the_numbers_of_the_sheet(read):
    text = ["31/01/2020", "Burglary", 630250, 4833250]
    sheet = [[], ["Crime in Small Town"], [], HEADER, GOOD, [], text, GOOD, []]

    reading = read(workbook(Data=sheet), name="a.xlsx")

    assert accepted(reading, "source_row") == [(5,), (8,)]
    assert rejected(reading) == [(7, "unparseable date", "31/01/2020")]


def test_of_several_sheets_the_named_one_is_read(read):
    content = workbook(Notes=[["read me"]], Old=[HEADER, GOOD, GOOD], New=[HEADER, GOOD])

    with pytest.raises(
        SourceFormatError, match=r"a\.xlsx: has 2 sheets with rows: 'Old' \(3 rows\)"
    ):
        read(content, name="a.xlsx")
    assert read(content, name="a.xlsx", sheet="New").report.n_rows == 1


def test_a_sheet_that_is_not_there_is_told(read):
    with pytest.raises(SourceFormatError, match=r"has no sheet 'New'; it has 'Old'"):
        read(workbook(Old=[HEADER, GOOD]), name="a.xlsx", sheet="New")


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        ([HEADER], "has no sheet with a header and rows"),
        ([[]] * 60 + [HEADER, GOOD], "4 mapped columns are missing|first 50 rows are blank"),
        ([["when", *HEADER], [*GOOD, 1]], "2 columns are called 'when'"),
    ],
)
def test_a_sheet_without_a_table_is_refused(read, sheet, message):
    with pytest.raises(SourceFormatError, match=message):
        read(workbook(Data=sheet), name="a.xlsx")


def test_a_damaged_workbook_is_refused(read):
    with pytest.raises(SourceFormatError, match=r"a\.xls: a damaged spreadsheet, or none \("):
        read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), name="a.xls")


def test_a_cell_at_the_end_of_the_sheet_takes_no_memory(read):
    content = workbook(Data=[HEADER, GOOD])
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w") as new:
        [
            new.writestr(name, old.read(name).replace(b'r="D2"', b'r="XFD1048576"'))
            for name in old.namelist()
        ]

    with pytest.raises(
        SourceFormatError, match=r"a\.xlsx: a workbook that is damaged, or too larg"
    ):
        read(packed.getvalue(), name="a.xlsx")


def test_a_conversion_that_takes_too_long_is_ended(read, monkeypatch):
    monkeypatch.setattr(parent, "SECONDS", 0.01)

    with pytest.raises(SourceFormatError, match=r"a\.xlsx: reading this workbook took more than 0"):
        read(workbook(Data=[HEADER, GOOD]), name="a.xlsx")


def test_a_full_disk_is_not_the_files_fault(read, monkeypatch):
    monkeypatch.setattr(parent, "MODULE", "crime_platform_without_it")
    monkeypatch.setattr(parent, "FULL_DISK", b"No module named")

    with pytest.raises(OSError, match="No space left"):
        read(workbook(Data=[HEADER, GOOD]), name="a.xlsx")


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".geojson"])
def test_points_of_a_vector_file_are_read(read, tmp_path, suffix):
    # With its spatial index a FlatGeobuf would hold the points in another order.
    options = {"SPATIAL_INDEX": "NO"} if suffix == ".fgb" else {}
    content = written(points(crs="EPSG:4326"), tmp_path / f"made{suffix}", **options)

    reading = read(content, name=f"a{suffix}.gz", columns=LON_LAT, crs="EPSG:4326")

    assert accepted(reading, "row", "col", "source_row") == [(0, 0, 1), (1, 1, 2)]
    assert (
        read(
            gzip.compress(content), name=f"b{suffix}.gz", columns=LON_LAT, crs="EPSG:4326"
        ).report.n_geocoded
        == 2
    )


@pytest.mark.parametrize("own_crs", ["EPSG:4326", "EPSG:26917", "EPSG:3857"])
def test_a_layer_in_a_crs_of_its_own_is_reprojected(read, tmp_path, own_crs):
    content = written(points(crs=own_crs), tmp_path / "made.gpkg")

    reading = read(content, name="a.gpkg", columns=METRES)

    assert accepted(reading, "row", "col") == [(0, 0), (1, 1)]


def test_of_several_layers_the_named_one_is_read(read, tmp_path):
    path = tmp_path / "made.gpkg"
    written(points(), path, layer="old")
    content = written(points().iloc[:1], path, layer="new", mode="a")

    with pytest.raises(SourceFormatError, match=r"has 2 layers: 'old' \(Point\), 'new' \(Point\)"):
        read(content, name="a.gpkg", columns=METRES)
    with pytest.raises(SourceFormatError, match=r"has no layer 'newer'; it has 'old', 'new'"):
        read(content, name="a.gpkg", columns=METRES, layer="newer")
    assert read(content, name="a.gpkg", columns=METRES, layer="new").report.n_rows == 1


def test_a_layer_of_areas_is_told(read, tmp_path):
    areas = points()
    areas.geometry = areas.buffer(5)
    content = written(areas, tmp_path / "made.gpkg")

    with pytest.raises(SourceFormatError, match=r"a\.gpkg: its geometries are Polygon, and an inc"):
        read(content, name="a.gpkg", columns=METRES)


def test_attributes_of_a_layer_of_areas_are_read(read, tmp_path):
    areas = points(east=[630250.0, 630750.0], north=[4833250.0, 4833750.0])
    areas.geometry = areas.buffer(5)

    assert read(written(areas, tmp_path / "made.gpkg"), name="a.gpkg").report.n_geocoded == 2


def test_a_zipped_shapefile_in_a_folder_is_read(read, tmp_path):
    (tmp_path / "shp").mkdir()
    points().to_file(tmp_path / "shp" / "Crime.shp")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        [archive.write(part, f"data/2020/{part.name}") for part in (tmp_path / "shp").iterdir()]

    reading = read(packed.getvalue(), name="a.zip", columns=METRES)

    assert accepted(reading, "source_file", "row", "col") == [
        ("a.zip/data/2020/Crime.shp", 0, 0),
        ("a.zip/data/2020/Crime.shp", 1, 1),
    ]


def test_a_shapefile_is_read_with_its_parts(read, tmp_path):
    points().to_file(tmp_path / "a.shp")

    reading = read((tmp_path / "a.shp").read_bytes(), name="a.shp", columns=METRES)

    assert reading.report.n_geocoded == 2


def test_a_change_of_the_attributes_changes_a_shapefile(tmp_path):
    points().to_file(tmp_path / "a.shp")
    before = file_sha256(tmp_path / "a.shp"), file_state(tmp_path / "a.shp")
    (tmp_path / "a.dbf").write_bytes((tmp_path / "a.dbf").read_bytes() + b" ")

    assert file_sha256(tmp_path / "a.shp") != before[0]
    assert file_state(tmp_path / "a.shp") != before[1]


@pytest.mark.parametrize("encoding", ["WKB", "geoarrow"])
def test_geoparquet_is_read(read, tmp_path, encoding):
    points(crs="EPSG:4326").to_parquet(tmp_path / "made", geometry_encoding=encoding)

    reading = read((tmp_path / "made").read_bytes(), name="a.parquet", columns=METRES)

    assert accepted(reading, "row", "col") == [(0, 0), (1, 1)]


def test_a_cut_vector_file_is_refused(read, tmp_path):
    content = written(points(), tmp_path / "made.fgb")

    with pytest.raises(SourceFormatError, match=r"a\.fgb: (damaged|has no layer)"):
        read(content[:200], name="a.fgb", columns=METRES)


def test_an_instant_is_not_taken_for_a_local_time(read, tmp_path):
    moments = pd.to_datetime(["2020-01-31T12:00Z", "2020-02-01T12:00Z"], utc=True)
    content = written(points(when=moments), tmp_path / "made.gpkg")

    with pytest.raises(SourceFormatError, match=r"column 'when' holds instants, not local times"):
        read(content, name="a.gpkg", columns=METRES)
    reading = read(content, name="a.gpkg", columns=METRES, timestamps_are="utc")
    assert accepted(reading, "occurred_hour") == [(7,), (7,)]


def json_lines(*rows):
    return "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)


LINE = {"when": "2020-01-31", "what": "Burglary", "east": 630250, "north": 4833250}


def test_json_lines_are_read_and_numbered_as_lines(read):
    content = json_lines(LINE, "", '{"when": "2020', {**LINE, "new": 1}, "[1]", LINE)

    reading = read(content, name="a.jsonl")

    assert accepted(reading, "source_row") == [(1,), (4,), (6,)]
    assert rejected(reading) == [(3, "broken row", None), (5, "broken row", None)]


def test_keys_inside_an_object_are_columns(read):
    line = {"when": "2020-01-31", "what": "Burglary", "at": {"x": 630250, "y": [4833250]}}

    reading = read(json_lines(line), columns={"x": "at.x", "y": "at.y"})

    assert accepted(reading, "source_row") == [(1,)]
    assert reading.report.n_geocoded == 0  # a list is no number


def test_lines_of_geojson_features_are_read(read):
    geometry = {"type": "Point", "coordinates": [630250, 4833250]}
    line = {"type": "Feature", "properties": {"when": "2020-01-31", "what": "Robbery"}}

    reading = read("\x1e" + json_lines({**line, "geometry": geometry}), columns=METRES)

    assert accepted(reading, "row", "col") == [(0, 0)]


def test_a_json_list_is_read_and_numbered_as_values(read):
    content = json.dumps([LINE, {}, "none", {**LINE, "new": 1}, None, LINE], indent=1)

    reading = read(f"\ufeff\n {content}", name="a.json")

    assert accepted(reading, "source_row") == [(1,), (4,), (6,)]
    assert rejected(reading) == [(row, "broken row", None) for row in (2, 3, 5)]


def test_points_inside_an_object_are_two_columns(read):
    point = {"type": "Point", "coordinates": ["630250", "4833250"]}
    line = {"when": "2020-01-31", "what": "Burglary", "at": {"spot": point}}

    reading = read(json.dumps([line]), columns={"x": "at.spot.x", "y": "at.spot.y"}, name="a.json")

    assert accepted(reading, "row", "col") == [(0, 0)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"a": 1}]\n\n[{"a": 2}]', "more follows the end of the JSON list"),
        ('[{"a": 1}] ,', "more follows the end of the JSON list"),
        ('[{"when": "2020', "the JSON list breaks off or is damaged"),
        ('[{"when": 1} "x" : 2]', "the JSON list breaks off or is damaged"),
        ('[{"when": "\xe9"}]'.encode("latin-1"), "not UTF-8 throughout"),
        ('[{"a": ' + "[" * 5000 + "]", "values stand inside each other without end"),
        (f'[{{"a": "{"x" * 2**25}"}}]', "a value of more than 16,777,216 characters"),
    ],
)
def test_a_json_list_that_cannot_be_read_is_refused(read, content, message):
    with pytest.raises(SourceFormatError, match=message):
        read(content, name="a.json")


def test_a_huge_json_line_is_a_broken_row(read):
    reading = read(json_lines(LINE, {**LINE, "note": "x" * 20_000_000}, LINE), name="a.jsonl")

    assert accepted(reading, "source_row") == [(1,), (3,)]
    assert rejected(reading) == [(2, "broken row", None)]


@pytest.mark.parametrize(
    ("start", "told"),
    [
        (b"%PDF-1.7\n", "a PDF document, which is not read; ask the publisher for the table"),
        (b"Rar!\x1a\x07\x01\x00", "a RAR archive, which is not read; unpack it"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "a 7-Zip archive"),
        (b"\0\1\0\0Standard Jet DB\0", r"an Access database \(\.mdb\), which is not read; open it"),
        (b"\0\1\0\0Standard ACE DB\0", r"an Access database \(\.accdb\)"),
        (b"$FL2@(#) SPSS DATA FILE", r"an SPSS file \(\.sav\)"),
        (b"<stata_dta><header>", r"a Stata file \(\.dta\)"),
        (b"SQLite format 3\0" + bytes(100), "an SQLite database"),
        (b"ARROW1\0\0", "an Arrow or Feather file"),
        (b"\x80\x04\x95", "a Python pickle, which is not read; such files run code"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (bytes(257) + b"ustar\x00", "a tar archive"),
        (bytes(8) + b"DUCK" + bytes(8), "a DuckDB database"),
        (
            b"<?xml version='1.0'?>\n<?mso-application progid=\"Excel.Sheet\"?>",
            "a workbook of 2003",
        ),
        (b"<?xml version='1.0'?>\n<kml xmlns='x'>", "a KML file"),
        (b"<?xml version='1.0'?>\n<rows>", "an XML file"),
        (b"<!DOCTYPE html><p>", "a web page, not a table; the download was answered with a page"),
        (b"<table><tr><td>when", "a table of a web page; open it in a spreadsheet"),
    ],
)
def test_what_is_not_read_is_called_by_its_name(read, start, told):
    with pytest.raises(SourceFormatError, match=rf"file\.csv: {told}"):
        read(start)


@pytest.mark.parametrize(
    ("member", "content", "told"),
    [
        ("word/document.xml", "x", "a Word document"),
        ("ppt/presentation.xml", "x", "a PowerPoint document"),
        ("Index/Document.iwa", "x", "an Apple Numbers document"),
        ("doc.kml", "x", "a KMZ file"),
        ("mimetype", "application/vnd.oasis.opendocument.text", "an OpenDocument text"),
    ],
)
def test_a_document_is_called_by_its_name(read, member, content, told):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(member, content)

    with pytest.raises(SourceFormatError, match=rf"a\.zip: {told}, which is not read"):
        read(packed.getvalue(), name="a.zip")


def test_the_attributes_of_a_shapefile_alone_are_told(read):
    with pytest.raises(SourceFormatError, match=r"a\.dbf: the attributes of a shapefile, .* \.shp"):
        read(b"\x03\x78\x01\x01" + bytes(40), name="a.dbf")
