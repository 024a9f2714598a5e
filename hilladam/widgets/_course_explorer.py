"""No tuning: the published rule and the one that tunes itself from every start, whatever λ and the units are."""

from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np
import traitlets
from matplotlib.figure import Figure

from hilladam.experiments import LADDER, Record, run_landscapes, run_points
from hilladam.figures import COLOURS
from hilladam.figures._style import styled
from hilladam.losses import Polynomial
from hilladam.optim import Course, steer
from hilladam.optim._course import _ENOUGH_TO_TELL, room_above
from hilladam.widgets._crossing import FromEveryStart, draw_hill, gate_of, way_of
from hilladam.widgets._explorer import Number, front_end, look, setting

_RULES = ("tuning itself", "published")
_SHAPES = ("", "o", "^", "s")  # of a turn, by its reason in COURSE_REASONS
_BETAS = (0.9, 0.999)
_HIGH, _DEEP = 2.6, 0.6  # heights of hills above the lowest minimum that are shown; room below it, as a part of those


class CourseExplorer(FromEveryStart):
    """Run the published rule and the one that tunes itself side by side, and move λ and the units under both.

    Drag the ball; watch where each turns, and why: where it stands still, over a crest, or at the lid, which is a line.
    Two strips under the curve have a line for each of 240 starts, one for each rule: green where the place that it
    keeps is in the deepest valley, below the floors of all others.

    Args:
        loss (str): ``"double well"``, or ``"sixth"``, ``"eighth"`` or ``"tenth"`` of :data:`hilladam.losses.TABLE_1`.
        start (float): x₀, in units of the loss as it is. Default: one that suits the loss.
        lr (float): λ of the published rule, and the first λ of the other, which takes it from there.
        height (int): k, −40 to 40: the loss is multiplied by 2ᵏ.
        width (int): k, −20 to 20: x is multiplied by 2ᵏ.
        delta (float): δ of the published rule, in units of the loss as it is multiplied.
        gamma (float): γ of the published rule, in the same. Default: 20 for the double well, 200 for the others.
        steps (int): the length of a run, 1 to 5,000.
        step (int): the step that is shown, from 0; beyond ``steps`` it is the last.
        speed (float): steps per second while it plays.
        task (str): what the reader is asked to do, shown first.

    Each argument is a trait: read it after playing, or set it from a cell.

    Raises:
        traitlets.TraitError: an argument out of its range.

    Example:
        >>> from hilladam.widgets import CourseExplorer
        >>> explorer = CourseExplorer(loss="double well")
        >>> for lr in (1e-6, 1.0):
        ...     explorer.lr = lr
        ...     print(lr, *(round(explorer.reached(name).mean(), 1) for name in ("published", "tuning itself")))
        1e-06 0.2 1.0
        1.0 1.0 1.0
        >>> explorer.width = 10  # x in other units
        >>> [float(round(explorer.reached(name).mean(), 1)) for name in ("published", "tuning itself")]
        [0.5, 1.0]
    """

    _esm = front_end("course")
    _css = look("barcode", "course")

    loss = setting(traitlets.Enum(list(FromEveryStart.losses), "sixth"))
    lr = setting(Number(0.01, min=1e-8, max=100))
    height = setting(traitlets.Int(0, min=-40, max=40))
    width = setting(traitlets.Int(0, min=-20, max=20))
    delta = setting(Number(1e-4, min=0, max=1e6))
    steps = setting(traitlets.Int(1000, min=1, max=5000))
    step = setting(traitlets.Int(0, min=0))
    speed = setting(Number(60.0, min=1, max=1000))

    @staticmethod
    def landscape_of(key: str) -> dict:
        scene, loss = FromEveryStart.landscape_of(key), FromEveryStart.losses[key]
        values = [point.value for point in loss.stationary_points if scene["left"] < point.x < scene["right"]]
        low, shown = min(values), _HIGH * (max(values) - min(values))
        walls = {"from": (scene["left"], -1), "to": (scene["right"], 1)}
        for name, (edge, outward) in walls.items():
            while loss(edge) < low + shown:
                edge += 0.01 * outward
            scene[name] = round(edge, 2)
        return scene | {"low": low, "top": low + shown, "bottom": low - _DEEP * shown}

    @property
    def polynomial(self) -> Polynomial:
        """The loss in the units that are chosen."""
        loss, height, width = self.losses[self.loss], Fraction(2) ** self.height, Fraction(2) ** self.width
        powers = range(loss.degree, -1, -1)
        coefficients = [height * c / width**power for c, power in zip(loss.coefficients, powers, strict=True)]
        return Polynomial(loss.name, coefficients, loss.centre * width)

    def run(self, name: str = "tuning itself") -> Record:
        """The run of ``"tuning itself"`` or ``"published"`` from ``start``, in the units that are chosen.

        To the last bit it is that of the page. Its reasons are those of :data:`hilladam.optim.COURSE_REASONS`, or of
        :data:`hilladam.optim.REASONS`. Needs numba.
        """
        return self._run([self.start], name).member(0)

    def reached(self, name: str = "tuning itself") -> np.ndarray:
        """Which of ``starts`` lead a rule to the deepest valley: bool. It is reached below the floors of all others."""
        gate = gate_of(self.losses[self.loss].stationary_points) * 2.0**self.height
        return self._run(self.starts, name, history=False).best_losses < gate

    def _run(self, starts, name, history=True):
        places = np.asarray(starts) * 2.0**self.width
        if name == _RULES[0]:
            run = run_landscapes([self.polynomial], places, self.steps, LADDER["lids in turn"], _BETAS, lr=self.lr,
                                 history=history)  # fmt: skip
            return Record(run.losses, run.states[..., 0], run.maximize, run.reasons, run.best_losses,
                          run.best_states[:, 0], run.final_losses, run.final_states[:, 0], run.turns)  # fmt: skip
        return run_points(self.polynomial, places, self.steps, self.lr, _BETAS, delta=self.delta, gamma=self.gamma,
                          history=history)  # fmt: skip

    def lids(self) -> np.ndarray:
        """The lid of the rule that tunes itself, by step: the loss above which climbs end; NaN where there is none."""
        run, course, maximize, lids = self.run(), Course(), False, np.full(self.steps, np.nan)
        slopes, steps = self.polynomial.derivative(run.states), np.diff(run.states, prepend=run.states[:1])
        before = np.append(slopes[:1], slopes[:-1])
        changes, bends = (before + slopes) * steps / 2, (slopes - before) * steps / 2
        for t, (loss, change, bend) in enumerate(zip(run.losses, changes, bends, strict=True)):
            was, climbed = course, maximize
            course, maximize, *_ = steer(was, maximize, float(loss), float(change), float(bend))
            if climbed and not (np.isnan(was.top) and course.climbed < _ENOUGH_TO_TELL):
                lids[t] = course.low + room_above(was.walls, 1, was.blind) * course.rise
        return lids

    @styled
    def picture(self) -> Figure:
        figure, ax = plt.subplots(figsize=(8, 4))
        height, width = 2.0**self.height, 2.0**self.width
        scene = self.landscape_of(self.loss)
        scene |= {"left": scene["from"] * width, "right": scene["to"] * width}
        scene |= {name: scene[name] * height for name in ("top", "bottom", "gate")}
        run, lids, places = self.run(), self.lids(), self.starts * width
        draw_hill(ax, self.polynomial, scene, run, self.start * width, places, self.reached("published"))
        for turn in way_of(run, scene["gate"])[1]:
            shape = _SHAPES[run.reasons[turn]]
            ax.plot(run.states[turn], run.losses[turn], shape, color=COLOURS["ink"], markerfacecolor="white", zorder=3)
        strip = dict(color=[COLOURS["best"] if hit else "0.85" for hit in self.reached()], bottom=0.16, linewidth=0)
        ax.bar(places, 0.09, places[1] - places[0], transform=ax.get_xaxis_transform(), **strip)
        for name, above in zip(_RULES, (0.26, 0.1), strict=True):
            ax.annotate(name, (places[0], above), xycoords=("data", "axes fraction"), fontsize="small")
        below = np.flatnonzero(lids < scene["top"])
        if below.size:
            lid = lids[below[0]]
            ax.axhline(lid, color=COLOURS["ink"], linestyle="--", linewidth=1)
            ax.annotate("lid", (0.99, lid), xycoords=("axes fraction", "data"), ha="right", va="bottom")
        return figure
