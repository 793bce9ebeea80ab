"""Ctrl-C while a library tidies up: no traceback on the terminal, and no run that goes on."""

import subprocess
import sys

import pytest

from crime_platform.system.interruptions import stops_the_process

START = """
import logging, os, signal, sys, time
from crime_platform.system.interruptions import heed_interruptions
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
heed_interruptions()
"""
# As SQLAlchemy's pool does it when it closes a connection.
LOGGED = """
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
except BaseException:
    logging.getLogger("a.library").error("Exception closing connection", exc_info=True)
try:
    raise ValueError("a true fault")
except ValueError:
    logging.getLogger("a.library").error("Exception closing connection", exc_info=True)
"""
FINALISED = """
class Held:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
held = Held()
try:
    del held
    time.sleep(20)
    print("went on")
except KeyboardInterrupt:
    print("stopped")
"""
FAULTY = """
class Held:
    def __del__(self):
        raise ValueError("a true fault")
held = Held()
del held
"""


def answer_of(code):
    return subprocess.run(
        [sys.executable, "-c", START + code], capture_output=True, text=True, timeout=60
    )


def test_an_interruption_is_not_logged_as_a_fault_of_the_library_that_it_hit():
    told = answer_of(LOGGED).stderr

    assert "KeyboardInterrupt" not in told
    assert told.count("Exception closing connection") == 1
    assert "ValueError: a true fault" in told


def test_an_interruption_inside_a_finaliser_still_stops_the_command():
    answer = answer_of(FINALISED)

    assert answer.stdout == "stopped\n"
    assert answer.stderr == ""


def test_a_fault_inside_a_finaliser_is_shown_as_before():
    assert "ValueError: a true fault" in answer_of(FAULTY).stderr


@pytest.mark.parametrize(
    ("kind", "stops"),
    [(KeyboardInterrupt, True), (ValueError, False), (SystemExit, False), (None, False)],
)
def test_only_what_asks_to_stop_is_an_interruption(kind, stops):
    assert stops_the_process(kind) is stops
