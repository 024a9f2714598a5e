"""From turn to turn: the return map, its cycles, the prison and γ, its key."""

import math
from itertools import pairwise

import numpy as np
import pytest

from hilladam.losses import DOUBLE_WELL, Polynomial
from hilladam.theory import enclose_return, fate, hill, leg, return_map, turns

OVER, LR = hill(DOUBLE_WELL, 0.96, 0.0754), 0.03
BOWL = Polynomial("(x − 1)²", (1, -2, 1), centre=0.5)


def place(b, lr=LR):
    return OVER.minimum + b * lr


def test_a_round_is_two_legs_and_every_second_turn_of_a_run():
    run = turns(DOUBLE_WELL, np.linspace(0.6, 1.9, 12), LR, gamma=200.0, count=5).x
    there = return_map(DOUBLE_WELL, run[0], LR, gamma=200.0)
    np.testing.assert_array_equal(there.top.x, run[1])
    np.testing.assert_array_equal(there.bottom.x, run[2])
    np.testing.assert_array_equal(return_map(DOUBLE_WELL, there.bottom.x, LR, gamma=200.0).bottom.x, run[4])


def test_each_round_has_its_own_settings():
    random = np.random.default_rng(0)
    start, *own = (random.uniform(low, high, 300) for low, high in ((1, 3), (0.3, 4), (0.1, 20), (0.6, 20)))
    there = return_map(DOUBLE_WELL, start, *own, steps=60)
    assert not np.isnan(there.top.x).any()
    down = leg(DOUBLE_WELL, there.top.x, False, *own, steps=60).x
    np.testing.assert_array_equal(there.bottom.x, down)
    careless = leg(DOUBLE_WELL, there.top.x, False, *own[:2], steps=60).x
    assert (there.bottom.x != careless).mean() > 0.1  # above γ a descent does not turn


def test_a_climb_without_an_end_has_no_bottom():
    there = return_map(DOUBLE_WELL, [0.95, 1.0], LR, steps=200)
    assert np.isnan(there.bottom.x).tolist() == [False, True]
    assert there.bottom.steps[1] == 0
    assert there.bottom.steps.dtype == np.int64 and there.bottom.dead_end.dtype == bool


def test_all_legs_of_a_run_have_the_same_settings():
    start, settings = np.array([0.9, 1.3]), dict(betas=(0.5, 0.9), eps=0.1)
    here = (LR, 1e-4, 200.0)
    down = leg(DOUBLE_WELL, start, False, *here, first=True, **settings)
    up = leg(DOUBLE_WELL, down.x, True, *here, **settings)
    again = leg(DOUBLE_WELL, up.x, False, *here, **settings)
    np.testing.assert_array_equal(turns(DOUBLE_WELL, start, *here, count=3, **settings).x, [down.x, up.x, again.x])
    there = return_map(DOUBLE_WELL, down.x, *here, **settings)
    np.testing.assert_array_equal([there.top.x, there.bottom.x], [up.x, again.x])
    ends = fate(DOUBLE_WELL, down.x, *here, **settings)
    assert (ends.period == 1).all()
    np.testing.assert_allclose(return_map(DOUBLE_WELL, ends.x, *here, **settings).bottom.x, ends.x, atol=1e-8)
    one = dict(steps=1, **settings)
    assert np.isnan(turns(DOUBLE_WELL, start, *here, count=1, **one).x).all()
    assert np.isnan(return_map(DOUBLE_WELL, start, *here, **one).top.x).all()
    assert np.isnan(fate(DOUBLE_WELL, start, *here, **one).x).all()


@pytest.mark.parametrize("lr", [0.02, 0.03, 0.05, 0.1])
def test_who_turns_outside_turns_outside_again(lr):
    for b in (np.linspace(1e-3, 0.02, 100), np.linspace(0.02, 3.6, 400)):
        after = (return_map(DOUBLE_WELL, place(b, lr), lr, gamma=200.0).bottom.x - OVER.minimum) / lr
        assert (after > 0.2).all()
        assert np.ptp(after) < 0.05


@pytest.mark.parametrize("lr, low, high", [(0.03, 1.45, 1.51), (0.1, 0.235, 0.26)])
def test_the_prison_is_an_interval_mapped_into_itself(lr, low, high):
    image = enclose_return(DOUBLE_WELL, place(low, lr), place(high, lr), lr, 1e-4, 200.0, cells=1200)
    assert place(low, lr) < image.low < image.high < place(high, lr)
    x = np.linspace(place(low, lr), place(high, lr), 500)
    after = return_map(DOUBLE_WELL, x, lr, gamma=200.0).bottom.x
    assert image.low < after.min() < after.max() < image.high


def test_an_enclosure_holds_what_is_inside_and_gives_up_where_it_must():
    """Also where a climb is ended by δ, and where it is in doubt by which step."""
    low, high = place(-0.72), place(-0.70)
    image = enclose_return(DOUBLE_WELL, low, high, LR, 1e-3, cells=2000)
    after = return_map(DOUBLE_WELL, np.linspace(low, high, 300), LR, 1e-3).bottom.x
    assert image.low <= after.min() <= after.max() <= image.high < image.low + 1e-4
    finer = enclose_return(DOUBLE_WELL, low, high, LR, 1e-3, cells=4000)
    assert image.low < finer.low <= after.min() <= after.max() <= finer.high < image.high
    everything = (-math.inf, math.inf)
    assert enclose_return(DOUBLE_WELL, low, place(0.7), LR, 1e-3, cells=50) == everything  # the slope has no sign
    assert enclose_return(DOUBLE_WELL, low, high, LR, 1e-3, cells=200, steps=20) == everything


def test_an_enclosure_of_two_steps_is_that_of_arithmetic():
    """With δ above every change a leg takes two steps, of known size."""
    low, high = 2.0, 2.001
    image = enclose_return(BOWL, low, high, 0.1, 1e9, cells=50)
    ends = return_map(BOWL, np.linspace(low, high, 50), 0.1, 1e9).bottom.x
    assert image.low == pytest.approx(ends.min(), abs=1e-6)
    assert image.high == pytest.approx(ends.max(), abs=1e-6)
    assert image.low <= ends.min() <= ends.max() <= image.high
    assert enclose_return(BOWL, low, high, 0.1, 1e9, cells=50, steps=2) == image
    assert enclose_return(BOWL, low, high, 0.1, 1e9, cells=50, steps=1) == (-math.inf, math.inf)


def test_an_enclosure_is_that_of_its_cells():
    edges = [2.0, 2.001, 2.002, 2.003]
    each = np.array([enclose_return(BOWL, *ends, 0.1, 1e9, cells=1) for ends in pairwise(edges)])
    whole = enclose_return(BOWL, edges[0], edges[-1], 0.1, 1e9, cells=3)
    assert whole == pytest.approx((each.min(), each.max()), abs=1e-14)


def test_an_enclosure_gives_up_quietly_where_numbers_overflow():
    assert enclose_return(BOWL, 2.0, 2.1, 1e200, 1e-4, cells=2) == (-math.inf, math.inf)


def test_where_gamma_is_in_doubt_both_turns_count():
    low, high = 2.0, 2.0005
    middle = leg(BOWL, (low + high) / 2, True, 0.1, 0.0, gamma=1.6).x  # so one half turns a step later
    settings = dict(lr=0.1, delta=1e-2, gamma=float(BOWL(middle)))
    there = return_map(BOWL, np.array([low, high]), **settings)
    assert there.top.steps.tolist() == [4, 3]
    after = there.bottom.x
    image = enclose_return(BOWL, low, high, **settings, cells=1)
    assert image.low <= after.min() < after.max() <= image.high < image.low + 0.2


@pytest.mark.parametrize("lr, gamma", [((0.01, 0.3), (-0.5, 2.0)), ((0.3, 4.0), (0.6, 20.0))], ids=["usual", "large"])
def test_an_enclosure_holds_the_map_whatever_the_rule(lr, gamma):
    """Also with steps that take a descent above γ, where the loss is forgotten, so that the next is not judged."""
    random = np.random.default_rng(0)
    found = 0
    for _ in range(60):
        x = random.uniform(0.97, 3)
        rule = random.uniform(*lr), 10 ** random.uniform(-3, 1.5), random.uniform(*gamma)
        image = enclose_return(DOUBLE_WELL, x, x + 1e-6, *rule, cells=2, steps=400)
        after = return_map(DOUBLE_WELL, x + np.linspace(0, 1e-6, 9), *rule, steps=400).bottom.x
        if image.high < math.inf:
            assert image.low <= after.min() <= after.max() <= image.high, (x, rule)
            found += 1
    assert found > 30


@pytest.mark.parametrize("gamma, opened", [(1.2, True), (5.0, True), (200.0, False)])
def test_gamma_opens_the_prison(gamma, opened):
    ends = fate(DOUBLE_WELL, place(np.linspace(0.05, 3, 40)), LR, gamma=gamma)
    assert (ends.period >= 1).all()
    assert ((ends.x < OVER.top) == opened).all()


def test_a_fate_is_a_cycle():
    first = turns(DOUBLE_WELL, np.linspace(0.5, 2, 60), 0.1, 1e-3, 200.0, count=1).x[0]
    ends = fate(DOUBLE_WELL, first, 0.1, 1e-3, 200.0)
    assert (ends.period > 0).all()
    assert ends.period.max() > 1
    for member in np.unique(ends.x, return_index=True)[1]:
        orbit = [ends.x[member]]
        for _ in range(ends.period[member]):
            orbit.append(return_map(DOUBLE_WELL, orbit[-1], 0.1, 1e-3, 200.0).bottom.x.item())
        assert orbit[-1] == pytest.approx(orbit[0], abs=1e-8)
        assert orbit[0] == pytest.approx(min(orbit), abs=1e-8)
        assert (np.diff(np.sort(orbit[:-1])) > 1e-6).all()  # as many places as the period says
    x = first
    for _ in range(ends.rounds.max()):
        x = return_map(DOUBLE_WELL, x, 0.1, 1e-3, 200.0).bottom.x
    assert (fate(DOUBLE_WELL, x, 0.1, 1e-3, 200.0).rounds == 0).all()


def test_a_cycle_comes_back_bit_for_bit():
    ends = fate(DOUBLE_WELL, place(np.array([-1.0, 1.0])), LR, gamma=200.0, rounds=500, tolerance=0.0)
    assert (ends.period >= 1).all()
    x = ends.x
    for _ in range(ends.period.max()):
        x = return_map(DOUBLE_WELL, x, LR, gamma=200.0).bottom.x
    assert (ends.period.max() % ends.period == 0).all()
    np.testing.assert_array_equal(x, ends.x)


def test_a_run_that_stops_turning_has_no_cycle():
    ends = fate(DOUBLE_WELL, [0.97], LR, steps=300)
    assert np.isnan(ends.x).all()
    assert ends.period.tolist() == ends.rounds.tolist() == [0]
    assert fate(DOUBLE_WELL, place(np.array([-1.0])), LR, gamma=200.0, rounds=1).period.tolist() == [0]


def test_runs_close_to_each_other_stay_so_or_do_not():
    pair = np.linspace(0.5, 2, 100) + np.array([[0.0], [1e-9]])
    calm = turns(DOUBLE_WELL, pair, 0.03, 1e-4, 200.0, count=24).x[-1]
    wild = turns(DOUBLE_WELL, pair, 0.4, 0.63, 200.0, count=60).x[-1]
    assert (np.abs(calm[0] - calm[1]) < 1e-9).mean() > 0.97
    assert (np.abs(wild[0] - wild[1]) > 1e-6).mean() > 0.9


@pytest.mark.parametrize(
    "ask, message",
    [
        (lambda: return_map(DOUBLE_WELL, np.nan, LR), "Invalid x: nan; expected a finite number"),
        (lambda: fate(DOUBLE_WELL, [np.nan], LR), r"Invalid x: \[nan\]; expected finite numbers"),
        (lambda: fate(DOUBLE_WELL, 0.9, LR), r"Invalid x: shape \(\); expected \(members,\)"),
        (lambda: fate(DOUBLE_WELL, [0.9], LR, rounds=0), "Invalid rounds: 0; expected an integer >= 1"),
        (lambda: fate(DOUBLE_WELL, [0.9], LR, tolerance=-1), "Invalid tolerance: -1; expected a finite number >= 0"),
        (lambda: enclose_return(DOUBLE_WELL, 1.0, 1.0, LR, 1e-4), "Invalid high: 1.0; expected a number above low = 1"),
        (lambda: enclose_return(DOUBLE_WELL, 1.0, 1.1, 0.0, 1e-4), "Invalid lr: 0.0; expected a finite number > 0"),
        (lambda: enclose_return(DOUBLE_WELL, np.nan, 1.1, LR, 1e-4), "Invalid low: nan; expected a finite number"),
        (lambda: enclose_return(DOUBLE_WELL, 1.0, np.inf, LR, 1e-4), "Invalid high: inf; expected a finite number"),
        (lambda: enclose_return(DOUBLE_WELL, 1.0, 1.1, LR, -1.0), "Invalid delta: -1.0; expected a finite number >= 0"),
        (lambda: enclose_return(DOUBLE_WELL, 1.0, 1.1, LR, 1e-4, np.nan), "Invalid gamma: nan; expected a number"),
        (lambda: enclose_return(DOUBLE_WELL, 1.0, 1.1, LR, 1e-4, eps=-1.0), "Invalid eps: -1.0; expected a finite"),
        (lambda: enclose_return(DOUBLE_WELL, 1.0, 1.1, LR, 1e-4, cells=0), "Invalid cells: 0; expected an integer"),
        (lambda: enclose_return(DOUBLE_WELL, 1.0, 1.1, LR, 1e-4, steps=0), "Invalid steps: 0; expected an integer"),
    ],
)
def test_what_is_out_of_range_is_refused(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


def test_a_leg_of_nothing_remembers_nothing():
    """The first leg of a run compares with its start; a leg after a turn does not."""
    assert leg(DOUBLE_WELL, 0.9, True, LR, 1e9, first=True).steps == 1
    assert leg(DOUBLE_WELL, 0.9, True, LR, 1e9).steps == 2
