"""Phase diagrams colour a cell by what was predicted and what is true."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from hilladam import figures


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


LR, BETA1 = np.geomspace(0.01, 1, 4), np.array([0.5, 0.9, 0.99])
TRUTH = np.array([[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1]], dtype=bool)


def test_the_four_kinds_of_cell_have_four_colours():
    predicted = np.array([[0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 1, 1]], dtype=bool)
    (mesh,) = (
        c
        for c in figures.phase_diagram(TRUTH, LR, BETA1, predicted).axes[0].collections
        if c.get_array() is not None and c.get_array().size == 12
    )
    assert (mesh.get_array().reshape(3, 4) == predicted + 2 * TRUTH).all()
    assert len({tuple(colour) for colour in mesh.cmap.colors}) == 4


def test_long_memory_is_on_top_and_lr_in_units_of_the_distance():
    ax = figures.phase_diagram(TRUTH, LR, BETA1, unit=2.0).axes[0]
    assert ax.yaxis.get_inverted()
    assert ax.get_xlim()[0] < 0.005 < ax.get_xlim()[1] < 1.1
    assert ax.get_xlabel() == "λ / L"


def test_a_panel_for_each_loss_and_criterion():
    truths = {"a": TRUTH, "b": ~TRUTH}
    grids = {name: (LR, BETA1, 1.0) for name in truths}
    figure = figures.phase_diagrams(truths, grids, {"one": truths, "two": truths})
    assert [ax.get_title("left") for ax in figure.axes] == ["a\none", "b\none", "a\ntwo", "b\ntwo"]
    assert all(ax.yaxis.get_inverted() for ax in figure.axes)
