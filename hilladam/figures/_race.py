"""Races: how soon each contender reaches the target, by how much they differ, and by which way they go."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hilladam.experiments import Record, wilson_interval
from hilladam.figures._style import COLOURS, label_ends, look, styled
from hilladam.losses import Surface


@styled
def reached(hits: Mapping[str, np.ndarray], budget: int, *, ax: Axes | None = None) -> Figure:
    """The share of runs that have met the target, over the evaluations spent (an ECDF), with 95 % bands.

    The bands are Wilson's intervals, at each number of evaluations by itself.

    Args:
        hits: by name, shape ``(runs,)``: the evaluations to the target, infinite where it was not met; as
            :func:`~hilladam.experiments.gradients_to` and :func:`~hilladam.experiments.search` count them.
        budget: how many evaluations each run had.
        ax: where to draw; default: a new figure with the names at the ends of its lines.

    Raises:
        ValueError: no hits.

    Example:
        >>> import numpy as np
        >>> from hilladam import figures
        >>> figure = figures.reached({"Adam": np.array([3.0, 40.0, np.inf]), "SGD": np.array([7.0, 7.0, 9.0])}, 100)
        >>> [line.get_label() for line in figure.axes[0].lines]
        ['Adam', 'SGD']
    """
    if not hits:
        raise ValueError(f"Invalid hits: {hits}; expected at least one contender")
    alone = ax is None
    ax = ax or plt.subplots()[1]
    for name, counts in hits.items():
        colour, line = look(name)
        at, found = np.unique(counts[counts <= budget], return_counts=True)
        x = np.concatenate([[1], at, [budget]])
        successes = np.cumsum(np.concatenate([[0], found, [0]]))
        low, high = wilson_interval(successes, len(counts))
        ax.fill_between(x, low, high, step="post", color=colour, alpha=0.15, linewidth=0)
        ax.step(x, successes / len(counts), where="post", color=colour, linestyle=line, label=name)
    ax.set(xscale="log", xlim=(1, budget), ylim=(-0.02, 1.02), xlabel="evaluations", ylabel="share of runs")
    if alone:
        label_ends(ax)
    return ax.figure


@styled
def differences(table: pd.DataFrame, *, ax: Axes | None = None, level: float = 0.05) -> Figure:
    """Differences of two rates with their intervals, one below the other.

    A filled mark is a difference whose corrected p lies below the level, an open one a difference that was not seen.

    Args:
        table: from :func:`~hilladam.experiments.compare`; its index is written beside the marks.
        ax: where to draw; default: a new figure.
        level: of the corrected p.

    Example:
        >>> import numpy as np
        >>> from hilladam import figures
        >>> from hilladam.experiments import compare
        >>> first, second = np.arange(100) < 60, np.arange(100) < 40
        >>> figure = figures.differences(compare({"Adam": (first, second), "SGD": (first, first)}))
        >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
        ['Adam', 'SGD']
    """
    ax = ax or plt.subplots()[1]
    places = np.arange(len(table))
    seen = (table["corrected"] < level).to_numpy()
    ax.axvline(0, color=COLOURS["loss"], linewidth=1)
    ax.hlines(places, table["low"], table["high"], color=COLOURS["ink"], linewidth=1.3)
    for which, fill in ((seen, COLOURS["ink"]), (~seen, "white")):
        ax.scatter(table["difference"][which], places[which], s=26, color=fill, edgecolors=COLOURS["ink"], zorder=3)
    ax.set(yticks=places, yticklabels=[str(name) for name in table.index], xlabel="difference of the shares")
    if not ax.yaxis_inverted():
        ax.invert_yaxis()
    return ax.figure


@styled
def paths(loss: Surface, runs: Mapping[str, Record], *, ax: Axes | None = None, last: int | None = None) -> Figure:
    """A contour map of a surface with its minima and the paths of runs on it.

    The lines are equally far apart in the logarithm of the height above the global minimum. Circles are minima, the
    global ones filled; a path starts at a diamond and is at a cross when the picture ends.

    Args:
        loss: the surface, drawn over its box.
        runs: the record of one run by its name; see :meth:`~hilladam.experiments.Record.member`.
        ax: where to draw; default: a new figure with a legend beside it.
        last: how many steps to show; default: all.

    Example:
        >>> from hilladam import figures
        >>> from hilladam.experiments import race
        >>> from hilladam.losses import SURFACES
        >>> camel = SURFACES["camel"]
        >>> records = race(camel, 0.05, contenders=["Adam", "SGD"], runs=3, evaluations=20)
        >>> figure = figures.paths(camel, {name: record.member(0) for name, record in records.items()})
        >>> [line.get_label() for line in figure.axes[0].lines]
        ['Adam', 'SGD']
    """
    alone = ax is None
    ax = ax or plt.subplots(figsize=(6.4, 4.2))[1]
    (left, right), (bottom, top) = loss.box
    x, y = np.meshgrid(np.linspace(left, right, 201), np.linspace(bottom, top, 201))
    height = loss(torch.tensor(np.stack([x, y], axis=-1))).numpy() - loss.global_minimum.value
    scale = np.log1p(np.maximum(height, 0.0) / np.median(height) * 20)
    ax.contourf(x, y, scale, levels=20, cmap="Greys", alpha=0.5)
    for point in loss.minima:
        lowest = point.value < loss.global_minimum.value + 1e-6
        ax.scatter(*point.x, s=34, color=COLOURS["best"] if lowest else "white", edgecolors=COLOURS["ink"], zorder=3)
    for name, run in runs.items():
        colour, line = look(name)
        restarts = np.flatnonzero((run.reasons > 0) & ~run.maximize & ~np.roll(run.maximize, 1))
        states = run.states[:last]
        line_states = np.insert(states, restarts[restarts < len(states) - 1] + 1, np.nan, axis=0)  # no line over a jump
        ax.plot(*line_states.T, color=colour, linestyle=line, linewidth=1.3, label=name, zorder=4)
        ax.scatter(*states[0], marker="D", s=26, color=colour, edgecolors=COLOURS["ink"], zorder=5)
        ax.scatter(*states[-1], marker="X", s=46, color=colour, edgecolors=COLOURS["ink"], zorder=5)
    if alone and runs:
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    ax.set(xlim=loss.box[0], ylim=loss.box[1], xlabel="x", ylabel="y")
    return ax.figure
