"""A championship: the share of targets met over the evaluations spent, and scores by group of functions."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hilladam.figures._style import label_ends, look, styled


@styled
def targets_met(costs: Mapping[str, np.ndarray], budget: float, *, ax: Axes | None = None) -> Figure:
    """The share of all pairs of a run and a target that are met, over the evaluations spent (an ECDF).

    Args:
        costs: by name, of any shape: what each run spent until each target, infinite where it did not meet it; as
            :class:`~hilladam.experiments.Standing` has them. Divided by the number of variables, runs with different
            numbers of them can share one curve.
        budget: what each run could spend, in the same unit.
        ax: where to draw; default: a new figure with the names at the ends of its lines.

    Raises:
        ValueError: no costs.

    Example:
        >>> import numpy as np
        >>> from hilladam import figures
        >>> figure = figures.targets_met({"Adam": np.array([[3.0, 40.0, np.inf], [5.0, 9.0, 200.0]])}, 100)
        >>> [line.get_label() for line in figure.axes[0].lines]
        ['Adam']
    """
    if not costs:
        raise ValueError(f"Invalid costs: {costs}; expected at least one contestant")
    alone = ax is None
    ax = ax or plt.subplots()[1]
    for name, each in costs.items():
        at, met = np.unique(each[each <= budget], return_counts=True)
        share = np.cumsum(np.concatenate([met, [0]])) / each.size
        colour, line = look(name.removesuffix(" ×10"))
        ax.step(np.concatenate([at, [budget]]), share, where="post", color=colour, linestyle=line, label=name)
    ax.set(xscale="log", ylim=(-0.02, 1.02), xlabel="evaluations for each variable", ylabel="share of targets met")
    ax.set_xlim(right=budget)
    if alone:
        label_ends(ax)
    return ax.figure


@styled
def scoreboard(scores: pd.DataFrame, *, ax: Axes | None = None) -> Figure:
    """Scores as a table whose cells are the darker, the higher they are; the highest of each column is in bold.

    Args:
        scores: from 0 to 1; its index and columns are written beside the cells.
        ax: where to draw; default: a new figure.

    Example:
        >>> import pandas as pd
        >>> from hilladam import figures
        >>> scores = pd.DataFrame({"separable": [0.7, 0.9], "multimodal": [0.2, 0.1]}, index=["Adam", "CMA-ES"])
        >>> [text.get_text() for text in figures.scoreboard(scores).axes[0].texts]
        ['.70', '.20', '.90', '.10']
    """
    ax = ax or plt.subplots(figsize=(1.04 * len(scores.columns) + 2, 0.27 * len(scores) + 0.6))[1]
    values = scores.to_numpy()
    ax.imshow(values, cmap="Blues", vmin=0, vmax=2.3, aspect="auto")  # so pale that ink is read on all, dark pages too
    highest = values.max(axis=0)
    for (row, column), value in np.ndenumerate(values):
        text = f"{value:.2f}".removeprefix("0")
        weight = "bold" if value == highest[column] else "normal"
        ax.text(column, row, text, ha="center", va="center", weight=weight)
    broken = [str(name).replace(" ", "\n").replace("-", "-\n") for name in scores.columns]
    ax.set_xticks(range(len(scores.columns)), broken, fontsize=10)
    ax.set_yticks(range(len(scores)), scores.index)
    ax.tick_params(length=0, labelbottom=False, labeltop=True)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    return ax.figure
