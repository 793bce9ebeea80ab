"""A source's files: found, hashed, told apart by their content, and turned into plain tables.

What a column means is not known here.
"""

import datetime as dt
import fnmatch
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from crime_platform.sources.conversion.kinds import (
    CONVERTERS,
    GEOPARQUET,
    JSON_LINES,
    VECTOR,
)
from crime_platform.sources.conversion.parent import convert
from crime_platform.sources.conversion.plain_table import Job
from crime_platform.sources.files.archives import (
    PACKED_SUFFIXES,
    PLAIN_SUFFIXES,
    SHAPEFILE,
    SHAPEFILE_PARTS,
    TABLE_SUFFIXES,
    fresh_path,
    gunzip,
    is_member,
    shapefile_parts,
    unzip,
)
from crime_platform.sources.files.encodings import as_utf8
from crime_platform.sources.files.kinds import (
    GEOJSON,
    PACKED,
    PARQUET,
    START_BYTES,
    TEXT,
    ZIP,
    kind_of_start,
    suffix_of_vector,
)
from crime_platform.study_area.source import Source
from crime_platform.vocabulary.incident import SourceFormatError
from crime_platform.vocabulary.projection import WGS84

_GLOB_SIGNS = "*?["


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """One uncompressed file, ready to scan; text is UTF-8.

    A file of a kind that a database cannot scan is Parquet by now, with a column per column of the
    publisher; a point is in the columns `geometry.x` and `geometry.y`. Then `header` has the names
    as the publisher writes them, and the rows are numbered as they stood in the publisher's file.
    """

    path: Path
    label: str  # how messages and tables call it: the file's name, or archive.zip/member.csv
    kind: str  # TEXT, PARQUET or GEOJSON
    header: tuple[str, ...] = ()
    first_row: int = 1  # number of the first row of data
    blank: tuple[int, ...] = ()  # numbers of rows that hold nothing, which the table lacks
    broken: tuple[int, ...] = ()  # numbers of rows that cannot be read, which it lacks too
    remark: str = ""  # why there are no points, where the file has geometries


def find_files(patterns: tuple[str, ...], folder: Path) -> list[Path]:
    """Files that the patterns name, by path, each once.

    Args:
        patterns: paths or globs, absolute or below `folder`; `**` means any folders. A path that
            exists as it is written is no glob.
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
        path = folder.absolute() / pattern
        if path.is_dir():
            raise SourceFormatError(
                f"{path}: a folder without a file that is read; put the publisher's files there, "
                f"ending in {', '.join(PLAIN_SUFFIXES)} or .zip"
            )
        raise SourceFormatError(
            f"{path}: no such file. Put the publisher's file there, or "
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
            f"{source.members}; correct paths or members under [[source]], e.g. "
            f'members = "*{found[0].suffix}"'
        )
    left = [path for path in kept if not _is_excluded(path, source.exclude, folder)]
    if not left:
        raise SourceFormatError(
            f"{kept[0]}: exclude of source {source.name!r} leaves no file; correct exclude under "
            "[[source]]"
        )
    return left


def _is_excluded(path: Path, patterns: tuple[str, ...], folder: Path) -> bool:
    """Whether a glob of the whole path fits, or one without a folder fits the name."""
    return any(
        fnmatch.fnmatch(str(path), str(folder.absolute() / pattern))
        or path.is_relative_to(folder.absolute() / pattern)
        or ("/" not in pattern and (path.name == pattern or fnmatch.fnmatch(path.name, pattern)))
        for pattern in patterns
    )


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
        found = [part.stat() for part in (path, *_parts_of(path))]
    newest = max(each.st_mtime_ns for each in found)
    return (sum(each.st_size for each in found), newest, found[0].st_ino)


def _parts_of(path: Path) -> list[Path]:
    """The files that make up a shapefile with the one that is named."""
    if path.suffix.lower() != SHAPEFILE:
        return []
    names = [other.name for other in path.parent.iterdir()]
    return [path.with_name(name) for name in sorted(shapefile_parts(path.name, names))]


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
    """Hash of a file's bytes, read in pieces; of a shapefile, of all that belongs to it.

    Raises:
        SourceFormatError: if the system does not let us read it.
    """
    with _let_in(path):
        hashes = [_sha256(part) for part in (path, *_parts_of(path))]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
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
    path: Path,
    scratch: Path,
    *,
    encoding: str | None = None,
    members: str | None = None,
    sheet: str | None = None,
    layer: str | None = None,
    crs: str = WGS84,
) -> list[TableFile]:
    """The table in a file, or the tables in an archive, unpacked: UTF-8 text, GeoJSON or Parquet.

    Workbooks, vector files and JSON lines come out as Parquet too, whatever they were: code that
    reads CSV, Parquet and GeoJSON reads them all.

    Args:
        path: CSV, TSV, workbook, Parquet, GeoJSON, JSON lines, GeoPackage, shapefile or FlatGeobuf,
            as it is or in a gzip, bzip2, xz or zip file.
        scratch: existing folder for what must be unpacked or rewritten.
        encoding: of text without a byte order mark, when it is not UTF-8.
        members: glob of the names in an archive that are wanted; all tables when absent.
        sheet: of a workbook; needed where several have rows.
        layer: of a vector file; needed where it has several.
        crs: of the points that a vector file gives, if it states its own.

    Raises:
        SourceFormatError: if the file is missing, empty, damaged, of another kind, or unpacks to
            more than a table would.
    """
    if path.is_dir():
        raise SourceFormatError(
            f"{path.absolute()}: a folder; name a file in it, or a pattern such as "
            f"{path.name}/*.csv"
        )
    if not _is_readable(path):
        raise SourceFormatError(f"{path.absolute()}: no such file; correct paths under [[source]]")
    kind = sniff_kind(path, encoding)
    if kind == ZIP:
        found = unzip(path, scratch, members or "*")
    elif kind == PACKED:
        found = [(gunzip(path, scratch), path.name)]
    else:
        found = [(path, path.name)]
    job = Job(kind="", path="", target="", sheet=sheet, layer=layer, crs=crs, encoding=encoding)
    return [
        _ready(member, label, scratch, job, is_own=kind in (ZIP, PACKED)) for member, label in found
    ]


def sniff_kind(path: Path, encoding: str | None = None, label: str | None = None) -> str:
    """What a file is, by its first bytes; its name is not trusted.

    Args:
        path: an existing file.
        encoding: of text, if the source states one: UTF-16 holds zeros without being binary.
        label: how messages call it, where not by its path.

    Raises:
        SourceFormatError: if it is empty or not a kind of table that can be read.
    """
    with _let_in(path), path.open("rb") as file:
        start = file.read(START_BYTES)
    if not start.strip():
        raise SourceFormatError(
            f"{label or path}: the file is empty; fetch it again from the publisher"
        )
    with _let_in(path):
        return kind_of_start(path, start, encoding, label or str(path))


def _ready(path: Path, label: str, scratch: Path, job: Job, *, is_own: bool) -> TableFile:
    """The table in an unpacked file; one that is our own is removed once it is rewritten."""
    kind = sniff_kind(path, job.encoding, label)
    if kind == PACKED and is_own and label.lower().endswith(PACKED_SUFFIXES) and "/" in label:
        unpacked = gunzip(path, scratch)
        path.unlink()
        return _ready(unpacked, label.rpartition(".")[0], scratch, job, is_own=True)
    if kind in (PACKED, ZIP):
        raise SourceFormatError(f"{label}: an archive in an archive; unpack the outer one by hand")
    if kind in (TEXT, GEOJSON, JSON_LINES):
        rewritten = as_utf8(path, label, scratch, job.encoding)
        if rewritten != path and is_own:
            path.unlink()
        is_own, path = is_own or rewritten != path, rewritten
    if kind == PARQUET and _is_geoparquet(path):
        kind = GEOPARQUET
    if kind not in CONVERTERS:
        return TableFile(path=path, label=label, kind=kind)
    return _converted(path, label, scratch, replace(job, kind=kind), is_own=is_own)


def _is_geoparquet(path: Path) -> bool:
    try:
        return b"geo" in (pq.read_schema(path).metadata or {})
    except (pa.ArrowException, OSError):
        return False  # the scan says what is wrong


def _converted(path: Path, label: str, scratch: Path, job: Job, *, is_own: bool) -> TableFile:
    target = fresh_path(scratch)
    # GDAL looks at names, and may write beside a file: it gets a copy under a name that it knows.
    with path.open("rb") as file:
        suffix = suffix_of_vector(file.read(START_BYTES)) if job.kind == VECTOR else ""
    read_from = path
    if suffix:
        read_from = fresh_path(scratch).with_suffix(suffix)
        parts = [path.with_suffix(each) for each in SHAPEFILE_PARTS] if is_own else _parts_of(path)
        for part in (path, *(each for each in parts if each.exists())):
            same = part == path
            shutil.copyfile(part, read_from.with_suffix(suffix if same else part.suffix.lower()))
    found = convert(replace(job, path=str(read_from), target=str(target)), label, scratch)
    if is_own:
        path.unlink()
    return TableFile(
        path=target,
        label=label,
        kind=PARQUET,
        header=tuple(found.header),
        first_row=found.first_row,
        blank=tuple(found.blank),
        broken=tuple(found.broken),
        remark=found.remark,
    )


def _matches(pattern: str, folder: Path) -> list[Path]:
    path = folder.absolute() / pattern
    # A file whose own name holds such a sign, as in `data [2022-24].csv`, is that file.
    if not any(sign in pattern for sign in _GLOB_SIGNS) or os.path.lexists(path):
        return _below(path) if path.is_dir() else [path]
    # Only the pattern is one: the folder above may hold brackets of its own.
    anchor = Path(Path(pattern).anchor or folder.absolute())
    try:
        return list(anchor.glob(str(Path(pattern).relative_to(Path(pattern).anchor))))
    except ValueError as error:
        raise SourceFormatError(
            f"{pattern}: no pattern of files ({error}); correct paths under [[source]]"
        ) from error


def _below(folder: Path) -> list[Path]:
    """Files in a folder, or in the folders in it, whose names end like those that are read."""
    return [
        Path(above) / name
        for above, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith((*TABLE_SUFFIXES, ".zip"))
        and not name.startswith((".", "~$"))
        and "__MACOSX" not in above
    ]
