"""On |x| Adam's first overshoot is known exactly, and torch's Adam overshoots by that."""

import math

import pytest
import torch

from hilladam.theory import overshoot_in_steps, overshoot_of_absolute_value


def furthest(starts, lr, betas, steps):
    """How far past 0 torch's Adam goes before it first turns back."""
    x = torch.nn.Parameter(-starts.clone())
    optimizer = torch.optim.Adam([x], lr=lr, betas=betas)
    best, turned = x.detach().clone(), torch.zeros_like(starts, dtype=torch.bool)
    for _ in range(steps):
        optimizer.zero_grad()
        x.abs().sum().backward()
        before = x.detach().clone()
        optimizer.step()
        turned |= x.detach() < before
        best = torch.where(turned, best, x.detach())
    return best


@pytest.mark.parametrize("beta1", [0.0, 0.3, 0.5, 0.9, 0.97])
@pytest.mark.parametrize("beta2", [0.9, 0.999])
@pytest.mark.parametrize("approach", [1, 3, 40])
def test_torch_overshoots_by_the_exact_law(beta1, beta2, approach):
    lr = 0.01
    starts = lr * (approach - torch.linspace(0.01, 0.99, 25, dtype=torch.float64))
    law = overshoot_of_absolute_value(starts.numpy(), lr, beta1)
    assert abs(furthest(starts, lr, (beta1, beta2), approach + 40).numpy() - law).max() < 1e-6 * lr * approach


def test_at_the_default_beta1_it_is_between_2_434_and_3_434_steps():
    past = overshoot_in_steps(0.9)
    assert past == pytest.approx(18 * (1 - 0.9**6) - 6)
    assert round(past, 3) == 2.434
    starts = torch.linspace(1.00003, 1.00997, 50, dtype=torch.float64)
    steps = overshoot_of_absolute_value(starts.numpy(), 0.01, 0.9) / 0.01
    assert (steps > past - 1e-3).all()
    assert (steps < past + 1).all()


def test_no_start_has_no_overshoot():
    assert overshoot_of_absolute_value([], 0.01, 0.9).shape == (0,)


def test_a_longer_approach_carries_further():
    reached = [overshoot_in_steps(0.95, n) for n in (1, 2, 5, 20, 100, math.inf)]
    assert reached == sorted(reached)


def test_the_limit_of_small_steps():
    for n in (100, 1000, 10000):
        memory = -1 / math.log(1 - 1 / n)  # ℓ₁ in units of λ
        assert overshoot_in_steps(1 - 1 / n) / memory == pytest.approx(1 - math.log(2), abs=1 / n)


@pytest.mark.parametrize("beta1", [1.0, -0.1, math.nan])
def test_a_beta_out_of_its_range_is_refused(beta1):
    for call in (overshoot_in_steps, lambda beta1: overshoot_of_absolute_value(1.005, 0.01, beta1)):
        with pytest.raises(ValueError, match=f"Invalid beta1: {beta1}; expected a number in"):
            call(beta1)


@pytest.mark.parametrize("approach", [0, -3, 2.5, math.nan, -math.inf])
def test_an_approach_is_a_number_of_gradients(approach):
    with pytest.raises(ValueError, match=f"Invalid approach: {approach}; expected a whole number >= 1"):
        overshoot_in_steps(0.9, approach)


@pytest.mark.parametrize("lr", [0.0, -0.01, math.nan, math.inf])
def test_a_learning_rate_out_of_its_range_is_refused(lr):
    with pytest.raises(ValueError, match=f"Invalid lr: {lr}; expected a finite number > 0"):
        overshoot_of_absolute_value(1.005, lr, 0.9)


@pytest.mark.parametrize("x0", [0.0, 0.01, -0.07, 0.57, 1.0, 100.0, math.nan, math.inf, [1.005, 0.07]], ids=str)
def test_a_start_from_which_x_lands_on_0_is_refused(x0):
    with pytest.raises(ValueError, match=r"Invalid x0: .*; expected"):
        overshoot_of_absolute_value(x0, 0.01, 0.9)
