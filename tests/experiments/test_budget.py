"""One count for all: what an evaluation is, and where a search is stopped."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from hilladam.experiments import Budget, Spent


def bowl(x):
    return float(x @ x), 2 * x


@pytest.mark.parametrize("ask", ["both", "__call__", "gradient"])
def test_each_place_costs_one_whatever_is_asked_of_it(ask):
    budget = Budget(bowl, 3)
    for k in range(3):
        getattr(budget, ask)(np.array([k, 1.0]))
    assert budget.spent == 3
    with pytest.raises(Spent):
        getattr(budget, ask)(np.array([9.0, 9.0]))
    assert budget.spent == 3


def test_the_gradient_at_the_place_of_the_last_loss_is_free_and_right():
    budget, place = Budget(bowl, 10), np.array([3.0, 4.0])
    assert budget(place) == 25.0
    assert budget.gradient(place).tolist() == [6.0, 8.0] and budget.spent == 1
    place[0] = 1.0  # as some libraries do, which move the array that they gave
    assert budget.gradient(place).tolist() == [2.0, 8.0] and budget.spent == 2


def test_a_gradient_elsewhere_or_once_more_or_after_both_costs():
    budget, here, there = Budget(bowl, 10), np.array([3.0, 4.0]), np.array([1.0, 2.0])
    budget(here)
    assert budget.gradient(there).tolist() == [2.0, 4.0] and budget.spent == 2
    assert budget.gradient(here).tolist() == [6.0, 8.0] and budget.spent == 3
    budget(here)
    for spent in (4, 5):
        assert budget.gradient(here).tolist() == [6.0, 8.0] and budget.spent == spent
    budget.both(here)
    assert budget.gradient(here).tolist() == [6.0, 8.0] and budget.spent == 7


def test_the_best_is_kept_and_is_not_moved_with_the_array_that_was_given():
    budget, place = Budget(bowl, 10), np.array([1.0, 0.0])
    budget(place)
    place[:] = 2.0
    budget(place)
    budget(np.array([0, 1]))
    assert budget.best_loss == 1.0 and budget.best_place.tolist() == [1.0, 0.0]  # of equal ones the first


def test_the_loss_is_asked_at_places_of_float64():
    asked = []
    budget = Budget(lambda x: (asked.append(x.dtype) or 0.0, x), 3)
    for ask in (budget, budget.both, budget.gradient):
        ask(np.array([1, 2], dtype=np.float32))
    assert asked == [np.float64] * 3


def test_what_is_not_finite_is_never_the_best():
    values = iter([math.inf, math.nan, 5.0, math.nan])
    budget = Budget(lambda x: (next(values), x), 10)
    for _ in range(4):
        budget(np.zeros(1))
    assert budget.best_loss == 5.0 and not budget.met


def test_it_is_over_once_a_loss_lies_below_the_target():
    budget = Budget(bowl, 10, target=1.0)
    budget(np.array([1.0]))  # at the target, and not below
    assert not budget.met
    budget(np.array([0.5]))
    assert budget.met and budget.spent == 2
    with pytest.raises(Spent):
        budget(np.array([0.0]))


def test_a_library_is_stopped_in_the_middle():
    budget = Budget(lambda x: (float(100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2), np.array([
        -400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)])), 17)  # fmt: skip
    with pytest.raises(Spent):
        minimize(budget.both, [-1.2, 1.0], jac=True, method="L-BFGS-B")
    assert budget.spent == 17 and budget.best_loss < 24.2
