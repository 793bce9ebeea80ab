"""What is known of a publisher's layout before any TOML says so.

A study area that names one of these formats needs no column mapping; what its TOML does say
replaces the value here, key by key.
"""

from collections.abc import Mapping

from crime_platform.study_area.source import NZ_POLICE, POLICE_UK, REPLACE_MONTHS
from crime_platform.study_area.source_api import ARCGIS

KNOWN_SETTINGS: Mapping[str, Mapping[str, object]] = {
    # https://data.police.uk/about: one file a month and force, snapped points, no day. Anti-social
    # behaviour has no identifier, so equal rows are different incidents. Archives also hold
    # outcomes and stop-and-search files: other rows, and columns that are never loaded.
    POLICE_UK: {
        "datetime_formats": ("%Y-%m",),
        "revisions": REPLACE_MONTHS,  # every archive holds the last three years anew
        "members": "*-street.csv",
        "publisher": "data.police.uk",
        "licence": "Open Government Licence v3.0",
        "url": "https://data.police.uk",
    },
    # https://www.police.govt.nz, "Victimisation Time and Place": a row stands for as many
    # victimisations as it says. Older exports write 201407, newer ones January 2025.
    NZ_POLICE: {
        "datetime_formats": ("%Y%m", "%B %Y"),
        "revisions": REPLACE_MONTHS,  # a download covers a rolling window
        "optional": ("hour", "premises", "district"),
        "publisher": "New Zealand Police",
        "url": "https://www.policedata.nz",
    },
    # Layers hold dates as milliseconds since 1970 in UTC, whatever clock the publisher meant.
    ARCGIS: {"timestamps_are": "utc"},
}
"""Settings of `[[source]]` by format."""

KNOWN_COLUMNS: Mapping[str, Mapping[str, str]] = {
    POLICE_UK: {
        "id": "Crime ID",
        "occurred_at": "Month",
        "offence": "Crime type",
        "lon": "Longitude",
        "lat": "Latitude",
        "part": "Falls within",
    },
    NZ_POLICE: {
        "occurred_at": "Year Month",
        "offence": "ANZSOC Division",
        "place": "Meshblock",
        "district": "Area Unit",
        "hour": "Occurrence Hour Of Day",
        "premises": "Locn Type Division",
        "count": "Victimisations",
    },
}
"""Columns of `[source.columns]` by format."""
