"""The plain table that every conversion writes, and where its rows stood in the file."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

MAX_COLUMNS = 2000
MAX_NAMES_SHOWN = 10


class ConversionError(ValueError):
    """A file that cannot be made a table of; the message follows the file's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a child process is asked to do."""

    kind: str
    path: str
    target: str  # Parquet, to be written
    sheet: str | None = None
    layer: str | None = None
    crs: str = "EPSG:4326"  # that the points are wanted in
    encoding: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What a conversion found, beside the rows that it wrote."""

    header: list[str]  # as the publisher writes it: two columns may have one name
    first_row: int = 1  # number in the file of what could be the first row of data
    blank: list[int] = field(default_factory=list)  # numbers of rows that hold nothing
    broken: list[int] = field(default_factory=list)  # numbers of rows that cannot be read
    remark: str = ""  # on the geometries, where they are no points


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, each once whatever the capitals: a table cannot have two of one name."""
    taken: set[str] = set()
    found: list[str] = []
    for name in names:
        own, number = name, 2
        while own.lower() in taken:
            own, number = f"{name} ({number})", number + 1
        taken.add(own.lower())
        found.append(own)
    return found


def listed(names: Sequence[str]) -> str:
    """The first of these names, and how many more there are."""
    more = f" and {len(names) - MAX_NAMES_SHOWN} more" if len(names) > MAX_NAMES_SHOWN else ""
    return ", ".join(repr(name[:80]) for name in names[:MAX_NAMES_SHOWN]) + more


def as_text(value: object) -> str | None:
    """A value as a text table would hold it; nothing is None."""
    match value:
        case None:
            return None
        case str():
            # JSON can write half a character as an escape, which no file can hold: it becomes "?".
            return value.encode(errors="replace").decode()
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
        case dt.datetime():
            return value.isoformat(sep=" ")
        case dt.timedelta():
            return _clock(value)
        case list() | dict():
            return (
                json.dumps(value, ensure_ascii=False, default=str).encode(errors="replace").decode()
            )
        case bytes():
            return value.hex()
        case _:
            return str(value)


def _clock(length: dt.timedelta) -> str:
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


def text_schema(names: Sequence[str]) -> pa.Schema:
    """A table of these columns, all of texts."""
    return pa.schema([(name, pa.string()) for name in unique_names(names)])


def require_width(n_columns: int) -> None:
    """Refuse what no table of incidents is as wide as.

    Raises:
        ConversionError: if it is too wide.
    """
    if n_columns > MAX_COLUMNS:
        raise ConversionError(
            f"holds {n_columns:,} columns, at most {MAX_COLUMNS:,} are read; export fewer"
        )
