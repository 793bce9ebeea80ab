import os
import signal

import pytest

from crime_platform.system.signal_log import SignalLog


@pytest.fixture
def log():
    log = SignalLog()
    yield log
    log.close()


def ignored(number):
    """Let a handler swallow the signal, as Dagster's does."""
    return signal.signal(number, lambda *_: None)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_swallowed_signal_is_known(log, number):
    before = ignored(number)

    os.kill(os.getpid(), number)

    signal.signal(number, before)
    assert log.stopped_by() == number
    assert log.stopped_by() is None


def test_signals_that_stop_nothing_do_not_count(log):
    before = ignored(signal.SIGUSR1)

    os.kill(os.getpid(), signal.SIGUSR1)

    signal.signal(signal.SIGUSR1, before)
    assert log.stopped_by() is None
