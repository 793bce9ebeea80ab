"""Releases of one candidate each, whose every row says which number it is."""

import pandas as pd

from crime_platform.publication.release import Publication, publish_release

QUALITY = pd.DataFrame(
    {
        "study_area": ["toy"],
        "source": ["police"],
        "file_path": ["a.csv"],
        "finding": ["accepted"],
        "n_rows": [3],
        "share": [1.0],
        "example": [None],
        "measured_at": [pd.Timestamp("2022-01-01", tz="UTC")],
    }
)
CHECKS = pd.DataFrame(
    {
        "study_area": ["toy"],
        "check_name": ["data_are_fresh"],
        "passed": [False],
        "severity": ["warn"],
        "problem": ["the newest incident is of 2021-06-30"],
        "checked_at": [pd.Timestamp("2022-01-01", tz="UTC")],
    }
)


def candidate(home, number, *, n_rows=1000):
    """A candidate whose every row says which number it is."""
    folder = home.artifacts("toy") / "candidates" / f"2021-12-{number:04d}"
    folder.mkdir(parents=True)
    pd.DataFrame(
        {
            "study_area": "toy",
            "as_of_month": pd.Timestamp("2021-12-01").date(),
            "target_month": pd.Timestamp("2022-01-01").date(),
            "lead": 1,
            "cell_id": [f"r{i:03d}c000" for i in range(n_rows)],
            "offence_type": "assault",
            "model": "ewma",
            "is_champion": True,
            "expected_count": float(number),
        }
    ).to_parquet(folder / "cell_forecast.parquet")
    return folder


def publish(home, number, **options):
    candidate(home, number, **options)
    return publish_again(home, number)


def publish_again(home, number):
    """Publish a candidate that is there."""
    folder = home.artifacts("toy") / "candidates" / f"2021-12-{number:04d}"
    publication = Publication(
        study_area="toy",
        as_of_month="2021-12",
        folder=folder,
        run_id=f"run{number}",
        is_latest=True,
    )
    releases = pd.DataFrame(
        {
            "study_area": ["toy"],
            "as_of_month": [pd.Timestamp("2021-12-01").date()],
            "champion": ["ewma"],
            "candidate_id": [folder.name],
            "is_latest": [True],
        }
    )
    return publish_release(home, [publication], releases, quality=QUALITY, checks=CHECKS)
