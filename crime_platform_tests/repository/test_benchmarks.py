"""Benchmarks and scripts as a newcomer first meets them: each explains itself and then stops."""

import re
import runpy
import shutil
import sys

import pytest

from toys.city import use_home
from toys.paths import REPOSITORY

SCRIPTS = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for folder in ("benchmarks", "scripts")
    for path in (REPOSITORY / folder).glob("*.py")
    if "__main__" in path.read_text(encoding="utf-8")
)


@pytest.fixture
def as_command(monkeypatch):
    """Run a script as from the command line, and forget what it imported by its bare name."""
    before = set(sys.modules)

    def run(script, *arguments):
        path = REPOSITORY / script
        monkeypatch.setattr(sys, "path", [str(path.parent), *sys.path])
        monkeypatch.setattr(sys, "argv", [script, *arguments])
        runpy.run_path(str(path), run_name="__main__")

    yield run
    for name in set(sys.modules) - before:
        if "benchmarks" in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_explains_itself(as_command, script, capsys):
    with pytest.raises(SystemExit, match="0"):
        as_command(script, "--help")

    assert "usage: " in capsys.readouterr().out


@pytest.mark.parametrize("city", ["nyc", "chicago"])
def test_a_tensor_without_its_file_is_left_out(as_command, city, home, capsys):
    as_command("benchmarks/nyc_daily_tensor.py", "--city", city)

    assert f"not rebuilt: no file {home.root}" in capsys.readouterr().out


def test_parts_without_their_files_are_left_out(as_command, tmp_path, capsys):
    arguments = ("--gwent", "no folder", "--streets", str(tmp_path))
    parts = ("--only", "newport", "--only", "street-lines", "--only", "street-places")

    as_command("benchmarks/other_scales.py", *arguments, *parts)

    told = capsys.readouterr().out.splitlines()
    assert told[0] == "newport is left out: no street files of Gwent Police in no folder"
    assert told[1].startswith("street-lines is left out: no street lines of Toronto at ")
    assert len(told) == 3


@pytest.mark.slow
def test_streets_elsewhere_are_told_with_the_gates_answer(published_streets, tmp_path, monkeypatch):
    home = tmp_path / "home"
    shutil.copytree(published_streets.root, home, symlinks=True)
    use_home(monkeypatch, home)
    script = REPOSITORY / "benchmarks" / "other_scales.py"
    monkeypatch.setattr(sys, "path", [str(script.parent), *sys.path])

    told = runpy.run_path(str(script))["street_leaderboard"](home, "town").splitlines()

    assert told[0].startswith("40 nodes, 8 km of streets. Chosen on the validation days: `")
    assert told[0].endswith("The gate lets it pass.")
    assert re.fullmatch(
        r"Over the long-run frequency: deviance skill \+[\d.]+% \(\+[\d.]+% to \+[\d.]+%\), "
        r"hit rate at 20 % \+[\d.]+% \(\+[\d.]+% to \+[\d.]+%\)\.",
        told[2],
    )
    assert any(line.startswith("| **`") for line in told)
