"""GeoParquet: the attributes and the points of a file."""

import errno
import json

import pyarrow as pa
import pyarrow.parquet as pq

from crime_platform.sources.conversion.plain_table import ConversionError, Converted, Job
from crime_platform.sources.conversion.vector import ROWS_AT_ONCE, first_line, write_layer


def convert(job: Job) -> Converted:
    """Write the attributes and points of a GeoParquet file.

    Raises:
        ConversionError: if it is damaged, or says its geometries in a way that is not known.
    """
    try:
        with pq.ParquetFile(job.path) as file:
            geo = json.loads((file.schema_arrow.metadata or {}).get(b"geo", b"{}"))
            primary = geo.get("primary_column", "geometry")
            column = geo.get("columns", {}).get(primary, {})
            written_in = column.get("encoding", "WKB")
            if written_in.upper() not in ("WKB", "POINT"):
                raise ConversionError(
                    f"its geometries are written as {written_in!r}, expected WKB or point; export "
                    "it as GeoPackage or CSV"
                )
            crs = column.get("crs", "OGC:CRS84")
            batches = file.iter_batches(batch_size=ROWS_AT_ONCE)
            return write_layer(batches, file.schema_arrow, primary, crs, job)
    except (pa.ArrowException, OSError, ValueError, AttributeError) as error:
        if isinstance(error, ConversionError) or getattr(error, "errno", None) == errno.ENOSPC:
            raise
        raise ConversionError(
            f"damaged GeoParquet ({first_line(error)}); fetch it again, or export it as CSV"
        ) from error
