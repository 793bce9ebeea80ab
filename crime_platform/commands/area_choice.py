"""Which study area a command means when none is named."""

from crime_platform.sources.files.opening import missing_files
from crime_platform.study_area.study_area import (
    StudyAreaError,
    load_study_area,
    study_area_files,
    study_area_names,
)
from crime_platform.vocabulary.home import PlatformHome


def only_area(home: PlatformHome) -> str:
    """The one area there is, or the only one whose files have been fetched.

    A simulated area is meant only where there is no other, or it is named.

    Raises:
        StudyAreaError: if there are none, or several.
    """
    names = study_area_names(home.study_areas)
    meant = [name for name in names if not is_simulated(home, name)] or names
    ready = meant if len(meant) == 1 else [name for name in meant if has_files(home, name)]
    if len(ready) == 1:
        return ready[0]
    raise StudyAreaError(
        f"{home.study_areas} holds {len(names)} study areas {names}, {len(ready)} of them with "
        "data files: choose one with --study-area"
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
