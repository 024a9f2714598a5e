"""Random landscapes with noise on every loss and slope, for the compiled walk of ``_compiled_suite.py``."""

from numba import njit

from hilladam.experiments._compiled_rules import evaluate as _evaluate
from hilladam.experiments._compiled_rules import normal
from hilladam.experiments._compiled_suite import NOTHING, walk_over_with

__all__ = ["NOTHING", "evaluate", "walk_over"]


@njit
def evaluate(x, g, loss):
    """The loss at x; its gradient goes into g."""
    landscapes, row, noise, dice = loss
    value = _evaluate(landscapes, row, x, g, dice) + noise * normal(dice)
    for j in range(len(x)):
        g[j] += noise * normal(dice)
    return value


walk_over = walk_over_with(evaluate, "walk_over_noise")
