"""The gate's answer, as it is stored and read again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate decided about one candidate, and on which figures."""

    candidate_id: str
    model: str
    passed: bool
    reasons: list[str]  # why it was refused; empty when it passed
    figures: dict[str, float]
