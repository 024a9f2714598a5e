"""Gradients to a target, with and without restarts."""

import math

import numpy as np
import pytest

from hilladam.experiments import Record, gradients_to, restarted


def run(*losses):
    columns = np.array(losses, dtype=float).T
    return Record(columns, columns, columns, columns, *[columns[-1]] * 4)


def test_gradients_are_counted_to_the_first_loss_below_the_target():
    record = run([3, 2, 1, 0, 1], [3, 3, 3, 3, 3], [0, 3, 3, 3, 3], [3, 1, 3, 0, 3])
    assert gradients_to(record, 1.0).tolist() == [4, math.inf, 1, 4]  # strictly below


def test_a_run_is_given_up_when_its_loss_stands_still():
    stuck = [5, 4, 4, 0, 0]  # three losses tell; the 0 after that is never seen
    found = [9, 7, 0, 0, 0]
    assert restarted(run(stuck, found), 1.0, 0.5, 1).tolist() == [3 + 3]
    assert restarted(run(found, stuck), 1.0, 0.5, 1).tolist() == [3]
    assert restarted(run(stuck, stuck), 1.0, 0.5, 1).tolist() == [math.inf]
    assert restarted(run(stuck, found), 1.0, 0.5, 2).tolist() == [math.inf, 3]


def test_a_run_that_never_stands_still_is_spent_in_full():
    falling = [9, 8, 7, 6, 5]
    assert restarted(run(falling, [5, 0, 0, 0, 0]), 1.0, 0.5, 1).tolist() == [5 + 2]


@pytest.mark.parametrize("chains", [0, 2, 4])
def test_chains_that_do_not_divide_the_members_are_refused(chains):
    with pytest.raises(ValueError, match=f"Invalid chains: {chains}; expected a divisor of the 3 members"):
        restarted(run([1, 2], [1, 2], [1, 2]), 1.0, 0.5, chains)
