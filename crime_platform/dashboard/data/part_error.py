"""The error of a part that the release cannot give."""


class PartError(ValueError):
    """The release does not hold what was asked for; the message names what it holds."""
