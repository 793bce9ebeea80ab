"""The data checks as asset checks: they run in their asset's step, warn, and stop nothing."""

from collections.abc import Sequence

import dagster as dg

from crime_platform.data_checks.outcome import Outcome
from crime_platform.defs.metadata import clean_metadata, table_of
from crime_platform.defs.plots import levels_plot
from crime_platform.pipeline.data_checks import DataCheck, run_checks
from crime_platform.study_area.study_area import StudyArea
from crime_platform.vocabulary.home import PlatformHome


def specs(area: StudyArea, asset: str, checks: Sequence[DataCheck]) -> list[dg.AssetCheckSpec]:
    """Declarations of the checks of one asset."""
    key = dg.AssetKey([area.name, asset])
    return [
        dg.AssetCheckSpec(name=check.name, asset=key, description=check.description, blocking=False)
        for check in checks
    ]


def results(
    area: StudyArea, home: PlatformHome, asset: str, checks: Sequence[DataCheck]
) -> list[dg.AssetCheckResult]:
    """Answers of the checks, for the UI."""
    outcomes = run_checks(checks, area, home)
    return [_result(area, asset, name, outcome) for name, outcome in outcomes.items()]


def _result(area: StudyArea, asset: str, name: str, outcome: Outcome) -> dg.AssetCheckResult:
    picture = levels_plot(outcome.series) if outcome.series else None
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey([area.name, asset]),
        check_name=name,
        passed=outcome.passed,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(outcome.problems) or None,
        metadata=clean_metadata(
            {**outcome.figures, "findings": table_of(outcome.rows), "plot": picture}
        ),
    )
