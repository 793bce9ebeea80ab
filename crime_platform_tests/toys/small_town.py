"""A small town's file of incidents, as a publisher writes it from whom nothing is known."""

HEADER = "Case No;Date Reported;Date Occurred;Offence;Location Type;Lon;Lat;Suspect Age"
DEGREES = (("7.10", "50.70"), ("7.11", "50.71"), ("7.12", "50.72"))
# A label and how often a month has it; Raub is written in two ways.
MONTHLY = {"Einbruch": 3, "Diebstahl im Café": 2, "RAUB": 1, "Raub ": 1, "Drug possession": 1}


def invented(first=2019, n_years=3):
    """A small town's file: three years, semicolons, days before months, one late report of 1999."""
    months = [(year, month) for year in range(first, first + n_years) for month in range(1, 13)]
    rows = [
        f"{label}-{year}-{month}-{n}-{day};01/02/2024;{day:02d}/{month:02d}/{year} 23:15;{label};"
        f"{('Street', 'House')[n % 2]};{lon};{lat};41"
        for year, month in months
        for label, n_rows in MONTHLY.items()
        for n in range(n_rows)
        for day, (lon, lat) in zip((1, 15, 28), DEGREES, strict=True)
    ]
    rows.append("late;01/02/2024;31/12/1999 12:00;Einbruch;Street;7.10;50.70;30")
    return "\n".join([HEADER, *rows]) + "\n"


METRES = "when;what;X;Y\n" + "".join(
    f"20{19 + n // 24}-{n // 2 % 12 + 1:02d}-28;{('Theft', 'Assault')[n % 2]};"
    f"63{n % 5}250;483{n % 3}250\n"
    for n in range(72)
)


def moved(lon, lat):
    """The small town somewhere else, to whole hundredths of a degree."""
    text = invented()
    for n, (old_lon, old_lat) in enumerate(DEGREES):
        text = text.replace(f";{old_lon};{old_lat};", f";{lon + n / 100:.2f};{lat + n / 100:.2f};")
    return text
