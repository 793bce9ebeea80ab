"""Which rows of a CSV file a scan passed over: a person counts them, so their numbers matter.

A row is what a spreadsheet numbers, from 1; a line break inside quotes does not start a new one.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

CHUNK_BYTES = 1 << 24
_TWO_FEEDS, _FEED_AND_RETURN = 0x0A0A, 0x0D0A  # as little-endian numbers
_QUOTE, _LINE_FEED, _RETURN = b'"'[0], b"\n"[0], b"\r"[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowNumbers:
    """Numbers of rows in one file; exact unless a stray quote hides where rows end."""

    n_rows: int  # all of them: header, data, broken and blank
    blank: Int[np.ndarray, " blank"]
    at_positions: Int[np.ndarray, " position"]  # of the rows asked for


def number_rows(path: Path, positions: Int[np.ndarray, " position"]) -> RowNumbers:
    """Count a file's rows, and find those that are blank or start at these byte positions.

    A position may also point at the line break before its row, or at blank rows before it.
    """
    row_ends, is_blank, n_bytes = [np.array([-1])], [], 0
    # What precedes a line feed tells whether its row is blank, so a piece starts with the end of
    # the one before it.
    is_open, tail = 0, b"\n"
    positions = np.asarray(positions, dtype=np.int64)
    bytes_there = np.zeros(len(positions), dtype=np.uint8)
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            text = np.frombuffer(tail + piece, dtype=np.uint8)
            fresh = text[len(tail) :]
            # Only odd or even matters, so that one byte a character is enough to count quotes.
            quotes = np.cumsum(fresh == _QUOTE, dtype=np.uint8) + np.uint8(is_open)
            ends = len(tail) + np.flatnonzero((fresh == _LINE_FEED) & (quotes % 2 == 0))
            before = np.where(text[ends - 1] == _RETURN, ends - 2, ends - 1)
            is_blank.append(text[before] == _LINE_FEED)
            row_ends.append(ends - len(tail) + n_bytes)
            is_here = (positions >= n_bytes) & (positions < n_bytes + len(piece))
            bytes_there[is_here] = fresh[positions[is_here] - n_bytes]
            n_bytes += len(piece)
            is_open, tail = int(quotes[-1]) % 2, (tail + piece)[-2:]
    ends = np.concatenate(row_ends)
    blank = 1 + np.flatnonzero(np.concatenate(is_blank))
    is_unended = ends[-1] != n_bytes - 1
    is_break = (bytes_there == _LINE_FEED) | (bytes_there == _RETURN)
    # Of a last row without a line break, the position may be that of the end of the file.
    positions = np.minimum(positions, n_bytes - 1)
    numbers = np.searchsorted(ends, positions, side="left") + is_break
    while (on_blank := np.isin(numbers, blank)).any():
        numbers = numbers + on_blank
    return RowNumbers(n_rows=len(ends) - 1 + int(is_unended), blank=blank, at_positions=numbers)


def may_hold_blank_rows(path: Path) -> bool:
    """Whether two line breaks follow each other anywhere: a quick look before a slow count."""
    last = b"\n"
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            text = np.frombuffer(last + piece, dtype=np.uint8)
            # A line feed and a break behind it, as one number of two bytes, from each byte on.
            for start in (0, 1):
                pairs = text[start : start + (len(text) - start) // 2 * 2].view("<u2")
                if ((pairs == _TWO_FEEDS) | (pairs == _FEED_AND_RETURN)).any():
                    return True
            last = piece[-1:]
    return False
