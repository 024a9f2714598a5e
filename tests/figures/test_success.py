"""The figures of success show the rates and the losses that they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from hilladam.experiments import table1, wilson_interval
from hilladam.figures import best_and_final, over_rates, success_over_rates


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def table(rate):
    return pd.DataFrame(
        {"lr": [0.01, 0.1, 1.0], "rate": rate, "low": np.array(rate) - 0.1, "high": np.array(rate) + 0.1}
    )


def test_every_panel_has_its_curves_with_their_bands():
    adam, hill = table([0.2, 0.5, 0.3]), table([0.4, 0.4, 0.4])
    figure = success_over_rates({"one": {"Adam": adam, "Hill-ADAM": hill}, "two": {"Adam": hill}}, columns=2)
    first, second = figure.axes
    assert [ax.get_title("left") for ax in figure.axes] == ["one", "two"]
    for line, expected in zip([*first.lines, *second.lines], [adam, hill, hill], strict=True):
        np.testing.assert_array_equal(line.get_xydata(), expected[["lr", "rate"]])
    band = first.collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == pytest.approx(0.1) and band[:, 1].max() == pytest.approx(0.6)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Adam", "Hill-ADAM"]
    assert first.lines[0].get_color() == second.lines[0].get_color() != first.lines[1].get_color()


def test_the_panels_go_into_rows():
    figure = success_over_rates({str(i): {"Adam": table([0.1, 0.2, 0.3])} for i in range(4)}, columns=2)
    assert len({round(ax.get_position().y0, 2) for ax in figure.axes}) == 2
    assert [ax.get_xlabel() for ax in figure.axes] == ["", "", "λ", "λ"]


@pytest.mark.parametrize(
    "count, labels, left", [(1, "λ", [0]), (2, "λλ", [0]), (4, " λλλ", [0, 3]), (5, "  λλλ", [0, 3])]
)
def test_there_is_no_panel_without_curves(count, labels, left):
    figure = success_over_rates({str(i): {"Adam": table([0.1, 0.2, 0.3])} for i in range(count)})
    assert [len(ax.lines) for ax in figure.axes] == [1] * count
    assert [ax.get_xlabel() or " " for ax in figure.axes] == list(labels)
    figure.canvas.draw()
    numbered = [any(tick.label1.get_visible() for tick in ax.xaxis.get_major_ticks()) for ax in figure.axes]
    assert numbered == [label == "λ" for label in labels]  # under each that has none below
    assert [index for index, ax in enumerate(figure.axes) if ax.get_ylabel()] == left


def test_success_is_drawn_over_the_rate_with_its_interval():
    ax = over_rates({"Adam": {1.0: 4, 0.1: 9}}, 10).axes[0]
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[0.1, 0.9], [1.0, 0.4]])
    ends = ax.collections[0].get_paths()[0].vertices
    np.testing.assert_allclose(sorted({*ends[ends[:, 0] == 1.0][:, 1]}), wilson_interval(4, 10))


def test_best_and_final_losses_stand_side_by_side():
    runs = table1([0, 1, 2], 40, losses=["sixth", "x2"])
    figure = best_and_final(runs)
    for ax, key in zip(figure.axes, ("sixth", "x2"), strict=True):
        shown = [points.get_offsets()[:, 1] for points in ax.collections]
        expected = [runs[key, name] for name in ("Adam", "Hill-ADAM")]
        for (final, best), run in zip(zip(shown[::2], shown[1::2], strict=True), expected, strict=True):
            np.testing.assert_allclose(final, run.final_losses)
            np.testing.assert_allclose(best, run.best_losses)


@pytest.mark.parametrize("draw", [success_over_rates, best_and_final])
def test_nothing_to_draw_is_refused(draw):
    with pytest.raises(ValueError, match=r"Invalid (panels|runs): \{\}; expected at least one"):
        draw({})
