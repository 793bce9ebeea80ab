"""What a drafted source says of its files: their paths, and those of other columns left out."""

import glob
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from crime_platform.onboarding.file_choice import FileChoice
from crime_platform.onboarding.guesses.column_guess import Guess
from crime_platform.onboarding.guesses.raw_files import RawFile, RawFiles
from crime_platform.onboarding.guesses.raw_table import FILE
from crime_platform.sources.files.archives import is_member
from crime_platform.sources.scan.columns import column_key
from crime_platform.study_area.source import POLICE_UK, template_columns
from crime_platform.study_area.source_formats import KNOWN_SETTINGS
from crime_platform.vocabulary.incident import SourceFormatError

DISPENSABLE = ("id", "hour", "premises")
MAX_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePaths:
    """The keys of a `[[source]]` that say which files and members hold incidents."""

    patterns: Sequence[str]
    exclude: Sequence[str] = ()
    members: str | None = None
    remarks: Sequence[str] = ()


def require_same_columns(found: RawFiles, guess: Guess) -> list[RawFile]:
    """The loaded files without a column that every incident needs; their rows are dropped.

    A column that some files lack and an area can do without is no longer mapped.
    """
    known = found.raw.names.values()
    columns = {key: mapped_names(column.name, known) for key, column in guess.columns.items()}
    for key in [key for key in DISPENSABLE if key in columns]:
        lacking = [file for file in found.loaded if _lacks(file, columns[key])]
        if lacking:
            column = guess.columns.pop(key)
            del columns[key]
            guess.hour_format = None if key == "hour" else guess.hour_format
            guess.worth_a_look.append(
                f"{key}: column {column.name!r} is not used, as {_shown(lacking)} lack it"
            )
    needed = [name for names in columns.values() for name in names]
    lacking = [at for at, file in enumerate(found.loaded) if _lacks(file, needed)]
    if lacking:
        found.raw.connection.execute(f"delete from raw where list_contains(?, {FILE})", [lacking])
        found.raw.n_rows = found.raw.rows("select count(*) from raw")[0][0]
    return [found.loaded[at] for at in lacking]


def mapped_names(written: str, known: Collection[str]) -> list[str]:
    """The column of a name, or those of a template; a name that the file has is no template."""
    return [written] if written in known else list(template_columns(written)) or [written]


def _lacks(file: RawFile, names: Sequence[str]) -> bool:
    return any(column_key(name) not in file.keys for name in names)


def source_paths(
    choice: FileChoice,
    found: RawFiles,
    lacking: Sequence[RawFile],
    exclude: Sequence[str],
    form: str,
) -> SourcePaths:
    """Paths, exclusions and members that together name the files that were understood.

    Args:
        choice: what a person named.
        found: the tables in it.
        lacking: of them, those loaded without a column that is needed.
        exclude: globs that a person gave.
        form: format of the source.

    Raises:
        SourceFormatError: if other tables are in the same archive, and no pattern tells them apart.
    """
    kept = [file for file in found.loaded if file not in lacking]
    left = [*found.others, *lacking]
    members = _members(kept, left, form)
    outside = [file for file in left if not _is_packed(file)]
    if form == POLICE_UK and members is None:
        outside = []  # the layout knows its files by their names
    remarks = []
    if left:
        why = "has other columns" if len(left) == 1 else "have other columns"
        remarks.append(
            f"{_shown(left)} {why} and is left out"
            if len(left) == 1
            else f"{_shown(left)} {why} and are left out"
        )
    patterns = choice.patterns
    names = {file.path for file in outside}
    patterns = tuple(each for each in patterns if not _names_one(each, names))
    globbed = [path for path in sorted(names) if not _is_listed(path, choice.patterns)]
    return SourcePaths(
        patterns=patterns,
        exclude=(*exclude, *(glob.escape(path.name) for path in globbed)),
        members=members,
        remarks=remarks,
    )


def _names_one(pattern: str, paths: set[Path]) -> bool:
    return any(_is_listed(path, [pattern]) for path in paths)


def _is_listed(path: Path, patterns: Sequence[str]) -> bool:
    """Whether a path is named outright, not by a glob."""
    return any(str(path.absolute()).endswith(pattern) for pattern in patterns)


def _is_packed(file: RawFile) -> bool:
    return file.path.suffix.lower() == ".zip"


def _member(file: RawFile) -> str:
    return file.table.label.rpartition("/")[2]


def _members(kept: Sequence[RawFile], left: Sequence[RawFile], form: str) -> str | None:
    """A glob of the names of the kept tables, where the format's own or none at all will not do."""
    usual = str(KNOWN_SETTINGS.get(form, {}).get("members", "*"))
    names = [_member(file) for file in kept]
    fits = all(is_member(name, usual) for name in names)
    packed = [_member(file) for file in left if _is_packed(file)]
    if fits and not any(is_member(name, usual) for name in packed):
        return None
    for pattern in ("*.csv", *_common(names)):
        if all(is_member(name, pattern) for name in names) and not any(
            is_member(name, pattern) for name in packed
        ):
            return pattern
    raise SourceFormatError(
        f"{left[0].path if left else kept[0].path}: holds tables of several kinds, and no pattern "
        f"of names tells {_shown(kept)} from {_shown(left)}; unpack it and name the files"
    )


def _common(names: Sequence[str]) -> list[str]:
    """Globs of the longest end and the longest beginning that all names share."""
    end, start = names[0], names[0]
    for name in names[1:]:
        while not name.endswith(end):
            end = end[1:]
        while not name.startswith(start):
            start = start[:-1]
    shared = (f"*{glob.escape(end)}", f"{glob.escape(start)}*")
    return [pattern for pattern in shared if pattern != "*"]


def _shown(files: Sequence[RawFile]) -> str:
    names = ", ".join(file.table.label for file in files[:MAX_SHOWN])
    return names + (f" and {len(files) - MAX_SHOWN} more" if len(files) > MAX_SHOWN else "")
