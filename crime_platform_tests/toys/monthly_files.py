"""An invented city as a publisher delivers it: a folder of one file a month."""

from pathlib import Path

import numpy as np

LABELS = ("Robo a transeúnte", "Lesión dolosa", "Daño en propiedad", "Posesión de narcóticos")
PER_DAY = 2
SOUTH, WEST = 19.40, -99.16  # degrees of the city's corner


def write_monthly_files(folder: Path, *, n_months: int = 60, seed: int = 7) -> int:
    """Write a file for each month from January 2019 on; returns the number of incidents.

    Months are folders of years, semicolons separate, decimals have commas, days come first, and a
    list of districts lies beside the files.
    """
    random = np.random.default_rng(seed)
    first = np.datetime64("2019-01", "M")
    n_rows = 0
    for month in np.arange(first, first + n_months):
        days = np.arange(month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]"))
        lines = ["Folio;Fecha del hecho;Hora;Delito;Longitud;Latitud;Edad víctima"]
        for day in np.repeat(days, PER_DAY):
            n_rows += 1
            year, number, date = str(day).split("-")
            lon, lat = WEST + random.random() / 10, SOUTH + random.random() / 10
            label = LABELS[int(random.integers(len(LABELS)))]
            point = f"{lon:.5f};{lat:.5f}".replace(".", ",")
            lines.append(
                f"{n_rows};{date}/{number}/{year};{random.integers(24):02d}:30;{label};{point};41"
            )
        path = folder / str(month)[:4] / f"delitos-{month}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "colonias.csv").write_text("clave;nombre\n1;Centro\n2;Roma\n", encoding="utf-8")
    (folder / "LEEME.txt").write_text("Archivos mensuales.\n", encoding="utf-8")
    return n_rows
