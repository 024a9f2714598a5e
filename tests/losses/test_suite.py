"""Six losses of the literature: their gradients, their minima, and what moving and turning leaves as it was."""

import re

import numpy as np
import pytest
import torch

from hilladam.losses import SUITE, random_suite_loss


def drawn(family, dimensions=4, rotated=True, seed=1):
    return random_suite_loss(family, np.random.default_rng(seed), dimensions, rotated)


@pytest.mark.parametrize("dimensions", [2, 5])
@pytest.mark.parametrize("family", SUITE)
def test_the_slopes_are_those_of_torch(family, dimensions):
    loss = drawn(family, dimensions)
    generator = np.random.default_rng(2)
    near = loss.optimum + 0.2 * generator.normal(size=(3, dimensions))
    for point in [*near, *generator.uniform(*loss.box, (10, dimensions))]:
        place = torch.tensor(point, requires_grad=True)
        value, slopes = loss.value_and_gradient(point)
        (expected,) = torch.autograd.grad(loss(place), place)
        assert value == pytest.approx(loss(place).item(), rel=1e-9, abs=1e-9)
        assert slopes == pytest.approx(expected.numpy(), rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("rotated", [False, True])
@pytest.mark.parametrize("family", SUITE)
def test_the_optimum_is_the_lowest_place(family, rotated):
    loss = drawn(family, 3, rotated)
    value, slopes = loss.value_and_gradient(loss.optimum)
    assert value == pytest.approx(0, abs=1e-12) and np.abs(slopes).max() < 1e-5
    rng = np.random.default_rng(3)
    away = loss.optimum + 0.01 * rng.normal(size=(200, 3))
    anywhere = rng.uniform(*loss.box, (20_000, 3))
    assert float(loss(away).min()) > 0 and float(loss(anywhere).min()) > 0
    low, high = loss.box
    assert family == "Shekel" or (np.abs(loss.optimum - (low + high) / 2) <= 0.4 * (high - low)).all()


def test_the_deepest_of_shekels_wells_is_found_to_its_bottom():
    for seed in (0, 4, 6, 7):
        loss = drawn("Shekel", seed=seed)
        assert np.abs(loss.value_and_gradient(loss.optimum)[1]).max() < 6e-7


@pytest.mark.parametrize(
    "family, away, value",
    [  # by hand, for two variables, unrotated, from the optimum
        ("Ackley", (1.0, 1.0), 20 * (1 - np.exp(-0.2))),
        ("Levy", (4.0, 0.0), 1 + 10 * np.sin(1) ** 2),
        ("Griewank", (2 * np.pi, 0.0), np.pi**2 / 1000),
        ("Rastrigin", (1.0, -2.0), 5.0),
        ("Styblinski–Tang", (2.903534027771177, 0.0), 39.16616570377142),
    ],
)
def test_values_that_can_be_had_by_hand(family, away, value):
    loss = drawn(family, 2, rotated=False)
    assert float(loss(loss.optimum + away)) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("family", SUITE)
def test_many_points_have_the_losses_that_each_has_alone(family):
    loss = drawn(family, 3)
    points = torch.tensor(np.random.default_rng(5).uniform(*loss.box, (2, 4, 3)))
    values, single = loss(points), loss(points.float())
    assert values.shape == (2, 4) and single.dtype == torch.float32
    assert values.flatten().tolist() == pytest.approx([loss(point).item() for point in points.view(-1, 3)], rel=1e-12)
    assert single.numpy() == pytest.approx(values.numpy(), rel=1e-3)


def test_turning_changes_no_distance():
    plain, turned = drawn("Rastrigin", 4, False), drawn("Rastrigin", 4, True)
    steps = np.random.default_rng(4).normal(size=(20, 4))
    np.testing.assert_allclose(
        turned(turned.optimum + steps @ turned.rotation), plain(plain.optimum + steps), rtol=1e-9
    )
    assert np.abs(turned.rotation - np.eye(4)).max() > 0.3


def test_it_has_two_variables_that_are_not_turned_where_nothing_else_is_said():
    np.testing.assert_array_equal(random_suite_loss("Levy", np.random.default_rng(0)).rotation, np.eye(2))


def test_a_seed_gives_one_loss_and_its_mean_is_that_of_the_box():
    one, same, other = drawn("Shekel"), drawn("Shekel"), drawn("Shekel", seed=2)
    np.testing.assert_array_equal(one.table, same.table)
    assert not np.array_equal(one.table, other.table)
    loss = drawn("Rastrigin", 4, False)
    mean = 4 * (10 + (10.24**2) / 12) + float((loss.optimum**2).sum())  # cosines cancel, nearly
    assert loss.mean == pytest.approx(mean, rel=0.03)


@pytest.mark.parametrize(
    "arguments, message", [(("Schwefel", 2), "family: 'Schwefel'"), (("Levy", 1), "dimensions: 1")]
)
def test_what_there_is_not(arguments, message):
    family, dimensions = arguments
    with pytest.raises(ValueError, match=re.escape(message)):
        random_suite_loss(family, np.random.default_rng(0), dimensions)
