"""The map of success: tap a setting of λ and δ, and see one run with it, and what becomes of every start."""

from functools import cache
from typing import ClassVar

import matplotlib.pyplot as plt
import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from scipy.optimize import brentq

from hilladam.experiments import MAPPED, Points, Record, run_points, stored_success_maps, train
from hilladam.experiments._success_maps import DELTA, GAMMA, LR, STARTS, STEPS
from hilladam.figures import COLOURS
from hilladam.figures._crossing import SHARE
from hilladam.figures._style import styled
from hilladam.losses import Polynomial, SineWave, StationaryPoint
from hilladam.optim import ReferenceHillAdam
from hilladam.theory import hill, hills
from hilladam.widgets._crossing import draw_hill, gate_of, scene_of
from hilladam.widgets._explorer import front_end, look, setting
from hilladam.widgets._formula import parse
from hilladam.widgets._on_losses import OnLosses, powers_of

_BETAS = (0.9, 0.999)
_PICTURES = {  # the ends of the picture, and the start that is shown first
    "double well": (-1.65, 2.1, 1.4),
    "sixth order": (-1.45, 0.65, 0.3),
    "eighth order": (0.15, 4.35, 2.7),
    "tenth order": (0.65, 5.25, 2.2),
    "sine wave": (2.5, 6.8, 3.2),
}
_HILL = 3.483, 4.586  # of the sine wave: the minimum before the last hill, and its top
# hilladam.losses.SINE_WAVE in the grammar of formulas.
_SINE_WAVE = (
    "1 - cos(1)(sin(512pi x/255)/(256sin(2pi x/255)) + sin(3072pi/255)/(256sin(12pi/255)))/2"
    " - sin(256pi(x-6)/255)/(256sin(pi(x-6)/255)) + cos(1)sin(256pi(x+6)/255)/(256sin(pi(x+6)/255))"
)
_STARTS_PER_LETTER = 8


class SuccessMapExplorer(OnLosses):
    """Tap a cell of a map of success over λ and δ: see a run with it, and what becomes of every start. No kernel.

    The map is one of :func:`hilladam.experiments.stored_success_maps`: of 200 starts so many reach the deepest valley
    within 2,000 gradients, with γ = 200, β₁ = 0.9 and β₂ = 0.999. The lines on it are the largest δ of the law, one
    for each hill that has to be crossed: :meth:`hilladam.theory.Hill.largest_delta`. What the page shows of a cell it
    computes when it is tapped. There a run has arrived below the floors of all other valleys. The map counts by the
    valley that its lowest loss lies in, which differs where a run crosses with its last steps.

    Args:
        loss (str): a key of :data:`hilladam.experiments.MAPPED`.
        cell (tuple[int, int]): which cell is shown: its column, from the smallest λ on, and its row, from the smallest
            δ on, both 0 to 99.
        start (float): x₀ of the run that is drawn. Default: one that suits the loss.
        task (str): what the reader is asked to do, shown first.

    Each argument is a trait: read it after playing, or set it from a cell.

    Raises:
        traitlets.TraitError: an argument out of its range.

    Example:
        >>> from hilladam.widgets import SuccessMapExplorer
        >>> explorer = SuccessMapExplorer(cell=(49, 49))
        >>> f"λ = {explorer.lr:.3g}, δ = {explorer.delta:.2g}: {explorer.count} of 200"
        'λ = 0.0305, δ = 9.3e-05: 63 of 200'
        >>> int(explorer.reached().sum())
        63
    """

    _esm = front_end("success")
    _css = look("crossing", "success")

    losses: ClassVar = {name: mapped.loss for name, mapped in MAPPED.items()}

    rule = traitlets.Dict(
        {"lr": LR.tolist(), "delta": DELTA.tolist(), "gamma": GAMMA, "beta1": _BETAS[0], "beta2": _BETAS[1],
         "steps": STEPS, "starts": STARTS, "startsPerLetter": _STARTS_PER_LETTER}
    ).tag(sync=True)  # fmt: skip
    loss = setting(traitlets.Enum(list(MAPPED), "double well"))
    cell = setting(
        traitlets.Tuple(
            traitlets.Int(min=0, max=len(LR) - 1), traitlets.Int(min=0, max=len(DELTA) - 1), default_value=(49, 49)
        )
    )

    @staticmethod
    def landscape_of(key: str) -> dict:
        loss, low, high = MAPPED[key]
        left, right, start = _PICTURES[key]
        function = powers_of(loss) if isinstance(loss, Polynomial) else {"program": parse(_SINE_WAVE)}
        laws = [[float(f"{delta:.3g}") for delta in over.largest_delta(LR)] for over in _ahead(key)]
        counts = stored_success_maps()[key].counts
        letters = "".join(chr(ord("a") + round(int(count) / _STARTS_PER_LETTER)) for count in counts.T.flat)
        scene = scene_of(loss, _points(key), left, right)
        return scene | function | {"low": low, "high": high, "start": start, "laws": laws, "counts": letters}

    @property
    def lr(self) -> float:
        """λ of the cell."""
        return float(LR[self.cell[0]])

    @property
    def delta(self) -> float:
        """δ of the cell."""
        return float(DELTA[self.cell[1]])

    @property
    def count(self) -> int:
        """How many of 200 starts succeed with it, as it is stored."""
        return int(stored_success_maps()[self.loss].counts[self.cell[1], self.cell[0]])

    @property
    def starts(self) -> np.ndarray:
        """The 200 starts, from left to right."""
        return np.linspace(*MAPPED[self.loss][1:], STARTS)

    def run(self) -> Record:
        """The run from ``start``: what the page shows, to the last bit on a polynomial where numba is installed."""
        return self._run([self.start]).member(0)

    def reached(self) -> np.ndarray:
        """Which of ``starts`` lead to the deepest valley: bool. It is reached below the floors of all others."""
        return self._run(self.starts, history=False).best_losses < gate_of(_points(self.loss))

    def _run(self, starts, **options):
        if isinstance(self.polynomial, Polynomial):
            rule = dict(lr=self.lr, delta=self.delta, gamma=GAMMA, betas=_BETAS)
            return run_points(self.polynomial, starts, STEPS, **rule, **options)
        points = Points(torch.tensor(starts, dtype=torch.float64))
        rule = dict(lr=self.lr, betas=_BETAS, delta=self.delta, gamma=GAMMA)
        hill_adam = ReferenceHillAdam(points.parameters, **rule)
        return train(points, lambda x: self.polynomial(x.flatten()), hill_adam, STEPS, **options)

    @styled
    def picture(self) -> Figure:
        stored, scene = stored_success_maps()[self.loss], self.landscape_of(self.loss)
        figure, (diagram, curve) = plt.subplots(1, 2, figsize=(8, 3.6))
        share = stored.counts / STARTS
        mesh = diagram.pcolormesh(stored.lr, stored.delta, share, cmap=SHARE, vmin=0, vmax=1, shading="nearest")
        for delta in scene["laws"]:
            diagram.plot(stored.lr, delta, color=COLOURS["ink"], linewidth=1.2)
        diagram.plot(self.lr, self.delta, "s", markersize=8, color="none", markeredgecolor=COLOURS["ink"],
                     markeredgewidth=2)  # fmt: skip
        diagram.set(xscale="log", yscale="log", xlabel="λ", ylabel="δ", xlim=LR[[0, -1]], ylim=DELTA[[0, -1]])
        figure.colorbar(mesh, ax=diagram, label="share that succeeds")
        draw_hill(curve, self.polynomial, scene, self.run(), self.start, self.starts, self.reached())
        return figure


@cache
def _points(key: str) -> list[StationaryPoint]:
    """The minima and maxima of a loss in its picture, and of a polynomial elsewhere too, from left to right."""
    loss = MAPPED[key].loss
    if not isinstance(loss, SineWave):
        return [point for point in loss.stationary_points if point.kind != "inflection"]
    x = np.linspace(*_PICTURES[key][:2], 500)
    slope = loss.derivative(x)
    found = []
    for i in np.flatnonzero(slope[:-1] * slope[1:] < 0):
        place = brentq(loss.derivative, x[i], x[i + 1])
        kind = "minimum" if slope[i] < 0 else "maximum"
        found.append(StationaryPoint(place, float(loss(place)), kind, None))
    return found


def _ahead(key: str) -> list:
    """The hills that have to be crossed on the way to the deepest valley."""
    loss = MAPPED[key].loss
    if isinstance(loss, SineWave):
        return [hill(loss, *_HILL)]
    goal = loss.global_minimum.x
    ahead = [over for over in hills(loss) if abs(goal - over.minimum) > 1e-6]
    return [over for over in ahead if (over.top - over.minimum) * (goal - over.minimum) > 0]
