"""When a climb crosses: one climb for every δ, the return map with its doors, and success over δ and λ."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from hilladam.figures._style import COLOURS, styled
from hilladam.theory import Climb

_NEAR, _FAR = COLOURS["loss"], COLOURS["best"]


@styled
def one_climb(climb: Climb, lr: float, *, marks: Mapping[str, float] | None = None) -> Figure:
    """A climb without δ in three panels: where it is, how the loss changes, and where each δ would end it.

    Grey is the near side of the top and green the far side; in the middle panel they differ by their markers too.

    Args:
        climb: a single one.
        lr: its λ, the unit of the first panel.
        marks: values of δ by name, drawn as vertical lines over the bar of outcomes.

    Raises:
        ValueError: more climbs than one, or one whose record lows are fewer than two.

    Example:
        >>> from hilladam import figures
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import climb
        >>> up = climb(DOUBLE_WELL, 0.95, 0.0754, lr=0.03, steps=160)
        >>> [ax.get_ylabel() for ax in figures.one_climb(up, 0.03).axes]
        ['(x beyond the top) / λ', '|ΔL|', 'ends']
    """
    if climb.x.ndim != 1:
        raise ValueError(f"Invalid climb: shape {climb.x.shape}; expected (steps + 1,)")
    edges, far = outcomes(climb)
    fig, (place, change, bar) = plt.subplots(3, 1, figsize=(7.2, 6.2), height_ratios=[3, 4, 1])
    ahead = (climb.x - climb.top) * np.sign(climb.top - climb.x[0]) / lr
    place.axhline(0, color="black", lw=0.8)
    place.plot(ahead, color=COLOURS["maximize"], marker=".", ms=3, lw=1)
    place.set(ylabel="(x beyond the top) / λ", ylim=(-12, 1.3 * max(ahead.max(), 1)), xlabel="step")

    steps = np.arange(len(climb.x))
    for side, colour, marker, name in ((~climb.beyond, _NEAR, "o", "near side"), (climb.beyond, _FAR, "^", "far side")):
        shown = side & np.isfinite(climb.change)
        change.plot(steps[shown], climb.change[shown], marker, color=colour, ms=4, label=name)
    change.step(steps[2:], climb.lowest[2:], where="post", color="black", lw=1.2, label="lowest so far")
    change.set(yscale="log", ylabel="|ΔL|", xlabel="step")
    change.legend(loc="upper right", ncols=3)

    for low, high, beyond in zip(edges[1:], edges[:-1], far, strict=True):
        bar.axvspan(low, high, color=_FAR if beyond else _NEAR, alpha=1 if beyond else 0.45, lw=0)
    for name, delta in (marks or {}).items():
        bar.axvline(delta, color="black", lw=1.2)
        bar.annotate(name, (delta, 1), (0, 2), xycoords=("data", "axes fraction"), textcoords="offset points",
                     ha="center", fontsize=9)  # fmt: skip
    bar.set(xscale="log", xlim=(edges[-1], edges[0]), xlabel="δ", ylabel="ends", yticks=[])
    return fig


def outcomes(climb: Climb) -> tuple[np.ndarray, np.ndarray]:
    """The edges of the bar over δ, from the largest down, and whether each piece between two ends beyond the top."""
    new = np.flatnonzero((climb.lowest[2:] < climb.lowest[1:-1]) & (climb.lowest[2:] > 0)) + 2
    if len(new) < 2:
        raise ValueError(f"Invalid climb: {len(new)} record lows; expected at least two")
    lows = climb.change[new]
    return np.concatenate([[3 * lows[0]], lows]), climb.beyond[new]
