"""The candidate of one month: every model's forecast, all the evidence, and the champion.

A candidate is a folder of Parquet files, one per published table, named by the key of all that
went into it. The gate judges it and the release copies it; neither changes it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crime_platform.candidate_tables import (
    Evidence,
    backtest_rows,
    cell_months,
    cells,
    fusion_rows,
    published_rows,
    write_table,
)
from crime_platform.champion import RECENT_MONTHS, Verdict, choose_champion, judge
from crime_platform.model_runs import (
    FUSION,
    GROUPS,
    ModelRun,
    forecasters,
    read_forecasts,
    read_run,
    run_folder,
)
from crime_platform.scoring import EVER_ACTIVE, OPPONENT, model_skills, score_sums
from crime_platform.vocabulary.artifact import (
    code_version,
    content_key,
    git_commit,
    write_json,
    written_aside,
)
from crime_platform.vocabulary.progress import Progress, report_progress

if TYPE_CHECKING:
    import pandas as pd

MANIFEST = "candidate.json"
CODE = (
    "candidate",
    "candidate_tables",
    "champion",
    "scoring",
    "metrics",
    "models/count_distribution",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A candidate that is ready to be judged."""

    folder: Path
    manifest: dict[str, object]

    @property
    def candidate_id(self) -> str:
        return self.folder.name

    @property
    def champion(self) -> str:
        return str(self.manifest["champion"])

    def table(self, name: str) -> "pd.DataFrame":
        """One of the candidate's published tables."""
        import pandas as pd

        return pd.read_parquet(self.folder / f"{name}.parquet")

    def leaderboard(self) -> list[dict]:
        """Models with their skill one month ahead over the ever active cells, best first."""
        skills = self.table("model_skill")
        rows = skills[(skills["lead"] == 1) & (skills["cell_set"] == EVER_ACTIVE)]
        wanted = ["model", "deviance_skill", "deviance_skill_low", "deviance_skill_high"]
        ranked = rows.sort_values("deviance_skill", ascending=False)[wanted]
        return ranked.to_dict("records")


def skill_by_origin(scores: "pd.DataFrame", model: str) -> "pd.Series":
    """Deviance skill over the historical average at each origin, one month ahead."""
    lead_one = scores[(scores["lead"] == 1) & (scores["cell_set"] == EVER_ACTIVE)]
    sums = lead_one.groupby(["model", "origin_month"])["sum_deviance"].sum()
    return 1 - sums[model] / sums[OPPONENT]


def finished_runs(evidence: Evidence, root: Path) -> list[ModelRun]:
    """Run of every model on exactly these counts.

    Raises:
        FileNotFoundError: if one was not made.
    """
    return [
        read_run(model.name, run_folder(model, evidence.tensor, evidence.plan, root))
        for group in GROUPS
        for model in forecasters(group)
    ]


def candidate_folder(evidence: Evidence, root: Path) -> Path:
    """Where the candidate made of exactly this evidence lies, whether built or not."""
    return _folder(evidence, finished_runs(evidence, root), root)


def _folder(evidence: Evidence, runs: list[ModelRun], root: Path) -> Path:
    key = content_key(
        [f"{run.model}/{run.key}" for run in runs],
        evidence.study_area,
        evidence.month_count.to_json(date_format="iso"),
        repr(evidence.grid),
        code_version(*CODE),
    )
    return root / "candidates" / f"{evidence.plan.as_of}-{key}"


def build_candidate(evidence: Evidence, root: Path) -> Candidate:
    """Score every model, choose the champion and write the published tables.

    Args:
        evidence: counts, grid and plan.
        root: artifacts folder of the area, which holds the model runs.
    """
    runs = finished_runs(evidence, root)
    folder = _folder(evidence, runs, root)
    if not (folder / MANIFEST).exists():
        with written_aside(folder) as aside:
            aside.mkdir()
            _write_tables(aside, evidence, runs)
    return read_candidate(folder)


def read_candidate(folder: Path) -> Candidate:
    """A candidate built earlier.

    Raises:
        FileNotFoundError: if there is none in the folder.
    """
    if not (folder / MANIFEST).exists():
        raise FileNotFoundError(f"no candidate in {folder}: materialise candidate for this month")
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return Candidate(folder=folder, manifest=manifest)


def judge_candidate(candidate: Candidate, evidence: Evidence) -> Verdict:
    """The gate's verdict on a candidate."""
    forecast = candidate.table("cell_forecast")
    totals = forecast[forecast["is_champion"]].groupby("lead")["expected_count"].sum()
    recent = evidence.tensor.counts[-RECENT_MONTHS:].sum(axis=(1, 2, 3), dtype=np.float64)
    return judge(
        candidate.candidate_id,
        candidate.champion,
        candidate.table("backtest_score"),
        forecast_totals=totals.sort_index().to_numpy(dtype=np.float64),
        recent_totals=recent,
    )


def _write_tables(folder: Path, evidence: Evidence, runs: list[ModelRun]) -> None:
    import pandas as pd
    import pyarrow as pa

    truth = evidence.truth
    scored = [run for run in runs if run.skipped is None]
    forecasts, scores, hotspots = {}, [], []
    for done, run in enumerate(scored, start=1):
        forecasts[run.model] = read_forecasts(run)
        errors, hits = score_sums(run.model, forecasts[run.model], truth)
        scores.append(errors)
        hotspots.append(hits)
        report_progress(
            Progress(task="scoring", done=done, total=len(scored), unit="model", detail=run.model)
        )
    score = pd.concat(scores, ignore_index=True)
    choice = choose_champion(score, [run.model for run in runs])
    tables = {
        "backtest_score": score,
        "backtest_hotspot": pd.concat(hotspots, ignore_index=True),
        "model_skill": model_skills(score),
        "cell": cells(evidence),
        "cell_month": cell_months(evidence),
        "month_count": evidence.month_count,
        "model_version": pd.DataFrame([_version(run) for run in runs]),
    }
    for name, table in tables.items():
        write_table(pa.Table.from_pandas(table, preserve_index=False), folder, name, evidence)
    versions = {run.model: _version(run)["model_version"] for run in scored}
    for name, make in (("cell_forecast", published_rows), ("backtest_forecast", backtest_rows)):
        parts = [
            make(model, cube, evidence, str(versions[model]), model == choice.champion)
            for model, cube in forecasts.items()
        ]
        write_table(pa.concat_tables(parts).unify_dictionaries(), folder, name, evidence)
    fusion = [fusion_rows(run, evidence) for run in scored if (run.folder / FUSION).exists()]
    if fusion:
        write_table(
            pa.concat_tables(fusion).unify_dictionaries(), folder, "fusion_weight", evidence
        )
    manifest = {
        "study_area": evidence.study_area,
        "title": evidence.title,
        "as_of_month": str(evidence.plan.as_of),
        "champion": choice.champion,
        "lowest_deviance": choice.lowest_deviance,
        "reason": choice.reason,
        "data_version": evidence.tensor.data_version,
        "git_commit": git_commit(),
        "skipped": {run.model: run.skipped for run in runs if run.skipped is not None},
    }
    write_json(folder / MANIFEST, manifest)


def _version(run: ModelRun) -> dict[str, object]:
    fits: list[dict[str, object]] = run.description["fits"]  # pyright: ignore[reportAssignmentType]
    newest = fits[-1] if fits else {}
    origin = newest.get("origin")
    return {
        "model": run.model,
        "model_version": newest.get("key"),
        "fit_origin": None if origin is None else np.datetime64(str(origin), "D").item(),
        "config": json.dumps(run.description["config"], sort_keys=True),
        "sha256": newest.get("sha256"),
        "parameters": newest.get("parameters"),
        "training_seconds": newest.get("training_seconds"),
        "git_commit": run.description["git_commit"],
        "seed": newest.get("seed"),
        "skipped": run.skipped,
    }
