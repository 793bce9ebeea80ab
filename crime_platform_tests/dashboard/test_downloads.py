import csv
import io
import json

import duckdb
import geopandas
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from crime_platform.dashboard.data.part_error import PartError
from crime_platform.dashboard.downloads.formats import csv_bytes, geojson_bytes, write_geoparquet
from crime_platform.dashboard.downloads.rows import backtest_table, cells_table, streets_table

N_CELLS, N_SEGMENTS = 30, 40


@pytest.fixture
def ahead(toy):
    return cells_table(toy, area="toy", offence_type="robbery")


def values(connection, query):
    return connection.execute(query).fetchall()


def rows_of(shown, names):
    return [tuple(row[name] for name in names.split(", ")) for row in shown.rows.to_pylist()]


def test_a_recorded_month_is_counts_with_its_zeros(toy):
    shown = cells_table(toy, area="toy", offence_type="assault", month="2020-05")

    told = values(
        toy,
        "select c.cell_id, c.row, c.col, c.lon, c.lat, coalesce(a.count, 0) from cell c "
        "left join cell_month a on a.cell_id = c.cell_id and a.month = date '2020-05-01' "
        "and a.offence_type = 'assault' order by c.row, c.col",
    )

    assert rows_of(shown, "cell_id, row, col, lon, lat, count") == told
    assert len(told) == N_CELLS
    assert min(count for *_, count in told) == 0
    assert set(rows_of(shown, "study_area, offence_type, kind, model, is_complete")) == {
        ("toy", "assault", "recorded", None, True)
    }
    assert "interval" not in shown.about
    assert "model" not in shown.about


def test_counts_of_all_types_conserve_the_incidents(toy):
    shown = cells_table(toy, area="toy", month="2021-06")

    total = sum(count for (count,) in rows_of(shown, "count"))

    assert len(shown.rows) == 2 * N_CELLS
    assert [(total,)] == values(
        toy, "select sum(count - n_ungeocoded) from month_count where month = date '2021-06-01'"
    )


def test_a_month_ahead_is_the_champion_beside_the_baseline(toy, ahead):
    names = (
        "cell_id, expected_count, p025, p10, p50, p90, p975, probability_any, "
        "historical_average_count"
    )

    told = values(
        toy,
        f"select {names} from forecast_latest join cell using (study_area, cell_id) "
        "where is_champion and lead = 1 and offence_type = 'robbery' order by row, col",
    )

    assert rows_of(ahead, names) == told
    assert len(told) == N_CELLS
    assert ahead.about == {
        "study_area": "toy",
        "title": "Toy city",
        "is_simulated": False,
        "as_of_month": "2021-06",
        "month": "2021-07",
        "kind": "forecast",
        "offence_types": ["robbery"],
        "n_rows": N_CELLS,
        "crs": "WGS 84 (EPSG:4326)",
        "sources": [{"source": "toy_police", "publisher": None, "licence": None, "url": None}],
        "note": ahead.about["note"],
        "expires_at": "2021-10-01T04:00:00+00:00",
        "expiry": ahead.about["expiry"],
        "model": "rolling_mean_6",
        "model_title": "Mean of 6 months",
        "is_champion": True,
        "baseline": "historical_average",
        "interval": {"80": ["p10", "p90"], "95": ["p025", "p975"]},
    }
    assert ahead.about["note"].startswith("The data are recorded incidents")
    assert ahead.about["expiry"].startswith("The monthly forecast expired on 1 October 2021")
    assert {str(day) for (day,) in rows_of(ahead, "expires_on")} == {"2021-10-01"}


def test_another_model_and_month_can_be_chosen(toy):
    shown = cells_table(toy, area="toy", offence_type="assault", model="lightgbm", month="2021-09")

    told = values(
        toy,
        "select expected_count from forecast_latest join cell using (study_area, cell_id) "
        "where model = 'lightgbm' and lead = 3 and offence_type = 'assault' order by row, col",
    )

    assert rows_of(shown, "expected_count") == told
    assert set(rows_of(shown, "model, is_champion, lead")) == {("lightgbm", False, 3)}


def test_the_backtest_is_what_was_expected_and_what_came(toy):
    shown = backtest_table(toy, area="toy", offence_type="assault", month="2021-02")

    told = values(
        toy,
        "select f.cell_id, f.expected_count, f.count, f.expected_count - f.count, b.expected_count "
        "from forecast_vs_actual f join cell c using (study_area, cell_id) "
        "join backtest_forecast b on b.cell_id = f.cell_id and b.target_month = f.target_month "
        "and b.offence_type = f.offence_type and b.model = 'historical_average' "
        "where f.is_backtest and f.model = 'rolling_mean_6' and f.offence_type = 'assault' "
        "and f.target_month = date '2021-02-01' order by c.row, c.col",
    )

    names = "cell_id, expected_count, count, error, historical_average_count"
    assert rows_of(shown, names) == told
    assert len(told) == N_CELLS
    assert {str(month) for (month,) in rows_of(shown, "origin_month")} == {"2021-01-01"}


def test_the_newest_tested_month_of_the_policy_by_default(toy):
    shown = backtest_table(toy, area="toy", model="policy")

    assert shown.about["month"] == "2021-06"
    assert shown.about["kind"] == "backtest"
    assert len(shown.rows) == 2 * N_CELLS


def test_a_day_ahead_on_streets_is_the_champion_beside_the_baseline(town):
    shown = streets_table(town, area="town")

    names = (
        "segment_id, expected_count, expected_per_km, p025, p05, p95, p975, probability_any, "
        "risk_rank, long_run_count, length_m"
    )
    assert rows_of(shown, names) == values(
        town, f"select {names} from street_forecast_latest where lead = 1 order by segment_id"
    )
    assert len(shown.rows) == N_SEGMENTS
    assert shown.about["day"] == "2021-03-01"
    assert shown.about["interval"] == {"90": ["p05", "p95"], "95": ["p025", "p975"]}
    assert shown.about["baseline"] == "long_run_frequency"


def test_a_recorded_day_on_streets_is_counts_with_its_zeros(town):
    shown = streets_table(town, area="town", offence_group="violent", day="2021-02-27")

    told = values(
        town,
        "select g.segment_id, coalesce(a.count, 0) from segment g left join segment_day a on "
        "a.segment_id = g.segment_id and a.day = date '2021-02-27' order by g.segment_id",
    )

    assert rows_of(shown, "segment_id, count") == told
    assert shown.about["kind"] == "recorded"


def test_a_day_without_incidents_is_all_zeros():
    with duckdb.connect() as connection:
        connection.execute("""
            create table street_release as select 'town' as study_area, 'Town' as title,
                date '2021-02-03' as as_of_day, 'ewma' as champion, true as is_latest;
            create table segment as select 'town' as study_area, 'x1y1' as segment_id,
                'place' as kind, 1.0 as lon, 2.0 as lat, null::double as length_m,
                true as is_ever_active, 'shape'::blob as geometry_wkb;
            create table segment_day as select 'town' as study_area, date '2021-02-01' as day,
                'x1y1' as segment_id, 'theft' as offence_group, 3 as count;
            create table segment_forecast as select 'town' as study_area,
                date '2021-02-03' as as_of_day, date '2021-02-04' as target_day,
                'ewma' as model, 'theft' as offence_group;
            create table data_quality as select 'town' as study_area, 'police' as source;
        """)

        shown = streets_table(connection, area="town", day="2021-02-02")

    assert rows_of(shown, "segment_id, count, length_m") == [("x1y1", 0, None)]


def test_csv_is_read_back_as_the_same_numbers(toy, ahead):
    lines = csv_bytes(ahead).decode().splitlines()

    read = list(csv.DictReader(lines))
    told = values(
        toy,
        "select expected_count, cell.lon from forecast_latest "
        "join cell using (study_area, cell_id) "
        "where is_champion and lead = 1 and offence_type = 'robbery' order by row, col",
    )
    expected, lon = zip(*told, strict=True)
    assert [np.float32(row["expected_count"]) for row in read] == [*np.float32(expected)]
    assert [float(row["lon"]) for row in read] == list(lon)
    assert list(read[0]) == ahead.rows.column_names
    assert "geometry_wkb" not in read[0]


def test_what_is_not_there_is_an_empty_field(toy):
    shown = cells_table(toy, area="toy", offence_type="assault", month="2020-05")

    read = pd.read_csv(io.BytesIO(csv_bytes(shown)))

    assert read["model"].isna().all()
    assert read["count"].tolist() == [count for (count,) in rows_of(shown, "count")]


def test_geojson_is_the_rows_with_their_squares(toy, ahead):
    read = json.loads(geojson_bytes(ahead))

    told = values(
        toy,
        "select cell_id, expected_count from forecast_latest join cell using (study_area, cell_id) "
        "where is_champion and lead = 1 and offence_type = 'robbery' order by row, col",
    )
    found = [
        (feature["properties"]["cell_id"], np.float32(feature["properties"]["expected_count"]))
        for feature in read["features"]
    ]
    assert read["type"] == "FeatureCollection"
    assert read["metadata"] == ahead.about
    assert found == [(cell_id, np.float32(expected)) for cell_id, expected in told]
    assert "crs" not in read  # RFC 7946: always WGS 84
    assert read["features"][0]["properties"]["month"] == "2021-07-01"
    assert list(read["features"][0]["properties"]) == ahead.rows.column_names


def test_rings_run_counter_clockwise_and_lie_within_a_centimetre(ahead):
    read = json.loads(geojson_bytes(ahead))

    shapes = shapely.from_geojson([json.dumps(f["geometry"]) for f in read["features"]])

    assert shapely.is_ccw(shapely.get_exterior_ring(shapes)).all()
    published = shapely.get_coordinates(shapely.from_wkb(ahead.shapes))
    rounded = shapely.get_coordinates(shapes)
    assert np.abs(np.sort(published, axis=0) - np.sort(rounded, axis=0)).max() <= 0.51e-7


def test_streets_are_lines_in_geojson(town):
    read = json.loads(geojson_bytes(streets_table(town, area="town")))

    assert {feature["geometry"]["type"] for feature in read["features"]} == {"LineString"}


def test_geoparquet_holds_the_rows_and_the_published_shapes(ahead, tmp_path):
    path = tmp_path / "robbery.parquet"

    write_geoparquet(ahead, path)

    read = geopandas.read_parquet(path)
    assert read.crs == "EPSG:4326"
    assert read.geometry.to_wkb().tolist() == list(ahead.shapes)
    assert read.drop(columns="geometry").to_dict("records") == ahead.rows.to_pylist()
    told = pq.read_metadata(path).metadata[b"crime_platform"]
    assert json.loads(told) == ahead.about


def test_sources_are_told_with_their_licence_where_the_release_knows_it():
    with duckdb.connect() as connection:
        connection.execute("""
            create table release as select 'toy' as study_area, 'Toy (simulated)' as title,
                date '2021-06-01' as as_of_month, 'ewma' as champion, true as is_latest;
            create table cell as select 'toy' as study_area, 'r000c000' as cell_id, 0 as row,
                0 as col, 1.0 as lon, 2.0 as lat, true as is_ever_active,
                'shape'::blob as geometry_wkb;
            create table cell_month as select 'toy' as study_area, date '2021-06-01' as month,
                'r000c000' as cell_id, 'theft' as offence_type, 3 as count;
            create table month_count as select 'toy' as study_area, date '2021-06-01' as month,
                'theft' as offence_type, true as is_complete;
            create table cell_forecast as select 'toy' as study_area,
                date '2021-06-01' as as_of_month, date '2021-07-01' as target_month,
                'ewma' as model;
            create table data_quality as select 'toy' as study_area, 'police' as source;
            create table source as select 'toy' as study_area, 'police' as source,
                'The police' as publisher, 'CC BY 4.0' as licence, null as url;
        """)

        shown = cells_table(connection, area="toy", month="2021-06")

    assert shown.about["sources"] == [
        {"source": "police", "publisher": "The police", "licence": "CC BY 4.0", "url": None}
    ]
    assert shown.about["is_simulated"] is True


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"area": "oz"}, r"no forecast by month of 'oz'; it holds those of \['toy'\]"),
        ({"offence_type": "arson"}, r"no offence type 'arson'; it has \['assault', 'robbery'\]"),
        ({"model": "oracle"}, r"cell_forecast of toy has no model 'oracle'; it has \['convlstm'"),
        ({"model": "policy"}, "has no model 'policy'"),
        ({"month": "June"}, "a month is written YYYY-MM, got 'June'"),
        (
            {"month": "2021-10"},
            "nothing of toy at 2021-10-01 for rolling_mean_6; it holds recorded from 2019-01-01 to "
            "2021-06-01; forecast from 2021-07-01 to 2021-09-01",
        ),
    ],
)
def test_what_the_release_does_not_hold_is_named(toy, choice, message):
    with pytest.raises(PartError, match=message):
        cells_table(toy, **{"area": "toy", **choice})


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"area": "oz"}, "no forecast by month of 'oz'"),
        ({"model": "oracle"}, "backtest_forecast of toy has no model 'oracle'"),
        ({"month": "2021-07"}, "it holds backtest from 2021-01-01 to 2021-06-01"),
    ],
)
def test_what_was_not_tested_is_named(toy, choice, message):
    with pytest.raises(PartError, match=message):
        backtest_table(toy, **{"area": "toy", **choice})


def test_a_backtest_without_a_complete_month_has_none_to_show(published):
    with duckdb.connect(str(published.forecasts.resolve())) as connection:
        connection.execute("update month_count set is_complete = false")

        with pytest.raises(PartError, match="no such forecast whose month is complete by now"):
            backtest_table(connection, area="toy")


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"area": "toy"}, r"no forecast by day on streets of 'toy'; it holds those of \['town'\]"),
        ({"offence_group": "arson"}, r"town has no offence group 'arson'; it has \['violent'\]"),
        ({"model": "oracle"}, "segment_forecast of town has no model 'oracle'"),
        ({"day": "2021-3-1"}, "a day is written YYYY-MM-DD, got '2021-3-1'"),
        (
            {"day": "2021-03-08"},
            "it holds recorded from 2019-01-01 to 2021-02-28; forecast from 2021-03-01 to "
            "2021-03-07",
        ),
    ],
)
def test_what_the_streets_do_not_hold_is_named(town, choice, message):
    with pytest.raises(PartError, match=message):
        streets_table(town, **{"area": "town", **choice})
