"""The phase diagram: for each λ and β₁ what was predicted, what Adam does, and the path that it takes."""

import math
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import traitlets
from matplotlib.figure import Figure

from hilladam.figures import COLOURS, phase_diagram
from hilladam.figures._style import styled
from hilladam.losses import DOUBLE_WELL, TABLE_1
from hilladam.theory import WayOut, adam_path, first_pass, sweep_path, sweeps, way_out
from hilladam.widgets._explorer import Explorer, front_end, setting
from hilladam.widgets._on_losses import powers_of

_CASES = {"double well": (DOUBLE_WELL, 2.0), "sixth": (TABLE_1["sixth"], 0.6), "tenth": (TABLE_1["tenth"], 0.8)}
_CELLS = 31
_SWEEPS = 6
_BETA1 = 1 - np.geomspace(0.5, 0.003, _CELLS)
_BETA2 = 0.999


class PhaseExplorer(Explorer):
    """Point at a cell of a phase diagram: see Adam's path there beside the predicted one. No kernel is needed.

    The diagram has 31 values of λ from L/1000 to L/2.5, where L is the distance from the start to the barrier's top,
    and 31 of β₁ from 0.5 to 0.997; β₂ is 0.999. Colours say where the prediction is right.

    Args:
        loss (str): ``"double well"`` from 2, ``"sixth"`` from 0.6 or ``"tenth"`` from 0.8, of
            :data:`hilladam.losses.TABLE_1`.
        sweeps (int): the prediction is Equation 13's with torch's weights, along points at equal distances (0) or after
            so many sweeps, up to 6; see :func:`hilladam.theory.sweeps`.
        cell (tuple[int, int]): which cell is shown: its column, from the smallest λ on, and its row, from the smallest
            β₁ on, both 0 to 30.
        task (str): what the reader is asked to do, shown below the diagram.

    Each argument is a trait: read it after playing, or set it from a cell.

    Raises:
        traitlets.TraitError: an argument out of its range.

    Example:
        >>> from hilladam.widgets import PhaseExplorer
        >>> phase = PhaseExplorer(loss="sixth", cell=(30, 0), sweeps=6)
        >>> phase.truth.shape, round(phase.beta1, 3)
        ((31, 31), 0.5)
        >>> bool((phase.truth == phase.predicted).mean() > 0.99)
        True
    """

    _esm = front_end("phase")

    diagrams = traitlets.Dict().tag(sync=True)
    loss = setting(traitlets.Enum(list(_CASES), "double well"))
    sweeps = setting(traitlets.Int(0, min=0, max=_SWEEPS))
    cell = setting(
        traitlets.Tuple(
            traitlets.Int(min=0, max=_CELLS - 1), traitlets.Int(min=0, max=_CELLS - 1), default_value=(20, 9)
        )
    )
    task = setting(traitlets.Unicode())

    @traitlets.default("diagrams")
    def _diagrams(self):
        return {
            key: {
                "name": f.name,
                **powers_of(f),
                "x0": x0,
                "barrier": _way(key).barrier,
                "steps": _steps(key),
                "lr": _lr(key).tolist(),
                "beta1": _BETA1.tolist(),
                "beta2": _BETA2,
                "truth": _bits(_truth(key)),
                "predicted": [_bits(verdict) for verdict in _predicted(key)],
            }
            for key, (f, x0) in _CASES.items()
        }

    @property
    def lr(self) -> float:
        """λ of the cell."""
        return _lr(self.loss)[self.cell[0]].item()

    @property
    def beta1(self) -> float:
        """β₁ of the cell."""
        return _BETA1[self.cell[1]].item()

    @property
    def truth(self) -> np.ndarray:
        """Where Adam escapes: bool, shape (β₁, λ)."""
        return _truth(self.loss)

    @property
    def predicted(self) -> np.ndarray:
        """Where it is said to escape, likewise."""
        return _predicted(self.loss)[self.sweeps]

    def paths(self) -> dict[str, np.ndarray]:
        """The cell's first passes, positions in units of x: ``"Adam"`` and ``"predicted"``."""
        (f, x0), way = _CASES[self.loss], _way(self.loss)
        setting = (f, x0, way.barrier, self.lr, (self.beta1, _BETA2), _steps(self.loss))
        real = adam_path(*setting)
        points, called_for = sweep_path(*setting, count=self.sweeps + 1)[-2:]
        return {
            "Adam": _first_pass_only(way, real, real),
            "predicted": _first_pass_only(way, points, called_for),
        }

    @styled
    def picture(self) -> Figure:
        f, way = _CASES[self.loss][0], _way(self.loss)
        figure, (diagram, curve) = plt.subplots(1, 2, figsize=(8, 3.4), width_ratios=(2, 3))
        phase_diagram(self.truth, _lr(self.loss), _BETA1, self.predicted, ax=diagram, unit=way.length)
        diagram.plot(self.lr / way.length, 1 - self.beta1, marker="s", markersize=8, color="none",
                     markeredgecolor=COLOURS["ink"], markeredgewidth=2)  # fmt: skip
        x = np.linspace(*sorted(_stretch(way)), 400)
        curve.plot(x, f(x), color=COLOURS["loss"], linewidth=1.2)
        lift = 0.05 * np.ptp(f(x))
        criterion = f"{self.sweeps} sweeps" if self.sweeps > 1 else "one sweep" if self.sweeps else "equal distances"
        names = {"Adam": ("Adam", COLOURS["ink"], "o-"), "predicted": (criterion, COLOURS["other"], "x-")}
        for number, (run, path) in enumerate(self.paths().items(), start=1):
            name, colour, marks = names[run]
            path = path[(path > x[0]) & (path < x[-1])]
            style = dict(markersize=3, linewidth=1, color=colour, label=name)
            curve.plot(path, f(path) + number * lift, marks, **style)
        curve.axvline(way.barrier, color=COLOURS["ink"], linestyle="--", linewidth=1)
        curve.set(xlabel="x", ylabel="loss f(x)")
        curve.legend(loc="upper center")
        return figure


def _stretch(way: WayOut) -> tuple[float, float]:
    """What to show of the loss: a little before the start, and more behind the top."""
    return way.x0 - 0.04 * way.direction * way.length, way.barrier + 0.25 * way.direction * way.length


def _first_pass_only(way, path, called_for):
    """The path up to where it is beyond the top, or where the steps that it calls for first turn back."""
    steps = way.direction * np.diff(called_for)
    ends = np.flatnonzero((way.direction * (path[1:] - way.x0) > way.length) | (steps < 0))
    return path[: ends[0] + 2] if len(ends) else path


def _bits(verdicts):
    return "".join(map(str, verdicts.astype(int).flat))


@cache
def _way(loss):
    return way_out(*_CASES[loss])


def _lr(loss):
    return np.geomspace(_way(loss).length / 1000, _way(loss).length / 2.5, _CELLS)


def _steps(loss):
    """How many steps every run of the grid has: :func:`hilladam.theory.first_pass`'s default."""
    return math.ceil(2 * _way(loss).length / _lr(loss).min())


def _setting(loss):
    return (*_CASES[loss], _way(loss).barrier, _lr(loss), (_BETA1[:, None], _BETA2))


@cache
def _truth(loss):
    return first_pass(*_setting(loss)).first


@cache
def _predicted(loss):
    return sweeps(*_setting(loss), count=_SWEEPS, every=True)
