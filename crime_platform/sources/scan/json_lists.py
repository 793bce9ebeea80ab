"""The values of a JSON list, one after the other: a whole file need not fit into memory."""

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

CHUNK_CHARACTERS = 1 << 20
MAX_VALUE_CHARACTERS = 1 << 24  # a value is decoded anew with every piece that it reaches into
_BETWEEN_VALUES = re.compile(r"[\s,]*")


class JsonListError(ValueError):
    """A list that breaks off, is damaged, or holds a value that is too long."""


class JsonList:
    """The values of a list in a file, to be gone through once.

    Args:
        file: the text, read up to the end of `text`.
        text: what was read of it.
        position: in `text`, behind the bracket that opens the list.
        decoder: how values become Python's.
        whole, each: what the list and a value of it are called in messages.
    """

    def __init__(
        self,
        file: TextIO,
        text: str,
        position: int,
        decoder: json.JSONDecoder,
        *,
        whole: str,
        each: str,
    ) -> None:
        self._file = file
        self._decode = decoder.raw_decode
        self._position = position
        self._whole, self._each = whole, each
        self.text = text  # after the last value: what follows it, from the closing bracket

    def __iter__(self) -> Iterator[Any]:
        """Decode value by value.

        Raises:
            JsonListError: if one cannot be decoded; the message follows the file's name.
        """
        while True:
            position = self._behind_blanks()
            if self.text.startswith("]", position):
                self.text = self.text[position:]
                return
            try:
                value, self._position = self._decode(self.text, position)
            except json.JSONDecodeError as error:
                self._read_on(position, error)
                continue
            yield value

    def _behind_blanks(self) -> int:
        found = _BETWEEN_VALUES.match(self.text, self._position)
        return found.end() if found else self._position

    def _read_on(self, position: int, error: json.JSONDecodeError) -> None:
        more = self._file.read(CHUNK_CHARACTERS)
        if not more:
            raise JsonListError(
                f"the {self._whole} breaks off or is damaged ({error.msg}); fetch the file again"
            ) from error
        if len(self.text) - position > MAX_VALUE_CHARACTERS:
            raise JsonListError(
                f"a {self._each} of more than {MAX_VALUE_CHARACTERS:,} characters; no incident is "
                "as long, so the file is damaged, or is none of incidents"
            ) from error
        self.text, self._position = self.text[position:] + more, 0
