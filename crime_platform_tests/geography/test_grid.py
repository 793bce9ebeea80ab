"""The square grid: edges, numbering, geometry, and where the extent comes from."""

import os
from dataclasses import replace

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.geography.grid import Grid, cell_ids
from crime_platform.pipeline.declared_grid import grid_of
from crime_platform.study_area.parts import GridSpec
from crime_platform.study_area.study_area import load_study_area
from crime_platform.vocabulary.incident import CoordinateError
from crime_platform.vocabulary.projection import project
from toys.paths import FIXTURES

SMALL_TOWN = load_study_area(FIXTURES / "small_town.toml")
UTM_17 = "EPSG:26917"

# 3 rows x 4 columns of 500 m; west 630000, south 4833000, east 632000, north 4834500.
GRID = Grid(crs=UTM_17, x_min=630000.0, y_min=4833000.0, cell_size_m=500.0, n_rows=3, n_cols=4)

uneven_grids = st.builds(
    Grid,
    crs=st.just(UTM_17),
    x_min=st.floats(400_000, 600_000),
    y_min=st.floats(4_000_000, 5_000_000),
    cell_size_m=st.floats(1, 3_000),
    n_rows=st.integers(1, 12),
    n_cols=st.integers(1, 12),
)
shares = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30)


def points_at(grid, shares):
    """Points at these shares of the extent, west to east and south to north."""
    west, south, east, north = grid.extent_m
    across, up = np.array(shares).T
    return (
        np.clip(west + across * (east - west), west, east),
        np.clip(south + up * (north - south), south, north),
    )


def test_rows_count_from_the_south_and_columns_from_the_west():
    row, col = GRID.cell_of(np.array([630250.0, 631999.0]), np.array([4833250.0, 4834499.0]))

    assert row.tolist() == [0, 2]
    assert col.tolist() == [0, 3]


def test_a_cell_owns_its_south_and_west_edge():
    row, col = GRID.cell_of(np.array([630500.0]), np.array([4833500.0]))

    assert (row.tolist(), col.tolist()) == ([1], [1])


def test_the_outermost_east_and_north_edge_belong_to_the_last_cells():
    row, col = GRID.cell_of(np.array([632000.0]), np.array([4834500.0]))

    assert (row.tolist(), col.tolist()) == ([2], [3])


@pytest.mark.parametrize(
    ("x_m", "y_m"),
    [
        (629999.9, 4833250.0),
        (632000.1, 4833250.0),
        (630250.0, 4832999.9),
        (630250.0, 4834500.1),
        (np.nan, 4833250.0),
        (np.inf, 4833250.0),
    ],
)
def test_beyond_the_extent_both_numbers_say_so(x_m, y_m):
    row, col = GRID.cell_of(np.array([x_m]), np.array([y_m]))

    assert (row.tolist(), col.tolist()) == ([-1], [-1])


@given(uneven_grids, shares)
def test_every_point_of_the_extent_is_in_the_cell_it_is_given(grid, shares):
    x_m, y_m = points_at(grid, shares)

    row, col = grid.cell_of(x_m, y_m)

    x_edges, y_edges = grid.edges()
    assert (x_edges[col] <= x_m).all()
    assert (x_m <= x_edges[col + 1]).all()
    assert (y_edges[row] <= y_m).all()
    assert (y_m <= y_edges[row + 1]).all()


@given(uneven_grids, shares)
def test_counts_per_cell_conserve_incidents(grid, shares):
    row, col = grid.cell_of(*points_at(grid, shares))

    counts = np.zeros((grid.n_rows, grid.n_cols), dtype=int)
    np.add.at(counts, (row, col), 1)

    assert counts.sum() == len(shares)


@given(shares)
def test_the_published_square_holds_the_point(shares):
    x_m, y_m = points_at(GRID, shares)
    row, col = GRID.cell_of(x_m, y_m)
    squares = shapely.from_wkb(GRID.polygons_wkb())[row * GRID.n_cols + col]

    lon, lat = project(x_m, y_m, source=UTM_17, target="EPSG:4326")

    # A straight side in metres bends by millimetres in degrees: 1e-7 degrees are about 1 cm.
    assert (shapely.distance(squares, shapely.points(lon, lat)) < 1e-7).all()


def test_squares_tile_the_extent_without_gap_or_overlap():
    squares = shapely.from_wkb(GRID.polygons_wkb())

    assert len(squares) == 12
    assert shapely.union_all(squares).area == pytest.approx(shapely.area(squares).sum())


def test_centroids_lie_in_the_middle_of_their_squares():
    middles = shapely.centroid(shapely.from_wkb(GRID.polygons_wkb()))

    lon, lat = GRID.centroids()

    np.testing.assert_allclose(shapely.get_x(middles), lon, atol=1e-7)
    np.testing.assert_allclose(shapely.get_y(middles), lat, atol=1e-7)


def test_cells_are_listed_row_by_row_from_the_south_west():
    small = replace(GRID, n_rows=2, n_cols=2)

    assert small.cell_ids().tolist() == ["r000c000", "r000c001", "r001c000", "r001c001"]


def test_a_cell_id_names_row_then_column():
    assert cell_ids(np.array([12, 1200]), np.array([34, 5])).tolist() == ["r012c034", "r1200c005"]


def test_area_is_that_of_the_square():
    assert GRID.area_km2 == 0.25  # 0.5 km x 0.5 km


def test_the_central_meridian_of_utm_is_500_km_east():
    x_m, y_m = project(np.array([-81.0]), np.array([0.0]), source="EPSG:4326", target=UTM_17)

    np.testing.assert_allclose([x_m[0], y_m[0]], [500_000.0, 0.0], atol=1e-3)


def test_projecting_there_and_back_changes_nothing():
    x_m, y_m = points_at(GRID, [(0.0, 0.0), (0.3, 0.8), (1.0, 1.0)])

    lon, lat = project(x_m, y_m, source=UTM_17, target="EPSG:4326")
    back_x_m, back_y_m = project(lon, lat, source="EPSG:4326", target=UTM_17)

    np.testing.assert_allclose(back_x_m, x_m, atol=1e-3)
    np.testing.assert_allclose(back_y_m, y_m, atol=1e-3)


def test_a_grid_without_cells_is_refused():
    with pytest.raises(ValueError, match="cell size above 0; got 0 x 4 cells of 500 m"):
        replace(GRID, n_rows=0)


def test_a_stated_extent_is_the_grid():
    grid = grid_of(SMALL_TOWN)

    assert (grid.n_rows, grid.n_cols) == (2, 2)
    assert grid.extent_m == (630000.0, 4833000.0, 631000.0, 4834000.0)


def test_without_an_extent_the_grid_covers_the_incidents():
    area = replace(SMALL_TOWN, grid=GridSpec(cell_size_m=500.0, trim_share=0.0))

    grid = grid_of(area, x_m=np.array([630100.0, 631300.0]), y_m=np.array([4833499.0, 4833501.0]))

    # West and south snap down to multiples of 500 m, and whole cells reach past the last point.
    assert grid.extent_m == (630000.0, 4833000.0, 631500.0, 4834000.0)


def test_far_off_incidents_are_trimmed_from_the_bounds():
    area = replace(SMALL_TOWN, grid=GridSpec(cell_size_m=500.0, trim_share=0.01))
    x_m = np.append(np.full(999, 630250.0), 9e6)  # 1 of 1,000 lies in another country
    y_m = np.full(1000, 4833250.0)

    grid = grid_of(area, x_m=x_m, y_m=y_m)

    assert grid.extent_m == (630000.0, 4833000.0, 630500.0, 4833500.0)


def test_bounds_need_incidents():
    area = replace(SMALL_TOWN, grid=GridSpec(cell_size_m=500.0))

    with pytest.raises(CoordinateError, match=r"small_town: .* there are none; state extent_m"):
        grid_of(area, x_m=np.empty(0), y_m=np.empty(0))


def test_a_boundary_file_gives_the_extent_in_any_crs(tmp_path):
    square = shapely.box(630100, 4833100, 630900, 4833900)
    boundary = geopandas.GeoDataFrame(geometry=[square], crs=UTM_17).to_crs("EPSG:4326")
    boundary.to_file(tmp_path / "town.geojson")
    area = replace(SMALL_TOWN, grid=GridSpec(cell_size_m=500.0, boundary_file="town.geojson"))

    grid = grid_of(area, home=tmp_path)

    assert grid.extent_m == (630000.0, 4833000.0, 631000.0, 4834000.0)


def test_a_missing_boundary_file_is_named(tmp_path):
    area = replace(SMALL_TOWN, grid=GridSpec(cell_size_m=500.0, boundary_file="town.gpkg"))

    with pytest.raises(CoordinateError, match=r"town\.gpkg: no such file, and small_town takes"):
        grid_of(area, home=tmp_path)


def test_a_pipe_is_no_boundary_file(tmp_path):
    os.mkfifo(tmp_path / "town.gpkg")  # to open it would wait for ever
    area = replace(SMALL_TOWN, grid=GridSpec(cell_size_m=500.0, boundary_file="town.gpkg"))

    with pytest.raises(CoordinateError, match=r"town\.gpkg: no such file"):
        grid_of(area, home=tmp_path)


def test_a_boundary_file_without_a_crs_is_refused(tmp_path):
    square = shapely.box(630100, 4833100, 630900, 4833900)
    geopandas.GeoSeries([square], crs=UTM_17).to_file(tmp_path / "town.shp")
    (tmp_path / "town.prj").unlink()
    area = replace(SMALL_TOWN, grid=GridSpec(cell_size_m=500.0, boundary_file="town.shp"))

    with pytest.raises(CoordinateError, match=r"town\.shp: states no CRS"):
        grid_of(area, home=tmp_path)
