"""What the page trains is Experiment 1, step by step."""

import math
import re

import numpy as np
import pytest
import traitlets

from hilladam.experiments import PAPER_TABLE_1, network, run_networks
from hilladam.losses import TABLE_1
from hilladam.widgets import TrainingExplorer

RUNS = """
import { begin } from "./training_dynamics.js";
export default (jobs) => jobs.map(({ loss, weights, ...settings }) => weights.map((first) => {
  settings.gamma ??= Infinity;
  const { record, advance } = begin(loss, first, settings);
  while (record.done < settings.steps) advance(7); // in slices it is the same
  return { ...record, x: [...record.x], climbs: [...record.climbs] };
}));
"""
SETTINGS = [
    dict(lr=0.01, delta=1e-4, gamma=200.0),
    dict(lr=0.1, delta=1e-3, gamma=30.0, scale=3.0),
    dict(lr=0.01, delta=0.0, gamma=math.inf),  # Adam
    dict(lr=3e30, delta=0.0, gamma=math.inf),  # to infinity, and to numbers that are none
]


def jobs(explorer, seeds, steps, activation, settings):
    rule = {"scale": 1.0} | settings | {"sizes": list(explorer.sizes), "steps": steps, "activation": activation}
    rule["gamma"] = None if math.isinf(rule["gamma"]) else rule["gamma"]
    weights = [explorer.weights[seed] for seed in seeds]
    return [{"loss": loss, "weights": weights, **rule} for loss in explorer.losses.values()]


def of_json(numbers):
    return np.array(numbers, dtype=float)  # null, for what is not finite, becomes NaN


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("activation", ["none", "relu"])
def test_a_run_has_the_bits_of_the_compiled_engine(node, activation, settings):
    pytest.importorskip("numba")
    seeds, steps, turns = [0, 3, 14], 3000, 0
    explorer = TrainingExplorer()
    for key, page in zip(TABLE_1, node(RUNS, jobs(explorer, seeds, steps, activation, settings)), strict=True):
        here = run_networks(TABLE_1[key], seeds, steps, activation=activation, **settings)
        for member, found in enumerate(page):
            there = here.member(member)
            states = there.states[:, 0]
            np.testing.assert_array_equal(of_json(found["x"]), np.where(np.isfinite(states), states, np.nan))
            np.testing.assert_array_equal(found["climbs"], there.maximize)
            assert (found["best"], found["bestX"]) == (there.best_losses, there.best_states.item())
            assert found["x"][found["bestStep"]] == found["bestX"]
            assert found["turns"] == there.turns
            turns += there.turns
    assert bool(turns) == bool(settings["delta"])


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_other_activations_are_equal_up_to_rounding(node, activation):
    pytest.importorskip("numba")
    explorer, seeds, settings = TrainingExplorer(), [0, 3, 14], dict(lr=0.01, delta=0.0, gamma=math.inf)
    for key, page in zip(TABLE_1, node(RUNS, jobs(explorer, seeds, 2000, activation, settings)), strict=True):
        here = run_networks(TABLE_1[key], seeds, 2000, activation=activation, delta=0.0, lr=0.01)
        found = np.transpose([run["x"] for run in page])
        np.testing.assert_allclose(found, here.states[..., 0], rtol=0, atol=1e-9, err_msg=key)
    settings = dict(lr=0.01, delta=1e-4, gamma=200.0)  # and as long as no turn has magnified a difference
    for key, page in zip(TABLE_1, node(RUNS, jobs(explorer, seeds, 150, activation, settings)), strict=True):
        here = run_networks(TABLE_1[key], seeds, 150, activation=activation, **settings)
        found = np.transpose([run["x"] for run in page])
        np.testing.assert_allclose(found, here.states[..., 0], rtol=0, atol=1e-9, err_msg=key)


WORKER = """
import { runInNewContext } from "node:vm";
import { workerSource } from "./training_dynamics.js";
export default (experiment) => {
  const sent = [];
  const self = { postMessage: ({ seed, optimizer, record }, moved) =>
    sent.push({ seed, optimizer, best: record.best, done: record.done, moved: moved.length }) };
  runInNewContext(workerSource(), { self });
  for (const rule of Object.values(experiment.optimizers)) rule.gamma ??= Infinity;
  self.onmessage({ data: experiment });
  return sent;
};
"""


def test_the_worker_needs_nothing_but_its_script(node):
    explorer = TrainingExplorer(loss="eighth", steps=500)
    optimizers = {"Adam": {"delta": 0, "gamma": None}, "Hill-ADAM": {"delta": explorer.delta, "gamma": explorer.gamma}}
    names = ("sizes", "weights", "steps", "lr", "activation", "scale")
    experiment = {name: getattr(explorer, name) for name in names}
    sent = node(WORKER, experiment | {"loss": explorer.losses["eighth"], "optimizers": optimizers})
    assert [(each["seed"], each["optimizer"]) for each in sent] == [(s, name) for s in range(15) for name in optimizers]
    assert all(each["done"] == 500 and each["moved"] == 2 for each in sent)
    for name, record in explorer.run().items():
        found = [each["best"] for each in sent if each["optimizer"] == name]
        np.testing.assert_allclose(found, record.best_losses, rtol=0, atol=1e-6)


def test_the_weights_are_those_that_torch_draws():
    explorer = TrainingExplorer()
    assert len(explorer.weights) == 15
    for seed, weights in enumerate(explorer.weights):
        assert weights == [w for p in network(seed=seed).parameters() for w in p.flatten().tolist()]


def test_the_papers_means_are_read_as_mixtures():
    losses = TrainingExplorer().losses
    assert losses["sixth"]["paper"]["Hill-ADAM"] == {"mean": 3.3475, "counts": [12, 3]}
    for key, loss in losses.items():
        for name, printed in loss["paper"].items():
            assert printed["mean"] == PAPER_TABLE_1[key][name]
            if printed["counts"]:
                mixture = np.dot(printed["counts"], [value for _, value in loss["minima"]]) / 15
                assert sum(printed["counts"]) == 15 and mixture == pytest.approx(printed["mean"], abs=5e-5)


@pytest.mark.parametrize(
    "wrong",
    [{"loss": "sine"}, {"activation": "gelu"}, {"steps": 0}, {"steps": 15_001}, {"lr": math.nan}, {"lr": -1.0},
     {"delta": -1e-4}, {"gamma": -math.inf}, {"scale": 0.0}, {"seed": 15}, {"seed": -1}, {"task": None}],
)  # fmt: skip
def test_malformed_settings_raise(wrong):
    with pytest.raises(traitlets.TraitError):
        TrainingExplorer(**wrong)


@pytest.mark.parametrize("settings", [{}, {"loss": "x2", "gamma": math.inf}, {"activation": "relu", "lr": 1e3}])
def test_picture_and_words_carry_no_address(settings):
    explorer = TrainingExplorer(steps=300, **settings)
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["image/png"].startswith("iVBOR")
    assert not re.search("0x[0-9a-f]{6}", repr(explorer)) and repr(explorer) == repr(
        TrainingExplorer(steps=300, **settings)
    )
