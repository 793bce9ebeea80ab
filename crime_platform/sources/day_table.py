"""A user's table of days and one number each, such as temperatures, read from CSV."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from crime_platform.vocabulary.incident import SourceFormatError

if TYPE_CHECKING:
    import pandas as pd


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

    table = _read_csv(path)
    missing = [name for name in ("day", value) if name not in table.columns]
    if missing:
        raise SourceFormatError(
            f"{path}: expected columns day and {value}, found {list(table.columns)}"
        )
    moments = pd.to_datetime(table["day"], format="%Y-%m-%d", errors="coerce")
    _require_all_read(table["day"], moments, path, "a day written YYYY-MM-DD, such as 2021-09-30")
    read = pd.to_numeric(table[value], errors="coerce")
    _require_all_read(table[value], read, path, "a number such as 3.5")
    days, numbers = moments.to_numpy().astype("datetime64[D]"), read.to_numpy().astype(np.float64)
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


def _read_csv(path: Path) -> "pd.DataFrame":
    import pandas as pd

    try:
        return pd.read_csv(path, dtype={"day": str})
    except FileNotFoundError as error:
        raise SourceFormatError(
            f"{path.absolute()}: no such file; put it there or correct the path"
        ) from error
    except UnicodeDecodeError as error:
        raise SourceFormatError(f"{path}: is not written in UTF-8; save it as CSV UTF-8") from error
    except pd.errors.EmptyDataError as error:
        raise SourceFormatError(
            f"{path}: is empty; expected a header and one row for each day"
        ) from error
    except ValueError as error:  # pandas' own errors are ValueErrors
        raise SourceFormatError(f"{path}: cannot be read as CSV ({error})") from error


def _require_all_read(written: "pd.Series", read: "pd.Series", path: Path, expected: str) -> None:
    """Refuse values that are there and could not be read, by the first of them."""
    unread = np.flatnonzero(written.notna() & read.isna())
    if len(unread):
        row = int(unread[0])
        raise SourceFormatError(
            f"{path}: row {row + 1} below the header holds {str(written.iloc[row])!r} in "
            f"{written.name}; expected {expected}"
        )
