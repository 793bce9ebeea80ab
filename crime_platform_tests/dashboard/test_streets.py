"""Part `streets` against SQL on the toy town's release: streets that cross, one group, 7 days."""

import numpy as np
import pytest
import shapely

from crime_platform.dashboard.data.areas import areas_part
from crime_platform.dashboard.data.binary_format import unpack
from crime_platform.dashboard.data.cells import cells_part
from crime_platform.dashboard.data.part_error import PartError
from crime_platform.dashboard.data.streets import streets_part
from crime_platform.publication.release import open_release
from crime_platform.vocabulary.home import PlatformHome
from toys.release import asked, changed_release, in_another_area
from toys.street_city import LAST

pytestmark = pytest.mark.slow  # the town's network is trained once

DAYS = [str(LAST - 59 + n) for n in range(60)]
RECORDED = """
    select coalesce(d."count", 0)
    from range(date '2020-12-31', date '2021-03-01', interval 1 day) t(day)
    cross join segment s
    left join segment_day d on d.segment_id = s.segment_id and d.day = t.day
    order by t.day, s.segment_id
"""


@pytest.fixture
def release(published_streets):
    with open_release(published_streets) as connection:
        yield connection


@pytest.fixture
def part(release):
    """Header and arrays of part `streets`."""
    return unpack(streets_part(release, "town"))


def forecast(connection, model, column):
    """One model's column by day and segment, one after the other."""
    query = (
        f"select {column} from segment_forecast where model = $1 order by target_day, segment_id"
    )
    return [value for (value,) in asked(connection, query, model)]


def test_the_area_has_streets_and_no_cells(release):
    (town,) = areas_part(release)["areas"]

    assert (town["name"], town["title"]) == ("town", "Small Town")
    assert (town["as_of_month"], town["as_of_day"]) == (None, str(LAST))
    assert (town["has_cells"], town["has_streets"]) == (False, True)
    assert town["graph_kind"] == "segment"


def test_segments_lie_where_they_are_published(release, part):
    header, arrays = part

    rows = asked(
        release,
        "select segment_id, geometry_wkb, length_m, is_ever_active from segment order by 1",
    )
    ids, shapes, lengths, active = zip(*rows, strict=True)
    lines = shapely.from_wkb([bytes(shape) for shape in shapes])
    assert header["segment_ids"] == list(ids)
    assert header["kind"] == "segment"
    assert arrays["start"].tolist() == np.cumsum([0, *shapely.get_num_points(lines)]).tolist()
    assert arrays["lonlat"].tolist() == shapely.get_coordinates(lines).tolist()
    np.testing.assert_array_equal(arrays["length_m"], np.float32(lengths))
    assert arrays["is_ever_active"].tolist() == [int(each) for each in active]


def test_metres_count_from_the_grids_corner(part):
    header, arrays = part

    # every street of the town runs along a multiple of 100 m and ends at 0 or 1000 m
    np.testing.assert_allclose(arrays["xy"], arrays["xy"].round(-2), atol=0.01)
    assert arrays["xy"].min() == pytest.approx(0, abs=0.01)
    assert arrays["xy"].max() == pytest.approx(1000, abs=0.01)
    area = header["area"]
    assert (area["west_m"], area["south_m"], area["crs"]) == (630000, 4833000, "EPSG:26917")


def test_streets_of_an_area_with_cells_count_from_the_corner_of_its_grid(
    published_once, published_streets, tmp_path
):
    moved = f"attach '{published_streets.forecasts.resolve()}' as town (read_only)"
    tables = ("segment", "segment_day", "segment_forecast", "street_release")
    with changed_release(
        PlatformHome(published_once),
        tmp_path,
        moved,
        *(
            f"insert into {table} select * replace ('toy' as study_area) from town.main.{table}"
            for table in tables
        ),
    ) as connection:
        (area,) = areas_part(connection)["areas"]
        header, arrays = unpack(streets_part(connection, "toy"))

    assert (area["as_of_month"], area["as_of_day"]) == ("2021-06", str(LAST))
    assert (header["area"]["west_m"], header["area"]["south_m"]) == (630000, 4830000)
    assert arrays["xy"].min(axis=0) == pytest.approx((0, 3000), abs=0.01)


def test_forecasts_of_earlier_days_and_other_areas_change_nothing(published_streets, tmp_path):
    others = (
        "insert into segment_forecast select * replace (as_of_day - 1 as as_of_day, "
        "target_day - 1 as target_day, 9 as expected_count) from segment_forecast",
        "insert into street_release select * replace (as_of_day - 1 as as_of_day, "
        "false as is_latest, 'ewma' as champion) from street_release",
        *in_another_area("segment", "segment_day", "segment_forecast", "street_release"),
    )
    with changed_release(published_streets, tmp_path) as connection:
        before = streets_part(connection, "town")
    with changed_release(published_streets, tmp_path, *others) as connection:
        after = streets_part(connection, "town")

    assert after == before


def test_the_last_60_days_are_the_record_with_its_zeros(release, part):
    header, arrays = part

    n_segments = len(header["segment_ids"])
    assert header["days"] == DAYS
    assert arrays["count"].shape == (1, 60, n_segments)
    assert arrays["count"].ravel().tolist() == [n for (n,) in asked(release, RECORDED)]


def test_totals_are_those_of_all_days(release, part):
    _, arrays = part

    totals = asked(
        release,
        "select coalesce(sum(d.count), 0)::int from segment s left join segment_day d "
        "using (segment_id) group by s.segment_id order by s.segment_id",
    )
    assert arrays["total"].dtype == np.uint32
    assert arrays["total"][0].tolist() == [total for (total,) in totals]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("expected", "expected_count"),
        ("p025", "p025"),
        ("p05", "p05"),
        ("p95", "p95"),
        ("p975", "p975"),
        ("risk_rank", "risk_rank"),
    ],
)
def test_the_champions_forecast_is_the_published_one(release, part, name, column):
    header, arrays = part

    published = forecast(release, header["release"]["champion"], column)

    assert arrays[name].shape == (1, 7, len(header["segment_ids"]))
    assert arrays[name].ravel().tolist() == published


def test_the_baselines_and_the_networks_forecasts_stand_beside_it(release, part):
    header, arrays = part

    baseline = forecast(release, "long_run_frequency", "expected_count")
    others = [forecast(release, name, "expected_count") for name in header["other_models"]]

    assert arrays["baseline_expected"].ravel().tolist() == baseline
    assert arrays["other_expected"].reshape(len(others), -1).tolist() == others
    assert header["other_models"] == ["gldnet"]


def test_the_header_names_the_release_and_its_models(release, part):
    header, _ = part

    told = header["release"]
    row = asked(
        release,
        "select champion, champion_reason, deviance_skill, hit_rate_20 from street_release",
    )[0]
    names = ("champion", "champion_reason", "deviance_skill", "hit_rate_20")
    assert tuple(told[name] for name in names) == row
    assert (told["as_of_day"], told["baseline"]) == (str(LAST), "long_run_frequency")
    assert header["groups"] == [{"name": "violent", "title": "violent"}]
    assert header["forecast_days"] == [str(LAST + lead) for lead in range(1, 8)]
    ranked = asked(
        release,
        "select model from street_leaderboard where model in (select model from segment_forecast) "
        "order by rank",
    )
    assert [model["name"] for model in header["models"]] == [name for (name,) in ranked]
    assert [m["name"] for m in header["models"] if m["is_champion"]] == [told["champion"]]
    assert [m["name"] for m in header["models"] if m["is_baseline"]] == ["long_run_frequency"]


def test_with_no_third_model_there_is_no_other_forecast(published_streets, tmp_path):
    alone = "delete from segment_forecast where model = 'gldnet'"
    with changed_release(published_streets, tmp_path, alone) as connection:
        header, arrays = unpack(streets_part(connection, "town"))

    assert "other_models" not in header
    assert "other_expected" not in arrays


def test_a_short_record_has_fewer_days(published_streets, tmp_path):
    short = f"delete from segment_day where day < date '{LAST - 9}'"
    with changed_release(published_streets, tmp_path, short) as connection:
        first = asked(connection, "select min(day)::varchar from segment_day")[0][0]
        header, arrays = unpack(streets_part(connection, "town"))

    assert header["days"][0] == first
    assert header["days"][-1] == str(LAST)
    assert arrays["count"].shape[1] == len(header["days"]) <= 10


def test_an_area_without_toml_is_drawn_in_its_utm_zone_from_its_own_corner(
    published_streets, tmp_path
):
    gone = ("delete from study_area", "delete from offence_group")
    with changed_release(published_streets, tmp_path, *gone) as connection:
        header, arrays = unpack(streets_part(connection, "town"))

    assert header["area"]["crs"] == "EPSG:32617"
    assert header["area"]["west_m"] == pytest.approx(630000, abs=2)
    assert arrays["xy"].min(axis=0) == pytest.approx(0)
    assert header["groups"] == [{"name": "violent", "title": "violent"}]


def test_places_have_a_vertex_each_and_no_length(published_streets, tmp_path):
    places = (
        "update segment set kind = 'place', length_m = null, "
        "geometry_wkb = (select any_value(geometry_wkb) from segment)",
    )
    point = shapely.to_wkb(shapely.Point(-79.38, 43.64)).hex()
    places += (f"update segment set geometry_wkb = from_hex('{point}')",)
    with changed_release(published_streets, tmp_path, *places) as connection:
        header, arrays = unpack(streets_part(connection, "town"))

    assert header["kind"] == "place"
    assert arrays["start"].tolist() == list(range(len(header["segment_ids"]) + 1))
    assert np.isnan(arrays["length_m"]).all()
    assert arrays["lonlat"].tolist() == [[-79.38, 43.64]] * len(header["segment_ids"])


def test_an_area_without_streets_is_refused(release):
    with pytest.raises(PartError, match=r"no daily forecasts of streets .* 'moon'; .* of town$"):
        streets_part(release, "moon")


def test_an_area_with_streets_alone_has_no_cells(release):
    with pytest.raises(PartError, match=r"no monthly forecasts of an area 'town'; .* of none"):
        cells_part(release, "town")


def test_a_street_forecast_with_a_hole_is_refused(published_streets, tmp_path):
    hole = (
        "delete from segment_forecast where model = 'long_run_frequency' and lead = 1 "
        "and segment_id = (select min(segment_id) from segment)"
    )
    with (
        changed_release(published_streets, tmp_path, hole) as connection,
        pytest.raises(PartError, match=r"forecast of long_run_frequency for town has .* of the"),
    ):
        streets_part(connection, "town")


def test_a_day_of_an_unknown_segment_is_refused(published_streets, tmp_path):
    stray = "update segment_day set segment_id = 'x0y0'"
    with (
        changed_release(published_streets, tmp_path, stray) as connection,
        pytest.raises(PartError, match="rows of segment_day for town name another offence_group"),
    ):
        streets_part(connection, "town")
