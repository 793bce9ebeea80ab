"""The private database of the pipeline, and the only module that opens DuckDB for writing to it.

Every write takes a kernel file lock, opens a short connection and replaces its key in one
transaction, so a rerun changes nothing and a killed process loses nothing and doubles nothing.
Forecasts do not live here: readers get whole releases (see release.py).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from crime_platform.study_area.parts import LEFT_OUT
from crime_platform.vocabulary.incident import FileHeader
from crime_platform.vocabulary.timesteps import Month
from crime_platform.warehouse.cell_counts import write_counts
from crime_platform.warehouse.segment_counts import StreetCountTables
from crime_platform.warehouse.verdicts import VerdictTables

if TYPE_CHECKING:
    import pandas as pd


class Warehouse(StreetCountTables, VerdictTables):
    """What the pipeline writes and reads, by what it is about."""

    __slots__ = ()

    # --- incidents -------------------------------------------------------------------------

    def known_files(self, study_area: str) -> dict[tuple[str, str, str], bool]:
        """Whether each file ever read is current, by file_path, sha256 and reading_key."""
        with self.reader() as connection:
            found = connection.execute(
                "select file_path, sha256, reading_key, is_current from source_file "
                "where study_area = ?",
                [study_area],
            ).fetchall()
        return {(str(path), str(sha256), str(key)): bool(now) for path, sha256, key, now in found}

    def replace_file(
        self,
        file: dict[str, object],
        *,
        incidents: Path,
        rejected: Path,
        headers: Sequence[FileHeader] = (),
    ) -> None:
        """Store one parsed file: its incidents, its rejected rows and its entry, all or nothing.

        Args:
            file: one value per column of `source_file`, current unless it says otherwise; one
                ingest gives all its files the same `ingested_at`.
            incidents: Parquet with the columns of `incident_vintage` that the file determines.
            rejected: Parquet with `source_row, reason, value`.
            headers: of its tables.
        """
        key = [file[name] for name in ("study_area", "source", "sha256", "reading_key")]
        moment = file["ingested_at"]
        with self.writer() as connection:
            for table in ("incident_vintage", "rejected_row", "held_month", "source_header"):
                connection.execute(
                    f"delete from {table} where study_area = ? and source = ? and sha256 = ? "
                    "and reading_key = ?",
                    key,
                )
            connection.execute(
                "insert into incident_vintage by name select ? as study_area, ? as source, "
                "? as sha256, ? as reading_key, *, ? as ingested_at from read_parquet(?)",
                [*key, moment, str(incidents)],
            )
            connection.execute(
                "insert into rejected_row by name select ? as study_area, ? as source, "
                "? as sha256, ? as reading_key, *, ? as ingested_at from read_parquet(?)",
                [*key, moment, str(rejected)],
            )
            connection.execute(
                "insert into held_month by name select ? as study_area, ? as source, "
                "? as sha256, ? as reading_key, coalesce(part, '') as part, month, "
                "count(*) as n_rows from read_parquet(?) group by all",
                [*key, str(incidents)],
            )
            for one in headers:
                columns = [one.member, list(one.columns), list(one.types)]
                connection.execute(
                    "insert into source_header values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [*key, file["file_path"], *columns, moment],
                )
            entry = {"is_current": True, **file, "superseded_at": None}
            names, marks = ", ".join(entry), ", ".join("?" * len(entry))
            connection.execute(
                f"insert or replace into source_file ({names}) values ({marks})",
                list(entry.values()),
            )

    def retire_other_files(
        self,
        study_area: str,
        current: list[tuple[str, str, str]],
        *,
        moment: datetime,
    ) -> int:
        """Leave only these (file_path, sha256, reading_key) in the current view.

        Earlier vintages stay in the warehouse and stay queryable.

        Args:
            study_area: whose files they are.
            current: files that lie at hand now.
            moment: when the files were looked at, the `ingested_at` of those that are new.

        Returns:
            How many files left the current view.
        """
        with self.writer() as connection:
            connection.execute(
                "create temp table wanted (file_path varchar, sha256 varchar, reading_key varchar)"
            )
            if current:
                connection.executemany("insert into wanted values (?, ?, ?)", current)
            wanted = "(file_path, sha256, reading_key) in (select * from wanted)"
            connection.execute(
                "update source_file set is_current = true, superseded_at = null "
                f"where study_area = ? and {wanted}",
                [study_area],
            )
            gone = connection.execute(
                "update source_file set is_current = false, superseded_at = ? "
                f"where study_area = ? and is_current and not {wanted} returning 1",
                [moment, study_area],
            ).fetchall()
            connection.execute(
                "delete from data_quality where study_area = ? "
                "and file_path not in (select file_path from wanted)",
                [study_area],
            )
        return len(gone)

    def confirm_files(self, study_area: str, source: str, moment: datetime) -> None:
        """Note that the current files of a source were still the publisher's newest at a moment."""
        where = (
            "where study_area = ? and source = ? and coalesce(content_at, ingested_at) < ? "
            "and sha256 in (select sha256 from source_file where study_area = ? and source = ? "
            "and is_current)"
        )
        values = [study_area, source, moment, study_area, source]
        with self.reader() as connection:
            ((n_behind,),) = connection.execute(
                f"select count(*) from source_file {where}", values
            ).fetchall()
        if n_behind:
            with self.writer() as connection:
                connection.execute(
                    f"update source_file set content_at = ? {where}", [moment, *values]
                )

    def replace_quality(self, study_area: str, findings: "pd.DataFrame") -> None:
        """Replace what is known about the quality of the files that the findings name."""
        with self.writer() as connection:
            connection.register("findings", findings)
            connection.execute(
                "delete from data_quality where study_area = ? "
                "and file_path in (select file_path from findings)",
                [study_area],
            )
            connection.execute("insert into data_quality by name select * from findings")

    # --- counts ----------------------------------------------------------------------------

    def rebuild_counts(
        self,
        study_area: str,
        *,
        months: "pd.DataFrame",
        revisions: "pd.DataFrame",
        offence_types: list[str],
        premises_of_label: Mapping[str, str],
    ) -> None:
        """Count the current incidents again: sparse per cell, explicit zeros per month.

        Args:
            study_area: whose incidents they are.
            months: `month, is_complete, completeness_share, treatment, note`, a row per month.
            revisions: what was known of each month when, kept beside the counts.
            offence_types: those that get a zero where a month has none.
            premises_of_label: kind of place by the publisher's label, for the counts by mark.
        """
        with self.writer() as connection:
            write_counts(
                connection,
                study_area,
                months=months,
                offence_types=offence_types,
                premises_of_label=premises_of_label,
            )
            connection.register("revisions", revisions)
            connection.execute("delete from month_revision where study_area = ?", [study_area])
            connection.execute(
                "insert into month_revision by name select ? as study_area, * from revisions",
                [study_area],
            )

    def month_totals(self, study_area: str) -> "pd.DataFrame":
        """City totals: `month, count, is_complete`, one row per month, oldest first."""
        return self.read(
            "select month, sum(count)::bigint as count, bool_and(is_complete) as is_complete "
            "from month_count where study_area = ? group by month order by month",
            study_area,
        )

    def last_complete_month(self, study_area: str) -> Month | None:
        """Newest month that is whole, or None before the first ingest."""
        totals = self.month_totals(study_area)
        whole = totals.loc[totals["is_complete"], "month"]
        return None if whole.empty else whole.to_numpy().astype("datetime64[M]").max()

    def why_not_newer(self, study_area: str) -> list[str]:
        """Why the months after the newest complete one were not used at the last count."""
        found = self.read(
            "select month, any_value(note) as note from month_count where study_area = ? "
            "and not is_complete and note is not null and month > coalesce((select max(month) "
            "from month_count where study_area = ? and is_complete), date '0001-01-01') "
            "group by month order by month desc",
            study_area,
            study_area,
        )
        return found["note"].tolist()

    def n_months_left_out(self, study_area: str) -> int:
        """Whole months that were too young to be used when the incidents were counted last."""
        found = self.read(
            "select count(distinct month) as n from month_count where study_area = ? "
            "and treatment = ?",
            study_area,
            LEFT_OUT,
        )
        return int(found["n"].item())
