"""The ground truth is torch's Adam, and the fast form of it is the same to rounding error."""

import itertools

import numpy as np
import pytest
import torch
from scipy.optimize import bisect

from hilladam.losses import DOUBLE_WELL, TABLE_1
from hilladam.theory import Passes, adam_path, first_pass, sweep_path, torch_first_pass, way_out

CASES = {"double well": (DOUBLE_WELL, 2.0), "sixth": (TABLE_1["sixth"], 0.6), "tenth": (TABLE_1["tenth"], 0.8)}


def by_torch(f, x0, lr, betas, steps):
    x = torch.nn.Parameter(torch.tensor([x0], dtype=torch.float64))
    optimizer = torch.optim.Adam([x], lr=lr, betas=betas)
    path = [x0]
    for _ in range(steps):
        optimizer.zero_grad()
        f(x).sum().backward()
        optimizer.step()
        path.append(x.item())
    return np.array(path)


@pytest.mark.parametrize("f, x0", CASES.values(), ids=CASES)
@pytest.mark.parametrize("share", [0.001, 0.03, 0.4])
@pytest.mark.parametrize("beta1", [0.5, 0.9, 0.997])
def test_a_path_is_that_of_torch(f, x0, share, beta1):
    lr = share * way_out(f, x0).length
    ours = adam_path(f, x0, None, lr, (beta1, 0.999), 60)
    theirs = by_torch(f, x0, lr, (beta1, 0.999), 60)
    assert np.abs(ours - theirs).max() < 1e-12


def both_forms(beta2, steps):
    """The verdicts of torch's Adam and of ours on a grid, losses first."""
    ways = [way_out(*case) for case in CASES.values()]
    lrs = np.array([np.geomspace(way.length / 200, way.length / 1.2, 21) for way in ways])
    beta1 = 1 - np.geomspace(0.5, 0.003, 9)
    ours = [
        first_pass(*case, None, lr, (beta1[:, None], beta2), steps=steps)
        for case, lr in zip(CASES.values(), lrs, strict=True)
    ]
    return torch_first_pass(ways, lrs, beta1, beta2, steps=steps), Passes(*map(np.array, zip(*ours, strict=True)))


def test_both_forms_of_the_truth_agree_about_the_first_pass_on_every_cell_of_a_grid():
    """Up to its first turn a run is smooth: rounding moves it by 1e-13 of the way, and no verdict is that close."""
    theirs, ours = both_forms(0.999, 400)
    assert (ours.first == theirs.first).all()
    assert all(0.1 < share < 0.9 for share in ours.first.mean(axis=(1, 2)))


def test_both_forms_agree_about_later_passes_before_rounding_has_grown():
    """Behind its first turn a run may be chaotic; in 60 steps rounding grows to 1e-8, and no verdict is that close."""
    theirs, ours = both_forms(0.9, 60)
    assert (ours.ever == theirs.ever).all()
    assert (ours.undecided == theirs.undecided).all() and theirs.undecided.any()
    assert (ours.ever & ~ours.first).any(axis=(1, 2)).all()  # each loss has a run that crosses later only


@pytest.mark.parametrize("eps", [1e-8, 3.0])
def test_both_forms_change_their_verdict_at_the_same_learning_rate_to_ten_digits(eps):
    def escapes(lr):
        return first_pass(DOUBLE_WELL, 2.0, None, lr, (0.9, 0.999), eps=eps, steps=200).first

    critical = bisect(lambda lr: escapes(lr) - 0.5, 0.05, 2.0, rtol=1e-13)
    lr = critical * np.array([1 - 1e-10, 1 + 1e-10])
    theirs = torch_first_pass([way_out(DOUBLE_WELL, 2.0)], lr[None], [0.9], eps=eps, steps=200)
    assert theirs.first.tolist() == [[[False, True]]] and escapes(lr).tolist() == [False, True]


@pytest.mark.parametrize("f, x0", CASES.values(), ids=CASES)
def test_by_default_the_slowest_have_steps_enough(f, x0):
    setting = f, x0, None, way_out(f, x0).length * np.array([0.05, 0.4]), (0.9, 0.999)
    by_default, longer = first_pass(*setting), first_pass(*setting, steps=1000)
    assert not by_default.undecided.any() and (by_default.first == longer.first).all()


def test_the_first_pass_is_read_off_the_path():
    way = way_out(DOUBLE_WELL, 2.0)
    for lr, steps in itertools.product(np.geomspace(0.05, 0.7, 12), (3, 60)):
        path = way.direction * (adam_path(DOUBLE_WELL, 2.0, None, lr, (0.9, 0.999), steps) - way.x0)
        turns = np.flatnonzero(np.diff(path) < 0)
        crossings = np.flatnonzero(path > way.length)
        expected = len(crossings) > 0 and (len(turns) == 0 or crossings[0] <= turns[0])
        passes = first_pass(DOUBLE_WELL, 2.0, None, lr, (0.9, 0.999), steps=steps)
        assert passes.first == expected
        assert passes.ever == (len(crossings) > 0)
        assert passes.undecided == (len(crossings) == len(turns) == 0)


def test_escape_is_the_same_in_the_mirror():
    mirrored = [1, 0, -2, "-0.3", 1]
    lr, beta1 = np.geomspace(0.01, 1, 8), np.array([[0.5], [0.9], [0.99]])
    here, there = (
        first_pass(f, x0, None, lr, (beta1, 0.999)).first for f, x0 in ((DOUBLE_WELL, 2.0), (mirrored, -2.0))
    )
    assert (here == there).all()


@pytest.mark.parametrize(
    "lr, betas, message",
    [
        (0.0, (0.9, 0.999), "Invalid lr: 0.0"),
        (np.array([0.1, np.nan]), (0.9, 0.999), "Invalid lr: "),
        (0.1, (1.0, 0.999), "Invalid beta parameter at index 0: 1.0"),
        (0.1, (0.9, np.array([0.9, -1.0])), "Invalid beta parameter at index 1"),
        ([], (0.9, 0.999), r"Invalid lr and betas: shape \(0,\); expected at least one setting"),
        (0.1, (0.9, 0.99, 0.999), r"Invalid betas: \(0.9, 0.99, 0.999\); expected two"),
        ([0.1, 0.2], (np.full(3, 0.9), 0.999), r"Invalid lr and betas: shapes .*; expected shapes that broadcast"),
    ],
    ids=str,
)
def test_a_number_out_of_its_range_is_refused(lr, betas, message):
    with pytest.raises(ValueError, match=message):
        first_pass(DOUBLE_WELL, 2.0, None, lr, betas)


SETTING = (DOUBLE_WELL, 2.0, None, 0.1, (0.9, 0.999))


@pytest.mark.parametrize("steps", [0, -5, 2.5, np.nan])
def test_no_verdict_without_a_step(steps):
    with pytest.raises(ValueError, match=f"Invalid steps: {steps}; expected an integer >= 1"):
        first_pass(*SETTING, steps=steps)
    with pytest.raises(ValueError, match=f"Invalid steps: {steps}; expected an integer >= 1"):
        torch_first_pass([way_out(DOUBLE_WELL, 2.0)], [[0.1]], [0.9], steps=steps)


@pytest.mark.parametrize("eps", [-1e-8, np.nan, np.inf])
def test_epsilon_is_not_negative(eps):
    with pytest.raises(ValueError, match=f"Invalid eps: {eps}; expected a finite number >= 0"):
        first_pass(*SETTING, eps=eps)
    with pytest.raises(ValueError, match=f"Invalid eps: {eps}; expected a finite number >= 0"):
        torch_first_pass([way_out(DOUBLE_WELL, 2.0)], [[0.1]], [0.9], eps=eps)


@pytest.mark.parametrize("path", [adam_path, sweep_path])
def test_a_path_is_of_one_setting_and_may_be_the_start_alone(path):
    assert (path(*SETTING, 0) == 2.0).all()
    with pytest.raises(ValueError, match="Invalid steps: -1; expected an integer >= 0"):
        path(*SETTING, -1)
    with pytest.raises(ValueError, match=r"Invalid lr and betas: shape \(2,\); expected single numbers"):
        path(*SETTING[:3], [0.1, 0.2], (0.9, 0.999), 3)
    with pytest.raises(ValueError, match="Invalid eps: -1; expected a finite number >= 0"):
        path(*SETTING, 3, eps=-1)
    with pytest.raises(ValueError, match=r"Invalid barrier: 0\.5; the loss still rises there"):
        path(DOUBLE_WELL, 2.0, 0.5, 0.1, (0.9, 0.999), 3)
    assert (path(*SETTING, 30) == path(*SETTING, 30, eps=1e-8)).all()


@pytest.mark.parametrize(
    "lr, beta1, message",
    [
        ([0.1], [0.9], r"Invalid lr: shape \(1,\); expected \(losses, lambdas\), with 1 losses"),
        ([[0.1], [0.2]], [0.9], r"Invalid lr: shape \(2, 1\)"),
        ([[-0.1]], [0.9], "Invalid lr: .* > 0"),
        ([[0.1]], 0.9, r"Invalid beta1: shape \(\)"),
        ([[0.1]], [1.0], "Invalid beta parameter at index 0"),
    ],
)
def test_torchs_form_takes_a_grid(lr, beta1, message):
    with pytest.raises(ValueError, match=message):
        torch_first_pass([way_out(DOUBLE_WELL, 2.0)], lr, beta1)


def test_a_run_that_comes_back_has_crossed_once_and_for_all():
    setting = DOUBLE_WELL, 2.0, None, 1.5, (0.9, 0.999)
    path = adam_path(*setting, 12)
    top = way_out(DOUBLE_WELL, 2.0).barrier
    assert path[10] < top < path[12]
    assert first_pass(*setting, steps=12).ever


def test_a_given_barrier_may_lie_beyond_the_usual_reach():
    passes = first_pass(lambda x: torch.cos(x / 10), 1.0, 20 * np.pi, 5.0, (0.9, 0.999))
    assert not passes.first and not passes.ever  # it starts below the top


def test_shapes_that_do_not_broadcast_are_named():
    with pytest.raises(ValueError, match=r"Invalid lr and betas: shapes \[\(2,\), \(3,\), \(\)\]; expected"):
        first_pass(DOUBLE_WELL, 2.0, None, [0.1, 0.2], ([0.9, 0.8, 0.7], 0.999))
