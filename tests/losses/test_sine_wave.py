"""The sine wave's closed form is the README's loss, its phase known."""

import math

import numpy as np
import pytest
import torch

from hilladam.experiments import gradients_to, race, search
from hilladam.losses import SINE_WAVE
from hilladam.losses._sine_wave import _mean


def test_it_is_the_mean_square_over_the_times():
    t, x = torch.linspace(-0.5, 0.5, 256).double(), torch.linspace(-1, 14, 3001).double()
    x = torch.cat([x, torch.tensor([6.0, 0.0, 6.001, 6.0082, -6.0])]).requires_grad_()
    wave = torch.sin(2 * math.pi * x[:, None] * t + 0.5)
    loss = (wave - torch.sin(2 * math.pi * 6.0 * t + 0.5)).square().mean(1)
    (slope,) = torch.autograd.grad(loss.sum(), x)
    at = x.detach().numpy()
    # float32 times, as the README has them
    np.testing.assert_allclose(SINE_WAVE(at), loss.detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(SINE_WAVE.derivative(at), slope.numpy(), atol=1e-5)


def test_tensors_are_answered_with_tensors_that_have_the_slope():
    near = torch.tensor([6.0, 0.0, 6.001, 6.0082, -6.0])  # where the series stands in for the quotient, and beside it
    x = torch.cat([torch.linspace(-1, 14, 301).double(), near]).requires_grad_()
    loss = SINE_WAVE(x)
    (slope,) = torch.autograd.grad(loss.sum(), x, create_graph=True)
    at = x.detach().numpy()
    np.testing.assert_allclose(loss.detach().numpy(), SINE_WAVE(at), atol=1e-13)
    np.testing.assert_allclose(slope.detach().numpy(), SINE_WAVE.derivative(at), atol=1e-9)
    torch.testing.assert_close(SINE_WAVE.derivative(x), slope, rtol=0, atol=1e-9)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    expected = (SINE_WAVE.derivative(at + 1e-6) - SINE_WAVE.derivative(at - 1e-6)) / 2e-6
    np.testing.assert_allclose(curvature.numpy(), expected, atol=1e-4)
    assert SINE_WAVE(torch.tensor(3)).dtype == torch.float64 and not SINE_WAVE(torch.tensor([1.0])).requires_grad


def test_it_is_raced_on_and_searched():
    records = race(SINE_WAVE, 0.05, (2.6, 4.5), contenders=["Hill-ADAM"], runs=20, evaluations=400)
    assert np.isfinite(gradients_to(records["Hill-ADAM"], 0.01)).mean() > 0.2
    hits = search(SINE_WAVE, 0.01, (0.0, 13.0), searchers=["L-BFGS, restarted"], runs=3)["L-BFGS, restarted"]
    assert np.isfinite(hits).all()


def test_it_is_exact_at_the_times():
    t, x = np.linspace(-0.5, 0.5, 256), np.linspace(-1, 14, 301)
    wave, goal = np.sin(2 * math.pi * x[:, None] * t + 0.5), np.sin(2 * math.pi * 6.0 * t + 0.5)
    np.testing.assert_allclose(SINE_WAVE(x), ((wave - goal) ** 2).mean(axis=1), atol=1e-12)


def test_the_mean_keeps_its_digits_where_the_frequency_is_small():
    t, f = np.linspace(-0.5, 0.5, 256), 0.004
    value, slope = _mean(f)
    assert value == pytest.approx(np.cos(2 * math.pi * f * t).mean(), abs=5e-15, rel=0)
    assert slope == pytest.approx(-(2 * math.pi * t * np.sin(2 * math.pi * f * t)).mean(), abs=2e-12, rel=0)


def test_it_reckons_in_float64():
    for numbers in (np.float32([3.7, 5.1]), np.array([3, 5])):
        for function in (SINE_WAVE, SINE_WAVE.derivative):
            np.testing.assert_array_equal(function(numbers), function(numbers.astype(float)), strict=True)


def test_value_and_slope_keep_their_shape_and_agree():
    x = np.linspace(-1, 13, 24).reshape(2, 3, 4)
    assert SINE_WAVE(x).shape == SINE_WAVE.derivative(x).shape == x.shape
    slope = (SINE_WAVE(x + 1e-6) - SINE_WAVE(x - 1e-6)) / 2e-6
    np.testing.assert_allclose(SINE_WAVE.derivative(x), slope, atol=1e-8)
    assert abs(SINE_WAVE(6.0)) < 1e-15
    assert SINE_WAVE.derivative(6.0) == 0
    assert repr(SINE_WAVE) == "SINE_WAVE"
