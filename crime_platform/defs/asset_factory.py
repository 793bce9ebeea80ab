"""`dg.asset` with what every asset of a study area shares."""

from collections.abc import Callable
from typing import Any

import dagster as dg

from crime_platform.study_area.study_area import StudyArea

Decorator = Callable[[Callable[..., dg.MaterializeResult]], dg.AssetsDefinition]
OWNERS = ["team:crime-platform"]


def area_asset(area: StudyArea, *kinds: str, group: str | None = None, **options: Any) -> Decorator:
    """Decorator of an asset in the area's group, or in one of its own."""
    return dg.asset(
        key_prefix=[area.name],
        group_name=group or area.name,
        owners=OWNERS,
        kinds=set(kinds),
        tags={"study_area": area.name},
        **options,
    )
