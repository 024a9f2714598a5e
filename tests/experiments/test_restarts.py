"""Gradients to a target, with and without restarts."""

import math

import numpy as np
import pytest
import torch

from hilladam.experiments import Points, Record, RestartedAdam, gradients_to, restarted, train
from hilladam.losses import DOUBLE_WELL


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


def test_what_the_last_gradient_of_a_run_finds_counts():
    late = [9, 1.2, 0.9]  # below 1 where it first stands still, which is also where the run is given up
    assert restarted(run(late), 1.0, 0.5, 1).tolist() == [3]
    assert restarted(run([5, 4, 4], late), 1.0, 0.5, 1).tolist() == [3 + 3]
    end = [9, 7, 0]  # or where it ends
    assert restarted(run(end), 1.0, 0.5, 1).tolist() == [3]


def test_a_run_that_never_stands_still_is_spent_in_full():
    falling = [9, 8, 7, 6, 5]
    assert restarted(run(falling, [5, 0, 0, 0, 0]), 1.0, 0.5, 1).tolist() == [5 + 2]


def test_a_loss_that_changes_by_delta_does_not_stand_still():
    falling = [9, 8.5, 8, 4, 0]
    assert restarted(run(falling), 1.0, 0.5, 1).tolist() == [5]
    assert restarted(run(falling), 1.0, 0.51, 1).tolist() == [math.inf]
    assert restarted(run([5, 5, 5, 5, 0]), 1.0, 0.0, 1).tolist() == [5]  # with a δ of 0 nothing does


@pytest.mark.parametrize("chains", [0, 2, 4])
def test_chains_that_do_not_divide_the_members_are_refused(chains):
    with pytest.raises(ValueError, match=f"Invalid chains: {chains}; expected a divisor of the 3 members"):
        restarted(run([1, 2], [1, 2], [1, 2]), 1.0, 0.5, chains)


def restarting(starts, draw, delta=1e-4, lr=0.05):
    model = Points(torch.tensor(starts, dtype=torch.float64))
    return train(model, DOUBLE_WELL, RestartedAdam(model.parameters, lr, draw, delta=delta), 300)


def test_without_a_trigger_it_is_adam():
    model = Points(torch.tensor([2.0, -0.5], dtype=torch.float64))
    adam = train(model, DOUBLE_WELL, torch.optim.Adam(model.parameters, 0.05), 300)
    ours = restarting([2.0, -0.5], None, delta=0.0)
    np.testing.assert_allclose(ours.states, adam.states, rtol=1e-10, atol=1e-12)


def test_each_restart_is_adam_from_the_new_start_and_costs_no_evaluation():
    record = restarting([2.0, 0.9], lambda k: torch.full((len(k),), -0.5, dtype=torch.float64))
    for member in (0, 1):
        run = record.member(member)
        first, second = run.switches[:2]
        assert abs(run.losses[first] - run.losses[first - 1]) < 1e-4
        assert (np.abs(np.diff(run.losses[:first])) >= 1e-4).all()
        assert run.states[first + 1] == -0.5
        alone = restarting([-0.5], None, delta=0.0).member(0)
        length = second - first
        np.testing.assert_allclose(run.states[first + 1 : second + 1], alone.states[:length], rtol=1e-10, atol=1e-12)


def test_members_restart_by_themselves_and_divergence_is_a_reason():
    model = Points(torch.tensor([1.0, float("inf")], dtype=torch.float64))
    adam = RestartedAdam(model.parameters, 0.01, lambda k: torch.full((len(k),), 0.3, dtype=torch.float64))
    record = train(model, DOUBLE_WELL, adam, 20)
    assert record.states[1, 1] == 0.3 and np.isfinite(record.states[1:, 1]).all()
    assert not record.reasons[0, 0] and record.reasons[0, 1]
    assert record.best_losses[1] < DOUBLE_WELL(0.3)


@pytest.mark.parametrize("delta", [-1.0, float("inf"), float("nan")])
def test_the_trigger_is_a_number(delta):
    with pytest.raises(ValueError, match="Invalid delta"):
        RestartedAdam([torch.zeros(2)], 0.1, None, delta=delta)


def test_one_tensor_is_restarted():
    with pytest.raises(ValueError, match="Invalid params: 2 tensors; expected one"):
        RestartedAdam([torch.zeros(2), torch.zeros(2)], 0.1, None)


@pytest.mark.parametrize("target", [1.0, -math.inf, math.inf])
def test_gradients_need_a_history(target):
    model = Points(torch.zeros(3))
    record = train(model, DOUBLE_WELL, torch.optim.Adam(model.parameters, 0.1), 5, history=False)
    with pytest.raises(ValueError, match="Invalid run: it has no history"):
        gradients_to(record, target)
    with pytest.raises(ValueError, match="Invalid run: it has no history"):
        restarted(record, target, 0.1, 1)


def test_numbers_that_are_none_are_refused():
    record = run([1, 2], [1, 2])
    with pytest.raises(ValueError, match="Invalid target: nan; expected a number"):
        gradients_to(record, math.nan)
    for delta in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"Invalid delta: {delta}; expected a finite number >= 0"):
            restarted(record, 1.0, delta, 1)
    with pytest.raises(ValueError, match="Invalid run: of one member; expected an ensemble"):
        restarted(record.member(0), 1.0, 0.1, 1)


def test_a_chain_that_runs_dry_before_its_budget_is_told():
    stuck, found = [5, 4, 4, 0, 0], [9, 7, 0, 0, 0]
    assert restarted(run(stuck, found), 1.0, 0.5, 1, budget=100).tolist() == [3 + 3]  # it needs no more
    with pytest.raises(ValueError, match="Invalid budget: 7; 1 of 2 chains ran out of runs before; give more"):
        restarted(run(stuck, stuck, stuck, found), 1.0, 0.5, 2, budget=7)
    assert restarted(run(stuck, stuck, stuck, found), 1.0, 0.5, 2, budget=6).tolist() == [math.inf, 6]
    assert restarted(run(stuck, found), 1.0, 0.5, 1, budget=5).tolist() == [math.inf]  # found with the sixth


def test_each_member_gets_its_own_new_start():
    model = Points(torch.tensor([1.0, float("inf"), 1.0, float("inf")], dtype=torch.float64))
    places = torch.tensor([0.0, 0.1, 0.2, 0.3], dtype=torch.float64)
    record = train(model, DOUBLE_WELL, RestartedAdam(model.parameters, 0.01, lambda k: places[k]), 2)
    assert record.states[1, [1, 3]].tolist() == [0.1, 0.3]
