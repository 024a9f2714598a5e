"""The figures of a race show its records."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from hilladam.experiments import RACE_CONTENDERS, gradients_to, race
from hilladam.figures import paths, reached
from hilladam.losses import SURFACES

CAMEL = SURFACES["camel"]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_the_share_rises_by_one_run_at_its_evaluation():
    records = race(CAMEL, 0.05, contenders=["Adam", "SGD"], runs=10, evaluations=100)
    target = CAMEL.global_minimum.value + 0.01
    lines = {line.get_label(): line.get_xydata() for line in reached(records, target).axes[0].lines}
    for name, record in records.items():
        hits = gradients_to(record, target)
        for evaluations in (1, 10, 40, 100):
            x, y = lines[name].T
            assert y[x <= evaluations][-1] == pytest.approx((hits <= evaluations).mean())


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
    records = race(CAMEL, 0.01, runs=2, evaluations=5)
    lines = reached(records, 0.0).axes[0].lines
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == len(RACE_CONTENDERS)
