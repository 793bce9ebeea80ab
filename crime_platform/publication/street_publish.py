"""The last step of the streets: a judged candidate becomes part of the published release."""

from pathlib import Path

import numpy as np

from crime_platform.evaluation.street_candidate import StreetCandidate
from crime_platform.pipeline.street_forecast import newest_street_candidate
from crime_platform.publication.area_rows import area_timezone
from crime_platform.publication.publish import rebuild_release, require_passed
from crime_platform.vocabulary.expiry import Expiry, expiry_of
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.timesteps import Day
from crime_platform.warehouse.warehouse import Warehouse

GATE = "beats_long_run_frequency"


def publish_streets(home: PlatformHome, candidate: StreetCandidate, *, run_id: str) -> Path:
    """Publish the candidate: record it, rebuild the release of all areas, swap it in.

    Args:
        home: where the state is.
        candidate: the street candidate of its area and day.
        run_id: Dagster run, kept with the publication.

    Returns:
        The release file that readers now open.

    Raises:
        RefusedError: if there is no passing verdict for exactly this candidate.
    """
    warehouse = Warehouse(home.warehouse)
    area = str(candidate.manifest["study_area"])
    verdict = warehouse.read_street_verdict(area, candidate.candidate_id)
    require_passed(verdict, f"street candidate {candidate.candidate_id} of {area}", GATE)
    as_of = np.datetime64(str(candidate.manifest["as_of_day"]), "D")
    published = warehouse.street_publications()
    is_there = (published["study_area"] == area) & (
        published["candidate_id"] == candidate.candidate_id
    )
    if not is_there.any():
        warehouse.record_street_publication(
            area,
            as_of,
            candidate_id=candidate.candidate_id,
            model=candidate.champion,
            run_id=run_id,
        )
    return rebuild_release(home)


def publish_day(
    home: PlatformHome, area: str, as_of: Day, *, run_id: str
) -> tuple[dict[str, object], Expiry]:
    """Publish what was last built for one area and day; a report on it, and when it expires."""
    candidate = newest_street_candidate(home, area, as_of)
    release = publish_streets(home, candidate, run_id=run_id)
    report: dict[str, object] = {
        "release": release,
        "champion": candidate.champion,
        "candidate": candidate.candidate_id,
        "size, MB": release.stat().st_size / 1e6,
    }
    return report, expiry_of(candidate.last_target, area_timezone(home, area))
