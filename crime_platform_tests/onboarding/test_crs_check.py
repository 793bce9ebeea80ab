"""Points outside the area that a CRS is made for, and the CRS that their numbers fit."""

import re

import numpy as np
import pytest

from crime_platform.onboarding.crs_check import (
    code_problem,
    crs_remarks,
    grid_misfit,
    metric_crs_near,
    misfit,
)


def at(x, y):
    return np.array([float(x)]), np.array([float(y)])


@pytest.mark.parametrize(
    ("code", "x", "y"),
    [
        ("EPSG:26917", 630_000, 4_840_000),  # Toronto
        ("EPSG:2263", 985_000, 200_000),  # New York in feet
        ("EPSG:27700", 530_000, 180_000),  # London
        ("EPSG:2193", 1_757_000, 5_920_000),  # Auckland
        ("EPSG:3857", -8_760_000, 5_400_000),  # the whole world
        ("EPSG:32660", 620_000, 5_000_000),  # a zone that ends at the 180th meridian
        ("EPSG:25832", 800_000, 5_820_000),  # Berlin in its neighbour's zone, by 1.4 degrees
        ("+proj=utm +zone=17 +ellps=GRS80", 4, 5),  # no registry, so no area
    ],
)
def test_points_where_the_crs_is_made_for_fit(code, x, y):
    assert misfit(code, *at(x, y)) is None


@pytest.mark.parametrize(
    ("code", "x", "y", "cure"),
    [
        ("EPSG:6512", 890_000, 1_010_000, "The numbers fit ESRI:102696 .*US survey foot"),
        ("EPSG:32118", 985_000, 200_000, "The numbers fit EPSG:2263 .*US survey foot"),
        ("EPSG:2263", 300_000, 60_000, "The numbers fit EPSG:32118 .*metre"),
        ("EPSG:2277", 1_176_000, 1_890_000, "The numbers fit EPSG:3434 .*Arkansas South"),
        ("EPSG:26917", 4_840_000, 630_000, "They fit it when x and y are swapped"),
        ("EPSG:26917", -79.4, 43.7, "look like degrees: map the columns as lon and lat"),
        ("EPSG:27700", 2_500_000, 8_000_000, "Find the CRS: the publisher's metadata or a .prj"),
        ("EPSG:2193", 1e12, 1e12, "nowhere on Earth"),
    ],
)
def test_points_elsewhere_are_said_with_the_likely_cure(code, x, y, cure):
    problem = misfit(code, *at(x, y))

    assert problem is not None
    assert problem.startswith(f"the points lie outside the area of use of {code}")
    assert "wrong unit or zone" in problem
    assert re.search(cure, problem)


def test_a_few_wrong_points_do_not_matter():
    x, y = np.full(9, 630_000.0), np.full(9, 4_840_000.0)
    x[:4] = 0.0

    assert misfit("EPSG:26917", x, y) is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("EPSG:99999", "no CRS that the registries of EPSG and ESRI know"),
        ("foo", "a .prj file beside the data names it"),
        ("EPSG:4326", "is in degrees, and x and y are not"),
    ],
)
def test_codes_that_no_metres_can_have_are_said(code, words):
    assert words in (code_problem(code) or "")


def test_a_code_in_feet_is_fine_for_points():
    assert code_problem("EPSG:2263") is None


def test_grids_in_metres_are_named_for_a_place():
    assert metric_crs_near(-74.0, 40.7)[:2] == [
        "EPSG:32618 (UTM)",
        "EPSG:2831 (NAD83(HARN) / New York Long Island)",
    ]


def test_a_grid_elsewhere_is_said_with_those_that_suit():
    problem = grid_misfit("EPSG:26917", -74.0, 40.7)

    assert problem is not None
    assert problem.startswith("EPSG:26917 (NAD83 / UTM zone 17N) is made for longitude -84 to -78")
    assert "In metres there: EPSG:32618 (UTM)" in problem
    assert grid_misfit("EPSG:32618", -74.0, 40.7) is None
    assert grid_misfit("+proj=utm +zone=18", 0.0, 0.0) is None


def test_remarks_speak_of_the_source_first():
    # Feet of St. Louis read as metres come to lie in Michigan.
    (of_source,) = crs_remarks("EPSG:32617", ["EPSG:6512", "EPSG:6512"], -82.43, 44.64)
    (of_grid,) = crs_remarks("EPSG:26917", ["EPSG:4326"], -74.0, 40.7)

    assert of_source.startswith("crs of [[source]]: the points lie outside the area of use")
    assert of_grid.startswith("crs: EPSG:26917")
    assert crs_remarks("EPSG:32618", ["EPSG:4326", "EPSG:2263"], -74.0, 40.7) == []
