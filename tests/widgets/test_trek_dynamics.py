"""The page's walk over the hill is the package's: what it decides to the last bit, where it goes up to rounding."""

import math

import numpy as np
import pytest
import torch

from hilladam import AdaptiveHillAdam, OverTheHill
from hilladam.experiments import journey
from hilladam.losses import SURFACES
from hilladam.optim import MOVES, TREK_REASONS, Trek, guide
from hilladam.optim._frame import orthogonal_frame
from hilladam.widgets import MapExplorer
from hilladam.widgets._map_explorer import FRAMES

GUIDE = """
import { TREK, guide } from "./trek_dynamics.js";
const words = (value) => (typeof value === "number" && !Number.isFinite(value) ? `${value}` : value);
const read = (value) => (typeof value === "string" ? Number(value) : value);
const each = (trek, change) => Object.fromEntries(Object.entries(trek).map(([name, value]) => [name, change(value)]));
export default (asked) => [
  each(TREK, words),
  ...asked.map(({ trek, walking, numbers, rule }) => {
    const now = each(trek, read);
    return { ...guide(now, walking, ...numbers.map(read), rule), trek: each(now, words) };
  }),
];
"""
RUN = """
import { Flock } from "./map_dynamics.js";
export default ({ surface, starts, names, steps, frames, ...settings }) =>
  names.map((name) => {
    const flock = new Flock(surface, starts, name, { ...settings, steps, frames, lr: 1e-4 });
    while (flock.done < steps) flock.advance();
    const { x, y, loss, climbs, turns, gx, gy } = flock;
    const rows = Object.entries({ x, y, loss, climbs, gx, gy });
    const lists = rows.map(([key, each]) => [key, each.map((row) => [...row])]);
    const origins = Array.from({ length: steps }, (_, t) => flock.origin(t));
    return { ...Object.fromEntries(lists), turns, origins };
  });
"""


def worded(value):
    """A number as the page can read it."""
    return str(value).replace("inf", "Infinity").replace("nan", "NaN") if not math.isfinite(value) else value


def told(trek):
    """What is remembered, whole numbers as floats: JSON knows no difference."""
    return {key: value if isinstance(value, str) else float(value) for key, value in trek.items()}


def moments(asked):
    """Chains of losses and slopes, as far as the rule goes with them: each question and the package's answer."""
    rng = np.random.default_rng(asked)
    trek, walking, kappa, scale = Trek(), False, asked % 2 / 2, 10.0 ** rng.integers(-3, 4)
    delta, found = (3e-3, 0.3)[asked // 2 % 2], []
    losses = scale * rng.normal(size=400) * rng.choice([1e-3, 1.0], 400)
    losses[rng.integers(400, size=8)] = [math.nan, math.inf] * 4
    changes = scale * rng.normal(size=(400, 2)) * rng.choice([0.0, 1e-4, 1.0], (400, 1), p=[0.05, 0.25, 0.7])
    for loss, (slope, bend) in zip(losses.tolist(), changes.tolist(), strict=True):
        rule = {"delta": delta, "kappa": kappa, "directions": 4}
        numbers = (loss, slope, 0.0 if walking else bend)
        advice = guide(trek, walking, *numbers, **rule)
        found.append((trek, walking, numbers, rule, advice))
        trek, walking = advice.trek, advice.walking
    return found


def travelled(key, start, kappa):
    """What the rule is asked on its way over a surface, and what it says."""
    asked = []

    def listening(trek, walking, loss, slope, bend, *rule, **settles):
        advice = guide(trek, walking, loss, slope, bend, *rule, **settles)
        named = dict(zip(("delta", "kappa", "directions"), rule, strict=True))
        asked.append((trek, walking, (loss, slope, bend), named, advice))
        return advice

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hilladam.optim._over_the_hill.guide", listening)
        journey(SURFACES[key], start, 150, kappa=kappa)
    return asked


@pytest.fixture(scope="module")
def questions():
    found = [each for asked in range(8) for each in moments(asked)]
    for key, start in {"rastrigin": (3.3, 2.2), "camel": (1.6, -0.3), "mueller_brown": (0.9, 0.5)}.items():
        for kappa in (0.0, 0.5):
            found += travelled(key, start, kappa)
    return found


def test_it_decides_with_the_bits_of_the_package(node, questions):
    asked = [
        {"trek": {key: worded(value) for key, value in trek._asdict().items()}, "walking": walking,
         "numbers": [worded(number) for number in numbers], "rule": rule}
        for trek, walking, numbers, rule, _ in questions
    ]  # fmt: skip
    begin, *found = node(GUIDE, asked)
    assert told(begin) == told({key: worded(value) for key, value in Trek()._asdict().items()})
    for (*_, advice), said in zip(questions, found, strict=True):
        assert told(said["trek"]) == told({key: worded(value) for key, value in advice.trek._asdict().items()})
        assert (said["walking"], said["move"], said["reason"] or "none", said["rose"]) == (
            advice.walking, MOVES[advice.move], TREK_REASONS[advice.reason], advice.rose
        )  # fmt: skip
    assert {MOVES[advice.move] for *_, advice in questions} == set(MOVES), "a move that was never asked for"
    assert {TREK_REASONS[advice.reason] for *_, advice in questions} == set(TREK_REASONS)


def runs(node, explorer, names, **settings):
    given = dict(surface=explorer.surface, starts=explorer.starts.tolist(), names=names, steps=explorer.steps,
                 frames=explorer.frames, beta1=0.9, beta2=0.999, noise=0.0, seed=1)  # fmt: skip
    return node(RUN, given | settings)


@pytest.mark.parametrize("start", [(1.6, -0.3), (-1.1, 1.9)], ids=str)
@pytest.mark.parametrize("key, steps", [("camel", 300), ("himmelblau", 300), ("rastrigin", 60), ("mueller_brown", 60)])
def test_it_goes_where_the_package_goes(node, key, steps, start):
    explorer = MapExplorer(surface=key, start=start, steps=steps)
    (here,) = runs(node, explorer, ["over the hill"])
    there = journey(explorer.loss, start, steps + 1)
    places = np.stack([here["x"], here["y"]], axis=-1)[:, 0]
    np.testing.assert_allclose(places, there.places, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(np.ravel(here["climbs"]), there.walking[1:])
    origins = [place if origin is None else origin for place, origin in zip(places, here["origins"], strict=False)]
    np.testing.assert_allclose(origins, there.origins[1:], rtol=0, atol=1e-6)
    assert there.walking.any() and (there.origins[1:] != there.places[:-1]).any(), "no walk, or none from the centre"


@pytest.mark.parametrize("key, steps", [("camel", 200), ("himmelblau", 200), ("rastrigin", 60), ("mueller_brown", 60)])
def test_so_does_the_rule_that_tunes_itself(node, key, steps):
    explorer = MapExplorer(surface=key, start=(-1.1, 1.9), steps=steps, a="self-tuning Hill-ADAM", b="none")
    (here,) = runs(node, explorer, [explorer.a])
    there = explorer.run()[explorer.a]
    places = np.stack([here["x"], here["y"]], axis=-1)
    np.testing.assert_allclose(places, there.states, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(here["climbs"], there.maximize[:-1])
    assert [turn["step"] for turn in here["turns"]] == np.flatnonzero(there.reasons[:-1, 0]).tolist() != []


@pytest.mark.parametrize("name, made", [("over the hill", OverTheHill), ("self-tuning Hill-ADAM", AdaptiveHillAdam)])
def test_under_noise_it_is_the_package_with_kappa_one_half(node, name, made):
    explorer = MapExplorer(surface="camel", steps=120, noise=0.3, a=name, b="none")
    (here,) = runs(node, explorer, [name], noise=0.3)
    x = torch.nn.Parameter(torch.tensor(explorer.start, dtype=torch.float64))
    optimizer = made([x], kappa=0.5)
    for t in range(120):
        np.testing.assert_allclose([here["x"][t][0], here["y"][t][0]], x.tolist(), rtol=0, atol=1e-6)
        loss, _ = explorer.loss.value_and_gradient(x.tolist())
        x.grad = x.new_tensor([here["gx"][t][0], here["gy"][t][0]])
        optimizer.step(loss=loss)
    assert optimizer.switch_count > 2
    assert (explorer.run()[name].turns > 2).all()


def test_its_directions_are_the_packages_and_last(node):
    explorer = MapExplorer(surface="rastrigin", steps=1000)
    assert len(explorer.frames) == FRAMES
    for k in (0, 7, FRAMES - 1):
        for column, direction in zip(orthogonal_frame(0, k, 2).T, explorer.frames[k], strict=True):
            assert direction == (column / column.abs().max()).tolist() and max(map(abs, direction)) == 1.0
    last = """
import { OverTheHill } from "./trek_dynamics.js";
import { SURFACES } from "./map_dynamics.js";
export default ({ surface, starts, frames, steps }) => starts.map((start) => {
  const run = new OverTheHill(start, { lr: 1e-4, beta1: 0.9, beta2: 0.999 }, frames);
  let [place, lowest] = [start, Infinity];
  for (let t = 0; t < steps; t++) {
    const [loss, ...gradient] = SURFACES[surface](...place);
    lowest = Math.min(lowest, loss);
    place = run.step(loss, gradient);
  }
  return [run.trek.frame, lowest];
});
"""
    explorer.swarm = True
    asked = dict(surface="rastrigin", starts=explorer.starts.tolist(), frames=explorer.frames, steps=1000)
    frames, lowest = np.transpose(node(last, asked))
    assert frames.max() < FRAMES and (lowest < explorer.gate).mean() > 0.98
