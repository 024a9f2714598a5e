"""The rule that tunes itself runs in the page as in the package."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from hilladam import AdaptiveHillAdam
from hilladam.experiments import run_landscapes
from hilladam.losses import DOUBLE_WELL, TABLE_1
from hilladam.optim import COURSE_REASONS, Course, steer

POLYNOMIALS = {"double well": DOUBLE_WELL, **TABLE_1}
STEER = """
import { setOut, steer } from "./course_dynamics.js";
const number = (text) => ({ inf: Infinity, "-inf": -Infinity, nan: NaN })[text] ?? Number(text);
const plain = (value) => String(Number(value)).replace("Infinity", "inf"); // JSON knows no infinity, nor NaN
export default (walks) => walks.map(({ seen, options }) => {
  const course = setOut(1);
  let climbs = false;
  return seen.map((three) => {
    const verdict = steer(course, climbs, ...three.map(number), options);
    climbs = verdict.climbs;
    return { ...verdict, lid: undefined, course: Object.values(course).map(plain) };
  });
});
"""
RUN = """
import { arrivalOnCourse, runCourse } from "./course_dynamics.js";
export default (jobs) => jobs.map(({ polynomial, start, gate, ...settings }) => {
  const { x, loss, length, lid, climbs, switches } = runCourse(polynomial, start, settings);
  const arrival = arrivalOnCourse(polynomial, start, settings, gate);
  return { x: [...x], loss: [...loss], length: [...length], lid: [...lid], climbs: [...climbs], switches, arrival };
});
"""


def walk(dice, steps):
    """Losses, slopes and bends of a walk in a rough landscape: it stands still here and there; two of them are none."""
    height = np.cumsum(dice.normal(size=steps)) * 2.0 ** dice.integers(-8, 9)
    change = np.diff(height, prepend=height[0])
    slope = change + 0.1 * dice.normal(size=steps) * np.abs(change)
    slope[dice.random(steps) < dice.choice([0.05, 0.3])] *= dice.choice([1e-5, 0.0])
    bend = dice.normal(size=steps) * np.abs(change)
    for kind in (math.inf, math.nan):
        (height, slope, bend)[dice.integers(3)][dice.integers(10, steps)] = kind
    return np.array([height, slope, bend]).T.tolist()


def test_steers_as_the_package_does(node):
    dice, walks = np.random.default_rng(0), []
    for number in range(60):
        options = dict(dimensions=1 + number % 3, delta=(0.0, 1e-3)[number % 2], kappa=(0.5, 0.0)[number // 30],
                       settle=number % 10 == 9)  # fmt: skip
        walks.append({"seen": walk(dice, 300), "options": options})
    words = [each | {"seen": [list(map(str, three)) for three in each["seen"]]} for each in walks]
    kinds = set()
    for each, found in zip(walks, node(STEER, words), strict=True):
        course, maximize, courses = Course(), False, []
        for three, said in zip(each["seen"], found, strict=True):
            course, maximize, reason, rose, again = steer(course, maximize, *three, **each["options"])
            assert (said["climbs"], said["rose"], said["again"]) == (maximize, rose, again)
            assert said["reason"] == (COURSE_REASONS[reason] if reason else "")
            courses.append(course)
            kinds.add((reason, rose, again, course.blind, course.walls > 3))
        np.testing.assert_array_equal(np.array([said["course"] for said in found], float), np.array(courses, float))
    assert [set(column) for column in zip(*kinds, strict=True)] == [{0, 1, 2, 3}, *[{False, True}] * 4]


def test_the_compiled_engine_has_the_same_bits(node):
    """Turns, places and losses from λ = 1e-8 to 100, with the loss and the variable in other units too."""
    pytest.importorskip("numba")
    steps, jobs, expected, reasons = 1000, [], [], set()
    for name, loss in POLYNOMIALS.items():
        for k, lr in enumerate((1e-8, 1e-4, 0.03, 1.0, 100.0)):
            height, width = 2.0 ** (20 * k - 40), 2.0 ** (10 * (k % 3) - 10)
            powers = np.arange(len(loss.about_centre))[::-1]
            polynomial = {
                "coefficients": (height * np.array(loss.about_centre) / width**powers).tolist(),
                "centre": loss.middle * width,
            }
            start, gate = 1.7 * width, height * loss.global_minimum.value + 1e-6 * height
            betas = [(0.9, 0.999), (0.5, 0.99)][k % 2]
            jobs.append({"polynomial": polynomial, "start": start, "gate": gate, "steps": steps, "lr": lr,
                         "beta1": betas[0], "beta2": betas[1]})  # fmt: skip
            expected.append((name, run_landscapes([loss], [start], steps, betas=betas, lr=lr, heights=height,
                                                  widths=width, history=True), gate))  # fmt: skip
    for (name, run, gate), found in zip(expected, node(RUN, jobs), strict=True):
        losses = run.losses[:, 0]
        np.testing.assert_array_equal(np.array(found["x"][:-1], float), run.states[:, 0, 0], err_msg=name)
        np.testing.assert_array_equal(np.array(found["loss"][:-1], float), losses, err_msg=name)
        np.testing.assert_array_equal(found["climbs"], run.maximize[:, 0])
        turns = run.reasons[:, 0].nonzero()[0]
        assert [(turn["step"], turn["reason"]) for turn in found["switches"]] == [
            (step, COURSE_REASONS[run.reasons[step, 0]]) for step in turns
        ]
        below = losses < gate
        assert found["arrival"] == (below.argmax() if below.any() else -1)
        reasons |= set(run.reasons[:, 0])
    assert reasons == {0, 1, 2, 3}


@pytest.mark.parametrize("lr", [1e-8, 0.01, 100.0])
def test_a_run_is_that_of_the_optimizer(node, lr):
    """AdaptiveHillAdam of torch: the same turns for the same reasons, the same λ, and x but for torch's fused sums."""
    steps = 200
    jobs = [{"polynomial": {"coefficients": loss.about_centre, "centre": loss.middle}, "start": 1.7, "gate": 0.0,
             "steps": steps, "lr": lr, "beta1": 0.9, "beta2": 0.999} for loss in POLYNOMIALS.values()]  # fmt: skip
    for loss, found in zip(POLYNOMIALS.values(), node(RUN, jobs), strict=True):
        x = nn.Parameter(torch.tensor([1.7], dtype=torch.float64))
        optimizer, places, lengths, climbs = AdaptiveHillAdam([x], lr=lr), [], [], []
        for _ in range(steps):
            places.append(x.item())
            x.grad = torch.tensor([float(loss.derivative(x.item()))], dtype=torch.float64)
            optimizer.step(loss=float(loss(x.item())))
            lengths.append(optimizer.param_groups[0]["scale"] * lr)
            climbs.append(optimizer.direction == "maximize")
        np.testing.assert_array_equal(found["climbs"], climbs)
        assert len(found["switches"]) == len(optimizer.switches) >= 1
        np.testing.assert_allclose(found["length"], lengths, rtol=1e-12)
        np.testing.assert_allclose(found["x"][:-1], places, rtol=1e-5, atol=1e-5)


def test_a_climb_ends_above_its_lid_and_nowhere_else(node):
    loss = TABLE_1["sixth"]
    job = {"polynomial": {"coefficients": loss.about_centre, "centre": loss.middle}, "start": 0.1, "gate": 0.0,
           "steps": 2000, "lr": 1e-4, "beta1": 0.9, "beta2": 0.999}  # fmt: skip
    (found,) = node(RUN, [job])
    value, lid = np.array(found["loss"][:-1]), np.array(found["lid"], dtype=float)  # null where there is none
    ended = [turn["step"] for turn in found["switches"] if turn["reason"] == "lid"]
    assert len(ended) > 3
    np.testing.assert_array_equal(np.flatnonzero(value > lid), ended)
    climbing = np.concatenate([[False], found["climbs"][:-1]]).astype(bool)
    assert np.isnan(lid[~climbing]).all() and np.isfinite(lid[climbing]).mean() > 0.9


def test_at_rest_nothing_grows(node):
    x = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = AdaptiveHillAdam([x], lr=0.01)
    for _ in range(20):
        x.grad = torch.zeros_like(x)
        optimizer.step(loss=0.0)
    job = {"polynomial": {"coefficients": [1, 0, 0], "centre": 0}, "start": 0, "gate": -1, "steps": 20, "lr": 0.01,
           "beta1": 0.9, "beta2": 0.999}  # fmt: skip
    (found,) = node(RUN, [job])
    assert found["length"] == [optimizer.param_groups[0]["scale"] * 0.01] * 20
