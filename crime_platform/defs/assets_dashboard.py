"""The page of one study area as a file, as a Dagster asset: written anew after each release.

It hangs on the publications of both branches, and the jobs of both carry it. It comes last: when it
fails, the release stands.
"""

import dagster as dg

from crime_platform.defs.asset_factory import area_asset
from crime_platform.defs.metadata import clean_metadata
from crime_platform.defs.resources import Platform
from crime_platform.study_area.study_area import StudyArea

DASHBOARD = "dashboard_export"
POOL = "dashboard"  # one at a time: the monthly and the daily job write the same file
STANDS = "The release stands, but its page was not exported:"


def dashboard_assets(area: StudyArea) -> list[dg.AssetsDefinition]:
    """The exported page of one area."""
    releases = ["published", *([] if area.streets is None else ["street_published"])]

    @area_asset(
        area,
        "html",
        deps=[dg.AssetKey([area.name, name]) for name in releases],
        pool=POOL,
        description="The 3D page of the newest release as one HTML file that opens from disk and "
        "asks for nothing. The release stands whether or not this succeeds.",
    )
    def dashboard_export(platform: Platform) -> dg.MaterializeResult:
        from crime_platform.dashboard.export import export_html
        from crime_platform.publication.release import release_key

        target = platform.home.exports / f"{area.name}.html"
        try:
            export_html(platform.home, area.name, target)
        except ValueError as problem:
            raise dg.Failure(f"{STANDS} {problem}", allow_retries=False) from problem
        metadata = {
            "file": target,
            "size (MB)": round(target.stat().st_size / 1e6, 2),
            "release": release_key(platform.home),
            "open": dg.MetadataValue.url(target.as_uri()),
        }
        return dg.MaterializeResult(metadata=clean_metadata(metadata))

    return [dashboard_export]
