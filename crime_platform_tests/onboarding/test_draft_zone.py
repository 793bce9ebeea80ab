"""The time zone and country of a draft follow from where its points lie, and a guess is said."""

import pytest

from crime_platform.onboarding.draft import Told, draft_area
from crime_platform.study_area.parts import StudyAreaError
from toys.small_town import moved


def remarks_of(content, home, **told):
    file = home.root / "file.csv"
    file.write_text(content)
    return draft_area([file], home, Told(**{"name": "town", "columns": {}, **told})).remarks


def test_the_country_follows_from_the_zone_that_is_given(draft):
    _, area = draft(moved(77.20, 28.60), timezone="Asia/Kathmandu")

    assert (area.timezone, area.calendar.country) == ("Asia/Kathmandu", "NP")


def test_a_zone_away_from_the_points_is_worth_a_look(home):
    assert remarks_of(moved(77.20, 28.60), home, timezone="Asia/Kathmandu") == [
        'timezone = "Asia/Kathmandu" was given, but the points lie in Asia/Kolkata. Correct the '
        "line if it is wrong"
    ]


def test_certain_zones_need_no_look(home):
    assert remarks_of(moved(-95.40, 29.70), home) == []


def test_a_guessed_country_is_said_in_the_draft_and_beside_it(home, draft):
    crimea = moved(34.10, 44.95)

    text, _ = draft(crimea)
    (remark,) = remarks_of(crimea, home)

    assert 'country = "UA" # Ukraine; guessed: Crimea is claimed by more than one country' in text
    assert remark.startswith('[calendar] country = "UA" was guessed: Crimea is claimed')


def test_a_guessed_zone_is_said_in_the_draft(draft):
    text, _ = draft(moved(87.60, 43.80))

    assert 'timezone = "Asia/Shanghai" # guessed: Asia/Urumqi is kept there too' in text


def test_a_country_and_its_part_can_be_given(draft):
    _, area = draft(moved(-95.40, 29.70), country="us-tx")

    assert (area.calendar.country, area.calendar.subdivision) == ("US", "TX")


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"country": "QQ"}, "--country QQ: country: 'QQ' has no holiday calendar"),
        ({"country": "US-XX"}, "--country US-XX: subdivision: US has no 'XX'; it has AK, AL"),
        ({"timezone": "Texas"}, "timezone: 'Texas' is not an IANA time zone"),
    ],
)
def test_a_zone_or_country_that_does_not_exist_is_refused(draft, told, message):
    with pytest.raises(StudyAreaError, match=message):
        draft(moved(-95.40, 29.70), **told)


def test_points_at_sea_need_a_zone(draft):
    with pytest.raises(StudyAreaError, match="no time zone of a country holds the points"):
        draft(moved(-140.0, 30.0))


def test_points_at_sea_with_a_zone_without_country_have_no_holidays(home):
    assert remarks_of(moved(-140.0, 30.0), home, timezone="UTC") == [
        "no country is known, so models see no holidays: add [calendar] country"
    ]
