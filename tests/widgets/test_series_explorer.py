"""What the series explorer shows in the page is what theory says."""

import re

import numpy as np
import pytest
import torch
import traitlets

from hilladam import theory
from hilladam.losses import DOUBLE_WELL
from hilladam.widgets import SeriesExplorer

BETAS = [(0.9, 0.999), (0.9, 0.9), (0.0, 0.5), (0.95, 0.99), (0.9, 0.5), (0.9999, 0.9999), (0.5, 0.0)]
STARTS = ["zero", "first"]
SERIES = """
import { PRESETS, largest, series, weights } from "./series_dynamics.js";
export default (cases) => cases.map(({ start, t, gradients, preset, ...settings }) => {
  const grads = preset === "own" ? gradients : PRESETS[preset](t, settings);
  const total = settings.silence + t;
  return {
    values: grads,
    weights: [settings.beta1, settings.beta2].map((beta) => weights(total, beta, start, t)),
    series: series(grads, settings, start),
    largest: largest(total, settings, start, t),
  };
});
"""


@pytest.mark.parametrize("preset", ["constant", "alternating", "spike", "growing", "slide", "own"])
def test_weights_and_steps_are_theorys(node, preset):
    own = torch.randn(40, generator=torch.Generator().manual_seed(5343), dtype=torch.float64).tolist()
    explorer = SeriesExplorer(preset=preset)
    names = "start", "t", "gradients", "preset", "silence", "beta1", "beta2"
    cases = [
        dict(zip(names, (start, t, own if preset == "own" else [], preset, silence, *betas), strict=True))
        for start in STARTS for t in (1, 2, 17, 40) for silence in (0, 300) for betas in BETAS
    ]  # fmt: skip
    for case, page in zip(cases, node(SERIES, [c | {"gradients": own[: c["t"]]} for c in cases]), strict=True):
        for name in names:
            setattr(explorer, name, case[name])
        assert np.allclose(page["values"], explorer.values(), rtol=1e-12, atol=1e-12)
        assert np.allclose(page["weights"], explorer.weights(), rtol=1e-12, atol=0)
        # A mean of alternating gradients is a small difference of large numbers.
        steps = [each["step"] for each in page["series"]]
        assert np.allclose(steps, explorer.steps(), rtol=1e-12, atol=1e-12)
        if page["largest"] is None:  # JSON's infinity
            assert explorer.largest() == np.inf
        else:
            assert np.isclose(page["largest"], explorer.largest(), rtol=1e-12)


def test_the_steps_are_averages_over_roots(node):
    settings = dict(start="zero", t=30, gradients=[], preset="slide", silence=0, beta1=0.9, beta2=0.999)
    (page,) = node(SERIES, [settings])
    a, b = page["weights"]
    grads = np.array(page["values"])
    last = page["series"][-1]
    assert np.isclose(last["momentum"], grads @ a, rtol=1e-12)
    assert np.isclose(last["root"], np.sqrt(grads**2 @ b), rtol=1e-12)


def test_the_slide_is_torchs():
    states, grads = theory.record(DOUBLE_WELL.derivative, 2.0, 30, 0.05)
    explorer = SeriesExplorer(preset="slide", t=30)
    assert np.allclose(explorer.values(), grads / grads[0], atol=1e-12)
    assert np.allclose(explorer.steps(), -np.diff(states) / 0.05, atol=1e-8)


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.9, 0.81), (0.5, 0.9)])
def test_growing_gradients_make_every_step_as_long_as_it_can_be(betas):
    explorer = SeriesExplorer(beta1=betas[0], beta2=betas[1], preset="growing", t=40)
    steps = theory.largest_step(np.arange(1, 41), betas)
    assert explorer.largest() == pytest.approx(steps[-1], rel=1e-12)
    assert np.allclose(explorer.steps()[-1], steps[-1], rtol=1e-6)  # up to ε


def test_the_task_can_be_done():
    isolated = SeriesExplorer(silence=10_000, preset="spike")
    growing = SeriesExplorer(silence=10_000, preset="growing")
    assert isolated.steps()[-1] == pytest.approx(0.1 / 0.001**0.5, rel=1e-4)
    assert growing.steps()[-1] > 7.2


def test_own_gradients_are_kept_and_shown():
    explorer = SeriesExplorer(gradients=[1.0, -2.0], t=4)
    assert explorer.preset == "own" and explorer.values().tolist() == [1, -2, 0, 0]
    explorer.t = 1
    assert explorer.values().tolist() == [1]
    explorer.preset = "constant"
    assert explorer.values().tolist() == [1] and explorer.gradients == [1, -2]
    explorer.preset = "own"
    explorer.t = 2
    assert explorer.values().tolist() == [1, -2]


@pytest.mark.parametrize(
    "wrong",
    [{"t": 0}, {"t": 41}, {"beta1": 1.0}, {"beta2": -0.1}, {"beta1": float("nan")}, {"start": "middle"},
     {"silence": -1}, {"preset": "wild"}, {"gradients": [1.0] * 41}, {"gradients": [float("inf")]},
     {"gradients": ["1"]}, {"task": 3}],
)  # fmt: skip
def test_malformed_settings_raise(wrong):
    with pytest.raises(traitlets.TraitError):
        SeriesExplorer(**wrong)


@pytest.mark.parametrize(
    "settings", [{}, {"start": "first", "t": 1}, {"beta2": 0.0, "preset": "growing"}, {"gradients": [0.0]}]
)
def test_picture_and_words_carry_no_address(settings):
    explorer = SeriesExplorer(**settings)
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["image/png"].startswith("iVBOR")
    assert not re.search("0x[0-9a-f]{6}", repr(explorer)) and repr(explorer) == repr(SeriesExplorer(**settings))
