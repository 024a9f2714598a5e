"""Simulated annealing: Metropolis's rule, detailed balance, cooling, and many chains in lock step."""

import copy
import math
import re

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import nn

from hilladam.losses import DOUBLE_WELL
from hilladam.optim._simulated_annealing import ANNEALING_SCHEDULES, SimulatedAnnealing, annealing

inf, nan = math.inf, math.nan


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def still(x, lr, temperature, seed=0):
    """A walk at one temperature."""
    return SimulatedAnnealing([x], lr, temperature=temperature, alpha=1.0, generator=seeded(seed))


# The schedules -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", ANNEALING_SCHEDULES)
def test_it_starts_at_the_temperature_given_and_falls(schedule):
    temperatures = [annealing(schedule, k, 3.0, 0.9) for k in range(100)]
    assert temperatures[0] == 3.0
    assert (np.diff(temperatures) < 0).all()


def test_the_geometric_one_falls_by_the_same_factor():
    temperatures = np.array([annealing("geometric", k, 3.0, 0.9) for k in range(100)])
    np.testing.assert_allclose(temperatures[1:] / temperatures[:-1], 0.9)
    assert annealing("geometric", 10**9, 3.0, 1.0) == 3.0


def test_the_logarithmic_one_is_that_of_geman_and_geman():
    # c / log(1 + n), n counted from 1
    temperatures = [annealing("logarithmic", n - 1, 3.0) for n in range(1, 100)]
    np.testing.assert_allclose(temperatures, 3.0 * math.log(2) / np.log1p(np.arange(1, 100)))
    assert annealing("logarithmic", 1022, 1.0) == pytest.approx(0.1)
    assert 1e30 < 2**100 and annealing("logarithmic", 2**100 - 2, 1.0) == pytest.approx(0.01)


@pytest.mark.parametrize("schedule", ANNEALING_SCHEDULES)
def test_it_walks_at_the_temperature_of_its_schedule(schedule):
    # A plateau of height 1 around the start, and no way down from it but back: e^(−1/T) of the members climb.
    members = 20_000
    x = torch.zeros(members, dtype=torch.float64)
    optimizer = SimulatedAnnealing([x], 1.0, temperature=2.0, schedule=schedule, alpha=0.8, generator=seeded())
    optimizer.step(lambda: (x != 0).double())
    for k in range(5):
        x.zero_()
        optimizer.forget_loss()
        optimizer.step(lambda: (x != 0).double())
        climbed = optimizer.step(lambda: (x != 0).double()).mean().item()
        expected = math.exp(-1 / annealing(schedule, k, 2.0, 0.8))
        assert climbed == pytest.approx(expected, abs=4 * 0.5 / math.sqrt(members))


# Metropolis's rule ---------------------------------------------------------------------------------------------------

CHAINS = 20_000


@pytest.mark.parametrize("rise, temperature", [(0.1, 0.5), (1.0, 1.0), (3.0, 1.5), (5.0, 0.5), (0.0, 0.5), (-1.0, 0.1)])
def test_a_rise_is_accepted_with_probability_exp_minus_rise_over_t(rise, temperature):
    x = torch.zeros(CHAINS, dtype=torch.float64)
    optimizer = still(x, 1.0, temperature)
    for _ in range(2):
        loss = optimizer.step(lambda: rise * (x != 0))
    expected = min(1.0, math.exp(-rise / temperature))
    error = 4 * math.sqrt(expected * (1 - expected) / CHAINS)
    assert optimizer.acceptance_rate.mean().item() == pytest.approx(expected, abs=error)
    assert torch.equal(loss, rise * (x != 0)) and torch.equal(optimizer.acceptance_rate, (x != 0).float())


def test_at_temperature_zero_the_loss_never_rises_and_the_same_loss_is_accepted():
    x = torch.full((10,), 2.0)
    optimizer = still(x, 0.3, 0.0)
    losses = torch.stack([optimizer.step(lambda: DOUBLE_WELL(x)) for _ in range(300)])
    assert (losses.diff(dim=0) <= 0).all() and (losses[-1] < losses[0]).all()
    flat = still(torch.zeros(10), 0.3, 0.0)
    for _ in range(5):
        flat.step(lambda: torch.zeros(10))
    assert (flat.acceptance_rate == 1.0).all()


@pytest.fixture(scope="module")
def settled():
    """Chains that have forgotten their common start on the hill of the double well, and their optimizer."""
    x = torch.zeros(CHAINS, dtype=torch.float64)
    optimizer = still(x, 0.7, 0.5)
    for _ in range(300):
        optimizer.step(lambda: DOUBLE_WELL(x))
    return x, optimizer


def distance(sample, temperature):
    """The Kolmogorov–Smirnov distance of a sample from exp(−f/T), f the double well."""
    grid = np.linspace(-4, 4, 8001)
    mass = integrate.cumulative_simpson(np.exp(-DOUBLE_WELL(grid) / temperature), x=grid, initial=0)
    return stats.kstest(sample.numpy(), lambda x: np.interp(x, grid, mass / mass[-1])).statistic


def test_it_samples_the_boltzmann_density_of_a_double_well(settled):
    x, _ = settled
    assert distance(x, 0.5) < 1.95 / math.sqrt(CHAINS)  # which a true sample exceeds once in a thousand times
    assert min(distance(x, 0.45), distance(x, 0.55)) > 1.95 / math.sqrt(CHAINS)  # and it can tell


def test_between_any_two_places_as_many_go_as_come(settled):
    # Detailed balance, which is more than a density that stands still: no current runs round a cycle of three places.
    x, optimizer = copy.deepcopy(settled)
    edges = torch.tensor([-1.0, -0.3, 0.4, 1.0], dtype=torch.float64)
    flows = torch.zeros(5, 5)
    for step in range(200):
        before = torch.bucketize(x, edges)
        optimizer.step(lambda: DOUBLE_WELL(x))
        if step % 20 == 0:  # far enough apart to count as independent
            flows += torch.bincount(5 * before + torch.bucketize(x, edges), minlength=25).view(5, 5)
    i, j = torch.triu_indices(5, 5, offset=1)
    there, back = flows[i, j], flows[j, i]
    assert (there + back).min() > 20
    statistic = ((there - back).square() / (there + back)).sum().item()
    assert statistic < stats.chi2.ppf(0.999, 10)


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_a_proposal_whose_loss_is_not_finite_is_rejected(bad):
    x = torch.zeros(1000)
    optimizer = still(x, 1.0, 1e6)
    for _ in range(20):
        loss = optimizer.step(lambda: torch.where(x > 0, bad, x))
        assert torch.equal(loss, x)
    assert (x <= 0).all() and (x < 0).any()
    assert torch.equal(optimizer.best_loss.isfinite(), torch.ones(1000, dtype=torch.bool))


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_a_start_whose_loss_is_not_finite_is_left_for_the_first_finite_one(bad):
    x = torch.zeros(1000)
    optimizer = still(x, 1.0, 0.0)
    assert (optimizer.step(lambda: torch.where(x <= 0, bad, x)) == inf).all()
    with pytest.raises(RuntimeError, match="before any finite loss"):
        optimizer.load_best()
    loss = optimizer.step(lambda: torch.where(x <= 0, bad, x))
    assert 0.4 < (loss < inf).float().mean() < 0.6
    assert torch.equal(loss, torch.where(x == 0, inf, x))


# One closure call a step ---------------------------------------------------------------------------------------------


def test_a_step_calls_the_closure_once_and_returns_the_loss_of_the_parameters_as_they_then_are():
    x = nn.Parameter(torch.tensor([2.0, -1.0], dtype=torch.float64))
    optimizer, calls = still(x, 0.3, 1.0), []

    def closure():
        assert torch.is_grad_enabled()
        calls.append(DOUBLE_WELL(x).sum())
        calls[-1].backward()  # it may, as closures do
        return calls[-1]

    start = x.detach().clone()
    for step in range(50):
        loss = optimizer.step(closure)
        assert len(calls) == step + 1
        assert loss == DOUBLE_WELL(x).sum() and not loss.requires_grad
        assert step > 0 or torch.equal(x, start)  # the first step measures the start
    assert 0 < optimizer.acceptance_rate < 1


@pytest.mark.parametrize(
    "kind", [float, lambda v: torch.tensor(round(v)), np.float64, np.array, lambda v: round(v) > 1]
)
def test_a_loss_may_be_any_real_number(kind):
    x = torch.tensor([2.0])
    optimizer = still(x, 0.3, 1.0)
    for _ in range(20):
        assert optimizer.step(lambda: kind(x.item() ** 2)) == kind(x.item() ** 2)
    assert isinstance(optimizer.best_loss, float)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64], ids=str)
def test_a_loss_keeps_its_type(dtype):
    optimizer = still(torch.zeros(3), 0.3, 1.0)
    for _ in range(3):
        assert optimizer.step(lambda: torch.ones(3, dtype=dtype)).dtype == dtype


def test_a_loss_that_has_changed_is_measured_again_on_request():
    x = torch.tensor(3.0)
    optimizer = still(x, 0.1, 0.0)
    optimizer.step(lambda: -100.0)  # a lucky batch
    for _ in range(20):
        assert optimizer.step(lambda: x**2) == -100.0  # which nothing can beat
    optimizer.forget_loss()
    assert optimizer.step(lambda: x**2) == 9.0 == x**2
    for _ in range(20):
        optimizer.step(lambda: x**2)
    assert x < 3.0 and 0 < optimizer.acceptance_rate < 1
    assert optimizer.param_groups[0]["proposals"] == 40


def test_an_interrupted_step_leaves_the_parameters_as_they_were():
    x = torch.zeros(3)
    optimizer = still(x, 1.0, 1.0)

    def interrupted():
        assert not torch.equal(x, torch.zeros(3))
        raise KeyboardInterrupt

    optimizer.step(lambda: x.sum())
    with pytest.raises(KeyboardInterrupt):
        optimizer.step(interrupted)
    assert torch.equal(x, torch.zeros(3)) and math.isnan(optimizer.acceptance_rate)


def test_the_learning_rate_is_the_standard_deviation_of_a_move():
    small, large = torch.zeros(CHAINS), torch.zeros(CHAINS, 2)
    groups = [{"params": [small], "lr": 0.1}, {"params": [large]}]
    optimizer = SimulatedAnnealing(groups, 2.0, temperature=1.0, generator=seeded())
    for _ in range(2):
        optimizer.step(lambda: 0.0)
    assert small.std().item() == pytest.approx(0.1, rel=0.03)
    assert large.std(0).tolist() == pytest.approx([2.0, 2.0], rel=0.03)


# Many members --------------------------------------------------------------------------------------------------------


def start(members):
    """A matrix and a bias for each member."""
    return torch.full((members, 2, 3), 1.2, dtype=torch.float64), torch.zeros(members, dtype=torch.float64)


def each(w, b):
    return DOUBLE_WELL(w).sum((1, 2)) + b.square()


def total(w, b):
    return each(w, b).sum()


def walk(w, b, loss=each, temperature=1.0):
    """The losses and the parameters after each of some steps, and the optimizer."""
    w, b = w.clone(), b.clone()
    optimizer = SimulatedAnnealing([w, b], 0.3, temperature=temperature, alpha=0.95, generator=seeded())
    losses, ways = [], []
    for _ in range(40):
        losses.append(optimizer.step(lambda: loss(w, b)))
        ways.append(torch.cat([w.flatten(1), b.unsqueeze(1)], 1))
        assert torch.equal(losses[-1], loss(w, b))
    return torch.stack(losses), torch.stack(ways), optimizer


def test_every_member_keeps_its_own_best_and_its_own_rate():
    losses, ways, optimizer = walk(*start(7))
    w, b = optimizer.param_groups[0]["params"]
    assert torch.equal(optimizer.best_loss, losses.amin(0))
    assert torch.equal(optimizer.load_best(), losses.amin(0))
    assert torch.equal(each(w, b), losses.amin(0))
    moved = (ways.diff(dim=0) != 0).any(2).float().mean(0)
    torch.testing.assert_close(optimizer.acceptance_rate, moved)
    assert moved.unique().numel() > 1


def test_the_members_never_meet():
    w, b = start(6)
    other = w.clone()
    other[2] = -0.3
    ours, theirs = walk(w, b)[1], walk(other, b)[1]
    assert [torch.equal(ours[:, i], theirs[:, i]) for i in range(6)] == [True, True, False, True, True, True]


def test_one_number_is_one_member():
    alone, together = walk(*start(1), total), walk(*start(1))
    assert torch.equal(alone[0], together[0].squeeze(1)) and torch.equal(alone[1], together[1])
    assert alone[2].best_loss == together[2].best_loss.item()
    assert alone[2].acceptance_rate == together[2].acceptance_rate.item()


def test_one_number_moves_and_judges_all_parameters_together():
    losses, ways, optimizer = walk(*start(4), total, temperature=10.0)
    moved = (ways.diff(dim=0) != 0).flatten(1)
    assert torch.equal(moved.all(1), moved.any(1))
    assert optimizer.acceptance_rate == pytest.approx(moved.any(1).double().mean().item())
    assert 0 < optimizer.acceptance_rate < 1
    assert optimizer.load_best() == losses.min() == total(*optimizer.param_groups[0]["params"])


def test_slow_cooling_ends_in_the_deeper_well():
    found = []
    for steps in (20, 1500):
        x = torch.full((500,), 1.0, dtype=torch.float64)  # in the other one
        optimizer = SimulatedAnnealing([x], 0.3, temperature=0.6, alpha=0.01 ** (1 / steps), generator=seeded())
        for _ in range(steps):
            optimizer.step(lambda x=x: DOUBLE_WELL(x))
        found.append((x < 0).double().mean().item())
    assert found[0] < 0.5 and found[1] > 0.8


# What it keeps -------------------------------------------------------------------------------------------------------


def test_the_walk_goes_on_from_the_best():
    x = torch.tensor([0.9], dtype=torch.float64)
    optimizer = still(x, 0.5, 1.0)
    for _ in range(30):
        optimizer.step(lambda: DOUBLE_WELL(x))
    best = optimizer.load_best()
    assert best == DOUBLE_WELL(x) == optimizer.best_loss
    assert optimizer.step(lambda: torch.full((1,), inf)) == best  # a rejected proposal: the loss known is the best one
    assert optimizer.load_best() == best


def test_before_any_step_there_is_nothing():
    optimizer = still(torch.ones(3), 0.1, 1.0)
    assert optimizer.best_loss == inf and math.isnan(optimizer.acceptance_rate)
    with pytest.raises(RuntimeError, match="before any finite loss"):
        optimizer.load_best()


# Errors --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "argument, value, message",
    [
        ("temperature", -1.0, "Invalid temperature value: -1.0; expected a finite number >= 0"),
        ("temperature", nan, "Invalid temperature value: nan"),
        ("temperature", inf, "Invalid temperature value: inf"),
        ("alpha", 0.0, "Invalid alpha value: 0.0; expected a number in (0, 1]"),
        ("alpha", 1.1, "Invalid alpha value: 1.1"),
        ("alpha", nan, "Invalid alpha value: nan"),
        ("schedule", "hot", "Invalid schedule: 'hot'; expected one of ('geometric', 'logarithmic')"),
    ],
)
def test_an_argument_of_the_schedule_out_of_its_range(argument, value, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        annealing(**{"schedule": "geometric", "k": 0, "temperature": 1.0, argument: value})


@pytest.mark.parametrize("k", [-1, nan])
def test_a_proposal_before_the_first_one(k):
    with pytest.raises(ValueError, match=f"Invalid k: {k}"):
        annealing("geometric", k, 1.0)


@pytest.mark.parametrize(
    "loss, message",
    [
        (None, "None; expected one real number, or a tensor of shape (members,)"),
        ("1.0", "'1.0'; expected one real number"),
        (1j, "1j; expected one real number"),
        (torch.tensor(1j), "tensor(0.+1.j); expected one real number"),
        (torch.ones(3), "a torch.float32 tensor of shape (3,); expected one number, or shape (members,)"),
        (torch.ones(1), "a torch.float32 tensor of shape (1,); expected one number, or shape (members,)"),
        (torch.ones(2, 2), "a torch.float32 tensor of shape (2, 2); expected one number"),
        (torch.ones(2), "a torch.float32 tensor of shape (2,); expected shape (), as before"),
    ],
    ids=str,
)
def test_a_loss_that_is_none(loss, message):
    x = torch.ones(2, 2)
    optimizer = still(x, 0.1, 1.0)
    optimizer.step(lambda: 1.0)
    with pytest.raises(ValueError, match=re.escape(f"Invalid loss: {message}")):
        optimizer.step(lambda: loss)
    assert torch.equal(x, torch.ones(2, 2)) and optimizer.best_loss == 1.0  # nothing has happened


@pytest.mark.parametrize("dtype", [torch.complex64, torch.int64], ids=str)
def test_a_parameter_that_is_not_real(dtype):
    message = f"Invalid parameter dtype: {dtype}; expected a real floating-point type"
    with pytest.raises(ValueError, match=re.escape(message)):
        still(torch.ones(2, dtype=dtype), 0.1, 1.0)


def test_the_place_of_a_generator_needs_a_generator():
    saved = still(torch.ones(2), 0.1, 1.0).state_dict()
    with pytest.raises(ValueError, match=r"expected it to be constructed with generator=torch\.Generator"):
        SimulatedAnnealing([torch.ones(2)], 0.1, temperature=1.0).load_state_dict(saved)
