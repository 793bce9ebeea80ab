"""A source's files: found, hashed, told apart by their content, and turned into UTF-8.

What a column means is not known here.
"""

import codecs
import datetime as dt
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crime_platform.sources.archives import chunks, fresh_path, gunzip, is_member, unzip
from crime_platform.vocabulary.incident import SourceFormatError
from crime_platform.vocabulary.source import Source

TEXT, PARQUET, GEOJSON, GZIP, ZIP = "text", "parquet", "geojson", "gzip", "zip"
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GLOB_SIGNS = "*?["


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """One uncompressed file, ready to scan; text is UTF-8."""

    path: Path
    label: str  # how messages and tables call it: the file's name, or archive.zip/member.csv
    kind: str  # TEXT, PARQUET or GEOJSON


def find_files(patterns: tuple[str, ...], folder: Path) -> list[Path]:
    """Files that the patterns name, by path, each once.

    Args:
        patterns: paths or globs, absolute or below `folder`; `**` means any folders.
        folder: where a relative pattern starts.

    Raises:
        SourceFormatError: if a pattern matches no file, or something that cannot be read as one.
    """
    found: set[Path] = set()
    for pattern in patterns:
        for path in _matches(pattern, folder):
            with _let_in(path):
                found.update([path] if _is_readable(path) else [])
    for pattern in missing_files(patterns, folder):
        raise SourceFormatError(
            f"{folder.absolute() / pattern}: no such file. Put the publisher's file there, or "
            "correct paths under [[source]] (relative paths start at the home folder)"
        )
    return sorted(found)


def source_files(source: Source, folder: Path) -> list[Path]:
    """Files of a source, by path; of files that are no archives, those that `members` names.

    Raises:
        SourceFormatError: if a pattern of the source matches no file, or no file has such a name.
    """
    found = find_files(source.paths, folder)
    kept = [path for path in found if _is_archive(path) or is_member(path.name, source.members)]
    if not kept:
        raise SourceFormatError(
            f"{found[0]}: source {source.name!r} reads archives and files named "
            f"{source.members}; correct paths or members under [[source]]"
        )
    return kept


def _is_archive(path: Path) -> bool:
    return path.suffix.lower() == ".zip"


def missing_files(patterns: tuple[str, ...], folder: Path) -> list[str]:
    """The patterns that match no file yet; `patterns` and `folder` as in `find_files`."""
    return [
        pattern
        for pattern in patterns
        if not any(path.is_file() for path in _matches(pattern, folder))
    ]


def _is_readable(path: Path) -> bool:
    """Whether a match is a file, not a folder; what else it may be would be lost or never end.

    Raises:
        SourceFormatError: if it is a link to nothing, or a pipe, socket or device, or if the
            database cannot be told its name.
    """
    if path.is_dir() or not (path.exists() or path.is_symlink()):
        return False
    if not path.exists():
        raise SourceFormatError(
            f"{path}: a link to {path.readlink()}, which is not there; mend the link or remove it"
        )
    if not path.is_file():
        raise SourceFormatError(
            f"{path}: a pipe, socket or device; only files are read, so save what it gives as one"
        )
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError as error:
        raise SourceFormatError(
            f"{str(path)!a}: the name holds bytes that are not UTF-8; rename the file"
        ) from error
    return True


def file_state(path: Path) -> tuple[int, int, int]:
    """Size, time of the last change and inode: a file that is written to changes one of them.

    Raises:
        SourceFormatError: if the system does not let us look.
    """
    with _let_in(path):
        found = path.stat()
    return (found.st_size, found.st_mtime_ns, found.st_ino)


def published_on(source: Source, path: Path) -> dt.date | None:
    """Day that a file's name says it was published, where the source's names say one.

    Raises:
        SourceFormatError: if the name is not written as the source says.
    """
    if source.published_on is None:
        return None
    try:
        return dt.datetime.strptime(path.name, source.published_on).replace(tzinfo=dt.UTC).date()
    except ValueError as error:
        raise SourceFormatError(
            f"{path}: its name is not written {source.published_on!r}, so the day it was published "
            "is not known; rename the file, or correct published_on under [[source]]"
        ) from error


def file_sha256(path: Path) -> str:
    """Hash of a file's bytes, read in pieces.

    Raises:
        SourceFormatError: if the system does not let us read it.
    """
    with _let_in(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _let_in(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceFormatError(
            f"{path}: cannot be read ({error.strerror}); check its permissions and its disk"
        ) from error


def open_tables(
    path: Path, scratch: Path, *, encoding: str | None = None, members: str | None = None
) -> list[TableFile]:
    """The table in a file, or the tables in an archive, unpacked and as UTF-8.

    Args:
        path: CSV, TSV, Parquet or GeoJSON, as it is or in a gzip or zip file.
        scratch: existing folder for what must be unpacked or rewritten.
        encoding: of text without a byte order mark, when it is not UTF-8.
        members: glob of the names in an archive that are wanted; all tables when absent.

    Raises:
        SourceFormatError: if the file is missing, empty, damaged, of another kind, or unpacks to
            more than a table would.
    """
    if not _is_readable(path):
        raise SourceFormatError(f"{path.absolute()}: no such file; correct paths under [[source]]")
    kind = sniff_kind(path, encoding)
    if kind == ZIP:
        found = unzip(path, scratch, members or "*")
    elif kind == GZIP:
        found = [(gunzip(path, scratch), path.name)]
    else:
        found = [(path, path.name)]
    return [
        _ready(member, label, scratch, encoding, packed=kind in (ZIP, GZIP))
        for member, label in found
    ]


def sniff_kind(path: Path, encoding: str | None = None) -> str:
    """What a file is, by its first bytes; its name is not trusted.

    Args:
        path: an existing file.
        encoding: of text, if the source states one: UTF-16 holds zeros without being binary.

    Raises:
        SourceFormatError: if it is empty or not a kind of table that can be read.
    """
    with _let_in(path), path.open("rb") as file:
        start = file.read(4096)
    if not start.strip():
        raise SourceFormatError(f"{path}: the file is empty; fetch it again from the publisher")
    for magic, kind in ((b"PAR1", PARQUET), (b"\x1f\x8b", GZIP), (b"PK\x03\x04", ZIP)):
        if start.startswith(magic):
            return kind
    if any(start.startswith(mark) for mark, _ in BYTE_ORDER_MARKS):
        return _text_kind(path, start.decode(_marked_encoding(start), errors="ignore"))
    if b"\0" in start and encoding is None:
        raise SourceFormatError(
            f"{path}: a binary file of an unknown kind; expected CSV, TSV, Parquet or GeoJSON, "
            "or one of these in a gzip or zip file; if it is UTF-16 text, state "
            'encoding = "utf-16-le" under [[source]]'
        )
    return _text_kind(path, start.replace(b"\0", b"").decode("latin-1"))


def _text_kind(path: Path, start: str) -> str:
    start = start.lstrip("\ufeff \t\r\n").lower()
    if start.startswith(("<!doctype html", "<html")):
        raise SourceFormatError(
            f"{path}: a web page, not a table; the download was answered with an error page, so "
            "fetch the file again by hand"
        )
    if start.startswith("["):
        raise SourceFormatError(
            f"{path}: a JSON list; expected CSV, TSV, Parquet or GeoJSON, so export one of these"
        )
    return GEOJSON if start.startswith("{") else TEXT


def _ready(
    path: Path, label: str, scratch: Path, encoding: str | None, *, packed: bool
) -> TableFile:
    kind = sniff_kind(path, encoding)
    if kind in (GZIP, ZIP):
        raise SourceFormatError(f"{label}: an archive in an archive; unpack the outer one by hand")
    if kind != PARQUET:
        with path.open("rb") as file:
            marked = _marked_encoding(file.read(4))
        written_in = marked or encoding or "utf-8"
        if _codec_name(written_in, label) not in ("utf-8", "utf-8-sig"):
            rewritten = _rewritten_as_utf8(path, label, scratch, written_in)
            if packed:
                path.unlink()
            path = rewritten
    return TableFile(path=path, label=label, kind=kind)


def _codec_name(encoding: str, label: str) -> str:
    try:
        "a".encode(encoding)  # some codecs are known and not of text
        return codecs.lookup(encoding).name
    except (LookupError, ValueError) as error:
        raise SourceFormatError(
            f"{label}: encoding {encoding!r} is not known; write e.g. cp1252 or leave it out"
        ) from error


def _marked_encoding(start: bytes) -> str:
    return next((name for mark, name in BYTE_ORDER_MARKS if start.startswith(mark)), "")


def _rewritten_as_utf8(path: Path, label: str, scratch: Path, encoding: str) -> Path:
    target = fresh_path(scratch)
    decode = codecs.getincrementaldecoder(encoding)().decode
    try:
        with path.open("rb") as source, target.open("wb") as out:
            for chunk in chunks(source.read):
                out.write(decode(chunk).encode())
            out.write(decode(b"", final=True).encode())
    except UnicodeError as error:
        raise SourceFormatError(
            f"{label}: not {encoding} throughout: {_reason(error)}; "
            'state its encoding under [[source]], e.g. encoding = "cp1252"'
        ) from error
    return target


def _reason(error: UnicodeError) -> str:
    return getattr(error, "reason", str(error))  # without the piece of text that it is about


def _matches(pattern: str, folder: Path) -> list[Path]:
    if not any(sign in pattern for sign in _GLOB_SIGNS):
        return [folder.absolute() / pattern]
    # Only the pattern is one: the folder above may hold brackets of its own.
    anchor = Path(Path(pattern).anchor or folder.absolute())
    try:
        return list(anchor.glob(str(Path(pattern).relative_to(Path(pattern).anchor))))
    except ValueError as error:
        raise SourceFormatError(
            f"{pattern}: no pattern of files ({error}); correct paths under [[source]]"
        ) from error
