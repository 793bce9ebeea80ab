"""Zone and country of cities by the boundaries of zones; a doubt where neither is certain."""

import csv

import numpy as np
import pytest

from crime_platform.onboarding.guesses.time_zones import (
    ZoneFinding,
    country_name,
    country_of_zone,
    is_same_zone,
    locate_zone,
    settled_zone,
)
from toys.paths import FIXTURES

with (FIXTURES / "cities_of_zones.csv").open(encoding="utf-8") as lines:
    # The largest city of each American state and territory, ten odd American places, the largest
    # city of each of 53 other countries, then borders, islands and water.
    CITIES = [tuple(row.values()) for row in csv.DictReader(lines)]
HOUSTON = ZoneFinding(timezone="America/Chicago", country="US")


def around(lon, lat):
    """Nine points within half a kilometre."""
    east, north = np.meshgrid([-0.005, 0.0, 0.005], [-0.004, 0.0, 0.004])
    return float(lon) + east.ravel(), float(lat) + north.ravel()


@pytest.mark.parametrize(("city", "lon", "lat", "timezone", "country"), CITIES)
def test_a_city_has_its_zone_and_country(city, lon, lat, timezone, country):
    found = locate_zone(*around(lon, lat))

    assert found == ZoneFinding(timezone=timezone, country=country), city


def test_the_table_holds_the_119_cities():
    american = [row for row in CITIES if row[-1] in ("US", "PR", "GU", "VI", "AS", "MP")]
    elsewhere = {row[-1] for row in CITIES[66:119]}

    assert american[:66] == CITIES[:66]
    assert len(elsewhere) == 53


@pytest.mark.parametrize(
    ("lon", "lat", "place"),
    [
        (34.10, 44.95, "Crimea"),
        (35.22, 31.78, "Jerusalem"),
        (35.20, 31.90, "the West Bank"),
        (-13.20, 27.15, "Western Sahara"),
        (33.36, 35.20, "Northern Cyprus"),
        (21.16, 42.66, "Kosovo"),
        (29.60, 46.84, "Transnistria"),
        (44.06, 9.56, "Somaliland"),
        (74.80, 34.08, "Kashmir"),
        (37.80, 48.00, "the east of Ukraine"),
        (41.02, 43.00, "the north of Georgia"),
    ],
)
def test_the_country_of_a_contested_place_is_a_guess(lon, lat, place):
    found = locate_zone(*around(lon, lat))

    assert found is not None
    assert any(place in doubt for doubt in found.country_doubts)


def test_two_clocks_of_one_place_are_both_named():
    found = locate_zone(*around(87.6, 43.8))

    assert found is not None
    assert (found.timezone, found.country) == ("Asia/Shanghai", "CN")
    assert found.timezone_doubts == ("guessed: Asia/Urumqi is kept there too",)


def test_few_wrong_geocodes_change_nothing():
    lon, lat = np.full(100, -106.46), np.full(100, 31.79)  # El Paso
    lat[:4] = 31.60  # Ciudad Juarez

    assert locate_zone(lon, lat) == ZoneFinding(timezone="America/Denver", country="US")


def test_points_in_two_countries_are_a_guess():
    lon, lat = np.full(10, 7.75), np.full(10, 48.58)  # Strasbourg
    lon[:3] = 7.82  # Kehl

    found = locate_zone(lon, lat)

    assert found == ZoneFinding(
        timezone="Europe/Paris",
        country="FR",
        timezone_doubts=("guessed: 70% of the points lie in Europe/Paris, 30% in Europe/Berlin",),
        country_doubts=("guessed: 70% of the points lie in FR, 30% in DE",),
    )


def test_the_zone_is_one_of_the_country_that_holds_most_points():
    # Two zones of the United States with 30 % each against 40 % of Mexico.
    lon, lat = np.full(10, -106.45), np.full(10, 31.60)
    lon[:3], lat[:3] = -112.07, 33.45
    lon[3:6], lat[3:6] = -95.37, 29.76

    found = locate_zone(lon, lat)

    assert found is not None
    assert (found.timezone, found.country) == ("America/Chicago", "US")


def test_points_scattered_over_the_world_are_a_guess():
    lon, lat = np.full(100, -79.39), np.full(100, 43.68)
    lon[:8], lat[:8] = 20.0 + 12.0 * np.arange(8), 50.0  # one point in each of many zones

    found = locate_zone(lon, lat)

    assert found is not None
    assert found.country_doubts == ("guessed: 92% of the points lie in CA, 8% in other ones",)


def test_far_out_at_sea_there_is_no_country():
    assert locate_zone(np.array([-140.0]), np.array([30.0])) is None


@pytest.mark.parametrize(
    ("timezone", "country"),
    [
        ("Asia/Kolkata", "IN"),
        ("Asia/Calcutta", "IN"),
        ("US/Central", "US"),
        ("Europe/Oslo", "NO"),
        ("Arctic/Longyearbyen", "SJ"),
        ("UTC", None),
        ("Nowhere", None),
    ],
)
def test_a_zone_belongs_to_a_country(timezone, country):
    assert country_of_zone(timezone) == country


def test_former_names_are_the_same_zone():
    assert is_same_zone("US/Central", "America/Chicago")
    assert not is_same_zone("Europe/Oslo", "Europe/Berlin")


def test_a_country_has_a_name():
    assert country_name("JP") == "Japan"
    assert country_name("XK") == "XK"


def test_the_country_follows_from_the_zone_that_is_given():
    settled = settled_zone(None, timezone="Asia/Kolkata", country=None)

    assert settled == ZoneFinding(timezone="Asia/Kolkata", country="IN")


def test_a_zone_elsewhere_than_the_points_is_said():
    settled = settled_zone(HOUSTON, timezone="Asia/Kolkata", country=None)

    assert settled == ZoneFinding(
        timezone="Asia/Kolkata",
        country="IN",
        timezone_doubts=("given, but the points lie in America/Chicago",),
    )


def test_a_zone_without_a_country_takes_that_of_the_points():
    settled = settled_zone(HOUSTON, timezone="UTC", country=None)

    assert settled is not None
    assert (settled.timezone, settled.country) == ("UTC", "US")


def test_a_country_that_is_given_ends_every_doubt_about_it():
    found = ZoneFinding(
        timezone="Europe/Simferopol", country="UA", country_doubts=("Crimea is claimed",)
    )

    settled = settled_zone(found, timezone=None, country="UA")

    assert settled == ZoneFinding(timezone="Europe/Simferopol", country="UA")


def test_a_country_elsewhere_than_the_points_is_said():
    settled = settled_zone(HOUSTON, timezone=None, country="MX")

    assert settled == ZoneFinding(
        timezone="America/Chicago",
        country="MX",
        country_doubts=("given, but the points lie in US",),
    )


def test_nothing_given_and_nothing_found_is_nothing():
    assert settled_zone(None, timezone=None, country="US") is None
