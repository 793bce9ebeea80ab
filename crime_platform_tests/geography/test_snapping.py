"""Incidents on the nearest line, by hand and against a search of every line."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.geography import snapping
from crime_platform.geography.point_graph import build_point_graph
from crime_platform.geography.snapping import snap_report, snap_to_graph
from crime_platform.geography.street_segments import build_street_graph
from crime_platform.vocabulary.incident import CoordinateError

UTM_17 = "EPSG:26917"
CROSS = build_street_graph(
    np.array(
        [shapely.LineString([(100, 0), (100, 200)]), shapely.LineString([(0, 100), (200, 100)])]
    ),
    crs=UTM_17,
)  # nodes 0 to 3: x100y150, x100y50, x150y100, x50y100


def snap(x, y, max_distance_m=50.0, graph=CROSS):
    return snap_to_graph(
        graph, np.array(x, float), np.array(y, float), max_distance_m=max_distance_m
    )


def test_the_line_counts_and_not_its_middle():
    # (103, 190) is 3 m from the north arm, 40 m from its middle
    snapped = snap([103, 30], [190, 96])

    np.testing.assert_array_equal(snapped.node, [0, 3])
    np.testing.assert_allclose(snapped.distance_m, [3, 4])


def test_a_point_on_the_junction_goes_to_the_first_node():
    snapped = snap([100], [100])

    assert snapped.node.tolist() == [0]


def test_a_point_beyond_reach_goes_nowhere():
    snapped = snap([103, 160], [190, 160])

    np.testing.assert_array_equal(snapped.node, [0, -1])
    np.testing.assert_array_equal(snapped.is_beyond, [False, True])
    assert np.isnan(snapped.distance_m[1])


def test_a_point_without_a_place_goes_nowhere():
    snapped = snap([103, np.nan, np.inf], [190, 190, 0])

    np.testing.assert_array_equal(snapped.node, [0, -1, -1])


def test_no_point_is_no_error():
    assert len(snap([], []).node) == 0


def test_places_take_the_nearest_point():
    corners = build_point_graph(np.array([0.0, 100.0]), np.array([0.0, 0.0]), crs=UTM_17)
    snapped = snap([40, 60, 50], [0, 0, 0], graph=corners)

    # x0y0 sorts before x100y0, so the point between goes there
    np.testing.assert_array_equal(snapped.node, [0, 1, 0])


def test_the_report_counts_and_measures():
    report = snap_report(snap([101, 103, 105, 160], [190, 190, 190, 160]))

    assert (report.n_points, report.n_beyond, report.beyond_share) == (4, 1, 0.25)
    assert (report.median_m, report.max_m) == pytest.approx((3, 5))


def test_the_report_of_no_point_is_nan():
    report = snap_report(snap([], []))

    assert (report.n_points, report.beyond_share) == (0, 0)
    assert np.isnan([report.median_m, report.p90_m, report.p99_m, report.max_m]).all()


def test_no_incident_near_any_street_is_an_error():
    message = r"none of 2 incidents is within 50 m of a segment; the nearest is 1,000 m away.*CRS"

    with pytest.raises(CoordinateError, match=message):
        snap([1200, 5000], [100, 100])


def test_the_error_says_when_it_looked_at_some(monkeypatch):
    monkeypatch.setattr(snapping, "_LOOKED_AT", 2)

    with pytest.raises(CoordinateError, match=r"nearest of 2 looked at is 1,000 m away"):
        snap([1200, 5000, 6000], [100, 100, 100])


@pytest.mark.parametrize("max_distance_m", [0.0, -5.0, float("nan")])
def test_the_reach_must_be_above_zero(max_distance_m):
    with pytest.raises(ValueError, match="max_distance_m: expected metres above 0"):
        snap([100], [100], max_distance_m=max_distance_m)


whole = st.integers(0, 20)
lines = st.lists(st.tuples(whole, whole, whole, whole), min_size=1, max_size=6)
points = st.lists(st.tuples(whole, whole), min_size=1, max_size=12)


@given(lines, points)
def test_snapping_agrees_with_a_search_of_every_line(lines, points):
    drawn = [shapely.LineString([(0, 0), (200, 0)])]
    drawn += [shapely.LineString([(10 * a, 10 * b), (10 * c, 10 * d + 7)]) for a, b, c, d in lines]
    graph = build_street_graph(np.array(drawn), crs=UTM_17)
    x_m, y_m = 10.0 * np.array([(0, 0), *points]).T
    snapped = snap_to_graph(graph, x_m, y_m, max_distance_m=30.0)
    far = shapely.distance(shapely.points(x_m, y_m)[:, None], graph.geometry[None, :])

    # argmin takes the first of equally near nodes, as snapping promises
    nearest = np.where(far.min(axis=1) <= 30, far.argmin(axis=1), -1)
    np.testing.assert_array_equal(snapped.node, nearest)
    np.testing.assert_allclose(
        snapped.distance_m[nearest >= 0], far.min(axis=1)[nearest >= 0], atol=1e-9
    )


def test_chunks_change_nothing(monkeypatch):
    random = np.random.default_rng(3)
    x_m, y_m = random.uniform(0, 200, (2, 50))
    at_once = snap_to_graph(CROSS, x_m, y_m, max_distance_m=30.0)

    monkeypatch.setattr(snapping, "CHUNK", 7)
    in_chunks = snap_to_graph(CROSS, x_m, y_m, max_distance_m=30.0)

    np.testing.assert_array_equal(in_chunks.node, at_once.node)
    np.testing.assert_array_equal(in_chunks.distance_m, at_once.distance_m)
