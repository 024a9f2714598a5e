"""The map's balls move as torch's optimizers move them, and its arrows are what torch's optimizers remember."""

import math

import numpy as np
import pytest
import torch
import traitlets

from hilladam.experiments import CONTENDERS
from hilladam.losses import SURFACES
from hilladam.widgets import MapExplorer
from hilladam.widgets._map_explorer import _OWN_RATE as OWN_RATE
from hilladam.widgets._map_explorer import RULES, landscape_of

RUN = """
import { Flock, NAMES, update } from "./map_dynamics.js";
export default ({ surface, starts, rates, gate, ...settings }) => {
  settings.gamma ??= Infinity;
  return Object.fromEntries(NAMES.filter((name) => name in rates).map((name) => {
    const flock = new Flock(surface, starts, name, { ...settings, lr: rates[name] }, gate);
    while (flock.done < settings.steps) flock.advance();
    const { x, y, loss, gx, gy, climbs, turns, arrival } = flock;
    const rows = Object.entries({ x, y, loss, gx, gy, climbs });
    const lists = rows.map(([key, each]) => [key, each.map((row) => [...row])]);
    const updates = Array.from({ length: settings.steps }, (_, t) => update(flock, t));
    return [name, { ...Object.fromEntries(lists), turns, arrival: [...arrival], updates }];
  }));
};
"""


def job(explorer, rules=RULES):
    names = ("surface", "gate", "steps", "noise", "seed", "beta1", "beta2", "delta", "frames")
    settings = {name: getattr(explorer, name) for name in names}
    gamma = None if math.isinf(explorer.gamma) else explorer.gamma
    rates = {name: explorer.lr_of(name) for name in rules}
    return settings | {"gamma": gamma, "rates": rates, "starts": explorer.starts.tolist()}


def places(found):
    return np.stack([np.array(found["x"], dtype=float), np.array(found["y"], dtype=float)], axis=-1)


@pytest.mark.parametrize("key", SURFACES)
def test_the_surfaces_are_those_of_the_package(node, key):
    (low, high), rng = np.array(SURFACES[key].box).T, np.random.default_rng(0)
    points = rng.uniform(low - 0.5, high + 0.5, (400, 2))
    source = """
import { SURFACES } from "./map_dynamics.js";
export default ([key, points]) => points.map(([x, y]) => SURFACES[key](x, y));
"""
    found = np.array(node(source, [key, points.tolist()]))
    place = torch.tensor(points, requires_grad=True)
    loss = SURFACES[key](place)
    (slopes,) = torch.autograd.grad(loss.sum(), place)
    assert np.allclose(found[:, 0], loss.detach(), rtol=1e-12, atol=1e-11)
    assert np.allclose(found[:, 1:], slopes, rtol=1e-11, atol=1e-10)


@pytest.mark.parametrize("key", SURFACES)
def test_every_rule_is_torchs(node, key):
    explorer = MapExplorer(surface=key, b="none", steps=100, delta=1e-2)
    page = node(RUN, job(explorer))
    assert tuple(page) == RULES, "the page knows the rules in this order"
    for name in RULES:
        explorer.a = name
        here, there = page[name], explorer.run()[name]
        until = 30 if name == "NAdam" else 101  # which is thrown out of its rest by roundings
        near = 1e-6 if name in OWN_RATE else 1e-9  # where a path may hang on whether it is at the bottom yet
        assert abs(there.states).max() < 10, name
        np.testing.assert_allclose(places(here)[:until], there.states[:until], rtol=0, atol=near, err_msg=name)
        np.testing.assert_allclose(here["loss"][:until], there.losses[:until], rtol=1e-7, atol=1e-7, err_msg=name)
        np.testing.assert_array_equal(here["climbs"], there.maximize[:-1], err_msg=name)
        assert [turn["step"] for turn in here["turns"]] == np.flatnonzero(there.reasons[:100]).tolist()
        met = there.losses[:until, 0] < explorer.gate
        assert here["arrival"][0] == (met.argmax() if met.any() else -1) or until < 101
    assert len(page["Hill-ADAM"]["turns"]) >= 1, "nothing turned"


def in_plain_floats(key, x, y):
    """A polynomial of :data:`SURFACES` and its slopes, in the order of the page."""
    if key == "himmelblau":
        a, b = x * x + y - 11, x + y * y - 7
        return a * a + b * b, 4 * x * a + 2 * b, 2 * a + 4 * y * b
    xx, yy = x * x, y * y
    value = (4 - 2.1 * xx + xx * xx / 3) * xx + x * y + (4 * yy - 4) * yy
    return value, ((2 * xx - 8.4) * xx + 8) * x + y, x + (16 * yy - 8) * y


@pytest.mark.own_rounding
@pytest.mark.parametrize("key, gamma, delta", [
    ("camel", 6.0, 1e-4), ("camel", 50.0, 1e-2), ("himmelblau", 300.0, 1e-2),
])  # fmt: skip
def test_on_polynomials_it_has_the_bits_of_the_compiled_engine(node, key, gamma, delta):
    pytest.importorskip("numba")
    from hilladam.experiments._compiled_arithmetic import adam, decide

    explorer = MapExplorer(surface=key, gamma=gamma, delta=delta, steps=500)
    for name in ("Hill-ADAM", "Adam"):
        place, m, v, powers = list(explorer.start), [0.0, 0.0], [0.0, 0.0], [1.0, 1.0]
        climbs, previous, expected, turns = False, math.nan, [tuple(explorer.start)], []
        for step in range(explorer.steps):
            loss, *slopes = in_plain_floats(key, *place)
            if name == "Hill-ADAM":
                climbs, previous, reason = decide(loss, climbs, previous, delta, gamma, -math.inf)
                if reason:
                    turns.append(step)
                    m, v, powers = [0.0, 0.0], [0.0, 0.0], [1.0, 1.0]
            powers = [powers[0] * 0.9, powers[1] * 0.999]
            corrections = [1 / (1 - power) for power in powers]
            for k in (0, 1):
                g = -slopes[k] if climbs else slopes[k]
                rule = (explorer.lr_of(name), *corrections, 0.9, 0.999, 1e-8, 0.0, False)
                place[k], m[k], v[k] = adam(place[k], m[k], v[k], g, *rule)
            expected.append(tuple(place))
        found = node(RUN, job(explorer, [name]))[name]
        np.testing.assert_array_equal(places(found)[:, 0], expected)
        assert [turn["step"] for turn in found["turns"]] == turns
        assert len(turns) > 2 or name == "Adam"


def remembered(name, optimizer, x, lr, t):
    """What torch has in the place of the gradient, and how it scales it, after step t counted from 1; None: unknown."""
    state, g = optimizer.state[x], x.grad
    fixed = torch.full_like(x, lr)
    if name in ("SGD", "momentum", "Nesterov"):
        buffer = state.get("momentum_buffer")
        return {"SGD": g, "momentum": buffer, "Nesterov": g if buffer is None else g + 0.9 * buffer}[name], fixed
    if name == "CoolMomentum":
        return -state["displacement"] / lr, fixed
    if name == "RMSprop":
        return g, lr / (state["square_avg"].sqrt() + 1e-8)
    steps = state["step"].item()
    square = state.get("max_exp_avg_sq", state["exp_avg_sq"]) / (1 - 0.999**steps)
    return state["exp_avg"] / (1 - 0.9**steps), None if name == "RAdam" else lr / (square.sqrt() + 1e-8)


@pytest.mark.parametrize("name", [name for name in RULES if name not in OWN_RATE])
def test_the_arrows_are_what_torch_remembers(node, name):
    explorer = MapExplorer(steps=90, a=name, b="none", start=(1.1, 0.9), delta=1e-2)
    page = node(RUN, job(explorer, [name]))[name]
    x = torch.tensor(explorer.start, dtype=torch.float64)
    optimizer = CONTENDERS[name]([x], explorer.lr_of(name), betas=(0.9, 0.999), delta=1e-2, gamma=6.0, steps=90)
    for t, update in enumerate(page["updates"], 1):
        with torch.enable_grad():
            place = x.detach().clone().requires_grad_()
            loss = explorer.loss(place)
            (x.grad,) = torch.autograd.grad(loss, place)
        before, gradient = x.clone(), x.grad.clone()
        optimizer.step(**({"loss": loss.item()} if name == "Hill-ADAM" else {}))
        near = dict(rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(update["gradient"], gradient, **near)
        np.testing.assert_allclose(update["step"], x - before, **near)
        momentum, scale = remembered(name, optimizer, x, explorer.lr_of(name), t)
        if name == "NAdam":  # whose mean torch makes anew for every step
            momentum = (before - x) / scale
        np.testing.assert_allclose(update["momentum"], momentum, rtol=1e-5, atol=1e-7)
        if scale is not None and abs(x - before).min() > 1e-8:
            np.testing.assert_allclose(update["scale"], scale, rtol=1e-5)
    assert name != "Hill-ADAM" or page["turns"]


@pytest.mark.parametrize("name", OWN_RATE)
def test_the_arrows_of_a_rule_with_its_own_rate_are_what_the_package_remembers(node, name):
    explorer = MapExplorer(steps=90, a=name, b="none", start=(1.1, 0.9))
    page = node(RUN, job(explorer, [name]))[name]
    x = torch.nn.Parameter(torch.tensor(explorer.start, dtype=torch.float64))
    optimizer = OWN_RATE[name]([x], process_group=False)
    walked = 0
    for update in page["updates"]:
        loss = explorer.loss(x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step(loss=loss)
        state, group = optimizer.state[x], optimizer.param_groups[0]
        sign = -1 if group["maximize"] else 1
        np.testing.assert_allclose(update["gradient"], x.grad, rtol=1e-6, atol=1e-6)
        if not state["step"]:  # it walks, or stands at the centre
            walked += 1
            assert update["momentum"] == [0, 0] and update["scale"] == [None, None]
            if group["maximize"]:
                np.testing.assert_allclose(update["step"], group["pace"] * group["lr"] * state["way"], atol=1e-6)
            continue
        count = state["step"].item()
        momentum = sign * state["exp_avg"] / (1 - 0.9**count)
        scale = group["scale"] * group["lr"] / (state["exp_avg_sq"] / (1 - 0.999**count)).sqrt()
        np.testing.assert_allclose(update["momentum"], momentum, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(update["step"], -scale * momentum, rtol=1e-5, atol=1e-6)
    assert (walked > 5) == (name == "over the hill")


@pytest.mark.parametrize("name", ["Hill-ADAM", "momentum"])
def test_the_noise_is_that_of_its_seed_and_the_same_for_all(node, name):
    explorer = MapExplorer(a=name, b="none", steps=40, noise=0.7, seed=5, swarm=True)
    some = [0, 57, 399]
    page = node(RUN, job(explorer, [name]))[name]
    throws = """
import { dice } from "./heat_dynamics.js";
export default ([seeds, count]) => seeds.map((seed) => {
  const source = dice(seed);
  return Array.from({ length: count }, source.normal);
});
"""
    normal = np.array(node(throws, [[5 + 1_000_000 * k for k in some], 80])).reshape(3, 40, 2)
    for ball, draws in zip(some, normal, strict=True):
        x = torch.tensor(explorer.starts[ball])
        optimizer = CONTENDERS[name]([x], explorer.lr_of(name), betas=(0.9, 0.999), delta=1e-4, gamma=6.0)
        for t in range(40):
            np.testing.assert_allclose(places(page)[t, ball], x, rtol=0, atol=1e-8)
            loss, gradient = explorer.loss.value_and_gradient(x)
            x.grad = torch.tensor(gradient, dtype=torch.float64) + 0.7 * torch.from_numpy(draws[t])
            np.testing.assert_allclose([page["gx"][t][ball], page["gy"][t][ball]], x.grad, rtol=0, atol=1e-6)
            optimizer.step(**({"loss": loss} if name == "Hill-ADAM" else {}))
    explorer.seed = 6
    assert (places(node(RUN, job(explorer, [name]))[name])[-1] != places(page)[-1]).all()


def test_a_swarm_is_four_hundred_runs(node):
    explorer = MapExplorer(swarm=True, steps=100)
    page, runs = node(RUN, job(explorer, explorer.optimizers)), explorer.run()
    assert explorer.starts.shape == (400, 2) and len(np.unique(explorer.starts, axis=0)) == 400
    for name, record in runs.items():
        assert np.quantile(abs(places(page[name]) - record.states).max(axis=(0, 2)), 0.99) < 1e-9
        met = record.losses < explorer.gate
        arrival = np.where(met.any(axis=0), met.argmax(axis=0), -1)
        assert (arrival == page[name]["arrival"]).mean() > 0.99
    valley = """
import { valley } from "./map_dynamics.js";
export default ([scene, places]) => places.map(([x, y]) => valley(scene, x, y));
"""
    ends = runs["Hill-ADAM"].final_states
    here = node(valley, [landscape_of("camel"), ends.tolist()])
    assert here == explorer.valleys(ends).tolist() and set(here) == {-1, 0, 1, 2, 3, 4, 5}


@pytest.mark.parametrize("key", SURFACES)
def test_a_short_descent_from_a_minimum_counts_as_there(key):
    explorer = MapExplorer(surface=key, swarm=True)
    minima = explorer.loss.minima
    found = np.array([point.x for point in minima])
    assert explorer.valleys(found).tolist() == list(range(len(minima)))
    assert all((point.value < explorer.gate) == (point.value < minima[0].value + 0.02) for point in minima)
    left, right, bottom, top = landscape_of(key)["box"]
    assert ((explorer.starts > [left, bottom]) & (explorer.starts < [right, top])).all()


@pytest.mark.parametrize("settings", [
    {}, {"step": 40}, {"swarm": True, "step": 30}, {"swarm": True, "b": "none", "step": 3, "noise": 1.0},
    {"surface": "mueller_brown", "step": 20, "b": "Adam", "a": "Adam"},
    {"surface": "himmelblau", "step": 60, "a": "over the hill", "b": "self-tuning Hill-ADAM"},
    {"surface": "rastrigin", "step": 3, "a": "over the hill", "b": "none", "swarm": True},
], ids=str)  # fmt: skip
def test_the_picture_shows_what_is_set(settings):
    explorer = MapExplorer(**settings)
    above, other = explorer.picture().axes
    if explorer.swarm:
        met = (
            (next(iter(explorer._run(explorer.a, explorer.step) for _ in "1")).losses < explorer.gate).any(axis=0).sum()
        )
        assert above.get_title("left") == f"{explorer.a}: {met} of 400 have met a deepest valley"
    else:
        assert above.get_title("left") == f"after {explorer.step or explorer.steps} gradients"
        assert {text.get_text() for text in above.texts} == set(explorer.optimizers)
    assert hasattr(other, "get_zlim") == (not explorer.swarm or len(explorer.optimizers) == 1)


def test_the_track_of_a_walk_begins_anew_where_the_walk_did():
    explorer = MapExplorer(surface="rastrigin", steps=400, a="over the hill", b="none", noise=0.5, seed=3)
    record = explorer.run()["over the hill"]
    places, climbs = explorer._track("over the hill", record)
    lines = np.stack([places[:-1], places[1:]], axis=1)
    whole = ~np.isnan(lines).any(axis=(1, 2))
    begins, ends = lines[whole].transpose(1, 0, 2)
    np.testing.assert_array_equal(ends, record.states[1:, 0])
    np.testing.assert_array_equal(climbs[:-1][whole], record.maximize[:-1, 0])
    anew = (begins != record.states[:-1, 0]).any(axis=1)
    assert anew.sum() >= 3 and record.maximize[:-1, 0][anew].any(), "no walk from the centre"
    assert len(np.unique(begins[anew & record.maximize[:-1, 0]], axis=0)) < anew.sum(), "each began somewhere else"


def test_its_rules_are_contenders_with_a_rate_on_every_surface():
    assert set(RULES) - set(CONTENDERS) == set(OWN_RATE)
    explorer = MapExplorer(rates={"Adam": 0.3})
    assert explorer.lr_of("Adam") == 0.3 and explorer.lr_of("Hill-ADAM") == landscape_of("camel")["lr"]["Hill-ADAM"]
    assert MapExplorer(a="Adam", b="Adam").optimizers == MapExplorer(a="Adam", b="none").optimizers == ["Adam"]


@pytest.mark.parametrize("trait, value", [
    ("surface", "sphere"), ("a", "none"), ("b", "Langevin"), ("rates", {"Adam": -1.0}), ("rates", {"L-BFGS": 1.0}),
    ("start", (0.0, float("inf"))), ("start", (1.0,)), ("noise", -1.0), ("seed", 1_000_000), ("beta1", 1.0),
    ("steps", 1001), ("step", -1), ("side", "both"), ("elevation", 5.0), ("gamma", float("nan")),
])  # fmt: skip
def test_bad_settings_are_refused(trait, value):
    with pytest.raises(traitlets.TraitError, match=trait):
        MapExplorer(**{trait: value})
