"""What lies near a node, worked by hand; and the user's files it comes from."""

import math

import geopandas
import numpy as np
import pytest
import shapely

from crime_platform.geography import node_features
from crime_platform.geography.node_features import (
    log_length,
    nearby_total,
    point_density,
    point_distance,
)
from crime_platform.geography.point_graph import build_point_graph
from crime_platform.geography.street_segments import build_street_graph
from crime_platform.geography.user_points import UserPoints, read_user_points
from crime_platform.vocabulary.incident import CoordinateError, SourceFormatError

UTM_17 = "EPSG:26917"
CORNERS = build_point_graph(np.array([0.0, 300.0]), np.array([0.0, 0.0]), crs=UTM_17)


def points(*rows):
    x_m, y_m, value = np.array(rows, dtype=float).reshape(-1, 3).T
    return UserPoints(x_m=x_m, y_m=y_m, value=value)


def test_length_is_the_log_of_km():
    street = build_street_graph(np.array([shapely.LineString([(0, 0), (500, 0)])]), crs=UTM_17)

    assert log_length(street).tolist() == pytest.approx([math.log(0.5)])
    assert log_length(CORNERS).tolist() == [0, 0]


def test_distance_is_to_the_nearest_point():
    stations = points((30, 40, 1), (300, 10, 1))

    np.testing.assert_allclose(point_distance(CORNERS, stations), [50, 10])


def test_distance_to_nothing_is_an_error():
    with pytest.raises(ValueError, match="at least one point, found none"):
        point_distance(CORNERS, points())


def test_density_by_hand():
    stations = points((0, 0, 1), (100, 0, 2))

    # A kernel of 100 m peaks at 1e6 / (2 pi 1e4) = 15.915 a km2. The first corner has one point
    # at 0 and two at one bandwidth: 15.915 (1 + 2 exp(-1/2)) = 35.22; the second two at two
    # bandwidths and one at three: 15.915 (2 exp(-2) + exp(-9/2)) = 4.485.
    density = point_density(CORNERS, stations, bandwidth_m=100.0)

    np.testing.assert_allclose(density, [35.22, 4.485], rtol=1e-3)


def test_density_of_nothing_is_zero():
    np.testing.assert_array_equal(point_density(CORNERS, points(), bandwidth_m=100.0), [0, 0])


def test_total_counts_values_within_reach_at_every_node():
    people = points((0, 100, 40), (150, 0, 7), (1000, 0, 99))

    np.testing.assert_array_equal(nearby_total(CORNERS, people, radius_m=150.0), [47, 7])


def test_chunks_change_nothing(monkeypatch):
    people = points((0, 100, 40), (150, 0, 7))
    monkeypatch.setattr(node_features, "CHUNK", 1)

    np.testing.assert_array_equal(nearby_total(CORNERS, people, radius_m=150.0), [47, 7])


def test_a_bandwidth_of_zero_is_an_error():
    with pytest.raises(ValueError, match="bandwidth_m: expected metres above 0"):
        point_density(CORNERS, points((0, 0, 1)), bandwidth_m=0.0)


def test_a_radius_of_zero_is_an_error():
    with pytest.raises(ValueError, match="radius_m: expected metres above 0"):
        nearby_total(CORNERS, points((0, 0, 1)), radius_m=0.0)


def test_a_csv_in_degrees_is_read(tmp_path):
    path = tmp_path / "stations.csv"
    path.write_text("name,lon,lat,officers\nNorth,-81.0,43.0,30\nSouth,-80.9,43.0,12\n")

    stations = read_user_points(path, crs=UTM_17, value_column="officers")

    assert stations.x_m[0] == pytest.approx(500_000, abs=0.01)  # the zone's central meridian
    assert stations.value.tolist() == [30, 12]


def test_without_a_value_column_every_point_counts_one(tmp_path):
    path = tmp_path / "stations.CSV"
    path.write_text("x,y\n-81.0,43.0\n")

    assert read_user_points(path, crs=UTM_17, lon="x", lat="y").value.tolist() == [1]


def test_polygons_count_at_a_point_on_them(tmp_path):
    path = tmp_path / "blocks.gpkg"
    block = shapely.box(0, 4_800_000, 100, 4_800_100)
    geopandas.GeoDataFrame({"people": [55]}, geometry=[block], crs=UTM_17).to_file(path)

    people = read_user_points(path, crs=UTM_17, value_column="people")

    assert block.contains(shapely.Point(people.x_m[0], people.y_m[0]))
    assert people.value.tolist() == [55]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lon,latitude\n-81,43\n", r"expected a column 'lat', found \['latitude', 'lon'\]"),
        ("lon,lat,n\n-81,43,many\n", "column 'n' holds text"),
        ("lon,lat,n\n-81,43,1\n-81,43,\n", "column 'n' has no number at feature 2"),
        ("", "cannot be read as CSV"),
    ],
)
def test_a_csv_that_does_not_fit_is_refused(tmp_path, text, message):
    path = tmp_path / "stations.csv"
    path.write_text(text)

    with pytest.raises(SourceFormatError, match=message):
        read_user_points(path, crs=UTM_17, value_column="n")


def test_a_feature_without_a_place_is_named(tmp_path):
    path = tmp_path / "stations.gpkg"
    shapes = [shapely.Point(500_000, 4_800_000), None]
    geopandas.GeoDataFrame(geometry=shapes, crs=UTM_17).to_file(path)

    with pytest.raises(CoordinateError, match=f"feature 2 has no place in {UTM_17}"):
        read_user_points(path, crs=UTM_17)


def test_points_without_a_crs_are_refused(tmp_path):
    path = tmp_path / "stations.shp"
    geopandas.GeoDataFrame(geometry=[shapely.Point(0, 0)], crs=UTM_17).to_file(path)
    path.with_suffix(".prj").unlink()

    with pytest.raises(CoordinateError, match="states no CRS"):
        read_user_points(path, crs=UTM_17)


def test_a_missing_csv_is_named(tmp_path):
    with pytest.raises(CoordinateError, match=r"stations\.csv: no such file"):
        read_user_points(tmp_path / "stations.csv", crs=UTM_17)
