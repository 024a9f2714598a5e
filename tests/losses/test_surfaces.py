"""The surfaces are those of the literature, and their minima are all of them."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from hilladam.losses import SURFACES, Surface

# The lowest values as the literature prints them.
LOWEST = {"camel": -1.031628453, "mueller_brown": -146.699517, "rastrigin": 0.0, "himmelblau": 0.0}
# The minima as the literature prints them, the lowest first.
PRINTED = {
    "camel": [(-0.0898, 0.7126, -1.0316), (0.0898, -0.7126, -1.0316)],
    "mueller_brown": [(-0.558, 1.442, -146.700), (0.623, 0.028, -108.167), (-0.050, 0.467, -80.768)],
    "rastrigin": [(0.0, 0.0, 0.0)],
    "himmelblau": [(-3.77931, -3.283186, 0), (-2.805118, 3.131313, 0), (3, 2, 0), (3.584428, -1.848127, 0)],
}
COUNT = {"camel": 6, "mueller_brown": 3, "rastrigin": 121, "himmelblau": 4}


@pytest.mark.parametrize("key", SURFACES)
def test_the_minima_are_minima(key):
    surface = SURFACES[key]
    assert len({tuple(np.round(point.x, 4)) for point in surface.minima}) == len(surface.minima) == COUNT[key]
    assert surface.global_minimum.value == pytest.approx(LOWEST[key], abs=1e-6)
    assert np.diff([point.value for point in surface.minima]).min() > -1e-9  # from the lowest on; some tie, to rounding
    for x, value in surface.minima:
        point = torch.tensor(x, dtype=torch.float64)
        assert surface(point).item() == pytest.approx(value, rel=1e-12, abs=1e-12)
        assert torch.autograd.functional.jacobian(surface, point).abs().max() < 1e-9
        assert torch.linalg.eigvalsh(torch.autograd.functional.hessian(surface, point)).min() > 0
        assert all(low <= coordinate <= high for coordinate, (low, high) in zip(x, surface.box, strict=True))


@pytest.mark.parametrize("key", SURFACES)
def test_the_minima_are_where_the_literature_has_them(key):
    for (x, value), printed in zip(SURFACES[key].minima, PRINTED[key], strict=False):
        assert (*x, value) == pytest.approx(printed, abs=1e-3)
        assert SURFACES[key](printed[:2]).item() == pytest.approx(printed[2], abs=5e-3)


@pytest.mark.parametrize("key", SURFACES)
def test_descent_from_anywhere_ends_in_a_known_minimum(key):
    surface = SURFACES[key]
    low, high = np.array(surface.box).T
    known = np.array([point.x for point in surface.minima])
    inside = 0
    for start in np.random.default_rng(0).uniform(low, high, (60, 2)):
        end = minimize(lambda x: surface(torch.tensor(x)).item(), start, method="Nelder-Mead",
                       options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 2000}).x  # fmt: skip
        if ((low <= end) & (end <= high)).all():  # the hills of Müller and Brown also lead outwards
            inside += 1
            assert np.abs(known - end).max(axis=1).min() < 1e-3, (start, end)
    assert inside >= 40


def test_points_of_any_shape():
    for surface in SURFACES.values():
        points = torch.rand(3, 4, 2, dtype=torch.float64)
        values = surface(points)
        assert values.shape == (3, 4)
        torch.testing.assert_close(values[1, 2], surface(points[1, 2]))


@pytest.mark.parametrize("make", [tuple, np.array, torch.IntTensor], ids=["tuple", "array", "tensor"])
def test_whole_numbers_are_places_like_any_other(make):
    value = SURFACES["himmelblau"](make([100_000, -3]))
    assert value.dtype == torch.float64
    assert value.item() == pytest.approx((100_000**2 - 14) ** 2 + (100_000 + 2) ** 2, rel=1e-12)


@pytest.mark.parametrize(
    "points", [np.ones(2, np.float32), torch.ones(2), torch.ones(2).half()], ids=lambda p: str(p.dtype)
)
def test_places_keep_their_precision(points):
    for surface in SURFACES.values():
        assert surface(points).dtype == torch.as_tensor(points).dtype
    assert SURFACES["camel"]([1.0, 1.0]).dtype == torch.float64


@pytest.mark.parametrize("points", [1.0, [1.0], [1.0, 2.0, 3.0], np.zeros((2, 3))], ids=str)
def test_points_have_two_coordinates(points):
    with pytest.raises(ValueError, match=r"Invalid points: shape .*; expected \(…, 2\)"):
        SURFACES["camel"](points)


@pytest.mark.parametrize("key", SURFACES)
def test_plain_floats_give_what_torch_gives(key):
    surface = SURFACES[key]
    low, high = np.array(surface.box).T
    for x in low + np.random.default_rng(0).random((200, 2)) * 1.5 * (high - low):
        place = torch.tensor(x, requires_grad=True)
        expected = surface(place)
        (slopes,) = torch.autograd.grad(expected, place)
        value, gradient = surface.value_and_gradient(x)
        assert value == pytest.approx(expected.item(), rel=1e-12, abs=1e-12)
        assert gradient == pytest.approx(slopes.tolist(), rel=1e-10, abs=1e-10)


def test_a_surface_of_ones_own_needs_no_slopes():
    bowl = Surface("bowl", lambda x, y: x**2 + 3 * y**2, ((-1, 1), (-1, 1)), ((0, 0),))
    value, slope = bowl.value_and_gradient((2.1, 1.3))
    assert value == pytest.approx(9.48, rel=1e-14) and slope == pytest.approx((4.2, 7.8), rel=1e-14)  # in float64


def test_far_away_a_surface_is_infinite_and_no_error():
    value, _ = SURFACES["mueller_brown"].value_and_gradient((-40.0, 40.0))
    assert value == np.inf
