"""The noiseless BBOB functions of COCO, as heights above their minima, by the formulas and code of its authors."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from hilladam._extras import extra

GROUPS = {
    "separable": (1, 2, 3, 4, 5),
    "moderate": (6, 7, 8, 9),
    "ill-conditioned": (10, 11, 12, 13, 14),
    "multimodal": (15, 16, 17, 18, 19),
    "weak structure": (20, 21, 22, 23, 24),
}
"""The 24 functions of BBOB by the five groups of its authors: separable; with low or moderate conditioning; with high
conditioning, and one valley; multimodal with a structure to follow; multimodal with a weak one."""


class Problem(NamedTuple):
    """A function to be minimised, of which nothing but values is known."""

    name: str
    height: Callable[[np.ndarray], float]
    """Takes an array of shape ``(variables,)`` to the height above the global minimum."""
    box: np.ndarray
    """Shape ``(variables, 2)``: where the global minimum lies."""


def bbob(function: int, variables: int, instance: int) -> Problem:
    """One of COCO's noiseless BBOB functions, less its minimum.

    An instance shifts and turns the function, and raises it. COCO tells nobody by how much; its formula does
    (Hansen and others, Real-parameter black-box optimization benchmarking 2009, INRIA RR-6829).

    Args:
        function: 1 to 24.
        variables: 2, 3, 5, 10, 20 or 40.
        instance: 1 or more.

    Raises:
        ValueError: a function or a number of variables that the suite does not have.
        MissingExtra: coco-experiment is not installed.
    """
    with extra("benchmark"):
        import cocoex
    if not 1 <= function <= 24 or variables not in (2, 3, 5, 10, 20, 40):
        raise ValueError(f"Invalid problem: function {function} of {variables} variables; expected one of BBOB's")
    suite = cocoex.Suite("bbob", f"instances: {instance}", f"function_indices: {function} dimensions: {variables}")
    problem, lowest = suite.get_problem(0), minimum(function, instance)

    def height(place, suite=suite):  # whose end would be that of its problems
        return problem(place) - lowest

    return Problem(f"f{function}", height, np.array([[-5.0, 5.0]] * variables))


def minimum(function: int, instance: int) -> float:
    """The lowest value of a BBOB function, in as many variables as may be: a rounded Cauchy number.

    Example:
        >>> from hilladam.experiments._bbob import minimum
        >>> minimum(1, 1)
        79.48
    """
    seed = {4: 3, 18: 17}.get(function, function) + 10_000 * instance
    return min(1000.0, max(-1000.0, math.floor(1e4 * _normal(seed) / _normal(seed + 1) + 0.5) / 100))


def _normal(seed: int) -> float:
    first, second = _uniform(seed, 2)
    return math.sqrt(-2 * math.log(first)) * math.cos(2 * math.pi * second)


def _uniform(seed: int, count: int) -> list[float]:
    """BBOB's own random numbers: Park and Miller's, shuffled as Bays and Durham do."""
    numbers, table = [], [0] * 32
    for place in reversed(range(40)):
        seed = 16807 * seed % 2147483647
        if place < 32:
            table[place] = seed
    drawn = table[0]
    for _ in range(count):
        seed = 16807 * seed % 2147483647
        place = drawn // 67108865
        drawn, table[place] = table[place], seed
        numbers.append(drawn / 2.147483647e9)
    return numbers
