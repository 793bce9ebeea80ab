import errno
import hashlib
import json

import pytest

from crime_platform.vocabulary import seal
from crime_platform.vocabulary.artifact import TEMPORARY
from crime_platform.vocabulary.seal import (
    SEAL,
    DamagedArtifactError,
    cut_short,
    damage,
    is_sealed,
    is_whole,
    require_whole,
    sealed,
    set_aside,
)


@pytest.fixture
def folder(tmp_path):
    """A sealed folder of two files, one in a folder of its own."""
    path = tmp_path / "run-0a"
    with sealed(path) as aside:
        (aside / "part").mkdir(parents=True)
        (aside / "run.json").write_text("{}")
        (aside / "part" / "values").write_bytes(b"0123456789")
    return path


@pytest.fixture
def file(tmp_path):
    """A sealed file."""
    path = tmp_path / "forecasts-0a.duckdb"
    with sealed(path) as aside:
        aside.write_bytes(b"0123456789")
    return path


def names(path):
    return sorted(each.name for each in path.iterdir())


def test_the_seal_names_every_file_with_its_size_and_hash(folder):
    told = json.loads((folder / SEAL).read_text())
    assert told == {
        "part/values": {"bytes": 10, "sha256": hashlib.sha256(b"0123456789").hexdigest()},
        "run.json": {"bytes": 2, "sha256": hashlib.sha256(b"{}").hexdigest()},
    }


def test_what_was_not_changed_is_whole(folder, file):
    assert is_whole(folder)
    assert is_whole(file)
    require_whole(folder)
    assert cut_short(file) is None


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda f: f.write_bytes(b"0123456"), "part/values has 7 bytes, and 10 were written"),
        (lambda f: f.write_bytes(b"0123456780"), "part/values has other bytes than were written"),
        (lambda f: f.write_bytes(b""), "part/values has 0 bytes, and 10 were written"),
        (lambda f: f.unlink(), "part/values is missing"),
    ],
    ids=["cut off", "one bit", "empty", "gone"],
)
def test_a_damaged_folder_is_set_aside_and_said(folder, change, found, caplog):
    change(folder / "part" / "values")

    with pytest.raises(DamagedArtifactError, match=f"run-0a is damaged: {found}"):
        require_whole(folder)
    assert not is_whole(folder)

    assert f"{found}" in caplog.text
    assert "It is kept as run-0a.damaged-1 and made anew" in caplog.text
    assert names(folder.parent) == ["run-0a.damaged-1"]


def test_a_damaged_seal_is_damage(folder):
    (folder / SEAL).write_text('{"run.json": 3}')
    assert damage(folder) == "sha256.json is not the list of files that was written"


def test_a_seal_that_was_cut_off_is_damage(folder):
    (folder / SEAL).write_bytes((folder / SEAL).read_bytes()[:20])
    assert damage(folder) == "sha256.json is not the list of files that was written"


def test_a_file_is_set_aside_with_its_seal_and_its_log(file):
    log = file.with_name("forecasts-0a.duckdb.wal")
    log.write_bytes(b"changes")

    assert damage(file) == "forecasts-0a.duckdb.wal beside it holds changes that were made later"
    assert not is_whole(file)

    kept = "forecasts-0a.duckdb.damaged-1"
    assert names(file.parent) == [kept, f"{kept}.{SEAL}", f"{kept}.wal"]


def test_a_second_damaged_one_is_kept_beside_the_first(file):
    file.write_bytes(b"x")
    set_aside(file, "it was cut off")
    file.write_bytes(b"y")
    set_aside(file, "it was cut off")

    kept = [path.name for path in file.parent.glob("*damaged-?")]
    assert sorted(kept) == ["forecasts-0a.duckdb.damaged-1", "forecasts-0a.duckdb.damaged-2"]


def test_a_file_that_ends_too_early_is_found_without_reading_it(file):
    file.write_bytes(b"0123")
    assert cut_short(file) == "it has 4 bytes, and 10 were written"


def test_an_artifact_without_a_seal_is_taken_as_it_is(tmp_path):
    (tmp_path / "run.json").write_text("{}")

    assert not is_sealed(tmp_path)
    assert is_whole(tmp_path, needs="run.json")
    require_whole(tmp_path)


def test_an_old_folder_without_its_main_file_is_set_aside(tmp_path, caplog):
    (tmp_path / "old").mkdir()

    assert not is_whole(tmp_path / "old", needs="run.json")

    assert "old is damaged: run.json is missing" in caplog.text


def test_what_a_killed_maker_left_beside_a_whole_artifact_goes(folder):
    (folder.parent / f"{TEMPORARY}0123abcd-{folder.name}").mkdir()

    assert is_whole(folder)

    assert names(folder.parent) == [folder.name]


def test_what_is_not_there_is_not_whole(tmp_path):
    assert not is_whole(tmp_path / "none")
    assert names(tmp_path) == []


def test_a_file_that_the_disk_cannot_read_is_damage(folder, monkeypatch):
    def broken(path):
        raise OSError(errno.EIO, "Input/output error", str(path))

    monkeypatch.setattr(seal, "_sha256", broken)

    assert damage(folder) == "part/values cannot be read from the disk (Input/output error)"


def test_a_file_that_may_not_be_read_is_an_error_and_no_damage(folder, monkeypatch):
    def forbidden(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(seal, "_sha256", forbidden)

    with pytest.raises(PermissionError, match="Permission denied"):
        damage(folder)


def test_a_file_is_hashed_once_while_it_stays_as_it_is(folder, monkeypatch):
    assert damage(folder) is None
    monkeypatch.setattr(seal, "_sha256", lambda _: "never asked")
    assert damage(folder) is None
