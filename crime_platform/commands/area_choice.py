"""Which study area a command means when none is named."""

from collections.abc import Callable, Mapping

import duckdb

from crime_platform.sources.files.opening import missing_files
from crime_platform.study_area.study_area import (
    SIMULATED,
    StudyAreaError,
    load_study_area,
    study_area_files,
    study_area_names,
)
from crime_platform.vocabulary.home import PlatformHome


def only_area(home: PlatformHome) -> str:
    """The area that is meant, of those whose files have been fetched.

    Raises:
        StudyAreaError: if there are none, or several.
    """
    return _meant_in(home, lambda name: has_files(home, name), "data files")


def only_counted_area(home: PlatformHome) -> str:
    """The area that is meant, of those whose counts have been made.

    Raises:
        StudyAreaError: if there are none, or several.
    """
    from crime_platform.pipeline.cell_counts import tensor_path  # slow to import

    return _meant_in(home, lambda name: tensor_path(home, name).exists(), "counts")


def only_released_area(connection: duckdb.DuckDBPyConnection, *, by_day: bool) -> str:
    """The area that is meant, of those forecast by month, or by day on streets.

    Raises:
        StudyAreaError: if there are none, or several.
    """
    table = "street_release" if by_day else "release"
    rows = connection.sql(
        f"select study_area, title from {table} where is_latest order by study_area"
    ).fetchall()
    found = meant_area({area: SIMULATED in title.lower() for area, title in rows})
    if found is not None:
        return found
    told = "by day on streets" if by_day else "by month"
    raise StudyAreaError(
        f"the release holds forecasts {told} of {[area for area, _ in rows]}: choose one with "
        "--study-area"
        if rows
        else f"the release holds no forecast {told} of any area"
    )


def meant_area(
    is_simulated: Mapping[str, bool], is_ready: Callable[[str], bool] = lambda _: True
) -> str | None:
    """The one area there is, or the only one that is ready; None where that is not clear.

    A simulated area is meant only where there is no other, or it is named.

    Args:
        is_simulated: of every area by its name.
        is_ready: whether an area has what the command works with.
    """
    meant = [name for name, simulated in is_simulated.items() if not simulated]
    meant = meant or list(is_simulated)
    ready = meant if len(meant) == 1 else [name for name in meant if is_ready(name)]
    return ready[0] if len(ready) == 1 else None


def _meant_in(home: PlatformHome, is_ready: Callable[[str], bool], needed: str) -> str:
    names = study_area_names(home.study_areas)
    found = meant_area({name: is_simulated(home, name) for name in names}, is_ready)
    if found is not None:
        return found
    n_ready = sum(map(is_ready, names))
    raise StudyAreaError(
        f"{home.study_areas} holds {len(names)} study areas {names}, {n_ready} of them with "
        f"{needed}: choose one with --study-area"
    )


def require_area(home: PlatformHome, name: str) -> None:
    """Refuse a name that no study area has; one whose TOML is gone has kept its artifacts.

    Raises:
        StudyAreaError: with the names that there are.
    """
    kept = (folder.name for folder in (home.root / "artifacts").glob("*") if folder.is_dir())
    known = sorted({*(toml.stem for toml in study_area_files(home.study_areas)), *kept})
    if name not in known:
        raise StudyAreaError(
            f"--study-area {name}: there is no such study area; there are "
            f"{', '.join(known) or 'none'}"
        )


def has_files(home: PlatformHome, name: str) -> bool:
    """Whether every source of an area has its files; False too where the TOML cannot be read."""
    try:
        area = load_study_area(home.study_areas / f"{name}.toml")
    except StudyAreaError:
        return False  # `crime-platform areas` tells what is wrong with it
    return not any(missing_files(source.paths, home.root) for source in area.sources)


def is_simulated(home: PlatformHome, name: str) -> bool:
    """Whether an area says that it is simulated; False too where the TOML cannot be read."""
    try:
        return load_study_area(home.study_areas / f"{name}.toml").is_simulated
    except StudyAreaError:
        return False
