"""Where a publisher's API is, and how politely and how often it is asked.

Nothing here opens a connection.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from crime_platform.study_area.parts import StudyAreaError

SOCRATA, ARCGIS = "socrata", "arcgis"
API_FORMATS = (SOCRATA, ARCGIS)

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PATHS = {
    SOCRATA: (r"/resource/[a-z0-9]{4}-[a-z0-9]{4}(\.json)?", "/resource/abcd-1234"),
    ARCGIS: (r"/(Feature|Map)Server/\d+", "/FeatureServer/0"),
}
_ROW_IDS = {SOCRATA: ":id", ARCGIS: "OBJECTID"}
# Socrata's older endpoints give at most 50,000 rows; ArcGIS layers mostly 1,000 or 2,000, and a
# layer that gives fewer than asked for is paged all the same.
_PAGE_ROWS = {SOCRATA: 20_000, ARCGIS: 2_000}
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_QUOTED = re.compile(r"'(?:[^']|'')*'")
_FIELD = re.compile(r":?[A-Za-z_][A-Za-z0-9_.]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceApi:
    """One dataset, or several of the same layout, and the part of it that is wanted."""

    urls: tuple[str, ...]  # where two hold the same identifier, the newer row counts
    where: str | None = None  # filter in the server's own language
    updated_at: str | None = None  # field with the time of the last change; else all is fetched
    row_id: str | None = None  # field that orders the rows; what the format is known for if absent
    token_variable: str | None = None  # environment variable that may hold an app token
    page_rows: int | None = None  # asked for at once; what the format is known for if absent
    requests_per_second: float = 1.0
    fresh_hours: float = 6.0  # a fetch younger than this is not repeated by a run
    full_every_days: int | None = None  # when all is fetched again, for rows that were taken back

    def __post_init__(self) -> None:
        if not self.urls:
            raise StudyAreaError("url: expected the address of a dataset, found none")
        for url in self.urls:
            _require_safe(url)
        if self.token_variable is not None and not _VARIABLE.fullmatch(self.token_variable):
            # What stands here may be the token itself, so it is not shown.
            raise StudyAreaError(
                "token_variable: expected the name of an environment variable in capitals, e.g. "
                "SOCRATA_APP_TOKEN; the token itself never stands in a TOML"
            )
        if self.page_rows is not None and self.page_rows < 1:
            raise StudyAreaError(f"page_rows: expected 1 or more, found {self.page_rows}")
        if not self.requests_per_second > 0:
            raise StudyAreaError(
                f"requests_per_second: expected more than 0, found {self.requests_per_second:g}; "
                "write 0.5 for one request every two seconds"
            )
        if self.fresh_hours < 0:
            raise StudyAreaError(f"fresh_hours: expected 0 or more, found {self.fresh_hours:g}")
        if self.full_every_days is not None and self.full_every_days < 1:
            raise StudyAreaError(
                f"full_every_days: expected 1 or more, found {self.full_every_days}"
            )

    def require_layout(self, form: str) -> None:
        """Refuse addresses that are not a dataset of this format.

        Raises:
            StudyAreaError: if one is not.
        """
        pattern, example = _PATHS[form]
        for url in self.urls:
            if not re.search(pattern + "$", urlsplit(url).path):
                raise StudyAreaError(
                    f"url: {url!r} is no dataset of format {form!r}; its address ends like "
                    f"{example}"
                )

    def row_id_of(self, form: str) -> str:
        """Field that orders the rows and tells them apart within one fetch."""
        return self.row_id or _ROW_IDS[form]

    def page_rows_of(self, form: str) -> int:
        """Rows to ask for at once."""
        return self.page_rows or _PAGE_ROWS[form]

    def fields(self) -> list[str]:
        """Every field that a query names besides the mapped columns: texts in quotes are none."""
        named = [self.updated_at or "", self.row_id or ""]
        return [each for each in named if each] + _FIELD.findall(
            _QUOTED.sub("''", self.where or "")
        )


def is_field(column: str) -> bool:
    """Whether a name can stand in a query as it is."""
    return bool(_FIELD.fullmatch(column))


def _require_safe(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        raise StudyAreaError(f"url: {url!r} is no web address ({error})") from error
    if parts.username or parts.password or parts.query or parts.fragment:
        # A token in an address would end up in messages and logs, so it is not shown here either.
        raise StudyAreaError(
            f"url: expected the bare address of a dataset, found more on {host}; take out what "
            "follows ? or # or stands before @, and name the token's variable in token_variable"
        )
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)):
        raise StudyAreaError(f"url: expected an address that starts with https://, found {url!r}")
