"""Whether a publisher's columns are those of the file before."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crime_platform.data_checks.outcome import Outcome, like, listed
from crime_platform.sources.scan.columns import column_key
from crime_platform.study_area.source import Source, is_never_loaded
from crime_platform.vocabulary.incident import FileHeader


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderReading:
    """One table's header, when it was read and how far the table's file reaches."""

    header: FileHeader
    sha256: str  # of the file it lies in
    last_day: dt.date
    read_at: dt.datetime  # the same for files that were read together
    is_current: bool = True

    @property
    def place(self) -> str:
        """The table's name without that of the archive around it, which changes each month."""
        return self.header.member.split("/", maxsplit=1)[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """How one header differs from the one before it; order and capitals do not count."""

    renamed: tuple[tuple[str, str], ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retyped: tuple[tuple[str, str, str], ...] = ()  # column, type before, type now

    def __bool__(self) -> bool:
        return bool(self.renamed or self.added or self.removed or self.retyped)


def schema_change(before: FileHeader, now: FileHeader) -> SchemaChange:
    """What became of the columns of `before`."""
    old = {column_key(name): (at, name) for at, name in enumerate(before.columns)}
    new = {column_key(name): (at, name) for at, name in enumerate(now.columns)}
    gone = {key: place for key, place in old.items() if key not in new}
    fresh = {key: place for key, place in new.items() if key not in old}
    is_as_wide = len(before.columns) == len(now.columns)  # else a place says nothing
    renamed = []
    for key, (at, name) in list(gone.items()):
        same_place = [other for other, (place, _) in fresh.items() if is_as_wide and place == at]
        successor = like(key, fresh, cutoff=0.6) or next(iter(same_place), None)
        if successor is not None:
            renamed.append((name, fresh.pop(successor)[1]))
            del gone[key]
    retyped = [
        (now.columns[new[key][0]], before.types[old[key][0]], now.types[new[key][0]])
        for key in old.keys() & new.keys()
        if before.types and now.types and before.types[old[key][0]] != now.types[new[key][0]]
    ]
    return SchemaChange(
        renamed=tuple(renamed),
        added=tuple(name for _, name in fresh.values()),
        removed=tuple(name for _, name in gone.values()),
        retyped=tuple(sorted(retyped)),
    )


def judge_schema(source: Source, readings: Sequence[HeaderReading]) -> Outcome:
    """Compare every current header with the one before it.

    The one before is an earlier version of the same table, or else the table that reaches least
    less far. What was read last is told: a table with an earlier version, and the newest table.
    Older changes are listed only, so that a change is told once.
    """
    distinct = {(one.place, one.sha256): one for one in sorted(readings, key=_read_at)}
    ordered = sorted(distinct.values(), key=lambda one: (one.last_day, one.place, one.read_at))
    current = [one for one in ordered if one.is_current]
    last_read = max((one.read_at for one in current), default=None)
    versions: dict[str, list[HeaderReading]] = {}
    for one in ordered:
        versions.setdefault(one.place, []).append(one)
    problems, rows = [], []
    for reading, table_before in zip(current, [None, *current], strict=False):
        before = _earlier_version(reading, versions[reading.place]) or table_before
        change = schema_change(before.header, reading.header) if before else SchemaChange()
        if before is None or not change:
            continue
        is_told = reading.read_at == last_read and (
            before.place == reading.place or reading is current[-1]
        )
        rows.append(_row(source, reading, before, change))
        if is_told:
            problems.append(_problem(source, reading, before, change))
    n_columns = len(current[-1].header.columns) if current else 0
    return Outcome(
        problems=tuple(problems),
        rows=rows,
        figures={f"columns of {source.name}": n_columns, f"tables of {source.name}": len(current)},
    )


def _read_at(reading: HeaderReading) -> dt.datetime:
    return reading.read_at


def _earlier_version(
    reading: HeaderReading, versions: Sequence[HeaderReading]
) -> HeaderReading | None:
    earlier = [one for one in versions if one.read_at < reading.read_at]
    return max(earlier, key=_read_at, default=None)


def _row(
    source: Source, reading: HeaderReading, before: HeaderReading, change: SchemaChange
) -> dict:
    return {
        "source": source.name,
        "table": reading.header.member,
        "compared with": before.header.member,
        "added": ", ".join(change.added),
        "removed": ", ".join(change.removed),
        "renamed": ", ".join(f"{old} -> {new}" for old, new in change.renamed),
        "new type": ", ".join(f"{name}: {old} -> {new}" for name, old, new in change.retyped),
    }


def _problem(
    source: Source, reading: HeaderReading, before: HeaderReading, change: SchemaChange
) -> str:
    told = [f"{old!r} is now called {new!r}" for old, new in change.renamed]
    told += [f"{name!r} was {old} and is {new}" for name, old, new in change.retyped]
    if change.removed:
        told.append(f"{listed(change.removed)} gone")
    private = [name for name in change.added if is_never_loaded(name)]
    others = [name for name in change.added if not is_never_loaded(name)]
    if others:
        told.append(f"{listed(others)} new, not loaded")
    if private:
        told.append(f"{listed(private)} new, about persons and never loaded")
    return (
        f"{reading.header.member}: columns differ from those of {before.header.member}: "
        f"{'; '.join(told)}. {_cure(source.columns.mapped(), change)}"
    )


def _cure(mapped: Mapping[str, str], change: SchemaChange) -> str:
    lost = {column_key(name) for name in (*change.removed, *(old for old, _ in change.renamed))}
    missed = {key: name for key, name in mapped.items() if column_key(name) in lost}
    if missed:
        written = ", ".join(f"{key} = {name!r}" for key, name in missed.items())
        return f"{written} is not read any more: correct [source.columns] in the TOML"
    return "No mapped column is touched; look whether the others still mean the same"
