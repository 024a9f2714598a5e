"""What a run is charged, and which targets it met when."""

import numpy as np
import pytest

from hilladam.experiments import TARGETS, Account, Spent


def bowl(place):
    return float(place @ place)


def test_targets_fall_from_a_hundred_by_half_decades():
    assert len(TARGETS) == 21
    np.testing.assert_allclose(TARGETS[[0, 1, 4, 20]], [100, 10**1.5, 1, 1e-8])


def test_an_evaluation_is_one_place_with_its_gradient_or_without():
    account = Account(bowl, 5)
    place = np.array([3.0, -1.0, 2.0])
    account.both(place)
    assert (account.spent, account.gradients) == (1, 1)
    account(place)
    assert (account.spent, account.gradients) == (2, 1)
    account.gradient(place)  # of the height just asked for
    assert (account.spent, account.gradients) == (2, 2)
    account.gradient(place)  # which is paid for once
    assert (account.spent, account.gradients) == (3, 3)
    account.gradient(place + 1)
    assert (account.spent, account.gradients) == (4, 4)
    account(place)
    with pytest.raises(Spent):
        account.both(place)
    assert (account.spent, account.gradients) == (5, 4)


def test_the_gradient_is_a_central_difference():
    calls = []
    account = Account(lambda x: calls.append(x.copy()) or float(np.sin(x).sum()), 9)
    place = np.array([0.3, 500.0])
    _, slopes = account.both(place)
    np.testing.assert_allclose(slopes, np.cos(place), atol=1e-7)
    assert len(calls) == 1 + 2 * len(place)
    np.testing.assert_array_equal(place, [0.3, 500.0])
    np.testing.assert_allclose(Account(bowl, 1).both([3, -1])[1], [6, -2], atol=1e-6)  # whole numbers, too


def test_costs_are_those_of_the_first_place_below_each_target():
    account = Account(bowl, 10)
    for x in (20.0, 9.0, 12.0, 0.9):
        account.both([x])
    account([0.5])
    costs = account.costs(0)
    for target, cost in zip(TARGETS, costs, strict=True):
        below = [k for k, x in enumerate((20.0, 9.0, 12.0, 0.9, 0.5), 1) if x * x <= target]
        assert cost == (below[0] if below else np.inf)
    met = np.isfinite(costs)
    np.testing.assert_array_equal(account.costs(2)[met], costs[met] + 2 * np.minimum(costs[met], 4))
    assert account.last == 0.25 and account.best_place.tolist() == [0.5]


def test_the_search_is_over_at_the_last_target():
    account = Account(bowl, 10)
    account([1e-4])
    assert account.met and account.costs(0).tolist() == [1] * 21
    with pytest.raises(Spent):
        account([1e-5])


def test_what_is_no_number_meets_nothing():
    account = Account(lambda x: float("nan"), 3)
    account([1.0])
    assert not np.isfinite(account.costs(0)).any() and account.best_place is None
