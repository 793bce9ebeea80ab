"""What an asset tells the UI: one cleaner for every metadata value, previews and schemas."""

import base64
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from crime_platform.schema.cell_tables import BY_NAME

if TYPE_CHECKING:
    import pandas as pd

PREVIEW_ROWS = 5


def clean_metadata(values: Mapping[str, object]) -> dict[str, dg.MetadataValue]:
    """Metadata that Dagster can store, whatever library the numbers came from.

    numpy scalars, timestamps and paths end a run or lose a log call if they reach Dagster as they
    are. None is left out; floats become plots over materialisations.
    """
    return {key: _clean(value) for key, value in values.items() if value is not None}


def _clean(value: object) -> dg.MetadataValue:
    if isinstance(value, dg.MetadataValue):
        return value
    if isinstance(value, dg.TableSchema):
        return dg.MetadataValue.table_schema(value)
    if isinstance(value, bytes):
        return _image(value)
    if isinstance(value, Path):
        return dg.MetadataValue.path(value)
    if hasattr(value, "to_markdown") and hasattr(value, "columns"):
        return preview(value)  # pyright: ignore[reportArgumentType]
    plain = _plain(value)
    if isinstance(plain, bool):
        return dg.MetadataValue.bool(plain)
    if isinstance(plain, int):
        return dg.MetadataValue.int(plain)
    if isinstance(plain, float):
        return dg.MetadataValue.float(plain)
    if isinstance(plain, list | dict):
        return dg.MetadataValue.json(plain)
    return dg.MetadataValue.text(str(plain))


def _plain(value: object) -> object:
    """Python's own number, list or dict for a numpy one; text for what JSON has no word for."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bool | int | float | str) and type(value).__module__ == "builtins":
        return value
    if type(value).__module__ == "numpy" and not str(getattr(value, "dtype", "")).startswith(
        ("datetime64", "timedelta64")
    ):
        return _plain(value.tolist())  # pyright: ignore[reportAttributeAccessIssue]
    return str(value)


def preview(table: "pd.DataFrame") -> dg.MetadataValue:
    """The first rows of a table, as a table in the UI."""
    rows = table.head(PREVIEW_ROWS).to_dict("records")
    return table_of(rows)


def table_of(rows: list[dict]) -> dg.MetadataValue:
    """Rows as a table in the UI; an empty list says so."""
    if not rows:
        return dg.MetadataValue.text("no rows")
    records = [dg.TableRecord({str(key): _cell(item) for key, item in row.items()}) for row in rows]
    columns = [dg.TableColumn(name=str(key), type=_type(item)) for key, item in rows[0].items()]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns=columns))


def _cell(value: object) -> str | int | float | bool | None:
    plain = _plain(value)
    if isinstance(plain, float):
        return round(plain, 6) if math.isfinite(plain) else None
    return plain if plain is None or isinstance(plain, str | int | bool) else str(plain)


def _type(value: object) -> str:
    plain = _plain(value)
    names = {bool: "bool", int: "int", float: "float"}
    return names.get(type(plain), "string")


def _image(png: bytes) -> dg.MetadataValue:
    encoded = base64.b64encode(png).decode("ascii")
    return dg.MetadataValue.md(f"![plot](data:image/png;base64,{encoded})")


def column_schema(table: str) -> dg.TableSchema:
    """Columns of a published table with their types and comments."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name=column.name, type=column.type, description=column.comment)
            for column in BY_NAME[table].columns
        ]
    )
