"""A home with one good file taken in, and everything around it watched while another is."""

import hashlib
from dataclasses import replace
from pathlib import Path

from crime_platform.pipeline.ingest import IngestReport, ingest_area
from crime_platform.study_area.parts import QualityLimits
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.incident import CoordinateError, SourceFormatError
from crime_platform.warehouse.warehouse import Warehouse
from toys.table_reading import GOOD_ROW, HEADER, POLICE, TOWN

NOTHING_REFUSED = QualityLimits(
    max_broken_row_share=1.0,
    max_missing_offence_share=1.0,
    max_unmapped_share=1.0,
    max_bad_date_share=1.0,
    max_bad_count_share=1.0,
    max_outside_share=1.0,
    min_geocoded_share=0.0,
)
LENIENT_TOWN = replace(TOWN, quality=NOTHING_REFUSED, sources=(replace(POLICE, paths=("raw/*",)),))
STATES = {
    "source_file": "select * exclude (is_current, superseded_at) from source_file order by all",
    "current": "select file_path, sha256 from source_file where is_current order by all",
    "incident": "select * from incident order by source_file, source_row",
    "rejected_row": "select * from rejected_row order by all",
    "data_quality": "select * exclude (measured_at) from data_quality order by all",
}


def home_with_a_good_file(around: Path) -> PlatformHome:
    """A home some folders below `around`, so that a name that climbs out of it is seen there."""
    home = PlatformHome(around / "a" / "b" / "c" / "home")
    (home.root / "raw").mkdir(parents=True)
    (home.root / "raw" / "good.csv").write_text(HEADER + GOOD_ROW * 3)
    ingest_area(LENIENT_TOWN, home)
    return home


def state(home: PlatformHome) -> dict[str, str]:
    """What the warehouse holds."""
    with Warehouse(home.warehouse).reader() as connection:
        return {name: str(connection.execute(sql).fetchall()) for name, sql in STATES.items()}


def take_in(home: PlatformHome, content: bytes, name: str = "mangled.csv") -> IngestReport | str:
    """The report of an ingest with one more file, or the message of its refusal."""
    (home.root / "raw" / name).write_bytes(content)
    try:
        return ingest_area(LENIENT_TOWN, home)
    except (SourceFormatError, CoordinateError) as refused:
        return str(refused)


def everything_but_the_warehouse(around: Path, home: PlatformHome) -> dict[str, str]:
    """Every path below a folder, with the hash of its bytes where it is a file."""
    return {
        str(path.relative_to(around)): _hash(path)
        for path in sorted(around.rglob("*"))
        if not path.name.startswith(home.warehouse.stem)
    }


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
