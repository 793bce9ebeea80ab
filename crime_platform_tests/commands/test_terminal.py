import io

import pytest
from rich.console import Console

from crime_platform.commands.terminal import progress_bars
from crime_platform.vocabulary.progress import LOGGER


@pytest.mark.parametrize(
    ("level", "shown"), [("warning", "robbery [x]: recorded less"), ("info", "")]
)
def test_warnings_become_lines_above_the_bars(level, shown):
    console = Console(file=io.StringIO(), width=80)

    with progress_bars(console):
        getattr(LOGGER, level)("%s: recorded less", "robbery [x]")

    assert console.file.getvalue().strip("\n") == shown
