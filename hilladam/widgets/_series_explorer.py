"""The series: what each past gradient weighs in Adam's two averages, and the step that they give together."""

import matplotlib.pyplot as plt
import numpy as np
import traitlets
from matplotlib.figure import Figure

from hilladam.figures import COLOURS
from hilladam.figures._style import styled
from hilladam.losses import DOUBLE_WELL
from hilladam.theory import adam_path, extremal_gradients, step_series, weights
from hilladam.widgets._explorer import Explorer, Number, front_end, setting

_PRESETS = ("constant", "alternating", "spike", "growing", "slide")
_STARTS = {"zero": (COLOURS["ink"], "o-", "zero (torch)"), "first": (COLOURS["other"], "s--", "first (paper)")}
_LONGEST = 40


class SeriesExplorer(Explorer):
    """Drag up to 40 gradients and see what each weighs in Adam's averages, and how long a step they make.

    Args:
        t (int): how many gradients there are, 1 to 40.
        beta1, beta2 (float): β₁ and β₂.
        start (str): of both averages: ``"zero"``, torch's, or ``"first"``, the paper's; see
            :func:`hilladam.theory.weights`. The page shows both and stresses this one.
        silence (int): so many gradients of zero came before these, up to 100,000.
        preset (str): the gradients: ``"constant"``; ``"alternating"`` in sign; ``"spike"``, the newest alone;
            ``"growing"``, those that make the longest step (:func:`hilladam.theory.extremal_gradients`); ``"slide"``,
            those that Adam meets from 2 on the double well, with λ = 0.05 and β = (0.9, 0.999), over the first of them;
            or ``"own"``.
        gradients (list[float]): your own, the oldest first, for which ``preset`` becomes ``"own"``. Of more than ``t``
            the first ``t`` count; where some are missing they are zero.
        task (str): what the reader is asked to do, shown above the results.

    Each argument is a trait: read it after playing, or set it from a cell.

    Raises:
        traitlets.TraitError: an argument out of its range.

    Example:
        >>> from hilladam.widgets import SeriesExplorer
        >>> series = SeriesExplorer(preset="spike", silence=10_000, t=5)
        >>> f"{series.steps()[-1]:.1f} of at most {series.largest():.1f}"
        '3.2 of at most 5.9'
    """

    _esm = front_end("series")

    t = setting(traitlets.Int(30, min=1, max=_LONGEST))
    beta1 = setting(Number(0.9, min=0, max=0.9999))
    beta2 = setting(Number(0.999, min=0, max=0.9999))
    start = setting(traitlets.Enum(list(_STARTS), "zero"))
    silence = setting(traitlets.Int(0, min=0, max=100_000))
    preset = setting(traitlets.Enum([*_PRESETS, "own"], "slide"))
    gradients = setting(traitlets.List(Number(min=-1e6, max=1e6), maxlen=_LONGEST))
    task = setting(traitlets.Unicode())

    @traitlets.observe("gradients")
    def _own(self, change):
        if change["new"]:
            self.preset = "own"

    def values(self) -> np.ndarray:
        """The ``t`` gradients that the page shows, the oldest first."""
        t, betas = self.t, (self.beta1, self.beta2)
        if self.preset == "constant":
            return np.ones(t)
        if self.preset == "alternating":
            return (-1.0) ** np.arange(t)
        if self.preset == "spike":
            return np.eye(t)[-1]
        if self.preset == "growing":
            if not all(betas):  # no gradient but the newest counts in one of the averages
                return np.eye(t)[-1 if self.beta1 <= self.beta2 else 0]
            grads = extremal_gradients(t, betas)
            return grads / grads.max()
        if self.preset == "slide":
            slopes = DOUBLE_WELL.derivative(adam_path(DOUBLE_WELL, 2.0, None, 0.05, (0.9, 0.999), t - 1))
            return slopes / slopes[0]
        return np.pad(self.gradients, (0, _LONGEST))[:t]

    def weights(self, start: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """What each gradient weighs in the momentum and in the variance, with this ``start`` of both."""
        total = self.silence + self.t
        return tuple(weights(total, beta, start or self.start)[-self.t :] for beta in (self.beta1, self.beta2))

    def steps(self, start: str | None = None) -> np.ndarray:
        """The step after each gradient, in units of λ, counted against the gradient."""
        grads = np.pad(self.values(), (self.silence, 0))
        return -step_series(grads, 1.0, (self.beta1, self.beta2), start=start or self.start)[-self.t :]

    def largest(self, start: str | None = None) -> float:
        """The longest step that any ``t`` gradients after the silence can make, in units of λ: √(Σ aₖ²/bₖ)."""
        a, b = self.weights(start)
        with np.errstate(divide="ignore"):
            return float(np.sqrt(np.divide(a**2, b, out=np.zeros(self.t), where=a > 0).sum()))

    @styled
    def picture(self) -> Figure:
        figure, ((bars, path), averages) = plt.subplots(2, 2, figsize=(8, 4.6))
        ks = np.arange(1, self.t + 1)
        bars.bar(ks, self.values(), 0.8, color="0.45")
        bars.axhline(0, color=COLOURS["ink"], linewidth=0.8)
        bars.set(ylabel="gradient")
        for start, (colour, marks, name) in _STARTS.items():
            style = dict(color=colour, label=f"start: {name}")
            path.plot(ks, self.steps(start), marks, markersize=3, linewidth=1.2, **style)
            for ax, heights in zip(averages, self.weights(start), strict=True):
                if start == self.start:
                    ax.bar(ks, heights, 0.8, **style)
                    ax.set(ylim=(0, 1.15 * heights.max()))
                else:
                    ax.stairs(heights, np.arange(self.t + 1) + 0.5, linewidth=1.4, **style)
        largest = self.largest()
        if np.isfinite(largest):
            path.axhline(largest, color=COLOURS["ink"], linestyle=":", linewidth=1)
            path.annotate(f"largest possible: {largest:.3g}", (1, largest), (0, 3), textcoords="offset points")
        path.margins(y=0.15)
        path.set(ylabel="step / λ")
        averages[0].set(xlabel="gradient, oldest first", ylabel="weight in the momentum")
        averages[1].set(xlabel="gradient, oldest first", ylabel="weight in the variance")
        figure.legend(*path.get_legend_handles_labels(), loc="outside lower center", ncols=2)
        return figure
