"""The pictures of street models in the UI: they draw what the tables hold."""

import numpy as np
import pandas as pd

from crime_platform.defs import street_plots
from crime_platform.defs.street_plots import hit_rate_plot, training_plot

PNG = b"\x89PNG\r\n\x1a\n"


def curve(part="test", lead=1, group="any"):
    share = np.linspace(0.1, 1.0, 10)
    rows = [
        {
            "part": part,
            "lead": lead,
            "offence_group": group,
            "model": model,
            "coverage_share": at,
            "hit_rate": at**power,
            "gain_over_long_run": at**power - at,
            "gain_over_long_run_low": at**power - at - 0.01,
            "gain_over_long_run_high": at**power - at + 0.01,
        }
        for model, power in (("long_run_frequency", 1.0), ("gldnet", 0.5))
        for at in share
    ]
    return pd.DataFrame(rows)


def drawn(monkeypatch):
    """The axes that a plot draws on, kept for a look."""
    kept = []
    as_png = street_plots.as_png

    def watched(*draws, **options):
        return as_png(*[lambda axes, d=d: (d(axes), kept.append(axes)) for d in draws], **options)

    monkeypatch.setattr(street_plots, "as_png", watched)
    return kept


def test_hit_rates_are_drawn_for_the_champion_and_its_opponent(monkeypatch):
    axes = drawn(monkeypatch)
    every = pd.concat([curve(), curve(part="validation"), curve(lead=7), curve(group="violent")])

    picture = hit_rate_plot(every, "gldnet")

    assert picture.startswith(PNG)
    opponent, champion = axes[0].get_lines()
    np.testing.assert_allclose(opponent.get_ydata(), [10, 20, 30, 40, 50])  # up to half the streets
    np.testing.assert_allclose(champion.get_ydata(), 100 * np.sqrt([0.1, 0.2, 0.3, 0.4, 0.5]))
    gain = axes[1].get_lines()[0].get_ydata()
    np.testing.assert_allclose(gain[0], 100 * (np.sqrt(0.1) - 0.1))


def test_a_line_is_drawn_for_every_seed(monkeypatch):
    axes = drawn(monkeypatch)
    curves = [
        {"seed": seed, "epoch": epoch, "loss": 5.0, "validation_loss": 4.0, "hit_rate_20": 0.5}
        for seed in (0, 1)
        for epoch in (1, 2, 3)
    ]

    picture = training_plot(curves)

    assert picture.startswith(PNG)
    assert len(axes[0].get_lines()) == 4  # learned and validation, of two seeds
    assert [list(line.get_ydata()) for line in axes[1].get_lines()] == [[50.0] * 3] * 2
