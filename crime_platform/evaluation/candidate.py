"""The candidate of one month: every model's forecast, all the evidence, and the champion.

A candidate is a folder of Parquet files, one per published table, named by the key of all that
went into it. The gate judges it and the release copies it; neither changes it.
"""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crime_platform.evaluation.candidate_tables import (
    Evidence,
    backtest_rows,
    cell_months,
    cells,
    champion_rows,
    fusion_rows,
    published_rows,
    write_frame,
    write_table,
)
from crime_platform.evaluation.contest import MIN_POOLED, Contest, hold_contest
from crime_platform.evaluation.model_catalogue import GROUPS, POOLED, forecasters
from crime_platform.evaluation.runs import FUSION, ModelRun, read_forecasts, read_run, run_folder
from crime_platform.evaluation.scores import score_sums
from crime_platform.evaluation.selection import POLICY, RECENT_MONTHS, judge
from crime_platform.evaluation.skill import distribution_choices, model_skills, turn_tables
from crime_platform.schema.values import ENSEMBLE, EVER_ACTIVE, HISTORICAL_AVERAGE
from crime_platform.vocabulary.artifact import content_key, git_commit, write_json
from crime_platform.vocabulary.code_version import code_version
from crime_platform.vocabulary.progress import Progress, report_progress
from crime_platform.vocabulary.seal import is_whole, require_whole, sealed
from crime_platform.vocabulary.timesteps import Month, parse_month
from crime_platform.vocabulary.verdict import Verdict

if TYPE_CHECKING:
    import pandas as pd

MANIFEST = "candidate.json"


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

    @property
    def last_target(self) -> Month:
        """Last month that the candidate forecasts."""
        as_of = parse_month(str(self.manifest["as_of_month"]))
        if "horizon" in self.manifest:
            return as_of + int(str(self.manifest["horizon"]))
        # A candidate of an earlier version of the platform says it in its rows alone.
        import pyarrow.parquet as pq

        leads = pq.read_table(self.folder / "cell_forecast.parquet", columns=["lead"])["lead"]
        return as_of + int(leads.to_numpy().max())

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
    is_scored = ~scores["is_selection"] & (scores["lead"] == 1)
    lead_one = scores[is_scored & (scores["cell_set"] == EVER_ACTIVE)]
    sums = lead_one.groupby(["model", "origin_month"])["sum_deviance"].sum()
    return 1 - sums[model] / sums[HISTORICAL_AVERAGE]


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
        evidence.month_revision.to_json(date_format="iso"),
        evidence.last_month_note,
        evidence.incumbent,
        repr(evidence.grid),
        code_version(__name__),
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
    if not is_whole(folder, needs=MANIFEST):
        with sealed(folder) as aside:
            aside.mkdir()
            _write_tables(aside, evidence, runs)
    return read_candidate(folder)


def read_candidate(folder: Path) -> Candidate:
    """A candidate built earlier.

    Raises:
        FileNotFoundError: if there is none in the folder.
        DamagedArtifactError: if a file of it is not as it was written.
    """
    if not (folder / MANIFEST).exists():
        raise FileNotFoundError(f"no candidate in {folder}: materialise candidate for this month")
    require_whole(folder)
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

    scored = [run for run in runs if run.skipped is None]
    models = {run.model: read_forecasts(run) for run in scored}
    types = evidence.tensor.offence_types
    contest = hold_contest(models, evidence.tensor.history, types, incumbent=evidence.incumbent)
    tables = _score_tables(contest, evidence)
    tables |= {
        "cell": cells(evidence),
        "cell_month": cell_months(evidence),
        "month_count": evidence.month_count,
        "month_revision": evidence.month_revision,
        "model_version": pd.DataFrame([*map(_version, runs), _ensemble_version(contest, runs)]),
        "champion_history": champion_rows(contest.decisions, evidence),
    }
    if contest.weights is not None:
        tables["ensemble_weight"] = contest.weights
    for name, table in tables.items():
        write_frame(table, folder, name, evidence)
    _write_forecasts(folder, evidence, contest, tables["model_version"])
    _write_fusion(folder, evidence, scored)
    decision, plan = contest.decision, evidence.plan
    manifest = {
        "study_area": evidence.study_area,
        "title": evidence.title,
        "as_of_month": str(plan.as_of),
        "horizon": plan.horizon,
        "champion": decision.champion,
        "lowest_deviance": decision.lowest_deviance,
        "reason": decision.reason,
        "data_version": evidence.tensor.data_version,
        "last_month_note": evidence.last_month_note,
        "n_vintage_origins": len(evidence.tensor.vintages.keys() & set(plan.test_origins)),
        "git_commit": git_commit(),
        "skipped": {run.model: run.skipped for run in runs if run.skipped is not None},
    }
    write_json(folder / MANIFEST, manifest)


def _score_tables(contest: Contest, evidence: Evidence) -> "dict[str, pd.DataFrame]":
    """Every table that follows from forecasts and counts: scores, spread, turns."""
    import pandas as pd

    parts: dict[str, list[pd.DataFrame]] = {}
    first = evidence.plan.first_test_origin
    for done, (model, rolling) in enumerate(contest.forecasts.items(), start=1):
        sums = score_sums(model, rolling, evidence.truth, first_test_origin=first)
        for field in fields(sums):
            parts.setdefault(field.name, []).append(getattr(sums, field.name))
        report_progress(
            Progress(
                task="scoring", done=done, total=len(contest.forecasts), unit="model", detail=model
            )
        )
    tables = {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items()}
    scores = tables["backtest_score"]
    baselines = [model.name for model in forecasters("baselines")]
    tables["model_skill"] = model_skills(scores, baselines)
    tables["turning_month"], tables["model_turn"] = turn_tables(scores, evidence.tensor.history)
    choices = [distribution_choices(model, tried) for model, tried in contest.spreads.items()]
    filled = [rows for rows in choices if len(rows)]
    tables["distribution_choice"] = pd.concat(filled) if filled else choices[0]
    return tables


def _write_forecasts(
    folder: Path, evidence: Evidence, contest: Contest, versions: "pd.DataFrame"
) -> None:
    """What is published, and what the back-test said; the policy has rows in the latter only."""
    import pyarrow as pa

    key = dict(zip(versions["model"], versions["model_version"], strict=True))
    champion = contest.decision.champion
    published = [
        published_rows(model, rolling, evidence, str(key[model]), model == champion)
        for model, rolling in contest.forecasts.items()
        if model != POLICY
    ]
    tested = [
        backtest_rows(model, rolling, evidence) for model, rolling in contest.forecasts.items()
    ]
    for name, parts in (("cell_forecast", published), ("backtest_forecast", tested)):
        write_table(pa.concat_tables(parts).unify_dictionaries(), folder, name, evidence)


def _write_fusion(folder: Path, evidence: Evidence, runs: list[ModelRun]) -> None:
    import pyarrow as pa

    fusion = [fusion_rows(run, evidence) for run in runs if (run.folder / FUSION).exists()]
    if fusion:
        table = pa.concat_tables(fusion).unify_dictionaries()
        write_table(table, folder, "fusion_weight", evidence)


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
        "parameters": newest.get("n_parameters"),
        "training_seconds": newest.get("training_seconds"),
        "git_commit": run.description["git_commit"],
        "seed": 0 if newest.get("sha256") else None,
        "skipped": run.skipped,
    }


def _ensemble_version(contest: Contest, runs: list[ModelRun]) -> dict[str, object]:
    """The ensemble's newest weights stand for its configuration; its members have versions."""
    members = [run for run in runs if run.model in POOLED and run.skipped is None]
    version = content_key([run.key for run in members])
    row: dict[str, object] = {"model": ENSEMBLE, "model_version": version}
    if contest.weights is None:
        return row | {"skipped": f"fewer than {MIN_POOLED} of {', '.join(POOLED)} could run"}
    newest = contest.weights["origin_month"] == contest.weights["origin_month"].max()
    mean = contest.weights[newest].groupby("member")["weight"].mean()
    described = {"mean_weight": {name: round(float(w), 4) for name, w in mean.items()}}
    return row | {
        "fit_origin": contest.weights["origin_month"].max(),
        "config": json.dumps(described, sort_keys=True),
        "git_commit": git_commit(),
    }
