"""The report's findings and limits in words. Recorded crime; counts in places, never people."""

import math

import numpy as np

from crime_platform.reporting.facts import HIT_COVERAGE, Facts, SitedFacts
from crime_platform.reporting.figures.calibration import NOMINAL, TOLERANCE, calibration_by_group
from crime_platform.reporting.statements import MOVED, NO_CAUSE, RECORDED_ONLY
from crime_platform.reporting.words import (
    decimal,
    in_sentence,
    interval,
    listing,
    month_name,
    percent,
    signed_percent,
    whole,
)
from crime_platform.schema.policy import WHAT_IT_IS
from crime_platform.schema.values import ALL_RATES, POLICY
from crime_platform.vocabulary.timesteps import parse_month

PANDEMIC = ("2020-03", "2022-03")
NO_LEAD = 0.0005  # a gap that is written 0.0 %
SAME_RANKING = 0.01  # hit rates closer than a point are called alike


def verdict(facts: Facts) -> str:
    """Whether what the gate judges beats the historical average, in one sentence."""
    skill = facts.value("deviance_skill")
    low, high = facts.value("deviance_skill_low"), facts.value("deviance_skill_high")
    n_months = f"{len(facts.test_targets)} months"
    if facts.judged == POLICY:
        who = "The policy, which chooses its model anew at each month from earlier months alone,"
        when = f"over {n_months} it had not seen when it chose"
    else:
        who = facts.judged
        when = f"over {n_months}, the same that it was chosen on, which flatters it"
    if not math.isfinite(low):
        return (
            f"{who} has a skill of {signed_percent(skill)} over the historical average in mean "
            f"Poisson deviance {when}: too few months for an interval."
        )
    stated = f"95 % interval {interval(low, high)}"
    if low > 0:
        return (
            f"{who} beats the historical average by {percent(skill)} in mean Poisson deviance "
            f"({stated}) {when}."
        )
    if high < 0:
        return (
            f"{who} does worse than the historical average by {percent(-skill)} in mean Poisson "
            f"deviance ({stated} of the skill) {when}."
        )
    return (
        f"{who} cannot be told from the historical average: the skill in mean Poisson deviance is "
        f"{signed_percent(skill)} {when}, and its {stated} holds zero."
    )


def baseline_gap(facts: Facts) -> str:
    """How far what the gate judges is ahead of the best single baseline."""
    name = facts.best_baseline
    gap = facts.value("skill_over_best_baseline")
    low = facts.value("skill_over_best_baseline_low")
    high = facts.value("skill_over_best_baseline_high")
    if not math.isfinite(gap):
        return "Its lead over the best single baseline was not measured."
    own = signed_percent(facts.value("deviance_skill", name))
    start = f"The best single baseline is {name}, whose own skill is {own}."
    if abs(gap) < NO_LEAD:
        return f"{start} {_judged(facts)}'s deviance is no lower."
    stated = f"(95 % interval {interval(low, high)})" if math.isfinite(low) else "(no interval)"
    side = "below" if gap >= 0 else "above"
    end = f"{start} {_judged(facts)}'s deviance is {percent(abs(gap))} {side} it {stated}"
    if math.isfinite(low) and low <= 0 <= high:
        return f"{end}, a gap that chance alone can make."
    return f"{end}."


def _judged(facts: Facts) -> str:
    return "The policy" if facts.judged == POLICY else facts.judged


def subject(facts: SitedFacts) -> str:
    """What is forecast."""
    kinds = listing([in_sentence(title) for title in facts.offence_titles.values()])
    return (
        f"Counts of {kinds} per {facts.cell_size_m:g} m cell and month, {facts.horizon} months "
        "ahead. Recorded, not actual, crime; places, never people."
    )


def chosen(facts: Facts) -> str:
    """Which model makes the forecast, and why."""
    own = signed_percent(facts.value("deviance_skill", facts.champion))
    return (
        f"Model of this forecast, the champion: {facts.champion}. Its own skill over the "
        f"historical average is {own}. Why this model: {facts.reason}."
    )


def tested(facts: Facts) -> str:
    """What the scores are of."""
    return (
        f"One month ahead, {len(facts.test_targets)} test months, all offence types pooled, cells "
        "with any incident on record. Ratios of pooled sums; intervals by block bootstrap over "
        f"origins. {WHAT_IT_IS}"
    )


def noise(facts: Facts) -> str:
    """How much of the deviance is noise, and how much of the rest is taken away."""
    floor, closed = facts.noise_floor, facts.value("gap_closed")
    start = (
        f"Counts this small scatter even round a perfect rate. If the best model's rates were "
        f"exactly true, a mean deviance of {decimal(floor)} would remain"
    )
    if not math.isfinite(closed):
        return f"{start}; the historical average already lies below that, so no gap can be stated."
    return (
        f"{start}. {_judged(facts)} covers {percent(closed, 0)} of the way from the historical "
        "average down to that floor."
    )


def turns(facts: Facts) -> tuple[str, ...]:
    """Whether any model anticipates or lags when the city total turns."""
    table = facts.candidate.table("model_turn").set_index("model")
    lags = table["lag_months"].dropna()
    with_it = [str(name) for name, lag in lags.items() if lag == 0]
    late = [f"{name} (by {decimal(lag, 0)})" for name, lag in lags.items() if lag > 0]
    found = [
        "A forecast made a month ahead anticipates a turn if it moves with it, lag 0. These do: "
        f"{listing(with_it)}. These follow, by as many months: {listing(late)}."
    ]
    if {"st_resnet", "convlstm"} <= set(lags.index):
        found.append(
            "It is said that ST-ResNet anticipates such transitions and ConvLSTM lags by a month. "
            f"Measured here: a lag of {decimal(lags['st_resnet'], 0)} for st_resnet and of "
            f"{decimal(lags['convlstm'], 0)} for convlstm."
        )
    found.append(
        f"This rests on {int(table['n_turns'].max())} turns, those of the selection months "
        "included: too few to carry a general claim."
    )
    return tuple(found)


def switches(facts: Facts) -> str:
    """How often the policy changed its model over the tested months."""
    table = facts.candidate.table("champion_history")
    is_tested = ~table["is_selection"].eq(True)
    is_tested &= table["origin_month"].astype(str).str[:7] != str(facts.as_of)
    n_changes = int(table.loc[is_tested, "is_switch"].eq(True).sum())
    times = {0: "never changed its model", 1: "changed its model once"}.get(
        n_changes, f"changed its model {n_changes} times"
    )
    return (
        f"The policy {times} over {int(is_tested.sum())} tested origins. It changes only when the "
        "difference is more than noise."
    )


def calibration(facts: Facts) -> str:
    """In which rate groups the champion's intervals do not hold what they promise."""
    table = calibration_by_group(facts)
    wrong = []
    for level in NOMINAL:
        pit = [_group(name) for name in table.index[table[f"pit_{level}_is_off"]]]
        plain = [_group(name) for name in table.index[table[f"covered_{level}_is_off"]]]
        if pit:
            wrong.append(
                f"the PIT share inside the central {level} % is more than {TOLERANCE * 100:.0f} "
                f"points off nominal for {listing(pit)}"
            )
        if plain:
            wrong.append(f"plain coverage is below {level} % for {listing(plain)}")
    if not wrong:
        return (
            f"In every rate group the PIT shares inside the central 80 % and 95 % lie within "
            f"{TOLERANCE * 100:.0f} points of nominal, and plain coverage is never below nominal."
        )
    return f"The intervals do not hold everywhere: {'; '.join(wrong)}."


def _group(name: object) -> str:
    return "all rates together" if name == ALL_RATES else f"rates {name}"


def hot_spots(facts: Facts) -> str:
    """What flagging a fifth of the area catches."""
    best = facts.best_hit_rates()
    ours = facts.hit_rate(facts.champion, HIT_COVERAGE)
    theirs = facts.hit_rate(facts.best_baseline, HIT_COVERAGE)
    found = (
        f"The riskiest 20 % of the ever active area, by the champion's expected count, held "
        f"{percent(ours)} of the incidents recorded in the test months; by {facts.best_baseline} "
        f"it is {percent(theirs)}, and {percent(float(best[HIT_COVERAGE]))} is the most that any "
        "choice made afterwards could hold."
    )
    ahead = facts.value("skill_over_best_baseline", facts.champion)
    leads = ahead >= NO_LEAD  # False for NaN
    if abs(ours - theirs) >= SAME_RANKING or not leads:
        return found
    return (
        f"{found} Ranking places hardly tells the two apart: busy places stay busy, and what the "
        "champion adds lies in how many incidents it expects."
    )


def limits(facts: SitedFacts) -> tuple[str, ...]:
    """What the data cannot say."""
    months = facts.candidate.table("month_count")
    recorded, lost = int(months["count"].sum()), int(months["n_ungeocoded"].sum())
    return (
        RECORDED_ONLY,
        f"{MOVED} A {facts.cell_size_m:g} m cell is no address, and incidents near an edge can "
        "fall in the neighbour.",
        _revisions(facts),
        _ungeocoded(lost, recorded),
        NO_CAUSE,
    )


def _revisions(facts: Facts) -> str:
    told = facts.candidate.manifest
    n_origins, n_vintages = len(facts.test_targets), told.get("n_vintage_origins") or 0
    note = f" {told['last_month_note']}." if told.get("last_month_note") else ""
    return (
        "Records arrive late and are revised, so forecasts of the same month made from a later "
        f"vintage will differ.{note} Of the {n_origins} test origins, {n_vintages} were forecast "
        "from the counts as they were known then; the others saw those of today, which is a "
        "little more than anyone knew."
    )


def _ungeocoded(lost: int, recorded: int) -> str:
    if lost == 0:
        return f"All {whole(recorded)} recorded incidents came with usable coordinates."
    return (
        f"{whole(lost)} of {whole(recorded)} recorded incidents ({percent(lost / recorded, 2)}) "
        "have no usable coordinates: they count in the city's totals and in no cell."
    )


def police_discovered(titles: list[str]) -> str:
    """What the counts of these offence types follow."""
    return f"Counted where police looked, not where harm was reported: {listing(titles)}."


def failures(facts: SitedFacts) -> tuple[str, ...]:
    """Where the champion is known to do badly, from its own back-test."""
    worst_month, least = facts.weakest("target_month")
    found = [
        f"The champion's weakest test month is {month_name(parse_month(worst_month))}, with a "
        f"skill of {signed_percent(least)} over the historical average.",
        weakest_type(facts),
        "Over the test months it expected "
        f"{_bias(facts.value('bias_share', facts.champion))} were recorded.",
        "A sudden change of level (a new law, a closed station, a boundary moved) is learned only "
        "after it has happened.",
    ]
    first, last = (np.datetime64(month, "M") for month in PANDEMIC)
    if facts.first_month <= last and facts.as_of >= first:
        found.append(
            f"The pandemic months from {month_name(first)} stay in the training and test data: "
            "dropping them would make the past look calmer than it was. Skill over an average of "
            "all years is easier to have after such a break than in quiet times."
        )
    return tuple(found)


def weakest_type(facts: SitedFacts) -> str:
    """The offence type at which the champion does worst."""
    name, skill = facts.weakest("offence_type")
    return (
        f"The champion's weakest offence type is {in_sentence(facts.title_of(name))}, with a skill "
        f"of {signed_percent(skill)} over the historical average."
    )


def _bias(share: float) -> str:
    if not math.isfinite(share):
        return "a number of incidents that cannot be compared with how many"
    side = "more" if share >= 0 else "fewer"
    return f"{percent(abs(share))} {side} incidents than"
