"""What runs in the page is what runs in torch."""

import math

import numpy as np
import pytest
import torch

from hilladam.experiments import Points, run_points, train
from hilladam.losses import DOUBLE_WELL, TABLE_1, Polynomial, stack
from hilladam.optim import REASONS, decide
from hilladam.widgets import HillExplorer

LOSSES = ["double well", *TABLE_1]
NAMES = ["Hill-ADAM", "Adam", "momentum", "RMSprop", "NAdam", "RAdam", "CoolMomentum"]
HILL_SETTINGS = [
    {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "delta": 1e-4},
    {"lr": 0.001, "beta1": 0.95, "beta2": 0.999, "delta": 1e-6},
    {"lr": 0.003, "beta1": 0.8, "beta2": 0.99, "delta": 1e-3, "gamma": 30.0},
    {"lr": 0.02, "beta1": 0.0, "beta2": 0.99, "delta": 1e-2, "gamma": math.inf},
]
# With a shorter second memory a run at rest divides rounding errors by rounding errors.
SETTINGS = [
    {"lr": 0.01, "beta1": 0.9, "beta2": 0.999},
    {"lr": 0.001, "beta1": 0.95, "beta2": 0.999},
    {"lr": 0.003, "beta1": 0.0, "beta2": 0.9995},
]
RUN = """
import { run } from "./dynamics.js";
export default (jobs) =>
  jobs.map(({ polynomial, start, optimizers, ...settings }) => {
    settings.gamma ??= Infinity;
    return optimizers.map((name) => {
      const { x, loss, climbs, switches, best } = run(polynomial, start, name, settings);
      return { x: [...x], climbs: [...climbs], switches, best: loss[best[settings.steps - 1]] };
    });
  });
"""
FEED = """
import { OPTIMIZERS } from "./dynamics.js";
export default ({ grads, optimizers, ...settings }) =>
  optimizers.map((name) => {
    const step = OPTIMIZERS[name](settings);
    let x = 0;
    return grads.map((g) => (x = step(x, g)));
  });
"""


def job(explorer):
    names = ("optimizers", "start", "lr", "beta1", "beta2", "delta", "gamma", "steps")
    settings = {name: getattr(explorer, name) for name in names}
    settings["gamma"] = None if math.isinf(explorer.gamma) else explorer.gamma
    return settings | {"polynomial": explorer.presets[explorer.loss]}


@pytest.mark.parametrize("settings", HILL_SETTINGS, ids=str)
@pytest.mark.parametrize("loss", LOSSES)
def test_hill_adam_equals_torch(node, loss, settings):
    explorer = HillExplorer(loss=loss, optimizers=["Hill-ADAM"], steps=1000, **settings)
    ((here,),), there = node(RUN, [job(explorer)]), explorer.run()["Hill-ADAM"]
    np.testing.assert_allclose(here["x"][:-1], there.states.ravel(), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(here["climbs"], there.maximize)
    assert [turn["step"] for turn in here["switches"]] == there.switches.tolist()
    assert here["best"] == pytest.approx(there.best_losses, abs=1e-9)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_others_equal_torch(node, settings):
    others = [name for name in NAMES if name != "Hill-ADAM"]
    explorers = [HillExplorer(loss=loss, optimizers=others, steps=1000, **settings) for loss in LOSSES]
    paths = node(RUN, [job(explorer) for explorer in explorers])
    losses = stack([explorer.polynomial for explorer in explorers])
    for i, name in enumerate(others):  # which work element by element, so that all losses run at once
        points = Points(torch.tensor([explorer.start for explorer in explorers], dtype=torch.float64))
        states = train(points, losses, explorers[0]._optimizer(name, points.parameters), 1000).states
        for loss, path, there in zip(LOSSES, paths, states.T, strict=True):
            # A run that leaves for infinity is followed as long as its numbers have a meaning.
            near = np.logical_and.accumulate(abs(there) < 10)
            assert near.all() or (name not in ("Adam", "NAdam", "RMSprop"))
            here = np.array(path[i]["x"][:-1], dtype=float)
            np.testing.assert_allclose(here[near], there[near], rtol=0, atol=1e-9, err_msg=f"{name}, {loss}")


@pytest.mark.parametrize("lr", [1e-4, 0.1, 1.0])
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.0, 0.5), (0.99, 0.9)])
def test_steps_equal_torch_on_any_gradients(node, lr, betas):
    """Also where a run would be chaos, in which two roundings part: here both are given the same gradients."""
    explorer = HillExplorer(lr=lr, beta1=betas[0], beta2=betas[1], steps=1000)
    names = [name for name in NAMES if name != "Hill-ADAM"]
    grads = torch.randn(1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 10
    steps = node(FEED, job(explorer) | {"optimizers": names, "grads": grads.tolist()})
    for name, taken in zip(names, steps, strict=True):
        x = torch.zeros(1, dtype=torch.float64)
        optimizer, path = explorer._optimizer(name, [x]), []
        for grad in grads:
            x.grad = grad.view(1)
            optimizer.step()
            path.append(x.item())
        scale = max(1.0, max(map(abs, path)))
        np.testing.assert_allclose(taken, path, rtol=0, atol=1e-12 * scale, err_msg=name)


EVERY_STEP = """
import { run } from "./dynamics.js";
export default (jobs) =>
  jobs.map(({ polynomial, start, name, steps, ...settings }) => {
    settings.gamma ??= Infinity;
    const { x, loss, climbs, switches } = run(polynomial, start, name, { ...settings, steps });
    return { x: [...x], loss: [...loss], climbs: [...climbs], switches };
  });
"""
BIT_FOR_BIT = [
    dict(lr=0.01, beta1=0.9, beta2=0.999, delta=1e-4, gamma=200.0),
    dict(lr=0.05, beta1=0.9, beta2=0.999, delta=1e-3, gamma=30.0),
    dict(lr=0.003, beta1=0.0, beta2=0.9, delta=1e-5, gamma=12.0, eps=1e-6),
    dict(lr=0.02, beta1=0.8, beta2=0.99, delta=1e-2, gamma=None),
    dict(lr=0.01, beta1=0.9, beta2=0.999, delta=1e-4, gamma=20.0, floor=0.5),
    dict(lr=3e60, beta1=0.9, beta2=0.999, delta=1e-4, gamma=None),  # to infinity, and to numbers that are none
]


@pytest.mark.parametrize("name", ["Hill-ADAM", "Adam"])
def test_the_compiled_engine_has_the_same_bits(node, name):
    pytest.importorskip("numba")
    steps, seen, polynomials = 10_000, set(), [DOUBLE_WELL, *TABLE_1.values()]
    for rule in BIT_FOR_BIT:
        jobs = [{"polynomial": {"coefficients": loss.about_centre, "centre": loss.middle}, "start": 1.7, "name": name,
                 "steps": steps, **rule} for loss in polynomials]  # fmt: skip
        rule = {key: math.inf if value is None else value for key, value in rule.items()}
        betas = rule.pop("beta1"), rule.pop("beta2")
        if name == "Adam":
            rule = dict(lr=rule["lr"], eps=rule.get("eps", 1e-8), delta=0.0)
        here = run_points(polynomials, [1.7] * len(polynomials), steps, betas=betas, **rule)
        for i, there in enumerate(node(EVERY_STEP, jobs)):
            run = here.member(i)
            for found, expected in ((there["x"], run.states), (there["loss"], run.losses)):
                finite = np.where(np.isfinite(expected), expected, np.nan)  # JSON has null for the others
                np.testing.assert_array_equal(np.array(found[:-1], dtype=float), finite)
            np.testing.assert_array_equal(there["climbs"], run.maximize)
            assert [(turn["step"], REASONS.index(turn["reason"])) for turn in there["switches"]] == [
                (step, run.reasons[step]) for step in run.switches
            ]
            seen |= set(run.reasons)
    assert seen == ({0, 1, 2, 3} if name == "Hill-ADAM" else {0})


def test_decides_as_the_package_does(node):
    numbers = [0.0, 1.0, 1.0 + 1e-5, 250.0, math.inf, -math.inf, math.nan]
    cases = [
        (loss, climbs, previous, delta, gamma, floor)
        for loss in numbers for climbs in (False, True) for previous in numbers
        for delta in (0.0, 1e-4) for gamma in (200.0, math.inf) for floor in (-math.inf, 0.5)
    ]  # fmt: skip
    source = """
    import { decide } from "./dynamics.js";
    const number = (text) => ({ inf: Infinity, "-inf": -Infinity, nan: NaN })[text] ?? Number(text);
    export default (cases) =>
      cases.map(([loss, climbs, ...rest]) => {
        const decision = decide(number(loss), climbs, ...rest.map(number));
        return [decision.climbs, String(decision.previous), decision.reason];
      });
    """
    words = [[case[1] if i == 1 else str(value) for i, value in enumerate(case)] for case in cases]
    for case, (climbs, previous, reason) in zip(cases, node(source, words), strict=True):
        expected = decide(*case)
        assert climbs == expected.maximize, case
        assert float(previous) == expected.previous_loss or math.isnan(expected.previous_loss), case
        assert reason == ("", *REASONS[1:])[expected.reason], case


STEEP = Polynomial("(x - 3)^6", (1, -18, 135, -540, 1215, -1458, 729))
EXTREMA = 'import { extrema } from "./dynamics.js";\nexport default (polynomials) => polynomials.map(extrema);'


@pytest.mark.parametrize("loss", [DOUBLE_WELL, *TABLE_1.values(), Polynomial("flat", (1, 0, 0, 0, 0)), STEEP], ids=str)
def test_finds_the_extrema(node, loss):
    (found,) = node(EXTREMA, [{"coefficients": loss.about_centre, "centre": loss.middle}])
    expected = [p for p in loss.stationary_points if p.kind != "inflection"]
    assert [p["kind"] for p in found] == [p.kind for p in expected]
    for here, there in zip(found, expected, strict=True):
        # A root of high order is known no better.
        assert here["x"] == pytest.approx(there.x, abs=1e-2 if loss is STEEP else 1e-6)
        assert here["value"] == pytest.approx(there.value, abs=1e-9)
