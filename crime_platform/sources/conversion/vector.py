"""One layer of a GeoPackage, shapefile or FlatGeobuf: its attributes and a point."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crime_platform.sources.conversion.plain_table import (
    ConversionError,
    Converted,
    Job,
    as_text,
    listed,
    require_width,
    unique_names,
)

ROWS_AT_ONCE = 20_000
GEOMETRY_COLUMNS = ("geometry.x", "geometry.y")
OWN_TABLES = ("layer_styles", "qgis_projects")  # of the program that wrote the file
POINT_TYPE, MULTIPOINT_TYPE = 0, 4  # as shapely numbers them


def convert(job: Job) -> Converted:
    """Write the layer that the job names, or the only one.

    Raises:
        ConversionError: if the file is damaged, or it is not known which layer.
    """
    import pyogrio
    import pyogrio.raw
    from pyogrio.errors import DataLayerError, DataSourceError, FieldError

    try:
        layer = _chosen(pyogrio.list_layers(job.path), job.layer)
        with pyogrio.raw.open_arrow(
            job.path,
            layer=layer,
            encoding=job.encoding,
            batch_size=ROWS_AT_ONCE,
            use_pyarrow=True,
        ) as (meta, reader):
            geometry = meta["geometry_name"] or "wkb_geometry"
            return write_layer(reader, reader.schema, geometry, meta["crs"], job)
    except (DataLayerError, DataSourceError, FieldError, UnicodeError, pa.ArrowInvalid) as error:
        raise ConversionError(
            f"damaged, or not what its first bytes say ({first_line(error)}); fetch it again, or "
            "export it as CSV"
        ) from error


def _chosen(layers: np.ndarray, wanted: str | None) -> str:
    kinds = {str(name): str(kind) for name, kind in layers if str(name) not in OWN_TABLES}
    if wanted is not None and wanted not in kinds:
        raise ConversionError(
            f"has no layer {wanted!r}; it has {listed(list(kinds))}: correct layer under [[source]]"
        )
    if wanted is None and len(kinds) > 1:
        told = ", ".join(f"{name!r} ({kind})" for name, kind in list(kinds.items())[:10])
        raise ConversionError(
            f"has {len(kinds)} layers: {told}; name the one with the incidents as layer under "
            "[[source]]"
        )
    if not kinds:
        raise ConversionError("has no layer; fetch it again")
    return wanted or next(iter(kinds))


def write_layer(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, geometry: str, crs: Any, job: Job
) -> Converted:
    """Write attributes and points as the plain table that the job asks for.

    Args:
        batches: rows of the layer.
        schema: of the batches.
        geometry: name of the column of shapes, which a table without any lacks.
        crs: of the shapes, as pyproj reads it; None where the file states none.
        job: where to write, and the CRS to write in.

    Raises:
        ConversionError: if the table is too wide or its CRS is not known.
    """
    header = [name for name in schema.names if name != geometry]
    require_width(len(header))
    has_geometry = geometry in schema.names
    kinds = [_plain(schema.field(at).type) for at, n in enumerate(schema.names) if n != geometry]
    places = list(GEOMETRY_COLUMNS) if has_geometry else []
    names = unique_names([*header, *places])
    kinds += [pa.float64() for _ in places]
    to_wanted = _transformation(crs, job.crs) if has_geometry else None
    found: dict[str, int] = {}
    with pq.ParquetWriter(job.target, pa.schema(list(zip(names, kinds, strict=True)))) as writer:
        for batch in batches:
            columns = [
                _as_plain(batch.column(at), kind)
                for at, kind in zip(
                    [at for at, n in enumerate(schema.names) if n != geometry], kinds, strict=False
                )
            ]
            if has_geometry:
                at = schema.names.index(geometry)
                east, north = _points(batch.column(at), found)
                if to_wanted is not None:
                    east, north = to_wanted.transform(east, north)
                columns += [
                    pa.array(each, pa.float64(), from_pandas=True) for each in (east, north)
                ]
            writer.write_table(pa.table(columns, schema=writer.schema))
    others = [kind for kind in found if kind != "Point"]
    if others and "Point" not in found:
        return Converted(
            header=[*header, *places],
            remark=f"its geometries are {' and '.join(sorted(others))}, and an incident needs a "
            "point; export the layer with points (centroids), or map columns with coordinates",
        )
    return Converted(header=[*header, *places])


def _transformation(crs: Any, wanted: str) -> Any:
    """From the file's own CRS to the wanted one; None where they are one, or none is stated."""
    from pyproj import CRS, Transformer
    from pyproj.exceptions import CRSError

    if crs is None:
        return None
    try:
        own = CRS.from_user_input(crs)
    except CRSError as error:
        raise ConversionError(f"its CRS is not known ({first_line(error)})") from error
    target = CRS.from_user_input(wanted)
    if own.equals(target, ignore_axis_order=True):
        return None
    return Transformer.from_crs(own, target, always_xy=True)


def _points(column: pa.Array, found: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of the points, NaN where there is none; counts the geometries by kind."""
    import shapely

    if pa.types.is_struct(column.type):
        found["Point"] = found.get("Point", 0) + len(column)
        return tuple(
            column.field(name).to_numpy(zero_copy_only=False).astype(float) for name in ("x", "y")
        )  # type: ignore[return-value]
    wkb = np.asarray(column.to_pylist(), dtype=object)
    shapes = shapely.from_wkb(wkb, on_invalid="ignore")
    is_single = (shapely.get_type_id(shapes) == MULTIPOINT_TYPE) & (
        shapely.get_num_geometries(shapes) == 1
    )
    shapes = np.where(is_single, shapely.get_geometry(shapes, 0), shapes)
    is_there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    for shape in shapes[is_there]:
        found[shape.geom_type] = found.get(shape.geom_type, 0) + 1
    points = shapes.copy()
    points[shapely.get_type_id(shapes) != POINT_TYPE] = None
    return shapely.get_x(points), shapely.get_y(points)


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type itself where a table of texts and numbers has it, else text."""
    is_plain = (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_date(kind)
        or pa.types.is_timestamp(kind)
        or pa.types.is_string(kind)
    )
    return kind if is_plain else pa.string()


def _as_plain(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        column.validate(full=True)
        return column
    return pa.array([as_text(value) for value in column.to_pylist()], pa.string())


def first_line(error: Exception) -> str:
    """Start of a library's message, or the name of its exception."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
