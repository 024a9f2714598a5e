"""The step at the top, the half-swings and the largest δ: by hand against numbers, and against climbs."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from hilladam.losses import DOUBLE_WELL, SINE_WAVE, TABLE_1, Polynomial
from hilladam.theory import climb, fading_step, half_swing, hill, hills, leg, overshoot_threshold, second_change

DISTANCES = np.linspace(0.02, 2, 12)


def climbs_of(f, over, numbers):
    """λ and climbs from 12 distances for numbers K, as far as λ is below a quarter of the hill's width."""
    lr = numbers * over.rms_slope * math.log(1 / 0.9) / over.curvature
    lr = lr[lr < over.width / 4]
    start = over.minimum + np.sign(over.top - over.minimum) * DISTANCES[:, None] * lr
    return lr, climb(f, start, over.top, np.broadcast_to(lr, start.shape), steps=500)


def ratios(f, overs, derived=False):
    """Measured over predicted δ*, for K from 0.35 to 20."""
    found = []
    for over in overs:
        lr, up = climbs_of(f, over, np.geomspace(0.35, 20, 16))
        if len(lr):
            law = over.largest_delta(lr, distance=DISTANCES[:, None], derived=derived)
            found.append((up.largest_delta / law).ravel())
    return np.concatenate(found)


LOSSES = {"double well": DOUBLE_WELL, **{name: TABLE_1[name] for name in ("sixth", "eighth", "tenth")}}


def within_two(ratio):
    return np.mean((ratio > 0.5) & (ratio < 2))


@pytest.mark.parametrize("name", [*LOSSES, "sine wave"])
def test_the_law_is_right_within_a_factor_of_two_in_nine_climbs_of_ten(name):
    if name == "sine wave":
        f, overs = SINE_WAVE, [hill(SINE_WAVE, 3.483, 2.595), hill(SINE_WAVE, 3.483, 4.586)]
    else:
        f, overs = LOSSES[name], hills(LOSSES[name])
    ratio = ratios(f, overs)
    assert len(ratio) >= 200
    assert within_two(ratio) >= 0.94
    assert 0.9 < np.median(ratio) < 1.3
    assert within_two(ratios(f, overs, derived=True)) >= 0.85


def random_polynomial(random):
    """Of degree 4, 6 or 8, its stationary points 0.4 to 1.6 apart, its largest step between them 1."""
    roots = np.cumsum(random.uniform(0.4, 1.6, 2 * random.integers(1, 4) + 1))
    coefficients = np.polyint(np.poly(roots - roots.mean()))
    values = np.polyval(coefficients, roots - roots.mean())
    return Polynomial("random", coefficients / np.abs(np.diff(values)).max())


def test_the_law_holds_on_polynomials_that_it_was_not_fitted_to():
    random = np.random.default_rng(1)
    polynomials = [random_polynomial(random) for _ in range(8)]
    ratio = np.concatenate([ratios(f, hills(f)) for f in polynomials])
    assert len(ratio) >= 2000
    assert within_two(ratio) >= 0.9
    assert 0.9 < np.median(ratio) < 1.2


@pytest.mark.parametrize("K", [0.3, 0.5, 1.0, 4.0])
def test_the_step_at_the_top_is_the_oscillators(K):
    """U″ + U′ + KU = 0 from U = 1, U′ = −K: there M = −U′/K."""

    def top(_, y):
        return y[0]

    top.terminal = True
    run = solve_ivp(lambda _, y: [y[1], -y[1] - K * y[0]], (0, 200), [1.0, -K], events=top, rtol=1e-10, atol=1e-14)
    assert fading_step(K) == pytest.approx(-run.y_events[0][0][1] / K, rel=1e-6)


def test_a_climb_creeps_at_a_quarter():
    assert (fading_step([0.0, 0.1, 0.25]) == 0).all()
    assert 0 < fading_step(0.26) < 1e-5
    for beta1 in (0.99, 0.999):  # what the finite recurrence has, in the limit
        assert overshoot_threshold(beta1) / math.log(1 / beta1) == pytest.approx(0.25, rel=1e-4)


def test_a_sine_hills_climb_of_few_steps_has_mean_over_root_mean_square():
    over = hill(SINE_WAVE, 3.483, 4.586)
    assert over.steepest / over.rms_slope == pytest.approx(math.sqrt(2), rel=0.02)
    assert over.derived_step(100.0) == pytest.approx(2 * math.sqrt(2) / math.pi, rel=0.02)
    assert over.fitted_step(100.0) == pytest.approx(0.9, rel=1e-3)


def test_the_second_change_is_that_of_the_first_two_steps():
    bowl, b = Polynomial("x²", (1, 0, 0)), np.array([0.0, 0.3, 1.0, 4.0]) + 1e-9
    for betas in ((0.9, 0.999), (0.5, 0.9)):
        first = leg(bowl, b * 0.1, True, 0.1, gamma=-1.0, betas=betas, eps=0.0)
        second = leg(bowl, b * 0.1, True, 0.1, delta=1e9, betas=betas, eps=0.0)
        assert (first.steps == 1).all() and (second.steps == 2).all()
        change = bowl(second.x) - bowl(first.x)
        assert change / (2 * 0.1**2) == pytest.approx(second_change(b, betas), rel=1e-6)
    assert second_change(betas=(0.5, 0.9)) == second_change(0.0, (0.5, 0.9))


def test_a_half_swing_is_the_recurrences():
    stiffness, beta1 = 0.2, 0.9
    steps, left = half_swing(stiffness, beta1)
    y, trend = [-1.0, -1.0], 1 + beta1 - (1 - beta1) * stiffness
    for _ in range(2000):
        y.append(trend * y[-1] - beta1 * y[-2])
    crossings = np.flatnonzero(np.sign(y[1:]) != np.sign(y[:-1]))[:20]
    assert np.diff(crossings).mean() == pytest.approx(steps, rel=0.01)
    size = [np.abs(y[a + 1 : b + 1]).max() for a, b in pairwise(crossings)]
    assert (size[-1] / size[0]) ** (2 / (len(size) - 1)) == pytest.approx(left, rel=0.02)


def test_a_climb_swings_between_two_stiffnesses():
    low, high = (1 - math.sqrt(0.9)) / (1 + math.sqrt(0.9)), (1 + math.sqrt(0.9)) / (1 - math.sqrt(0.9))
    steps, left = half_swing([1.001 * low, 0.999 * high])
    assert steps[0] > 500 and steps[1] == pytest.approx(1, abs=0.03)  # it creeps, and it jumps across every time
    assert (left == pytest.approx(0.9**steps)) and (left > 0).all()
    for stiffness in (0.999 * low, 1.001 * high):
        with pytest.raises(ValueError, match=r"Invalid stiffness: .*; expected numbers for which the climb swings"):
            half_swing([1.0, stiffness])


def test_a_minimum_is_found_within_a_hundredth_of_the_distance():
    foot, top = 0.9601495555191055, 0.07542915856974822
    for off in (-0.00985, 0.01005):  # the distance is that of the places given
        assert hill(DOUBLE_WELL, foot + off * (foot - top), top).minimum == pytest.approx(foot, abs=1e-12)
    for off in (-0.00995, 0.01015):
        with pytest.raises(ValueError, match="Invalid minimum"):
            hill(DOUBLE_WELL, foot + off * (foot - top), top)


def test_on_a_parabola_the_change_is_curvature_step_and_midpoint():
    top = Polynomial("top", (-1.5, 0, 0))  # κ = 3
    x = np.random.default_rng(0).uniform(-1, 1, (100, 2))
    step, midpoint = np.diff(x)[:, 0], x.mean(axis=1)
    assert np.abs(np.diff(top(x))[:, 0]) == pytest.approx(3 * np.abs(step * midpoint))


@pytest.mark.parametrize("K", [0.3, 0.5, 1.0, 3.0])
def test_no_climb_of_a_parabola_stops_short_with_a_large_step_nor_crosses_with_a_small_one(K):
    top = Polynomial("top", (-1.5, 0, 0))
    lr = 0.01 * np.geomspace(0.5, 2, 40)
    up = climb(top, -K * lr[:, None] * np.linspace(20, 30, 30), 0.0, lr[:, None], steps=400)
    step = np.diff(up.x, axis=0)
    records = np.zeros_like(up.beyond)
    records[2:] = up.lowest[2:] < up.lowest[1:-1]
    before = ~np.maximum.accumulate(up.beyond, axis=0)
    short = (records & before)[1:]
    # It ends there for every δ above the change.
    assert (step[short] <= np.sqrt(2 * up.change[1:][short] / 3) * (1 + 1e-9)).all()
    first = up.beyond.argmax(axis=0)[None]
    crossed = up.beyond.any(axis=0)
    last = np.maximum(*(np.take_along_axis(step, first - k, 0)[0] for k in (1, 2)))
    assert crossed.mean() > 0.9
    # A δ above the change that was judged last before the crossing has ended the climb there.
    judged = np.take_along_axis(up.change, first - 1, 0)[0]
    assert (judged[crossed] <= 1.5 * 3 * last[crossed] ** 2 * (1 + 1e-9)).all()


def test_on_real_hills_it_is_nearly_so():
    short, across = [], []
    for f in LOSSES.values():
        for over in hills(f):
            lr, up = climbs_of(f, over, np.geomspace(0.35, 20, 120))
            if not len(lr):
                continue
            step = np.abs(np.diff(up.x, axis=0))
            records = up.lowest[2:] < up.lowest[1:-1]
            near = ~np.maximum.accumulate(up.beyond, axis=0)[2:] & (np.abs(up.x[1:-1] - over.top) < 0.4 * over.width)
            stops = records & near
            short.append((step[1:][stops] ** 2 * over.curvature / 2 / up.change[2:][stops]).max())
            first = np.maximum(up.beyond.argmax(axis=0), 3)[None]
            last = np.maximum(*(np.take_along_axis(step, first - k, 0)[0] for k in (1, 2)))
            across.append((up.largest_delta / (1.5 * over.curvature * last**2))[up.beyond.any(axis=0)].max())
    assert max(short) < 1.3
    assert max(across) < 1.3


def test_a_hill_is_measured_exactly():
    over = hill(DOUBLE_WELL, 0.96, 0.075)
    assert over.width == pytest.approx(over.minimum - over.top)
    assert over.height == pytest.approx(DOUBLE_WELL(over.top) - DOUBLE_WELL(over.minimum))
    assert over.curvature == pytest.approx(4 - 12 * over.top**2, rel=1e-8)
    assert over.bottom_curvature == pytest.approx(12 * over.minimum**2 - 4, rel=1e-8)
    x = np.linspace(over.minimum, over.top, 100_001)
    assert over.rms_slope == pytest.approx(np.sqrt(np.mean(DOUBLE_WELL.derivative(x) ** 2)), rel=1e-4)
    assert over.steepest == pytest.approx(np.abs(DOUBLE_WELL.derivative(x)).max(), rel=1e-6)
    assert over.shape == pytest.approx(0.987, abs=2e-3)
    assert over.number(0.01) == pytest.approx(0.418, abs=5e-4)
    assert over.largest_delta(0.01) == pytest.approx(1.105e-5, rel=1e-3)


@pytest.mark.parametrize("scale", [1, 1000])
@pytest.mark.parametrize("name, minimum, top", [("sixth", -0.151, -0.6995), ("tenth", 3.0985, 3.4562)])
def test_curvatures_are_those_of_the_polynomial_on_any_scale(name, minimum, top, scale):
    exact = TABLE_1[name].coefficients
    exact = [coefficient * scale**power for power, coefficient in enumerate(reversed(exact))][::-1]
    over, second = hill(Polynomial(name, exact), minimum / scale, top / scale), np.polyder(exact, 2)
    assert over.curvature == pytest.approx(-float(np.polyval(second, Fraction(over.top))), rel=1e-4)
    assert over.bottom_curvature == pytest.approx(float(np.polyval(second, Fraction(over.minimum))), rel=1e-4)


def test_each_minimum_has_the_tops_beside_it_and_an_inflection_is_no_top():
    f = Polynomial("f′ = 60 (x + 1) x (x − 1) (x − 2)²", (10, -48, 45, 80, -120, 0, 0))
    assert [(round(over.minimum, 6), round(over.top, 6)) for over in hills(f)] == [(-1, 0), (1, 0)]
    bounded = hills(Polynomial("f′ = −4 (x + 1) x (x − 1)", (-1, 0, 2, 0, 0)))
    assert [(round(over.minimum, 6), round(over.top, 6)) for over in bounded] == [(0, -1), (0, 1)]
    tops = [over.top - over.minimum for over in hills(TABLE_1["eighth"])]
    assert len(tops) > 2 and min(tops) < 0 < max(tops)


@pytest.mark.parametrize("derived", [False, True])
def test_rates_and_memories_of_one_number_have_one_step(derived):
    """K alone says how the climb arrives, and δ* is that step's as long as the bottom allows it."""
    over, betas = hill(DOUBLE_WELL, 0.96, 0.075), (0.5, 0.9)
    here, there = 0.02, 0.02 * math.log(1 / 0.5) / math.log(1 / 0.9)
    assert over.number(there, 0.5) == pytest.approx(over.number(here))
    assert over.derived_step(there, 0.5) == pytest.approx(over.derived_step(here))
    assert over.fitted_step(there, 0.5) == pytest.approx(over.fitted_step(here))
    allowed = over.largest_delta(here, derived=derived) / here**2
    assert over.largest_delta(there, betas, derived=derived) / there**2 == pytest.approx(allowed)
    if derived:
        assert allowed == pytest.approx(over.curvature * over.derived_step(here) ** 2)
        assert allowed != pytest.approx(over.largest_delta(here) / here**2, rel=0.1)


@pytest.mark.parametrize("derived", [False, True])
def test_where_the_bottom_allows_less_the_largest_delta_is_its_second_change(derived):
    over, lr, betas = hill(TABLE_1["tenth"], 2.0475, 1.3453), 10.0, (0.5, 0.9)
    for distance in (0.0, 0.7):
        delta = over.largest_delta(lr, betas, distance=distance, derived=derived)
        assert delta == pytest.approx(over.bottom_curvature * second_change(distance, betas) * lr**2)
    assert over.largest_delta(lr, betas, derived=derived) == over.largest_delta(lr, betas, distance=0, derived=derived)


@pytest.mark.parametrize(
    "ask, message",
    [
        (lambda: hill(DOUBLE_WELL, 0.5, 0.075), "Invalid minimum: 0.5; expected a minimum of the loss there"),
        (lambda: hill(DOUBLE_WELL, 0.96, 0.5), "Invalid top: 0.5; expected a top of the loss there"),
        (lambda: hill(TABLE_1["tenth"], 1.0026, 2.3754), "Invalid top: 2.3754; the loss does not rise all the way"),
        (
            lambda: hill(TABLE_1["tenth"], 3.1035, 3.4562),
            "Invalid minimum: 3.1035; expected a minimum of the loss there",
        ),
        (lambda: hill(DOUBLE_WELL, 0.96, np.inf), "Invalid top: inf; expected a finite number"),
        (lambda: hill(DOUBLE_WELL, np.nan, 0.075), "Invalid minimum: nan; expected a finite number"),
        (lambda: hill(DOUBLE_WELL, 0.96, 0.075).number(0.0), "Invalid lr: 0.0; expected a finite number > 0"),
        (lambda: hill(DOUBLE_WELL, 0.96, 0.075).number(0.1, 0.0), r"Invalid beta1: 0.0; expected a number in \(0, 1\)"),
        (lambda: hill(DOUBLE_WELL, 0.96, 0.075).largest_delta(-1.0), "Invalid lr: -1.0"),
        (lambda: fading_step(-1.0), "Invalid number: -1.0; expected a finite number >= 0"),
        (lambda: second_change(-1.0), "Invalid distance: -1.0; expected a finite number >= 0"),
        (lambda: half_swing(np.nan), "Invalid stiffness: nan; expected a finite number"),
        (lambda: half_swing(0.1, 1.0), r"Invalid beta1: 1.0; expected a number in \[0, 1\)"),
        (lambda: half_swing(0.02), "Invalid stiffness: 0.02; expected numbers for which the climb swings"),
    ],
)
def test_what_is_out_of_range_is_refused(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


def climbs_across(beta1, c, steps=10_000):
    """Whether the linearised climb from rest, y₀ = −1, ever changes its sign."""
    m, y = 0.0, -1.0
    for _ in range(steps):
        m = beta1 * m - (1 - beta1) * c * y
        y += m
        if y > 0:
            return True
    return False


@pytest.mark.parametrize("beta1", [0.0, 0.3, 0.5, 0.9, 0.99])
def test_the_linearised_climb_overshoots_above_the_threshold_alone(beta1):
    threshold = overshoot_threshold(beta1)
    assert not climbs_across(beta1, 0.98 * threshold)
    assert not climbs_across(beta1, 0.5 * threshold)
    for factor in (1.02, 2.0, 100.0):
        assert climbs_across(beta1, factor * threshold)
    assert climbs_across(beta1, 1.5 / threshold)


def test_the_threshold_at_the_default_beta1():
    assert overshoot_threshold(0.9) == pytest.approx(0.02633, abs=1e-5)
    with pytest.raises(ValueError, match=r"Invalid beta1: 1\.0"):
        overshoot_threshold(1.0)
