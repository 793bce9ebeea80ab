import numpy as np
import pandas as pd

from crime_platform.defs.plots import growth_of_months, revision_plot


def triangle(*rows):
    names = ["month", "offence_type", "known_on", "age_days", "count"]
    return pd.DataFrame(rows, columns=names)


# January is seen 2, 8 and 900 days later, February once; January has two offence types.
SEEN = triangle(
    ("2022-01", "assault", "2022-02-02", 2, 60),
    ("2022-01", "robbery", "2022-02-02", 2, 20),
    ("2022-01", "assault", "2022-02-08", 8, 75),
    ("2022-01", "robbery", "2022-02-08", 8, 20),
    ("2022-01", "assault", "2024-07-19", 900, 80),
    ("2022-01", "robbery", "2024-07-19", 900, 20),
    ("2022-02", "assault", "2022-03-05", 5, 50),
)


def test_a_month_grows_to_its_count_of_today():
    share = growth_of_months(SEEN)

    # 80, 95 and 100 incidents; nobody looked after 5 days
    np.testing.assert_allclose(share["2022-01"], [80, 87.5, 95])
    assert share.index.tolist() == [2, 5, 8]


def test_a_month_seen_once_has_not_grown():
    assert list(growth_of_months(SEEN)) == ["2022-01"]


def test_months_seen_once_make_no_plot():
    assert revision_plot(SEEN.tail(1)) is None


def test_an_area_without_a_whole_month_makes_no_plot():
    assert revision_plot(triangle()) is None


def test_months_seen_twice_make_one():
    assert revision_plot(SEEN).startswith(b"\x89PNG")
