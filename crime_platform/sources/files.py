"""A source's files: found, hashed, told apart by their content, and safely unpacked.

What a column means is not known here. Unpacking writes below one scratch folder and nowhere else.
"""

import codecs
import datetime as dt
import fnmatch
import gzip
import hashlib
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crime_platform.vocabulary.incident import SourceFormatError
from crime_platform.vocabulary.source import Source

TEXT, PARQUET, GEOJSON, GZIP, ZIP = "text", "parquet", "geojson", "gzip", "zip"
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".geojson", ".json")
CHUNK_BYTES = 1 << 20
MAX_UNPACKED_BYTES = 20 * 2**30
MAX_EXPANSION = 200  # text compresses about 10-fold; a bomb a thousandfold
ALWAYS_ALLOWED_BYTES = 100 * 2**20  # small files may be as compressible as they like
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
        SourceFormatError: if a pattern matches no file.
    """
    found: set[Path] = set()
    for pattern in patterns:
        found.update(path for path in _matches(pattern, folder) if path.is_file())
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


def is_member(name: str, wanted: str | None) -> bool:
    """Whether a file's name fits the glob of a source's `members`; the folder does not count."""
    plain = Path(name).name.lower().removesuffix(".gz")
    return fnmatch.fnmatch(plain, (wanted or "*").lower())


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
    """Hash of a file's bytes, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
    if not path.is_file():
        raise SourceFormatError(f"{path.absolute()}: no such file; correct paths under [[source]]")
    kind = sniff_kind(path)
    if kind == ZIP:
        found = _unzip(path, scratch, members or "*")
    elif kind == GZIP:
        found = [(_gunzip(path, scratch), path.name)]
    else:
        found = [(path, path.name)]
    return [
        _ready(member, label, scratch, encoding, packed=kind in (ZIP, GZIP))
        for member, label in found
    ]


def sniff_kind(path: Path) -> str:
    """What a file is, by its first bytes; its name is not trusted.

    Raises:
        SourceFormatError: if it is empty or not a kind of table that can be read.
    """
    with path.open("rb") as file:
        start = file.read(4096)
    if not start.strip():
        raise SourceFormatError(f"{path}: the file is empty; fetch it again from the publisher")
    for magic, kind in ((b"PAR1", PARQUET), (b"\x1f\x8b", GZIP), (b"PK\x03\x04", ZIP)):
        if start.startswith(magic):
            return kind
    if any(start.startswith(mark) for mark, _ in BYTE_ORDER_MARKS):
        return _text_kind(path, start.decode(_marked_encoding(start), errors="ignore"))
    if b"\0" in start:
        raise SourceFormatError(
            f"{path}: a binary file of an unknown kind; expected CSV, TSV, Parquet or GeoJSON, "
            "or one of these in a gzip or zip file"
        )
    return _text_kind(path, start.decode("latin-1"))


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
    kind = sniff_kind(path)
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
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise SourceFormatError(
            f"{label}: encoding {encoding!r} is not known; write e.g. cp1252 or leave it out"
        ) from error


def _marked_encoding(start: bytes) -> str:
    return next((name for mark, name in BYTE_ORDER_MARKS if start.startswith(mark)), "")


def _rewritten_as_utf8(path: Path, label: str, scratch: Path, encoding: str) -> Path:
    target = _fresh_path(scratch)
    decode = codecs.getincrementaldecoder(encoding)().decode
    try:
        with path.open("rb") as source, target.open("wb") as out:
            for chunk in _chunks(source.read):
                out.write(decode(chunk).encode())
            out.write(decode(b"", final=True).encode())
    except UnicodeDecodeError as error:
        raise SourceFormatError(
            f"{label}: not {encoding} throughout: {error.reason} at byte {error.start} of a piece; "
            'state its encoding under [[source]], e.g. encoding = "cp1252"'
        ) from error
    return target


def _gunzip(path: Path, scratch: Path) -> Path:
    target = _fresh_path(scratch)
    try:
        with gzip.open(path, "rb") as packed:
            _unpack(packed.read, target, path.name, packed_bytes=path.stat().st_size)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceFormatError(f"{path}: a damaged gzip file ({error}); fetch it again") from error
    return target


def _unzip(path: Path, scratch: Path, wanted: str) -> list[tuple[Path, str]]:
    try:
        with zipfile.ZipFile(path) as archive:
            if "[Content_Types].xml" in archive.namelist():
                raise SourceFormatError(f"{path}: a spreadsheet; save the sheet as CSV")
            return [
                (_unzip_member(archive, member, path, scratch), f"{path.name}/{member.filename}")
                for member in _table_members(archive, path, wanted)
            ]
    except (zipfile.BadZipFile, RuntimeError, EOFError, zlib.error, NotImplementedError) as error:
        raise SourceFormatError(
            f"{path}: a zip file that cannot be unpacked ({error}); fetch it again, without a "
            "password"
        ) from error


def _table_members(archive: zipfile.ZipFile, path: Path, wanted: str) -> list[zipfile.ZipInfo]:
    members = [
        member
        for member in archive.infolist()
        if member.filename.lower().endswith(TABLE_SUFFIXES)
        and is_member(member.filename, wanted)
        and not Path(member.filename).name.startswith(".")
        and "__MACOSX" not in member.filename
        and member.file_size
    ]
    if not members:
        raise SourceFormatError(
            f"{path}: holds no table; found {archive.namelist()[:10]}, expected a file named "
            f"{wanted} and ending in {', '.join(TABLE_SUFFIXES)}"
        )
    return sorted(members, key=lambda member: member.filename)


def _unzip_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, scratch: Path
) -> Path:
    """The member under a name of ours: what the archive calls it never becomes a path."""
    target = _fresh_path(scratch)
    with archive.open(member) as packed:
        _unpack(packed.read, target, f"{path.name}/{member.filename}", member.compress_size)
    return target


def _unpack(read: Callable[[int], bytes], target: Path, label: str, packed_bytes: int) -> None:
    """Copy, counting what really comes out: sizes stated in an archive can lie."""
    limit = min(MAX_UNPACKED_BYTES, max(ALWAYS_ALLOWED_BYTES, MAX_EXPANSION * packed_bytes))
    n_bytes = 0
    with target.open("wb") as out:
        for chunk in _chunks(read):
            n_bytes += len(chunk)
            if n_bytes > limit:
                raise SourceFormatError(
                    f"{label}: {packed_bytes:,} bytes unpack to more than {limit:,}; no table of "
                    "incidents does, so check where the file comes from, or unpack it by hand"
                )
            out.write(chunk)


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read(CHUNK_BYTES):
        yield chunk


def _fresh_path(scratch: Path) -> Path:
    return scratch / f"table-{uuid.uuid4().hex}"


def _matches(pattern: str, folder: Path) -> list[Path]:
    whole = folder.absolute() / pattern
    if not any(sign in pattern for sign in _GLOB_SIGNS):
        return [whole]
    return list(Path(whole.anchor).glob(str(whole.relative_to(whole.anchor))))
