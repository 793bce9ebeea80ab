"""Which street candidates are published, as the release takes them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from crime_platform.evaluation.street_candidate import (
    CANDIDATES,
    read_street_candidate,
    street_release_row,
)
from crime_platform.publication.area_rows import area_timezone
from crime_platform.publication.release import StreetPublication, say_left_out
from crime_platform.vocabulary.expiry import expiry_of, release_columns
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.seal import DamagedArtifactError, damage
from crime_platform.warehouse.warehouse import Warehouse


def street_publications(
    home: PlatformHome,
) -> tuple[list[StreetPublication], list[dict[str, Any]]]:
    """Every published street candidate of every area, and its row of `street_release`.

    One whose files or verdict are gone is left out, and said: it must not stop the others.
    """
    warehouse = Warehouse(home.warehouse)
    found = []
    for entry in warehouse.street_publications().to_dict("records"):
        area, candidate_id = str(entry["study_area"]), str(entry["candidate_id"])
        verdict = warehouse.read_street_verdict(area, candidate_id)
        folder = home.artifacts(area) / CANDIDATES / candidate_id
        try:
            candidate = read_street_candidate(folder)
        except (FileNotFoundError, DamagedArtifactError):
            _leave_out(entry, damage(folder) or "its files are gone")
            continue
        if verdict is None:
            _leave_out(entry, "it has no verdict")
            continue
        found.append((entry, candidate, verdict))
    newest = {str(entry["study_area"]): entry["as_of_day"] for entry, _, _ in found}
    items, rows = [], []
    for entry, candidate, verdict in found:
        newest_day = newest[str(entry["study_area"])]
        items.append(
            StreetPublication(
                study_area=str(entry["study_area"]),
                as_of_day=np.datetime64(entry["as_of_day"], "D"),
                newest_day=np.datetime64(newest_day, "D"),
                folder=candidate.folder,
                run_id=str(entry["run_id"]),
            )
        )
        zone = area_timezone(home, str(entry["study_area"]))
        rows.append(
            {
                **street_release_row(candidate, verdict),
                **release_columns(expiry_of(candidate.last_target, zone)),
                "run_id": entry["run_id"],
                "published_at": entry["published_at"],
                "is_latest": entry["as_of_day"] == newest_day,
            }
        )
    return items, rows


def _leave_out(entry: Mapping[Any, Any], problem: str) -> None:
    day = str(entry["as_of_day"])[:10]
    say_left_out(
        str(entry["study_area"]),
        str(entry["candidate_id"]),
        problem,
        options=f"--streets --as-of {day}",
    )
