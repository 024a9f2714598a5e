"""From turn to turn: where Hill-ADAM's descents stop, as a map of the line into itself, and what becomes of a start."""

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import traitlets
from matplotlib.figure import Figure

from hilladam.figures import COLOURS
from hilladam.figures._style import styled
from hilladam.theory import return_map
from hilladam.widgets._crossing import LOSSES, FromEveryStart, draw_hill, way_of
from hilladam.widgets._explorer import Number, front_end, look, setting

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_SAMPLES = 320
_WINDOWS = (3.6, 6, 10, 16, 25, 40)
_LONGEST = 3000


class ReturnMapExplorer(FromEveryStart):
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
    _css = look("crossing")

    betas = (0.9, 0.999)

    loss = setting(traitlets.Enum(list(LOSSES), "double well"))
    lr = setting(Number(0.03, min=1e-3, max=1))
    delta = setting(Number(1e-4, min=0, max=1e6))
    steps = setting(traitlets.Int(4000, min=1, max=5000))

    def next_turns(self, places: "ArrayLike") -> np.ndarray:
        """Where the descent after the next climb stops; NaN where one of the two has no end within 3,000 steps.

        Args:
            places: bottom turns, x itself, of any shape.

        Returns:
            float64 of that shape, to the last bit what the page shows.
        """
        rule = dict(lr=self.lr, delta=self.delta, gamma=self.gamma, betas=self.betas)
        return return_map(self.polynomial, places, **rule, steps=_LONGEST).bottom.x

    @styled
    def picture(self) -> Figure:
        loss, scene, run = self.polynomial, self.landscape_of(self.loss), self.run()
        figure, (hill, square) = plt.subplots(1, 2, figsize=(8, 3.8))
        draw_hill(hill, loss, scene, run, self.start, self.starts, self.reached())
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
            square.plot(web[: len(web) - 1 + len(up)], [-reach, *web[2:], *up], color=COLOURS["ink"], linewidth=1.4)
        square.set(xlim=(-reach, reach), ylim=(-reach, reach), xlabel="where a descent stops, in λ from the floor",
                   ylabel="where the next one stops")  # fmt: skip
        return figure
