"""The bar code of the page is that of the package."""

import math

import numpy as np
import pytest
from traitlets import TraitError

from hilladam.experiments import run_points
from hilladam.widgets import BarCodeExplorer

ARRIVALS = """
import { arrival, run } from "./dynamics.js";
export default (jobs) => jobs.map(({ scene, starts, name, gamma, ...settings }) => {
  settings.gamma = gamma ?? Infinity;
  const found = starts.map((x) => arrival(scene, x, name, settings, scene.gate));
  const first = ({ loss }) => loss.findIndex((value, t) => value < scene.gate && t < settings.steps);
  const way = starts.map((x) => first(run(scene, x, name, settings)));
  return [found, way];
});
"""
SETTINGS = [
    dict(loss="sixth", lr=0.01, delta=1e-3, gamma=200.0, steps=300),
    dict(loss="sixth", lr=0.03, delta=1e-5, gamma=math.inf, steps=1000, beta1=0.5, beta2=0.99),
    dict(loss="double well", lr=0.03, delta=1e-4, gamma=20.0, steps=2000),
    dict(loss="eighth", lr=0.02, delta=1e-2, gamma=30.0, steps=500),
    dict(loss="tenth", lr=0.02, delta=1e-3, gamma=200.0, steps=5000),
]


def test_the_same_starts_arrive_at_the_same_step(node):
    """All 240 starts, bit for bit: the first step below the gate is the same one, or there is none on either side."""
    pytest.importorskip("numba")
    jobs, expected = [], []
    for settings in SETTINGS:
        explorer = BarCodeExplorer(**settings)
        scene, state = explorer.landscapes[explorer.loss], explorer.get_state()
        rule = {name: state[name] for name in ("lr", "beta1", "beta2", "delta", "gamma", "steps")}
        for name in ("Hill-ADAM", "Adam"):
            jobs.append(rule | {"scene": scene, "starts": explorer.starts.tolist(), "name": name})
            losses = explorer._run(explorer.starts, name).losses
            below = losses < scene["gate"]
            expected.append((np.where(below.any(0), below.argmax(0), -1), explorer.reached(name)))
    for (found, way), (steps, reached) in zip(node(ARRIVALS, jobs), expected, strict=True):
        assert len(found) == 240
        np.testing.assert_array_equal(found, steps)
        np.testing.assert_array_equal(found, way)
        np.testing.assert_array_equal(np.array(found) >= 0, reached)


def test_the_strip_has_both_colours_and_adam_crosses_from_nowhere():
    explorer = BarCodeExplorer()
    outside = explorer.starts > explorer.landscapes["sixth"]["maxima"][0]
    share = explorer.reached()[outside].mean()
    assert 0.3 < share < 0.5 and explorer.reached()[~outside].all()
    assert np.abs(np.diff(explorer.reached()[outside].astype(int))).sum() > 20, "no bar code"
    assert not explorer.reached("Adam")[outside].any(), "what rests on a floor is not below it"


def test_the_run_is_the_one_of_its_start():
    explorer = BarCodeExplorer()
    run = run_points(explorer.polynomial, [0.1], 300, lr=0.01, delta=1e-3).member(0)
    np.testing.assert_array_equal(explorer.run().losses, run.losses)
    assert explorer.run("Adam").best_losses == pytest.approx(5.1923, abs=1e-3)


def test_start_and_gamma_suit_the_loss():
    assert (BarCodeExplorer(loss="double well").gamma, BarCodeExplorer().gamma) == (20.0, 200.0)
    assert BarCodeExplorer(loss="tenth").start == 3.8


@pytest.mark.parametrize(("trait", "value"), [("loss", "x2"), ("lr", -1), ("steps", 0), ("beta1", 1.0), ("step", -1)])
def test_bad_settings_are_refused(trait, value):
    with pytest.raises(TraitError, match=trait):
        BarCodeExplorer(**{trait: value})
