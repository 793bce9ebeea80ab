"""Files of the small town's police source, whole and mangled, with what is known of their rows."""

import gzip
import io
import json
import zipfile
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq

from toys.table_reading import GOOD_ROW, HEADER

N_ROWS = 20
WHOLE = HEADER + GOOD_ROW * N_ROWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Mangled:
    """A file that is read, and what must be found in it."""

    content: bytes
    n_rows: int
    rejected: dict[str, int] = field(default_factory=dict)
    name: str = "mangled.csv"


def zipped(*members: tuple[str, str | bytes]) -> bytes:
    """An archive of these members, in this order."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def zipped_with_flags(*, flags: int = 0, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive that states flags (1: encrypted) and a method in both of its headers."""
    packed = bytearray(zipped(("a.csv", WHOLE)))
    central = packed.find(b"PK\x01\x02")
    packed[6], packed[8] = flags, method
    packed[central + 8], packed[central + 10] = flags, method
    return bytes(packed)


def zipped_link(target: str) -> bytes:
    """An archive whose member says that it is a symbolic link."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        link = zipfile.ZipInfo("link.csv")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, target)
    return packed.getvalue()


def zipped_twice(content: str) -> bytes:
    """An archive with two members of one name: two are written, then one is renamed."""
    return zipped(("a.csv", content), ("b.csv", content)).replace(b"b.csv", b"a.csv")


def parquet(**columns: object) -> bytes:
    """A Parquet file of the town, with these columns exchanged."""
    whole = {
        "when": ["2020-01-31"] * N_ROWS,
        "what": ["Burglary"] * N_ROWS,
        "east": [630250.0] * N_ROWS,
        "north": [4833250.0] * N_ROWS,
    }
    packed = io.BytesIO()
    pq.write_table(pa.table({**whole, **columns}), packed)
    return packed.getvalue()


def geojson(*features: object) -> bytes:
    """A feature collection of these, or of good ones."""
    properties = {"when": "2020-01-31", "what": "Burglary", "east": 630250, "north": 4833250}
    good = {"type": "Feature", "properties": properties, "geometry": None}
    collection = {"type": "FeatureCollection", "features": list(features) or [good] * N_ROWS}
    return json.dumps(collection).encode()


FORMS = {
    "csv": WHOLE.encode(),
    "gzip": gzip.compress(WHOLE.encode(), mtime=0),
    "zip": zipped(("a.csv", WHOLE)),
    "utf-16": WHOLE.encode("utf-16"),
    "parquet": parquet(),
    "geojson": geojson(),
}
"""The same rows in every form that is read."""


def rows(*texts: str) -> bytes:
    """The whole file with these rows behind it."""
    return (WHOLE + "".join(f"{text}\n" for text in texts)).encode()


def with_label(label: str) -> str:
    return f"2020-01-31,{label},630250,4833250"


def on(*moments: str) -> bytes:
    return rows(*(f"{moment},Burglary,630250,4833250" for moment in moments))


def at(*points: str) -> bytes:
    return rows(*(f"2020-01-31,Burglary,{point}" for point in points))


def read_as(content: bytes, n_rows: int, name: str = "mangled.csv", **rejected: int) -> Mangled:
    reasons = {reason.replace("_", " "): n for reason, n in rejected.items()}
    return Mangled(content=content, n_rows=n_rows, rejected=reasons, name=name)


READ = {
    "byte order mark": read_as(b"\xef\xbb\xbf" + FORMS["csv"], 20),
    "two byte order marks": read_as(b"\xef\xbb\xbf" * 2 + FORMS["csv"], 20),
    "byte order mark inside": read_as(rows("\ufeff" + GOOD_ROW.strip()), 21, unparseable_date=1),
    "big endian UTF-16": read_as(b"\xfe\xff" + WHOLE.encode("utf-16-be"), 20),
    "UTF-32": read_as(WHOLE.encode("utf-32"), 20),
    "one row in Latin-1": read_as(
        rows() + with_label("Räuberei").encode("latin-1") + b"\n" + GOOD_ROW.encode(),
        22,
        broken_row=1,
    ),
    "semicolons": read_as(WHOLE.replace(",", ";").encode(), 20),
    "semicolons in some rows": read_as(rows(GOOD_ROW.strip().replace(",", ";")), 21, broken_row=1),
    "carriage returns alone": read_as(WHOLE.replace("\n", "\r").encode(), 20),
    "every kind of line end": read_as(
        rows() + 3 * (GOOD_ROW + GOOD_ROW.strip() + "\r" + GOOD_ROW.strip() + "\r\n").encode(), 29
    ),
    "carriage return in a field": read_as(rows(with_label("Bur\rglary")), 22, broken_row=2),
    "line break in quotes": read_as(rows(with_label('"Bur\nglary"')), 21, unmapped_label=1),
    "blank lines": read_as((WHOLE + "\n\n\r\n" + GOOD_ROW).encode(), 21),
    "control Z at the end": read_as(rows() + b"\x1a", 21, broken_row=1),
    "zeros": read_as(
        (HEADER + GOOD_ROW * 200 + with_label("Bur\0glary") + "\n" + GOOD_ROW).encode(),
        202,
        unmapped_label=1,
    ),
    "quote never closed": read_as(
        rows(with_label('"Burglary'), *[GOOD_ROW.strip()] * 3), 24, broken_row=1
    ),
    "quote never closed at the end": read_as(rows('2020-01-31,"'), 21, broken_row=1),
    "quote in a field and an open one": read_as(
        rows(*['1","', GOOD_ROW.strip()] * 9), 38, broken_row=9
    ),
    "rows of one letter": read_as(rows("a", GOOD_ROW.strip(), "b"), 23, broken_row=2),
    "nothing but quotes": read_as(rows(*['"'] * 51), 71, broken_row=51),
    "field of 10 MB": read_as(
        rows(with_label("x" * 10_000_000), GOOD_ROW.strip()), 22, broken_row=1
    ),
    "quoted field of 10 MB": read_as(
        rows(with_label(f'"{"x" * 10_000_000}"'), GOOD_ROW.strip()), 22, broken_row=1
    ),
    "field of 1 MB": read_as(rows(with_label("x" * 1_000_000)), 21, unmapped_label=1),
    "2000 columns": read_as(
        "".join(line + ",x" * 2000 + "\n" for line in WHOLE.splitlines()).encode(), 20
    ),
    "dates beyond the calendar": read_as(
        on("0000-01-01", "0000-00-00", "10000-01-01", "-0001-01-01", "294247-01-10", "infinity"),
        26,
        unparseable_date=6,
    ),
    "dates at the ends of the calendar": read_as(
        on("0001-01-01", "9999-12-31"), 22, before_first_month=1, after_last_month=1
    ),
    "digits of another script": read_as(on("\u0662020-01-31"), 21, unparseable_date=1),
    "a day that is none": read_as(on("2020-02-30", "=TODAY()"), 22, unparseable_date=2),
    "exchanged coordinates": read_as(at("4833250,630250"), 21, outside_the_grid=1),
    "enormous coordinates": read_as(
        at("1e308,1e308", "-1e308,5", "-0.0,5", "0.0,5"), 24, outside_the_grid=4
    ),
    "no coordinates": read_as(
        at("0,0", "-0.0,0.0", "inf,1", "nan,nan", "1e999,1", "=1+1,1", "\u066630250,4833250", ","),
        28,
    ),
    "formula": read_as(
        rows(with_label('"=HYPERLINK(""http://x.y"",""z"")"'), with_label("@SUM(A1)")),
        22,
        unmapped_label=2,
    ),
    "name with wildcards": read_as(FORMS["csv"], 20, "mangled[1]*?.csv"),
    "name with quotes": read_as(FORMS["csv"], 20, "mangled'\";--.csv"),
    "name with a line break": read_as(FORMS["csv"], 20, "man\ngled.csv"),
    "name as long as a name can be": read_as(FORMS["csv"], 20, "m" * 251 + ".csv"),
    "name like a partition": read_as(FORMS["csv"], 20, "month=1.csv"),
    "text called gzip": read_as(FORMS["csv"], 20, "mangled.csv.gz"),
    "text called zstd": read_as(FORMS["csv"], 20, "mangled.csv.zst"),
    "gzip called text": read_as(FORMS["gzip"], 20),
    "gzip of two pieces": read_as(FORMS["gzip"] + gzip.compress(GOOD_ROW.encode()), 21),
    "members that climb out": read_as(zipped(("../../x.csv", WHOLE), ("/tmp/x.csv", WHOLE)), 40),
    "member with a name of 3000 letters": read_as(zipped(("x" * 3000 + ".csv", WHOLE)), 20),
    "member with an escape in its name": read_as(zipped(("x\x1b[31m\n.csv", WHOLE)), 20),
    "empty member": read_as(zipped(("a.csv", ""), ("b.csv", WHOLE)), 20),
    "Parquet with infinities": read_as(
        parquet(east=[float("nan"), float("inf"), -float("inf"), None, 1e308] * 4),
        20,
        outside_the_grid=4,
    ),
    "GeoJSON without points": read_as(
        geojson(
            {"properties": {"when": "2020-01-31", "what": "Burglary", "east": "", "north": ""}},
            {
                "properties": {
                    "when": "2020-01-31",
                    "what": "Robbery",
                    "east": 1,
                    "north": "9" * 5000,
                }
            },
            {"properties": None, "geometry": "POINT (1 1)"},
        ),
        3,
        missing_offence=1,
    ),
}
"""Files that are read, row by row as far as they can be."""

REFUSED = {
    "empty": (b"", r"mangled\.csv: the file is empty"),
    "blank": (b"\n" * 5000, r"mangled\.csv: the file is empty"),
    "header only": (HEADER.encode(), r"mangled\.csv: a header and no rows"),
    "header without a line end": (HEADER.strip().encode(), r"mangled\.csv: a header and no rows"),
    "quotes that hide each other": (
        (WHOLE + ('1","\n' + GOOD_ROW) * 30).encode(),
        r"mangled\.csv: more than 20 rows hide others behind a quote that is never closed",
    ),
    "blank lines above": (b"\n\n" + FORMS["csv"], r"mangled\.csv: the first line is blank"),
    "one letter": (b"a", r"mangled\.csv: 4 mapped columns are missing"),
    "delimiter unknown": (WHOLE.replace(",", "^").encode(), r"mangled\.csv: 4 mapped columns"),
    "two columns of one name": (
        WHOLE.replace("north", "WHEN").replace("when", "When").encode(),
        r"2 columns are called 'when'",
    ),
    "open quote in the header": (
        ('"' + WHOLE).encode(),
        r"mangled\.csv: 4 mapped columns are missing",
    ),
    "header of 200,000 letters": (
        ("x" * 200_000 + "," + WHOLE).encode(),
        r"mangled\.csv: the first line is blank, or too long to be a header",
    ),
    "100,000 columns": (
        (",".join(map(str, range(100_000))) + "\n" + GOOD_ROW).encode(),
        r"mangled\.csv: the first line is blank, or too long",
    ),
    "no offence anywhere": (
        (HEADER + "2020-01-31,,630250,4833250\n" * 5).encode(),
        r"mangled\.csv: no row can be used\n  missing offence",
    ),
    "no date anywhere": (
        (HEADER + ",Burglary,630250,4833250\n" * 5).encode(),
        r"mangled\.csv: no row can be used\n  unparseable date: .*column 'when' is blank",
    ),
    "labels of 100,000 letters": (
        (HEADER + with_label("x" * 100_000) + "\n").encode(),
        r"mangled\.csv: no row can be used\n  unmapped label: 1 rows \(100\.00%\): 'x{200}' \(1\)",
    ),
    "zeros": (b"\0" * 5000, r"mangled\.csv: a binary file of an unknown kind"),
    "UTF-16 without a mark": (
        WHOLE.encode("utf-16-le"),
        r"mangled\.csv: .* encoding = \"utf-16-le\"",
    ),
    "UTF-16 cut in a letter": (FORMS["utf-16"][:-1], r"mangled\.csv: not utf-16 throughout: trunc"),
    "gzip cut": (FORMS["gzip"][:-9], r"mangled\.csv: a damaged gzip file"),
    "gzip of gzip": (gzip.compress(FORMS["gzip"]), r"mangled\.csv: an archive in an archive"),
    "gzip bomb": (
        gzip.compress(bytes(150_000_000), 9),
        r"mangled\.csv: [\d,]+ bytes unpack to more",
    ),
    "zip bomb of two members": (
        zipped(("a.csv", bytes(60_000_000)), ("b.csv", bytes(60_000_000))),
        r"mangled\.csv/b\.csv: [\d,]+ bytes unpack to more",
    ),
    "zip cut": (FORMS["zip"][:60], r"mangled\.csv: a zip file that cannot be unpacked"),
    "zip encrypted": (zipped_with_flags(flags=1), r"mangled\.csv: a zip file that .* password"),
    "zip of no bzip2": (zipped_with_flags(method=12), r"mangled\.csv: a zip file that cannot be"),
    "zip of no lzma": (zipped_with_flags(method=14), r"mangled\.csv: a zip file that cannot be"),
    "zip of method 99": (zipped_with_flags(method=99), r"mangled\.csv: a zip file that cannot be"),
    "zip in zip": (
        zipped(("b.csv", FORMS["zip"])),
        r"mangled\.csv/b\.csv: an archive in an archive",
    ),
    "zip of a link": (zipped_link("/etc/passwd"), r"mangled\.csv/link\.csv: 4 mapped columns"),
    "zip of two of one name": (zipped_twice(WHOLE), r"mangled\.csv: 2 members are called 'a\.csv'"),
    "zip of no table": (zipped(("a.exe", "x")), r"mangled\.csv: holds no table"),
    "Parquet cut": (FORMS["parquet"][:-3], r"mangled\.csv: cannot be read"),
    "Parquet of lists": (
        parquet(what=[["Burglary"]] * N_ROWS),
        r"mangled\.csv: no row can be used\n  unmapped label: 20 rows .*'\[Burglary\]'",
    ),
    "Parquet without rows": (
        parquet(when=pa.array([], pa.string()), what=pa.array([], pa.string()), east=[], north=[]),
        r"mangled\.csv: a header and no rows",
    ),
    "GeoJSON cut": (FORMS["geojson"][:-30], r"mangled\.csv: the GeoJSON breaks off"),
    "GeoJSON in Latin-1": (
        FORMS["geojson"].replace(b"Burglary", b"B\xfcrglary"),
        r"mangled\.csv: not UTF-8 throughout \(invalid start byte\); state its encoding",
    ),
    "GeoJSON of nulls": (
        geojson(None, 1),
        r"mangled\.csv: feature 1 is 'None', expected an object",
    ),
    "GeoJSON of lists": (
        geojson({"properties": [1]}),
        r"mangled\.csv: feature 1 is .* expected an",
    ),
    "GeoJSON without end": (
        b'{"features": [' + b"[" * 100_000,
        r"mangled\.csv: values stand inside each other without end",
    ),
    "GeoJSON twice": (FORMS["geojson"] * 2, r"mangled\.csv: more than one list of features"),
    "half a letter as an escape": (
        FORMS["geojson"].replace(b"Burglary", b"Bur\\ud800glary"),
        r"mangled\.csv: no row can be used\n  unmapped label: .*'Bur\?glary'",
    ),
}
"""Files that are refused as a whole, and what the message says."""
