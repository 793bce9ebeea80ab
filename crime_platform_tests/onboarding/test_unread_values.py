"""What is written in a way that is not read is called by its name, with the cure."""

import pytest

from crime_platform.onboarding.draft import Told, draft_area
from crime_platform.onboarding.guesses.unread_values import (
    DATE_KINDS,
    PERIOD_KINDS,
    POINT_KINDS,
    unread_kind,
)
from crime_platform.study_area.parts import StudyAreaError


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["44197.5", "44198"], "days since 1900, as a spreadsheet counts them"),
        (["1.60947366E+12"], "numbers that a spreadsheet has rounded"),
        (["1 de abril de 2020", "12 de mayo de 2020"], "months by a name that is not English"),
        (["01-abr-2020"], "months by a name that is not English"),
        (["5. März 2021"], "months by a name that is not English"),
        (["2021-01-31"], None),
        (["44197", "soon"], None),
        ([], None),
    ],
)
def test_dates_that_are_not_read_are_named(values, told):
    found = unread_kind(values, DATE_KINDS)

    assert (found is None) if told is None else found[0].startswith(told) and found[1] == values[0]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("2021-W01", "weeks"),
        ("2021 Week 7", "weeks"),
        ("Q1 2021", "quarters"),
        ("2021Q4", "quarters"),
        ("2021-01", None),
        ("W Queen 2021", None),
    ],
)
def test_periods_other_than_months_are_named(value, told):
    found = unread_kind([value], PERIOD_KINDS)

    assert (found is None) if told is None else found[0].startswith(f"{told}, of which no month")


def test_a_column_of_weeks_is_told_whatever_it_is_called(draft):
    rows = "".join(
        f"2021-W{week:02d};Theft;7.1{week % 3};50.7{week % 3}\n" for week in range(1, 53)
    )

    with pytest.raises(StudyAreaError, match="Column 'Zeit 1' holds '2021-W01': weeks"):
        draft(f"Zeit 1;Offence;Lon;Lat\n{rows}")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ('{"type": "Point", "coordinates": [-79.4, 43.7]}', "GeoJSON"),
        ("{'latitude': '43.7', 'longitude': '-79.4'}", "an object with its parts"),
        ("0101000000018A1A79FD653C01C8E85E4C4D54540A", "WKB, a point in hexadecimal"),
        ("79.28282W", "degrees with a letter for their side"),
        ("79°17'19.02\"W", "degrees, minutes and seconds"),
        ("17TPJ3000033000", "MGRS grid references"),
        ("TQ 30080 80530", "references of a national grid"),
        ("87M2MM2X+2X", "plus codes"),
        ("-79.4", None),
        ("Burglary", None),
        ("9 Main Street", None),
        ("HQ123456", None),
    ],
)
def test_points_that_are_not_read_are_named(value, told):
    found = unread_kind([value, f" {value} "], POINT_KINDS)

    assert (found is None) if told is None else found[0].startswith(told)


def refusal(home, rows, header="date,offence,lon,lat", **told):
    file = home.root / "file.csv"
    file.write_text("\n".join([header, *rows]) + "\n")
    with pytest.raises(StudyAreaError) as refused:
        draft_area([file], home, Told(name="town", **told))
    return str(refused.value)


DAYS = [f"2021-{n % 12 + 1:02d}-{n % 28 + 1:02d}" for n in range(60)]


def test_a_draft_names_the_column_its_kind_and_the_cure(home):
    days = [f"{44197 + n},Theft,7.1{n % 9},50.7" for n in range(60)]
    points = [f'{day},Theft,"{{""coordinates"": [7.1, 50.7]}}",' for day in DAYS]
    millions = [f"{day},Theft,{7_100_000 + n},{50_700_000 + n}" for n, day in enumerate(DAYS)]

    assert "Column 'date' holds '44197': days since 1900" in refusal(home, days)
    assert "column 'date', e.g. '44197', are days since" in refusal(
        home, days, columns={"occurred_at": "date"}
    )
    assert "Column 'lon' holds '{\"coordinates\": [7.1, 50.7]}', GeoJSON" in refusal(home, points)
    assert "holds 50700000 to 50700059: millionths of a degree?" in refusal(home, millions)
