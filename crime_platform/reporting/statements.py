"""What is said of every forecast, whatever its numbers: uses, limits, gate and intervals."""

from crime_platform.metrics.gate_rule import BIAS_LIMIT, LEVEL, MIN_INCIDENTS, MIN_ORIGINS
from crime_platform.reporting.words import percent

INTENDED_USES = (
    "Planning and evaluating prevention that helps places: lighting, street design, opening "
    "hours, victim support, repair.",
    "Telling whether a month's recorded count in a place was unusual, by its interval.",
    "Teaching and research: comparing forecasters on equal terms with every score recomputable.",
)
REFUSED_USES = (
    "Anything about a person: no suspicion, risk score, stop, search, arrest or sentence may rest "
    "on these numbers.",
    "Patrol orders or targets. More patrols record more incidents, and the next forecast would "
    "learn from its own effect.",
    "Pricing, letting or lending decisions about addresses or neighbourhoods.",
    "Statements about crime that was not recorded, or about why incidents happen.",
)
RECORDED_ONLY = (
    "The data are recorded incidents. What was never reported, or reported and not recorded, "
    "is in neither the counts nor the forecast, and the share differs by offence and place."
)
MOVED = "Publishers move locations to intersections, street centres or block faces before release."
NO_CAUSE = (
    "A forecast says what to expect if what drives recording stays broadly the same. It gives no "
    "cause, and a change of law, reporting channel or boundary breaks it."
)
GATE = (
    "Published only if the policy's mean Poisson deviance is lower than the historical average's, "
    f"with a {percent(LEVEL, 0)} interval clear of 0, and its RMSE not higher beyond its interval, "
    "one month ahead and over all months ahead; if its total is within "
    f"{percent(BIAS_LIMIT, 0)} of what was recorded, or the difference may be noise; if at least "
    f"{MIN_ORIGINS} months and {MIN_INCIDENTS} incidents were scored; and if the forecast totals "
    "are plausible beside recent months. If nothing beats the historical average, nothing is "
    "published."
)
INTERVALS = (
    "The 80 % interval runs from the 10 % to the 90 % quantile of the forecast count, the 95 % one "
    "from the 2.5 % to the 97.5 % quantile. Counts are whole, so that an interval of a small rate "
    "holds more than it states."
)
FEEDBACK = (
    "Feedback: incidents that police find themselves make a forecast feed on where police look. "
    "Learning from incidents reported by victims weakens that loop and does not remove it "
    "(Ensign et al. 2018): readiness to report differs between places and follows attention. Where "
    "a forecast changes what is done in a place, the counts recorded there later are no "
    "independent test of it."
)
