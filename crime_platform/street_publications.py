"""Which street candidates are published, as the release takes them."""

from typing import Any

import numpy as np

from crime_platform.release import StreetPublication
from crime_platform.street_candidate import (
    CANDIDATES,
    read_street_candidate,
    street_release_row,
)
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.warehouse import Warehouse


def street_publications(
    home: PlatformHome,
) -> tuple[list[StreetPublication], list[dict[str, Any]]]:
    """Every published street candidate of every area, and its row of `street_release`.

    Raises:
        ValueError: if a published candidate has no verdict.
    """
    warehouse = Warehouse(home.warehouse)
    published = warehouse.street_publications()
    newest = published.groupby("study_area")["as_of_day"].max().to_dict()
    items, rows = [], []
    for entry in published.to_dict("records"):
        area, candidate_id = str(entry["study_area"]), str(entry["candidate_id"])
        folder = home.artifacts(area) / CANDIDATES / candidate_id
        verdict = warehouse.read_street_verdict(area, candidate_id)
        if verdict is None:
            raise ValueError(
                f"street candidate {candidate_id} of {area} is published without a verdict: "
                "materialise street_candidate of its day again"
            )
        items.append(
            StreetPublication(
                study_area=area,
                as_of_day=np.datetime64(entry["as_of_day"], "D"),
                newest_day=np.datetime64(newest[area], "D"),
                folder=folder,
                run_id=str(entry["run_id"]),
            )
        )
        rows.append(
            {
                **street_release_row(read_street_candidate(folder), verdict),
                "run_id": entry["run_id"],
                "published_at": entry["published_at"],
                "is_latest": entry["as_of_day"] == newest[area],
            }
        )
    return items, rows
