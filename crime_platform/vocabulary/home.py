"""Where state lives: every path below `data/` (or `$CRIME_PLATFORM_HOME`) in one place."""

import os
from dataclasses import dataclass
from pathlib import Path

HOME_VARIABLE = "CRIME_PLATFORM_HOME"


@dataclass(frozen=True, slots=True)
class PlatformHome:
    """Root folder of the platform's state and the paths in it."""

    root: Path
    trial: Path | None = None  # where a trial keeps its warehouse and artifacts, instead of `root`

    @classmethod
    def from_environment(cls) -> "PlatformHome":
        """`$CRIME_PLATFORM_HOME` if set, else `data/` in the working folder."""
        return cls(Path(os.environ.get(HOME_VARIABLE) or "data").absolute())

    @property
    def study_areas(self) -> Path:
        return self.root / "study_areas"

    @property
    def warehouse(self) -> Path:
        return (self.trial or self.root) / "warehouse.duckdb"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def forecasts(self) -> Path:
        """The published file: a symlink to the newest whole release."""
        return self.root / "forecasts.duckdb"

    @property
    def exports(self) -> Path:
        """The page of each area as one HTML file, made anew after each release."""
        return self.root / "exports"

    @property
    def dagster_home(self) -> Path:
        return self.root / "dagster_home"

    @property
    def alerts(self) -> Path:
        """One JSON line for every failed run."""
        return self.root / "alerts.jsonl"

    def keeps(self, path: Path) -> bool:
        """Whether a file is one that only runs write, or an input in one of the folders here.

        Inputs lie in any folder that a study area names, so no file that is there is given up but
        those of `exports`.
        """
        own = (self.warehouse, self.releases, self.forecasts, self.dagster_home, self.alerts)
        if _is_below(path, *own, self.root / "artifacts"):
            return True
        is_at_the_top = path.parent == Path(os.path.realpath(self.root))
        is_input = _is_below(path, self.root) and not is_at_the_top
        return path.exists() and is_input and not _is_below(path, self.exports)

    def artifacts(self, study_area: str) -> Path:
        """Immutable files of one area, named by the hash of what they were made from."""
        return (self.trial or self.root) / "artifacts" / study_area


def _is_below(path: Path, *places: Path) -> bool:
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(os.path.realpath(place)) for place in places)
