"""Check results: each wraps a pure rule's answer for the UI. The rules live where the data do.

Checks run in the step of their asset, so no launch can leave them out.
"""

import datetime as dt
from typing import TYPE_CHECKING

import dagster as dg

from crime_platform.data_checks.blocking import (
    missing_months_problem,
    short_history_problem,
    unreached_streets_problem,
)
from crime_platform.defs.metadata import clean_metadata, table_of
from crime_platform.study_area.study_area import StudyArea

if TYPE_CHECKING:
    from crime_platform.evaluation.candidate import Candidate
    from crime_platform.pipeline.cell_counts import CountReport
    from crime_platform.pipeline.forecast import QuickSkill
    from crime_platform.pipeline.ingest import IngestReport
    from crime_platform.pipeline.segment_counts import SegmentCountReport
    from crime_platform.vocabulary.expiry import Expiry
    from crime_platform.vocabulary.verdict import Verdict

DESCRIPTIONS = {
    "source_files_are_sound": "Rejected rows of every file stay within the limits of [quality]",
    "no_missing_months": "Every month between the first and the last holds incidents",
    "enough_history": "There are enough complete months to back-test and forecast",
    "incidents_reach_a_street": "Incidents of the street area lie near one of its streets",
    "forecast_is_current": "The last step that the forecast describes has not ended yet",
    "skill_over_historical_average": "Mean Poisson deviance below the historical average's",
    "beats_long_run_frequency": "The gate of the streets: deviance and RMSE below the long-run "
    "frequency's on the test days, hit rate at 20 % not below it, bias and totals plausible",
    "beats_historical_average": "The gate: deviance and RMSE below the historical average's, bias "
    "and totals plausible. Only a candidate that passes is published",
}


def spec(area: StudyArea, asset: str, name: str, *, blocking: bool) -> dg.AssetCheckSpec:
    """Declaration of a check that runs in its asset's step."""
    return dg.AssetCheckSpec(
        name=name,
        asset=dg.AssetKey([area.name, asset]),
        description=DESCRIPTIONS[name],
        blocking=blocking,
    )


def _result(
    area: StudyArea,
    asset: str,
    name: str,
    *,
    passed: bool,
    metadata: dict[str, object],
    problem: str = "",
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey([area.name, asset]),
        check_name=name,
        passed=passed,
        severity=severity,
        description=problem or None,
        metadata=clean_metadata(metadata),
    )


def source_files(area: StudyArea, report: "IngestReport") -> dg.AssetCheckResult:
    """Whether every file stayed within the area's quality limits."""
    return _result(
        area,
        "incidents",
        "source_files_are_sound",
        passed=not report.problems,
        problem="\n".join(report.problems),
        metadata={"findings": table_of(report.findings)},
    )


def no_missing_months(area: StudyArea, report: "CountReport") -> dg.AssetCheckResult:
    """Whether a month in the middle is empty."""
    problem = missing_months_problem(area.name, report.missing)
    return _result(
        area,
        "cell_month_count",
        "no_missing_months",
        passed=problem is None,
        problem=problem or "",
        metadata={"missing": [str(month) for month in report.missing]},
    )


def enough_history(area: StudyArea, report: "CountReport") -> dg.AssetCheckResult:
    """Whether there are enough complete months."""
    problem = short_history_problem(
        area,
        n_complete=report.n_complete,
        first=report.first,
        last_complete=report.last_complete,
        unfinished=list(report.record.unfinished.values()),
    )
    return _result(
        area,
        "cell_month_count",
        "enough_history",
        passed=problem is None,
        problem=problem or "",
        metadata={"n_months": report.n_complete},
    )


def reach_a_street(
    area: StudyArea, report: "SegmentCountReport", limit: float
) -> dg.AssetCheckResult:
    """Whether nearly all incidents of the groups in the street area were put on a node."""
    snap = report.snap
    problem = unreached_streets_problem(area.name, snap, limit)
    return _result(
        area,
        "segment_day_count",
        "incidents_reach_a_street",
        passed=problem is None,
        problem=problem or "",
        metadata={"beyond_share": snap.beyond_share, "beyond": snap.n_beyond},
    )


def current(area: StudyArea, asset: str, expiry: "Expiry") -> dg.AssetCheckResult:
    """Whether what was published was expired by then; it warns, since a past month is no fault."""
    now = dt.datetime.now(dt.UTC)
    is_past = expiry.is_past(now)
    return _result(
        area,
        asset,
        "forecast_is_current",
        passed=not is_past,
        severity=dg.AssetCheckSeverity.WARN,
        problem=f"{area.name}: {expiry.expired}" if is_past else "",
        metadata={
            "expiry": expiry.sentence(now),
            "expires at": dg.MetadataValue.timestamp(expiry.at),
        },
    )


def model_skill(area: StudyArea, model: str, skill: "QuickSkill") -> dg.AssetCheckResult:
    """The model's own skill; it warns and never stops the run, since the champion decides."""
    if skill.skipped is not None:
        return _result(
            area,
            model,
            "skill_over_historical_average",
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            problem=skill.skipped,
            metadata={},
        )
    from crime_platform.defs.plots import skill_plot

    return _result(
        area,
        model,
        "skill_over_historical_average",
        passed=skill.pooled > 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "skill": skill.pooled,
            "origins": len(skill.by_origin),
            "plot": skill_plot(skill.by_origin, model=model),
        },
    )


def gate(area: StudyArea, candidate: "Candidate", verdict: "Verdict") -> dg.AssetCheckResult:
    """The stored verdict on the candidate."""
    from crime_platform.defs.plots import skill_plot
    from crime_platform.evaluation.candidate import skill_by_origin

    by_origin = skill_by_origin(candidate.table("backtest_score"), verdict.model)
    return _result(
        area,
        "candidate",
        "beats_historical_average",
        passed=verdict.passed,
        problem="; ".join(verdict.reasons),
        metadata={
            "candidate": verdict.candidate_id,
            "champion": verdict.model,
            "plot": skill_plot(by_origin, model=verdict.model),
            **verdict.figures,
        },
    )


def street_gate(area: StudyArea, verdict: "Verdict") -> dg.AssetCheckResult:
    """The stored verdict on the street candidate."""
    return _result(
        area,
        "street_candidate",
        "beats_long_run_frequency",
        passed=verdict.passed,
        problem="; ".join(verdict.reasons),
        metadata={
            "candidate": verdict.candidate_id,
            "champion": verdict.model,
            **verdict.figures,
        },
    )
