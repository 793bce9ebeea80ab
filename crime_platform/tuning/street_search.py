"""One area's search for GLDNet's settings: which days it may see."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from crime_platform.schema.values import GLDNET
from crime_platform.study_area.study_area import load_study_area
from crime_platform.tuning.cell_search import TRIALS_FILE, TuningRequest, tuning_folder
from crime_platform.tuning.findings import SearchReport, read_search
from crime_platform.tuning.report import write_search
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.timesteps import Day, IncompleteDataError, Month

if TYPE_CHECKING:
    from crime_platform.tensors.street_counts import SegmentCounts


ReadStreets = Callable[[PlatformHome, str], "SegmentCounts"]


def tune_streets(
    home: PlatformHome,
    request: TuningRequest,
    *,
    announce: Callable[[str], None] = lambda _: None,
    read: ReadStreets | None = None,
) -> SearchReport:
    """Go on with the search until the budget is spent; table and config are kept up to date.

    Args:
        home: where the area's data and files lie.
        request: area and budget; `as_of` is the month at whose end the evidence ends.
        announce: told what will be done before it begins.
        read: reads the area's counts per segment; those in the warehouse if left out.

    Raises:
        StudyAreaError: if the area has no streets.
        IncompleteDataError: if `as_of` lies after the data, or they are too few or not counted.
        ValueError: if the default cannot be fitted, or another search of it is under way.
    """
    from crime_platform.tuning.street_days import selection_days
    from crime_platform.tuning.streets import StreetBudget, search_streets

    area = load_study_area(home.study_areas / f"{request.study_area}.toml")
    streets = (read or _read_counts)(home, area.name)
    anchor = last_day_of_evidence(streets.days, request.as_of, area.name)
    selection = selection_days(streets, anchor)
    budget = StreetBudget(seconds=request.seconds, **request.given)
    last = selection.split.validation_end
    announce(f"{GLDNET} in {area.title}, days up to {last} of {anchor}: {budget}")
    folder = tuning_folder(home, area.name, GLDNET)
    study = search_streets(
        selection,
        budget,
        folder / TRIALS_FILE,
        on_trial=lambda study: write_search(read_search(study), folder, study_area=area.name),
    )
    return read_search(study)


def last_day_of_evidence(days: np.ndarray, as_of: Month | None, area: str) -> Day:
    """Last day of a month: of `as_of`, or of the newest month that the days hold whole.

    Raises:
        IncompleteDataError: if that month is not whole.
    """
    newest = (days[-1] + 1).astype("datetime64[M]") - 1
    month = newest if as_of is None else as_of
    end = (month + 1).astype("datetime64[D]") - 1
    if not days[0] <= end <= days[-1]:
        # Were it later, its test would begin later, and days of today's test would be seen.
        raise IncompleteDataError(
            f"{area}: {month} does not end within the days counted, {days[0]} to {days[-1]}; "
            "choose another month with --as-of, or leave it out"
        )
    return end


def _read_counts(home: PlatformHome, area: str) -> "SegmentCounts":
    from crime_platform.pipeline.segment_counts import read_segment_counts

    return read_segment_counts(home, area)
