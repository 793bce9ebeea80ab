"""What is assumed of each offence: how it moves in time and space, and how it is written down.

Every number but `city_share` is invented. The orders of magnitude are those of the literature on
repeats and of the publisher's yearly figures, and nothing here is an estimate of either.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OffenceProcess:
    """How often and where an offence happens."""

    name: str
    city_share: float  # of all victimisations; Auckland, February 2025 to January 2026
    season_amplitude: float = 0.0  # of the level, above and below its mean
    peak_month: int = 1  # month of the year, 1..12, at which the season is highest
    growth_per_year: float = 0.0
    level_shift: float = 1.0  # factor from the month of the shift on
    branching: float = 0.0  # share that follows from earlier ones nearby, in [0, 1)
    memory: float = 0.0  # how much of what earlier months set off is left a month later, in [0, 1)
    dispersion: float = 0.0  # alpha: a district's variance is mean + alpha * mean**2
    evenness: float = 1.0  # shape of the gamma distribution of places; small is concentrated
    centre_pull: float = 0.0  # exponent of the density of places: above 0 draws to the centres

    def __post_init__(self) -> None:
        for key in ("branching", "memory"):
            share = getattr(self, key)
            if not 0 <= share < 1:
                raise ValueError(
                    f"{key}: expected a share from 0 to below 1, found {share:g}; from 1 on every "
                    "incident would set off another for ever"
                )
        if not 0 <= self.season_amplitude < 1:
            raise ValueError(
                f"season_amplitude: expected a share from 0 to below 1, found "
                f"{self.season_amplitude:g}; from 1 on a month would be below nothing"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class OffenceWording:
    """How the publisher writes an offence down."""

    division: str  # "ANZSOC Division" of exports up to 2020
    later_division: str  # the same column in exports of 2025 and 2026
    groups: tuple[tuple[str, str, float], ...]  # subdivision, group, share
    several_share: float  # of victimisations that stand in the row of another
    peak_hour: float
    unknown_hour_share: float
    at_home_share: float  # "Residential Location"
    in_business_share: float  # "Other Location"; the rest is "Community Location"


THEFT = "Theft (Except Motor Vehicles)"
VEHICLE = "Motor Vehicle Theft and Related Offences"
BURGLARY = "Unlawful Entry With Intent/Burglary, Break and Enter"

PROCESSES = (
    OffenceProcess(
        name="theft",
        city_share=0.7076,
        season_amplitude=0.10,
        peak_month=12,
        growth_per_year=0.03,
        level_shift=1.20,
        branching=0.25,
        memory=0.4,
        dispersion=0.06,
        evenness=0.35,
        centre_pull=1.0,
    ),
    OffenceProcess(
        name="burglary",
        city_share=0.1684,
        season_amplitude=0.06,
        peak_month=7,
        growth_per_year=-0.04,
        branching=0.35,
        memory=0.3,
        dispersion=0.12,
        evenness=1.2,
        centre_pull=0.2,
    ),
    OffenceProcess(
        name="assault",
        city_share=0.0974,
        season_amplitude=0.12,
        peak_month=1,
        growth_per_year=0.02,
        level_shift=0.85,
        branching=0.12,
        memory=0.6,
        dispersion=0.08,
        evenness=0.5,
        centre_pull=0.6,
    ),
    OffenceProcess(
        name="robbery",
        city_share=0.0158,
        season_amplitude=0.05,
        peak_month=11,
        branching=0.20,
        memory=0.2,
        dispersion=0.15,
        evenness=0.4,
        centre_pull=0.9,
    ),
    OffenceProcess(
        name="sexual_offences",
        city_share=0.0101,
        season_amplitude=0.05,
        peak_month=2,
        dispersion=0.05,
        evenness=0.8,
        centre_pull=0.3,
    ),
    OffenceProcess(name="harm", city_share=0.0007, evenness=0.8, centre_pull=0.2),
)
"""In the order of the offence axis."""

WORDINGS = (
    OffenceWording(
        division="Theft and Related Offences",
        later_division="Theft",
        groups=(
            (THEFT, "Theft From Retail Premises", 0.34),
            (THEFT, "Theft From a Person (Excluding By Force)", 0.06),
            (THEFT, "Theft (Except Motor Vehicles), N.E.C.", 0.22),
            (VEHICLE, "Theft of a Motor Vehicle", 0.18),
            (VEHICLE, "Theft of Motor Vehicle Parts or Contents", 0.20),
        ),
        several_share=0.02,
        peak_hour=15.0,
        unknown_hour_share=0.25,
        at_home_share=0.35,
        in_business_share=0.40,
    ),
    OffenceWording(
        division=BURGLARY,
        later_division="Burglary",
        groups=((BURGLARY, BURGLARY, 1.0),),
        several_share=0.01,
        peak_hour=3.0,
        unknown_hour_share=0.35,
        at_home_share=0.65,
        in_business_share=0.30,
    ),
    OffenceWording(
        division="Acts Intended to Cause Injury",
        later_division="Assault",
        groups=(
            ("Assault", "Common Assault", 0.45),
            ("Assault", "Serious Assault Not Resulting in Injury", 0.30),
            ("Assault", "Serious Assault Resulting in Injury", 0.25),
        ),
        several_share=0.04,
        peak_hour=21.0,
        unknown_hour_share=0.05,
        at_home_share=0.45,
        in_business_share=0.20,
    ),
    OffenceWording(
        division="Robbery, Extortion and Related Offences",
        later_division="Robbery, blackmail, and extortion",
        groups=(
            ("Robbery", "Aggravated Robbery", 0.70),
            ("Robbery", "Non-Aggravated Robbery", 0.25),
            ("Blackmail and Extortion", "Blackmail and Extortion", 0.05),
        ),
        several_share=0.10,
        peak_hour=20.0,
        unknown_hour_share=0.03,
        at_home_share=0.10,
        in_business_share=0.45,
    ),
    OffenceWording(
        division="Sexual Assault and Related Offences",
        later_division="Sexual Offences",
        groups=(
            ("Sexual Assault", "Aggravated Sexual Assault", 0.65),
            ("Sexual Assault", "Non-Aggravated Sexual Assault", 0.35),
        ),
        several_share=0.20,
        peak_hour=0.0,
        unknown_hour_share=0.30,
        at_home_share=0.70,
        in_business_share=0.10,
    ),
    OffenceWording(
        division="Abduction, Harassment and Other Related Offences Against a Person",
        later_division="Harm or endanger persons",
        groups=(("Abduction and Kidnapping", "Abduction and Kidnapping", 1.0),),
        several_share=0.05,
        peak_hour=18.0,
        unknown_hour_share=0.05,
        at_home_share=0.50,
        in_business_share=0.15,
    ),
)
"""In the order of `PROCESSES`."""
