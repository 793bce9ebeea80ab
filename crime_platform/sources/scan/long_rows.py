"""CSV rows too long or too wide for a database: it drops them silently, or takes minutes over one.

Such a row is overwritten with a text that cannot be split into fields. It is then rejected like any
broken row, at its place, and the rows behind it are read.
"""

import re
from pathlib import Path
from typing import BinaryIO

BLOCK_BYTES = 1 << 18
MAX_ROW_BYTES = 2_000_000  # the longest that a scan takes; one of 32 MB it drops
MAX_EXTRA_FIELDS = 200  # a scan lists every field too many, each with the whole row
BROKEN = b"x"
_IN_QUOTES = re.compile(rb'"[^"]*"')


def may_hold_long_rows(path: Path, delimiter: str, n_columns: int) -> bool:
    """Whether a row may be too long or too wide: a quick look that counts bytes, block by block."""
    n_quotes, n_lines, n_delimiters, was_open = 0, 0, 0, False
    mark = delimiter.encode()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            end = block.find(b"\n")
            if end < 0 and len(block) == BLOCK_BYTES:
                return True
            # Where a line ends inside quotes, twice in a row, its field is long or has no end.
            is_open = (n_quotes + block.count(b'"', 0, max(end, 0))) % 2 == 1
            if is_open and was_open:
                return True
            was_open = is_open
            n_quotes += block.count(b'"')
            n_lines += block.count(b"\n")
            n_delimiters += block.count(mark)
    return n_delimiters > n_columns * (n_lines + 1) + MAX_EXTRA_FIELDS


def overwrite_long_rows(path: Path, target: Path, *, delimiter: str, n_columns: int) -> int:
    """Copy a UTF-8 CSV file, and overwrite lines in the copy; returns how many.

    Lines end in line feeds, with or without a carriage return before them. A line with an open
    quote is for others to judge, unless it is too long by itself.
    """
    n_overwritten = 0
    with path.open("rb") as source, target.open("wb") as out:
        while line := source.readline(MAX_ROW_BYTES + 1):
            is_long = len(line) > MAX_ROW_BYTES
            end = _skip_line(source, line) if is_long else line[len(line.rstrip(b"\r\n")) :]
            if is_long or _is_wide(line, delimiter.encode(), n_columns):
                out.write(BROKEN + end)
                n_overwritten += 1
            else:
                out.write(line)
    return n_overwritten


def _skip_line(source: BinaryIO, line: bytes) -> bytes:
    """Read on to the end of the line; returns its line feed, which the last line may lack."""
    while line and not line.endswith(b"\n"):
        line = source.readline(MAX_ROW_BYTES)
    return line[-1:]


def _is_wide(line: bytes, mark: bytes, n_columns: int) -> bool:
    most = n_columns + MAX_EXTRA_FIELDS
    if line.count(mark) <= most or line.count(b'"') % 2:
        return False
    return _IN_QUOTES.sub(b"", line).count(mark) > most
