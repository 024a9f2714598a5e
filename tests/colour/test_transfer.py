"""Transfer in closed form does what it says, before clipping exactly."""

import numpy as np
import pytest

from hilladam import colour
from hilladam.colour._transfer import _to_lab
from hilladam.losses import ColourLoss

RNG = np.random.default_rng(0)
SOURCE, TARGET = RNG.uniform(0.35, 0.55, (30, 20, 3)), RNG.uniform(0.3, 0.6, (25, 25, 3)) * [0.8, 1, 1.1]


def test_an_image_transferred_to_itself_stays():
    np.testing.assert_allclose(colour.reinhard(SOURCE, SOURCE), SOURCE, atol=1e-12)


def test_means_and_spreads_are_the_targets():
    result = colour.reinhard(SOURCE, TARGET)
    assert 0 < result.min() and result.max() < 1  # so nothing was clipped
    for statistic in (np.mean, np.std):
        np.testing.assert_allclose(
            statistic(_to_lab(result), axis=(0, 1)), statistic(_to_lab(TARGET), axis=(0, 1)), rtol=1e-9, atol=1e-12
        )


def test_sizes_may_differ_and_order_in_the_target_does_not_matter():
    shuffled = RNG.permutation(TARGET.reshape(-1, 3)).reshape(5, -1, 3)
    np.testing.assert_allclose(colour.reinhard(SOURCE, shuffled), colour.reinhard(SOURCE, TARGET), rtol=1e-9)


def test_greys_have_no_colour():
    lab = _to_lab(np.full((1, 1, 3), 0.5))
    assert abs(lab[0, 0, 1:]).max() < 0.01  # the published matrices sum to 1 within rounding


def test_a_flat_source_and_a_black_one_are_no_trouble():
    flat = np.full((4, 4, 3), 0.4)
    np.testing.assert_allclose(_to_lab(colour.reinhard(flat, TARGET))[0, 0], _to_lab(TARGET).mean(axis=(0, 1)))
    for image in (colour.reinhard(np.zeros((4, 4, 3)), TARGET), colour.reinhard(SOURCE, np.zeros((4, 4, 3)))):
        assert np.isfinite(image).all()


def test_matched_means_are_the_minimum_of_the_loss_without_regularisers():
    gains = colour.match_means(SOURCE, TARGET)
    s, t = colour.channel_means(SOURCE), colour.channel_means(TARGET)
    np.testing.assert_allclose(colour.channel_means(colour.apply_gains(SOURCE, gains)), t, rtol=1e-12)
    np.testing.assert_allclose(gains, ColourLoss(s, t, red=None, blue=None).global_minimum.gains, rtol=1e-12)
    with pytest.raises(ValueError, match="Invalid source: its channel means are"):
        colour.match_means(SOURCE * [1, 0, 1], TARGET)
