"""Vector files in whatever form they come: one layer of shapes, as geopandas reads it.

GeoParquet and Feather, gzip files and zip archives (with folders inside) are recognised by their
first bytes, everything else by GDAL.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from crime_platform.sources.files.archives import gunzip, unzip_all
from crime_platform.vocabulary.incident import CoordinateError, SourceFormatError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

LINES = ("LineString", "MultiLineString")
POLYGONS = ("Polygon", "MultiPolygon")
# Members of an archive that may hold layers; the others belong to these.
_SUFFIXES = (
    *(".shp", ".gpkg", ".fgb", ".gdb", ".geojson", ".json", ".geojsonl", ".geojsonseq"),
    *(".topojson", ".parquet", ".geoparquet", ".feather", ".gml", ".kml", ".sqlite", ".tab"),
    *(".mif", ".gpx", ".dxf"),
)
_OSM_EXTRACTS = (".osm", ".pbf", ".osm.bz2", ".osm.gz")
_GZIP, _ZIP, _PARQUET, _FEATHER = b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"ARROW1"
_NOT_STATED = "Unknown"
_DIMENSIONS = ("2.5D", "3D", "Measured", "Z", "M", "ZM")  # as GDAL writes them beside the kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """An unpacked file."""

    path: Path
    label: str | None  # its name in the archive, without the suffix; None if it stood alone


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """A layer with shapes."""

    file: Path
    name: str  # as the file calls it
    label: str  # as the user is shown it: files of an archive are layers to the user
    shapes: str  # kind of geometry that the file states, without Z and M

    def __str__(self) -> str:
        return f"{self.label} ({self.shapes})"


def read_vector(
    path: Path, *, layer: str | None = None, wanted: Sequence[str] = ()
) -> "GeoDataFrame":
    """Every feature of one layer of a vector file.

    Args:
        path: of any format geopandas reads, GeoParquet among them; .gz and .zip are unpacked.
        layer: its name. Without one the first layer of a wanted kind is read, else the first that
            does not state its kind, else the first.
        wanted: kinds of shapes, such as `LINES`; empty if any will do.

    Raises:
        CoordinateError: if there is no such file.
        SourceFormatError: if it holds no geometry that geopandas can read, or no such layer.
    """
    if not (path.is_file() or path.is_dir()):  # a geodatabase is a folder
        raise CoordinateError(f"{path.absolute()}: no such file; put it there or correct the path")
    if path.name.lower().endswith(_OSM_EXTRACTS):
        raise SourceFormatError(
            f"{path}: an extract of OpenStreetMap, whose lines are rivers and borders too; save "
            "its roads alone (features with the key highway) as GeoPackage and name that file"
        )
    with tempfile.TemporaryDirectory() as scratch:
        layers = _layers(path, Path(scratch))
        return _read(_chosen(layers, path, layer, wanted), path)


def layer_names(path: Path) -> list[str]:
    """The layers with shapes in a vector file, each with the kind of its shapes.

    Raises:
        CoordinateError: as `read_vector`.
        SourceFormatError: as `read_vector`.
    """
    if not (path.is_file() or path.is_dir()):
        raise CoordinateError(f"{path.absolute()}: no such file; put it there or correct the path")
    with tempfile.TemporaryDirectory() as scratch:
        return [str(layer) for layer in _layers(path, Path(scratch))]


def _layers(path: Path, scratch: Path) -> list[_Layer]:
    """Layers with shapes of all files in a file."""
    found: list[_Layer] = []
    errors: list[Exception] = []
    for file in _unpacked(path, scratch):
        try:
            found += _layers_of(file, path)
        except (RuntimeError, ValueError, OSError) as error:  # each driver raises its own
            errors.append(error)  # a note or a style beside the layers, unless nothing can be read
    if errors and not found:
        raise _not_read(path, errors[0]) from errors[0]
    if not found:
        raise SourceFormatError(
            f"{path}: holds a table without geometry; export it as GeoPackage or GeoJSON"
        )
    return found


def _unpacked(path: Path, scratch: Path) -> list[_File]:
    start = _first_bytes(path)
    if start.startswith(_GZIP):
        plain = Path(path.name.lower().removesuffix(".gz"))
        # GDAL wants the suffix; the name itself may be anything, so it is not used.
        named = scratch / f"unpacked{plain.suffix if plain.suffix in _SUFFIXES else ''}"
        return [_File(path=gunzip(path, scratch).rename(named), label=plain.stem)]
    if not start.startswith(_ZIP):
        return [_File(path=path, label=None)]
    members = unzip_all(path, scratch)
    files = [
        _File(path=file, label=str(PurePosixPath(name).with_suffix("")))
        for file, name in members
        if file.suffix in _SUFFIXES
    ]
    if not files:
        raise SourceFormatError(
            f"{path}: holds no vector file; found {[name for _, name in members[:10]]}, expected a "
            "shapefile, GeoPackage, GeoJSON, FlatGeobuf or GeoParquet file"
        )
    return files


def _first_bytes(path: Path) -> bytes:
    if path.is_dir():
        return b""
    with path.open("rb") as opened:
        return opened.read(len(_FEATHER))


def _layers_of(file: _File, path: Path) -> list[_Layer]:
    if _first_bytes(file.path).startswith((_PARQUET, _FEATHER)):
        label = file.label or path.stem
        return [_Layer(file=file.path, name="", label=label, shapes=_NOT_STATED)]
    import pyogrio

    listed = pyogrio.list_layers(file.path).tolist()
    is_named_by_file = file.label is not None and len(listed) == 1
    return [
        _Layer(
            file=file.path,
            name=name,
            label=str(file.label) if is_named_by_file else name,
            shapes=next(word for word in shapes.split() if word not in _DIMENSIONS),
        )
        for name, shapes in listed
        if shapes is not None  # a table beside the layers
    ]


def _chosen(
    layers: Sequence[_Layer], path: Path, layer: str | None, wanted: Sequence[str]
) -> _Layer:
    if layer is None:
        kinds = (*wanted, _NOT_STATED, "GeometryCollection")
        order = [one for one in layers if one.shapes in wanted]
        order += [one for one in layers if one.shapes in kinds]
        return [*order, *layers][0]
    named = [one for one in layers if layer in (one.label, one.name)]
    if len(named) == 1:
        return named[0]
    there = ", ".join(map(str, layers))
    raise SourceFormatError(
        f"{path}: expected one layer {layer!r}, found {len(named)}; it holds {there}; name one of "
        "them as layer"
    )


def _read(layer: _Layer, path: Path) -> "GeoDataFrame":
    import geopandas  # slow to import, and only areas with street or boundary files need it

    start = _first_bytes(layer.file)
    try:
        if start.startswith(_PARQUET):
            return geopandas.read_parquet(layer.file)
        if start.startswith(_FEATHER):
            return geopandas.read_feather(layer.file)
        table = geopandas.read_file(layer.file, layer=layer.name)
    except (RuntimeError, ValueError, OSError) as error:
        raise _not_read(path, error) from error
    if not isinstance(table, geopandas.GeoDataFrame):
        raise SourceFormatError(
            f"{path}: holds a table without geometry; export it as GeoPackage or GeoJSON"
        )
    return table


def _not_read(path: Path, error: Exception) -> SourceFormatError:
    return SourceFormatError(
        f"{path}: cannot be read as a vector file ({error}); a shapefile needs its .shx and .dbf "
        "beside it, and GeoPackage or GeoJSON are the safest formats"
    )
