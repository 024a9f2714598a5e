"""Hill-ADAM's climb must overshoot the top: when the theorems say that it does, and what real climbs do."""

import numpy as np
import pytest

from hilladam.losses import DOUBLE_WELL, TABLE_1, Polynomial
from hilladam.theory import climbs, largest_delta, overshoot_threshold, way_out

CASES = {"double well": (DOUBLE_WELL, 2.0), "sixth": (TABLE_1["sixth"], 0.6), "tenth": (TABLE_1["tenth"], 0.8)}


def crosses(beta1, c, steps=10_000):
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
    assert not crosses(beta1, 0.98 * threshold)
    assert not crosses(beta1, 0.5 * threshold)
    for factor in (1.02, 2.0, 100.0):
        assert crosses(beta1, factor * threshold)
    assert crosses(beta1, 1.5 / threshold)


def test_the_threshold_at_the_default_beta1():
    assert overshoot_threshold(0.9) == pytest.approx(0.02633, abs=1e-5)
    with pytest.raises(ValueError, match=r"Invalid beta1: 1\.0"):
        overshoot_threshold(1.0)


def test_a_step_across_the_top_changes_the_loss_by_less_than_the_bound():
    random = np.random.default_rng(0)
    kappa, lr = 3.0, 0.1
    last, step = random.uniform(-lr, 0, 10_000), random.uniform(-lr, lr, 10_000)
    change = kappa / 2 * np.abs((last - step) ** 2 - last**2)
    assert change.max() <= largest_delta(kappa, lr)
    assert change.max() > 0.95 * largest_delta(kappa, lr)
    assert largest_delta([0.0, 0.5], 0.1) == pytest.approx([0.0, 0.0075])


@pytest.mark.parametrize("f, x0", CASES.values(), ids=CASES)
@pytest.mark.parametrize("beta1", [0.8, 0.9, 0.95])
def test_real_climbs_need_both_conditions(f, x0, beta1):
    way = way_out(f, x0)
    height = way.barrier - way.minimum
    kappa = abs((f.derivative(way.barrier + 1e-5) - f.derivative(way.barrier - 1e-5)) / 2e-5)
    V = np.sqrt(np.mean(f.derivative(np.linspace(way.minimum, way.barrier, 2001)) ** 2))
    estimate = overshoot_threshold(beta1) * V / kappa
    lr = np.geomspace(0.5 * estimate, abs(height) / 4, 16)
    delta = kappa * estimate**2 * np.geomspace(1e-7, 1e4, 16)[:, None]
    starts = way.minimum + height * np.array([0.02, 0.2])[:, None, None]
    run = climbs(f, starts, way.barrier, lr, delta, betas=(beta1, 0.999), steps=2500)
    assert run.finished.all()
    assert run.far.any()
    assert ((lr * kappa / run.rms_slope)[run.far] > overshoot_threshold(beta1)).all()
    assert not run.far[:, np.broadcast_to(delta > largest_delta(kappa, lr), run.far.shape[1:])].any()
    assert 0.65 < np.broadcast_to(lr, run.far.shape)[run.far].min() / estimate < 1.3


def test_climbs_of_the_double_well_with_the_papers_settings_all_stop_short():
    run = climbs(DOUBLE_WELL, np.linspace(0.5, 0.95, 61), way_out(DOUBLE_WELL, 2.0).barrier, 0.01, 1e-4)
    assert run.finished.all()
    assert not run.far.any()
    assert not run.crossed.any()


def test_a_start_that_does_not_rise_to_the_top_is_refused():
    with pytest.raises(ValueError, match="Invalid x0"):
        climbs(DOUBLE_WELL, [0.5, 1.5], way_out(DOUBLE_WELL, 2.0).barrier, 0.01, 1e-4)
    with pytest.raises(ValueError, match="Invalid x0"):
        climbs(Polynomial("hill", (-1, 0, 0)), 0.0, 0.0, 0.01, 1e-4)  # nor one at the top


@pytest.mark.parametrize(
    "setting, message",
    [
        ({"x0": [0.5, np.nan]}, r"Invalid x0: .*; expected finite numbers"),
        ({"top": np.nan}, "Invalid top: nan; expected a finite number"),
        ({"lr": 0.0}, "Invalid lr: 0.0; expected a finite number > 0"),
        ({"delta": [1e-4, -1.0]}, r"Invalid delta: .*; expected finite numbers >= 0"),
        ({"betas": (0.9, 1.0)}, "Invalid beta parameter at index 1: 1.0"),
        ({"steps": 0}, "Invalid steps: 0; expected an integer >= 1"),
    ],
    ids=str,
)
def test_climbs_refuse_numbers_out_of_their_range(setting, message):
    start = {"x0": 0.5, "top": way_out(DOUBLE_WELL, 2.0).barrier, "lr": 0.01, "delta": 1e-4}
    with pytest.raises(ValueError, match=message):
        climbs(DOUBLE_WELL, **start | setting)


@pytest.mark.parametrize("curvature, lr", [(-1.0, 0.1), (np.nan, 0.1), (1.0, -0.1), (1.0, [0.1, np.inf])])
def test_the_bound_on_delta_needs_sizes(curvature, lr):
    with pytest.raises(ValueError, match=r"Invalid (curvature|lr): .*; expected"):
        largest_delta(curvature, lr)


def test_the_root_mean_square_is_over_the_steps_of_the_climb():
    hill = Polynomial("hill", (-1, 0, 0))
    run = climbs(hill, [-1.0, -0.3], 0.0, 0.1, 0.05, betas=(0.0, 0.0))  # steps of λ, by the sign of the slope
    # Climbing by 0.1 from −1, the loss −x² changes by less than 0.05 between −0.3 and −0.2 …
    tops = [np.arange(10, 1, -1) / 10, np.array([0.3])]
    assert run.rms_slope == pytest.approx([np.sqrt(np.mean((2 * x) ** 2)) for x in tops], rel=1e-6)


def test_a_climb_is_hill_adams_own():
    hill = Polynomial("hill", (-1, 0, 0))
    run = climbs(hill, -1.0, 0.0, 0.1, 1e-6, steps=2000)
    assert run.finished
    assert abs(run.stop) < 0.1


def test_a_climb_that_comes_back_over_the_top_has_crossed_it_and_one_on_its_way_has_not():
    """Steps of λ by the sign of the slope, on a hill whose top is at 1."""
    hill, signs = Polynomial("hill", (-1, 2, -1)), {"betas": (0.0, 0.0)}
    for steps in (4, 5):  # 0.1, 0.5, 0.9, 1.3 and then 0.9 again
        back = climbs(hill, 0.1, 1.0, 0.4, 0.01, steps=steps, **signs)
        assert back.crossed and not back.finished and not back.far
        assert back.stop.dtype == float and np.isnan(back.stop)
    short = climbs(hill, 0.0, 1.0, 0.1, 0.04, **signs)
    assert short.finished and not short.crossed and not short.far and short.stop == pytest.approx(0.9)
    far = climbs(hill, 0.0, 1.0, 0.3, 0.04, **signs)
    assert far.finished and far.crossed and far.far and far.stop == pytest.approx(1.2)


def test_no_loss_is_too_high_to_climb_from():
    run = climbs(Polynomial("hill", (-1, 0, 1000)), -10.0, 0.0, 0.5, 1e-3)
    assert run.finished and abs(run.stop) < 1
