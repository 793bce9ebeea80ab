"""What the header of part `cells` says of the release, its models and its axes."""

import json

import numpy as np
import pytest

from crime_platform.dashboard.data.binary_format import unpack
from crime_platform.dashboard.data.cells import cells_part
from crime_platform.publication.release import open_release
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.projection import WGS84, project
from toys.release import asked, changed_release


@pytest.fixture
def published(published_once):
    """The toy city's home, which no test here changes."""
    return PlatformHome(published_once)


@pytest.fixture
def release(published):
    with open_release(published) as connection:
        yield connection


@pytest.fixture
def part(release):
    """Header and arrays of part `cells`."""
    return unpack(cells_part(release, "toy"))


def test_the_header_names_the_release_and_its_skill(release, part, published):
    header, _ = part

    row = asked(
        release,
        "select champion, champion_reason, r.deviance_skill, last_month_note, k.best_baseline, "
        "k.deviance_skill_low, k.deviance_skill_high from release r join model_skill k "
        "using (study_area, as_of_month) where k.model = r.champion and k.lead = 1 and "
        "k.cell_set = 'ever_active'",
    )[0]

    told = header["release"]
    names = ("champion", "champion_reason", "deviance_skill", "last_month_note", "best_baseline")
    ends = ("deviance_skill_low", "deviance_skill_high")
    assert tuple(told[name] for name in (*names, *ends)) == row
    assert told["as_of_month"] == "2021-06"
    assert told["baseline"] == "historical_average"
    assert told["key"] == published.forecasts.resolve().stem.removeprefix("forecasts-")
    seconds = asked(release, "select floor(epoch(published_at)) from release")[0][0]
    assert np.datetime64(told["published_at"].removesuffix("Z")) == np.datetime64(int(seconds), "s")


def test_the_header_says_what_the_axes_stand_for(release, part):
    header, _ = part

    months = [str(np.datetime64("2019-01") + n) for n in range(30)]
    assert header["months"] == months
    assert header["is_complete"] == [True] * 30
    assert header["forecast_months"] == ["2021-07", "2021-08", "2021-09"]
    assert header["backtest_months"] == months[-6:]
    assert header["types"] == [
        {"name": "assault", "title": "Assault"},
        {"name": "robbery", "title": "Robbery"},
    ]
    largest = asked(
        release, "select max(count) from cell_month group by offence_type order by offence_type"
    )
    assert header["count_max"] == [each for (each,) in largest]
    assert header["interval"] == {"80": ["p10", "p90"], "95": ["p025", "p975"]}


def test_models_are_listed_by_rank(release, part):
    header, _ = part

    ranked = asked(
        release,
        "select model, is_champion, rank from leaderboard where rank is not null order by rank",
    )

    models = header["models"]
    assert [(m["name"], m["is_champion"], m["rank"]) for m in models] == ranked
    assert [m["name"] for m in models if m["is_baseline"]] == ["historical_average"]
    assert header["backtest_models"] == [
        model for (model,) in asked(release, "select model from leaderboard order by rank")
    ]
    assert header["share_models"] == [
        model for (model,) in asked(release, "select distinct model from fusion_weight order by 1")
    ]


def test_the_header_says_where_the_grid_lies(part):
    header, _ = part

    area = dict(header["area"])
    lon, lat = area.pop("center")
    assert area == {
        "name": "toy",
        "title": "Toy city",
        "crs": "EPSG:26917",
        "cell_size_m": 500,
        "west_m": 630000,
        "south_m": 4830000,
        "n_rows": 6,
        "n_cols": 5,
        "is_simulated": False,
    }
    x_m, y_m = project(np.array([lon]), np.array([lat]), source=WGS84, target="EPSG:26917")
    assert (x_m[0], y_m[0]) == pytest.approx((631250, 4831500), abs=0.001)


def test_every_header_is_strict_json(release):
    packed = cells_part(release, "toy")

    length = int.from_bytes(packed[4:8], "little")

    json.loads(packed[8 : 8 + length], parse_constant=pytest.fail)


def test_a_month_is_complete_when_all_its_types_are(published, tmp_path):
    partly = (
        "update month_count set is_complete = false "
        "where month = '2021-06-01' and offence_type = 'robbery'"
    )
    with changed_release(published, tmp_path, partly) as connection:
        header, _ = unpack(cells_part(connection, "toy"))

    assert header["is_complete"] == [True] * 29 + [False]


def test_a_skill_that_is_not_known_is_null(published, tmp_path):
    unknown = ("update release set deviance_skill = 'nan'", "delete from model_skill")
    with changed_release(published, tmp_path, *unknown) as connection:
        header, _ = unpack(cells_part(connection, "toy"))

    assert header["release"]["deviance_skill"] is None
    assert header["release"]["best_baseline"] is None
    assert header["release"]["deviance_skill_low"] is None


def test_the_header_tells_the_policys_skill_apart(release, part):
    told = part[0]["release"]

    judged = asked(
        release,
        "select r.policy_deviance_skill, k.deviance_skill, k.deviance_skill_low from release r "
        "join model_skill k using (study_area, as_of_month) where k.model = 'policy' "
        "and k.lead = 1 and k.cell_set = 'ever_active'",
    )[0]

    assert told["policy_deviance_skill"] == judged[0] == pytest.approx(judged[1])
    assert told["policy_deviance_skill_low"] == judged[2]


def test_without_a_policy_the_champions_own_skill_is_told(published, tmp_path):
    plain = "delete from model_skill where model = 'policy'"
    with changed_release(published, tmp_path, plain) as connection:
        header, _ = unpack(cells_part(connection, "toy"))
        own = asked(
            connection,
            "select deviance_skill_low from model_skill where model = $1 and lead = 1 "
            "and cell_set = 'ever_active'",
            header["release"]["champion"],
        )

    assert header["release"]["deviance_skill_low"] == own[0][0]
