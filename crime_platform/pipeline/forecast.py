"""One month of one area, step by step: what each Dagster asset of the forecast calls.

A step finds its inputs by name and content, so it can be run alone, again, or after a crash.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crime_platform.evaluation.candidate import (
    Candidate,
    build_candidate,
    candidate_folder,
    judge_candidate,
    read_candidate,
    skill_by_origin,
)
from crime_platform.evaluation.candidate_tables import Evidence
from crime_platform.evaluation.model_catalogue import GROUPS, forecasters
from crime_platform.evaluation.runs import (
    ModelRun,
    read_forecasts,
    read_run,
    run_folder,
    run_model,
)
from crime_platform.evaluation.schedule import BacktestPlan
from crime_platform.evaluation.scores import score_sums
from crime_platform.pipeline.cell_counts import tensor_path
from crime_platform.schema.values import EVER_ACTIVE, HISTORICAL_AVERAGE
from crime_platform.study_area.parts import NOT_COMPLETE
from crime_platform.study_area.study_area import load_study_area
from crime_platform.tensors.grid_counts import read_tensor
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.timesteps import IncompleteDataError, Month
from crime_platform.vocabulary.verdict import Verdict
from crime_platform.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuickSkill:
    """One model's skill over the historical average, one month ahead, ever active cells."""

    pooled: float
    by_origin: "pd.Series"
    skipped: str | None = None


def gather_evidence(home: PlatformHome, area_name: str, as_of: Month) -> Evidence:
    """Counts up to `as_of`, with grid and plan.

    Raises:
        IncompleteDataError: if the data do not reach `as_of`.
    """
    area = load_study_area(home.study_areas / f"{area_name}.toml")
    tensor, grid = read_tensor(tensor_path(home, area_name))
    if not tensor.months[0] <= as_of <= tensor.months[-1]:
        raise IncompleteDataError(
            f"{area_name}: a forecast as of {as_of} needs complete data up to that month; they "
            f"run from {tensor.months[0]} to {tensor.months[-1]}. Add the missing files below "
            f"{home.root}, or choose an earlier month with --as-of"
        )
    warehouse, known = Warehouse(home.warehouse), (area_name, as_of.astype("datetime64[D]").item())
    month_count = warehouse.read(
        "select * exclude (study_area) from month_count "
        "where study_area = ? and month <= ? order by month, offence_type",
        *known,
    )
    notes = warehouse.read(
        "select distinct month, note from month_count where study_area = ? and month >= ? "
        "and note is not null and treatment <> ? order by month desc",
        *known,
        NOT_COMPLETE,  # a month that a release never speaks of, and its note changes daily
    )
    plan = BacktestPlan(
        as_of=as_of,
        n_origins=area.backtest.n_origins,
        n_selection=area.backtest.n_selection,
        refit_every=area.backtest.refit_every,
        horizon=area.backtest.horizon,
    )
    return Evidence(
        study_area=area_name,
        title=area.title,
        tensor=tensor.cut_at(as_of),
        grid=grid,
        plan=plan,
        month_count=month_count,
        month_revision=warehouse.read(
            "select * exclude (study_area) from month_revision where study_area = ? "
            "and month <= ? order by all",
            *known,
        ),
        last_month_note="; ".join(notes["note"]),
        incumbent=_published_before(home, area_name, as_of),
    )


def _published_before(home: PlatformHome, area_name: str, as_of: Month) -> str | None:
    """Champion of the newest month before `as_of` that was published; None without one."""
    rows = Warehouse(home.warehouse).publications()
    earlier = rows["as_of_month"].to_numpy().astype("datetime64[M]") < as_of
    models = rows.loc[(rows["study_area"] == area_name) & earlier, "model"]
    return None if models.empty else str(models.iloc[-1])


def run_group(
    home: PlatformHome, area_name: str, as_of: Month, group: str
) -> list[dict[str, object]]:
    """Back-test and forecast with every model of one group; one row per model for the UI."""
    evidence = gather_evidence(home, area_name, as_of)
    root = home.artifacts(area_name)
    runs = [run_model(model, evidence.tensor, evidence.plan, root) for model in forecasters(group)]
    return [_row(run) for run in runs]


def _row(run: ModelRun) -> dict[str, object]:
    fits: list[dict] = run.description["fits"]  # pyright: ignore[reportAssignmentType]
    return {
        "model": run.model,
        "fits": len(fits),
        "parameters": fits[-1].get("n_parameters") if fits else None,
        "training_seconds": sum(fit.get("training_seconds") or 0.0 for fit in fits),
        "skipped": run.skipped or "",
        "folder": str(run.folder),
    }


def quick_skill(home: PlatformHome, area_name: str, as_of: Month, model: str) -> QuickSkill:
    """Skill of one model that has run, against the historical average that ran before it."""
    evidence = gather_evidence(home, area_name, as_of)
    root = home.artifacts(area_name)
    by_name = {each.name: each for group in GROUPS for each in forecasters(group)}
    tables = []
    for name in (HISTORICAL_AVERAGE, model):
        run = read_run(name, run_folder(by_name[name], evidence.tensor, evidence.plan, root))
        if run.skipped is not None:
            import pandas as pd

            return QuickSkill(pooled=np.nan, by_origin=pd.Series(), skipped=run.skipped)
        first = evidence.plan.first_test_origin
        scored = score_sums(name, read_forecasts(run), evidence.truth, first_test_origin=first)
        tables.append(scored.backtest_score)
    import pandas as pd

    scores = pd.concat(tables)
    is_scored = ~scores["is_selection"] & (scores["lead"] == 1)
    lead_one = scores[is_scored & (scores["cell_set"] == EVER_ACTIVE)]
    sums = lead_one.groupby("model")["sum_deviance"].sum()
    return QuickSkill(
        pooled=float(1 - sums[model] / sums[HISTORICAL_AVERAGE]),
        by_origin=skill_by_origin(scores, model),
    )


def report_month(home: PlatformHome, area_name: str, as_of: Month) -> dict[str, object]:
    """Write the report and the model card of the month's candidate; plots for the UI."""
    from crime_platform.reporting.paths import report_folder
    from crime_platform.reporting.report import key_plots, write_report

    evidence = gather_evidence(home, area_name, as_of)
    candidate = read_candidate(candidate_folder(evidence, home.artifacts(area_name)))
    area = load_study_area(home.study_areas / f"{area_name}.toml")
    quality = Warehouse(home.warehouse).read(
        "select * from data_quality where study_area = ? order by all", area_name
    )
    folder = report_folder(home, area_name, as_of)
    paths = write_report(candidate, area, folder, quality=quality)
    return {"report": paths.report, "model card": paths.model_card, **key_plots(candidate)}


def build_and_judge(home: PlatformHome, area_name: str, as_of: Month) -> tuple[Candidate, Verdict]:
    """Build the candidate, judge it and store the verdict that `published` reads again."""
    evidence = gather_evidence(home, area_name, as_of)
    candidate = build_candidate(evidence, home.artifacts(area_name))
    verdict = judge_candidate(candidate, evidence)
    Warehouse(home.warehouse).record_verdict(area_name, as_of, verdict)
    return candidate, verdict
