"""Where Hill-ADAM loses: success over settings, units and noise, and what its climbs lead to."""

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from hilladam.experiments import Record, wilson_interval
from hilladam.figures._style import COLOURS, edges, styled
from hilladam.losses import Torus, Wells

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_LINES = (
    (COLOURS["ink"], "-", "o"), (COLOURS["loss"], "--", "s"), (COLOURS["other"], "-.", "^"), ("#5D4B9E", ":", "D"),
)  # fmt: skip
_INDEX = LinearSegmentedColormap.from_list("index", ["#DFE3E8", COLOURS["ink"]])
_SHARE = LinearSegmentedColormap.from_list("share", ["#EEF1F4", "#7CC2A5"])  # so pale that ink is read, dark pages too


@styled
def success_over(panels: "Mapping[str, tuple[ArrayLike, Mapping[str, ArrayLike]]]", *, mark: float | None = None,
                 logs: bool = True) -> Figure:  # fmt: skip
    """The share of runs that succeed over some quantity, with 95 % intervals (Wilson) as bands, panels side by side.

    Args:
        panels: by the name of the quantity, its values, and by the name of a curve, up to four, whether each of its
            independent runs succeeded, bool of shape ``(values, runs)``.
        mark: a value at which every panel has a vertical line.
        logs: whether the quantities are drawn on logarithmic axes.

    Raises:
        ValueError: no panels.

    Example:
        >>> import numpy as np
        >>> from hilladam import figures
        >>> runs = np.arange(20).reshape(2, 10) % 3 > 0
        >>> figure = figures.success_over({"loss times": ([1e-2, 1.0], {"tori": runs})}, mark=1.0)
        >>> figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()
        ('loss times', 'share of runs')
    """
    if not panels:
        raise ValueError(f"Invalid panels: {panels}; expected at least one")
    figure, axes = plt.subplots(1, len(panels), squeeze=False, sharey=True, figsize=(6.4, 3.1))
    handles = {}
    for ax, (name, (values, curves)) in zip(axes[0], panels.items(), strict=True):
        for (label, runs), (colour, line, marker) in zip(curves.items(), _LINES, strict=False):
            runs = np.asarray(runs, bool)
            counts = runs.sum(axis=1)
            ax.fill_between(values, *wilson_interval(counts, runs.shape[1]), color=colour, alpha=0.15, lw=0)
            (handles[label],) = ax.plot(
                values, counts / runs.shape[1], color=colour, linestyle=line, marker=marker, ms=4
            )
        if mark is not None:
            ax.axvline(mark, color=COLOURS["loss"], lw=0.8, zorder=0)
        ax.set(xlabel=name, ylim=(-0.03, 1.03), xscale="log" if logs else "linear")
    axes[0, 0].set_ylabel("share of runs")
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=2, handlelength=3.5)
    return figure


@styled
def setting_maps(lr: "ArrayLike", delta: "ArrayLike", maps: "Mapping[str, ArrayLike]",
                 published: tuple[float, float] = (0.01, 1e-4)) -> Figure:  # fmt: skip
    """The share of runs that succeed over λ and δ, a panel for each family, with a ring at one setting.

    Args:
        lr: λ, shape ``(lambdas,)``.
        delta: δ, shape ``(deltas,)``.
        maps: by the name of the family, the shares, shape ``(deltas, lambdas)``.
        published: λ and δ of the ring.

    Raises:
        ValueError: no maps.

    Example:
        >>> from hilladam import figures
        >>> figure = figures.setting_maps([0.01, 0.1], [1e-4, 1e-3], {"tori": [[0.1, 0.9], [0.2, 0.8]]})
        >>> figure.axes[0].get_title("left")
        'tori'
    """
    if not maps:
        raise ValueError(f"Invalid maps: {maps}; expected at least one")
    lr, delta = np.asarray(lr), np.asarray(delta)
    columns = min(len(maps), 2)
    rows = -(-len(maps) // columns)
    figure, axes = plt.subplots(rows, columns, squeeze=False, sharex=True, sharey=True, figsize=(6.4, 0.8 + 2.3 * rows))
    for ax in axes.flat[len(maps) :]:
        ax.remove()
    used = list(axes.flat[: len(maps)])
    for index, (ax, (name, share)) in enumerate(zip(used, maps.items(), strict=True)):
        mesh = ax.pcolormesh(edges(lr), edges(delta), share, cmap=_SHARE, vmin=0, vmax=1)
        for row, rates in zip(delta, np.asarray(share), strict=True):
            for rate, value in zip(lr, rates, strict=True):
                ax.text(rate, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=8, color=COLOURS["ink"])
        ax.plot(*published, "o", ms=19, mfc="none", mec=COLOURS["ink"], mew=1.6)
        ax.set(xscale="log", yscale="log", ylabel="" if index % columns else "δ")
        ax.minorticks_off()
        ax.set_title(name)
        if index + columns >= len(maps):
            ax.set_xlabel("λ")
            ax.tick_params(labelbottom=True)
    figure.colorbar(mesh, ax=used, label="share of runs", shrink=0.7)
    return figure


@styled
def ends_of_climbs(index: "Mapping[int, ArrayLike]", over: "Mapping[int, tuple[float, float, float]]") -> Figure:
    """At which index climbs end, and how many lead to another minimum, by the number of variables.

    Args:
        index: by the number of variables d, the shares of climbs that end at index 0 to d, shape ``(d + 1,)``.
        over: likewise the share that leads to another minimum, and the ends of its interval.

    Raises:
        ValueError: other numbers of variables in one than in the other, or none.

    Example:
        >>> from hilladam import figures
        >>> index, over = {2: [0.0, 0.1, 0.9]}, {2: (0.4, 0.3, 0.5)}
        >>> figure = figures.ends_of_climbs(index, over)
        >>> [ax.get_ylabel() for ax in figure.axes]
        ['share of climbs', 'lead to another minimum']
    """
    if not index or list(index) != list(over):
        raise ValueError(f"Invalid over: for {list(over)} variables; expected those of index, {list(index)}")
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.8))
    for place, shares in enumerate(index.values()):
        bottom = 0.0
        for fewer, share in enumerate(np.asarray(shares)[::-1]):
            colour = COLOURS["maximize"] if fewer == 0 else _INDEX(1.25 - 0.25 * min(fewer, 3))
            left.bar(place, share, bottom=bottom, color=colour, width=0.7, edgecolor="white", lw=0.5,
                     label=("at a maximum", "one fewer", "two fewer", "three or more")[min(fewer, 3)])  # fmt: skip
            bottom += share
    handles = dict(zip(*left.get_legend_handles_labels()[::-1], strict=True))
    share, low, high = np.array(list(over.values())).T
    right.errorbar(range(len(over)), share, [share - low, high - share], fmt="o", ms=5, color=COLOURS["ink"], capsize=3)
    for ax, name in ((left, "share of climbs"), (right, "lead to another minimum")):
        ax.set(xticks=range(len(index)), xticklabels=list(index), xlabel="variables", ylabel=name, ylim=(0, 1.03))
    right.set_xlim(-0.5, len(over) - 0.5)
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=4, handlelength=1.2, columnspacing=1)
    return figure


@styled
def legs(loss: Torus | Wells, run: Record, *, ax: Axes | None = None, margin: float = 0.6) -> Figure:
    """A run on a loss of two variables from above: blue where it descends, vermilion where it climbs.

    A square marks the start, a circle each turn to climbing, a triangle each turn to descending.

    Args:
        loss: of two variables; darker is higher.
        run: the record of one run, its states of shape ``(steps, 2)``.
        ax: where to draw; default: a new figure.
        margin: how far to draw beyond the run.

    Raises:
        ValueError: a loss of another number of variables.

    Example:
        >>> import torch
        >>> from hilladam import HillAdam, figures
        >>> from hilladam.experiments import Points, train
        >>> from hilladam.losses import Torus
        >>> loss = Torus([-1.0, -1.0], [[1, 0], [0, 1]], [0.0, 0.0])
        >>> points = Points(torch.tensor([[1.0, 0.5]], dtype=torch.float64))
        >>> run = train(points, loss, HillAdam(points.parameters, lr=0.05), 100).member(0)
        >>> figures.legs(loss, run).axes[0].get_xlabel()
        'x₁'
    """
    if loss.dimensions != 2:
        raise ValueError(f"Invalid loss: of {loss.dimensions} variables; expected two")
    ax = ax or plt.subplots(figsize=(4.6, 4.2))[1]
    middle = (run.states.min(axis=0) + run.states.max(axis=0)) / 2
    half = np.ptp(run.states, axis=0).max() / 2 + margin
    lines = [torch.linspace(at - half, at + half, 161, dtype=torch.float64) for at in middle.tolist()]
    grid = torch.stack(torch.meshgrid(*lines, indexing="xy"), dim=-1)
    ax.contourf(*lines, loss(grid), levels=24, cmap="Greys", alpha=0.55)
    climbs = run.maximize
    cuts = np.flatnonzero(np.diff(climbs)) + 1
    for first, last in pairwise([0, *cuts, len(climbs) - 1]):  # the last step of a leg is the first of the next
        ax.plot(*run.states[first : last + 1].T, color=COLOURS["maximize" if climbs[first] else "minimize"], lw=1.6)
    for turn in run.switches:
        marker, colour = ("o", "minimize") if climbs[turn] else ("^", "maximize")
        ax.plot(*run.states[turn], marker, ms=6, mec="white", mew=0.8, color=COLOURS[colour])
    ax.plot(*run.states[0], "s", ms=6, color=COLOURS["ink"], mec="white", mew=0.8)
    ax.set(xlabel="x₁", ylabel="x₂", aspect="equal")
    return ax.figure
