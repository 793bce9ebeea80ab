"""Which parts of a release go into the page as one HTML file, and the writing of that file."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from crime_platform.dashboard.data.parts import (
    AREAS,
    PARTS,
    Maker,
    area_paths,
    as_json,
    container_header,
)
from crime_platform.dashboard.export_page import Made, held_size, page_with, zipped
from crime_platform.dashboard.static_files import WEB
from crime_platform.publication.release import open_release, release_key
from crime_platform.vocabulary.artifact import sync_file, written_aside
from crime_platform.vocabulary.home import PlatformHome

MAX_BYTES = 8_000_000
ROOM_FOR_AREAS = 20_000  # bytes: the list of areas is written last, once it is known what is in
NETWORKS = ("st_resnet", "convlstm")

Read = Callable[[str], bytes]


class ExportError(ValueError):
    """A page that cannot be written as one file."""


def export_html(
    home: PlatformHome,
    area: str | None,
    target: Path,
    *,
    makers: Mapping[str, Maker] = PARTS,
    web: Path = WEB,
    max_bytes: int = MAX_BYTES,
) -> Path:
    """Write the page of the published release as one HTML file that opens from disk.

    Forecasts of the baseline, the best baseline and the networks can be chosen in it as long as the
    file stays small enough; `models_left_out` of each area in the part `areas` names the rest.

    Args:
        home: whose release is shown.
        area: name of one study area; all of the release's by default.
        target: file to write; one that is there is replaced when the new one is whole.
        makers: who makes the parts.
        web: folder of the page's own files.
        max_bytes: largest size of the file.

    Returns:
        The target.

    Raises:
        ExportError: if the release has no such area, or what its page needs is too large; then the
            message names the areas that did not fit.
        PartError: if the release is of an earlier version.
        ReleaseError: if nothing is published.
        BundleError: if deck.gl's script is missing.
        WebError: if the page's own files are not as they must be.
    """
    made = Made(release=release_key(home), at=datetime.now(UTC))
    room = max_bytes - len(page_with({}, web=web, made=made).encode()) - ROOM_FOR_AREAS
    with open_release(home) as connection:  # one for all parts: none comes from a newer release

        @cache  # what its header says decides about others, so `cells` is read twice
        def read(path: str) -> bytes:
            kind, *names = path.split("/")
            return makers[kind](connection, *names)

        told = json.loads(read(AREAS))
        areas = _asked_for(told["areas"], area)
        parts = _parts_within(areas, read, room)
    made = Made(release=told["release"], at=made.at)
    told |= {"areas": areas, "exported": made.sentence}
    page = page_with({AREAS: zipped(as_json(told)), **parts}, web=web, made=made)
    with written_aside(target) as aside:
        aside.write_text(page, encoding="utf-8", newline="\n")
        sync_file(aside)
    return target


def _asked_for(areas: list[dict[str, Any]], name: str | None) -> list[dict[str, Any]]:
    found = [area for area in areas if name in (None, area["name"])]
    if not found:
        known = ", ".join(area["name"] for area in areas) or "none"
        raise ExportError(f"no study area {name or ''!r} in the release; it holds {known}")
    return found


def _parts_within(areas: list[dict[str, Any]], read: Read, room: int) -> dict[str, bytes]:
    """Gzipped parts of the areas; notes with each area which models were left out."""
    parts: dict[str, bytes] = {}
    wanted: list[tuple[dict[str, Any], str]] = []
    too_large: list[str] = []
    for area in areas:
        needed, chosen = _paths(area, read)
        for path in needed:
            parts[path] = zipped(read(path))
            room -= held_size(path, parts[path])
        wanted += [(area, path) for path in chosen]
        too_large += [area["name"]] if room < 0 else []
    if too_large:
        raise ExportError(_does_not_fit(too_large, n_areas=len(areas), over_bytes=-room))
    for area, path in wanted:
        content = zipped(read(path))
        if held_size(path, content) <= room:
            room -= held_size(path, content)
            parts[path] = content
            area["models_left_out"].remove(path.rpartition("/")[2])
    return parts


def _paths(area: dict[str, Any], read: Read) -> tuple[list[str], list[str]]:
    """Parts without which the page is not whole, and forecasts that it can do without.

    Notes with the area every model that can be done without, as left out.
    """
    area["models_left_out"] = []
    if not area["has_cells"]:
        return area_paths(area), []
    header = container_header(read(f"cells/{area['name']}"))
    champion, baseline, best = (
        header["release"][key] for key in ("champion", "baseline", "best_baseline")
    )
    shown = {f"backtest/{area['name']}/{model}" for model in (champion, baseline)}
    every = area_paths(area, header)
    kinds = ("model/", "backtest/")
    needed = [path for path in every if path in shown or not path.startswith(kinds)]
    # The champion's forecast is in `cells`.
    others = [model["name"] for model in header["models"] if model["name"] != champion]
    area["models_left_out"] = others
    first = [name for name in dict.fromkeys((baseline, best, *NETWORKS)) if name in others]
    return needed, [f"model/{area['name']}/{name}" for name in first]


def _does_not_fit(names: list[str], *, n_areas: int, over_bytes: int) -> str:
    told = f"{', '.join(names)} did not fit into one file, {over_bytes / 1e6:.1f} MB too much"
    if n_areas > 1:
        return f"{told}: export one area at a time with --study-area"
    return f"{told}: look at it with `crime-platform dashboard`"
