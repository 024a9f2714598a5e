"""A race is fair: one loss, the same starts, as many evaluations for all."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch

from hilladam import CoolMomentum, Langevin, SimulatedAnnealing
from hilladam.experiments import (
    CONTENDERS,
    COURSES,
    RACE_CONTENDERS,
    RATES,
    SEARCHERS,
    Points,
    Tuning,
    _further_races,
    _race,
    _race_results,
    course,
    field,
    further_races,
    gradients_to,
    race,
    race_rates,
    race_results,
    search,
    standings,
    stored_further_races,
    stored_race,
    train,
    tuned,
)
from hilladam.losses import DOUBLE_WELL, SURFACES
from hilladam.optim import ReferenceHillAdam

CAMEL = SURFACES["camel"]


@pytest.fixture(scope="module")
def records():
    return race(CAMEL, 0.01, runs=20, evaluations=60)


def test_all_start_from_the_same_places_in_the_box_and_have_the_same_budget(records):
    assert list(records) == list(RACE_CONTENDERS)
    starts, boxes = field(CAMEL.box, 20)
    for record in records.values():
        assert record.losses.shape == (60, 20) and record.states.shape == (60, 20, 2)
        np.testing.assert_array_equal(record.states[0], records["Adam"].states[0])
        np.testing.assert_allclose(record.losses, CAMEL(torch.tensor(record.states)), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(records["Adam"].states[0], starts)
    assert (boxes[..., 0] <= starts).all() and (starts <= boxes[..., 1]).all() and len(np.unique(starts)) == 40


def test_every_run_has_a_box_of_its_own_a_tenth_of_its_width_around_the_given_one():
    starts, boxes = field([(0.0, 1.0), (10.0, 30.0)], 4000)
    np.testing.assert_allclose(boxes[..., 1] - boxes[..., 0], np.broadcast_to([1.0, 20.0], (4000, 2)))
    shifts = boxes[..., 0] - [0.0, 10.0]
    for shift, width in zip(shifts.T, (1.0, 20.0), strict=True):
        assert -0.1 * width <= shift.min() < -0.099 * width and 0.099 * width < shift.max() <= 0.1 * width
    within = (starts - boxes[..., 0]) / (boxes[..., 1] - boxes[..., 0])
    for uniform in (*within.T, *((shifts / [0.2, 4.0]) + 0.5).T):
        assert abs(uniform.mean() - 0.5) < 0.02 and abs(uniform.std() - 12**-0.5) < 0.01
    assert np.abs(np.corrcoef(np.concatenate([within, shifts], axis=1).T) - np.eye(4)).max() < 0.06


def test_a_run_is_the_same_however_many_there_are():
    few, many, other = field(CAMEL.box, 3, 5), field(CAMEL.box, 300, 5), field(CAMEL.box, 3, 6)
    np.testing.assert_array_equal(few.starts, many.starts[:3])
    np.testing.assert_array_equal(few.boxes, many.boxes[:3])
    assert not np.isin(few.starts, other.starts).any()
    settings = dict(contenders=["Adam, restarted", "Hill-ADAM"], evaluations=200)
    one, all_of_them = (race(CAMEL, 0.1, runs=runs, **settings) for runs in (3, 9))
    for name in one:
        np.testing.assert_allclose(one[name].states, all_of_them[name].states[:, :3], rtol=1e-6, atol=1e-9)


PLAIN = {
    "SGD": lambda p: torch.optim.SGD(p, 0.01),
    "momentum": lambda p: torch.optim.SGD(p, 0.01, momentum=0.9),
    "Nesterov": lambda p: torch.optim.SGD(p, 0.01, momentum=0.9, nesterov=True),
    "RMSprop": lambda p: torch.optim.RMSprop(p, 0.01),
    "Adam": lambda p: torch.optim.Adam(p, 0.01),
    "NAdam": lambda p: torch.optim.NAdam(p, 0.01),
    "RAdam": lambda p: torch.optim.RAdam(p, 0.01),
    "CoolMomentum": lambda p: CoolMomentum(p, 0.01, 0.99, cooling_steps=60),
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_member_runs_as_it_would_alone(records, name):
    point = torch.tensor(records[name].states[0, 3]).requires_grad_()
    optimizer = PLAIN[name]([point])
    for expected in records[name].losses[:, 3]:
        optimizer.zero_grad()
        value = CAMEL(point)
        value.backward()
        assert value.item() == pytest.approx(expected, rel=1e-9)
        optimizer.step()


def test_hill_adam_and_the_noisy_ones_get_the_rules_of_the_race(monkeypatch):
    first = race(CAMEL, 0.05, contenders=["SGD"], runs=50, evaluations=1)["SGD"].losses[0]
    names, seen = ["Hill-ADAM", "Langevin", "simulated annealing"], {}

    def train_and_see(model, loss, optimizer, *rest, **settings):
        seen[names[len(seen)]] = optimizer
        return train(model, loss, optimizer, *rest, **settings)

    monkeypatch.setattr(_race, "train_in_full", train_and_see)
    race(CAMEL, 0.05, contenders=names, runs=50, evaluations=30, delta=0.01, gamma=7.0)
    assert isinstance(seen["Hill-ADAM"], ReferenceHillAdam)
    assert (seen["Hill-ADAM"].gamma, seen["Hill-ADAM"].delta) == (7.0, 0.01)
    names.append("Hill-ADAM by default")
    race(CAMEL, 0.05, contenders=["Hill-ADAM"], runs=2, evaluations=1)
    assert seen["Hill-ADAM by default"].gamma == 200 and seen["Hill-ADAM by default"].delta == 1e-4
    assert isinstance(seen["Langevin"], Langevin) and isinstance(seen["simulated annealing"], SimulatedAnnealing)
    assert seen["Langevin"].param_groups[0]["temperature"](0) == pytest.approx(first.std())
    assert seen["Langevin"].param_groups[0]["temperature"](30) == 0
    assert seen["simulated annealing"].param_groups[0]["temperature"] == pytest.approx(first.std())


def test_the_seed_decides_everything():
    names = ["Langevin", "simulated annealing", "Adam, restarted"]
    same = [race(CAMEL, 0.05, contenders=names, runs=5, evaluations=40, seed=seed) for seed in (1, 1, 2)]
    for name in names:
        np.testing.assert_allclose(same[0][name].losses, same[1][name].losses, rtol=1e-7, atol=1e-9)
        assert np.abs(same[0][name].losses - same[2][name].losses).max() > 0.1


def test_no_contenders_random_numbers_are_those_of_the_starts_or_of_another(monkeypatch):
    """Noise from the numbers that gave the starts would know where each run stands."""
    names, told = ["Langevin", "simulated annealing", "Adam, restarted"], {}

    def watched(name):
        def make(params, lr, given):
            told[name] = given
            return CONTENDERS["SGD"](params, lr)

        return replace(CONTENDERS[name], make=make)

    for name in names:
        monkeypatch.setitem(CONTENDERS, name, watched(name))
    race(CAMEL, 0.0, contenders=names, runs=20, evaluations=1, seed=7)
    starts, boxes = field(CAMEL.box, 20, 7)
    again = told["Adam, restarted"].draw(torch.arange(20)).numpy()
    low, high = boxes[..., 0], boxes[..., 1]
    drawn = [(points - low) / (high - low) for points in (starts, again)]  # back to the uniform numbers behind them
    for name in ("Langevin", "simulated annealing"):
        drawn.append(torch.rand(20, 2, generator=told[name].generator, dtype=torch.float64).numpy())
    for one, other in combinations(drawn, 2):
        assert np.abs(one - other).mean() > 0.1


def test_one_variable_is_a_race_too():
    record = race(DOUBLE_WELL, 0.05, (-2, 2), contenders=["Adam"], runs=7, evaluations=50)["Adam"]
    assert record.states.shape == (50, 7)
    np.testing.assert_allclose(record.losses, DOUBLE_WELL(record.states), rtol=1e-12, atol=1e-12)


def test_simulated_annealing_records_where_it_stands():
    model = Points(torch.linspace(-2, 2, 5, dtype=torch.float64))
    walk = SimulatedAnnealing(model.parameters, 0.3, temperature=0.5, generator=torch.Generator().manual_seed(0))
    record = train(model, DOUBLE_WELL, walk, 80)
    moved = np.diff(record.states, axis=0) != 0
    assert not moved[0].any()  # its first evaluation measures the start
    assert 0.2 < moved[1:].mean() < 0.95  # some proposals are refused
    assert record.best_losses.tolist() == record.losses.min(axis=0).tolist()


def test_standings_count_runs():
    hits = {"a": np.array([3.0, 9.0, math.inf, 5.0]), "b": np.array([math.inf, 2.0, math.inf, math.inf])}
    table = standings(hits)
    assert list(table.index) == ["a", "b"] and table["success"].tolist() == [0.75, 0.25]
    assert table["evaluations"].tolist() == [9.0, math.inf]
    assert ((table["low"] < table["success"]) & (table["success"] < table["high"])).all()


def test_a_run_that_diverges_is_a_failure():
    record = race(CAMEL, 10.0, contenders=["SGD"], runs=5, evaluations=30)["SGD"]
    row = standings({"SGD": gradients_to(record, -2.0)}).loc["SGD"]
    assert row["success"] == 0 and row["evaluations"] == math.inf


NOISY = ("Langevin", "simulated annealing")  # whose noise is dealt out among the members


@pytest.mark.parametrize("key", ["camel", "tenth"])
@pytest.mark.parametrize("name", [name for name in RACE_CONTENDERS if name not in NOISY])
def test_many_rates_side_by_side_are_as_many_races(key, name):
    loss, box, target, heat = course(key)
    rates = [3e-3, 3e-2] if key == "camel" else [1e-5, 1e-2]
    settings = dict(runs=30, evaluations=100, temperature=heat, seed=3)
    found = race_rates(loss, rates, target, box, contender=name, **settings)
    assert found.shape == (2, 30)
    for rate, hits in zip(rates, found, strict=True):
        alone = gradients_to(race(loss, rate, box, contenders=[name], **settings)[name], target)
        assert (hits == alone).mean() > 0.9  # a rounding edge or two


@pytest.mark.parametrize("name", NOISY)
def test_noise_side_by_side_has_the_strength_that_it_has_alone(name):
    """The spread of many walkers on a bowl, at a λ each."""
    rates, settings = [0.02, 0.2], dict(runs=3000, evaluations=60, temperature=2.0, seed=4)

    def bowl(points):
        return points**2

    for rate in rates:
        side = race_rates(bowl, rates, 0.05, (1, 2), contender=name, **settings)[rates.index(rate)]
        alone = gradients_to(race(bowl, rate, (1, 2), contenders=[name], **settings)[name], 0.05)
        assert np.isfinite(side).mean() == pytest.approx(np.isfinite(alone).mean(), abs=0.04)
        assert np.minimum(side, 61).mean() == pytest.approx(np.minimum(alone, 61).mean(), rel=0.04)
    assert 0.05 < np.isfinite(alone).mean()


def test_tuning_takes_other_starts_than_the_race(monkeypatch):
    seeds = []
    monkeypatch.setattr(_race_results, "race_rates", lambda *_, seed, **given: seeds.append(seed) or race_rates(
        *_, seed=seed, **given))  # fmt: skip
    tuned("camel", "SGD", runs=5, evaluations=20)
    assert set(seeds) == {1000} and _race_results.SEED != 1000


# What is stored ------------------------------------------------------------------------------------------------------


def test_what_is_stored_is_of_everyone_on_every_course():
    stored = stored_race()
    assert list(stored) == [(key, name) for key in COURSES for name in (*RACE_CONTENDERS, *SEARCHERS)]
    for (_, name), result in stored.items():
        assert result.hits.shape == (1000,) and (result.hits >= 1).all()
        assert (result.hits[np.isfinite(result.hits)] <= 2000).all()
        if name in SEARCHERS:
            assert result.lr is None and result.tried is None
        else:
            assert min(result.tried) < result.lr < max(result.tried)  # no end of the grid
            assert result.tried[result.lr] == max(result.tried.values()) <= 200


@pytest.mark.parametrize("key, name", [("camel", "SGD"), ("himmelblau", "Adam"), ("mueller_brown", "momentum")])
def test_a_stored_race_is_found_again(key, name):
    loss, box, target, _ = course(key)
    stored = stored_race()[key, name]
    record = race(loss, stored.lr, box, contenders=[name], runs=100, seed=1)[name]
    assert (gradients_to(record, target) == stored.hits[:100]).mean() >= 0.97


@pytest.mark.parametrize("key, name", [("camel", "L-BFGS, restarted"), ("himmelblau", "DIRECT"), ("camel", "DIRECT")])
def test_a_stored_search_is_found_again(key, name):
    loss, box, target, _ = course(key)
    hits = search(loss, target, box, searchers=[name], runs=100, seed=1)[name]
    assert (hits == stored_race()[key, name].hits[:100]).mean() >= 0.9


def test_a_stored_rate_is_found_again():
    assert tuned("himmelblau", "momentum").lr == stored_race()["himmelblau", "momentum"].lr


def test_what_is_stored_of_the_further_races():
    stored = stored_further_races()
    assert list(stored) == list(further_races(runs=2, tuning_runs=3, evaluations=5))
    for (question, key, name), (hits, lr, tried) in stored.items():
        assert hits.shape == (2000 if question == "again" else 1000,)
        assert (hits >= 1).all() and (hits[np.isfinite(hits)] <= 2000).all()
        assert lr == {"again": stored_race()[key, name].lr, "untuned": RATES[9]}.get(question, lr)
        assert (tried is None) == (question != "no gamma")
        if tried:
            assert min(tried) < lr < max(tried) and tried[lr] == max(tried.values()) <= 200


@pytest.mark.parametrize("question, key, name, settings", [
    ("again", "mueller_brown", "Hill-ADAM", {"seed": 11}), ("again", "mueller_brown", "Adam, restarted", {"seed": 11}),
    ("untuned", "tenth", "Hill-ADAM", {"seed": 2}), ("untuned", "tenth", "Adam, restarted", {"seed": 2}),
    *(("no gamma", k, "Hill-ADAM", {"seed": 1, "gamma": math.inf}) for k in ("tenth", "mueller_brown", "rastrigin")),
])  # fmt: skip
def test_a_further_race_is_found_again(question, key, name, settings):
    loss, box, target, _ = course(key)
    stored = stored_further_races()[question, key, name]
    hits = race_rates(loss, [stored.lr], target, box, contender=name, runs=100, evaluations=300, **settings)[0]
    early = np.where(stored.hits[:100] <= 300, stored.hits[:100], math.inf)
    assert (hits == early).mean() >= 0.95


def test_rows_that_are_done_are_not_made_again(monkeypatch):
    monkeypatch.setattr(_race_results, "COURSES", ("himmelblau",))
    names, shared = ("Langevin", "simulated annealing", "L-BFGS, restarted"), dict(runs=5, evaluations=300)
    done = [("himmelblau", name) for name in (*RACE_CONTENDERS, *SEARCHERS) if name not in names]
    rows = list(race_results(done, tuning_runs=4, **shared))
    assert [(row["course"], row["contender"]) for row in rows] == [("himmelblau", name) for name in names]
    loss, box, target, heat = course("himmelblau")
    for row, name in zip(rows, names, strict=True):  # each is the race that it says it is
        if name in SEARCHERS:
            hits = search(loss, target, box, searchers=[name], seed=1, **shared)[name]
            assert "lr" not in row and "tried" not in row
        else:
            best, settings = tuned("himmelblau", name, 4, 300), dict(temperature=heat, seed=1, **shared)
            assert row["lr"] == best.lr and {float(lr): count for lr, count in row["tried"].items()} == best.successes
            hits = gradients_to(race(loss, best.lr, box, contenders=[name], **settings)[name], target)
        np.testing.assert_array_equal(_race_results.unpacked(row["evaluations"]), hits)
        assert np.isfinite(hits).any()


def test_the_further_races_are_told_what_they_ask(monkeypatch):
    tried, asked = [], []

    def tuned(*told, **settings):
        tried.append((*told, settings))
        return Tuning(0.7, {0.7: np.array([2.0, math.inf])})

    def race_rates(loss, rates, target, box, **settings):
        asked.append((loss, *rates, target, box, settings))
        return np.full((1, 5), float(len(asked)))

    monkeypatch.setattr(_further_races, "tuned", tuned)
    monkeypatch.setattr(_further_races, "race_rates", race_rates)
    found, pair, expected = further_races(5, 4, 30), ("Hill-ADAM", "Adam, restarted"), []
    for key, name, settings in [
        *(("mueller_brown", name, {"seed": seed}) for name in pair for seed in (11, 12)),
        *(("tenth", name, {"seed": 2}) for name in pair),
        *((key, "Hill-ADAM", {"seed": 1, "gamma": math.inf}) for key in ("tenth", "mueller_brown", "rastrigin")),
    ]:
        loss, box, target, _ = course(key)
        lr = 0.7 if "gamma" in settings else RATES[9] if key == "tenth" else stored_race()[key, name].lr
        expected.append((loss, lr, target, box, settings | dict(contender=name, runs=5, evaluations=30)))
    assert asked == expected
    assert tried == [(key, "Hill-ADAM", 4, 30, {"gamma": math.inf}) for key in ("tenth", "mueller_brown", "rastrigin")]
    assert [sorted(set(result.hits)) for result in found.values()] == [[1, 2], [3, 4], [5], [6], [7], [8], [9]]
    for (question, *_), result in found.items():
        assert result.tried == ({0.7: 1} if question == "no gamma" else None)
    assert [result.lr for result in found.values()] == [lr for _, lr, *_ in expected[::2][:2] + expected[4:]]


@pytest.mark.parametrize("key", COURSES)
def test_a_target_lies_in_the_global_valley_alone(key):
    loss, _, target, heat = course(key)
    lowest = loss.global_minimum.value
    others = [point.value for point in loss.minima if point.value > lowest + 1e-6]
    assert lowest < target < min(others, default=math.inf)
    assert heat > 0


@pytest.mark.parametrize("key", COURSES)
def test_a_global_minimum_lies_in_the_box_of_every_run_and_in_the_middle_of_none(key):
    loss, box, target, _ = course(key)
    deepest = [np.atleast_1d(point.x) for point in loss.minima if point.value < target]
    _, boxes = field(box, 1000, 1)
    inside = [((boxes[..., 0] < x) & (x < boxes[..., 1])).all(axis=-1) for x in deepest]
    assert np.any(inside, axis=0).all()
    middles = boxes.mean(axis=-1)
    assert min(np.abs(middles - x).max(axis=-1).min() for x in deepest) > 0.02


def test_rastrigins_surface_is_turned_and_its_slopes_with_it():
    loss, *_ = course("rastrigin")
    points = torch.rand(50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 8 - 4
    mixed = torch.stack(
        [loss(torch.stack([points[0, 0], y])) - loss(torch.stack([points[1, 0], y])) for y in points[:, 1]]
    )
    assert mixed.std() > 1  # of a sum of functions of one variable each it would be 0
    plain = SURFACES["rastrigin"]
    cos, sin = math.cos(0.5), math.sin(0.5)
    back = points @ torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)
    torch.testing.assert_close(loss(points), plain(back), rtol=1e-12, atol=1e-12)
    for point in points[:5]:
        (value, slopes), x = loss.value_and_gradient(point.numpy()), point.clone().requires_grad_()
        loss(x).backward()
        assert value == pytest.approx(loss(x).item()) and slopes == pytest.approx(x.grad.numpy())
    assert 100 < len(loss.minima) < 140 and loss.global_minimum.x == pytest.approx((0, 0), abs=1e-9)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"contenders": ["Adamax"]}, "Invalid contender: 'Adamax'; expected one of"),
        ({"lr": {"Adam": 0.1}, "contenders": ["SGD"]}, "Invalid lr: none for 'SGD'"),
        ({"runs": 0}, "Invalid runs: 0; expected an integer >= 1"),
        ({"evaluations": 0}, "Invalid evaluations: 0; expected an integer >= 1"),
        ({"box": [(1, 0)]}, "Invalid box"),
        ({"box": [(0, 1, 2)]}, "Invalid box"),
        ({"loss": DOUBLE_WELL}, "Invalid box: none"),
        ({"lr": -1.0}, "Invalid lr: -1.0; expected a finite number >= 0"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        race(**({"loss": CAMEL, "lr": 0.01} | arguments))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"contenders": []}, "Invalid contenders: none; expected at least one"),
        ({"contenders": ["SGD", "SGD"]}, r"Invalid contenders: \['SGD', 'SGD'\]; .* none twice"),
        ({"contenders": ["Hill-ADAM, once an epoch"]}, "Invalid contender: 'Hill-ADAM, once an epoch'"),
        ({"lr": math.nan}, "Invalid lr: nan; expected a finite number >= 0"),
        ({"lr": {"SGD": math.inf}, "contenders": ["SGD"]}, "Invalid lr: inf"),
        ({"runs": 1.5}, "Invalid runs: 1.5; expected an integer >= 1"),
        ({"evaluations": 2.0}, "Invalid evaluations: 2.0; expected an integer >= 1"),
        ({"box": (0, math.inf)}, "Invalid box"),
        ({"box": (0, 1, 2)}, "Invalid box"),
        ({"box": (1, 1)}, "Invalid box"),
        ({"box": ()}, "Invalid box"),
        ({"delta": math.nan}, "Invalid delta: nan"),
        ({"gamma": math.nan}, "Invalid gamma: nan"),
        ({"temperature": math.nan}, "nan"),
        (
            {"loss": lambda x: CAMEL(x).sum(), "box": CAMEL.box, "gamma": 1.0, "temperature": 1.0},
            "Invalid loss: of shape",
        ),
    ],
)
def test_what_would_be_nonsense_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        race(**({"loss": CAMEL, "lr": 0.01, "runs": 2, "evaluations": 2} | arguments))


def test_standings_and_rates_refuse_what_would_be_nonsense():
    with pytest.raises(ValueError, match="Invalid hits: none"):
        standings({})
    small = dict(contender="SGD", runs=2, evaluations=2)
    for rates in ([0.1, math.nan], [0.0], [math.inf]):
        with pytest.raises(ValueError, match="Invalid rates: "):
            race_rates(CAMEL, rates, 0.0, **small)
    with pytest.raises(ValueError, match="Invalid target: nan"):
        race_rates(CAMEL, [0.1], math.nan, **small)
    with pytest.raises(ValueError, match="Invalid contender: 'Adamax'"):
        race_rates(CAMEL, [0.1], 0.0, **small | {"contender": "Adamax"})


class Pressed:
    """A surface during whose evaluation of the given number someone presses Ctrl-C."""

    def __init__(self, at):
        self.left, self.box = at, CAMEL.box

    def __call__(self, points):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return CAMEL(points)


def test_an_interrupt_keeps_the_contenders_that_have_finished():
    names = ["SGD", "Adam", "NAdam"]
    whole = race(CAMEL, 0.01, contenders=names, runs=5, evaluations=20)
    with pytest.warns(RuntimeWarning, match="Interrupted: 2 of 3 contenders are complete"):
        found = race(Pressed(3 + 2 * 20 + 7), 0.01, contenders=names, runs=5, evaluations=20)  # 3 look at the starts
    assert list(found) == ["SGD", "Adam"]
    assert all(found[name].losses.shape == whole[name].losses.shape for name in found)
    with pytest.raises(KeyboardInterrupt):
        race(Pressed(7), 0.01, contenders=names, runs=5, evaluations=20)


def test_an_interrupt_keeps_the_searchers_that_have_finished():
    def one(budget, start, box, dice):
        budget(start)

    def interrupted(budget, start, box, dice):
        raise KeyboardInterrupt

    with pytest.warns(RuntimeWarning, match="Interrupted: 1 of 2 searchers are complete"):
        found = search(CAMEL, -1.0, searchers={"one": one, "another": interrupted}, runs=5)
    assert list(found) == ["one"]


def test_progress_goes_to_a_bar(capsys):
    small = dict(contenders=["SGD"], runs=2, evaluations=2)
    for asked in ({"progress": True}, {"progress": False}, {}):
        race(CAMEL, 0.01, **small, **asked)
        said = capsys.readouterr().err
        assert "race" in said if asked.get("progress") else said == ""
        search(CAMEL, 0.0, searchers=["DIRECT"], runs=1, evaluations=2, **asked)
        said = capsys.readouterr().err
        assert "search" in said if asked.get("progress") else said == ""


def test_an_unknown_course_is_refused():
    with pytest.raises(ValueError, match="Invalid course: 'ackley'; expected one of"):
        course("ackley")


# A reader's own ------------------------------------------------------------------------------------------------------


class Halving:
    """A LossRule: towards the origin, half the way, but only while the loss is above 1."""

    def __init__(self, params, lr):
        (self.points,), self.lr = params, lr

    @torch.no_grad()
    def step(self, losses, grads):
        assert grads[0].shape == self.points.shape and losses.shape == (len(self.points),)
        self.reason = (losses <= 1).long()
        self.points[losses > 1] *= self.lr


def test_rules_and_losses_of_ones_own_race():
    def bowl(points):
        return (points**2).sum(-1)

    mine = {"halving": Halving, "Adamax": torch.optim.Adamax, "Adam again": CONTENDERS["Adam"]}
    records = race(
        bowl, {"halving": 0.5, "Adamax": 0.1, "Adam again": 0.1}, [(2, 3)] * 3, contenders=mine, runs=7, evaluations=9
    )
    assert list(records) == list(mine)
    halving = records["halving"]
    np.testing.assert_allclose(halving.states[1], halving.states[0] / 2)
    assert (halving.losses[-1] <= 1).all() and halving.turns.min() > 0 and not halving.maximize.any()
    adam = race(bowl, 0.1, [(2, 3)] * 3, contenders=["Adam"], runs=7, evaluations=9)["Adam"]
    np.testing.assert_allclose(records["Adam again"].states, adam.states)
