"""A start, the way it goes and the top ahead: found for any smooth loss, refused with the argument's name."""

import numpy as np
import pytest
import sympy
import torch
from scipy.special import jn_zeros

from hilladam.losses import DOUBLE_WELL, TABLE_1
from hilladam.theory import way_out

X = sympy.Symbol("X")
FORMS = {
    "polynomial": DOUBLE_WELL,
    "coefficients": [1, 0, -2, "0.3", 1],
    "sympy": (X**2 - 1) ** 2 + sympy.Rational(3, 10) * X,
    "torch": lambda x: (x**2 - 1) ** 2 + 0.3 * x,
}


@pytest.mark.parametrize("f", FORMS.values(), ids=FORMS)
def test_every_form_of_a_loss_gives_the_same_way_out(f):
    low, top = DOUBLE_WELL.stationary_points[2], DOUBLE_WELL.stationary_points[1]
    way = way_out(f, 2.0)
    assert way.minimum == pytest.approx(low.x, abs=1e-9)
    assert way.barrier == pytest.approx(top.x, abs=1e-9)
    assert (way.direction, way.length) == (-1.0, 2.0 - way.barrier)
    u = np.linspace(0, 3, 7)
    assert np.allclose(way.push(u), DOUBLE_WELL.derivative(2.0 - u), rtol=1e-12)
    assert np.allclose(way.value(2.0 - u), DOUBLE_WELL(2.0 - u), rtol=1e-12)
    whole = np.arange(3)
    assert np.allclose(way.value(whole), DOUBLE_WELL(whole.astype(float)), rtol=1e-12)
    assert np.allclose(way.slope(whole), DOUBLE_WELL.derivative(whole.astype(float)), rtol=1e-12)


def test_a_start_on_the_left_goes_right():
    way = way_out(DOUBLE_WELL, -2.0)
    assert way.direction == 1.0
    assert way.minimum == pytest.approx(DOUBLE_WELL.global_minimum.x)
    assert way.push(0.0) > 0


def test_the_true_barrier_may_be_given():
    low, top = DOUBLE_WELL.stationary_points[2].x, DOUBLE_WELL.stationary_points[1].x
    assert way_out(DOUBLE_WELL, 2.0, top) == way_out(DOUBLE_WELL, 2.0)
    nearly = top + 5e-7 * (2.0 - top)
    assert (way_out(DOUBLE_WELL, 2.0, nearly).barrier, way_out(DOUBLE_WELL, 2.0, nearly).minimum) == (nearly, low)


def from_slope(*roots):
    """A polynomial whose slope is the product of (x − root)."""
    return sympy.integrate(sympy.expand(sympy.prod(X - root for root in roots)), X)


@pytest.mark.parametrize("make", [lambda f: f, lambda f: sympy.Poly(f, X).all_coeffs()], ids=["sympy", "coefficients"])
@pytest.mark.parametrize(
    "roots, x0, minimum, barrier",
    [
        ((1, sympy.Rational("1.05"), 500, 550, 600), 0.0, 1.0, 1.05),
        ((1, sympy.Rational("1.05"), 500, 550, 600), 1000.0, 600.0, 550.0),
        ((1, sympy.Rational("1.05"), 500, 550, 600), 1.04, 1.0, None),
        ((10**6, 2 * 10**6, 3 * 10**6), 0.0, 1e6, 2e6),
        ((-3, -1, -1, 2, 4), -4.0, -3.0, 2.0),  # past a flat inflection on the way up
        ((-3, -3), 1.0, None, None),  # downhill for ever, over one
    ],
    ids=str,
)
def test_a_polynomial_is_known_everywhere(make, roots, x0, minimum, barrier):
    loss = make(from_slope(*roots))
    if minimum is None:
        with pytest.raises(ValueError, match=f"Invalid x0: {x0} is in no basin"):
            way_out(loss, x0)
    elif barrier is None:
        with pytest.raises(ValueError, match=f"Invalid barrier: None; the loss has no maximum ahead of x0 = {x0}"):
            way_out(loss, x0)
    else:
        assert (way_out(loss, x0).minimum, way_out(loss, x0).barrier) == (minimum, barrier)


def test_any_other_loss_is_searched_as_far_as_reach_says():
    def far(x):
        return torch.cos(x / 10)

    with pytest.raises(ValueError, match="no minimum was found within reach = 20 ahead"):
        way_out(far, 1.0)
    with pytest.raises(ValueError, match="no maximum was found within reach = 40 ahead"):
        way_out(far, 1.0, reach=40)
    assert way_out(far, 1.0, reach=80).barrier == pytest.approx(20 * np.pi)
    for reach in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match=f"Invalid reach: {reach}; expected a finite number > 0"):
            way_out(far, 1.0, reach=reach)


def test_numbers_of_numpy_do_not_overflow():
    f = np.array([1, 0, -(200_000**2), 0, 0], dtype=np.int64)
    assert way_out(f, np.int32(300_000)).minimum == pytest.approx(200_000 / 2**0.5)
    squares = np.array([1, 0, -2, 0, 0], dtype=np.int8)
    assert way_out(squares, np.int8(2)).barrier == 0.0


@pytest.mark.parametrize(
    "f, x0, minimum, barrier",
    [
        (sympy.cos(X), 1.0, np.pi, 2 * np.pi),
        (sympy.cos(X + 1), 0.0, np.pi - 1, 2 * np.pi - 1),
        (sympy.besselj(0, X), 1.0, *jn_zeros(1, 2)),
    ],
    ids=str,
)
def test_sympy_expressions_need_not_be_polynomials(f, x0, minimum, barrier):
    way = way_out(f, x0)
    assert (way.minimum, way.barrier) == pytest.approx((minimum, barrier), abs=1e-14)


def test_valleys_and_hills_are_told_apart_down_to_the_distance_of_two_points():
    """Of 4,000 points on a reach of 20; the first valley lies between the first two of them."""
    way = way_out(lambda x: torch.cos(500 * x), 0.0062)
    assert (way.minimum, way.barrier) == pytest.approx((np.pi / 500, 2 * np.pi / 500), abs=1e-14)


def test_a_barrier_of_any_loss_is_taken_where_its_slope_vanishes_up_to_a_millionth():
    def wave(x):
        return 100 * torch.cos(x)

    for off in (0.0, 5e-7):
        way = way_out(wave, 1.0, 2 * np.pi - off)
        assert (way.minimum, way.barrier) == (pytest.approx(np.pi, abs=1e-14), 2 * np.pi - off)
    with pytest.raises(ValueError, match=r"the loss still rises there, expected a maximum"):
        way_out(wave, 1.0, 2 * np.pi - 5e-6)
    with pytest.raises(ValueError, match=r"another maximum stands between"):
        way_out(wave, 1.0, 2 * np.pi + 2e-3)  # one of 4,000 points lies beyond the top


def stairs(x):
    """Down to 1, level, down from 2 to 3; up to 4, level, up from 5 to 6; level, and down from 7."""
    relu = torch.relu
    return -x + relu(x - 1) - relu(x - 2) + 2 * relu(x - 3) - relu(x - 4) + relu(x - 5) - relu(x - 6) - relu(x - 7)


def test_level_ground_on_the_way_is_neither_valley_nor_hill():
    found, given = way_out(stairs, 0.0), way_out(stairs, 0.0, 6.5)
    assert [found.minimum, given.minimum] == pytest.approx([3.0, 3.0], abs=1e-12)
    assert 6.0 <= found.barrier <= 7.0 and given.barrier == 6.5


@pytest.mark.parametrize(
    "f, x0, barrier, message",
    [
        (DOUBLE_WELL, DOUBLE_WELL.minima[0].x, None, "Invalid x0: .* is a stationary point"),
        (TABLE_1["fourth"], 1.0, None, "Invalid x0: 1.0 is a stationary point"),
        (lambda x: x**2, 0.0, None, "Invalid x0: 0.0 is a stationary point"),
        (DOUBLE_WELL, np.nan, None, "Invalid x0: nan"),
        ([1, 0], 0.0, None, "Invalid x0: 0.0 is in no basin"),
        (torch.exp, 0.0, None, "Invalid x0: 0.0 is in no basin"),
        (TABLE_1["x2"], 1.0, None, "Invalid barrier: None; the loss has no maximum"),
        (DOUBLE_WELL, 2.0, 3.0, "Invalid barrier: 3.0; the loss falls to the left"),
        (DOUBLE_WELL, 2.0, np.nan, "Invalid barrier: nan"),
        (DOUBLE_WELL, 2.0, 2.0, "Invalid barrier: 2.0; the loss falls to the left"),
        (DOUBLE_WELL, 2.0, 1.5, "Invalid barrier: 1.5; the loss has no minimum between"),
        (DOUBLE_WELL, 2.0, 0.5, "Invalid barrier: 0.5; the loss still rises there"),
        (DOUBLE_WELL, 2.0, -0.5, "Invalid barrier: -0.5; another maximum stands between"),
        (X * sympy.Symbol("Y"), 1.0, None, "Invalid f: .*one symbol"),
        (torch.cos, 1.0, 4.0, "Invalid barrier: 4.0; the loss still rises there"),
        (torch.cos, 1.0, 3.0, "Invalid barrier: 3.0; the loss has no minimum between"),
        (torch.cos, 1.0, 7.0, "Invalid barrier: 7.0; another maximum stands between"),
        (torch.cos, 1.0, -3.0, "Invalid barrier: -3.0; the loss falls to the right"),
        (torch.sqrt, -1.0, None, "Invalid x0: -1.0; the loss has no finite slope there"),
    ],
)
def test_what_is_no_way_out_is_refused(f, x0, barrier, message):
    with pytest.raises(ValueError, match=message):
        way_out(f, x0, barrier)


def test_what_is_no_loss_is_refused():
    with pytest.raises(TypeError, match="Invalid f: 'x'"):
        way_out("x", 1.0)


CUBIC = [-2, 3, 0, 0]  # a minimum at 0, a maximum at 1, and for ever down beyond


def test_a_start_across_from_the_top_finds_it():
    assert way_out(CUBIC, -1.0, 1 + 1e-8).barrier == 1 + 1e-8  # the top as nearly as it was computed
    with pytest.raises(ValueError, match=r"Invalid barrier: 0\.5; the loss still rises there"):
        way_out(CUBIC, -1.0, 0.5)


def test_beyond_the_last_stationary_point_the_first_coefficient_decides():
    for f, x0 in ((CUBIC, 2.0), ([-1, 0, 0], 1.0), ([-1, 0, 0], -1.0)):
        with pytest.raises(ValueError, match="is in no basin; the loss falls for ever"):
            way_out(f, x0)


def test_a_stationary_point_is_known_to_twelve_digits():
    for f, x0 in ((CUBIC, 1e-13), (CUBIC, 1 + 1e-13)):
        with pytest.raises(ValueError, match="is a stationary point"):
            way_out(f, x0)
    assert way_out(DOUBLE_WELL, way_out(DOUBLE_WELL, 2.0).minimum + 1e-10).direction == -1
