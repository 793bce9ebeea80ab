"""The child process: `python -m crime_platform.sources.conversion JOB.json RESULT.json`."""

import importlib
import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path

from crime_platform.sources.conversion.kinds import CONVERTERS
from crime_platform.sources.conversion.plain_table import ConversionError, Converted, Job

MEMORY_BYTES = 2 * 2**30


def main(job_file: str, result_file: str) -> None:
    """Convert one file; what is wrong with it goes into the result."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    job = Job(**json.loads(Path(job_file).read_text(encoding="utf-8")))
    try:
        result = asdict(_converted(job))
    except ConversionError as error:
        result = {"error": str(error)}
    Path(result_file).write_text(json.dumps(result), encoding="utf-8")


def _converted(job: Job) -> Converted:
    # Each needs libraries of its own, and only one is needed.
    return importlib.import_module(CONVERTERS[job.kind]).convert(job)


main(*sys.argv[1:])
