"""The last step: a candidate with a passing verdict becomes part of the published release.

The verdict is read again here, for exactly this candidate, because a blocking check can be
bypassed by launching the last step alone.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from crime_platform.evaluation.candidate import Candidate, candidate_folder, read_candidate
from crime_platform.evaluation.street_candidate import CANDIDATES
from crime_platform.pipeline.forecast import gather_evidence
from crime_platform.publication.area_rows import area_tables, area_timezone
from crime_platform.publication.release import (
    Publication,
    ReleaseError,
    open_release,
    publish_release,
    release_lock,
    say_left_out,
)
from crime_platform.publication.street_rows import street_publications
from crime_platform.vocabulary.expiry import Expiry, expiry_of, release_columns
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.progress import LOGGER
from crime_platform.vocabulary.seal import DamagedArtifactError, damage
from crime_platform.vocabulary.timesteps import Month
from crime_platform.vocabulary.verdict import Verdict
from crime_platform.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd


GATE = "beats_historical_average"
MONTHLY = "candidates"  # folder below the artifacts of an area, as CANDIDATES is of streets


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


def publish_month(
    home: PlatformHome, area: str, as_of: Month, *, run_id: str
) -> tuple[dict[str, object], Expiry]:
    """Publish what was last built for one area and month; a report on it, and when it expires."""
    evidence = gather_evidence(home, area, as_of)
    candidate = read_candidate(candidate_folder(evidence, home.artifacts(area)))
    release = publish(home, candidate, run_id=run_id)
    report: dict[str, object] = {
        "release": release,
        "champion": candidate.champion,
        "candidate": candidate.candidate_id,
        "size, MB": release.stat().st_size / 1e6,
    }
    return report, expiry_of(candidate.last_target, area_timezone(home, area))


def published_version(home: PlatformHome, area: str, as_of: Month) -> str | None:
    """Data version of the forecast that is published for one area and month; None without one."""
    published = Warehouse(home.warehouse).publications()
    of_month = published["as_of_month"].to_numpy().astype("datetime64[M]") == as_of
    found = published.loc[(published["study_area"] == area) & of_month, "candidate_id"]
    if found.empty:
        return None
    folder = home.artifacts(area) / MONTHLY / str(found.iloc[-1])
    try:
        return str(read_candidate(folder).manifest["data_version"])
    except (FileNotFoundError, DamagedArtifactError):  # to be made anew
        return None


def rebuild_release(home: PlatformHome) -> Path:
    """Build the release of everything published so far, unless it is already in place.

    A publication whose candidate is gone is left out, and said: it must not stop the others.

    Raises:
        ReleaseError: if none is left; the release stays as it is.
    """
    with release_lock(home):
        warehouse = Warehouse(home.warehouse)
        warehouse.add_missing_tables()
        months, rows = _month_publications(home)
        streets, street_rows = street_publications(home)
        if not months and not streets:
            raise ReleaseError(
                f"no published forecast has its files in {home.root / 'artifacts'}: the release "
                "stays as it is. Make the forecasts anew: crime-platform run"
            )
        return publish_release(
            home,
            [*months, *streets],
            _frame(rows) if rows else None,
            quality=warehouse.read("select * from data_quality order by all"),
            checks=warehouse.read("select * from data_check order by study_area, check_name"),
            street_releases=_frame(street_rows) if street_rows else None,
            areas=area_tables(home, [item.study_area for item in (*months, *streets)]),
        )


def missing_publications(home: PlatformHome) -> list[str]:
    """What the warehouse calls published, whose candidate is there, but the release lacks.

    Empty as a rule: a process that was killed between the two steps of a publication leaves one.
    """
    if not home.warehouse.exists():
        return []
    warehouse = Warehouse(home.warehouse)
    recorded = (
        (warehouse.publications(), "as_of_month", MONTHLY),
        (warehouse.street_publications(), "as_of_day", CANDIDATES),
    )
    wanted = {
        f"{entry['study_area']} {str(entry[step])[:10]} ({entry['candidate_id']})"
        for table, step, kind in recorded
        for entry in table.to_dict("records")
        if (home.artifacts(str(entry["study_area"])) / kind / str(entry["candidate_id"])).exists()
    }
    return sorted(wanted - _released(home)) if wanted else []


def _released(home: PlatformHome) -> set[str]:
    try:
        with open_release(home) as connection:
            found = connection.execute(
                "select study_area, as_of_month, candidate_id from release union all "
                "select study_area, as_of_day, candidate_id from street_release"
            ).fetchall()
    except (ReleaseError, duckdb.Error):  # none yet, or one that cannot be read
        return set()
    return {f"{area} {as_of} ({candidate})" for area, as_of, candidate in found}


def repair_release(home: PlatformHome) -> list[str]:
    """Publish what the warehouse calls published but the release lacks; remake a damaged release.

    Returns:
        What was missing and is published now; nothing is written when nothing is missing.
    """
    missing = missing_publications(home)
    is_damaged = home.forecasts.exists() and damage(home.forecasts.resolve()) is not None
    if not missing and not is_damaged:
        return []
    try:
        rebuild_release(home)
    except ReleaseError as nothing_whole:
        LOGGER.warning("%s", nothing_whole)
    still = missing_publications(home)
    repaired = [each for each in missing if each not in still]
    if repaired:
        LOGGER.warning("published now, for the release lacked it: %s", "; ".join(repaired))
    return repaired


def _month_publications(home: PlatformHome) -> tuple[list[Publication], list[dict[str, Any]]]:
    """Every published candidate that is there, and its row of `release`."""
    warehouse = Warehouse(home.warehouse)
    found = []
    for entry in warehouse.publications().to_dict("records"):
        area = str(entry["study_area"])
        folder = home.artifacts(area) / MONTHLY / str(entry["candidate_id"])
        try:
            found.append((entry, read_candidate(folder)))
        except (FileNotFoundError, DamagedArtifactError):
            month = str(entry["as_of_month"])[:7]
            problem = damage(folder) or "its files are gone"
            say_left_out(area, folder.name, problem, options=f"--as-of {month}")
    newest = {str(entry["study_area"]): entry["as_of_month"] for entry, _ in found}
    items, rows = [], []
    for entry, candidate in found:
        area = str(entry["study_area"])
        is_latest = entry["as_of_month"] == newest[area]
        items.append(
            Publication(
                study_area=area,
                as_of_month=str(entry["as_of_month"])[:7],
                folder=candidate.folder,
                run_id=str(entry["run_id"]),
                is_latest=is_latest,
            )
        )
        expiry = expiry_of(candidate.last_target, area_timezone(home, area))
        row = _release_row(warehouse, {**entry, "is_latest": is_latest}, candidate)
        rows.append(row | release_columns(expiry))
    return items, rows


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
