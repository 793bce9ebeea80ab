"""The data of the street branch of one study area, as Dagster assets: graph and daily counts.

They hang on the incidents of the grid branch, and have a group of their own, so that the monthly
run leaves them alone.
"""

import dagster as dg

from crime_platform.defs import checks
from crime_platform.defs.asset_factory import area_asset
from crime_platform.defs.metadata import clean_metadata, preview
from crime_platform.defs.resources import Platform
from crime_platform.study_area.study_area import StudyArea


def street_group(area: StudyArea) -> str:
    """Group of the area's street assets."""
    return f"{area.name}_streets"


def as_of_days(area: StudyArea) -> dg.DailyPartitionsDefinition:
    """Days from which the area's streets can be forecast: the last day that models may know."""
    end = None if area.last_month is None else (area.last_month + 1).astype("datetime64[D]")
    return dg.DailyPartitionsDefinition(
        start_date=str(area.first_street_day),
        end_date=None if end is None else str(end),
        timezone=area.timezone,
    )


def street_data_assets(area: StudyArea) -> list[dg.AssetsDefinition]:
    """Street graph and daily counts of one area; none without `[streets]`."""
    if area.streets is None:
        return []
    incidents = dg.AssetKey([area.name, "incidents"])

    @area_asset(
        area,
        "geopandas",
        "parquet",
        group=street_group(area),
        deps=[incidents],
        pool="warehouse",
        description="Streets between two junctions and which of them touch; without a file of "
        "streets the distinct places of incidents, linked to their neighbours.",
    )
    def street_graph(platform: Platform) -> dg.MaterializeResult:
        from crime_platform.defs.plots import street_graph_plot
        from crime_platform.pipeline.street_graph import build_graph

        report = build_graph(platform.study_area(area.name), platform.home)
        metadata = {**report.facts, "map": street_graph_plot(report.graph)}
        return dg.MaterializeResult(metadata=clean_metadata(metadata))

    @area_asset(
        area,
        "duckdb",
        group=street_group(area),
        deps=[incidents, street_graph],
        pool="warehouse",
        check_specs=[
            checks.spec(area, "segment_day_count", "incidents_reach_a_street", blocking=True)
        ],
        description="Recorded incidents per day, offence group and node of the street graph: "
        "sparse, an absent row is a zero. Incidents near no street are kept with their reason.",
    )
    def segment_day_count(platform: Platform) -> dg.MaterializeResult:
        from crime_platform.defs.plots import month_totals_plot, snap_distance_plot
        from crime_platform.pipeline.segment_counts import count_segments
        from crime_platform.pipeline.street_graph import require_streets

        current = platform.study_area(area.name)
        report = count_segments(current, platform.home)
        metadata = {
            **report.facts,
            "snap distance": snap_distance_plot(report.snap_distance_m),
            "totals": month_totals_plot(report.totals),
            "preview": preview(report.totals.tail()),
        }
        limit = require_streets(current).max_beyond_share
        return dg.MaterializeResult(
            metadata=clean_metadata(metadata),
            check_results=[checks.reach_a_street(area, report, limit)],
        )

    return [street_graph, segment_day_count]
