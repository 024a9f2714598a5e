"""The arithmetic of the enclosure, against exact rational numbers."""

from fractions import Fraction

import numpy as np
import pytest

from hilladam.theory._enclosure import _Cells

OPERATIONS = {
    "cells + cells": lambda x, y, k: x + y,
    "cells + a number": lambda x, y, k: x + k,
    "a number + cells": lambda x, y, k: k + x,
    "cells × cells": lambda x, y, k: x * y,
    "cells × a number": lambda x, y, k: x * k,
    "a number × cells": lambda x, y, k: k * x,
    "−cells": lambda x, y, k: -x,
}
PLACES = [Fraction(-1), Fraction(-1, 3), Fraction(0), Fraction(1)]


def cells(random, parts="car"):
    """Sixteen of them, around numbers from −2 to 2. What is of one part has no error that hides behind another's."""
    c, a, r = random.uniform(-2, 2, (3, 16)) * np.array([[1], [0.1], [0.01]])
    return _Cells(c * ("c" in parts), a * ("a" in parts), abs(r) * ("r" in parts))


def held(x, place):
    """The ends of what each cell of ``x`` may be at a place within it, and the middle, exactly."""
    parts = (map(Fraction, part.tolist()) for part in (x.c, x.a, x.r))
    return [(c + a * place - r, c + a * place, c + a * place + r) for c, a, r in zip(*parts, strict=True)]


def use(found, results, place):
    """How far the results are from the middle of what ``found`` holds, where 1 is its edge."""
    inside = held(found, place)
    return np.array([
        float(max(abs(result - middle) for result in some) / (high - middle))
        for some, (_, middle, high) in zip(results, inside, strict=True)
    ])  # fmt: skip


@pytest.mark.parametrize("parts", ["car", "c", "a", "r"])
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_cells_hold_every_exact_result_and_little_else(operation, parts):
    random = np.random.default_rng(1)
    one, other, number = cells(random, parts), cells(random, parts), -0.7
    found, farthest = operation(one, other, number), []
    for place in PLACES:
        both = zip(held(one, place), held(other, place), strict=True)
        results = [[operation(x, y, Fraction(number)) for x in some for y in others] for some, others in both]
        farthest.append(use(found, results, place))
    assert np.max(farthest) <= 1
    if parts == "car":
        assert np.max(farthest, axis=0).min() > 0.8


@pytest.mark.parametrize("parts", ["car", "ca", "cr", "c"])
@pytest.mark.parametrize("name, power", [("root", 0.5), ("inverse", -1)])
def test_a_root_and_an_inverse_hold_every_result_and_little_else(name, power, parts):
    given, farthest = 0.001 * cells(np.random.default_rng(1), parts) + np.linspace(0.2, 2, 16), []
    found = getattr(given, name)()
    for place in PLACES:
        results = [[Fraction(float(x) ** power) for x in some] for some in held(given, place)]  # to a rounding or two
        farthest.append(use(found, results, place))
    assert np.max(farthest) <= 1
    if parts != "c":
        assert np.max(farthest, axis=0).min() > 0.98


@pytest.mark.parametrize("name", ["root", "inverse"])
def test_what_may_be_zero_has_no_bounds(name):
    with np.errstate(divide="ignore"):
        assert np.isinf(getattr(_Cells(0.1, 0.2), name)().r)
