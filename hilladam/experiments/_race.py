"""One runner for every optimizer: the same losses, the same starts, the same number of evaluations."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm.auto import tqdm

from hilladam.experiments._intervals import wilson_interval
from hilladam.experiments._models import Points
from hilladam.experiments._restarts import RestartedAdam, gradients_to
from hilladam.experiments._training import Record, train
from hilladam.losses import DOUBLE_WELL, SURFACES, TABLE_1, ColourLoss
from hilladam.optim import CoolMomentum, Langevin, ReferenceHillAdam, SimulatedAnnealing


class Rules(NamedTuple):
    """What a race gives its contenders besides parameters and learning rate."""

    evaluations: int
    """How many evaluations of the loss there will be: as many steps."""
    delta: float
    """δ of Hill-ADAM and of the restarts, in units of the loss."""
    gamma: float
    """γ of Hill-ADAM."""
    temperature: float
    """Where Langevin dynamics and simulated annealing start to cool, in units of the loss."""
    generator: torch.Generator
    """Where random numbers come from."""
    draw: Callable[[int], Tensor]
    """Takes n to n new random starts."""


CONTENDERS: dict[str, Callable] = {
    "SGD": lambda params, lr, rules: torch.optim.SGD(params, lr),
    "momentum": lambda params, lr, rules: torch.optim.SGD(params, lr, momentum=0.9),
    "Nesterov": lambda params, lr, rules: torch.optim.SGD(params, lr, momentum=0.9, nesterov=True),
    "RMSprop": lambda params, lr, rules: torch.optim.RMSprop(params, lr, foreach=False),
    "Adam": lambda params, lr, rules: torch.optim.Adam(params, lr, foreach=False),
    "NAdam": lambda params, lr, rules: torch.optim.NAdam(params, lr, foreach=False),
    "RAdam": lambda params, lr, rules: torch.optim.RAdam(params, lr, foreach=False),
    "CoolMomentum": lambda params, lr, rules: CoolMomentum(params, lr, 0.99, cooling_steps=rules.evaluations),
    "Langevin": lambda params, lr, rules: Langevin(
        params, lr, 0.9, temperature=lambda t: rules.temperature * max(1 - t / rules.evaluations, 0.0),
        generator=rules.generator,
    ),
    "simulated annealing": lambda params, lr, rules: SimulatedAnnealing(
        params, lr, temperature=rules.temperature, alpha=1e-3 ** (1 / rules.evaluations), generator=rules.generator
    ),
    "Hill-ADAM": lambda params, lr, rules: ReferenceHillAdam(params, lr, delta=rules.delta, gamma=rules.gamma),
    "Adam, restarted": lambda params, lr, rules: RestartedAdam(params, lr, rules.draw, delta=rules.delta),
}  # fmt: skip
"""The optimizers that race: functions of (parameters, learning rate, :class:`Rules`)."""

LEARNING_RATES = tuple(round(10 ** (k / 2), 6) for k in range(-10, 3))
"""What :func:`tune` tries: from 0.00001 to 10, two to a factor of ten."""


def race(
    loss: Callable[[Tensor], Tensor],
    lr: float | Mapping[str, float],
    box: Sequence[tuple[float, float]] | None = None,
    *,
    contenders: Iterable[str] = tuple(CONTENDERS),
    runs: int = 200,
    evaluations: int = 2000,
    delta: float = 1e-4,
    gamma: float | None = None,
    temperature: float | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
    progress: bool = False,
) -> dict[str, Record]:
    """Run contenders on one loss from the same random starts, each with as many evaluations, in lock step.

    An evaluation is one call of the loss, with its gradient for all but simulated annealing, which needs none.

    Args:
        loss: takes points to losses, as a :class:`~hilladam.losses.Polynomial`, a :class:`~hilladam.losses.Surface` or
            a :class:`~hilladam.losses.ColourLoss` does; differentiable.
        lr: λ, for all contenders or by name; see :func:`tune`.
        box: (lowest, highest) start for each variable; default: the loss's own ``box``. One pair alone means one
            variable.
        contenders: keys of :data:`CONTENDERS`.
        runs: how many starts, uniform in the box.
        evaluations: the budget of each run.
        delta: δ of Hill-ADAM and of restarted Adam.
        gamma: γ of Hill-ADAM; default: the highest loss among the starts.
        temperature: where cooling begins; default: the standard deviation of the losses of the starts, so that nearly
            every move is accepted at first, as Kirkpatrick and his co-authors advise.
        seed: of the starts, and of every contender's own random numbers.
        device: default: the GPU where there is one.
        progress: whether to show a progress bar over the contenders.

    Returns:
        The records by name, with history, in float64, with a member for each start.

    Raises:
        ValueError: no box, an unknown contender, one without a learning rate, or a number out of its range.
    """
    contenders = list(contenders)
    for name in contenders:
        if name not in CONTENDERS:
            raise ValueError(f"Invalid contender: {name!r}; expected one of {tuple(CONTENDERS)}")
        if isinstance(lr, Mapping) and name not in lr:
            raise ValueError(f"Invalid lr: none for {name!r}; expected one for each contender")
    for name, number in (("runs", runs), ("evaluations", evaluations)):
        if number < 1:
            raise ValueError(f"Invalid {name}: {number}; expected at least 1")
    low, width = _box(getattr(loss, "box", None) if box is None else box)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")

    def starts(generator):
        def draw(count):
            points = torch.rand(count, len(low), generator=generator, dtype=torch.float64) * width + low
            return (points if len(low) > 1 else points[:, 0]).to(device)

        return draw

    first = starts(torch.Generator().manual_seed(seed))(runs)
    heights = loss(first)
    gamma = heights.max().item() if gamma is None else gamma
    temperature = heights.std(correction=0).item() if temperature is None else temperature

    records = {}
    for place, name in enumerate(tqdm(contenders, disable=not progress, leave=False)):
        model = Points(first)
        noise = torch.Generator(device).manual_seed(seed + 1 + place)
        rules = Rules(evaluations, delta, gamma, temperature, noise,
                      starts(torch.Generator().manual_seed(seed + 1 + place)))  # fmt: skip
        rate = lr[name] if isinstance(lr, Mapping) else lr
        records[name] = train(model, loss, CONTENDERS[name](model.parameters, rate, rules), evaluations)
    return records


def _box(box) -> tuple[Tensor, Tensor]:
    if box is None:
        raise ValueError("Invalid box: none; expected (lowest, highest) for each variable, because the loss has no box")
    edges = torch.as_tensor(box, dtype=torch.float64)
    edges = edges.view(1, 2) if edges.dim() == 1 else edges
    if edges.shape[1:] != (2,) or not (edges[:, 0] < edges[:, 1]).all():
        raise ValueError(f"Invalid box: {box}; expected (lowest, highest) for each variable")
    return edges[:, 0], edges[:, 1] - edges[:, 0]


def standings(records: Mapping[str, Record], target: float, lowest: float | None = None) -> pd.DataFrame:
    """How the contenders did: one row for each.

    ``success`` is the share of runs whose best loss lies below the target, ``low`` and ``high`` its 95 % interval
    (Wilson). ``evaluations`` is the median over all runs of the evaluations to the target, infinite where fewer than
    half got there. ``best`` and ``final`` are medians of the best and the last loss.

    Args:
        records: from :func:`race`.
        target: in units of the loss.
        lowest: subtracted from ``best`` and ``final`` where it is given: the global minimum.
    """
    rows = []
    for name, record in records.items():
        hits = gradients_to(record, target)
        successes = int(np.isfinite(hits).sum())
        interval = wilson_interval(successes, len(hits))
        final = np.where(np.isfinite(record.final_losses), record.final_losses, math.inf)
        rows.append({
            "contender": name, "success": successes / len(hits), "low": interval.low, "high": interval.high,
            "evaluations": float(np.quantile(hits, 0.5, method="higher")),
            "best": float(np.median(record.best_losses)) - (lowest or 0.0),
            "final": float(np.median(final)) - (lowest or 0.0),
        })  # fmt: skip
    return pd.DataFrame(rows).set_index("contender")


def tune(
    loss: Callable[[Tensor], Tensor],
    target: float,
    box: Sequence[tuple[float, float]] | None = None,
    *,
    contenders: Iterable[str] = tuple(CONTENDERS),
    rates: Sequence[float] = LEARNING_RATES,
    seed: int = 1000,
    **rules,
) -> dict[str, float]:
    """The learning rate with which each contender reaches the target most often, in races from other starts.

    Of rates that succeed equally often the one with the fewest evaluations, summed over the runs, is taken; a run that
    fails counts with its whole budget.

    Args:
        loss, box, contenders: as for :func:`race`.
        target: in units of the loss.
        rates: which to try.
        seed: of the starts; not the one of the race itself.
        rules: what :func:`race` takes besides, by name.
    """
    found = {}
    for name in contenders:
        scores = []
        for rate in rates:
            (record,) = race(loss, rate, box, contenders=[name], seed=seed, **rules).values()
            hits = gradients_to(record, target)
            scores.append((np.isfinite(hits).mean(), -np.minimum(hits, len(record.losses)).sum(), rate))
        found[name] = max(scores)[-1]
    return found


class Course(NamedTuple):
    """A loss to race on."""

    loss: Callable[[Tensor], Tensor]
    box: tuple
    """Where starts are drawn: (lowest, highest) for each variable."""
    target: float
    """The loss below which a run has found the global minimum."""


COURSES = ("double_well", "sixth", "eighth", "tenth", "camel", "mueller_brown", "rastrigin", "himmelblau", "colour")
"""The losses that the book races on: the double well, three of Table 1's polynomials, the four of
:data:`~hilladam.losses.SURFACES`, and the colour loss on its three gains."""


@cache
def course(key: str) -> Course:
    """One of :data:`COURSES`. Its target is 0.01 above the global minimum, or 1 on the heights of Müller and Brown.

    Raises:
        ValueError: an unknown key.
    """
    if key not in COURSES:
        raise ValueError(f"Invalid course: {key!r}; expected one of {COURSES}")
    if key in SURFACES:
        loss, box = SURFACES[key], SURFACES[key].box
    elif key == "colour":  # with the means that the authors' photographs may have had
        loss, box = ColourLoss((0.65, 0.45, 0.25), (0.2, 0.4, 0.7)), ((0.0, 3.5),) * 3
    else:
        loss, box = (DOUBLE_WELL, (-2.0, 2.0)) if key == "double_well" else (TABLE_1[key], (-2.0, 6.0))
    return Course(loss, box, loss.global_minimum.value + (1.0 if key == "mueller_brown" else 0.01))


def tuned_rates() -> pd.DataFrame:
    """The learning rates that :func:`tune` found for every course, in races of 100 runs and 1,000 evaluations.

    Returns:
        A row for each of :data:`COURSES`, a column for each of :data:`CONTENDERS`. They were made with
        ``python -m hilladam tune --json race.json``, and the tests make some of them again.
    """
    return pd.read_json(files("hilladam.experiments") / "race.json", precise_float=True).set_index("course")
