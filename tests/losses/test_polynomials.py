"""Table 1's losses: the paper's coefficients, exact stationary points, accurate values, true basins."""

import math
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy
import torch

from hilladam.losses import DOUBLE_WELL, TABLE_1, Polynomial, stack

x = sympy.Symbol("x", real=True)
d = sympy.Rational

# As the paper's Table 1 prints them.
PAPER = {
    "x2": x**2 + 4,
    "sixth": 40 * (x**6 + x**5 + 3 * x**3 + 4 * x**2 + x) + 8,
    "eighth": 4 * x**8 - 76 * x**7 + 605 * x**6 - d("2614.01") * x**5 + 6629 * x**4 - 9940 * x**3 + 8404 * x**2
    - 3552 * x + 576,
    "tenth": d("0.1") * x**10 - 3 * x**9 + d("39.5") * x**8 - 300 * x**7 + d("1452.3") * x**6 - 4671 * x**5
    + d("10080.5") * x**4 - 14370 * x**3 + d("12907.6") * x**2 - d("6576.3") * x + 1440,
    "fourth": x**4 - 6 * x**3 + 12 * x**2 - 10 * x + 5,
}  # fmt: skip

# Position, value and kind, from left to right, to four digits.
LOW, TOP, FLAT = "minimum", "maximum", "inflection"
STATIONARY = {
    "x2": [(0.0, 4.0, LOW)],
    "sixth": [(-1.1848, 2.8863, LOW), (-0.6995, 15.2232, TOP), (-0.1509, 5.1923, LOW)],
    "eighth": [
        (0.5000, -0.0003, LOW), (1.0322, 36.1802, TOP), (2.0117, -0.3246, LOW), (2.4361, 1.3598, TOP),
        (3.0844, -2.6040, LOW), (3.5318, -0.1468, TOP), (4.0289, -10.4340, LOW),
    ],
    "tenth": [
        (1.0026, -0.3004, LOW), (1.3453, 0.9136, TOP), (2.0475, -0.6068, LOW), (2.3754, -0.5235, TOP),
        (3.0985, -0.9144, LOW), (3.4562, -0.8492, TOP), (4.0382, -1.2059, LOW), (4.6338, -0.0730, TOP),
        (5.0026, -1.5004, LOW),
    ],
    "fourth": [(1.0, 2.0, FLAT), (2.5, 0.3125, LOW)],
}  # fmt: skip

polynomials = pytest.mark.parametrize("loss", [*TABLE_1.values(), DOUBLE_WELL], ids=lambda loss: loss.name)


def exactly(loss, number):
    """The value at a float, rounded once."""
    value = Fraction(0)
    for coefficient in loss.coefficients:
        value = value * Fraction(number) + coefficient
    return float(value)


def plainly(loss, number):
    """The value by Horner's rule in floats, in powers of x."""
    value = 0.0
    for coefficient in loss.coefficients:
        value = value * number + float(coefficient)
    return value


def around_the_minima(loss):
    return [low.x + shift for low in loss.minima for shift in np.linspace(-0.05, 0.05, 41).tolist()]


def test_table_1_has_the_papers_losses_in_its_order():
    assert list(TABLE_1) == list(PAPER)


@pytest.mark.parametrize("key", PAPER)
def test_the_coefficients_are_the_papers(key):
    assert sympy.expand(TABLE_1[key].expression(x) - PAPER[key]) == 0
    assert all(isinstance(coefficient, Fraction) for coefficient in TABLE_1[key].coefficients)


def test_the_double_well():
    assert sympy.expand(DOUBLE_WELL.expression(x) - (x**2 - 1) ** 2 - d("0.3") * x) == 0
    assert [round(low.x, 2) for low in DOUBLE_WELL.minima] == [-1.04, 0.96]
    assert DOUBLE_WELL.global_minimum == DOUBLE_WELL.minima[0]


@pytest.mark.parametrize("key", STATIONARY)
def test_the_stationary_points(key):
    found = [(point.x, point.value, point.kind) for point in TABLE_1[key].stationary_points]
    assert [kind for *_, kind in found] == [kind for *_, kind in STATIONARY[key]]
    for (place, value, _), (known_place, known_value, _) in zip(found, STATIONARY[key], strict=True):
        assert place == pytest.approx(known_place, abs=5e-5)
        assert value == pytest.approx(known_value, abs=5e-5)


@polynomials
def test_the_slope_at_a_stationary_point_is_zero_exactly(loss):
    slope = sympy.Poly(loss.expression(x), x).diff(x)
    for point in loss.stationary_points:
        assert slope.rem(sympy.minimal_polynomial(point.exact, x, polys=True)).is_zero
        assert float(point.exact.evalf(40)) == point.x
        assert float(loss.expression(x).subs(x, point.exact).evalf(40)) == point.value


@polynomials
def test_the_stationary_points_are_all_there(loss):
    roots = np.roots(np.polyder([float(c) for c in loss.coefficients]))
    real = sorted(roots[abs(roots.imag) < 1e-3].real.round(3))
    assert sorted(set(real)) == pytest.approx([point.x for point in loss.stationary_points], abs=2e-3)


@polynomials
def test_the_global_minimum_is_the_lowest(loss):
    assert loss.minima == tuple(point for point in loss.stationary_points if point.kind == "minimum")
    assert loss.global_minimum.value == min(point.value for point in loss.stationary_points)


@polynomials
def test_values_near_the_minima_are_exact_to_twelve_digits(loss):
    assert max(abs(loss(place) - exactly(loss, place)) for place in around_the_minima(loss)) < 1e-12


def test_powers_of_x_would_lose_digits_on_the_tenth_order():
    loss = TABLE_1["tenth"]
    ours = max(abs(loss(place) - exactly(loss, place)) for place in around_the_minima(loss))
    theirs = max(abs(plainly(loss, place) - exactly(loss, place)) for place in around_the_minima(loss))
    assert theirs > 1e-10 > 100 * ours


@polynomials
def test_the_derivative_is_autograds_and_sympys(loss):
    places = torch.linspace(-1.5, 5.5, 50, dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad(loss(places).sum(), places)
    torch.testing.assert_close(loss.derivative(places), slopes, rtol=1e-9, atol=1e-9)
    symbolic = sympy.Poly(loss.expression(x), x).diff(x)
    for place in places.tolist()[::7]:
        assert loss.derivative(place) == pytest.approx(float(symbolic.eval(d(place))), rel=1e-12, abs=1e-9)


@polynomials
def test_it_is_differentiable_twice(loss):
    place = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(loss(place), place, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, place)
    assert curvature.item() == pytest.approx(float(sympy.diff(loss.expression(x), x, 2).subs(x, d(0.7))), rel=1e-9)


@pytest.mark.own_rounding
@pytest.mark.parametrize(
    "place, kind",
    [
        (2, float),
        (2.0, float),
        (np.float64(2), np.float64),
        (np.array([[2.0]]), np.ndarray),
        (torch.tensor(2.0), torch.Tensor),
        (torch.tensor([2.0, 2.0], dtype=torch.float64), torch.Tensor),
        (sympy.Integer(2), sympy.Expr),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else repr(value),
)
def test_it_takes_whatever_adds_and_multiplies(place, kind):
    value, slope = TABLE_1["fourth"](place), TABLE_1["fourth"].derivative(place)
    assert isinstance(value, kind) and isinstance(slope, kind)
    assert getattr(value, "shape", ()) == getattr(place, "shape", ())
    assert getattr(value, "dtype", None) == (getattr(place, "dtype", None))
    assert np.allclose(np.asarray(value, dtype=float), 1.0) and np.allclose(np.asarray(slope, dtype=float), -2.0)


def test_it_takes_a_symbol():
    loss = TABLE_1["fourth"]
    assert sympy.simplify(loss(x) - loss.expression(x)) == 0
    assert sympy.simplify(loss.derivative(x) - sympy.diff(loss.expression(x), x)) == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_it_keeps_the_precision_of_a_tensor(dtype):
    place = torch.tensor([0.3], dtype=dtype)
    assert TABLE_1["tenth"](place).dtype == TABLE_1["tenth"].derivative(place).dtype == dtype


def test_no_number_of_it_is_rounded_before_it_is_shifted():
    tenth = Fraction(1, 10)
    assert Polynomial("", ("0.1", 0), "0.2").coefficients == (tenth, 0)
    assert Polynomial("", (0.1, 0)).coefficients[0] == Fraction(0.1) != tenth  # a float is what it is in binary
    shifted = Polynomial("", ("0.1", "0.2", "0.3"), 3)
    assert shifted.about_centre == (0.1, 0.8, 1.8)


NUMBERS = {
    "int32": np.int32(70_000),
    "uint64": np.uint64(70_000),
    "0-d array": np.array(70_000, dtype=np.int32),
    "0-d tensor": torch.tensor(70_000, dtype=torch.int32),
    "float32": np.float32(70_000),
    "longdouble": np.longdouble(70_000),
    "Decimal": Decimal(70_000),
    "Fraction": Fraction(70_000),
    "string": "7e4",
    "sympy": sympy.Integer(70_000),
}


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_a_number_of_any_kind_is_exact_and_never_overflows(number):
    loss = Polynomial("", (number, 1, number), number)
    assert loss.coefficients == (70_000, 1, 70_000) and loss.centre == 70_000
    assert all(type(c.numerator) is type(c.denominator) is int for c in (*loss.coefficients, loss.centre))
    assert loss.about_centre == (7e4, 2 * 7e4**2 + 1, 7e4**3 + 2 * 7e4)


def test_a_number_that_is_no_fraction_by_name_is_taken_at_its_exact_value():
    third = np.longdouble(1) / 3  # on most machines finer than a float
    loss = Polynomial("", (third, sympy.Float(0.1), np.float32(0.1), torch.tensor(0.1)), sympy.Float(0.25))
    tenth = Fraction(float(np.float32(0.1)))
    assert loss.coefficients == (Fraction(*third.as_integer_ratio()), Fraction(0.1), tenth, tenth)
    assert loss.centre == Fraction(1, 4)


def test_the_coefficients_may_come_as_an_array():
    assert Polynomial("", np.arange(3, 0, -1)) == Polynomial("", torch.tensor([3, 2, 1])) == Polynomial("", (3, 2, 1))


@pytest.mark.parametrize(
    "error, number",
    [(ValueError, number) for number in (math.nan, math.inf, np.float32("-inf"), Decimal("nan"), "x", "1/0")]
    + [(TypeError, number) for number in (None, 1j, [1], np.array([1]), sympy.pi, sympy.oo)],
    ids=repr,
)
def test_what_is_no_finite_real_number_is_refused_by_name(error, number):
    with pytest.raises(error, match=r"Invalid coefficients: .*; expected a finite integer, fraction"):
        Polynomial("", (1, number))
    with pytest.raises(error, match=r"Invalid centre: .*; expected a finite integer, fraction"):
        Polynomial("", (1, 0), number)


def flow(loss, places):
    """Follow the slope down in small steps, from many places at once."""
    for _ in range(5000):
        slope = loss.derivative(places)
        places = places - 2e-3 * slope / (1 + slope.abs())
    return places


@polynomials
def test_basins_are_where_the_flow_comes_to_rest(loss):
    points = torch.tensor([point.x for point in loss.stationary_points], dtype=torch.float64)
    starts = torch.linspace(points[0] - 1, points[-1] + 1, 51, dtype=torch.float64)
    nearest = (flow(loss, starts).unsqueeze(1) - points).abs().argmin(1)
    assert loss.basin(starts).tolist() == nearest.tolist()


@pytest.mark.parametrize("make", [int, np.int64, np.array, torch.tensor], ids=lambda make: make.__name__)
def test_whole_numbers_lie_in_the_basins_of_their_floats(make):
    assert [DOUBLE_WELL.basin(make(x)).item() for x in (-2, -1, 0, 1, 2)] == [0, 0, 0, 2, 2]


def test_pythons_numbers_count_in_double_precision():
    top = DOUBLE_WELL.stationary_points[1].x
    assert [DOUBLE_WELL.basin(x).item() for x in (top - 1e-12, top, top + 1e-12)] == [0, 1, 2]
    assert DOUBLE_WELL.basin([[top - 1e-12], [top + 1e-12]]).tolist() == [[0], [2]]


@pytest.mark.parametrize("make", [np.array, torch.tensor], ids=lambda make: make.__name__)
def test_a_place_rests_on_a_top_that_it_equals_in_its_own_precision(make):
    top = np.float32(DOUBLE_WELL.stationary_points[1].x)
    places = [np.nextafter(top, np.float32(side)) for side in (-1, top, 1)]
    dtype = np.float32 if make is np.array else torch.float32
    assert DOUBLE_WELL.basin(make(places, dtype=dtype)).tolist() == [0, 1, 2]


def test_basins_and_kinds_are_right_between_points_too_close_for_a_floats_slope():
    x0, gap = 1000, Fraction(1, 10_000)
    roots = [x0 + k * gap for k in range(3)]
    slope = [1, -sum(roots), roots[0] * (roots[1] + roots[2]) + roots[1] * roots[2], -math.prod(roots)]
    loss = Polynomial("", [c / power for c, power in zip(slope, (4, 3, 2, 1), strict=True)] + [0])
    assert [(p.x, p.kind) for p in loss.stationary_points] == [
        (1000.0, "minimum"), (1000.0001, "maximum"), (1000.0002, "minimum")]  # fmt: skip
    assert loss.basin([999, 1000.00005, 1000.00015, 1001]).tolist() == [0, 0, 2, 2]


@polynomials
def test_a_place_a_rounding_error_from_a_minimum_is_in_its_basin(loss):
    for index, point in enumerate(loss.stationary_points):
        assert loss.basin(torch.tensor(point.x, dtype=torch.float64)) == index  # at rest
        for side in (-math.inf, math.inf):
            places = [torch.tensor(point.x, dtype=torch.float64)]
            for _ in range(20):
                places.append(torch.nextafter(places[-1], torch.tensor(side, dtype=torch.float64)))
            if point.kind == "minimum":
                assert (loss.basin(torch.stack(places)) == index).all()


def test_a_flat_inflection_holds_what_comes_from_above():
    loss = TABLE_1["fourth"]
    assert loss.basin(torch.tensor([-5.0, 0.99, 1.0, 1.01, 2.49, 2.5, 9.0])).tolist() == [0, 0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize(
    "coefficients, expected",
    [
        ((1, 0), [-1, -1, -1]),  # x falls to −∞ everywhere
        ((-1, 0), [0, 0, 0]),  # −x to +∞
        ((1, 0, 1, 0), [-1, -1, -1]),  # x³ + x likewise
        ((-1, 0, 0), [-1, 0, 1]),  # −x² on both sides of its top
        ((1, 0, -3, 0), [-1, 1, 1]),  # x³ − 3x: a top at −1, a minimum at 1
    ],
    ids=str,
)
def test_a_flow_that_runs_off(coefficients, expected):
    assert Polynomial("", coefficients).basin(torch.tensor([-2.0, 0.0, 2.0])).tolist() == expected


def test_basins_lie_on_the_device_of_the_places():
    assert DOUBLE_WELL.basin(torch.empty(3, device="meta")).device.type == "meta"


def test_basins_keep_the_shape_and_know_no_place_for_nan():
    loss = TABLE_1["sixth"]
    found = loss.basin(torch.tensor([[0.0, -2.0], [math.nan, 3.0]], dtype=torch.float32).T)
    assert found.tolist() == [[2, 3], [0, 2]]


def test_the_lowest_place_of_a_parabola_is_its_bottom():
    assert Polynomial("flat", ("0.5", 0, 3)).global_minimum[:3] == (0.0, 3.0, "minimum")


@pytest.mark.parametrize("coefficients", [(1, 0), (1, 0, 0, 0), (-1, 0, 0)], ids=str)
def test_a_polynomial_without_a_lower_bound_has_no_global_minimum(coefficients):
    with pytest.raises(ValueError, match="steep has no global minimum"):
        Polynomial("steep", coefficients).global_minimum  # noqa: B018


@pytest.mark.parametrize("coefficients", [(), (1,), (0, 1), ("0", "1/2", 2)], ids=str)
def test_coefficients_that_are_no_polynomial_of_their_length(coefficients):
    message = f"Invalid coefficients: ({', '.join(map(str, coefficients))}); expected at least two, the first not zero"
    with pytest.raises(ValueError, match=re.escape(message)):
        Polynomial("", coefficients)


# Stacks --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(6,), (6, 1)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_stack_is_each_of_its_polynomials_alone(shape, dtype):
    losses = [*TABLE_1.values(), DOUBLE_WELL]
    places = torch.linspace(-1, 4.5, 6, dtype=dtype).view(shape).requires_grad_()
    values = stack(losses, dtype=dtype)(places)
    weights = torch.arange(1.0, 7.0, dtype=dtype)
    (slopes,) = torch.autograd.grad((weights * values).sum(), places)
    assert values.shape == (6,) and slopes.shape == shape and values.dtype == dtype
    tolerance = {"rtol": 1e-12 if dtype == torch.float64 else 1e-5, "atol": 0}
    for index, loss in enumerate(losses):
        place = places.detach().flatten()[index]
        torch.testing.assert_close(values[index], loss(place), **tolerance)
        torch.testing.assert_close(slopes.flatten()[index], weights[index] * loss.derivative(place), **tolerance)


def test_a_stack_is_differentiable_once():
    places = torch.ones(2, dtype=torch.float64, requires_grad=True)
    values = stack([DOUBLE_WELL, DOUBLE_WELL])(places)
    with pytest.raises(RuntimeError, match="differentiable once"):
        torch.autograd.grad(values.sum(), places, create_graph=True)


def test_a_stack_lies_on_the_device_that_was_asked_for():
    place = torch.empty(3, dtype=torch.float64, device="meta")
    assert stack([DOUBLE_WELL] * 3, device="meta")(place).device.type == "meta"


def test_a_stack_has_members_and_a_place_for_each():
    with pytest.raises(ValueError, match=r"Invalid polynomials: \[\]; expected at least one"):
        stack([])
    with pytest.raises(ValueError, match=r"Invalid x: shape \(1,\); expected a place for each of 2 members"):
        stack([DOUBLE_WELL, DOUBLE_WELL])(torch.ones(1, dtype=torch.float64))
