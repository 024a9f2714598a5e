"""Races: how soon each contender reaches the target, and which way it takes on a surface."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hilladam.experiments import Record, gradients_to
from hilladam.figures._style import COLOURS, styled
from hilladam.losses import Surface

# Colour and line together tell the contenders apart; what the book is about stands out.
_STYLES = {
    "Hill-ADAM": (COLOURS["maximize"], "-"),
    "Adam, restarted": (COLOURS["best"], "-"),
    "Adam": (COLOURS["minimize"], "-"),
    "CoolMomentum": (COLOURS["other"], "-"),
    "Langevin": (COLOURS["other"], "--"),
    "simulated annealing": (COLOURS["other"], ":"),
    "SGD": ("black", ":"),
    "momentum": ("black", "--"),
    "Nesterov": ("black", "-."),
    "RMSprop": (COLOURS["minimize"], ":"),
    "NAdam": (COLOURS["minimize"], "--"),
    "RAdam": (COLOURS["minimize"], "-."),
}


@styled
def reached(records: Mapping[str, Record], target: float, *, ax: Axes | None = None) -> Figure:
    """The share of runs that have met the target, over the evaluations spent (an ECDF).

    Args:
        records: from :func:`~hilladam.experiments.race`, with history.
        target: in units of the loss.
        ax: where to draw; default: a new figure with a legend beside it.

    Raises:
        ValueError: no records.

    Example:
        >>> from hilladam import figures
        >>> from hilladam.experiments import race
        >>> from hilladam.losses import SURFACES
        >>> camel = SURFACES["camel"]
        >>> records = race(camel, 0.05, contenders=["Adam", "SGD"], runs=3, evaluations=20)
        >>> figure = figures.reached(records, target=-1.0)
        >>> [line.get_label() for line in figure.axes[0].lines]
        ['Adam', 'SGD']
    """
    if not records:
        raise ValueError(f"Invalid records: {records}; expected at least one")
    alone = ax is None
    ax = ax or plt.subplots()[1]
    for name, record in records.items():
        colour, line = _STYLES.get(name, (COLOURS["loss"], "-"))
        hits = np.sort(gradients_to(record, target))
        budget = len(record.losses)
        hits = hits[np.isfinite(hits)]
        x = np.concatenate([[1], hits, [budget]])
        y = np.concatenate([[0], np.arange(1, len(hits) + 1), [len(hits)]]) / record.losses.shape[1]
        ax.step(x, y, where="post", color=colour, linestyle=line, label=name)
    ax.set(xscale="log", xlim=(1, budget), ylim=(-0.02, 1.02), xlabel="evaluations", ylabel="share of runs")
    if alone:
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
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
        ax.scatter(*point.x, s=34, color=COLOURS["best"] if lowest else "white", edgecolors="black", zorder=3)
    for name, run in runs.items():
        colour, line = _STYLES.get(name, (COLOURS["loss"], "-"))
        restarts = np.flatnonzero((run.reasons > 0) & ~run.maximize & ~np.roll(run.maximize, 1))
        states = run.states[:last]
        line_states = np.insert(states, restarts[restarts < len(states) - 1] + 1, np.nan, axis=0)  # no line over a jump
        ax.plot(*line_states.T, color=colour, linestyle=line, linewidth=1.3, label=name, zorder=4)
        ax.scatter(*states[0], marker="D", s=26, color=colour, edgecolors="black", zorder=5)
        ax.scatter(*states[-1], marker="X", s=46, color=colour, edgecolors="black", zorder=5)
    if alone and runs:
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    ax.set(xlim=loss.box[0], ylim=loss.box[1], xlabel="x", ylabel="y")
    return ax.figure
