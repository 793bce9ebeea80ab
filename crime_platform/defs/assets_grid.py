"""The grid branch of one study area, as Dagster assets: incidents to published forecast.

Every asset reads, calls one function of the pipeline, and reports. Files are handed over by
content, never through an I/O manager.
"""

from collections.abc import Mapping

import dagster as dg

from crime_platform.defs import checks, data_checks
from crime_platform.defs.asset_factory import area_asset
from crime_platform.defs.metadata import clean_metadata, column_schema, preview, table_of
from crime_platform.defs.resources import Platform
from crime_platform.pipeline.data_checks import COUNT_CHECKS, INCIDENT_CHECKS
from crime_platform.study_area.study_area import StudyArea
from crime_platform.system.escape import markdown
from crime_platform.vocabulary.timesteps import parse_month

TRAINING_POOL = "training"  # one at a time: a fit takes both cores
_BESIDE_IT = "The log1p_mse recipe is run beside it to show what the loss does."
LEARNED: Mapping[str, tuple[str, str, str]] = {  # asset: model that is judged, kind, description
    "boosted_trees": (
        "lightgbm",
        "lightgbm",
        "LightGBM: boosted trees on lags, neighbours and seasons. Poisson likelihood on the "
        "log-ratio to an EWMA base.",
    ),
    "st_resnet": (
        "st_resnet",
        "pytorch",
        "ST-ResNet: residual units over closeness, period and trend, fused per cell. Poisson "
        f"likelihood on the log-ratio to an EWMA base. {_BESIDE_IT}",
    ),
    "convlstm": (
        "convlstm",
        "pytorch",
        "ConvLSTM: convolutional memory over the lookback. Poisson likelihood on the log-ratio "
        f"to an EWMA base. {_BESIDE_IT}",
    ),
}


def as_of_months(area: StudyArea) -> dg.MonthlyPartitionsDefinition:
    """Months from which the area can be forecast: the last complete month is the newest."""
    first = area.first_month + (area.min_months - 1)
    end = None if area.last_month is None else str(area.last_month + 1)
    return dg.MonthlyPartitionsDefinition(
        start_date=str(first), end_date=end, timezone=area.timezone, fmt="%Y-%m"
    )


def grid_assets(area: StudyArea) -> list[dg.AssetsDefinition]:
    """Incidents, counts, tensor, models, candidate and publication of one area."""
    return [*_data_assets(area), *_model_assets(area), *_release_assets(area)]


def _data_assets(area: StudyArea) -> list[dg.AssetsDefinition]:
    @area_asset(
        area,
        "python",
        "duckdb",
        pool="warehouse",
        check_specs=[
            checks.spec(area, "incidents", "source_files_are_sound", blocking=True),
            *data_checks.specs(area, "incidents", INCIDENT_CHECKS),
        ],
        description=f"Recorded incidents of {markdown(area.title)}, one row each, read from the "
        "publisher's files. Unchanged files are not read again; rejected rows are kept with "
        "their reason.",
    )
    def incidents(platform: Platform) -> dg.MaterializeResult:
        from crime_platform.pipeline.ingest import ingest_area

        current = platform.study_area(area.name)
        report = ingest_area(current, platform.home)
        metadata = {
            "dagster/row_count": report.n_accepted,
            "files": table_of(report.file_rows),
            "findings": table_of(report.findings),
            "files read": report.n_read,
            "preview": report.preview,
        }
        return dg.MaterializeResult(
            metadata=clean_metadata(metadata),
            check_results=[
                checks.source_files(area, report),
                *data_checks.results(current, platform.home, "incidents", INCIDENT_CHECKS),
            ],
        )

    @area_asset(
        area,
        "duckdb",
        deps=[incidents],
        pool="warehouse",
        check_specs=[
            checks.spec(area, "cell_month_count", "no_missing_months", blocking=True),
            checks.spec(area, "cell_month_count", "enough_history", blocking=True),
            *data_checks.specs(area, "cell_month_count", COUNT_CHECKS),
        ],
        description="Counts per cell, month and offence type: sparse, with explicit zeros only "
        "in the totals per month.",
    )
    def cell_month_count(platform: Platform) -> dg.MaterializeResult:
        from crime_platform.defs.plots import month_totals_plot, revision_plot
        from crime_platform.pipeline.cell_counts import rebuild_counts

        current = platform.study_area(area.name)
        report = rebuild_counts(current, platform.home)
        metadata = {
            "dagster/row_count": report.n_rows,
            "dagster/column_schema": column_schema("cell_month"),
            "months": len(report.totals),
            "first month": report.first,
            "last complete month": report.last_complete,
            "newest months": "; ".join(report.maturity.notes.values()),
            "totals": month_totals_plot(report.totals),
            "revisions": revision_plot(report.record.triangle),
            "preview": preview(report.totals.tail()),
        }
        return dg.MaterializeResult(
            metadata=clean_metadata(metadata),
            check_results=[
                checks.no_missing_months(area, report),
                checks.enough_history(current, report),
                *data_checks.results(current, platform.home, "cell_month_count", COUNT_CHECKS),
            ],
        )

    @area_asset(
        area,
        "xarray",
        "zarr",
        deps=[cell_month_count],
        description="The counts as a labelled array [month, offence_type, row, col] in Zarr, "
        "zeros included, with CRS and cell centres.",
    )
    def grid_tensor(platform: Platform) -> dg.MaterializeResult:
        from crime_platform.pipeline.cell_counts import build_tensor
        from crime_platform.pipeline.ingest import area_grid

        current = platform.study_area(area.name)
        report = build_tensor(current, platform.home, area_grid(current, platform.home))
        return dg.MaterializeResult(metadata=clean_metadata(report))

    return [incidents, cell_month_count, grid_tensor]


def _model_assets(area: StudyArea) -> list[dg.AssetsDefinition]:
    months = as_of_months(area)
    tensor = dg.AssetKey([area.name, "grid_tensor"])
    opponents = dg.AssetKey([area.name, "baselines"])

    @area_asset(
        area,
        "python",
        deps=[tensor],
        partitions_def=months,
        pool=TRAINING_POOL,
        description="Back-test and forecast of every baseline; historical_average is the gate's "
        "opponent.",
    )
    def baselines(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
        from crime_platform.pipeline.forecast import run_group

        runs = run_group(platform.home, area.name, parse_month(context.partition_key), "baselines")
        return dg.MaterializeResult(metadata=clean_metadata({"runs": table_of(runs)}))

    def learned(name: str) -> dg.AssetsDefinition:
        model, kind, description = LEARNED[name]

        @area_asset(
            area,
            kind,
            name=name,
            deps=[tensor, opponents],
            partitions_def=months,
            pool=TRAINING_POOL,
            check_specs=[checks.spec(area, name, "skill_over_historical_average", blocking=False)],
            description=description,
        )
        def train(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
            from crime_platform.pipeline.forecast import quick_skill, run_group

            as_of = parse_month(context.partition_key)
            runs = run_group(platform.home, area.name, as_of, name)
            skill = quick_skill(platform.home, area.name, as_of, model)
            return dg.MaterializeResult(
                metadata=clean_metadata({"runs": table_of(runs)}),
                check_results=[checks.model_skill(area, name, skill)],
            )

        return train

    return [baselines, *(learned(name) for name in LEARNED)]


def _release_assets(area: StudyArea) -> list[dg.AssetsDefinition]:
    months = as_of_months(area)
    models = [dg.AssetKey([area.name, name]) for name in ("baselines", *LEARNED)]

    @area_asset(
        area,
        "python",
        "parquet",
        deps=models,
        partitions_def=months,
        check_specs=[checks.spec(area, "candidate", "beats_historical_average", blocking=True)],
        description="Every model scored on the rolling origins, the champion chosen, and the "
        "tables that would be published.",
    )
    def candidate(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
        from crime_platform.pipeline.forecast import build_and_judge, report_month

        month = parse_month(context.partition_key)
        made, verdict = build_and_judge(platform.home, area.name, month)
        if not verdict.passed:  # the failing check would keep the report asset from running
            report_month(platform.home, area.name, month)
        metadata = {
            "champion": made.champion,
            "why": made.manifest["reason"],
            "candidate": made.candidate_id,
            "folder": made.folder,
            "dagster/column_schema": column_schema("cell_forecast"),
            "leaderboard": table_of(made.leaderboard()),
        }
        return dg.MaterializeResult(
            metadata=clean_metadata(metadata), check_results=[checks.gate(area, made, verdict)]
        )

    @area_asset(
        area,
        "duckdb",
        deps=[candidate],
        partitions_def=months,
        pool="warehouse",
        check_specs=[checks.spec(area, "published", "forecast_is_current", blocking=False)],
        description="The candidate in `forecasts.duckdb`, if the stored verdict lets it pass; "
        "else the last release stays.",
    )
    def published(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
        from crime_platform.publication.publish import RefusedError, publish_month

        month = parse_month(context.partition_key)
        try:
            report, expiry = publish_month(
                platform.home, area.name, month, run_id=context.run.run_id
            )
        except RefusedError as refusal:
            raise dg.Failure(str(refusal), allow_retries=False) from refusal
        return dg.MaterializeResult(
            metadata=clean_metadata(report | {"expires at": dg.MetadataValue.timestamp(expiry.at)}),
            check_results=[checks.current(area, "published", expiry)],
        )

    @area_asset(
        area,
        "python",
        "matplotlib",
        deps=[candidate],
        partitions_def=months,
        description="Quality report (HTML) and model card (Markdown) of the month's candidate: "
        "scores, calibration, maps, what the data cannot say.",
    )
    def report(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
        from crime_platform.pipeline.forecast import report_month

        month = parse_month(context.partition_key)
        return dg.MaterializeResult(
            metadata=clean_metadata(report_month(platform.home, area.name, month))
        )

    return [candidate, published, report]
