"""Resources that assets ask for."""

import dagster as dg

from crime_platform.study_area.study_area import StudyArea
from crime_platform.vocabulary.home import PlatformHome


class Platform(dg.ConfigurableResource):
    """Where the state is: study areas, warehouse, artifacts and releases."""

    root: str

    @property
    def home(self) -> PlatformHome:
        from pathlib import Path

        return PlatformHome(Path(self.root))

    def study_area(self, name: str) -> StudyArea:
        """The area as its TOML says now, not as it was when the code location was loaded."""
        from crime_platform.study_area.study_area import load_study_area

        return load_study_area(self.home.study_areas / f"{name}.toml")
