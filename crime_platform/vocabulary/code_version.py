"""Version of the code that makes an artifact: the text of a module and of all that it imports."""

import ast
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from crime_platform.vocabulary.artifact import content_key

PACKAGE = Path(__file__).resolve().parent.parent


@cache
def code_version(*modules: str, package: Path = PACKAGE) -> str:
    """Key of the source text of modules and of every module of the package that they import.

    Only imports that are made when a module is loaded count: what a function imports has a key of
    its own, as each model does, and what only the type checker reads decides nothing.

    Args:
        modules: their full names, such as `__name__`; they may lie outside the package.
        package: its folder.

    Raises:
        ValueError: if there is no such module.
    """
    names = imported_modules(*modules, package=package)
    return content_key(*(_text(name, package) for name in names))


def imported_modules(*modules: str, package: Path = PACKAGE) -> list[str]:
    """Names of the modules and of those of the package that they import, in alphabetical order.

    Raises:
        ValueError: if there is no such module.
    """
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _imports(_text(name, package), package)
    return sorted(found)


def _text(name: str, package: Path) -> str:
    path = _of_package(name, package)
    if path is None and name.partition(".")[0] != package.name:
        spec = importlib.util.find_spec(name)
        path = Path(spec.origin) if spec and spec.origin else None
    if path is None:
        raise ValueError(f"there is no module {name!r} to take a key of")
    return path.read_text(encoding="utf-8")


def _of_package(name: str, package: Path) -> Path | None:
    """File of a module or of a folder's `__init__`; None if the package has no such name."""
    first, *parts = name.split(".")
    if first != package.name:
        return None
    place = package.joinpath(*parts)
    files = (place / "__init__.py", *([place.with_suffix(".py")] if parts else []))
    return next((path for path in files if path.is_file()), None)


@cache
def _imports(text: str, package: Path) -> tuple[str, ...]:
    """Modules of the package that a file of this text imports when it is loaded."""
    found: list[str] = []
    for statement in _loaded(ast.parse(text)):
        if isinstance(statement, ast.Import):
            names = [alias.name for alias in statement.names]
        else:
            # Of `from a import b`, b may be a module or a name that a defines.
            of = str(statement.module)
            inside = [f"{of}.{alias.name}" for alias in statement.names]
            names = [name if _of_package(name, package) else of for name in inside]
        found += [name for name in names if _of_package(name, package)]
    return tuple(found)


def _loaded(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node
    elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        for statement in node.orelse:
            yield from _loaded(statement)
    elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _loaded(child)
