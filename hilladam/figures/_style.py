"""One look for every figure: a white ground, few lines, and colours that a colour-blind reader tells apart."""

import functools
from collections.abc import Callable

import matplotlib.pyplot as plt

COLOURS = {
    "minimize": "#0072B2",  # blue: descending, and Adam
    "maximize": "#D55E00",  # vermilion: climbing
    "best": "#009E73",  # green: the global minimum and the best state
    "loss": "#8C8C8C",  # the landscape itself
    "other": "#CC79A7",  # one more run beside them
}
"""Okabe and Ito's palette, by what a colour stands for."""


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
