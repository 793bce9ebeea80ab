"""The raw pages of one fetch, kept as received, and where a fetch that was cut goes on.

Pages are the only record of progress: a page with a final name is whole, and the last one says
after which row to go on. Nothing can disagree with them.
"""

import datetime as dt
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from crime_platform.sources.api.http_client import read_json
from crime_platform.vocabulary.artifact import sync_file, write_json, written_aside

PLAN_FILE = "fetch.json"
# An older beginning is left: the publisher may have loaded everything anew under new identifiers.
RESUME_WITHIN = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPages:
    """One fetch: what it asks for, what there was at its start, and its pages so far."""

    folder: Path
    query: Mapping[str, object]
    is_full: bool  # everything is asked for, not only what changed
    since: tuple[str | None, ...]  # by dataset; None where all of it is asked for
    started_at: dt.datetime
    measured: tuple[tuple[int, str | None], ...] = ()  # rows and newest change, by dataset

    def plan(self) -> dict[str, object]:
        """What is asked for, as JSON has it."""
        return {"query": self.query, "is_full": self.is_full, "since": list(self.since)}

    def begin(self) -> None:
        """Note what is asked for, before the first page."""
        _write(self, None)

    def keep(self, dataset: int, body: bytes) -> None:
        """Write one page behind the others of its dataset."""
        number = len(self._paths(dataset)) + 1
        path = self.folder / f"dataset-{dataset + 1}-page-{number:05d}.json.gz"
        with written_aside(path) as aside:
            aside.write_bytes(gzip.compress(body, compresslevel=6, mtime=0))
            sync_file(aside)

    def pages(self, dataset: int) -> Iterator[object]:
        """The JSON of the pages of one dataset, in the order in which they came."""
        for path in self._paths(dataset):
            yield read_json(gzip.decompress(path.read_bytes()))

    def close(self, *, outcome: str) -> None:
        """Note that nothing more is to be added."""
        _write(self, outcome)

    def _paths(self, dataset: int) -> list[Path]:
        return sorted(self.folder.glob(f"dataset-{dataset + 1}-page-*.json.gz"))


def unfinished(pages: Path, wanted: KeptPages) -> KeptPages | None:
    """The fetch that asked for the same and was cut within the last day, if there is one."""
    for file in sorted(pages.glob(f"*/{PLAN_FILE}"), reverse=True):
        found = json.loads(file.read_text(encoding="utf-8"))
        started_at = dt.datetime.fromisoformat(found["started_at"])
        is_same = found["outcome"] is None and all(
            found[key] == value for key, value in wanted.plan().items()
        )
        if is_same and wanted.started_at - started_at < RESUME_WITHIN:
            measured = tuple((n_rows, newest) for n_rows, newest in found["measured"])
            return replace(wanted, folder=file.parent, started_at=started_at, measured=measured)
    return None


def _write(kept: KeptPages, outcome: str | None) -> None:
    write_json(
        kept.folder / PLAN_FILE,
        {
            **kept.plan(),
            "started_at": kept.started_at.isoformat(),
            "measured": kept.measured,
            "outcome": outcome,
        },
    )
