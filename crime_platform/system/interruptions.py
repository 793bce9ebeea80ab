"""Ctrl-C that arrives while a library tidies up: neither shown as its fault nor lost."""

import logging
import os
import signal
import sys
import threading

AGAIN_SECONDS = 0.05


def stops_the_process(kind: type[BaseException] | None) -> bool:
    """Whether an exception asks the process to stop, as that of Ctrl-C or of Dagster's handler."""
    return kind is not None and not issubclass(kind, (Exception, GeneratorExit, SystemExit))


class NoInterruptions(logging.Filter):
    """Drops the record of an exception that asks to stop.

    SQLAlchemy logs whatever interrupts its closing of a connection as an error with its traceback,
    and passes it on all the same.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record may be shown."""
        kind = record.exc_info[0] if record.exc_info else None
        return not stops_the_process(kind)


def interrupt_again(lost: "sys.UnraisableHookArgs") -> None:
    """`sys.unraisablehook`: Python drops what is raised in a finaliser, so send the signal again.

    It is sent from another thread, later: here it would be raised inside this hook, and dropped.
    """
    if not stops_the_process(lost.exc_type):
        sys.__unraisablehook__(lost)
        return
    again = threading.Timer(AGAIN_SECONDS, os.kill, (os.getpid(), signal.SIGINT))
    again.daemon = True
    again.start()


def heed_interruptions() -> None:
    """Put both in place, for the process of a command."""
    if logging.lastResort is not None:
        logging.lastResort.addFilter(NoInterruptions())
    sys.unraisablehook = interrupt_again
