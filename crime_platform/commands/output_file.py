"""Files and folders that a person asks a command to write: refused at once, or written whole."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from crime_platform.system.machine_trouble import reason_of
from crime_platform.vocabulary.artifact import TEMPORARY, written_aside
from crime_platform.vocabulary.home import PlatformHome


class OutputFileError(ValueError):
    """A file or folder that cannot be written where the person asked for it."""


def require_output_files(outputs: Mapping[str, Path]) -> None:
    """Refuse files that cannot be written, before any work is done for them.

    A missing folder is nearly always a mistyped one, so it is never made.

    Args:
        outputs: path by option.

    Raises:
        OutputFileError: if a path is a folder or no ordinary file, is kept by the platform, its
            folder is missing or cannot be written in, or two options name one file.
    """
    home = PlatformHome.from_environment()
    for option, path in outputs.items():
        with named_failures(option, path):
            if path.is_dir():
                raise OutputFileError(
                    f"{option} {path} is a folder; add the name of the file to write in it"
                )
            if path.exists() and not path.is_file():
                raise OutputFileError(f"{option} {path} is no ordinary file; name another one")
            if home.keeps(_target(path)):
                raise OutputFileError(
                    f"{option} {path}: the platform keeps its own files there; name a file "
                    "elsewhere"
                )
            _require_place_in(_target(path).parent, option, path)
    by_file: dict[Path, str] = {}
    for option, path in outputs.items():
        first = by_file.setdefault(_target(path), option)
        if first != option:
            raise OutputFileError(
                f"{first} and {option} both write {path}; give each a file of its own"
            )


def require_output_folder(option: str, path: Path) -> None:
    """Refuse a folder that cannot be written or made; only the last part of it may be new.

    Raises:
        OutputFileError: if it is a file, or its own folder is missing or cannot be written in.
    """
    with named_failures(option, path):
        if path.exists() and not path.is_dir():
            raise OutputFileError(f"{option} {path} is a file; name a folder")
        target = _target(path)
        _require_place_in(target if path.is_dir() else target.parent, option, path)


@contextmanager
def written_output(option: str, path: Path) -> Iterator[Path]:
    """Temporary path for a file that is asked for; it takes its name when it is whole.

    Raises:
        OutputFileError: if it cannot be written.
    """
    with named_failures(option, path), written_aside(_target(path)) as aside:
        yield aside


@contextmanager
def named_failures(option: str, path: Path) -> Iterator[None]:
    """What the system says while the path is written, told with the option and the path.

    Raises:
        OutputFileError: instead of an OSError, and of DuckDB's about a temporary file.
    """
    try:
        yield
    except OSError as error:
        raise OutputFileError(_cannot_write(option, path, error)) from error
    except duckdb.IOException as error:
        if TEMPORARY not in str(error):
            raise  # of a file that is read
        raise OutputFileError(_cannot_write(option, path, error)) from error


def _target(path: Path) -> Path:
    """The file behind links: a link is written through, never replaced."""
    return Path(os.path.realpath(path))


def _require_place_in(folder: Path, option: str, path: Path) -> None:
    if not folder.exists():
        raise OutputFileError(
            f"{option} {path}: there is no folder {folder}; make it, or correct its name"
        )
    if not folder.is_dir():
        raise OutputFileError(f"{option} {path}: {folder} is a file, no folder; name another one")
    # Permissions alone do not tell: of a read-only disk, or of root in /proc.
    with tempfile.TemporaryFile(dir=folder):
        pass


def _cannot_write(option: str, path: Path, error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    reason = reason_of(error) if number is None else os.strerror(number)
    return f"{option} {path}: cannot be written ({reason}); choose another place"
