"""The figures of a championship show its costs and scores."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from hilladam.figures import scoreboard, targets_met


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


COSTS = {"Adam": np.array([[3.0, 3.0, 50.0, np.inf], [7.0, 200.0, np.inf, np.inf]]), "DIRECT": np.full((1, 2), np.inf)}


def test_the_share_rises_at_every_target_that_is_met():
    ax = targets_met(COSTS, 100).axes[0]
    for line, costs in zip(ax.lines, COSTS.values(), strict=True):
        x, y = line.get_xydata().T
        for evaluations in (3, 6.9, 7, 49, 50, 100):
            assert y[x <= evaluations][-1:].sum() == pytest.approx((costs <= evaluations).mean())
        assert x[-1] == 100


def test_whoever_is_told_a_wider_box_has_the_same_line():
    ax = targets_met({"DIRECT": COSTS["Adam"], "DIRECT ×10": COSTS["Adam"]}, 100).axes[0]
    one, other = ax.lines
    assert one.get_color() == other.get_color() and one.get_linestyle() == other.get_linestyle()


def test_no_contestant_is_refused():
    with pytest.raises(ValueError, match="at least one contestant"):
        targets_met({}, 100)


def test_the_highest_of_a_column_is_in_bold():
    ax = scoreboard(pd.DataFrame({"a": [0.25, 1.0], "b": [0.5, 0.5]}, index=["x", "y"])).axes[0]
    assert [text.get_text() for text in ax.texts] == [".25", ".50", "1.00", ".50"]
    assert [text.get_weight() for text in ax.texts] == ["normal", "bold", "bold", "bold"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["x", "y"]


def test_the_names_of_columns_stand_apart():
    names = ["separable", "moderate", "ill-conditioned", "multimodal", "weak structure"]
    figure = scoreboard(pd.DataFrame({name: [0.5] for name in names}, index=["self-paced Adam, restarted"]))
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert labels[2::2] == ["ill-\nconditioned", "weak\nstructure"]
    assert all(one.x1 < other.x0 for one, other in itertools.pairwise(boxes))
