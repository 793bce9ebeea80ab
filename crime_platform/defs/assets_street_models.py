"""The forecast of one study area's streets, as Dagster assets: models to published tables.

Every asset reads, calls one function of the street pipeline, and reports.
"""

import dagster as dg

from crime_platform.defs import checks
from crime_platform.defs.asset_factory import area_asset
from crime_platform.defs.assets_grid import TRAINING_POOL
from crime_platform.defs.assets_street import as_of_days, street_group
from crime_platform.defs.metadata import clean_metadata, column_schema, table_of
from crime_platform.defs.resources import Platform
from crime_platform.study_area.study_area import StudyArea


def street_model_assets(area: StudyArea) -> list[dg.AssetsDefinition]:
    """Baselines, GLDNet, candidate and publication of one area's streets; none without any."""
    if area.streets is None:
        return []
    return [*_models(area), *_release(area)]


def _models(area: StudyArea) -> list[dg.AssetsDefinition]:
    days = as_of_days(area)
    counts = dg.AssetKey([area.name, "segment_day_count"])

    @area_asset(
        area,
        "python",
        group=street_group(area),
        deps=[counts],
        partitions_def=days,
        pool=TRAINING_POOL,
        description="Evidence and forecast of every street baseline; long_run_frequency is the "
        "gate's opponent.",
    )
    def street_baselines(
        context: dg.AssetExecutionContext, platform: Platform
    ) -> dg.MaterializeResult:
        from crime_platform.pipeline.street_forecast import (
            BASELINES,
            parse_day,
            run_rows,
            run_street_group,
        )

        day = parse_day(context.partition_key)
        runs = run_street_group(platform.home, area.name, day, BASELINES)
        return dg.MaterializeResult(metadata=clean_metadata({"runs": table_of(run_rows(runs))}))

    @area_asset(
        area,
        "pytorch",
        group=street_group(area),
        deps=[counts],
        partitions_def=days,
        pool=TRAINING_POOL,
        description="GLDNet: gated layers over the lookback, diffusion along the streets. Poisson "
        "likelihood on the log-ratio to an EWMA base rate. Trained anew when a month has ended or "
        "counts were revised, else only run forward by a day.",
    )
    def gldnet(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
        from crime_platform.defs.street_plots import training_plot
        from crime_platform.pipeline.street_forecast import (
            GLDNET,
            parse_day,
            run_rows,
            run_street_group,
            training_curves,
        )

        day = parse_day(context.partition_key)
        runs = run_street_group(platform.home, area.name, day, GLDNET)
        curves = training_curves(runs)
        metadata = {
            "runs": table_of(run_rows(runs)),
            "training": training_plot(curves) if curves else None,
        }
        return dg.MaterializeResult(metadata=clean_metadata(metadata))

    return [street_baselines, gldnet]


def _release(area: StudyArea) -> list[dg.AssetsDefinition]:
    days = as_of_days(area)
    models = [dg.AssetKey([area.name, name]) for name in ("street_baselines", "gldnet")]

    @area_asset(
        area,
        "python",
        "parquet",
        group=street_group(area),
        deps=models,
        partitions_def=days,
        check_specs=[
            checks.spec(area, "street_candidate", "beats_long_run_frequency", blocking=True)
        ],
        description="Every street model scored on the test days, the champion chosen on the "
        "validation days, and the tables that would be published.",
    )
    def street_candidate(
        context: dg.AssetExecutionContext, platform: Platform
    ) -> dg.MaterializeResult:
        from crime_platform.defs.street_plots import hit_rate_plot
        from crime_platform.pipeline.street_forecast import build_and_judge_streets, parse_day

        day = parse_day(context.partition_key)
        made, verdict = build_and_judge_streets(platform.home, area.name, day)
        shown = ["model", "deviance_skill", "deviance_skill_low", "deviance_skill_high"]
        shown += ["hit_rate_5", "hit_rate_10", "hit_rate_20"]
        board = made.leaderboard()
        metadata = {
            "champion": made.champion,
            "why": made.manifest["reason"],
            "candidate": made.candidate_id,
            "folder": made.folder,
            "dagster/column_schema": column_schema("segment_forecast"),
            "leaderboard": table_of(board[shown].to_dict("records")),
            "hit rate": hit_rate_plot(made.table("street_curve"), made.champion),
        }
        return dg.MaterializeResult(
            metadata=clean_metadata(metadata), check_results=[checks.street_gate(area, verdict)]
        )

    @area_asset(
        area,
        "duckdb",
        group=street_group(area),
        deps=[street_candidate],
        partitions_def=days,
        pool="warehouse",
        check_specs=[checks.spec(area, "street_published", "forecast_is_current", blocking=False)],
        description="The street candidate in `forecasts.duckdb`, if the stored verdict lets it "
        "pass; else the last release stays.",
    )
    def street_published(
        context: dg.AssetExecutionContext, platform: Platform
    ) -> dg.MaterializeResult:
        from crime_platform.pipeline.street_forecast import parse_day
        from crime_platform.publication.publish import RefusedError
        from crime_platform.publication.street_publish import publish_day

        day = parse_day(context.partition_key)
        try:
            report, expiry = publish_day(platform.home, area.name, day, run_id=context.run.run_id)
        except RefusedError as refusal:
            raise dg.Failure(str(refusal), allow_retries=False) from refusal
        return dg.MaterializeResult(
            metadata=clean_metadata(report | {"expires at": dg.MetadataValue.timestamp(expiry.at)}),
            check_results=[checks.current(area, "street_published", expiry)],
        )

    return [street_candidate, street_published]
