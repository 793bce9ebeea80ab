"""SQL for numbers that publishers write as texts: other marks, and both coordinates in one text.

A text that is no number is null. A mark is never guessed: 1.234 is one number where the source
says that a full stop separates thousands, and another where it does not.
"""

from collections.abc import Collection

from crime_platform.study_area.source import LON_LAT, WKT, Source

# A hard and a narrow blank, and the typographic apostrophe, stand for their plain forms.
_MARK_PATTERNS = {".": "\\.", ",": ",", " ": "[ \u00a0\u202f]", "'": "['\u2019]"}
_DIGITS = {".": r"(?:\d+(?:\.\d*)?|\.\d+)", ",": r"(?:\d+(?:,\d*)?|,\d+)"}
# Written for both coordinates where a place is not known.
FILLERS = (0, -1, *(sign * (10**n - 1) for n in range(2, 7) for sign in (1, -1)))
_WKT_START = r"^\s*(?:SRID\s*=\s*\d+\s*;\s*)?POINT\s*(?:ZM|Z|M)?\s*\(\s*"


def number_of(key: str, source: Source, numeric: Collection[str] = ()) -> str:
    """SQL for the number in a text column; null where it is none.

    Args:
        key: the column's name.
        source: which marks it uses.
        numeric: columns that were numbers before they became texts.
    """
    if key in numeric or (source.decimal == "." and source.thousands is None):
        return f"try_cast({key} as double)"
    digits, plain = _DIGITS[source.decimal], key
    if source.thousands is not None:
        mark = _MARK_PATTERNS[source.thousands]
        point = _MARK_PATTERNS[source.decimal]
        digits = rf"(?:\d{{1,3}}(?:{mark}\d{{3}})+(?:{point}\d*)?|{digits})"
        plain = f"regexp_replace({key}, {_quoted(mark)}, '', 'g')"
    pattern = rf"[-+]?{digits}(?:[eE][-+]?\d+)?"
    if source.decimal != ".":
        plain = f"replace({plain}, '{source.decimal}', '.')"
    return (
        f"case when regexp_full_match({key}, {_quoted(pattern)}) then try_cast({plain} as double) "
        "end"
    )


def point_of(key: str, source: Source) -> tuple[str, str]:
    """SQL for the eastward and the northward coordinate in a column of points.

    A pair may stand in brackets behind other text, such as an address.
    """
    decimal = "." if source.point_format == WKT else source.decimal
    number = rf"([-+]?{_DIGITS[decimal]}(?:[eE][-+]?\d+)?)"
    if source.point_format == WKT:
        pattern, groups = rf"(?i){_WKT_START}{number}\s+{number}[^()]*\)\s*$", (1, 2)
    else:
        between = r"\s*(?:,\s*|;\s*|\s)" if decimal == "." else r"\s*(?:,\s+|;\s*|\s)"
        pattern = rf"(?:^|[(\[])\s*{number}{between}{number}\s*[)\]]?\s*$"
        groups = (1, 2) if source.point_format == LON_LAT else (2, 1)
    east, north = (
        f"try_cast(replace(regexp_extract({key}, {_quoted(pattern)}, {group}), '{decimal}', "
        "'.') as double)"
        for group in groups
    )
    return east, north


def is_point(east: str, north: str) -> str:
    """SQL for whether two numbers are a place.

    Nothing is none, and neither is a number that is written for both where a place is not known,
    as 0 0, -1 -1 and 999 999.
    """
    is_filler = f"{east} = {north} and {east} in {FILLERS}"
    return f"isfinite({east}) and isfinite({north}) and not ({is_filler})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
