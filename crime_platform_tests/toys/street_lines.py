"""A file of street lines."""

import geopandas

UTM_17 = "EPSG:26917"


def written(folder, *shapes, crs=UTM_17, name="streets.gpkg"):
    path = folder / name
    geopandas.GeoDataFrame(geometry=list(shapes), crs=crs).to_file(path)
    return path
