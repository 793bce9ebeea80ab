"""Rows of a table as a dense array: SQL finds the place of each, numpy writes them all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crime_platform.dashboard.data.binary_format import as_counts
from crime_platform.dashboard.data.part_error import PartError
from crime_platform.dashboard.data.queries import Connection, read_columns

NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a dense array: a column of the table, and its values in order."""

    column: str
    values: Sequence[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Columns of a table, and where each row goes in an array of these axes."""

    told: str  # what the rows are, for messages
    shape: tuple[int, ...]
    place: np.ndarray
    columns: Mapping[str, np.ndarray]

    def sparse_counts(self, column: str) -> np.ndarray:
        """Counts in the smallest dtype that holds them; rows of one place add up, no row is 0."""
        n = int(np.prod(self.shape))
        summed = np.bincount(self.place, weights=self.columns[column], minlength=n)
        return as_counts(summed.reshape(self.shape).astype(np.int64))

    def sparse_floats(self, column: str) -> np.ndarray:
        """Numbers with float32's seven digits; NaN where there is no row."""
        dense = np.full(self.shape, np.nan, dtype=np.float32)
        dense.reshape(-1)[self.place] = self.columns[column]
        return dense

    def whole(self) -> dict[str, np.ndarray]:
        """Every column, of which no place may lack a row; whole numbers as counts.

        Raises:
            PartError: if one does.
        """
        is_there = np.zeros(self.shape, dtype=bool)
        is_there.reshape(-1)[self.place] = True
        if not is_there.all():
            raise PartError(
                f"{self.told} has {is_there.sum()} of the {is_there.size} rows it should have; run "
                "`crime-platform run` again"
            )
        dense = {}
        for name, values in self.columns.items():
            dense[name] = np.empty(self.shape, dtype=values.dtype)
            dense[name].reshape(-1)[self.place] = values
            if values.dtype.kind in "iu":
                dense[name] = as_counts(dense[name])
        return dense


def place_rows(
    connection: Connection,
    query: str,
    axes: Sequence[Axis],
    *,
    columns: Sequence[str],
    keys: Mapping[str, object],
    told: str,
) -> Rows:
    """Read the rows of a query and find the place of each.

    Args:
        connection: to the release.
        query: SQL with the axes' columns and the wanted ones.
        axes: of the array, outermost first.
        columns: wanted ones; none may hold NULL.
        keys: parameters of the query by name.
        told: what the rows are, for messages.

    Raises:
        PartError: if a row's value is on no axis, or a wanted one is NULL.
    """
    listed = {f"axis_{number}": axis for number, axis in enumerate(axes)}
    place = "0"
    for name, axis in listed.items():
        place = f"({place}) * {len(axis.values)} + {name}.place"
    values = [
        f"{name} as (select unnest(${name}) as v, generate_subscripts(${name}, 1) - 1 as place)"
        for name in listed
    ]
    joins = [f'left join {name} on {name}.v = t."{axis.column}"' for name, axis in listed.items()]
    found = read_columns(
        connection,
        f"with {', '.join(values)} "
        f"select coalesce({place}, {NOWHERE}) as place, {', '.join(columns)} "
        f"from ({query}) t {' '.join(joins)}",
        {**keys, **{name: list(axis.values) for name, axis in listed.items()}},
    )
    n_lost = np.count_nonzero(found["place"] == NOWHERE)
    if n_lost:
        raise PartError(
            f"{n_lost} rows of {told} name another "
            f"{', '.join(axis.column for axis in axes)} than the release lists; run "
            "`crime-platform run` again"
        )
    return Rows(
        told=told,
        shape=tuple(len(axis.values) for axis in axes),
        place=found["place"],
        columns={name: found[name] for name in columns},
    )
