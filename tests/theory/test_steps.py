"""The exact step series, held to torch.optim.Adam, and the largest step that there is."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
import torch

from hilladam import theory
from hilladam.losses import DOUBLE_WELL, TABLE_1
from hilladam.theory import derivations as sym

TRAJECTORIES = [
    (DOUBLE_WELL, 2.0, 0.01, (0.9, 0.999)),
    (DOUBLE_WELL, 3.0, 0.1, (0.9, 0.999)),
    (DOUBLE_WELL, 1.5, 0.03, (0.95, 0.999)),
    (DOUBLE_WELL, -2.0, 0.003, (0.5, 0.9)),
    (DOUBLE_WELL, 0.4, 0.001, (0.9, 0.5)),
    (TABLE_1["x2"], 3.0, 0.05, (0.95, 0.99)),
    (TABLE_1["sixth"], 0.6, 0.01, (0.9, 0.999)),
    (TABLE_1["sixth"], 1.5, 0.001, (0.99, 0.999)),
    (TABLE_1["eighth"], 0.2, 0.01, (0.9, 0.99)),
    (TABLE_1["tenth"], 0.5, 0.01, (0.9, 0.9)),
    (TABLE_1["tenth"], 5.5, 0.02, (0.8, 0.999)),
    (TABLE_1["fourth"], 3.5, 0.01, (0.7, 0.99)),
]
names = [f"{loss.name} from {x0}, lr {lr}, betas {betas}" for loss, x0, lr, betas in TRAJECTORIES]


@pytest.mark.parametrize(("loss", "x0", "lr", "betas"), TRAJECTORIES, ids=names)
def test_the_series_is_every_step_of_adam(loss, x0, lr, betas):
    states, grads = theory.record(loss.derivative, x0, 1000, lr, betas)
    torch_steps = theory.replay(grads, lr, betas)
    a, b = (theory.weight_matrix(1000, beta) for beta in betas)
    series = -lr * (a @ grads) / (np.sqrt(b @ grads**2) + 1e-8)
    assert np.abs(series / torch_steps - 1).max() < 1e-12
    assert np.abs(np.diff(states) - series).max() < 1e-12
    assert np.abs(theory.step_series(grads, lr, betas) - series).max() < 1e-13 * lr


def test_many_runs_at_once_are_the_runs_one_by_one():
    starts = np.array([[2.0, 1.0], [-1.5, 0.2]])
    states, grads = theory.record(torch.cos, starts, 30, 0.01)
    assert states.shape == (2, 2, 31) and grads.shape == (2, 2, 30)
    alone, _ = theory.record(torch.cos, -1.5, 30, 0.01)
    assert np.allclose(states[1, 0], alone, rtol=0, atol=1e-13)  # vectorised torch may round another way
    assert np.allclose(theory.replay(grads)[1, 0], theory.replay(grads[1, 0]), rtol=1e-13)
    assert np.allclose(theory.step_series(grads)[1, 0], theory.step_series(grads[1, 0]), rtol=1e-13)


def test_epsilon_inside_the_root_shrinks_small_steps():
    for size, inside in [(1e-2, 0.99995), (1e-4, 0.70711), (1e-6, 0.0099995)]:
        grads = np.full(20, size)
        assert abs(theory.step_series(grads, 1.0, eps=0, eps_root=1e-8)[-1]) == pytest.approx(inside, rel=1e-5)
        assert abs(theory.step_series(grads, 1.0)[-1]) == pytest.approx(1, abs=2e-2)


def test_without_a_gradient_and_without_epsilon_there_is_no_step():
    assert np.isnan(theory.step_series([0.0, 0.0], eps=0)).all()
    assert not theory.step_series([0.0, 0.0]).any()


# The largest step.


def test_the_geometric_sums_of_the_proof():
    squared, limit = theory.step_ceiling()
    b1, b2 = sym.beta1, sym.beta2
    assert sp.simplify(limit - (1 - b1) ** 2 / ((1 - b2) * (1 - b1**2 / b2))) == 0
    for t in (1, 2, 9):
        numbers = {b1: sp.Rational(9, 10), b2: sp.Rational(999, 1000), sym.t: t}
        assert float(squared.subs(numbers)) == pytest.approx(theory.largest_step(t) ** 2, rel=1e-9)
    a, b = theory.weights(9, 0.9), theory.weights(9, 0.999)
    assert (a**2 / b).sum() == pytest.approx(theory.largest_step(9) ** 2, rel=1e-12)


def test_every_finite_step_lies_below_the_limit():
    """With u = β₂ᵗ and w = qᵗ the claim is (1 − u)(1 − w) ≤ (1 − √(uw))²: a square is not negative."""
    root_u, root_w = sp.symbols("u w", positive=True)
    below = (1 - root_u * root_w) ** 2 - (1 - root_u**2) * (1 - root_w**2)
    assert sp.factor(below) == (root_u - root_w) ** 2
    for betas in [(0.9, 0.999), (0.5, 0.9), (0.9, 0.85), (0.99, 0.999)]:
        assert (theory.largest_step(np.arange(1, 3000), betas) <= theory.step_supremum(betas) * (1 + 1e-12)).all()


def test_growing_gradients_reach_the_supremum_in_torch_and_an_isolated_one_does_not():
    growing = np.append(np.zeros(10_000), theory.extremal_gradients(300, last=1e6))
    isolated = np.append(np.zeros(10_299), 1e6)
    reached, alone = -theory.replay(np.stack([growing, isolated]), lr=1.0)[:, -1]
    assert theory.step_supremum() == pytest.approx(7.27029, abs=1e-5)
    assert theory.step_supremum() * 0.9999 < reached < theory.step_supremum()
    assert alone == pytest.approx(0.1 / np.sqrt(0.001), rel=1e-4)  # the Adam paper's 3.16


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.9), (0.9, 0.5), (0.9, 0.9), (0.9, 0.81)])
@pytest.mark.parametrize("t", [1, 2, 5, 60])
def test_the_extremal_gradients_attain_the_largest_step_and_nothing_beats_them(betas, t):
    best = theory.largest_step(t, betas)
    taken = -theory.replay(theory.extremal_gradients(t, betas, last=1e6), 1.0, betas, eps=0)[-1]
    assert taken == pytest.approx(best, rel=1e-9)
    assert theory.extremal_gradients(t, betas)[-1] == 1.0
    others = theory.step_series(np.random.default_rng(t).normal(size=(200, t)), 1.0, betas, eps=0)
    assert (np.abs(others[:, -1]) <= best * (1 + 1e-12)).all()


def test_one_beta_allows_no_step_above_lr():
    """Jensen: the square of a mean is at most the mean of the squares."""
    t = np.arange(1, 500)
    assert np.allclose(theory.largest_step(t, (0.9, 0.9)), 1, rtol=1e-9)
    assert theory.step_supremum((0.9, 0.9)) == pytest.approx(1)
    for start in ("zero", "first"):
        grads = np.random.default_rng(1).normal(size=(300, 50)) * np.geomspace(1e-3, 1, 50)
        assert np.abs(theory.step_series(grads, 1.0, (0.9, 0.9), eps=0, start=start)).max() <= 1 + 1e-12


def test_shrinking_gradients_of_one_sign_make_no_step_above_lr():
    grads = -np.sort(-np.random.default_rng(2).exponential(size=(300, 80)), axis=-1)
    for betas in ((0.9, 0.999), (0.5, 0.9), (0.9, 0.9)):
        assert np.abs(theory.step_series(grads, 1.0, betas, eps=0)).max() <= 1 + 1e-12


def test_beta1_squared_at_or_above_beta2_has_no_largest_step():
    assert theory.step_supremum((0.9, 0.81)) == theory.step_supremum((0.9, 0.5)) == np.inf
    at = theory.largest_step(np.array([400, 1600]), (0.9, 0.81))
    assert at[1] / at[0] == pytest.approx(2, rel=1e-6)  # grows like √t
    one_then_silence = np.zeros(60)
    one_then_silence[0] = 1.0
    taken = -theory.replay(one_then_silence, 1.0, (0.9, 0.5), eps=0)
    assert np.allclose(taken[21:] / taken[20:-1], 0.9 / np.sqrt(0.5), rtol=1e-1)
    assert taken[-1] > 1e5
    assert theory.largest_step(5000, (0.9, 0.5)) == np.inf


@pytest.mark.parametrize("off", [0.0, 1e-15, -1e-12, 1e-11, 1e-9, -1e-6], ids=str)
@pytest.mark.parametrize("t", [1, 2, 60])
def test_the_largest_step_is_exact_near_beta1_squared_equal_to_beta2(off, t):
    betas = (0.9, 0.81 * (1 + off))
    b1, b2 = (Fraction(beta) for beta in betas)
    exact = (1 - b1) ** 2 / (1 - b1**t) ** 2 * (1 - b2**t) / (1 - b2) * sum((b1**2 / b2) ** k for k in range(t))
    assert theory.largest_step(t, betas) == pytest.approx(math.sqrt(exact), rel=1e-14)


def test_bad_betas_are_named():
    with pytest.raises(ValueError, match=r"Invalid beta parameter at index 1: 1\.5"):
        theory.step_series([1.0], betas=(0.9, 1.5))
    for call in (theory.step_supremum, lambda betas: theory.largest_step(3, betas)):
        with pytest.raises(ValueError, match=r"Invalid betas: \(0\.9, 0\.0\)"):
            call((0.9, 0.0))


@pytest.mark.parametrize(
    "setting, message",
    [
        ({"lr": -0.1}, "Invalid lr: -0.1; expected a finite number >= 0"),
        ({"eps": -1e-8}, "Invalid eps: -1e-08"),
        ({"eps": np.nan}, "Invalid eps: nan"),
        ({"eps_root": -1.0}, "Invalid eps_root: -1.0"),
        ({"betas": (0.9,)}, r"Invalid betas: \(0.9,\); expected two"),
    ],
    ids=str,
)
def test_settings_out_of_their_range_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        theory.step_series([1.0], **setting)


def test_steps_are_counted_from_one():
    for t in (0, -1, np.nan, np.inf, [3, 0]):
        with pytest.raises(ValueError, match=r"Invalid t: .*; expected"):
            theory.largest_step(t)
    for t in (0, 2.5):
        with pytest.raises(ValueError, match=f"Invalid t: {t}; expected an integer >= 1"):
            theory.extremal_gradients(t)
    with pytest.raises(ValueError, match="Invalid last: inf; expected a finite number"):
        theory.extremal_gradients(3, last=np.inf)


@pytest.mark.parametrize("call", [theory.step_series, theory.replay])
@pytest.mark.parametrize("grads", [1.0, [], np.zeros((2, 0))], ids=str)
def test_there_must_be_gradients(call, grads):
    with pytest.raises(ValueError, match=r"Invalid grads: shape .*; expected \(\.\.\., t\)"):
        call(grads)


def test_a_record_has_a_start_and_steps():
    slope = DOUBLE_WELL.derivative
    for steps in (0, -3, 1.5):
        with pytest.raises(ValueError, match=f"Invalid steps: {steps}; expected an integer >= 1"):
            theory.record(slope, 2.0, steps)
    with pytest.raises(ValueError, match="Invalid x0: nan; expected a finite number"):
        theory.record(slope, np.nan, 3)
    from_tensor = theory.record(torch.cos, torch.tensor([2.0, 1.0], dtype=torch.float64), 3)
    assert all(map(np.allclose, from_tensor, theory.record(torch.cos, [2, 1], 3)))


def test_the_defaults_are_torchs():
    defaults = 1e-3, (0.9, 0.999), 1e-8
    for ours, theirs in zip(theory.record(torch.cos, 2.0, 3), theory.record(torch.cos, 2.0, 3, *defaults), strict=True):
        assert (ours == theirs).all()
    assert (theory.replay([4.0, 1.0, -2.0]) == theory.replay([4.0, 1.0, -2.0], *defaults)).all()


def test_a_record_takes_its_epsilon():
    states, _ = theory.record(lambda x: 2 * x, 2.0, 1, 0.1, eps=1.0)
    assert states[1] == pytest.approx(2.0 - 0.1 * 4 / (4 + 1))


def test_an_average_starts_at_zero_by_default():
    values = np.array([3.0, -1.0, 2.0])
    assert (theory.moving_average(values, 0.9) == theory.moving_average(values, 0.9, "zero")).all()


def test_a_number_without_bounds_is_only_asked_to_be_finite():
    with pytest.raises(ValueError, match=r"Invalid last: inf; expected a finite number$"):
        theory.extremal_gradients(3, last=np.inf)


def test_gradients_may_be_whole_numbers():
    for call in (theory.replay, theory.step_series):
        assert (call([4, 1, -2]) == call([4.0, 1.0, -2.0])).all()
