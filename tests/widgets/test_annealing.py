"""The annealing panel heats and cools as it says."""

import numpy as np
import pytest

from hilladam.losses import DOUBLE_WELL
from hilladam.widgets import annealing_panel
from hilladam.widgets._annealing_panel import _COOLINGS, _anneal, _temperatures

TOP = DOUBLE_WELL.stationary_points[1].x


def test_the_verdict_follows_the_controls():
    panel = annealing_panel(members=50)
    grid, picture, verdict = panel.children
    chosen, cools, heat, steps, rho = grid.children
    assert rho.disabled
    shown = {bytes(picture.value)}
    settings = ((steps, 100), (chosen, "Langevin"), (heat, 0.5), (rho, 0.8), (cools, "none"), (chosen, "CoolMomentum"))
    for control, value in settings:
        control.value = value
        shown.add(bytes(picture.value))
        path = _anneal(chosen.value, cools.value, heat.value, steps.value, rho.value, 50)
        assert verdict.value.startswith(f"<b>{(path[-1] < TOP).sum()} of 50</b> end in the deep valley, 95 % interval")
    assert len(shown) == 7 and all(png.startswith(b"\x89PNG") for png in shown)
    assert cools.options == _COOLINGS["CoolMomentum"] and not rho.disabled


@pytest.mark.parametrize("method, cools", [(method, cools) for method in _COOLINGS for cools in _COOLINGS[method]])
def test_it_starts_at_the_temperature_chosen_and_never_warms_up(method, cools):
    falling = _temperatures(method, cools, 0.3, 200, 0.9)
    assert falling[0] == pytest.approx(0.3)
    assert (np.diff(falling) <= 0).all() and (cools == "none" or falling[-1] < 0.1)


@pytest.mark.parametrize("method, cools", [(method, cools) for method in _COOLINGS for cools in _COOLINGS[method]])
def test_the_balls_start_in_the_shallow_valley_and_heat_lets_some_out(method, cools):
    path = _anneal(method, cools, 1.0, 300, 0.9, 200)
    assert path.shape == (301, 200) and np.ptp(path[0]) == 0 and path[0, 0] > TOP
    assert 0.1 < (path[-1] < TOP).mean() < 1


@pytest.mark.parametrize("method", ["Langevin", "CoolMomentum"])
def test_the_temperature_is_that_of_the_balls(method):
    # In the shallow valley, where k = f″ = 9.06, ⟨x²⟩ about the bottom is T / k, at a T too low to feel its sides.
    bottom = DOUBLE_WELL.stationary_points[2].x
    cools = _COOLINGS[method][-1]
    path = _anneal(method, cools, 0.02, 3000, 0.9, 300)[200:600] - bottom
    curvature = 12 * bottom**2 - 4
    falling = _temperatures(method, cools, 0.02, 3000, 0.9)[200:600].mean()
    assert curvature * (path**2).mean() == pytest.approx(falling, rel=0.15)
