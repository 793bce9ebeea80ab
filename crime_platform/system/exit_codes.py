"""Exit codes of the command line."""

import signal

GATE_FAILED = 1  # its only meaning: the gate refused, and the last release stays
BAD_INPUT = 2  # what a person can put right: input, settings, disk, permissions
BROKEN = 3  # a fault of the platform
STOPPED = 128 + signal.SIGINT  # by Ctrl-C
TERMINATED = 128 + signal.SIGTERM
BROKEN_PIPE = 128 + signal.SIGPIPE  # nobody reads the output any more, as behind `| head`
