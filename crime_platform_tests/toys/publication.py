"""The smallest candidates that can be published: one row each, with the verdict they need."""

import json

import pandas as pd

from crime_platform.evaluation.candidate import MANIFEST, Candidate
from crime_platform.evaluation.street_candidate import MANIFEST as STREET_MANIFEST
from crime_platform.evaluation.street_candidate import StreetCandidate
from crime_platform.publication.publish import publish
from crime_platform.publication.street_publish import publish_streets
from crime_platform.vocabulary.seal import sealed
from crime_platform.vocabulary.timesteps import parse_month
from crime_platform.vocabulary.verdict import Verdict
from crime_platform.warehouse.warehouse import Warehouse


def tiny_candidate(home, area, month="2021-06", *, passed=True):
    """A judged candidate of one cell."""
    folder = home.artifacts(area) / "candidates" / f"{month}-0{area}"
    manifest = {
        "study_area": area,
        "as_of_month": month,
        "title": area.title(),
        "champion": "ewma",
        "reason": "it is the only one",
        "data_version": "0",
        "git_commit": None,
    }
    rows = {
        "study_area": [area],
        "as_of_month": [pd.Timestamp(month).date()],
        "target_month": [pd.Timestamp(month).date()],
        "lead": [1],
        "cell_id": ["r000c000"],
        "offence_type": ["assault"],
        "model": ["ewma"],
        "is_champion": [True],
        "expected_count": [1.0],
    }
    with sealed(folder) as aside:
        aside.mkdir()
        pd.DataFrame(rows).to_parquet(aside / "cell_forecast.parquet")
        (aside / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    verdict = Verdict(folder.name, "ewma", passed, [], {})
    Warehouse(home.warehouse).record_verdict(area, parse_month(month), verdict)
    return Candidate(folder=folder, manifest=manifest)


def tiny_street_candidate(home, area, day="2021-06-30"):
    """A judged street candidate without rows."""
    folder = home.artifacts(area) / "street_candidates" / f"{day}-0{area}"
    manifest = {
        "study_area": area,
        "as_of_day": day,
        "anchor_day": day,
        "horizon": 7,
        "title": area.title(),
        "champion": "ewma",
        "reason": "it is the only one",
        "data_version": "0",
        "graph_kind": "street",
        "n_segments": 1,
        "street_km": 1.0,
        "n_test_days": 1,
        "git_commit": None,
    }
    with sealed(folder) as aside:
        aside.mkdir()
        (aside / STREET_MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    verdict = Verdict(folder.name, "ewma", True, [], {})
    Warehouse(home.warehouse).record_street_verdict(
        area, pd.Timestamp(day).to_datetime64().astype("datetime64[D]"), verdict
    )
    return StreetCandidate(folder=folder, manifest=manifest)


def publish_area(home, area, month="2021-06"):
    """Publish the tiny candidate of one area."""
    return publish(home, tiny_candidate(home, area, month), run_id=f"run of {area}")


def publish_town(home, area):
    """Publish the tiny street candidate of one area."""
    return publish_streets(home, tiny_street_candidate(home, area), run_id=f"run of {area}")
