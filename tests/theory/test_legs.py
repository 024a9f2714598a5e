"""Runs taken leg by leg are Hill-ADAM's runs, turn for turn."""

import math

import numpy as np
import pytest
import torch

from hilladam.experiments import run_points
from hilladam.losses import DOUBLE_WELL, SINE_WAVE, TABLE_1, Polynomial
from hilladam.optim import ReferenceHillAdam
from hilladam.theory import leg, turns

COUNT, STEPS = 5, 900
CASES = {
    "double well": (DOUBLE_WELL, 0.5, 2.0, 0.03, 1e-4),
    "sixth": (TABLE_1["sixth"], -0.6, 0.6, 0.01, 1e-4),
    "eighth": (TABLE_1["eighth"], 0.3, 3.6, 0.005, 1e-3),
    "tenth": (TABLE_1["tenth"], 0.8, 5.2, 0.02, 1e-4),
}


def reference(f, start, lr, delta, gamma):
    """Position and step of the first turns of each run, by Algorithm 1 line by line."""
    x = torch.tensor(start[:, None])
    run = ReferenceHillAdam([x], lr, delta=delta, gamma=gamma)
    found = [[] for _ in start]
    for step in range(STEPS):
        here = x[:, 0].tolist()
        run.step(f(x[:, 0]), [f.derivative(x)])
        for member in run.reason.nonzero()[:, 0].tolist():
            found[member].append((here[member], step, run.reason[member].item() == 2))
    return found


@pytest.mark.parametrize("gamma", [200.0, math.inf])
@pytest.mark.parametrize("f, low, high, lr, delta", CASES.values(), ids=CASES)
def test_legs_are_the_references_turn_for_turn(f, low, high, lr, delta, gamma):
    start = np.linspace(low, high, 90)  # 720 runs in all
    there, here = reference(f, start, lr, delta, gamma), turns(f, start, lr, delta, gamma, count=COUNT, steps=STEPS)
    at = here.steps.cumsum(axis=0)
    compared = 0
    for member, seen in enumerate(there):
        within = np.flatnonzero(~np.isnan(here.x[:, member]) & (at[:, member] < STEPS))
        assert len(seen[:COUNT]) == len(within)
        for index, (x, step, dead_end) in zip(within, seen, strict=False):
            assert here.x[index, member] == pytest.approx(x, abs=1e-6)
            assert (at[index, member], here.dead_end[index, member]) == (step, dead_end)
        compared += len(within)
    assert compared >= 90


def test_legs_are_the_compiled_engines_turn_for_turn():
    start = np.linspace(0.5, 2, 600)
    record = run_points(DOUBLE_WELL, start, STEPS, lr=0.03, delta=1e-4, gamma=1.2)
    here = turns(DOUBLE_WELL, start, 0.03, 1e-4, 1.2, count=COUNT)
    at = here.steps.cumsum(axis=0)
    for member in range(600):
        steps = record.member(member).switches[:COUNT]
        assert at[: len(steps), member].tolist() == list(steps)
        np.testing.assert_allclose(here.x[: len(steps), member], record.states[list(steps), member], atol=1e-7)


def test_two_runs_that_share_a_turn_share_all_that_follow():
    long = turns(DOUBLE_WELL, [0.9, 1.7], 0.03, gamma=200.0, count=7).x
    short = np.stack([leg(DOUBLE_WELL, long[index], index % 2 == 0, 0.03, gamma=200.0).x for index in range(6)])
    np.testing.assert_array_equal(short, long[1:])


def test_above_gamma_a_descent_goes_on_and_forgets():
    """With steps so large that a descent may rise above γ, and δ so large that it matters what is remembered."""
    random = np.random.default_rng(0)
    start, lr, delta, gamma = (random.uniform(low, high, 600) for low, high in ((1, 3), (0.3, 4), (0.1, 20), (0.6, 20)))
    x = torch.tensor(start[:, None])
    run = ReferenceHillAdam([x], torch.tensor(lr), delta=torch.tensor(delta), gamma=torch.tensor(gamma))
    first, place = np.zeros(600, int), np.full(600, np.nan)
    for step in range(60):
        here = x[:, 0].numpy().copy()
        run.step(DOUBLE_WELL(x[:, 0]), [DOUBLE_WELL.derivative(x)])
        turned = (run.reason > 0).numpy() & np.isnan(place)
        first[turned], place[turned] = step, here[turned]
    down = leg(DOUBLE_WELL, start, False, lr, delta, gamma, first=True, steps=59)
    np.testing.assert_array_equal(down.steps, first)
    np.testing.assert_allclose(down.x, place, atol=1e-9)
    assert not down.dead_end.any()


@pytest.mark.own_rounding  # of exact numbers
def test_what_is_exactly_at_gamma_or_delta_is_not_beyond_it():
    """With β = 0 and ε = 0 steps are of λ, and on x² all numbers are exact."""

    def steps(x, maximize, **settings):
        return int(
            leg(Polynomial("x²", (1, 0, 0)), x, maximize, 0.5, betas=(0.0, 0.0), eps=0.0, steps=3, **settings).steps
        )

    assert steps(1.0, True, delta=0.0, gamma=2.25) == 2  # the loss is 2.25, and 4
    assert steps(1.0, True, delta=0.0, gamma=2.24) == 1
    assert steps(1.0, True, delta=1.75) == 0  # and changes by 1.75, and more
    assert steps(1.0, True, delta=1.76) == 2
    assert steps(2.0, False, delta=2.0, gamma=4.0, first=True) == 1
    assert steps(2.0, False, delta=2.0, gamma=3.9, first=True) == 2  # a loss above γ is not remembered


def test_a_leg_that_does_not_turn_says_so():
    none = turns(DOUBLE_WELL, [0.9, 1.0], 0.03, 0.0, count=3, steps=50)
    assert np.isnan(none.x).all()
    assert (none.steps == 0).all()
    few = [leg(DOUBLE_WELL, [0.9], True, 0.03, 1e9, steps=steps) for steps in (1, 2)]
    assert [found.steps.item() for found in few] == [0, 2]
    for found in (none, *few):
        assert found.steps.dtype == np.int64 and found.dead_end.dtype == bool
    assert leg(DOUBLE_WELL, 0.97, True, 0.03, gamma=np.inf, steps=100).steps == 0


def test_a_loss_that_is_not_finite_turns_nothing():
    """As the optimizer has it; a dead end is a finite loss above γ."""
    up = leg(lambda x: torch.where(x > 1, math.inf, x), 0.0, True, 0.3, 0.0, gamma=5.0, steps=20)
    assert np.isnan(up.x) and not up.dead_end


def test_any_loss_will_do():
    assert turns(SINE_WAVE, 3.9, 0.01, count=1).x[0] == pytest.approx(3.483, abs=0.05)


@pytest.mark.parametrize(
    "setting, message",
    [
        ({"x": np.nan}, "Invalid x: nan; expected a finite number"),
        ({"lr": -1.0}, "Invalid lr: -1.0; expected a finite number > 0"),
        ({"delta": -1.0}, "Invalid delta: -1.0; expected a finite number >= 0"),
        ({"gamma": np.nan}, "Invalid gamma: nan; expected numbers"),
        ({"eps": -1.0}, "Invalid eps: -1.0; expected a finite number >= 0"),
        ({"betas": (0.9, 1.0)}, "Invalid beta parameter at index 1: 1.0"),
        ({"steps": 0}, "Invalid steps: 0; expected an integer >= 1"),
    ],
    ids=str,
)
def test_numbers_out_of_their_range_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        leg(DOUBLE_WELL, **{"x": 0.9, "maximize": True, "lr": 0.03} | setting)


def test_turns_need_a_count():
    with pytest.raises(ValueError, match="Invalid count: 0; expected an integer >= 1"):
        turns(DOUBLE_WELL, 0.9, 0.03, count=0)
