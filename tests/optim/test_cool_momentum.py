"""CoolMomentum: three ways from one momentum down to none, and the heat that goes with them."""

import math
import re

import numpy as np
import pytest
import torch
from torch import nn

from hilladam.losses import DOUBLE_WELL
from hilladam.optim._cool_momentum import COOLING_SCHEDULES, CoolMomentum, cooling

inf, nan = math.inf, math.nan
STEPS = 50

# The schedules --------------------------------------------------------------------------------------------------------


def path(schedule, momentum, steps=STEPS):
    return np.array([cooling(schedule, t, steps, momentum) for t in range(steps + 1)])


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 0.99, 0.999999])
@pytest.mark.parametrize("schedule", COOLING_SCHEDULES)
def test_it_falls_from_the_momentum_given_to_zero_and_stays_there(schedule, momentum):
    rho = path(schedule, momentum)
    assert rho[0] == pytest.approx(momentum, rel=1e-12)
    assert rho[-1] == 0.0
    assert (np.diff(rho) < 0).all() or momentum == 0.0
    assert [cooling(schedule, t, STEPS, momentum) for t in (STEPS + 1, 10 * STEPS, inf)] == [0.0] * 3


@pytest.mark.parametrize(
    "schedule, quantity, fall",
    [
        ("geometric_memory", lambda rho: 1 / (1 - rho), lambda q: q[1:] / q[:-1]),
        ("geometric_temperature", lambda rho: (1 + rho) / (1 - rho), lambda q: q[1:] / q[:-1]),
        ("linear", lambda rho: 1 / (1 - rho), np.diff),
        ("linear", lambda rho: (1 + rho) / (1 - rho), np.diff),
        ("linear", lambda rho: rho / (1 - rho), np.diff),
    ],
)
def test_what_falls_evenly(schedule, quantity, fall):
    falls = fall(quantity(path(schedule, 0.99)))
    np.testing.assert_allclose(falls, falls[0], rtol=1e-9)
    assert falls[0] < 1


@pytest.mark.parametrize("rho_0", [0.5, 0.99])
def test_they_are_the_formulas_of_the_authors(rho_0):
    t = np.arange(STEPS + 1)
    alpha = (1 - rho_0) ** (1 / STEPS)
    np.testing.assert_allclose(path("geometric_memory", rho_0), 1 - (1 - rho_0) / alpha**t, atol=1e-12)
    c = (1 - rho_0) / (1 + rho_0)
    q = c * (c ** (1 / STEPS)) ** -t
    np.testing.assert_allclose(path("geometric_temperature", rho_0), (1 - q) / (1 + q), atol=1e-12)
    linear = rho_0 * (1 - t / STEPS) / abs(1 - rho_0 * t / STEPS)
    np.testing.assert_allclose(path("linear", rho_0), linear, atol=1e-12)


@pytest.mark.parametrize("schedule", COOLING_SCHEDULES)
def test_without_an_end_nothing_cools(schedule):
    assert {cooling(schedule, t, inf, 0.99) for t in (0, 1, 10**9, inf)} == {0.99}


# The update -----------------------------------------------------------------------------------------------------------


def twins(dtype=torch.float64):
    torch.manual_seed(0)
    ours = [nn.Parameter(torch.randn(shape, dtype=dtype)) for shape in [(3,), (), (2, 4)]]
    return ours, [nn.Parameter(x.detach().clone()) for x in ours]


def same_gradients(ours, theirs):
    for x, y in zip(ours, theirs, strict=True):
        x.grad = torch.randn_like(x)
        y.grad = x.grad.clone()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex128], ids=str)
@pytest.mark.parametrize("schedule", COOLING_SCHEDULES)
def test_when_nothing_cools_it_is_momentum(schedule, dtype):
    ours, theirs = twins(dtype)
    cool = CoolMomentum(ours, 0.1, 0.9, schedule=schedule, cooling_steps=inf)
    plain = torch.optim.SGD(theirs, lr=0.1 * (1 + 0.9) / 2, momentum=0.9)
    for _ in range(100):
        same_gradients(ours, theirs)
        cool.step()
        plain.step()
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("schedule", COOLING_SCHEDULES)
def test_when_all_has_cooled_it_is_gradient_descent_at_half_the_learning_rate(schedule):
    ours, theirs = twins()
    cool = CoolMomentum(ours, 0.1, 0.9, schedule=schedule, cooling_steps=5)
    plain = torch.optim.SGD(theirs, lr=0.1 / 2)
    for step in range(20):
        same_gradients(ours, theirs)
        if step == 5:
            plain.param_groups[0]["params"] = theirs = [nn.Parameter(x.detach().clone()) for x in ours]
            for x, y in zip(ours, theirs, strict=True):
                y.grad = x.grad.clone()
        cool.step()
        plain.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("schedule", COOLING_SCHEDULES)
def test_on_the_way_it_is_verlet_with_growing_friction(schedule):
    # m (x₊ − 2x + x₋) / h² = −f′(x) − m γ (x₊ − x₋) / 2h, solved for x₊.
    mass, h = 2.0, 0.3
    x = nn.Parameter(torch.tensor([1.7], dtype=torch.float64))
    optimizer = CoolMomentum([x], lr=h**2 / mass, momentum=0.95, schedule=schedule, cooling_steps=40)
    before = now = x.item()
    for t in range(60):
        x.grad = torch.tensor([0.4 * now + math.sin(now)], dtype=torch.float64)
        optimizer.step()
        rho = cooling(schedule, t, 40, 0.95)
        gamma = 2 / h * (1 - rho) / (1 + rho)
        force = -x.grad.item()
        after = (force + mass * (2 * now - before) / h**2 + mass * gamma * before / (2 * h)) / (
            mass / h**2 + mass * gamma / (2 * h)
        )
        assert x.item() == pytest.approx(after, abs=1e-12)
        before, now = now, x.item()


def test_on_a_loss_without_noise_the_cooling_only_stops_it():
    x = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    optimizer = CoolMomentum([x], 0.01, cooling_steps=1000)
    temperatures = []
    for _ in range(2000):
        optimizer.zero_grad()
        optimizer.step(lambda: DOUBLE_WELL(x).sum().backward())
        temperatures.append(optimizer.temperature)
    assert max(temperatures[:500]) > 1e-3
    assert temperatures[-1] < 1e-20
    assert DOUBLE_WELL.derivative(x.item()) == pytest.approx(0, abs=1e-9)


# The temperature ------------------------------------------------------------------------------------------------------


def test_the_temperature_is_the_mean_squared_displacement_of_an_element():
    ours, theirs = twins()
    optimizer = CoolMomentum(ours, 0.1, 0.9, cooling_steps=20)
    assert optimizer.temperature == 0.0
    for _ in range(5):
        before = [x.detach().clone() for x in ours]
        same_gradients(ours, theirs)
        optimizer.step()
        moves = torch.cat([(x - y).flatten() for x, y in zip(ours, before, strict=True)])
        assert optimizer.temperature == pytest.approx(moves.square().mean().item())


@pytest.mark.parametrize("rho, curvature", [(0.0, 0.0), (0.0, 5.0), (0.5, 1.0), (0.9, 0.0), (0.9, 5.0)])
def test_gradient_noise_keeps_the_temperature_that_the_docstring_says(rho, curvature):
    lr, sigma, members = 0.3, 2.0, 20_000
    torch.manual_seed(0)
    x = nn.Parameter(torch.zeros(members, dtype=torch.float64))
    optimizer = CoolMomentum([x], lr, rho, cooling_steps=inf)
    for _ in range(100):
        x.grad = curvature * x.detach() + sigma * torch.randn_like(x)
        optimizer.step()
    expected = lr**2 * sigma**2 / (4 - lr * curvature) * (1 + rho) / (1 - rho)
    # The variance of Gaussian samples has a relative standard error of √(2 / members) = 0.01.
    assert optimizer.temperature == pytest.approx(expected, rel=0.04)


# A torch optimizer ----------------------------------------------------------------------------------------------------


def new():
    torch.manual_seed(0)
    first, second = (nn.Parameter(torch.randn(3, dtype=torch.float64)) for _ in range(2))
    groups = [{"params": [first]}, {"params": [second], "lr": 0.01, "schedule": "linear", "cooling_steps": 15}]
    return [first, second], CoolMomentum(groups, 0.03, 0.9, cooling_steps=30)


def go(params, optimizer, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        sum(DOUBLE_WELL(x).sum() for x in params).backward()
        optimizer.step()


def test_every_group_goes_its_own_way():
    params, optimizer = new()
    alone = [nn.Parameter(x.detach().clone()) for x in params]
    singles = [
        CoolMomentum(alone[:1], 0.03, 0.9, cooling_steps=30),
        CoolMomentum(alone[1:], 0.01, 0.9, schedule="linear", cooling_steps=15),
    ]
    go(params, optimizer, 20)
    for x, single in zip(alone, singles, strict=True):
        go([x], single, 20)
    assert [x.tolist() for x in params] == [x.tolist() for x in alone]


def test_a_group_that_comes_later_joins_the_cooling():
    params, optimizer = new()
    go(params, optimizer, 7)
    optimizer.add_param_group({"params": [nn.Parameter(torch.zeros(1))]})
    assert optimizer.param_groups[-1]["steps"] == 7


def test_a_parameter_without_a_gradient_stays_where_it_is():
    x, y = (nn.Parameter(torch.ones(2)) for _ in range(2))
    optimizer = CoolMomentum([x, y], 0.1, cooling_steps=10)
    optimizer.step()
    x.grad = torch.ones(2)
    optimizer.step()
    assert torch.equal(y, torch.ones(2)) and not torch.equal(x, torch.ones(2))
    assert set(optimizer.state) == {x}
    assert optimizer.param_groups[0]["steps"] == 2


@pytest.mark.parametrize(
    "argument, value, message",
    [
        ("momentum", -0.1, "Invalid momentum value: -0.1; expected a number in [0, 1)"),
        ("momentum", 1.0, "Invalid momentum value: 1.0"),
        ("momentum", nan, "Invalid momentum value: nan"),
        ("cooling_steps", 0, "Invalid cooling_steps value: 0; expected a number > 0"),
        ("cooling_steps", nan, "Invalid cooling_steps value: nan"),
        ("schedule", "hot", "Invalid schedule: 'hot'; expected one of ('geometric_memory', "),
    ],
)
def test_an_argument_of_the_schedule_out_of_its_range(argument, value, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        cooling(**{"schedule": "linear", "t": 0, "cooling_steps": 10, "momentum": 0.9, argument: value})


@pytest.mark.parametrize("t", [-1, nan])
def test_a_step_before_the_first_one(t):
    with pytest.raises(ValueError, match=f"Invalid t: {t}"):
        cooling("linear", t, 10, 0.9)


def test_the_number_of_cooling_steps_has_no_default():
    with pytest.raises(TypeError, match="cooling_steps"):
        CoolMomentum([nn.Parameter(torch.ones(2))])
