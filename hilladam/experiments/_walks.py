"""Over the hill on six families of losses, beside restarts, a tuned kick, and itself with a part left out."""

import base64
import json
import zlib
from collections.abc import Sequence
from importlib.resources import files
from itertools import product
from typing import NamedTuple

import numpy as np
from tqdm.auto import tqdm

from hilladam._checks import finite, one_of
from hilladam._extras import extra
from hilladam.experiments._protocol import RATES, tune
from hilladam.experiments._tuning_itself import DISTANCES
from hilladam.losses import SUITE, SuiteLoss, random_suite_loss
from hilladam.optim._frame import orthogonal_frame

DIMENSIONS = (2, 4, 6)
BUDGET = 3000
INSTANCES, STARTS = 40, 5
FINEST = 1e-6
"""Of the mean loss in the box: where a run is over, and the least gap that is told from none."""

WALKERS = (
    "over the hill",
    "its descents, restarted",
    "Adam, restarted",
    "Adam, ten times the box",
    "L-BFGS, restarted",
    "L-BFGS, ten times the box",
    "L-BFGS, kicked",
    "L-BFGS, kicked a tenth as far",
    "L-BFGS, kicked ten times as far",
    "without the lid",
    "without growing steps",
    "with normal directions",
)
"""The contenders of :func:`walks`; the last three are over the hill with a part left out."""

FAR_WALKERS = ("over the hill", "L-BFGS, restarted", "L-BFGS, ten times the box", "L-BFGS, kicked")
"""Those that :func:`stored_walks` has from every distance."""

_KICKS = (0.01, 0.03, 0.1, 0.3, 1.0)
_FRAMES = 64  # after which the first comes again
_RACE, _TUNING = 0, 1  # what the seeds of the two begin with


class Cell(NamedTuple):
    """A family of losses, a number of variables, and whether they are turned against each other.

    Example:
        >>> from hilladam.experiments import Cell
        >>> Cell("Levy", 4, True).dimensions
        4
    """

    family: str
    """One of :data:`~hilladam.losses.SUITE`."""
    dimensions: int
    """How many variables there are."""
    rotated: bool
    """Whether they are turned, at random, so that no hill lies along one of them."""


CELLS = tuple(Cell(*cell) for cell in product(SUITE, DIMENSIONS, (False, True)))
"""All 36, in the order of :func:`stored_walks`."""


def walks(
    walkers: Sequence[str] = WALKERS,
    cells: Sequence[Cell] = CELLS,
    instances: int = INSTANCES,
    starts: int = STARTS,
    distance: float = 1.0,
    progress: str = "",
) -> dict[str, np.ndarray]:
    """How near to the global minimum each contender comes within 3,000 evaluations of the loss with its gradient.

    Losses, starts and directions depend on the cell, the instance and the start alone: run k is the same for all. The
    starts are uniform in the box, or farther out. Only over the hill, whole or with a part left out, is told nothing of
    the box.

    * Adam has the learning rate, as a part of half the box, that :func:`tune` finds for it, for each family and number
      of variables, on 40 runs on other losses; the kick's length is found in the same way.
    * Adam begins anew, uniformly in the box, where its loss changes by less than 10⁻⁴ of the range of this descent;
      L-BFGS where it has converged.
    * A kick adds a uniform number to each variable of the lowest bottom so far, and L-BFGS descends from there. Two
      more have the tuned length times and divided by ten.

    Args:
        walkers: some of :data:`WALKERS`.
        cells: some of :data:`CELLS`.
        instances, starts: how many losses of each cell, and starts on each.
        distance: by what the way from the middle of the box to each start is multiplied; what is tuned is tuned with 1.
        progress: the label of a progress bar; none without.

    Returns:
        For each contender the lowest loss of each run, as a part of the mean loss in the box, shape
        ``(cells, instances, starts)``; at most 1, and not below 10⁻⁶, where a run ends.

    Raises:
        ValueError: an unknown contender, or a distance that is not above 0.

    Example:
        All of them take five minutes, so here is what was stored.

        >>> from hilladam.experiments import stored_walks
        >>> gaps = stored_walks()["over the hill"]
        >>> gaps.shape, round(float((gaps < 1e-3).mean()), 2)
        ((36, 40, 5), 0.82)
    """
    unknown = [walker for walker in walkers if walker not in WALKERS]
    if unknown:
        raise ValueError(f"Invalid walkers: {unknown}; expected some of {WALKERS}")
    finite("distance", distance, above=0)
    settings = {}
    found = {walker: np.empty((len(cells), instances, starts)) for walker in walkers}
    runs = list(product(range(len(cells)), range(instances)))
    for c, instance in tqdm(runs, desc=progress, disable=not progress):
        cell = cells[c]
        for walker in walkers:
            if (walker, cell[:2]) not in settings:
                settings[walker, cell[:2]] = _tuned(walker, cell)
        problem, places, mean = _drawn(_RACE, cell, instance, starts, distance)
        for s, place in enumerate(places):
            for walker in walkers:
                lowest, _ = _run(walker, problem, place, instance * starts + s, FINEST * mean,
                                 settings[walker, cell[:2]])  # fmt: skip
                found[walker][c, instance, s] = min(max(lowest / mean, FINEST), 1.0)
    return found


def walk_problem(cell: Cell, instance: int, starts: int = STARTS) -> tuple[SuiteLoss, np.ndarray]:
    """A loss that :func:`walks` compares on, and the starts there, shape ``(starts, variables)``.

    Start s has the directions of the seed ``instance * starts + s``.

    Example:
        >>> from hilladam.experiments import Cell, walk_problem
        >>> loss, starts = walk_problem(Cell("Ackley", 4, True), 7)
        >>> loss.family, starts.shape
        ('Ackley', (5, 4))
    """
    return _problem(_RACE, cell, instance, starts)


def _problem(purpose, cell, instance, starts, distance=1.0):
    family, dimensions, rotated = cell
    rng = np.random.default_rng([purpose, SUITE.index(family), dimensions, rotated, instance])
    loss = random_suite_loss(family, rng, dimensions, rotated)
    middle, reach = sum(loss.box) / 2, distance * (loss.box[1] - loss.box[0]) / 2
    return loss, rng.uniform(middle - reach, middle + reach, (starts, dimensions))


def _drawn(purpose, cell, instance, starts, distance=1.0):
    with extra("fast"):
        from hilladam.experiments._compiled_suite import described
    loss, places = _problem(purpose, cell, instance, starts, distance)
    return described(loss), places, loss.mean


def _run(walker, problem, start, seed, enough, setting=0.0):
    """The lowest loss of one run, and the evaluation at which it was low enough; 0 if never."""
    from hilladam.experiments import _compiled_suite as compiled

    d, reach, rng = len(start), 10.0 if "ten times the box" in walker else 1.0, np.random.default_rng(seed)
    if walker.startswith("Adam"):
        return compiled.restart_adam(problem, start, rng, BUDGET, enough, setting, reach)
    if walker.startswith("L-BFGS"):
        return compiled.restart_lbfgs(problem, start, rng, BUDGET, enough, setting, reach)
    restarts = walker == "its descents, restarted"
    trek = compiled.NOTHING._replace(room=np.inf) if walker == "without the lid" else compiled.NOTHING
    faster = 1.0 if walker == "without growing steps" else 1.2
    if walker == "with normal directions":
        frames = rng.normal(size=(_FRAMES, d, d))
    elif restarts:
        frames = np.zeros((1, d, d))
    else:
        frames = np.array([orthogonal_frame(seed, k, d).numpy() for k in range(_FRAMES)])
    lowest, met, _ = compiled.walk_over(
        problem, start, frames, problem[6], rng, BUDGET, enough, trek, 0.0, faster, 0, restarts
    )
    return lowest, met


def _tuned(walker, cell):
    """What has to be tuned: the learning rate of Adam, or the length of a kick."""
    if "kicked" in walker and walker != "L-BFGS, kicked":
        return _tuned("L-BFGS, kicked", cell) * (0.1 if "tenth" in walker else 10.0)
    grid = RATES if walker.startswith("Adam") else _KICKS if walker == "L-BFGS, kicked" else None
    if grid is None:
        return 0.0
    drawn = [_drawn(_TUNING, Cell(*cell[:2], rotated), k, 1) for rotated in (False, True) for k in range(20)]

    def trial(rates):
        met = [[_run(walker, p, x[0], k, 1e-3 * mean, rate)[1] for k, (p, x, mean) in enumerate(drawn)]
               for rate in rates]  # fmt: skip
        return np.where(np.array(met) > 0, met, np.inf)

    return tune(trial, BUDGET, grid, lowest=1e-6, highest=100.0).lr


def stored_walks(distance: float = 1.0) -> dict[str, np.ndarray]:
    """What :func:`walks` found, from ``walks.json``: shape ``(36, 40, 5)``, within 3 %.

    Args:
        distance: one of :data:`DISTANCES`; all contenders are there with 1, :data:`FAR_WALKERS` with the others.

    Raises:
        ValueError: another distance.

    Example:
        >>> from hilladam.experiments import stored_walks
        >>> {gaps.shape for gaps in stored_walks().values()}
        {(36, 40, 5)}
    """
    one_of("distance", distance, DISTANCES)
    stored = json.loads(files("hilladam.experiments").joinpath("walks.json").read_text())
    return {name: unpacked_gaps(text) for name, text in stored[DISTANCES.index(distance)].items()}


def packed_gaps(gaps: np.ndarray) -> str:
    """Gaps from 10⁻⁶ to 1 as bytes, 40 to a factor of ten, compressed."""
    levels = np.round(-40 * np.log10(gaps)).astype(np.uint8)
    return base64.b64encode(zlib.compress(levels.tobytes(), 9)).decode()


def unpacked_gaps(text: str) -> np.ndarray:
    levels = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    return (10.0 ** (-levels.astype(float) / 40)).reshape(-1, INSTANCES, STARTS)
