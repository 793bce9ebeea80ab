"""One table, scanned: lines, quotes, columns and typed values of CSV, GeoJSON and Parquet."""
