"""The engine of Part V: the optimizers up to rounding, the rungs between as told here, the same bits everywhere."""

import hashlib
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from hilladam import AdaptiveHillAdam, HillAdam
from hilladam.experiments import (
    LADDER,
    Networks,
    Rule,
    SineBatches,
    StackedMLP,
    run_landscapes,
    run_networks,
    run_points,
)
from hilladam.losses import DOUBLE_WELL, TABLE_1, Torus, Wells, random_polynomial, random_torus, random_wells

pytest.importorskip("numba")
from hilladam.experiments import _compiled_rules as arithmetic

pytestmark = pytest.mark.own_rounding  # compiled runs are out of the reach of another rounding

DICE = np.random.default_rng(8)
GROUNDS = {
    "polynomial": (random_polynomial(DICE), [0.3]),
    "torus": (random_torus(DICE), [1.0]),
    "wells": (random_wells(DICE), [3.0]),
    "torus of two": (random_torus(DICE, 2), [1.0, 2.0]),
    "wells of three": (random_wells(DICE, 3), [1.0, 2.0, -1.0]),
}
LAST = LADDER["lids in turn"]


def by_torch(optimizer, loss, start, steps, finish=0):
    """The places, the directions and the last place of an optimizer of torch."""
    x = nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer, places, climbs = optimizer([x]), [], []

    def closure():
        optimizer.zero_grad()
        value = loss(x).sum()
        value.backward()
        return value

    for _ in range(steps - finish):
        places.append(x.tolist())
        optimizer.step(closure)
        climbs.append(getattr(optimizer, "direction", "") == "maximize")
    if finish:
        optimizer.finish(closure, finish)
    return np.array(places), np.array(climbs), x.tolist()


@pytest.mark.parametrize("name", GROUNDS)
def test_the_last_rung_is_the_optimizer_that_tunes_itself(name):
    loss, start = GROUNDS[name]
    places, climbs, last = by_torch(AdaptiveHillAdam, loss, start, 150, finish=20)
    found = run_landscapes([loss], [start], 150, LAST, finish=20, history=True)
    np.testing.assert_allclose(found.states[:130, 0], places, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(found.maximize[:130, 0], climbs)
    assert climbs.any() and found.turns[0] >= 2
    np.testing.assert_allclose(found.final_states[0], last, rtol=1e-6, atol=1e-6)
    assert not found.maximize[130:].any()


@pytest.mark.parametrize("name", GROUNDS)
def test_the_first_rungs_are_adam_and_hill_adam(name):
    loss, start = GROUNDS[name]

    def published(params):
        return HillAdam(params, lr=0.03, delta=1e-4, gamma=2.0)

    def adam(params):
        return torch.optim.Adam(params, lr=0.03)

    for make, rule in ((adam, LADDER["Adam"]), (published, Rule(gamma=2.0))):
        places, climbs, _ = by_torch(make, loss, start, 150)
        found = run_landscapes([loss], [start], 150, rule, lr=0.03, history=True)
        np.testing.assert_allclose(found.states[:, 0], places, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(found.maximize[:, 0], climbs)


def test_the_published_rule_is_that_of_the_other_engine():
    starts = np.linspace(0.5, 2, 20)
    ours = run_landscapes([DOUBLE_WELL], starts, 400, Rule(lr=0.05, gamma=1.2), history=True)
    theirs = run_points(DOUBLE_WELL, starts, 400, 0.05, gamma=1.2)
    np.testing.assert_allclose(ours.states[..., 0], theirs.states, rtol=1e-7, atol=1e-7)
    np.testing.assert_array_equal(ours.turns, theirs.turns)
    assert theirs.turns.min() > 2


def told(loss, x, steps, rule):
    """The rungs by losses once more, for one number, in the order in which the book tells them: the places of a run."""
    places, course = [], SimpleNamespace(length=rule.lr, growth=2.0, up=False, previous=math.nan)
    m = v = 0.0
    first_moment, second_moment = 1.0, 1.0  # what β₁ᵗ and β₂ᵗ have become
    low, height, room, walls, walled, crested, top = math.inf, 0.0, 2.0, 0, False, False, math.nan
    near = False
    start, probing, high, lowest = loss(x), rule.cycle, -math.inf, math.inf
    came_from, climbed, bottom = None, 0, math.nan
    for _ in range(steps):
        places.append(x)
        now, g = float(loss(x)), float(loss.derivative(x))
        if probing and came_from is not None:
            if now >= start:
                course.length /= 4
                (x, g), m, v, first_moment, second_moment = came_from, 0.0, 0.0, 1.0, 1.0
                now = None
            else:
                probing = False
        turned = False
        if now is not None:
            high, lowest = max(high, now), min(lowest, now)
            change = now - course.previous
            back = change < 0 if course.up else change > 0
            still = abs(change) <= rule.delta * (high - lowest) if rule.relative else abs(change) < rule.delta
            gate = now > rule.gamma and not rule.lid
            if course.up:
                climbed += 1
                course.length *= 1.1 if rule.cycle else 1
                if rule.lid:
                    if math.isnan(top) and climbed == 4 and now - bottom > height:
                        height, near = now - bottom, True
                    if rule.in_turn:
                        blind = near and not crested
                        number = f"{1 + (walls if blind else walls // 2):b}"
                        room = 2 * (16 if blind else 2) ** (len(number) - len(number.rstrip("0")))
                    gate = now > low + room * height and not (math.isnan(top) and climbed < 4)
                turned = gate or still or (rule.fall and back)
                if turned:
                    top, walled, crested = high, gate, crested or (rule.fall and back and not gate)
                    walls += gate
                    if not rule.in_turn and walls >= (2 if crested else 1):
                        room, walls = 2 * room, 0
            else:
                if rule.cycle and back:
                    course.length, course.growth, m = course.length / 2, 1.1, 0.0
                elif rule.cycle and not math.isnan(change):
                    course.length *= course.growth
                turned = still and not gate
                if turned:
                    if low == math.inf:
                        height = start - now
                    elif not walled:
                        height = max(height, top - min(now, low))
                    walls = 0 if now < low - 1e-3 * height else walls
                    low, bottom, climbed, walled = min(low, now), now, 0, False
            course.previous = math.nan if turned or (gate and not course.up) else now
        if turned:
            course.up, high, lowest = not course.up, now, now
            if rule.kept == "none" or (rule.kept == "top" and course.up):
                m, v, first_moment, second_moment = 0.0, 0.0, 1.0, 1.0
            else:
                m = -m
                if rule.kept == "alone":
                    v, second_moment = 0.0, 1.0
        came_from = x, g
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        first_moment, second_moment = 0.9 * first_moment, 0.999 * second_moment
        step = course.length * m / (1 - first_moment) / (math.sqrt(v / (1 - second_moment)) + rule.eps)
        x += step if course.up else -step
    return np.array(places)


@pytest.mark.parametrize("name", [name for name, rule in LADDER.items() if not rule.slopes])
@pytest.mark.parametrize("in_turn", [False, True])
def test_every_rung_by_losses_is_as_the_book_tells_it(name, in_turn):
    rule, turns = LADDER[name]._replace(in_turn=in_turn), 0
    for loss, start in ((DOUBLE_WELL, 1.8), (TABLE_1["tenth"], 1.7), (TABLE_1["sixth"], 0.3)):
        rule = rule._replace(gamma=min(rule.gamma, 8.0), lr=max(rule.lr, 0.003))
        # Once a run has met many turns, the last bit has grown.
        found = run_landscapes([loss], [start], 250, rule, history=True)
        sixth = np.append(np.flatnonzero(found.reasons[:, 0]), 250)[:7][-1]
        steps = min(sixth, 250)
        np.testing.assert_allclose(found.states[:steps, 0, 0], told(loss, start, steps, rule), rtol=1e-6, atol=1e-6)
        turns += found.turns[0]
    assert (turns == 0) == (name == "Adam")


@pytest.mark.parametrize("start", [1.0, 1e-3])
def test_with_lids_in_turn_it_comes_back_to_a_bowl_and_with_a_lid_that_doubles_it_does_not(start):
    bowl = Wells([0.0], [[0.0]], [1.0], bowl=1.0)
    late, far = {}, {}
    for rule in (LADDER["by slopes, κ = ½"], LAST):
        run = run_landscapes([bowl], [start], 2000, rule, history=True)
        late[rule.in_turn], far[rule.in_turn] = run.losses[-500:].min(), np.abs(run.states).max()
    assert late[True] < 1e-2 < 1e6 < late[False]
    assert far[True] < 1e6 < 1e9 < far[False]


# What it does not depend on ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GROUNDS)
def test_scaling_by_powers_of_two_changes_no_bit(name):
    loss, start = GROUNDS[name]
    plain = run_landscapes([loss], [start], 300, history=True)
    height, width = 2.0**-30, 2.0**20
    scaled = run_landscapes(
        [loss], [np.multiply(start, width)], 300, lr=1e-4 * width, heights=height, widths=width, history=True
    )
    np.testing.assert_array_equal(scaled.states, width * plain.states)
    np.testing.assert_array_equal(scaled.losses, height * plain.losses)


def test_a_run_is_the_same_alone_and_among_others(monkeypatch):
    from hilladam.experiments import _compiled_landscapes as engine

    losses = [random_torus(np.random.default_rng(seed)) for seed in range(6)]
    starts = np.linspace(0, 5, 6)
    every = run_landscapes(losses, starts, 100, noise=0.01)
    monkeypatch.setattr(engine, "_CHUNK", 200)
    assert run_landscapes(losses, starts, 100, noise=0.01) == every
    one = run_landscapes(losses[4:5], starts[4:5], 100, noise=0.01, seeds=[4])
    assert one == every.member([4])
    assert run_landscapes(losses[4:5], starts[4:5], 100, noise=0.01, seeds=5) != one


def test_the_bits_are_these_on_every_machine():
    torus = Torus([1.0, 0.5], [[1, 0], [1, 2]], [0.25, 1.0])
    wells = Wells([1.0, 1.5], [[-1.0, 0.5], [1.0, -0.5]], [0.5, 0.75])
    found = hashlib.sha256()
    for loss in (torus, wells):
        for name in ("λ cycle", "+ δ relative", "by slopes, κ = ½"):
            record = run_landscapes([loss], [[0.5, 0.25]] * 3, 300, LADDER[name], noise=[0.0, 2**-7, 0.125], finish=25)
            found.update(record.best_states.tobytes() + record.final_states.tobytes())
    assert found.hexdigest()[:16] == "c7cdc8baaba381db"


# What it is made of --------------------------------------------------------------------------------------------------


def test_cosines_and_exponentials_are_those_of_the_library():
    angles = np.concatenate([np.linspace(-20, 20, 4001), [1e3, -1e4, 0.0]])
    pairs = np.array([arithmetic.cosine_and_sine(angle) for angle in angles])
    np.testing.assert_allclose(pairs[:, 0], np.cos(angles), atol=2e-12)
    np.testing.assert_allclose(pairs[:, 1], np.sin(angles), atol=2e-12)
    z = np.concatenate([np.linspace(0, 50, 2001), [300.0, 690.0]])
    np.testing.assert_allclose([arithmetic.decay(value) for value in z], np.exp(-z), rtol=1e-13)
    assert arithmetic.decay(800.0) == arithmetic.decay(math.nan) == arithmetic.decay(math.inf) == 0.0


@pytest.mark.parametrize("name", GROUNDS)
def test_losses_and_slopes_are_those_of_the_package(name):
    loss, start = GROUNDS[name]
    found = run_landscapes([loss], [start], 40, history=True)
    expected = loss(found.states[:, 0] if len(start) > 1 or name != "polynomial" else found.states[:, 0, 0])
    np.testing.assert_allclose(found.losses[:, 0], expected, rtol=1e-12, atol=1e-12)


def test_a_mini_batch_is_a_part_of_the_fit():
    t = torch.linspace(-0.5, 0.5, 256, dtype=torch.float64)

    def whole(x):
        return (torch.sin(2 * math.pi * x[0] * t + x[1]) - torch.sin(2 * math.pi * 6 * t + 0.5)).square().mean()

    places, climbs, _ = by_torch(AdaptiveHillAdam, whole, [3.0, 0.0], 120)
    found = run_landscapes([SineBatches()], [[3.0, 0.0]], 120, history=True)
    np.testing.assert_allclose(found.states[:, 0], places, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(found.maximize[:, 0], climbs)
    still = run_landscapes([SineBatches(32)], [[3.0, 0.0]], 4000, Rule(lr=0.0, delta=0.0), history=True)
    losses = (torch.sin(2 * math.pi * 3 * t) - torch.sin(2 * math.pi * 6 * t + 0.5)).square()
    assert still.losses.mean() == pytest.approx(losses.mean().item(), abs=0.02)
    assert still.losses.std() == pytest.approx(losses.std().item() / math.sqrt(32), rel=0.05)


def test_noise_has_the_deviation_it_is_asked_for():
    flat = Torus([0.0], [[1]], [0.0])
    found = run_landscapes([flat], [0.0, 0.0], 4000, LADDER["Adam"], noise=[0.5, 2.0], history=True)
    assert found.losses.mean(axis=0) == pytest.approx([0, 0], abs=0.1)
    assert found.losses.std(axis=0) == pytest.approx([0.5, 2.0], rel=0.05)
    assert np.corrcoef(found.losses.T)[0, 1] == pytest.approx(0, abs=0.06)
    assert found.final_states[0] != 0  # the slopes are noisy too


def test_a_multistart_draws_from_its_box():
    rule = Rule(restart=True, delta=1e-3, gamma=math.inf, lr=0.02)
    boxes = np.array([[[-2.0, -1.0]], [[1.0, 2.0]]])
    found = run_landscapes([DOUBLE_WELL], [0.5, 0.5], 3000, rule, boxes=boxes, history=True)
    assert found.turns.min() > 5
    for run, (low, high) in enumerate(boxes[:, 0]):
        drawn = found.states[1:, run, 0][found.reasons[:-1, run] > 0]
        assert (drawn >= low).all() and (drawn <= high).all() and np.ptp(drawn) > 0.5
    assert DOUBLE_WELL.basin(found.best_states[:, 0]).tolist() == [0, 0 if found.best_losses[1] < 0 else 2]


def test_no_state_is_kept_where_floats_are_far_apart():
    slope = Wells([1.0], [[0.0]], [1.0], bowl=0.0)
    found = run_landscapes([slope], [2.0], 5, Rule(delta=0.0), lr=1e10, history=True)
    assert (np.abs(found.states[1:]) > 1e9).any() and abs(found.best_states[0, 0]) < 1e9


@pytest.mark.parametrize("sizes", [(6, 4, 3, 1), (2, 5, 1), (3, 1)])
@pytest.mark.parametrize("rule", [Rule(), Rule(delta=0.0)])
def test_through_the_network_it_is_the_other_engine(rule, sizes):
    weights = StackedMLP([3, 4], sizes).parameters[0].detach().numpy()
    losses = [TABLE_1["sixth"], TABLE_1["tenth"]]
    ours = run_landscapes([Networks(loss, sizes) for loss in losses], weights, 300, rule, lr=0.03)
    theirs = run_networks(losses, [3, 4], 300, 0.03, sizes=sizes, delta=rule.delta, history=False)
    np.testing.assert_allclose(ours.best_losses, theirs.best_losses, rtol=1e-9)
    np.testing.assert_allclose(ours.final_losses, theirs.final_losses, rtol=1e-6)
    np.testing.assert_array_equal(ours.turns, theirs.turns)
    assert theirs.turns.any() == (rule.delta > 0)


def test_through_the_network_the_last_rung_is_the_optimizer_that_tunes_itself():
    weights = StackedMLP([5]).parameters[0][0].tolist()

    def loss(x):
        w1, b1, w2, b2, w3, b3 = x.split([24, 4, 12, 3, 3, 1])
        hidden = w2.view(3, 4) @ (w1.view(4, 6) @ torch.ones(6, dtype=torch.float64) + b1) + b2
        return TABLE_1["eighth"](w3 @ hidden + b3)

    places, climbs, _ = by_torch(AdaptiveHillAdam, loss, weights, 60)
    found = run_landscapes([Networks(TABLE_1["eighth"])], [weights], 60, LAST, history=True)
    np.testing.assert_allclose(found.states[:, 0], places, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(found.maximize[:, 0], climbs)
    assert climbs.any()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            {
                "landscapes": [Networks(DOUBLE_WELL, (1, 1)), Networks(DOUBLE_WELL, (1, 1, 1))],
                "starts": [[1.0, 2.0]] * 2,
            },
            r"Invalid starts: 2 variables for landscapes of \[2, 4\]",
        ),
        (
            {
                "landscapes": [Networks(DOUBLE_WELL, (1, 2, 1)), Networks(DOUBLE_WELL, (6, 1))],
                "starts": [[1.0] * 7] * 2,
            },
            r"Invalid sizes: \[\(1, 2, 1\), \(6, 1\)\]; expected the same for all",
        ),
        ({"landscapes": [Networks(DOUBLE_WELL, (1, 2))], "starts": [[1.0] * 4] * 2}, r"the last of them 1"),
        ({"landscapes": []}, "Invalid landscapes: none; expected one kind of them"),
        ({"landscapes": [DOUBLE_WELL, Torus([1.0], [[1]], [0.0])]}, "Invalid landscapes: Polynomial, Torus"),
        ({"landscapes": [DOUBLE_WELL] * 3}, "Invalid landscapes: 3; expected one, or one for each of 2 runs"),
        ({"starts": [[1.0, 2.0]]}, r"Invalid starts: 2 variables for landscapes of \[1\]"),
        ({"starts": 1.0}, r"Invalid starts: shape \(\)"),
        ({"starts": [np.nan]}, "Invalid starts"),
        ({"steps": 0}, "Invalid steps: 0; expected an integer >= 1"),
        ({"finish": 5}, "Invalid finish: 5; expected fewer than steps = 5"),
        ({"finish": -1}, "Invalid finish: -1; expected an integer >= 0"),
        ({"landscapes": [SineBatches(-1)], "starts": [[1.0, 2.0]]}, "Invalid size: -1; expected an integer >= 0"),
        ({"rule": Rule(kept="all")}, "Invalid kept: 'all'"),
        ({"rule": Rule(cycle=1)}, "Invalid cycle value: 1; expected True or False"),
        ({"rule": Rule(delta=-1.0)}, "Invalid delta: -1.0; expected a number >= 0"),
        ({"rule": Rule(restart=True)}, "Invalid boxes: None"),
        ({"boxes": [1.0, 2.0, 3.0]}, r"Invalid boxes: \(3,\); expected shape \(2, 1, 2\)"),
        ({"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0"),
        ({"lr": -1.0}, "Invalid lr"),
        ({"gamma": math.nan}, "Invalid gamma"),
        ({"noise": [0.1, 0.1, 0.1]}, r"Invalid noise: shape \(3,\); expected a number or shape \(2,\)"),
        ({"heights": 0.0}, "Invalid heights"),
        ({"widths": -1.0}, "Invalid widths"),
        ({"boxes": [math.inf, 0.0]}, r"Invalid boxes: \[inf, 0.0\]; expected finite numbers"),
        ({"seeds": 0.5}, "Invalid seeds: 0.5; expected integers"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        run_landscapes(**{"landscapes": [DOUBLE_WELL], "starts": [1.0, 2.0], "steps": 5} | arguments)
