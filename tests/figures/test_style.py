"""Figures are drawn in the book's style, and matplotlib's settings stay as they were."""

import subprocess
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
import torch
from nbclient import NotebookClient

from hilladam import HillAdam, figures
from hilladam.experiments import Points, SuccessMap, compare, journey, race, table1, train
from hilladam.losses import DOUBLE_WELL, SURFACES, ColourLoss, Torus, stack
from hilladam.theory import climb

NAME = "hilladam.figures.hilladam"


@pytest.fixture(autouse=True)
def closed():
    plt.draw_if_interactive()  # the first use of a backend is a setting of its own
    yield
    plt.close("all")


def a_run():
    points = Points(torch.tensor([2.0], dtype=torch.float64))
    return train(points, stack([DOUBLE_WELL]), HillAdam(points.parameters, lr=0.1), 20).member(0)


def a_run_on_the_torus():
    points = Points(torch.tensor([[2.0, 0.5]], dtype=torch.float64))
    return train(points, TORUS, HillAdam(points.parameters, lr=0.1), 9).member(0)


def a_race():
    records = race(SURFACES["camel"], 0.05, contenders=["Adam", "SGD"], runs=3, evaluations=20)
    return records, {name: record.member(0) for name, record in records.items()}


LR, BETA1 = np.geomspace(0.01, 1, 4), np.array([0.5, 0.9, 0.99])
CELLS = LR > 2 * BETA1[:, None] - 1
TORUS = Torus([-1.0, -1.0], [[1, 0], [0, 1]], [0.0, 0.0])
GREY = np.full((2, 3, 3), 0.5)
RATES = pd.DataFrame({"lr": [0.1, 1.0], "rate": [0.3, 0.5], "low": [0.2, 0.4], "high": [0.4, 0.6]})
DRAW = {
    "bar_code": lambda: figures.bar_code([0.0, 1.0], {"a": [True, False]}),
    "best_and_final": lambda: figures.best_and_final(table1([0], 2, losses=["x2"])),
    "cobweb": lambda: figures.cobweb(LR, LR / 2, LR > 0.5, [[0.5, 0.2]]),
    "colour_landscape": lambda: figures.colour_landscape(ColourLoss((0.65, 0.45, 0.25), (0.2, 0.4, 0.7))),
    "differences": lambda: figures.differences(compare({"a": (np.array([True, False]), np.array([True, True]))})),
    "label_ends": lambda: figures.label_ends(figures.reached({"Adam": np.array([3.0, np.inf])}, 9).axes[0]),
    "network": lambda: figures.network((3, 2, 1)),
    "on_the_curve": lambda: figures.on_the_curve(a_run(), DOUBLE_WELL),
    "over_rates": lambda: figures.over_rates({"Adam": {0.1: 3, 1.0: 5}}, 9),
    "one_climb": lambda: figures.one_climb(climb(DOUBLE_WELL, 0.95, 0.0754, 0.03), 0.03),
    "paths": lambda: figures.paths(SURFACES["camel"], a_race()[1]),
    "phase_diagram": lambda: figures.phase_diagram(CELLS, LR, BETA1),
    "phase_diagrams": lambda: figures.phase_diagrams({"a": CELLS}, {"a": (LR, BETA1, 1.0)}, {"b": {"a": CELLS}}),
    "photographs": lambda: figures.photographs([GREY, GREY], ["a", "b"]),
    "reached": lambda: figures.reached({"Adam": np.array([3.0, np.inf])}, 9),
    "scoreboard": lambda: figures.scoreboard(pd.DataFrame({"a": [0.1, 0.9]}, index=["x", "y"])),
    "side_by_side": lambda: figures.side_by_side({"Hill-ADAM": a_run()}, DOUBLE_WELL),
    "stationary_points": lambda: figures.stationary_points(DOUBLE_WELL),
    "success_maps": lambda: figures.success_maps(
        {"a": SuccessMap(LR, BETA1, CELLS.astype(np.uint8))}, {"a": [LR]}, starts=1
    ),
    "success_over_rates": lambda: figures.success_over_rates({"a loss": {"Adam": RATES}}),
    "targets_met": lambda: figures.targets_met({"Adam": np.array([[3.0, np.inf]])}, 9),
    "trajectory": lambda: figures.trajectory(a_run(), DOUBLE_WELL),
    "arrivals": lambda: figures.arrivals({"ours": [(0.9, 0.8, 0.95)]}, ["d = 2"]),
    "ends_of_climbs": lambda: figures.ends_of_climbs({1: [0.0, 1.0]}, {1: (0.5, 0.4, 0.6)}),
    "journey_losses": lambda: figures.journey_losses(journey(TORUS, [2.0, 0.5], 9)),
    "journey_map": lambda: figures.journey_map(TORUS, journey(TORUS, [2.0, 0.5], 9)),
    "legs": lambda: figures.legs(TORUS, a_run_on_the_torus()),
    "setting_maps": lambda: figures.setting_maps([0.01, 0.1], [1e-4, 1e-3], {"one": np.eye(2), "two": np.eye(2)}),
    "success_over": lambda: figures.success_over({"s": ([1, 2], {"a": np.eye(2) > 0})}),
}


def test_every_function_is_tried():
    assert {*DRAW, "COLOURS", "look"} == set(figures.__all__)


@pytest.mark.parametrize("name", DRAW)
def test_a_figure_has_the_books_style_and_leaves_the_readers_alone(name):
    with mpl.rc_context({"figure.constrained_layout.use": False, "axes.titlelocation": "right", "font.size": 13}):
        before = mpl.rcParams.copy()
        figure = DRAW[name]()
        assert mpl.rcParams == before
    assert figure.get_layout_engine() is not None  # constrained, as only the book's style asks
    ground = "#6E6E6E" if name == "photographs" else "white"
    assert figure.get_facecolor() == mpl.colors.to_rgba(ground)


def test_adam_is_drawn_in_ink_beside_what_goes_down_and_up():
    figure = figures.side_by_side({"Adam": a_run(), "Hill-ADAM": a_run()}, DOUBLE_WELL)
    drawn = [{mpl.colors.to_hex(colour).upper() for colour in ax.collections[0].get_colors()} for ax in figure.axes]
    assert drawn[0] == {figures.COLOURS["ink"]} and figures.COLOURS["minimize"].upper() in drawn[1]


def names(*ends):
    """The names of lines that end at these heights, where they stand, from below."""
    ax = plt.subplots()[1]
    for end in ends:
        ax.plot([0, 1], [end, end], label=f"{end}")
    ax.set_ylim(0, 1)
    figures.label_ends(ax)
    return [text.get_text() for text in ax.texts], np.array([text.xy[1] for text in ax.texts])


@pytest.mark.parametrize("ends", [(0.5, 0.5, 0.5), (0.2, 1.0, 1.0), (0.0, 0.03, 0.9)])
def test_names_stand_apart_and_in_the_panel(ends):
    texts, heights = names(*ends)
    assert texts == [f"{end}" for end in ends]
    assert (np.diff(heights) > 0.04).all() and heights.min() >= 0 and heights.max() <= 1


def test_names_of_lines_that_end_together_stand_about_their_end():
    assert names(0.5, 0.5, 0.5)[1].mean() == pytest.approx(0.5)


def test_a_line_without_a_finite_point_has_no_name():
    assert names(np.nan, 0.4)[0] == ["0.4"] and names(np.nan)[0] == []


def test_a_notebooks_figures_show_by_themselves():
    cells = ["from hilladam import figures", "fig = figures.network()", "import matplotlib.pyplot as plt",
             "line = plt.subplots()[1].plot([1, 2])"]  # fmt: skip
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    for cell in notebook.cells[1::2]:
        assert any("image/png" in out.data for out in cell.outputs), cell.source


def test_a_refused_figure_leaves_the_settings_alone():
    before = mpl.rcParams.copy()
    with pytest.raises(ValueError, match="Invalid sizes"):
        figures.network(())
    assert mpl.rcParams == before


def test_the_style_has_a_name_of_its_own():
    with plt.style.context(NAME):
        assert mpl.rcParams["figure.dpi"] == 192
        assert mpl.rcParams["axes.titlelocation"] == "left"
    assert mpl.rcParams["axes.titlelocation"] == "center"


@pytest.mark.parametrize("module", ["figures", "widgets"])
def test_an_import_changes_no_setting(module):
    code = f"""
import matplotlib
matplotlib.use("Agg")
before = matplotlib.rcParams.copy()
import hilladam.{module}
changed = [key for key in before if matplotlib.rcParams[key] != before[key]]
assert not changed, changed
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "draw, message",
    [
        (lambda: figures.bar_code([0.0, 1.0], {}), "Invalid rows: shape .*; expected at least one of shape"),
        (lambda: figures.cobweb(LR, LR[:2], LR > 1), r"Invalid after: shape \(2,\); expected \(4,\)"),
        (lambda: figures.one_climb(climb(DOUBLE_WELL, [0.9, 0.95], 0.0754, 0.03), 0.03), r"shape \(1001, 2\)"),
        (lambda: figures.success_maps({}, {}), r"Invalid maps: \{\}; expected at least one"),
        (lambda: figures.network((3, 0, 1)), r"Invalid sizes: \(3, 0, 1\); expected at least two widths"),
        (lambda: figures.network((3, 2)), "the last of them 1"),
        (lambda: figures.photographs([], []), r"Invalid names: \[\]; expected at least one"),
        (lambda: figures.reached({}, 9), r"Invalid hits: \{\}; expected at least one"),
        (lambda: figures.over_rates({}, 9), r"Invalid tried: \{\}; expected at least one"),
        (lambda: figures.side_by_side({}, DOUBLE_WELL), r"Invalid runs: \{\}; expected at least one"),
        (lambda: figures.trajectory(a_run(), first=30), r"Invalid first, last: 30, None; expected some of"),
        (lambda: figures.phase_diagram(CELLS.T, LR, BETA1), r"Invalid truth: shape \(4, 3\); expected \(3, 4\)"),
        (lambda: figures.phase_diagram(CELLS, LR, BETA1, CELLS[:2]), r"Invalid predicted: shape \(2, 4\)"),
        (lambda: figures.phase_diagram(CELLS[:1], LR, BETA1[:1]), r"Invalid truth: .*at least \(2, 2\)"),
        (lambda: figures.phase_diagrams({}, {}, {}), "Invalid truths, predictions: 0, 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused_by_name(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()
