"""A user's table of days and one number each, such as temperatures, read from CSV."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from crime_platform.vocabulary.incident import SourceFormatError


def read_day_table(path: Path, *, value: str) -> tuple[np.ndarray, Float[np.ndarray, " day"]]:
    """Days, rising, and the number of each; rows without a number are left out.

    Days may be missing, and what is to become of them is the caller's to say.

    Args:
        path: CSV in UTF-8 with a column `day`, written YYYY-MM-DD, and the column of numbers.
        value: name of that column.

    Raises:
        SourceFormatError: if the file is missing or cannot be read, lacks a column, or holds a day
            twice, a day that is none, text for a number, or no row.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path)
    except FileNotFoundError as error:
        raise SourceFormatError(
            f"{path.absolute()}: no such file; put it there or correct the path"
        ) from error
    except ValueError as error:  # pandas' own errors are ValueErrors
        raise SourceFormatError(f"{path}: cannot be read as CSV ({error})") from error
    missing = [name for name in ("day", value) if name not in table.columns]
    if missing:
        raise SourceFormatError(
            f"{path}: expected columns day and {value}, found {list(table.columns)}"
        )
    try:
        days = pd.to_datetime(table["day"], format="%Y-%m-%d").to_numpy().astype("datetime64[D]")
        numbers = table[value].to_numpy().astype(np.float64)
    except (TypeError, ValueError) as error:
        raise SourceFormatError(
            f"{path}: expected days written YYYY-MM-DD and numbers in {value}; {error}"
        ) from error
    known = np.isfinite(numbers) & ~np.isnat(days)
    days, numbers = days[known], numbers[known]
    order = np.argsort(days)
    days, numbers = days[order], numbers[order]
    if not len(days):
        raise SourceFormatError(f"{path}: holds no day with a number in {value}")
    twice = days[1:][days[1:] == days[:-1]]
    if len(twice):
        raise SourceFormatError(f"{path}: {twice[0]} stands there twice; keep one row a day")
    return days, numbers
