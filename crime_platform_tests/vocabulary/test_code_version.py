"""A changed constant in any module that made an artifact gives the artifact another name."""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from crime_platform.evaluation.model_catalogue import GROUPS, code_of, forecasters
from crime_platform.sources.conversion.kinds import CONVERTERS
from crime_platform.vocabulary.code_version import PACKAGE, code_version, imported_modules

CANDIDATES = ("crime_platform.evaluation.candidate", "crime_platform.evaluation.street_candidate")
MAKERS = (
    *CANDIDATES,
    "crime_platform.evaluation.runs",
    "crime_platform.evaluation.street_runs",
    "crime_platform.pipeline.ingest",
    "crime_platform.training.fit",
    "crime_platform.training.gldnet_fit",
    "crime_platform.models.cells.boosted_trees",
)


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    place = tmp_path_factory.mktemp("code") / "crime_platform"
    shutil.copytree(PACKAGE, place, ignore=shutil.ignore_patterns("__pycache__", "web"))
    return place


def fresh_version(maker, package):
    code_version.cache_clear()
    return code_version(maker, package=package)


def version_after(maker, package, changed):
    """Version of a module when a constant was added to another one, which is then put back."""
    path = package.joinpath(*changed.split(".")[1:]).with_suffix(".py")
    text = path.read_text()
    path.write_text(text + "\nCONSTANT = 1\n")
    version = fresh_version(maker, package)
    path.write_text(text)
    return version


@pytest.mark.parametrize("maker", MAKERS)
def test_a_constant_in_any_imported_module_changes_the_version(maker, copied):
    modules = imported_modules(maker, package=copied)

    versions = [version_after(maker, copied, module) for module in modules]

    assert len({fresh_version(maker, copied), *versions}) == len(modules) + 1


@pytest.mark.parametrize("maker", MAKERS)
def test_a_constant_in_a_module_that_is_not_imported_leaves_it(maker, copied):
    other = version_after(maker, copied, "crime_platform.dashboard.server")

    assert other == fresh_version(maker, copied)


def test_the_models_of_the_pool_decide_a_candidate():
    assert "crime_platform.evaluation.model_catalogue" in imported_modules(
        "crime_platform.evaluation.candidate"
    )


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_the_reader_of_the_toml_decides_no_candidate(candidate):
    assert "crime_platform.study_area.study_area" not in imported_modules(candidate)


@pytest.mark.parametrize("group", GROUPS)
def test_the_code_of_every_model_begins_in_its_own_module(group):
    for model in forecasters(group):
        assert code_of(model) == code_version(type(model).__module__)


def test_a_model_of_its_own_module_has_a_version_of_its_own():
    of_trees = {code_of(model) for model in forecasters("boosted_trees")}
    of_networks = {code_of(model) for group in GROUPS[2:] for model in forecasters(group)}

    assert len(of_trees) == len(of_networks) == 1
    assert of_trees != of_networks


@pytest.mark.parametrize("module", CONVERTERS.values())
def test_what_the_child_process_runs_can_be_imported(module):
    assert callable(importlib.import_module(module).convert)


@pytest.fixture
def package(tmp_path):
    """A package of six modules of which `made` imports three when it is loaded."""
    place = tmp_path / "place"
    (place / "folder").mkdir(parents=True)
    texts = {
        "__init__": '"""Package."""',
        "made": (
            "from typing import TYPE_CHECKING\nimport os\nimport place.folder.deep\n"
            "from place import first\nfrom place.folder.deep import VALUE\n"
            "if TYPE_CHECKING:\n    from place.folder.typed import Kind\n"
            "def later():\n    from place import lazy\n"
        ),
        "first": "try:\n    from place.second import A\nexcept ImportError:\n    A = 1\n",
        "second": "A = 2",
        "lazy": "B = 1",
        "folder/__init__": '"""Folder."""',
        "folder/deep": "VALUE = 1",
        "folder/typed": "class Kind: ...",
    }
    for name, text in texts.items():
        (place / f"{name}.py").write_text(text)
    return place


def test_only_what_is_imported_when_a_module_is_loaded_counts(package):
    assert imported_modules("place.made", package=package) == [
        "place.first",
        "place.folder.deep",
        "place.made",
        "place.second",
    ]


def test_a_name_that_a_folder_defines_counts_by_the_folder(package):
    (package / "folder" / "__init__.py").write_text("LIMIT = 3")
    (package / "made.py").write_text("from place.folder import LIMIT")

    assert imported_modules("place.made", package=package) == ["place.folder", "place.made"]


def test_imports_in_a_class_or_beside_the_type_checker_count(package):
    (package / "made.py").write_text(
        "import typing\n"
        "if typing.TYPE_CHECKING:\n    from place import lazy\n"
        "else:\n    from place import second\n"
        "class Model:\n    from place.folder.deep import VALUE\n"
    )

    assert imported_modules("place.made", package=package) == [
        "place.folder.deep",
        "place.made",
        "place.second",
    ]


def test_a_module_outside_the_package_counts_with_what_it_imports(tmp_path, monkeypatch):
    name = "model_of_a_user"
    (tmp_path / f"{name}.py").write_text("from crime_platform.models import combination\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    found = imported_modules(name)

    assert found[-1] == name
    assert "crime_platform.models.combination" in found


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"no module 'crime_platform\.championn'"):
        code_version("crime_platform.championn")


def test_the_package_is_the_one_that_is_imported():
    spec = importlib.util.find_spec("crime_platform")
    assert spec is not None
    assert Path(str(spec.origin)).parent == PACKAGE
