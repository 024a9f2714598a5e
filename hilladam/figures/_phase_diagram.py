"""Phase diagrams: for which λ and β₁ a run escapes, and where a prediction is wrong."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from hilladam.figures._style import COLOURS, edges, styled

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

# By predicted + 2·truth. The two kinds of error are the two strong colours, and differ in lightness too. Neither is the
# blue or the vermilion of descending and climbing.
_CELLS = {
    "stays": "#F0F0F0",
    "said to escape, stays": "#E69F00",
    "said to stay, escapes": "#332288",
    "escapes": "#9AA3AE",
}


@styled
def phase_diagram(
    truth: "ArrayLike",
    lr: "ArrayLike",
    beta1: "ArrayLike",
    predicted: "ArrayLike | None" = None,
    *,
    ax: Axes | None = None,
    unit: float = 1.0,
) -> Figure:
    """Which settings escape, over λ and β₁; with a prediction, also where it errs.

    Args:
        truth: bool, shape (betas, lambdas): what Adam does.
        lr: λ, shape (lambdas,), in geometric order.
        beta1: β₁, shape (betas,), so that 1 − β₁ is in geometric order.
        predicted: bool, shaped like ``truth``.
        ax: where to draw; default: a new figure.
        unit: what λ is measured in, say the distance to the barrier.

    Raises:
        ValueError: shapes that do not fit each other, or fewer than two λ or β₁.

    Example:
        >>> import numpy as np
        >>> from hilladam import figures
        >>> lr, beta1 = np.geomspace(0.01, 1, 4), np.array([0.5, 0.9, 0.99])
        >>> figure = figures.phase_diagram(lr > 2 * beta1[:, None] - 1, lr, beta1)
        >>> figure.axes[0].get_ylabel()
        '1 − β₁'
    """
    truth, lr, beta1 = np.asarray(truth, dtype=bool), np.asarray(lr), np.asarray(beta1)
    predicted = truth if predicted is None else np.asarray(predicted, dtype=bool)
    _fits("truth", truth, lr, beta1)
    _fits("predicted", predicted, lr, beta1)
    ax = ax or plt.subplots(figsize=(4.4, 3.6))[1]
    x, y = lr / unit, 1 - beta1
    ax.pcolormesh(edges(x), edges(y), predicted + 2 * truth, cmap=ListedColormap(list(_CELLS.values())), vmin=-0.5,
                  vmax=3.5, rasterized=True)  # fmt: skip
    if truth.any() and not truth.all():
        ax.contour(x, y, truth, levels=[0.5], colors=COLOURS["ink"], linewidths=1.2)
    ax.set(xscale="log", yscale="log", xlabel="λ" if unit == 1.0 else "λ / L", ylabel="1 − β₁")
    ax.yaxis.set_inverted(True)  # long memory on top
    return ax.figure


@styled
def phase_diagrams(truths: Mapping, grids: Mapping, predictions: Mapping[str, Mapping]) -> Figure:
    """A row of :func:`phase_diagram` for each prediction, a column for each loss.

    Args:
        truths: by the name of the loss, bool, shape (betas, lambdas).
        grids: by the name of the loss, (λ, β₁, L): the axes, and the distance to the barrier.
        predictions: by the name of the criterion, then by the name of the loss, shaped like the truths.

    Raises:
        ValueError: no truths or no predictions; or as for :func:`phase_diagram`.

    Example:
        >>> import numpy as np
        >>> from hilladam import figures
        >>> lr, beta1 = np.geomspace(0.01, 1, 4), np.array([0.5, 0.9, 0.99])
        >>> truths = {"a loss": lr > 2 * beta1[:, None] - 1}
        >>> figure = figures.phase_diagrams(truths, {"a loss": (lr, beta1, 1.0)}, {"a criterion": truths})
        >>> figure.axes[0].get_title("left")
        'a loss\\na criterion'
    """
    if not truths or not predictions:
        raise ValueError(f"Invalid truths, predictions: {len(truths)}, {len(predictions)}; expected at least one each")
    figure, axes = plt.subplots(len(predictions), len(truths), sharex=True, sharey=True, squeeze=False,
                                figsize=(6.4, 0.9 + 2.4 * len(predictions)))  # fmt: skip
    for row, (criterion, by_loss) in zip(axes, predictions.items(), strict=True):
        for ax, (name, truth) in zip(row, truths.items(), strict=True):
            lr, beta1, length = grids[name]
            phase_diagram(truth, lr, beta1, by_loss[name], ax=ax, unit=length)
            ax.set_title(f"{name}\n{criterion}", fontsize=10)
            ax.label_outer()
    handles = [Patch(facecolor=colour, edgecolor="grey", label=name) for name, colour in _CELLS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _fits(name, cells, lr, rows):
    if cells.shape != rows.shape + lr.shape or cells.ndim != 2 or min(cells.shape) < 2:
        raise ValueError(f"Invalid {name}: shape {cells.shape}; expected {rows.shape + lr.shape}, at least (2, 2)")
