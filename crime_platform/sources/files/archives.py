"""Gzip and zip files unpacked below one scratch folder and nowhere else.

Neither the names nor the sizes that an archive states are trusted.
"""

import bz2
import errno
import fnmatch
import gzip
import lzma
import re
import struct
import uuid
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from crime_platform.vocabulary.incident import SourceFormatError

PLAIN_SUFFIXES = (
    *(".csv", ".tsv", ".txt", ".parquet", ".geoparquet", ".geojson", ".json", ".jsonl", ".ndjson"),
    *(".geojsonl", ".geojsonseq", ".geojsons", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".gpkg"),
    *(".fgb", ".shp"),
)
SHAPEFILE, SHAPEFILE_PARTS = ".shp", (".dbf", ".shx", ".prj", ".cpg")
PACKED_SUFFIXES = (".gz", ".bz2", ".xz")
TABLE_SUFFIXES = (
    *PLAIN_SUFFIXES,
    *(plain + packed for plain in PLAIN_SUFFIXES for packed in PACKED_SUFFIXES),
)
ARCHIVE_SUFFIXES = (".zip", ".7z", ".rar", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
CHUNK_BYTES = 1 << 20
START_BYTES, TELLING_LINES = 1 << 16, 4  # of a member, to see whether it is a table
DOCUMENT_SUFFIXES = (
    *(".md", ".rst", ".pdf", ".doc", ".docx", ".odt", ".rtf", ".htm", ".html", ".xml", ".xsd"),
    *(".yml", ".yaml", ".ini", ".png", ".jpg", ".gif", ".svg", ".dbf", ".shx", ".prj", ".cpg"),
    *(".sbn", ".sbx", ".qix", ".qmd", ".qml", ".sld", ".lyr", ".sha256", ".md5", ".asc"),
)
MAX_UNPACKED_BYTES = 20 * 2**30
MAX_EXPANSION = 200  # text compresses about 10-fold; a bomb a thousandfold
_GEODATABASE = ".gdb"  # a folder that is one file to its readers
_LONGEST_NAME = 60
ALWAYS_ALLOWED_BYTES = 100 * 2**20  # small files may be as compressible as they like

# What the unpackers raise on damaged bytes; a name that cannot be decoded is a ValueError.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    OSError,
    ValueError,
    LookupError,
    OverflowError,
    struct.error,
)


@dataclass(slots=True)
class _UnpackLimit:
    """Bytes that one file may still unpack to, all its members together."""

    n_packed: int
    n_unpacked: int = 0

    @property
    def limit(self) -> int:
        """Bytes allowed in all."""
        return min(MAX_UNPACKED_BYTES, max(ALWAYS_ALLOWED_BYTES, MAX_EXPANSION * self.n_packed))

    def spend(self, n_bytes: int, label: str) -> None:
        self.n_unpacked += n_bytes
        if self.n_unpacked > self.limit:
            raise SourceFormatError(
                f"{label}: {self.n_packed:,} bytes unpack to more than {self.limit:,}; no table of "
                "incidents does, so check where the file comes from, or unpack it by hand"
            )


def is_member(name: str, wanted: str | None) -> bool:
    """Whether a file's name fits the glob of a source's `members`; the folder does not count."""
    plain = Path(name).name.lower()
    if plain.endswith(PACKED_SUFFIXES):
        plain = plain.rpartition(".")[0]
    return fnmatch.fnmatch(plain, (wanted or "*").lower())


def gunzip(path: Path, scratch: Path) -> Path:
    """The file inside a gzip, bzip2 or xz file, under a name of ours.

    Raises:
        SourceFormatError: if it is damaged, or unpacks to more than a table would.
    """
    target = fresh_path(scratch)
    limit = _UnpackLimit(path.stat().st_size)
    with path.open("rb") as file:
        start = file.read(4)
    unpacker, kind = {
        b"BZ": (bz2.open, "bzip2"),
        b"\xfd7": (lzma.open, "xz"),
    }.get(start[:2], (gzip.open, "gzip"))
    try:
        with unpacker(path, "rb") as packed:
            _unpack(packed.read, target, path.name, limit)
    except SourceFormatError:
        raise
    except _DAMAGE as error:
        _require_damage(error)
        raise SourceFormatError(
            f"{path}: a damaged {kind} file ({error}); fetch it again"
        ) from error
    return target


def unzip(path: Path, scratch: Path, wanted: str) -> list[tuple[Path, str]]:
    """The tables inside a zip file by name, each with the label that messages use.

    Raises:
        SourceFormatError: if it is damaged or encrypted, holds no table or two of one name, or
            unpacks to more than tables would.
    """
    limit = _UnpackLimit(path.stat().st_size)
    try:
        with zipfile.ZipFile(path) as archive:
            return [
                (_unzip_member(archive, member, path, scratch, limit), _label(path, member))
                for member in _table_members(archive, path, wanted)
            ]
    except SourceFormatError:
        raise
    except _DAMAGE as error:
        _require_damage(error)
        raise _damaged_zip(path, error) from error


def unzip_all(path: Path, scratch: Path) -> list[tuple[Path, str]]:
    """Every file inside a zip, each with the name that the archive gives it.

    Files that belong together (`roads.shp`, `roads.dbf`; the files of a geodatabase folder) stay
    together, under names of ours.

    Raises:
        SourceFormatError: if the archive is damaged, encrypted, holds two files of one name, or
            unpacks to more than tables would.
    """
    limit = _UnpackLimit(path.stat().st_size)
    unpacked: dict[Path, str] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            numbers: dict[str, int] = {}
            for member in _files_of(archive):
                target = scratch / _own_path(member.filename, numbers)
                if target in unpacked:
                    raise SourceFormatError(
                        f"{path}: two members are called {member.filename!r}; unpack it by hand "
                        "and keep the right one"
                    )
                target.parent.mkdir(exist_ok=True)
                with archive.open(member) as packed:
                    _unpack(packed.read, target, _label(path, member), limit)
                unpacked[target] = member.filename
    except SourceFormatError:
        raise
    except _DAMAGE as error:
        _require_damage(error)
        raise _damaged_zip(path, error) from error
    return list(dict.fromkeys(_folder_of(target, name) for target, name in unpacked.items()))


def _files_of(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [
        member
        for member in archive.infolist()
        if not (member.is_dir() or "__MACOSX" in member.filename)
        and not PurePosixPath(member.filename).name.startswith(".")
    ]


def _own_path(name: str, numbers: dict[str, int]) -> Path:
    """A short path for a member: equal but for the suffix where its own name is."""
    whole = PurePosixPath(name.replace("\\", "/").lower())
    for folder in whole.parents:
        if folder.suffix == _GEODATABASE:
            number = numbers.setdefault(str(folder), len(numbers))
            plain = re.sub(r"[^a-z0-9_.]", "_", whole.name)[-_LONGEST_NAME:].lstrip(".")
            return Path(f"{number}{_GEODATABASE}") / plain
    number = numbers.setdefault(str(whole.with_suffix("")), len(numbers))
    return Path(f"{number}{re.sub(r'[^a-z0-9.]', '_', whole.suffix)[:_LONGEST_NAME]}")


def _folder_of(target: Path, name: str) -> tuple[Path, str]:
    """The geodatabase that a file is of, else the file."""
    if target.parent.suffix != _GEODATABASE:
        return target, name
    return target.parent, str(PurePosixPath(name.replace("\\", "/")).parent)


def _damaged_zip(path: Path, error: Exception) -> SourceFormatError:
    return SourceFormatError(
        f"{path}: a zip file that cannot be unpacked ({error}); fetch it again, without a password"
    )


def _require_damage(error: Exception) -> None:
    """Pass on what the machine reports, such as a full disk: the archive is not to blame."""
    # A position that an archive states can be none (EINVAL), for which it is to blame.
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
        raise error


def _table_members(archive: zipfile.ZipFile, path: Path, wanted: str) -> list[zipfile.ZipInfo]:
    members = [
        member
        for member in archive.infolist()
        if member.filename.lower().endswith(TABLE_SUFFIXES)
        and is_member(member.filename, wanted)
        and not Path(member.filename).name.startswith((".", "~$"))
        and "__MACOSX" not in member.filename
        and not member.filename.lower().endswith(ARCHIVE_SUFFIXES)
        and member.file_size
    ]
    _require_nothing_unread(archive, path, wanted, members)
    if not members:
        shown = [name[:80] for name in archive.namelist()[:10]]
        raise SourceFormatError(
            f"{path}: holds no table; found {shown}, expected a file named {wanted} and ending in "
            f"{', '.join(PLAIN_SUFFIXES)}"
        )
    # Rows are told apart by member and number, so a second member of that name would be mistaken
    # for the first.
    ((name, n_members),) = Counter(member.filename for member in members).most_common(1)
    if n_members > 1:
        raise SourceFormatError(
            f"{path}: {n_members} members are called {name!r}, so their rows cannot be told apart; "
            "unpack it by hand and keep the right one"
        )
    return sorted(members, key=lambda member: member.filename)


def _require_nothing_unread(
    archive: zipfile.ZipFile, path: Path, wanted: str, members: list[zipfile.ZipInfo]
) -> None:
    """Refuse an archive whose incidents may lie in a member that is not read."""
    taken = {member.filename for member in members}
    parts = {
        part
        for name in taken
        if name.lower().endswith(SHAPEFILE)
        for part in shapefile_parts(name, archive.namelist())
    }
    for member in _files_of(archive):
        name = member.filename
        if name in taken | parts or not member.file_size or not is_member(name, wanted):
            continue
        if name.lower().endswith(ARCHIVE_SUFFIXES):
            raise SourceFormatError(
                f"{path}: an archive in an archive ({name[:80]!r}); unpack the outer one by hand, "
                'or say which members count, as in members = "*.csv"'
            )
        if members and _looks_like_a_table(archive, member):
            raise SourceFormatError(
                f"{path}: {name[:80]!r} looks like a table, and its name does not end in .csv or "
                'its like; rename it, or say which members count, as in members = "*.csv"'
            )


def _looks_like_a_table(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    """Whether the first lines of a member of another name are parted alike, as a header's are."""
    if PurePosixPath(member.filename).suffix.lower() in ("", *DOCUMENT_SUFFIXES):
        return False
    with archive.open(member) as file:
        lines = file.read(START_BYTES).splitlines()[:TELLING_LINES]
    return len(lines) > 1 and any(
        len({line.count(sign) for line in lines}) == 1 and lines[0].count(sign) for sign in b",;\t|"
    )


def _label(path: Path, member: zipfile.ZipInfo) -> str:
    return f"{path.name}/{member.filename}"


def _unzip_member(
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    path: Path,
    scratch: Path,
    limit: _UnpackLimit,
) -> Path:
    """The member under a name of ours: what the archive calls it never becomes a path."""
    target = fresh_path(scratch)
    with archive.open(member) as packed:
        _unpack(packed.read, target, _label(path, member), limit)
    if member.filename.lower().endswith(SHAPEFILE):
        for part in shapefile_parts(member.filename, archive.namelist()):
            beside = target.with_suffix(Path(part).suffix.lower())
            with archive.open(part) as packed:
                _unpack(packed.read, beside, f"{path.name}/{part}", limit)
    return target


def shapefile_parts(name: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that belong to the shapefile `name`, which is none of them."""
    stem = name[: -len(SHAPEFILE)].lower()
    wanted = {stem + suffix for suffix in SHAPEFILE_PARTS}
    return [other for other in names if other.lower() in wanted]


def _unpack(read: Callable[[int], bytes], target: Path, label: str, limit: _UnpackLimit) -> None:
    """Copy, counting what really comes out: sizes stated in an archive can lie."""
    with target.open("wb") as out:
        for chunk in chunks(read):
            limit.spend(len(chunk), label)
            out.write(chunk)


def chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """What a file holds, piece by piece."""
    while chunk := read(CHUNK_BYTES):
        yield chunk


def fresh_path(scratch: Path) -> Path:
    """A path that no file has: short and plain, whatever the publisher's file is called."""
    return scratch / f"table-{uuid.uuid4().hex}"
