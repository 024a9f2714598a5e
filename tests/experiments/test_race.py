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
    Points,
    _race,
    _tuning,
    course,
    gradients_to,
    race,
    standings,
    train,
    tune,
    tuned_rates,
)
from hilladam.losses import DOUBLE_WELL, SURFACES
from hilladam.optim import ReferenceHillAdam

CAMEL = SURFACES["camel"]


@pytest.fixture(scope="module")
def records():
    return race(CAMEL, 0.01, runs=20, evaluations=60)


def test_all_start_from_the_same_places_in_the_box_and_have_the_same_budget(records):
    assert list(records) == list(RACE_CONTENDERS)
    low, high = np.array(CAMEL.box).T
    for record in records.values():
        assert record.losses.shape == (60, 20) and record.states.shape == (60, 20, 2)
        np.testing.assert_array_equal(record.states[0], records["Adam"].states[0])
        np.testing.assert_allclose(record.losses, CAMEL(torch.tensor(record.states)), rtol=1e-12, atol=1e-12)
    starts = records["Adam"].states[0]
    assert (low <= starts).all() and (starts <= high).all() and len(np.unique(starts)) == 40


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
    race(CAMEL, 0.05, contenders=names, runs=50, evaluations=30, delta=0.01)
    assert isinstance(seen["Hill-ADAM"], ReferenceHillAdam)
    assert seen["Hill-ADAM"].gamma == pytest.approx(first.max()) and seen["Hill-ADAM"].delta == 0.01
    names.append("Hill-ADAM")
    race(CAMEL, 0.05, contenders=["Hill-ADAM"], runs=2, evaluations=1)
    assert seen["Hill-ADAM"].delta == 1e-4
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
    records = race(CAMEL, 0.0, contenders=names, runs=20, evaluations=1, seed=7)
    low, high = np.array(CAMEL.box).T
    starts = records["Langevin"].states[0], told["Adam, restarted"].draw(20).numpy()
    drawn = [(points - low) / (high - low) for points in starts]  # back to the uniform numbers behind them
    for name in ("Langevin", "simulated annealing"):
        drawn.append(torch.rand(20, 2, generator=told[name].generator, dtype=torch.float64).numpy())
    for one, other in combinations(drawn, 2):
        assert np.abs(one - other).mean() > 0.1


def test_one_variable_is_a_race_too():
    record = race(DOUBLE_WELL, 0.05, (-2, 2), contenders=["Adam"], runs=7, evaluations=50)["Adam"]
    assert record.states.shape == (50, 7)
    np.testing.assert_allclose(record.losses, DOUBLE_WELL(record.states), rtol=1e-12, atol=1e-12)


def test_the_starts_are_uniform_in_the_box_to_the_last_digit():
    record = race(DOUBLE_WELL, 0.05, (0.1, 0.3), contenders=["SGD"], evaluations=1)["SGD"]
    uniform = torch.rand(200, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)[:, 0]
    np.testing.assert_allclose(record.states[0], 0.1 + 0.2 * uniform, rtol=1e-14)
    assert race(DOUBLE_WELL, 0.05, (0.1, 0.3), contenders=["SGD"], runs=1)["SGD"].losses.shape == (2000, 1)


def test_simulated_annealing_records_where_it_stands():
    model = Points(torch.linspace(-2, 2, 5, dtype=torch.float64))
    walk = SimulatedAnnealing(model.parameters, 0.3, temperature=0.5, generator=torch.Generator().manual_seed(0))
    record = train(model, DOUBLE_WELL, walk, 80)
    moved = np.diff(record.states, axis=0) != 0
    assert not moved[0].any()  # its first evaluation measures the start
    assert 0.2 < moved[1:].mean() < 0.95  # some proposals are refused
    assert record.best_losses.tolist() == record.losses.min(axis=0).tolist()


def test_standings_count_runs():
    records = race(CAMEL, 0.05, contenders=["Adam", "SGD"], runs=30, evaluations=200)
    target = CAMEL.global_minimum.value + 0.01
    table = standings(records, target, CAMEL.global_minimum.value)
    for name, record in records.items():
        row, hits = table.loc[name], gradients_to(record, target)
        assert row["success"] == np.isfinite(hits).mean() == (record.best_losses < target).mean()
        assert 0 <= row["low"] <= row["success"] <= row["high"] <= 1
        assert row["best"] == pytest.approx(np.median(record.best_losses) - CAMEL.global_minimum.value)
        assert row["final"] == pytest.approx(np.median(record.final_losses) - CAMEL.global_minimum.value)
        assert math.isfinite(row["evaluations"]) == (row["success"] >= 0.5)


def test_a_run_that_diverges_is_a_failure():
    records = race(CAMEL, 10.0, contenders=["SGD"], runs=5, evaluations=30)
    row = standings(records, -2.0).loc["SGD"]
    assert row["success"] == 0 and row["evaluations"] == math.inf and row["final"] == math.inf


def test_tuning_finds_the_rate_that_succeeds_most_and_soonest():
    target = DOUBLE_WELL.global_minimum.value + 0.01
    rates = (1e-4, 0.05, 0.1)
    rules = dict(runs=20, evaluations=150)
    found = tune(DOUBLE_WELL, target, (-2, 2), contenders=["Adam"], rates=rates, **rules)["Adam"]
    scores = {}
    for rate in rates:
        record = race(DOUBLE_WELL, rate, (-2, 2), contenders=["Adam"], seed=1000, **rules)["Adam"]
        hits = gradients_to(record, target)
        scores[rate] = (np.isfinite(hits).mean(), -np.minimum(hits, 150).sum())
    assert scores[found] == max(scores.values()) and found != 1e-4


def test_the_starts_of_tuning_are_those_of_the_race_with_the_seed_1000(monkeypatch):
    seeds = []
    monkeypatch.setattr(_tuning, "race", lambda *_, seed, **given: seeds.append(seed) or race(*_, seed=seed, **given))
    tune(CAMEL, 0.0, contenders=["SGD"], rates=[0.1, 0.2], runs=2, evaluations=2)
    assert seeds == [1000, 1000]


def test_the_stored_rates_are_complete_and_one_is_found_again():
    rates = tuned_rates()
    assert list(rates.index) == list(COURSES) and list(rates.columns) == list(RACE_CONTENDERS)
    assert {rate for rate in np.unique(rates)} <= {round(10 ** (k / 2), 6) for k in range(-10, 3)}
    loss, box, target = course("double_well")
    assert (
        tune(loss, target, box, contenders=["momentum"], runs=100, evaluations=1000)["momentum"]
        == (rates.loc["double_well", "momentum"])
    )


@pytest.mark.parametrize("key", COURSES)
def test_a_target_lies_in_the_global_valley_alone(key):
    loss, box, target = course(key)
    lowest = loss.global_minimum.value
    others = [point.value for point in loss.minima if point.value > lowest + 1e-6]
    assert lowest < target < min(others, default=math.inf)
    assert len(box) in (2, 3)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"contenders": ["Adamax"]}, "Invalid contender: 'Adamax'; expected one of"),
        ({"lr": {"Adam": 0.1}, "contenders": ["SGD"]}, "Invalid lr: none for 'SGD'"),
        ({"runs": 0}, "Invalid runs: 0; expected a whole number >= 1"),
        ({"evaluations": 0}, "Invalid evaluations: 0; expected a whole number >= 1"),
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
        ({"runs": 1.5}, "Invalid runs: 1.5; expected a whole number >= 1"),
        ({"evaluations": 2.0}, "Invalid evaluations: 2.0; expected a whole number >= 1"),
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


def test_standings_and_tuning_refuse_what_would_be_nonsense(records):
    with pytest.raises(ValueError, match="Invalid records: none"):
        standings({}, 0.0)
    with pytest.raises(ValueError, match="Invalid target: nan"):
        standings(records, math.nan)
    small = dict(contenders=["SGD"], runs=2, evaluations=2)
    with pytest.raises(ValueError, match="Invalid rates: none"):
        tune(CAMEL, 0.0, rates=[], **small)
    with pytest.raises(ValueError, match="Invalid lr: nan"):
        tune(CAMEL, 0.0, rates=[0.1, math.nan], **small)
    with pytest.raises(ValueError, match="Invalid target: nan"):
        tune(CAMEL, math.nan, **small)
    with pytest.raises(ValueError, match="Invalid contender: 'Adamax'"):
        tune(CAMEL, 0.0, contenders=["Adamax"])


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
        found = race(Pressed(1 + 2 * 20 + 7), 0.01, contenders=names, runs=5, evaluations=20)  # 1 to look at the starts
    assert list(found) == ["SGD", "Adam"]
    assert all(found[name].losses.shape == whole[name].losses.shape for name in found)
    with pytest.raises(KeyboardInterrupt):
        race(Pressed(7), 0.01, contenders=names, runs=5, evaluations=20)


def test_an_interrupt_keeps_the_rates_that_are_found():
    settings = dict(contenders=["SGD", "Adam"], rates=(0.01, 0.1), runs=5, evaluations=20)
    first = tune(CAMEL, -1.0, **settings)["SGD"]
    with pytest.warns(RuntimeWarning, match="Interrupted: 1 of 2 contenders are complete"):
        assert tune(Pressed(2 * 21 + 7), -1.0, **settings) == {"SGD": first}
    with pytest.raises(KeyboardInterrupt):
        tune(Pressed(21 + 7), -1.0, **settings)


def test_progress_goes_to_a_bar(capsys):
    small = dict(contenders=["SGD"], runs=2, evaluations=2)
    for asked in ({"progress": True}, {"progress": False}, {}):
        race(CAMEL, 0.01, **small, **asked)
        said = capsys.readouterr().err
        assert "race" in said if asked.get("progress") else said == ""
        tune(CAMEL, 0.0, rates=[0.1], **small, **asked)
        said = capsys.readouterr().err
        assert "tune" in said if asked.get("progress") else said == ""


def test_an_unknown_course_is_refused():
    with pytest.raises(ValueError, match="Invalid course: 'ackley'; expected one of"):
        course("ackley")
