"""Parts of a graph: by extent, by boundary file, by community."""

import geopandas
import numpy as np
import pytest
import shapely

from crime_platform.geography.street_area import (
    busiest_communities,
    communities,
    inside_boundary,
    inside_extent,
    select_nodes,
)
from crime_platform.geography.street_segments import build_street_graph
from crime_platform.vocabulary.incident import CoordinateError, SourceFormatError
from toys.street_lines import written

UTM_17 = "EPSG:26917"
EAST, NORTH = 630000, 4833000


def blocks(n_across, n_up):
    """Streets 100 m apart, as many blocks across and up."""
    across = [[(0, 100 * j), (100 * n_across, 100 * j)] for j in range(n_up + 1)]
    up = [[(100 * i, 0), (100 * i, 100 * n_up)] for i in range(n_across + 1)]
    return [shapely.LineString([(EAST + x, NORTH + y) for x, y in line]) for line in across + up]


# 4 + 4 streets of 3 parts each, less 4 at the corners, where only two parts meet and are one.
GRID = build_street_graph(np.array(blocks(3, 3)), crs=UTM_17)


def test_a_selection_keeps_nodes_and_the_links_between_them():
    kept = inside_extent(GRID, (EAST + 90.0, NORTH + 90.0, EAST + 210.0, NORTH + 210.0))
    block = select_nodes(GRID, kept)

    # The four sides of the block in the middle; each touches two others.
    assert block.node_id == (
        f"x{EAST + 100}y{NORTH + 150}",
        f"x{EAST + 150}y{NORTH + 100}",
        f"x{EAST + 150}y{NORTH + 200}",
        f"x{EAST + 200}y{NORTH + 150}",
    )
    np.testing.assert_array_equal(block.links, [[0, 1], [0, 2], [1, 3], [2, 3]])
    np.testing.assert_allclose(block.link_distance_m, 100.0)
    np.testing.assert_allclose(block.length_m, 100.0)
    assert set(block.geometry.tolist()) <= set(GRID.geometry.tolist())


def test_everything_kept_is_the_same_graph():
    same = select_nodes(GRID, np.ones(GRID.n_nodes, dtype=bool))

    assert same.node_id == GRID.node_id
    np.testing.assert_array_equal(same.links, GRID.links)


def test_extents_side_by_side_share_no_node():
    west = inside_extent(GRID, (EAST + 100.0, NORTH + 100.0, EAST + 150.0, NORTH + 151.0))
    east = inside_extent(GRID, (EAST + 150.0, NORTH + 100.0, EAST + 200.0, NORTH + 151.0))

    assert (west.sum(), east.sum()) == (1, 1)  # midpoints (100, 150) and (150, 100)
    assert not (west & east).any()


def test_nothing_kept_is_an_error():
    with pytest.raises(ValueError, match="none of the 20 segments lies in the area chosen"):
        select_nodes(GRID, np.zeros(20, dtype=bool))


def test_an_extent_the_wrong_way_round_is_an_error():
    with pytest.raises(ValueError, match=r"xmin < xmax and ymin < ymax, found \[1\.0, 2\.0, 0\.0"):
        inside_extent(GRID, (1.0, 2.0, 0.0, 3.0))


def test_a_boundary_in_degrees_keeps_what_lies_in_it(tmp_path):
    box = shapely.box(EAST + 90, NORTH + 90, EAST + 210, NORTH + 210)
    in_degrees = geopandas.GeoSeries([box], crs=UTM_17).to_crs("EPSG:4326")
    path = written(tmp_path, *in_degrees, crs="EPSG:4326")

    assert inside_boundary(GRID, path).sum() == 4


def test_a_boundary_that_crosses_itself_is_mended(tmp_path):
    corners = np.array([EAST, NORTH]) + np.array([(90, 90), (210, 210), (210, 90), (90, 210)])

    kept = inside_boundary(GRID, written(tmp_path, shapely.Polygon(corners)))

    # A bow tie: the middles of the block's west and east side lie in its halves, the others not.
    assert kept.sum() == 2


def test_a_boundary_of_lines_is_refused(tmp_path):
    path = written(tmp_path, *blocks(1, 1))

    with pytest.raises(SourceFormatError, match="expected polygons, and feature 1 is a LineString"):
        inside_boundary(GRID, path)


def test_a_boundary_without_a_crs_is_refused(tmp_path):
    path = written(tmp_path, shapely.box(0, 0, 1, 1), name="boundary.shp")
    path.with_suffix(".prj").unlink()

    with pytest.raises(CoordinateError, match="states no CRS, so its extent is unknown"):
        inside_boundary(GRID, path)


def test_two_towns_on_one_road_are_two_communities():
    far = [
        shapely.transform(line, lambda xy: xy + np.array([3000.0, 0.0])) for line in blocks(3, 2)
    ]
    road = shapely.LineString([(EAST + 300, NORTH + 100), (EAST + 3000, NORTH + 100)])
    graph = build_street_graph(np.array([*blocks(3, 2), *far, road]), crs=UTM_17)
    is_west = graph.midpoints()[:, 0] < EAST + 1000

    number = communities(graph, resolution=0.3)

    assert number[0] == 0
    assert len(set(number[is_west])) == 1
    assert set(number[is_west]).isdisjoint(number[graph.midpoints()[:, 0] > EAST + 2000])


def test_communities_are_the_same_every_time():
    np.testing.assert_array_equal(communities(GRID, seed=4), communities(GRID, seed=4))


def test_a_resolution_of_zero_is_an_error():
    with pytest.raises(ValueError, match="resolution: expected a number above 0"):
        communities(GRID, resolution=0.0)


def test_the_busiest_communities_are_kept():
    community = np.array([0, 0, 1, 1, 2, 2])
    incidents = np.array([1, 2, 5, 0, 1, 2])

    # totals 3, 5 and 3: of the two equal ones the lower number
    kept = busiest_communities(community, incidents, n_communities=2)

    np.testing.assert_array_equal(kept, [True, True, True, True, False, False])


@pytest.mark.parametrize("n_communities", [0, 3])
def test_more_communities_than_there_are_is_an_error(n_communities):
    with pytest.raises(ValueError, match="n_communities: expected 1 to 2"):
        busiest_communities(np.array([0, 1]), np.array([1, 1]), n_communities=n_communities)
