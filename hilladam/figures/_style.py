"""One look for every figure: a white ground, few lines, names beside what they name, and one table of colours."""

import functools
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = {
    "ink": "#222832",  # Adam, and what is drawn in black
    "minimize": "#0072B2",  # blue: descending
    "maximize": "#B84A00",  # vermilion: climbing
    "best": "#00734F",  # green: the global minimum and the best state
    "loss": "#6B7480",  # grey: the landscape itself, and other optimizers
    "other": "#B0528A",  # one more run beside them
}
"""Colours that a colour-blind reader tells apart, by what each stands for, in figures, explorers and text alike."""

DARK = {
    "ink": "#E4E8ED",
    "minimize": "#56B4E9",
    "maximize": "#FF8A3D",
    "best": "#2FC796",
    "loss": "#9AA3AE",
    "other": "#E39BC6",
}
"""The same on a dark page: explorers and text have them, and figures nearly, by a filter of the page's style sheet."""

_SEARCH = "#5D4B9E"  # what searches with more than gradients
_DASHES = (0, (5, 1, 1, 1, 1, 1))
STYLES = {
    "Hill-ADAM": (COLOURS["maximize"], "-"),
    "AdaptiveHillAdam": (COLOURS["maximize"], ":"),
    "AdaptiveHillAdam, finished": (COLOURS["maximize"], "--"),
    "OverTheHill": (COLOURS["other"], "-"),
    "OverTheHill, L-BFGS": (COLOURS["other"], "--"),
    "Adam": (COLOURS["ink"], "-"),
    "self-paced Adam, restarted": (COLOURS["ink"], "--"),
    "Adam, restarted": (COLOURS["ink"], "--"),
    "restarted when still": (COLOURS["ink"], "--"),
    "restarted every 300": (COLOURS["ink"], ":"),
    "AMSGrad": (COLOURS["loss"], _DASHES),
    "RMSprop": (COLOURS["loss"], ":"),
    "NAdam": (COLOURS["loss"], "--"),
    "RAdam": (COLOURS["loss"], "-."),
    "SGD": (COLOURS["loss"], (0, (1, 3))),
    "momentum": (COLOURS["loss"], (0, (8, 3))),
    "Nesterov": (COLOURS["loss"], (0, (8, 2, 1, 2, 1, 2))),
    "CoolMomentum": (COLOURS["other"], "-"),
    "Langevin": (COLOURS["other"], "--"),
    "simulated annealing": (COLOURS["other"], ":"),
    "L-BFGS, restarted": (_SEARCH, "-"),
    "MLSL with L-BFGS": (_SEARCH, "--"),
    "basin hopping": (_SEARCH, "-."),
    "dual annealing": (_SEARCH, ":"),
    "DIRECT": (_SEARCH, _DASHES),
    "differential evolution": (_SEARCH, (0, (1, 3))),
    "CMA-ES": (_SEARCH, (0, (8, 3))),
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
    """The colour and the line of a contender; of one without its own, those of the landscape.

    Args:
        name: as the race, the championship and their tables have it.

    Example:
        >>> from hilladam import figures
        >>> figures.look("Adam") == (figures.COLOURS["ink"], "-")
        True
    """
    return STYLES.get(name, (COLOURS["loss"], "-"))


@styled
def label_ends(ax: Axes) -> Figure:
    """Write the label of each line of a panel at its right end, in its colour, one below the other where ends meet.

    A line without a finite point has no end, and stays without a name.

    Args:
        ax: a panel whose lines have labels, and whose limits will not change any more.

    Example:
        >>> import matplotlib.pyplot as plt
        >>> from hilladam import figures
        >>> ax = plt.subplots()[1]
        >>> lines = ax.plot([0, 1], [0, 1], label="up") + ax.plot([0, 1], [1, 0], label="down")
        >>> [text.get_text() for text in figures.label_ends(ax).axes[0].texts]
        ['down', 'up']
    """
    lines = [line for line in ax.lines if not line.get_label().startswith("_")]
    room = 1.3 * plt.rcParams["font.size"] / 72 * ax.figure.dpi / ax.bbox.height  # of a line of text, as a share
    ends = []
    for line in lines:
        points = np.column_stack([np.asarray(values, float) for values in line.get_data()])
        points = points[np.isfinite(points).all(axis=1)]
        if len(points):
            place = ax.transAxes.inverted().transform(line.get_transform().transform(points[-1]))
            ends.append((float(np.clip(place[1], 0, 1)), line))
    ends.sort(key=lambda end: end[0])
    for height, (_, line) in zip(apart(np.array([end for end, _ in ends]), room, 0, 1), ends, strict=True):
        ax.annotate(line.get_label(), (1, height), (6, 0), xycoords="axes fraction", textcoords="offset points",
                    va="center", color=line.get_color())  # fmt: skip
    return ax.figure


def apart(heights: np.ndarray, least: float, low: float, high: float) -> np.ndarray:
    """Heights for labels: near those given, within bounds, and nowhere closer than ``least``; in their order."""
    steps = least * np.arange(len(heights))
    order, blocks = np.argsort(heights, kind="stable"), []
    for height in heights[order] - steps:  # which must rise: pool those that fall
        blocks.append([height, 1])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (mean, count), (before, many) = blocks.pop(), blocks.pop()
            blocks.append([(mean * count + before * many) / (count + many), count + many])
    means = np.array([mean for mean, count in blocks for _ in range(count)])
    placed = np.minimum(means + steps, high - steps[::-1])
    spread = np.empty(len(heights))
    spread[order] = np.maximum(placed, low + steps)
    return spread


def edges(centres: np.ndarray) -> np.ndarray:
    """The edges of cells around points in geometric order."""
    logs = np.log(centres)
    middles = (logs[1:] + logs[:-1]) / 2
    return np.exp(np.concatenate([[2 * logs[0] - middles[0]], middles, [2 * logs[-1] - middles[-1]]]))
