"""Judged and published forecasts in the warehouse: of months in cells and of days on streets.

The two branches have tables of their own, alike but for the step a forecast starts from.
"""

import json
from typing import TYPE_CHECKING, Literal

from crime_platform.vocabulary.timesteps import Day, Month
from crime_platform.vocabulary.verdict import Verdict
from crime_platform.warehouse.file import WarehouseFile, now

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_VerdictTable = Literal["skill_verdict", "street_verdict"]
_PublicationTable = Literal["publication", "street_publication"]


class VerdictTables(WarehouseFile):
    """Verdicts on candidates, and which of them are published."""

    __slots__ = ()

    def record_verdict(self, study_area: str, as_of: Month, verdict: Verdict) -> None:
        """Store what the gate decided; a later verdict on the same candidate replaces it."""
        self._record_verdict("skill_verdict", study_area, as_of, verdict)

    def read_verdict(self, study_area: str, candidate_id: str) -> Verdict | None:
        """The stored verdict on exactly this candidate, or None if it was never judged."""
        return self._read_verdict("skill_verdict", study_area, candidate_id)

    def record_publication(
        self, study_area: str, as_of: Month, *, candidate_id: str, model: str, run_id: str
    ) -> None:
        """Note that this candidate is the published forecast of its area and month."""
        self._record_publication("publication", study_area, as_of, (candidate_id, model, run_id))

    def publications(self) -> "pd.DataFrame":
        """Every published candidate, oldest month first within each area."""
        return self.read("select * from publication order by study_area, as_of_month")

    def record_street_verdict(self, study_area: str, as_of: Day, verdict: Verdict) -> None:
        """As `record_verdict`, of a street candidate."""
        self._record_verdict("street_verdict", study_area, as_of, verdict)

    def read_street_verdict(self, study_area: str, candidate_id: str) -> Verdict | None:
        """As `read_verdict`, of a street candidate."""
        return self._read_verdict("street_verdict", study_area, candidate_id)

    def record_street_publication(
        self, study_area: str, as_of: Day, *, candidate_id: str, model: str, run_id: str
    ) -> None:
        """Note that this candidate is the published street forecast of its area and day."""
        told = (candidate_id, model, run_id)
        self._record_publication("street_publication", study_area, as_of, told)

    def street_publications(self) -> "pd.DataFrame":
        """Every published street candidate, oldest day first within each area."""
        return self.read("select * from street_publication order by study_area, as_of_day")

    def _record_verdict(
        self, table: _VerdictTable, study_area: str, as_of: "np.datetime64", verdict: Verdict
    ) -> None:
        with self.writer() as connection:
            connection.execute(
                f"insert or replace into {table} values (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    study_area,
                    _first_day(as_of),
                    verdict.candidate_id,
                    verdict.model,
                    verdict.passed,
                    json.dumps(verdict.reasons),
                    json.dumps(verdict.figures),
                    now(),
                ],
            )

    def _read_verdict(
        self, table: _VerdictTable, study_area: str, candidate_id: str
    ) -> Verdict | None:
        with self.reader() as connection:
            row = connection.execute(
                f"select candidate_id, model, passed, reasons, figures from {table} "
                "where study_area = ? and candidate_id = ?",
                [study_area, candidate_id],
            ).fetchone()
        if row is None:
            return None
        return Verdict(row[0], row[1], row[2], json.loads(row[3]), json.loads(row[4]))

    def _record_publication(
        self,
        table: _PublicationTable,
        study_area: str,
        as_of: "np.datetime64",
        told: tuple[str, str, str],
    ) -> None:
        with self.writer() as connection:
            connection.execute(
                f"insert or replace into {table} values (?, ?, ?, ?, ?, ?)",
                [study_area, _first_day(as_of), *told, now()],
            )


def _first_day(step: "np.datetime64") -> object:
    return step.astype("datetime64[D]").item()
