"""From incidents in the warehouse to counts and the tensor that every model starts from."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crime_platform.data_checks.run_size import size_of_run, size_problem
from crime_platform.geography.grid import Grid
from crime_platform.pipeline.revisions import (
    Maturity,
    RevisionRecord,
    judge_maturity,
    origin_vintages,
    read_record,
)
from crime_platform.study_area.parts import (
    AS_RECORDED,
    LEFT_OUT,
    NOT_COMPLETE,
    SCALED,
    StudyAreaError,
)
from crime_platform.study_area.study_area import StudyArea
from crime_platform.system.machine import memory_bytes
from crime_platform.tensors.grid_counts import as_dataset, dense_counts, write_tensor
from crime_platform.vocabulary.artifact import swap_symlink
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.seal import damage, is_whole
from crime_platform.vocabulary.timesteps import (
    IncompleteDataError,
    Month,
    month_range,
    parse_month,
)
from crime_platform.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

TENSOR = "grid_tensor.zarr"
ZARR_ATTRIBUTES = ".zattrs"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountReport:
    """What the counts of an area cover."""

    n_rows: int  # cell counts above zero
    first: Month
    last_complete: Month | None
    n_complete: int
    missing: list[Month]  # months in the middle without any incident
    totals: "pd.DataFrame"  # month, count, is_complete
    record: RevisionRecord
    maturity: Maturity


def tensor_path(home: PlatformHome, area_name: str) -> Path:
    """Link to the newest tensor of an area."""
    return home.artifacts(area_name) / TENSOR


def tensor_version(home: PlatformHome, area_name: str) -> tuple[Month, str] | None:
    """Last month and data version of the newest tensor of an area; None before the first.

    A damaged tensor counts as none: the next run makes it anew.
    """
    path = tensor_path(home, area_name).resolve()
    attributes = path / ZARR_ATTRIBUTES
    if not attributes.exists() or damage(path) is not None:
        return None
    told = json.loads(attributes.read_text(encoding="utf-8"))
    return parse_month(told["last_month"]), str(told["data_version"])


def rebuild_counts(area: StudyArea, home: PlatformHome) -> CountReport:
    """Count the current incidents again, per cell and month.

    Raises:
        IncompleteDataError: if the area has no incident at all.
    """
    import pandas as pd

    warehouse = Warehouse(home.warehouse)
    newest = warehouse.read(
        "select max(month) as month from incident where study_area = ?", area.name
    )["month"].item()
    if pd.isna(newest):
        raise IncompleteDataError(
            f"{area.name} has no incident in the warehouse: check paths under [[source]] in "
            f"{area.name}.toml"
        )
    months = month_range(area.first_month, np.datetime64(newest, "M"))
    record = read_record(area, warehouse)
    maturity = judge_maturity(area, record)
    warehouse.rebuild_counts(
        area.name,
        months=_month_rows(months, maturity),
        revisions=record.triangle,
        offence_types=list(area.offence_names),
        premises_of_label=area.premises_of_label,
    )
    totals = warehouse.month_totals(area.name)
    held = totals["month"].to_numpy().astype("datetime64[M]")
    n_rows = warehouse.read(
        "select count(*) as n from cell_month_count where study_area = ?", area.name
    )["n"].item()
    return CountReport(
        n_rows=n_rows,
        first=held[0],
        last_complete=warehouse.last_complete_month(area.name),
        n_complete=int(totals["is_complete"].sum()),
        missing=list(held[totals["count"].to_numpy() == 0]),
        totals=totals,
        record=record,
        maturity=maturity,
    )


def _month_rows(months: np.ndarray, maturity: Maturity) -> "pd.DataFrame":
    """Each month with what is known of its completeness and what is done about it."""
    import pandas as pd

    is_unfinished = months > maturity.last_whole
    is_left_out = (months > maturity.last_usable) & ~is_unfinished
    is_scaled = (months == maturity.last_usable) & (maturity.factor != 1)
    treatments = [NOT_COMPLETE, LEFT_OUT, SCALED]
    return pd.DataFrame(
        {
            "month": months.astype("datetime64[s]"),
            "is_complete": months <= maturity.last_usable,
            "completeness_share": [maturity.completeness.get(month, np.nan) for month in months],
            "note": [maturity.notes.get(month) for month in months],
            "treatment": np.select(
                [is_unfinished, is_left_out, is_scaled], treatments, AS_RECORDED
            ),
        }
    )


def build_tensor(area: StudyArea, home: PlatformHome, grid: Grid) -> dict[str, object]:
    """Write the dense tensor of all complete months and point the area's link at it.

    Returns:
        What the tensor holds, for the UI.

    Raises:
        IncompleteDataError: if there is no complete month.
        StudyAreaError: if a run on this grid needs more memory than there is.
    """
    warehouse = Warehouse(home.warehouse)
    last = warehouse.last_complete_month(area.name)
    if last is None:
        raise IncompleteDataError(f"{area.name} has no complete month: materialise incidents first")
    months = month_range(area.first_month, last)
    size = size_of_run(area, n_rows=grid.n_rows, n_cols=grid.n_cols, n_months=len(months))
    if problem := size_problem(area, size, memory_bytes()):
        raise StudyAreaError(problem)
    until = area.name, last.astype("datetime64[D]").item()
    where = "where study_area = ? and month <= ?"
    tensor = dense_counts(
        warehouse.read(
            f"select month, offence_type, row, col, count from cell_month_count {where}", *until
        ),
        warehouse.read(
            "select mark, month, offence_type, row, col, count from cell_month_mark "
            f"{where} order by mark",
            *until,
        ),
        grid=grid,
        offence_types=area.offence_names,
        first=area.first_month,
        last=last,
        calendar=area.calendar,
    )
    vintages = origin_vintages(area, warehouse, read_record(area, warehouse), last=last)
    tensor = replace(tensor, vintages=vintages)
    name = f"tensors/{tensor.data_version}.zarr"
    path = home.artifacts(area.name) / name
    if not is_whole(path):
        write_tensor(as_dataset(tensor, grid, study_area=area.name, title=area.title), path)
    swap_symlink(tensor_path(home, area.name), name)
    months, _, n_rows, n_cols = tensor.counts.shape
    return {
        "path": path,
        "data version": tensor.data_version,
        "months": months,
        "first month": tensor.months[0],
        "last month": tensor.months[-1],
        "offence types": list(tensor.offence_types),
        "rows x columns": f"{n_rows} x {n_cols}",
        "cells ever active": int(tensor.ever_active().sum()),
        "incidents": float(tensor.counts.sum()),
        **{
            f"of them {mark}": f"{counts.sum() / tensor.counts.sum():.1%}"
            for mark, counts in tensor.marked.items()
        },
        "share of zeros": float((tensor.counts == 0).mean()),
        "origins with a vintage of their own": len(tensor.vintages),
    }
