"""Files found, hashed, told apart and unpacked, without trusting their names or sizes."""

import gzip
import io
import zipfile

import pytest

from crime_platform.sources.files import archives
from crime_platform.sources.files.kinds import GEOJSON, PARQUET, TEXT
from crime_platform.sources.files.opening import (
    file_sha256,
    find_files,
    open_tables,
    sniff_kind,
)
from crime_platform.vocabulary.incident import SourceFormatError

HEADER_AND_ROW = "when,what\n2020-01-01,Diebstahl über\n"


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def zipped(path, members):
    """Write an archive of members by name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_files_come_by_path_each_once(tmp_path):
    (tmp_path / "raw" / "old").mkdir(parents=True)
    (tmp_path / "raw" / "b.csv").touch()
    (tmp_path / "raw" / "old" / "a.csv").touch()

    found = find_files(("raw/**/*.csv", "raw/b.csv"), tmp_path)

    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "raw/b.csv",
        "raw/old/a.csv",
    ]


def test_an_absolute_pattern_leaves_the_folder(tmp_path):
    (tmp_path / "a.csv").touch()

    assert find_files((str(tmp_path / "*.csv"),), tmp_path / "elsewhere") == [tmp_path / "a.csv"]


def test_a_pattern_without_a_file_names_itself_whole(tmp_path):
    with pytest.raises(SourceFormatError, match=rf"{tmp_path}/raw/\*\.csv: no such file\. Put the"):
        find_files(("raw/*.csv",), tmp_path)


def test_a_hash_is_that_of_the_bytes(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")

    # FIPS 180-2, appendix B.1
    assert file_sha256(tmp_path / "abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"when,what\n", TEXT),
        (b"PAR1\x15\x04", PARQUET),
        (b' \n{"type": "FeatureCollection"}', GEOJSON),
        ("when\twhat\n".encode("utf-16"), TEXT),
        (b"\xef\xbb\xbfwhen,what\n", TEXT),
    ],
)
def test_a_kind_is_told_by_content(tmp_path, start, kind):
    (tmp_path / "misnamed.dat").write_bytes(start)

    assert sniff_kind(tmp_path / "misnamed.dat") == kind


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"", "the file is empty; fetch it again"),
        (b" \r\n", "the file is empty"),
        (b"<!DOCTYPE html><html>", "a web page, not a table"),
        (b'[["when"], [1]]', "a JSON list whose values are no objects"),
        (b'{"data": [{"when": 1}, {"when": 2}]}\n', "one JSON object with its 2 rows in 'data'"),
        (b"\x7fELF\0\0", "a binary file of an unknown kind"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, start, message):
    (tmp_path / "wrong.csv").write_bytes(start)

    with pytest.raises(SourceFormatError, match=rf"wrong\.csv: {message}"):
        sniff_kind(tmp_path / "wrong.csv")


def test_a_plain_file_is_read_where_it_lies(tmp_path, scratch):
    (tmp_path / "a.csv").write_text(HEADER_AND_ROW, encoding="utf-8")

    (table,) = open_tables(tmp_path / "a.csv", scratch)

    assert (table.path, table.label, table.kind) == (tmp_path / "a.csv", "a.csv", TEXT)
    assert not list(scratch.iterdir())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path, scratch, encoding):
    (tmp_path / "a.csv").write_text(HEADER_AND_ROW, encoding=encoding)

    (table,) = open_tables(tmp_path / "a.csv", scratch)

    assert table.path.read_text(encoding="utf-8-sig") == HEADER_AND_ROW


def test_a_stated_encoding_is_used(tmp_path, scratch):
    (tmp_path / "a.csv").write_text(HEADER_AND_ROW, encoding="cp1252")

    (table,) = open_tables(tmp_path / "a.csv", scratch, encoding="cp1252")

    assert table.path.read_text(encoding="utf-8") == HEADER_AND_ROW


def test_a_wrong_encoding_is_refused(tmp_path, scratch):
    (tmp_path / "a.csv").write_bytes("über".encode("cp1252"))

    with pytest.raises(SourceFormatError, match=r'a\.csv: not ascii throughout: .*"cp1252"'):
        open_tables(tmp_path / "a.csv", scratch, encoding="ascii")


def test_an_unknown_encoding_is_refused(tmp_path, scratch):
    (tmp_path / "a.csv").write_text(HEADER_AND_ROW, encoding="utf-8")

    with pytest.raises(SourceFormatError, match="encoding 'klingon' is not known"):
        open_tables(tmp_path / "a.csv", scratch, encoding="klingon")


def test_a_missing_file_is_named(tmp_path, scratch):
    with pytest.raises(SourceFormatError, match=r"gone\.csv: no such file; correct paths"):
        open_tables(tmp_path / "gone.csv", scratch)


def test_gzip_is_unpacked(tmp_path, scratch):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(HEADER_AND_ROW.encode()))

    (table,) = open_tables(tmp_path / "a.csv.gz", scratch)

    assert table.label == "a.csv.gz"
    assert table.path.parent == scratch
    assert table.path.read_text(encoding="utf-8") == HEADER_AND_ROW


def test_a_cut_gzip_file_is_refused(tmp_path, scratch):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(HEADER_AND_ROW.encode())[:-12])

    with pytest.raises(
        SourceFormatError, match=r"a\.csv\.gz: a damaged gzip file .* fetch it again"
    ):
        open_tables(tmp_path / "a.csv.gz", scratch)


def test_every_table_of_an_archive_is_unpacked_by_name(tmp_path, scratch):
    archive = zipped(
        tmp_path / "all.zip",
        {"b.csv": "b\n", "2020/a.csv": "a\n", "readme.md": "x", "__MACOSX/b.csv": "x"},
    )

    tables = open_tables(archive, scratch)

    assert [table.label for table in tables] == ["all.zip/2020/a.csv", "all.zip/b.csv"]
    assert [table.path.read_text() for table in tables] == ["a\n", "b\n"]


def test_a_member_in_another_encoding_is_rewritten_and_not_kept_twice(tmp_path, scratch):
    archive = zipped(tmp_path / "a.zip", {"a.csv": HEADER_AND_ROW.encode("utf-16")})

    (table,) = open_tables(archive, scratch)

    assert table.path.read_text(encoding="utf-8") == HEADER_AND_ROW
    assert list(scratch.iterdir()) == [table.path]


def test_a_members_name_never_becomes_a_path(tmp_path, scratch):
    archive = zipped(tmp_path / "evil.zip", {"../../evil.csv": "a\n", "/evil.csv": "a\n"})

    tables = open_tables(archive, scratch)

    assert {table.path.parent for table in tables} == {scratch}
    assert not (tmp_path.parent / "evil.csv").exists()


def test_a_bomb_is_stopped(tmp_path, scratch, monkeypatch):
    monkeypatch.setattr(archives, "ALWAYS_ALLOWED_BYTES", 1000)
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(bytes(10_000_000)))

    with pytest.raises(SourceFormatError, match=r"bomb\.csv\.gz: [\d,]+ bytes unpack to more than"):
        open_tables(tmp_path / "bomb.csv.gz", scratch)


def test_an_archive_without_a_table_is_refused(tmp_path, scratch):
    archive = zipped(tmp_path / "notes.zip", {"readme.md": "x"})

    with pytest.raises(
        SourceFormatError, match=r"holds no table; found \['readme\.md'\], expected"
    ):
        open_tables(archive, scratch)


def test_a_package_without_a_sheet_is_refused(tmp_path, scratch):
    archive = zipped(tmp_path / "book.xlsx", {"[Content_Types].xml": "x"})

    with pytest.raises(SourceFormatError, match=r"book\.xlsx: holds no table"):
        open_tables(archive, scratch)


def test_an_archive_in_an_archive_is_refused(tmp_path, scratch):
    inner = io.BytesIO(gzip.compress(b"a"))
    archive = zipped(tmp_path / "outer.zip", {"inner.csv": inner.getvalue()})

    with pytest.raises(SourceFormatError, match=r"outer\.zip/inner\.csv: an archive in an archive"):
        open_tables(archive, scratch)


def test_a_damaged_zip_is_refused(tmp_path, scratch):
    archive = zipped(tmp_path / "cut.zip", {"a.csv": "a" * 100})
    archive.write_bytes(archive.read_bytes()[:40])

    with pytest.raises(SourceFormatError, match=r"cut\.zip: a zip file that cannot be unpacked"):
        open_tables(archive, scratch)
