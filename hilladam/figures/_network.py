"""Figure 1: the network between the weights and the loss."""

from collections.abc import Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from hilladam.figures._style import COLOURS, styled


@styled
def network(sizes: Sequence[int] = (6, 4, 3, 1), result: str = "f(x)") -> Figure:
    """A fully connected network whose single output ``x`` goes into the loss.

    Args:
        sizes: the widths of the layers, the input first.
        result: what to write in the last node.

    Raises:
        ValueError: fewer than two layers, an empty one, or more than one output.

    Example:
        >>> from hilladam import figures
        >>> figure = figures.network((3, 2, 1))
        >>> [text.get_text() for text in figure.axes[0].texts][-4:]
        ['input: ones', 'hidden: 2', 'output', 'loss']
    """
    if len(sizes) < 2 or min(sizes) < 1 or sizes[-1] != 1:
        raise ValueError(f"Invalid sizes: {sizes}; expected at least two widths >= 1, the last of them 1")
    figure, ax = plt.subplots(figsize=(6.4, 3.2))
    columns = [[(layer, (size - 1) / 2 - node) for node in range(size)] for layer, size in enumerate(sizes)]
    for left, right in pairwise(columns):
        for x0, y0 in left:
            for x1, y1 in right:
                ax.plot([x0, x1], [y0, y1], color=COLOURS["loss"], linewidth=0.7, zorder=1)
    for column in columns:
        ax.scatter(*zip(*column, strict=True), s=230, color="white", edgecolors=COLOURS["ink"], zorder=2)
    end = (len(sizes), 0.0)
    ax.annotate(
        "",
        end,
        (len(sizes) - 1, 0.0),
        arrowprops={"arrowstyle": "-|>", "color": COLOURS["ink"], "shrinkA": 9, "shrinkB": 17},
    )
    ax.scatter(*end, s=950, color=COLOURS["ink"], zorder=2)
    ax.annotate(result, end, ha="center", va="center", color="white", zorder=3)
    ax.annotate("x", (len(sizes) - 0.55, 0.0), (0, 5), textcoords="offset points", ha="center")
    names = ["input: ones", *[f"hidden: {size}" for size in sizes[1:-1]], "output", "loss"]
    for layer, name in enumerate(names):
        ax.annotate(name, (layer, -(max(sizes) - 1) / 2 - 0.75), ha="center", fontsize=10)
    ax.set(xlim=(-0.5, len(sizes) + 0.5), ylim=(-(max(sizes) - 1) / 2 - 1.1, (max(sizes) - 1) / 2 + 0.5))
    ax.set_axis_off()
    return figure
