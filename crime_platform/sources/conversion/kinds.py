"""Kinds of files that a child process converts."""

WORKBOOK = "workbook"
VECTOR = "vector file"  # GeoPackage, shapefile, FlatGeobuf
GEOPARQUET = "GeoParquet"
JSON_LINES = "JSON lines"
CONVERTED_KINDS = (WORKBOOK, VECTOR, GEOPARQUET, JSON_LINES)
