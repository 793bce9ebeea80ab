"""Style of every picture, and how a picture becomes bytes.

The object interface only: no pyplot state, no windows, nothing to close.
"""

import base64
import io
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Given = ParamSpec("Given")
WIDTH_INCHES = 9.2
INK, QUIET, GRID = "#1f2933", "#6b7280", "#e3e7ec"
# Okabe and Ito (2008): eight colours that stay apart for colour-blind readers.
BLUE, ORANGE, GREEN, PURPLE, SKY, RED = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
)
# Models in the order in which they are shown; dash and marker differ too, not colour alone.
SERIES = (
    {"color": INK, "linestyle": "-", "marker": "o", "linewidth": 2.2, "zorder": 3},
    {"color": BLUE, "linestyle": "--", "marker": "s", "linewidth": 1.4},
    {"color": RED, "linestyle": "-.", "marker": "^", "linewidth": 1.4},
    {"color": GREEN, "linestyle": ":", "marker": "D", "linewidth": 1.6},
    {"color": PURPLE, "linestyle": (0, (5, 1)), "marker": "v", "linewidth": 1.4},
    {"color": QUIET, "linestyle": (0, (1, 1)), "marker": "x", "linewidth": 1.4},
)
FONTS = "'Helvetica Neue', Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
RASTER_DPI = 170  # of the cells inside a vector picture
STYLE: dict[Any, Any] = {
    "text.parse_math": False,  # a title may hold dollar signs: theft over $5,000
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelcolor": QUIET,
    "axes.edgecolor": "#b6bec8",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.color": "#b6bec8",
    "ytick.color": "#b6bec8",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "crime_platform",
}


def in_style(draw: Callable[Given, "Figure"]) -> Callable[Given, "Figure"]:
    """Run a drawing function with the report's style; matplotlib is imported only then."""

    @wraps(draw)
    def drawn(*args: Given.args, **kwargs: Given.kwargs) -> "Figure":
        import matplotlib as mpl

        with mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


def new_figure(height_inches: float) -> "Figure":
    """An empty figure as wide as the page."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH_INCHES, height_inches), layout="constrained")


def as_svg(figure: "Figure") -> str:
    """The picture as a data URI of an SVG whose text stays text, in the fonts of the page."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", dpi=RASTER_DPI, metadata={"Date": None})
    drawing = buffer.getvalue().replace("'DejaVu Sans'", FONTS).replace('"DejaVu Sans"', FONTS)
    return f"data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}"


def as_png(figure: "Figure", dpi: int = 90) -> bytes:
    """The picture as PNG bytes, for Dagster's event log."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()
