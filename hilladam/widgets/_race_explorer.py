"""The stored race as curves: how many runs have found the minimum with how many evaluations, and with which λ."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import traitlets
from matplotlib.figure import Figure

from hilladam.experiments import COURSES, RACE_CONTENDERS, SEARCHERS, course, stored_race, wilson_interval
from hilladam.experiments._race_results import EVALUATIONS, RUNS, TUNING_RUNS
from hilladam.figures import COLOURS
from hilladam.figures._style import apart, styled
from hilladam.widgets._explorer import Explorer, front_end, look, setting

GRID = np.unique([*np.round(10 ** (np.arange(212) / 64)).astype(int), EVALUATIONS])
"""The numbers of evaluations at which the page counts: each up to 29, then so many that the lines are smooth."""
_HERO = "Hill-ADAM"
_OTHERS = [name for name in (*RACE_CONTENDERS, *SEARCHERS) if name != _HERO]
_DRAWN = [
    *("SGD", "Adam", "NAdam", "Langevin", "simulated annealing", "Adam, restarted"),
    *("L-BFGS, restarted", "MLSL with L-BFGS", "basin hopping", "differential evolution"),
]
_RING = {"markerfacecolor": "white", "markeredgecolor": COLOURS["ink"], "clip_on": False, "zorder": 3}
_COLOURS = {_HERO: COLOURS["maximize"], "Adam": COLOURS["ink"]}


class RaceExplorer(Explorer):
    """The book's race as curves: choose a course, a budget, and who is set beside Hill-ADAM. No kernel is needed.

    One chart has the share of :func:`~hilladam.experiments.stored_race`'s 1,000 runs that have found the global
    minimum, over the evaluations spent; the other that of the 200 tuning runs, over λ. Bands are Wilson's 95 %
    intervals. A sentence compares the two at the budget, in the runs where they disagree
    (:func:`~hilladam.experiments.difference_interval`).

    Args:
        course (str): one of :data:`~hilladam.experiments.COURSES`.
        rival (str): who is set beside Hill-ADAM: any other of :data:`~hilladam.experiments.RACE_CONTENDERS` and
            :data:`~hilladam.experiments.SEARCHERS`.
        contenders (list[str]): whose curves are drawn, in grey, besides these two. Adam's is always black.
        evaluations (int): the budget at which the two are compared, 1 to 2,000. The page counts at 147 numbers, and
            takes the nearest below.
        task (str): what the reader is asked to do, shown first.

    Each argument is a trait: read it after playing, or set it from a cell.

    Raises:
        traitlets.TraitError: an argument out of its range.

    Example:
        >>> from hilladam.widgets import RaceExplorer
        >>> race = RaceExplorer(course="himmelblau", rival="SGD", evaluations=10)
        >>> hill, sgd = race.found().values()
        >>> f"{hill.mean():.2f} and {sgd.mean():.2f}"
        '0.00 and 0.52'
    """

    _esm = front_end("race")
    _css = look("race")

    races = traitlets.Dict().tag(sync=True)
    course = setting(traitlets.Enum(list(COURSES), "mueller_brown"))
    rival = setting(traitlets.Enum(_OTHERS, "L-BFGS, restarted"))
    contenders = setting(traitlets.List(traitlets.Enum(_OTHERS), _DRAWN))
    evaluations = setting(traitlets.Int(EVALUATIONS, min=1, max=EVALUATIONS))
    task = setting(traitlets.Unicode())

    @traitlets.default("races")
    def _races(self):
        return {
            "grid": GRID.tolist(), "runs": RUNS, "tuningRuns": TUNING_RUNS, "hero": _HERO,
            "courses": {key: {"name": course(key).loss.name, "rows": _rows(key)} for key in COURSES},
        }  # fmt: skip

    def found(self) -> dict[str, np.ndarray]:
        """Whether each of the 1,000 runs had found the minimum with these evaluations: Hill-ADAM's and the rival's."""
        stored, budget = stored_race(), GRID[GRID <= self.evaluations][-1]
        return {name: stored[self.course, name].hits <= budget for name in (_HERO, self.rival)}

    @styled
    def picture(self) -> Figure:
        rows = _rows(self.course)
        colours = _COLOURS | {self.rival: COLOURS["other"]}
        drawn = [name for name in (*RACE_CONTENDERS, *SEARCHERS) if name in {_HERO, self.rival, *self.contenders}]
        drawn.sort(key=lambda name: name in colours)  # these on top
        figure, (curves, rates) = plt.subplots(1, 2, figsize=(8, 3.8), width_ratios=(3, 2), sharey=True)
        ends = []
        for name in drawn:
            counts = np.cumsum([int(new) for new in rows[name]["found"].split()])
            ends.append(counts[-1] / RUNS)
            colour = colours.get(name, "0.65")
            band = {"color": colour, "alpha": 0.2, "linewidth": 0}
            if name in colours:
                curves.fill_between(GRID, *wilson_interval(counts, RUNS), step="post", **band)
            curves.step(GRID, counts / RUNS, where="post", color=colour, linewidth=1.8 if name in colours else 0.9)
            if rows[name]["tried"]:
                lr, successes = np.array(rows[name]["tried"]).T
                if name in colours:
                    rates.fill_between(lr, *wilson_interval(successes, TUNING_RUNS), **band)
                rates.plot(lr, successes / TUNING_RUNS, color=colour, linewidth=1.8 if name in colours else 0.9)
        for name in (_HERO, self.rival):
            if rows[name]["tried"]:  # the λ that was tuned
                lr = rows[name]["lr"]
                rates.plot(lr, dict(rows[name]["tried"])[lr] / TUNING_RUNS, "o", **_RING)
        for name, y in zip(drawn, apart(np.array(ends), 0.052, 0.0, 1.02), strict=True):
            style = dict(color=colours.get(name, "0.4"), fontsize=8, va="center")
            curves.annotate(name, (1, y), (6, 0), ("axes fraction", "data"), "offset points", **style)
        if self.evaluations < EVALUATIONS:
            curves.axvline(self.evaluations, color="0.5", linestyle=":", linewidth=1)
        curves.set(
            xscale="log", xlim=(1, EVALUATIONS), ylim=(-0.02, 1.02), xlabel="evaluations", ylabel="share of runs"
        )
        rates.set(xscale="log", xlabel="λ", title=f"of {TUNING_RUNS} tuning runs")
        curves.set_title(f"{course(self.course).loss.name}: of {RUNS:,} runs")
        return figure


@cache
def _rows(key: str) -> dict[str, dict]:
    """What the page has of a course: new successes at each number of evaluations, and those shared with Hill-ADAM."""
    stored = stored_race()
    hero, rows = stored[key, _HERO].hits, {}
    for name in (*RACE_CONTENDERS, *SEARCHERS):
        hits, lr, tried = stored[key, name]
        rows[name] = {
            "found": _new(hits), "both": _new(np.maximum(hits, hero)), "lr": lr,
            "tried": sorted(tried.items()) if tried else None,
        }  # fmt: skip
    return rows


def _new(hits):
    """As text, which a stored notebook keeps in one line."""
    return " ".join(map(str, np.diff((hits[:, None] <= GRID).sum(axis=0), prepend=0)))
