"""What the explorers of crossing have in common: their losses, and what becomes of every start at once."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import traitlets
from matplotlib.axes import Axes

from hilladam.experiments import Record, run_points
from hilladam.figures import COLOURS
from hilladam.losses import DOUBLE_WELL, TABLE_1, Polynomial, SineWave, StationaryPoint
from hilladam.widgets._explorer import Number, setting
from hilladam.widgets._on_losses import OnLosses, powers_of

LOSSES = {"double well": DOUBLE_WELL, **{key: TABLE_1[key] for key in ("sixth", "eighth", "tenth")}}
"""The losses, by the names that the trait ``loss`` takes."""

_PLACES = {  # the ends of the starts, the one that is shown first, and γ
    "double well": (-1.65, 1.55, 1.26, 20.0),
    "sixth": (-1.4, 0.2, 0.1, 200.0),
    "eighth": (1.25, 4.3, 2.9, 200.0),
    "tenth": (0.8, 5.2, 3.8, 200.0),
}
_STARTS = 240
_LEGS = 3


class FromEveryStart(OnLosses):
    """An explorer of one run of Hill-ADAM, and of what becomes of every other start.

    Subclasses give the traits ``lr``, ``delta`` and ``steps``, and ``betas``.
    """

    losses = LOSSES

    gamma = setting(Number(min=-1e6))

    @staticmethod
    def landscape_of(key: str) -> dict:
        loss, (left, right, start, gamma) = LOSSES[key], _PLACES[key]
        scene = scene_of(loss, loss.stationary_points, left, right) | powers_of(loss)
        return scene | {"starts": _STARTS, "start": start, "gamma": gamma}

    @traitlets.default("gamma")
    def _gamma(self):
        return self.landscape_of(self.loss)["gamma"]

    @property
    def starts(self) -> np.ndarray:
        """The starts of the bar code, from left to right."""
        return starts_of(self.landscape_of(self.loss))

    def run(self) -> Record:
        """The run from ``start``, to the last bit that of the page where numba is installed."""
        return self._run([self.start]).member(0)

    def reached(self) -> np.ndarray:
        """Which of ``starts`` lead to the deepest valley: bool. It is reached below the floors of all others."""
        return self._reached()

    def _reached(self, **rule):
        return self._run(self.starts, history=False, **rule).best_losses < gate_of(self.polynomial.stationary_points)

    def _run(self, starts, **others):
        settings = {"lr": self.lr, "betas": self.betas, "delta": self.delta, "gamma": self.gamma} | others
        return run_points(self.polynomial, starts, self.steps, **settings)


def way_of(run: Record, gate: float) -> tuple[np.ndarray, np.ndarray]:
    """Where a run is below ``gate``, by step, and the steps of its turns before that."""
    there = run.losses < gate
    return there, run.switches[run.switches < there.argmax()] if there.any() else run.switches


def draw_hill(
    ax: Axes, loss: Polynomial | SineWave, scene: dict, run: Record, start: float, starts: np.ndarray,
    reached: np.ndarray,
) -> None:  # fmt: skip
    """Draw the loss, the legs of a run beside it, and below them the fate of every start."""
    x = np.linspace(scene["left"], scene["right"], 400)
    ax.plot(x, loss(x), color=COLOURS["loss"], linewidth=1.2)
    colours = [COLOURS["best"] if arrives else "0.85" for arrives in reached]
    ax.bar(starts, 0.09, starts[1] - starts[0], color=colours, transform=ax.get_xaxis_transform(), linewidth=0)
    there, turns = way_of(run, scene["gate"])
    ends = np.append(turns, there.argmax()) if there.any() else turns
    stops = np.append(start, run.states[ends])[: 2 * _LEGS + 1]
    for number, (begin, end) in enumerate(pairwise(stops)):
        path = np.linspace(begin, end, 60)
        lift = 0.02 + 0.018 * number
        colour = COLOURS["maximize" if number % 2 else "minimize"]
        ax.plot(path, loss(path) + lift * (scene["top"] - scene["bottom"]), color=colour, linewidth=1.2)
    ax.plot(start, min(loss(start), scene["top"]), "o", color=COLOURS["ink"], markersize=9)
    ax.set(xlabel="x", ylabel="loss", xlim=(scene["left"], scene["right"]), ylim=(scene["bottom"], scene["top"]))


def starts_of(scene: dict) -> np.ndarray:
    """The starts of the bar code, from left to right."""
    return scene["left"] + ((np.arange(_STARTS) + 0.5) / _STARTS) * (scene["right"] - scene["left"])


def gate_of(points: Sequence[StationaryPoint]) -> float:
    """The loss of the deepest minimum but one, less what rounding may take from it: below is the deepest valley."""
    deepest, second, *_ = sorted(point.value for point in points if point.kind == "minimum")
    return second - 1e-6 * (second - deepest)


def scene_of(loss: Polynomial | SineWave, points: Sequence[StationaryPoint], left: float, right: float) -> dict:
    """What a page draws of a loss from ``left`` to ``right``, with room for a bar code below it."""
    minima = [point for point in points if point.kind == "minimum"]
    values = [point.value for point in points if left < point.x < right]
    low = min(values)
    high = min(max(loss(left), loss(right), *values), low + 2.2 * (max(values) - low))
    return {
        "name": loss.name,
        "minima": [point.x for point in minima],
        "maxima": [point.x for point in points if point.kind == "maximum"],
        "goal": minima.index(min(minima, key=lambda point: point.value)),
        "gate": gate_of(points),
        "left": left,
        "right": right,
        "bottom": low - 0.36 * (high - low),
        "top": high + 0.15 * (high - low),
    }
