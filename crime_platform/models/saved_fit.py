"""What every fitted model of the grid shares: when it may forecast, how its files are written."""

import hashlib
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from crime_platform.vocabulary.forecast import CountHistory


@runtime_checkable
class _Horizon(Protocol):
    @property
    def horizon(self) -> int: ...


@runtime_checkable
class GridFit(Protocol):
    """A model that was fitted on one grid, up to one step, for some leads."""

    @property
    def name(self) -> str: ...
    @property
    def config(self) -> _Horizon: ...
    @property
    def fit_origin(self) -> np.datetime64: ...
    @property
    def unit_shape(self) -> tuple[int, int, int]: ...


def require_fit(
    fitted: GridFit, history: CountHistory, origin: np.datetime64, horizon: int
) -> None:
    """Refuse a forecast that the model was not fitted for.

    Raises:
        ValueError: if the horizon is not one it was trained for, the origin lies before the one
            it was trained at, or the grid is another one.
    """
    if not 1 <= horizon <= fitted.config.horizon:
        raise ValueError(
            f"{fitted.name} was trained for leads 1..{fitted.config.horizon}, got horizon {horizon}"
        )
    if origin < fitted.fit_origin:
        raise ValueError(
            f"{fitted.name} learned from steps up to {fitted.fit_origin}; a forecast from {origin} "
            "would know its own future: fit at that origin or earlier"
        )
    if history.counts.shape[1:] != fitted.unit_shape:
        raise ValueError(
            f"{fitted.name} was trained on (type, row, col) {fitted.unit_shape}, "
            f"got counts of {history.counts.shape[1:]}: fit it on this grid"
        )


def write_whole(path: Path, content: bytes) -> None:
    """Write aside, then rename, so that nobody reads half a file."""
    aside = path.with_suffix(".part")
    aside.write_bytes(content)
    aside.replace(path)


def read_verified(path: Path, sha256: str, *, cure: str) -> bytes:
    """A file whose hash was written down beside it.

    Raises:
        ValueError: if the file has another hash.
    """
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(
            f"{path} is not the file that was described when it was written: expected sha256 "
            f"{sha256}, found {found}; {cure}"
        )
    return content
