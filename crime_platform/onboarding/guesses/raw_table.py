"""A publisher's files before anything is known of them: columns as text, and what they look like.

Columns that speak of a person, an arrest or a patrol are left out here already: their values are
not read, so that no guess can rest on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from crime_platform.study_area.source import is_never_loaded, template_literals

FILE = "file_at"  # column of `raw`: which of the tables a row comes from
_MARKED = "[-+]?[.,]?\\d[\\d.,''\u2019 \u00a0\u202f]*([eE][-+]?\\d+)?"
_CLOCK = "\\d{1,2}\\s*([:hH]\\s*\\d\\d.*|[aApP]\\.?\\s*[mM]\\.?)"
_PAIR = "\\d[.,]\\d+[^\\d]*[,;\\s]\\s*[-+]?\\d+[.,]\\d+[^\\d]*$|(?i)point.*\\("


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What the values of one column look like; shares are of the filled ones."""

    name: str
    position: str  # name in the table `raw`
    n_filled: int
    n_distinct: int  # approximate
    number_share: float
    low: float | None  # smallest number
    high: float | None
    clock_share: float  # written 23:05
    marked_share: float  # numbers in whatever marks: 1.234,5
    pair_share: float  # two numbers in one text, as a point is written
    digit_share: float
    word_share: float  # without a digit


class RawTable:
    """Files of one layout in the table `raw` of a database."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
        self.connection = connection
        self.left_out = [name for name in names if is_never_loaded(name)]
        kept = {f"c{at}": name for at, name in enumerate(names)}
        self.names = {
            place: name
            for place, name in kept.items()
            if not is_never_loaded(name) and name.strip()
        }
        self.encoding: str | None = None
        self.n_rows = 0
        self._columns: list[Column] = []

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple]:
        """Answer of a query on `raw`."""
        return self.connection.execute(query, list(values)).fetchall()

    def arrays(self, query: str) -> list[np.ndarray]:
        """Columns of a query's answer as numbers; nulls are NaN."""
        found = self.connection.execute(query).fetchnumpy()
        return [
            np.ma.filled(np.ma.asarray(values, dtype=float), np.nan) for values in found.values()
        ]

    def columns(self) -> list[Column]:
        """Every column that may be mapped, in the order of the file."""
        if not self._columns:
            self._columns = [self._described(place, name) for place, name in self.names.items()]
        return self._columns

    def put_together(self, template: str, parts: Sequence[Column]) -> Column:
        """A column more, of what a template such as `{YEAR}-{MONTH}` makes of others."""
        texts = template_literals(template)
        pieces = [
            f"coalesce({column.position}, '') || {_quoted(text)}"
            for column, text in zip(parts, texts[1:], strict=True)
        ]
        filled = f"coalesce({', '.join(column.position for column in parts)}) is not null"
        whole = " || ".join([_quoted(texts[0]), *pieces])
        place = f"t{self.rows('select count(*) from duckdb_columns()')[0][0]}"
        self.connection.execute(
            f"alter table raw add column {place} varchar; "
            f"update raw set {place} = case when {filled} then trim({whole}) end"
        )
        return self._described(place, template)

    def _described(self, place: str, name: str) -> Column:
        number = f"try_cast({place} as double)"
        looks = (
            f"count({number})",
            f"count(*) filter (regexp_full_match({place}, '{_CLOCK}'))",
            f"count(*) filter (regexp_full_match({place}, '{_MARKED}'))",
            f"count(*) filter (regexp_matches({place}, '{_PAIR}'))",
            f"count(*) filter (regexp_matches({place}, '\\d'))",
            f"count(*) filter (not regexp_matches({place}, '\\d'))",
        )
        ((n_filled, n_distinct, low, high, *counts),) = self.rows(
            f"select count({place}), approx_count_distinct({place}), "
            f"min({number}) filter (isfinite({number})), max({number}) filter (isfinite({number})),"
            f" {', '.join(looks)} from raw"
        )
        numbers, clocks, marked, pairs, digits, words = (n / max(n_filled, 1) for n in counts)
        return Column(
            name=name,
            position=place,
            n_filled=n_filled,
            n_distinct=n_distinct,
            number_share=numbers,
            low=low,
            high=high,
            clock_share=clocks,
            marked_share=marked,
            pair_share=pairs,
            digit_share=digits,
            word_share=words,
        )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
