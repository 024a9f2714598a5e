"""Equations 10–12 over equidistant points, and what the equal distances cost."""

import numpy as np
import pytest
import sympy as sp

from hilladam import theory
from hilladam.losses import DOUBLE_WELL
from hilladam.theory import derivations as sym

x = sp.Symbol("x", real=True)
BETA = sp.Rational(9, 10)


def test_the_symbolic_series_are_the_numerical_ones():
    f, where = DOUBLE_WELL.expression(x), (2, sp.Rational(-1, 100), 40)
    momentum = float(theory.momentum_series(f, x, *where, BETA).doit())
    variance = float(theory.variance_series(f, x, *where, BETA).doit())
    step = float(theory.step_size_series(f, x, *where, BETA, sp.Rational(1, 100), sp.Rational(1, 10**8)).doit())
    bare = float(theory.step_size_series(f, x, *where, BETA, sp.Rational(1, 100)).doit())
    grads = theory.equidistant_gradients(DOUBLE_WELL.derivative, 2.0, -0.01, 41)
    assert theory.moving_average(grads, 0.9, "first")[-1] == pytest.approx(momentum, rel=1e-12)
    assert theory.moving_average(grads**2, 0.9, "first")[-1] == pytest.approx(variance, rel=1e-12)
    evaluated = theory.step_series(grads, 0.01, (0.9, 0.9), 0, start="first", eps_root=1e-8)[-1]
    assert -evaluated == pytest.approx(step, rel=1e-12, abs=0)
    assert bare == pytest.approx(0.01 * momentum / variance**0.5, rel=1e-12, abs=0)


def test_a_loss_may_have_symbols_besides_its_variable():
    a = sp.Symbol("a", positive=True)
    where = (a * x**2 / 2, x, 3, -1, 1, sym.beta)
    assert sp.expand(theory.momentum_series(*where).doit() - a * (2 + sym.beta)) == 0
    assert sp.expand(theory.variance_series(*where).doit() - a**2 * (4 + 5 * sym.beta)) == 0


def test_on_a_parabola_the_momentum_is_the_slope_one_mean_lag_back_for_symbolic_n():
    x0, dx = sp.symbols("x_0 Delta", real=True)
    n = sym.t
    momentum = theory.momentum_series(x**2 / 2, x, x0, dx, n, sym.beta).doit()
    lag = theory.weighted_sum(sym.j, "first")
    assert sp.simplify(sym._away_from_one(sp.expand(momentum)) - (x0 + n * dx - lag * dx)) == 0


@pytest.mark.parametrize("series", [theory.momentum_series, theory.variance_series])
def test_numbers_out_of_their_range_have_no_series(series):
    for n in (-1, 2.5, sp.Rational(1, 2)):
        with pytest.raises(ValueError, match=f"Invalid n: {n}; expected an integer >= 0"):
            series(x**2, x, 1, -1, n, sym.beta)
    for beta in (1, -0.1, float("nan")):
        with pytest.raises(ValueError, match=f"Invalid beta: {beta}; expected a number in"):
            series(x**2, x, 1, -1, 3, beta)
    assert series(x**2 / 2, x, 3, -1, np.int64(2), 0).doit() == 1  # nothing is remembered


def test_equidistant_points_are_finite_and_at_least_one():
    for t in (0, -1, 1.5):
        with pytest.raises(ValueError, match=f"Invalid t: {t}; expected an integer >= 1"):
            theory.equidistant_gradients(np.cos, 0.0, 0.1, t)
    with pytest.raises(ValueError, match="Invalid dx: nan; expected a finite number"):
        theory.equidistant_gradients(np.cos, 0.0, np.nan, 3)
    with pytest.raises(ValueError, match=r"Invalid x0: \[1.0, inf\]; expected finite numbers"):
        theory.equidistant_gradients(np.cos, [1.0, np.inf], 0.1, 3)


def test_gradients_at_equidistant_points_broadcast():
    grads = theory.equidistant_gradients(np.cos, np.zeros((3, 1)), np.array([0.1, -0.2]), 5)
    assert grads.shape == (3, 2, 5)
    assert np.allclose(grads[0, 1], np.cos([0, -0.2, -0.4, -0.6, -0.8]))


def test_the_first_order_error_is_the_difference_of_the_mean_lags():
    error = theory.lag_error()
    names = {symbol.name: symbol for symbol in error.free_symbols}
    s, f1, f2, lag1, lag2 = (names[name] for name in ("s", "f1", "f2", "tau_1", "tau_2"))
    assert sp.simplify(error - 1 - s * sym.lr * f2 / f1 * (lag2 - lag1)) == 0
    assert error.subs(lag1, lag2) == 1  # one β: no error of first order


@pytest.mark.parametrize("betas", [(0.9, 0.99), (0.9, 0.999), (0.5, 0.9), (0.9, 0.9)])
def test_the_first_order_error_is_right_to_second_order(betas):
    def remainder(lr):
        grads = theory.equidistant_gradients(DOUBLE_WELL.derivative, 2.0 + 50 * lr, -lr, 51)  # ends at x = 2
        size = abs(theory.step_series(grads, 1.0, betas, eps=0)[-1])
        slope, curvature = DOUBLE_WELL.derivative(2.0), 12 * 2.0**2 - 4
        lags = [theory.mean_lag(51, beta) for beta in betas]
        return size - (1 - lr * curvature / slope * (lags[1] - lags[0]))

    assert remainder(1e-5) / remainder(5e-6) == pytest.approx(4, rel=0.05)


def position_error(lr, betas, distance=0.5, x0=2.0):
    states, _ = theory.record(DOUBLE_WELL.derivative, x0, round(distance / lr), lr, betas)
    return abs(states[-1] - (x0 - distance))


def test_with_one_beta_the_position_error_falls_fourfold_with_every_halving_of_lr():
    errors = [position_error(lr, (0.9, 0.9)) for lr in (1 / 400, 1 / 800, 1 / 1600)]
    assert 3.5 < errors[1] / errors[2] < 4.2
    assert errors[0] / errors[1] > 3.2


def test_with_the_default_betas_it_does_not_fall():
    errors = [position_error(lr, (0.9, 0.999)) for lr in (0.01, 0.005, 0.0025)]
    assert errors[0] < errors[1] < errors[2]
