"""The championship: published functions, one budget, contenders from one Adam to CMA-ES; run once, stored, resumable."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from hilladam.experiments._account import TARGETS, Account
from hilladam.experiments._bbob import Problem, bbob
from hilladam.experiments._budget import Spent
from hilladam.experiments._protocol import Tuning, tune
from hilladam.experiments._restarts import RestartedAdam
from hilladam.experiments._searchers import SEARCHERS, Searcher
from hilladam.optim import AdaptiveHillAdam, ReferenceHillAdam

BUDGET = 1000  # evaluations for each variable
INSTANCES, TUNING_INSTANCES = (1, 2, 3, 4, 5), (6,)
DIMENSIONS = (2, 3, 5)
RATES = (0.001, 0.003162, 0.01, 0.031623, 0.1, 0.316228, 1.0, 3.162278, 10.0)


class Run(NamedTuple):
    problem: Problem
    start: np.ndarray
    wide: np.ndarray
    seed: tuple[int, ...]


def arrange(problem: Problem, number: int, instance: int) -> Run:
    seed = (number, instance, problem.variables)
    rng = np.random.default_rng(seed)
    low, high = problem.box.T
    start = rng.uniform(low, high)
    edge = low - 9 * (high - low) * rng.random(problem.variables)
    return Run(problem, start, np.stack([edge, edge + 10 * (high - low)], axis=-1), seed)


def searched(search: Searcher, run: Run, evaluations: int, wide: bool = False) -> Account:
    account = Account(run.problem.height, evaluations)
    box = run.wide if wide else run.problem.box
    try:
        search(account, run.start.copy(), box.copy(), np.random.default_rng((*run.seed, 1)))
    except Spent:
        pass
    return account


def walked(rule, runs: Sequence[Run], rates: Sequence[float], evaluations: int, wide: bool = False) -> list[Account]:
    """Every run with every rate, in lock step."""
    runs = [run for _ in rates for run in runs]
    accounts = [Account(run.problem.height, evaluations) for run in runs]
    rngs = [np.random.default_rng((*run.seed, 1)) for run in runs]
    boxes = [run.wide if wide else run.problem.box for run in runs]

    def draw(members):
        return torch.tensor(np.array([rngs[k].uniform(*boxes[k].T) for k in members.tolist()]))

    places = torch.tensor(np.array([run.start for run in runs]))
    lr = torch.tensor(np.repeat(np.asarray(rates, dtype=float), len(runs) // len(rates)))
    optimizer = rule([places], lr, draw)
    heights, slopes = torch.full((len(runs),), math.nan, dtype=torch.float64), torch.zeros_like(places)
    at, of, down = places.numpy(), heights.numpy(), slopes.numpy()
    going = list(range(len(runs)))
    while going:
        for k in tuple(going):
            try:
                of[k], down[k] = accounts[k].both(at[k])
            except Spent:
                going.remove(k)
        optimizer.step(heights, [slopes])
    return accounts


def stepped(make) -> Searcher:
    """Drive an optimizer of torch's kind."""

    def search(loss, start, box, rng):
        place = torch.nn.Parameter(torch.from_numpy(start))
        optimizer = make([place])
        while True:
            value, slopes = loss.both(start)
            place.grad = torch.from_numpy(slopes)
            optimizer.step(loss=value)

    return search


RULES = {
    "Adam": lambda params, lr, draw: ReferenceHillAdam(params, lr, delta=0.0, gamma=math.inf),
    "Hill-ADAM": lambda params, lr, draw: ReferenceHillAdam(params, lr),
    "Adam, restarted": lambda params, lr, draw: RestartedAdam(params, lr, draw, delta=1e-9),
}
