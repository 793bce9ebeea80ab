"""The last step: a candidate with a passing verdict becomes part of the published release.

The verdict is read again here, for exactly this candidate, because a blocking check can be
bypassed by launching the last step alone.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crime_platform.area_publications import area_tables
from crime_platform.candidate import Candidate, candidate_folder, read_candidate
from crime_platform.forecasting import gather_evidence
from crime_platform.release import AnyPublication, Publication, publish_release
from crime_platform.street_publications import street_publications
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.timesteps import Month
from crime_platform.vocabulary.verdict import Verdict
from crime_platform.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd


GATE = "beats_historical_average"


class RefusedError(ValueError):
    """A candidate that may not be published."""


def require_passed(verdict: Verdict | None, candidate: str, check: str) -> None:
    """Refuse a candidate without a passing verdict.

    Args:
        verdict: the stored one on exactly this candidate.
        candidate: what it is called in the message.
        check: that judges it.

    Raises:
        RefusedError: if it was never judged, or did not pass.
    """
    if verdict is None:
        raise RefusedError(
            f"{candidate} was never judged: run the check {check} on it (it runs with the "
            "candidate). Nothing was published."
        )
    if not verdict.passed:
        raise RefusedError(
            f"{candidate} was refused: {'; '.join(verdict.reasons)}. The last release stays."
        )


def publish(home: PlatformHome, candidate: Candidate, *, run_id: str) -> Path:
    """Publish the candidate: record it, rebuild the release of all areas, swap it in.

    Args:
        home: where the state is.
        candidate: the candidate of this area and month.
        run_id: Dagster run, kept with the publication.

    Returns:
        The release file that readers now open.

    Raises:
        RefusedError: if there is no passing verdict for exactly this candidate.
    """
    warehouse = Warehouse(home.warehouse)
    area = str(candidate.manifest["study_area"])
    verdict = warehouse.read_verdict(area, candidate.candidate_id)
    require_passed(verdict, f"candidate {candidate.candidate_id} of {area}", GATE)
    as_of = np.datetime64(str(candidate.manifest["as_of_month"]), "M")
    if not _is_published(warehouse, area, candidate.candidate_id):
        warehouse.record_publication(
            area,
            as_of,
            candidate_id=candidate.candidate_id,
            model=candidate.champion,
            run_id=run_id,
        )
    return rebuild_release(home)


def publish_month(home: PlatformHome, area: str, as_of: Month, *, run_id: str) -> dict[str, object]:
    """Publish what was last built for one area and month, and report on the release."""
    evidence = gather_evidence(home, area, as_of)
    candidate = read_candidate(candidate_folder(evidence, home.artifacts(area)))
    release = publish(home, candidate, run_id=run_id)
    return {
        "release": release,
        "champion": candidate.champion,
        "candidate": candidate.candidate_id,
        "size, MB": release.stat().st_size / 1e6,
    }


def published_version(home: PlatformHome, area: str, as_of: Month) -> str | None:
    """Data version of the forecast that is published for one area and month; None without one."""
    published = Warehouse(home.warehouse).publications()
    of_month = published["as_of_month"].to_numpy().astype("datetime64[M]") == as_of
    found = published.loc[(published["study_area"] == area) & of_month, "candidate_id"]
    if found.empty:
        return None
    folder = home.artifacts(area) / "candidates" / str(found.iloc[-1])
    return str(read_candidate(folder).manifest["data_version"])


def rebuild_release(home: PlatformHome) -> Path:
    """Build the release of everything published so far, unless it is already in place."""
    warehouse = Warehouse(home.warehouse)
    published = warehouse.publications()
    latest = published.groupby("study_area")["as_of_month"].transform("max")
    published["is_latest"] = published["as_of_month"] == latest
    items: list[AnyPublication] = []
    rows = []
    for entry in published.to_dict("records"):
        area = str(entry["study_area"])
        folder = home.artifacts(area) / "candidates" / str(entry["candidate_id"])
        items.append(
            Publication(
                study_area=area,
                as_of_month=str(entry["as_of_month"])[:7],
                folder=folder,
                run_id=str(entry["run_id"]),
                is_latest=bool(entry["is_latest"]),
            )
        )
        rows.append(_release_row(warehouse, entry, read_candidate(folder)))
    streets, street_rows = street_publications(home)
    warehouse.add_missing_tables()
    return publish_release(
        home,
        [*items, *streets],
        _frame(rows) if rows else None,
        quality=warehouse.read("select * from data_quality order by all"),
        checks=warehouse.read("select * from data_check order by study_area, check_name"),
        street_releases=_frame(street_rows) if street_rows else None,
        areas=area_tables(home, [item.study_area for item in (*items, *streets)]),
    )


def _is_published(warehouse: Warehouse, area: str, candidate_id: str) -> bool:
    published = warehouse.publications()
    return bool(
        ((published["study_area"] == area) & (published["candidate_id"] == candidate_id)).any()
    )


def _release_row(warehouse: Warehouse, entry: dict, candidate: Candidate) -> dict[str, object]:
    verdict = warehouse.read_verdict(str(entry["study_area"]), candidate.candidate_id)
    figures = {} if verdict is None else verdict.figures
    return {
        "study_area": entry["study_area"],
        "as_of_month": entry["as_of_month"],
        "title": candidate.manifest["title"],
        "champion": candidate.champion,
        "champion_reason": candidate.manifest["reason"],
        "candidate_id": candidate.candidate_id,
        "deviance_skill": figures.get("deviance skill of the chosen model, lead 1"),
        "rmse_skill": figures.get("rmse skill of the chosen model, lead 1"),
        "bias_share": figures.get("bias of the chosen model, lead 1"),
        "policy_deviance_skill": figures.get("deviance skill, lead 1"),
        "policy_rmse_skill": figures.get("rmse skill, lead 1"),
        "policy_bias_share": figures.get("bias, lead 1"),
        "data_version": candidate.manifest["data_version"],
        # A candidate that an earlier version of the platform published says neither.
        "last_month_note": candidate.manifest.get("last_month_note"),
        "n_vintage_origins": candidate.manifest.get("n_vintage_origins"),
        "git_commit": candidate.manifest["git_commit"],
        "run_id": entry["run_id"],
        "published_at": entry["published_at"],
        "is_latest": entry["is_latest"],
    }


def _frame(rows: list[dict[str, object]]) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(rows)
