"""The championship: who is told what, what is charged, and that what is stored is what comes out."""

import zlib

import numpy as np
import pytest
import torch

from hilladam import AdaptiveHillAdam, HillAdam
from hilladam.experiments import (
    CONTESTANTS,
    COURSES,
    FUNCTIONS,
    TARGETS,
    Account,
    Spent,
    championship_results,
    contest,
    course,
    score,
    stored_championship,
)
from hilladam.experiments import _championship as championship
from hilladam.experiments._championship import (
    _arranged,
    _packed,
    _problem,
    _searched,
    _unpacked,
    standing_of,
    tuned_for_all,
)
from hilladam.experiments._searchers import SEARCHERS
from hilladam.losses import SUITE, random_suite_loss

FREE = [name for name in CONTESTANTS if name not in ("Adam", "Hill-ADAM")]
SMALL = dict(budget=60, instances=[1, 2])


def places(name, function="Rastrigin", variables=2, budget=200, **settings):
    """Where a contestant asks, run for run."""
    asked = []

    class Watched(Account):
        def _ask(self, place, gradients):
            height = super()._ask(place, gradients)
            asked[-1].append(place.copy())
            return height

    def account(*numbers):
        asked.append([])
        return Watched(*numbers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(championship, "Account", account)
        contest(name, [function], variables, instances=[1], budget=budget, **settings)
    return [np.array(run) for run in asked]


@pytest.mark.parametrize("name", CONTESTANTS)
def test_nobody_spends_more_than_the_budget(name):
    lr = {"lr": (0.3, 0.1)} if name not in FREE else {}
    assert all(len(run) <= 120 for run in places(name, budget=60, **lr))
    standing = contest(name, ["Rastrigin"], 2, instances=[1], budget=60, **lr)
    met, paid = np.isfinite(standing.costs), np.isfinite(standing.charged)
    assert (standing.costs[met] <= 120).all() and (standing.charged[paid] <= 120).all()
    assert (standing.charged >= standing.costs).all() or lr or name in championship._PLANS


@pytest.mark.parametrize("name", [name for name in CONTESTANTS if name not in championship._TOLD_THE_BOX])
def test_who_is_told_nothing_begins_at_the_start(name):
    if name.endswith(championship.WIDE):
        return
    run = _arranged("Rastrigin", 2, 1)
    first = places(name, budget=3, **({"lr": (0.1, 0.1)} if name not in FREE else {}))[0][0]
    np.testing.assert_array_equal(first, run.start)


@pytest.mark.parametrize("name", [*championship._TOLD_THE_BOX])
def test_who_is_told_the_box_stays_in_it_or_begins_again_there(name):
    run = _arranged("Rastrigin", 2, 1)
    wide = name + championship.WIDE
    for each, box in ((name, run.problem.box), (wide, run.wide)):
        if each in CONTESTANTS and name != "self-paced Adam, restarted":
            asked = places(each)[0]
            assert (asked >= box[:, 0] - 1e-9).all() and (asked <= box[:, 1] + 1e-9).all()


def test_the_wide_box_holds_the_narrow_one_anywhere():
    shares = []
    for instance in range(1, 40):
        run = _arranged("Levy", 2, instance)
        (low, high), (edge, end) = run.problem.box.T, run.wide.T
        np.testing.assert_allclose(end - edge, 10 * (high - low))
        assert (edge <= low).all() and (high <= end).all()
        assert (low <= run.start).all() and (run.start <= high).all()
        shares.extend((low - edge) / (end - edge))
    assert min(shares) < 0.1 and max(shares) > 0.8


def test_gradients_are_charged_two_evaluations_a_variable():
    for name, gradients in (("DIRECT", 0), ("L-BFGS, restarted", 1)):
        standing = contest(name, ["Levy"], 3, **SMALL)
        expected = standing.costs * (1 + 6 * gradients)
        expected[expected > 180] = np.inf
        np.testing.assert_array_equal(standing.charged, expected)


@pytest.mark.parametrize("name", championship._PLANS)
def test_what_plans_its_budget_plans_for_the_charge(name):
    full, less = (contest(name, ["Levy"], 2, budget=b) for b in (250, 50))
    met = np.isfinite(full.charged)
    np.testing.assert_array_equal(full.charged[met], 5 * less.costs[met])


def driven(optimizer, account, start):
    place = torch.nn.Parameter(torch.tensor(start))
    optimizer = optimizer([place])
    with pytest.raises(Spent):
        while True:
            height, slopes = account.both(place.detach().numpy())
            place.grad = torch.from_numpy(slopes)
            optimizer.step(loss=height)


@pytest.mark.parametrize("function", ["Levy", "Ackley"])
@pytest.mark.parametrize(
    "name, make, settings",
    [
        ("AdaptiveHillAdam", AdaptiveHillAdam, {}),
        ("Hill-ADAM", lambda params: HillAdam(params, 0.03, gamma=200.0), {"lr": (0.03, 0.03)}),
        ("Adam", lambda params: HillAdam(params, 0.03, delta=0.0), {"lr": (0.03, 0.03)}),
    ],
)
def test_the_fast_forms_go_where_the_optimizers_go(name, make, settings, function):
    asked = places(name, function, 3, 20, **settings)[0]
    run, there = _arranged(function, 3, 1), []
    driven(make, Account(lambda x: there.append(x.copy()) or run.problem.height(x), 60), run.start)
    there = np.array(there).reshape(-1, 7, 3)[:, 0]  # beside each place come six for its gradient
    np.testing.assert_allclose(asked[:60], there, rtol=1e-5, atol=1e-5 * np.abs(run.problem.box).max())


def test_the_finish_is_that_of_the_optimizer_and_ends_at_its_mean():
    def bowl(x):
        return float(x[0] ** 2 + 3 * x[1] ** 2)

    start, asked = np.array([3.0, -2.0]), []
    championship._adaptive_and_finish(Account(lambda x: asked.append(x.copy()) or bowl(x), 80), start, None, None)
    *asked, mean = [*asked[:-1:5], asked[-1]]  # beside each place but the last come four for its gradient
    place, there = torch.nn.Parameter(torch.tensor(start)), []
    optimizer, account = AdaptiveHillAdam([place]), Account(bowl, 80)

    def closure():
        there.append(place.detach().numpy().copy())
        height, slopes = account.both(there[-1])
        place.grad = torch.from_numpy(slopes)
        return height

    for _ in range(72):
        optimizer.step(closure)
    optimizer.finish(closure, 7)
    np.testing.assert_allclose(asked, there, rtol=0, atol=1e-4)
    np.testing.assert_allclose(mean, place.detach().numpy(), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["OverTheHill", "OverTheHill, L-BFGS"])
def test_a_walk_has_directions_of_its_runs_own(name, monkeypatch):
    told = []

    def walk_over(function, start, evaluations, *, seed):
        told.append((start, evaluations, seed))
        raise Spent

    monkeypatch.setattr(championship, "walk_over", walk_over)
    run = _arranged("Levy", 2, 1)
    _searched(name, run, 100)
    ((start, evaluations, seed),) = told
    assert start.tolist() == run.start.tolist() and evaluations == {"OverTheHill": 100}.get(name, 80)
    assert seed == np.random.default_rng((*run.seed, 1)).integers(2**31) and run.seed[1:] == (1, 2)


def test_where_a_variable_has_no_slope_it_stands_still():
    for _ in range(3):
        dirty = [np.full(50, 7.0) for _ in range(9)]  # which numpy hands out again
        del dirty
        steps = championship._ratio(np.full(50, 2.0), np.repeat([0.0, 1.0], 25), 1)
        np.testing.assert_allclose(steps, np.repeat([0.0, 20 * 1e-3**0.5], 25))


def test_on_a_plateau_the_rule_that_tunes_itself_stays_where_it_is():
    asked = []
    with pytest.raises(Spent):
        championship._adaptive(Account(lambda x: asked.append(x.copy()) or 7.0, 4000), np.ones(2), None, None)
    np.testing.assert_allclose(asked, 1.0, rtol=0, atol=1.1e-7)  # beside it, for the slopes


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("function", SUITE)
def test_the_six_are_those_of_the_package_compiled_or_not(function, compiled, monkeypatch):
    if compiled:
        pytest.importorskip("numba")
    monkeypatch.setattr(championship, "can_compile", lambda: compiled)
    championship._formula.cache_clear()
    problem = _problem(function, 3, 2)
    championship._formula.cache_clear()
    seed = (zlib.crc32(function.encode()), 2, 3)
    loss = random_suite_loss(function, np.random.default_rng(seed), 3, rotated=True)
    assert abs(problem.height(loss.optimum)) < 1e-12
    for place in np.random.default_rng(1).uniform(*loss.box, (5, 3)):
        height = problem.height(place)
        assert isinstance(height, float) and height == pytest.approx(loss.value_and_gradient(place)[0], rel=1e-12)


def test_a_self_paced_descent_goes_to_the_bottom_and_begins_again():
    run = _arranged("Styblinski–Tang", 2, 1)
    account = _searched("self-paced Adam, restarted", run, 3000)
    assert account.met  # by chance of a start: two variables have four valleys


def test_a_self_paced_descent_ends_where_the_loss_stands_still_however_high():
    asked, box = [], np.array([[-9.0, 9.0], [-9.0, 9.0]])
    account = Account(lambda x: asked.append(x.copy()) or 50.0 + x @ x, 600)
    with pytest.raises(Spent):
        championship._self_paced(account, np.array([3.0, -5.0]), box, np.random.default_rng(1))
    taken = np.array(asked)[[5, 10]] - np.array(asked)[[0, 5]]  # beside each place come four for its gradient
    np.testing.assert_allclose(taken, np.outer([1e-4, 2e-4], [-1, 1]), rtol=1e-3)  # of λ, which then doubles
    draws = np.random.default_rng(1)
    again = [draws.uniform(*box.T) for _ in range(3)]
    assert all((np.array(asked) == place).all(axis=1).any() for place in again)


@pytest.mark.parametrize("name", championship._RULES)
def test_in_lock_step_losses_are_in_double_precision(name, monkeypatch):
    seen, run = [], _arranged("Levy", 2, 1)

    class Still:
        def step(self, heights, slopes):
            seen.append((heights.clone(), slopes[0].clone()))

    monkeypatch.setitem(championship._RULES, name, lambda places, lr: Still())
    championship._walked(name, [run], [0.1, 0.2], 3)
    value, slopes = Account(run.problem.height, 1).both(run.start)
    for heights, each in seen:
        assert heights.tolist() == [value] * 2 and each.tolist() == [slopes.tolist()] * 2


def test_direct_goes_on_where_scipys_tolerances_would_end_it():
    function, run = "Griewank", _arranged("Griewank", 2, 1)
    plain = Account(run.problem.height, 2000)
    SEARCHERS["DIRECT"](plain, run.start, run.problem.box, np.random.default_rng())
    assert _searched("DIRECT", run, 2000).spent == 2000 > plain.spent, function


def test_learning_rates_are_tuned_where_nothing_counts(monkeypatch):
    seen = []
    real = championship._arranged
    monkeypatch.setattr(championship, "_arranged", lambda *a: seen.append(a) or real(*a))
    found = tuned_for_all("Adam", ["Levy", "Ackley"], 2, budget=30)
    assert {instance for *_, instance in seen} == {6} and 6 not in championship.INSTANCES
    assert max(found.successes, key=found.successes.get) == found.lr
    assert set(championship._RATES) <= set(found.successes) and len(found.successes) < 8


def test_a_run_is_the_same_again_whoever_else_runs():
    for name in ("OverTheHill", "basin hopping ×10", "dual annealing"):
        alone, among = contest(name, ["Levy"], 2, **SMALL), contest(name, ["Ackley", "Levy"], 2, **SMALL)
        np.testing.assert_array_equal(alone.costs[0], among.costs[1])


def test_what_is_packed_is_read_back():
    costs = np.sort(np.random.default_rng(0).integers(1, 900, (len(FUNCTIONS), 5, len(TARGETS))).astype(float), axis=-1)
    costs[costs > 500] = np.inf
    np.testing.assert_array_equal(_unpacked(_packed(costs)), costs)


def test_rows_are_made_one_by_one_but_for_those_that_are_there(monkeypatch):
    monkeypatch.setattr(championship, "CONTESTANTS", ("Adam", "DIRECT"))
    made = list(championship_results([("DIRECT", 3)], dimensions=(2, 3), functions=("Levy", "Ackley"), budget=10))
    (row,) = championship_results([("DIRECT", 2)], dimensions=(2,), functions=("Levy", "camel"), budget=300)
    rates = [tuned_for_all("Adam", ["camel"], 2, price, budget=300) for price in (0, 4, 6)]
    tried = [{str(lr): count for lr, count in each.successes.items()} for each in rates]
    assert row["tried"] == tried[:2] != tried[::2]  # the six tune nothing, and a gradient costs four
    assert row["lr"] == [each.lr for each in rates[:2]]
    assert [(row["contestant"], row["variables"]) for row in made] == [("Adam", 2), ("DIRECT", 2), ("Adam", 3)]
    assert "charged" in made[0] and "charged" not in made[1]  # no gradient, no other charge
    assert len(made[0]["lr"]) == 2 and "lr" not in made[1]


@pytest.mark.parametrize("key", COURSES)
def test_a_course_stays_where_it_is_and_its_box_does_not(key):
    loss, box, *_ = course(key)
    runs = [_arranged(key, len(box), instance) for instance in (1, 2, 3)]
    best = np.atleast_1d(loss.global_minimum.x)
    for run in runs:
        low, high = run.problem.box.T
        assert abs(run.problem.height(best)) < 1e-9 < run.problem.height(run.start)
        assert (low <= best).all() and (best <= high).all() and (low <= run.start).all() and (run.start <= high).all()
        np.testing.assert_allclose(high - low, np.diff(box)[:, 0])
    assert len({run.problem.box.tobytes() for run in runs}) == 3


def test_a_course_of_another_number_of_variables_is_refused():
    with pytest.raises(ValueError, match="Invalid variables: 2; expected 1 on the course 'tenth'"):
        contest("DIRECT", ["tenth"], 2)


@pytest.mark.parametrize(
    "name, message", [("SGD", "Invalid contestant: 'SGD'"), ("Adam", "Invalid lr: none; Adam needs one")]
)
def test_what_cannot_take_part_is_refused(name, message):
    with pytest.raises(ValueError, match=message):
        contest(name, ["Levy"], 2)


def test_kept_is_what_the_last_place_still_meets():
    standing = contest("Hill-ADAM", ["Levy"], 2, instances=[1], lr=(0.3, 0.3), budget=300)
    asked = places("Hill-ADAM", "Levy", 2, 300, lr=(0.3, 0.3))[0]
    last = _arranged("Levy", 2, 1).problem.height(asked[599])
    assert standing.kept.item() == (last <= TARGETS).sum()
    assert standing.kept.item() <= np.isfinite(standing.costs).sum()


def test_a_row_says_what_a_contest_said(monkeypatch):
    monkeypatch.setattr(championship, "CONTESTANTS", ("L-BFGS, restarted",))
    monkeypatch.setattr(championship, "FUNCTIONS", ("Levy", "Ackley"))
    row = next(championship_results(functions=("Levy", "Ackley"), budget=30))
    told, said = standing_of(row), contest("L-BFGS, restarted", ("Levy", "Ackley"), 2, budget=30)
    for one, other in zip(told[:3], said[:3], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "name, variables",
    [
        ("Adam", 2),
        ("OverTheHill", 2),
        ("AdaptiveHillAdam, finished", 2),
        ("L-BFGS, restarted", 2),
        ("dual annealing ×10", 2),
        ("DIRECT", 2),
        ("OverTheHill, L-BFGS", 5),
        ("DIRECT", 5),
        ("DIRECT", 10),
    ],
)
@pytest.mark.parametrize("function", ["Levy", 15])
def test_what_is_stored_is_what_comes_out(name, variables, function):
    if function == 15:
        pytest.importorskip("cocoex")
    stored = stored_championship()[name, variables]
    live = contest(name, [function], variables, instances=[1, 2], lr=stored.lr)
    row = FUNCTIONS.index(function)
    for one, other in ((live.costs, stored.costs), (live.charged, stored.charged)):
        found, kept = (score(costs, 1000 * variables) for costs in (one[0], other[row, :2]))
        assert np.abs(found - kept).mean() <= 0.15  # other last bits may lead another way


def test_the_store_is_whole():
    stored = stored_championship()
    dimensions = {variables for _, variables in stored}
    assert dimensions >= {2, 3, 5} and len(stored) == len(CONTESTANTS) * len(dimensions)
    for (name, variables), standing in stored.items():
        assert name in CONTESTANTS and standing.costs.shape == standing.charged.shape == (30, 5, 21)
        for costs in standing[:2]:
            assert costs.min() >= 1 and costs[np.isfinite(costs)].max() <= 1000 * variables
            assert (costs[..., :-1] <= costs[..., 1:]).all()
        assert (standing.kept <= np.isfinite(standing.costs).sum(axis=-1)).all()
