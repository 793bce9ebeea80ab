"""What every API client offers: a measure of what there is, and its rows page by page.

A row is one tuple of texts: the server's own row identifier, the time of its last change, then the
wanted columns in order.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from crime_platform.sources.scan.columns import match_columns
from crime_platform.sources.scan.typed_values import wanted_columns
from crime_platform.study_area.source import Source
from crime_platform.vocabulary.incident import SourceFormatError

ApiRow = tuple[str | None, ...]

# Rows are written with the time at which their change began and can become visible later, and
# replicas lag behind. What overlaps is merged by identifier and changes nothing.
OVERLAP = dt.timedelta(days=2)
# A clock that is local may be this much ahead of ours; anything newer is a typing mistake.
AHEAD = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How much a query would bring."""

    n_rows: int
    newest: str | None  # time of the newest change; None where there is none, or none is published


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer with rows."""

    body: bytes  # as received
    rows: list[ApiRow]


@runtime_checkable
class Dataset(Protocol):
    """One dataset of one service, asked for the mapped columns only."""

    url: str

    def measure(self, since: str | None) -> Measure:
        """Rows changed since, in all, and the newest change among them."""
        ...

    def page(self, since: str | None, after: str | None) -> Page:
        """The next rows after a row identifier, in the server's order; none at the end."""
        ...

    def rows(self, values: object) -> list[ApiRow]:
        """The rows in the JSON of one page."""
        ...


def columns_of(source: Source) -> tuple[str, ...]:
    """The publisher's columns to ask for: those that are mapped or filtered by, each once."""
    return tuple(dict.fromkeys(wanted_columns(source).values()))


def as_text(value: object) -> str | None:
    """A JSON value as a table would write it; a blank is None."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).replace("\0", "")


def since_when(newest: str, started_at: dt.datetime) -> str:
    """From when the next fetch asks, given the newest change that the last one knew of.

    Raises:
        SourceFormatError: if `newest` is no time.
    """
    try:
        moment = dt.datetime.fromisoformat(newest)
    except ValueError as error:
        raise SourceFormatError(
            f"updated_at under [source.api]: its newest value is {newest!r}, expected a time such "
            "as 2024-05-01T12:00:00; name the field with the time of the last change, or leave "
            "updated_at out"
        ) from error
    limit = (started_at + AHEAD).astimezone(dt.UTC)
    if moment.tzinfo is None:
        limit = limit.replace(tzinfo=None)
    since = min(moment, limit) - OVERLAP
    return since.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def require_columns(
    url: str, source: Source, wanted: Mapping[str, str], known: list[str], told: str
) -> None:
    """Say why a query was refused: a column that is no longer there, or what the server told.

    Args:
        url: the dataset.
        source: whose columns were asked for.
        wanted: further fields of the query, by the key of the TOML that names them.
        known: the dataset's real fields; none where they could not be found out.
        told: the server's own words.

    Raises:
        SourceFormatError: always.
    """
    if known:
        match_columns(url, known, {**wanted_columns(source), **wanted})
    names = ", ".join(columns_of(source))
    raise SourceFormatError(
        f"{url}: the server does not take the question: {told or 'it gives no reason'}. Compare "
        f"where, updated_at and row_id under [source.api], and the columns ({names}), with the "
        "dataset's documentation"
    )
