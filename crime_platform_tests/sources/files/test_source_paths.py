"""Which files a source reads: folders, globs, archives, and what is left out."""

import bz2
import gzip
import io
import lzma
import zipfile
from dataclasses import replace

import pytest

from crime_platform.sources.files.opening import missing_files, open_tables, source_files
from crime_platform.sources.table import read_source
from crime_platform.vocabulary.incident import SourceFormatError
from toys.mangling import WHOLE, zipped
from toys.paths import REPOSITORY
from toys.table_reading import AS_OF, GOOD_ROW, GRID, HEADER, POLICE, TOWN

BAD_ZIP = REPOSITORY / ".." / "shared" / "cases" / "reliability" / "bad.zip"


@pytest.fixture
def put(tmp_path):
    """Write files below the home folder."""

    def write(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(HEADER + GOOD_ROW * (1 + len(name)))

    return write


def names_of(tmp_path, *paths, **changes):
    found = source_files(replace(POLICE, paths=paths, **changes), tmp_path)
    return [path.relative_to(tmp_path).as_posix() for path in found]


def test_a_folder_stands_for_the_tables_below_it(tmp_path, put):
    put("raw/b.csv", "raw/2020/a.CSV", "raw/2020/c.csv.gz", "raw/d.zip", "raw/e.pdf")
    put("raw/.hidden.csv", "raw/~$open.xlsx", "raw/__MACOSX/x.csv")

    expected = ["raw/2020/a.CSV", "raw/2020/c.csv.gz", "raw/b.csv", "raw/d.zip"]
    assert names_of(tmp_path, "raw") == expected
    assert names_of(tmp_path, str(tmp_path / "raw")) == expected


def test_sixty_monthly_files_of_a_folder_are_read_together(tmp_path, put):
    put(*(f"raw/{2015 + at // 12}-{1 + at % 12:02}{'x' * at}.csv" for at in range(60)))
    source = replace(POLICE, paths=("raw",))
    (tmp_path / "scratch").mkdir()

    readings = read_source(source, TOWN, tmp_path, tmp_path / "scratch", grid=GRID, as_of=AS_OF)

    assert len(readings) == 60


def test_a_folder_holds_what_members_names(tmp_path, put):
    put("raw/2020-01-force-street.csv", "raw/2020-01-force-outcomes.csv", "raw/all.zip")

    assert names_of(tmp_path, "raw", members="*-street.csv") == [
        "raw/2020-01-force-street.csv",
        "raw/all.zip",
    ]


def test_a_name_that_members_does_not_fit_is_told_with_the_cure(tmp_path, put):
    put("raw/streetcrime.csv")

    with pytest.raises(SourceFormatError, match=r'named \*-street\.csv; .* members = "\*\.csv"'):
        names_of(tmp_path, "raw", members="*-street.csv")
    assert names_of(tmp_path, "raw", members="*.csv") == ["raw/streetcrime.csv"]


def test_a_folder_without_a_table_is_told(tmp_path, put):
    put("raw/read.me")

    assert missing_files(("raw",), tmp_path) == ["raw"]
    with pytest.raises(SourceFormatError, match=r"raw: a folder without a file that is read; put"):
        names_of(tmp_path, "raw")


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(SourceFormatError, match=r"a folder; name a file in it, or a pattern such"):
        open_tables(tmp_path, tmp_path)


@pytest.mark.parametrize(
    "exclude", [("raw/old",), ("raw/old/*",), ("b.csv",), ("raw/*/b.csv", "nothing")]
)
def test_excluded_paths_are_left_out(tmp_path, put, exclude):
    put("raw/a.csv", "raw/old/b.csv")

    assert names_of(tmp_path, "raw", exclude=exclude) == ["raw/a.csv"]


def test_a_name_with_signs_of_a_pattern_is_taken_as_it_is_written(tmp_path, put):
    put("raw/a [1].csv", "raw/a 1.csv", "raw/b [1].csv")

    assert names_of(tmp_path, "raw/a [1].csv") == ["raw/a [1].csv"]
    assert names_of(tmp_path, "raw/?*.csv", exclude=("b [1].csv",))[-1:] == ["raw/a [1].csv"]


def test_to_exclude_every_file_is_a_mistake(tmp_path, put):
    put("raw/a.csv")

    with pytest.raises(SourceFormatError, match=r"exclude of source 'police' leaves no file"):
        names_of(tmp_path, "raw/*.csv", exclude=("*.csv",))


@pytest.mark.skipif(not BAD_ZIP.exists(), reason="the small cases beside the repository are absent")
def test_a_zip_with_a_shifted_directory_is_damaged(tmp_path):
    with pytest.raises(SourceFormatError, match=r"bad\.zip: a zip file that cannot be unpacked"):
        open_tables(BAD_ZIP, tmp_path)


@pytest.mark.parametrize("shift", [-20, 20, 2**31])
def test_a_zip_whose_directory_is_elsewhere_is_damaged(tmp_path, shift):
    packed = bytearray(zipped(("a.csv", WHOLE)))
    at = packed.rindex(b"PK\x05\x06") + 16
    offset = int.from_bytes(packed[at : at + 4], "little") + shift
    packed[at : at + 4] = (offset % 2**32).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(packed)

    with pytest.raises(SourceFormatError, match=r"a\.zip: a zip file that cannot be unpacked"):
        open_tables(tmp_path / "a.zip", tmp_path)


def test_a_zip_with_a_wrong_checksum_is_damaged(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", WHOLE)
    (tmp_path / "a.zip").write_bytes(packed.getvalue().replace(b"Burglary", b"Burglarx", 1))

    with pytest.raises(SourceFormatError, match=r"cannot be unpacked \(Bad CRC-32"):
        open_tables(tmp_path / "a.zip", tmp_path)


def test_a_zip_of_zips_is_told(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped(("inner.zip", zipped(("a.csv", WHOLE)))))

    with pytest.raises(SourceFormatError, match=r"an archive in an archive \('inner\.zip'\)"):
        open_tables(tmp_path / "a.zip", tmp_path)


@pytest.mark.parametrize(
    ("beside", "content"),
    [
        ("inner.zip", zipped(("b.csv", WHOLE))),
        ("old.7z", b"7z\xbc\xaf\x27\x1c"),
        ("part2.dat", WHOLE.encode()),
        ("Export.2023", WHOLE.replace(",", ";").encode()),
    ],
)
def test_what_may_hold_incidents_beside_a_table_is_refused(tmp_path, beside, content):
    (tmp_path / "a.zip").write_bytes(zipped(("a.csv", WHOLE), (beside, content)))

    with pytest.raises(SourceFormatError, match=rf"'{beside}'.* members = \"\*\.csv\""):
        open_tables(tmp_path / "a.zip", tmp_path)


@pytest.mark.parametrize(
    ("beside", "content"),
    [
        ("readme.md", b"Date, place\nA, b\n"),
        ("LICENSE", b"One, two\nthree, four\n"),
        ("notes.log", b"one line\nanother one\n"),
        ("thumbs.db", bytes(100)),
        ("part2.dat", b""),
        ("__MACOSX/part2.dat", WHOLE.encode()),
    ],
)
def test_what_holds_no_incidents_may_lie_beside_a_table(tmp_path, beside, content):
    (tmp_path / "a.zip").write_bytes(zipped(("a.csv", WHOLE), (beside, content)))

    assert [file.label for file in open_tables(tmp_path / "a.zip", tmp_path)] == ["a.zip/a.csv"]


def test_members_that_are_named_leave_the_others_alone(tmp_path):
    inner = zipped(("b.csv", WHOLE))
    (tmp_path / "a.zip").write_bytes(zipped(("a.csv", WHOLE), ("inner.zip", inner)))

    found = open_tables(tmp_path / "a.zip", tmp_path, members="*.csv")

    assert [file.label for file in found] == ["a.zip/a.csv"]


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
def test_a_packed_member_of_a_zip_is_unpacked(tmp_path, suffix):
    pack = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[suffix]
    (tmp_path / "a.zip").write_bytes(zipped((f"a.csv.{suffix}", pack(WHOLE.encode()))))

    (table,) = open_tables(tmp_path / "a.zip", tmp_path)

    assert (table.label, table.path.read_text()) == ("a.zip/a.csv", WHOLE)
