"""Composition root: one Dagster code location with the assets of every study area.

Importing this module must stay fast: no torch, scikit-learn, LightGBM or geopandas on the way.
"""

import logging

import dagster as dg

from crime_platform.defs.assets_dashboard import dashboard_assets
from crime_platform.defs.assets_grid import grid_assets
from crime_platform.defs.assets_street import street_data_assets
from crime_platform.defs.assets_street_models import street_model_assets
from crime_platform.defs.file_sensors import has_given_files, new_files_sensor, new_months_sensor
from crime_platform.defs.resources import Platform
from crime_platform.defs.schedules import ingest_job, monthly_job, monthly_schedule
from crime_platform.defs.sensors import alert_on_failure, lacking_release, repair_job
from crime_platform.defs.street_schedules import daily_schedule, street_job
from crime_platform.study_area.study_area import (
    StudyArea,
    StudyAreaError,
    load_study_area,
    study_area_files,
)
from crime_platform.vocabulary.home import PlatformHome

LOGGER = logging.getLogger(__name__)


def load_areas(home: PlatformHome) -> list[StudyArea]:
    """Every study area whose TOML can be read; the others are logged and left out.

    One bad file must not take the other cities' schedules down. `crime-platform areas` and
    `crime-platform run` show its errors.
    """
    areas = []
    for path in study_area_files(home.study_areas):
        try:
            areas.append(load_study_area(path))
        except StudyAreaError:
            LOGGER.exception("study area left out: %s", path)
    return areas


def build_definitions(home: PlatformHome) -> dg.Definitions:
    """Assets, jobs, schedules and sensors of every area below one home."""
    areas = load_areas(home)
    monthly = {area.name: monthly_job(area) for area in areas}
    ingest = {area.name: ingest_job(area) for area in areas}
    with_streets = [area for area in areas if area.streets is not None]
    daily = {area.name: street_job(area) for area in with_streets}
    repair = repair_job(home)
    return dg.Definitions(
        assets=[
            asset
            for area in areas
            for asset in (
                *grid_assets(area),
                *street_data_assets(area),
                *street_model_assets(area),
                *dashboard_assets(area),
            )
        ],
        jobs=[*monthly.values(), *ingest.values(), *daily.values(), repair],
        schedules=[
            *(monthly_schedule(area, monthly[area.name], home) for area in areas),
            *(daily_schedule(area, daily[area.name], home) for area in with_streets),
        ],
        sensors=[
            alert_on_failure(home),
            lacking_release(repair, home),
            *(
                new_files_sensor(area, ingest[area.name], home)
                for area in areas
                if has_given_files(area)
            ),
            *(new_months_sensor(area, monthly[area.name], home) for area in areas),
        ],
        resources={"platform": Platform(root=str(home.root))},
        executor=dg.multiprocess_executor.configured({"max_concurrent": 2}),
    )


defs = build_definitions(PlatformHome.from_environment())
