"""Signals that reached this process, whatever handler was in place when they came."""

import os
import signal

STOPPING = (signal.SIGINT, signal.SIGTERM)


class SignalLog:
    """Numbers of the signals that arrive from now on, until it is closed.

    Dagster puts one handler of its own in place for Ctrl-C and SIGTERM, so that the exception does
    not say which came; Python writes the number of each to a file descriptor all the same. Make
    one in the main thread.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)

    def close(self) -> None:
        """Stop listening."""
        signal.set_wakeup_fd(self._before)
        os.close(self._read)
        os.close(self._write)

    def stopped_by(self) -> int | None:
        """Number of the last signal since the last call that asks a process to stop."""
        try:
            arrived = os.read(self._read, 4096)
        except BlockingIOError:
            return None
        return next((number for number in reversed(arrived) if number in STOPPING), None)
