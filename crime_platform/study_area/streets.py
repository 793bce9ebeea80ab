"""The street branch of a study area: its graph, what is counted on it, and how far ahead.

Immutable words that check themselves. `streets_table` reads them from TOML; nothing here opens a
file.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from crime_platform.study_area.parts import (
    StudyAreaError,
    require_one_of,
    require_slug,
)
from crime_platform.study_area.source import Source, require_days
from crime_platform.vocabulary.timesteps import (
    QUIET_DAYS_AT_MONTH_END,
    Day,
    IncompleteDataError,
    Month,
    last_day_of,
)

DISTANCE, DENSITY, TOTAL = "distance", "density", "total"
POINT_KINDS = (DISTANCE, DENSITY, TOTAL)
REPORTING_LAG_DAYS = 3
_SIZE_OF = {DENSITY: "bandwidth_m", TOTAL: "radius_m"}  # what a kind cannot do without
_UNIT_OF = {DISTANCE: "distance_m", DENSITY: "per_km2", TOTAL: "total"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OffenceGroup:
    """Offence types that are counted together on streets: one place on the `type` axis."""

    name: str
    title: str
    offence_types: tuple[str, ...]

    def __post_init__(self) -> None:
        require_slug("name", self.name)
        if not self.offence_types:
            raise StudyAreaError(
                f"offence_types: group {self.name!r} has none; list the offence types it counts"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetPoints:
    """A user's points, such as police stations, and what a street knows of them.

    `distance` is metres to the nearest point, `density` points per km2 round the street (a Gaussian
    kernel, weighted by the value), `total` the sum of the values within a radius.
    """

    name: str
    file: str  # vector file or CSV with lon and lat, absolute or below the home folder
    kind: str = DISTANCE
    value_column: str | None = None  # such as a population; without it every point counts 1
    bandwidth_m: float | None = None  # of the kernel of a density
    radius_m: float | None = None  # within which a total is taken

    def __post_init__(self) -> None:
        require_slug("name", self.name)
        require_one_of("kind", self.kind, POINT_KINDS)
        for kind, key in _SIZE_OF.items():
            size = getattr(self, key)
            if (size is not None) != (kind == self.kind):
                raise StudyAreaError(
                    f"{key}: goes with kind {kind!r} and with no other; points {self.name!r} are "
                    f"of kind {self.kind!r}, and it is {'missing' if size is None else 'given'}"
                )
            if size is not None:
                _require_above_zero(key, size)
        if self.kind == DISTANCE and self.value_column is not None:
            raise StudyAreaError(
                f"value_column: a distance weighs nothing; leave it out of points {self.name!r}, "
                f"or take kind {DENSITY!r} or {TOTAL!r}"
            )

    @property
    def feature(self) -> str:
        """Name of the node feature, with its unit."""
        return f"{self.name}_{_UNIT_OF[self.kind]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetSpec:
    """What the street branch of an area counts and forecasts, and on which graph.

    With a `file` of road centre lines a node is a street between two junctions, without one a
    place: a distinct incident point of the groups. The area is that of the whole graph unless
    `extent_m`, `boundary_file` or `n_communities` (those with the most incidents) choose a part.
    """

    offence_groups: tuple[OffenceGroup, ...]
    file: str | None = None  # any vector file of lines, absolute or below the home folder
    layer: str | None = None  # of the file; the first one with lines if not given
    max_snap_m: float = 100.0  # from a street; from a place, for incidents at no known place
    min_segment_m: float = 5.0  # shorter segments are slivers
    max_link_m: float = 500.0  # between two places
    kernel_m: float = 150.0  # alpha of the Gaussian weights of the links
    extent_m: tuple[float, float, float, float] | None = None  # west, south, east, north
    boundary_file: str | None = None  # any vector file of polygons
    n_communities: int | None = None
    reporting_lag_days: int = REPORTING_LAG_DAYS  # newest days left out: reports are still missing
    horizon: int = 7  # days ahead
    nearby_types: tuple[str, ...] = ()  # shown to models without being forecast
    max_beyond_share: float = 0.05  # of the groups' incidents in the area, beyond every street
    temperature_file: str | None = None  # CSV with columns day and temperature_c
    points: tuple[StreetPoints, ...] = ()

    def __post_init__(self) -> None:
        for key in ("max_snap_m", "max_link_m", "kernel_m"):
            _require_above_zero(key, getattr(self, key))
        for key, least in (("min_segment_m", 0), ("reporting_lag_days", 0), ("horizon", 1)):
            if getattr(self, key) < least:
                raise StudyAreaError(
                    f"{key}: expected {least} or more, found {getattr(self, key):g}"
                )
        if self.n_communities is not None and self.n_communities < 1:
            raise StudyAreaError(f"n_communities: expected 1 or more, found {self.n_communities}")
        if not 0 <= self.max_beyond_share <= 1:
            raise StudyAreaError(
                f"max_beyond_share: expected a share from 0 to 1, found {self.max_beyond_share:g}; "
                "write 5% as 0.05"
            )
        self._require_one_area()
        _require_once("offence_group", "name", (group.name for group in self.offence_groups))
        _require_once("points", "name", (points.feature for points in self.points))
        _require_once("offence_group, nearby_types", "offence type", self._types())

    @property
    def group_names(self) -> tuple[str, ...]:
        """Names of the groups, in the order of the file: the `type` axis on streets."""
        return tuple(group.name for group in self.offence_groups)

    @property
    def group_of_type(self) -> dict[str, str]:
        """Group of each offence type that is forecast."""
        groups = self.offence_groups
        return {kind: group.name for group in groups for kind in group.offence_types}

    def _types(self) -> list[str]:
        grouped = [kind for group in self.offence_groups for kind in group.offence_types]
        return [*grouped, *self.nearby_types]

    def require_known(self, offence_types: Iterable[str], sources: Iterable[Source]) -> None:
        """Refuse groups of offence types the area does not have, and publishers of months only.

        Raises:
            StudyAreaError: if one is.
        """
        known = tuple(offence_types)
        for kind in self._types():
            if kind not in known:
                raise StudyAreaError(
                    f"[streets] offence_group, nearby_types: {kind!r} is no offence type of the "
                    f"area; it has {', '.join(known)}"
                )
        for source in sources:
            try:
                require_days(source)
            except IncompleteDataError as error:
                raise StudyAreaError(f"[streets] {error}; or leave [streets] out") from error

    def _require_one_area(self) -> None:
        keys = ("extent_m", "boundary_file", "n_communities")
        given = [key for key in keys if getattr(self, key) is not None]
        if len(given) > 1:
            raise StudyAreaError(f"{given[0]}: {given[1]} is given too; keep one of the two")
        if self.extent_m is None:
            return
        west, south, east, north = self.extent_m
        if not (west < east and south < north):
            raise StudyAreaError(
                f"extent_m: expected [xmin, ymin, xmax, ymax] with xmin < xmax and ymin < ymax, "
                f"found {list(self.extent_m)}; all four are metres in the area's CRS"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRecord:
    """How far the days on record reach, in the whole area and whatever the offence."""

    newest: Day  # with an incident
    last_ended: Day  # that had ended when the files that hold it were known
    quiet_days: int = QUIET_DAYS_AT_MONTH_END  # see `quiet_days_allowed`


def last_complete_day(record: DayRecord, spec: StreetSpec, last_month: Month | None) -> Day:
    """Newest day whose incidents are all on record.

    That is the last day of a closed data set, once the record reaches it (a few quiet days
    allowed), and else the newest day on record less the days on which reports are still missing. A
    day that was still running when its file was written is never complete.

    Args:
        record: how far the area's files reach.
        spec: says how many days are left out.
        last_month: of a closed data set.
    """
    young = min(record.newest - spec.reporting_lag_days, record.last_ended)
    if last_month is None:
        return young
    end = last_day_of(last_month)
    is_reached = record.newest >= end - record.quiet_days and record.last_ended >= end
    return end if is_reached else young


def _require_above_zero(key: str, metres: float) -> None:
    if not metres > 0:
        raise StudyAreaError(f"{key}: expected metres above 0, found {metres:g}")


def _require_once(key: str, what: str, names: Iterable[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise StudyAreaError(f"{key}: {what} {twice[0]!r} stands there twice; keep it once")
