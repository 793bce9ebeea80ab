import numpy as np
import pytest

from crime_platform.geography.siting import (
    area_stretch,
    middle,
    suggested_extent,
    utm_crs,
)


@pytest.mark.parametrize(
    ("lon", "lat", "zone"),
    [(-73.93, 40.73, "EPSG:32618"), (174.76, -36.85, "EPSG:32760"), (13.4, 52.5, "EPSG:32633")],
)
def test_the_zone_is_that_of_the_point(lon, lat, zone):
    assert utm_crs(lon, lat) == zone


def test_at_the_pole_there_is_no_zone():
    assert utm_crs(0.0, 89.9) is None


def test_stretch_is_the_square_of_the_scale_on_the_central_meridian():
    assert area_stretch("EPSG:32618", -75.0, 40.0) == pytest.approx(0.9996**2 - 1, abs=1e-6)


def test_the_middle_is_the_median_and_no_mean():
    x_m, y_m = np.array([500_000.0, 500_000.0, 900_000.0]), np.full(3, 4_500_000.0)

    lon, lat = middle(x_m, y_m, "EPSG:32618")

    assert lon == pytest.approx(-75.0)
    assert lat == pytest.approx(40.65, abs=0.01)


def test_an_extent_is_whole_cells_around_the_points():
    x_m, y_m = np.array([120.0, 980.0]), np.array([-30.0, 510.0])

    extent = suggested_extent(x_m, y_m, cell_size_m=500.0, trim_share=0.0)

    assert extent.bounds_m == (0.0, -500.0, 1000.0, 1000.0)
    assert (extent.n_cols, extent.n_rows, extent.inside_share) == (2, 3, 1.0)


def test_points_in_another_town_do_not_widen_it():
    x_m = np.append(np.linspace(0, 999, 199), 80_000.0)  # 0.5 % wrong geocodes
    y_m = np.append(np.linspace(0, 999, 199), 80_000.0)

    extent = suggested_extent(x_m, y_m, cell_size_m=500.0, trim_share=0.001)

    assert extent.bounds_m == (0.0, 0.0, 1000.0, 1000.0)
    assert extent.inside_share == pytest.approx(199 / 200)


def test_one_point_is_one_cell():
    extent = suggested_extent(np.array([500.0]), np.array([0.0]), cell_size_m=500.0, trim_share=0.0)

    assert extent.bounds_m == (500.0, 0.0, 1000.0, 500.0)
