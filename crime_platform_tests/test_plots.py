import numpy as np
import pandas as pd

from crime_platform.defs.plots import growth_of_months, revision_plot


def triangle(*rows):
    names = ["month", "offence_type", "vintage_month", "age_months", "count"]
    return pd.DataFrame(rows, columns=names)


# January is seen 1, 4 and 30 months later, February once; both have two offence types.
SEEN = triangle(
    ("2022-01", "assault", "2022-02", 1, 60),
    ("2022-01", "robbery", "2022-02", 1, 20),
    ("2022-01", "assault", "2022-05", 4, 75),
    ("2022-01", "robbery", "2022-05", 4, 20),
    ("2022-01", "assault", "2024-07", 30, 80),
    ("2022-01", "robbery", "2024-07", 30, 20),
    ("2022-02", "assault", "2022-05", 3, 50),
)


def test_a_month_grows_to_its_count_of_today():
    share = growth_of_months(SEEN)

    # 80, 95 and 100 incidents; nobody looked in between
    np.testing.assert_allclose(share["2022-01"].loc[1:4], [80, 85, 90, 95])
    assert share.index[-1] == 12


def test_a_month_seen_once_has_not_grown():
    assert list(growth_of_months(SEEN)) == ["2022-01"]


def test_months_seen_once_make_no_plot():
    assert revision_plot(SEEN.tail(1)) is None


def test_months_seen_twice_make_one():
    assert revision_plot(SEEN).startswith(b"\x89PNG")
