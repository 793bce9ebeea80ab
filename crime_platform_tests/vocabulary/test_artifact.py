import errno
import subprocess
import sys

import numpy as np
import pytest

from crime_platform.vocabulary.artifact import (
    TEMPORARY,
    content_key,
    swap_symlink,
    write_json,
    written_aside,
)
from crime_platform.vocabulary.progress import Progress


def test_equal_content_has_an_equal_key():
    first = content_key(np.arange(6).reshape(2, 3), {"b": 1, "a": 2}, np.datetime64("2021-09"))
    second = content_key(np.arange(6).reshape(2, 3), {"a": 2, "b": 1}, np.datetime64("2021-09"))
    assert first == second


@pytest.mark.parametrize(
    "other",
    [np.arange(6).reshape(3, 2), np.arange(6.0).reshape(2, 3), np.arange(1, 7).reshape(2, 3)],
)
def test_shape_dtype_and_values_change_the_key(other):
    assert content_key(other) != content_key(np.arange(6).reshape(2, 3))


def test_parts_do_not_run_into_each_other():
    assert content_key("ab", "c") != content_key("a", "bc")


def test_a_dataclass_counts_by_its_fields():
    step = {"task": "fit", "done": 1, "total": 2, "unit": "epoch", "detail": ""}
    assert content_key(Progress(**step)) == content_key(step)


def test_a_thing_without_stable_text_names_no_artifact():
    with pytest.raises(TypeError, match="a object has no stable text"):
        content_key(object())


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    target = tmp_path / "deep" / "file.txt"

    def write_half():
        with written_aside(target) as aside:
            aside.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_half()

    assert not target.exists()
    assert list(target.parent.iterdir()) == []


def test_a_failure_names_the_file_that_was_asked_for(tmp_path):
    target = tmp_path / "file.txt"

    with pytest.raises(PermissionError) as failure, written_aside(target) as aside:
        raise PermissionError(errno.EACCES, "Permission denied", str(aside))

    assert str(failure.value) == f"[Errno 13] Permission denied: '{target}'"


def test_orphans_of_a_killed_writer_are_removed(tmp_path):
    orphan = tmp_path / f"{TEMPORARY}0123abcd-run"
    orphan.mkdir()
    (orphan / "half").write_text("x")

    with written_aside(tmp_path / "run") as aside:
        aside.mkdir()

    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_folder_replaces_the_one_that_was_there(tmp_path):
    for text in ("old", "new"):
        with written_aside(tmp_path / "run") as aside:
            aside.mkdir()
            (aside / "value").write_text(text)

    assert (tmp_path / "run" / "value").read_text() == "new"


def test_equal_values_give_equal_json_files(tmp_path):
    write_json(tmp_path / "a.json", {"b": np.datetime64("2021-09"), "a": 1})
    write_json(tmp_path / "b.json", {"a": 1, "b": "2021-09"})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_symlink_is_swapped_in_place(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).write_text(name)
        swap_symlink(tmp_path / "link", name)

    assert (tmp_path / "link").read_text() == "second"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "link", "second"]


WRITER = """
import sys
from pathlib import Path
from crime_platform.vocabulary.artifact import written_aside
target, text = Path(sys.argv[1]), sys.argv[2]
with written_aside(target) as aside:
    aside.mkdir()
    (aside / "value").write_text(text)
    print("half done", flush=True)
    sys.stdin.readline()
print("done", flush=True)
"""


def test_two_processes_that_write_the_same_target_both_succeed(tmp_path):
    target = tmp_path / "run"
    slow = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(target), "slow"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with slow:
        assert slow.stdout is not None
        assert slow.stdout.readline() == "half done\n"
        with written_aside(target) as aside:
            aside.mkdir()
            (aside / "value").write_text("fast")
        between = (target / "value").read_text()
        out, _ = slow.communicate("go on\n", timeout=30)

    assert (between, out, slow.returncode) == ("fast", "done\n", 0)
    assert (target / "value").read_text() == "slow"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path):
    target = tmp_path / "run"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(target), "dead"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        writer.kill()
    left = [path.name for path in tmp_path.iterdir()]

    with written_aside(target) as aside:
        aside.mkdir()

    assert len(left) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_folder_that_another_process_made_meanwhile_is_replaced(tmp_path):
    with written_aside(tmp_path / "run") as ours:
        ours.mkdir()
        (ours / "value").write_text("ours")
        with written_aside(tmp_path / "run") as theirs:
            theirs.mkdir()
            (theirs / "value").write_text("theirs")

    assert (tmp_path / "run" / "value").read_text() == "ours"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_folder_cannot_take_the_name_of_a_file(tmp_path):
    (tmp_path / "run").write_text("a file")

    with pytest.raises(NotADirectoryError), written_aside(tmp_path / "run") as aside:
        aside.mkdir()

    assert (tmp_path / "run").read_text() == "a file"
