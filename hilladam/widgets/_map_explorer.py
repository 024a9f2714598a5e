"""The map: a loss of two variables, and one ball on it or four hundred."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import torch
import traitlets
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from hilladam.experiments import CONTENDERS, Points, Record, journey, train
from hilladam.figures import COLOURS
from hilladam.figures._style import styled
from hilladam.losses import SURFACES, Surface
from hilladam.optim import AdaptiveHillAdam, OverTheHill
from hilladam.optim._frame import orthogonal_frame
from hilladam.widgets._explorer import Explorer, Number, front_end, look, setting

SIDE = 20
"""Balls of the swarm along each side of the box."""
_OWN_RATE = {"self-tuning Hill-ADAM": AdaptiveHillAdam, "over the hill": OverTheHill}  # they take λ from the run
RULES = (
    "Hill-ADAM", "Adam", "SGD", "momentum", "Nesterov", "RMSprop", "AMSGrad", "NAdam", "RAdam", "CoolMomentum",
    *_OWN_RATE,
)  # fmt: skip
FRAMES = 64
"""So many frames of directions the page has for over the hill; then it begins with them again."""
# What a page shows of a surface: the height at which its walls are cut off, where the first ball is, the gate above the
# lowest minimum, and λ: of Adam and its like, of RMSprop, RAdam, gradient descent, and of those that add gradients up.
_SCENES = {
    "camel": (6.0, (1.6, -0.3), 0.01, (0.05, 0.01, 0.03, 0.02, 0.01)),
    "mueller_brown": (100.0, (0.9, 0.5), 1.0, (0.02, 0.004, 0.002, 2e-4, 5e-5)),
    "rastrigin": (80.0, (3.3, 2.2), 0.01, (0.1, 0.02, 0.01, 2e-3, 5e-4)),
    "himmelblau": (400.0, (-0.5, -1.5), 0.01, (0.1, 0.02, 0.01, 5e-3, 1e-3)),
}
_RATE = dict(zip(RULES, (0, 0, 3, 4, 4, 1, 0, 0, 2, 4), strict=False))  # which; the last two have their own
_TURNING = ("Hill-ADAM", *_OWN_RATE)
_FIRST = 1e-4  # λ of the first step of those that take it from the run
# The deepest first, as in map.css.
_VALLEYS = (COLOURS["best"], "#8a6fb0", "#c9a227", "#5b8fb9", "#c0708f", "#85854a")


class MapExplorer(Explorer):
    """Drop a ball, or four hundred, on a loss of two variables, and see two optimizers run; no kernel is needed.

    The page has the loss from above, as bands and lines of equal height, and as a surface that can be turned. One ball
    of each optimizer leaves its track, with the arrows that its next update is made of. Of a swarm, each ball colours
    the cell that it started in by the valley that it is in. Heights are drawn as the square root of the loss above the
    lowest one. The picture without JavaScript is of the whole run where the page opens before the first step.

    ``"self-tuning Hill-ADAM"`` is :class:`hilladam.AdaptiveHillAdam`, ``"over the hill"`` is
    :class:`hilladam.OverTheHill`. They decide for both variables and take λ from the run: the one that is set is that
    of the first step, and ``delta`` and ``gamma`` are not for them. All balls over the hill take the directions of the
    class's ``seed=0``. Their κ is 0.5, over the hill without noise 0.

    Args:
        surface (str): a key of :data:`hilladam.losses.SURFACES`.
        a (str): the first optimizer: ``"Hill-ADAM"``, ``"Adam"``, ``"SGD"``, ``"momentum"``, ``"Nesterov"``,
            ``"RMSprop"``, ``"AMSGrad"``, ``"NAdam"``, ``"RAdam"``, ``"CoolMomentum"``, ``"self-tuning Hill-ADAM"`` or
            ``"over the hill"``.
        b (str): the second one, or ``"none"``.
        rates (dict[str, float]): λ of some optimizers by their names; the others have one that suits the surface.
        start (tuple[float, float]): where the ball is dropped. Default: a place that suits the surface.
        swarm (bool): whether 400 balls start, from the middles of the cells of a grid over the surface's box.
        noise (float): σ, the standard deviation of the white noise on each slope, 0 to 1000, in the units of the slope.
            Both optimizers meet the same. Losses have none.
        seed (int): which noise, 0 to 999,999.
        beta1 (float): β₁, and the momentum of SGD and of CoolMomentum at first.
        beta2 (float): β₂, and RMSprop's α.
        delta (float): δ of Hill-ADAM, in units of the loss.
        gamma (float): γ of Hill-ADAM, in units of the loss. Default: the height at which the picture ends.
        steps (int): the length of a run, 1 to 1,000.
        step (int): the step that is shown, from 0; beyond ``steps`` it is the last.
        speed (float): steps per second while it plays.
        arrows (bool): whether a ball has the arrows of its update.
        side (str): which of its two pictures a narrow page shows, ``"left"`` or ``"right"``.
        azimuth (float): by how much the surface is turned, in degrees.
        elevation (float): from how high it is seen, 10 to 90 degrees.
        task (str): what the reader is asked to do, shown first.

    Each argument is a trait: read it after playing, or set it from a cell. The page has noise of its own, so that
    :meth:`run` and the picture are another throw of it.

    Raises:
        traitlets.TraitError: an argument out of its range.

    Example:
        >>> from hilladam.widgets import MapExplorer
        >>> explorer = MapExplorer(a="Hill-ADAM", b="Adam")
        >>> {name: bool(record.best_losses < explorer.gate) for name, record in explorer.run().items()}
        {'Hill-ADAM': True, 'Adam': False}
    """

    _esm = front_end("map")
    _css = look("map")

    landscapes = traitlets.Dict().tag(sync=True)
    frames = traitlets.List().tag(sync=True)
    surface = setting(traitlets.Enum(list(SURFACES), "camel"))
    a = setting(traitlets.Enum(list(RULES), "Hill-ADAM"))
    b = setting(traitlets.Enum([*RULES, "none"], "Adam"))
    rates = setting(traitlets.Dict(Number(min=0, max=1e6), key_trait=traitlets.Enum(list(RULES))))
    start = setting(traitlets.Tuple(Number(min=-1e6, max=1e6), Number(min=-1e6, max=1e6)))
    swarm = setting(traitlets.Bool(False))
    noise = setting(Number(0.0, min=0, max=1000))
    seed = setting(traitlets.Int(1, min=0, max=999_999))
    beta1 = setting(Number(0.9, min=0, max=0.9999))
    beta2 = setting(Number(0.999, min=0, max=0.9999))
    delta = setting(Number(1e-4, min=0, max=1e6))
    gamma = setting(Number(min=-1e6))
    steps = setting(traitlets.Int(300, min=1, max=1000))
    step = setting(traitlets.Int(0, min=0))
    speed = setting(Number(60.0, min=1, max=1000))
    arrows = setting(traitlets.Bool(True))
    side = setting(traitlets.Enum(["left", "right"], "left"))
    azimuth = setting(Number(25.0, min=-360, max=360))
    elevation = setting(Number(38.0, min=10, max=90))
    task = setting(traitlets.Unicode())

    @traitlets.default("start")
    def _start(self):
        return tuple(landscape_of(self.surface)["start"])

    @traitlets.default("gamma")
    def _gamma(self):
        return landscape_of(self.surface)["gamma"]

    @traitlets.default("landscapes")
    def _landscapes(self):
        return {key: landscape_of(key) for key in SURFACES}

    @traitlets.default("frames")
    def _frames(self):
        """The directions of over the hill with ``seed=0``: the columns of each frame, their largest entry ±1."""
        frames = torch.stack([orthogonal_frame(0, k, 2) for k in range(FRAMES)])
        return (frames / frames.abs().amax(dim=1, keepdim=True)).mT.tolist()

    @property
    def loss(self) -> Surface:
        """The surface."""
        return SURFACES[self.surface]

    @property
    def gate(self) -> float:
        """The loss below which a run has met a deepest valley."""
        return landscape_of(self.surface)["gate"]

    @property
    def optimizers(self) -> list[str]:
        """Those that run."""
        return [self.a] if self.b in ("none", self.a) else [self.a, self.b]

    @property
    def starts(self) -> np.ndarray:
        """Where the balls start: float64 of shape ``(1, 2)``, or ``(400, 2)`` for the swarm, row by row from below."""
        if not self.swarm:
            return np.array([self.start])
        x, y = (low + (high - low) * (np.arange(SIDE) + 0.5) / SIDE for low, high in self.loss.box)
        return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)

    def lr_of(self, name: str) -> float:
        """The λ that an optimizer has here."""
        return self.rates.get(name, landscape_of(self.surface)["lr"][name])

    def run(self) -> dict[str, Record]:
        """Run the two with these settings in torch, in float64: what the page shows, up to rounding.

        Each record has ``steps + 1`` places, and a member for each of :attr:`starts`. Of those that take λ from the run
        each member is an optimizer of its own, so that 400 of them take minutes.
        """
        return {name: self._run(name, self.steps) for name in self.optimizers}

    def _run(self, name, steps):
        points = Points(torch.tensor(self.starts))
        if name in _OWN_RATE:
            optimizer = _Apart(points.parameters, _OWN_RATE[name], self._own(name))
        else:
            told = {"betas": (self.beta1, self.beta2), "delta": self.delta, "gamma": self.gamma, "steps": self.steps}
            optimizer = CONTENDERS[name].for_rows(points.parameters, self.lr_of(name), **told)
        return train(points, self._seen(), optimizer, steps + 1)

    def _seen(self):
        """The loss as a run sees it, with its noise from the beginning."""
        generator = torch.Generator().manual_seed(self.seed)

        def noisy(x):
            pull = self.noise * torch.empty_like(x).normal_(generator=generator)
            return self.loss(x) + (pull * (x - x.detach())).sum(dim=-1)

        return noisy if self.noise else self.loss

    def _track(self, name, record):
        """Places of a ball's run, and whether each step from there climbs; NaN where the next one began elsewhere."""
        run = record.member(0)
        if name != "over the hill":
            return run.states, run.maximize
        origins = journey(self._seen(), self.start, len(run.losses), **self._own(name)).origins
        jumps = np.flatnonzero((origins[1:] != run.states[:-1]).any(axis=1)) + 1
        between = np.stack([np.full((len(jumps), 2), np.nan), origins[jumps]], axis=1).reshape(-1, 2)
        at = np.repeat(jumps, 2)
        return np.insert(run.states, at, between, axis=0), np.insert(run.maximize, at, run.maximize[at - 1])

    def _own(self, name):
        """The settings of an optimizer that takes λ from the run."""
        kappa = 0.5 if self.noise or name != "over the hill" else 0.0
        return {"lr": self.lr_of(name), "betas": (self.beta1, self.beta2), "kappa": kappa}

    def valleys(self, places: np.ndarray) -> np.ndarray:
        """The minimum near which each place of shape ``(…, 2)`` is, as an index into ``loss.minima``; −1 for none."""
        minima = np.array([point.x for point in self.loss.minima])
        distances = np.linalg.norm(np.asarray(places)[..., None, :] - minima, axis=-1)
        reached = distances < landscape_of(self.surface)["reach"]
        return np.where(reached.any(axis=-1), reached.argmax(axis=-1), -1)

    @styled
    def picture(self) -> Figure:
        step = min(self.step or self.steps, self.steps)
        runs = {name: self._run(name, step) for name in self.optimizers}
        figure = plt.figure(figsize=(8, 3.6))
        above = figure.add_subplot(1, 2, 1)
        if self.swarm:
            self._draw_swarm(above, *next(iter(runs.items())))
        else:
            self._draw_tracks(above, runs)
        if self.swarm and len(runs) > 1:
            self._draw_swarm(figure.add_subplot(1, 2, 2), *list(runs.items())[1])
        else:
            self._draw_surface(figure.add_subplot(1, 2, 2, projection="3d"), runs)
        return figure

    def _relief(self, points):
        """A grid over the box, of so many points along each side: x, y and the height there."""
        scene = landscape_of(self.surface)
        left, right, bottom, top = scene["box"]
        x, y = np.meshgrid(np.linspace(left, right, points), np.linspace(bottom, top, points))
        return x, y, _height(scene, self.loss(np.stack([x, y], axis=-1)).numpy())

    def _draw_ground(self, ax: Axes):
        scene = landscape_of(self.surface)
        left, right, bottom, top = scene["box"]
        x, y, height = self._relief(160)
        ax.contourf(x, y, height, 14, cmap="Greys", alpha=0.35)
        ax.contour(x, y, height, 14, colors="0.5", linewidths=0.5)
        for px, py, value, _ in scene["minima"]:
            deep = value < scene["gate"]
            ax.plot(px, py, "*" if deep else ".", color=COLOURS["best"] if deep else "0.3", zorder=4)
        ax.set(xlabel="x", ylabel="y", xlim=(left, right), ylim=(bottom, top), aspect="equal")

    def _draw_tracks(self, ax: Axes, runs):
        self._draw_ground(ax)
        for (name, record), style in zip(runs.items(), ("-", "--"), strict=False):
            places, climbs = self._track(name, record)
            x, y = places.T
            if name in _TURNING:
                steps = climbs[:-1]
                for leg in np.split(np.arange(len(steps)), np.flatnonzero(np.diff(steps)) + 1):
                    along = slice(leg[0], leg[-1] + 2)
                    colour = COLOURS["maximize" if steps[leg[0]] else "minimize"]
                    ax.plot(x[along], y[along], style, color=colour, linewidth=1.2)
            else:
                ax.plot(x, y, style, color=COLOURS["ink"] if name == "Adam" else "0.35", linewidth=1.2)
            ax.plot(x[-1], y[-1], "o", color="white", markeredgecolor=COLOURS["ink"], markersize=7, zorder=5)
            ax.annotate(name, (x[-1], y[-1]), (8, 8), textcoords="offset points", zorder=6)
        ax.plot(*self.start, "o", color="none", markeredgecolor=COLOURS["ink"], markersize=9)
        ax.set_title(f"after {len(next(iter(runs.values())).losses) - 1} gradients")

    def _draw_swarm(self, ax: Axes, name, record):
        self._draw_ground(ax)
        ends = record.final_states
        valleys = self.valleys(ends)
        cells = np.full((SIDE * SIDE, 4), np.nan)
        palette = [minimum[3] for minimum in landscape_of(self.surface)["minima"]]
        for k, valley in enumerate(valleys):
            cells[k] = (1, 1, 1, 0) if valley < 0 else (*to_rgb(_VALLEYS[palette[valley]]), 0.5)
        (left, right), (bottom, top) = self.loss.box
        ax.imshow(cells.reshape(SIDE, SIDE, 4), extent=(left, right, bottom, top), origin="lower", zorder=2)
        ax.plot(*ends.T, ".", color=COLOURS["ink"], markersize=2, zorder=3)
        met = (record.losses < self.gate).any(axis=0).sum()
        ax.set_title(f"{name}: {met} of {len(ends)} have met a deepest valley")

    def _draw_surface(self, ax, runs):
        scene = landscape_of(self.surface)
        left, right, bottom, top = scene["box"]
        ax.plot_surface(*self._relief(60), cmap="Greys", alpha=0.8, linewidth=0, antialiased=True, rcount=60, ccount=60)
        for name, record in runs.items():
            if not self.swarm:
                places, _ = self._track(name, record)
                colour = COLOURS["maximize"] if name in _TURNING else COLOURS["ink"] if name == "Adam" else "0.35"
                z = _height(scene, self.loss(places).numpy())
                places = np.clip(places, [left, bottom], [right, top])
                ax.plot(*places.T, z, color=colour, linewidth=1.2, zorder=10)
                ax.plot(*places[-1], z[-1], "o", color="white", markeredgecolor=COLOURS["ink"], markersize=7, zorder=11)
            else:
                z = _height(scene, record.final_losses)
                ax.plot(*record.final_states.T, z, ".", color=COLOURS["ink"], markersize=2, zorder=10)
        ax.set_box_aspect((right - left, top - bottom, 0.55 * max(right - left, top - bottom)), zoom=1.25)
        ax.view_init(self.elevation, -90 + self.azimuth)
        ax.set_axis_off()


class _Apart:
    """Optimizers that decide for a whole model, one for each row of the parameter: a rule for :func:`train`."""

    def __init__(self, params, make, settings):
        (self.points,) = params
        self.rows = [torch.nn.Parameter(row.detach().clone()) for row in self.points]
        self.optimizers = [make([row], process_group=False, **settings) for row in self.rows]

    def step(self, losses, grads):
        before = [optimizer.switch_count for optimizer in self.optimizers]
        for row, optimizer, loss, grad in zip(self.rows, self.optimizers, losses.tolist(), grads[0], strict=True):
            row.grad = grad.clone()
            optimizer.step(loss=loss)
        with torch.no_grad():
            self.points.copy_(torch.stack(self.rows))
        self.maximize = torch.tensor([optimizer.direction == "maximize" for optimizer in self.optimizers])
        turned = [optimizer.switch_count > count for optimizer, count in zip(self.optimizers, before, strict=True)]
        self.reason = torch.tensor(turned, dtype=torch.int8)


def _height(scene: dict, loss: np.ndarray) -> np.ndarray:
    """The height at which a loss is drawn, 0 to 1."""
    return np.sqrt(np.clip((loss - scene["low"]) / (scene["top"] - scene["low"]), 0, 1))


@cache
def landscape_of(key: str) -> dict:
    """What a page shows of a surface."""
    surface = SURFACES[key]
    top, start, close, rates = _SCENES[key]
    gate = surface.global_minimum.value + close
    places = np.array([point.x for point in surface.minima])
    apart = np.linalg.norm(places[:, None] - places, axis=-1)
    deepest = [point.value < gate for point in surface.minima]
    palette, others = [], 0
    for k, deep in enumerate(deepest):
        palette.append(k if all(deepest) else 0 if deep else 1 + others % 5)
        others += not deep
    return {
        "name": surface.name,
        "box": [edge for pair in surface.box for edge in pair],
        "low": surface.global_minimum.value,
        "top": top,
        "minima": [
            [*(round(x, 6) for x in point.x), round(point.value, 6), colour]
            for point, colour in zip(surface.minima, palette, strict=True)
        ],
        "reach": 0.3 * float(apart[apart > 0].min()),
        "gate": gate,
        "start": list(start),
        "gamma": top,
        "lr": {name: rates[which] for name, which in _RATE.items()} | dict.fromkeys(_OWN_RATE, _FIRST),
    }
