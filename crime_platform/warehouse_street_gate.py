"""What the warehouse holds of judged and published street forecasts, by the day they start from."""

import json
from typing import TYPE_CHECKING

from crime_platform.vocabulary.timesteps import Day
from crime_platform.vocabulary.verdict import Verdict
from crime_platform.warehouse_file import WarehouseFile, now

if TYPE_CHECKING:
    import pandas as pd


class StreetGateTables(WarehouseFile):
    """Verdicts on street candidates, and which of them are published."""

    __slots__ = ()

    def record_street_verdict(self, study_area: str, as_of: Day, verdict: Verdict) -> None:
        """Store what the gate decided; a later verdict on the same candidate replaces it."""
        with self.writer() as connection:
            connection.execute(
                "insert or replace into street_verdict values (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    study_area,
                    as_of.item(),
                    verdict.candidate_id,
                    verdict.model,
                    verdict.passed,
                    json.dumps(verdict.reasons),
                    json.dumps(verdict.figures),
                    now(),
                ],
            )

    def read_street_verdict(self, study_area: str, candidate_id: str) -> Verdict | None:
        """The stored verdict on exactly this candidate, or None if it was never judged."""
        with self.reader() as connection:
            row = connection.execute(
                "select candidate_id, model, passed, reasons, figures from street_verdict "
                "where study_area = ? and candidate_id = ?",
                [study_area, candidate_id],
            ).fetchone()
        if row is None:
            return None
        return Verdict(row[0], row[1], row[2], json.loads(row[3]), json.loads(row[4]))

    def record_street_publication(
        self, study_area: str, as_of: Day, *, candidate_id: str, model: str, run_id: str
    ) -> None:
        """Note that this candidate is the published street forecast of its area and day."""
        with self.writer() as connection:
            connection.execute(
                "insert or replace into street_publication values (?, ?, ?, ?, ?, ?)",
                [study_area, as_of.item(), candidate_id, model, run_id, now()],
            )

    def street_publications(self) -> "pd.DataFrame":
        """Every published street candidate, oldest day first within each area."""
        return self.read("select * from street_publication order by study_area, as_of_day")
