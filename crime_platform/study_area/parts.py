"""The parts of a study area: its grid, offence types, limits and back-test plan.

Immutable words that check themselves. `study_area` puts them together and reads them from TOML;
nothing here opens a file.
"""

import math
import re
from dataclasses import dataclass

MAX_BACKTEST_MONTHS = 1200  # a century
MONTHS_BEFORE_SCORES = 2  # of history that the reference forecast needs at its first scored origin
MAX_CELLS = 2**31 - 1
_SLUG = re.compile(r"[a-z][a-z0-9_]*")


class StudyAreaError(ValueError):
    """A study area is declared in a way that cannot work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffenceType:
    """Our category of offence and the publisher's labels that belong to it."""

    name: str
    title: str
    labels: tuple[str, ...] = ()
    label_patterns: tuple[str, ...] = ()  # globs; a label that stands in a list needs none
    police_discovered: bool = False  # recorded because police looked: drugs, public order

    def __post_init__(self) -> None:
        require_slug("name", self.name)
        if not self.labels and not self.label_patterns:
            raise StudyAreaError(
                f"labels: offence type {self.name!r} has none; list the publisher's words for it"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PremisesType:
    """A kind of place where incidents happen, and the publisher's labels that belong to it.

    It is never forecast by itself: models see of which kinds the incidents of a cell were.
    """

    name: str
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        require_slug("name", self.name)
        if not self.labels:
            raise StudyAreaError(
                f"labels: premises type {self.name!r} has none; list the publisher's words for it"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSpec:
    """Size of the cells and the extent they cover.

    With neither `extent_m` nor `boundary_file` the extent is the bounds of geocoded incidents.
    """

    cell_size_m: float
    extent_m: tuple[float, float, float, float] | None = None  # west, south, east, north
    boundary_file: str | None = None  # any vector file; its bounds are used
    trim_share: float = 0.001  # incidents left out on each of the four sides when bounds are used

    def __post_init__(self) -> None:
        if self.cell_size_m <= 0:
            raise StudyAreaError(
                f"cell_size_m: expected metres above 0, found {self.cell_size_m:g}; try 500"
            )
        if not 0 <= self.trim_share < 0.1:
            raise StudyAreaError(
                f"trim_share: expected a share from 0 up to 0.1, found {self.trim_share:g}"
            )
        if self.extent_m is not None and self.boundary_file is not None:
            raise StudyAreaError("extent_m: boundary_file is given too; keep one of the two")
        if self.extent_m is not None:
            _require_whole_cells(self.extent_m, self.cell_size_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityLimits:
    """Shares of a source's rows beyond which nothing of it is taken in; and how old data may be."""

    max_broken_row_share: float = 0.001
    max_missing_offence_share: float = 0.01
    max_unmapped_share: float = 0.0
    max_bad_date_share: float = 0.01  # unparseable or in the future
    max_bad_count_share: float = 0.0
    max_outside_share: float = 0.05  # of geocoded rows
    min_geocoded_share: float = 0.9
    max_age_days: int = 75  # of the newest incident before a warning: police publish late

    def __post_init__(self) -> None:
        if self.max_age_days < 1:
            raise StudyAreaError(
                f"max_age_days: expected 1 day or more, found {self.max_age_days}; a publisher "
                "who is two months late needs about 75"
            )
        for key in self.shares():
            share = getattr(self, key)
            if not 0 <= share <= 1:
                raise StudyAreaError(
                    f"{key}: expected a share from 0 to 1, found {share:g}; write 5% as 0.05"
                )

    @classmethod
    def shares(cls) -> tuple[str, ...]:
        """Names of the limits that are shares."""
        return tuple(key for key in cls.__slots__ if key.endswith("_share"))


LEAVE_OUT, SCALE, USE_AS_IT_IS = "leave_out", "scale", "keep"
IMMATURE_RULES = (LEAVE_OUT, SCALE, USE_AS_IT_IS)
AS_RECORDED, SCALED, LEFT_OUT = "as recorded", "scaled", "left out"  # what was done with a month
NOT_COMPLETE = "not complete"  # of a month that had not ended, or whose last days are missing


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRule:
    """What happens to a last month of which the publisher does not know every incident yet."""

    immature_month: str = LEAVE_OUT
    mature_share: float = 0.95  # of its final count, by the revision triangle

    def __post_init__(self) -> None:
        require_one_of("immature_month", self.immature_month, IMMATURE_RULES)
        if not 0 < self.mature_share <= 1:
            raise StudyAreaError(
                f"mature_share: expected a share above 0 and up to 1, found {self.mature_share:g}; "
                "write 95% as 0.95"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestSettings:
    """Rolling origins on which forecasters are compared."""

    n_origins: int = 12  # scored
    n_selection: int = 12  # origins before them, on which champion and ensemble are chosen
    refit_every: int = 6  # origins that share one fit
    horizon: int = 3  # largest lead

    def __post_init__(self) -> None:
        for key in self.__slots__:
            if getattr(self, key) < 1:
                raise StudyAreaError(f"{key}: expected 1 or more, found {getattr(self, key)}")
            if getattr(self, key) > MAX_BACKTEST_MONTHS:
                raise StudyAreaError(
                    f"{key}: expected months, at most {MAX_BACKTEST_MONTHS:,}, found "
                    f"{getattr(self, key):,}"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayCalendar:
    """Whose public holidays models may know ahead of time."""

    country: str  # ISO 3166-1 alpha-2
    subdivision: str | None = None  # ISO 3166-2, without the country

    def __post_init__(self) -> None:
        import holidays  # a tenth of a second that only areas with a calendar pay

        known = holidays.list_supported_countries(include_aliases=True)
        if self.country not in known:
            raise StudyAreaError(
                f"country: {self.country!r} has no holiday calendar; write the two letters of "
                "ISO 3166, e.g. CA"
            )
        parts = known[self.country]
        if self.subdivision is not None and self.subdivision not in parts:
            raise StudyAreaError(
                f"subdivision: {self.country} has no {self.subdivision!r}; it has "
                f"{', '.join(parts) or 'none'}"
            )


def require_slug(key: str, value: str) -> None:
    """Refuse a name that could not stand in a path, a table and a partition key alike.

    Raises:
        StudyAreaError: if it is not.
    """
    if not _SLUG.fullmatch(value):
        raise StudyAreaError(
            f"{key}: expected small letters, digits and underscores, found {value!r}"
        )


def require_one_of(key: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuse a word that is not on the list.

    Raises:
        StudyAreaError: if it is not.
    """
    if value not in allowed:
        raise StudyAreaError(f"{key}: expected one of {', '.join(allowed)}; found {value!r}")


def _require_whole_cells(extent: tuple[float, float, float, float], size: float) -> None:
    west, south, east, north = extent
    n_cols, n_rows = (east - west) / size, (north - south) / size
    if not n_cols * n_rows <= MAX_CELLS:
        raise StudyAreaError(
            f"extent_m: [xmin, ymin, xmax, ymax] = {_shown(extent)} holds {n_cols:.3g} x "
            f"{n_rows:.3g} cells of {size:g} m, more than the {MAX_CELLS:,} that a number can "
            "name; check cell_size_m and that all four are metres in the area's CRS"
        )
    if min(n_cols, n_rows) < 1:
        raise StudyAreaError(
            f"extent_m: [xmin, ymin, xmax, ymax] = {_shown(extent)} holds no cell of {size:g} m; "
            "check the order and that all four are metres in the area's CRS"
        )
    if round(n_cols) != n_cols or round(n_rows) != n_rows:
        whole = (west, south, west + math.ceil(n_cols) * size, south + math.ceil(n_rows) * size)
        raise StudyAreaError(
            f"extent_m: {_shown(extent)} is {n_cols:.6g} x {n_rows:.6g} cells of {size:g} m, "
            f"expected whole cells; try {_shown(whole)}"
        )


def _shown(numbers: tuple[float, ...]) -> str:
    return f"[{', '.join(f'{number:.10g}' for number in numbers)}]"
