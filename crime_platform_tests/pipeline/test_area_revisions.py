"""A toy city whose publisher first releases 80 % of a month, and the rest a month later."""

import numpy as np
import pytest

from crime_platform.pipeline.cell_counts import build_tensor, rebuild_counts
from crime_platform.pipeline.declared_grid import grid_of
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.pipeline.revisions import newest_mature, read_record
from crime_platform.study_area.parts import RevisionRule, StudyAreaError
from crime_platform.study_area.study_area import load_study_area
from crime_platform.tensors.grid_counts import read_tensor
from crime_platform.vocabulary.timesteps import last_day_of
from crime_platform.warehouse.warehouse import Warehouse
from toys.city import TOY_AREA, write_toy_csv

FIRST = np.datetime64("2019-01", "M")
N_MONTHS = 8
LAST = FIRST + N_MONTHS - 1
YOUNG = [FIRST + n for n in range(2, N_MONTHS - 1)]  # origins that had a download of their own


def month_counts(n_months):
    """Ten robberies a month in one cell, of which the newest month has eight so far."""
    counts = np.zeros((n_months, 2, 6, 5), dtype=int)
    counts[:, 1, 2, 3] = 10
    counts[-1, 1, 2, 3] = 8
    return counts


@pytest.fixture
def revised_city(home):
    """Writes the city with one download a month, and ingests them all at once."""

    def write(rules="", n_downloads=6):
        toml = home.study_areas / "toy.toml"
        source = 'paths = ["raw/toy/*.csv"]\nrevisions = "replace_months"\n'
        source += 'published_on = "toy-%Y-%m-%d.csv"'
        text = TOY_AREA.format(last_month="2030-12").replace('paths = ["raw/toy/*.csv"]', source)
        toml.write_text(text + rules)
        for back in range(n_downloads):
            n_months = N_MONTHS - back
            published = f"{FIRST + n_months}-10"
            write_toy_csv(home.root / f"raw/toy/toy-{published}.csv", month_counts(n_months))
        area = load_study_area(toml)
        ingest_area(area, home)
        return area, home

    return write


def test_the_triangle_tells_what_was_known_how_many_days_later(revised_city):
    area, home = revised_city()

    triangle = read_record(area, Warehouse(home.warehouse)).triangle

    robberies = triangle[triangle["offence_type"] == "robbery"]
    by_age = robberies.groupby("age_days")["count"].unique()
    assert by_age[10].tolist() == [8]  # a download of the 10th, for the month before
    assert by_age[10 + 31].tolist() == [10]


def test_a_month_that_is_too_young_is_left_out(revised_city):
    area, home = revised_city()

    report = rebuild_counts(area, home)

    # Of 80 % robberies and one assault a month: (8 + 1) of (10 + 1) incidents.
    assert report.last_complete == LAST - 1
    assert report.maturity.completeness[LAST] == pytest.approx(9 / 11)
    assert (
        f"{LAST} is left out: 10 days after its end, 81.8% of its final"
        in report.maturity.notes[LAST]
    )


@pytest.mark.parametrize(("days", "newest"), [(5, LAST - 1), (10, LAST - 1), (41, LAST)])
def test_an_api_is_asked_for_a_month_at_the_age_at_which_it_can_be_used(revised_city, days, newest):
    area, home = revised_city()
    record = read_record(area, Warehouse(home.warehouse))

    assert newest_mature(area, record, LAST, last_day_of(LAST) + days) == newest


def test_a_young_month_that_is_kept_is_asked_for_at_any_age(revised_city):
    area, home = revised_city('\n[revisions]\nimmature_month = "keep"\n')
    record = read_record(area, Warehouse(home.warehouse))

    assert newest_mature(area, record, LAST, last_day_of(LAST) + 5) == LAST


def test_a_month_left_out_says_so_in_the_counts(revised_city):
    area, home = revised_city()

    rebuild_counts(area, home)

    month = Warehouse(home.warehouse).read(
        "select distinct is_complete, completeness_share, treatment from month_count "
        "where month = ?",
        LAST.astype("datetime64[D]").item(),
    )
    assert month.to_numpy().tolist() == [[False, pytest.approx(9 / 11), "left out"]]


def test_a_young_month_is_scaled_where_the_area_says_so(revised_city):
    area, home = revised_city('\n[revisions]\nimmature_month = "scale"\n')

    tensor = tensor_of(area, home)

    assert tensor.months[-1] == LAST
    assert tensor.counts[-1, 1, 2, 3] == 8  # what is recorded stays what is recorded
    assert tensor.through(LAST).counts[-1, 1, 2, 3] == pytest.approx(8 * 11 / 9)
    assert f"{LAST} is scaled by 1.222" in rebuild_counts(area, home).maturity.notes[LAST]


def test_a_young_month_is_kept_where_the_area_says_so(revised_city):
    area, home = revised_city('\n[revisions]\nimmature_month = "keep"\n')

    report = rebuild_counts(area, home)

    assert report.last_complete == LAST
    assert "is used as recorded: 10 days after its end, 81.8%" in report.maturity.notes[LAST]


def test_a_rule_that_is_not_known_is_refused():
    with pytest.raises(StudyAreaError, match="immature_month: expected one of leave_out, scale"):
        RevisionRule(immature_month="drop")


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_a_month_is_mature_at_a_share_of_its_final_count(share):
    with pytest.raises(StudyAreaError, match="mature_share: expected a share above 0 and up to 1"):
        RevisionRule(mature_share=share)


def test_completeness_that_cannot_be_measured_is_not_made_up(revised_city):
    area, home = revised_city(n_downloads=2)

    report = rebuild_counts(area, home)

    assert report.last_complete == LAST
    assert (
        "how complete it is 10 days after its end cannot be told before 3"
        in report.maturity.notes[LAST]
    )


def test_a_month_that_is_years_old_needs_no_measure(toy_city):
    home = toy_city(n_months=6)
    area = load_study_area(home.study_areas / "toy.toml")
    ingest_area(area, home)

    report = rebuild_counts(area, home)

    (note,) = report.maturity.notes.values()
    assert note.startswith("2019-06 is used as recorded, as it was known ")


def test_an_origin_sees_its_month_as_it_was_published(revised_city):
    area, home = revised_city('\n[revisions]\nimmature_month = "keep"\n')

    tensor = tensor_of(area, home)

    origin = LAST - 2
    assert tensor.counts[:, 1, 2, 3].tolist() == [10] * 7 + [8]
    assert tensor.through(origin).counts[:, 1, 2, 3].tolist() == [10] * 5 + [8]
    assert list(tensor.vintages) == YOUNG


def test_a_later_download_changes_the_truth_and_no_vintage(revised_city):
    area, home = revised_city('\n[revisions]\nimmature_month = "keep"\n')
    before = tensor_of(area, home)
    write_toy_csv(home.root / "raw/toy/toy-2019-10-10.csv", 3 * month_counts(N_MONTHS + 1))
    ingest_area(area, home)

    after = tensor_of(area, home)

    origin = YOUNG[-1]
    assert after.counts[0, 1, 2, 3] == 30
    np.testing.assert_array_equal(after.through(origin).counts, before.through(origin).counts)


def tensor_of(area, home):
    rebuild_counts(area, home)
    build_tensor(area, home, grid_of(area, home=home.root))
    return read_tensor(home.artifacts("toy") / "grid_tensor.zarr")[0]


def test_an_area_read_once_has_no_vintage(toy_city):
    home = toy_city(n_months=6)
    area = load_study_area(home.study_areas / "toy.toml")
    ingest_area(area, home)

    tensor = tensor_of(area, home)

    assert tensor.vintages == {}
