"""Names of columns in six languages, as publishers write them."""

import pytest

from crime_platform.onboarding.guesses.column_names import (
    is_later,
    is_reported,
    name_rank,
    speaks_of_no_offence,
    words_of,
)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("OccurDate", "occur date"),
        ("XCoord", "x coord"),
        ("año_hecho", "ano hecho"),
        ("Straße", "strasse"),
        ("geometry.x", "geometry x"),
    ],
)
def test_names_are_compared_as_small_words_without_accents(name, words):
    assert words_of(name) == words


@pytest.mark.parametrize(
    "name",
    [
        *("CMPLNT_FR_DT", "OCC_DATE", "DATE_OCC", "occurred_on", "incident_datetime"),
        *("FECHA_HECHO", "fecha_ocurrencia", "DATAOCORRENCIA", "data_do_fato"),
        *("date_des_faits", "TATZEIT_ANFANG_DATUM", "data_reato", "Date of Offense"),
    ],
)
def test_the_moment_of_the_incident_has_a_telling_name(name):
    assert name_rank("occurred_at", name) == 0


@pytest.mark.parametrize(
    "name",
    [
        *("Date Rptd", "reportdatetime", "BO_INICIADO", "FechaDenuncia", "ANGELEGT_AM"),
        *("date_plainte", "data_registro", "data_querela", "received_date", "CALL_DATE"),
    ],
)
def test_the_moment_of_the_report_does_not(name):
    assert is_reported(name)
    assert name_rank("occurred_at", name) > name_rank("occurred_at", "fecha")


@pytest.mark.parametrize(
    "name", ["CMPLNT_TO_DT", "Updated", "EndDate", "TATZEIT_ENDE_DATUM", "date_closed", "data_fim"]
)
def test_what_came_later_is_told_by_its_name(name):
    assert is_later(name)


@pytest.mark.parametrize(
    "name",
    [
        *("offense", "OFNS_DESC", "Crime Type", "Primary Type", "delito", "tipo_delito", "RUBRICA"),
        *("infraction", "Delikt", "Straftat", "reato", "tipo", "Crm Cd Desc", "NIBRSDescription"),
        *("incident_type_primary", "nature", "categoria"),
    ],
)
def test_offences_are_known_by_name(name):
    assert name_rank("offence", name) is not None


@pytest.mark.parametrize(
    "name",
    [
        *("location_category", "weapon_desc", "premises_type", "case_status", "victim_type"),
        *("offense_id", "Offense Count", "shift", "barrio", "Stadtteil", "arrondissement"),
        *("method", "day_of_week", "disposition_desc", "offense_location"),
        *("Número de delitos", "Anzahl Delikte", "cantidad de delitos"),
    ],
)
def test_what_is_no_offence_is_not_taken_for_one(name):
    assert speaks_of_no_offence(name)
    assert name_rank("offence", name) is None


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("x", "XCoord"),
        ("y", "YCoord"),
        ("x", "Rechtswert"),
        ("y", "Hochwert"),
        ("x", "X_L93"),
        ("x", "coord_este"),
        ("lon", "Längengrad"),
        ("lat", "Breitengrad"),
        ("lon", "longitud"),
        ("lat", "latitudine"),
        ("hour", "TATZEIT_ANFANG_STUNDE"),
        ("hour", "HORAOCORRENCIA"),
        ("hour", "heure"),
        ("hour", "ora"),
        ("premises", "DESCR_TIPO_LOCAL"),
        ("premises", "tipo_de_lugar"),
    ],
)
def test_places_and_hours_are_known_by_name(key, name):
    assert name_rank(key, name) is not None


@pytest.mark.parametrize(
    "name", ["Response_Time(min)", "travel time minutes", "duracion", "tempo_resposta", "Dauer"]
)
def test_durations_are_no_hours(name):
    assert name_rank("hour", name) is None


@pytest.mark.parametrize(
    "name",
    [
        *("Count", "incident_count", "Number of offences", "# of crimes", "Freq", "Frequency"),
        *("n", "No. of cases", "total", "Total incidents", "recorded offences", "qty"),
        *("Cantidad", "casos", "Número de delitos", "Total de hechos", "frecuencia", "conteo"),
        *("Quantidade", "Qtde", "Número de ocorrências", "nº de registros", "contagem"),
        *("Nombre de faits", "nb_faits", "Nombre", "faits constatés", "Effectif", "fréquence"),
        *("Anzahl", "Anz. Delikte", "Fälle", "Fallzahl", "erfasste Faelle", "Häufigkeit", "Summe"),
        *("Numero di reati", "n_reati", "quantità", "casi", "conteggio", "Totale delitti"),
    ],
)
def test_counts_of_incidents_are_known_by_name(name):
    assert name_rank("count", name) is not None


@pytest.mark.parametrize(
    "name",
    [
        *("County", "COUNTY_CODE", "Country", "Account number", "Discounted", "case number", "No"),
        *("numero de expediente", "Nummer", "delito", "numéro de dossier", "Totenkopf", "Caso"),
        *("incidents id", "events code", "reati tipo"),
    ],
)
def test_what_only_looks_like_a_count_is_none(name):
    assert name_rank("count", name) is None
