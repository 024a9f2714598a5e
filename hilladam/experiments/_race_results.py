"""The book's race: run once, stored, and made again with one command."""

from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from hilladam.experiments._courses import COURSES, course
from hilladam.experiments._protocol import Tuning, tune
from hilladam.experiments._race import RACE_CONTENDERS, race, race_rates, search
from hilladam.experiments._restarts import gradients_to
from hilladam.experiments._searchers import SEARCHERS

RUNS, TUNING_RUNS, EVALUATIONS = 1000, 200, 2000
SEED, TUNING_SEED = 1, 1000


class RaceResult(NamedTuple):
    """What a contender did on a course; see :func:`stored_race` and :func:`stored_further_races`.

    Example:
        >>> from hilladam.experiments import stored_race
        >>> result = stored_race()["camel", "Adam"]
        >>> result.lr in result.tried, len(result.hits)
        (True, 1000)
    """

    hits: np.ndarray
    """``(runs,)``: the evaluations to the target, infinite where the run did not reach it with 2,000."""
    lr: float | None = None
    """The tuned λ; none for the searchers, which have none."""
    tried: dict[float, int] | None = None
    """By λ, in how many of the 200 tuning runs it reached the target."""


def tuned(key: str, name: str, runs: int = TUNING_RUNS, evaluations: int = EVALUATIONS, **settings) -> Tuning:
    """The learning rate of a contender on a course, found by :func:`tune` on starts of the seed 1000.

    Args:
        key: one of :data:`COURSES`.
        name: one of :data:`RACE_CONTENDERS`.
        runs: how many starts.
        evaluations: the budget of each run.
        settings: what else :func:`race_rates` takes.

    Example:
        >>> from hilladam.experiments import tuned
        >>> 0.01 < tuned("camel", "Adam", runs=20, evaluations=50).lr < 1
        True
    """
    loss, box, target, heat = course(key)
    settings = {"temperature": heat, "seed": TUNING_SEED} | settings

    def trial(rates):
        return race_rates(loss, rates, target, box, contender=name, runs=runs, evaluations=evaluations, **settings)

    return tune(trial, evaluations)


def race_results(
    done: Iterable[tuple[str, str]] = (), *, runs: int = RUNS, tuning_runs: int = TUNING_RUNS,
    evaluations: int = EVALUATIONS, device: torch.device | str | None = None,
) -> Iterator[dict]:  # fmt: skip
    """Run the race of every contender on every course: a row of ``race.json`` at a time.

    Args:
        done: (course, contender) of rows that need not be made again.
        runs: of the race.
        tuning_runs: of the races that tune.
        evaluations: the budget of each run.
        device: of what moves in lock step; the searchers take the CPU.

    Example:
        >>> from hilladam.experiments import race_results
        >>> row = next(race_results(runs=3, tuning_runs=20, evaluations=50))
        >>> row["course"], row["contender"], len(row["evaluations"].split())
        ('tenth', 'SGD', 3)
    """
    done = set(done)
    for key in COURSES:
        loss, box, target, heat = course(key)
        shared = dict(runs=runs, evaluations=evaluations, seed=SEED)
        for name in (*RACE_CONTENDERS, *SEARCHERS):
            if (key, name) in done:
                continue
            row: dict = {"course": key, "contender": name}
            if name in SEARCHERS:
                hits = search(loss, target, box, searchers=[name], **shared)[name]
            else:
                found = tuned(key, name, tuning_runs, evaluations, device=device)
                row |= {"lr": found.lr, "tried": {str(rate): count for rate, count in found.successes.items()}}
                record = race(loss, found.lr, box, contenders=[name], temperature=heat, device=device, **shared)[name]
                hits = gradients_to(record, target)
            yield row | {"evaluations": packed(hits)}


def packed(hits: np.ndarray) -> str:
    """The evaluations of every run to the target as text, which JSON keeps in one line: "-" where there are none."""
    return " ".join(str(int(each)) if np.isfinite(each) else "-" for each in hits)


def unpacked(text: str) -> np.ndarray:
    """What :func:`packed` made a text of."""
    return np.array([np.inf if each == "-" else float(each) for each in text.split()])


def stored_race() -> dict[tuple[str, str], RaceResult]:
    """What :func:`race_results` found, which the package stores: 1,000 runs of 2,000 evaluations each.

    Returns:
        By course and contender, in the order of :data:`COURSES`, :data:`RACE_CONTENDERS` and :data:`SEARCHERS`. They
        were made with ``python -m hilladam race --json race.json``, and the tests make some of them again.

    Example:
        >>> from hilladam.experiments import stored_race
        >>> hits = stored_race()["himmelblau", "L-BFGS, restarted"].hits
        >>> bool((hits < 100).mean() > 0.99)
        True
    """
    rows = pd.read_json(files("hilladam.experiments") / "race.json", dtype=False, precise_float=True)
    found = {}
    for row in rows.to_dict("records"):
        lr, tried = None, None
        if isinstance(row["tried"], dict):
            lr, tried = row["lr"], {float(rate): count for rate, count in row["tried"].items()}
        found[row["course"], row["contender"]] = RaceResult(unpacked(row["evaluations"]), lr, tried)
    return found
