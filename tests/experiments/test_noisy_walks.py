"""Over the hill under noise: compiled it goes the way of the optimizer, and what is stored comes out again."""

import numpy as np
import pytest
import torch
from torch import nn

from hilladam import OverTheHill
from hilladam.experiments import noisy_walks, stored_noisy_walks
from hilladam.experiments._noisy_walks import NOISY_FAMILIES, NOISY_LEVELS, NOISY_WALKERS
from hilladam.losses import random_torus
from hilladam.optim._frame import orthogonal_frame

pytest.importorskip("numba")

from hilladam.experiments import _compiled_noise as compiled
from hilladam.experiments._compiled_landscapes import _tabulate
from hilladam.experiments._compiled_rules import normal

pytestmark = pytest.mark.own_rounding  # what is stored was not rounded otherwise


@pytest.mark.parametrize("noise", [0.0, 0.05])
@pytest.mark.parametrize("kappa", [0.0, 0.5])
@pytest.mark.parametrize("dimensions", [1, 2])
def test_compiled_it_goes_the_way_of_the_optimizer_and_finishes_as_it_does(dimensions, kappa, noise):
    landscape, start = random_torus(np.random.default_rng(3), dimensions), np.full(dimensions, 1.0)
    x, dice = nn.Parameter(torch.from_numpy(start.copy())), np.array([5], np.uint64)
    optimizer = OverTheHill([x], kappa=kappa, seed=7)

    def closure():
        optimizer.zero_grad()
        loss = landscape(x) + noise * normal(dice)
        loss.backward()
        x.grad += torch.tensor([noise * normal(dice) for _ in range(dimensions)])
        return loss

    for _ in range(120):
        optimizer.step(closure)
    turns = optimizer.switch_count
    optimizer.finish(closure, 30)
    frames = np.array([orthogonal_frame(7, k, dimensions).numpy() for k in range(16)])
    loss = (_tabulate([landscape], dimensions), 0, noise, np.array([5], np.uint64))
    best, _, kept = compiled.walk_over(
        loss, start, frames, np.zeros(2), np.random.default_rng(0), 150, -np.inf, compiled.NOTHING,
        kappa, 1.2, 30,
    )  # fmt: skip
    assert turns >= 2 and best == pytest.approx(optimizer.best_loss, abs=1e-6)
    np.testing.assert_allclose(kept, x.detach(), atol=1e-6)


def test_a_part_run_again_is_what_is_stored():
    stored = stored_noisy_walks()
    assert {key[0] for key in stored} == set(NOISY_FAMILIES) and {key[2] for key in stored} == set(NOISY_LEVELS)
    found = noisy_walks(["tori", "wells"], runs=8) | noisy_walks(["wells of two variables"], ["κ = ½"], runs=2)
    assert {key[1] for key in found} == set(NOISY_WALKERS)
    for key, hits in found.items():
        np.testing.assert_array_equal(hits, stored[key][: len(hits)], str(key))


def test_under_a_noise_of_a_hundredth_it_keeps_nine_of_ten_in_one_variable():
    stored = stored_noisy_walks()
    for family in ("tori", "wells"):
        assert len(stored[family, "κ = ½", 0.01]) == 1000 and stored[family, "κ = ½", 0.01].mean() >= 0.9


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((["hills"],), "Invalid family: 'hills'; expected one of"),
        ((["tori"], ["κ = 2"]), "Invalid walker: 'κ = 2'; expected one of"),
        ((["tori"], ["κ = 0"], 0), "Invalid runs: 0; expected an integer >= 1"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        noisy_walks(*arguments)
