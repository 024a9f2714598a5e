"""Equations 2–9: what a moving average remembers."""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from hilladam import theory
from hilladam.theory import derivations as sym

starts = pytest.mark.parametrize("start", ["zero", "first"])
betas = pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.999])


@starts
def test_the_unrolled_average_obeys_the_recurrence_for_every_t_and_every_gradient(start):
    unrolled = theory.unroll(start)
    assert unrolled.base == 0
    assert unrolled.step == 0
    assert unrolled.series.has(sp.Sum) and unrolled.series.has(sym.t)  # t is a symbol, not a number


def test_the_papers_equation_8_at_t_3_and_without_its_first_term_torchs():
    b, g = sym.beta, sym.g
    printed = b**3 * g[0] + b**2 * (1 - b) * g[1] + b * (1 - b) * g[2] + (1 - b) * g[3]
    assert sp.expand(theory.unroll("first").series.subs(sym.t, 3).doit() - printed) == 0
    from_zero = theory.unroll().series.subs(sym.t, 3).doit()
    assert sp.expand(from_zero - (printed - b**3 * g[0])) == 0  # torch's start is the default


def test_a_wrong_series_would_not_pass():
    from hilladam.theory.derivations import _without_last, beta, g, k, t

    wrong = sp.Sum((1 - beta) * beta ** (t - k + 1) * g[k], (k, 1, t))
    after = wrong.subs(t, t + 1).replace(sp.Sum, _without_last)
    assert sp.simplify((after - beta * wrong - (1 - beta) * g[t + 1]).expand()) != 0


@starts
def test_the_weights_sum_to_one_for_symbolic_t(start):
    assert theory.weighted_sum(1, start) == 1


@starts
@pytest.mark.parametrize("t", [1, 2, 7, 40])
def test_the_symbolic_mean_lag_is_the_numerical_one(start, t):
    moves = t if start == "zero" else t - 1  # the paper counts from g₀
    exact = theory.weighted_sum(sym.j, start).subs({sym.t: moves, sym.beta: sp.Rational(9, 10)})
    assert theory.mean_lag(t, 0.9, start) == pytest.approx(float(exact), rel=1e-12, abs=1e-12)
    assert theory.weighted_sum(sym.j, start, sp.Rational(9, 10)).subs(sym.t, moves) == exact
    weights = theory.weights(t, 0.9, start)
    assert theory.mean_lag(t, 0.9, start) == pytest.approx(weights @ np.arange(t - 1, -1, -1), rel=1e-12, abs=1e-12)


@starts
def test_the_symbolic_weights_are_the_numerical_ones(start):
    oldest, aged = theory.weight(start)
    values = theory.weights(7, 0.9, start)
    numbers = {sym.t: 7 if start == "zero" else 6, sym.beta: sp.Rational(9, 10)}
    assert float(oldest.subs(numbers)) == pytest.approx(values[0], rel=1e-12)
    for j in range(6):
        assert float(aged.subs(numbers | {sym.j: j})) == pytest.approx(values[-1 - j], rel=1e-12)
    with pytest.raises(ValueError, match="Invalid start: 'last'"):
        theory.weight("last")


@pytest.mark.parametrize("t", [1, 2, 10, 1000])
@pytest.mark.parametrize("away", [2.0**-6, 2.0**-10, 2.0**-14, 2.0**-20, 2.0**-30, 2.0**-52])
def test_the_mean_lag_stays_exact_where_the_weights_are_nearly_even(t, away):
    beta = 1 - Fraction(away)
    exact = sum(age * beta**age for age in range(t)) / sum(beta**age for age in range(t))
    assert theory.mean_lag(t, 1 - away) == pytest.approx(float(exact), rel=1e-10, abs=1e-12)


def test_the_mean_lag_for_the_zero_start_in_closed_form():
    closed = sym.beta / (1 - sym.beta) - sym.t * sym.beta**sym.t / (1 - sym.beta**sym.t)
    assert sp.simplify(theory.weighted_sum(sym.j) - closed) == 0


@starts
@betas
def test_the_weights_are_positive_sum_to_one_and_are_a_row_of_the_matrix(start, beta):
    weights, matrix = theory.weights(30, beta, start), theory.weight_matrix(30, beta, start)
    assert (weights >= 0).all()
    assert np.allclose(matrix.sum(1), 1, rtol=1e-13)
    assert np.allclose(matrix[-1], weights, rtol=1e-14)
    assert np.allclose(matrix[9, :10], theory.weights(10, beta, start), rtol=1e-14)
    assert not np.triu(matrix, 1).any()


@starts
@betas
def test_horners_rule_sums_the_series(start, beta):
    values = np.random.default_rng(0).normal(size=(2, 3, 200))
    series = np.einsum("tk,...k->...t", theory.weight_matrix(200, beta, start), values)
    assert np.allclose(theory.moving_average(values, beta, start), series, rtol=1e-12, atol=1e-14)


@starts
@betas
def test_the_average_obeys_the_recurrence_to_the_last_digits(start, beta):
    values = np.random.default_rng(1).normal(size=(3, 100)) * np.geomspace(1e-200, 1e200, 100)
    averages = theory.moving_average(values, beta, start)
    if start == "zero":
        averages *= 1 - beta ** np.arange(1, 101)
    before = np.concatenate([values[:, :1] if start == "first" else np.zeros((3, 1)), averages[:, :-1]], axis=1)
    fresh = (1 - beta) * values
    assert (np.abs(averages - (beta * before + fresh)) <= 4e-16 * (beta * np.abs(before) + np.abs(fresh))).all()


@starts
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_spoils_the_averages_from_there_on_and_no_others(start, bad):
    values = np.ones((2, 6))
    values[0, 3] = bad
    averages = theory.moving_average(values, 0.9, start)
    assert np.isfinite(averages).tolist() == [[True] * 3 + [False] * 3, [True] * 6]
    assert np.isnan(averages[0, 4:]).all()


@starts
@pytest.mark.parametrize("values", [1.0, [], np.zeros((3, 0))], ids=str)
def test_there_must_be_values_to_average(start, values):
    with pytest.raises(ValueError, match=r"Invalid values: shape .*; expected \(\.\.\., t\) with t >= 1"):
        theory.moving_average(values, 0.9, start)


@starts
def test_the_average_of_a_constant_is_the_constant(start):
    assert np.allclose(theory.moving_average(np.full((4, 50), 2.5), 0.9, start), 2.5, rtol=1e-13)


def test_the_weight_of_the_oldest_of_ten_gradients():
    assert theory.weights(10, 0.9, "first")[0] == pytest.approx(0.9**9)  # 0.387
    assert theory.weights(10, 0.9, "zero")[0] == pytest.approx(0.0594822, rel=1e-5)


@pytest.mark.parametrize("t", [0, -2, 2.5, np.nan])
def test_a_count_of_values_is_a_whole_number(t):
    for call in (theory.weights, theory.weight_matrix):
        with pytest.raises(ValueError, match=f"Invalid t: {t}; expected an integer >= 1"):
            call(t, 0.9)
    if t != 2.5:
        with pytest.raises(ValueError, match=f"Invalid t: {t}; expected a finite number >= 1"):
            theory.mean_lag(t, 0.9)


@pytest.mark.parametrize("call", [theory.weights, theory.weight_matrix, theory.mean_lag])
def test_bad_input_is_named(call):
    with pytest.raises(ValueError, match=r"Invalid beta parameter at index 0: 1\.0"):
        call(3, 1.0)
    with pytest.raises(ValueError, match="Invalid start: 'last'"):
        call(3, 0.9, "last")


def test_an_average_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="Invalid t: 0"):
        theory.weights(0, 0.9)
    with pytest.raises(ValueError, match="Invalid start"):
        theory.unroll("last")


def test_the_symbolic_weights_refuse_a_number_that_is_no_beta():
    for beta in (1, -0.1, sp.Rational(3, 2), float("nan")):
        with pytest.raises(ValueError, match=r"Invalid beta: .*; expected a number in \[0, 1\)"):
            theory.weight(beta=beta)
        with pytest.raises(ValueError, match=r"Invalid beta: .*; expected a number in \[0, 1\)"):
            theory.weighted_sum(1, beta=beta)
