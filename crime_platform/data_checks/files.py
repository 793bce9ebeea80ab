"""Whether two files hold the same incidents."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from crime_platform.data_checks.outcome import Outcome
from crime_platform.vocabulary.timesteps import Month

MAX_SHARED_SHARE = 0.5  # of the smaller file's rows of a month
MIN_ROWS = 20  # of a month, or of all months of both files: fewer can be equal by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedMonth:
    """One month that two files of a source both hold."""

    month: Month
    files: tuple[str, str]
    n_rows: tuple[int, int]
    n_shared: int  # rows of one that have an equal row in the other, day, place and offence alike

    @property
    def share(self) -> float:
        """Of the smaller file's rows, those that the other file holds too."""
        return self.n_shared / min(self.n_rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedIds:
    """Identifiers that rows of two files of a source have, where one identifier is one incident."""

    files: tuple[str, str]
    n: int
    example: str


def judge_files(
    source: str, shared: Sequence[SharedMonth], ids: Sequence[SharedIds] = ()
) -> Outcome:
    """Tell every pair of files that mostly agree in a month, or share ids: both are counted.

    Args:
        source: whose files they are.
        shared: months that two files hold.
        ids: only of a source that drops rows with the same id, which it does within a file.
    """
    problems = [
        f"source {source!r}: {one.files[0]} and {one.files[1]} share {one.n:,} ids, as "
        f'{one.example!r}, and each counts twice: duplicates = "drop_same_id" looks within one '
        "file; remove one, put both into one file, or write "
        'revisions = "replace_months" if the publisher releases months anew'
        for one in ids
    ]
    by_files = sorted(
        [one for one in shared if one.share > MAX_SHARED_SHARE and _is_telling(one, shared)],
        key=lambda one: (one.files, one.month),
    )
    for (first, second), group in groupby(by_files, key=lambda one: one.files):
        months = list(group)
        n_shared = sum(month.n_shared for month in months)
        span = f"{months[0].month}..{months[-1].month}" if len(months) > 1 else months[0].month
        problems.append(
            f"source {source!r}: {first} and {second} share {n_shared:,} equal rows of {span}, and "
            "both files are counted; remove one, narrow paths, or write "
            'revisions = "replace_months" if the publisher releases months anew'
        )
    rows = [
        {
            "source": source,
            "month": str(one.month),
            "file": one.files[0],
            "other file": one.files[1],
            "equal rows": one.n_shared,
            "share": one.share,
        }
        for one in shared
    ]
    return Outcome(
        problems=tuple(problems), rows=rows, figures={f"months in two files, {source}": len(shared)}
    )


def _is_telling(one: SharedMonth, shared: Sequence[SharedMonth]) -> bool:
    """Whether the month has rows enough, or, in a small city, all months of its two files do."""
    if min(one.n_rows) >= MIN_ROWS:
        return True
    alike = [other for other in shared if other.files == one.files]
    n_rows = sum(min(other.n_rows) for other in alike)
    return n_rows >= MIN_ROWS and sum(o.n_shared for o in alike) > MAX_SHARED_SHARE * n_rows
