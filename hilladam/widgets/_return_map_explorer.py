"""From turn to turn: where Hill-ADAM's descents stop, as a map of the line into itself, and what becomes of a start."""

from itertools import pairwise
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import traitlets
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hilladam.experiments import Record, run_points
from hilladam.figures import COLOURS
from hilladam.figures._style import styled
from hilladam.losses import Polynomial
from hilladam.theory import return_map
from hilladam.widgets._crossing import LOSSES, Crossing
from hilladam.widgets._explorer import Number, front_end, setting

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_BETAS = (0.9, 0.999)
_STARTS = 240
_SAMPLES = 320
_WINDOWS = (3.6, 6, 10, 16, 25, 40)
_LEGS = 3
_LONGEST = 3000
PLACES = {  # the ends of the starts, the one that is shown first, and γ
    "double well": (-1.65, 1.55, 1.26, 20.0),
    "sixth": (-1.4, 0.2, 0.1, 200.0),
    "eighth": (1.25, 4.3, 2.9, 200.0),
    "tenth": (0.8, 5.2, 3.8, 200.0),
}


class ReturnMapExplorer(Crossing):
    """Drag a start and follow its run from turn to turn; see what becomes of every other start. No kernel is needed.

    A turn leaves nothing of Hill-ADAM but its place. So where a descent stops decides where the next one does: the map
    of the page has the first across and the second up, in λ from the valley's floor. In a door the next climb leads
    into another valley, towards the deepest; on the outer side it goes up the wall. β₁ is 0.9 and β₂ 0.999.

    Args:
        loss (str): ``"double well"``, or ``"sixth"``, ``"eighth"`` or ``"tenth"`` of :data:`hilladam.losses.TABLE_1`.
        start (float): x₀. Default: one that suits the loss.
        lr (float): λ, 0.001 to 1.
        delta (float): δ, in units of the loss, 0 to a million.
        gamma (float): γ, in units of the loss. Default: 20 for the double well, 200 for the others.
        steps (int): the length of a run, 1 to 5,000.
        task (str): what the reader is asked to do, shown first.

    Each argument is a trait: read it after playing, or set it from a cell.

    Raises:
        traitlets.TraitError: an argument out of its range.

    Example:
        >>> from hilladam.widgets import ReturnMapExplorer
        >>> explorer = ReturnMapExplorer(loss="double well", lr=0.05, delta=1e-4)
        >>> for gamma in (200.0, 5.0, 2.0):
        ...     explorer.gamma = gamma
        ...     print(gamma, explorer.reached().mean().round(2))
        200.0 0.69
        5.0 1.0
        2.0 1.0
    """

    _esm = front_end("turns")

    landscapes = traitlets.Dict().tag(sync=True)
    loss = setting(traitlets.Enum(list(LOSSES), "double well"))
    start = setting(Number(min=-1e6, max=1e6))
    gamma = setting(Number(min=-1e6))
    steps = setting(traitlets.Int(4000, min=1, max=5000))

    @traitlets.default("start")
    def _start(self):
        return PLACES[self.loss][2]

    @traitlets.default("gamma")
    def _gamma(self):
        return PLACES[self.loss][3]

    @traitlets.default("landscapes")
    def _landscapes(self):
        return {key: landscape_of(key) for key in LOSSES}

    @property
    def polynomial(self) -> Polynomial:
        """The loss."""
        return LOSSES[self.loss]

    @property
    def starts(self) -> np.ndarray:
        """The starts of the bar code, from left to right."""
        return starts_of(landscape_of(self.loss))

    def run(self) -> Record:
        """The run from ``start``, to the last bit that of the page where numba is installed."""
        return self._run([self.start]).member(0)

    def reached(self) -> np.ndarray:
        """Which of ``starts`` lead to the deepest valley: bool. It is reached below the floors of all others."""
        return self._run(self.starts, history=False).best_losses < gate_of(self.polynomial)

    def _run(self, starts, **options):
        settings = dict(lr=self.lr, betas=_BETAS, delta=self.delta, gamma=self.gamma)
        return run_points(self.polynomial, starts, self.steps, **settings, **options)

    def next_turns(self, places: "ArrayLike") -> np.ndarray:
        """Where the descent after the next climb stops; NaN where one of the two has no end within 3,000 steps.

        Args:
            places: bottom turns, x itself, of any shape.

        Returns:
            float64 of that shape, to the last bit what the page shows.
        """
        rule = dict(lr=self.lr, delta=self.delta, gamma=self.gamma, betas=_BETAS)
        return return_map(self.polynomial, places, **rule, steps=_LONGEST).bottom.x

    @styled
    def picture(self) -> Figure:
        loss, scene, run = self.polynomial, landscape_of(self.loss), self.run()
        figure, (hill, square) = plt.subplots(1, 2, figsize=(8, 3.8))
        draw_hill(hill, loss, scene, run, self.start, self.reached())
        there, turns = way_of(run, scene["gate"])

        bottoms = run.states[turns[::2]]  # descents come first
        wells = np.searchsorted(scene["maxima"], bottoms)
        others = np.flatnonzero(wells != scene["goal"])
        last = others[-1] if len(others) else len(wells) - 1
        well = wells[last] if len(wells) else np.searchsorted(scene["maxima"], self.start)
        first = max(np.flatnonzero(wells[: last + 1] != well), default=-1) + 1
        floor, inner = scene["minima"][well], np.sign(scene["goal"] - well) or 1
        offsets = (bottoms[first : last + 1] - floor) / self.lr
        reach = next((w for w in _WINDOWS if w >= 1.15 * abs(offsets).max(initial=0)), _WINDOWS[-1])
        places = reach * ((2 * np.arange(_SAMPLES) + 1) / _SAMPLES - 1)
        following = self.next_turns(floor + places * self.lr)
        side = np.where(np.isnan(following), np.nan, (np.searchsorted(scene["maxima"], following) - well) * inner)
        square.axvspan(0, -reach * inner, color="0.93", linewidth=0)
        for leaves, colour in ((side > 0, "#a9d8c3"), (side < 0, "0.8")):
            square.fill_between(places, 0, 1, where=leaves, step="mid", color=colour, linewidth=0,
                                transform=square.get_xaxis_transform())  # fmt: skip
        square.plot([-reach, reach], [-reach, reach], color=COLOURS["loss"], linestyle="--", linewidth=0.8)
        for outside, colour in ((False, "minimize"), (True, "maximize")):
            chosen = (side == 0) & ((places * inner < 0) == outside)
            square.plot(places[chosen], (following[chosen] - floor) / self.lr, ".", color=COLOURS[colour], markersize=3)
        if len(offsets):
            web = np.repeat(offsets, 2)
            up = [reach] if there.any() or last + 1 < len(wells) else []
            square.plot(web[: len(web) - 1 + len(up)], [-reach, *web[2:], *up], color="black", linewidth=1.4)
        square.set(xlim=(-reach, reach), ylim=(-reach, reach), xlabel="where a descent stops, in λ from the floor",
                   ylabel="where the next one stops")  # fmt: skip
        return figure


def way_of(run: Record, gate: float) -> tuple[np.ndarray, np.ndarray]:
    """Where a run is below ``gate``, by step, and the steps of its turns before that."""
    there = run.losses < gate
    return there, run.switches[run.switches < there.argmax()] if there.any() else run.switches


def draw_hill(ax: Axes, loss: Polynomial, scene: dict, run: Record, start: float, reached: np.ndarray) -> None:
    """Draw the loss, the legs of a run beside it, and below them the fate of every start."""
    x = np.linspace(scene["left"], scene["right"], 400)
    ax.plot(x, loss(x), color=COLOURS["loss"], linewidth=1.2)
    colours = [COLOURS["best"] if arrives else "0.85" for arrives in reached]
    width = (scene["right"] - scene["left"]) / _STARTS
    ax.bar(starts_of(scene), 0.09, width, color=colours, transform=ax.get_xaxis_transform(), linewidth=0)
    there, turns = way_of(run, scene["gate"])
    ends = np.append(turns, there.argmax()) if there.any() else turns
    stops = np.append(start, run.states[ends])[: 2 * _LEGS + 1]
    for number, (begin, end) in enumerate(pairwise(stops)):
        path = np.linspace(begin, end, 60)
        lift = 0.02 + 0.018 * number
        colour = COLOURS["maximize" if number % 2 else "minimize"]
        ax.plot(path, loss(path) + lift * (scene["top"] - scene["bottom"]), color=colour, linewidth=1.2)
    ax.plot(start, min(loss(start), scene["top"]), "o", color="black", markersize=9)
    ax.set(xlabel="x", ylabel="loss", xlim=(scene["left"], scene["right"]), ylim=(scene["bottom"], scene["top"]))


def starts_of(scene: dict) -> np.ndarray:
    """The starts of the bar code, from left to right."""
    return scene["left"] + ((np.arange(_STARTS) + 0.5) / _STARTS) * (scene["right"] - scene["left"])


def gate_of(loss: Polynomial) -> float:
    """The loss of the deepest minimum but one, less what rounding may take from it: below is the deepest valley."""
    deepest, second, *_ = sorted(point.value for point in loss.minima)
    return second - 1e-6 * (second - deepest)


def landscape_of(key: str) -> dict:
    """What the page draws of a loss."""
    loss, (left, right, start, gamma) = LOSSES[key], PLACES[key]
    minima = [point.x for point in loss.minima]
    values = [point.value for point in loss.stationary_points if left < point.x < right]
    low = min(values)
    high = min(max(loss(left), loss(right), *values), low + 2.2 * (max(values) - low))
    return {
        "name": loss.name,
        "coefficients": loss._about_centre,
        "centre": loss._middle,
        "minima": minima,
        "maxima": [point.x for point in loss.stationary_points if point.kind == "maximum"],
        "goal": minima.index(loss.global_minimum.x),
        "gate": gate_of(loss),
        "left": left,
        "right": right,
        "starts": _STARTS,
        "bottom": low - 0.36 * (high - low),
        "top": high + 0.15 * (high - low),
        "start": start,
        "gamma": gamma,
    }
