"""The Gabriel graph of places, by hand and against a test of every triple."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.geography.point_graph import build_point_graph, gabriel_links

UTM_17 = "EPSG:26917"


def graph_of(points, max_link_m=500.0):
    x_m, y_m = np.array(points, dtype=float).T
    return build_point_graph(x_m, y_m, crs=UTM_17, max_link_m=max_link_m)


def every_triple(spots):
    """Pairs without a third point in or on their circle, one triple after the other."""
    n = len(spots)

    def is_free(i, j):
        towards_i, towards_j = spots[i] - spots, spots[j] - spots
        inside = (towards_i * towards_j).sum(axis=1) <= 0
        return inside.sum() == 2  # the two ends themselves

    return [[i, j] for i in range(n) for j in range(i + 1, n) if is_free(i, j)]


def test_a_block_of_four_corners_has_four_sides_and_no_diagonal():
    graph = graph_of([(0, 0), (100, 0), (0, 100), (100, 100)])

    assert graph.kind == "place"
    assert graph.node_id == ("x0y0", "x0y100", "x100y0", "x100y100")
    np.testing.assert_array_equal(graph.links, [[0, 1], [0, 2], [1, 3], [2, 3]])
    np.testing.assert_allclose(graph.link_distance_m, 100.0)
    np.testing.assert_array_equal(graph.extent, np.ones(4))


def test_a_place_between_two_others_parts_them():
    graph = graph_of([(0, 0), (100, 10), (200, 0)])

    np.testing.assert_array_equal(graph.links, [[0, 1], [1, 2]])


def test_points_of_the_same_metre_are_one_place():
    graph = graph_of([(0, 0), (0.4, -0.3), (100, 0), (99.8, 0.2)])

    assert graph.node_id == ("x0y0", "x100y0")
    assert len(graph.links) == 1


def test_links_longer_than_the_limit_are_left_out():
    graph = graph_of([(0, 0), (100, 0), (700, 0)], max_link_m=500.0)

    np.testing.assert_array_equal(graph.links, [[0, 1]])
    np.testing.assert_array_equal(graph.isolated, [False, False, True])


def test_one_place_is_a_graph():
    graph = graph_of([(5, 5)])

    assert graph.n_nodes == 1
    assert graph.links.shape == (0, 2)


@pytest.mark.parametrize("step", [(100, 0), (0, 100), (30, 40), (-30, 40)])
def test_places_in_a_row_are_linked_to_their_neighbours(step):
    graph = graph_of([np.multiply(step, at) for at in (3, 0, 1, 2)])

    assert len(graph.links) == 3
    assert graph.n_pieces == 1
    np.testing.assert_allclose(graph.link_distance_m, np.hypot(*step))


def test_thirty_places_against_every_triple():
    spots = np.unique(np.random.default_rng(5).integers(0, 3000, (30, 2)), axis=0)

    assert gabriel_links(spots).tolist() == every_triple(spots)


@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=20))
def test_crowded_lattices_against_every_triple(corners):
    spots = 600_000 + 100 * np.array(sorted(corners))

    assert gabriel_links(spots).tolist() == every_triple(spots)


@given(st.sets(st.tuples(st.integers(-90, 90), st.integers(-90, 90)), min_size=1, max_size=25))
def test_the_order_of_incidents_changes_nothing(places):
    forward, backward = graph_of(sorted(places)), graph_of(sorted(places, reverse=True))

    assert forward.node_id == backward.node_id
    np.testing.assert_array_equal(forward.links, backward.links)


def test_no_point_is_an_error():
    nothing = np.empty(0)

    with pytest.raises(ValueError, match="at least one incident with coordinates, found none"):
        build_point_graph(nothing, nothing, crs=UTM_17)


def test_a_point_without_a_place_is_an_error():
    with pytest.raises(ValueError, match=r"point 1 has no place \(nan, 0\)"):
        graph_of([(0, 0), (np.nan, 0)])


@pytest.mark.parametrize("max_link_m", [0.0, -1.0, float("nan")])
def test_the_limit_must_be_above_zero(max_link_m):
    with pytest.raises(ValueError, match="max_link_m: expected metres above 0"):
        graph_of([(0, 0)], max_link_m=max_link_m)
