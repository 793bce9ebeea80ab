"""Vector files as publishers and programs deliver them: one layer of shapes, or what is wrong."""

import gzip
import zipfile

import geopandas
import pandas as pd
import pyogrio
import pytest
import shapely

from crime_platform.sources.files.vector_files import LINES, POLYGONS, layer_names, read_vector
from crime_platform.vocabulary.incident import CoordinateError, SourceFormatError
from toys.paths import REPOSITORY

CASES = REPOSITORY.parent / "shared" / "cases" / "elsewhere" / "12_street_formats"
UTM_33 = "EPSG:32633"
STREET = shapely.LineString([(500000, 5000000), (500100, 5000000)])
CROSSING = shapely.Point(500000, 5000000)
BLOCK = shapely.box(500000, 5000000, 500100, 5000100)

needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason=f"{CASES} is absent: street files")


def shapes(*those):
    return geopandas.GeoDataFrame({"name": ["x"] * len(those)}, geometry=list(those), crs=UTM_33)


def written(path, *those, **options):
    shapes(*those).to_file(path, **options)
    return path


def zipped(path, *files, inside=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            archive.write(file, f"{inside}{file.name}")
    return path


def is_the_street(table):
    """Whether a table holds the one street, which formats in degrees move by millimetres."""
    return (
        len(table) == 1
        and shapely.hausdorff_distance(table.to_crs(UTM_33).geometry.iloc[0], STREET) < 0.1
    )


@pytest.mark.parametrize("name", ["a.gpkg", "a.shp", "a.geojson", "a.fgb", "a.geojsonl"])
def test_a_file_of_lines_is_read_as_it_stands(tmp_path, name):
    assert is_the_street(read_vector(written(tmp_path / name, STREET), wanted=LINES))


@pytest.mark.parametrize("name", ["a.geojson", "a.fgb", "a.gpkg", "a.geojsonl"])
def test_a_gzip_file_is_unpacked(tmp_path, name):
    plain = written(tmp_path / name, STREET)
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))

    assert is_the_street(read_vector(packed, wanted=LINES))


def test_geoparquet_is_read_whatever_its_name(tmp_path):
    shapes(STREET).to_parquet(tmp_path / "streets.dat")

    assert is_the_street(read_vector(tmp_path / "streets.dat", wanted=LINES))
    assert layer_names(tmp_path / "streets.dat") == ["streets (Unknown)"]


def test_feather_is_read(tmp_path):
    shapes(STREET).to_feather(tmp_path / "streets.feather")

    assert is_the_street(read_vector(tmp_path / "streets.feather"))


def test_parquet_inside_a_zip_is_read(tmp_path):
    shapes(STREET).to_parquet(tmp_path / "streets.parquet")

    assert is_the_street(read_vector(zipped(tmp_path / "a.zip", tmp_path / "streets.parquet")))


@pytest.mark.parametrize("inside", ["", "Roads (2024)/", "a/b/", "a\\b\\", "../../"])
def test_a_shapefile_anywhere_in_a_zip_is_read(tmp_path, inside):
    written(tmp_path / "Roads.shp", STREET)
    (tmp_path / "Roads.shp.xml").write_text("<about/>")
    (tmp_path / "meta.json").write_text("{}")
    packed = zipped(tmp_path / "a.zip", *sorted(tmp_path.iterdir()), inside=inside)

    assert is_the_street(read_vector(packed, wanted=LINES))


def test_a_geodatabase_is_read_from_its_folder_and_from_a_zip(tmp_path):
    folder = tmp_path / "city.gdb"
    table = shapes(shapely.MultiLineString([STREET]))
    table.to_file(folder, layer="roads", driver="OpenFileGDB")
    packed = zipped(tmp_path / "a.zip", *folder.iterdir(), inside="x/City.GDB/")

    assert is_the_street(read_vector(folder))
    assert is_the_street(read_vector(packed, layer="roads"))


def test_the_first_layer_with_lines_is_read(tmp_path):
    path = written(tmp_path / "osmnx.gpkg", CROSSING, layer="nodes")
    written(path, STREET, layer="edges")
    written(path, BLOCK, layer="blocks")

    assert is_the_street(read_vector(path, wanted=LINES))
    assert read_vector(path, wanted=POLYGONS).geometry.iloc[0].equals(BLOCK)
    assert read_vector(path).geometry.iloc[0] == CROSSING
    assert layer_names(path) == ["nodes (Point)", "edges (LineString)", "blocks (Polygon)"]


def test_files_of_an_archive_are_its_layers(tmp_path):
    written(tmp_path / "nodes.shp", CROSSING)
    written(tmp_path / "edges.shp", STREET)
    packed = zipped(tmp_path / "a.zip", *sorted(tmp_path.iterdir()), inside="city/")

    assert is_the_street(read_vector(packed, wanted=LINES))
    assert read_vector(packed, layer="city/nodes").geometry.iloc[0] == CROSSING
    assert layer_names(packed) == ["city/edges (LineString)", "city/nodes (Point)"]


def test_a_layer_that_does_not_state_its_kind_is_preferred_to_another_kind(tmp_path):
    path = written(tmp_path / "a.gpkg", CROSSING, layer="points")
    written(path, STREET, CROSSING, layer="mixed", geometry_type="Unknown")

    assert len(read_vector(path, wanted=LINES)) == 2


def test_a_table_beside_the_layers_is_none(tmp_path):
    path = tmp_path / "a.gpkg"
    pyogrio.write_dataframe(pd.DataFrame({"a": [1]}), path, layer="about")
    written(path, STREET, layer="roads")

    assert layer_names(path) == ["roads (LineString)"]


def test_a_layer_that_is_not_there_names_those_that_are(tmp_path):
    path = written(tmp_path / "a.gpkg", STREET, layer="roads")

    with pytest.raises(SourceFormatError, match=r"'edges', found 0; it holds roads .LineString."):
        read_vector(path, layer="edges")


def test_one_layer_name_in_two_files_of_an_archive_is_told_apart_by_the_folder(tmp_path):
    path = written(tmp_path / "a.fgb", STREET)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(path, "old/a.fgb")
        archive.write(path, "new/a.fgb")

    with pytest.raises(SourceFormatError, match=r"one layer 'a', found 2; it holds old/a .*new/a"):
        read_vector(tmp_path / "a.zip", layer="a")


@pytest.mark.parametrize("read", [read_vector, layer_names])
def test_a_missing_file_is_named(tmp_path, read):
    with pytest.raises(CoordinateError, match=r"nowhere\.shp: no such file"):
        read(tmp_path / "nowhere.shp")


def test_a_file_that_is_no_vector_file_is_refused(tmp_path):
    path = tmp_path / "streets.shp"
    path.write_bytes(b"not a shapefile")

    with pytest.raises(SourceFormatError, match="cannot be read as a vector file"):
        read_vector(path)


def test_a_damaged_geoparquet_file_is_refused(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing else PAR1")

    with pytest.raises(SourceFormatError, match="cannot be read as a vector file"):
        read_vector(tmp_path / "a.parquet")


def test_parquet_without_a_geometry_is_refused(tmp_path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "a.parquet")

    with pytest.raises(SourceFormatError, match=r"cannot be read as a vector file .*geo metadata"):
        read_vector(tmp_path / "a.parquet")


def test_a_table_without_geometry_is_refused(tmp_path):
    path = tmp_path / "streets.csv"
    path.write_text("name,length\nMain Street,100\n")

    with pytest.raises(SourceFormatError, match="holds a table without geometry"):
        read_vector(path)


def test_a_zip_without_a_vector_file_names_its_members(tmp_path):
    (tmp_path / "readme.txt").write_text("nothing")

    with pytest.raises(SourceFormatError, match=r"holds no vector file; found \['readme\.txt'\]"):
        read_vector(zipped(tmp_path / "a.zip", tmp_path / "readme.txt"))


def test_an_extract_of_openstreetmap_is_refused(tmp_path):
    (tmp_path / "city.osm.pbf").write_bytes(b"")

    with pytest.raises(SourceFormatError, match=r"rivers and borders too; save its roads alone"):
        read_vector(tmp_path / "city.osm.pbf")


def test_two_members_of_one_name_are_refused(tmp_path):
    path = written(tmp_path / "a.geojson", STREET)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(path, "A.geojson")
        archive.write(path, "a.GEOJSON")

    with pytest.raises(SourceFormatError, match=r"two members are called 'a\.GEOJSON'"):
        read_vector(tmp_path / "a.zip")


def test_a_damaged_zip_is_refused(tmp_path):
    packed = zipped(tmp_path / "a.zip", written(tmp_path / "a.geojson", STREET))
    packed.write_bytes(packed.read_bytes()[:-30])

    with pytest.raises(SourceFormatError, match="a zip file that cannot be unpacked"):
        read_vector(packed)


def test_a_gzip_bomb_is_stopped(tmp_path):
    (tmp_path / "a.geojson.gz").write_bytes(gzip.compress(bytes(101 * 2**20), 1))

    with pytest.raises(SourceFormatError, match="unpack to more than"):
        read_vector(tmp_path / "a.geojson.gz")


@needs_cases
@pytest.mark.parametrize("name", ["l.shp", "lines.geojson.gz", "lines.parquet", "two_layers.gpkg"])
def test_street_files_of_other_programs_are_read(name):
    assert set(read_vector(CASES / name, wanted=LINES).geom_type) == {"LineString"}
