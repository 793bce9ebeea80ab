"""Text of files and study areas on its way into an output: nothing in it may act there.

Titles, publishers, labels and file names are other people's words. Each output has one function
here, which is used for every word that goes into it. HTML has Jinja's, and the page sets text only.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from itertools import chain
from typing import Protocol, runtime_checkable
from urllib.parse import urlsplit

# What makes the direction of writing lie about the order of the letters.
_TURNING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}
_MARKDOWN = re.compile(r"([\\`*\[\]<>|~#&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_BLOCK = re.compile(r"^(\s*)([-+=:]|\d+(?=[.)]))")
_BLANKS = re.compile(r"[ \t\n]+")
_FORMULA = tuple("=+-@\t\r\n")
_NUMBER = re.compile(r"[+\-]?(\d+\.?\d*|\.\d+)([eE][+\-]?\d+)?")
_WEB = ("http", "https")


def printable(text: str) -> str:
    r"""The text with control characters written out, as `\x1b`; line ends and tabs stay.

    A terminal obeys them otherwise: they move the cursor, recolour, or hide what stands there.
    """
    if text.isprintable():
        return text
    return "".join(
        _written_out(letter)
        if letter not in "\n\t" and (_is_control(letter) or ord(letter) in _TURNING)
        else letter
        for letter in text
    )


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) in {"Cc", "Cs"}


def _written_out(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def markdown(text: str) -> str:
    """The text on one line of Markdown, in which nothing is markup, HTML or a link."""
    line = _BLANKS.sub(" ", printable(text)).strip(" ")
    escaped = _MARKDOWN.sub(lambda found: _ENTITIES.get(found[0], f"\\{found[0]}"), line)
    # A bare address of a web page becomes a link by itself; of what else it is, none may.
    return _BLOCK.sub(_as_text, escaped)


_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}


def _as_text(found: re.Match) -> str:
    mark = found[2]
    return f"{found[1]}{mark}\\" if mark.isdigit() else f"{found[1]}\\{mark}"


def web_address(text: str) -> str | None:
    """The text where it is an address that a browser may be sent to; None for anything else."""
    if not text.isprintable() or any(letter in text for letter in " <>\"'`\\"):
        return None
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:  # such as a port that is no number
        return None
    return text if parts.scheme.lower() in _WEB and host else None


def markdown_link(text: str) -> str:
    """A web address as a link, any other text as text."""
    address = web_address(text)
    return markdown(text) if address is None else f"<{address}>"


def csv_text(value: object) -> object:
    """A value as a field of CSV that no spreadsheet takes for a formula.

    Text that begins as a formula does gets an apostrophe in front, as OWASP advises; a number stays
    a number, also where it is written as text.
    """
    if not isinstance(value, str) or not value.startswith(_FORMULA) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"


@runtime_checkable
class TextSink(Protocol):
    """What takes text: a file, a terminal, a string in memory."""

    def write(self, text: str, /) -> object: ...


def write_csv(stream: TextSink, names: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a header and rows as CSV: no text is a formula, lines end in a line feed."""
    line = io.StringIO(newline="")
    # With both line ends given, the writer quotes a field that holds either of them.
    writer = csv.writer(line, lineterminator="\r\n")
    for row in chain([names], rows):
        writer.writerow(map(csv_text, row))
        stream.write(f"{line.getvalue()[:-2]}\n")
        line.seek(0)
        line.truncate()
