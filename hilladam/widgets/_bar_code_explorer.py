"""The bar code: one curve, two optimizers, and for every start at once whether Hill-ADAM gets across."""

import matplotlib.pyplot as plt
import numpy as np
import traitlets
from matplotlib.figure import Figure

from hilladam.experiments import Record
from hilladam.figures import COLOURS
from hilladam.figures._style import styled
from hilladam.widgets._crossing import LOSSES, FromEveryStart, draw_hill
from hilladam.widgets._explorer import Number, front_end, look, setting

_RULES = {"Hill-ADAM": {}, "Adam": {"delta": 0.0, "gamma": np.inf}}


class BarCodeExplorer(FromEveryStart):
    """Drag the ball along a curve, run Hill-ADAM and Adam from there, and see what becomes of every other start.

    The page opens before the first step. As soon as one is taken, the strip under the curve has a line for each of 240
    starts: green where Hill-ADAM reaches the deepest valley. It is computed anew under every slider that moves.

    Args:
        loss (str): ``"double well"``, or ``"sixth"``, ``"eighth"`` or ``"tenth"`` of :data:`hilladam.losses.TABLE_1`.
        start (float): x₀. Default: one that suits the loss.
        lr (float): λ.
        beta1 (float): β₁.
        beta2 (float): β₂.
        delta (float): δ, in units of the loss.
        gamma (float): γ, in units of the loss. Default: 20 for the double well, 200 for the others.
        steps (int): the length of a run, 1 to 5,000.
        step (int): the step that is shown, from 0; beyond ``steps`` it is the last.
        speed (float): steps per second while it plays.
        task (str): what the reader is asked to do, shown first.

    Each argument is a trait: read it after playing, or set it from a cell.

    Raises:
        traitlets.TraitError: an argument out of its range.

    Example:
        >>> from hilladam.widgets import BarCodeExplorer
        >>> explorer = BarCodeExplorer(loss="sixth", lr=0.01)
        >>> for delta in (1e-4, 1e-3, 1e-2):
        ...     explorer.delta = delta
        ...     print(delta, explorer.reached().mean().round(2))
        0.0001 0.5
        0.001 0.65
        0.01 0.44
    """

    _esm = front_end("barcode")
    _css = look("barcode")

    loss = setting(traitlets.Enum(list(LOSSES), "sixth"))
    lr = setting(Number(0.01, min=0, max=1e6))
    beta1 = setting(Number(0.9, min=0, max=0.9999))
    beta2 = setting(Number(0.999, min=0, max=0.9999))
    delta = setting(Number(1e-3, min=0, max=1e6))
    steps = setting(traitlets.Int(300, min=1, max=5000))
    step = setting(traitlets.Int(0, min=0))
    speed = setting(Number(60.0, min=1, max=1000))

    @property
    def betas(self) -> tuple[float, float]:
        """(β₁, β₂)."""
        return self.beta1, self.beta2

    def run(self, name: str = "Hill-ADAM") -> Record:
        """The run of ``"Hill-ADAM"`` or ``"Adam"`` from ``start``, to the last bit that of the page with numba."""
        return self._run([self.start], name).member(0)

    def reached(self, name: str = "Hill-ADAM") -> np.ndarray:
        """Which of ``starts`` lead to the deepest valley: bool. It is reached below the floors of all others."""
        return self._reached(name=name)

    def _run(self, starts, name="Hill-ADAM", **options):
        return super()._run(starts, **_RULES[name], **options)

    @styled
    def picture(self) -> Figure:
        figure, ax = plt.subplots(figsize=(8, 3.6))
        adam, loss = self.run("Adam"), self.polynomial
        draw_hill(ax, loss, self.landscape_of(self.loss), self.run(), self.start, self.starts, self.reached())
        end = float(adam.final_states)
        ax.plot(end, loss(end), "o", color="white", markeredgecolor=COLOURS["ink"], markeredgewidth=1.5, markersize=8)
        ax.annotate("Adam", (end, loss(end)), (0, -15), textcoords="offset points", ha="center")
        return figure
