"""What the About page says of the daily street forecast."""

from dataclasses import dataclass
from typing import Any

import duckdb

from crime_platform.dashboard.data.declared import group_titles
from crime_platform.dashboard.data.rows import holds, records
from crime_platform.dashboard.pages.sections import Section, section
from crime_platform.metrics.gate_rule import BIAS_LIMIT, LEVEL, MIN_DAYS, MIN_INCIDENTS
from crime_platform.reporting.statements import MOVED
from crime_platform.reporting.words import (
    decimal,
    in_sentence,
    interval,
    listing,
    percent,
    signed_percent,
    whole,
)
from crime_platform.schema.model_titles import model_title
from crime_platform.schema.values import LONG_RUN_FREQUENCY

GATE = (
    "Published only if, on the test days and at each lead judged, the champion's mean Poisson "
    f"deviance is lower than that of {LONG_RUN_FREQUENCY}, with a {percent(LEVEL, 0)} interval "
    "clear of 0, "
    "and its RMSE and hit rate at 20 % are not worse beyond their intervals; if its total is "
    f"within {percent(BIAS_LIMIT, 0)} of what was recorded, or the difference may be noise; "
    f"if at least {MIN_DAYS} days and {MIN_INCIDENTS} incidents were scored; and if what is "
    "forecast is plausible beside the last eight weeks."
)
SPLIT = (
    "The days are split once, in order of time: models learn from the first, settings and champion "
    "are chosen on the validation days, and the test days, on which nothing was chosen, judge."
)
INTERVALS = (
    "The 90 % interval runs from the 5 % to the 95 % quantile of the forecast count, the 95 % one "
    "from the 2.5 % to the 97.5 % quantile. On a single street and day both mostly run from 0 to 0."
)
_RELEASED = "select * from street_release where study_area = ? and is_latest"
_LEADS = """
    select max(lead) as days from segment_forecast f
    join street_release r using (study_area, as_of_day) where f.study_area = ? and r.is_latest
"""
_BOARD = """
    select model, is_champion, deviance_skill, deviance_skill_low, deviance_skill_high, hit_rate_20
    from street_leaderboard where study_area = ? order by rank
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreetFacts:
    """What the release says of an area's daily forecast."""

    released: dict[str, Any]  # its row of `street_release`
    board: list[dict[str, Any]]  # rows of `street_leaderboard`, best first
    n_days_ahead: int
    groups: tuple[str, ...]  # titles

    @property
    def unit(self) -> str:
        return "street segment" if self.released["graph_kind"] == "segment" else "place"

    @property
    def subject(self) -> str:
        """What is forecast."""
        kinds = listing([in_sentence(title) for title in self.groups])
        return (
            f"Counts of {kinds} per {self.unit} and day, {self.n_days_ahead} days ahead. Recorded, "
            "not actual, crime; places, never people."
        )

    @property
    def moved(self) -> str:
        """Why a place on the map is no address."""
        if self.unit == "place":
            return f"{MOVED} A place is such a point, and no address."
        return (
            f"{MOVED} A street segment is no address, and incidents near a junction can fall on "
            "the next one."
        )

    def section(self) -> Section:
        """How the daily forecast is made and how good it was."""
        told = self.released
        km = "" if told["street_km"] is None else f" of {decimal(told['street_km'], 1)} km together"
        return section(
            "streets",
            "The daily forecast on streets",
            items=[
                f"Model of this forecast: {told['champion']}. Why: "
                f"{str(told['champion_reason']).rstrip('.')}.",
                f"As of {told['as_of_day']}: {whole(told['n_segments'])} {self.unit}s{km}.",
                f"Compared: {listing([model_title(row['model']) for row in self.board])}.",
                SPLIT,
                *self._scores(),
                GATE,
                INTERVALS,
            ],
        )

    def _scores(self) -> list[str]:
        by_model = {row["model"]: row for row in self.board}
        ours, theirs = by_model.get(self.released["champion"]), by_model.get(LONG_RUN_FREQUENCY)
        if ours is None or theirs is None:
            return ["Its scores are not in this release."]
        low, high = ours["deviance_skill_low"], ours["deviance_skill_high"]
        is_open = low is not None and high is not None and low <= 0 <= high
        chance = ", which holds zero" if is_open else ""
        extent = "length" if self.unit == "street segment" else "count"
        return [
            f"On {whole(self.released['n_test_days'])} test days its skill over "
            f"{LONG_RUN_FREQUENCY} in mean Poisson deviance, one day ahead, is "
            f"{signed_percent(ours['deviance_skill'])} (95 % interval "
            f"{interval(low, high)}{chance}).",
            f"The riskiest 20 % of the {self.unit}s, by {extent}, held "
            f"{percent(ours['hit_rate_20'])} of the incidents of those days; by "
            f"{LONG_RUN_FREQUENCY} it is {percent(theirs['hit_rate_20'])}.",
        ]


def street_facts(connection: duckdb.DuckDBPyConnection, area: str) -> StreetFacts | None:
    """What is said of the area's newest daily forecast; None where no day is published."""
    found = records(connection, _RELEASED, [area]) if holds(connection, "street_release") else []
    if not found:
        return None
    return StreetFacts(
        released=found[0],
        board=records(connection, _BOARD, [area]),
        n_days_ahead=int(records(connection, _LEADS, [area])[0]["days"]),
        groups=tuple(group_titles(connection, area).values()),
    )
