"""The publisher's header matched with the columns that a study area maps."""

import difflib
from collections.abc import Collection, Sequence

from crime_platform.vocabulary.incident import SourceFormatError

MAX_COLUMNS_SHOWN = 40
MAX_NAME_SHOWN = 80  # characters; an open quote makes a column's name of half the file


def column_key(name: str) -> str:
    """Form in which column names are compared: capitals, outer blanks and a BOM do not count."""
    return name.strip("\ufeff \t\r\n\u00a0").lower()


def match_columns(
    label: str, found: Sequence[str], mapped: dict[str, str], optional: Collection[str] = ()
) -> dict[str, int]:
    """Position in `found` of the column behind each key of the mapping.

    A missing column leaves its key out if the key is one of `optional`.

    Raises:
        SourceFormatError: if a mapped column is missing, or two columns match its name.
    """
    keys = [column_key(name) for name in found]
    missing: dict[str, str] = {}
    positions: dict[str, int] = {}
    for key, column in mapped.items():
        matches = [place for place, name in enumerate(keys) if name == column_key(column)]
        exact = [place for place in matches if found[place] == column]
        if not matches:
            if key not in optional:
                missing[key] = column
        elif len(matches) > 1 and len(exact) != 1:
            raise SourceFormatError(
                f"{label}: {len(matches)} columns are called {column!r}, so it is not known which "
                f"holds {key}; rename one of them in the file"
            )
        else:
            positions[key] = (exact or matches)[0]
    if missing:
        raise SourceFormatError(_missing_message(label, found, missing))
    return positions


def _missing_message(label: str, found: Sequence[str], missing: dict[str, str]) -> str:
    lines = []
    for key, column in missing.items():
        close = difflib.get_close_matches(column.lower(), [name.lower() for name in found], n=1)
        near = [name for name in found if close and name.lower() == close[0]]
        lines.append(f"  {key} = {column!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    shown = ", ".join(repr(name[:MAX_NAME_SHOWN]) for name in found[:MAX_COLUMNS_SHOWN])
    more = f" and {len(found) - MAX_COLUMNS_SHOWN} more" if len(found) > MAX_COLUMNS_SHOWN else ""
    return (
        f"{label}: {len(missing)} mapped columns are missing:\n"
        + "\n".join(lines)
        + f"\nColumns found: {shown}{more}\n"
        "The publisher may have renamed them: correct the names under [source.columns]."
    )
