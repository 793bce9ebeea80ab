"""A street graph on disk: a folder of two Parquet files that any GIS and any table reader opens."""

import json
from pathlib import Path

import numpy as np
import shapely

from crime_platform.geography.street_graph import StreetGraph
from crime_platform.vocabulary.artifact import written_aside
from crime_platform.vocabulary.seal import require_whole

NODES_FILE, LINKS_FILE = "nodes.parquet", "links.parquet"
_FACTS = b"crime_platform"  # where the links' file keeps kind and crs


def write_graph(graph: StreetGraph, path: Path) -> None:
    """Write a folder: nodes as GeoParquet in the area's CRS, links as pairs of node positions."""
    import geopandas  # slow to import, and only writing needs it
    import pyarrow as pa
    import pyarrow.parquet as pq

    nodes = geopandas.GeoDataFrame(
        {"node_id": list(graph.node_id), "length_m": graph.length_m},
        geometry=graph.geometry,
        crs=graph.crs,
    )
    facts = json.dumps({"kind": graph.kind, "crs": graph.crs})
    links = pa.table(
        {
            "first": graph.links[:, 0].astype(np.int32),
            "second": graph.links[:, 1].astype(np.int32),
            "distance_m": graph.link_distance_m,
        }
    ).replace_schema_metadata({_FACTS: facts.encode()})
    with written_aside(path) as aside:
        aside.mkdir()
        nodes.to_parquet(aside / NODES_FILE, index=False)
        pq.write_table(links, aside / LINKS_FILE)


def read_graph(path: Path) -> StreetGraph:
    """The graph that `write_graph` wrote there.

    Raises:
        ValueError: if the folder or one of its two files is missing, or is no street graph's.
        DamagedArtifactError: if a file is not as it was written.
    """
    import pyarrow.parquet as pq  # slow to import, and only reading needs it

    missing = [name for name in (NODES_FILE, LINKS_FILE) if not (path / name).is_file()]
    if missing:
        raise ValueError(
            f"{path}: a street graph's folder holds {missing[0]}, and this one does not"
        )
    require_whole(path)
    nodes, links = pq.read_table(path / NODES_FILE), pq.read_table(path / LINKS_FILE)
    written = (links.schema.metadata or {}).get(_FACTS)
    if written is None:
        raise ValueError(
            f"{path / LINKS_FILE}: states neither kind nor CRS, so `write_graph` did not write it; "
            "delete the folder and build the graph again"
        )
    facts = json.loads(written)
    pairs = [links[name].to_numpy().astype(np.int32) for name in ("first", "second")]
    return StreetGraph(
        kind=facts["kind"],
        node_id=tuple(nodes["node_id"].to_pylist()),
        geometry=shapely.from_wkb(np.array(nodes["geometry"].to_pylist(), dtype=object)),
        crs=facts["crs"],
        length_m=nodes["length_m"].to_numpy(),
        links=np.stack(pairs, axis=1),
        link_distance_m=links["distance_m"].to_numpy(),
    )
