"""Losses of one variable, and what runs do on them."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from hilladam.experiments import Record
from hilladam.figures._style import COLOURS, styled
from hilladam.losses import Polynomial

_MARKS = {"minimum": ("o", "minima"), "maximum": ("^", "maxima"), "inflection": ("s", "flat inflections")}


@styled
def stationary_points(loss: Polynomial, *, ax: Axes | None = None, margin: float = 0.35, label: bool = True) -> Figure:
    """The curve of a loss with its stationary points, the global minimum filled.

    Args:
        loss: the polynomial.
        ax: where to draw; default: a new figure.
        margin: how far to draw beyond the outermost stationary points, as a share of their distance (at least 0.5).
        label: whether to write each point's value beside it.

    Raises:
        ValueError: a polynomial without a lower bound; see :attr:`~hilladam.losses.Polynomial.global_minimum`.

    Example:
        >>> from hilladam import figures
        >>> from hilladam.losses import DOUBLE_WELL
        >>> figure = figures.stationary_points(DOUBLE_WELL)
        >>> [marks.get_label() for marks in figure.axes[0].collections]
        ['minima', 'maxima']
    """
    ax = ax or plt.subplots()[1]
    points = loss.stationary_points
    _curve(ax, loss, _window(loss, margin))
    for kind, (marker, name) in _MARKS.items():
        chosen = [p for p in points if p.kind == kind]
        faces = [COLOURS["best"] if p == loss.global_minimum else "white" for p in chosen]
        if chosen:
            ax.scatter([p.x for p in chosen], [p.value for p in chosen], marker=marker, s=36, zorder=3, c=faces,
                       edgecolors=COLOURS["ink"], linewidths=1, label=name)  # fmt: skip
    if label:
        for p in points:
            above = p.kind == "maximum"
            ax.annotate(f"{p.value:.3g}", (p.x, p.value), (0, 8 if above else -14), textcoords="offset points",
                        ha="center", fontsize=10)  # fmt: skip
    ax.set(xlabel="x", ylabel="loss f(x)")
    return ax.figure


@styled
def trajectory(run: Record, loss: Polynomial | None = None, *, ax: Axes | None = None, first: int = 0,
               last: int | None = None) -> Figure:  # fmt: skip
    """The loss of one run over its steps: blue where it descends, vermilion where it climbs, a mark at every switch.

    Args:
        run: the record of one run; see :meth:`~hilladam.experiments.Record.member`.
        loss: draws a green line at this loss's global minimum.
        ax: where to draw; default: a new figure.
        first, last: the range of steps to show, as of a slice.

    Raises:
        ValueError: no steps in that range.

    Example:
        >>> import torch
        >>> from hilladam import HillAdam, figures
        >>> from hilladam.experiments import Points, train
        >>> from hilladam.losses import DOUBLE_WELL, stack
        >>> points = Points(torch.tensor([2.0], dtype=torch.float64))
        >>> optimizer = HillAdam(points.parameters, lr=0.1)
        >>> run = train(points, stack([DOUBLE_WELL]), optimizer, 20).member(0)
        >>> figure = figures.trajectory(run, DOUBLE_WELL)
        >>> figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()
        ('step', 'loss')
    """
    ax = ax or plt.subplots()[1]
    steps = np.arange(len(run.losses))[first:last]
    if not len(steps):
        raise ValueError(f"Invalid first, last: {first}, {last}; expected some of the run's {len(run.losses)} steps")
    values, climbs = run.losses[first:last], run.maximize[first:last]
    two_coloured(ax, steps, values, climbs)
    turns = run.switches[(run.switches >= first) & (run.switches <= steps[-1])]
    if len(turns):
        colours = [COLOURS["maximize" if run.maximize[t] else "minimize"] for t in turns]
        ax.scatter(turns, run.losses[turns], c=colours, s=22, zorder=3, edgecolors=COLOURS["ink"], linewidths=0.6)
    if loss is not None:
        ax.axhline(loss.global_minimum.value, color=COLOURS["best"], linestyle="--", linewidth=1.2)
    ax.set(xlabel="step", ylabel="loss", xlim=(steps[0], steps[-1]))
    ax.margins(y=0.08)
    ax.autoscale_view(scalex=False)
    return ax.figure


@styled
def on_the_curve(run: Record, loss: Polynomial, *, ax: Axes | None = None, margin: float = 0.35) -> Figure:
    """One run on the curve of its loss: where it started, every switch, where it stood best.

    Args:
        run: the record of one run; see :meth:`~hilladam.experiments.Record.member`.
        loss: its loss.
        ax: where to draw; default: a new figure.
        margin: as for :func:`stationary_points`.

    Example:
        >>> import torch
        >>> from hilladam import HillAdam, figures
        >>> from hilladam.experiments import Points, train
        >>> from hilladam.losses import DOUBLE_WELL, stack
        >>> points = Points(torch.tensor([2.0], dtype=torch.float64))
        >>> optimizer = HillAdam(points.parameters, lr=0.1)
        >>> run = train(points, stack([DOUBLE_WELL]), optimizer, 20).member(0)
        >>> figure = figures.on_the_curve(run, DOUBLE_WELL)
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['start', 'best state']
    """
    ax = ax or plt.subplots()[1]
    window = _window(loss, margin)
    _curve(ax, loss, window)
    x = run.states.reshape(len(run.states))
    inside = (x >= window[0]) & (x <= window[1])
    shown = np.where(inside, x, np.nan)
    two_coloured(ax, shown, loss(shown), run.maximize)
    for turn in run.switches:
        colour = COLOURS["maximize" if run.maximize[turn] else "minimize"]
        ax.scatter(
            shown[turn], loss(shown[turn]), color=colour, s=22, zorder=3, edgecolors=COLOURS["ink"], linewidths=0.6
        )
    ax.scatter(shown[0], loss(shown[0]), marker="D", s=30, color=COLOURS["ink"], zorder=4)
    best = run.best_states.item()
    ax.scatter(best, loss(best), marker="*", s=150, color=COLOURS["best"], edgecolors=COLOURS["ink"], linewidths=0.6,
               zorder=5)  # fmt: skip
    middle, reach = sum(window) / 2, (window[1] - window[0]) / 8
    for x, name, colour in ((shown[0], "start", "ink"), (best, "best state", "best")):
        side = 1 if x < middle else -1  # a name stands on the side of its mark where there is room
        above = name == "start" or loss(x + side * reach) < loss(x)  # and where the curve is not
        ax.annotate(name, (x, loss(x)), (9 * side, 6 if above else -18), textcoords="offset points",
                    ha="left" if side > 0 else "right", color=COLOURS[colour])  # fmt: skip
    ax.set(xlabel="x", ylabel="loss f(x)")
    return ax.figure


@styled
def side_by_side(runs: Mapping[str, Record], loss: Polynomial, *, first: int = 0, last: int | None = None) -> Figure:
    """The :func:`trajectory` of several runs on one loss, in panels with common axes (the paper's Figures 2 and 3).

    Args:
        runs: the record of one run by the name of its optimizer. Adam's is drawn in ink.
        loss: the loss they all had.
        first, last: the range of steps to show, as of a slice.

    Raises:
        ValueError: no runs, or no steps in that range.

    Example:
        >>> import torch
        >>> from hilladam import HillAdam, figures
        >>> from hilladam.experiments import Points, train
        >>> from hilladam.losses import DOUBLE_WELL, stack
        >>> points = Points(torch.tensor([2.0], dtype=torch.float64))
        >>> optimizer = HillAdam(points.parameters, lr=0.1)
        >>> run = train(points, stack([DOUBLE_WELL]), optimizer, 20).member(0)
        >>> figure = figures.side_by_side({"Hill-ADAM": run}, DOUBLE_WELL)
        >>> [ax.get_title("left") for ax in figure.axes]
        ['Hill-ADAM']
    """
    if not runs:
        raise ValueError(f"Invalid runs: {runs}; expected at least one")
    figure, axes = plt.subplots(1, len(runs), sharex=True, sharey=True, squeeze=False)
    for ax, (name, run) in zip(axes.flat, runs.items(), strict=True):
        trajectory(run, loss, ax=ax, first=first, last=last)
        if name == "Adam":
            ax.collections[0].set_color(COLOURS["ink"])
        ax.set_title(name)
        ax.label_outer()
    handles = [
        plt.Line2D([], [], color=COLOURS["minimize"], label="minimising"),
        plt.Line2D([], [], color=COLOURS["maximize"], label="maximising"),
        plt.Line2D([], [], marker="o", color="none", markeredgecolor=COLOURS["ink"], markersize=5, label="switch"),
        plt.Line2D([], [], color=COLOURS["best"], linestyle="--", label="global minimum"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _window(loss: Polynomial, margin: float) -> tuple[float, float]:
    places = [p.x for p in loss.stationary_points]
    room = max(margin * (places[-1] - places[0]), 0.5)
    return places[0] - room, places[-1] + room


def _curve(ax: Axes, loss: Polynomial, window: tuple[float, float]) -> None:
    """The loss over the window, cut off above a little more than its highest stationary point."""
    x = np.linspace(*window, 800)
    values = [p.value for p in loss.stationary_points]
    low, high = min(values), max(values)
    room = max(high - low, 1.0)
    ax.plot(x, loss(x), color=COLOURS["loss"], zorder=1)
    ax.set(xlim=window, ylim=(low - 0.18 * room, high + 0.35 * room))


def two_coloured(ax: Axes, x, y, climbs, width: float = 1.8) -> None:
    """The way of a run: vermilion the steps that climb, blue the others."""
    points = np.column_stack([x, y])
    segments = np.stack([points[:-1], points[1:]], axis=1)
    colours = np.where(climbs[:-1], COLOURS["maximize"], COLOURS["minimize"])
    ax.add_collection(LineCollection(segments, colors=colours, linewidths=width, zorder=2))
