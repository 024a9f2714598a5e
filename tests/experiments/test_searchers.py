"""Searches of other libraries, under the same budget as everything else."""

import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import differential_evolution, dual_annealing

from hilladam.experiments import SEARCHERS, course, field, gradients_to, race, search
from hilladam.losses import SURFACES

LOSS, BOX, TARGET, _ = course("camel")
SMALL = dict(runs=6, evaluations=300, seed=5)


@pytest.fixture(scope="module", params=SEARCHERS)
def name(request):
    return request.param


def watched(name):
    """The searcher, noting every place at which the loss is asked for."""
    places = []

    def searcher(budget, start, box, dice):
        function = budget.function
        budget.function = lambda x: places[-1].append(x.copy()) or function(x)
        places.append([])
        SEARCHERS[name](budget, start, box, dice)

    return searcher, places


def test_no_search_spends_more_than_its_budget_or_goes_on_at_the_target(name):
    searcher, places = watched(name)
    hits = search(LOSS, TARGET, BOX, searchers={name: searcher}, **SMALL)[name]
    losses = [[LOSS(x).item() for x in run] for run in places]
    for hit, run in zip(hits, losses, strict=True):
        assert len(run) <= 300
        below = [value < TARGET for value in run]
        assert sum(below) == np.isfinite(hit) and (not any(below) or below.index(True) + 1 == len(run) == hit)


def test_every_search_stays_in_the_box_of_its_run(name):
    searcher, places = watched(name)
    search(LOSS, -9.0, BOX, searchers={name: searcher}, **SMALL | {"runs": 3})
    for run, box in zip(places, field(BOX, 3, 5).boxes, strict=True):
        width = box[:, 1] - box[:, 0]
        assert (run >= box[:, 0] - 1e-6 * width).all() and (run <= box[:, 1] + 1e-6 * width).all()


def test_a_run_is_the_same_again_and_another_with_another_seed(name):
    def found(**changed):
        searcher, places = watched(name)
        search(LOSS, -9.0, BOX, searchers={name: searcher}, **SMALL | {"runs": 2, "evaluations": 60} | changed)
        return places

    first, again, more, other = found(), found(), found(runs=3), found(seed=6)
    for k in range(2):
        np.testing.assert_array_equal(first[k], again[k])
        np.testing.assert_array_equal(first[k], more[k])  # however many runs there are
        assert not np.array_equal(first[k][:5], other[k][:5])
    assert not np.array_equal(first[0][:5], first[1][:5])


def test_they_leave_numpys_global_numbers_alone(name):
    np.random.seed(7)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    search(LOSS, -9.0, BOX, searchers=[name], runs=1, evaluations=40)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_restarts_begin_where_those_of_adam_do():
    """So that a pair of runs differs in the descents alone."""
    searcher, places = watched("L-BFGS, restarted")
    search(LOSS, -9.0, BOX, searchers={"L-BFGS": searcher}, runs=1, evaluations=200)
    record = race(LOSS, 0.05, BOX, contenders=["Adam, restarted"], runs=1, evaluations=2000)["Adam, restarted"]
    first, second = field(BOX, 1, 0).starts[0], record.states[np.flatnonzero(record.reasons[:, 0])[0] + 1, 0]
    np.testing.assert_array_equal(places[0][0], first)
    assert any(np.array_equal(x, second) for x in places[0])


def test_nothing_is_raised_inside_direct(monkeypatch):
    """Before scipy 1.17.1 its C code does not let an exception through: SystemError, and no race."""
    real = scipy.optimize.direct

    def direct(function, *rest, **settings):
        def quiet(x):
            try:
                return function(x)
            except BaseException as raised:
                passed.append(raised)
                raise

        return real(quiet, *rest, **settings)

    passed = []
    monkeypatch.setattr(scipy.optimize, "direct", direct)
    for target in (TARGET, -9.0):  # met, and spent
        search(LOSS, target, BOX, searchers=["DIRECT"], **SMALL)
    assert not passed


@pytest.mark.parametrize("key", ["tenth", "camel"])
@pytest.mark.parametrize("name", ["basin hopping", "DIRECT"])
def test_no_default_of_a_library_ends_a_search_before_its_budget(name, key):
    loss, box, *_ = course(key)
    searcher, places = watched(name)
    search(loss, -1e9, box, searchers={name: searcher}, runs=1, evaluations=2000)
    assert len(places[0]) == 2000


@pytest.mark.parametrize("name", ["dual annealing", "differential evolution"])
def test_scipys_random_searches_are_what_scipy_makes_of_a_start_and_gradients(name):
    searcher, places = watched(name)
    search(LOSS, -9.0, BOX, searchers={name: searcher}, runs=1, evaluations=300, seed=5)
    (start,), (box,) = field(BOX, 1, 5)
    asked, dice = [], np.random.default_rng([5, 1, 0])

    def loss(x):
        asked.append(x.copy())
        return LOSS.value_and_gradient(x)[0]

    if name == "dual annealing":
        local = {"method": "L-BFGS-B", "jac": lambda x: np.array(LOSS.value_and_gradient(x)[1]), "bounds": box}
        dual_annealing(loss, box, x0=start, minimizer_kwargs=local, maxiter=100, rng=dice)
    else:
        differential_evolution(loss, box, x0=start, maxiter=10, rng=dice)
    assert len(asked) > 300
    np.testing.assert_array_equal(places[0], asked[:300])


def test_local_searches_go_to_the_bottom():
    searcher, places = watched("MLSL with L-BFGS")
    search(LOSS, -9.0, BOX, searchers={"MLSL": searcher}, **SMALL)
    best = [min(LOSS(x).item() for x in run) for run in places]
    assert np.median(best) < LOSS.global_minimum.value + 1e-7


def test_one_variable_is_a_search_too(name):
    loss, box, target, _ = course("tenth")
    searcher, places = watched(name)
    assert np.isfinite(search(loss, target, box, searchers={name: searcher}, runs=3)[name]).any()
    assert {x.shape for run in places for x in run} == {(1,)}


def test_a_function_of_ones_own_is_searched_by_its_own_gradients():
    calls = []

    def wavy(points):
        calls.append(points.shape)
        return (points**2).sum(-1) + 1

    def descent(budget, start, box, dice):
        assert budget.gradient(start) == pytest.approx(2 * start)
        while True:
            start = start - 0.25 * budget.gradient(start)

    hits = search(wavy, 1.01, [(-2, 2), (-3, 3)], searchers={"descent": descent}, runs=4)["descent"]
    assert np.isfinite(hits).all() and hits.max() < 10 and set(calls) == {(1, 2)}
    line = search(lambda x: x**2, 0.01, (-2, 2), searchers={"descent": descent}, runs=4)["descent"]
    assert np.isfinite(line).all()


def test_hits_are_counted_as_in_a_race():
    """A descent written twice, once for each side, meets the target with the same evaluation."""

    def descent(budget, start, box, dice):
        while True:
            start = start - 0.01 * budget.gradient(start)

    ours = search(LOSS, TARGET, BOX, searchers={"descent": descent}, runs=20, evaluations=200)["descent"]
    theirs = race(LOSS, 0.01, BOX, contenders=["SGD"], runs=20, evaluations=200)["SGD"]
    np.testing.assert_array_equal(ours, gradients_to(theirs, TARGET))


def test_who_has_no_more_to_try_has_failed():
    hits = search(LOSS, TARGET, BOX, searchers={"idle": lambda *_: None}, runs=3)["idle"]
    assert np.isinf(hits).all()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"searchers": ["Adam"]}, "Invalid searcher: 'Adam'; expected one of"),
        ({"searchers": []}, "Invalid searchers: none; expected at least one"),
        ({"target": float("nan")}, "Invalid target: nan; expected a number"),
        ({"evaluations": 0}, "Invalid evaluations: 0; expected an integer >= 1"),
        ({"runs": 1.5}, "Invalid runs: 1.5; expected an integer >= 1"),
        ({"loss": lambda x: x}, "Invalid box: none"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        search(**{"loss": SURFACES["camel"], "target": -1.0} | arguments)
