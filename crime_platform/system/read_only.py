"""Settings of a DuckDB connection that may read one database and reach nothing else."""

from collections.abc import Mapping

READ_ONLY_SETTINGS: Mapping[str, str] = {
    # Opened read-only, a connection may still write and read any other file (COPY, read_csv,
    # ATTACH), load extensions and see Python's variables. Locked, no query can undo this.
    "enable_external_access": "false",
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "temp_directory": "",  # what does not fit into memory would be written beside the database
    "lock_configuration": "true",
}
"""Source: DuckDB documentation, "Securing DuckDB"."""
