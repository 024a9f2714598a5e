"""The figures of a race show its records."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from hilladam.experiments import RACE_CONTENDERS, SEARCHERS, compare, race, wilson_interval
from hilladam.figures import COLOURS, differences, paths, reached
from hilladam.losses import SURFACES

CAMEL = SURFACES["camel"]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


HITS = {"Adam": np.array([3.0, 3.0, 50.0, np.inf, 100.0]), "SGD": np.array([np.inf, 7.0, np.inf, 200.0, np.inf])}


def test_the_share_rises_by_one_run_at_its_evaluation():
    ax = reached(HITS, 100).axes[0]
    lines = {line.get_label(): line.get_xydata() for line in ax.lines}
    for name, counts in HITS.items():
        for evaluations in (1, 3, 10, 49, 50, 99):
            x, y = lines[name].T
            assert y[x <= evaluations][-1] == pytest.approx((counts <= evaluations).mean())
        assert lines[name][-1].tolist() == [100, (counts <= 100).mean()]


def test_the_bands_are_wilsons_intervals():
    bands = reached(HITS, 100).axes[0].collections
    for band, counts in zip(bands, HITS.values(), strict=True):
        ends = band.get_paths()[0].vertices
        low, high = wilson_interval(int((counts <= 100).sum()), 5)
        last = ends[ends[:, 0] == 100][:, 1]
        assert np.isclose(last, low).any() and np.isclose(last, high).any()


def test_a_difference_that_was_not_seen_is_an_open_mark():
    first, second = np.arange(100) < 60, np.arange(100) < 40
    table = compare({"seen": (first, second), "not": (first, first)})
    ax = differences(table).axes[0]
    lines, filled, empty = ax.collections
    np.testing.assert_allclose(filled.get_offsets(), [[0.2, 0]])
    np.testing.assert_allclose(empty.get_offsets(), [[0.0, 1]])
    assert to_hex(filled.get_facecolor()[0]).upper() == COLOURS["ink"]
    assert empty.get_facecolor()[0, :3].tolist() == [1, 1, 1]
    spans = [segment[:, 0] for segment in lines.get_segments()]
    np.testing.assert_allclose(spans, table[["low", "high"]])
    assert ax.yaxis_inverted()  # the first on top


def test_a_path_is_drawn_without_the_jumps_of_restarts():
    records = race(CAMEL, 0.1, contenders=["Hill-ADAM", "Adam, restarted"], runs=3, evaluations=200)
    runs = {name: record.member(0) for name, record in records.items()}
    ax = paths(CAMEL, runs).axes[0]
    lines = {line.get_label(): line.get_xydata() for line in ax.lines}
    np.testing.assert_array_equal(lines["Hill-ADAM"], runs["Hill-ADAM"].states)
    drawn = lines["Adam, restarted"]
    assert np.isnan(drawn).any()
    np.testing.assert_array_equal(drawn[~np.isnan(drawn[:, 0])], runs["Adam, restarted"].states)
    assert np.nanmax(np.abs(np.diff(drawn, axis=0))) < 0.5  # a step of Adam, not a jump


def test_every_contender_has_a_look_of_its_own():
    names = (*RACE_CONTENDERS, *SEARCHERS)
    lines = reached(dict.fromkeys(names, HITS["Adam"]), 100).axes[0].lines
    assert len({(line.get_color(), str(line.get_linestyle()), str(line._dash_pattern)) for line in lines}) == len(names)
