"""Street files in all their states: what is read, what is left out and counted, what is refused."""

import geopandas
import numpy as np
import pytest
import shapely

from crime_platform.geography.snapping import snap_report, snap_to_graph
from crime_platform.geography.street_area import inside_boundary, select_nodes
from crime_platform.geography.street_lines import read_street_lines
from crime_platform.geography.street_segments import segment_graph, split_streets
from crime_platform.vocabulary.incident import CoordinateError, SourceFormatError
from toys.paths import REPOSITORY
from toys.street_lines import written

UTM_17 = "EPSG:26917"
FOLDER = REPOSITORY.parent / "shared" / "data" / "baltimore-streets"
MARYLAND = "EPSG:26985"
WEST_EAST = shapely.LineString([(630000, 4833000), (630100, 4833000)])
SOUTH_NORTH = shapely.LineString([(630050, 4832900), (630050, 4833100)])

needs_baltimore = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"{FOLDER} is absent: it holds Baltimore's street lines"
)


def test_lines_are_read_as_they_stand(tmp_path):
    streets = read_street_lines(written(tmp_path, WEST_EAST, SOUTH_NORTH), crs=UTM_17)

    assert streets.crs == UTM_17
    assert streets.line.tolist() == [WEST_EAST, SOUTH_NORTH]
    assert (streets.report.n_features, streets.report.n_lines) == (2, 2)


@pytest.mark.parametrize("name", ["streets.shp", "streets.geojson", "streets.gpkg"])
def test_lines_in_degrees_are_moved_to_metres(tmp_path, name):
    in_degrees = geopandas.GeoSeries([WEST_EAST], crs=UTM_17).to_crs("EPSG:4326")
    streets = read_street_lines(
        written(tmp_path, *in_degrees, crs="EPSG:4326", name=name), crs=UTM_17
    )

    assert shapely.hausdorff_distance(streets.line[0], WEST_EAST) < 0.01


def test_heights_are_dropped(tmp_path):
    hill = shapely.LineString([(630000, 4833000, 70), (630100, 4833000, 75)])
    streets = read_street_lines(written(tmp_path, hill), crs=UTM_17)

    assert streets.line.tolist() == [WEST_EAST]
    assert streets.report.n_with_z == 1


def test_multilines_are_taken_apart(tmp_path):
    both = shapely.MultiLineString([WEST_EAST, SOUTH_NORTH])
    streets = read_street_lines(written(tmp_path, both), crs=UTM_17)

    assert streets.line.tolist() == [WEST_EAST, SOUTH_NORTH]
    assert (streets.report.n_multi, streets.report.n_features) == (1, 1)


def test_a_line_drawn_again_or_backwards_is_one_street(tmp_path):
    path = written(tmp_path, WEST_EAST, SOUTH_NORTH, WEST_EAST, shapely.reverse(SOUTH_NORTH))
    streets = read_street_lines(path, crs=UTM_17)

    assert streets.line.tolist() == [WEST_EAST, SOUTH_NORTH]
    assert streets.report.n_duplicates == 2


def test_lines_without_length_or_geometry_are_counted(tmp_path):
    spot = shapely.LineString([(630000, 4833000), (630000, 4833000)])
    streets = read_street_lines(
        written(tmp_path, None, spot, WEST_EAST, shapely.LineString()), crs=UTM_17
    )

    assert streets.line.tolist() == [WEST_EAST]
    assert (streets.report.n_empty, streets.report.n_zero_length) == (2, 1)


@pytest.mark.parametrize(
    "shape", [shapely.Point(630000, 4833000), shapely.box(630000, 4833000, 630100, 4833100)]
)
def test_what_is_not_a_line_is_named(tmp_path, shape):
    path = written(tmp_path, WEST_EAST, SOUTH_NORTH, shape)

    with pytest.raises(SourceFormatError, match=f"feature 3 is a {shape.geom_type} .1 of 3 "):
        read_street_lines(path, crs=UTM_17)


def test_a_file_of_points_is_called_what_it_is(tmp_path):
    path = written(tmp_path, shapely.Point(630000, 4833000), shapely.Point(630001, 4833000))

    with pytest.raises(SourceFormatError, match=r"2 of 2 features .*holds streets .Point.: name"):
        read_street_lines(path, crs=UTM_17)


def test_a_layer_is_read_by_its_name(tmp_path):
    path = written(tmp_path, WEST_EAST)
    table = geopandas.GeoDataFrame(geometry=[SOUTH_NORTH], crs=UTM_17)
    table.to_file(path, layer="planned")

    assert read_street_lines(path, crs=UTM_17).line.tolist() == [WEST_EAST]
    assert read_street_lines(path, crs=UTM_17, layer="planned").line.tolist() == [SOUTH_NORTH]


def test_a_file_without_any_line_is_refused(tmp_path):
    with pytest.raises(SourceFormatError, match="2 features and not one line with a length"):
        read_street_lines(written(tmp_path, None, shapely.LineString()), crs=UTM_17)


def test_degrees_without_a_crs_are_told(tmp_path):
    line = shapely.LineString([(-79.4, 43.6), (-79.3, 43.7)])
    path = written(tmp_path, line, crs="EPSG:4326", name="streets.shp")
    path.with_suffix(".prj").unlink()

    with pytest.raises(CoordinateError, match=r"states no CRS.*like degrees: save .* EPSG:4326"):
        read_street_lines(path, crs=UTM_17)


def test_metres_without_a_crs_are_told(tmp_path):
    path = written(tmp_path, WEST_EAST, name="streets.shp")
    path.with_suffix(".prj").unlink()

    with pytest.raises(CoordinateError, match=r"states no CRS.*tell no CRS: ask the publisher"):
        read_street_lines(path, crs=UTM_17)


def test_a_line_off_the_map_is_named(tmp_path):
    metres_as_degrees = written(tmp_path, WEST_EAST, crs="EPSG:4326")

    with pytest.raises(CoordinateError, match=f"feature 1 has no place in {UTM_17}"):
        read_street_lines(metres_as_degrees, crs=UTM_17)


@needs_baltimore
def test_the_city_outline_is_no_street_file():
    with pytest.raises(SourceFormatError, match="feature 1 is a MultiPolygon"):
        read_street_lines(FOLDER / "baltimore_no_water.shp", crs=MARYLAND)


@needs_baltimore
def test_baltimore_from_file_to_snapped_incidents():
    streets = read_street_lines(FOLDER / "MDOT_Know_Your_Roads.shp", crs=MARYLAND)
    segments = split_streets(streets.line)
    whole = segment_graph(segments, crs=MARYLAND)
    city = select_nodes(whole, inside_boundary(whole, FOLDER / "baltimore_no_water.shp"))
    middle = city.midpoints()
    snapped = snap_to_graph(city, middle[:, 0], middle[:, 1] + 1.0, max_distance_m=50.0)

    # Lines and kilometres as the data's README and the file's own column state them; the number
    # of segments was found alike by momepy 0.11 before slivers were left out: 21,141.
    assert (streets.report.n_features, streets.report.n_with_z) == (5234, 5234)
    assert (streets.report.n_multi, streets.report.n_duplicates) == (1, 1)
    assert whole.n_nodes == pytest.approx(21_141, rel=0.005)
    assert segments.report.left_out_m < 200
    assert shapely.length(segments.line).sum() + segments.report.overlap_m == pytest.approx(
        shapely.length(streets.line).sum(), abs=200
    )
    assert whole.n_pieces < 50
    assert 0.95 < city.n_nodes / whole.n_nodes < 1
    assert snap_report(snapped).max_m == pytest.approx(1.0, abs=0.001)
    assert np.mean(snapped.node == np.arange(city.n_nodes)) > 0.99
