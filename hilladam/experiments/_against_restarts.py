"""Hill-ADAM against Adam started again, on x itself and through the network, over λ and the scale of the weights."""

import itertools
import json
from collections.abc import Iterable, Sequence
from importlib.resources import files

import numpy as np
import torch
from torch import Tensor

from hilladam._checks import whole
from hilladam.experiments._compiled import run_networks, run_points
from hilladam.experiments._hits import unpacked_hits
from hilladam.experiments._models import Points, StackedMLP
from hilladam.experiments._protocol import CLOSE
from hilladam.experiments._restarts import RestartedAdam
from hilladam.experiments._training import Record, train_in_full
from hilladam.losses import TABLE_1, Polynomial

_MILLION = 1_000_000
"""How far apart the seeds of a search's weights lie."""

Found = dict[tuple[str, float | None, float, str], np.ndarray]


def against_restarts(
    losses: Sequence[str] = ("sixth", "eighth", "tenth"),
    scales: Sequence[float | None] = (None, 1.0, 1.5, 2.0, 3.0),
    lrs: Sequence[float] = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
    searches: Iterable[int] = range(1200),
    budget: int = 3000,
    delta: float = 1e-4,
    gamma: float = 200.0,
    every: int = 300,
    box: tuple[float, float] = (-2.0, 6.0),
) -> Found:
    """Search for global minima, by climbing and by starting again, with the same number of gradients.

    Adam is started again by two rules: whenever Hill-ADAM would have turned (:class:`RestartedAdam`), and after a fixed
    number of steps. Search k of each begins at the same place, so that the outcomes are paired; what a search draws
    depends on its own number alone, whatever other searches there are.

    Args:
        losses: keys of :data:`~hilladam.losses.TABLE_1`.
        scales: ``None`` moves x itself, from starts drawn evenly from ``box``; a number moves the weights of the
            paper's network without activation, from torch's initial weights times that number. New starts are new
            weights.
        lrs: λ, the same for all.
        searches: their numbers, the seeds of all that they draw: from 0 to 999,999, each once.
        budget: gradients for each search.
        delta: δ of Hill-ADAM and of the first rule.
        gamma: γ of Hill-ADAM.
        every: the steps of the second rule, a divisor of the budget.
        box: where starts on x itself are drawn from.

    Returns:
        Whether each search came within 0.01 of the global minimum, bool of shape ``(searches,)``, by (loss, scale, λ,
        name): ``"Hill-ADAM"``, ``"restarted when still"`` or ``"restarted every 300"``, with the number of steps.

    Raises:
        ValueError: no searches or one twice, an unknown loss, a number of steps that does not divide the budget, or a
            number out of its range.

    Example:
        >>> from hilladam.experiments import against_restarts
        >>> found = against_restarts(["sixth"], [None], [0.3], range(50))
        >>> {name: round(hits.mean().item(), 1) for (_, _, _, name), hits in found.items()}
        {'Hill-ADAM': 1.0, 'restarted when still': 0.8, 'restarted every 300': 1.0}
    """
    searches = [whole("searches", search) for search in searches]
    if not searches or len(set(searches)) < len(searches) or max(searches) >= _MILLION:
        raise ValueError(f"Invalid searches: {searches or 'none'}; expected at least one, below a million, none twice")
    for key in losses:
        if key not in TABLE_1:
            raise ValueError(f"Invalid loss: {key!r}; expected one of {tuple(TABLE_1)}")
    if every < 1 or budget % every:
        raise ValueError(f"Invalid every: {every}; expected a divisor of the budget, {budget}")
    found = {}
    for key, scale, lr in itertools.product(losses, scales, lrs):
        loss = TABLE_1[key]
        starts = _Places(searches, box) if scale is None else _Weights(searches, scale)
        first = np.zeros(len(searches), dtype=int)
        run = starts.run(loss, first, budget, lr=lr, delta=delta, gamma=gamma)
        found[key, scale, lr, "Hill-ADAM"] = _hits(run, loss)

        model = starts.model(first)
        adam = RestartedAdam(model.parameters, lr, starts.again, delta=delta)
        run = train_in_full(model, lambda x, f=loss: f(x.reshape(len(x))), adam, budget, history=False)
        found[key, scale, lr, "restarted when still"] = _hits(run, loss)

        runs = [_hits(starts.run(loss, first + k, every, lr=lr, delta=0.0), loss) for k in range(budget // every)]
        found[key, scale, lr, f"restarted every {every}"] = np.any(runs, axis=0)
    return found


def _hits(run: Record, loss: Polynomial) -> np.ndarray:
    return run.best_losses < loss.global_minimum.value + CLOSE


class _Starts:
    """The starts of every search, in the order in which it takes them."""

    def __init__(self, searches: Sequence[int]):
        self.searches, self.taken = np.array(searches), np.zeros(len(searches), dtype=int)

    def again(self, members: Tensor) -> Tensor:
        """The next start of each of these members, as parameters."""
        chosen = members.numpy()
        self.taken[chosen] += 1
        return self.model(self.taken[chosen], chosen).parameters[0].detach()


class _Places(_Starts):
    """Places drawn evenly from a box."""

    def __init__(self, searches: Sequence[int], box: tuple[float, float]):
        super().__init__(searches)
        self.rngs, self.box = [np.random.default_rng(search) for search in searches], box
        self.drawn: list[list[float]] = [[] for _ in searches]

    def places(self, turns: np.ndarray, members: Sequence[int] | np.ndarray) -> np.ndarray:
        for turn, member in zip(turns, members, strict=True):
            while len(self.drawn[member]) <= turn:
                self.drawn[member].append(self.rngs[member].uniform(*self.box))
        return np.array([self.drawn[member][turn] for turn, member in zip(turns, members, strict=True)])

    def model(self, turns: np.ndarray, members: Sequence[int] | np.ndarray | None = None) -> Points:
        chosen = range(len(self.searches)) if members is None else members
        return Points(torch.from_numpy(self.places(turns, chosen)))

    def run(self, loss: Polynomial, turns: np.ndarray, steps: int, **settings) -> Record:
        return run_points(loss, self.places(turns, range(len(turns))), steps, history=False, **settings)


class _Weights(_Starts):
    """Torch's initial weights times a scale, from seeds a million apart, so that no two searches share any."""

    def __init__(self, searches: Sequence[int], scale: float):
        super().__init__(searches)
        self.scale = scale

    def seeds(self, turns: np.ndarray, members: np.ndarray | None = None) -> list[int]:
        return ((self.searches if members is None else self.searches[members]) + _MILLION * turns).tolist()

    def model(self, turns: np.ndarray, members: np.ndarray | None = None) -> StackedMLP:
        return StackedMLP(self.seeds(turns, members), scale=self.scale)

    def run(self, loss: Polynomial, turns: np.ndarray, steps: int, **settings) -> Record:
        return run_networks(loss, self.seeds(turns), steps, scale=self.scale, history=False, **settings)


def stored_against_restarts() -> Found:
    """:func:`against_restarts` as last run in full, with ``tools/store_results.py`` of the repository.

    It holds two calls: ``against_restarts()``, and ``against_restarts(scales=[None], lrs=[2, 3, 10])``, because on x
    itself some of the largest λ of the first were the best. Two cores take half an hour for them.

    Example:
        >>> from hilladam.experiments import stored_against_restarts
        >>> found = stored_against_restarts()
        >>> len(found["tenth", None, 0.3, "Hill-ADAM"])
        1200
    """
    return _from_rows(json.loads((files("hilladam.experiments") / "against_restarts.json").read_text("utf-8")))


def _from_rows(rows: list[list]) -> Found:
    """From the key, the number of searches, and a bit for each of them, in hexadecimal digits."""
    return {tuple(key): unpacked_hits(searches, bits) for *key, searches, bits in rows}
