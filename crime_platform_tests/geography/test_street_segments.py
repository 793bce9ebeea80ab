"""Hand-drawn streets cut into segments, and which of them touch."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.geography.street_segments import build_street_graph, split_streets

UTM_17 = "EPSG:26917"
SOUTH_NORTH = [(100, 0), (100, 200)]
WEST_EAST = [(0, 100), (200, 100)]


def streets(*lines):
    return np.array([shapely.LineString(points) for points in lines])


def graph_of(*lines, **options):
    return build_street_graph(streets(*lines), crs=UTM_17, **options)


def links_by_id(graph):
    return {(graph.node_id[i], graph.node_id[j]) for i, j in graph.links}


def test_a_plus_sign_is_four_segments_that_all_touch():
    graph = graph_of(SOUTH_NORTH, WEST_EAST)

    assert graph.node_id == ("x100y150", "x100y50", "x150y100", "x50y100")
    np.testing.assert_array_equal(graph.links, [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]])
    np.testing.assert_allclose(graph.length_m, 100.0)
    np.testing.assert_allclose(graph.link_distance_m, 100.0)


def test_a_t_is_three_segments():
    graph = graph_of(WEST_EAST, [(100, 100), (100, 0)])

    assert graph.node_id == ("x100y50", "x150y100", "x50y100")
    assert len(graph.links) == 3


def test_link_distance_is_half_of_both_lengths():
    graph = graph_of([(0, 0), (300, 0)], [(100, 0), (100, 60)])

    # lengths 100, 200 and 60 meet at (100, 0): 50 + 100, 50 + 30 and 100 + 30
    expected = {
        ("x200y0", "x50y0"): 150.0,
        ("x100y30", "x50y0"): 80.0,
        ("x100y30", "x200y0"): 130.0,
    }
    named = [(graph.node_id[i], graph.node_id[j]) for i, j in graph.links]
    assert dict(zip(named, graph.link_distance_m.tolist(), strict=True)) == expected


def test_a_ring_alone_is_one_isolated_segment():
    graph = graph_of([(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)])

    assert graph.n_nodes == 1
    assert graph.length_m[0] == pytest.approx(400)
    assert graph.isolated.all()


@pytest.mark.parametrize("start", range(4))
def test_a_ring_keeps_the_street_it_hangs_on(start):
    corners = [(0, 0), (100, 0), (100, 100), (0, 100)]
    turned = corners[start:] + corners[:start]
    graph = graph_of([(100, 100), (200, 100)], [*turned, turned[0]])

    # the ring, 400 m round from (100, 100), has its middle at the opposite corner
    assert graph.node_id == ("x0y0", "x150y100")
    np.testing.assert_allclose(graph.link_distance_m, [250.0])


def test_a_ring_drawn_the_other_way_round_is_the_same():
    street, ring = [(100, 100), (200, 100)], [(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)]

    graph, again = graph_of(street, ring), graph_of(ring[::-1], street)

    assert again.geometry.tolist() == graph.geometry.tolist()


def test_two_streets_that_share_both_ends_are_linked_once():
    arcs = [(0, 0), (100, 40), (200, 0)], [(0, 0), (100, -40), (200, 0)]
    graph = graph_of(*arcs, [(0, 0), (-50, 0)], [(200, 0), (250, 0)])

    assert graph.n_nodes == 4
    assert len(graph.links) == 5  # the two outer streets do not meet


def test_parallel_streets_are_two_pieces():
    graph = graph_of([(0, 0), (100, 0)], [(0, 50), (100, 50)])

    assert graph.n_pieces == 2
    assert graph.isolated.all()
    assert graph.links.shape == (0, 2)


def test_a_street_drawn_in_parts_is_one_segment():
    graph = graph_of([(0, 0), (40, 0)], [(100, 0), (40, 0)])

    assert graph.node_id == ("x50y0",)


def test_a_street_that_meets_itself_is_cut_there():
    graph = graph_of([(0, 0), (200, 0), (200, 100), (100, 100), (100, -100)])

    assert graph.n_nodes == 3  # two ends and a loop of 400 m
    assert sorted(graph.length_m.tolist()) == pytest.approx([100, 100, 400])
    assert len(graph.links) == 3


def test_overlapping_streets_count_once():
    segments = split_streets(streets([(0, 0), (100, 0)], [(50, 0), (150, 0)]))

    assert shapely.length(segments.line).sum() == pytest.approx(150)
    assert segments.report.overlap_m == pytest.approx(50)


def test_ends_nearer_than_the_snap_touch():
    apart = [(0, 100), (100, 100)], [(100.04, 100.0), (100.04, 300)], [(100.0, 99.98), (300, 0)]

    assert graph_of(*apart).n_pieces == 1
    assert graph_of(*apart, snap_m=0.01).n_pieces == 3


def test_a_stub_leaves_no_trace():
    segments = split_streets(streets(WEST_EAST, [(100, 100), (100, 104)]))

    assert shapely.length(segments.line).tolist() == pytest.approx([200])
    assert segments.report.n_stubs == 1
    assert segments.report.left_out_m == pytest.approx(4)


def test_a_stub_that_appears_when_a_stub_goes_is_left_out_too():
    fork = [(200, 100), (203, 100)], [(203, 100), (205, 102)], [(203, 100), (205, 98)]
    segments = split_streets(streets(WEST_EAST, SOUTH_NORTH, *fork))

    # The prongs go; what carried them then belongs to the street it continues.
    assert segments.report.n_stubs == 2
    assert sorted(shapely.length(segments.line)) == pytest.approx([100, 100, 100, 103])


def test_streets_on_either_side_of_a_short_one_still_touch():
    offset = [(0, 0), (0, 100)], [(3, 0), (3, -100)], [(-100, 0), (100, 0)]
    segments = split_streets(streets(*offset))
    graph = graph_of(*offset)

    assert segments.report.n_contracted == 1
    assert segments.report.left_out_m == pytest.approx(3)
    assert graph.n_nodes == 4
    assert len(graph.links) == 6  # all four meet at what now is one junction


def test_short_segments_are_kept_where_none_is_too_short():
    graph = graph_of(
        [(0, 0), (0, 100)], [(3, 0), (3, -100)], [(-100, 0), (100, 0)], min_segment_m=0.0
    )

    assert graph.n_nodes == 5
    assert ("x-50y0", "x3y-50") not in links_by_id(graph)


def test_the_report_counts_junctions_and_dead_ends():
    report = split_streets(streets(SOUTH_NORTH, WEST_EAST)).report

    assert (report.n_segments, report.n_junctions, report.n_dead_ends) == (4, 5, 4)
    assert (report.n_stubs, report.n_contracted) == (0, 0)
    assert (report.left_out_m, report.overlap_m) == pytest.approx((0, 0))


places = st.tuples(st.integers(0, 6), st.integers(0, 6))
maps = st.lists(
    st.lists(places, min_size=2, max_size=5).filter(lambda line: len(set(line)) > 1),
    min_size=1,
    max_size=8,
)


@given(maps, st.randoms(use_true_random=False))
def test_order_and_direction_of_lines_change_nothing(lines, random):
    scaled = [[(37.0 * x, 23.0 * y) for x, y in line] for line in lines]
    shuffled = [line[::-1] if random.random() < 0.5 else line for line in scaled]
    random.shuffle(shuffled)

    graph, again = graph_of(*scaled), graph_of(*shuffled)

    assert graph.node_id == again.node_id
    np.testing.assert_array_equal(graph.links, again.links)
    np.testing.assert_array_equal(
        shapely.get_coordinates(graph.geometry), shapely.get_coordinates(again.geometry)
    )


@given(maps)
def test_links_are_the_segments_whose_ends_meet(lines):
    graph = graph_of(
        *[[(37.0 * x, 23.0 * y) for x, y in line] for line in lines], min_segment_m=0.0
    )

    ends = [
        set(shapely.get_coordinates(line)[[0, -1]].round(6).view("c16").ravel())
        for line in graph.geometry
    ]
    meeting = [
        (i, j) for i in range(len(ends)) for j in range(i + 1, len(ends)) if ends[i] & ends[j]
    ]

    assert [tuple(link) for link in graph.links.tolist()] == meeting


def test_no_line_is_an_error():
    with pytest.raises(ValueError, match="at least one line, found none"):
        graph_of()


@pytest.mark.parametrize("length", [4.0, 0.4, 0.004])
def test_only_short_lines_are_an_error(length):
    with pytest.raises(
        ValueError, match=f"longest of 1 lines has {length:g} m. Are they in metres"
    ):
        graph_of([(0, 0), (length, 0)])


@pytest.mark.parametrize(
    "options", [{"snap_m": 0.0}, {"min_segment_m": -1.0}, {"snap_m": float("nan")}]
)
def test_a_negative_tolerance_is_an_error(options):
    with pytest.raises(ValueError, match="expected snap_m above 0 and min_segment_m of 0 or more"):
        graph_of(SOUTH_NORTH, **options)
