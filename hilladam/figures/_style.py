"""One look for every figure: a white ground, few lines, and colours that a colour-blind reader tells apart."""

import matplotlib.pyplot as plt

COLOURS = {
    "minimize": "#0072B2",  # blue: descending, and Adam
    "maximize": "#D55E00",  # vermilion: climbing
    "best": "#009E73",  # green: the global minimum and the best state
    "loss": "#8C8C8C",  # the landscape itself
    "other": "#CC79A7",  # one more run beside them
}
"""Okabe and Ito's palette, by what a colour stands for."""

styled = plt.style.context("hilladam.figures.hilladam")
"""Decorates a function that draws: it does so in the book's style, and leaves matplotlib's settings as they were."""
