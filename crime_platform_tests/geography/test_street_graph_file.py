"""A street graph written and read again."""

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from crime_platform.geography.point_graph import build_point_graph
from crime_platform.geography.street_graph_file import read_graph, write_graph
from crime_platform.geography.street_segments import build_street_graph
from crime_platform.vocabulary.artifact import content_key

UTM_17 = "EPSG:26917"
CROSS = build_street_graph(
    np.array(
        [shapely.LineString([(100, 0), (100, 200)]), shapely.LineString([(0, 100), (200, 100)])]
    ),
    crs=UTM_17,
)
PLACES = build_point_graph(np.array([0.0, 100.0]), np.array([0.0, 0.0]), crs=UTM_17)
ALONE = build_point_graph(np.array([0.0]), np.array([0.0]), crs=UTM_17)


@pytest.mark.parametrize("graph", [CROSS, PLACES, ALONE], ids=["segments", "places", "no link"])
def test_what_is_written_is_read_again(tmp_path, graph):
    write_graph(graph, tmp_path / "graph")
    again = read_graph(tmp_path / "graph")

    assert content_key(*again.content) == content_key(*graph.content)


def test_writing_again_replaces(tmp_path):
    write_graph(CROSS, tmp_path / "graph")
    write_graph(PLACES, tmp_path / "graph")

    assert read_graph(tmp_path / "graph").kind == "place"


def test_the_nodes_open_in_a_gis(tmp_path):
    write_graph(CROSS, tmp_path / "graph")
    nodes = geopandas.read_parquet(tmp_path / "graph" / "nodes.parquet")

    assert nodes.crs == UTM_17
    assert nodes["node_id"].tolist() == list(CROSS.node_id)
    assert nodes.length.tolist() == pytest.approx([100.0] * 4)


def test_a_folder_that_lacks_a_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"holds nodes\.parquet, and this one does not"):
        read_graph(tmp_path)


def test_links_of_another_origin_are_refused(tmp_path):
    write_graph(CROSS, tmp_path / "graph")
    pq.write_table(pa.table({"first": [0]}), tmp_path / "graph" / "links.parquet")

    with pytest.raises(ValueError, match="states neither kind nor CRS"):
        read_graph(tmp_path / "graph")
