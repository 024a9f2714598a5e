"""The landscape shows the loss's minima and the runs; photographs stand in their rows."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from hilladam.experiments import table2
from hilladam.figures import COLOURS, colour_landscape, photographs
from hilladam.losses import ColourLoss

LOSS = ColourLoss((0.65, 0.45, 0.25), (0.2, 0.4, 0.7))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_the_landscape_marks_every_minimum_and_follows_every_run():
    runs = table2({"pair": LOSS}, (100,), 30, optimizers=["Adam", "NAdam"])
    alone = {name: run.member(0) for (_, name), run in runs.items()}
    ax = colour_landscape(LOSS, alone, last=20).axes[0]
    points = {tuple(np.round(offset, 6)) for dots in ax.collections for offset in dots.get_offsets()}
    for minimum in LOSS.minima:
        assert (round(minimum.gains[0], 6), round(minimum.gains[2], 6)) in points
    lines = {line.get_label(): line.get_xydata() for line in ax.lines}
    for name, run in alone.items():
        np.testing.assert_array_equal(lines[name], run.states[:20, [0, 2]])


def test_the_landscape_draws_every_run_or_none():
    run = table2({"pair": LOSS}, (100,), 2, optimizers=["Adam"])["pair", "Adam"].member(0)
    ax = colour_landscape(LOSS, {f"run {number}": run for number in range(6)}).axes[0]
    assert len({line.get_color() for line in ax.lines}) == 6
    with pytest.raises(ValueError, match="7 of them; expected at most 6"):
        colour_landscape(LOSS, {f"run {number}": run for number in range(7)})


def test_the_landscape_has_a_colour_for_adam_and_one_for_hill_adam_whoever_comes_first():
    run = table2({"pair": LOSS}, (100,), 2, optimizers=["Adam"])["pair", "Adam"].member(0)
    for names in (["Hill-ADAM"], ["another", "Hill-ADAM", "Adam"], ["Adam", "another"]):
        ax = colour_landscape(LOSS, dict.fromkeys(names, run)).axes[0]
        lines = {line.get_label(): line.get_color() for line in ax.lines}
        assert lines.get("Hill-ADAM", COLOURS["maximize"]) == COLOURS["maximize"]
        assert lines.get("Adam", COLOURS["ink"]) == COLOURS["ink"]
        assert len(set(lines.values())) == len(names)


def test_photographs_stand_in_named_rows():
    image = np.zeros((4, 4, 3))
    assert len(photographs([image, image], ["a", "b"]).axes) == 2
    axes = photographs({"x": [image] * 3, "y": [image] * 3}, ["a", "b", "c"]).axes
    assert len(axes) == 6
    assert [ax.get_title(loc="center") for ax in axes[:3]] == ["a", "b", "c"]
    assert [axes[0].get_ylabel(), axes[3].get_ylabel()] == ["x", "y"]
    with pytest.raises(ValueError):
        photographs([image], ["a", "b"])
