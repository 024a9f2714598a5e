"""What the return map explorer shows is Hill-ADAM's runs, turn by turn."""

import math
import re

import numpy as np
import pytest
import torch
import traitlets

from hilladam import HillAdam
from hilladam.experiments import run_points
from hilladam.losses import DOUBLE_WELL
from hilladam.widgets import ReturnMapExplorer

LOSSES = ["double well", "sixth", "eighth", "tenth"]
RULES = [
    dict(lr=0.03, delta=1e-4, gamma=20.0),
    dict(lr=0.01, delta=1e-3, gamma=200.0),
    dict(lr=0.1, delta=1e-5, gamma=math.inf),
    dict(lr=0.3, delta=0.01, gamma=2.0),
    dict(lr=0.003, delta=1e-6, gamma=-0.5),
]
STEPS = 4000
PAGE = """
import { coarseToFine, travel, turnToTurn, valley } from "./crossing_dynamics.js";
export default ({ landscape, rule, starts, places, steps, life }) => {
  rule = { ...rule, gamma: rule.gamma ?? Infinity, beta1: 0.9, beta2: 0.999 };
  const known = new Map();
  const order = coarseToFine(starts.length);
  const fates = [];
  for (const i of order) fates[i] = travel(landscape, starts[i], rule, steps, known).arrival >= 0;
  return {
    order,
    fates,
    runs: starts.map((start) => travel(landscape, start, rule, life)),
    map: places.map((x) => turnToTurn(landscape, x, rule, 3000)),
    valleys: places.map((x) => valley(landscape, x)),
  };
};
"""


def page(node, explorer, starts, places, life=STEPS):
    rule = {name: getattr(explorer, name) for name in ("lr", "delta", "gamma")}
    rule["gamma"] = None if math.isinf(rule["gamma"]) else rule["gamma"]
    landscape = explorer.landscapes[explorer.loss]
    return node(
        PAGE, dict(landscape=landscape, rule=rule, starts=list(starts), places=list(places), steps=STEPS, life=life)
    )


@pytest.mark.own_rounding  # the same bits on both sides, which perturbed ones are not
@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_turn_and_every_fate_is_the_packages(node, loss, rule):
    """240 starts: the page's runs, and the shared knowledge that makes them fast, against whole runs of the engine."""
    pytest.importorskip("numba")
    explorer = ReturnMapExplorer(loss=loss, steps=STEPS, **rule)
    starts = explorer.starts
    runs = run_points(explorer.polynomial, starts, STEPS, **rule)
    gate = explorer.landscapes[loss]["gate"]
    places, following = [], []
    shown = page(node, explorer, starts, [])
    assert shown["fates"] == explorer.reached().tolist() == (runs.best_losses < gate).tolist()
    for i, found in enumerate(shown["runs"]):
        run = runs.member(i)
        below = np.flatnonzero(run.losses < gate)
        assert found["arrival"] == (below[0] if len(below) else -1)
        turns = found["turns"][1:]
        switches = run.switches[: len(turns)]
        assert [turn["step"] for turn in turns] == switches.tolist()
        assert [turn["x"] for turn in turns] == run.states[switches].tolist()
        assert [turn["climbs"] for turn in turns] == run.maximize[switches].tolist()
        bottoms = [turn["x"] for turn in turns if turn["climbs"]]
        places, following = places + bottoms[:-1], following + bottoms[1:]
        if found["period"]:  # by then the run repeats itself, to the last bit
            assert bottoms[-1] == bottoms[-1 - found["period"]]
        elif not len(below):  # the page has seen the run's whole length
            assert len(switches) == len(run.switches)
    assert [each["next"] for each in page(node, explorer, starts[:1], places)["map"]] == following
    assert explorer.next_turns(places).tolist() == following


def test_what_is_known_of_a_turn_counts_to_the_step(node):
    """A run that meets a known turn arrives, or is too late, as if it had been followed to its end."""
    source = """
    import { travel } from "./crossing_dynamics.js";
    export default ({ landscape, start, held, rule }) => {
      const { turns, arrival } = travel(landscape, start, rule, 4000);
      const [{ x, step }] = turns.filter((turn) => turn.climbs);
      const known = () => new Map([[x, arrival - step]]);
      const around = [arrival - 1, arrival, arrival + 1, arrival + 2];
      const learned = new Map();
      travel(landscape, start, rule, 4000, learned);
      travel(landscape, held, rule, 25_000, learned);
      return [
        arrival,
        around.map((steps) => travel(landscape, start, rule, steps, known()).arrival),
        learned.get(x) === arrival - step,
        [...learned.values()].filter((steps) => steps === Infinity).length,
      ];
    };
    """
    rule = dict(lr=0.03, delta=1e-4, gamma=20.0, beta1=0.9, beta2=0.999)
    landscape = ReturnMapExplorer().landscapes["double well"]
    arrival, found, learned, never = node(source, dict(landscape=landscape, start=1.4, held=1.26, rule=rule))
    assert found == [-1, -1, arrival, arrival]
    assert learned and never > 4


@pytest.mark.parametrize("loss", LOSSES)
def test_a_valley_is_a_basin(node, loss):
    explorer = ReturnMapExplorer(loss=loss)
    points = [point.x for point in explorer.polynomial.stationary_points if point.kind == "minimum"]
    basins = np.array([points.index(explorer.polynomial.stationary_points[i].x)
                       for i in explorer.polynomial.basin(explorer.starts)])  # fmt: skip
    assert page(node, explorer, explorer.starts[:1], explorer.starts)["valleys"] == basins.tolist()


def test_any_beginning_of_the_order_is_spread_over_all(node):
    order = page(node, ReturnMapExplorer(), ReturnMapExplorer().starts, [])["order"]
    assert sorted(order) == list(range(240))
    for count in (15, 30, 60, 120):
        assert np.diff(sorted(order[:count])).max() == 240 // count


def test_the_map_is_hill_adams():
    """One run of the optimizer itself: each bottom turn leads to the next as the map says."""
    x = torch.tensor([0.6], dtype=torch.float64, requires_grad=True)
    opt, bottoms = HillAdam([x], lr=0.03, delta=1e-4, gamma=20.0), []
    for _ in range(900):
        opt.zero_grad()
        loss = DOUBLE_WELL(x).squeeze()
        loss.backward()
        before, place = opt.direction, x.item()
        opt.step(loss=loss)
        if (before, opt.direction) == ("minimize", "maximize"):
            bottoms.append(place)
    explorer = ReturnMapExplorer(start=0.6, lr=0.03, delta=1e-4, gamma=20.0)
    assert len(bottoms) >= 4
    np.testing.assert_allclose(explorer.next_turns(bottoms[:-1]), bottoms[1:], rtol=0, atol=1e-7)
    switches = explorer.run().switches[::2]
    np.testing.assert_allclose(explorer.run().states[switches][: len(bottoms)], bottoms, rtol=0, atol=1e-7)


def test_the_default_is_held_and_a_lower_gamma_frees_it(node):
    explorer = ReturnMapExplorer()
    (held,) = page(node, explorer, [explorer.start], [], life=25_000)["runs"]
    assert held["period"] == 1 and held["arrival"] < 0
    floor = DOUBLE_WELL.minima[1].x
    inner, *_, cycle = (turn["x"] for turn in held["turns"] if turn["climbs"])
    assert inner < floor < cycle  # it stops on the hill's side, falls back, and is caught on the outer one
    explorer.gamma = 1.3
    (free,) = page(node, explorer, [explorer.start], [])["runs"]
    assert free["arrival"] > 0
    assert explorer.reached().mean() > 0.99


def test_the_start_and_gamma_suit_the_loss():
    assert ReturnMapExplorer(loss="tenth").gamma == 200 and ReturnMapExplorer().gamma == 20
    for loss in LOSSES:
        explorer = ReturnMapExplorer(loss=loss)
        assert explorer.starts[0] < explorer.start < explorer.starts[-1]
        assert ReturnMapExplorer(loss=loss, start=1, gamma=math.inf).gamma == math.inf


@pytest.mark.parametrize(
    "wrong",
    [{"loss": "fourth"}, {"start": math.nan}, {"lr": 0.0}, {"lr": 1.1}, {"delta": -1.0}, {"gamma": math.nan},
     {"steps": 0}, {"steps": 5001}, {"task": None}],
)  # fmt: skip
def test_malformed_settings_raise(wrong):
    with pytest.raises(traitlets.TraitError):
        ReturnMapExplorer(**wrong)


@pytest.mark.parametrize(
    "settings",
    [{}, {"start": -1.0}, {"loss": "eighth", "steps": 1}, {"delta": 0.0}, {"lr": 1.0, "gamma": 0.5},
     {"loss": "tenth", "lr": 0.05, "start": 4.1, "gamma": math.inf}],
)  # fmt: skip
def test_picture_and_words_carry_no_address(settings):
    explorer = ReturnMapExplorer(**settings)
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["image/png"].startswith("iVBOR")
    assert not re.search("0x[0-9a-f]{6}", repr(explorer)) and repr(explorer) == repr(ReturnMapExplorer(**settings))
