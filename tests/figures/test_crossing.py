"""The figures of crossing show what the climbs and maps say."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from hilladam import figures
from hilladam.experiments import SuccessMap
from hilladam.figures._crossing import outcomes
from hilladam.losses import DOUBLE_WELL
from hilladam.theory import climb

UP = climb(DOUBLE_WELL, 0.951, 0.0754, 0.03, steps=130)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_the_bar_says_for_every_delta_where_the_climb_ends():
    edges, far = outcomes(UP)
    assert (np.diff(edges) < 0).all()
    inside = np.sqrt(edges[1:] * edges[:-1])
    np.testing.assert_array_equal(UP.crosses(inside), far)
    bar = figures.one_climb(UP, 0.03).axes[2]
    for low, high, beyond, patch in zip(edges[1:], edges[:-1], far, bar.patches, strict=True):
        box = patch.get_extents().transformed(bar.transData.inverted())
        assert (box.x0, box.x1) == pytest.approx((low, high))
        green = to_rgba(figures.COLOURS["best"])[:3]
        assert (patch.get_facecolor()[:3] == green) == beyond


def test_the_two_sides_have_markers_of_their_own():
    change = figures.one_climb(UP, 0.03, marks={"δ": 1e-3}).axes[1]
    near, far = change.lines[:2]
    assert len(near.get_xdata()) + len(far.get_xdata()) == 129
    assert near.get_marker() != far.get_marker()
    assert UP.beyond[far.get_xdata()].all()
    assert not UP.beyond[near.get_xdata()].any()


def test_a_cobweb_goes_up_to_the_map_and_across_to_the_diagonal():
    b = np.linspace(-1, 1, 101)
    ax = figures.cobweb(b, b / 2, b < -0.5, [[0.8, 0.4, 0.2]]).axes[0]
    run = ax.lines[2]  # after the diagonal and the map
    assert run.get_xdata().tolist() == [0.8, 0.8, 0.4, 0.4, 0.2]
    assert run.get_ydata().tolist() == [-1, 0.4, 0.4, 0.2, 0.2]
    shown = ax.lines[1].get_ydata()
    assert np.isnan(shown[b < -0.5]).all()
    np.testing.assert_array_equal(shown[b >= -0.5], b[b >= -0.5] / 2)


def test_a_cobweb_shows_every_run():
    b = np.linspace(-1, 1, 5)
    runs = [[0.1 * number, 0.2] for number in range(1, 8)]
    lines = figures.cobweb(b, b / 2, b < -0.5, runs).axes[0].lines[2::2]
    assert [line.get_xdata()[0] for line in lines] == pytest.approx([run[0] for run in runs])


def test_a_map_has_its_shares_and_its_laws():
    lr, delta = np.geomspace(0.01, 1, 4), np.geomspace(1e-4, 1e-2, 3)
    found = SuccessMap(lr, delta, np.arange(12, dtype=np.uint8).reshape(3, 4))
    figure = figures.success_maps({"a": found, "b": found}, {"a": [lr**2], "b": [lr, lr**3]}, starts=20)
    a, b = figure.axes[:2]
    np.testing.assert_allclose(a.collections[0].get_array().ravel(), np.arange(12) / 20)
    assert [line.get_ydata().tolist() for line in b.lines] == [lr.tolist(), (lr**3).tolist()]
    assert (a.get_xlabel(), a.get_ylabel(), b.get_ylabel()) == ("λ", "δ", "")
    assert a.get_ylim()[0] < 1e-4 < 1e-2 < a.get_ylim()[1] < 1


def test_a_bar_for_every_start():
    ax = figures.bar_code([0.0, 0.5, 1.0], {"one": [1, 0, 1], "two": [0, 0, 1]}).axes[0]
    assert ax.images[0].get_array().tolist() == [[True, False, True], [False, False, True]]
    assert ax.images[0].get_extent() == [-0.25, 1.25, 1.5, -0.5]
