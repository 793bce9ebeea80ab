"""A town of nine crossing streets with years of incidents: small, yet enough to judge models by."""

import numpy as np

from crime_platform.study_area.study_area import StudyArea
from crime_platform.vocabulary.home import PlatformHome
from toys.street_town import write_town

SPACING, N_STREETS = 200, 4
FIRST, LAST = np.datetime64("2019-01-01"), np.datetime64("2021-02-28")
AT = [100 + SPACING * number for number in range(N_STREETS)]
STREETS = [[(0, at), (1000, at)] for at in AT] + [[(at, 0), (at, 1000)] for at in AT]
CITY = """
[streets]
file = "raw/streets.gpkg"
nearby_types = ["theft"]
temperature_file = "tables/temperature.csv"

[[streets.points]]
name = "police_station"
file = "tables/stations.csv"

[[streets.offence_group]]
name = "violent"
offence_types = ["burglary", "robbery"]
"""


def city_incidents(*, moving: bool) -> tuple:
    """Poisson counts in the middle of 30 stretches of street; where `moving`, hot spots move."""
    random = np.random.default_rng(3)
    days = np.arange(FIRST, LAST + 1)
    spots = [(at + SPACING // 2, across) for at in AT for across in AT]
    spots += [(across, at + SPACING // 2) for at in AT for across in AT]
    early, late = random.gamma(0.5, 0.4, (2, len(spots)))
    rates = np.repeat(early[None], len(days), axis=0)
    if moving:
        rates[300:] = late
    counts = random.poisson(rates)
    kinds = ("Burglary", "Robbery", "Theft")
    rows = [
        (str(days[day]), (day + n) % 24, kinds[(day + spot + n) % 3], "House", *spots[spot])
        for day, spot in zip(*np.nonzero(counts), strict=True)
        for n in range(counts[day, spot])
    ]
    return (*rows, (str(LAST), 12, "Burglary", "House", *spots[0]))


def write_covariates(home: PlatformHome) -> None:
    """A table of temperatures that ends with the counts, and two police stations."""
    days = np.arange(FIRST, LAST + 1)
    degrees = 10 - 15 * np.cos(2 * np.pi * (days - FIRST).astype(int) / 365.25)
    lines = [f"{day},{value:.1f}" for day, value in zip(days, degrees, strict=True)]
    tables = home.root / "tables"  # beside raw, whose files are incidents
    tables.mkdir()
    (tables / "temperature.csv").write_text("\n".join(["day,temperature_c", *lines]) + "\n")
    (tables / "stations.csv").write_text("lon,lat\n-79.3880,43.6390\n-79.3800,43.6450\n")


def write_street_city(home: PlatformHome, *, moving: bool = True) -> StudyArea:
    """TOML, streets and incidents of the town, closed at its last month."""
    changes = (
        ('first_month = "2020-01"', f'first_month = "{str(FIRST)[:7]}"'),
        ('last_month = "2020-02"', f'last_month = "{str(LAST)[:7]}"'),
    )
    write_covariates(home)
    return write_town(
        home,
        streets=CITY,
        changes=changes,
        incidents=city_incidents(moving=moving),
        lines=STREETS,
    )
