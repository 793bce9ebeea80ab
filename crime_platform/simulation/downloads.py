"""Downloads in the publisher's two layouts, each of a rolling window, revised in the next one."""

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crime_platform.simulation.offences import OffenceWording
from crime_platform.simulation.places import CITY, Places
from crime_platform.simulation.victimisations import (
    BAD_MONTH,
    BLANK_OFFENCE,
    CLEAN,
    DIRT_NAMES,
    FUTURE_MONTH,
    KNOWN_CODE,
    LATER_CODE,
    UNKNOWN_HOUR,
    UNKNOWN_PLACE,
    Rows,
)
from crime_platform.vocabulary.progress import Progress, report_progress

if TYPE_CHECKING:
    import pyarrow as pa

ANZSOC_COLUMNS = (
    "Table 1",
    "ANZSOC Division",
    "Year Month",
    "Month Year",
    "ANZSOC Group",
    "ANZSOC Subdivision",
    "Area Unit",
    "Location Type",
    "Locn Type Division",
    "Meshblock",
    "Occurrence Day Of Week",
    "Occurrence Hour Of Day",
    "Territorial Authority",
    "Weapon",
    "Year Month (copy 2)",
    "Number of Records",
    "Victimisations",
)
"""Header of exports up to 2020: UTF-16 with tabs, and named .csv all the same."""

LATER_COLUMNS = (
    "Year Month",
    "Area Unit",
    "Territorial Authority",
    "Meshblock",
    "ANZSOC Division",
    "ANZSOC Group",
    "ANZSOC Subdivision",
    "Victimisations",
    "Month Year",
    "Locn Type Division",
)
"""Header of exports of 2025 and 2026: UTF-8 with commas."""

MONTHS_BETWEEN = 3  # downloads
WINDOW_MONTHS = 6  # a download holds: each month is published twice, as in any rolling window
UNKNOWN_AREA_UNIT, NO_MESHBLOCK = "999999", "-118"
LATER_CODES_FROM = 4_000_000  # above any meshblock of 2013
BAD_MONTHS = {BAD_MONTH: "Unknown", FUTURE_MONTH: "December 2099"}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "UNKNOWN")
LOCATIONS = ("Residential Location", "Other Location", "Community Location")
MEBIBYTE = 1 << 20
DAY_OF_DOWNLOAD = 10  # of the month after the last one in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One file: its name, its months by position, and whose layout it has."""

    file_name: str
    first: int
    last: int
    is_later_layout: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadContent:
    """What a reader must find in one file; clean and dirty rows are the city's."""

    file: str
    n_rows: int
    n_victimisations: int
    n_city_rows: int
    n_city_victimisations: int
    n_clean_rows: int
    n_clean_victimisations: int
    n_clean_rows_without_place: int
    n_dirty_rows: dict[str, int]  # by what is wrong with them


def planned_downloads(months: np.ndarray) -> list[Download]:
    """A download every quarter up to the last month; the first half in the ANZSOC layout."""
    planned = []
    for last in range((len(months) - 1) % MONTHS_BETWEEN, len(months), MONTHS_BETWEEN):
        is_later = last >= len(months) // 2
        planned.append(
            Download(
                file_name=f"simulated_{months[last] + 1}-{DAY_OF_DOWNLOAD}.csv",
                first=max(0, last - WINDOW_MONTHS + 1),
                last=last,
                is_later_layout=is_later,
            )
        )
    return planned


def write_downloads(
    folder: Path,
    rows: Rows,
    places: Places,
    wordings: Sequence[OffenceWording],
    months: np.ndarray,
) -> list[DownloadContent]:
    """Write every download into the folder; returns what each holds, to compare readers with."""
    planned = planned_downloads(months)
    texts = {
        is_later: _table(rows, places, wordings, months, is_later=is_later)
        for is_later in {download.is_later_layout for download in planned}
    }
    contents = []
    for done, download in enumerate(planned, start=1):
        held = np.flatnonzero(rows.in_download(download.first, download.last))
        table = texts[download.is_later_layout].take(held)
        path = folder / download.file_name
        if download.is_later_layout:
            _write_csv(table, path, delimiter=",")
        else:
            plain = folder / f"{download.file_name}.utf-8"
            _write_csv(table, plain, delimiter="\t")
            _as_utf_16(plain, path)
            plain.unlink()
        contents.append(_content(download, rows, held, places))
        report_progress(
            Progress(
                task="writing downloads",
                done=done,
                total=len(planned),
                unit="file",
                detail=f"{len(held):,} rows",
            )
        )
    return contents


def _table(
    rows: Rows,
    places: Places,
    wordings: Sequence[OffenceWording],
    months: np.ndarray,
    *,
    is_later: bool,
) -> "pa.Table":
    """All rows as the publisher's texts; few distinct ones, so each column is a dictionary."""
    import pyarrow as pa

    columns: dict[str, pa.DictionaryArray | pa.Array] = {}
    month_names = [f"{month.item():%B %Y}" for month in months]
    month = rows.month.copy()
    for dirt in BAD_MONTHS:
        month[rows.dirt == dirt] = len(month_names) + list(BAD_MONTHS).index(dirt)
    written_month = _chosen([*month_names, *BAD_MONTHS.values()], month)
    for name in ("Year Month", "Month Year", "Year Month (copy 2)"):
        columns[name] = written_month
    divisions = [word.later_division if is_later else word.division for word in wordings]
    columns["ANZSOC Division"] = _chosen(divisions, rows.offence, rows.dirt == BLANK_OFFENCE)
    columns |= _group_columns(rows, wordings)
    columns |= _place_columns(rows, places)
    hours = [f"{hour}.0" for hour in (*range(24), UNKNOWN_HOUR)]
    columns["Occurrence Hour Of Day"] = _chosen(hours, np.minimum(rows.hour, len(hours) - 1))
    columns["Occurrence Day Of Week"] = _chosen(WEEKDAYS, rows.weekday)
    columns["Locn Type Division"] = _chosen(LOCATIONS, rows.location)
    columns["Victimisations"] = pa.array(rows.n_victimisations)
    always = {
        "Table 1": "1 Victimisation Time and Place",
        "Location Type": ".",
        "Weapon": "Not Applicable",
        "Number of Records": "1",
    }
    columns |= {
        name: _chosen([text], np.zeros(len(rows), np.int32)) for name, text in always.items()
    }
    return pa.table(
        {name: columns[name] for name in (LATER_COLUMNS if is_later else ANZSOC_COLUMNS)}
    )


def _group_columns(
    rows: Rows, wordings: Sequence[OffenceWording]
) -> Mapping[str, "pa.DictionaryArray"]:
    groups = [group for wording in wordings for group in wording.groups]
    first = np.cumsum([0, *(len(wording.groups) for wording in wordings[:-1])])
    number = first[rows.offence] + rows.group
    return {
        "ANZSOC Subdivision": _chosen([subdivision for subdivision, *_ in groups], number),
        "ANZSOC Group": _chosen([group for _, group, _ in groups], number),
    }


def _place_columns(rows: Rows, places: Places) -> Mapping[str, "pa.DictionaryArray"]:
    """Meshblock, area unit and authority; names end in a full stop, codes have no zeros ahead."""
    n_places = len(places.code)
    codes = [str(code) for code in places.code]
    later_codes = [str(LATER_CODES_FROM + number) for number in range(n_places)]
    number = np.select(
        [rows.code == KNOWN_CODE, rows.code == LATER_CODE],
        [rows.place, n_places + rows.place],
        default=2 * n_places,
    )
    districts = [*(f"{name}." for name in places.district_name), UNKNOWN_AREA_UNIT]
    district = places.surface.district[rows.place]
    district = np.where(rows.code == UNKNOWN_PLACE, len(places.district_name), district)
    authorities = [f"{name}." for name in places.authority_name]
    return {
        "Meshblock": _chosen([*codes, *later_codes, NO_MESHBLOCK], number),
        "Area Unit": _chosen(districts, district),
        "Territorial Authority": _chosen(authorities, places.surface.authority[rows.place]),
    }


def _chosen(
    texts: Sequence[str], number: np.ndarray, is_blank: np.ndarray | None = None
) -> "pa.DictionaryArray":
    """The text that each number stands for, from 0 on."""
    import pyarrow as pa

    numbers = pa.array(number.astype(np.int32), mask=is_blank)
    return pa.DictionaryArray.from_arrays(numbers, pa.array(list(texts), pa.string()))


def _write_csv(table: "pa.Table", path: Path, *, delimiter: str) -> None:
    import duckdb

    with duckdb.connect() as connection:
        connection.from_arrow(table).write_csv(str(path), sep=delimiter, header=True)


def _as_utf_16(source: Path, target: Path) -> None:
    """Rewrite a UTF-8 file as UTF-16 LE with a byte order mark, a little at a time."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with source.open("rb") as read, target.open("wb") as write:
        write.write(codecs.BOM_UTF16_LE)
        while part := read.read(8 * MEBIBYTE):
            write.write(decoder.decode(part).encode("utf-16-le"))


def _content(download: Download, rows: Rows, held: np.ndarray, places: Places) -> DownloadContent:
    is_city = places.surface.authority[rows.place[held]] == places.authority_name.index(CITY)
    n, dirt, code = rows.n_victimisations[held], rows.dirt[held], rows.code[held]
    is_clean = is_city & (dirt == CLEAN)
    return DownloadContent(
        file=download.file_name,
        n_rows=len(held),
        n_victimisations=int(n.sum()),
        n_city_rows=int(is_city.sum()),
        n_city_victimisations=int(n[is_city].sum()),
        n_clean_rows=int(is_clean.sum()),
        n_clean_victimisations=int(n[is_clean].sum()),
        n_clean_rows_without_place=int((is_clean & (code == UNKNOWN_PLACE)).sum()),
        n_dirty_rows={
            name: int((is_city & (dirt == number)).sum())
            for number, name in enumerate(DIRT_NAMES)
            if number != CLEAN
        },
    )
