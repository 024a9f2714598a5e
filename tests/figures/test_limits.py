"""The figures of the limits show the shares and runs that they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from hilladam import HillAdam, figures
from hilladam.experiments import Points, train, wilson_interval
from hilladam.losses import Torus


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_success_is_drawn_with_its_interval():
    runs = {"a": np.arange(30).reshape(3, 10) % 2 == 0, "b": np.arange(30).reshape(3, 10) < 12}
    figure = figures.success_over({"s": ([0.1, 1, 10], runs), "c": ([1, 2, 3], {"a": runs["a"]})}, mark=1.0)
    left, right = figure.axes
    np.testing.assert_allclose(left.lines[1].get_ydata(), [1, 0.2, 0])
    band = left.collections[1].get_paths()[0].vertices
    low, high = wilson_interval(2, 10)
    assert sorted({*band[band[:, 0] == 1.0][:, 1]}) == pytest.approx([low, high])
    assert left.lines[2].get_xdata() == [1.0, 1.0]  # the mark
    assert (left.get_xlabel(), right.get_xlabel(), right.get_ylabel()) == ("s", "c", "")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_a_map_says_its_percentages_and_rings_the_published_setting():
    share = np.array([[0.0, 0.25], [0.5, 1.0]])
    ax = figures.setting_maps([0.01, 0.1], [1e-4, 1e-3], {"one": share, "two": share, "three": share}).axes[0]
    np.testing.assert_array_equal(ax.collections[0].get_array(), share)
    assert [text.get_text() for text in ax.texts] == ["0", "25", "50", "100"]
    assert [text.get_position() for text in ax.texts[:2]] == [(0.01, 1e-4), (0.1, 1e-4)]
    assert ax.lines[0].get_xydata().tolist() == [[0.01, 1e-4]]


def test_the_bars_are_the_shares_from_the_maximum_down():
    figure = figures.ends_of_climbs({1: [0.1, 0.9], 2: [0.0, 0.3, 0.7]}, {1: (0.1, 0.0, 0.2), 2: (0.5, 0.4, 0.8)})
    left, right = figure.axes
    assert [bar.get_height() for bar in left.patches] == pytest.approx([0.9, 0.1, 0.7, 0.3, 0.0])
    up = [to_hex(bar.get_facecolor()).upper() == figures.COLOURS["maximize"] for bar in left.patches]
    assert up == [True, False, True, False, False]
    assert right.lines[0].get_ydata().tolist() == [0.1, 0.5]
    ends = right.collections[0].get_segments()
    assert np.array(ends)[:, :, 1].ravel().tolist() == pytest.approx([0.0, 0.2, 0.4, 0.8])


def test_legs_are_blue_down_and_vermilion_up():
    loss = Torus([-1.0, -1.0], [[1, 0], [0, 1]], [0.0, 0.0])
    points = Points(torch.tensor([[1.0, 0.5]], dtype=torch.float64))
    run = train(points, loss, HillAdam(points.parameters, lr=0.05), 300).member(0)
    lines = figures.legs(loss, run).axes[0].lines
    legs = [line for line in lines if len(line.get_xdata()) > 1]
    assert len(legs) == len(run.switches) + 1 > 2
    colours = [figures.COLOURS["minimize"], figures.COLOURS["maximize"]]
    assert [leg.get_color() for leg in legs] == [colours[k % 2] for k in range(len(legs))]
    whole = np.concatenate([leg.get_xydata()[:-1] for leg in legs] + [legs[-1].get_xydata()[-1:]])
    np.testing.assert_array_equal(whole, run.states)
    turns = [line.get_xydata()[0].tolist() for line in lines if line.get_marker() in ("o", "^")]
    assert turns == run.states[run.switches].tolist()


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match=r"Invalid panels: \{\}; expected at least one"):
        figures.success_over({})
    with pytest.raises(ValueError, match=r"Invalid maps: \{\}; expected at least one"):
        figures.setting_maps([1], [1], {})
    with pytest.raises(ValueError, match=r"Invalid over: for \[2\] variables; expected those of index, \[1\]"):
        figures.ends_of_climbs({1: [0, 1]}, {2: (0, 0, 0)})
    with pytest.raises(ValueError, match="Invalid loss: of 1 variables; expected two"):
        figures.legs(Torus([1.0], [[1]], [0.0]), None)
