"""What a published table is made of, and the columns that many tables share."""

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
MODEL = Column(
    "model", "VARCHAR", "Model name; policy: at every origin the model that the rule chose then"
)
RUN_ID = Column("run_id", "VARCHAR", "Dagster run that made the row")
EXPECTED = Column("expected_count", "FLOAT", "Expected number of recorded incidents in the month")
DISPERSION = Column(
    "dispersion",
    "FLOAT",
    "Alpha of the forecast's negative binomial, variance mean + alpha x mean squared; 0 is Poisson",
)
COUNT = Column("count", "INTEGER", "Recorded incidents in the month")
MONTH = Column("month", "DATE", "Calendar month (its first day)")
EXPIRES_AT = Column(
    "expires_at",
    "TIMESTAMPTZ",
    "Moment at which the last step forecast ends in the area's time zone: expired from then on",
)
IS_SELECTION = Column(
    "is_selection", "BOOLEAN", "True where the origin only chose and weighted: it is not scored"
)
RATE_GROUP = Column(
    "rate_group", "VARCHAR", "Expected incidents per cell, type and month, or all: ever active"
)
CELL_SET = Column("cell_set", "VARCHAR", "all, or ever_active: cells with any incident on record")


def quantile_column(name: str, share: str) -> Column:
    """A quantile of the forecast count."""
    return Column(name, "SMALLINT", f"{share} quantile of the forecast count")
