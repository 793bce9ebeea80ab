"""Kinds of files that a child process converts."""

WORKBOOK = "workbook"
VECTOR = "vector file"  # GeoPackage, shapefile, FlatGeobuf
GEOPARQUET = "GeoParquet"
JSON_LINES = "JSON lines"
FOLDER = "crime_platform.sources.conversion"
CONVERTERS = {
    WORKBOOK: f"{FOLDER}.workbook",
    VECTOR: f"{FOLDER}.vector",
    GEOPARQUET: f"{FOLDER}.geoparquet",
    JSON_LINES: f"{FOLDER}.json_lines",
}
"""Module whose `convert` reads each; the child process alone imports it."""
