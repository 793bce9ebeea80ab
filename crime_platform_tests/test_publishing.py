import pytest

from crime_platform.candidate import MANIFEST, Candidate, read_candidate
from crime_platform.publishing import RefusedError, publish
from crime_platform.vocabulary.artifact import write_json
from crime_platform.vocabulary.timesteps import parse_month
from crime_platform.vocabulary.verdict import Verdict
from crime_platform.warehouse import Warehouse


@pytest.fixture
def candidate(home):
    folder = home.artifacts("toy") / "candidates" / "2021-06-abc"
    manifest = {"study_area": "toy", "as_of_month": "2021-06", "champion": "ewma"}
    write_json(folder / MANIFEST, manifest)
    return Candidate(folder=folder, manifest=manifest)


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
