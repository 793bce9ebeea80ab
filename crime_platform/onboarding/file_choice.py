"""Files, folders and globs that a person names, and the words for them in a TOML."""

import fnmatch
import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crime_platform.sources.files.archives import PACKED_SUFFIXES, PLAIN_SUFFIXES, is_member
from crime_platform.sources.files.opening import find_files
from crime_platform.vocabulary.incident import SourceFormatError

READABLE = (*PLAIN_SUFFIXES, ".zip")
MAX_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChoice:
    """What a source reads."""

    patterns: tuple[str, ...]  # for `paths`, below the home folder where the files are
    files: tuple[Path, ...]
    remarks: tuple[str, ...] = ()  # files of a folder that are left alone


def choose_files(given: Sequence[Path], exclude: Sequence[str], home: Path) -> FileChoice:
    """The files that a person names.

    Args:
        given: files, folders and globs.
        exclude: globs of what is not meant: of a whole path or of a name.
        home: below which paths are written without their root.

    Raises:
        SourceFormatError: if nothing is there, or everything is excluded.
    """
    patterns: list[str] = []
    files: list[Path] = []
    remarks: list[str] = []
    for path in given:
        if path.is_dir():
            endings, others = _endings(path, exclude)
            below = glob.escape(written_path(path, home))
            patterns += [f"{below}/**/*{ending}" for ending in endings]
            files += [each for ending in endings for each in sorted(path.rglob(f"*{ending}"))]
            if others:
                remarks.append(_left_alone(path, endings[0], others))
        elif not is_glob(path):
            if not path.exists():
                raise SourceFormatError(f"{path}: no such file or folder; check how it is spelt")
            patterns.append(written_path(path, home))
            files.append(path)
        else:
            patterns.append(written_path(path, home))
            files += _of_glob(path)
    kept = [path for path in dict.fromkeys(files) if not is_excluded(path, exclude)]
    if not kept:
        raise SourceFormatError(_nothing_left(exclude, given))
    return FileChoice(patterns=tuple(patterns), files=tuple(kept), remarks=tuple(remarks))


def is_glob(path: Path) -> bool:
    """Whether a path is a pattern; a file or folder whose name only looks like one is not."""
    return not path.exists() and bool(set(str(path)) & set("*?["))


def _nothing_left(exclude: Sequence[str], given: Sequence[Path]) -> str:
    return (
        f"--exclude {' and '.join(exclude)} leaves out every file of "
        f"{', '.join(map(str, given))}; narrow it"
    )


def _of_glob(path: Path) -> list[Path]:
    try:
        return find_files((str(path),), Path.cwd())
    except SourceFormatError as error:
        raise SourceFormatError(f"{path}: no file fits this pattern; correct it") from error


def written_path(path: Path, home: Path) -> str:
    """A path as a TOML names it: below the home folder, or in full."""
    whole = path.absolute()
    return str(whole.relative_to(home) if whole.is_relative_to(home) else whole)


def is_excluded(path: Path, exclude: Sequence[str]) -> bool:
    """Whether a glob fits the whole path, the end of it or the name alone."""
    whole = str(path.absolute())
    return any(
        path.name == pattern
        or fnmatch.fnmatch(whole, pattern)
        or fnmatch.fnmatch(whole, f"*/{pattern}")
        or is_member(path.name, pattern)
        for pattern in exclude
    )


def _endings(folder: Path, exclude: Sequence[str]) -> tuple[list[str], list[Path]]:
    """The endings of the kind of table that most files of a folder are, and the other files."""
    whole = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    ]
    found = [path for path in whole if not is_excluded(path, exclude)]
    kinds: dict[str, list[Path]] = {}
    for path in found:
        kinds.setdefault(_ending(path).lower(), []).append(path)
    tables = {ending: paths for ending, paths in kinds.items() if _plain(ending) in READABLE}
    if not tables and any(_plain(_ending(path).lower()) in READABLE for path in whole):
        raise SourceFormatError(_nothing_left(exclude, [folder]))
    if not tables:
        raise SourceFormatError(
            f"{folder}: a folder without a table; expected files that end in "
            f"{', '.join(READABLE)}, also packed"
        )
    most = max(tables.values(), key=lambda paths: (len(paths), _n_bytes(paths)))
    return sorted({_ending(path) for path in most}), [path for path in found if path not in most]


def _ending(path: Path) -> str:
    plain = _plain(path.name)
    return Path(plain).suffix + path.name[len(plain) :]


def _plain(name: str) -> str:
    """A name without the ending of a packed file."""
    packed = next((end for end in PACKED_SUFFIXES if name.lower().endswith(end)), "")
    return name[: len(name) - len(packed)]


def _n_bytes(paths: Sequence[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _left_alone(folder: Path, ending: str, others: Sequence[Path]) -> str:
    names = ", ".join(str(path.relative_to(folder)) for path in others[:MAX_NAMED])
    more = f" and {len(others) - MAX_NAMED} more" if len(others) > MAX_NAMED else ""
    return f"{folder}: only its {ending} files are read, not {names}{more}"
