import json

import numpy as np
import pyarrow as pa
import pytest
import shapely

from crime_platform.dashboard.downloads.formats import geojson_bytes, write_geoparquet
from crime_platform.dashboard.downloads.rows import Shown
from crime_platform.geography.antimeridian import cut_at_180, mean_longitude

# A cell of Fiji, its corners as the projection gives them: a degree wide, half on either side.
ACROSS = shapely.Polygon([(179.5, -17), (-179.5, -17), (-179.5, -16), (179.5, -16)])
BESIDE = shapely.box(178, -17, 179, -16)


def test_a_cell_across_180_degrees_becomes_its_two_halves():
    (cell,) = cut_at_180([ACROSS])

    assert cell.geom_type == "MultiPolygon"
    assert [part.bounds for part in cell.geoms] == [
        (179.5, -17, 180, -16),
        (-180, -17, -179.5, -16),
    ]
    assert cell.area == pytest.approx(1.0)


def test_other_shapes_stay_as_they_are():
    point, line = shapely.Point(180, 0), shapely.LineString([(1, 2), (3, 4)])

    same = cut_at_180([BESIDE, point, line])

    assert list(same) == [BESIDE, point, line]
    assert cut_at_180([]).size == 0


def test_a_street_across_180_degrees_becomes_two_lines():
    (street,) = cut_at_180([shapely.LineString([(179.5, 0), (-179.5, 1)])])

    assert street.geom_type == "MultiLineString"
    assert [list(part.coords) for part in street.geoms] == [
        [(179.5, 0), (180, 0.5)],
        [(-180, 0.5), (-179.5, 1)],
    ]


def test_a_cell_that_ends_at_180_degrees_stays_one():
    touching = shapely.Polygon([(179, 0), (-180, 0), (-180, 1), (179, 1)])

    (cell,) = cut_at_180([touching])

    assert cell.geom_type == "Polygon"
    assert cell.bounds == (179, 0, 180, 1)


@pytest.mark.parametrize(
    ("lon", "mean"), [([10.0, 20.0], 15.0), ([179.0, -179.0], 180.0), ([179.0, -177.0], -179.0)]
)
def test_the_mean_longitude_goes_the_short_way_round(lon, mean):
    assert mean_longitude(np.array(lon)) == mean


@pytest.fixture
def shown():
    rows = pa.table({"cell_id": ["a", "b"], "count": [1, 2]})
    return Shown(rows=rows, shapes=shapely.to_wkb([ACROSS, BESIDE]).tolist(), about={})


def test_no_feature_of_geojson_is_as_wide_as_the_world(shown):
    features = json.loads(geojson_bytes(shown))["features"]

    assert [each["geometry"]["type"] for each in features] == ["MultiPolygon", "Polygon"]
    lons = [
        [lon for ring in polygon for lon, _ in ring]
        for polygon in features[0]["geometry"]["coordinates"]
    ]
    assert [(min(part), max(part)) for part in lons] == [(179.5, 180), (-180, -179.5)]


def test_geoparquet_is_cut_alike(shown, tmp_path):
    import geopandas

    write_geoparquet(shown, tmp_path / "cells.parquet")

    frame = geopandas.read_parquet(tmp_path / "cells.parquet")
    assert list(frame.geometry.geom_type) == ["MultiPolygon", "Polygon"]
