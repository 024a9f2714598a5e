"""Success: over learning rates, and the best beside the final losses of the runs that it counts."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hilladam.experiments import Record
from hilladam.figures._race import _STYLES
from hilladam.figures._style import COLOURS, styled
from hilladam.losses import TABLE_1

_RULES = {"restarted when still": (COLOURS["best"], "-"), "restarted every 300": (COLOURS["best"], "--")}


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
    rows = -(-len(panels) // columns)
    figure, axes = plt.subplots(rows, columns, squeeze=False, sharex=True, sharey=True,
                                figsize=(8, height * rows + 0.5))  # fmt: skip
    handles = {}
    for ax, (title, contenders) in zip(axes.flat, panels.items(), strict=False):
        for name, table in contenders.items():
            colour, line = (_STYLES | _RULES).get(name, (COLOURS["loss"], "-"))
            ax.fill_between(table["lr"], table["low"], table["high"], color=colour, alpha=0.2, linewidth=0)
            (handles[name],) = ax.plot(table["lr"], table["rate"], color=colour, linestyle=line, marker=".")
        ax.set(xscale="log", ylim=(-0.03, 1.03))
        ax.set_title(title, fontsize=9)
    for ax in axes[-1]:
        ax.set_xlabel("λ")
    for ax in axes[:, 0]:
        ax.set_ylabel("success")
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=min(len(handles), 6), handlelength=4)
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
    figure, axes = plt.subplots(1, len(keys), squeeze=False, figsize=(1.6 * len(keys), 3))
    for ax, key in zip(axes[0], keys, strict=True):
        for place, name in enumerate(names):
            run, colour = runs[key, name], COLOURS["minimize" if name == "Adam" else "maximize"]
            spread = place + np.linspace(-0.3, 0.3, len(run.best_losses))
            ax.scatter(spread, run.final_losses, s=16, facecolors="none", edgecolors=colour)
            ax.scatter(spread, run.best_losses, s=16, color=colour)
        ax.axhline(TABLE_1[key].global_minimum.value, color=COLOURS["best"], linestyle="--")
        ax.set(xticks=range(len(names)), xticklabels=[name.replace("-", "-\n") for name in names])
        ax.set_xlim(-0.6, len(names) - 0.4)
        ax.set_title(TABLE_1[key].name, fontsize=9)
    axes[0, 0].set_ylabel("loss")
    return figure
