"""Random landscapes: their gradients, periods and ranges, and what their makers promise."""

import math

import numpy as np
import pytest
import torch

from hilladam.losses import LANDSCAPES, Torus, Wells, random_polynomial, random_torus, random_wells

MAKERS = {"torus": random_torus, "wells": random_wells}


@pytest.mark.parametrize("dimensions", [1, 2, 5])
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_the_slopes_are_those_of_torch(make, dimensions):
    loss, generator = make(np.random.default_rng(1), dimensions), np.random.default_rng(2)
    assert loss.dimensions == dimensions
    for point in generator.uniform(*loss.box, (20, dimensions)):
        place = torch.tensor(point, requires_grad=True)
        value, slopes = loss.value_and_gradient(point)
        (expected,) = torch.autograd.grad(loss(place), place)
        assert value == pytest.approx(loss(place).item(), rel=1e-12, abs=1e-12)
        assert slopes == pytest.approx(expected.numpy(), rel=1e-10, abs=1e-12)


def test_a_torus_has_its_period_in_every_variable():
    loss = random_torus(np.random.default_rng(3), 3)
    point = torch.rand(10, 3, dtype=torch.float64)
    for k in range(3):
        moved = point.clone()
        moved[:, k] += 2 * math.pi
        assert torch.allclose(loss(moved), loss(point), rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", [name for name in LANDSCAPES if name != "polynomials"])
def test_no_place_in_the_box_is_outside_the_range(family):
    generator = np.random.default_rng(4)
    for _ in range(5):
        loss = LANDSCAPES[family](generator)
        losses = loss(generator.uniform(*loss.box, (20_000, loss.dimensions)))
        low, high = loss.range
        assert low - 1e-9 <= losses.min() and losses.max() <= high + 1e-9
        assert losses.min() - low < 0.05 * (high - low) and high - losses.max() < 0.05 * (high - low)


def test_the_range_is_exact_where_it_is_known():
    assert Torus([-1, -1], [[1, 0], [0, 1]], [1, 2]).range == pytest.approx((-2, 2), abs=1e-12)
    assert Wells([1.0], [[0.0]], [0.5], bowl=0.1).range == pytest.approx((-1, 0.1 / 2 * 36), abs=1e-9)


@pytest.mark.parametrize("family", LANDSCAPES)
def test_one_seed_gives_one_landscape_and_another_gives_another(family):
    losses = [LANDSCAPES[family](np.random.default_rng(seed)) for seed in (5, 5, 6)]
    place = torch.full([] if family == "polynomials" else [losses[0].dimensions], 0.7, dtype=torch.float64)
    first, same, other = (loss(place).item() for loss in losses)
    assert first == same != other


def test_a_random_polynomial_has_the_stationary_points_promised():
    generator = np.random.default_rng(7)
    for _ in range(5):
        loss = random_polynomial(generator)
        points = loss.stationary_points
        assert len(points) == loss.degree - 1 and {point.kind for point in points} == {"minimum", "maximum"}
        places, values = np.array([(point.x, point.value) for point in points]).T
        assert -3 < places.min() and places.max() < 3 and np.diff(places).min() > 0.249
        assert values.max() - values.min() == pytest.approx(2, rel=1e-9)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_what_does_not_fit_is_refused(make):
    loss = make(np.random.default_rng(0), 2)
    with pytest.raises(ValueError, match=r"Invalid dimensions: 0; expected at least 1"):
        make(np.random.default_rng(0), 0)
    with pytest.raises(ValueError, match=r"Invalid points: shape \(3,\); expected \(…, 2\)"):
        loss(torch.zeros(3))
    with pytest.raises(ValueError, match=r"Invalid point: shape \(1, 2\); expected \(2,\)"):
        loss.value_and_gradient([[0.0, 0.0]])
    with pytest.raises(ValueError, match=r"Invalid range: 3 variables; expected one or two"):
        _ = make(np.random.default_rng(0), 3).range


def test_parts_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"Invalid waves: shape \(2,\); expected \(2, variables\), at least one"):
        Torus([1, 1], [1, 1], [0, 0])
    with pytest.raises(ValueError, match=r"Invalid phases: shape \(1,\); expected \(2,\), at least one"):
        Torus([1, 1], [[1], [1]], [0])
    with pytest.raises(ValueError, match=r"Invalid amplitudes: shape \(\); expected \(0,\), at least one"):
        Torus(1.0, 1.0, 0.0)
    with pytest.raises(ValueError, match=r"Invalid widths: \[0\.0\]; expected numbers above 0"):
        Wells([1], [[1]], [0])
    with pytest.raises(ValueError, match=r"Invalid bowl: -1; expected a number >= 0"):
        Wells([1], [[1]], [1], bowl=-1)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_it_counts_in_the_precision_of_its_points_and_slopes_in_full(make):
    loss, points = make(np.random.default_rng(1), 2), torch.tensor([[0.1, -2.3], [1.0, 2.0]], dtype=torch.float64)
    assert loss(points.float()).dtype == torch.float32
    assert loss(points.float()).numpy() == pytest.approx(loss(points).numpy(), rel=1e-4)
    single = points[0].float().numpy()
    value, slopes = loss.value_and_gradient(single)
    same, expected = loss.value_and_gradient(single.astype(np.float64))
    assert value == same and slopes.dtype == np.float64 and (slopes == expected).all()


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_it_has_one_variable_where_nothing_else_is_said(make):
    assert make(np.random.default_rng(0)).dimensions == 1


def test_wells_stand_on_flat_ground_too():
    assert Wells([1], [[0]], [0.5], bowl=0).range == pytest.approx((-1, 0), abs=1e-9)


def test_random_wells_are_as_many_as_deep_and_as_wide_as_promised():
    generator = np.random.default_rng(8)
    wells = [random_wells(generator, 2) for _ in range(200)]
    assert {len(loss.depths) for loss in wells} == {4, 5, 6, 7, 8}
    for name, low, high in (("depths", 0.5, 2), ("centres", -5, 5), ("widths", 0.2, 0.6)):
        drawn = np.concatenate([getattr(loss, name).ravel() for loss in wells])
        assert low <= drawn.min() < low + 0.01 * (high - low) and high - 0.01 * (high - low) < drawn.max() <= high
    assert {loss.bowl for loss in wells} == {0.05}


@pytest.mark.parametrize("dimensions, count, most", [(1, 4, 4), (2, 27, 3), (3, 24, 3)])
def test_random_tori_have_the_waves_promised(dimensions, count, most):
    generator = np.random.default_rng(9)
    tori = [random_torus(generator, dimensions) for _ in range(200)]
    for loss in tori:
        waves = {*map(tuple, loss.waves)}
        assert np.abs(loss.waves).max() == most and len(loss.waves) == count and (0,) * dimensions not in waves
        if dimensions < 3:  # all there are, but for the sign, with which cos(w·x) is the same
            assert len(waves | {tuple(-np.array(wave)) for wave in waves}) == (2 * most + 1) ** dimensions - 1
    whole = set(range(1, 5)) if dimensions == 1 else set(range(-3, 4))
    assert {int(k) for loss in tori for k in loss.waves[:, 0]} == whole
    sizes = np.array([loss.amplitudes * np.linalg.norm(loss.waves, axis=1) for loss in tori])
    assert np.ptp(sizes, axis=1).min() > 0.1 and abs(sizes.mean()) < 0.15 and sizes.std() == pytest.approx(1, abs=0.1)
    phases = np.concatenate([loss.phases for loss in tori])
    assert 0 <= phases.min() < 0.05 and 2 * math.pi - 0.05 < phases.max() <= 2 * math.pi


def test_random_polynomials_have_two_to_four_minima_between_minus_three_and_three():
    generator = np.random.default_rng(10)
    drawn = [random_polynomial(generator) for _ in range(60)]
    assert {loss.degree for loss in drawn} == {4, 6, 8} == {int(loss.name.removesuffix("th order")) for loss in drawn}
    places = np.concatenate([np.roots(np.polyder(loss.coefficients)).real for loss in drawn])
    assert places.min() < -2.7 and places.max() > 2.7
    assert {loss.coefficients[-1] for loss in drawn} == {0.0}
