"""One look for every figure: a white ground, few lines, and colours that a colour-blind reader tells apart."""

import matplotlib as mpl

COLOURS = {
    "minimize": "#0072B2",  # blue: descending, and Adam
    "maximize": "#D55E00",  # vermilion: climbing
    "best": "#009E73",  # green: the global minimum and the best state
    "loss": "#8C8C8C",  # the landscape itself
    "other": "#CC79A7",  # one more run beside them
}
"""Okabe and Ito's palette, by what a colour stands for."""


def use_style() -> None:
    """Set matplotlib's defaults to the book's; importing ``hilladam.figures`` does so."""
    mpl.rcParams.update({
        "figure.figsize": (7.2, 3.2),
        "figure.dpi": 150,
        "figure.constrained_layout.use": True,
        "figure.facecolor": "white",
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "lines.linewidth": 1.6,
        "legend.frameon": False,
        "legend.fontsize": 9,
    })  # fmt: skip
