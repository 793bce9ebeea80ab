"""The parts of the page's data: the path of each, and who makes its bytes.

A part has one path everywhere: the server answers it at `/api/<path>`, the exported file holds it
under the same name. What is in a part is decided by its maker.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from crime_platform.dashboard.data.part_error import PartError

if TYPE_CHECKING:
    import duckdb

    from crime_platform.dashboard.downloads.request import Wish

AREAS = "areas"
MAGIC = b"CFP1"
HEADER_START = 8  # after the magic and the header's length
# Kinds of part that exist once per model: where the header of `cells/<area>` lists those models.
LISTED_AS = {"model": "models", "backtest": "backtest_models", "shares": "share_models"}

Maker = Callable[..., bytes]


def as_json(part: dict[str, Any]) -> bytes:
    """A part as JSON; a float that is missing (NaN) becomes null, which JavaScript can read.

    Raises:
        ValueError: if a number is infinite.
        TypeError: if a value is nothing that JSON has a word for.
    """
    text = json.dumps(_without_nan(part), allow_nan=False, ensure_ascii=False)
    return text.encode()


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def container_header(container: bytes) -> dict[str, Any]:
    """The JSON header of a binary part.

    Raises:
        ValueError: if the bytes are no container.
    """
    if container[: len(MAGIC)] != MAGIC:
        raise ValueError(f"a binary part starts with {MAGIC!r}, this one with {container[:4]!r}")
    length = int.from_bytes(container[len(MAGIC) : HEADER_START], "little")
    return json.loads(container[HEADER_START : HEADER_START + length])


def area_paths(area: dict[str, Any], cells_header: dict[str, Any] | None = None) -> list[str]:
    """Paths of every part of one area, in the order in which the page asks for them.

    Args:
        area: the area's entry in the part `areas`.
        cells_header: header of its part `cells`, which lists the models; without it the parts that
            exist once per model are left out.
    """
    name = area["name"]
    paths = [f"cells/{name}", f"corners/{name}"] if area["has_cells"] else []
    for kind, models in LISTED_AS.items():
        listed = (cells_header or {}).get(models, [])
        names = [model["name"] if isinstance(model, dict) else model for model in listed]
        paths += [f"{kind}/{name}/{model}" for model in names]
    paths += [f"streets/{name}"] if area["has_streets"] else []
    return [*paths, f"accuracy/{name}", f"about/{name}"]


def require_listed(path: str, read: Callable[[str], bytes]) -> None:
    """Refuse a path that names no part; nothing of an unknown path reaches a query.

    Args:
        path: what was asked for.
        read: gives the bytes of another part.

    Raises:
        PartError: if the release has no such part.
    """
    kind, _, rest = path.partition("/")
    name = rest.partition("/")[0]
    if path == AREAS:
        return
    known = {area["name"]: area for area in json.loads(read(AREAS))["areas"]}
    header = None
    if kind in LISTED_AS and name in known and known[name]["has_cells"]:
        header = container_header(read(f"cells/{name}"))
    if name not in known or path not in area_paths(known[name], header):
        raise PartError(
            f"the release has no such part; its areas are {', '.join(sorted(known)) or 'none'}"
        )


def _areas(connection: "duckdb.DuckDBPyConnection") -> bytes:
    from crime_platform.dashboard.data.areas import areas_part

    return as_json(areas_part(connection))


def _cells(connection: "duckdb.DuckDBPyConnection", area: str) -> bytes:
    from crime_platform.dashboard.data.cells import cells_part

    return cells_part(connection, area)


def _model(connection: "duckdb.DuckDBPyConnection", area: str, model: str) -> bytes:
    from crime_platform.dashboard.data.cells import model_part

    return model_part(connection, area, model)


def _backtest(connection: "duckdb.DuckDBPyConnection", area: str, model: str) -> bytes:
    from crime_platform.dashboard.data.cells import backtest_part

    return backtest_part(connection, area, model)


def _shares(connection: "duckdb.DuckDBPyConnection", area: str, model: str) -> bytes:
    from crime_platform.dashboard.data.cells import shares_part

    return shares_part(connection, area, model)


def _corners(connection: "duckdb.DuckDBPyConnection", area: str) -> bytes:
    from crime_platform.dashboard.data.cells import corners_part

    return corners_part(connection, area)


def _streets(connection: "duckdb.DuckDBPyConnection", area: str) -> bytes:
    from crime_platform.dashboard.data.streets import streets_part

    return streets_part(connection, area)


def _accuracy(connection: "duckdb.DuckDBPyConnection", area: str) -> bytes:
    from crime_platform.dashboard.pages.accuracy import accuracy_part

    return as_json(accuracy_part(connection, area))


def _about(connection: "duckdb.DuckDBPyConnection", area: str) -> bytes:
    from crime_platform.dashboard.pages.about import about_part

    return as_json(about_part(connection, area))


PARTS: Mapping[str, Maker] = {
    AREAS: _areas,
    "cells": _cells,
    "model": _model,
    "backtest": _backtest,
    "shares": _shares,
    "corners": _corners,
    "streets": _streets,
    "accuracy": _accuracy,
    "about": _about,
}
"""First word of a path: the maker, called with the connection and the path's other words."""


def download(connection: "duckdb.DuckDBPyConnection", wish: "Wish") -> bytes:
    """The rows that were asked for, as the file that was asked for.

    Raises:
        PartError: if the release does not hold them.
    """
    from crime_platform.dashboard.downloads.formats import csv_bytes, geojson_bytes
    from crime_platform.dashboard.downloads.rows import backtest_table, cells_table, streets_table

    tables = {"cells": cells_table, "backtest": backtest_table, "streets": streets_table}
    words = {"type": "offence_type", "group": "offence_group"}
    chosen = {words.get(key, key): value for key, value in wish.chosen.items()}
    shown = tables[wish.of](connection, **chosen)
    return csv_bytes(shown) if wish.form == "csv" else geojson_bytes(shown)
