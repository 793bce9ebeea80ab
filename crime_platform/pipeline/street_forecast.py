"""One day of one area's streets, step by step: what each Dagster asset of the forecast calls.

A step finds its inputs by name and content, so it can be run alone, again, or after a crash.
"""

from typing import TYPE_CHECKING

import numpy as np

from crime_platform.evaluation.street_candidate import (
    StreetCandidate,
    build_street_candidate,
    judge_street_candidate,
    read_street_candidate,
    street_candidate_folder,
)
from crime_platform.evaluation.street_candidate_tables import StreetEvidence
from crime_platform.evaluation.street_catalogue import is_network, street_forecasters
from crime_platform.evaluation.street_plan import anchored_plan
from crime_platform.evaluation.street_runs import StreetRun, read_street_run, run_street_model
from crime_platform.pipeline.segment_counts import read_segment_counts
from crime_platform.pipeline.street_graph import require_streets
from crime_platform.schema.values import GLDNET
from crime_platform.study_area.study_area import load_study_area
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.timesteps import Day, IncompleteDataError
from crime_platform.vocabulary.verdict import Verdict
from crime_platform.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    from crime_platform.vocabulary.daily_forecast import StreetForecaster

BASELINES = "baselines"


def gather_street_evidence(home: PlatformHome, area_name: str, as_of: Day) -> StreetEvidence:
    """Counts, plan and incumbent of one area and day.

    Raises:
        IncompleteDataError: if the counts do not reach `as_of`.
        StudyAreaError: if the area has no streets.
    """
    area = load_study_area(home.study_areas / f"{area_name}.toml")
    spec = require_streets(area)
    counts = read_segment_counts(home, area_name)
    if as_of > counts.days[-1]:
        raise IncompleteDataError(
            f"the streets of {area_name} are counted through {counts.days[-1]}, and a forecast "
            f"from {as_of} was asked for: take in later files, or choose an earlier day"
        )
    return StreetEvidence(
        study_area=area_name,
        title=area.title,
        counts=counts,
        plan=anchored_plan(as_of, horizon=spec.horizon),
        incumbent=_published_before(home, area_name, as_of),
    )


def _published_before(home: PlatformHome, area_name: str, as_of: Day) -> str | None:
    """Street champion of the newest day before `as_of` that was published; None without one."""
    rows = Warehouse(home.warehouse).street_publications()
    earlier = rows["as_of_day"].to_numpy().astype("datetime64[D]") < as_of
    models = rows.loc[(rows["study_area"] == area_name) & earlier, "model"]
    return None if models.empty else str(models.iloc[-1])


def run_street_group(home: PlatformHome, area_name: str, as_of: Day, group: str) -> list[StreetRun]:
    """Evidence and forecast of every model of one group; what was made before is read."""
    evidence = gather_street_evidence(home, area_name, as_of)
    root = home.artifacts(area_name)
    return [
        run_street_model(model, evidence.counts, evidence.plan, root)
        for model in _models(evidence, home)
        if _group_of(model) == group
    ]


def _finished_runs(evidence: StreetEvidence, home: PlatformHome) -> list[StreetRun]:
    """Run of every model; a step that judges or publishes must not begin to train."""
    root = home.artifacts(evidence.study_area)
    return [
        read_street_run(model, evidence.counts, evidence.plan, root)
        for model in _models(evidence, home)
    ]


def _models(evidence: StreetEvidence, home: PlatformHome) -> "list[StreetForecaster]":
    area = load_study_area(home.study_areas / f"{evidence.study_area}.toml")
    kernel_m = require_streets(area).kernel_m
    return list(street_forecasters(evidence.counts, kernel_m=kernel_m).values())


def _group_of(model: "StreetForecaster") -> str:
    return GLDNET if is_network(model) else BASELINES


def training_curves(runs: list[StreetRun]) -> list[dict[str, object]]:
    """Loss and hit rate by epoch of the network whose validation days judged; none if skipped."""
    fits = [fit for run in runs for fit in run.fits]
    return fits[0].get("curves", []) if fits else []  # pyright: ignore[reportReturnType]


def run_rows(runs: list[StreetRun]) -> list[dict[str, object]]:
    """One row per model for the UI."""
    return [
        {
            "model": run.model,
            "fits": len(run.fits),
            "parameters": run.fits[-1].get("n_parameters") if run.fits else None,
            "training_seconds": sum(fit.get("training_seconds") or 0.0 for fit in run.fits),  # pyright: ignore[reportArgumentType, reportCallIssue]
            "skipped": run.skipped or "",
            "folder": str(run.folder),
        }
        for run in runs
    ]


def build_and_judge_streets(
    home: PlatformHome, area_name: str, as_of: Day
) -> tuple[StreetCandidate, Verdict]:
    """Build the candidate, judge it and store the verdict that `street_published` reads again."""
    evidence = gather_street_evidence(home, area_name, as_of)
    runs = _finished_runs(evidence, home)
    candidate = build_street_candidate(evidence, runs, home.artifacts(area_name))
    verdict = judge_street_candidate(candidate, evidence)
    Warehouse(home.warehouse).record_street_verdict(area_name, as_of, verdict)
    return candidate, verdict


def newest_street_candidate(home: PlatformHome, area_name: str, as_of: Day) -> StreetCandidate:
    """The candidate that was built of what is known now.

    Raises:
        FileNotFoundError: if it was not built.
    """
    evidence = gather_street_evidence(home, area_name, as_of)
    runs = _finished_runs(evidence, home)
    return read_street_candidate(street_candidate_folder(evidence, runs, home.artifacts(area_name)))


def parse_day(text: str) -> Day:
    """Day written `YYYY-MM-DD`.

    Raises:
        ValueError: if the text is not a calendar day.
    """
    try:
        day = np.datetime64(text, "D") if len(text) == len("2021-09-30") else np.datetime64("NaT")
    except ValueError:
        day = np.datetime64("NaT")
    if np.isnat(day):
        raise ValueError(f"expected a day written YYYY-MM-DD, such as 2021-09-30; got {text!r}")
    return day
