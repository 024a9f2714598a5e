"""Phase diagrams: for which λ and β₁ a run escapes, and where a prediction is wrong."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from hilladam.figures._style import COLOURS

# By predicted + 2·truth. The two kinds of error are the two strong colours, and differ in lightness too.
_CELLS = {
    "stays": "#F0F0F0",
    "said to escape, stays": COLOURS["maximize"],
    "said to stay, escapes": "#332288",
    "escapes": "#9CCBE8",
}


def phase_diagram(truth, lr, beta1, predicted=None, *, ax: Axes | None = None, unit: float = 1.0) -> Figure:
    """Which settings escape, over λ and β₁; with a prediction, also where it errs.

    Args:
        truth: bool, shape (betas, lambdas): what Adam does.
        lr: λ, shape (lambdas,), in geometric order.
        beta1: β₁, shape (betas,), so that 1 − β₁ is in geometric order.
        predicted: bool, shaped like ``truth``.
        ax: where to draw; default: a new figure.
        unit: what λ is measured in, say the distance to the barrier.
    """
    ax = ax or plt.subplots(figsize=(4.4, 3.6))[1]
    truth = np.asarray(truth, dtype=bool)
    predicted = truth if predicted is None else np.asarray(predicted, dtype=bool)
    x, y = np.asarray(lr) / unit, 1 - np.asarray(beta1)
    ax.pcolormesh(_edges(x), _edges(y), predicted + 2 * truth, cmap=ListedColormap(list(_CELLS.values())), vmin=-0.5,
                  vmax=3.5, rasterized=True)  # fmt: skip
    if truth.any() and not truth.all():
        ax.contour(x, y, truth, levels=[0.5], colors="black", linewidths=1.2)
    ax.set(xscale="log", yscale="log", xlabel="λ" if unit == 1.0 else "λ / L", ylabel="1 − β₁")
    ax.yaxis.set_inverted(True)  # long memory on top
    return ax.figure


def phase_diagrams(truths: Mapping, grids: Mapping, predictions: Mapping[str, Mapping]) -> Figure:
    """A row of :func:`phase_diagram` for each prediction, a column for each loss.

    Args:
        truths: by the name of the loss, bool, shape (betas, lambdas).
        grids: by the name of the loss, (λ, β₁, L): the axes, and the distance to the barrier.
        predictions: by the name of the criterion, then by the name of the loss, shaped like the truths.
    """
    figure, axes = plt.subplots(len(predictions), len(truths), sharex=True, sharey=True, squeeze=False,
                                figsize=(7.2, 0.7 + 2.3 * len(predictions)))  # fmt: skip
    for row, (criterion, by_loss) in zip(axes, predictions.items(), strict=True):
        for ax, (name, truth) in zip(row, truths.items(), strict=True):
            lr, beta1, length = grids[name]
            phase_diagram(truth, lr, beta1, by_loss[name], ax=ax, unit=length)
            ax.set_title(f"{name}: {criterion}", fontsize=9)
            ax.label_outer()
    handles = [Patch(facecolor=colour, edgecolor="grey", label=name) for name, colour in _CELLS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def climb_diagram(share, lr, delta, curvature: float, smallest_lr: float, *, ax: Axes | None = None) -> Figure:
    """How many climbs of Hill-ADAM end beyond the top, over λ and δ, with the two limits that theory sets.

    Args:
        share: shape (deltas, lambdas), from 0 to 1.
        lr: λ, shape (lambdas,), in geometric order.
        delta: δ, shape (deltas,), in geometric order.
        curvature: κ, the size of f″ at the top; draws δ = (3/2)κλ².
        smallest_lr: draws the λ below which no climb overshoots.
        ax: where to draw; default: a new figure.
    """
    ax = ax or plt.subplots(figsize=(5.4, 3.6))[1]
    mesh = ax.pcolormesh(_edges(lr), _edges(delta), share, cmap="cividis", vmin=0, vmax=1, rasterized=True)
    ax.figure.colorbar(mesh, ax=ax, label="share that ends beyond the top")
    window = ax.get_ylim()
    ax.plot(lr, 1.5 * curvature * np.asarray(lr) ** 2, color="white", linestyle="--")
    ax.axvline(smallest_lr, color="white", linestyle=":")
    ax.set(xscale="log", yscale="log", xlabel="λ", ylabel="δ", ylim=window)
    return ax.figure


def _edges(centres):
    """The edges of cells around points in geometric order."""
    logs = np.log(centres)
    middles = (logs[1:] + logs[:-1]) / 2
    return np.exp(np.concatenate([[2 * logs[0] - middles[0]], middles, [2 * logs[-1] - middles[-1]]]))
