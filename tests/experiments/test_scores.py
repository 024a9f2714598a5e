"""Scores, and intervals in which a function counts once."""

import numpy as np
import pytest
from scipy.stats import ttest_rel

from hilladam.experiments import compare_scores, holm, score

RNG = np.random.default_rng(0)


def test_a_score_is_the_share_of_targets_within_the_budget():
    costs = np.array([[1.0, 100.0, 101.0, np.inf], [2.0, 3.0, 4.0, 5.0]])
    assert score(costs, 100).tolist() == [0.5, 1.0]


def test_it_is_the_paired_test_of_the_means_of_functions():
    first, second = RNG.random((24, 5)), RNG.random((24, 5))
    row = compare_scores({"pair": (first, second)}).loc["pair"]
    test = ttest_rel(first.mean(axis=1), second.mean(axis=1))
    interval = test.confidence_interval(0.95)
    np.testing.assert_allclose([row.p, row.low, row.high], [test.pvalue, interval.low, interval.high])
    assert row.difference == pytest.approx(first.mean() - second.mean())


def test_two_functions_are_enough():
    row = compare_scores({"": (np.array([[0.5], [0.9]]), np.array([[0.25], [0.5]]))}).iloc[0]
    assert row.difference == pytest.approx(0.325) and row.low < 0.25 and row.high > 0.4


def test_more_runs_on_the_same_functions_do_not_make_it_surer():
    first, second = RNG.random((6, 1)), RNG.random((6, 1))
    few, many = (compare_scores({"": (np.repeat(first, n, 1), np.repeat(second, n, 1))}) for n in (1, 50))
    np.testing.assert_allclose(few, many)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """Functions are drawn, each with a difference of its own, of mean 0.1; and runs on them."""
    held = []
    for _ in range(400):
        own = RNG.normal(0.1, 0.2, (24, 1))
        first = own + RNG.normal(0, 0.1, (24, 5))
        row = compare_scores({"": (first, np.zeros((24, 5)))}).iloc[0]
        held.append(row.low <= 0.1 <= row.high)
    assert 0.91 < np.mean(held) < 0.985


def test_a_family_is_corrected():
    pairs = {k: (RNG.random((9, 2)) + k / 10, RNG.random((9, 2))) for k in range(4)}
    table = compare_scores(pairs)
    np.testing.assert_allclose(table.corrected, holm(table.p))


def test_where_nothing_differs_p_is_one():
    row = compare_scores({"": (np.ones((3, 2)), np.ones((3, 2)))}).iloc[0]
    assert row.p == 1 and row.low == row.high == 0


@pytest.mark.parametrize(
    "pairs, message",
    [
        ({}, "Invalid pairs: none"),
        ({"a": (np.ones((1, 2)), np.ones((1, 2)))}, "two functions or more"),
        ({"a": (np.ones((3, 2)), np.ones((3, 1)))}, r"shapes \(3, 2\) and \(3, 1\)"),
        ({"a": (np.ones(3), np.ones(3))}, "two functions or more"),
        ({"a": (np.full((3, 2), np.nan), np.ones((3, 2)))}, "finite"),
    ],
)
def test_what_cannot_be_compared_is_refused(pairs, message):
    with pytest.raises(ValueError, match=message):
        compare_scores(pairs)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_a_confidence_that_is_none_is_refused(confidence):
    with pytest.raises(ValueError, match="Invalid confidence"):
        compare_scores({"": (np.ones((3, 2)), np.ones((3, 2)))}, confidence)
