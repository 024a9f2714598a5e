"""Over the hill without torch, compiled, and beside its rivals: the three forms agree, and so does what is stored."""

import numpy as np
import pytest
import torch

from hilladam.experiments import (
    CELLS,
    DISTANCES,
    FAR_WALKERS,
    RATES,
    WALKERS,
    Cell,
    _over_the_hill,
    journey,
    stored_walks,
    walk_over,
    walk_problem,
    walks,
)
from hilladam.experiments import _walks as module
from hilladam.experiments._budget import Budget, Spent
from hilladam.experiments._walks import FINEST, packed_gaps, unpacked_gaps
from hilladam.optim import _frame
from hilladam.optim import _over_the_hill as optimizer_module

CELL = Cell("Rastrigin", 4, True)


def test_without_torch_it_goes_the_same_way():
    loss, starts = walk_problem(CELL, 3)
    taken = journey(loss, starts[0], 250, seed=7)
    places = []

    def noted(x):
        places.append(x.copy())
        return loss.value_and_gradient(x)

    lowest, place = walk_over(noted, starts[0], 250, seed=7)
    np.testing.assert_allclose(places, taken.places, atol=1e-6)
    assert lowest == pytest.approx(taken.losses.min(), abs=1e-6) and lowest == float(loss.value_and_gradient(place)[0])
    assert taken.walking.any() and not taken.walking[0]
    np.testing.assert_array_equal(taken.origins[1:][~taken.walking[1:]], taken.places[:-1][~taken.walking[1:]])
    before = (taken.origins[1:] == taken.places[:-1]).all(axis=1)[taken.walking[1:]]
    assert 0.5 < before.mean() < 1  # a walk goes on from where it is, and the next one from where the last began
    stood = {tuple(place) for place in taken.places[~np.append(taken.walking[1:], False) | ~taken.walking]}
    assert all(tuple(origin) in stood for origin in taken.origins[1:][taken.walking[1:]][~before])


def test_with_too_many_variables_for_a_frame_it_goes_the_same_way_too(monkeypatch):
    for each in (_frame, _over_the_hill, optimizer_module):
        monkeypatch.setattr(each, "LARGEST_FRAME", 2)
    loss, starts = walk_problem(CELL, 3)
    taken, places = journey(loss, starts[0], 120, seed=7), []
    walk_over(lambda x: places.append(x.copy()) or loss.value_and_gradient(x), starts[0], 120, seed=7)
    np.testing.assert_allclose(places, taken.places, atol=1e-6)


@pytest.mark.parametrize("kappa", [0.0, 0.5])
def test_without_torch_it_goes_the_same_way_under_noise_too(kappa):
    loss, starts = walk_problem(CELL, 3)
    dice, places = np.random.default_rng(0).normal(size=(250, 5)) * 0.1, []

    def noisy(x):
        a, b = dice[len(places)][0], dice[len(places)][1:]
        places.append(x.tolist())
        return loss(x) + a + (torch.from_numpy(b) * (x - x.detach())).sum()

    taken, noted = journey(noisy, starts[0], 250, seed=7, kappa=kappa), []

    def noted_too(x):
        n = len(noted)
        noted.append(x.copy())
        value, slopes = loss.value_and_gradient(x)
        return value + dice[n, 0], slopes + dice[n, 1:]

    lowest, _ = walk_over(noted_too, starts[0], 250, seed=7, kappa=kappa)
    np.testing.assert_allclose(noted, taken.places, atol=1e-6)
    assert lowest == pytest.approx(taken.losses.min(), abs=1e-6) and taken.walking.any()


def test_slopes_may_be_in_single_precision():
    loss, starts = walk_problem(CELL, 3)

    def single(x, dtype):
        value, slopes = loss.value_and_gradient(x)
        return value, slopes.astype(np.float32).astype(dtype)

    one, other = (walk_over(lambda x, d=d: single(x, d), starts[0], 90) for d in (np.float32, np.float64))
    assert one[0] == other[0] and (one[1] == other[1]).all()


def test_who_spends_a_budget_is_stopped():
    loss, starts = walk_problem(CELL, 3)
    budget = Budget(loss.value_and_gradient, 50)
    with pytest.raises(Spent):
        walk_over(budget.both, starts[0], 100)
    assert budget.spent == 50


def test_it_finds_what_it_is_said_to_find():
    loss, starts = walk_problem(CELL, 5)
    for seed, start in enumerate(starts[:2], 25):
        assert walk_over(loss.value_and_gradient, start, 3000, seed=seed)[0] < 1e-3 * loss.mean


def test_compiled_it_goes_the_same_way_and_the_rivals_are_what_they_are_called():
    pytest.importorskip("numba")
    from scipy.optimize import minimize

    from hilladam.experiments import _compiled_suite as compiled
    from hilladam.optim._frame import orthogonal_frame

    for family in ("Ackley", "Levy", "Griewank", "Rastrigin", "Styblinski–Tang", "Shekel"):
        loss, starts = walk_problem(Cell(family, 3, True), 1)
        problem, g = compiled.described(loss), np.empty(3)
        value, slopes = loss.value_and_gradient(starts[0])
        assert compiled.evaluate(starts[0], g, problem) == pytest.approx(value, rel=1e-9, abs=1e-9)
        np.testing.assert_allclose(g, slopes, rtol=1e-8, atol=1e-9)

    loss, starts = walk_problem(CELL, 3)
    problem, rng = compiled.described(loss), np.random.default_rng(0)
    frames = np.array([orthogonal_frame(7, k, 4).numpy() for k in range(64)])
    found, met, _ = compiled.walk_over(
        problem, starts[0], frames, problem[6], rng, 250, -1.0, compiled.NOTHING, 0.0, 1.2, 0, False
    )  # every setting is there, as in `walks`, for which numba need not compile it once more
    assert found == pytest.approx(walk_over(loss.value_and_gradient, starts[0], 250, seed=7)[0], abs=1e-6) and not met

    spent = []
    for start in starts:  # L-BFGS ends where scipy's does, for about as much
        theirs = minimize(loss.value_and_gradient, start, jac=True, method="L-BFGS-B")
        _, evaluations, _ = compiled.descend_lbfgs(problem, start.copy(), 1000, -1.0)
        spent.append((evaluations, theirs.nfev))
    ours, their = np.sum(spent, axis=0)
    assert 0.6 * their < ours < 1.4 * their
    bowl = compiled.described(walk_problem(Cell("Griewank", 4, True), 0)[0])
    for walker in (compiled.restart_adam, compiled.restart_lbfgs):
        _, met = walker(bowl, np.full(4, 500.0), np.random.default_rng(0), 3000, 5.0, 0.05, 1.0)
        assert 0 < met < 3000


def test_gaps_are_packed_to_within_three_percent_and_no_further_off_the_second_time():
    gaps = 10.0 ** np.random.default_rng(0).uniform(-6, 0, (1, 40, 5))
    gaps[0, 0, :2] = FINEST, 1.0
    again = unpacked_gaps(packed_gaps(gaps))
    np.testing.assert_allclose(again, gaps, rtol=0.03)
    np.testing.assert_array_equal(unpacked_gaps(packed_gaps(again)), again)


def test_what_is_stored_is_what_is_found_again():
    stored = stored_walks()
    assert tuple(stored) == WALKERS and {gaps.shape for gaps in stored.values()} == {(len(CELLS), 40, 5)}
    again = []
    for instance in range(4):
        loss, starts = walk_problem(CELL, instance)
        again += [walk_over(loss.value_and_gradient, start, 3000, seed=5 * instance + s)[0] / loss.mean
                  for s, start in enumerate(starts[:2])]  # fmt: skip
    kept = stored["over the hill"][CELLS.index(CELL), :4, :2].ravel()
    assert ((np.array(again) < 1e-3) == (kept < 1e-3)).mean() > 0.7  # which a last bit may change


def test_all_contenders_run_again_find_what_is_stored(monkeypatch, capsys):
    pytest.importorskip("numba")
    monkeypatch.setattr(module, "RATES", RATES[6:10])  # of which, as of all, the second is the best
    monkeypatch.setattr(module, "_KICKS", (0.03, 0.1, 0.3, 1.0))
    cells = [Cell("Griewank", 2, rotated) for rotated in (False, True)]
    found = walks(cells=cells, instances=2)
    assert tuple(found) == WALKERS and not capsys.readouterr().err
    stored = {name: gaps[[CELLS.index(cell) for cell in cells], :2] for name, gaps in stored_walks().items()}
    for name, gaps in found.items():  # a last bit may make another run, but nobody another contender
        alike = {other: (np.abs(gaps / kept - 1) < 0.03).mean() for other, kept in stored.items()}
        assert max(alike, key=alike.get) == name and alike[name] > 0.5, name


def test_starts_farther_out_lie_on_the_rays_from_the_middle_of_the_box():
    for cell in (Cell("Shekel", 2, False), Cell("Levy", 3, True)):
        loss, near = module._problem(module._RACE, cell, 3, 4)
        _, far = module._problem(module._RACE, cell, 3, 4, 10.0)
        middle = sum(loss.box) / 2
        np.testing.assert_allclose(far - middle, 10 * (near - middle))
        np.testing.assert_array_equal(module._problem(module._RACE, cell, 3, 4, 1.0)[1], near)


@pytest.mark.parametrize("distance", DISTANCES[1:])
def test_from_farther_out_they_find_what_is_stored(distance):
    pytest.importorskip("numba")
    walkers, cells = ("over the hill", "L-BFGS, kicked"), [Cell("Ackley", 2, False)]
    stored = stored_walks(distance)
    assert tuple(stored) == FAR_WALKERS and {gaps.shape for gaps in stored.values()} == {(len(CELLS), 40, 5)}
    for name, gaps in walks(walkers, cells, instances=4, distance=distance).items():
        kept = stored[name][[CELLS.index(cells[0])], :4]
        assert (np.abs(gaps / kept - 1) < 0.03).mean() > 0.7, name  # a last bit may make another run


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: walks(distance=0), "Invalid distance: 0; expected a finite number > 0"),
        (lambda: stored_walks(2), r"Invalid distance: 2; expected one of \(1.0, 3.0, 10.0\)"),
    ],
)
def test_distances_that_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_unknown_contender_is_named():
    with pytest.raises(ValueError, match="Invalid walkers: \\['me'\\]"):
        walks(["me"])
