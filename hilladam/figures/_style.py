"""One look for every figure: a white ground, few lines, and colours that a colour-blind reader tells apart."""

import functools
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

COLOURS = {
    "minimize": "#0072B2",  # blue: descending, and Adam
    "maximize": "#D55E00",  # vermilion: climbing
    "best": "#009E73",  # green: the global minimum and the best state
    "loss": "#8C8C8C",  # the landscape itself
    "other": "#CC79A7",  # one more run beside them
}
"""Okabe and Ito's palette, by what a colour stands for."""

_DASHES = (0, (5, 1, 1, 1, 1, 1))
STYLES = {
    "Hill-ADAM": (COLOURS["maximize"], "-"),
    "Adam, restarted": (COLOURS["best"], "-"),
    "Adam": (COLOURS["minimize"], "-"),
    "restarted when still": (COLOURS["best"], "-"),
    "restarted every 300": (COLOURS["best"], "--"),
    "AMSGrad": (COLOURS["minimize"], _DASHES),
    "RMSprop": (COLOURS["minimize"], ":"),
    "NAdam": (COLOURS["minimize"], "--"),
    "RAdam": (COLOURS["minimize"], "-."),
    "SGD": (COLOURS["loss"], ":"),
    "momentum": (COLOURS["loss"], "--"),
    "Nesterov": (COLOURS["loss"], "-."),
    "CoolMomentum": (COLOURS["other"], "-"),
    "Langevin": (COLOURS["other"], "--"),
    "simulated annealing": (COLOURS["other"], ":"),
    "L-BFGS, restarted": ("black", "-"),
    "MLSL with L-BFGS": ("black", "--"),
    "basin hopping": ("black", "-."),
    "dual annealing": ("black", ":"),
    "DIRECT": ("black", _DASHES),
    "differential evolution": ("black", (0, (1, 3))),
    "CMA-ES": ("black", (0, (8, 3))),
}
"""The colour and the line of a contender: together they tell it apart; what the book is about stands out."""


def styled(draw: Callable) -> Callable:
    """Decorate a function that draws: it does so in the book's style, and leaves matplotlib's settings as they were."""

    @functools.wraps(draw)
    def drawn(*args, **kwargs):
        # The first use of a backend may change settings to stay: a notebook's switches on that figures show by
        # themselves. It must not come within the context, which takes back all that changes there.
        plt.draw_if_interactive()
        with plt.style.context("hilladam.figures.hilladam"):
            return draw(*args, **kwargs)

    return drawn


def look(name: str) -> tuple:
    """The colour and the line of a contender; of one without its own, those of the landscape."""
    return STYLES.get(name, (COLOURS["loss"], "-"))


def legend_beside(ax: Axes) -> None:
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))


def edges(centres: np.ndarray) -> np.ndarray:
    """The edges of cells around points in geometric order."""
    logs = np.log(centres)
    middles = (logs[1:] + logs[:-1]) / 2
    return np.exp(np.concatenate([[2 * logs[0] - middles[0]], middles, [2 * logs[-1] - middles[-1]]]))
