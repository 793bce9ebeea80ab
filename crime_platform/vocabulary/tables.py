"""The published tables: every column with its type, unit and meaning, and the views over them.

This is the contract with whoever queries `forecasts.duckdb`. Comments land in the database file,
in the Dagster catalogue and in the data dictionary.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One published column."""

    name: str
    type: str  # DuckDB type
    comment: str


@dataclass(frozen=True, slots=True)
class Table:
    """One published table."""

    name: str
    comment: str
    columns: tuple[Column, ...]


AREA = Column("study_area", "VARCHAR", "Name of the study area (its TOML file)")
AS_OF = Column("as_of_month", "DATE", "Last complete month the forecast may use (its first day)")
ORIGIN = Column("origin_month", "DATE", "Last complete month the back-test forecast had seen")
TARGET = Column("target_month", "DATE", "Month forecast (its first day): origin + lead")
LEAD = Column("lead", "TINYINT", "Months from origin to target, 1 is the next month")
CELL_ID = Column(
    "cell_id", "VARCHAR", "Grid cell, r = row from the south, c = column from the west"
)
OFFENCE = Column("offence_type", "VARCHAR", "Offence type of the study area's TOML")
MODEL = Column("model", "VARCHAR", "Model name, as in the leaderboard")
RUN_ID = Column("run_id", "VARCHAR", "Dagster run that made the row")
EXPECTED = Column("expected_count", "FLOAT", "Expected number of recorded incidents in the month")
COUNT = Column("count", "INTEGER", "Recorded incidents in the month")
MONTH = Column("month", "DATE", "Calendar month (its first day)")
CELL_SET = Column("cell_set", "VARCHAR", "all, or ever_active: cells with any incident on record")


def _quantile(name: str, share: str) -> Column:
    return Column(name, "SMALLINT", f"{share} quantile of the forecast count")


TABLES = (
    Table(
        "cell_forecast",
        "Forecast counts of recorded incidents per cell, offence type, target month and model",
        (
            AREA,
            AS_OF,
            TARGET,
            LEAD,
            CELL_ID,
            OFFENCE,
            MODEL,
            Column("is_champion", "BOOLEAN", "True for the model that passed the gate"),
            EXPECTED,
            _quantile("p025", "2.5 %"),
            _quantile("p05", "5 %"),
            _quantile("p10", "10 %"),
            _quantile("p50", "50 %"),
            _quantile("p90", "90 %"),
            _quantile("p95", "95 %"),
            _quantile("p975", "97.5 %"),
            Column("probability_any", "FLOAT", "Probability of at least one recorded incident"),
            Column("model_version", "VARCHAR", "Key of the fitted model, see model_version"),
            Column("data_version", "VARCHAR", "Key of the counts the model learned from"),
            RUN_ID,
        ),
    ),
    Table(
        "cell",
        "Grid cells of each study area, in WGS 84",
        (
            AREA,
            CELL_ID,
            Column("row", "SMALLINT", "Row of the grid, 0 is the southernmost"),
            Column("col", "SMALLINT", "Column of the grid, 0 is the westernmost"),
            Column("lon", "DOUBLE", "Longitude of the centre, degrees east (WGS 84)"),
            Column("lat", "DOUBLE", "Latitude of the centre, degrees north (WGS 84)"),
            Column("area_km2", "DOUBLE", "Area of the cell in square kilometres"),
            Column("is_ever_active", "BOOLEAN", "Any incident on record up to as_of_month"),
            Column("geometry_wkb", "BLOB", "Square of the cell as WKB polygon (WGS 84)"),
        ),
    ),
    Table(
        "cell_month",
        "Recorded incidents per cell, month and offence type; a row that is absent is a zero",
        (
            AREA,
            MONTH,
            CELL_ID,
            OFFENCE,
            COUNT,
            Column("is_complete", "BOOLEAN", "Whether the month was whole when it was ingested"),
        ),
    ),
    Table(
        "month_count",
        "Recorded incidents per month and offence type in the whole area, zeros written out",
        (
            AREA,
            MONTH,
            OFFENCE,
            COUNT,
            Column("n_ungeocoded", "INTEGER", "Of these, incidents without usable coordinates"),
            Column("is_complete", "BOOLEAN", "Whether the month was whole when it was ingested"),
        ),
    ),
    Table(
        "backtest_score",
        "Sums behind every score, one row per model, origin, lead, offence type and cell set",
        (
            AREA,
            AS_OF,
            MODEL,
            ORIGIN,
            TARGET,
            LEAD,
            OFFENCE,
            CELL_SET,
            Column("n", "BIGINT", "Cells scored"),
            Column("sum_observed", "DOUBLE", "Recorded incidents"),
            Column("sum_expected", "DOUBLE", "Expected incidents"),
            Column("sum_deviance", "DOUBLE", "Sum of Poisson deviances"),
            Column("sum_squared_error", "DOUBLE", "Sum of squared errors, incidents squared"),
            Column("sum_absolute_error", "DOUBLE", "Sum of absolute errors, incidents"),
            Column("sum_scaled_squared_error", "DOUBLE", "Squared errors over each series' scale"),
            Column("n_scaled", "BIGINT", "Series that have a scale (RMSSE counts only these)"),
            Column("sum_noise_deviance", "DOUBLE", "Deviance left if the forecast rate were true"),
            Column("sum_crps", "DOUBLE", "Sum of continuous ranked probability scores, incidents"),
            Column("n_inside_80", "BIGINT", "Cells whose count lies in the central 80 % interval"),
            Column("n_inside_95", "BIGINT", "Cells whose count lies in the central 95 % interval"),
            Column("sum_stated_80", "DOUBLE", "Cells the 80 % intervals promise; counts are lumpy"),
            Column("sum_stated_95", "DOUBLE", "Cells the 95 % intervals promise; counts are lumpy"),
        ),
    ),
    Table(
        "backtest_hotspot",
        "Incidents caught by flagging the riskiest share of the ever active area",
        (
            AREA,
            AS_OF,
            MODEL,
            ORIGIN,
            TARGET,
            LEAD,
            Column("offence_type", "VARCHAR", "Offence type, or any: all types ranked together"),
            Column("coverage_share", "DOUBLE", "Share of the ever active area that is flagged"),
            Column("sum_hits", "DOUBLE", "Incidents in the flagged area, ties shared equally"),
            Column("sum_best_hits", "DOUBLE", "Incidents in the best possible area of that size"),
            Column("sum_incidents", "DOUBLE", "Incidents in all cells"),
        ),
    ),
    Table(
        "backtest_forecast",
        "Lead 1 of every model at every origin, so that anyone can recompute every score",
        (AREA, ORIGIN, TARGET, LEAD, CELL_ID, OFFENCE, MODEL, EXPECTED),
    ),
    Table(
        "model_skill",
        "Skill over the historical average with its uncertainty, pooled over the origins",
        (
            AREA,
            AS_OF,
            MODEL,
            LEAD,
            CELL_SET,
            Column("deviance_skill", "DOUBLE", "1 - deviance / historical average's deviance"),
            Column(
                "deviance_skill_low", "DOUBLE", "Lower end of its 95 % block-bootstrap interval"
            ),
            Column(
                "deviance_skill_high", "DOUBLE", "Upper end of its 95 % block-bootstrap interval"
            ),
            Column("diebold_mariano_p", "DOUBLE", "Two-sided p value against historical_average"),
        ),
    ),
    Table(
        "model_version",
        "How each published model was made",
        (
            AREA,
            AS_OF,
            MODEL,
            Column("model_version", "VARCHAR", "Key of the fitted model"),
            Column("fit_origin", "DATE", "Last month of the data it was fitted on"),
            Column("config", "VARCHAR", "Hyper-parameters as JSON"),
            Column("sha256", "VARCHAR", "Hash of the weights; NULL where there are none"),
            Column("parameters", "BIGINT", "Number of trained parameters over all seeds"),
            Column("training_seconds", "DOUBLE", "Wall seconds of this fit"),
            Column("git_commit", "VARCHAR", "Commit of the code, NULL outside a checkout"),
            Column("seed", "INTEGER", "First random seed; NULL where nothing is random"),
            Column("skipped", "VARCHAR", "Why the model has no forecast; NULL when it has one"),
        ),
    ),
    Table(
        "fusion_weight",
        "How much ST-ResNet leans on each branch, per cell",
        (
            AREA,
            AS_OF,
            MODEL,
            CELL_ID,
            OFFENCE,
            Column("branch", "VARCHAR", "closeness, period or trend"),
            Column("weight_share", "FLOAT", "Share of the branch's weight, 0 to 1 over branches"),
        ),
    ),
    Table(
        "data_quality",
        "What was found in the source files, newest reading",
        (
            AREA,
            Column("source", "VARCHAR", "Name of the source block in the TOML"),
            Column("file_path", "VARCHAR", "File read"),
            Column("finding", "VARCHAR", "What was counted: accepted, or the reason of rejection"),
            Column("n_rows", "BIGINT", "Rows of the file this concerns"),
            Column("share", "DOUBLE", "Of all rows of the file"),
            Column("example", "VARCHAR", "One offending value; NULL where there is none"),
            Column("measured_at", "TIMESTAMPTZ", "When the file was read"),
        ),
    ),
    Table(
        "release",
        "One row per published month and area; the newest is what the views show",
        (
            AREA,
            AS_OF,
            Column("title", "VARCHAR", "Title of the study area"),
            Column("champion", "VARCHAR", "Model that passed the gate"),
            Column("champion_reason", "VARCHAR", "Why this model is the champion"),
            Column("candidate_id", "VARCHAR", "Key of everything the candidate was made from"),
            Column(
                "deviance_skill", "DOUBLE", "Champion's skill over the historical average, lead 1"
            ),
            Column(
                "rmse_skill", "DOUBLE", "Champion's RMSE skill over the historical average, lead 1"
            ),
            Column("bias_share", "DOUBLE", "Expected / recorded - 1 over the back-test, lead 1"),
            Column("data_version", "VARCHAR", "Key of the counts"),
            Column("git_commit", "VARCHAR", "Commit of the code, NULL outside a checkout"),
            RUN_ID,
            Column("published_at", "TIMESTAMPTZ", "When the candidate was published"),
            Column("is_latest", "BOOLEAN", "Newest as_of_month of its area"),
        ),
    ),
)

BY_NAME = {table.name: table for table in TABLES}
