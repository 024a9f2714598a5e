"""A race: one loss, the same starts and as many evaluations for every contender."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hilladam.experiments._contenders import CONTENDERS, chosen
from hilladam.experiments._in_turn import in_turn
from hilladam.experiments._intervals import wilson_interval
from hilladam.experiments._models import Points
from hilladam.experiments._restarts import gradients_to
from hilladam.experiments._training import Record, train_in_full

RACE_CONTENDERS = ("SGD", "momentum", "Nesterov", "RMSprop", "Adam", "NAdam", "RAdam", "CoolMomentum", "Langevin",
                   "simulated annealing", "Hill-ADAM", "Adam, restarted")  # fmt: skip
"""The names of those of :data:`CONTENDERS` that race."""


def race(
    loss: Callable[[Tensor], Tensor],
    lr: float | Mapping[str, float],
    box: Sequence[tuple[float, float]] | tuple[float, float] | None = None,
    *,
    contenders: Iterable[str] = RACE_CONTENDERS,
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

    Ctrl-C keeps the contenders that have finished, with a warning.

    Args:
        loss: takes points to losses, as a :class:`~hilladam.losses.Polynomial`, a :class:`~hilladam.losses.Surface` or
            a :class:`~hilladam.losses.ColourLoss` does; differentiable.
        lr: λ, for all contenders or by name; see :func:`tune`.
        box: (lowest, highest) start for each variable; default: the loss's own ``box``. One pair alone means one
            variable.
        contenders: names among :data:`RACE_CONTENDERS`.
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
        ValueError: no box, no contender, one twice or unknown, one without a learning rate, or a number out of its
            range.

    Example:
        >>> from hilladam.experiments import race
        >>> from hilladam.losses import SURFACES
        >>> records = race(SURFACES["camel"], 0.05, contenders=["Adam", "Hill-ADAM"], runs=20, evaluations=100)
        >>> records["Adam"].states.shape
        (100, 20, 2)
        >>> bool((records["Adam"].states[0] == records["Hill-ADAM"].states[0]).all())  # the same starts
        True
    """
    contenders = chosen(contenders, RACE_CONTENDERS, "contender")
    for name in contenders:
        if isinstance(lr, Mapping) and name not in lr:
            raise ValueError(f"Invalid lr: none for {name!r}; expected one for each contender")
    for name, number in (("runs", runs), ("evaluations", evaluations)):
        if not isinstance(number, Integral) or number < 1:
            raise ValueError(f"Invalid {name}: {number}; expected a whole number >= 1")
    low, width = _box(getattr(loss, "box", None) if box is None else box)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")

    def starts(generator):
        def draw(count):
            points = torch.rand(count, len(low), generator=generator, dtype=torch.float64) * width + low
            return (points if len(low) > 1 else points[:, 0]).to(device)

        return draw

    first = starts(torch.Generator().manual_seed(seed))(runs)
    heights = loss(first)
    told = {
        "steps": evaluations,
        "delta": delta,
        "gamma": heights.max().item() if gamma is None else gamma,
        "temperature": heights.std(correction=0).item() if temperature is None else temperature,
    }

    def run(name):
        model, own = Points(first), seed + 1 + contenders.index(name)
        dice = {"generator": torch.Generator(device).manual_seed(own),
                "draw": starts(torch.Generator().manual_seed(own))}  # fmt: skip
        rate = lr[name] if isinstance(lr, Mapping) else lr
        optimizer = CONTENDERS[name].for_rows(model.parameters, rate, **told, **dice)
        return train_in_full(model, loss, optimizer, evaluations)

    return in_turn(contenders, run, "contenders", "race" if progress else "")


def _box(box) -> tuple[Tensor, Tensor]:
    if box is None:
        raise ValueError("Invalid box: none; expected (lowest, highest) for each variable, because the loss has no box")
    edges = torch.as_tensor(box, dtype=torch.float64)
    edges = edges[None] if edges.dim() == 1 else edges
    if edges.shape[1:] != (2,) or not len(edges) or not edges.isfinite().all() or not (edges[:, 0] < edges[:, 1]).all():
        raise ValueError(f"Invalid box: {box}; expected finite (lowest, highest) for each variable")
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

    Raises:
        ValueError: no records, one without history, or a target that is not a number.

    Example:
        >>> from hilladam.experiments import course, race, standings
        >>> loss, box, target = course("camel")
        >>> table = standings(race(loss, 0.05, box, contenders=["SGD", "Adam"], runs=20, evaluations=200), target)
        >>> list(table.index), list(table.columns)
        (['SGD', 'Adam'], ['success', 'low', 'high', 'evaluations', 'best', 'final'])
    """
    if not records:
        raise ValueError("Invalid records: none; expected at least one")
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
