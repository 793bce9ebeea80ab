"""The command as a process of its own: what its exit code says when something stops it."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from crime_platform.system.machine_trouble import CURES, machine_trouble, reason_of, trouble_of
from crime_platform.vocabulary.home import HOME_VARIABLE
from toys.city import prepare_home, write_toy_city

COMMAND = [sys.executable, "-c", "from crime_platform.cli import main; main()"]
# A command that fails in a way nobody foresaw, put in the place of a real one.
FAILING = """
from crime_platform import cli
def fail(): raise {error}
cli.app.command("fail")(fail)
cli.main()
"""


def call(root, *arguments, command=COMMAND):
    return subprocess.run(
        [*command, *arguments],
        env={**os.environ, HOME_VARIABLE: str(root), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
    )


def failing(root, error, **environment):
    return subprocess.run(
        [sys.executable, "-c", FAILING.format(error=error), "fail"],
        env={**os.environ, HOME_VARIABLE: str(root), "COLUMNS": "400", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_exception_nobody_foresaw_ends_with_3_and_a_sentence(tmp_path):
    answer = failing(tmp_path, "ZeroDivisionError('division by zero')")

    assert answer.returncode == 3
    assert "ZeroDivisionError: division by zero" in answer.stderr
    assert "Please report this" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_traceback_is_shown_on_request(tmp_path):
    answer = failing(tmp_path, "ZeroDivisionError", CRIME_PLATFORM_TRACEBACK="1")

    assert answer.returncode == 3
    assert "Traceback" in answer.stderr


def test_a_full_disk_ends_with_2_the_file_and_the_cure(tmp_path):
    answer = failing(tmp_path, "OSError(28, 'No space left on device', '/data/warehouse.duckdb')")

    told = " ".join(answer.stderr.split())
    assert answer.returncode == 2
    assert "/data/warehouse.duckdb" in told
    assert "make room" in told


def test_output_that_nobody_reads_any_more_is_no_refusal(tmp_path):
    process = subprocess.Popen(
        [*COMMAND, "--help"],
        env={**os.environ, HOME_VARIABLE: str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()

    _, told = process.communicate(timeout=60)

    assert process.returncode == 128 + signal.SIGPIPE
    assert told == b""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_stopped_by_a_signal_ends_with_its_code(tmp_path, number, code):
    home = prepare_home(tmp_path / "home")
    write_toy_city(home)
    process = subprocess.Popen(
        [*COMMAND, "run", "--study-area", "toy"],
        env={**os.environ, HOME_VARIABLE: str(home.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(home.artifacts("toy") / "model_runs")

    process.send_signal(number)
    _, told = process.communicate(timeout=120)

    assert process.returncode == code
    assert "Stopped by hand" in told
    assert "Error" not in told


def wait_for(path):
    deadline = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.05)


def test_without_a_study_area_the_command_that_makes_one_is_named(tmp_path):
    answer = call(tmp_path, "run")

    assert answer.returncode == 2
    assert "crime-platform new-area FILE" in " ".join(answer.stderr.split())


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("OSError", "[Errno 28] No space left on device: '/a'"),
        ("IOException", 'IO Error: Could not write file "/a": No space left on device'),
        ("OperationalError", "(sqlite3.OperationalError) database or disk is full"),
        ("OperationalError", "(sqlite3.OperationalError) disk I/O error"),
        ("PermissionError", "[Errno 13] Permission denied: '/a'"),
        ("OSError", "[Errno 30] Read-only file system: '/a'"),
        ("NotADirectoryError", "[Errno 20] Not a directory: '/a/raw'"),
        ("FileExistsError", "[Errno 17] File exists: '/a'"),
        ("OutOfMemoryException", "Out of Memory Error: failed to pin block"),
        ("_ArrayMemoryError", "Unable to allocate 20.7 GiB for an array"),
        ("MemoryError", ""),
    ],
)
def test_trouble_of_the_machine_names_its_cure(kind, message):
    told = machine_trouble(kind, message)

    assert told is not None
    assert told.startswith(message)
    assert any(cure in told for cure in CURES.values())


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("SourceFormatError", "a.csv: No space left on device"),
        ("IOException", "IO Error: Could not read file"),
        ("KeyError", "permission denied"),
    ],
)
def test_other_errors_are_no_trouble_of_the_machine(kind, message):
    assert machine_trouble(kind, message) is None


def test_trouble_names_the_file_and_not_the_temporary_one():
    message = 'IO Error: "/a/.tmp-5a06aed3-sim/sim/x.csv": No space left on device'

    told = machine_trouble("IOException", message)

    assert str(told).startswith('IO Error: "/a/sim/x.csv": No space left on device')


def test_the_reason_is_in_the_words_of_the_system():
    error = OSError('Async write: {"message":"No space left on device","errno":"28"}')

    assert reason_of(error) == "No space left on device"


def test_trouble_is_found_behind_the_error_that_it_caused():
    error = ValueError("the release could not be written")
    error.__cause__ = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/a")

    assert "make room" in str(trouble_of(error))
