"""One sheet of a workbook: Excel (.xlsx, .xlsm, .xlsb, .xls) and OpenDocument."""

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import islice

import pyarrow as pa
import pyarrow.parquet as pq
import python_calamine

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
MAX_TITLE_ROWS = 50  # above the header
MAX_INTEGER = 2**63 - 1

Cells = list[object]


def convert(job: Job) -> Converted:
    """Write the sheet that the job names, or the only one with rows.

    Raises:
        ConversionError: if the workbook is damaged or encrypted, or it is not known which sheet.
    """
    try:
        book = python_calamine.CalamineWorkbook.from_path(job.path)
        sheet = _chosen(book, job.sheet)
    except python_calamine.PasswordError as error:
        raise ConversionError(
            "a spreadsheet with a password; open it, and save it without one"
        ) from error
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        if isinstance(error, ConversionError):
            raise
        raise ConversionError(
            f"a damaged spreadsheet, or none ({_first_line(error)}); fetch it again, or open it "
            "and save the sheet as CSV"
        ) from error
    number, header = _header(sheet)
    names = [as_text(cell) or "" for cell in header]
    require_width(len(names))
    schema = pa.schema(
        list(zip(unique_names(names), _types(sheet, number, len(names)), strict=True))
    )
    blank = [at for at, cells in _below(sheet, number) if not _is_filled(cells)]
    with pq.ParquetWriter(job.target, schema, compression="snappy") as writer:
        rows = (cells for _, cells in _below(sheet, number) if _is_filled(cells))
        while batch := list(islice(rows, ROWS_AT_ONCE)):
            columns = [
                pa.array([_as(kind, cells[at]) for cells in batch], kind)
                for at, kind in enumerate(schema.types)
            ]
            writer.write_table(pa.table(columns, schema=schema))
    return Converted(header=names, first_row=number + 1, blank=blank)


def _chosen(
    book: python_calamine.CalamineWorkbook, wanted: str | None
) -> python_calamine.CalamineSheet:
    if wanted is not None and wanted not in book.sheet_names:
        raise ConversionError(
            f"has no sheet {wanted!r}; it has {listed(book.sheet_names)}: correct sheet under "
            "[[source]]"
        )
    names = book.sheet_names if wanted is None else [wanted]
    sheets = [(name, book.get_sheet_by_name(name)) for name in names]
    filled = [(name, sheet) for name, sheet in sheets if sheet.height > 1]
    if len(filled) > 1:
        told = ", ".join(f"{name!r} ({sheet.height:,} rows)" for name, sheet in filled[:10])
        raise ConversionError(
            f"has {len(filled)} sheets with rows: {told}; name the one with the incidents as "
            "sheet under [[source]]"
        )
    if not filled:
        raise ConversionError("has no sheet with a header and rows; fetch it again")
    return filled[0][1]


def _numbered(sheet: python_calamine.CalamineSheet) -> Iterator[tuple[int, Cells]]:
    """Rows with the numbers that a spreadsheet gives them, from the first filled one on."""
    if sheet.start is None:
        return
    # iter_rows begins at the top left of the sheet, whatever rows above the table are blank.
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        yield number, list(cells)


def _header(sheet: python_calamine.CalamineSheet) -> tuple[int, Cells]:
    """The first row with more than one name: what stands above it alone is a title."""
    first: tuple[int, Cells] | None = None
    for number, cells in islice(_numbered(sheet), MAX_TITLE_ROWS):
        n_filled = sum(cell != "" for cell in cells)
        if n_filled > 1:
            return number, cells
        if n_filled and first is None:
            first = number, cells
    if first is None:
        raise ConversionError(
            f"its first {MAX_TITLE_ROWS} rows are blank; remove what stands above the header"
        )
    return first


def _below(sheet: python_calamine.CalamineSheet, header: int) -> Iterator[tuple[int, Cells]]:
    return ((number, cells) for number, cells in _numbered(sheet) if number > header)


def _is_filled(cells: Cells) -> bool:
    return any(cell != "" for cell in cells)


def _types(
    sheet: python_calamine.CalamineSheet, header: int, n_columns: int
) -> Sequence[pa.DataType]:
    """What each column holds; a text where its cells are of several kinds."""
    kinds: list[set[str]] = [set() for _ in range(n_columns)]
    for _, cells in _below(sheet, header):
        for kind, cell in zip(kinds, cells, strict=True):
            if cell != "":
                kind.add(_kind(cell))
    return [_type(kind) for kind in kinds]


def _kind(cell: object) -> str:
    match cell:
        case bool():
            return "text"
        case int():
            return "integer" if abs(cell) <= MAX_INTEGER else "text"
        case float():
            return "integer" if cell.is_integer() and abs(cell) < 2**53 else "number"
        case dt.datetime():
            return "moment"
        case dt.date():
            return "day"
        case _:
            return "text"


def _type(kinds: set[str]) -> pa.DataType:
    if kinds == {"integer"}:
        return pa.int64()
    if kinds and kinds <= {"integer", "number"}:
        return pa.float64()
    if kinds == {"day"}:
        return pa.date32()
    if kinds and kinds <= {"day", "moment"}:
        return pa.timestamp("us")
    return pa.string()


def _as(kind: pa.DataType, cell: object) -> object:
    if cell == "":
        return None
    if kind == pa.int64() and isinstance(cell, int | float):
        return int(cell)
    if kind == pa.float64() and isinstance(cell, int | float):
        return float(cell)
    if kind == pa.string():
        return as_text(cell)
    if kind == pa.timestamp("us") and not isinstance(cell, dt.datetime):
        return dt.datetime.combine(cell, dt.time()) if isinstance(cell, dt.date) else None
    return cell


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
