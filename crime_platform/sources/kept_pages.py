"""The raw pages of one fetch, kept as received, and where a fetch that was cut goes on.

Pages are the only record of progress: a page with a final name is whole, and the last one says
after which row to go on. Nothing can disagree with them.
"""

import datetime as dt
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from crime_platform.sources.http_pages import read_json
from crime_platform.vocabulary.artifact import sync_file, write_json, written_aside

PLAN_FILE = "fetch.json"
# An older beginning is left: the publisher may have loaded everything anew under new identifiers.
RESUME_WITHIN = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPages:
    """One fetch: what it asks for, what there was at its start, and its pages so far."""

    folder: Path
    query: Mapping[str, object]
    since: tuple[str | None, ...]  # by dataset; None asks for everything
    started_at: dt.datetime
    measured: tuple[tuple[int, str | None], ...]  # rows and newest change, by dataset

    @property
    def is_full(self) -> bool:
        """Whether everything is asked for, not only what changed."""
        return None in self.since

    def keep(self, dataset: int, body: bytes) -> None:
        """Write one page behind the others of its dataset."""
        number = len(self._paths(dataset)) + 1
        path = self.folder / f"dataset-{dataset}-page-{number:05d}.json.gz"
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
        return sorted(self.folder.glob(f"dataset-{dataset}-page-*.json.gz"))


def unfinished(
    pages: Path, query: Mapping[str, object], since: tuple[str | None, ...], now: dt.datetime
) -> KeptPages | None:
    """The fetch of the same query that was cut within the last day, if there is one."""
    for file in sorted(pages.glob(f"*/{PLAN_FILE}"), reverse=True):
        found = json.loads(file.read_text(encoding="utf-8"))
        started_at = dt.datetime.fromisoformat(found["started_at"])
        is_same = found["query"] == query and found["since"] == list(since)
        if is_same and found["outcome"] is None and now - started_at < RESUME_WITHIN:
            return KeptPages(
                folder=file.parent,
                query=query,
                since=since,
                started_at=started_at,
                measured=tuple((n_rows, newest) for n_rows, newest in found["measured"]),
            )
    return None


def begin(
    pages: Path,
    query: Mapping[str, object],
    since: tuple[str | None, ...],
    now: dt.datetime,
    measured: tuple[tuple[int, str | None], ...],
) -> KeptPages:
    """A new fetch, with a folder named by its start."""
    kept = KeptPages(
        folder=pages / now.strftime("%Y-%m-%dT%H%M%S.%fZ"),
        query=query,
        since=since,
        started_at=now,
        measured=measured,
    )
    _write(kept, None)
    return kept


def _write(kept: KeptPages, outcome: str | None) -> None:
    write_json(
        kept.folder / PLAN_FILE,
        {
            "query": kept.query,
            "since": kept.since,
            "started_at": kept.started_at.isoformat(),
            "measured": kept.measured,
            "outcome": outcome,
        },
    )
