"""A full disk, a lost permission and their like: what happened and what to do, in one message."""

import errno
import os
import re
from collections.abc import Iterator

SAME_COMMAND = "What was finished is kept: the same command goes on from there."
_FILE_FOR_FOLDER = "A file is where a folder is expected: move it, or correct the path."
CURES = {
    errno.ENOSPC: "The disk is full: make room on it.",
    errno.EDQUOT: "The disk quota is used up: make room.",
    errno.EROFS: "The disk is read-only: make it writable, or set CRIME_PLATFORM_HOME elsewhere.",
    errno.EACCES: "This user may not use the file: correct its permissions or its owner.",
    errno.EPERM: "This user may not use the file: correct its permissions or its owner.",
    errno.ENOTDIR: _FILE_FOR_FOLDER,
    errno.EEXIST: _FILE_FOR_FOLDER,
    errno.EMFILE: "Too many files are open: raise the limit (ulimit -n).",
    errno.ENFILE: "Too many files are open on this machine: close some programs.",
    errno.EIO: "The disk is full or broken: make room on it, or check it.",
    errno.ENOMEM: "The memory is not enough: close other programs, or use a larger machine.",
}
_WORDS = {
    **{os.strerror(number).lower(): number for number in CURES},
    # SQLite, in which Dagster keeps its runs, and memory have words of their own.
    "database or disk is full": errno.ENOSPC,
    "disk i/o error": errno.EIO,  # also when its shared memory cannot grow on a full disk
    "attempt to write a readonly database": errno.EROFS,
    "unable to open database file": errno.EACCES,
    "out of memory error": errno.ENOMEM,
    "unable to allocate": errno.ENOMEM,
}
# `written_aside` gives a file a folder of its own until it is whole; nobody else knows of it.
_ASIDE = re.compile(r"\.tmp-[0-9a-f]{8}-([^/]+)/(?=\1)")
_KINDS = {
    "OSError",
    "PermissionError",
    "NotADirectoryError",
    "FileExistsError",
    "MemoryError",
    "_ArrayMemoryError",
    "IOException",  # DuckDB
    "OutOfMemoryException",
    "FatalException",
    "TransactionException",
    "OperationalError",  # SQLite and SQLAlchemy
}


def machine_trouble(kind: str, message: str) -> str | None:
    """What happened and what to do; None if the error is of another kind.

    Args:
        kind: name of the exception's class; of a failed step Dagster keeps no more.
        message: its text.
    """
    if kind not in _KINDS:
        return None
    lowered = message.lower()
    number = next((number for words, number in _WORDS.items() if words in lowered), None)
    if number is None and "Memory" in kind:
        number = errno.ENOMEM
    if number is None:
        return None
    return f"{_ASIDE.sub('', message.strip())}\n{CURES[number]} {SAME_COMMAND}"


def reason_of(error: Exception) -> str:
    """The system's own words in the message of a library; the whole message where it has none."""
    lowered = str(error).lower()
    words = (os.strerror(number) for number in CURES)
    return next((each for each in words if each.lower() in lowered), str(error))


def trouble_of(error: BaseException) -> str | None:
    """The same for an exception, or for one that it was raised from."""
    found = (machine_trouble(type(each).__name__, str(each)) for each in chain(error))
    return next((message for message in found if message is not None), None)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, and those that it was raised from, the newest first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
