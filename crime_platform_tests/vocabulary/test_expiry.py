import datetime as dt
import io

import duckdb
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from crime_platform.commands.terminal import print_expiries
from crime_platform.defs import checks
from crime_platform.publication.release import StreetPublication, open_release, publish_release
from crime_platform.reporting.expiries import expiry_words, published_expiries
from crime_platform.study_area.study_area import load_study_area
from crime_platform.vocabulary.expiry import expiry_of, release_columns
from toys.paths import FIXTURES

MARCH, SEVENTH = np.datetime64("2022-03", "M"), np.datetime64("2022-01-07", "D")
TOWN = load_study_area(FIXTURES / "small_town.toml")


def utc(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("last", "zone", "moment"),
    [
        (MARCH, "America/Toronto", "2022-04-01T04:00:00"),  # summer time, four hours behind
        (MARCH, "Pacific/Auckland", "2022-03-31T11:00:00"),  # thirteen hours ahead
        (MARCH, None, "2022-04-01T00:00:00"),  # the TOML is gone, and with it the zone
        (SEVENTH, "America/Toronto", "2022-01-08T05:00:00"),
    ],
)
def test_a_forecast_expires_when_its_last_step_ends_in_the_areas_zone(last, zone, moment):
    expiry = expiry_of(last, zone)

    assert expiry.at == utc(moment)
    assert not expiry.is_past(utc(moment) - dt.timedelta(seconds=1))
    assert expiry.is_past(utc(moment))


def test_months_say_when_they_expire_and_that_they_did():
    expiry = expiry_of(MARCH, "America/Toronto")

    assert expiry.sentence(utc("2022-04-01T03:59:59")) == (
        "The monthly forecast expires on 1 April 2022, when March 2022, the last month it "
        "describes, has ended: do not use it after that."
    )
    assert expiry.sentence(utc("2026-11-30T00:00:00")) == (
        "The monthly forecast expired on 1 April 2022: March 2022, the last month it describes, "
        "has ended. It says nothing about today."
    )


def test_days_say_the_same_of_days():
    expiry = expiry_of(SEVENTH, "America/Toronto")

    assert expiry.expired.startswith("The daily forecast expired on 8 January 2022: 7 January 2022")
    assert "the last day it describes" in expiry.current


@pytest.fixture
def released(home):
    """Connection to a release of months that have passed and of days far ahead."""
    ahead = np.datetime64("2999-01-07", "D")
    months = {
        "study_area": "toy",
        "as_of_month": dt.date(2021, 12, 1),
        "title": "Toy city",
        "champion": "ewma",
        "is_latest": True,
        **release_columns(expiry_of(MARCH, "America/Toronto")),
    }
    days = {
        "study_area": "toy",
        "as_of_day": dt.date(2998, 12, 31),
        "champion": "ewma",
        "is_latest": True,
        **release_columns(expiry_of(ahead, "America/Toronto")),
    }
    quality = pd.DataFrame({"study_area": ["toy"], "finding": ["accepted"]})
    nothing = StreetPublication(
        study_area="toy", as_of_day=ahead, newest_day=ahead, folder=home.root, run_id="run"
    )
    publish_release(
        home,
        [nothing],
        pd.DataFrame([months]),
        quality=quality,
        street_releases=pd.DataFrame([days], dtype=object),
    )
    with open_release(home) as connection:
        yield connection


def test_the_release_says_what_has_expired(released):
    told = released.execute(
        "select step, expires_on::varchar, is_expired from forecast_expiry"
    ).fetchall()

    assert told == [("month", "2022-04-01", True), ("day", "2999-01-08", False)]


def test_both_branches_are_told_in_the_terminal(released):
    expiries = published_expiries(released)
    out = io.StringIO()

    print_expiries(Console(file=out, width=400), expiries, "month")

    assert expiries["toy", "month"] == expiry_of(MARCH, "America/Toronto")
    assert out.getvalue() == f"toy: {expiry_of(MARCH, 'America/Toronto').expired}\n"
    assert expiry_words(expiries, "toy") == "months expired 2022-04-01, days expire 2999-01-08"
    assert expiry_words(expiries, "other") == "none"


def test_a_release_of_an_earlier_version_says_nothing_of_it():
    with duckdb.connect() as connection:
        assert published_expiries(connection) == {}


@pytest.mark.parametrize(("last", "passed"), [(MARCH, False), (np.datetime64("2999-01"), True)])
def test_the_check_of_what_is_published_warns_of_an_expired_forecast(last, passed):
    expiry = expiry_of(last, "America/Toronto")

    result = checks.current(TOWN, "published", expiry)

    assert result.passed is passed
    assert result.severity.value == "WARN"
    assert (result.description or "").endswith("" if passed else expiry.expired)
    assert result.metadata["expiry"].value == (expiry.current if passed else expiry.expired)
