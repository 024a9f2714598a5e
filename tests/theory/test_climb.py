"""One climb without δ tells the outcome for every δ."""

import numpy as np
import pytest
import torch

from hilladam.losses import DOUBLE_WELL, TABLE_1, Polynomial
from hilladam.optim import ReferenceHillAdam
from hilladam.theory import climb, hill

CASES = {
    "double well": (DOUBLE_WELL, hill(DOUBLE_WELL, 0.96, 0.0754), 0.03),
    "sixth": (TABLE_1["sixth"], hill(TABLE_1["sixth"], -0.151, -0.6995), 0.02),
    "tenth": (TABLE_1["tenth"], hill(TABLE_1["tenth"], 3.0985, 3.4562), 0.01),
}


@pytest.mark.parametrize("f, hill, lr", CASES.values(), ids=CASES)
@pytest.mark.parametrize("distance", [0.1, 0.7, 1.9])
def test_the_outcome_over_delta_is_that_of_two_hundred_climbs_of_the_reference(f, hill, lr, distance):
    start = hill.minimum + distance * lr * np.sign(hill.top - hill.minimum)
    # 200 δ between two record lows each, so that no rounding decides.
    up = climb(f, start, hill.top, lr)
    assert up.change.shape == up.x.shape == (1001,)
    records = np.unique(up.lowest[np.isfinite(up.lowest)])
    records = records[records > 1e-9 * hill.height]
    middles = np.sqrt(records[1:] * records[:-1])
    delta = np.resize(middles, 200) * np.random.default_rng(0).uniform(0.999, 1.001, 200)
    near = np.abs(np.log(delta[:, None] / records)).min(axis=1) < 1e-9
    delta[near] *= 1.0001

    x = torch.full((200, 1), start, dtype=torch.float64)
    brute = ReferenceHillAdam([x], lr, delta=torch.tensor(delta), gamma=float("inf"))
    brute.maximize[:] = True
    steps, crossed = np.full(200, -1), np.zeros(200, bool)
    for step in range(1000):
        here = x[:, 0].numpy().copy()
        loss = f(x[:, 0])
        # A turn forgets: the loss at the start is not remembered.
        brute.step(loss if step else torch.full_like(loss, torch.nan), [f.derivative(x)])
        ends = ~brute.maximize.numpy() & (steps < 0)
        steps[ends], crossed[ends] = step, ((here - hill.top) * (start - hill.top) < 0)[ends]
    assert (steps > 0).all()
    np.testing.assert_array_equal(up.ends(delta), steps)
    np.testing.assert_array_equal(up.crosses(delta), crossed)
    assert 0 < crossed.sum() < 200


def test_the_largest_delta_is_the_edge_of_what_crosses():
    f, hill, _ = CASES["double well"]
    lr = np.array([0.005, 0.02, 0.03, 0.1])
    up = climb(f, hill.minimum - np.array([[0.1], [0.8]]) * lr, hill.top, lr, steps=1000)
    edge = up.largest_delta
    assert edge.shape == (2, 4)
    assert (edge[:, 0] < 1e-10).all()  # K < ¼ creeps; it crosses only when the average has forgotten the slope
    assert (edge[:, 1:] > 1e-4).all()
    for factor, crosses in ((1.0, True), (1 + 1e-9, False)):
        for row, column in np.ndindex(2, 3):
            assert up.crosses(edge[row, column + 1] * factor)[row, column + 1] == crosses
    assert not up.crosses(np.geomspace(1.001, 1e6, 50) * edge.max()).any()


def test_where_nothing_ends_the_climb_it_says_so():
    up = climb(DOUBLE_WELL, 0.9, 0.0754, 0.03, steps=20)
    assert up.ends([0.0, 1e-12, 1e3]).tolist() == [-1, -1, 2]
    assert up.crosses([0.0, 1e-12, 1e3]).tolist() == [False] * 3


def test_the_first_two_losses_are_not_judged():
    up = climb(DOUBLE_WELL, 0.9, 0.0754, 0.03, steps=5)
    assert np.isinf(up.change[:2]).all()
    loss = DOUBLE_WELL(up.x)
    np.testing.assert_array_equal(up.change[2:], np.abs(loss[2:] - loss[1:-1]))


def test_epsilon_and_betas_are_adams():
    hill = Polynomial("hill", (-1, 0, 0))
    up = climb(hill, -1e-8, 0.0, 0.1, betas=(0.0, 0.0), eps=2e-8, steps=1)
    assert up.x[1] == pytest.approx(-1e-8 + 0.05)  # half a step, where the slope is as large as ε


@pytest.mark.parametrize(
    "setting, message",
    [
        ({"x0": [0.5, 1.5]}, "Invalid x0: .*; expected places from which the loss rises towards top = 0.0754"),
        ({"x0": np.nan}, "Invalid x0: nan; expected a finite number"),
        ({"top": np.inf}, "Invalid top: inf; expected a finite number"),
        ({"lr": 0.0}, "Invalid lr: 0.0; expected a finite number > 0"),
        ({"eps": -1.0}, "Invalid eps: -1.0; expected a finite number >= 0"),
        ({"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0: 1.0"),
        ({"steps": 0}, "Invalid steps: 0; expected an integer >= 1"),
    ],
    ids=str,
)
def test_numbers_out_of_their_range_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        climb(DOUBLE_WELL, **{"x0": 0.9, "top": 0.0754, "lr": 0.03} | setting)


def test_a_climb_cannot_begin_where_the_slope_is_zero():
    with pytest.raises(ValueError, match=r"Invalid x0: 0.0; expected places from which the loss rises towards top"):
        climb(Polynomial("x²", (1, 0, 0)), 0.0, 1.0, 0.1)


def test_a_delta_out_of_its_range_is_refused():
    up = climb(DOUBLE_WELL, 0.9, 0.0754, 0.03, steps=5)
    for ask in (up.ends, up.crosses):
        with pytest.raises(ValueError, match=r"Invalid delta: .*; expected finite numbers >= 0"):
            ask([1e-4, -1.0])
