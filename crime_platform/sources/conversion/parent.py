"""The parent's side: start the child, wait for it, and say what its end means."""

import errno
import json
import os
import signal
import subprocess
import sys
import uuid
from dataclasses import asdict
from pathlib import Path

from crime_platform.sources.conversion.plain_table import Converted, Job
from crime_platform.vocabulary.incident import SourceFormatError

MODULE = "crime_platform.sources.conversion"
FULL_DISK = b"No space left on device"
SECONDS = 120  # for any file
SECONDS_A_MEGABYTE = 2


def convert(job: Job, label: str, scratch: Path) -> Converted:
    """Let a child process write the job's table.

    Raises:
        SourceFormatError: if the file cannot be converted, or the child did not live to say so.
    """
    name = f"job-{uuid.uuid4().hex}"
    order, answer = scratch / f"{name}.json", scratch / f"{name}-result.json"
    order.write_text(json.dumps(asdict(job)), encoding="utf-8")
    limit_s = SECONDS + SECONDS_A_MEGABYTE * Path(job.path).stat().st_size / 2**20
    command = [sys.executable, "-P", "-m", MODULE]
    try:
        child = subprocess.run(
            [*command, str(order), str(answer)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SourceFormatError(
            f"{label}: reading this {job.kind} took more than {limit_s:.0f} seconds; export it as "
            "CSV"
        ) from error
    if FULL_DISK in child.stderr:  # the file is not to blame
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(scratch))
    if not answer.exists():
        raise SourceFormatError(f"{label}: {_end_of(child, job.kind)}")
    found = json.loads(answer.read_text(encoding="utf-8"))
    if "error" in found:
        raise SourceFormatError(f"{label}: {found['error']}")
    return Converted(**found)


def _end_of(child: subprocess.CompletedProcess[bytes], kind: str) -> str:
    lines = child.stderr.decode(errors="replace").strip().splitlines() or ["it gives no reason"]
    last = lines[-1][:200]
    how = signal.Signals(-child.returncode).name if child.returncode < 0 else last
    if "memory" in child.stderr.decode(errors="replace").lower():
        how = "it needs more than 2 GB of memory"
    return (
        f"a {kind} that is damaged, or too large to be read ({how}); fetch it again, or open it "
        "and export it as CSV"
    )
