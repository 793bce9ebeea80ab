"""What is shown as files: CSV, GeoJSON and GeoParquet."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from crime_platform.dashboard.data.rows import plain
from crime_platform.dashboard.downloads.rows import Shown
from crime_platform.geography.antimeridian import cut_at_180
from crime_platform.system.escape import csv_text

DECIMALS = 7  # of a degree in GeoJSON: a centimetre, as RFC 7946 advises
ABOUT = b"crime_platform"  # key of the Parquet file's metadata
WGS84 = "EPSG:4326"


def csv_bytes(shown: Shown) -> bytes:
    """A header and a line per row, UTF-8; an empty field is a value there is not.

    No field of text is a formula to a spreadsheet; numbers are as they are.
    """
    import pyarrow.csv as pc

    sink = io.BytesIO()
    columns = [_no_formula(column) for column in shown.rows.columns]
    rows = pa.table(columns, names=shown.rows.column_names)
    pc.write_csv(rows, sink, pc.WriteOptions(quoting_style="needed"))
    return sink.getvalue()


def _no_formula(column: pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """`csv_text` of a whole column."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    return pa.array([csv_text(value) for value in column.to_pylist()], column.type)


def geojson_bytes(shown: Shown) -> bytes:
    """A FeatureCollection after RFC 7946; what it is of stands in its member `metadata`.

    A feature's properties are the columns of its row. Degrees are rounded to a centimetre and
    outer rings run counter-clockwise. What crosses 180 degrees is cut there.
    """
    import shapely

    shapes = shapely.orient_polygons(cut_at_180(shapely.from_wkb(shown.shapes)))
    rounded = shapely.transform(shapes, lambda points: points.round(DECIMALS))
    features = [
        {"type": "Feature", "geometry": json.loads(shape), "properties": properties}
        for shape, properties in zip(shapely.to_geojson(rounded), _properties(shown), strict=True)
    ]
    collection = {"type": "FeatureCollection", "metadata": shown.about, "features": features}
    tight = (",", ":")
    text = json.dumps(collection, allow_nan=False, ensure_ascii=False, separators=tight)
    return text.encode()


def write_geoparquet(shown: Shown, path: Path) -> None:
    """GeoParquet with the shapes in WGS 84, cut at 180 degrees.

    `crime_platform` in the file's metadata tells what it is of.
    """
    import geopandas
    import pyarrow.parquet as pq
    import shapely

    shapes = geopandas.GeoSeries(cut_at_180(shapely.from_wkb(shown.shapes)), crs=WGS84)
    frame = geopandas.GeoDataFrame(shown.rows.to_pandas(date_as_object=True), geometry=shapes)
    frame.to_parquet(path)
    # geopandas writes no metadata but its own
    table = pq.read_table(path)
    told = {**(table.schema.metadata or {}), ABOUT: json.dumps(shown.about).encode()}
    pq.write_table(table.replace_schema_metadata(told), path)


def _properties(shown: Shown) -> Iterator[dict[str, Any]]:
    names = shown.rows.column_names
    columns = [_short(column).to_pylist() for column in shown.rows.columns]
    for row in zip(*columns, strict=True):
        yield {name: plain(value) for name, value in zip(names, row, strict=True)}


def _short(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers of single precision as the shortest decimal that is read back as the same number."""
    if not pa.types.is_float32(column.type):
        return column
    return column.cast(pa.string()).cast(pa.float64())
