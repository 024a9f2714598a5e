"""The championship: 24 published functions and six more, one budget, everybody from one Adam to CMA-ES."""

import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache, partial
from importlib.resources import files
from itertools import islice
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from hilladam.experiments._account import TARGETS, Account
from hilladam.experiments._bbob import Problem, bbob
from hilladam.experiments._budget import Spent, value_and_gradient
from hilladam.experiments._compiled import can_compile
from hilladam.experiments._contenders import chosen
from hilladam.experiments._courses import COURSES, course
from hilladam.experiments._over_the_hill import walk_over
from hilladam.experiments._protocol import Tuning, tune
from hilladam.experiments._race import field
from hilladam.experiments._searchers import SEARCHERS, Searcher, _direct
from hilladam.losses import SUITE, random_suite_loss
from hilladam.losses._suite import FAMILIES
from hilladam.optim import Course, ReferenceHillAdam, steer

BUDGET = 1000
"""The evaluations of a run, for each variable."""

FUNCTIONS: tuple[int | str, ...] = (*range(1, 25), *SUITE)
"""What the championship is held on: BBOB's 24 functions by number, and the six of :data:`~hilladam.losses.SUITE`."""

DIMENSIONS, INSTANCES, TUNING_INSTANCE = (2, 3), (1, 2, 3, 4, 5), 6
_RATES = tuple(round(10 ** (k / 2), 6) for k in range(-2, 2))

WIDE = " ×10"
"""How the name of a contestant ends that is told a box ten times as wide."""


_RULES: dict[str, Callable] = {
    "Adam": lambda params, lr: ReferenceHillAdam(params, lr, delta=0.0, gamma=math.inf),
    "Hill-ADAM": lambda params, lr: ReferenceHillAdam(params, lr),
}


def _steered(loss, place, scale=1.0, lr=1e-4, settle=False):
    """:class:`~hilladam.AdaptiveHillAdam` without torch, which takes ten times as long for so few variables.

    Each place that it has judged, and its λ as a multiple of ``lr`` from then on.
    """
    course, maximize = Course(scale=scale), False
    previous, gradient = place, np.zeros(len(place))
    average, square, steps = np.zeros(len(place)), np.zeros(len(place)), 0
    while True:
        here, (value, slopes) = place, loss.both(place)
        step = place - previous
        slope, bend = float((gradient + slopes) @ step) / 2, float((slopes - gradient) @ step) / 2
        scale = course.scale
        course, maximize, reason, rose, again = steer(
            course, maximize, value, slope, bend, dimensions=len(place), settle=settle
        )
        if not (slope or bend or again or square.any()):  # a step that could move nothing says nothing of λ
            course = course._replace(scale=scale)
        if reason or again:
            average, square, steps = np.zeros(len(place)), np.zeros(len(place)), 0
        elif rose:
            average = np.zeros(len(place))
        if again:
            place, slopes = previous, gradient
        previous, gradient = place, slopes
        average, square, steps = _averages(average, square, steps, slopes)
        place = place + (1 if maximize else -1) * course.scale * lr * _ratio(average, square, steps)
        yield here, course.scale


def _adaptive(loss, start, box, rng):
    for _ in _steered(loss, start):
        pass


def _adaptive_and_finish(loss, start, box, rng):
    """Leaves the last tenth of the budget to finish(), and the last evaluation of that to the mean that it leaves."""
    finish = loss.evaluations // 10
    *_, (_, scale) = islice(_steered(loss, start), loss.evaluations - finish)
    last = max(finish - 1, 1)
    settled = [place for place, _ in islice(_steered(loss, loss.best_place, scale, settle=True), last)]
    loss(np.mean(settled[-max(last // 2, 1) :], axis=0))


def _averages(average, square, steps, slopes):
    return 0.9 * average + 0.1 * slopes, 0.999 * square + 0.001 * slopes * slopes, steps + 1


def _ratio(average, square, steps):
    root = np.sqrt(square / (1 - 0.999**steps))
    return np.divide(average / (1 - 0.9**steps), root, out=np.zeros(len(root)), where=root > 0)


def _over_the_hill(loss, start, box, rng):
    walk_over(loss.both, start, loss.evaluations, seed=int(rng.integers(2**31)))


def _over_the_hill_and_down(loss, start, box, rng):
    """Walks for four fifths of the budget, and goes down to the bottom from the lowest place."""
    from scipy.optimize import minimize

    while True:
        _, start = walk_over(loss.both, start, 4 * loss.evaluations // 5, seed=int(rng.integers(2**31)))
        start = minimize(loss.both, start, jac=True, method="L-BFGS-B").x


def _self_paced(loss, start, box, rng):
    """Descends as over the hill does, λ from the run, but to the very bottom; then begins anew in the box."""
    while True:
        place, rate, growth, before, high, low = start, 1e-4, 2.0, math.nan, -math.inf, math.inf
        average, square, steps = np.zeros(len(start)), np.zeros(len(start)), 0
        while True:
            value, slopes = loss.both(place)
            high, low = max(high, value), min(low, value)
            if value > before:
                rate, growth, average = rate / 2, 1.05, np.zeros(len(start))
            elif steps:
                rate = growth * rate
            if not math.isfinite(value) or abs(value - before) <= 1e-10 * (high - low):
                break
            before = value
            average, square, steps = _averages(average, square, steps, slopes)
            place = place - rate * _ratio(average, square, steps)
        start = rng.uniform(*box.T)


# It goes on to the end of the budget, which scipy's tolerances would not.
_PATIENT = partial(_direct, vol_tol=0, len_tol=0)
_TOLD_NOTHING: dict[str, Searcher] = {
    "AdaptiveHillAdam": _adaptive, "AdaptiveHillAdam, finished": _adaptive_and_finish,
    "OverTheHill": _over_the_hill, "OverTheHill, L-BFGS": _over_the_hill_and_down,
}  # fmt: skip
_TOLD_THE_BOX: dict[str, Searcher] = {"self-paced Adam, restarted": _self_paced, **SEARCHERS, "DIRECT": _PATIENT}
_SAMPLERS = ("differential evolution", "CMA-ES")
_PLANS = ("AdaptiveHillAdam, finished", "OverTheHill, L-BFGS")
"""What divides its budget, so that a run with a smaller one is another run."""

CONTESTANTS: tuple[str, ...] = (
    *_RULES, *_TOLD_NOTHING, *_TOLD_THE_BOX, *(name + WIDE for name in _TOLD_THE_BOX if name not in _SAMPLERS),
)  # fmt: skip
"""Who takes part. The first six are told a start and nothing else, then come eight that are told the box; and those of
them that follow gradients, and DIRECT, once more, told a box ten times as wide."""


class _Run(NamedTuple):
    problem: Problem
    start: np.ndarray
    wide: np.ndarray
    seed: tuple[int, ...]


def _arranged(function: int | str, variables: int, instance: int) -> _Run:
    """A problem, a start in its box, and a tenfold box with that box somewhere in it: the same for everybody."""
    problem = _problem(function, variables, instance)
    seed = (zlib.crc32(problem.name.encode()), instance, variables)
    rng = np.random.default_rng(seed)
    low, high = problem.box.T
    start = rng.uniform(low, high)
    edge = low - 9 * (high - low) * rng.random(variables)
    return _Run(problem, start, np.stack([edge, edge + 10 * (high - low)], axis=-1), seed)


def _problem(function, variables, instance):
    if function in COURSES:
        return _on_course(function, variables, instance)
    if function not in SUITE:
        return bbob(function, variables, instance)
    rng = np.random.default_rng((zlib.crc32(function.encode()), instance, variables))
    loss = random_suite_loss(function, rng, variables, rotated=True)
    formula, unused = _formula(function), np.empty(variables)

    def height(place):
        return formula(loss.rotation @ (place - loss.optimum) + loss.anchor, unused, loss.table) - loss.level

    return Problem(function, height, np.array([loss.box] * variables))


def _on_course(key, variables, instance):
    """One of the book's own losses, less its minimum, in a box shifted as in the race."""
    loss, box, *_ = course(key)
    if len(box) != variables:
        raise ValueError(f"Invalid variables: {variables}; expected {len(box)} on the course {key!r}")
    both, lowest = value_and_gradient(loss), loss.global_minimum.value
    return Problem(key, lambda place: float(both(place)[0]) - lowest, field(box, 1, instance).boxes[0])


@cache
def _formula(function):
    """What gives one of the six; compiled where numba is, which takes ten variables in a tenth of the time."""
    formula = FAMILIES[function].slopes
    if not can_compile():
        return formula
    from numba import njit

    return njit(formula)


def _searched(name: str, run: _Run, evaluations: int) -> Account:
    account = Account(run.problem.height, evaluations)
    box = run.wide if name.endswith(WIDE) else run.problem.box
    with suppress(Spent):
        search = (_TOLD_NOTHING | _TOLD_THE_BOX)[name.removesuffix(WIDE)]
        search(account, run.start.copy(), box.copy(), np.random.default_rng((*run.seed, 1)))
    return account


def _walked(name: str, runs: Sequence[_Run], rates: Sequence[float], evaluations: int) -> list[Account]:
    """Every run with every rate, in lock step; those of the first rate first."""
    lr = torch.tensor(np.repeat(np.asarray(rates, dtype=float), len(runs)))
    runs = [run for _ in rates for run in runs]
    accounts = [Account(run.problem.height, evaluations) for run in runs]
    places = torch.tensor(np.array([run.start for run in runs]))
    rule = _RULES[name]([places], lr)
    heights, slopes = torch.full((len(runs),), math.nan, dtype=torch.float64), torch.zeros_like(places)
    at, height_of, slopes_of = places.numpy(), heights.numpy(), slopes.numpy()
    going = list(range(len(runs)))
    while going:
        for k in tuple(going):
            try:
                height_of[k], slopes_of[k] = accounts[k].both(at[k])
            except Spent:
                going.remove(k)
        rule.step(heights, [slopes])
    return accounts


class Standing(NamedTuple):
    """What a contestant did; see :func:`contest` and :func:`stored_championship`.

    Example:
        >>> from hilladam.experiments import stored_championship
        >>> standing = stored_championship()["DIRECT", 2]
        >>> standing.costs.shape, bool((standing.costs == standing.charged).all())  # which asks for no gradient
        ((30, 5, 21), True)
    """

    costs: np.ndarray
    """``(functions, instances, targets)``: the evaluations to each of :data:`TARGETS`, a gradient for nothing;
    infinite where the budget ended before."""
    charged: np.ndarray
    """The same where each gradient costs 2d evaluations more, d the number of variables."""
    kept: np.ndarray
    """``(functions, instances)``: how many targets the last place of the run, not the best one, still meets."""
    lr: tuple[float, float] | None = None
    """λ, tuned for each of the two charges; none where there is none to tune."""


def contest(
    name: str, functions: Sequence[int | str], variables: int, instances: Sequence[int] = INSTANCES, *,
    lr: tuple[float, float] | None = None, budget: int = BUDGET,
) -> Standing:  # fmt: skip
    """Send one contestant over functions.

    All get ``budget`` evaluations for each variable, and no gradients but central differences. Every run has its own
    start, uniform in the box, the same for everybody. Functions are less their minimum: a γ of 200 means 200 above it.

    Args:
        name: one of :data:`CONTESTANTS`.
        functions: of :data:`FUNCTIONS`, where numbers are BBOB's and need coco-experiment; or of :data:`COURSES`, those
            that have so many variables.
        variables: their number d.
        instances: of each function; of a course, which stays where it is, other boxes and starts.
        lr: λ for both charges, for what is tuned: :func:`stored_championship` has them.
        budget: evaluations for each variable.

    Raises:
        ValueError: an unknown contestant, no λ where one is needed, or a course of another number of variables.
        MissingExtra: what the contestant or the function needs is not installed.

    Example:
        >>> from hilladam.experiments import contest
        >>> standing = contest("OverTheHill", ["Rastrigin"], 2, instances=[1])
        >>> standing.costs.shape
        (1, 1, 21)
    """
    (name,) = chosen(name, CONTESTANTS, "contestant")
    tuned = name in _RULES
    if tuned and lr is None:
        raise ValueError(f"Invalid lr: none; {name} needs one for each charge")
    runs = [_arranged(function, variables, instance) for function in functions for instance in instances]
    shape = len(functions), len(instances)
    evaluations, price = budget * variables, 2 * variables

    def held(charge, most):
        if tuned:
            return _walked(name, runs, [lr[charge]], most)
        return [_searched(name, run, most) for run in runs]

    free = held(0, evaluations)
    paid = held(1, evaluations // (1 + price)) if tuned or name in _PLANS else free
    costs, charged = (
        np.reshape([account.costs(each) for account in accounts], (*shape, -1))
        for accounts, each in ((free, 0), (paid, price))
    )
    charged[charged > evaluations] = np.inf
    kept = np.reshape([(account.last <= TARGETS).sum() for account in free], shape)
    return Standing(costs, charged, kept, lr)


def tuned_for_all(
    name: str, functions: Iterable[int | str], variables: int, price: int = 0, *, budget: int = BUDGET
) -> Tuning:
    """The learning rate with which a contestant meets most targets, over functions, on instances that do not count.

    Args:
        name: one of :data:`CONTESTANTS` that has a learning rate.
        functions: of :data:`FUNCTIONS`, instance 6 of each.
        variables: their number d.
        price: what a gradient costs, in evaluations.
        budget: evaluations for each variable.
    """
    runs = [_arranged(function, variables, TUNING_INSTANCE) for function in functions]

    def trial(rates):
        accounts = _walked(name, runs, rates, budget * variables // (1 + price))
        return np.reshape([account.costs(price) for account in accounts], (len(rates), -1))

    return tune(trial, budget * variables, _RATES)


def championship_results(
    done: Iterable[tuple[str, int]] = (), *, dimensions: Sequence[int] = DIMENSIONS,
    functions: Sequence[int | str] = FUNCTIONS, budget: int = BUDGET,
) -> Iterator[dict]:  # fmt: skip
    """Hold the championship: a row of ``championship.json`` at a time.

    Learning rates are tuned on BBOB's functions alone: for the other six they are what they are.

    Args:
        done: (contestant, variables) of rows that need not be made again.
        dimensions: the numbers of variables.
        functions: of :data:`FUNCTIONS`.
        budget: evaluations for each variable.

    Raises:
        MissingExtra: coco-experiment, NLopt or pycma is not installed.

    Example:
        >>> from hilladam.experiments import championship_results
        >>> done = [("Adam", 2), ("Hill-ADAM", 2)]
        >>> row = next(championship_results(done, functions=["Levy"], budget=10))
        >>> row["contestant"], row["variables"], len(row["costs"].split("/"))
        ('AdaptiveHillAdam', 2, 5)
    """
    done, known = set(done), [function for function in functions if function not in SUITE]
    for variables in dimensions:
        for name in CONTESTANTS:
            if (name, variables) in done:
                continue
            row: dict = {"contestant": name, "variables": variables}
            lr = None
            if name in _RULES:
                found = [tuned_for_all(name, known, variables, p, budget=budget) for p in (0, 2 * variables)]
                lr = found[0].lr, found[1].lr
                row["lr"] = list(lr)
                row["tried"] = [{str(rate): count for rate, count in each.successes.items()} for each in found]
            standing = contest(name, functions, variables, lr=lr, budget=budget)
            row["costs"] = _packed(standing.costs)
            if not np.array_equal(standing.costs, standing.charged):
                row["charged"] = _packed(standing.charged)
            yield row | {"kept": " ".join(map(str, standing.kept.flat))}


def _packed(costs: np.ndarray) -> str:
    """Runs between strokes, each with the evaluations from target to target as far as it met them, which saves room."""
    runs = costs.reshape(-1, costs.shape[-1])
    return "/".join(" ".join(str(int(more)) for more in np.diff(run[np.isfinite(run)], prepend=0)) for run in runs)


def _unpacked(text: str) -> np.ndarray:
    runs = [np.cumsum([float(more) for more in run.split()]) for run in text.split("/")]
    costs = np.full((len(runs), len(TARGETS)), np.inf)
    for row, run in zip(costs, runs, strict=True):
        row[: len(run)] = run
    return costs.reshape(len(FUNCTIONS), -1, len(TARGETS))


def standing_of(row: dict) -> Standing:
    """What a row of :func:`championship_results` says."""
    costs = _unpacked(row["costs"])
    charged = _unpacked(row["charged"]) if isinstance(row.get("charged"), str) else costs
    kept = np.array(row["kept"].split(), dtype=int).reshape(costs.shape[:2])
    lr = row.get("lr")
    return Standing(costs, charged, kept, tuple(lr) if isinstance(lr, list) else None)


def stored_championship() -> dict[tuple[str, int], Standing]:
    """What :func:`championship_results` found, which the package stores, by contestant and number of variables.

    ``python -m hilladam championship --dimensions 2 3 5 10 --json championship.json`` makes it anew, and the tests make
    some of it again.

    Example:
        >>> from hilladam.experiments import CONTESTANTS, stored_championship
        >>> all((name, 2) in stored_championship() for name in CONTESTANTS)
        True
    """
    rows = pd.read_json(files("hilladam.experiments") / "championship.json", dtype=False, precise_float=True)
    return {(row["contestant"], row["variables"]): standing_of(row) for row in rows.to_dict("records")}
