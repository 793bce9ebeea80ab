"""What a file is, told by its first bytes; its name is not trusted.

What is not read has a name too: a person who saved the wrong thing should learn which.
"""

import codecs
import json
import re
import zipfile
from pathlib import Path

from crime_platform.sources.conversion.kinds import JSON_LINES, VECTOR, WORKBOOK
from crime_platform.vocabulary.incident import SourceFormatError

TEXT, PARQUET, GEOJSON, PACKED, ZIP = "text", "parquet", "geojson", "packed", "zip"
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
START_BYTES = 4096
FIRST_LINE_CHARACTERS = 1 << 20
SHAPEFILE, FLATGEOBUF = b"\x00\x00\x27\x0a", b"fgb\x03fgb"
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls, and every other program of its time
SQLITE, GEOPACKAGES = b"SQLite format 3\0", (b"GPKG", b"GP10", b"GP11")

_READ = (
    (b"PAR1", PARQUET),
    (b"\x1f\x8b", PACKED),  # gzip
    (b"BZh", PACKED),
    (b"\xfd7zXZ\0", PACKED),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),  # without a member
    (SHAPEFILE, VECTOR),
    (FLATGEOBUF, VECTOR),
    (OLE2, WORKBOOK),
)
_CSV = "open it with the program that made it, and export the table as CSV"
_UNPACK = "unpack it, and name the file in it"
_FOREIGN = (
    (b"%PDF", "a PDF document", "ask the publisher for the table, as CSV or Excel"),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
    (b"\x04\x22\x4d\x18", "an LZ4 archive", _UNPACK),
    (b"\0\x01\0\0Standard Jet DB", "an Access database (.mdb)", _CSV),
    (b"\0\x01\0\0Standard ACE DB", "an Access database (.accdb)", _CSV),
    (b"$FL2", "an SPSS file (.sav)", _CSV),
    (b"$FL3", "an SPSS file (.zsav)", _CSV),
    (b"<stata_dta>", "a Stata file (.dta)", _CSV),
    (b"HEADER RECORD*******LIB", "a SAS transport file (.xpt)", _CSV),
    (b"\0" * 12 + b"\xc2\xea\x81\x60", "a SAS file (.sas7bdat)", _CSV),
    (b"\x89HDF", "an HDF5 file", _CSV),
    (b"CDF\x01", "a NetCDF file", _CSV),
    (b"ARROW1", "an Arrow or Feather file", "save it as Parquet or CSV"),
    (b"ORC", "an ORC file", "save it as Parquet or CSV"),
    (b"Obj\x01", "an Avro file", "save it as Parquet or CSV"),
    (b"RDX", "an R data file", _CSV),
    (b"RDA", "an R data file", _CSV),
    (b"X\n\0\0\0", "an R data file (.rds)", _CSV),
    (b"\x80\x04", "a Python pickle", "such files run code, so save the table as Parquet or CSV"),
    (b"\x80\x05", "a Python pickle", "such files run code, so save the table as Parquet or CSV"),
    (b"\x89PNG", "a picture", "fetch the table itself"),
    (b"\xff\xd8\xff", "a picture", "fetch the table itself"),
    (b"GIF8", "a picture", "fetch the table itself"),
    (b"{\\rtf", "a text document (RTF)", _CSV),
)
_DATABASE = (8, b"DUCK", "a DuckDB database", _CSV)
_TAR = (257, b"ustar", "a tar archive", _UNPACK)
_SHAPEFILE_PARTS = {
    ".dbf": "the attributes",
    ".shx": "the index",
    ".prj": "the CRS",
    ".cpg": "the encoding",
}
_NOT_TEXT = (
    (
        "<!doctype html",
        "a web page, not a table",
        "the download was answered with a page, or a "
        "portal calls its pages .xls; fetch the file again by hand",
    ),
    (
        "<html",
        "a web page, not a table",
        "the download was answered with an error page, so fetch the file again by hand",
    ),
    ("<table", "a table of a web page", "open it in a spreadsheet, and save it as CSV"),
    ("mime-version:", "a web page saved as one file (.mht)", "fetch the table itself"),
)
_XML = (
    ('progid="excel.sheet"', "a workbook of 2003 (XML)", "open it, and save it as .xlsx or CSV"),
    ("<kml", "a KML file", "export the layer as GeoJSON, GeoPackage or CSV"),
    ("<gpx", "a GPX file", "export the points as GeoJSON or CSV"),
    ("<html", "a web page, not a table", "fetch the file again by hand"),
    ("", "an XML file", "export the table as CSV, GeoJSON or Excel"),
)
_START_OF_FEATURES = re.compile(r'"features"\s*:\s*\[')


def kind_of_start(path: Path, start: bytes, encoding: str | None, label: str) -> str:
    """What a file is by its first bytes, of those kinds that are read; messages name `label`.

    Raises:
        SourceFormatError: if it is of another kind; the message has its name and a cure.
    """
    if start.startswith(SQLITE):
        return _kind_of_database(path, start, label)
    for magic, kind in _READ:
        if start.startswith(magic):
            return kind if kind != ZIP else _kind_of_zip(path, label)
    for at, magic, what, cure in ((0, *each) for each in _FOREIGN):
        _refuse_if(start[at:].startswith(magic), label, what, cure)
    for at, magic, what, cure in (_DATABASE, _TAR):
        _refuse_if(start[at:].startswith(magic), label, what, cure)
    if any(start.startswith(mark) for mark, _ in BYTE_ORDER_MARKS):
        written_in = marked_encoding(start)
        return _kind_of_text(path, start.decode(written_in, errors="ignore"), written_in, label)
    if b"\0" in start and encoding is None:
        part = _SHAPEFILE_PARTS.get(path.suffix.lower())
        _refuse_if(
            part is not None,
            label,
            f"{part} of a shapefile",
            "name the .shp file beside it: the others are found from there",
        )
        raise SourceFormatError(
            f"{label}: a binary file of an unknown kind; expected CSV, TSV, Excel, Parquet, "
            "GeoJSON, JSON lines or list, GeoPackage, shapefile or FlatGeobuf, packed with gzip or "
            'zip or not; if it is UTF-16 text, state encoding = "utf-16-le" under [[source]]'
        )
    plain = start.replace(b"\0", b"").decode("latin-1")
    return _kind_of_text(path, plain, encoding or "latin-1", label)


def suffix_of_vector(start: bytes) -> str:
    """The suffix by which GDAL knows a vector file that begins like this."""
    if start.startswith(SQLITE):
        return ".gpkg"
    return ".shp" if start.startswith(SHAPEFILE) else ".fgb"


def marked_encoding(start: bytes) -> str:
    """Encoding that a byte order mark states; blank without one."""
    return next((name for mark, name in BYTE_ORDER_MARKS if start.startswith(mark)), "")


def _refuse_if(is_so: bool, label: str, what: str, cure: str) -> None:
    if is_so:
        raise SourceFormatError(f"{label}: {what}, which is not read; {cure}")


def _kind_of_database(path: Path, start: bytes, label: str) -> str:
    # Writers forget to state the application, so the table of contents counts too.
    is_geopackage = start[68:72] in GEOPACKAGES or b"gpkg_contents" in path.read_bytes()[: 1 << 16]
    _refuse_if(not is_geopackage, label, "an SQLite database", _CSV)
    return VECTOR


def _kind_of_zip(path: Path, label: str) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            kind = archive.read("mimetype")[:80].decode() if "mimetype" in names else ""
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
        return ZIP  # unpacking it says what is wrong
    if any(name.startswith("xl/workbook.") for name in names):
        return WORKBOOK
    if kind.startswith("application/vnd.oasis.opendocument.spreadsheet"):
        return WORKBOOK
    _refuse_if(
        kind.startswith("application/vnd.oasis.opendocument"), label, "an OpenDocument text", _CSV
    )
    _refuse_if(any(n.startswith("word/") for n in names), label, "a Word document", _CSV)
    _refuse_if(any(n.startswith("ppt/") for n in names), label, "a PowerPoint document", _CSV)
    is_numbers = any(n.endswith(("Index/Document.iwa", "Index.zip")) for n in names)
    _refuse_if(is_numbers, label, "an Apple Numbers document", _CSV)
    is_map = [n.lower().endswith(".kml") for n in names]
    _refuse_if(bool(is_map) and all(is_map), label, "a KMZ file", "export the layer as GeoJSON")
    return ZIP


def _kind_of_text(path: Path, start: str, encoding: str, label: str) -> str:
    plain = start.lstrip("\ufeff \t\r\n\x1e").lower()
    for beginning, what, cure in _NOT_TEXT:
        if plain.startswith(beginning):
            raise SourceFormatError(f"{label}: {what}; {cure}")
    if plain.startswith(("<?xml", "<kml", "<gpx")):
        what, cure = next((what, cure) for sign, what, cure in _XML if sign in plain)
        _refuse_if(True, label, what, cure)
    if plain.startswith("["):
        if plain[1:].lstrip().startswith("{"):
            return JSON_LINES
        raise SourceFormatError(
            f"{label}: a JSON list whose values are no objects; expected one with the names of its "
            'columns for each row, as [{"date": "2021-01-31", ...}, ...], or export CSV'
        )
    return _kind_of_json(path, encoding, label) if plain.startswith("{") else TEXT


def _kind_of_json(path: Path, encoding: str, label: str) -> str:
    """GEOJSON for one object with features in it, JSON_LINES for an object a line."""
    with path.open(encoding=encoding, errors="replace", newline="\n") as file:
        text = file.read(FIRST_LINE_CHARACTERS).lstrip("\ufeff \t\r\n\x1e")
    first, _, rest = text.partition("\n")
    try:
        value, _ = json.JSONDecoder(parse_int=str).raw_decode(first)
    except (ValueError, RecursionError):
        # Broken, longer than was looked at, or written over several lines.
        is_lines = rest.lstrip("\x1e ").startswith("{") and not _START_OF_FEATURES.search(text)
        return JSON_LINES if is_lines else GEOJSON
    is_collection = isinstance(value, dict) and (
        isinstance(value.get("features"), list) or value.get("type") == "FeatureCollection"
    )
    if is_collection:
        return GEOJSON
    if isinstance(value, dict) and not rest.strip():
        for key, rows in value.items():
            is_list = isinstance(rows, list) and len(rows) > 1
            if is_list and all(isinstance(row, dict) for row in rows):
                raise SourceFormatError(
                    f"{label}: one JSON object with its {len(rows):,} rows in {key!r}; export CSV, "
                    "or write each row on a line of its own (JSON lines)"
                )
    return JSON_LINES
