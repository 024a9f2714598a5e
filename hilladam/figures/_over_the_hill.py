"""Over the hill: a journey on the map of a loss of two variables, along its evaluations, and how often walks arrive."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hilladam.experiments import Journey
from hilladam.figures._style import COLOURS, styled

_LEGS = {False: COLOURS["minimize"], True: COLOURS["maximize"]}


@styled
def journey_map(
    loss: Callable, journey: Journey, *, box: tuple[float, float] | None = None, ax: Axes | None = None
) -> Figure:
    """A journey on the map of a loss of two variables: blue descends, vermilion walks.

    Args:
        loss: takes points of shape ``(…, 2)`` to losses.
        journey: of two variables.
        box: (lowest, highest) of both variables; default: the loss's own ``box``.
        ax: where to draw; default: a new figure.

    Raises:
        ValueError: a journey of another number of variables.

    Example:
        >>> from hilladam import figures
        >>> from hilladam.experiments import journey
        >>> from hilladam.losses import Torus
        >>> loss = Torus([-1.0, -1.0], [[1, 0], [0, 1]], [0.0, 0.0])
        >>> figures.journey_map(loss, journey(loss, [2.0, 0.5], 30)).axes[0].get_xlabel()
        'x'
    """
    if journey.places.shape[1] != 2:
        raise ValueError(f"Invalid journey: of {journey.places.shape[1]} variables; expected 2")
    ax = ax or plt.subplots(figsize=(5.2, 4.6))[1]
    low, high = box or loss.box
    line = np.linspace(low, high, 161)
    heights = np.asarray(loss(np.stack(np.meshgrid(line, line), axis=-1)))
    ax.contourf(line, line, heights, 14, cmap="Greys", alpha=0.55)
    ax.contour(line, line, heights, 14, colors=COLOURS["loss"], linewidths=0.4)
    for origin, place, walking in zip(journey.origins[1:], journey.places[1:], journey.walking[1:], strict=True):
        ax.plot(*np.array([origin, place]).T, color=_LEGS[bool(walking)], lw=1.4, zorder=3)
    for walking, marker in ((False, "o"), (True, "s")):
        shown = journey.places[journey.walking == walking]
        ax.plot(*shown.T, marker, ms=2.5, color=_LEGS[walking], zorder=4, label="walk" if walking else "descent")
    ax.plot(*journey.places[0], "D", ms=6, color="white", mec=COLOURS["ink"], zorder=5)
    ax.plot(*journey.places[journey.losses.argmin()], "*", ms=13, color=COLOURS["best"], mec="white", zorder=5)
    ax.set(xlim=(low, high), ylim=(low, high), xlabel="x", ylabel="y", aspect="equal")
    return ax.figure


@styled
def journey_losses(journey: Journey, *, ax: Axes | None = None) -> Figure:
    """The loss of a journey, evaluation by evaluation: blue descends, vermilion walks; green the lowest so far.

    Args:
        journey: of any number of variables.
        ax: where to draw; default: a new figure.

    Example:
        >>> from hilladam import figures
        >>> from hilladam.experiments import journey
        >>> taken = journey(lambda x: (x**2).sum(), [3.0, 4.0], 30)
        >>> figures.journey_losses(taken).axes[0].get_xlabel()
        'evaluation'
    """
    ax = ax or plt.subplots()[1]
    steps = np.arange(len(journey.losses))
    ax.step(steps, np.minimum.accumulate(journey.losses), where="post", color=COLOURS["best"], lw=1, zorder=1)
    fresh = np.flatnonzero((journey.origins[1:] != journey.places[:-1]).any(axis=1)) + 1  # steps from the centre
    for walking, marker in ((False, "o"), (True, "s")):
        legs = np.where(journey.walking == walking, journey.losses, np.nan)
        ax.plot(np.insert(steps.astype(float), fresh, np.nan), np.insert(legs, fresh, np.nan), marker=marker, ms=2.5,
                lw=1, color=_LEGS[walking], label="walks" if walking else "descents")  # fmt: skip
    ax.set(xlabel="evaluation", ylabel="loss")
    ax.legend()
    return ax.figure


@styled
def arrivals(
    rates: Mapping[str, Sequence[tuple[float, float, float]]], panels: Sequence[str], *, stands_out: Sequence[str] = ()
) -> Figure:
    """How often each contender arrives: a row for each, a panel for each number of variables, with intervals.

    Args:
        rates: for each contender, top first, (rate, low, high) in each panel.
        panels: their titles.
        stands_out: the contenders in vermilion; the others are grey.

    Raises:
        ValueError: a contender that has not one rate for each panel.

    Example:
        >>> from hilladam import figures
        >>> rates = {"ours": [(0.9, 0.85, 0.95)], "theirs": [(0.5, 0.4, 0.6)]}
        >>> [text.get_text() for text in figures.arrivals(rates, ["d = 2"]).axes[0].get_yticklabels()]
        ['ours', 'theirs']
    """
    for name, row in rates.items():
        if len(row) != len(panels):
            raise ValueError(f"Invalid rates: {len(row)} of {name!r}; expected {len(panels)}, one for each panel")
    fig, axes = plt.subplots(1, len(panels), figsize=(7.2, 0.6 + 0.3 * len(rates)), sharey=True, squeeze=False)
    for k, (ax, title) in enumerate(zip(axes[0], panels, strict=True)):
        for y, (name, row) in enumerate(rates.items()):
            rate, low, high = row[k]
            colour = COLOURS["maximize"] if name in stands_out else COLOURS["loss"]
            ax.plot([low, high], [y, y], color=colour, lw=2)
            ax.plot(rate, y, "D" if name in stands_out else "o", ms=5, color=colour)
        ax.set(xlim=(-0.03, 1.03), xticks=(0, 0.5, 1), title=title, xlabel="share that arrives")
        ax.set_yticks(range(len(rates)), list(rates))
        ax.grid(axis="x", lw=0.4)
        for label, side in zip(ax.get_xticklabels(), ("left", "center", "right"), strict=True):
            label.set_horizontalalignment(side)  # the 1 of a panel is not beside the 0 of the next
    axes[0][0].invert_yaxis()
    return fig
