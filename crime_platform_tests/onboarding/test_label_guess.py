"""Labels of real publishers are sorted by how an incident came to be recorded."""

import csv

import pytest

from crime_platform.onboarding.guesses.label_guess import kind_of, plan_labels, stop_columns
from crime_platform.onboarding.guesses.label_words import folded
from crime_platform.sources.label_spelling import spelling_key
from toys.paths import REPOSITORY

FIXTURE = REPOSITORY / "crime_platform_tests" / "fixtures" / "labels_of_publishers.csv"
with FIXTURE.open(encoding="utf-8") as lines:
    # Boston, Washington, New York, Chicago, Los Angeles, San Francisco, Philadelphia, Vancouver,
    # London, police.uk, NIBRS, Mexico City, Colombia, Sao Paulo, Rio, France, Berlin and Italy.
    LABELS = [(row["kind"], row["label"]) for row in csv.DictReader(lines)]


@pytest.mark.parametrize(("kind", "label"), LABELS)
def test_a_label_says_how_it_came_to_be_recorded(kind, label):
    assert kind_of(label) == kind


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("Unwanted guest", "none"),
        ("FOLLOW UP", "none"),
        ("WIRES DOWN", "none"),
        ("BtM-Delikt", "police"),
        ("Knocked down and robbed", "harm"),
        ("Guest robbed", "harm"),
    ],
)
def test_a_word_counts_beside_its_neighbours(label, kind):
    assert kind_of(label) == kind


def test_case_and_accents_do_not_matter():
    assert kind_of("trafico de ENTORPECENTES") == kind_of("Tráfico de entorpecentes") == "police"
    assert folded("Straße, İstanbul") == "strasse, istanbul"


@pytest.mark.parametrize(
    ("label", "group"),
    [
        ("NARCOTICS", "police_discovered"),
        ("Possession of weapons", "police_discovered"),
        ("Towed Vehicle", "no_offence"),
        ("Robbery", "types"),
        ("Theft of car", "rare"),
    ],
)
def test_a_label_comes_to_the_group_of_its_kind(label, group):
    plan = plan_labels([("Burglary", 1000), (label, 5 if group == "rare" else 500)])

    assert label in [found for found, _ in getattr(plan, group)]


def test_at_most_eight_labels_become_types():
    plan = plan_labels([(f"kind {n}", 100) for n in range(10)])

    assert [label for label, _ in plan.beyond] == ["kind 8", "kind 9"]
    assert plan.rare == []


def test_codes_of_the_fbi_are_known():
    plan = plan_labels([("13a", 9), ("23F", 8), ("220", 7), ("35A", 6), ("520", 5), ("90I", 4)])

    assert [label for label, _ in plan.types] == ["13a", "23F", "220"]
    assert [label for label, _ in plan.police_discovered] == ["35A", "520"]
    assert [label for label, _ in plan.no_offence] == ["90I"]


def test_numbers_alone_are_no_codes_of_the_fbi():
    plan = plan_labels([("220", 7), ("520", 5)])

    assert [label for label, _ in plan.types] == ["220", "520"]


def test_columns_of_stops_are_known():
    assert stop_columns(["Type", "Object of search", "Legislation"]) == ["Object of search"]
    assert stop_columns(["frisked", "SEARCH_CONDUCTED", "date"]) == ["frisked", "SEARCH_CONDUCTED"]
    assert stop_columns(["offence", "Search area", "Bus stop"]) == []


def test_many_labels_are_grouped_by_their_first_word():
    one_each = [(f"Kind{n} of harm", 1) for n in range(23)]
    larcenies = [("LARCENY SHOPLIFTING", 90), ("Larceny - from building", 60)]
    drugs = [("LARCENY TOOLS, POSSESSION", 7)]

    plan = plan_labels([*larcenies, *drugs, *one_each])

    assert plan.types[0] == ("LARCENY", 150)
    assert plan.members == {"LARCENY": larcenies}
    assert plan.police_discovered == drugs
    assert plan.rare == one_each


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        (["0142 BURGLARY - GARAGE", "0143 Burglary - home"], "BURGLARY"),
        (["13A-Assault, knife", "13B-Assault, gun"], "ASSAULT"),
        (["MOTOR VEHICLE  THEFT, CAR", "MOTOR VEHICLE THEFT, TRUCK"], "MOTOR VEHICLE THEFT"),
        (["5.1 Grand larceny: bank", "5.2 GRAND LARCENY: MAIL"], "GRAND LARCENY"),
    ],
)
def test_a_code_or_a_weak_word_before_the_first_telling_one_does_not_hide_it(labels, name):
    one_each = [(f"Kind{n} of harm", 1) for n in range(23)]

    plan = plan_labels([*[(label, 50) for label in labels], *one_each])

    assert plan.members == {name: [(label, 50) for label in labels]}


def test_a_first_word_that_tells_nothing_makes_no_group():
    labels = [(f"OTHER PART {n}", 10) for n in range(30)]

    assert plan_labels(labels).members == {}


def test_groups_that_become_no_type_are_listed_label_by_label():
    kinds = [(f"KIND{n // 2:02d}X {n}", 100 - n) for n in range(30)]

    plan = plan_labels(kinds)

    assert len(plan.types) == 8
    assert plan.beyond == kinds[16:]


@pytest.mark.parametrize(
    "other",
    [
        "LESION DOLOSA",
        "Lesión  dolosa",
        "Lesio\u0301n dolosa",
        "Lesión\u00a0dolosa",
        "lesión-dolosa",
        "LESION_DOLOSA.",
    ],
)
def test_spellings_of_one_label_make_one_type(other):
    plan = plan_labels([("Lesión dolosa", 50), ("Robo", 40), (other, 30)])

    assert plan.types == [("Lesión dolosa", 80), ("Robo", 40)]
    assert plan.members == {"Lesión dolosa": [("Lesión dolosa", 50), (other, 30)]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straßenraub", "STRASSENRAUB"),
        ("Körperverletzung", "KOERPERVERLETZUNG"),
        ("Break-in", "BREAK IN"),
        ("Włamanie", "WLAMANIE"),
    ],
)
def test_letters_of_other_keyboards_are_the_same_letters(one, other):
    assert spelling_key(one) == spelling_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Theft < $500", "Theft > $500"), ("1.1 Theft", "11 Theft"), ("抢劫", "强劫"), ("か", "が")],
)
def test_labels_that_differ_in_more_than_spelling_stay_apart(one, other):
    assert len(plan_labels([(one, 50), (other, 30)]).types) == 2


def test_spellings_of_an_ignored_label_are_all_listed():
    plan = plan_labels([("Robo", 900), ("Tráfico de drogas", 5), ("TRAFICO DE DROGAS", 4)])

    assert plan.police_discovered == [("Tráfico de drogas", 5), ("TRAFICO DE DROGAS", 4)]


def test_spellings_do_not_hinder_a_group_of_first_words():
    one_each = [(f"Kind{n} of harm", 1) for n in range(23)]
    thefts = [("Röbery of a bank", 90), ("ROBERY  OF A BANK", 60), ("RÖBERY OF A HOUSE", 50)]

    plan = plan_labels([*thefts, *one_each])

    assert plan.types[0] == ("RÖBERY", 200)
    assert plan.members == {"RÖBERY": thefts}
