"""The street graph as a value: what it refuses, its ids, extents, pieces and weights."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.geography.street_graph import StreetGraph, diffusion_matrix, node_ids
from crime_platform.vocabulary.artifact import content_key

UTM_17 = "EPSG:26917"


def line(*points):
    return shapely.LineString(points)


# Four streets in a row, 100, 200, 100 and 100 m long; the last lies apart.
LINES = np.array(
    [
        line((1000, 500), (1100, 500)),
        line((1100, 500), (1300, 500)),
        line((1300, 500), (1400, 500)),
        line((2000, 500), (2100, 500)),
    ]
)
ROW = StreetGraph(
    kind="segment",
    node_id=("x1050y500", "x1200y500", "x1350y500", "x2050y500"),
    geometry=LINES,
    crs=UTM_17,
    length_m=np.array([100.0, 200.0, 100.0, 100.0]),
    links=np.array([[0, 1], [1, 2]]),
    link_distance_m=np.array([150.0, 150.0]),
)
PLACES = StreetGraph(
    kind="place",
    node_id=("x1000y500", "x1100y500"),
    geometry=shapely.points([[1000, 500], [1100, 500]]),
    crs=UTM_17,
    length_m=np.zeros(2),
    links=np.array([[0, 1]]),
    link_distance_m=np.array([100.0]),
)


def test_extent_is_km_of_street():
    np.testing.assert_allclose(ROW.extent, [0.1, 0.2, 0.1, 0.1])


def test_extent_of_a_place_is_one():
    np.testing.assert_array_equal(PLACES.extent, [1.0, 1.0])


def test_pieces_and_isolated_nodes_are_told():
    assert ROW.n_nodes == 4
    assert ROW.n_pieces == 2
    np.testing.assert_array_equal(ROW.isolated, [False, False, False, True])


def test_midpoints_of_segments_and_places():
    np.testing.assert_allclose(ROW.midpoints()[1], [1200, 500])
    np.testing.assert_allclose(PLACES.midpoints(), [[1000, 500], [1100, 500]])


def test_published_geometry_is_in_degrees():
    toronto = shapely.transform(LINES, lambda xy: xy + np.array([629000.0, 4833000.0]))
    graph = replace(ROW, geometry=toronto)

    lon, lat = graph.centroids()
    published = shapely.from_wkb(graph.geometries_wkb())

    assert lon == pytest.approx([-79.4] * 4, abs=0.1)
    assert lat == pytest.approx([43.6] * 4, abs=0.1)
    assert shapely.get_coordinates(published)[0] == pytest.approx([lon[0], lat[0]], abs=0.001)


def test_ids_are_whole_metres_of_the_midpoint():
    assert node_ids(LINES).tolist() == list(ROW.node_id)


def test_ids_below_zero_are_readable():
    assert node_ids(np.array([line((-10, -20), (-30, -20))])).tolist() == ["x-20y-20"]


def test_ids_of_equal_midpoints_get_letters():
    crossing = np.array([line((0, 0), (2, 2)), line((0, 2), (2, 0)), line((5, 5), (7, 7))])

    ids = node_ids(crossing)
    ids_reversed = node_ids(crossing[::-1])

    assert sorted(ids) == ["x1y1", "x1y1b", "x6y6"]
    assert ids_reversed.tolist() == ids.tolist()[::-1]


def test_letters_go_on_after_z():
    radii = np.arange(1, 29) / 100
    spokes = np.array([line((-r, 0), (r, 0)) for r in radii])

    ids = node_ids(spokes).tolist()

    assert sorted(ids)[-3:] == ["x0y0z", "x0y0za", "x0y0zb"]
    assert len(set(ids)) == 28


def test_diffusion_by_hand():
    uneven = replace(ROW, link_distance_m=np.array([100.0, 200.0]))

    matrix = diffusion_matrix(uneven, alpha_m=100.0)

    # Node 1 hears node 0 with exp(-1/2) = 0.6065 and node 2 with exp(-2) = 0.1353:
    # shares 0.8176 and 0.1824. Nodes 0 and 2 hear node 1 only; node 3 hears nobody.
    expected = [[0, 1, 0, 0], [0.8176, 0, 0.1824, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(matrix.toarray(), expected, atol=1e-4)
    assert matrix.dtype == np.float32


def test_diffusion_survives_an_alpha_far_below_every_distance():
    matrix = diffusion_matrix(ROW, alpha_m=1.0)

    np.testing.assert_allclose(matrix.sum(axis=1), [1, 1, 1, 0])


@given(
    distances=st.lists(st.floats(1, 3000), min_size=6, max_size=6),
    alpha_m=st.floats(0.5, 2000),
)
def test_rows_of_the_diffusion_sum_to_one_or_none(distances, alpha_m):
    graph = StreetGraph(
        kind="place",
        node_id=("a", "b", "c", "d", "e"),
        geometry=shapely.points(np.arange(10.0).reshape(5, 2)),
        crs=UTM_17,
        length_m=np.zeros(5),
        links=np.array([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]),
        link_distance_m=np.array(distances),
    )

    matrix = diffusion_matrix(graph, alpha_m=alpha_m)

    np.testing.assert_allclose(matrix.sum(axis=1), [1, 1, 1, 1, 0], rtol=1e-5)


def test_a_graph_without_links_has_an_empty_diffusion():
    alone = replace(
        ROW, links=np.empty((0, 2), dtype=np.int32), link_distance_m=np.empty(0, dtype=float)
    )

    assert diffusion_matrix(alone, alpha_m=100.0).nnz == 0
    assert alone.n_pieces == 4


def test_content_follows_geometry_and_links():
    moved = replace(ROW, geometry=shapely.transform(LINES, lambda xy: xy + 0.5))
    longer = replace(ROW, link_distance_m=np.array([150.0, 151.0]))

    keys = {content_key(*graph.content) for graph in (ROW, moved, longer, replace(ROW))}

    assert len(keys) == 3


@pytest.mark.parametrize("alpha_m", [0.0, -1.0, float("nan")])
def test_alpha_must_be_above_zero(alpha_m):
    with pytest.raises(ValueError, match=r"alpha_m: expected metres above 0, found .* try 250"):
        diffusion_matrix(ROW, alpha_m=alpha_m)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"node_id": ROW.node_id[:3]}, "found 3 ids, 4 geometries and 4 lengths"),
        ({"node_id": ("b", "a", "c", "d")}, "sorted and unique; 'a' is not in its place"),
        ({"node_id": ("a", "b", "b", "d")}, "sorted and unique; 'b' is not in its place"),
        ({"kind": "place"}, "node x1050y500: a place is a Point, found a LineString"),
        ({"length_m": np.array([1.0, 2.0, 0.0, 1.0])}, "node x1350y500: length_m must be above 0"),
        ({"length_m": np.array([1.0, 2.0, np.nan, 1.0])}, "node x1350y500: length_m .* found nan"),
        ({"links": np.array([[1, 0], [1, 2]])}, "join two of the 4 nodes, the smaller"),
        ({"links": np.array([[0, 1], [1, 4]])}, "join two of the 4 nodes"),
        ({"links": np.array([[1, 2], [0, 1]])}, "links must be sorted and unique"),
        ({"links": np.array([[0, 1], [0, 1]])}, "links must be sorted and unique"),
        ({"link_distance_m": np.array([0.0, 1.0])}, "link_distance_m: every distance"),
    ],
)
def test_a_graph_that_contradicts_itself_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(ROW, **change)


def test_an_empty_graph_is_refused():
    with pytest.raises(ValueError, match="at least one node, found none"):
        replace(
            ROW,
            node_id=(),
            geometry=LINES[:0],
            length_m=np.empty(0),
            links=np.empty((0, 2), dtype=np.int32),
            link_distance_m=np.empty(0),
        )
