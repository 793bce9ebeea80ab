"""Monthly counts of an area as one labelled, dense array, rebuilt from the long table at will."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from crime_platform.geography.grid import Grid
from crime_platform.study_area.parts import HolidayCalendar
from crime_platform.tensors.covariates import holidays_of
from crime_platform.tensors.vintages import vintage_variables, vintages_of
from crime_platform.vocabulary.artifact import content_key
from crime_platform.vocabulary.forecast import CountHistory, Vintage, no_days
from crime_platform.vocabulary.seal import require_whole, sealed
from crime_platform.vocabulary.timesteps import IncompleteDataError, Month, month_range

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

AXES = ("month", "offence_type", "row", "col")
MONTHS_PLANNED = 12  # after the last month, for which holidays are written out
MARKED_TYPE = np.uint16  # a mark's counts are only ever summed up, and there are many marks
ZARR_FORMAT = 2  # format 3 has no stable string type yet


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GridCounts:
    """Counts of recorded incidents per month, offence type and cell, every month complete."""

    months: np.ndarray
    offence_types: tuple[str, ...]
    counts: Float[np.ndarray, "step type row col"]
    holidays: np.ndarray = field(default_factory=no_days)  # up to a year after the last month
    # How many of the counted incidents bear a mark, say the premises they happened at, by mark.
    marked: Mapping[str, np.ndarray] = field(default_factory=dict)  # each step, type, row, col
    vintages: Mapping[np.datetime64, Vintage] = field(default_factory=dict)  # by origin

    @property
    def history(self) -> CountHistory:
        return CountHistory(
            steps=self.months,
            counts=self.counts,
            holidays=self.holidays,
            marked=self.marked,
            vintages=self.vintages,
        )

    @property
    def data_version(self) -> str:
        """Key of what a model can learn from: months, offence types, holidays and every count."""
        return content_key(list(self.offence_types), *self.history.content)

    def through(self, origin: Month) -> "GridCounts":
        """The tensor that was known at `origin`: it ends there, later revisions undone."""
        past = self.history.through(origin)
        return replace(self._ending(origin, past.counts, past.marked), vintages={})

    def cut_at(self, last: Month) -> "GridCounts":
        """The counts as they are known now, up to `last`, with what was known at each origin."""
        end = self.history.index_of(last) + 1
        marked = {mark: counts[:end] for mark, counts in self.marked.items()}
        return self._ending(last, self.counts[:end], marked)

    def _ending(
        self, last: Month, counts: np.ndarray, marked: Mapping[str, np.ndarray]
    ) -> "GridCounts":
        return GridCounts(
            months=self.months[: len(counts)],
            offence_types=self.offence_types,
            counts=counts,
            # Cut as well, so that the tensor of a past month stays the one it was then.
            holidays=self.holidays[self.holidays < (last + 1 + MONTHS_PLANNED)],
            # A mark that was unknown then must not name the tensor of then.
            marked={mark: bearing for mark, bearing in marked.items() if bearing.any()},
            vintages={origin: then for origin, then in self.vintages.items() if origin <= last},
        )

    def ever_active(self) -> Bool[np.ndarray, "row col"]:
        """Cells with at least one recorded incident of any type in these months."""
        return np.asarray(self.counts.any(axis=(0, 1)))


def dense_counts(
    rows: "pd.DataFrame",
    marked_rows: "pd.DataFrame | None" = None,
    *,
    grid: Grid,
    offence_types: tuple[str, ...],
    first: Month,
    last: Month,
    calendar: HolidayCalendar | None = None,
) -> GridCounts:
    """Tensor from the sparse long table (`month, offence_type, row, col, count`).

    Cells and months that the table does not name are zeros: the caller has checked that every
    month from `first` to `last` was ingested. `marked_rows` has a column `mark` besides; a mark
    that no row bears does not exist.

    Raises:
        ValueError: if the table holds an offence type, month or cell outside the tensor.
    """
    months = month_range(first, last)
    shape = (len(months), len(offence_types), grid.n_rows, grid.n_cols)
    fill = partial(dense_array, step="month", offence_types=offence_types, first=first, shape=shape)
    marked = {} if marked_rows is None else dict(tuple(marked_rows.groupby("mark", sort=True)))
    return GridCounts(
        months=months,
        offence_types=offence_types,
        counts=fill(rows, np.float32),
        holidays=holidays_of(calendar, first, last + MONTHS_PLANNED),
        marked={str(mark): fill(bearing, MARKED_TYPE) for mark, bearing in marked.items()},
    )


def dense_array(
    rows: "pd.DataFrame",
    dtype: type[np.number],
    *,
    step: str,
    offence_types: tuple[str, ...],
    first: np.datetime64,
    shape: tuple[int, ...],
) -> np.ndarray:
    """Sums of `count` per step, offence type, row and column; zero where no row says otherwise.

    Args:
        rows: columns `offence_type`, `row`, `col`, `count`, and the one that `step` names.
        dtype: of the result.
        step: column with the time, `month` or `day`.
        offence_types: the type axis.
        first: first step; its unit is that of the time axis.
        shape: of the result.

    Raises:
        ValueError: if a row names an offence type, step or cell outside the result.
    """
    steps = (rows[step].to_numpy().astype(first.dtype) - first).astype(np.int64)
    order = {name: index for index, name in enumerate(offence_types)}
    unknown = sorted(set(rows["offence_type"].unique()) - order.keys())
    if unknown:
        raise ValueError(f"offence types {unknown} are not in the study area's {offence_types}")
    kind = rows["offence_type"].map(order).to_numpy()
    row, col = rows["row"].to_numpy(), rows["col"].to_numpy()
    position = np.stack([steps, kind, row, col]).astype(np.int64)
    outside = ((position < 0) | (position >= np.array(shape)[:, None])).any(axis=0)
    if outside.any():
        sizes = dict(zip((step, *AXES[1:]), shape, strict=True))
        raise ValueError(
            f"{int(outside.sum())} counts lie outside the tensor {sizes}; the "
            f"first is {rows.iloc[int(np.flatnonzero(outside)[0])].to_dict()}"
        )
    counts = np.zeros(shape, dtype=dtype)
    np.add.at(counts, tuple(position), rows["count"].to_numpy().astype(dtype))
    return counts


def as_dataset(tensor: GridCounts, grid: Grid, *, study_area: str, title: str) -> "xr.Dataset":
    """The tensor with its labels, the CRS and each cell's centre and name."""
    import xarray as xr

    plane, shape = ("row", "col"), (grid.n_rows, grid.n_cols)
    lon, lat = (values.reshape(shape) for values in grid.centroids())
    x_edges, y_edges = grid.edges()
    half = grid.cell_size_m / 2
    marked = np.zeros((0, *tensor.counts.shape), dtype=MARKED_TYPE)
    if tensor.marked:
        marked = np.stack(list(tensor.marked.values()))
    return xr.Dataset(
        {
            "count": (
                AXES,
                tensor.counts,
                {"long_name": "recorded incidents", "units": "incidents per month and cell"},
            ),
            "marked_count": (
                ("mark", *AXES),
                marked,
                {"long_name": "those of them with a mark", "units": "incidents per month and cell"},
            ),
            **vintage_variables(tensor.vintages),
        },
        coords={
            "mark": np.array(list(tensor.marked), dtype=str),
            "month": tensor.months.astype("datetime64[ns]"),
            "offence_type": list(tensor.offence_types),
            "row": np.arange(grid.n_rows),
            "col": np.arange(grid.n_cols),
            "x_m": (
                "col",
                x_edges[:-1] + half,
                {"units": "m", "long_name": "easting of the centre"},
            ),
            "y_m": (
                "row",
                y_edges[:-1] + half,
                {"units": "m", "long_name": "northing of the centre"},
            ),
            "lon": (plane, lon, {"units": "degrees_east"}),
            "lat": (plane, lat, {"units": "degrees_north"}),
            "cell_id": (plane, grid.cell_ids().astype(str).reshape(shape)),
        },
        attrs={
            "study_area": study_area,
            "title": title,
            "crs": grid.crs,
            "cell_size_m": grid.cell_size_m,
            "data_version": tensor.data_version,
            "last_month": str(tensor.months[-1]),
            "vintage_origins": [str(origin) for origin in tensor.vintages],
            "holidays": [str(day) for day in tensor.holidays],
        },
    )


def write_tensor(dataset: "xr.Dataset", path: Path) -> None:
    """Store the dataset as Zarr, whole or not at all."""
    with sealed(path) as aside:
        dataset.to_zarr(aside, zarr_format=ZARR_FORMAT, consolidated=True)


def read_tensor(path: Path) -> tuple[GridCounts, Grid]:
    """Read back what `write_tensor` stored, and the grid its axes stand for.

    Raises:
        FileNotFoundError: if no tensor was built yet.
        DamagedArtifactError: if a file of it is not as it was written.
        IncompleteDataError: if it was built before counts by mark and by vintage were kept.
    """
    import xarray as xr

    if not path.exists():
        raise FileNotFoundError(
            f"there is no tensor at {path}: materialise grid_tensor first (crime-platform run)"
        )
    require_whole(path.resolve())
    with xr.open_zarr(path, consolidated=True) as dataset:
        if missing := {"marked_count", "revised_count"} - set(dataset):
            raise IncompleteDataError(
                f"the tensor at {path} holds no {' and no '.join(sorted(missing))}: an earlier "
                "version of the platform wrote it; materialise grid_tensor again "
                "(crime-platform run)"
            )
        size = float(dataset.attrs["cell_size_m"])
        grid = Grid(
            crs=str(dataset.attrs["crs"]),
            x_min=float(dataset["x_m"][0]) - size / 2,
            y_min=float(dataset["y_m"][0]) - size / 2,
            cell_size_m=size,
            n_rows=dataset.sizes["row"],
            n_cols=dataset.sizes["col"],
        )
        tensor = GridCounts(
            months=dataset["month"].to_numpy().astype("datetime64[M]"),
            offence_types=tuple(str(name) for name in dataset["offence_type"].to_numpy()),
            counts=dataset["count"].to_numpy().astype(np.float32),
            holidays=np.array(dataset.attrs["holidays"], dtype="datetime64[D]"),
            marked={
                str(mark): counts
                for mark, counts in zip(
                    dataset["mark"].to_numpy(), dataset["marked_count"].to_numpy(), strict=True
                )
            },
            vintages=vintages_of(dataset),
        )
    return tensor, grid
