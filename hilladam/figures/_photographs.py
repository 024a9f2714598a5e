"""What three gains do: the loss over red and blue with the paths of runs, and photographs side by side."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hilladam.experiments import Record
from hilladam.figures._style import COLOURS, styled
from hilladam.losses import ColourLoss

_OWN = {"Adam": COLOURS["ink"], "Hill-ADAM": COLOURS["maximize"]}
_GROUND = "#6E6E6E"
_PATHS = [*_OWN.values(), COLOURS["other"], "#6F5FC0", "#8A7A00", COLOURS["loss"]]


@styled
def colour_landscape(
    loss: ColourLoss,
    runs: Mapping[str, Record] | None = None,
    *,
    ax: Axes | None = None,
    last: int | None = None,
    red: tuple[float, float] = (-2.0, 1.6),
    blue: tuple[float, float] = (-0.3, 4.0),
) -> Figure:
    """The loss over the gains of red and blue, with green at its own minimum, and the paths of runs on it.

    The lines are equally far apart in the square root of the loss above its minimum, so that wells show as well as
    walls. Negative gains, which mean nothing for a photograph, are hatched. Circles are minima, the global one filled.

    Args:
        loss: a colour loss.
        runs: the record of one run by its name; each starts at a diamond, is at a cross when the picture ends, and
            had its lowest loss at a star.
        ax: where to draw; default: a new figure.
        last: how many steps to show; default: all.
        red, blue: the window.

    Raises:
        ValueError: more runs than there are colours to tell them apart, which is six.

    Example:
        >>> from hilladam import figures
        >>> from hilladam.losses import ColourLoss
        >>> figure = figures.colour_landscape(ColourLoss((0.65, 0.45, 0.25), (0.2, 0.4, 0.7)))
        >>> figure.axes[0].get_xlabel()
        'gain of red r'
    """
    runs = runs or {}
    if len(runs) > len(_PATHS):
        raise ValueError(f"Invalid runs: {len(runs)} of them; expected at most {len(_PATHS)}")
    ax = ax or plt.subplots(figsize=(6.4, 4.6))[1]
    r, b = np.meshgrid(np.linspace(*red, 241), np.linspace(*blue, 241))
    green = np.full_like(r, loss.channels[1].global_minimum.x)
    height = np.sqrt(np.maximum(loss(np.stack([r, green, b], axis=-1)) - loss.global_minimum.value, 0.0))
    ax.contourf(r, b, height, levels=np.linspace(0, 4, 33), cmap="Greys", alpha=0.55, extend="max")
    ax.contour(r, b, height, levels=np.linspace(0, 4, 17), colors="white", linewidths=0.6)
    ax.axvspan(red[0], 0, facecolor="none", edgecolor="0.35", hatch="////", linewidth=0, alpha=0.25)
    for point in loss.minima:
        face = COLOURS["best"] if point == loss.global_minimum else "white"
        ax.scatter(point.gains[0], point.gains[2], s=60, color=face, edgecolors=COLOURS["ink"], zorder=3)
    own = {name: _OWN[name] for name in runs if name in _OWN}
    free = iter([colour for colour in _PATHS if colour not in own.values()])
    for place, (name, run) in enumerate(runs.items()):
        colour = own.get(name) or next(free)
        above = 5 - place / 10  # where paths coincide the first is seen
        x, y = run.states[:last, 0], run.states[:last, 2]
        ax.plot(x, y, color=colour, linewidth=1.3, label=name, zorder=above)
        ax.scatter(x[0], y[0], marker="D", s=26, color=colour, edgecolors=COLOURS["ink"], zorder=above + 2)
        ax.scatter(x[-1], y[-1], marker="X", s=60, color=colour, edgecolors=COLOURS["ink"], zorder=above + 2)
        best = run.best_states[[0, 2]]
        ax.scatter(*best, marker="*", s=130, color=colour, edgecolors=COLOURS["ink"], zorder=above + 1)
    if len(runs) > 1:
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    ax.set(xlim=red, ylim=blue, xlabel="gain of red r", ylabel="gain of blue b")
    return ax.figure


@styled
def photographs(rows: Mapping[str, Sequence[np.ndarray]] | Sequence[np.ndarray], names: Sequence[str], *,
                width: float = 7.2) -> Figure:  # fmt: skip
    """Photographs side by side, in one row or in named rows.

    Their ground is a neutral grey, which suits a light page and a dark one, and lends colours no cast.

    Args:
        rows: arrays of shape (height, width, 3) in [0, 1]: a sequence for one row, or sequences by the name of the row.
        names: of the columns.
        width: of the figure in inches.

    Raises:
        ValueError: no names, or a row with another number of photographs than of names.

    Example:
        >>> import numpy as np
        >>> from hilladam import figures
        >>> grey = np.full((2, 3, 3), 0.5)
        >>> figure = figures.photographs([grey, 1 - grey], ["source", "target"])
        >>> [ax.get_title() for ax in figure.axes]
        ['source', 'target']
    """
    if not names:
        raise ValueError(f"Invalid names: {names}; expected at least one")
    named = rows if isinstance(rows, Mapping) else {"": rows}
    size = width / len(names)
    figure, axes = plt.subplots(len(named), len(names), squeeze=False, figsize=(width, size * len(named) + 0.3),
                                dpi=100 if len(named) == 1 else 80)  # fmt: skip
    for row, (label, images) in zip(axes, named.items(), strict=True):
        for ax, image in zip(row, images, strict=True):
            ax.imshow(image, interpolation="antialiased")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        row[0].set_ylabel(label, color="white")
    for ax, name in zip(axes[0], names, strict=True):
        ax.set_title(name, loc="center", color="white")
    figure.set_facecolor(_GROUND)
    return figure
