"""From a publisher's API to files below raw/: what changed since the last time, or everything.

A fetch keeps its raw pages as they come, goes on after the last whole one when it was cut, is
checked against the server's own count, and only then touches the files that ingest reads.
"""

import datetime as dt
import fcntl
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from crime_platform.sources.api.clients import open_datasets
from crime_platform.sources.api.dataset import ApiRow, Dataset, columns_of, since_when
from crime_platform.sources.api.http_client import RetryPolicy
from crime_platform.sources.api.month_files import KNOWN_FILE, MonthFiles
from crime_platform.sources.api.page_cache import KeptPages, unfinished
from crime_platform.sources.files.opening import missing_files
from crime_platform.study_area.source import Source
from crime_platform.study_area.source_api import SourceApi
from crime_platform.study_area.study_area import StudyArea
from crime_platform.vocabulary.artifact import TEMPORARY, remove, write_json
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.incident import SourceFormatError
from crime_platform.vocabulary.progress import Progress, report_progress

STATE_FILE, LOCK, PAGES = "state.json", "fetch.lock", "pages"
MAX_BARREN_PAGES = 3
DONE, MISCOUNTED = "done", "rows are missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchReport:
    """What one fetch brought."""

    n_rows: int = 0  # received, repeated ones once
    is_full: bool = False  # everything, not only what changed
    was_fresh: bool = False  # nothing was asked: the last fetch is young enough
    changed: list[str] = field(default_factory=list)  # months whose files are new


def fetch_area(area: StudyArea, home: PlatformHome) -> None:
    """Bring the files of the area's APIs up to date, as far as they are not fresh.

    Raises:
        SourceFormatError: if an API cannot be reached, refuses, or gave less than it counts.
    """
    for source in area.sources:
        if source.api is not None:
            fetch_source(source, area, home)


def fetch_source(
    source: Source,
    area: StudyArea,
    home: PlatformHome,
    *,
    is_full: bool = False,
    is_asked_for: bool = False,
    retries: RetryPolicy | None = None,
) -> FetchReport:
    """Fetch what changed since the last time, and write the months in which it lies.

    Args:
        source: one with an API.
        area: whose months and name it has.
        home: below which the files go.
        is_full: fetch everything, and forget rows that are no longer there.
        is_asked_for: fetch even if the last time was a moment ago.
        retries: how often a request is tried again.

    Raises:
        SourceFormatError: if the API cannot be reached, refuses, or gave less than it counts.
    """
    api = source.api
    if api is None:
        raise ValueError(f"source {source.name!r} reads files and has no API to fetch from")
    folder = _folder(source, area, home)
    with _alone(folder):
        now = dt.datetime.now(dt.UTC)
        query = _query(source, api)
        state = _state(folder, query)
        is_here = bool(state) and not missing_files(source.paths, home.root)
        is_fresh = is_here and now - _moment(state, "last_at") < dt.timedelta(hours=api.fresh_hours)
        if is_fresh and not (is_full or is_asked_for):
            return FetchReport(was_fresh=True)
        is_full = is_full or api.updated_at is None or _is_full_due(state, api, now)
        datasets = open_datasets(source, api, retries)
        wanted = KeptPages(
            folder=folder / PAGES / now.strftime("%Y-%m-%dT%H%M%S.%fZ"),
            query=query,
            is_full=is_full,
            since=(None,) * len(datasets) if is_full else tuple(state["since"]),
            started_at=now,
        )
        kept = unfinished(folder / PAGES, wanted) or _begin(wanted, datasets, source.name)
        for number, dataset in enumerate(datasets):
            _download(number, dataset, kept, source.name)
        report = _write_months(kept, datasets, folder, source, area)
        kept.close(outcome=DONE)
        write_json(folder / STATE_FILE, _next_state(kept, state, now))
        return report


def last_fetch(source: Source, area: StudyArea, home: PlatformHome) -> dt.datetime | None:
    """When the source's API was asked last and gave all it holds; None for files of one's own."""
    path = _folder(source, area, home) / STATE_FILE
    if source.api is None or not path.exists():
        return None
    return _moment(json.loads(path.read_text(encoding="utf-8")), "last_at")


def _folder(source: Source, area: StudyArea, home: PlatformHome) -> Path:
    return home.root / "raw" / area.name / source.name


def _query(source: Source, api: SourceApi) -> dict[str, object]:
    """All that decides which rows come and how they are merged; another query starts anew."""
    return {
        "format": source.format,
        "urls": list(api.urls),
        "columns": list(columns_of(source)),
        "where": api.where,
        "updated_at": api.updated_at,
        "row_id": api.row_id_of(source.format),
        "id": source.columns.id,
        "duplicates": source.duplicates,
    }


def _state(folder: Path, query: Mapping[str, object]) -> dict:
    """What the last whole fetch of this query left; empty without one."""
    path = folder / STATE_FILE
    if not path.exists() or not (folder / KNOWN_FILE).exists():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    return found if found["query"] == query else {}


def _moment(state: Mapping[str, str], key: str) -> dt.datetime:
    return dt.datetime.fromisoformat(state[key])


def _is_full_due(state: Mapping, api: SourceApi, now: dt.datetime) -> bool:
    if not state:
        return True
    days = api.full_every_days
    return days is not None and now - _moment(state, "last_full_at") >= dt.timedelta(days=days)


def _next_state(kept: KeptPages, state: Mapping, now: dt.datetime) -> dict[str, object]:
    """What the next fetch must know: it asks for changes since the newest that this one saw.

    Seen at its start, that is: what changed while pages were read may or may not be in them.
    """
    last_full_at = kept.started_at.isoformat() if kept.is_full else state["last_full_at"]
    return {
        "query": kept.query,
        "since": [
            start if newest is None else since_when(newest, kept.started_at)
            for start, (_, newest) in zip(kept.since, kept.measured, strict=True)
        ],
        "last_at": now.isoformat(),
        "last_full_at": last_full_at,
    }


def _begin(wanted: KeptPages, datasets: list[Dataset], name: str) -> KeptPages:
    found = [each.measure(start) for each, start in zip(datasets, wanted.since, strict=True)]
    if wanted.is_full and not any(each.n_rows for each in found):
        raise SourceFormatError(
            f"source {name!r}: {', '.join(each.url for each in datasets)} holds no row of what is "
            "asked for; correct where or url under [source.api]"
        )
    kept = replace(wanted, measured=tuple((each.n_rows, each.newest) for each in found))
    kept.begin()
    return kept


def _download(number: int, dataset: Dataset, kept: KeptPages, name: str) -> None:
    """All pages of one dataset, going on behind the last one that is kept."""
    seen = _Ends(dataset.url)
    total, _ = kept.measured[number]
    n_rows = 0
    for values in kept.pages(number):
        rows = dataset.rows(values)
        seen.pass_over(rows)
        n_rows += len(rows)
    while True:
        page = dataset.page(kept.since[number], seen.last)
        # A short page is no end: servers give fewer rows than asked for when they like.
        if not page.rows:
            return
        seen.pass_over(page.rows)
        kept.keep(number, page.body)
        n_rows += len(page.rows)
        report_progress(
            Progress(
                task=f"fetching {name}",
                done=n_rows,
                total=max(total, n_rows),
                unit="row",
                detail=f"from {dataset.url}",
            )
        )


class _Ends:
    """After which row the next page starts, and whether pages get anywhere at all.

    A server may repeat rows, or shuffle those of a page. Whichever row of it we go on from, the
    page behind it holds every row we have not seen: some come twice, and none is lost.
    """

    def __init__(self, url: str) -> None:
        self.last: str | None = None
        self._url = url
        self._before: set[str | None] = set()
        self._used: set[str | None] = set()
        self._n_barren = 0

    def pass_over(self, rows: list[ApiRow]) -> None:
        """Step to the last row that the page before did not hold, or to another one of it.

        Raises:
            SourceFormatError: if several pages in turn bring nothing new.
        """
        names = [row[0] for row in rows]
        fresh = [name for name in names if name not in self._before]
        self._n_barren = 0 if fresh else self._n_barren + 1
        # Without a new row the first one is tried: it is the last where a page runs backwards.
        ends = [name for name in fresh or names if name not in self._used]
        if not ends or self._n_barren > MAX_BARREN_PAGES:
            raise SourceFormatError(
                f"{self._url}: the page after row {self.last!r} holds only rows that came before; "
                "the server does not keep to the order: correct row_id under [source.api]"
            )
        self.last = ends[-1] if fresh else ends[0]
        self._used.add(self.last)
        self._before = set(names)


def _write_months(
    kept: KeptPages,
    datasets: list[Dataset],
    folder: Path,
    source: Source,
    area: StudyArea,
) -> FetchReport:
    with (
        tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=folder) as scratch,
        MonthFiles(folder, source, Path(scratch)) as months,
    ):
        for number, dataset in enumerate(datasets):
            for values in kept.pages(number):
                months.add(dataset.rows(values), number)
        counted = [months.count(number) for number in range(len(datasets))]
        _require_all(counted, kept, datasets)
        this_month = np.datetime64(dt.datetime.now(dt.UTC).strftime("%Y-%m"), "M")
        changed = months.write(area.first_month, this_month, is_full=kept.is_full)
    return FetchReport(n_rows=sum(counted), is_full=kept.is_full, changed=changed)


def _require_all(counted: list[int], kept: KeptPages, datasets: list[Dataset]) -> None:
    """Compare with the server's count: rows may have come since, none may be lost.

    Raises:
        SourceFormatError: if there are fewer rows than at the start and than now.
    """
    for dataset, n_rows, since, (at_start, _) in zip(
        datasets, counted, kept.since, kept.measured, strict=True
    ):
        if n_rows >= at_start:
            continue
        now = dataset.measure(since).n_rows  # the publisher may have taken rows back meanwhile
        if n_rows < now:
            kept.close(outcome=MISCOUNTED)
            raise SourceFormatError(
                f"{dataset.url}: {n_rows:,} different rows came, but the server counts "
                f"{min(now, at_start):,}; its pages lost some. Nothing was changed; run again, and "
                f"if it stays so, name a field that is unique in row_id. Pages: {kept.folder}"
            )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait for another fetch of this source; the kernel frees the lock of a killed one.

    What a killed one left under temporary names goes first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.glob(f"{TEMPORARY}*"):
            remove(left)
        yield
