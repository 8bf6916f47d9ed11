# SPDX-License-Identifier: GPL-3.0-or-later
"""One style for every figure: 8 pt type at the printed width of a column, colours that colour-blind eyes tell apart."""
import io
import os

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from .. import STYLE, SUFFIXES
from ..analysis.quantity import minus
from ..errors import StzPostError
from ..io import writing

MM = 1 / 25.4
COLUMN = 85 * MM  # width of a single-column figure, inches
PAGE = 178 * MM  # width of a double-column figure
DPI = 300

# Okabe and Ito's palette.
BLACK, BLUE, VERMILLION, GREEN = "#000000", "#0072B2", "#D55E00", "#009E73"
ORANGE, SKY, PINK = "#E69F00", "#56B4E9", "#CC79A7"
GREY, LIGHT = "#707070", "#d9d9d9"

RC = {**matplotlib.rc_params_from_file(STYLE, use_default_template=False), "figure.dpi": DPI}


def new(width, height, **grid):
    """A figure of a size in inches and its axes, laid out without overlaps."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)  # not pyplot's, whose backend is the caller's: figures go to files
    figure.get_layout_engine().set(w_pad=2 * MM, h_pad=1 * MM)
    return figure, figure.subplots(**grid)


def styled(draw):
    """Decorator: draws within the style. A figure for which there are no data is None."""

    def wrapped(*args, **kwargs):
        with matplotlib.rc_context(RC):
            drawn = draw(*args, **kwargs)
            figure = drawn[0] if isinstance(drawn, tuple) else drawn  # some return their numbers besides
            if figure is not None:
                for text in figure.findobj(Text):
                    if text.get_text() != (told := minus(text.get_text())):
                        text.set_text(told)
                # Fixes tick labels while the style holds, and the layout, which would be found again whenever the figure
                # is drawn, in a second each.
                figure.draw_without_rendering()
                figure.set_layout_engine("none")
            return drawn

    wrapped.__name__, wrapped.__doc__ = draw.__name__, draw.__doc__
    return wrapped


def shade(number, count):
    """Colour of one of a series in order, from light to dark."""
    return matplotlib.colormaps["viridis"](0.9 - 0.8 * number / max(1, count - 1))


def nested(number, count):
    """Width of one of `count` lines that may coincide: each is thinner than those below it, so that all are seen."""
    return 1.0 if count < 2 else 2.8 - 2.0 * number / (count - 1)


def sign_size(width):
    """Size of the open signs on a line of such a width: those that coincide stand within each other."""
    return 1.4 + 1.4 * width


def check(path):
    """Refuses a name of no known format, before anything is drawn."""
    if os.path.splitext(path)[1].lower() not in SUFFIXES:
        raise StzPostError(f"-o: got {path}, needs a name that ends in {', '.join(SUFFIXES)}")


def save(figure, path):
    """Writes the figure in the format of the path's suffix (see `check`)."""
    writing.data(path, _drawn(figure, os.path.splitext(path)[1][1:].lower()))


def png(figure):
    """The figure as PNG bytes."""
    return _drawn(figure, "png")


def _drawn(figure, kind):
    """In memory: a backend that cannot write to the disk has errors of its own."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(RC):
        figure.savefig(buffer, format=kind, metadata={"Software": None} if kind == "png" else None)
    return buffer.getvalue()


def panel(axes, letter):
    """Letter of a panel, above its upper left corner."""
    axes.text(0, 1.02, f"({letter})", transform=axes.transAxes, va="bottom")
