"""CSV rows whose quote is never closed: a scan would take what follows for one endless field.

Such a row is overwritten, byte for byte, with a text that cannot be split into fields. It is then
rejected like any broken row, at its place, and the rows behind it are read.
"""

import csv
import io
import mmap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int

CHUNK_BYTES = 1 << 24
MAX_ROW_BYTES = 1 << 17  # of a row whose fields hold line breaks
_QUOTE, _LINE_FEED, _RETURN = b'"'[0], b"\n"[0], b"\r"[0]


def overwrite_open_quotes(path: Path, target: Path, *, delimiter: str, n_columns: int) -> int:
    """Copy a UTF-8 CSV file with every row that has an open quote overwritten; returns how many.

    Lines that end in a carriage return alone end in a line feed in the copy: a scan that must
    bear both takes two characters for the end of such a line, and cuts the next one.

    A line with an odd number of quotes is right if it is a row by itself (a quote inside a field
    that is not quoted), or opens a field that the next such line closes. Else its quote is open.
    """
    copy_with_line_feeds(path, target)
    starts, ends = _lines_with_odd_quotes(target)
    if not starts.size:
        return 0
    n_overwritten, k = 0, 0
    with target.open("r+b") as file, mmap.mmap(file.fileno(), 0) as text:
        while k < len(starts):
            start, end = int(starts[k]), int(ends[k])
            closing = int(ends[k + 1]) if k + 1 < len(ends) else start + MAX_ROW_BYTES + 1
            if _is_row(text[start:end], delimiter, n_columns):
                k += 1
            elif closing - start <= MAX_ROW_BYTES and _is_row(
                text[start:closing], delimiter, n_columns
            ):
                k += 2
            else:
                content = text[start:end].rstrip(b"\r\n")
                text[start : start + len(content)] = b"x" * len(content)
                n_overwritten += 1
                k += 1
    return n_overwritten


def overwrite_lines(path: Path, positions: Sequence[int]) -> int:
    """Overwrite the lines at these byte positions in place; returns how many changed.

    A position may also point at the line break before its line.
    """
    n_changed = 0
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as text:
        for position in positions:
            start = min(position, len(text) - 1)
            while start < len(text) - 1 and text[start] in b"\r\n":
                start += 1
            end = text.find(b"\n", start)
            content = text[start : end if end >= 0 else len(text)].rstrip(b"\r\n")
            covered = b"x" * len(content)
            n_changed += covered != content
            text[start : start + len(content)] = covered
    return n_changed


def copy_with_line_feeds(path: Path, target: Path) -> None:
    """Copy a file with a line feed for every carriage return that ends a line alone."""
    was_return = False
    with path.open("rb") as source, target.open("wb") as out:
        while piece := source.read(CHUNK_BYTES):
            text = np.frombuffer(piece, dtype=np.uint8)
            # A return at the end of a piece waits for the byte behind it.
            text = np.concatenate([np.full(int(was_return), _RETURN, dtype=np.uint8), text])
            was_return = bool(text[-1] == _RETURN)
            text = text[:-1].copy() if was_return else text.copy()
            behind = np.append(text[1:], _RETURN if was_return else 0)
            text[(text == _RETURN) & (behind != _LINE_FEED)] = _LINE_FEED
            out.write(text.tobytes())
        out.write(b"\n" * was_return)


def _lines_with_odd_quotes(
    path: Path,
) -> tuple[Int[np.ndarray, " line"], Int[np.ndarray, " line"]]:
    """First byte, and the byte behind the line feed, of lines with an odd number of quotes."""
    line_ends, quotes_before, n_bytes, is_odd = [np.array([0])], [np.array([0])], 0, 0
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            text = np.frombuffer(piece, dtype=np.uint8)
            quotes = np.cumsum(text == _QUOTE, dtype=np.uint8) + np.uint8(is_odd)
            feeds = np.flatnonzero(text == _LINE_FEED)
            line_ends.append(feeds + 1 + n_bytes)
            quotes_before.append(quotes[feeds] % 2)
            n_bytes, is_odd = n_bytes + len(text), int(quotes[-1]) % 2
    ends = np.concatenate([*line_ends, [n_bytes]])
    parity = np.concatenate([*quotes_before, [is_odd]])
    odd = np.flatnonzero(parity[1:] != parity[:-1])
    return ends[odd], ends[odd + 1]


def _is_row(content: bytes, delimiter: str, n_columns: int) -> bool:
    text = io.StringIO(content.decode("utf-8", errors="replace"), newline="")
    try:
        rows = list(csv.reader(text, delimiter=delimiter, strict=True))
    except csv.Error:
        return False
    return len(rows) == 1 and len(rows[0]) == n_columns
