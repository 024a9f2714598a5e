"""When a climb crosses: one climb for every δ, the return map with its doors, and success over δ and λ."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from hilladam.experiments import SuccessMap
from hilladam.figures._style import COLOURS, edges, styled
from hilladam.theory import Climb

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_NEAR, _FAR = COLOURS["loss"], COLOURS["best"]
_RUNS = (COLOURS["other"], "#332288", "#E69F00")
SHARE = LinearSegmentedColormap.from_list("share", ["#D9DDE3", _FAR])  # of runs that arrive


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
    bounds, far = outcomes(climb)
    fig, (place, change, bar) = plt.subplots(3, 1, figsize=(6.4, 6.0), height_ratios=[3, 4, 1])
    ahead = (climb.x - climb.top) * np.sign(climb.top - climb.x[0]) / lr
    place.axhline(0, color=COLOURS["ink"], lw=0.8)
    place.plot(ahead, color=COLOURS["maximize"], marker=".", ms=3, lw=1)
    place.set(ylabel="(x beyond the top) / λ", ylim=(-12, 1.3 * max(ahead.max(), 1)), xlabel="step")

    steps = np.arange(len(climb.x))
    for side, colour, marker, name in ((~climb.beyond, _NEAR, "o", "near side"), (climb.beyond, _FAR, "^", "far side")):
        shown = side & np.isfinite(climb.change)
        change.plot(steps[shown], climb.change[shown], marker, color=colour, ms=4, label=name)
    change.step(steps[2:], climb.lowest[2:], where="post", color=COLOURS["ink"], lw=1.2, label="lowest so far")
    change.set(yscale="log", ylabel="|ΔL|", xlabel="step")
    change.legend(loc="upper right", ncols=3)

    for low, high, beyond in zip(bounds[1:], bounds[:-1], far, strict=True):
        bar.axvspan(low, high, color=_FAR if beyond else _NEAR, alpha=1 if beyond else 0.45, lw=0)
    for name, delta in (marks or {}).items():
        bar.axvline(delta, color=COLOURS["ink"], lw=1.2)
        bar.annotate(name, (delta, 1), (0, 2), xycoords=("data", "axes fraction"), textcoords="offset points",
                     ha="center", fontsize=10)  # fmt: skip
    bar.set(xscale="log", xlim=(bounds[-1], bounds[0]), xlabel="δ", ylabel="ends", yticks=[])
    return fig


@styled
def cobweb(turns: "ArrayLike", after: "ArrayLike", crosses: "ArrayLike", runs: "Sequence[ArrayLike]" = (), *,
           ax: Axes | None = None) -> Figure:  # fmt: skip
    """The return map at the bottom of a valley, with its doors and some runs.

    Green bands are the doors, the turns from which the climb ends beyond the top; the grey half is the outer side of
    the minimum. A run goes up to the map, across to the diagonal, up or down to the map, and so on.

    Args:
        turns: b, turns at the bottom, rising, in units of λ from the minimum; the hill is on the left. Shape ``(n,)``.
        after: the next turns at the bottom, likewise.
        crosses: whether the climbs between them end beyond the top (bool).
        runs: successive turns at the bottom of some runs, likewise in units of λ.
        ax: where to draw; default: a new figure.

    Raises:
        ValueError: shapes that do not fit each other.

    Example:
        >>> import numpy as np
        >>> from hilladam import figures
        >>> b = np.linspace(-1, 1, 101)
        >>> figures.cobweb(b, b / 2, b < -0.5, [[0.8, 0.4, 0.2]]).axes[0].get_ylabel()
        'next bottom turn, (x − x_min) / λ'
    """
    turns, after, crosses = np.asarray(turns), np.asarray(after), np.asarray(crosses, bool)
    for name, array in (("after", after), ("crosses", crosses)):
        if array.shape != turns.shape or turns.ndim != 1:
            raise ValueError(f"Invalid {name}: shape {array.shape}; expected {turns.shape}, of one dimension")
    ax = ax or plt.subplots(figsize=(4.6, 4.2))[1]
    window = turns[0], turns[-1]
    ax.fill_between(turns, *window, where=crosses, step="mid", color=_FAR, alpha=0.35, lw=0, label="doors")
    ax.axvspan(max(0.0, window[0]), window[1], color=_NEAR, alpha=0.2, lw=0, label="outer side")
    ax.plot(window, window, color=COLOURS["ink"], lw=0.8)
    ax.plot(turns, np.where(crosses, np.nan, after), ".", ms=2.5, color=COLOURS["ink"])
    for run, colour in zip(runs, cycle(_RUNS), strict=False):
        path = np.repeat(np.asarray(run), 2)
        ax.plot(path[:-1], np.concatenate([[window[0]], path[2:]]), color=colour, lw=1.2)
        ax.plot(run[0], window[0], "^", color=colour, ms=7, clip_on=False)
    ax.set(xlim=window, ylim=window, xlabel="bottom turn, (x − x_min) / λ", ylabel="next bottom turn, (x − x_min) / λ")
    return ax.figure


@styled
def bar_code(starts: "ArrayLike", rows: Mapping[str, "ArrayLike"]) -> Figure:
    """Which starts succeed: a row of bars for each setting, green where it does.

    Args:
        starts: rising and at equal distances, shape ``(n,)``, at least two.
        rows: by the setting's name, bool of shape ``(n,)``.

    Raises:
        ValueError: no rows, or shapes that do not fit each other.

    Example:
        >>> from hilladam import figures
        >>> figure = figures.bar_code([0.5, 1.0, 1.5], {"γ = 200": [True, False, True]})
        >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
        ['γ = 200']
    """
    starts, cells = np.asarray(starts), np.array([np.asarray(row, bool) for row in rows.values()])
    if not rows or starts.ndim != 1 or starts.size < 2 or cells.shape != (len(rows), *starts.shape):
        raise ValueError(f"Invalid rows: shape {cells.shape}; expected at least one of shape {starts.shape}")
    half = (starts[1] - starts[0]) / 2
    fig, ax = plt.subplots(figsize=(6.4, 0.8 + 0.34 * len(rows)))
    ax.imshow(cells, aspect="auto", interpolation="none", cmap=ListedColormap(["#DFE3E8", _FAR]), vmin=0, vmax=1,
              extent=(starts[0] - half, starts[-1] + half, len(rows) - 0.5, -0.5))  # fmt: skip
    ax.set_yticks(range(len(rows)), labels=list(rows))
    ax.hlines(np.arange(len(rows) - 1) + 0.5, *ax.get_xlim(), color="white", lw=3)
    ax.set(xlabel="start x")
    return fig


@styled
def success_maps(maps: Mapping[str, SuccessMap], laws: Mapping[str, "Sequence[ArrayLike]"], *,
                 starts: int = 200) -> Figure:  # fmt: skip
    """The share of starts that reach the deepest valley, over λ and δ, a panel for each loss, with δ* drawn on it.

    Args:
        maps: by the name of the loss.
        laws: by the same names, δ* at each λ of the map, one array for each hill.
        starts: of how many the maps count.

    Raises:
        ValueError: no maps.

    Example:
        >>> from hilladam import figures
        >>> from hilladam.experiments import stored_success_maps
        >>> maps = {"double well": stored_success_maps()["double well"]}
        >>> figure = figures.success_maps(maps, {"double well": [maps["double well"].lr ** 2]})
        >>> [ax.get_title("left") for ax in figure.axes[:1]]
        ['double well']
    """
    if not maps:
        raise ValueError(f"Invalid maps: {maps}; expected at least one")
    columns = min(len(maps), 3)
    rows = -(-len(maps) // columns)
    fig, axes = plt.subplots(rows, columns, sharex=True, sharey=True, squeeze=False,
                             figsize=(6.4 if columns > 1 else 4.8, 0.6 + 2.4 * rows))  # fmt: skip
    used = axes.flat[: len(maps)]
    outline = withStroke(linewidth=3, foreground="white")
    for index, (ax, (name, found)) in enumerate(zip(used, maps.items(), strict=True)):
        mesh = ax.pcolormesh(edges(found.lr), edges(found.delta), found.counts / starts, cmap=SHARE, vmin=0,
                             vmax=1, rasterized=True)  # fmt: skip
        window = ax.get_xlim(), ax.get_ylim()
        for law in laws[name]:
            ax.plot(found.lr, law, color=COLOURS["ink"], lw=1.2, path_effects=[outline])
        ax.set(xscale="log", yscale="log", xlim=window[0], ylim=window[1], ylabel="" if index % columns else "δ")
        ax.set_title(name)
        if index + columns >= len(maps):  # there is none below
            ax.set_xlabel("λ")
            ax.tick_params(labelbottom=True)
    for ax in axes.flat[len(maps) :]:
        ax.remove()
    fig.colorbar(mesh, ax=list(used), label="share that reaches the deepest valley", shrink=0.8)
    return fig


def outcomes(climb: Climb) -> tuple[np.ndarray, np.ndarray]:
    """The edges of the bar over δ, from the largest down, and whether each piece between two ends beyond the top."""
    new = np.flatnonzero((climb.lowest[2:] < climb.lowest[1:-1]) & (climb.lowest[2:] > 0)) + 2
    if len(new) < 2:
        raise ValueError(f"Invalid climb: {len(new)} record lows; expected at least two")
    lows = climb.change[new]
    return np.concatenate([[3 * lows[0]], lows]), climb.beyond[new]
