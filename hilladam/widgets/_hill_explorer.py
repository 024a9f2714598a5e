"""The hill: one loss curve, and seven optimizers that run on it from wherever the reader puts them."""

import matplotlib.pyplot as plt
import torch
import traitlets
from matplotlib.figure import Figure

from hilladam.experiments import CONTENDERS, Points, Record, train
from hilladam.figures import on_the_curve, trajectory
from hilladam.figures._style import styled
from hilladam.losses import DOUBLE_WELL, TABLE_1, Polynomial, stack
from hilladam.optim import ReferenceHillAdam
from hilladam.widgets._explorer import Explorer, Number, front_end, setting
from hilladam.widgets._formula import Formula, loss_of
from hilladam.widgets._on_losses import powers_of

_CONTENDERS = ("Hill-ADAM", "Adam", "momentum", "RMSprop", "NAdam", "RAdam", "CoolMomentum")
_LOSSES = {"double well": DOUBLE_WELL, **TABLE_1}
_STARTS = {"double well": 1.4, "x2": 2.5, "sixth": 0.1, "eighth": 1.3, "tenth": 0.85, "fourth": -0.3}
# What the page sets when a reader chooses a loss, up to a moment before Hill-ADAM turns for the first time.
_OPENINGS = {
    "double well": {"start": 1.2, "lr": 0.03, "delta": 1e-3, "steps": 300, "step": 12},
    "x2": {"start": 2.5, "lr": 0.05, "delta": 1e-3, "steps": 300, "step": 70},
    "sixth": {"start": 0.05, "lr": 0.01, "delta": 1e-3, "steps": 300, "step": 33},
    "eighth": {"start": 3.0, "lr": 0.01, "delta": 1e-3, "steps": 500, "step": 5},
    "tenth": {"start": 4.35, "lr": 0.01, "delta": 1e-3, "steps": 300, "step": 30},
    "fourth": {"start": 0.3, "lr": 0.05, "delta": 1e-3, "steps": 300, "step": 12},
}
_DASHES = dict(zip(_CONTENDERS, ["-", "--", ":", "-.", (0, (4, 2)), (0, (9, 4)), (0, (3, 3, 1, 3))], strict=True))


class HillExplorer(Explorer):
    """Drag the start along a loss curve and watch seven optimizers run from there; no kernel is needed.

    Args:
        loss (str): ``"double well"``, a key of :data:`hilladam.losses.TABLE_1`, or a polynomial of your own such as
            ``"(x^2 - 1)^2 + 0.3x"``, of even degree from 2 to 12; or a formula that is none, such as
            ``"0.1x^2 + sin(3x)"``, with sin, cos, exp, log, sqrt, abs, pi and e, that has its lowest point between
            −10 and 10. Where it has no value, a run ends.
        optimizers (list[str]): which ones run, ``"Hill-ADAM"``, ``"Adam"``, ``"momentum"``, ``"RMSprop"``,
            ``"NAdam"``, ``"RAdam"`` and ``"CoolMomentum"``. Default: the first two.
        start (float): x₀. Default: one that suits the loss.
        lr (float): λ, of all that have none of their own.
        rates (dict[str, float]): the λ of some optimizers, by their names.
        beta1 (float): β₁, and the momentum of SGD and of CoolMomentum at first.
        beta2 (float): β₂, and RMSprop's α.
        delta (float): δ of Hill-ADAM, in units of the loss.
        gamma (float): γ of Hill-ADAM, in units of the loss.
        steps (int): the length of a run, 1 to 5,000.
        step (int): the step that is shown, from 0; beyond ``steps`` it is the last.
        speed (float): steps per second while it plays.
        golf (bool): whether the page counts the gradients that Hill-ADAM needs to the global minimum, and remembers
            the fewest for this loss, start and λ.
        task (str): what the reader is asked to do, shown above the results.

    Each argument is a trait: read it after playing, or set it from a cell.

    Raises:
        traitlets.TraitError: an argument out of its range, or a loss that cannot be read.

    Example:
        >>> from hilladam.widgets import HillExplorer
        >>> hill = HillExplorer(loss="(x^2 - 1)^2 + 0.3x", start=1.4, lr=0.02, gamma=3.0)
        >>> runs = hill.run()
        >>> {name: f"{record.best_losses:.1f}" for name, record in runs.items()}
        {'Hill-ADAM': '-0.3', 'Adam': '0.3'}
    """

    _esm = front_end("hill")

    presets = traitlets.Dict(
        {
            key: {
                "name": f.name,
                **powers_of(f),
                "start": _STARTS[key],
                "opening": _OPENINGS[key],
            }
            for key, f in _LOSSES.items()
        }
    ).tag(sync=True)
    loss = setting(traitlets.Unicode("sixth"))
    optimizers = setting(traitlets.List(traitlets.Enum(list(_CONTENDERS)), ["Hill-ADAM", "Adam"]))
    start = setting(Number(min=-1e6, max=1e6))
    lr = setting(Number(0.01, min=0, max=1e6))
    rates = setting(traitlets.Dict(Number(min=0, max=1e6), key_trait=traitlets.Enum(list(_CONTENDERS))))
    beta1 = setting(Number(0.9, min=0, max=0.9999))
    beta2 = setting(Number(0.999, min=0, max=0.9999))
    delta = setting(Number(1e-4, min=0, max=1e6))
    gamma = setting(Number(200.0, min=-1e6))
    steps = setting(traitlets.Int(300, min=1, max=5000))
    step = setting(traitlets.Int(0, min=0))
    speed = setting(Number(60.0, min=1, max=1000))
    golf = setting(traitlets.Bool(False))
    task = setting(traitlets.Unicode())

    @traitlets.default("start")
    def _start(self):
        function = function_of(self.loss)
        return function.start if isinstance(function, Formula) else _STARTS.get(self.loss, 1.5)

    @traitlets.validate("loss")
    def _readable(self, proposal):
        function_of(proposal["value"])
        return proposal["value"]

    @property
    def polynomial(self):
        """The loss: a :class:`~hilladam.losses.Polynomial`, or a formula, which is called and differentiated alike."""
        return function_of(self.loss)

    def _optimizer(self, name: str, params: list[torch.Tensor]) -> torch.optim.Optimizer | ReferenceHillAdam:
        told = {"betas": (self.beta1, self.beta2), "delta": self.delta, "gamma": self.gamma, "steps": self.steps}
        return CONTENDERS[name](params, self.rates.get(name, self.lr), **told)

    def run(self) -> dict[str, Record]:
        """Run the chosen optimizers with these settings in torch, in float64: what the page shows, up to rounding."""
        loss, records = self.polynomial, {}
        losses = stack([loss]) if isinstance(loss, Polynomial) else lambda x: loss(x.flatten())
        for name in self.optimizers:
            points = Points(torch.tensor([self.start], dtype=torch.float64))
            optimizer = self._optimizer(name, points.parameters)
            records[name] = train(points, losses, optimizer, self.steps).member(0)
        return records

    @styled
    def picture(self) -> Figure:
        runs, loss = self.run(), self.polynomial
        figure, (curve, history) = plt.subplots(1, 2, figsize=(8, 3.2))
        leader = runs.get("Hill-ADAM") or next(iter(runs.values()), None)
        if leader:
            on_the_curve(leader, loss, ax=curve)
            trajectory(leader, loss, ax=history)
        for name, record in runs.items():
            if record is not leader:
                history.plot(record.losses, color="0.3", linestyle=_DASHES[name], label=name)
                curve.plot(record.final_states, record.final_losses, "o", color="0.3", label=f"{name}'s end")
        history.set(ylim=curve.get_ylim())
        for ax in figure.axes:
            if ax.get_legend_handles_labels()[0]:
                ax.legend()
        return figure


def function_of(text: str) -> Polynomial | Formula:
    """The loss that a name or a formula stands for."""
    if text in _LOSSES:
        return _LOSSES[text]
    try:
        return loss_of(text)
    except ValueError as error:
        shown = text if len(text) <= 60 else text[:60] + "…"
        message = f"Invalid loss: {shown!r}; expected one of {list(_LOSSES)} or a formula in x: {error}"
        raise traitlets.TraitError(message) from error
