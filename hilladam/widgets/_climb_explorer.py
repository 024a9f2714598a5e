"""One climb: the run from a bottom turn over a hill that no δ ends, and the δ that the reader drags along it."""

import math
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import traitlets
from matplotlib.figure import Figure

from hilladam.experiments import run_points
from hilladam.figures import COLOURS
from hilladam.losses import DOUBLE_WELL, TABLE_1, Polynomial
from hilladam.widgets._explorer import Explorer, Number, front_end, setting

_BETA2 = 0.999
LOWEST = 1e-9
"""The smallest |ΔL| that is looked at, in units of the hill's height."""
LONGEST = 1500
"""The most steps of a climb."""

_SINE = Polynomial(
    "sine wave",
    [0 if power % 2 else Fraction((-1) ** (power // 2 + 1), math.factorial(power)) for power in range(42, -1, -1)],
)
"""−cos x, by as many terms of its series as leave nothing but rounding within 9 of 0."""

LOSSES = {"double well": DOUBLE_WELL, **{key: TABLE_1[key] for key in ("sixth", "eighth", "tenth")}, "sine": _SINE}


class Hill(NamedTuple):
    """A hill, the minimum on this side of it, and the one on the other."""

    loss: Polynomial
    bottom: float
    top: float
    far: float

    @property
    def direction(self) -> float:
        """1 where the hill lies to the right of the minimum, −1 to the left."""
        return math.copysign(1.0, self.top - self.bottom)

    @property
    def height(self) -> float:
        """From the minimum on this side to the top."""
        return self.loss(self.top) - self.loss(self.bottom)


@cache  # sympy takes its time over the stationary points
def hill_of(key: str) -> Hill:
    """The hill that the loss's deepest valley lies behind."""
    if key == "sine":
        return Hill(_SINE, 0.0, math.pi, 2 * math.pi)
    loss = LOSSES[key]
    points = [point for point in loss.stationary_points if point.kind != "inflection"]
    deepest = points.index(loss.global_minimum)
    side = -1 if deepest else 1
    return Hill(loss, *(points[deepest + side * k].x for k in (2, 1, 0)))


class ClimbExplorer(Explorer):
    """Drag δ along one climb, and see on which side of the top it ends; no kernel is needed.

    The climb begins at a bottom turn and goes on as if δ were 0. Each δ ends it at the first step whose change of the
    loss is smaller, which is a record low, so that the one run says what every δ does. β₂ is 0.999; γ is out of reach.

    Args:
        loss (str): ``"double well"``; ``"sixth"``, ``"eighth"`` or ``"tenth"`` of :data:`hilladam.losses.TABLE_1`, from
            the minimum beside the global one; or ``"sine"``, −cos x, from 0.
        start (float): where the bottom turn is: so many λ from the minimum, towards the hill. 0.01 to 10.
        lr (float): λ.
        beta1 (float): β₁.
        delta (float): δ, in units of the loss.
        step (int): the step that is pointed out, from 0; beyond the last one it is the last.
        task (str): what the reader is asked to do, shown first.

    Each argument is a trait: read it after playing, or set it from a cell.

    Raises:
        traitlets.TraitError: an argument out of its range.

    Example:
        >>> from hilladam.widgets import ClimbExplorer
        >>> explorer = ClimbExplorer(loss="double well", lr=0.03, start=0.3)
        >>> beyond = explorer.climb()["beyond"]
        >>> for delta in (1e-2, 1e-3, 1e-4, 1e-5):
        ...     end = explorer.ending(delta)
        ...     print(delta, end, "beyond the top" if beyond[end] else "short of it")
        0.01 2 short of it
        0.001 30 beyond the top
        0.0001 56 short of it
        1e-05 79 beyond the top
    """

    _esm = front_end("climb")
    _css = Explorer._css + (Path(__file__).parent / "crossing.css").read_text(encoding="utf-8")

    hills = traitlets.Dict().tag(sync=True)
    loss = setting(traitlets.Enum(list(LOSSES), "double well"))
    start = setting(Number(0.3, min=0.01, max=10))
    lr = setting(Number(0.03, min=1e-3, max=1))
    beta1 = setting(Number(0.9, min=0, max=0.9999))
    delta = setting(Number(1e-4, min=0, max=1e6))
    step = setting(traitlets.Int(40, min=0))
    task = setting(traitlets.Unicode())

    @traitlets.default("hills")
    def _hills(self):
        return {
            key: {
                "name": hill.loss.name,
                "coefficients": hill.loss._about_centre,
                "centre": hill.loss._middle,
                "bottom": hill.bottom,
                "top": hill.top,
                "far": hill.far,
                "height": hill.height,
                "lowest": LOWEST * hill.height,
            }
            for key, hill in zip(LOSSES, map(hill_of, LOSSES), strict=True)
        }

    def climb(self) -> dict[str, np.ndarray]:
        """The climb that the page shows, to the last bit where numba is installed, as arrays by step.

        ``"x"``; ``"loss"``; ``"change"``, by how much the loss has changed, which is infinite at steps 0 and 1, for a
        turn forgets the loss, and two are first compared at step 2; ``"beyond"``, whether x has passed the top (bool);
        and ``"records"``, the steps whose change is smaller than all before.
        """
        hill = hill_of(self.loss)
        down = Polynomial("", [-c for c in hill.loss.coefficients], hill.loss.centre)
        start = hill.bottom + hill.direction * self.start * self.lr
        settings = dict(lr=self.lr, betas=(self.beta1, _BETA2), delta=0.0, gamma=math.inf)
        run = run_points(down, [start], LONGEST + 1, **settings)
        states, losses = run.states[:, 0], -run.losses[:, 0]
        beyond = hill.direction * (states - hill.top) > 0
        leaves = (hill.direction * (states - hill.far) > 0) | (hill.direction * (states - hill.bottom) < 0)
        with np.errstate(invalid="ignore"):  # what has left runs up a wall, to infinity
            change = np.append([np.inf, np.inf], abs(np.diff(losses))[1:])
        least = np.minimum.accumulate(change)
        records = np.flatnonzero(change < np.append(np.inf, least[:-1]))
        over = np.flatnonzero(leaves | (least < LOWEST * hill.height))
        length = over[0] + 1 if len(over) else len(states)
        steps = {"x": states, "loss": losses, "change": change, "beyond": beyond}
        return {name: each[:length] for name, each in steps.items()} | {"records": records[records < length]}

    def ending(self, delta: float | None = None) -> int | None:
        """The step at which ``delta`` ends the climb, None where it does not. Default: the explorer's own δ."""
        climb = self.climb()
        below = climb["records"][climb["change"][climb["records"]] < (self.delta if delta is None else delta)]
        return int(below[0]) if len(below) else None

    @plt.style.context("hilladam.figures.hilladam")
    def picture(self) -> Figure:
        hill, climb, end = hill_of(self.loss), self.climb(), self.ending()
        low = climb["change"][climb["records"]]
        places = {"height_ratios": (4, 5), "width_ratios": (12, 12, 1)}
        figure, axes = plt.subplot_mosaic([["hill", "change", "bar"], ["about", "change", "bar"]], figsize=(8, 3.8),
                                          gridspec_kw=places)  # fmt: skip
        curve, about, change, bar = (axes[name] for name in ("hill", "about", "change", "bar"))
        steps = np.arange(len(climb["x"]))
        x = np.linspace(*sorted((hill.bottom - 0.4 * (hill.top - hill.bottom), 1.2 * hill.far - 0.2 * hill.top)), 300)
        curve.plot(x, hill.loss(x), color=COLOURS["loss"], linewidth=1.2)
        across = hill.direction * (climb["x"] - hill.top) / self.lr
        shown = steps <= (len(steps) if end is None else end)
        panels = (curve, climb["x"], climb["loss"]), (about, steps, across), (change, steps, climb["change"])
        for ax, horizontal, vertical in panels:
            for side, face, edge in (
                (climb["beyond"], COLOURS["best"], COLOURS["best"]),
                (~climb["beyond"], "none", "0.4"),
            ):
                for chosen, alpha in ((side & shown, 1.0), (side & ~shown, 0.35)):
                    style = dict(markersize=2.5, markerfacecolor=face, markeredgecolor=edge, markeredgewidth=0.6)
                    ax.plot(horizontal[chosen], vertical[chosen], "o", alpha=alpha, **style)
            if end is not None:
                ax.plot(horizontal[end], vertical[end], "o", markersize=9, color="none", markeredgecolor="black")
        lowest, highest = LOWEST * hill.height, 2 * hill.height
        over = max(across.max(), 0)
        about.axhline(0, color="0.4", linestyle=":", linewidth=1)
        about.set(xlabel="step", ylabel="beyond the top, in λ", ylim=(-max(2.2 * over, 4), max(1.25 * over, 1.5)))
        curve.set(xlabel="x", ylabel="loss")
        change.step(climb["records"], low, where="post", color="black", linewidth=1)
        change.set(xlabel="step", ylabel="|ΔL|", yscale="log", ylim=(lowest, highest))
        if lowest < self.delta < highest:
            change.axhline(self.delta, color="black")
            change.annotate(f"δ = {self.delta:g}", (0.98, self.delta), (0, 3), xycoords=("axes fraction", "data"),
                            textcoords="offset points", ha="right")  # fmt: skip
        edges = np.append(highest, low)
        for above, below, side in zip(edges[:-1], edges[1:], climb["beyond"][climb["records"]], strict=True):
            bar.fill_between([0, 1], below, above, color=COLOURS["best"] if side else "0.85", linewidth=0)
        bar.set(yscale="log", ylim=(lowest, highest), xlim=(0, 1), xticks=[], yticks=[], xlabel="δ")
        bar.tick_params(which="both", left=False)
        return figure
