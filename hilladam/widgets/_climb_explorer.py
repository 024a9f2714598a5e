"""One climb: the run from a bottom turn over a hill that no δ ends, and the δ that the reader drags along it."""

import math
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import traitlets
from matplotlib.figure import Figure

from hilladam.figures import COLOURS
from hilladam.figures._style import styled
from hilladam.losses import Polynomial
from hilladam.theory._climb import ascend, changes
from hilladam.widgets._crossing import LOSSES as POLYNOMIALS
from hilladam.widgets._explorer import Number, front_end, look, setting
from hilladam.widgets._on_losses import OnLosses, powers_of

_BETA2, _EPS = 0.999, 1e-8
LOWEST = 1e-9
"""The smallest |ΔL| that is looked at, in units of the hill's height."""
LONGEST = 1500
"""The most steps of a climb."""

_SINE = Polynomial(
    "sine wave",
    [0 if power % 2 else Fraction((-1) ** (power // 2 + 1), math.factorial(power)) for power in range(42, -1, -1)],
)
"""−cos x, by as many terms of its series as leave nothing but rounding within 9 of 0."""

LOSSES = POLYNOMIALS | {"sine": _SINE}


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


def climb_of(key: str, start: float, lr: float, beta1: float) -> dict[str, np.ndarray]:
    """What :meth:`ClimbExplorer.climb` gives."""
    hill = hill_of(key)
    place = np.asarray(hill.bottom + hill.direction * start * lr)
    with np.errstate(over="ignore", invalid="ignore"):  # what has left runs up a wall, to infinity
        states = ascend(hill.loss.derivative, place, lr, (beta1, _BETA2), _EPS, LONGEST)
        losses = hill.loss(states)
        change = changes(losses)
    beyond = hill.direction * (states - hill.top) > 0
    leaves = (hill.direction * (states - hill.far) > 0) | (hill.direction * (states - hill.bottom) < 0)
    least = np.minimum.accumulate(change)
    records = np.flatnonzero(change < np.append(np.inf, least[:-1]))
    over = np.flatnonzero(leaves | (least < LOWEST * hill.height))
    length = over[0] + 1 if len(over) else len(states)
    steps = {"x": states, "loss": losses, "change": change, "beyond": beyond}
    return {name: each[:length] for name, each in steps.items()} | {"records": records[records < length]}


class ClimbExplorer(OnLosses):
    """Drag δ along one climb, and see on which side of the top it ends; no kernel is needed.

    The climb begins at a bottom turn and goes on as if δ were 0. Each δ ends it at the first step whose change of the
    loss is smaller, which is a record low, so that the one run says what every δ does. β₂ is 0.999; γ is out of reach.

    Args:
        loss (str): ``"double well"``; ``"sixth"``, ``"eighth"`` or ``"tenth"`` of :data:`hilladam.losses.TABLE_1`, from
            the minimum beside the global one; or ``"sine"``, −cos x, from 0.
        start (float): where the bottom turn is: so many λ from the minimum, towards the hill. 0.01 to 10.
        lr (float): λ, 0.001 to 1.
        beta1 (float): β₁, 0 to 0.9999.
        delta (float): δ, in units of the loss, 0 to a million.
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
    _css = look("crossing")

    losses = LOSSES

    loss = setting(traitlets.Enum(list(LOSSES), "double well"))
    start = setting(Number(0.3, min=0.01, max=10))
    lr = setting(Number(0.03, min=1e-3, max=1))
    beta1 = setting(Number(0.9, min=0, max=0.9999))
    delta = setting(Number(1e-4, min=0, max=1e6))
    step = setting(traitlets.Int(40, min=0))

    @staticmethod
    def landscape_of(key: str) -> dict:
        hill = hill_of(key)
        places = {name: getattr(hill, name) for name in ("bottom", "top", "far", "height")}
        return {"name": hill.loss.name, **powers_of(hill.loss), **places, "lowest": LOWEST * hill.height}

    def climb(self) -> dict[str, np.ndarray]:
        """The climb that the page shows, to the last bit, as arrays by step.

        ``"x"``; ``"loss"``; ``"change"``, by how much the loss has changed, which is infinite at steps 0 and 1, for a
        turn forgets the loss, and two are first compared at step 2; ``"beyond"``, whether x has passed the top (bool);
        and ``"records"``, the steps whose change is smaller than all before.
        """
        return {name: values.copy() for name, values in self._climb().items()}

    _kept = None, None  # one climb serves every δ, and is asked for once more with each

    def _climb(self):
        settings = self.loss, self.start, self.lr, self.beta1
        if self._kept[0] != settings:
            self._kept = settings, climb_of(*settings)
        return self._kept[1]

    def ending(self, delta: float | None = None) -> int | None:
        """The step at which ``delta`` ends the climb, None where it does not. Default: the explorer's own δ."""
        climb = self._climb()
        below = climb["records"][climb["change"][climb["records"]] < (self.delta if delta is None else delta)]
        return int(below[0]) if len(below) else None

    @styled
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
                ax.plot(horizontal[end], vertical[end], "o", markersize=9, color="none", markeredgecolor=COLOURS["ink"])
        lowest, highest = LOWEST * hill.height, 2 * hill.height
        over = max(across.max(), 0)
        about.axhline(0, color="0.4", linestyle=":", linewidth=1)
        about.set(xlabel="step", ylabel="beyond the top, in λ", ylim=(-max(2.2 * over, 4), max(1.25 * over, 1.5)))
        curve.set(xlabel="x", ylabel="loss")
        change.step(climb["records"], low, where="post", color=COLOURS["ink"], linewidth=1)
        change.set(xlabel="step", ylabel="|ΔL|", yscale="log", ylim=(lowest, highest))
        if lowest < self.delta < highest:
            change.axhline(self.delta, color=COLOURS["ink"])
            change.annotate(f"δ = {self.delta:g}", (0.98, self.delta), (0, 3), xycoords=("axes fraction", "data"),
                            textcoords="offset points", ha="right")  # fmt: skip
        edges = np.append(highest, low)
        for above, below, side in zip(edges[:-1], edges[1:], climb["beyond"][climb["records"]], strict=True):
            bar.fill_between([0, 1], below, above, color=COLOURS["best"] if side else "0.85", linewidth=0)
        bar.set(yscale="log", ylim=(lowest, highest), xlim=(0, 1), xticks=[], yticks=[], xlabel="δ")
        bar.tick_params(which="both", left=False)
        return figure
