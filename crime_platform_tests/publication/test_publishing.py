import shutil
import subprocess
import sys

import dagster as dg
import pytest

from crime_platform.definitions import build_definitions
from crime_platform.evaluation.candidate import MANIFEST, Candidate, read_candidate
from crime_platform.publication.publish import (
    RefusedError,
    missing_publications,
    publish,
    published_version,
    rebuild_release,
    repair_release,
)
from crime_platform.publication.release import ReleaseError, open_release
from crime_platform.vocabulary.artifact import write_json
from crime_platform.vocabulary.seal import SEAL
from crime_platform.vocabulary.timesteps import parse_month
from crime_platform.vocabulary.verdict import Verdict
from crime_platform.warehouse.warehouse import Warehouse
from toys.damage import cut_off, flip_a_bit
from toys.paths import TESTS
from toys.publication import publish_area, publish_town, tiny_candidate, tiny_street_candidate


@pytest.fixture
def candidate(home):
    folder = home.artifacts("toy") / "candidates" / "2021-06-abc"
    manifest = {"study_area": "toy", "as_of_month": "2021-06", "champion": "ewma"}
    write_json(folder / MANIFEST, manifest)
    return Candidate(folder=folder, manifest=manifest)


def released(home):
    """Areas of the release, months first."""
    with open_release(home) as connection:
        return connection.sql(
            "select study_area, is_latest from release union all "
            "select study_area, is_latest from street_release"
        ).fetchall()


def record(home, candidate, *, streets=False):
    """What a publication notes before the release is built; the process is killed then."""
    warehouse = Warehouse(home.warehouse)
    area = candidate.manifest["study_area"]
    told = {"candidate_id": candidate.candidate_id, "model": "ewma", "run_id": "killed"}
    if streets:
        day = parse_month("2021-06").astype("datetime64[D]") + 29
        warehouse.record_street_publication(area, day, **told)
    else:
        warehouse.record_publication(area, parse_month("2021-06"), **told)


def test_a_candidate_that_was_never_judged_is_refused(home, candidate):
    with pytest.raises(RefusedError, match="2021-06-abc of toy was never judged"):
        publish(home, candidate, run_id="r")
    assert not home.forecasts.exists()


def test_a_candidate_that_was_refused_stays_refused_with_its_reasons(home, candidate):
    verdict = Verdict("2021-06-abc", "ewma", False, ["bias is +20 %"], {})
    Warehouse(home.warehouse).record_verdict("toy", parse_month("2021-06"), verdict)
    with pytest.raises(RefusedError, match=r"was refused: bias is \+20 %. The last release stays"):
        publish(home, candidate, run_id="r")


def test_a_pass_of_another_candidate_does_not_count(home, candidate):
    verdict = Verdict("2021-06-other", "ewma", True, [], {})
    Warehouse(home.warehouse).record_verdict("toy", parse_month("2021-06"), verdict)
    with pytest.raises(RefusedError, match="never judged"):
        publish(home, candidate, run_id="r")


def test_a_candidate_that_was_not_built_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no candidate in"):
        read_candidate(tmp_path)


PUBLISHER = """
import fcntl, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from toys import publication
from crime_platform.publication import publish as publishing
from crime_platform.vocabulary.home import PlatformHome
area, held = sys.argv[2], sys.argv[4] == "held"
months_read, lock = publishing.street_publications, fcntl.flock

def street_publications(home):
    print("has read the publications", flush=True)
    sys.stdin.readline()
    return months_read(home)

def flock(file, kind):
    if "releases" in getattr(file, "name", ""):
        print("wants the lock", flush=True)
    lock(file, kind)

if held:
    publishing.street_publications = street_publications
else:
    fcntl.flock = flock
getattr(publication, sys.argv[5])(PlatformHome(Path(sys.argv[1])), area)
print("done", flush=True)
"""


def publisher(home, area, how, of):
    told = [str(home.root), area, str(TESTS), how, of]
    return subprocess.Popen(
        [sys.executable, "-c", PUBLISHER, *told],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("second", ["publish_area", "publish_town"])
def test_of_two_publications_at_once_both_are_released(home, second):
    first = publisher(home, "avon", "held", "publish_area")
    with first:
        assert first.stdout.readline() == "has read the publications\n"
        other = publisher(home, "berwick", "free", second)
        with other:
            assert other.stdout.readline() == "wants the lock\n"
            first.communicate("go on\n", timeout=60)
            other.communicate(timeout=60)

    assert (first.returncode, other.returncode) == (0, 0)
    assert released(home) == [("avon", True), ("berwick", True)]


@pytest.mark.parametrize("streets", [False, True])
def test_what_a_killed_publication_recorded_is_published_at_the_next_start(home, streets, caplog):
    publish_area(home, "avon")
    made = (tiny_street_candidate if streets else tiny_candidate)(home, "berwick")
    record(home, made, streets=streets)

    (repaired,) = repair_release(home)

    assert repaired.startswith("berwick 2021-06-")
    assert f"published now, for the release lacked it: {repaired}" in caplog.text
    assert released(home) == [("avon", True), ("berwick", True)]
    assert repair_release(home) == []


def test_the_first_publication_of_a_home_is_repaired_too(home):
    record(home, tiny_candidate(home, "avon"))

    assert len(repair_release(home)) == 1

    assert released(home) == [("avon", True)]


def test_a_fresh_home_needs_no_repair_and_gets_no_warehouse(home):
    assert repair_release(home) == []
    assert not home.warehouse.exists()


def test_the_sensor_starts_the_repair_and_the_repair_publishes(home):
    publish_area(home, "avon")
    record(home, tiny_candidate(home, "berwick"))
    definitions = build_definitions(home)
    sensor = definitions.resolve_sensor_def("lacking_release")

    (request,) = sensor.evaluate_tick(dg.build_sensor_context()).run_requests
    result = definitions.resolve_job_def("release_repair").execute_in_process()

    assert request.run_key
    assert result.success
    assert released(home) == [("avon", True), ("berwick", True)]
    calm = sensor.evaluate_tick(dg.build_sensor_context())
    assert calm.skip_message == "the release holds every publication on record"


def test_a_published_candidate_that_is_gone_is_left_out_and_said(home, caplog):
    publish_area(home, "avon")
    publish_town(home, "avon")
    shutil.rmtree(home.artifacts("avon"))

    publish_area(home, "berwick")

    assert released(home) == [("berwick", True)]
    assert (
        "avon: the published forecast 2021-06-0avon is left out of the release: its files are "
        "gone. To make it anew: crime-platform run --study-area avon --as-of 2021-06" in caplog.text
    )
    assert "crime-platform run --study-area avon --streets --as-of 2021-06-30" in caplog.text
    assert missing_publications(home) == []
    assert published_version(home, "avon", parse_month("2021-06")) is None


def test_the_newest_month_that_is_left_is_the_latest(home):
    publish_area(home, "avon", "2021-05")
    publish_area(home, "avon", "2021-06")
    shutil.rmtree(home.artifacts("avon") / "candidates" / "2021-06-0avon")

    rebuild_release(home)

    assert released(home) == [("avon", True)]


def test_a_street_candidate_without_a_verdict_is_left_out_and_said(home, caplog):
    publish_area(home, "avon")
    publish_town(home, "avon")
    with Warehouse(home.warehouse).writer() as connection:
        connection.execute("delete from street_verdict")

    rebuild_release(home)

    assert released(home) == [("avon", True)]
    assert "it has no verdict" in caplog.text


def test_a_release_is_never_emptied(home):
    release = publish_area(home, "avon")
    shutil.rmtree(home.artifacts("avon") / "candidates")

    with pytest.raises(ReleaseError, match="the release stays as it is"):
        rebuild_release(home)

    assert home.forecasts.resolve() == release
    assert released(home) == [("avon", True)]


@pytest.mark.parametrize("damage", [cut_off, flip_a_bit])
def test_a_damaged_release_is_built_anew_at_the_next_start(home, damage):
    release = publish_area(home, "avon")
    damage(release)

    repair_release(home)

    assert home.forecasts.resolve() == release
    assert released(home) == [("avon", True)]
    assert repair_release(home) == []


def test_an_old_release_that_was_cut_off_is_built_anew_at_the_next_start(home):
    release = publish_area(home, "avon")
    release.with_name(f"{release.name}.{SEAL}").unlink()
    cut_off(release)

    repair_release(home)

    assert released(home) == [("avon", True)]


def test_a_damaged_candidate_is_left_out_of_the_release_and_said(home, caplog):
    publish_area(home, "avon")
    publish_town(home, "avon")
    cut_off(home.artifacts("avon") / "candidates/2021-06-0avon/cell_forecast.parquet")
    flip_a_bit(home.artifacts("avon") / "street_candidates/2021-06-30-0avon/candidate.json")

    publish_area(home, "berwick")

    assert released(home) == [("berwick", True)]
    assert "cell_forecast.parquet has" in caplog.text
    assert "candidate.json has other bytes" in caplog.text
    assert published_version(home, "avon", parse_month("2021-06")) is None
