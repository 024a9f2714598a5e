"""The figures of over the hill show what a journey did, and the rates that they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from hilladam import figures
from hilladam.experiments import journey
from hilladam.figures import COLOURS
from hilladam.losses import Torus

LOSS = Torus([-1.0, -1.0], [[1, 0], [0, 1]], [0.0, 0.0])
TAKEN = journey(LOSS, [2.0, 0.5], 60)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_the_map_draws_each_step_from_where_it_began_in_the_colour_of_its_leg():
    ax = figures.journey_map(LOSS, TAKEN).axes[0]
    steps = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_marker() == "None"]
    assert len(steps) == 59
    for line, origin, place, walking in zip(steps, TAKEN.origins[1:], TAKEN.places[1:], TAKEN.walking[1:], strict=True):
        np.testing.assert_array_equal(line.get_xydata(), [origin, place])
        assert to_hex(line.get_color()).upper() == COLOURS["maximize" if walking else "minimize"]
    assert TAKEN.walking.any()


def test_the_losses_are_shown_in_two_colours_and_the_lowest_so_far():
    lowest, *legs = figures.journey_losses(TAKEN).axes[0].lines
    np.testing.assert_array_equal(lowest.get_ydata(), np.minimum.accumulate(TAKEN.losses))
    shown = np.where(np.isnan(legs[0].get_ydata()), legs[1].get_ydata(), legs[0].get_ydata())
    np.testing.assert_array_equal(shown, TAKEN.losses)


def test_arrivals_have_a_row_for_each_and_the_interval_around_the_rate():
    rates = {"ours": [(0.9, 0.8, 0.95), (0.5, 0.4, 0.6)], "theirs": [(0.5, 0.4, 0.6), (0.1, 0.0, 0.2)]}
    fig = figures.arrivals(rates, ["d = 2", "d = 4"], stands_out=["ours"])
    for k, ax in enumerate(fig.axes):
        for y, row in enumerate(rates.values()):
            interval, rate = ax.lines[2 * y : 2 * y + 2]
            assert tuple(interval.get_xdata()) == row[k][1:] and rate.get_xdata()[0] == row[k][0]
            assert set(interval.get_ydata()) == {y}


def test_what_cannot_be_drawn():
    with pytest.raises(ValueError, match="Invalid journey: of 3 variables"):
        figures.journey_map(LOSS, journey(lambda x: (x**2).sum(), [1.0, 2.0, 3.0], 5))
    with pytest.raises(ValueError, match="Invalid rates: 1 of 'a'"):
        figures.arrivals({"a": [(0.1, 0.0, 0.2)]}, ["d = 2", "d = 4"])
