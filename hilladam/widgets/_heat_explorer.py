"""Heat: many balls in one valley, and what lets them over the hill."""

import math
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from scipy.integrate import trapezoid

from hilladam.figures import COLOURS
from hilladam.figures._style import styled
from hilladam.losses import DOUBLE_WELL, TABLE_1, Polynomial
from hilladam.optim import COOLING_SCHEDULES, CoolMomentum, Langevin, SimulatedAnnealing, annealing, cooling
from hilladam.widgets._explorer import Number, front_end, look, setting
from hilladam.widgets._on_losses import OnLosses, powers_of

MEMBERS = 300
LOSSES: dict[str, Polynomial] = {"double well": DOUBLE_WELL, "tenth": TABLE_1["tenth"]}
_PICTURES = {"double well": (-1.72, 1.62, -0.85, 2.3), "tenth": (0.85, 5.15, -2.05, 1.6)}  # left, right, bottom, top
_METHODS = ("Langevin", "CoolMomentum", "simulated annealing")
_LR = {"double well": (0.02, 0.02, 0.25), "tenth": (0.005, 0.005, 0.25)}  # by method
_BINS = 44


class HeatExplorer(OnLosses):
    """Release 300 balls in the shallowest valley, and see what lets them over the hill; no kernel is needed.

    They roll by :class:`~hilladam.Langevin` dynamics or :class:`~hilladam.CoolMomentum`, or hop by
    :class:`~hilladam.SimulatedAnnealing`. The page has the balls on the curve; how many there are of them from
    place to place, beside the density exp(−f/T); and the temperature below. CoolMomentum has no temperature of its own:
    its T is the one that the noise of its gradients sustains where steps are short, η σ² (1 + ρ) / (4 (1 − ρ)).

    Args:
        loss (str): ``"double well"`` or ``"tenth"``, the tenth order of :data:`hilladam.losses.TABLE_1`.
        method (str): ``"Langevin"``, ``"CoolMomentum"`` or ``"simulated annealing"``.
        start (float): where all balls are released, at rest. Default: the bottom of the shallowest valley.
        temperature (float): T₀, 0 to 100, in units of the loss. Not for CoolMomentum.
        momentum (float): ρ, 0 to 0.9999; for CoolMomentum ρ₀. Not for simulated annealing.
        noise (float): σ, 0 to 1000, the standard deviation of the white noise that CoolMomentum's gradients have.
        annealing (str): how T falls: ``"none"``, ``"geometric"`` to T₀/100, or ``"logarithmic"``. Not for CoolMomentum.
        cooling (str): how CoolMomentum's ρ falls: ``"none"``, or one of :data:`hilladam.optim.COOLING_SCHEDULES`.
        lr (float): η, or the λ of simulated annealing, 0 to 100. Default: one that suits loss and method.
        steps (int): the length of the run, 1 to 3,000.
        step (int): the step that is shown, from 0; beyond ``steps`` it is the last.
        speed (float): steps per second while it plays.
        seed (int): which dice, 0 to 999,999.
        task (str): what the reader is asked to do, shown first.

    Each argument is a trait: read it after playing, or set it from a cell. The page has dice of its own, so that
    :meth:`places` and the picture are another throw of the same run.

    Raises:
        traitlets.TraitError: an argument out of its range.

    Example:
        >>> from hilladam.widgets import HeatExplorer
        >>> explorer = HeatExplorer(steps=500)
        >>> for explorer.temperature in (0.0, 0.3):
        ...     print(explorer.temperature, bool(explorer.beyond().any()))
        0.0 False
        0.3 True
    """

    _esm = front_end("heat")
    _css = look("heat")

    losses = LOSSES

    loss = setting(traitlets.Enum(list(LOSSES), "double well"))
    method = setting(traitlets.Enum(list(_METHODS), "Langevin"))
    temperature = setting(Number(0.3, min=0, max=100))
    momentum = setting(Number(0.9, min=0, max=0.9999))
    noise = setting(Number(2.0, min=0, max=1000))
    annealing = setting(traitlets.Enum(["none", "geometric", "logarithmic"], "none"))
    cooling = setting(traitlets.Enum(["none", *COOLING_SCHEDULES], "geometric_memory"))
    lr = setting(Number(min=0, max=100))
    steps = setting(traitlets.Int(1000, min=1, max=3000))
    step = setting(traitlets.Int(200, min=0))
    speed = setting(Number(100.0, min=1, max=1000))
    seed = setting(traitlets.Int(1, min=0, max=999_999))

    @staticmethod
    @cache
    def landscape_of(key: str) -> dict:
        f = LOSSES[key]
        points = [point for point in f.stationary_points if point.kind != "inflection"]
        deepest = points.index(f.global_minimum)
        between = [points[k].x if 0 <= k < len(points) else None for k in (deepest - 1, deepest + 1)]
        return {
            "name": f.name,
            **powers_of(f),
            "domain": _PICTURES[key],
            "hills": [point.x for point in points if point.kind == "maximum"],
            "goal": between,
            "deepest": points[deepest].x,
            "start": max((point for point in points if point.kind == "minimum"), key=lambda point: point.value).x,
            "place": "beyond the hill" if key == "double well" else "in the deepest valley",
            "lr": dict(zip(_METHODS, _LR[key], strict=True)),
        }

    @traitlets.default("lr")
    def _lr(self):
        return self.landscape_of(self.loss)["lr"][self.method]

    def temperatures(self) -> np.ndarray:
        """The temperature of every step, float64 of shape ``(steps,)``, in units of the loss."""
        if self.method == "CoolMomentum":
            rho = self._momenta()
            return self.lr * self.noise**2 / 4 * (1 + rho) / (1 - rho)
        schedule = "logarithmic" if self.annealing == "logarithmic" else "geometric"
        alpha = 0.01 ** (1 / self.steps) if self.annealing == "geometric" else 1.0
        return np.array([annealing(schedule, t, self.temperature, alpha) for t in range(self.steps)])

    def _momenta(self):
        if self.method != "CoolMomentum" or self.cooling == "none":
            return np.full(self.steps, self.momentum)
        return np.array([cooling(self.cooling, t, self.steps, self.momentum) for t in range(self.steps)])

    def places(self) -> np.ndarray:
        """Where the balls are before every step and after the last: float64 of shape ``(steps + 1, 300)``.

        By the package's own optimizers, with ``torch.Generator().manual_seed(seed)``.
        """
        return self._places(self.steps)

    def _places(self, steps):
        x = torch.full((MEMBERS,), self.start, dtype=torch.float64)
        step = self._stepper(self.polynomial, x, torch.Generator().manual_seed(self.seed))
        places = np.empty((steps + 1, MEMBERS))
        places[0] = x
        for t in range(1, steps + 1):
            step()
            places[t] = x
        return places

    def _stepper(self, f, x, generator):
        """What moves all of x by one step."""
        if self.method == "simulated annealing":
            schedule = "logarithmic" if self.annealing == "logarithmic" else "geometric"
            alpha = 0.01 ** (1 / self.steps) if self.annealing == "geometric" else 1.0
            settings = dict(temperature=self.temperature, schedule=schedule, alpha=alpha)
            hopping = SimulatedAnnealing([x], self.lr, **settings, track_best=False, generator=generator)
            hopping.step(lambda: f(x))  # measures the start
            return lambda: hopping.step(lambda: f(x))
        options = dict(lr=self.lr, momentum=self.momentum, track_best=False)
        if self.method == "Langevin":
            falling = self.temperatures().tolist()
            rolling = Langevin([x], **options, temperature=falling.__getitem__, generator=generator)
        else:
            cools = {} if self.cooling == "none" else {"schedule": self.cooling}
            length = math.inf if self.cooling == "none" else self.steps
            rolling = CoolMomentum([x], **options, **cools, cooling_steps=length)

        def step():
            x.grad = f.derivative(x)
            if self.method == "CoolMomentum":
                x.grad += self.noise * torch.randn(x.shape, generator=generator, dtype=x.dtype)
            rolling.step()

        return step

    def beyond(self, places: np.ndarray | None = None) -> np.ndarray:
        """Which balls are in the deepest valley: bool. Default: after the last step."""
        low, high = self.landscape_of(self.loss)["goal"]
        places = self.places()[-1] if places is None else places
        return (places > (-math.inf if low is None else low)) & (places < (math.inf if high is None else high))

    @styled
    def picture(self) -> Figure:
        f, scene, falling = self.polynomial, self.landscape_of(self.loss), self.temperatures()
        step = min(self.step, self.steps)
        places = self._places(step)
        now = places[step]
        beyond = self.beyond(now)
        left, right, bottom, top = _PICTURES[self.loss]
        figure, axes = plt.subplot_mosaic([["hill", "heat"], ["crowd", "heat"]], figsize=(8, 3.6),
                                          width_ratios=(3, 2), height_ratios=(3, 2))  # fmt: skip
        hill, crowd, heat = (axes[name] for name in ("hill", "crowd", "heat"))
        x = np.linspace(left, right, 400)
        hill.plot(x, f(x), color=COLOURS["loss"], linewidth=1.2)
        lift = (0.03 + 0.12 * (0.618034 * np.arange(MEMBERS) % 1)) * (top - bottom)
        height = np.minimum(f(now), top) + lift
        hill.plot(now[beyond], height[beyond], "o", color=COLOURS["best"], markersize=2.5)
        hill.plot(now[~beyond], height[~beyond], "o", color="none", markeredgecolor="0.35", markersize=2.5)
        hill.scatter(np.clip(self.start, left, right), 0.05, s=80, marker="^", color=COLOURS["ink"],
                     transform=hill.get_xaxis_transform())  # fmt: skip
        hill.set(ylabel="loss f(x)", xlim=(left, right), ylim=(bottom, top), xticklabels=[],
                 title=f"step {step}: {beyond.sum()} of {MEMBERS} {scene['place']}")  # fmt: skip
        crowd.hist(now, np.linspace(left, right, _BINS + 1), color="0.75")
        warmth = falling[min(step, self.steps - 1)]
        if warmth > 0:
            weight = np.exp(-(f(x) - f(x).min()) / warmth)
            crowd.plot(x, weight / trapezoid(weight, x) * MEMBERS * (right - left) / _BINS, color=COLOURS["ink"],
                       label=f"exp(−f/T), T = {warmth:.2g}")  # fmt: skip
            crowd.legend()
        crowd.set(xlabel="x", ylabel="balls", xlim=(left, right))
        if falling.max() > 0:
            heat.semilogy(falling, color=COLOURS["ink"], linestyle="--", label="T")
        if self.method != "simulated annealing" and step > 0:
            squared = np.diff(places, axis=0) ** 2
            unit = self.lr * (1 + self._momenta()[:step]) / 2 if self.method == "Langevin" else self.lr
            heat.semilogy(np.nanmean(squared, axis=1) / unit, color="0.5", linewidth=1, label="from the steps")
        heat.set(xlabel="step", ylabel="temperature", xlim=(0, self.steps))
        if heat.lines:
            heat.legend()
        return figure
