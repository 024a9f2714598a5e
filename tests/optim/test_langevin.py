"""Langevin dynamics: the schemes it is, the density it samples, and CoolMomentum when there is no noise."""

import copy
import math
import re

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import nn

from hilladam.losses import DOUBLE_WELL
from hilladam.optim._cool_momentum import COOLING_SCHEDULES, CoolMomentum, cooling
from hilladam.optim._langevin import Langevin

inf, nan = math.inf, math.nan


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def run(x, slope, optimizer, steps):
    """Yield the positions after every step."""
    for _ in range(steps):
        x.grad = slope(x.detach())
        optimizer.step()
        yield x.detach().clone()


# What it is ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("cooling_steps", [40, inf])
@pytest.mark.parametrize("schedule", COOLING_SCHEDULES)
def test_without_noise_it_is_cool_momentum_bit_for_bit(schedule, cooling_steps, dtype):
    start = torch.linspace(-1.5, 1.5, 7, dtype=dtype)
    x, y = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    hot = Langevin([x], 0.05, lambda t: cooling(schedule, t, cooling_steps, 0.95), temperature=0.0)
    cool = CoolMomentum([y], 0.05, 0.95, schedule=schedule, cooling_steps=cooling_steps)
    moves = zip(run(x, DOUBLE_WELL.derivative, hot, 60), run(y, DOUBLE_WELL.derivative, cool, 60), strict=True)
    assert all(torch.equal(ours, theirs) for ours, theirs in moves)


MASS, H, T, STEPS = 2.0, 0.3, 0.7, 50


def force(x):
    return -(0.5 * x + torch.sin(2 * x))


def baoab(x, rho, noise):
    """Half a kick, half a drift, friction and heat, half a drift, half a kick (Leimkuhler and Matthews, 2013)."""
    v = H / 2 * force(x) / MASS  # what has the optimizer's momentum start at zero, half a step early
    for xi in noise:
        v = v + H / 2 * force(x) / MASS
        x = x + H / 2 * v
        v = rho * v + math.sqrt(T / MASS * (1 - rho**2)) * xi
        x = x + H / 2 * v
        yield x
        v = v + H / 2 * force(x) / MASS


def groenbech_jensen_farago(x, rho, noise):
    """The position and velocity form of Grønbech-Jensen and Farago (2013), where a = ρ."""
    alpha = 2 * MASS / H * (1 - rho) / (1 + rho)  # their friction, m γ
    b = 1 / (1 + alpha * H / (2 * MASS))
    a = b * (1 - alpha * H / (2 * MASS))
    assert a == pytest.approx(rho)
    v = H / 2 * force(x) / MASS
    for xi in noise:
        beta = math.sqrt(2 * alpha * T * H) * xi
        before = force(x)
        x = x + b * H * v + b * H**2 / (2 * MASS) * before + b * H / (2 * MASS) * beta
        v = a * v + H / (2 * MASS) * (a * before + force(x)) + b / MASS * beta
        yield x


def leimkuhler_matthews(x, rho, noise):
    """The overdamped scheme: gradient descent with noise that is averaged over two steps."""
    assert rho == 0
    step, last = H**2 / MASS / 2, 0.0
    for xi in noise:
        x = x + step * force(x) + math.sqrt(2 * step * T) * (last + xi) / 2
        last = xi
        yield x


@pytest.mark.parametrize(
    "scheme, rho",
    [(baoab, 0.9), (baoab, 0.3), (baoab, 0.0), (groenbech_jensen_farago, 0.9), (groenbech_jensen_farago, 0.3),
     (leimkuhler_matthews, 0.0)],
)  # fmt: skip
def test_its_positions_are_those_of_schemes_with_a_name(scheme, rho):
    start = torch.linspace(-2, 2, 20, dtype=torch.float64)
    x = nn.Parameter(start.clone())
    ours = run(x, lambda x: -force(x), Langevin([x], H**2 / MASS, rho, temperature=T, generator=seeded()), STEPS)
    generator = seeded()
    noise = [torch.empty_like(start).normal_(generator=generator) for _ in range(STEPS)]
    for mine, theirs in zip(ours, scheme(start, rho, noise), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-11, atol=1e-11)


# What it samples -----------------------------------------------------------------------------------------------------

CHAINS = 20_000


def distance(sample, temperature):
    """The Kolmogorov–Smirnov distance of a sample from exp(−f/T), f the double well."""
    grid = np.linspace(-4, 4, 8001)
    mass = integrate.cumulative_simpson(np.exp(-DOUBLE_WELL(grid) / temperature), x=grid, initial=0)
    return stats.kstest(sample.numpy(), lambda x: np.interp(x, grid, mass / mass[-1])).statistic


@pytest.mark.parametrize("lr, rho, steps", [(0.05, 0.8, 400), (0.02, 0.9, 500), (0.05, 0.0, 1500)])
def test_it_samples_the_boltzmann_density_of_a_double_well(lr, rho, steps):
    # All chains start on the hill between the wells, and the last positions of the independent chains are one sample.
    x = nn.Parameter(torch.zeros(CHAINS, dtype=torch.float64))
    optimizer = Langevin([x], lr, rho, temperature=0.5, generator=seeded())
    *_, sample = run(x, lambda x: 4 * x**3 - 4 * x + 0.3, optimizer, steps)
    assert distance(sample, 0.5) < 1.95 / math.sqrt(CHAINS)  # which a true sample exceeds once in a thousand times
    assert min(distance(sample, 0.45), distance(sample, 0.55)) > 1.95 / math.sqrt(CHAINS)  # and it can tell


@pytest.mark.parametrize("lr", [0.1, 1.0, 1.9])
@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_the_variance_in_a_harmonic_well_is_exact_for_every_step_size(lr, rho):
    # And so is the kinetic temperature: the mean of Δ² is η T (1 + ρ) / 2. Stable up to η k = 4.
    curvature, temperature = 2.0, 0.7
    x = nn.Parameter(torch.zeros(CHAINS, dtype=torch.float64))
    optimizer = Langevin([x], lr, rho, temperature=temperature, generator=seeded())
    *_, before, after = run(x, lambda x: curvature * x, optimizer, 150 if lr < 1 else 80)
    interval = 4 * math.sqrt(2 / CHAINS)  # four standard errors of a variance, relative: 0.04
    assert after.square().mean().item() == pytest.approx(temperature / curvature, rel=interval)
    assert (after - before).square().mean().item() == pytest.approx(lr * temperature * (1 + rho) / 2, rel=interval)


def test_the_temperature_may_be_a_function_of_the_step():
    x, y = (nn.Parameter(torch.zeros(50, dtype=torch.float64)) for _ in range(2))
    ours = Langevin([x], 0.05, lambda t: 0.9 / (1 + t), temperature=lambda t: 0.5 * 0.9**t, generator=seeded())
    theirs = Langevin([y], 0.05, 0.9, temperature=0.5, generator=seeded())
    slope = DOUBLE_WELL.derivative
    for step, position in enumerate(run(x, slope, ours, 30)):
        theirs.param_groups[0].update(momentum=0.9 / (1 + step), temperature=0.5 * 0.9**step)
        assert torch.equal(position, next(run(y, slope, theirs, 1)))


def test_the_functions_of_the_step_may_be_numpy_s():
    x, y = (nn.Parameter(torch.zeros(50, dtype=torch.float64)) for _ in range(2))
    ours = Langevin([x], 0.05, np.sin, temperature=np.exp2, generator=seeded())
    theirs = Langevin([y], 0.05, math.sin, temperature=lambda t: 2.0**t, generator=seeded())
    moves = zip(run(x, DOUBLE_WELL.derivative, ours, 3), run(y, DOUBLE_WELL.derivative, theirs, 3), strict=True)
    assert all(torch.allclose(a, b) for a, b in moves)


def test_the_slower_it_cools_the_more_often_it_ends_in_the_deeper_well():
    found = []
    for steps in (0, 100, 2000):  # from T = 0.6 to nearly nothing
        x = nn.Parameter(torch.full((500,), 1.0, dtype=torch.float64))  # in the other well
        optimizer = Langevin([x], 0.05, 0.8, temperature=lambda t, n=steps: 0.6 * max(1 - t / max(n, 1), 0) ** 2)
        torch.manual_seed(0)
        *_, end = run(x, DOUBLE_WELL.derivative, optimizer, steps + 200)
        at = torch.tensor([minimum.x for minimum in DOUBLE_WELL.minima], dtype=torch.float64)
        assert (end.unsqueeze(1) - at).abs().amin(1).max() < 1e-3  # at the bottom of a well
        found.append((end < 0).double().mean().item())
    assert found[0] == 0.0 and 0.2 < found[1] < 0.5 and found[2] > 0.8


# Its randomness ------------------------------------------------------------------------------------------------------


def positions(start, generator, steps=30, **settings):
    x = nn.Parameter(start.clone())
    optimizer = Langevin([x], 0.05, **{"temperature": 0.5, **settings}, generator=generator)
    return torch.stack(list(run(x, DOUBLE_WELL.derivative, optimizer, steps)))


def test_the_generator_decides_alone():
    start = torch.zeros(5, dtype=torch.float64)
    torch.manual_seed(1)
    first = positions(start, seeded(3))
    torch.manual_seed(2)
    place = torch.get_rng_state()
    assert torch.equal(first, positions(start, seeded(3)))
    assert not torch.equal(first, positions(start, seeded(4)))
    assert torch.equal(place, torch.get_rng_state())


def test_without_a_generator_torch_s_own_decides():
    start = torch.zeros(5, dtype=torch.float64)
    torch.manual_seed(1)
    first = positions(start, None)
    torch.manual_seed(1)
    assert torch.equal(first, positions(start, None))


def test_the_members_of_a_tensor_never_meet():
    start = torch.zeros(6, 2, dtype=torch.float64)
    other = start.clone()
    other[2] = 1.5
    ours, theirs = positions(start, seeded()), positions(other, seeded())
    assert [torch.equal(ours[:, i], theirs[:, i]) for i in range(6)] == [True, True, False, True, True, True]


# A torch optimizer ---------------------------------------------------------------------------------------------------


def cooler(step):
    return 0.5 * 0.9**step


def new():
    first, second = (nn.Parameter(torch.full((3,), start, dtype=torch.float64)) for start in (0.0, 1.0))
    groups = [{"params": [first]}, {"params": [second], "lr": 0.01, "momentum": 0.5, "temperature": 0.1}]
    return [first, second], Langevin(groups, 0.05, temperature=cooler, generator=seeded())


def go(params, optimizer, steps):
    params = list(params)
    for _ in range(steps):
        optimizer.zero_grad()
        sum(DOUBLE_WELL(x).sum() for x in params).backward()
        optimizer.step()


def test_a_copy_goes_on_with_a_generator_of_its_own():
    params, optimizer = new()
    go(params, optimizer, 3)
    other_params, other = copy.deepcopy((params, optimizer))
    saved = optimizer.state_dict()
    go(params, optimizer, 3)
    go(other_params, other, 3)
    assert all(torch.equal(x, y) for x, y in zip(params, other_params, strict=True))
    assert not torch.equal(saved["param_groups"][0]["generator_state"], optimizer.generator.get_state())


def test_a_state_dict_holds_numbers_and_no_functions():
    _, optimizer = new()
    first, second = optimizer.state_dict()["param_groups"]
    assert first["temperature"] is None and second["temperature"] == 0.1
    assert optimizer.param_groups[0]["temperature"] is cooler
    _, other = new()
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["temperature"] is cooler
    assert other.param_groups[0]["generator_state"] is None


def test_the_place_of_the_generator_lies_where_the_parameters_are():
    x = nn.Parameter(torch.zeros(2, device="meta"))
    optimizer = Langevin([x], 0.1, temperature=1.0, generator=seeded())
    assert optimizer.state_dict()["param_groups"][0]["generator_state"].device.type == "meta"


def test_functions_of_the_step_stay_those_of_the_optimizer_that_loads():
    x = nn.Parameter(torch.zeros(2))
    saved, other = (Langevin([x], 0.1, lambda t: 0.5, temperature=lambda t: 1.0) for _ in range(2))
    kept = dict(other.param_groups[0])
    other.load_state_dict(saved.state_dict())
    assert saved.state_dict()["param_groups"][0]["momentum"] is None
    for key in ("momentum", "temperature"):
        assert other.param_groups[0][key] is kept[key]


def test_the_place_of_a_generator_needs_a_generator():
    params, optimizer = new()
    other = Langevin([{"params": [x]} for x in params], 0.5, temperature=1.0)
    with pytest.raises(ValueError, match=r"expected it to be constructed with generator=torch\.Generator"):
        other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["lr"] == 0.5
    own = seeded(5)
    place = own.get_state()
    Langevin([torch.zeros(2)], 0.1, temperature=1.0, generator=own).load_state_dict(
        Langevin([torch.zeros(2)], 0.2, temperature=1.0).state_dict()
    )
    assert torch.equal(own.get_state(), place)


def test_a_group_that_comes_later_joins_the_schedules():
    params, optimizer = new()
    go(params, optimizer, 7)
    optimizer.add_param_group({"params": [nn.Parameter(torch.zeros(1))]})
    assert optimizer.param_groups[-1]["steps"] == 7


def test_a_parameter_without_a_gradient_stays_where_it_is():
    x, y = (nn.Parameter(torch.ones(2)) for _ in range(2))
    optimizer = Langevin([x, y], 0.1, temperature=1.0)
    optimizer.step()
    x.grad = torch.ones(2)
    optimizer.step()
    assert torch.equal(y, torch.ones(2)) and not torch.equal(x, torch.ones(2))
    assert set(optimizer.state) == {x}


def test_a_schedule_that_leaves_its_range_is_stopped_before_anything_moves():
    x = nn.Parameter(torch.ones(2))
    optimizer = Langevin([x], 0.1, temperature=lambda t: 1.0 - t)
    x.grad = torch.ones(2)
    optimizer.step()
    optimizer.step()
    before = x.detach().clone()
    with pytest.raises(ValueError, match=r"Invalid temperature value: -1\.0 at step 2"):
        optimizer.step()
    assert torch.equal(x, before)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.int64], ids=str)
def test_a_parameter_that_is_not_real(dtype):
    x = torch.ones(2, dtype=dtype)
    message = f"Invalid parameter dtype: {dtype}; expected a real floating-point type"
    with pytest.raises(ValueError, match=re.escape(message)):
        Langevin([x], 0.1, temperature=1.0)
    optimizer = Langevin([nn.Parameter(torch.ones(2))], 0.1, temperature=1.0)
    with pytest.raises(ValueError, match=re.escape(message)):
        optimizer.add_param_group({"params": [x]})
    assert len(optimizer.param_groups) == 1
