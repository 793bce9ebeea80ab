"""The published tables of streets: days instead of months, segments or places instead of cells."""

from crime_platform.schema.columns import (
    AREA,
    EXPIRES_AT,
    MODEL,
    RUN_ID,
    Column,
    Table,
)
from crime_platform.schema.values import LONG_RUN_FREQUENCY

AS_OF_DAY = Column("as_of_day", "DATE", "Last day the forecast may use")
TARGET_DAY = Column("target_day", "DATE", "Day forecast: the origin + lead")
DAY_LEAD = Column("lead", "TINYINT", "Days from origin to target, 1 is the next day")
SEGMENT_ID = Column(
    "segment_id", "VARCHAR", "Segment or place: metres east and north of its middle, see segment"
)
GROUP = Column("offence_group", "VARCHAR", "Offence group of the study area's TOML")
GROUP_OR_ANY = Column(
    "offence_group", "VARCHAR", "Offence group, or any: all groups, streets ranked by their total"
)
PART = Column("part", "VARCHAR", "validation: the days that chose; test: the days that judged")
COVERAGE = Column(
    "coverage_share", "DOUBLE", "Share of the km of street (places count one each) flagged"
)
DAY_DATA_VERSION = Column("data_version", "VARCHAR", "Key of the daily counts through as_of_day")


def _quantile(name: str, share: str) -> Column:
    return Column(name, "SMALLINT", f"{share} quantile of the forecast count")


def _ends(name: str) -> tuple[Column, Column]:
    return (
        Column(f"{name}_low", "DOUBLE", "Lower end of its 95 % interval, weeks resampled"),
        Column(f"{name}_high", "DOUBLE", "Upper end of its 95 % interval, weeks resampled"),
    )


def _at_coverages(name: str, comment: str) -> tuple[Column, ...]:
    return tuple(
        Column(f"{name}_{percent}", "DOUBLE", comment.format(percent=percent))
        for percent in (1, 5, 10, 20)
    )


def _gain(prefix: str, other: str, title: str) -> tuple[Column, ...]:
    name = f"{prefix}gain_over_{other}"
    comment = f"Hit rate less that of {title}; NULL for that model itself"
    return (Column(name, "DOUBLE", comment), *_ends(name))


_OTHERS = (("long_run", LONG_RUN_FREQUENCY), ("ewma", "the tuned ewma"))

STREET_TABLES = (
    Table(
        "segment",
        "Street segments, or places where there are no street lines, in WGS 84",
        (
            AREA,
            SEGMENT_ID,
            Column("kind", "VARCHAR", "segment: street between junctions; place: incident point"),
            Column("lon", "DOUBLE", "Longitude of its middle, degrees east (WGS 84)"),
            Column("lat", "DOUBLE", "Latitude of its middle, degrees north (WGS 84)"),
            Column("length_m", "DOUBLE", "Length in metres; NULL for a place"),
            Column("is_ever_active", "BOOLEAN", "Any incident on record up to as_of_day"),
            Column("geometry_wkb", "BLOB", "Line or point as WKB (WGS 84)"),
        ),
    ),
    Table(
        "segment_day",
        "Recorded incidents per segment, day and offence group; a row that is absent is a zero",
        (
            AREA,
            Column("day", "DATE", "Calendar day"),
            SEGMENT_ID,
            GROUP,
            Column("count", "INTEGER", "Recorded incidents of the day"),
        ),
    ),
    Table(
        "segment_forecast",
        "Forecast counts per segment, offence group and day: the champion, the plain frequency it "
        "is judged against, and the network; other models are in the scores only, for size. Of "
        "earlier days the champion stays, 60 days long",
        (
            AREA,
            AS_OF_DAY,
            TARGET_DAY,
            DAY_LEAD,
            SEGMENT_ID,
            GROUP,
            MODEL,
            Column("is_champion", "BOOLEAN", "True for the model that is published"),
            Column("expected_count", "FLOAT", "Expected number of recorded incidents in the day"),
            Column("expected_per_km", "FLOAT", "The same per km of street; NULL for a place"),
            _quantile("p025", "2.5 %"),
            _quantile("p05", "5 %"),
            _quantile("p95", "95 %"),
            _quantile("p975", "97.5 %"),
            Column("probability_any", "FLOAT", "Probability of at least one recorded incident"),
            Column(
                "risk_rank",
                "INTEGER",
                "Rank of the risk per km of street (per place), 1 the riskiest; ties share a rank",
            ),
            Column("model_version", "VARCHAR", "Key of the fitted model, see street_model_version"),
            DAY_DATA_VERSION,
            RUN_ID,
        ),
    ),
    Table(
        "street_score",
        "Sums behind every score of streets: one row per model, part, lead, offence group and day",
        (
            AREA,
            AS_OF_DAY,
            MODEL,
            PART,
            DAY_LEAD,
            GROUP,
            TARGET_DAY,
            Column("n", "BIGINT", "Segments scored"),
            Column("sum_observed", "DOUBLE", "Recorded incidents"),
            Column("sum_expected", "DOUBLE", "Expected incidents"),
            Column("sum_deviance", "DOUBLE", "Sum of Poisson deviances"),
            Column("sum_squared_error", "DOUBLE", "Sum of squared errors, incidents squared"),
            Column("sum_absolute_error", "DOUBLE", "Sum of absolute errors, incidents"),
            Column("n_inside_80", "BIGINT", "Segments whose count lies in the 80 % interval"),
            Column("sum_stated_80", "DOUBLE", "Segments the 80 % intervals promise"),
            Column("n_inside_95", "BIGINT", "Segments whose count lies in the 95 % interval"),
            Column("sum_stated_95", "DOUBLE", "Segments the 95 % intervals promise"),
        ),
    ),
    Table(
        "street_hotspot",
        "Incidents caught each day by flagging the riskiest share of the streets",
        (
            AREA,
            AS_OF_DAY,
            MODEL,
            PART,
            DAY_LEAD,
            GROUP_OR_ANY,
            TARGET_DAY,
            COVERAGE,
            Column("sum_hits", "DOUBLE", "Incidents on what was flagged, ties shared equally"),
            Column("sum_best_hits", "DOUBLE", "Incidents on the best that could be flagged"),
            Column("sum_incidents", "DOUBLE", "Incidents of the day"),
        ),
    ),
    Table(
        "street_curve",
        "Hit rate against coverage, pooled over days, with bands",
        (
            AREA,
            AS_OF_DAY,
            MODEL,
            PART,
            DAY_LEAD,
            GROUP_OR_ANY,
            COVERAGE,
            Column("hit_rate", "DOUBLE", "Share of incidents on what was flagged"),
            *_ends("hit_rate"),
            Column("pai", "DOUBLE", "Hit rate / coverage"),
            Column("pei", "DOUBLE", "Hit rate / best hit rate possible at that coverage"),
            *(column for other in _OTHERS for column in _gain("", *other)),
        ),
    ),
    Table(
        "street_skill",
        "Every street model's pooled scores with their uncertainty",
        (
            AREA,
            AS_OF_DAY,
            MODEL,
            PART,
            DAY_LEAD,
            GROUP_OR_ANY,
            Column("n_days", "INTEGER", "Days pooled"),
            Column("n_incidents", "DOUBLE", "Recorded incidents in those days"),
            Column("deviance", "DOUBLE", "Mean Poisson deviance per segment, day and group"),
            Column("deviance_skill", "DOUBLE", "1 - deviance / long_run_frequency's deviance"),
            *_ends("deviance_skill"),
            Column("best_baseline", "VARCHAR", "Baseline with the lowest deviance, in hindsight"),
            Column(
                "gain_over_best_baseline",
                "DOUBLE",
                "Deviance of the whole area saved on it per day; NULL for that baseline",
            ),
            *_ends("gain_over_best_baseline"),
            Column("rmse", "DOUBLE", "Root mean squared error, incidents"),
            Column("mae", "DOUBLE", "Mean absolute error, incidents; it rewards forecasting zero"),
            Column("bias_share", "DOUBLE", "Expected / recorded - 1"),
            *_at_coverages("hit_rate", "Share of incidents on the riskiest {percent} % of streets"),
            *_at_coverages("pai", "Hit rate / coverage at {percent} %"),
            *_at_coverages("pei", "Hit rate / best hit rate possible at {percent} %"),
            *(column for other in _OTHERS for column in _gain("hit_rate_20_", *other)),
            Column(
                "node_count_hit_rate_20",
                "DOUBLE",
                "For comparison with published numbers only: mean over days of the share of "
                "segments with an incident among the first 20 % of segments, whatever their length",
            ),
            Column("coverage_80", "DOUBLE", "Share of counts in the central 80 % interval"),
            Column("coverage_95", "DOUBLE", "Share of counts in the central 95 % interval"),
            Column("stated_coverage_80", "DOUBLE", "Share the 80 % intervals promise"),
            Column("stated_coverage_95", "DOUBLE", "Share the 95 % intervals promise"),
        ),
    ),
    Table(
        "street_model_version",
        "How each street model was made",
        (
            AREA,
            AS_OF_DAY,
            MODEL,
            Column("model_version", "VARCHAR", "Key of the fit that forecasts tomorrow"),
            Column("fit_day", "DATE", "Last day of the data it was fitted on"),
            Column("config", "VARCHAR", "Hyper-parameters, or a baseline's settings, as JSON"),
            Column("sha256", "VARCHAR", "Hash of the weights; NULL where there are none"),
            Column("parameters", "BIGINT", "Number of trained parameters over all seeds"),
            Column("n_fits", "INTEGER", "Fits behind validation, test and forecast"),
            Column("fit_seconds", "DOUBLE", "Wall seconds of the fit that forecasts tomorrow"),
            Column("evidence_seconds", "DOUBLE", "Wall seconds of all fits and judged forecasts"),
            Column("git_commit", "VARCHAR", "Commit of the code, NULL outside a checkout"),
            Column("skipped", "VARCHAR", "Why the model has no forecast; NULL when it has one"),
        ),
    ),
    Table(
        "street_training_curve",
        "How training went, epoch by epoch, of every fit of a network",
        (
            AREA,
            AS_OF_DAY,
            MODEL,
            Column("role", "VARCHAR", "What the fit is for: validation, test or production"),
            Column("fit_day", "DATE", "Last day of the data it was fitted on"),
            Column("seed", "INTEGER", "Random seed of the network"),
            Column("epoch", "INTEGER", "Passes over the days learned from, 1 is the first"),
            Column("loss", "DOUBLE", "Training loss of the epoch"),
            Column("validation_loss", "DOUBLE", "Loss on days not learned from; NULL without any"),
            Column("hit_rate_20", "DOUBLE", "Hit rate at 20 % on those days; NULL without any"),
        ),
    ),
    Table(
        "street_release",
        "One row per published day and area with streets; the newest is what the views show",
        (
            AREA,
            AS_OF_DAY,
            Column("anchor_day", "DATE", "Last day of evidence: a month's end"),
            Column("title", "VARCHAR", "Title of the study area"),
            Column("champion", "VARCHAR", "Model that is published"),
            Column("champion_reason", "VARCHAR", "Why this model is the champion"),
            Column("candidate_id", "VARCHAR", "Key of everything the candidate was made from"),
            Column("deviance_skill", "DOUBLE", "Champion's, over long_run_frequency, test, lead 1"),
            Column("hit_rate_20", "DOUBLE", "Champion's hit rate at 20 %, test days, lead 1"),
            Column("bias_share", "DOUBLE", "Champion's expected / recorded - 1, test, lead 1"),
            DAY_DATA_VERSION,
            Column("graph_kind", "VARCHAR", "segment: street lines; place: incident points"),
            Column("n_segments", "INTEGER", "Segments or places forecast"),
            Column("street_km", "DOUBLE", "Km of street forecast; NULL for places"),
            Column("n_test_days", "INTEGER", "Days the models were judged on"),
            Column("git_commit", "VARCHAR", "Commit of the code, NULL outside a checkout"),
            RUN_ID,
            Column("published_at", "TIMESTAMPTZ", "When the candidate was published"),
            Column("last_target_day", "DATE", "Last day it describes"),
            EXPIRES_AT,
            Column("is_latest", "BOOLEAN", "Newest as_of_day of its area"),
        ),
    ),
)
