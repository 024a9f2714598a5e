"""Hill-ADAM's climb must overshoot the top: when the theorem says that it does."""

import pytest

from hilladam.theory import overshoot_threshold


def crosses(beta1, c, steps=10_000):
    """Whether the linearised climb from rest, y₀ = −1, ever changes its sign."""
    m, y = 0.0, -1.0
    for _ in range(steps):
        m = beta1 * m - (1 - beta1) * c * y
        y += m
        if y > 0:
            return True
    return False


@pytest.mark.parametrize("beta1", [0.0, 0.3, 0.5, 0.9, 0.99])
def test_the_linearised_climb_overshoots_above_the_threshold_alone(beta1):
    threshold = overshoot_threshold(beta1)
    assert not crosses(beta1, 0.98 * threshold)
    assert not crosses(beta1, 0.5 * threshold)
    for factor in (1.02, 2.0, 100.0):
        assert crosses(beta1, factor * threshold)
    assert crosses(beta1, 1.5 / threshold)


def test_the_threshold_at_the_default_beta1():
    assert overshoot_threshold(0.9) == pytest.approx(0.02633, abs=1e-5)
    with pytest.raises(ValueError, match=r"Invalid beta1: 1\.0"):
        overshoot_threshold(1.0)
