"""What a search for settings on streets may see: the days before the test, and nothing else.

Whoever searches gets `SelectionDays`, never `SegmentCounts`: the days whose forecasts are the
evidence are not in it, so that no setting can have been chosen on them.
"""

from dataclasses import InitVar, dataclass, replace

from crime_platform.tensors.street_counts import DayCovariates, SegmentCounts
from crime_platform.vocabulary.day_split import DaySplit, chronological_split
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.timesteps import Day

_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SelectionDays:
    """Counts up to the last validation day, and which days are learned from and which judge.

    Made by `selection_days` alone, which copies: later days cannot be reached from it.
    """

    streets: SegmentCounts
    split: DaySplit  # without a test part
    _seal: InitVar[object]  # not kept, so that `replace` cannot put other days under it

    def __post_init__(self, _seal: object) -> None:
        if _seal is not _SEAL:
            raise TypeError(
                "SelectionDays are made by selection_days(streets, anchor) only, which cuts the "
                "test off"
            )

    @property
    def history(self) -> CountHistory:
        """Counts and marks of these days."""
        return self.streets.history

    @property
    def data_version(self) -> str:
        """Key of everything a search can learn from."""
        return self.streets.data_version


def selection_days(streets: SegmentCounts, anchor: Day) -> SelectionDays:
    """The days that a search may see: train and validation of the 70/15/15 split.

    Args:
        streets: counts, however far they reach.
        anchor: last day of the evidence, and so of the days that are split.

    Raises:
        IncompleteDataError: if the counts do not hold the anchor.
        ValueError: if the days are too few to split.
    """
    streets.history.index_of(anchor)
    split = chronological_split(streets.days[0], anchor)
    known = streets.through(split.validation_end)
    cut = CountHistory(
        steps=known.days.copy(),
        counts=known.history.counts.copy(),
        holidays=known.history.holidays.copy(),
        marked={mark: counts.copy() for mark, counts in known.history.marked.items()},
    )
    return SelectionDays(
        streets=SegmentCounts(
            graph=known.graph,
            offence_groups=known.offence_groups,
            history=cut,
            node_features=known.node_features,
            covariates=_through(known.covariates, split.validation_end),
        ),
        split=replace(split, test_end=split.validation_end),
        _seal=_SEAL,
    )


def require_selection_days(given: object) -> SelectionDays:
    """The argument itself, if the test is cut off from it.

    Raises:
        TypeError: for anything but `SelectionDays`.
    """
    if not isinstance(given, SelectionDays):
        raise TypeError(
            f"settings are searched on SelectionDays, got a {type(given).__name__}, which may hold "
            "test days: make them with selection_days(streets, anchor)"
        )
    return given


def _through(covariates: DayCovariates | None, last: Day) -> DayCovariates | None:
    if covariates is None:
        return None
    n_days = max(int((last - covariates.days[0]).astype("int64")) + 1, 0)
    return DayCovariates(
        days=covariates.days[:n_days].copy(),
        names=covariates.names,
        values=covariates.values[:n_days].copy(),
    )
