"""Candidates that the gate refused last, with their scores: nothing of them is in the release."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from crime_platform.evaluation.candidate import read_candidate
from crime_platform.evaluation.street_candidate import CANDIDATES, read_street_candidate
from crime_platform.publication.release import (
    AnyPublication,
    Publication,
    StreetPublication,
    preview_release,
)
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

Branch = Literal["months", "streets"]
_VERDICTS = {
    "months": ("skill_verdict", "as_of_month"),
    "streets": ("street_verdict", "as_of_day"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The newest verdict on an area, where it is a refusal."""

    study_area: str
    as_of: str  # month or day
    candidate: Path  # folder of its tables
    reasons: tuple[str, ...]  # the clauses that failed, whole sentences


def newest_refusals(home: PlatformHome, branch: Branch) -> list[Refusal]:
    """Areas whose newest verdict is a refusal, by name; none where nothing was evaluated yet."""
    if not home.warehouse.exists():
        return []
    table, step = _VERDICTS[branch]
    with Warehouse(home.warehouse).reader() as connection:
        rows = connection.execute(
            f"select study_area, {step}::varchar, candidate_id, reasons, passed from {table} "
            "qualify row_number() over (partition by study_area order by judged_at desc) = 1 "
            "order by study_area"
        ).fetchall()
    folder = "candidates" if branch == "months" else CANDIDATES
    refusals = [
        Refusal(
            study_area=area,
            as_of=as_of[:7] if branch == "months" else as_of,
            candidate=home.artifacts(area) / folder / candidate_id,
            reasons=tuple(json.loads(reasons)),
        )
        for area, as_of, candidate_id, reasons, passed in rows
        if not passed
    ]
    return [refusal for refusal in refusals if refusal.candidate.is_dir()]


def refused_leaderboard(refusal: Refusal, branch: Branch) -> "pd.DataFrame":
    """Rows of the leaderboard as the release would show them; of months, of every lead."""
    view = "leaderboard_by_lead" if branch == "months" else "street_leaderboard"
    publication, frames = _as_if_published(refusal, branch)
    with preview_release(publication, frames) as connection:
        table = connection.sql(f"select * from {view}").to_arrow_table()
        return table.to_pandas(date_as_object=False)


def _as_if_published(
    refusal: Refusal, branch: Branch
) -> "tuple[AnyPublication, dict[str, pd.DataFrame]]":
    import pandas as pd

    if branch == "months":
        month = f"{refusal.as_of}-01"
        row = {"study_area": refusal.study_area, "as_of_month": month, "is_latest": True}
        row["champion"] = read_candidate(refusal.candidate).champion
        publication = Publication(
            study_area=refusal.study_area,
            as_of_month=refusal.as_of,
            folder=refusal.candidate,
            run_id="",
            is_latest=True,
        )
        return publication, {
            "release": pd.DataFrame([row]).astype({"as_of_month": "datetime64[s]"})
        }
    day = np.datetime64(refusal.as_of, "D")
    row = {"study_area": refusal.study_area, "as_of_day": refusal.as_of, "is_latest": True}
    row["champion"] = read_street_candidate(refusal.candidate).manifest["champion"]
    streets = StreetPublication(
        study_area=refusal.study_area,
        as_of_day=day,
        newest_day=day,
        folder=refusal.candidate,
        run_id="",
    )
    return streets, {"street_release": pd.DataFrame([row]).astype({"as_of_day": "datetime64[s]"})}
