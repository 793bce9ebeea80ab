"""Accuracy of the daily street forecasts: test days, one day ahead, any offence group."""

import duckdb

from crime_platform.dashboard.data.rows import gathered, holds, records
from crime_platform.schema.model_titles import model_title
from crime_platform.schema.values import LONG_RUN_FREQUENCY

_RELEASE = """
    select as_of_day, champion, graph_kind as kind from street_release
    where study_area = ? and is_latest
"""
_BOARD = "select * exclude (study_area, as_of_day) from street_leaderboard where study_area = ?"
_DAYS = """
    select min(s.target_day) as first_day, max(s.target_day) as last_day
    from street_score s join street_release r using (study_area, as_of_day)
    where s.study_area = ? and r.is_latest and s.part = 'test' and s.lead = 1
"""
_CURVES = """
    select c.model, c.coverage_share, c.hit_rate, c.hit_rate_low, c.hit_rate_high, c.pai, c.pei
    from street_curve c join street_release r using (study_area, as_of_day)
    where c.study_area = ? and r.is_latest and c.part = 'test' and c.lead = 1
        and c.offence_group = 'any'
    order by c.coverage_share
"""


def street_accuracy(connection: duckdb.DuckDBPyConnection, area: str) -> dict | None:
    """Scores of the area's street forecasts beside the long-run frequency; None without any."""
    if not holds(connection, "street_release"):
        return None
    released = records(connection, _RELEASE, [area])
    if not released:
        return None
    board = records(connection, f"{_BOARD} order by rank", [area])
    names = [row["model"] for row in board]
    curves = gathered(records(connection, _CURVES, [area]), by="model")
    first = board[0] if board else {}
    return {
        **released[0],
        "baseline": LONG_RUN_FREQUENCY,
        "best_baseline": first.get("best_baseline"),
        "n_days": first.get("n_days"),
        "n_incidents": first.get("n_incidents"),
        **records(connection, _DAYS, [area])[0],
        "leaderboard": [
            {
                **row,
                "title": model_title(row["model"]),
                "is_baseline": row["model"] == LONG_RUN_FREQUENCY,
            }
            for row in board
        ],
        "curves": sorted(curves, key=lambda curve: names.index(curve["model"])),
    }
