"""What the climb explorer shows is a climb of Hill-ADAM, and its outcome for every δ at once."""

import math
import re
from itertools import pairwise

import numpy as np
import pytest
import torch
import traitlets

from hilladam import HillAdam
from hilladam.experiments import run_points
from hilladam.losses import DOUBLE_WELL
from hilladam.widgets import ClimbExplorer
from hilladam.widgets._climb_explorer import LONGEST, LOSSES, hill_of

SETTINGS = [
    dict(start=0.3, lr=0.03, beta1=0.9),
    dict(start=0.01, lr=0.0031, beta1=0.9),
    dict(start=2.95, lr=0.1, beta1=0.5),
    dict(start=1.0, lr=0.3, beta1=0.98),
    dict(start=10.0, lr=0.01, beta1=0.0),
    dict(start=0.3, lr=1.0, beta1=0.95),  # leaps over whole hills
]
CLIMBS = """
import { climb, ending, stripes } from "./crossing_dynamics.js";
export default ({ cases, longest, deltas }) => cases.map(({ hill, ...settings }) => {
  const found = climb(hill, { beta2: 0.999, ...settings }, hill.lowest, longest);
  return { ...found, stripes: stripes(found), ends: deltas.map((delta) => ending(found, delta)) };
});
"""
DELTAS = np.geomspace(1e-9, 10, 200)


def climbs(node, settings):
    landscapes = ClimbExplorer().landscapes
    cases = [{"hill": landscapes[loss], **settings} for loss in LOSSES]
    return node(CLIMBS, {"cases": cases, "longest": LONGEST, "deltas": DELTAS.tolist()})


@pytest.mark.own_rounding  # the same bits on both sides, which perturbed ones are not
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_pages_climb_is_the_packages(node, settings):
    for loss, page in zip(LOSSES, climbs(node, settings), strict=True):
        explorer = ClimbExplorer(loss=loss, **settings)
        here = explorer.climb()
        page["change"][:2] = [math.inf, math.inf]  # null, in JSON
        for name, values in here.items():
            assert page[name] == values.tolist(), (loss, name)
        ends = [explorer.ending(delta) for delta in DELTAS]
        for delta, end in zip(DELTAS, ends, strict=True):
            sides = [s["beyond"] for s in page["stripes"] if s["low"] < delta <= (s["high"] or math.inf)]
            assert sides == ([] if end is None else [here["beyond"][end]]), (loss, delta)
        assert all(a["beyond"] != b["beyond"] for a, b in pairwise(page["stripes"])), loss
        assert page["ends"] == [-1 if end is None else end for end in ends], loss


@pytest.mark.own_rounding
@pytest.mark.parametrize("settings", SETTINGS[:2], ids=str)
@pytest.mark.parametrize("loss", LOSSES)
def test_one_climb_serves_every_delta(loss, settings):
    """Hill-ADAM is run once for each δ. A floor above the loss at the start makes it turn there."""
    pytest.importorskip("numba")
    hill = hill_of(loss)
    explorer = ClimbExplorer(loss=loss, **settings)
    climb = explorer.climb()
    floor = np.nextafter(climb["loss"][0], math.inf)
    runs = run_points(hill.loss, np.full(200, climb["x"][0]), len(climb["x"]), lr=settings["lr"],
                      betas=(settings["beta1"], 0.999), delta=DELTAS, gamma=math.inf, floor=floor)  # fmt: skip
    assert (runs.reasons[0] == 3).all()
    for i, delta in enumerate(DELTAS):
        switches = runs.member(i).switches
        assert explorer.ending(delta) == (int(switches[1]) if len(switches) > 1 else None), delta


def test_every_climb_of_hill_adam_is_one():
    """What a turn leaves is a place: from there, the climb with no δ ends where Hill-ADAM's does, step by step."""
    x = torch.tensor([1.4], dtype=torch.float64, requires_grad=True)
    opt, lr, delta, path = HillAdam([x], lr=0.03, delta=1e-4, gamma=math.inf), 0.03, 1e-4, []
    climbs = 0
    start, begun = None, None
    for t in range(400):
        opt.zero_grad()
        loss = DOUBLE_WELL(x).squeeze()
        loss.backward()
        before, place = opt.direction, x.item()
        path.append(place)
        opt.step(loss=loss)
        if opt.direction == before:
            continue
        if start is not None:
            explorer = ClimbExplorer(start=start, lr=lr)
            end = explorer.ending(delta)
            assert end == t - begun
            np.testing.assert_allclose(explorer.climb()["x"][: end + 1], path[begun : t + 1], rtol=0, atol=1e-9)
            climbs += 1
        start = (hill_of("double well").bottom - place) / lr
        begun = t
        if not 0.01 < start < 10:  # it descends, or is about to climb the outer wall
            start = None
    assert climbs > 0


def test_the_sine_is_one():
    """Its series has no term too few, so that a polynomial's arithmetic does for it."""
    x = np.linspace(-9, 9, 2001)
    sine = LOSSES["sine"]
    assert abs(sine(x) + np.cos(x)).max() < 2e-12 and abs(sine.derivative(x) - np.sin(x)).max() < 2e-12


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != "sine"])
def test_the_hill_is_the_last_before_the_deepest_valley(loss):
    hill = hill_of(loss)
    bottom, top, far = hill.loss.basin([hill.bottom, hill.top, hill.far]).tolist()
    kinds = [hill.loss.stationary_points[i].kind for i in (bottom, top, far)]
    assert kinds == ["minimum", "maximum", "minimum"] and hill.far == hill.loss.global_minimum.x
    assert (hill.top - hill.bottom) * (hill.far - hill.top) > 0


def test_the_default_has_stripes_to_find():
    climb = ClimbExplorer().climb()
    assert np.count_nonzero(np.diff(climb["beyond"][climb["records"]])) >= 4


@pytest.mark.parametrize(
    "wrong",
    [{"loss": "fourth"}, {"start": 0.0}, {"start": 11.0}, {"lr": 0.0}, {"lr": 1.1}, {"lr": math.nan}, {"beta1": 1.0},
     {"delta": -1e-4}, {"delta": math.inf}, {"step": -1}, {"step": 1.5}, {"task": None}],
)  # fmt: skip
def test_malformed_settings_raise(wrong):
    with pytest.raises(traitlets.TraitError):
        ClimbExplorer(**wrong)


@pytest.mark.parametrize(
    "settings", [{}, {"loss": "sine", "lr": 1.0, "start": 10, "delta": 0.0}, {"lr": 0.9, "delta": 100.0}]
)
def test_picture_and_words_carry_no_address(settings):
    explorer = ClimbExplorer(**settings)
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["image/png"].startswith("iVBOR")
    assert not re.search("0x[0-9a-f]{6}", repr(explorer)) and repr(explorer) == repr(ClimbExplorer(**settings))
