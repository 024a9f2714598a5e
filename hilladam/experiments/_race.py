"""A race: one loss, the same starts and as many evaluations for every contender."""

import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hilladam._checks import whole
from hilladam.experiments._budget import Budget, Spent, value_and_gradient
from hilladam.experiments._contenders import CONTENDERS, Contender, chosen
from hilladam.experiments._in_turn import in_turn
from hilladam.experiments._intervals import wilson_interval
from hilladam.experiments._models import Points
from hilladam.experiments._restarts import gradients_to
from hilladam.experiments._searchers import SEARCHERS, Searcher
from hilladam.experiments._training import Optimizers, Record, train_in_full
from hilladam.losses import Polynomial, stack

RACE_CONTENDERS = ("SGD", "momentum", "Nesterov", "RMSprop", "Adam", "AMSGrad", "NAdam", "RAdam", "CoolMomentum",
                   "Langevin", "simulated annealing", "Hill-ADAM", "Adam, restarted")  # fmt: skip
"""The names of those of :data:`CONTENDERS` that race."""

SHIFT = 0.1
"""How far the box of a run may lie from that of the course, in each direction, as a share of its width."""

Factory = Callable[[Sequence[Tensor], float], Optimizers]
"""Takes parameters and λ to an optimizer that keeps the rows of its parameters apart."""


class Field(NamedTuple):
    """Where the runs of a race begin; see :func:`field`.

    Example:
        >>> from hilladam.experiments import field
        >>> places = field((0, 1), runs=3)
        >>> places.starts.shape, places.boxes.shape
        ((3, 1), (3, 1, 2))
    """

    starts: np.ndarray
    """Shape ``(runs, variables)``."""
    boxes: np.ndarray
    """Shape ``(runs, variables, 2)``: the lowest and the highest that each run is told."""


def field(box: Sequence[tuple[float, float]] | tuple[float, float], runs: int, seed: int = 0) -> Field:
    """A box and a start in it for each run.

    The box of a run is the given one, shifted in each direction by up to a tenth of its width, so that even what leaves
    nothing to chance, and looks at the middle of the box first, never runs the same race twice. The start is uniform
    in that box. Run k has the same start and box however many runs there are.

    Args:
        box: (lowest, highest) for each variable. One pair alone means one variable.
        runs: how many.
        seed: of the random numbers.

    Raises:
        ValueError: a box that is none, or no runs.

    Example:
        >>> from hilladam.experiments import field
        >>> starts, boxes = field([(0, 1), (0, 10)], 1000)
        >>> starts.shape, boxes.shape
        ((1000, 2), (1000, 2, 2))
        >>> bool((boxes[:, 0, 0] >= -0.1).all()), bool((boxes[:, 1, 1] <= 11).all())
        (True, True)
    """
    runs, edges = whole("runs", runs, 1), _box(box)
    low, width = edges[:, 0], edges[:, 1] - edges[:, 0]
    uniform = np.random.default_rng([seed, 0]).random((runs, 2, len(edges)))
    low = low + (2 * uniform[:, 0] - 1) * SHIFT * width
    return Field(low + uniform[:, 1] * width, np.stack([low, low + width], axis=-1))


def race(
    loss: Callable[[Tensor], Tensor],
    lr: float | Mapping[str, float],
    box: Sequence[tuple[float, float]] | tuple[float, float] | None = None,
    *,
    contenders: Iterable[str] | Mapping[str, Contender | Factory] = RACE_CONTENDERS,
    runs: int = 200,
    evaluations: int = 2000,
    delta: float = 1e-4,
    gamma: float = 200.0,
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
            a :class:`~hilladam.losses.ColourLoss` does; differentiable. Or a function of yours: tensors of shape
            ``(runs, variables)``, or ``(runs,)`` with one variable, to ``(runs,)``.
        lr: λ, for all contenders or by name; see :func:`tune`.
        box: (lowest, highest) for each variable, in which runs start, see :func:`field`; default: the loss's own
            ``box``. One pair alone means one variable.
        contenders: names among :data:`RACE_CONTENDERS`; or a mapping of names to contenders of your own: each a
            function that takes parameters and λ to an optimizer, as the classes of ``torch.optim`` do. The one
            parameter has a row for each run, and the optimizer must not mix them: it goes element by element, or it is
            a :class:`LossRule`.
        runs: how many starts.
        evaluations: the budget of each run.
        delta: δ of Hill-ADAM and of restarted Adam.
        gamma: γ of Hill-ADAM; default: 200, as in the code of the paper's authors.
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
        >>> import torch
        >>> from hilladam.experiments import race
        >>> from hilladam.losses import SURFACES
        >>> records = race(SURFACES["camel"], 0.05, contenders=["Adam", "Hill-ADAM"], runs=20, evaluations=100)
        >>> records["Adam"].states.shape
        (100, 20, 2)
        >>> bool((records["Adam"].states[0] == records["Hill-ADAM"].states[0]).all())  # the same starts
        True

        A loss and a rule of one's own, beside one of torch's that the book does not race:

        >>> wavy = lambda points: (points**2 + 3 * torch.sin(5 * points)).sum(-1)
        >>> class SignDescent:
        ...     def __init__(self, params, lr):
        ...         (self.points,), self.lr = params, lr
        ...     @torch.no_grad()
        ...     def step(self, losses, grads):  # a LossRule: told the losses too
        ...         self.points -= self.lr * grads[0].sign()
        >>> mine = {"sign descent": SignDescent, "Adamax": torch.optim.Adamax}
        >>> records = race(wavy, 0.05, [(-3, 3)] * 2, contenders=mine, runs=50, evaluations=100)
        >>> {name: record.best_losses.shape for name, record in records.items()}
        {'sign descent': (50,), 'Adamax': (50,)}
    """
    entries = _chosen_entries(contenders, {name: CONTENDERS[name] for name in RACE_CONTENDERS}, "contender")
    for name in entries:
        if isinstance(lr, Mapping) and name not in lr:
            raise ValueError(f"Invalid lr: none for {name!r}; expected one for each contender")
    where = _Where(loss, box, runs, evaluations, seed, device)
    settings = {"delta": delta, "gamma": gamma, "temperature": temperature}

    def run(name):
        model, entry = Points(where.starts), entries[name]
        rate = lr[name] if isinstance(lr, Mapping) else lr
        if isinstance(entry, Contender):
            optimizer: Optimizers = entry.for_rows(model.parameters, rate, **where.settings(name, **settings))
        else:
            optimizer = entry(model.parameters, rate)
        return train_in_full(model, where.loss, optimizer, evaluations)

    return in_turn(list(entries), run, "contenders", "race" if progress else "")


def race_rates(
    loss: Callable[[Tensor], Tensor],
    rates: Sequence[float],
    target: float,
    box: Sequence[tuple[float, float]] | tuple[float, float] | None = None,
    *,
    contender: str,
    runs: int = 200,
    evaluations: int = 2000,
    delta: float = 1e-4,
    gamma: float = 200.0,
    temperature: float | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
) -> np.ndarray:
    """The races of one contender with many learning rates at once, as :func:`tune` asks for them.

    All rates share one ensemble, which takes hardly longer than one of them: each member walks in units of its own λ.

    Args:
        rates: λ, positive.
        target: in units of the loss.
        contender: one of :data:`RACE_CONTENDERS`.
        loss, box, runs, evaluations, delta, gamma, temperature, seed, device: as for :func:`race`.

    Returns:
        Shape ``(rates, runs)``: what :func:`gradients_to` would say of each race, up to rounding; for Langevin dynamics
        and simulated annealing of a race with other noise of the same strength.

    Raises:
        ValueError: as for :func:`race`.

    Example:
        >>> import numpy as np
        >>> from hilladam.experiments import course, race_rates
        >>> loss, box, target, _ = course("camel")
        >>> hits = race_rates(loss, [0.001, 0.1], target, box, contender="Adam", runs=50, evaluations=100)
        >>> hits.shape, bool(np.isfinite(hits[1]).sum() > np.isfinite(hits[0]).sum())
        ((2, 50), True)
    """
    (contender,) = chosen(contender, RACE_CONTENDERS, "contender")
    for rate in rates:
        if not 0 < rate < math.inf:
            raise ValueError(f"Invalid rates: {rate}; expected finite numbers > 0")
    where = _Where(loss, box, runs, evaluations, seed, device, copies=len(rates))
    lr = torch.tensor(np.repeat(np.asarray(rates, dtype=float), runs), device=where.starts.device)
    lr = lr.view(-1, *[1] * (where.starts.dim() - 1))
    # Noise of temperature T makes steps of √λ, everything else steps of λ.
    unit, pull = (lr.sqrt(), lr.sqrt()) if contender == "Langevin" else (lr, torch.ones_like(lr))
    model = _InUnits(where.starts, unit, pull)
    settings = where.settings(contender, delta=delta, gamma=gamma, temperature=temperature)
    draw = settings["draw"]
    settings["draw"] = lambda members: (draw(members) - where.starts[members]) / unit[members]
    optimizer = CONTENDERS[contender].for_rows(model.parameters, 1.0, **settings)
    return gradients_to(train_in_full(model, where.loss, optimizer, evaluations), target).reshape(len(rates), runs)


class _Where:
    """What all contenders of a race share: a member for each run, or one in each of several copies of the race."""

    def __init__(self, loss, box, runs: int, evaluations: int, seed: int, device, copies: int = 1):
        starts, boxes = field(_box_of(loss, box), runs, seed)
        starts, self.boxes = np.tile(starts, (copies, 1)), np.tile(boxes, (copies, 1, 1))
        self.runs, self.evaluations, self.seed = runs, whole("evaluations", evaluations, 1), seed
        self.flat = starts.shape[1] == 1
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.starts = torch.tensor(starts[:, 0] if self.flat else starts, device=device)
        polynomial = isinstance(loss, Polynomial)
        self.loss = stack([loss] * len(starts), device=device) if polynomial else loss  # the same, but faster

    def settings(self, name: str, *, temperature: float | None, **settings) -> dict:
        if temperature is None:
            temperature = self.loss(self.starts).std(correction=0).item()  # copies do not change it
        own = torch.Generator(self.starts.device).manual_seed(zlib.crc32(name.encode()) ^ self.seed)
        rngs = [_rng(self.seed, k % self.runs) for k in range(len(self.boxes))]

        def draw(members: Tensor) -> Tensor:
            """Each member's new starts come from its own box and random numbers, whoever else starts again and when."""
            points = torch.tensor(np.array([rngs[k].uniform(*self.boxes[k].T) for k in members.tolist()]))
            return (points[:, 0] if self.flat else points).to(self.starts)

        return {"steps": self.evaluations, "temperature": temperature, "generator": own, "draw": draw, **settings}


class _InUnits:
    """Points that walk in units of their own, from their starts; gradients are those of the places, times a pull."""

    def __init__(self, starts: Tensor, unit: Tensor, pull: Tensor):
        self.parameters = [torch.zeros_like(starts).requires_grad_()]
        self._where = starts, unit, pull

    def __call__(self) -> Tensor:
        return _Walked.apply(self.parameters[0], *self._where)


class _Walked(torch.autograd.Function):
    @staticmethod
    def forward(ctx, walked, starts, unit, pull):
        ctx.save_for_backward(pull)
        return starts + unit * walked

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.saved_tensors[0], None, None, None


def search(
    loss: Callable[[Tensor], Tensor],
    target: float,
    box: Sequence[tuple[float, float]] | tuple[float, float] | None = None,
    *,
    searchers: Iterable[str] | Mapping[str, Searcher] = tuple(SEARCHERS),
    runs: int = 200,
    evaluations: int = 2000,
    seed: int = 0,
    progress: bool = False,
) -> dict[str, np.ndarray]:
    """The same race for what moves by itself: searches of scipy and other libraries, one run after the other.

    Each run has the start, the box and the budget that it has in :func:`race`, and stops at the target.

    Ctrl-C keeps the searchers that have finished, with a warning.

    Args:
        loss, box, runs, evaluations, seed, progress: as for :func:`race`; on the CPU.
        target: in units of the loss.
        searchers: names among :data:`SEARCHERS`; or a mapping of names to functions of your own. Each takes a
            :class:`Budget`, a start of shape ``(variables,)``, a box of shape ``(variables, 2)`` and a
            :class:`numpy.random.Generator`, and searches until the budget stops it.

    Returns:
        By name, shape ``(runs,)``: how many evaluations each run took to a loss below the target; infinite where it did
        not get there. What :func:`gradients_to` says of a record.

    Raises:
        ValueError: no box, no searcher, one twice or unknown, or a number out of its range.
        MissingExtra: NLopt or pycma is not installed.

    Example:
        >>> from hilladam.experiments import course, search
        >>> loss, box, target, _ = course("himmelblau")
        >>> def random_points(loss, start, box, rng):
        ...     while True:
        ...         loss(rng.uniform(*box.T))
        >>> mine = {"random points": random_points}
        >>> counts = search(loss, target, box, searchers=mine, runs=50)["random points"]
        >>> counts.shape, bool((counts < 2000).mean() < 0.3)
        ((50,), True)
    """
    entries = _chosen_entries(searchers, SEARCHERS, "searcher")
    if math.isnan(target):
        raise ValueError(f"Invalid target: {target}; expected a number, in units of the loss")
    whole("evaluations", evaluations, 1)
    starts, boxes = field(_box_of(loss, box), runs, seed)
    function = value_and_gradient(loss)

    def run(name):
        hits = np.full(runs, math.inf)
        for k in range(runs):
            budget = Budget(function, evaluations, target)
            try:
                entries[name](budget, starts[k].copy(), boxes[k].copy(), _rng(seed, k))
            except Spent:
                pass
            if budget.met:
                hits[k] = budget.spent
        return hits

    return in_turn(list(entries), run, "searchers", "search" if progress else "")


def _chosen_entries(given, known: Mapping, kind: str) -> dict:
    """By name, the reader's own if ``given`` is a mapping, otherwise those of the known that it names."""
    entries = given if isinstance(given, Mapping) else known
    return {name: entries[name] for name in chosen(given, tuple(entries), kind)}


def _rng(seed: int, run: int) -> np.random.Generator:
    """What a run has of chance besides its start."""
    return np.random.default_rng([seed, 1, run])


def _box_of(loss, box):
    return getattr(loss, "box", None) if box is None else box


def _box(box) -> np.ndarray:
    if box is None:
        raise ValueError("Invalid box: none; expected (lowest, highest) for each variable, because the loss has no box")
    edges = np.array(box, dtype=float)
    edges = edges[None] if edges.ndim == 1 else edges
    if edges.shape[1:] != (2,) or not len(edges) or not np.isfinite(edges).all() or (edges[:, 0] >= edges[:, 1]).any():
        raise ValueError(f"Invalid box: {box}; expected finite (lowest, highest) for each variable")
    return edges


def standings(hits: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """How the contenders did: one row for each.

    ``success`` is the share of runs that reached the target, ``low`` and ``high`` its 95 % interval (Wilson).
    ``evaluations`` is the median over all runs of the evaluations to the target, infinite where fewer than half got
    there.

    Args:
        hits: by name, from :func:`search`, :func:`gradients_to` or :func:`stored_race`, shape ``(runs,)``.

    Raises:
        ValueError: no contender.

    Example:
        >>> from hilladam.experiments import course, gradients_to, race, standings
        >>> loss, box, target, _ = course("camel")
        >>> records = race(loss, 0.05, box, contenders=["SGD", "Adam"], runs=20, evaluations=200)
        >>> table = standings({name: gradients_to(record, target) for name, record in records.items()})
        >>> list(table.index), list(table.columns)
        (['SGD', 'Adam'], ['success', 'low', 'high', 'evaluations'])
    """
    if not hits:
        raise ValueError("Invalid hits: none; expected at least one contender")
    rows = []
    for name, counts in hits.items():
        successes = int(np.isfinite(counts).sum())
        interval = wilson_interval(successes, len(counts))
        rows.append({
            "contender": name, "success": successes / len(counts), "low": interval.low, "high": interval.high,
            "evaluations": float(np.quantile(counts, 0.5, method="higher")),
        })  # fmt: skip
    return pd.DataFrame(rows).set_index("contender")
