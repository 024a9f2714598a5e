"""Searches by climbing and by starting again begin alike, spend alike, and depend on nothing but their number."""

import json

import numpy as np
import pytest
from store_results import against_restarts_text

from hilladam.experiments import (
    against_restarts,
    network,
    run_points,
    stored_against_restarts,
    table1,
    wilson_interval,
)
from hilladam.experiments._against_restarts import CLOSE, _from_rows, _Places, _Weights
from hilladam.losses import TABLE_1

TENTH = TABLE_1["tenth"]
NAMES = ["Hill-ADAM", "restarted when still", "restarted every 300"]


def the(found, name):
    (hits,) = (hits for key, hits in found.items() if key[-1] == name)
    return hits


def test_every_method_is_asked_of_every_setting():
    found = against_restarts(["sixth", "tenth"], [None, 2.0], [0.01, 0.1], range(3), 300)
    assert list(found)[:3] == [("sixth", None, 0.01, name) for name in NAMES]
    assert len(found) == 2 * 2 * 2 * 3
    assert all(hits.shape == (3,) and hits.dtype == bool for hits in found.values())


@pytest.mark.parametrize("scale", [None, 1.5])
def test_a_search_is_the_same_whatever_others_there_are(scale):
    many = against_restarts(["eighth"], [scale], [0.05], range(12), 600)
    few = against_restarts(["eighth"], [scale], [0.05], [7, 3], 600)
    for key, hits in few.items():
        assert hits.tolist() == many[key][[7, 3]].tolist()


def test_hill_adam_on_x_itself_begins_where_the_dice_fall():
    starts = [np.random.default_rng(search).uniform(-2, 6) for search in range(40)]
    run = run_points(TENTH, starts, 600, lr=0.3, history=False)
    expected = run.best_losses < TENTH.global_minimum.value + CLOSE
    found = the(against_restarts(["tenth"], [None], [0.3], range(40), 600), "Hill-ADAM")
    assert found.tolist() == expected.tolist() and 0 < expected.sum() < 40


def test_hill_adam_through_the_network_is_table_1s_run():
    (run,) = table1(range(30), 600, 0.03, losses=["eighth"], optimizers=["Hill-ADAM"]).values()
    expected = run.best_losses < TABLE_1["eighth"].global_minimum.value + CLOSE
    found = the(against_restarts(["eighth"], [1.0], [0.03], range(30), 600), "Hill-ADAM")
    assert found.tolist() == expected.tolist() and 0 < expected.sum() < 30


@pytest.mark.parametrize("scale", [None, 1.5])
def test_where_nothing_counts_as_still_all_three_are_one_descent(scale):
    found = against_restarts(["tenth"], [scale], [0.1], range(30), 200, delta=0.0, every=200)
    climbs, still, every = found.values()
    assert climbs.tolist() == still.tolist() == every.tolist() and 0 < climbs.sum() < 30


def test_gamma_is_hill_adams():
    starts = [np.random.default_rng(search).uniform(-2, 6) for search in range(40)]
    runs = [run_points(TENTH, starts, 300, lr=0.3, gamma=gamma, history=False) for gamma in (2.0, 200.0)]
    low, high = (run.best_losses < TENTH.global_minimum.value + CLOSE for run in runs)
    found = the(against_restarts(["tenth"], [None], [0.3], range(40), 300, gamma=2.0), "Hill-ADAM")
    assert found.tolist() == low.tolist() != high.tolist()


def test_a_run_may_be_of_one_step():
    assert list(against_restarts(["sixth"], [None], [0.1], [0], 2, every=1))[-1][-1] == "restarted every 1"


def test_a_fixed_number_of_steps_makes_as_many_runs_as_the_budget_pays():
    target = TENTH.global_minimum.value + CLOSE
    dice = [np.random.default_rng(search) for search in range(20)]
    runs = [run_points(TENTH, [d.uniform(-2, 6) for d in dice], 100, lr=0.1, delta=0.0) for _ in range(4)]
    expected = np.any([run.best_losses < target for run in runs], axis=0)
    found = the(against_restarts(["tenth"], [None], [0.1], range(20), 400, every=100), "restarted every 100")
    assert found.tolist() == expected.tolist() and 0 < expected.sum() < 20


def test_restarts_cost_what_they_take():
    """With one descent's gradients there is one descent: as often right as the first start is."""
    found = against_restarts(["tenth"], [None], [0.1], range(200), 100, every=100)
    first = the(found, "restarted every 100")
    still = the(found, "restarted when still")
    longer = against_restarts(["tenth"], [None], [0.1], range(200), 1000, every=100)
    assert (first <= the(longer, "restarted every 100")).all()  # who is there stays there
    assert (still <= the(longer, "restarted when still")).all()
    assert the(longer, "restarted when still").sum() > still.sum() + 20


def test_new_starts_are_new_and_everybodys_own():
    import torch

    places = _Places(range(5), (-2.0, 6.0))
    first = places.model(np.zeros(5, dtype=int)).parameters[0].detach()
    again = places.again(torch.tensor([1, 3]))
    assert not set(again.tolist()) & set(first.tolist())
    assert again.tolist() == places.model(np.array([1, 1]), [1, 3]).parameters[0].tolist()
    weights = _Weights([4, 9], 2.0)
    row = torch.cat([p.flatten() for p in network(seed=1_000_009).parameters()])
    assert torch.equal(weights.again(torch.tensor([1]))[0], 2 * row)
    row = torch.cat([p.flatten() for p in network(seed=2_000_009).parameters()])
    assert torch.equal(weights.again(torch.tensor([1]))[0], 2 * row)


def test_rows_are_the_searches_again():
    hits = np.arange(13) % 3 == 0
    found = {("tenth", None, 0.3, "Hill-ADAM"): hits, ("sixth", 1.5, 0.01, "restarted when still"): ~hits}
    again = _from_rows(json.loads(against_restarts_text(found)))
    assert list(again) == list(found)
    assert all((again[key] == found[key]).all() for key in found)


@pytest.mark.parametrize("setting", [("tenth", None, 1.0), ("eighth", None, 2.0), ("sixth", 3.0, 0.3)], ids=str)
def test_the_stored_searches_are_what_is_computed(setting):
    loss, scale, lr = setting
    stored, again = stored_against_restarts(), against_restarts([loss], [scale], [lr], range(20))
    for key, hits in again.items():
        # Adam's descents through torch may round otherwise elsewhere, and so may one of twenty searches.
        assert (hits != stored[key][:20]).sum() <= (key[-1] == "restarted when still")


def test_the_stored_searches_are_complete():
    stored = stored_against_restarts()
    assert len(stored) == 3 * (5 * 6 + 3) * 3 and {len(hits) for hits in stored.values()} == {1200}
    # At the paper's λ and with torch's weights, the two rules find nothing where Hill-ADAM finds much.
    low, _ = wilson_interval(int(stored["eighth", 1.0, 0.01, "Hill-ADAM"].sum()), 1200)
    _, high = wilson_interval(int(stored["eighth", 1.0, 0.01, "restarted when still"].sum()), 1200)
    assert high < 0.05 < 0.85 < low


@pytest.mark.parametrize("arguments, message", [
    ({"searches": []}, "Invalid searches: none; expected at least one"),
    ({"searches": [3, 5, 3]}, r"Invalid searches: \[3, 5, 3\]; expected .* none twice"),
    ({"searches": [0, 1_000_000]}, r"Invalid searches: \[0, 1000000\]; expected .* below a million"),
    ({"searches": [-1]}, "Invalid searches: -1; expected an integer >= 0"),
    ({"searches": [0.5]}, "Invalid searches: 0.5; expected an integer >= 0"),
    ({"losses": ["seventh"]}, "Invalid loss: 'seventh'; expected one of"),
    ({"every": 7}, "Invalid every: 7; expected a divisor of the budget, 3000"),
    ({"every": 0}, "Invalid every: 0; expected a divisor of the budget, 3000"),
])  # fmt: skip
def test_what_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        against_restarts(**{"losses": ["sixth"], "scales": [None], "lrs": [0.1], "searches": [0], **arguments})
