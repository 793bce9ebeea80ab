"""The street leaderboard fits a terminal of 80 columns and says what it holds."""

import io

import numpy as np
import pandas as pd
from rich.console import Console

from crime_platform.commands.terminal_streets import print_street_leaderboard

ROWS = pd.DataFrame(
    {
        "study_area": "town",
        "as_of_day": pd.Timestamp("2021-02-28"),
        "model": ["gldnet", "long_run_frequency", "constant"],
        "is_champion": [True, False, False],
        "deviance_skill": [0.0183, 0.0, -0.2001],
        "deviance_skill_low": [0.0155, 0.0, -0.214],
        "deviance_skill_high": [0.0211, 0.0, -0.1863],
        "hit_rate_5": [0.383, 0.348, np.nan],
        "hit_rate_10": [0.512, 0.486, 0.1],
        "hit_rate_20": [0.668, 0.661, 0.2],
        "bias_share": [-0.0002, -0.01, -0.013],
        "n_days": 438,
        "n_incidents": 4948.0,
    }
)


def shown(rows, width=80):
    file = io.StringIO()
    print_street_leaderboard(Console(file=file, width=width), rows)
    return file.getvalue()


def test_a_row_holds_skill_interval_hit_rates_and_bias():
    (line,) = [line for line in shown(ROWS).splitlines() if "*gldnet" in line]

    cells = [cell.strip() for cell in line.strip("│").split("│")]
    assert cells == ["*gldnet", "+1.8", "+1.6 to +2.1", "0.383", "0.512", "0.668", "-0.0"]


def test_nothing_is_cut_off_in_80_columns():
    text = shown(ROWS)

    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert "town, streets as of 2021-02-28: 438 test days, 4,948 incidents" in text


def test_the_opponent_has_no_interval_and_a_missing_share_stays_blank():
    lines = shown(ROWS).splitlines()
    (opponent,) = [line for line in lines if "long_run_frequency │" in line]
    (constant,) = [line for line in lines if " constant" in line]

    assert " to " not in opponent
    assert constant.split("│")[4].strip() == ""


def test_without_a_street_forecast_it_says_how_to_make_one():
    assert "crime-platform run --streets" in shown(ROWS.iloc[:0])
