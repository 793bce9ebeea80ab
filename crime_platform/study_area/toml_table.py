"""A TOML table read key by key: every mistake is noted with its place, value and cure.

Knows nothing of study areas. Reading goes on after a mistake, so that the person who wrote the
file sees all of them at once.
"""

import difflib
import math
from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")


def did_you_mean(word: str, known: list[str]) -> str:
    """`; did you mean 'x'?` when a known word looks like `word`, else nothing."""
    close = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), list(close), n=1, cutoff=0.6)
    return f"; did you mean {close[found[0]]!r}?" if found else ""


class TomlTable:
    """One table of a TOML file; `finish` reports the keys that nobody asked for."""

    def __init__(self, values: Mapping[str, object], where: str, problems: list[str]) -> None:
        self.values = values
        self.where = where  # the header as written in the file, e.g. "[grid]"; "" at the top
        self.problems = problems
        self.known: list[str] = []

    def note(self, key: str, complaint: str) -> None:
        """Add one mistake to the list."""
        self.problems.append(f"{self.where} {key}: {complaint}".lstrip())

    def text(self, key: str) -> str | None:
        """A string that is not blank."""
        return self._read(key, "a text in quotes", lambda v: isinstance(v, str) and v.strip(), str)

    def character(self, key: str) -> str | None:
        """One character, which may be a blank."""
        return self._read(
            key, "one character in quotes", lambda v: isinstance(v, str) and len(v) == 1, str
        )

    def flag(self, key: str) -> bool | None:
        """True or false."""
        return self._read(key, "true or false", lambda v: isinstance(v, bool), bool)

    def integer(self, key: str) -> int | None:
        """A whole number."""
        return self._read(key, "a whole number", _is_integer, int)

    def number(self, key: str) -> float | None:
        """A number; whole ones become floats."""
        return self._read(key, "a number", _is_number, float)

    def texts(self, key: str) -> tuple[str, ...] | None:
        """A list of strings, none of them blank."""
        return self._read(key, 'a list of texts such as ["a", "b"]', _are_texts, _as_tuple)

    def numbers(self, key: str) -> tuple[float, ...] | None:
        """A list of numbers."""
        return self._read(key, "a list of numbers such as [1, 2]", _are_numbers, _as_floats)

    def table(self, key: str) -> "TomlTable":
        """The table below `key`; empty when the file has none."""
        found = self._read(key, f"a table headed [{key}]", lambda v: isinstance(v, dict), _as_dict)
        header = f"{self.where[:-1]}.{key}]" if self.where else f"[{key}]"
        return TomlTable(found or {}, header, self.problems)

    def tables(self, key: str) -> list["TomlTable"]:
        """The tables of the list below `key`, each with its number in its place."""
        wanted = f"one or more tables, each headed [[{key}]]"
        found = self._read(key, wanted, _are_dicts, _as_list) or []
        return [
            TomlTable(values, f"[{key} {number}]", self.problems)
            for number, values in enumerate(found, start=1)
        ]

    def require(self, *keys: str) -> None:
        """Note every one of `keys` that the file leaves out."""
        for key in keys:
            if key not in self.values:
                self.note(key, "the key is missing; add it")

    def finish(self) -> None:
        """Note every key that was never asked for."""
        for key in self.values:
            if key not in self.known:
                hint = did_you_mean(key, self.known) or "."
                self.note(key, f"unknown key{hint} Known keys: {', '.join(sorted(self.known))}")

    def _read(
        self,
        key: str,
        wanted: str,
        is_right: Callable[[object], object],
        convert: Callable[..., T],
    ) -> T | None:
        self.known.append(key)
        if key not in self.values:
            return None
        value = self.values[key]
        if not is_right(value):
            self.note(key, f"expected {wanted}, found {value!r}")
            return None
        return convert(value)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    """Whether it is one that can be computed with: TOML also writes nan, inf and 400 digits."""
    try:
        return (
            isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        )
    except OverflowError:
        return False


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) and v.strip() for v in value)


def _are_numbers(value: object) -> bool:
    return isinstance(value, list) and all(_is_number(v) for v in value)


def _are_dicts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(v, dict) for v in value)


def _as_tuple(value: list[str]) -> tuple[str, ...]:
    return tuple(text.strip() for text in value)


def _as_floats(value: list[int | float]) -> tuple[float, ...]:
    return tuple(float(number) for number in value)


def _as_dict(value: dict[str, object]) -> dict[str, object]:
    return value


def _as_list(value: list[dict[str, object]]) -> list[dict[str, object]]:
    return value
