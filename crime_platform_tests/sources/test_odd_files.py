"""What lies where a file should, and files that change: told by name, never waited for."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from crime_platform.pipeline import ingest
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.sources.files.opening import file_sha256, find_files, open_tables
from crime_platform.sources.table_report import TableReport
from crime_platform.vocabulary.incident import SourceFormatError
from crime_platform.warehouse.warehouse import Warehouse
from toys.mangled_home import LENIENT_TOWN, home_with_a_good_file, state, take_in
from toys.mangling import FORMS
from toys.table_reading import GOOD_ROW, HEADER, POLICE

TWO_SOURCES = replace(
    LENIENT_TOWN,
    sources=(
        replace(POLICE, paths=("raw/*",)),
        replace(POLICE, name="sheriff", paths=("sheriff/*",)),
    ),
)


@pytest.fixture
def home(tmp_path):
    return home_with_a_good_file(tmp_path)


def test_a_folder_is_passed_over(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file.csv").touch()

    assert find_files(("*.csv",), tmp_path) == [tmp_path / "file.csv"]


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")

    with pytest.raises(SourceFormatError, match=r"pipe\.csv: a pipe, socket or device; only files"):
        find_files(("*.csv",), tmp_path)


@pytest.mark.parametrize("target", ["gone.csv", "link.csv"])
def test_a_link_to_nothing_is_refused(tmp_path, target):
    (tmp_path / "link.csv").symlink_to(tmp_path / target)

    with pytest.raises(SourceFormatError, match=r"link\.csv: a link to .*csv, which is not there"):
        find_files(("*.csv",), tmp_path)


def test_a_link_out_of_the_home_is_followed(home, tmp_path):
    (tmp_path / "outside.csv").write_bytes(FORMS["csv"])
    (home.root / "raw" / "link.csv").symlink_to(tmp_path / "outside.csv")

    assert ingest_area(LENIENT_TOWN, home).n_accepted == 20 + 3


def test_a_name_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.csv")).touch()

    with pytest.raises(SourceFormatError, match=r"caf\\udce9\.csv': the name holds bytes that are"):
        find_files(("*.csv",), tmp_path)


def test_brackets_in_the_folder_above_are_no_pattern(tmp_path):
    (tmp_path / "data [old]").mkdir()
    (tmp_path / "data [old]" / "file.csv").touch()

    assert find_files(("*.csv",), tmp_path / "data [old]")


def test_an_impossible_pattern_is_refused(tmp_path):
    with pytest.raises(SourceFormatError, match=r"raw/\*\*\.csv: no pattern of files .*correct"):
        find_files(("raw/**.csv",), tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path):
    (tmp_path / "locked.csv").touch(mode=0o000)

    with pytest.raises(SourceFormatError, match=r"locked\.csv: cannot be read \(Permission denied"):
        file_sha256(tmp_path / "locked.csv")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux")
def test_a_file_that_the_system_cannot_read_is_refused():
    with pytest.raises(SourceFormatError, match=r"mem: cannot be read \(Input/output error\)"):
        file_sha256(Path("/proc/self/mem"))  # its first page is never mapped


def test_a_codec_that_is_not_of_text_is_refused(tmp_path):
    (tmp_path / "file.csv").write_bytes(FORMS["csv"])

    with pytest.raises(SourceFormatError, match="encoding 'rot13' is not known"):
        open_tables(tmp_path / "file.csv", tmp_path, encoding="rot13")


def test_a_file_that_is_still_written_is_refused(home, monkeypatch):
    # The download goes on between the two looks at the file, as it would during a long read.
    read = ingest.read_table_file

    def read_while_written(path, *arguments, **options):
        reading = read(path, *arguments, **options)
        with path.open("a") as file:
            file.write(GOOD_ROW)
        return reading

    monkeypatch.setattr(ingest, "read_table_file", read_while_written)
    before = state(home)

    refusal = take_in(home, FORMS["csv"])

    assert "mangled.csv: was written to while it was read" in refusal
    assert state(home) == before


@pytest.fixture
def half_refused(home):
    """A home whose first source has a good new file, and whose second source was refused."""
    (home.root / "sheriff").mkdir()
    (home.root / "sheriff" / "file.csv").write_text(HEADER + GOOD_ROW * 2)
    ingest_area(TWO_SOURCES, home)
    (home.root / "raw" / "good.csv").write_text(HEADER + GOOD_ROW * 9)
    (home.root / "sheriff" / "file.csv").write_text("wrong\n")
    with pytest.raises(SourceFormatError, match=r"file\.csv: 4 mapped columns are missing"):
        ingest_area(TWO_SOURCES, home)
    return home


def test_a_refused_second_source_leaves_the_view_as_it_was(half_refused):
    assert len(Warehouse(half_refused.warehouse).read("select * from incident")) == 3 + 2


def test_the_view_changes_once_all_sources_are_right_again(half_refused):
    (half_refused.root / "sheriff" / "file.csv").write_text(HEADER + GOOD_ROW * 4)

    assert ingest_area(TWO_SOURCES, half_refused).n_accepted == 9 + 4


def test_an_ingest_without_news_writes_nothing(home):
    before = home.warehouse.stat().st_mtime_ns, home.warehouse.read_bytes()

    report = ingest_area(LENIENT_TOWN, home)

    assert (report.n_read, report.n_accepted) == (0, 3)
    assert (home.warehouse.stat().st_mtime_ns, home.warehouse.read_bytes()) == before


def test_a_folder_of_the_users_own_is_no_scratch(home):
    (home.root / "scratch-of-mine").mkdir()

    ingest_area(LENIENT_TOWN, home)

    assert (home.root / "scratch-of-mine").is_dir()


def test_rows_that_do_not_add_up_are_our_mistake():
    report = TableReport(file="a.csv", n_rows=9, n_accepted=5, n_rejected={"broken row": 2})

    with pytest.raises(RuntimeError, match=r"a\.csv: 9 rows were read and 2 of them .* please rep"):
        report.require_accounted()
