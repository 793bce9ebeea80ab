"""The time zone and the country of a city, from boundaries of the zones that need no network."""

import importlib.resources
from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float

MAX_POINTS = 2_000  # looked up, evenly spread over the file
CERTAIN_SHARE = 0.95  # of the points; the others may be wrong geocodes
MIN_SHARE = 0.05  # of the points in a second zone, from which it is named


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFinding:
    """Where points lie, by the clock and by the country; doubts say why either may be wrong."""

    timezone: str  # IANA name
    country: str | None  # ISO 3166-1 alpha-2
    timezone_doubts: tuple[str, ...] = ()  # none where it is certain
    country_doubts: tuple[str, ...] = ()


_ANYWHERE = (-180.0, -90.0, 180.0, 90.0)
CONTESTED = (
    # zone, then degrees west, south, east, north, and what lies there
    ("Africa/El_Aaiun", _ANYWHERE, "Western Sahara"),
    ("Africa/Mogadishu", (42.6, 8.0, 49.0, 11.5), "Somaliland"),
    ("Asia/Famagusta", _ANYWHERE, "Northern Cyprus"),
    ("Asia/Hebron", _ANYWHERE, "the West Bank"),
    ("Asia/Jerusalem", (35.1, 31.2, 35.6, 32.6), "Jerusalem and the West Bank"),
    ("Asia/Jerusalem", (35.6, 32.6, 36.0, 33.5), "the Golan Heights"),
    ("Asia/Kolkata", (73.4, 32.2, 80.4, 37.2), "Kashmir and Ladakh"),
    ("Asia/Tbilisi", (40.0, 41.8, 44.6, 43.6), "the north of Georgia"),
    ("Europe/Belgrade", (20.0, 41.8, 21.9, 43.3), "Kosovo"),
    ("Europe/Chisinau", (28.9, 46.3, 30.2, 48.2), "Transnistria"),
    ("Europe/Kyiv", (36.5, 46.8, 40.3, 49.9), "the east of Ukraine"),
    ("Europe/Simferopol", _ANYWHERE, "Crimea"),
)
"""Places that more than one country claims, or whose holidays are not those of the country.

The tz database names one country for each, which is no ruling: a person says which holidays the
incidents follow. The boxes are wide, for a needless doubt costs less than a wrong calendar.
"""


def locate_zone(
    lon: Float[np.ndarray, " point"], lat: Float[np.ndarray, " point"]
) -> ZoneFinding | None:
    """The zone and country of most points; None where no point lies on land or near a coast.

    The boundaries are those of OpenStreetMap as the library `tzfpy` ships them, true to about
    100 m; each zone with a clock of its own on land belongs to one country of the tz database.

    Args:
        lon: degrees; many points, so that neither a wrong geocode nor a border decides.
        lat: degrees.
    """
    import tzfpy  # its boundaries load with the first question

    every = max(1, lon.size // MAX_POINTS)
    points = list(zip(lon[::every].tolist(), lat[::every].tolist(), strict=True))
    countries = _countries()
    # A point far out at sea lies in a zone such as Etc/GMT+8, which belongs to no country.
    zones = [zone for x, y in points if (zone := tzfpy.get_tz(x, y)) in countries]
    if not zones:
        return None
    per_zone, n = Counter(zones), len(zones)
    per_country = Counter(countries[zone] for zone in zones)
    country = _most(per_country)
    timezone = _most(Counter({z: k for z, k in per_zone.items() if countries[z] == country}))
    return ZoneFinding(
        timezone=timezone,
        country=country,
        timezone_doubts=(*_split(per_zone, timezone, n), *_shared(points, timezone)),
        country_doubts=(*_split(per_country, country, n), *_contested(points, timezone)),
    )


def settled_zone(
    found: ZoneFinding | None, *, timezone: str | None, country: str | None
) -> ZoneFinding | None:
    """What a person says of zone and country, then what follows from it, then what was found.

    Args:
        found: by the points; None where they tell nothing.
        timezone: IANA name that a person gives; the country follows from it.
        country: that a person gives.

    Returns:
        None where a zone was neither given nor found.
    """
    chosen = found
    if timezone is not None:
        of_zone = country_of_zone(timezone)
        chosen = ZoneFinding(
            timezone=timezone,
            country=of_zone or (found.country if found else None),
            timezone_doubts=_unlike(found, timezone),
            country_doubts=found.country_doubts if found and not of_zone else (),
        )
    if chosen is None or country is None:
        return chosen
    return replace(chosen, country=country, country_doubts=_elsewhere(found, country))


def _unlike(found: ZoneFinding | None, timezone: str) -> tuple[str, ...]:
    if found is None or found.timezone_doubts or is_same_zone(found.timezone, timezone):
        return ()
    return (f"given, but the points lie in {found.timezone}",)


def _elsewhere(found: ZoneFinding | None, country: str) -> tuple[str, ...]:
    if found is None or found.country_doubts or found.country == country:
        return ()
    return (f"given, but the points lie in {found.country}",)


def country_of_zone(timezone: str) -> str | None:
    """ISO code of the country that the tz database gives a zone; None for UTC and its like."""
    countries = _countries()
    return countries.get(timezone) or countries.get(_links().get(timezone, ""))


def is_same_zone(first: str, second: str) -> bool:
    """Whether two names stand for one zone, e.g. US/Central and America/Chicago."""
    links = _links()
    return links.get(first, first) == links.get(second, second)


def country_name(code: str) -> str:
    """What the tz database calls a country, e.g. `Japan`; the code itself where it has none."""
    return _names().get(code, code)


def _most(counted: Counter[str]) -> str:
    return max(sorted(counted), key=counted.__getitem__)


def _split(counted: Counter[str], chosen: str, n: int) -> list[str]:
    """A doubt where the points lie in more than one country or zone."""
    if counted[chosen] >= CERTAIN_SHARE * n:
        return []
    others = [pair for pair in counted.most_common() if pair[0] != chosen]
    listed = ", ".join(f"{k / n:.0%} in {name}" for name, k in others if k >= MIN_SHARE * n)
    elsewhere = listed or f"{1 - counted[chosen] / n:.0%} in other ones"
    return [f"guessed: {counted[chosen] / n:.0%} of the points lie in {chosen}, {elsewhere}"]


def _shared(points: list[tuple[float, float]], timezone: str) -> list[str]:
    """A doubt where two clocks are kept side by side, as in Xinjiang."""
    import tzfpy

    others = Counter(zone for x, y in points for zone in tzfpy.get_tzs(x, y) if zone != timezone)
    beside = [zone for zone, k in others.items() if k > len(points) / 2]
    return [f"guessed: {zone} is kept there too" for zone in sorted(beside)]


def _contested(points: list[tuple[float, float]], timezone: str) -> list[str]:
    x, y = np.median(np.array(points), axis=0)
    return [
        f"guessed: {place} is claimed by more than one country, or has holidays of its own"
        for zone, (west, south, east, north), place in CONTESTED
        if zone == timezone and west <= x <= east and south <= y <= north
    ]


def _listing(name: str) -> list[list[str]]:
    """Fields of a table of the tz database."""
    text = (importlib.resources.files("tzdata") / "zoneinfo" / name).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    """Country of each zone. zone.tab gives one; zone1970.tab merges zones of several countries."""
    return {fields[2]: fields[0] for fields in _listing("zone.tab")}


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return {fields[0]: fields[1] for fields in _listing("iso3166.tab")}


@lru_cache(maxsize=1)
def _links() -> dict[str, str]:
    """Zones by their former names, e.g. Asia/Kolkata for Asia/Calcutta."""
    fields = [line[0].split() for line in _listing("tzdata.zi")]
    return {found[2]: found[1] for found in fields if found[0] == "L" and found[2] not in _kept()}


def _kept() -> frozenset[str]:
    """Zones of their own by zone.tab, although they share another's clock since 1970."""
    return frozenset(_countries())
