"""Both rules run in the page as in the package, in whatever units."""

import math

import numpy as np
import pytest
from traitlets import TraitError

from hilladam.widgets import CourseExplorer

pytest.importorskip("numba")

FATES = """
import { arrival, run } from "./dynamics.js";
import { arrivalOnCourse, runCourse, scaled, twoTo } from "./course_dynamics.js";
export default (jobs) => jobs.map(({ landscape, height, width, start, starts, gamma, ...settings }) => {
  settings.gamma = gamma ?? Infinity;
  const scene = scaled(landscape, height, width);
  const places = starts.map((x) => x * twoTo(width));
  const own = runCourse(scene, start * twoTo(width), settings);
  return {
    own: { x: [...own.x], lid: [...own.lid], heights: [...own.heights] },
    published: [...run(scene, start * twoTo(width), "Hill-ADAM", settings).x],
    "tuning itself": places.map((x) => arrivalOnCourse(scene, x, settings, scene.gate) >= 0),
    fates: places.map((x) => arrival(scene, x, "Hill-ADAM", settings, scene.gate) >= 0),
  };
});
"""
SETTINGS = [
    dict(steps=500),
    dict(loss="double well", lr=1e-8, steps=300),
    dict(loss="tenth", lr=1.0, steps=500, height=40, width=-7),
    dict(loss="eighth", lr=100.0, steps=500, height=-21, width=20, gamma=math.inf, delta=0.0),
    dict(loss="double well", start=0.961, steps=300),  # near a bottom
]


def test_the_page_has_the_strips_and_the_runs_of_the_package(node):
    explorers, jobs, tried = [CourseExplorer(**settings) for settings in SETTINGS], [], set()
    for explorer in explorers:
        state = explorer.get_state()
        rule = {name: state[name] for name in ("lr", "delta", "gamma", "steps", "height", "width", "start")}
        jobs.append(rule | {"landscape": explorer.landscapes[explorer.loss], "starts": explorer.starts.tolist(),
                            "beta1": 0.9, "beta2": 0.999})  # fmt: skip
    for explorer, found in zip(explorers, node(FATES, jobs), strict=True):
        assert len(found["fates"]) == 240
        np.testing.assert_array_equal(found["tuning itself"], explorer.reached())
        np.testing.assert_array_equal(found["fates"], explorer.reached("published"))
        np.testing.assert_array_equal(found["own"]["x"][:-1], explorer.run().states)
        np.testing.assert_array_equal(found["published"][:-1], explorer.run("published").states)
        lids = explorer.lids()
        np.testing.assert_array_equal(np.array(found["own"]["lid"], float), lids)
        heights = np.array(found["own"]["heights"], float)
        np.testing.assert_array_equal(np.isnan(heights), np.isnan(lids))
        tried |= set(heights[~np.isnan(heights)])
    assert {2, 4, 8, 32} <= tried, "high lids are tried in turn"


def test_units_change_nothing_for_the_rule_that_tunes_itself_and_all_for_the_published_one():
    """λ in the units of x: then it is the same run, to the last bit."""
    here = CourseExplorer(steps=500)
    there = CourseExplorer(steps=500, lr=here.lr * 2.0**-6, width=-6, height=30)
    np.testing.assert_array_equal(there.run().states, here.run().states * 2.0**-6)
    np.testing.assert_array_equal(there.reached(), here.reached())
    assert here.reached("published").mean() > 0.6 > 0.5 > there.reached("published").mean()


@pytest.mark.parametrize("loss", CourseExplorer.losses)
def test_over_ten_powers_of_ten_one_strip_stays(loss):
    shares = {name: [] for name in ("tuning itself", "published")}
    explorer = CourseExplorer(loss=loss)
    for lr in (1e-8, 1e-4, 1e-2, 1.0, 100.0):
        explorer.lr = lr
        for name, share in shares.items():
            share.append(explorer.reached(name).mean())
    own, published = shares.values()
    assert min(own) > 0.85 and max(own) - min(own) < 0.1
    assert min(published) < 0.3 and published[3] > 0.99, "there is a λ for the published rule, too"


def test_the_lids_are_drawn_and_their_walls_are_in_the_picture():
    for loss, polynomial in CourseExplorer.losses.items():
        scene = CourseExplorer.landscape_of(loss)
        assert min(polynomial(scene["from"]), polynomial(scene["to"])) >= scene["top"]
        assert scene["from"] <= scene["left"] < scene["right"] <= scene["to"]
    explorer = CourseExplorer()
    run, lids = explorer.run(), explorer.lids()
    np.testing.assert_array_equal(run.losses > lids, run.reasons == 3)
    assert (run.reasons == 3).sum() > 10


@pytest.mark.parametrize(
    ("trait", "value"), [("lr", 0.0), ("lr", 101.0), ("height", 41), ("width", -21), ("height", 0.5), ("loss", "x2")]
)
def test_bad_settings_are_refused(trait, value):
    with pytest.raises(TraitError, match=trait):
        CourseExplorer(**{trait: value})
