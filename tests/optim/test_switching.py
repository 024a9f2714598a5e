"""The rule of lines 8–19, on numbers and on tensors."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hilladam.optim import REASONS, decide

NONE, CRITICAL, DEAD_END, FLOOR = range(4)
DOWN, UP = False, True
nan, inf = math.nan, math.inf

# Few values, so that rules meet, beside all others.
numbers = st.sampled_from([0.0, 1.0, 1.00001, -2.0, 5.0, inf, -inf]) | st.floats(allow_nan=False)
losses = numbers | st.just(nan)
cases = st.tuples(losses, st.booleans(), losses, st.floats(0, 10), numbers, numbers)


def same(a, b):
    return a == b or (a != a and b != b)


def test_reasons_are_the_indices():
    assert [REASONS[i] for i in (NONE, CRITICAL, DEAD_END, FLOOR)] == ["none", "critical", "dead_end", "floor"]


@given(st.lists(cases, min_size=1, max_size=20))
def test_tensors_get_the_decisions_of_their_elements(cases):
    dtypes = (torch.float64, torch.bool, *[torch.float64] * 4)
    columns = zip(zip(*cases, strict=True), dtypes, strict=True)
    together = decide(*(torch.tensor(column, dtype=dtype) for column, dtype in columns))
    for index, case in enumerate(cases):
        alone = decide(*case)
        assert together.maximize[index] == alone.maximize
        assert together.reason[index] == alone.reason
        assert same(together.previous_loss[index].item(), alone.previous_loss)


@given(st.lists(losses, min_size=1, max_size=20), st.booleans(), st.floats(0, 10), numbers, numbers)
def test_a_tensor_of_losses_meets_plain_settings(values, maximize, delta, gamma, floor):
    together = decide(torch.tensor(values, dtype=torch.float64), maximize, 1.0, delta, gamma, floor)
    for index, value in enumerate(values):
        alone = decide(value, maximize, 1.0, delta, gamma, floor)
        assert together.maximize[index] == alone.maximize
        assert together.reason[index] == alone.reason
        assert same(together.previous_loss[index].item(), alone.previous_loss)


# With δ = 1, γ = 10 and a floor of −10: the loss, the loss before, the direction before → what is decided.
@pytest.mark.parametrize(
    "loss, previous, before, after, reason, remembered",
    [
        # Rule 1: closer than δ, strictly.
        (5.0, 5.5, DOWN, UP, CRITICAL, nan),
        (5.0, 5.5, UP, DOWN, CRITICAL, nan),
        (5.5, 5.0, DOWN, UP, CRITICAL, nan),
        (5.0, 6.0, DOWN, DOWN, NONE, 5.0),
        (5.0, 4.0, UP, UP, NONE, 5.0),
        (5.0, nan, DOWN, DOWN, NONE, 5.0),
        (5.0, nan, UP, UP, NONE, 5.0),
        # Rule 2: above γ, strictly; it wins over rule 1 and forgets without turning.
        (11.0, 3.0, UP, DOWN, DEAD_END, nan),
        (11.0, 3.0, DOWN, DOWN, NONE, nan),
        (11.0, 11.0, UP, DOWN, DEAD_END, nan),
        (11.0, 11.0, DOWN, DOWN, NONE, nan),
        (10.0, 3.0, UP, UP, NONE, 10.0),
        # Rule 3: below the floor, strictly; likewise.
        (-11.0, 3.0, DOWN, UP, FLOOR, nan),
        (-11.0, 3.0, UP, UP, NONE, nan),
        (-11.0, -11.0, DOWN, UP, FLOOR, nan),
        (-11.0, -11.0, UP, UP, NONE, nan),
        (-10.0, 3.0, DOWN, DOWN, NONE, -10.0),
    ],
)
def test_the_rules_and_their_precedence(loss, previous, before, after, reason, remembered):
    decision = decide(loss, before, previous, 1.0, 10.0, -10.0)
    assert decision.maximize is after
    assert decision.reason == reason
    assert same(decision.previous_loss, remembered)


@pytest.mark.parametrize("loss", [5.0, torch.tensor([5.0])], ids=["number", "tensor"])
def test_the_floor_wins_over_gamma(loss):
    assert decide(loss, DOWN, nan, 0.0, gamma=1.0, floor=10.0)[::2] == (UP, FLOOR)
    assert decide(loss, UP, nan, 0.0, gamma=1.0, floor=10.0)[::2] == (UP, NONE)


@given(losses, st.booleans(), losses, st.floats(0, 10), numbers, numbers)
def test_there_is_a_reason_exactly_where_the_direction_changed(loss, maximize, previous, delta, gamma, floor):
    decision = decide(loss, maximize, previous, delta, gamma, floor)
    assert (decision.reason != NONE) == (decision.maximize != maximize)


@given(st.floats(), st.booleans(), st.floats())
def test_a_delta_of_zero_never_toggles(loss, maximize, previous):
    assert decide(loss, maximize, previous, 0.0).reason == NONE
    assert decide(loss, maximize, loss, 0.0).reason == NONE


@given(losses, st.booleans(), losses, st.floats(0, 10), numbers, numbers)
def test_after_a_switch_the_next_loss_is_compared_with_nothing(loss, maximize, previous, delta, gamma, floor):
    decision = decide(loss, maximize, previous, delta, gamma, floor)
    if decision.reason:
        assert math.isnan(decision.previous_loss)
        assert decide(loss, decision.maximize, decision.previous_loss, 1.0).reason == NONE


@pytest.mark.parametrize("loss", [nan, inf, -inf])
@pytest.mark.parametrize("maximize", [DOWN, UP])
@pytest.mark.parametrize("previous", [nan, 1.0, inf, -inf])
def test_a_loss_that_is_not_finite_decides_nothing_and_is_forgotten(loss, maximize, previous):
    decision = decide(loss, maximize, previous, 1.0, gamma=10.0, floor=-10.0)
    assert decision.maximize is maximize
    assert decision.reason == NONE
    assert math.isnan(decision.previous_loss)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_shapes_and_dtypes_are_kept(shape, dtype):
    loss = torch.full(shape, 5.0, dtype=dtype)
    maximize, previous_loss, reason = decide(loss, torch.zeros(shape, dtype=torch.bool), loss + 3, 1.0, 10.0, -10.0)
    assert maximize.shape == previous_loss.shape == reason.shape == shape
    assert maximize.dtype == torch.bool
    assert previous_loss.dtype == dtype
    assert reason.dtype == torch.int64
