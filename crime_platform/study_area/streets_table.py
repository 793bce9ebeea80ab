"""The street branch read from `[streets]`; every mistake is noted, none raised."""

from crime_platform.study_area.parts import OffenceType
from crime_platform.study_area.reading import all_or_none, build
from crime_platform.study_area.streets import OffenceGroup, StreetPoints, StreetSpec
from crime_platform.study_area.toml_table import TomlTable

_TEXTS = ("file", "layer", "boundary_file", "temperature_file")
_NUMBERS = ("max_snap_m", "min_segment_m", "max_link_m", "kernel_m", "max_beyond_share")
_INTEGERS = ("n_communities", "reporting_lag_days", "horizon")


def read_streets(
    table: TomlTable, offence_types: tuple[OffenceType, ...] | None, *, is_closed: bool
) -> StreetSpec | None:
    """The street branch, from `[streets]`; an empty one means every default.

    Args:
        table: headed `[streets]`.
        offence_types: of the area; each is a group of its own where the file has no group.
        is_closed: whether the data set has a last month, so that no report is still to come.
    """
    fields: dict[str, object] = {key: table.text(key) for key in _TEXTS}
    fields |= {key: table.number(key) for key in _NUMBERS}
    fields |= {key: table.integer(key) for key in _INTEGERS}
    fields["extent_m"] = _extent(table)
    fields["nearby_types"] = table.texts("nearby_types")
    groups, points = table.tables("offence_group"), table.tables("points")
    fields["points"] = all_or_none([_read_points(each) for each in points])
    fields["offence_groups"] = all_or_none([_read_group(each) for each in groups])
    if not groups:
        kinds = offence_types or ()
        fields["offence_groups"] = tuple(
            OffenceGroup(name=kind.name, title=kind.title, offence_types=(kind.name,))
            for kind in kinds
        )
    if fields["reporting_lag_days"] is None and is_closed:
        fields["reporting_lag_days"] = 0
    _note_keys_of_the_other_graph(table)
    table.finish()
    return build(StreetSpec, table, **fields)


def _extent(table: TomlTable) -> tuple[float, ...] | None:
    extent = table.numbers("extent_m")
    if extent is None or len(extent) == 4:
        return extent
    table.note("extent_m", f"expected [xmin, ymin, xmax, ymax], found {len(extent)} numbers")
    return None


def _note_keys_of_the_other_graph(table: TomlTable) -> None:
    if "file" in table.values and "max_link_m" in table.values:
        table.note("max_link_m", "it links places, and file gives street lines; leave it out")
    for key in ("min_segment_m", "layer"):
        if "file" not in table.values and key in table.values:
            table.note(key, "it is of street lines, and no file names them; leave it out")


def _read_group(table: TomlTable) -> OffenceGroup | None:
    table.require("name", "offence_types")
    fields = {
        "name": table.text("name"),
        "title": table.text("title") or table.values.get("name"),
        "offence_types": table.texts("offence_types"),
    }
    table.finish()
    return build(OffenceGroup, table, **fields)


def _read_points(table: TomlTable) -> StreetPoints | None:
    table.require("name", "file")
    fields: dict[str, object] = {
        key: table.text(key) for key in ("name", "file", "kind", "value_column")
    }
    fields |= {key: table.number(key) for key in ("bandwidth_m", "radius_m")}
    table.finish()
    return build(StreetPoints, table, **fields)
