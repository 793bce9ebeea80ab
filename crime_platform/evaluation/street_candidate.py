"""The street candidate of one day: forecasts per segment, all the evidence, and the champion.

A candidate is a folder of Parquet files, one per published table, named by the key of all that
went into it. The gate judges it and the release copies it; neither changes it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crime_platform.evaluation.selection import Choice
from crime_platform.evaluation.street_candidate_tables import (
    StreetEvidence,
    curve_rows,
    forecast_rows,
    segment_days,
    segments,
    version_row,
    write_street_frame,
    write_street_table,
)
from crime_platform.evaluation.street_gate import RECENT_DAYS, choose_street_champion, judge_streets
from crime_platform.evaluation.street_runs import StreetRun
from crime_platform.evaluation.street_scores import StreetScores, score_street_run
from crime_platform.evaluation.street_skill import street_evidence
from crime_platform.geography.street_graph import SEGMENT
from crime_platform.schema.values import ANY, GLDNET, LONG_RUN_FREQUENCY, TEST
from crime_platform.vocabulary.artifact import content_key, git_commit, write_json
from crime_platform.vocabulary.code_version import code_version
from crime_platform.vocabulary.progress import Progress, report_progress
from crime_platform.vocabulary.seal import is_whole, require_whole, sealed
from crime_platform.vocabulary.timesteps import Day
from crime_platform.vocabulary.verdict import Verdict

if TYPE_CHECKING:
    import pandas as pd

CANDIDATES = "street_candidates"  # folder below the artifacts of an area
MANIFEST = "candidate.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetCandidate:
    """A street candidate that is ready to be judged."""

    folder: Path
    manifest: dict[str, object]

    @property
    def candidate_id(self) -> str:
        return self.folder.name

    @property
    def champion(self) -> str:
        return str(self.manifest["champion"])

    @property
    def last_target(self) -> Day:
        """Last day that the candidate forecasts."""
        return np.datetime64(str(self.manifest["as_of_day"]), "D") + int(
            str(self.manifest["horizon"])
        )

    def table(self, name: str) -> "pd.DataFrame":
        """One of the candidate's published tables."""
        import pandas as pd

        return pd.read_parquet(self.folder / f"{name}.parquet")

    def leaderboard(self) -> "pd.DataFrame":
        """Skill and hit rates one day ahead on the test days, all groups, best model first."""
        skills = self.table("street_skill")
        of_test = (skills["part"] == TEST) & (skills["lead"] == 1)
        rows = skills[of_test & (skills["offence_group"] == ANY)]
        return rows.sort_values("deviance").reset_index(drop=True)


def street_candidate_folder(
    evidence: StreetEvidence, runs: Sequence[StreetRun], root: Path
) -> Path:
    """Where the candidate made of exactly this lies, whether built or not."""
    key = content_key(
        [f"{run.model}/{run.key}" for run in runs],
        evidence.study_area,
        evidence.title,
        evidence.incumbent,
        code_version(__name__),
    )
    return root / CANDIDATES / f"{evidence.plan.as_of}-{key}"


def build_street_candidate(
    evidence: StreetEvidence, runs: Sequence[StreetRun], root: Path
) -> StreetCandidate:
    """Score every model, choose the champion and write the published tables.

    Args:
        evidence: counts and plan, those of the runs.
        runs: of every model, simplest first.
        root: artifacts folder of the area.

    Raises:
        ValueError: if the long-run frequency did not run: there is no skill without it.
    """
    folder = street_candidate_folder(evidence, runs, root)
    if not is_whole(folder, needs=MANIFEST):
        with sealed(folder) as aside:
            aside.mkdir()
            _write_tables(aside, evidence, runs)
    return read_street_candidate(folder)


def read_street_candidate(folder: Path) -> StreetCandidate:
    """A candidate built earlier.

    Raises:
        FileNotFoundError: if there is none in the folder.
        DamagedArtifactError: if a file of it is not as it was written.
    """
    if not (folder / MANIFEST).exists():
        raise FileNotFoundError(
            f"no street candidate in {folder}: materialise street_candidate for this day"
        )
    require_whole(folder)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return StreetCandidate(folder=folder, manifest=manifest)


def judge_street_candidate(candidate: StreetCandidate, evidence: StreetEvidence) -> Verdict:
    """The gate's verdict on a street candidate."""
    forecast = candidate.table("segment_forecast")
    totals = forecast[forecast["is_champion"]].groupby("lead")["expected_count"].sum()
    recent = evidence.known.history.counts[-RECENT_DAYS:].sum(axis=(1, 2), dtype=np.float64)
    return judge_streets(
        candidate.candidate_id,
        candidate.champion,
        candidate.table("street_score"),
        candidate.table("street_hotspot"),
        forecast_totals=totals.sort_index().to_numpy(dtype=np.float64),
        recent_totals=recent,
    )


def street_release_row(candidate: StreetCandidate, verdict: Verdict) -> dict[str, object]:
    """What `street_release` says of a candidate; who publishes adds run_id, when and is_latest."""
    told = dict(candidate.manifest)
    of_table = ("study_area", "as_of_day", "anchor_day", "title", "champion", "data_version")
    of_graph = ("graph_kind", "n_segments", "street_km", "n_test_days", "git_commit")
    return {
        **{name: told[name] for name in (*of_table, *of_graph)},
        "champion_reason": told["reason"],
        "candidate_id": candidate.candidate_id,
        "deviance_skill": verdict.figures.get("deviance skill, lead 1"),
        "hit_rate_20": verdict.figures.get("hit rate at 20 %, lead 1"),
        "bias_share": verdict.figures.get("bias, lead 1"),
    }


def _write_tables(folder: Path, evidence: StreetEvidence, runs: Sequence[StreetRun]) -> None:
    import pandas as pd

    scored = [run for run in runs if run.skipped is None]
    scores = {run.model: each for run, each in _scored(scored, evidence)}
    baselines = [run.model for run in scored if not run.is_network]
    skills, curves = street_evidence(scores, baselines)
    choice = choose_street_champion(
        {model: each.rows for model, each in scores.items()},
        [run.model for run in runs],
        incumbent=evidence.incumbent,
    )
    known = evidence.known
    tables = {
        "segment": segments(known),
        "segment_day": segment_days(known),
        "street_score": pd.concat([each.rows for each in scores.values()], ignore_index=True),
        "street_hotspot": pd.concat(
            [each.hotspot_rows() for each in scores.values()], ignore_index=True
        ),
        "street_skill": skills,
        "street_curve": curves,
        "street_model_version": pd.DataFrame([version_row(run) for run in runs]),
    }
    if epochs := [row for run in runs for row in curve_rows(run)]:
        tables["street_training_curve"] = pd.DataFrame(epochs)
    for name, table in tables.items():
        write_street_frame(table, folder, name, evidence)
    _write_forecasts(folder, evidence, scored, choice)
    write_json(folder / MANIFEST, _manifest(evidence, runs, choice))


def _scored(
    runs: Sequence[StreetRun], evidence: StreetEvidence
) -> Iterator[tuple[StreetRun, StreetScores]]:
    task, total = "street scoring", len(runs)
    for done, run in enumerate(runs, start=1):
        yield run, score_street_run(run, evidence.counts, evidence.plan)
        report_progress(Progress(task=task, done=done, total=total, unit="model", detail=run.model))


def _write_forecasts(
    folder: Path, evidence: StreetEvidence, scored: Sequence[StreetRun], choice: Choice
) -> None:
    """Forecasts of the champion, of the one it is judged against and of the network.

    All models would make the largest table several times as large for rows that nobody acts on.
    """
    import pyarrow as pa

    known = evidence.known
    version = known.data_version
    rows = [
        forecast_rows(run, known, version, is_champion=run.model == choice.champion)
        for run in scored
        if run.model in {choice.champion, LONG_RUN_FREQUENCY, GLDNET}
    ]
    table = pa.concat_tables(rows).unify_dictionaries()
    write_street_table(table, folder, "segment_forecast", evidence)


def _manifest(
    evidence: StreetEvidence, runs: Sequence[StreetRun], choice: Choice
) -> dict[str, object]:
    plan, known = evidence.plan, evidence.known
    graph = known.graph
    return {
        "study_area": evidence.study_area,
        "title": evidence.title,
        "as_of_day": str(plan.as_of),
        "anchor_day": str(plan.anchor),
        "horizon": plan.horizon,
        "champion": choice.champion,
        "lowest_deviance": choice.lowest_deviance,
        "reason": choice.reason,
        "data_version": known.data_version,
        "offence_groups": list(known.offence_groups),
        "graph_kind": graph.kind,
        "n_segments": graph.n_nodes,
        "street_km": float(graph.extent.sum()) if graph.kind == SEGMENT else None,
        "n_test_days": int(plan.split(known.days[0]).test_days.size),
        "git_commit": git_commit(),
        "skipped": {run.model: run.skipped for run in runs if run.skipped is not None},
    }
