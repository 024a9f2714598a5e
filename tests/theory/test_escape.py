"""Criteria of escape: each is what its formula says, and they score as the book tells."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import bisect

from hilladam import theory
from hilladam.losses import DOUBLE_WELL, TABLE_1
from hilladam.theory import agreement, boundary_band, way_out

CASES = {"double well": (DOUBLE_WELL, 2.0), "sixth": (TABLE_1["sixth"], 0.6), "tenth": (TABLE_1["tenth"], 0.8)}
CRITERIA = [theory.energy_rule, theory.equation_13, theory.equidistant, theory.path_average, theory.sweeps,
            theory.continuous_limit]  # fmt: skip


def grid(f, x0, beta2=0.999, cells=21):
    length = way_out(f, x0).length
    beta1 = 1 - np.geomspace(0.5, 0.003, cells)
    return f, x0, None, np.geomspace(length / 1000, length / 2.5, cells), (beta1[:, None], beta2)


@pytest.mark.parametrize("start", ["first_gradient", "zero"])
def test_a_turning_point_is_where_the_sum_changes_its_sign(start):
    lr, beta = 0.02, 0.9
    slopes = DOUBLE_WELL.derivative(2.0 - lr * np.arange(97))
    sums = []
    for n in range(97):
        weights = (1 - beta) * beta ** (n - np.arange(n + 1.0))
        if start == "first_gradient":
            weights[0] = beta**n
        sums.append(weights @ slopes[: n + 1])
    first = np.flatnonzero(np.array(sums) <= 0)[0]
    turn = theory.turning_points(DOUBLE_WELL, 2.0, None, lr, (beta, 0.999), start=start)
    assert turn == pytest.approx(2.0 - first * lr)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_papers_weights_decide_rightly_where_adam_places_the_points(case):
    setting = grid(*case)
    truth = theory.first_pass(*setting)
    said = theory.equation_13_on_adams_path(*setting)
    assert (said.escapes == truth.first).all()
    assert (theory.equation_13(*setting) != truth.first).sum() > 50
    assert np.isnan(said.lag[truth.first | truth.undecided]).all()
    assert (said.lag[~np.isnan(said.lag)] >= 0).all()  # the paper's start holds on to the first gradient


@pytest.mark.parametrize("lr, beta1", [(0.1, 0.9), (0.05, 0.95), (0.01, 0.99), (0.02, 0.97)])
def test_on_adams_path_the_average_is_the_papers(lr, beta1):
    setting = DOUBLE_WELL, 2.0, None, lr, (beta1, 0.999)
    slopes = DOUBLE_WELL.derivative(theory.adam_path(*setting, 2000)[:-1])
    turns = [np.argmax(theory.moving_average(slopes, beta1, start) <= 0) for start in ("first", "zero")]
    said = theory.equation_13_on_adams_path(*setting)
    assert not said.escapes
    assert said.lag == turns[0] - turns[1]


def test_on_adams_path_settings_keep_their_shape_and_are_checked():
    said = theory.equation_13_on_adams_path(DOUBLE_WELL, 2.0, None, [[0.1, 0.5]], (0.9, 0.999))
    assert said.escapes.tolist() == [[False, True]] and np.array_equal(said.lag, [[7, math.nan]], equal_nan=True)
    with pytest.raises(ValueError, match=r"Invalid eps: -1\.0"):
        theory.equation_13_on_adams_path(DOUBLE_WELL, 2.0, None, 0.1, (0.9, 0.999), eps=-1.0)
    with pytest.raises(ValueError, match="barrier"):
        theory.equation_13_on_adams_path(DOUBLE_WELL, 2.0, 3.0, 0.1, (0.9, 0.999))


@pytest.mark.parametrize("memory", [0.05, 0.2, 0.24, 0.26, 0.5])
def test_the_path_average_is_its_integral(memory):
    way = way_out(DOUBLE_WELL, 2.0)
    memory = memory * way.length
    u = np.linspace(0, way.length, 20001)
    loss = DOUBLE_WELL(2.0 - u)
    slopes = DOUBLE_WELL.derivative(2.0 - u)
    pushed = np.cumsum(np.exp((u - u[-1]) / memory) * slopes)  # its sign is that of f̄ − f, by the theorem
    lr = 1e-3
    said = theory.path_average(DOUBLE_WELL, 2.0, None, lr, (math.exp(-lr / memory), 0.999))
    assert said == (pushed > 0).all()
    average = np.exp(-u / memory) * (loss[0] + np.cumsum(np.exp(u / memory) * loss) * u[1] / memory)
    assert said == (loss[100:] < average[100:]).all()


@pytest.mark.parametrize("points, error", [(200, 2e-5), (4000, 1e-7)])
def test_the_path_average_is_exact_to_second_order_in_the_distance_of_its_points(points, error):
    """So many points find the critical memory to so small a share of it; 4,000 are the default."""
    way = way_out(DOUBLE_WELL, 2.0)
    u = np.linspace(0, way.length, 200_001)
    slopes = DOUBLE_WELL.derivative(2.0 - u)
    slopes[0] /= 2  # the trapezoidal rule; at the top the slope is zero

    def escapes(memory):
        return (np.exp((u - u[-1]) / memory) * slopes).sum() > 0

    critical = bisect(lambda memory: escapes(memory) - 0.5, 0.1 * way.length, 0.5 * way.length, rtol=1e-10)
    lr = 1e-3
    for share, said in ((1 - error, False), (1 + error, True)):
        setting = (DOUBLE_WELL, 2.0, None, lr, (math.exp(-lr / (share * critical)), 0.999))
        assert theory.path_average(*setting, points=points) == said
        assert points < 4000 or theory.path_average(*setting) == said


@pytest.mark.parametrize("criterion", CRITERIA[1:])
def test_who_remembers_nothing_turns_at_the_minimum(criterion):
    assert not criterion(DOUBLE_WELL, 2.0, None, 0.1, (0.0, 0.999))


def test_the_closed_form_is_the_limit_of_the_equidistant_sum():
    args = grid(DOUBLE_WELL, 2.0, cells=31)
    assert (theory.path_average(*args) == theory.equidistant(*args)).mean() > 0.99


@pytest.mark.parametrize("f, x0", [(DOUBLE_WELL, 1.2), (DOUBLE_WELL, 1.4), (TABLE_1["tenth"], 0.97)])
def test_the_closed_form_never_climbs_higher_than_the_start(f, x0):
    args = grid(f, x0, cells=11)
    assert not (theory.path_average(*args) & ~theory.energy_rule(*args)).any()


@pytest.mark.parametrize("f, x0", CASES.values(), ids=CASES)
def test_no_sweep_is_the_equidistant_sum(f, x0):
    args = grid(f, x0)
    assert (theory.sweeps(*args, count=0) == theory.equidistant(*args)).all()


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.99, 0.9), (0.0, 0.5)])
def test_each_sweep_has_one_more_step_of_adam(betas):
    setting = (TABLE_1["sixth"], 0.6, None, 0.05, betas)
    adam = theory.adam_path(*setting, 12, eps=0.0)
    for k, points in enumerate(theory.sweep_path(*setting, 12, count=8, eps=0.0)):
        inside = np.flatnonzero(adam < way_out(TABLE_1["sixth"], 0.6).barrier)
        known = min(k + 2, inside[0] if len(inside) else 13)
        assert np.abs(points[:known] - adam[:known]).max() < 1e-13


@pytest.mark.parametrize("f, x0", CASES.values(), ids=CASES)
def test_all_sweeps_at_once_are_the_sweeps_one_by_one(f, x0):
    args = grid(f, x0, cells=9)
    every = theory.sweeps(*args, count=3, every=True)
    assert all((every[k] == theory.sweeps(*args, count=k)).all() for k in range(4))


@pytest.mark.parametrize(
    "f, x0, beta2, count", [(*case, 0.999, 6) for case in CASES.values()] + [(DOUBLE_WELL, 2.0, 0.9, 8)]
)
def test_a_few_sweeps_decide_the_boundary_and_equal_distances_do_not(f, x0, beta2, count):
    args = grid(f, x0, beta2)
    truth = theory.first_pass(*args).first
    assert agreement(theory.sweeps(*args, count=count), truth).band >= 0.99
    assert agreement(theory.equidistant(*args), truth).band < 0.6


@pytest.mark.parametrize("f, x0", CASES.values(), ids=CASES)
def test_at_the_default_beta2_equal_distances_only_promise_too_much(f, x0):
    args = grid(f, x0)
    truth = theory.first_pass(*args).first
    for criterion in (theory.equation_13, theory.equidistant, theory.path_average):
        score = agreement(criterion(*args), truth)
        assert score.missed_escapes == 0 < score.false_escapes


def test_the_continuous_limit_knows_the_memory_lengths_alone():
    lr, beta1, beta2 = np.geomspace(0.05, 2.0, 9), 0.8, 0.99
    said = [
        theory.continuous_limit(DOUBLE_WELL, 2.0, None, lr / n, (beta1 ** (1 / n), beta2 ** (1 / n))) for n in (1, 2, 5)
    ]
    assert (said[0] == said[1]).all() and (said[0] == said[2]).all()
    assert said[0].any() and not said[0].all()


LARGE = np.geomspace(0.1, 1.5, 13), (1 - np.geomspace(0.5, 0.03, 9)[:, None], 0.9)  # so large that Adam strays from it


def test_the_continuous_limit_is_adam_with_small_steps_and_long_memory():
    lr, (beta1, beta2) = LARGE
    limit = theory.continuous_limit(DOUBLE_WELL, 2.0, None, *LARGE)
    fine = theory.first_pass(DOUBLE_WELL, 2.0, None, lr / 500, (beta1 ** (1 / 500), beta2 ** (1 / 500))).first
    assert (limit == fine).mean() > 0.97 > (limit == theory.first_pass(DOUBLE_WELL, 2.0, None, *LARGE).first).mean()


def test_the_continuous_limit_knows_no_unit_of_length():
    lr, betas = LARGE
    small = [10**12, 0, -2 * 10**6, 300, 1]  # the double well at 1000 x
    here = theory.continuous_limit(DOUBLE_WELL, 2.0, None, lr, betas)
    assert (here == theory.continuous_limit(small, 0.002, None, lr / 1000, betas)).all()


@pytest.mark.parametrize("criterion", [theory.sweeps, theory.continuous_limit])
def test_an_epsilon_far_above_the_slopes_keeps_every_run_at_home(criterion):
    setting = (DOUBLE_WELL, 2.0, None, np.geomspace(0.1, 0.7, 9), (0.9, 0.999))
    assert criterion(*setting).any()
    assert (criterion(*setting) == criterion(*setting, eps=1e-8)).all()
    assert not criterion(*setting, eps=1e4).any()


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_given_barrier_may_lie_beyond_the_usual_reach(criterion):
    def far(x):
        return torch.cos(x / 10)

    assert not criterion(far, 1.0, 20 * np.pi, 5.0, (0.9, 0.999))  # it starts below the top


@pytest.mark.parametrize("criterion", CRITERIA)
def test_settings_broadcast(criterion):
    said = criterion(DOUBLE_WELL, 2.0, None, np.full((2, 1, 4), 0.1), (np.full((3, 1), 0.9), 0.999))
    assert said.shape == (2, 3, 4)
    assert said.dtype == bool
    assert criterion(DOUBLE_WELL, 2.0, None, 0.1, (0.9, 0.999)).shape == ()


@pytest.mark.parametrize("criterion", CRITERIA)
def test_every_criterion_refuses_what_the_truth_refuses(criterion):
    with pytest.raises(ValueError, match="Invalid barrier: None"):
        criterion(TABLE_1["x2"], 1.0, None, 0.1, (0.9, 0.999))
    with pytest.raises(ValueError, match="Invalid lr"):
        criterion(DOUBLE_WELL, 2.0, None, -0.1, (0.9, 0.999))
    with pytest.raises(ValueError, match=r"Invalid barrier: 0\.5; the loss still rises there"):
        criterion(DOUBLE_WELL, 2.0, 0.5, 0.1, (0.9, 0.999))


@pytest.mark.own_rounding
def test_a_start_as_high_as_the_barrier_is_not_above_it():
    cubic = [1, 0, -3, 0]  # 2 at the start, x = 2, and at the top, x = −1
    assert not theory.energy_rule(cubic, 2.0, None, 0.1, (0.9, 0.999))
    assert theory.energy_rule(cubic, 2.0000001, None, 0.1, (0.9, 0.999))


def test_a_path_of_sweeps_has_a_row_for_each():
    setting = (DOUBLE_WELL, 2.0, None, 0.1, (0.9, 0.999))
    paths = theory.sweep_path(*setting, 30, count=4)
    assert paths.shape == (5, 31)
    assert (theory.sweep_path(*setting, 30) == theory.sweep_path(*setting, 30, count=6, eps=1e-8)).all()
    assert (theory.sweeps(*setting) == theory.sweeps(*setting, count=6, eps=1e-8)).all()
    with pytest.raises(ValueError, match="Invalid count: -1; expected an integer >= 0"):
        theory.sweep_path(*setting, 30, count=-1)


def test_unknown_starts_and_negative_counts_are_refused():
    with pytest.raises(ValueError, match="Invalid start: 'one'"):
        theory.turning_points(DOUBLE_WELL, 2.0, None, 0.1, (0.9, 0.999), start="one")
    for count in (-1, 1.5):
        with pytest.raises(ValueError, match=f"Invalid count: {count}; expected an integer >= 0"):
            theory.sweeps(DOUBLE_WELL, 2.0, None, 0.1, (0.9, 0.999), count=count)
    for points in (1, 0, -4000):
        with pytest.raises(ValueError, match=f"Invalid points: {points}; expected an integer >= 2"):
            theory.path_average(DOUBLE_WELL, 2.0, None, 0.1, (0.9, 0.999), points=points)
    for fineness in (0, -1, math.nan):
        with pytest.raises(ValueError, match=f"Invalid fineness: {fineness}; expected a finite number > 0"):
            theory.continuous_limit(DOUBLE_WELL, 2.0, None, 0.1, (0.9, 0.999), fineness=fineness)
    for criterion in (theory.sweeps, theory.continuous_limit):
        with pytest.raises(ValueError, match="Invalid eps: -1; expected a finite number >= 0"):
            criterion(DOUBLE_WELL, 2.0, None, 0.1, (0.9, 0.999), eps=-1)


def test_the_band_is_both_sides_of_the_boundary():
    truth = np.array([[0, 0, 0, 1], [0, 0, 1, 1], [0, 0, 1, 1]], dtype=bool)
    band = np.array([[0, 0, 1, 1], [0, 1, 1, 0], [0, 1, 1, 0]], dtype=bool)
    assert (boundary_band(truth) == band).all()
    score = agreement(np.ones_like(truth), truth)
    assert score[2:] == (12, 6, 5, 7, 0, 0)
    assert (score.overall, score.band) == (5 / 12, 3 / 6)


def test_without_a_boundary_there_is_no_band():
    score = agreement(np.ones((3, 3)), np.ones((3, 3)))
    assert score.overall == 1.0
    assert math.isnan(score.band)


def test_scores_need_one_shape():
    with pytest.raises(ValueError, match="Invalid predicted"):
        agreement(np.ones((2, 3)), np.ones((3, 2)))
    for call in (boundary_band, lambda truth: agreement(truth, truth)):
        with pytest.raises(ValueError, match=r"Invalid truth: shape \(3,\); expected two dimensions"):
            call(np.ones(3))
    with pytest.raises(ValueError, match=r"Invalid truth: shape \(0, 3\); expected at least one cell"):
        agreement(np.ones((0, 3)), np.ones((0, 3)))


def test_the_average_that_holds_on_to_the_first_gradient_turns_later():
    lr, beta = 0.02, 0.95
    slopes = DOUBLE_WELL.derivative(2.0 - lr * np.arange(97))
    papers, torchs = (np.argmax(theory.moving_average(slopes, beta, start) <= 0) for start in ("first", "zero"))
    assert 0 < torchs < papers
    setting = DOUBLE_WELL, 2.0, None, lr, (beta, 0.999)
    assert theory.turning_points(*setting, start="zero") == pytest.approx(2.0 - torchs * lr)
    assert theory.turning_points(*setting) == pytest.approx(2.0 - papers * lr)


@pytest.mark.own_rounding
def test_an_average_of_exactly_zero_has_turned():
    quartic = [1, 0, -2, 0, 0]  # its gradient at x = 1 is 0, and without memory the average is the gradient
    assert theory.turning_points(quartic, 2.0, None, 0.25, (0.0, 0.999)) == 1.0


def test_sweeps_end_at_adams_path_whatever_the_epsilon():
    setting, eps = (DOUBLE_WELL, 2.0, None, 0.1, (0.9, 0.999)), 10.0
    adam = theory.adam_path(*setting, 8, eps=eps)
    assert np.abs(theory.sweep_path(*setting, 8, count=8, eps=eps)[-1] - adam).max() < 1e-13
    assert np.abs(theory.adam_path(*setting, 8) - adam).max() > 0.01


def test_the_four_counts_are_told_apart():
    predicted = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], dtype=bool)
    truth = np.array([[1, 1, 1, 1, 0], [0, 0, 1, 1, 0]], dtype=bool)
    score = agreement(predicted, truth)
    assert score.true_escapes == 4 and score.false_escapes == 3
    assert score.missed_escapes == 2 and score.true_stays == 1


def test_a_boundary_between_two_rows_is_in_the_band_of_every_column():
    band = boundary_band([[0, 0, 0], [1, 1, 1], [1, 1, 1]])
    assert band.dtype == bool
    assert band.tolist() == [[True] * 3, [True] * 3, [False] * 3]


@pytest.mark.own_rounding
def test_six_sweeps_are_the_default():
    args = grid(DOUBLE_WELL, 2.0, 0.9, cells=9)
    every = theory.sweeps(*args, count=7, every=True)
    assert (theory.sweeps(*args) == every[6]).all() and (every[6] != every[7]).any()
