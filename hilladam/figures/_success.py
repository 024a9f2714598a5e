"""Success: over learning rates, and the best beside the final losses of the runs that it counts."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hilladam.experiments import Record, wilson_interval
from hilladam.figures._style import COLOURS, label_ends, look, styled
from hilladam.losses import TABLE_1

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@styled
def over_rates(tried: Mapping[str, Mapping[float, int]], runs: int, *, ax: Axes | None = None) -> Figure:
    """The share of runs that meet the target, over the learning rate, with 95 % intervals (Wilson) as bands.

    Args:
        tried: by name, how many runs succeeded, by λ; as the ``successes`` of :class:`~hilladam.experiments.Tuning`.
        runs: of how many.
        ax: where to draw; default: a new figure with the names at the ends of its lines.

    Raises:
        ValueError: no contender.

    Example:
        >>> from hilladam import figures
        >>> figure = figures.over_rates({"Adam": {0.01: 20, 0.1: 90, 1.0: 50}}, 100)
        >>> figure.axes[0].get_xscale()
        'log'
    """
    if not tried:
        raise ValueError(f"Invalid tried: {tried}; expected at least one contender")
    alone = ax is None
    ax = ax or plt.subplots()[1]
    for name, successes in tried.items():
        rates, counts = np.array(sorted(successes.items())).T
        _share(ax, rates, counts / runs, *wilson_interval(counts, runs), name)
    ax.set(xlabel="λ", ylabel="share of runs")
    if alone:
        label_ends(ax)
    return ax.figure


@styled
def success_over_rates(
    panels: Mapping[str, Mapping[str, pd.DataFrame]], *, columns: int = 3, height: float = 2.2
) -> Figure:
    """The rate of success over λ, a curve with its band for each contender, in panels side by side.

    Args:
        panels: by title, the contenders by name; each is a table with a row for each λ and the columns ``lr``,
            ``rate``, ``low`` and ``high``, the last two the ends of its interval.
        columns: how many panels stand side by side.
        height: of a row of panels, in inches.

    Raises:
        ValueError: no panels.

    Example:
        >>> import pandas as pd
        >>> from hilladam import figures
        >>> table = pd.DataFrame({"lr": [0.01, 0.1], "rate": [0.2, 0.7], "low": [0.1, 0.6], "high": [0.3, 0.8]})
        >>> figure = figures.success_over_rates({"a loss": {"Adam": table}}, columns=1)
        >>> figure.axes[0].get_title("left")
        'a loss'
    """
    if not panels:
        raise ValueError(f"Invalid panels: {panels}; expected at least one")
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = plt.subplots(rows, columns, squeeze=False, sharex=True, sharey=True,
                                figsize=(6.4, height * rows + 0.7))  # fmt: skip
    handles = {}
    for index, (ax, (title, contenders)) in enumerate(zip(axes.flat, panels.items(), strict=False)):
        for name, table in contenders.items():
            handles[name] = _share(ax, *(table[column] for column in ("lr", "rate", "low", "high")), name)
        ax.set(ylabel="" if index % columns else "success")
        ax.set_title(title, fontsize=10)
        if index + columns >= len(panels):  # there is none below
            ax.set_xlabel("λ")
            ax.tick_params(labelbottom=True)
    for ax in axes.flat[len(panels) :]:
        ax.remove()
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=min(len(handles), 3), handlelength=4)
    return figure


@styled
def best_and_final(runs: Mapping[tuple[str, str], Record]) -> Figure:
    """The best (filled) and the final (open) loss of every run of Table 1, a panel for each loss.

    Args:
        runs: from :func:`~hilladam.experiments.table1`.

    Raises:
        ValueError: no runs.

    Example:
        >>> from hilladam import figures
        >>> from hilladam.experiments import table1
        >>> figure = figures.best_and_final(table1([0, 1], 5, losses=["x2", "sixth"]))
        >>> [ax.get_title("left") for ax in figure.axes]
        ['x² + 4', 'sixth order']
    """
    if not runs:
        raise ValueError(f"Invalid runs: {runs}; expected at least one")
    keys = list(dict.fromkeys(key for key, _ in runs))
    names = list(dict.fromkeys(name for _, name in runs))
    columns = min(len(keys), 3)
    rows = -(-len(keys) // columns)
    figure, axes = plt.subplots(rows, columns, squeeze=False, figsize=(2.1 * columns, 2.4 * rows))
    for ax in axes.flat[len(keys) :]:
        ax.remove()
    for ax, key in zip(axes.flat, keys, strict=False):
        for place, name in enumerate(names):
            run, colour = runs[key, name], COLOURS["ink" if name == "Adam" else "maximize"]
            spread = place + np.linspace(-0.3, 0.3, len(run.best_losses))
            ax.scatter(spread, run.final_losses, s=16, facecolors="none", edgecolors=colour)
            ax.scatter(spread, run.best_losses, s=16, color=colour)
        ax.axhline(TABLE_1[key].global_minimum.value, color=COLOURS["best"], linestyle="--")
        ax.set(xticks=range(len(names)), xticklabels=[name.replace("-", "-\n") for name in names])
        ax.set_xlim(-0.6, len(names) - 0.4)
        ax.set_title(TABLE_1[key].name, fontsize=10)
    for ax in axes[:, 0]:
        ax.set_ylabel("loss")
    return figure


def _share(ax: Axes, rates: "ArrayLike", share: "ArrayLike", low: "ArrayLike", high: "ArrayLike", name: str) -> Line2D:
    """A contender's curve over λ, with its band."""
    colour, line = look(name)
    ax.fill_between(rates, low, high, color=colour, alpha=0.2, linewidth=0)
    (curve,) = ax.plot(rates, share, color=colour, linestyle=line, marker=".", label=name)
    ax.set(xscale="log", ylim=(-0.03, 1.03))
    return curve
