"""An ensemble of networks is its networks, side by side."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from hilladam.experiments import ACTIVATIONS, Points, StackedMLP, network

SIZES = [(6, 4, 3, 1), (2, 5, 3), (3, 1)]


def parts(activation, sizes, dtype=None):
    layers = []
    for wide, narrow in pairwise(sizes):
        layers += [nn.Linear(wide, narrow, dtype=dtype), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_the_weights_are_those_that_the_seed_gives(seed, sizes):
    torch.manual_seed(seed)
    expected = parts("tanh", sizes)
    for dtype in (torch.float32, torch.float64):
        ours = network(sizes, "tanh", seed, dtype)
        assert [type(layer) for layer in ours] == [type(layer) for layer in expected]
        for x, y in zip(ours.parameters(), expected.parameters(), strict=True):
            assert torch.equal(x, y.to(dtype))


def test_the_global_generator_is_left_alone():
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    network(seed=5)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("split", [False, True])
def test_every_member_is_its_network(activation, sizes, split):
    seeds = [0, 1, 5, 1]
    ensemble = StackedMLP(seeds, sizes, activation, split=split)
    outputs = ensemble()
    weights = torch.linspace(1, 2, outputs.numel(), dtype=torch.float64).view(outputs.shape)
    grads = torch.autograd.grad((weights * outputs).sum(), ensemble.parameters)
    assert len(grads) == (len(seeds) if split else 1)
    grads = grads if split else grads[0]
    assert outputs.shape == (len(seeds), sizes[-1])
    for index, seed in enumerate(seeds):
        alone = network(sizes, activation, seed)
        output = alone(torch.ones(sizes[0], dtype=torch.float64))
        torch.testing.assert_close(outputs[index], output, rtol=1e-12, atol=1e-14)
        grad = torch.autograd.grad((weights[index] * output).sum(), list(alone.parameters()))
        torch.testing.assert_close(grads[index], nn.utils.parameters_to_vector(grad), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("split", [False, True])
def test_to_move_the_parameters_is_to_move_the_networks(split):
    ensemble = StackedMLP([0, 1], (2, 3, 1), split=split)
    before = ensemble().detach()
    with torch.no_grad():
        (ensemble.parameters[1] if split else ensemble.parameters[0][1]).zero_()
    after = ensemble()
    assert torch.equal(after[0], before[0]) and after[1] == 0 != before[1]


def test_a_second_derivative_is_refused():
    ensemble = StackedMLP([0], (2, 3, 1), "tanh")
    with pytest.raises(RuntimeError, match="differentiable once"):
        torch.autograd.grad(ensemble().sum(), ensemble.parameters, create_graph=True)


def test_points_are_copies_that_are_moved_directly():
    starts = torch.tensor([1.0, 2.0])
    points = Points(starts)
    assert torch.equal(points(), starts)
    points.parameters[0].data.zero_()
    assert torch.equal(points(), torch.zeros(2)) and torch.equal(starts, torch.tensor([1.0, 2.0]))


@pytest.mark.parametrize("make", [network, lambda **chosen: StackedMLP([0], **chosen)], ids=["network", "StackedMLP"])
def test_an_unknown_activation_is_refused(make):
    with pytest.raises(ValueError, match="Invalid activation: 'swish'; expected one of"):
        make(activation="swish")


@pytest.mark.parametrize("sizes", [(), (6,), (6, 0, 1), (6, -4, 1), (6, 4.0, 1)], ids=str)
def test_widths_that_make_no_network_are_refused(sizes):
    for make in (network, lambda sizes: StackedMLP([0], sizes)):
        with pytest.raises(ValueError, match=r"Invalid sizes: .*; expected at least two whole numbers >= 1"):
            make(sizes)


def test_numbers_that_cannot_move_are_refused():
    with pytest.raises(ValueError, match=r"Invalid dtype: torch.int64; expected a floating-point one"):
        network(dtype=torch.int64)
    for starts in (torch.tensor([1, 2]), torch.tensor(1.0), torch.zeros(0)):
        with pytest.raises(ValueError, match=r"Invalid starts: .*; expected floating-point numbers of shape"):
            Points(starts)
    with pytest.raises(ValueError, match="Invalid seeds: none; expected at least one"):
        StackedMLP([])


@pytest.mark.parametrize("starts", [torch.tensor([1.0, 2.0]), torch.ones(3, 2)])
def test_split_points_have_a_parameter_each(starts):
    points = Points(starts, split=True)
    assert torch.equal(points(), starts) and len(points.parameters) == len(starts)
    grads = torch.autograd.grad((points() ** 3).sum(), points.parameters)
    torch.testing.assert_close(torch.stack(grads), 3 * starts**2)
    points.parameters[1].data.zero_()
    assert points()[1].eq(0).all() and points()[0].ne(0).all() and starts.ne(0).all()


def test_the_scale_multiplies_all_weights_of_a_member():
    plain, scaled = StackedMLP([3, 4, 3], (2, 5, 1)), StackedMLP([3, 4, 3], (2, 5, 1), scale=[1.0, 2.0, 0.5])
    for rows, factor in zip(zip(plain.parameters[0], scaled.parameters[0], strict=True), (1.0, 2.0, 0.5), strict=True):
        assert torch.equal(rows[0] * factor, rows[1])
    assert torch.equal(StackedMLP([3], scale=3.0).parameters[0], 3.0 * StackedMLP([3]).parameters[0])


@pytest.mark.parametrize("scale", [0.0, -1.0, float("inf"), float("nan"), [1.0], [1.0, 1.0, 1.0]], ids=str)
def test_a_scale_that_makes_no_weights_is_refused(scale):
    with pytest.raises(
        ValueError, match=r"Invalid scale: .*; expected a finite number > 0, or one for each of 2 members"
    ):
        StackedMLP([0, 1], scale=scale)
