"""Artifacts that know their own bytes: sizes and hashes written beside them, read back on use.

A disk, a copy or a hand may change a file after it was written. A step that makes an artifact
finds that out, sets the damaged one aside and makes it anew; a reader refuses it by name.
Artifacts of versions that wrote no seal are taken as they are.
"""

import errno
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import count
from pathlib import Path

from crime_platform.vocabulary.artifact import remove_orphans, write_json, written_aside
from crime_platform.vocabulary.progress import LOGGER

SEAL = "sha256.json"  # in a folder; of a file, beside it and with its name in front
DAMAGED = ".damaged-"
LOG = ".wal"  # of a database, beside it

Stamp = tuple[tuple[str, int, int], ...]  # of files: name, time of change, inode


class DamagedArtifactError(ValueError):
    """An artifact that is not as it was written."""


@contextmanager
def sealed(path: Path) -> Iterator[Path]:
    """As `written_aside`, for an artifact whose files can be verified ever after."""
    with written_aside(path) as aside:
        yield aside
        _write_seal(aside, path)


def is_whole(path: Path, *, needs: str | None = None) -> bool:
    """Whether an artifact is there as it was written, for its maker to decide what to do.

    A damaged one is set aside and said, so that the maker finds the name free.

    Args:
        path: file or folder of the artifact.
        needs: file without which a folder is of no use; asked of one without a seal.
    """
    remove_orphans(path)  # a process may be killed just after its artifact took its name
    if not path.exists():
        return False
    found = damage(path)
    if found is None and needs is not None and not (path / needs).exists():
        found = f"{needs} is missing"
    if found is not None:
        set_aside(path, found)
    return found is None


def require_whole(path: Path) -> None:
    """Refuse an artifact that is not as it was written.

    Raises:
        DamagedArtifactError: if a file of it is missing or has other bytes.
    """
    if (found := damage(path)) is not None:
        raise DamagedArtifactError(
            f"{path} is damaged: {found}. `crime-platform run` sets it aside and makes it anew."
        )


def is_sealed(path: Path) -> bool:
    """Whether an artifact can be verified: those of earlier versions cannot."""
    return _seal_of(path).exists()


def damage(path: Path) -> str | None:
    """What of an artifact is not as it was written, in words; None where all is, or no seal.

    A file is hashed once in the life of a process, as long as its time of change stays.
    """
    if not is_sealed(path):
        return None
    files = _read_seal(path)
    if files is None:
        return f"{_seal_of(path).name} is not the list of files that was written"
    root = path if path.is_dir() else path.parent
    stamp = []
    for name, (size, _) in files.items():
        try:
            stat = (root / name).stat()
        except FileNotFoundError:
            return f"{name} is missing"
        if stat.st_size != size:
            return f"{name} has {stat.st_size:,} bytes, and {size:,} were written"
        if (root / (name + LOG)).exists():
            return f"{name}{LOG} beside it holds changes that were made later"
        stamp.append((name, stat.st_mtime_ns, stat.st_ino))
    return _other_bytes(root, tuple(stamp), tuple(sha256 for _, sha256 in files.values()))


def cut_short(file: Path) -> str | None:
    """That a file ends too early, in words, at the cost of one look; None where it does not."""
    files = _read_seal(file) if is_sealed(file) else None
    size = (files or {}).get(file.name, (0, ""))[0]
    found = file.stat().st_size
    return f"it has {found:,} bytes, and {size:,} were written" if found < size else None


def _read_seal(path: Path) -> dict[str, tuple[int, str]] | None:
    """Size and hash of each sealed file by its name; None if the seal itself is damaged."""
    try:
        told = json.loads(_seal_of(path).read_bytes())
        return {name: (int(each["bytes"]), str(each["sha256"])) for name, each in told.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


@lru_cache(maxsize=4096)
def _other_bytes(root: Path, stamp: Stamp, hashes: tuple[str, ...]) -> str | None:
    """The first file with another hash, in words; hashed once as long as no file changes."""
    for (name, *_), sha256 in zip(stamp, hashes, strict=True):
        try:
            found = _sha256(root / name)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return f"{name} cannot be read from the disk ({error.strerror})"
        if found != sha256:
            return f"{name} has other bytes than were written (sha256 {found}, not {sha256})"
    return None


def set_aside(path: Path, found: str) -> None:
    """Rename what is damaged, with its seal and its log, and say so; nothing is deleted."""
    number = next(n for n in count(1) if not _renamed(path, n).exists())
    beside = [] if path.is_dir() else [_seal_of(path), path.with_name(path.name + LOG)]
    for file in (*beside, path):
        with suppress(FileNotFoundError):  # there is none, or another process was faster
            file.replace(_renamed(path, number, file.name.removeprefix(path.name)))
    kept = _renamed(path, number).name
    LOGGER.warning("%s is damaged: %s. It is kept as %s and made anew.", path, found, kept)


def _renamed(path: Path, number: int, ending: str = "") -> Path:
    return path.with_name(f"{path.name}{DAMAGED}{number}{ending}")


def _write_seal(aside: Path, path: Path) -> None:
    if aside.is_dir():
        files = sorted(file for file in aside.rglob("*") if file.is_file())
        seal = aside / SEAL
    else:
        files = [aside]
        seal = _seal_of(path)
    root = aside if aside.is_dir() else aside.parent
    told = {
        file.relative_to(root).as_posix(): {"bytes": file.stat().st_size, "sha256": _sha256(file)}
        for file in files
    }
    write_json(seal, told)


def _seal_of(path: Path) -> Path:
    return path / SEAL if path.is_dir() else path.with_name(f"{path.name}.{SEAL}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
