"""The protocol of every comparison: how rates are tuned, and what may be said of two rates."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import xlogy
from scipy.stats import binom, norm, t

from hilladam.experiments import RATES, cluster_interval, compare, difference_interval, holm, tune

INF = math.inf


# Tuning --------------------------------------------------------------------------------------------------------------


def looking_up(costs):
    """A trial that looks up what each rate costs, and notes which it was asked for."""
    asked = []

    def trial(rates):
        asked.extend(rates)
        return [costs(rate) for rate in rates]

    return trial, asked


def test_the_rate_that_succeeds_most_often_is_taken_however_long_it_takes():
    costs = {0.1: [1, INF, INF], 1.0: [90, 90, INF], 10.0: [2, INF, INF]}
    found = tune(looking_up(costs.get)[0], 100, rates=costs)
    assert found.lr == 1.0 and found.successes == {0.1: 1, 1.0: 2, 10.0: 1}


def test_ties_go_to_the_fewest_evaluations_and_then_to_the_smallest_rate():
    sooner = {0.1: [9, INF], 1.0: [5, INF], 10.0: [INF, 8], 100.0: [9, INF]}
    assert tune(looking_up(sooner.get)[0], 100, rates=sooner).lr == 1.0
    equal = {0.1: [INF, INF], 1.0: [5, INF], 10.0: [INF, 5], 100.0: [9, INF]}
    assert tune(looking_up(equal.get)[0], 100, rates=equal).lr == 1.0


def test_a_run_that_fails_counts_with_its_whole_budget():
    """Otherwise all sums would be infinite, and the smallest rate be taken."""
    costs = {0.01: [INF, INF], 0.1: [7, INF], 1.0: [INF, 2], 10.0: [3, INF]}
    assert tune(looking_up(costs.get)[0], 100, rates=costs).lr == 1.0


@pytest.mark.parametrize("best", [1e-8, 3e-6, 10.0, 300.0])
def test_an_end_of_the_grid_is_never_chosen(best):
    trial, asked = looking_up(lambda rate: [1 + abs(math.log10(rate / best))])
    found = tune(trial, 1000)
    assert min(found.trials) < found.lr < max(found.trials)
    assert abs(math.log10(found.lr / best)) <= 0.26  # within half a step of the grid
    assert set(RATES) <= set(asked) and len(set(asked)) == len(asked)
    assert list(found.trials) == sorted(asked)


def test_widening_has_an_end_and_no_success_has_a_middle():
    with pytest.raises(ValueError, match=r"Invalid rates: the best, 10000\.0, is an end of what may be tried"):
        tune(looking_up(lambda rate: [1 / rate])[0], 1000)
    trial, asked = looking_up(lambda rate: [INF, INF])
    found = tune(trial, 1000)
    assert found.lr == RATES[len(RATES) // 2] and tuple(found.trials) == tuple(asked) == RATES


def test_widening_may_reach_its_end():
    low = tune(looking_up(lambda rate: [1 + abs(math.log10(rate / 0.01))])[0], 1000, (0.1, 1, 10), lowest=0.001)
    assert low.lr == 0.01 and min(low.trials) == 0.001
    high = tune(looking_up(lambda rate: [1 + abs(math.log10(rate / 100))])[0], 1000, (0.1, 1, 10), highest=1000)
    assert high.lr == 100 and max(high.trials) == 1000


@pytest.mark.parametrize("rates", [(), (0.1, 1), (0, 0.1, 1), (0.1, 0.1, 1, 2), (1, 2, INF), (1, math.nan, 2)])
def test_a_grid_has_three_rates(rates):
    with pytest.raises(ValueError, match=r"Invalid rates: .*; expected at least three different numbers above 0"):
        tune(lambda rates: [[1.0]] * len(rates), 10, rates)


@pytest.mark.parametrize("at", [1.0, 10.0])
def test_what_a_run_cost_is_a_number_or_infinite(at):
    """Of NaN neither more nor fewer evaluations can be said, and no grid is widened after it."""
    trial, asked = looking_up(lambda rate: [math.nan if rate == at else INF, 7])
    with pytest.raises(ValueError, match="Invalid trial: NaN"):
        tune(trial, 10, (0.1, 1.0, 10.0))
    assert asked == [0.1, 1.0, 10.0]


def test_a_trial_that_leaves_out_a_rate_is_no_trial():
    with pytest.raises(ValueError, match="shorter"):
        tune(lambda rates: [[1.0]] * 2, 10, (0.1, 1.0, 10.0))


# Two rates -----------------------------------------------------------------------------------------------------------


def pair(both, first, second, neither):
    a = [True] * both + [True] * first + [False] * second + [False] * neither
    b = [True] * both + [False] * first + [True] * second + [False] * neither
    return np.array(a), np.array(b)


def test_the_test_is_mcnemars_exact_one():
    """Fagerland, Lydersen and Laake (2013), Table 2: 1, 1, 7 and 12 children, and p = 0.0703."""
    row = compare({"airway": pair(1, 1, 7, 12)}).loc["airway"]
    assert (row.only_first, row.only_second) == (1, 7) and row.p == pytest.approx(2 * binom.cdf(1, 8, 0.5))
    assert row.p == pytest.approx(0.0703, abs=5e-5)
    assert (row["first"], row["second"], row.difference) == (2 / 21, 8 / 21, pytest.approx(-6 / 21))


def test_runs_in_which_both_do_the_same_do_not_count():
    few, many = compare({"few": pair(0, 3, 12, 0), "many": pair(500, 3, 12, 485)})["p"]
    assert few == many
    assert compare({"equal": pair(3, 0, 0, 2)})["p"].item() == 1.0


def test_equal_contenders_are_called_different_no_more_often_than_was_promised():
    for runs in (5, 40, 200):
        k = np.arange(runs + 1)
        p = np.array([compare({0: pair(0, j, runs - j, 0)})["p"].item() for j in k])
        assert binom.pmf(k, runs, 0.5)[p <= 0.05].sum() <= 0.05


def test_holms_correction_is_the_step_down_one():
    p = np.array([0.01, 0.04, 0.03, 0.005, 0.9])
    expected = [max(1, 1) * 4 * 0.01, 2 * 0.04, 3 * 0.03, 5 * 0.005, 0.9]
    expected[1] = max(expected[1], expected[2])  # never smaller than that of a smaller p
    np.testing.assert_allclose(holm(p), expected)
    assert holm([0.4, 0.5]).tolist() == [0.8, 0.8] and holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    pairs = {k: pair(50, 10 + k, 10, 30) for k in range(6)}
    together = compare(pairs)
    np.testing.assert_allclose(together["corrected"], holm(together["p"]))
    assert list(together.index) == list(pairs)
    assert holm([0.04]).tolist() == [0.04] and holm([0, 1]).tolist() == [0, 1] and not holm([]).size


def test_holms_correction_rejects_what_its_definition_rejects():
    dice = np.random.default_rng(0)
    for _ in range(200):
        p = dice.random(6) ** 3
        rejected, order = set(), np.argsort(p)
        for position, index in enumerate(order):
            if p[index] > 0.05 / (len(p) - position):
                break
            rejected.add(index)
        assert set(np.flatnonzero(holm(p) <= 0.05)) == rejected


@pytest.mark.parametrize("p", [0.5, [[0.1, 0.2]], [0.1, math.nan], [2.0], [-1.0, 0.5]])
def test_what_are_no_probabilities_is_not_corrected(p):
    with pytest.raises(ValueError, match=r"Invalid p: .*; expected numbers from 0 to 1"):
        holm(p)
    assert holm([]).shape == (0,)


SHARES = [(0.9, 0.02, 0.02, 0.06), (0.5, 0.2, 0.1, 0.2), (0.0, 0.3, 0.3, 0.4), (0.99, 0.008, 0.001, 0.001)]


@pytest.mark.parametrize("shares", SHARES)
def test_the_interval_of_a_difference_holds_the_true_one_as_often_as_it_says(shares):
    counts = np.random.default_rng(1).multinomial(200, shares, size=2000)
    true = shares[1] - shares[2]
    held = [low <= true <= high for low, high in (difference_interval(b, c, 200) for _, b, c, _ in counts.tolist())]
    assert np.mean(held) > 0.935
    wider = [difference_interval(b, c, 200, 0.99) for _, b, c, _ in counts[:50].tolist()]
    narrow = [difference_interval(b, c, 200) for _, b, c, _ in counts[:50].tolist()]
    assert all(w.low < n.low and w.high > n.high for w, n in zip(wider, narrow, strict=True))


@pytest.mark.parametrize("shares", [(0.998, 0.002, 0.0, 0.0), (0.997, 0.003, 0.0, 0.0), (0.994, 0.003, 0.003, 0.0)])
def test_the_interval_of_a_difference_keeps_its_word_where_nearly_all_succeed(shares):
    """A thousand runs, as in the race. In the first case Agresti and Min's interval holds the true one in 86 %."""
    counts = np.random.default_rng(4).multinomial(1000, shares, size=1000)
    true = shares[1] - shares[2]
    held = [low <= true <= high for low, high in (difference_interval(b, c, 1000) for _, b, c, _ in counts.tolist())]
    assert np.mean(held) > 0.94


def test_the_interval_of_a_difference_is_tangos():
    """Tango (1998) has the first, Fagerland and others (2014) the children's; and it is what its definition says."""
    assert difference_interval(0, 1, 44, 0.9) == pytest.approx((-0.096, 0.037), abs=5e-4)
    assert difference_interval(1, 7, 21) == pytest.approx((-0.517, -0.026), abs=5e-4)
    for b, c, n in ((1, 7, 21), (7, 3, 1000), (457, 3, 1000), (0, 4, 50)):
        for d in difference_interval(b, c, n):
            share = minimize_scalar(
                lambda q: -(xlogy(b, q + d) + xlogy(c, q) + xlogy(n - b - c, 1 - 2 * q - d)),  # noqa: B023
                bounds=(max(0, -d), (1 - d) / 2), method="bounded", options={"xatol": 1e-10},
            ).x  # fmt: skip
            z = (b - c - n * d) / math.sqrt(n * (2 * share + d * (1 - d)))
            assert abs(z) == pytest.approx(norm.isf(0.025), rel=1e-4)


def test_who_is_named_first_only_turns_the_interval_round():
    for b, c, n in ((7, 0, 1000), (3, 12, 40), (0, 0, 5), (5, 0, 5)):
        there, back = difference_interval(b, c, n), difference_interval(c, b, n)
        assert there == (-back.high, -back.low)
        assert -1 <= there.low <= (b - c) / n <= there.high <= 1


@pytest.mark.parametrize("runs", [1, 20, 1000])
def test_no_difference_at_all_has_an_interval_too(runs):
    reach = norm.isf(0.025) ** 2 / (runs + norm.isf(0.025) ** 2)
    assert difference_interval(0, 0, runs) == pytest.approx((-reach, reach), abs=1e-12)
    assert difference_interval(runs, 0, runs).high == 1 and difference_interval(0, runs, runs).low == -1


def test_the_intervals_of_a_comparison_are_those_of_the_difference_with_its_confidence():
    for confidence in (0.9, 0.99):
        row = compare({"x": pair(20, 7, 3, 10)}, confidence).loc["x"]
        assert (row.low, row.high) == difference_interval(7, 3, 40, confidence)


@pytest.mark.parametrize(
    "pairs, message",
    [
        ({}, "Invalid pairs: none"),
        ({"x": ([1, 0], [True, False])}, "Invalid pair 'x': int64"),
        ({"x": ([True], [True, False])}, r"Invalid pair 'x': bool of shape \(1,\)"),
        ({"x": ([[True]], [[True]])}, "Invalid pair 'x'"),
        ({"x": (np.zeros(0, bool), np.zeros(0, bool))}, "Invalid pair 'x'"),
    ],
)
def test_what_is_no_pair_is_refused(pairs, message):
    with pytest.raises(ValueError, match=message):
        compare(pairs)


def test_numbers_out_of_range_are_refused():
    for counts in ((-1, 0, 5), (3, 3, 5), (0, 0, 0)):
        with pytest.raises(ValueError, match="Invalid counts"):
            difference_interval(*counts)
    for confidence in (0, 1, math.nan):
        with pytest.raises(ValueError, match="Invalid confidence"):
            difference_interval(1, 1, 5, confidence)
        with pytest.raises(ValueError, match="Invalid confidence"):
            cluster_interval([1, 0], [1, 2], confidence)
    for outcome in (math.nan, INF):
        with pytest.raises(ValueError, match=r"Invalid outcomes: .*; expected finite numbers"):
            cluster_interval([1, outcome], [1, 2])
    for draws in (0, 1.5):
        with pytest.raises(ValueError, match=f"Invalid draws: {draws}; expected an integer >= 1"):
            cluster_interval([1, 0], [1, 2], draws=draws)


# Clusters ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clusters", [4, 10, 40])
def test_the_interval_of_clusters_holds_the_true_mean_about_as_often_as_it_says(clusters):
    """Each cluster has a rate of its own, uniform from 0 to 1, and twelve runs. The runs' own interval is far off."""
    from hilladam.experiments import wilson_interval

    dice, held, naive = np.random.default_rng(2), 0, 0
    labels = np.repeat(np.arange(clusters), 12)
    for seed in range(400):
        outcomes = dice.random(labels.size) < dice.random(clusters)[labels]
        low, high = cluster_interval(outcomes, labels, draws=1000, seed=seed)
        held += low <= 0.5 <= high
        low, high = wilson_interval(outcomes.sum(), outcomes.size)
        naive += low <= 0.5 <= high
    assert held / 400 > 0.88 and naive / 400 < 0.8


def test_clusters_of_one_run_are_independent_runs():
    outcomes = np.arange(200) < 60
    low, high = cluster_interval(outcomes, np.arange(200))
    assert low == pytest.approx(0.3 - 1.97 * math.sqrt(0.21 / 200), abs=0.01)
    assert high == pytest.approx(0.3 + 1.97 * math.sqrt(0.21 / 200), abs=0.01)


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_the_interval_of_few_clusters_is_students_where_means_are_normal(confidence):
    values = np.array([-2.2, -0.9, -0.6, -0.3, 0.3, 0.6, 0.9, 2.2])  # of a normal's kurtosis
    low, high = cluster_interval(values, np.arange(8), confidence, draws=400_000)
    half = t.isf((1 - confidence) / 2, 7) * values.std(ddof=1) / math.sqrt(8)
    assert (-low, high) == pytest.approx((half, half), rel=0.015)


def test_an_interval_of_clusters_hangs_on_the_seed_and_needs_two():
    values = np.random.default_rng(5).normal(size=12)
    first, again, other = (cluster_interval(values, np.arange(12), seed=seed) for seed in (0, 0, 1))
    assert first == again and first != other
    assert cluster_interval([0, 1, 1], ["a", "a", "b"]) == (0.5, 1.0)


def test_clusters_have_names_and_sizes_of_their_own():
    values, names = [0.0, 0.0, 1.0, 5.0], ["a", "a", "b", "c"]
    again = [cluster_interval(values, names, seed=seed) for seed in (0, 0, 1)]
    assert again[0] == again[1]
    assert 0 <= again[0].low < np.mean(values) < again[0].high <= 5


@pytest.mark.parametrize("outcomes, clusters", [([1, 0], [1]), ([1, 0], [1, 1]), ([[1], [0]], [[1], [2]]), ([], [])])
def test_what_are_no_clusters_is_refused(outcomes, clusters):
    with pytest.raises(ValueError, match="Invalid clusters"):
        cluster_interval(outcomes, clusters)


def test_a_family_is_corrected_as_a_whole():
    """Twenty pairs of equal contenders: without correction most families have one that is called different."""
    dice = np.random.default_rng(3)
    alone = together = 0
    for _ in range(60):
        draws = dice.random((20, 2, 100)) < 0.5
        found = compare({k: tuple(draw) for k, draw in enumerate(draws)})
        alone += (found["p"] <= 0.05).any()
        together += (found["corrected"] <= 0.05).any()
    assert alone > 25 and together < 8
