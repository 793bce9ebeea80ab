"""A source: one publisher's files or service, and how its columns are read.

Immutable words that check themselves; nothing here opens a file. What is known of a publisher's
layout before any TOML says so stands in `source_formats`.
"""

import re
from dataclasses import dataclass

from crime_platform.study_area.parts import (
    StudyAreaError,
    require_one_of,
    require_slug,
)
from crime_platform.study_area.source_api import API_FORMATS, SourceApi, is_field
from crime_platform.vocabulary.incident import DROP_SAME_ID, DUPLICATE_RULES, KEEP
from crime_platform.vocabulary.projection import WGS84, known_crs
from crime_platform.vocabulary.timesteps import IncompleteDataError

TIMESTAMP_CLOCKS = ("local", "utc")
TABLE, POLICE_UK, NZ_POLICE = "table", "police_uk", "nz_police"
FORMATS = (TABLE, POLICE_UK, NZ_POLICE, *API_FORMATS)
MONTHLY_FORMATS = (POLICE_UK, NZ_POLICE)  # the day of an incident is not published

ADD = "add"  # every file brings incidents of its own
REPLACE_MONTHS = "replace_months"  # of a month that several files hold, the newest file counts
REVISION_RULES = (ADD, REPLACE_MONTHS)

HOUR, HHMM = "hour", "hhmm"
HOUR_FORMATS = (HOUR, HHMM)  # of an hour column without colons: 23, or 2305 for five past eleven

REFUSE, FIRST = "refuse", "first"
REPEATED_PLACES = (REFUSE, FIRST)  # what happens when a table of places names one twice

_NEVER_LOADED = re.compile(
    r"age|ages|race|races|racial\w*|sex|gender\w*|ethnic\w*|arrest\w*|susp|suspect\w*"
    r"|officer\w*|patrol\w*"
)
EPOCH, EPOCH_MS = "epoch", "epoch_ms"  # seconds and milliseconds since 1970 in UTC
EPOCH_WORDS = (EPOCH, EPOCH_MS)
ISO = "iso"  # ISO 8601, where other formats stand beside it
DATE_WORDS = (ISO, *EPOCH_WORDS)  # that may stand for the codes of a datetime_format

WKT, LAT_LON, LON_LAT = "wkt", "lat_lon", "lon_lat"
POINT_FORMATS = (WKT, LAT_LON, LON_LAT)  # POINT (lon lat), (lat, lon), (lon, lat)

DECIMAL_MARKS = (".", ",")
THOUSANDS_MARKS = (".", ",", " ", "'")  # the blank is also a hard or a narrow one

# What DuckDB's strptime knows; anything else behind a percent sign ends it with an error.
_CODE = re.compile(r"%(?:-?[A-Za-z%]|$|.)", re.DOTALL)
_KNOWN_CODE = re.compile(r"%(?:-?[dmyjHIMS]|[abcfghnpuwxzABGTUVWXYZ%])")
_DAY_CODE = re.compile(r"%-?[djcxDF]")
# 13:44:00+01:00, 13:44:00Z and 13:44:00 GMT say an instant, whatever the clock on the wall.
_OFFSET_CODE = re.compile(r"%z|Z$|\b(?:UTC|GMT)\b", re.IGNORECASE)
_BRACED = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """Names of the publisher's columns. No other column is ever read.

    The place is `lon` and `lat`, or `x` and `y` when the source states another CRS, or `point`,
    one column with both, or `place` and `district`: codes that `[source.places]` knows the points
    of. A place or a date that is spread over several columns is a template with each of them in
    braces: `{BlockNumber} {StreetName}`, `{YEAR}-{MONTH}-{DAY}`.
    """

    occurred_at: str
    offence: str | None = None  # left out where every row is one offence
    lon: str | None = None
    lat: str | None = None
    x: str | None = None
    y: str | None = None
    point: str | None = None  # both coordinates in one text
    place: str | None = None  # code of a small area, such as a meshblock
    district: str | None = None  # code of a larger one, where the small one is not known
    id: str | None = None
    hour: str | None = None
    premises: str | None = None  # kind of place: house, street, shop
    count: str | None = None  # incidents a row stands for
    part: str | None = None  # whose months are published anew by themselves, such as a force's

    def __post_init__(self) -> None:
        pairs = [pair for pair in ((self.lon, self.lat), (self.x, self.y)) if pair != (None, None)]
        n_others = (self.point is not None) + (self.place is not None)
        if any(None in pair for pair in pairs) or len(pairs) + n_others != 1:
            raise StudyAreaError(
                "lon: name lon and lat, or x and y, or point, or place, and only one of the four"
            )
        _require_whole_template("place", self.place or "")
        _require_whole_template("occurred_at", self.occurred_at)
        if self.district is not None and self.place is None:
            raise StudyAreaError("district: it stands in where place is not known; name place too")
        for key, column in self.mapped().items():
            if is_never_loaded(column):
                raise StudyAreaError(
                    f"{key}: column {column!r} describes a person, an arrest or a patrol, and such "
                    "columns are never loaded; map another column or leave the key out"
                )

    def mapped(self) -> dict[str, str]:
        """The keys that name a column, with the column; `place_1`, `place_2` for a template's."""
        named = {key: getattr(self, key) for key in self.__slots__}
        for key in ("occurred_at", "place"):
            parts = template_columns(named[key] or "")
            if parts:
                named[key] = None
                named |= {f"{key}_{at}": column for at, column in enumerate(parts, start=1)}
        return {key: column for key, column in named.items() if column is not None}

    @property
    def coordinates(self) -> tuple[str, str]:
        """Columns of the eastward and the northward coordinate; blank where codes say the place."""
        return (self.lon or self.x or self.point or "", self.lat or self.y or self.point or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceTable:
    """Where coded places are: a table with one row per place and the point that stands for it."""

    file: str  # any table, absolute or below the home folder
    vintage: str  # which edition of the places it is, e.g. "meshblocks 2013"
    code: str  # column with the codes that the source writes
    x: str
    y: str
    crs: str
    district: str | None = None  # column with the codes of the larger areas
    min_match_share: float = 0.95  # of incidents whose place the publisher knows
    unknown: tuple[str, ...] = ()  # codes that say "not known"
    repeated: str = REFUSE  # or FIRST: of several rows with one code, the first is the place

    def __post_init__(self) -> None:
        require_one_of("repeated", self.repeated, REPEATED_PLACES)
        if not 0 < self.min_match_share <= 1:
            raise StudyAreaError(
                f"min_match_share: expected a share above 0 and up to 1, found "
                f"{self.min_match_share:g}; write 95% as 0.95"
            )
        if known_crs(self.crs) is None:
            raise StudyAreaError(_unknown_crs("crs of [source.places]", self.crs))


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFilter:
    """Rows of a wider area's file that belong here; the others are counted and left alone."""

    column: str
    values: tuple[str, ...]  # compared without capitals, outer blanks and a closing full stop

    def __post_init__(self) -> None:
        if not self.values:
            raise StudyAreaError("values: expected at least one, found none; name whose rows stay")
        if is_never_loaded(self.column):
            raise StudyAreaError(
                f"column: {self.column!r} describes a person, an arrest or a patrol, and such "
                "columns are never loaded"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One publisher's files and how their columns are read."""

    name: str
    paths: tuple[str, ...]  # files, folders or globs, absolute or below the home folder
    columns: ColumnMapping
    format: str = TABLE
    publisher: str = ""
    licence: str = ""
    url: str = ""
    duplicates: str = KEEP
    revisions: str = ADD  # what happens when several files hold the same month
    # Strptime codes or DATE_WORDS, tried in turn; ISO 8601 when there is none.
    datetime_formats: tuple[str, ...] = ()
    timestamps_are: str = "local"
    hour_format: str = HOUR  # how the hour column is written; 23:05 is understood in both
    crs: str = WGS84  # of the two coordinate columns
    point_format: str = WKT  # how columns.point is written
    decimal: str = "."  # in the columns of coordinates and counts
    thousands: str | None = None  # between groups of three digits there
    offence_label: str | None = None  # of every row, where no column says it
    exclude: tuple[str, ...] = ()  # globs of paths left out, or of names alone
    sheet: str | None = None  # of a workbook with several
    layer: str | None = None  # of a file with several
    encoding: str | None = None  # UTF-8 or what the byte order mark says, when absent
    optional: tuple[str, ...] = ()  # keys of columns that some files leave out
    published_on: str | None = None  # strptime of a file's whole name, where it tells the day
    members: str | None = None  # glob of the names, in folders and archives, that hold incidents
    places: PlaceTable | None = None
    only: RowFilter | None = None
    api: SourceApi | None = None  # where the files are fetched from

    def __post_init__(self) -> None:
        require_slug("name", self.name)
        require_one_of("format", self.format, FORMATS)
        require_one_of("duplicates", self.duplicates, DUPLICATE_RULES)
        require_one_of("revisions", self.revisions, REVISION_RULES)
        require_one_of("timestamps_are", self.timestamps_are, TIMESTAMP_CLOCKS)
        require_one_of("hour_format", self.hour_format, HOUR_FORMATS)
        require_one_of("point_format", self.point_format, POINT_FORMATS)
        if not self.paths:
            raise StudyAreaError("paths: expected at least one file or glob, found none")
        self._require_offence()
        self._require_marks()
        self._require_date_formats()
        self._require_place()
        self._require_api()
        if self.duplicates == DROP_SAME_ID and self.columns.id is None:
            raise StudyAreaError(
                f"duplicates: {DROP_SAME_ID!r} needs the id column; map id in [source.columns]"
            )

    @property
    def coordinates(self) -> tuple[str, str]:
        """Columns of the eastward and the northward coordinate, here or in the table of places."""
        return self.columns.coordinates if self.places is None else (self.places.x, self.places.y)

    @property
    def point_crs(self) -> str:
        """CRS of those two columns."""
        return self.crs if self.places is None else self.places.crs

    def _require_offence(self) -> None:
        if (self.columns.offence is None) == (self.offence_label is None):
            raise StudyAreaError(
                "offence: say what happened in one way: map the column as offence in "
                '[source.columns], or, where every row is one offence, offence_label = "LABEL"'
            )

    def _require_marks(self) -> None:
        require_one_of("decimal", self.decimal, DECIMAL_MARKS)
        if self.thousands is None:
            return
        require_one_of("thousands", self.thousands, THOUSANDS_MARKS)
        if self.thousands == self.decimal:
            raise StudyAreaError(
                f"thousands: {self.thousands!r} is the decimal mark too, so 1{self.thousands}234 "
                'has two meanings; write e.g. decimal = "," and thousands = "."'
            )

    def _require_date_formats(self) -> None:
        for form in self.datetime_formats:
            if "%" not in form and form not in DATE_WORDS:
                raise StudyAreaError(
                    f"datetime_format: {form!r} holds no strptime code; write e.g. "
                    f'"%d/%m/%Y %H:%M", or "{EPOCH}" or "{EPOCH_MS}" for seconds or milliseconds '
                    "since 1970"
                )
            wrong = next((code for code in _CODE.findall(form) if not _is_known(code)), None)
            if wrong is not None:
                raise StudyAreaError(
                    f"datetime_format: {form!r} holds {wrong!r}, which is no strptime code; write "
                    'e.g. "%d/%m/%Y %H:%M"'
                )
        zoned = next(filter(has_offset, self.datetime_formats), None)
        if zoned is not None and self.timestamps_are == "local":
            raise StudyAreaError(
                f"timestamps_are: the datetime_format {zoned!r} reads instants; write "
                'timestamps_are = "utc", and the local day follows from the time zone'
            )

    def _require_place(self) -> None:
        if self.columns.x is not None and self.crs == WGS84:
            raise StudyAreaError(
                'crs: x and y need the CRS they are written in; add e.g. crs = "EPSG:26917", '
                "or map lon and lat"
            )
        if self.columns.x is not None and known_crs(self.crs) is None:
            raise StudyAreaError(_unknown_crs("crs", self.crs))
        if (self.columns.place is not None) != (self.places is not None):
            raise StudyAreaError(
                "places: a place column and the table of its points belong together; add "
                "[source.places] and place in [source.columns], or leave both out"
            )
        if self.columns.district and self.places and not self.places.district:
            raise StudyAreaError(
                "district: [source.places] does not say which of its columns holds the district; "
                "add district there, or leave it out of [source.columns]"
            )

    def _require_api(self) -> None:
        if (self.api is not None) != (self.format in API_FORMATS):
            raise StudyAreaError(
                f"api: [source.api] belongs to the formats {', '.join(API_FORMATS)}, and they to "
                f"it; found format {self.format!r}"
            )
        if self.api is None:
            return
        self.api.require_layout(self.format)
        if template_columns(self.columns.occurred_at):
            raise StudyAreaError(
                f"occurred_at: {self.columns.occurred_at!r} puts a date together, and rows of an "
                "API are asked for by one; name the field that holds the whole date"
            )
        for column in self.columns.mapped().values():
            if not is_field(column):
                raise StudyAreaError(
                    f"columns: {column!r} is no field of an API; write the field's name as the "
                    "API documentation gives it, e.g. primary_type for Primary Type"
                )
        for field in self.api.fields():
            if is_never_loaded(field):
                raise StudyAreaError(
                    f"api: field {field!r} describes a person, an arrest or a patrol, and such "
                    "columns are neither loaded nor asked about"
                )
        if self.api.updated_at is not None and self.duplicates != DROP_SAME_ID:
            raise StudyAreaError(
                "updated_at: a row that changed replaces the earlier one by its identifier; write "
                f'duplicates = "{DROP_SAME_ID}" and map id in [source.columns], or leave '
                "updated_at out and everything is fetched each time"
            )


def require_days(source: Source) -> None:
    """Refuse a source that does not tell the day of an incident, before anything daily is made.

    Raises:
        IncompleteDataError: if its format gives months only, or one of its date formats does.
    """
    monthly = [
        form
        for form in source.datetime_formats
        if form not in DATE_WORDS and not _DAY_CODE.search(form)
    ]
    if source.format in MONTHLY_FORMATS or monthly:
        raise IncompleteDataError(
            f"source {source.name!r} (format {source.format}, dates written "
            f"{' or '.join(source.datetime_formats)}): the publisher gives months only, so nothing "
            "can be counted or forecast by day; use monthly steps, or a source with days"
        )


def has_offset(form: str) -> bool:
    """Whether a date format reads instants: an offset from UTC stands in it, or UTC itself."""
    return _OFFSET_CODE.search(form) is not None


def _is_known(code: str) -> bool:
    return _KNOWN_CODE.fullmatch(code) is not None


def template_columns(written: str) -> tuple[str, ...]:
    """Columns that a template such as `{BlockNumber} {StreetName}` names; none of a plain name."""
    return tuple(column.strip() for column in _BRACED.split(written)[1::2])


def template_literals(written: str) -> tuple[str, ...]:
    """The texts before, between and behind the columns of a template: one more than columns."""
    return tuple(_BRACED.split(written)[::2])


def _require_whole_template(key: str, written: str) -> None:
    left_over = "".join(template_literals(written))
    if "{" in left_over or "}" in left_over or "" in template_columns(written):
        example = "{BlockNumber} {StreetName}" if key == "place" else "{YEAR}-{MONTH}-{DAY}"
        raise StudyAreaError(
            f"{key}: {written!r} is no whole template; write each column in braces of its own, "
            f'e.g. "{example}"'
        )


def is_never_loaded(column: str) -> bool:
    """Whether a column's name speaks of demography, arrests or patrols."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column)
    return any(_NEVER_LOADED.fullmatch(w) for w in re.split(r"[^a-z]+", words.lower()))


def _unknown_crs(key: str, code: str) -> str:
    return (
        f"{key}: {code!r} is no CRS that the registries of EPSG and ESRI know; the publisher's "
        "metadata or a .prj file beside the data names it, and epsg.io finds the code of a name"
    )
