"""Immutable files named by what they were made from: content keys and crash-safe writing.

A file with a final name is whole. Work in progress has a temporary name and is renamed when done,
so a killed process leaves an orphan behind and never half a result.
"""

import errno
import fcntl
import glob
import hashlib
import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, is_dataclass
from pathlib import Path

import numpy as np

PACKAGE = Path(__file__).resolve().parent.parent
TEMPORARY = ".tmp-"
KEY_LENGTH = 16  # hex digits kept of a sha256: 64 bits, enough to tell artifacts apart


def content_key(*parts: object) -> str:
    """Short name for everything that determines an artifact: data, config and code version.

    Dataclasses count by their fields, arrays by dtype, shape and bytes, anything else by its JSON.

    Raises:
        TypeError: if a part can be written neither as an array nor as JSON.
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        else:
            fields = asdict(part) if is_dataclass(part) and not isinstance(part, type) else part
            digest.update(json.dumps(fields, sort_keys=True, default=_as_text).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:KEY_LENGTH]


def _as_text(value: object) -> str:
    if isinstance(value, np.datetime64 | Path):
        return str(value)
    raise TypeError(f"a {type(value).__name__} has no stable text, so it cannot name an artifact")


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Temporary path for a file or folder that takes its final name only when it is whole.

    Several processes may write the same target at once: each has a place of its own, and the last
    one to end wins. What a killed process left of the same target is removed first. A failure names
    the target, for nobody knows the temporary path.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_orphans(path)
        with _place_of_our_own(path) as place:
            aside = place / path.name
            yield aside
            _take_name(aside, path, replaced=place / f"replaced-{path.name}")
            sync_folder(path.parent)
    except OSError as error:
        if TEMPORARY not in str(error.filename):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def _place_of_our_own(path: Path) -> Iterator[Path]:
    """A folder beside the target, locked as long as this process works in it.

    The kernel frees the lock of a killed process, and then the folder is an orphan.
    """
    while True:
        place = path.parent / f"{TEMPORARY}{uuid.uuid4().hex[:8]}-{path.name}"
        place.mkdir()
        try:
            descriptor = os.open(place, os.O_RDONLY)
        except FileNotFoundError:  # taken for an orphan before it was locked
            continue
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if place.exists():
            break
        os.close(descriptor)  # taken for an orphan too
    try:
        yield place
    finally:
        remove(place)
        os.close(descriptor)


def remove_orphans(path: Path) -> None:
    """Delete what killed processes left of a target; what a living one works in stays."""
    for orphan in path.parent.glob(f"{TEMPORARY}*-{glob.escape(path.name)}"):
        try:
            descriptor = os.open(orphan, os.O_RDONLY)
        except FileNotFoundError:  # its owner ended, or it is a link that leads nowhere
            remove(orphan)
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(orphan)
        except BlockingIOError:
            continue  # its owner is alive
        finally:
            os.close(descriptor)


def _take_name(aside: Path, path: Path, *, replaced: Path) -> None:
    """Rename over what has the name; a folder can only be moved out of the way first."""
    while True:
        if path.is_dir() and not path.is_symlink():
            with suppress(FileNotFoundError):  # another process was faster
                path.replace(replaced)
        try:
            aside.replace(path)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.EISDIR):
                raise
            remove(replaced)  # another process gave the name to a folder in between
        else:
            return


def remove(path: Path) -> None:
    """Delete a file or a folder; what is not there needs no deleting."""
    if path.is_dir() and not path.is_symlink():
        with suppress(FileNotFoundError):  # another process removes it too
            shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sync_file(path: Path) -> None:
    """Force a file's bytes to the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Force a folder's entries (names and renames) to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: object) -> None:
    """Write JSON crash-safely, keys sorted, so that equal values give equal files."""
    with written_aside(path) as aside:
        text = json.dumps(value, indent=2, sort_keys=True, default=_as_text)
        aside.write_text(text + "\n", encoding="utf-8")


def swap_symlink(link: Path, target: str) -> None:
    """Point `link` at `target` in one atomic step; readers see the old or the new, never none."""
    with written_aside(link) as aside:
        aside.symlink_to(target)


def git_commit() -> str | None:
    """Commit of the code that runs, or None outside a git checkout."""
    answer = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=PACKAGE,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip() or None if answer.returncode == 0 else None
