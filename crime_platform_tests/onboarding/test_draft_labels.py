"""Labels become offence types, or stand among those ignored with the reason."""

import pytest

from crime_platform.study_area.parts import StudyAreaError
from toys.small_town import invented


def test_accents_are_folded_in_names_and_kept_in_titles(draft):
    labels = {"Einbruch": "Robo a transeúnte", "Diebstahl im Café": "Lesión dolosa", "Raub": "Daño"}
    text = invented().replace("RAUB", "Daño")
    for old, new in labels.items():
        text = text.replace(old, new)

    _, area = draft(text)

    assert set(area.offence_names) == {"robo_a_transeunte", "lesion_dolosa", "dano"}
    assert {kind.title for kind in area.offence_types} == set(labels.values())


def test_spellings_of_a_label_and_of_premises_make_one_type_each(draft):
    rows = [
        f"2019-{month:02d}-{day:02d},{what},{where},7.1{day},50.7{day}"
        for month in range(1, 13)
        for day in range(1, 29)
        for what, where in [("Lesión dolosa", "Calle"), ("LESION  DOLOSA\u00a0", "CALLÉ")]
    ]

    text, area = draft("\n".join(["date,offence,tipo_de_lugar,lon,lat", *rows]))

    assert area.offence_names == ("lesion_dolosa",)
    assert [kind.name for kind in area.premises_types] == ["calle"]
    assert "labels = [ # 2 spellings of " in text


def test_labels_beyond_the_eighth_are_not_called_rare(draft):
    rows = [
        f"2019-{month:02d}-{day:02d},Theft {letter},7.1{day % 3},50.7{day % 5}"
        for month in range(1, 13)
        for day in range(1, 29)
        for letter in "ABCDEFGHIJ"
    ]

    text, _ = draft("\n".join(["date,offence,lon,lat", *rows, "2019-01-01,Fraud,7.1,50.7"]))

    assert "# beyond the 8 most frequent: write a type for each that you want\n" in text
    assert '"Theft I", # 336 rows\n    "Theft J", # 336 rows\n    # under 1% of the rows' in text
    assert '"Fraud", # 1 rows' in text


def test_a_file_of_stops_and_searches_is_refused(draft):
    header = "Type,Date,Object of search,Legislation,Latitude,Longitude,Outcome"
    rows = [f"Person search,2021-{n % 12 + 1:02d}-01,Drugs,Law,50.7,7.1,No" for n in range(40)]

    with pytest.raises(StudyAreaError, match="holds stops and searches") as refusal:
        draft("\n".join([header, *rows]))

    assert "(column 'Object of search')" in str(refusal.value)


def test_a_file_of_what_police_find_alone_is_refused(draft):
    rows = [
        f"2021-{n % 12 + 1:02d}-03,{('Drugs', 'Arrest')[n % 2]},7.1{n % 9},50.7{n % 7}"
        for n in range(40)
    ]

    with pytest.raises(StudyAreaError, match="no label in column 'offence' names harm") as refusal:
        draft("\n".join(["date,offence,lon,lat", *rows]))

    assert "found because police looked: Arrest 20, Drugs 20; no offences: none" in str(
        refusal.value
    )


def test_the_labels_of_a_group_stand_in_one_type(draft):
    labels = [f"Theft of {thing}" for thing in "abcdefghijklmnopqrstuvwxyz"]
    rows = [
        f"2019-{month:02d}-{day:02d},{label},7.1{day % 3},50.7{day % 5}"
        for month in range(1, 13)
        for day in (1, 15, 28)
        for label in labels
    ]

    text, area = draft("\n".join(["date,offence,lon,lat", *rows]))

    (theft,) = area.offence_types
    assert (theft.name, theft.title, list(theft.labels)) == ("theft", "Theft", labels)
    assert "labels = [ # 26 that begin with THEFT, 936 rows\n" in text
