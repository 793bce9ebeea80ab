"""Names of what is written in a column that nobody can read, each with its cure."""

import re
from collections.abc import Iterable

DATE_KINDS = (
    (
        re.compile(r"(\w+,? )?\d{1,2}\W{0,2}( ?de )? ?[^\W\d]{3,12}\.?( ?de )?\W{0,2}\d{2,4}.*"),
        "months by a name that is not English: write them as numbers",
    ),
    (
        re.compile(r"\d(\.\d+)?[eE]\+?\d\d"),
        "numbers that a spreadsheet has rounded: write them out in full, from the publisher's own "
        "file",
    ),
    (
        re.compile(r"[2-7]\d{4}(\.\d+)?"),
        "days since 1900, as a spreadsheet counts them: give the workbook itself, or format the "
        "column as a date before it is saved as CSV",
    ),
)
# Whatever their column is called.
PERIOD_KINDS = (
    (
        re.compile(
            r"\d{4}[-\s]?W(k|eek)?\s?\d{1,2}|W(k|eek)?\s?\d{1,2}[-/\s]+\d{4}", re.IGNORECASE
        ),
        "weeks, of which no month can be counted: ask the publisher for days",
    ),
    (
        re.compile(r"\d{4}[-/\s]?Q[1-4]|Q[1-4][-/\s]?\d{4}", re.IGNORECASE),
        "quarters, of which no month can be counted: ask the publisher for days or months",
    ),
)
POINT_KINDS = (
    (
        re.compile(r'\{.*"coordinates".*\}', re.DOTALL),
        "GeoJSON: write longitude and latitude in columns of their own, or export the layer as "
        "GeoJSON",
    ),
    (
        re.compile(r"\{.*lat.*\}", re.DOTALL | re.IGNORECASE),
        "an object with its parts: write longitude and latitude in columns of their own",
    ),
    (
        re.compile(r"0[01][0-9A-Fa-f]{40,}"),
        "WKB, a point in hexadecimal: export it as text, POINT (lon lat), or in two columns",
    ),
    (
        re.compile(r"[-+]?\d{1,3}\.\d+\s*[NSEWO]|[NSEWO]\s*\d{1,3}\.\d+"),
        "degrees with a letter for their side: write a sign instead, such as -79.3832",
    ),
    (
        re.compile(r"[^°º]*\d\s*[°º].*"),
        "degrees, minutes and seconds: write decimal degrees, such as -79.3832",
    ),
    (
        re.compile(r"\d{1,2}[C-HJ-NP-X][A-HJ-NP-Z]{2}(\d\d){2,5}"),
        "MGRS grid references: write longitude and latitude",
    ),
    (
        re.compile(r"[HNOST][A-Z]( \d{3,5} \d{3,5}|\d{10})"),
        "references of a national grid: write easting and northing",
    ),
    (
        re.compile(r"[23456789CFGHJMPQRVWX]{6,8}\+[23456789CFGHJMPQRVWX]{2,3}"),
        "plus codes: write longitude and latitude",
    ),
)


def unread_kind(
    values: Iterable[str], kinds: Iterable[tuple[re.Pattern[str], str]]
) -> tuple[str, str] | None:
    """What all of the values are, with the cure, and the first of them; None if nothing known.

    Args:
        values: some of a column, as written.
        kinds: `DATE_KINDS` or `POINT_KINDS`.
    """
    written = [value.strip() for value in values]
    for pattern, what in kinds:
        if written and all(pattern.fullmatch(value) for value in written):
            return what, written[0]
    return None
