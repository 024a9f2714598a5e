"""Table 1: the ensemble is the runs, and the summary says what they found."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from hilladam import HillAdam
from hilladam.experiments import (
    Record,
    StackedMLP,
    _table1,
    decode_chance,
    decode_mean,
    network,
    readings,
    stored_readings,
    summarize,
    table1,
    train,
)
from hilladam.experiments._table1 import ENGINES
from hilladam.losses import TABLE_1, stack
from hilladam.optim import ReferenceHillAdam

GAMMA = 50.0  # low enough for dead ends within a few hundred steps


# The two compute the same sums in another order, and every climb away from a minimum magnifies the difference: to 1e-11
# after 300 steps, to 1e-4 after 1,500. So the horizon has switches of each kind, several for most losses, and
# still tells a mistake from rounding.
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("activation", ["none", "tanh"])
def test_each_run_of_the_ensemble_is_the_same_run_done_alone(activation, engine):
    if engine == "compiled":
        pytest.importorskip("numba")
    steps, seeds = 300, [0, 1]
    runs = table1(seeds, steps, gamma=GAMMA, activation=activation, history=True, engine=engine, device="cpu")
    assert list(runs) == [(loss, optimizer) for loss in TABLE_1 for optimizer in ("Adam", "Hill-ADAM")]
    reasons = set()
    for (key, name), record in runs.items():
        run = record.member(seeds.index(1))
        model, ones = network(activation=activation, seed=1), torch.ones(6, dtype=torch.float64)
        optimizer = torch.optim.Adam(model.parameters(), 0.01)
        if hill := name == "Hill-ADAM":
            optimizer = HillAdam(model.parameters(), 0.01, gamma=GAMMA)
        for step in range(steps):
            optimizer.zero_grad()
            state = model(ones)
            loss = TABLE_1[key](state).sum()
            loss.backward()
            optimizer.step(**{"loss": loss} if hill else {})
            assert abs(state.item() - run.states[step].item()) < 1e-9
            assert abs(loss.item() - run.losses[step]) < 1e-9
        assert [switch.step for switch in getattr(optimizer, "switches", [])] == run.switches.tolist()
        reasons |= {switch.reason for switch in getattr(optimizer, "switches", [])}
        assert not hill or abs(optimizer.best_loss - run.best_losses) < 1e-9
    assert reasons == {"critical", "dead_end"}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_scale_reaches_the_weights(engine):
    if engine == "compiled":
        pytest.importorskip("numba")
    (record,) = table1([3], 2, scale=2.0, losses=["sixth"], optimizers=["Adam"], history=True, engine=engine,
                       device="cpu").values()  # fmt: skip
    assert record.states[0].item() == pytest.approx(StackedMLP([3], scale=2.0)().item(), rel=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_readings_reach_the_optimizer(engine):
    if engine == "compiled":
        pytest.importorskip("numba")
    (record,) = table1([3], 60, 0.02, 1e-3, 30.0, "sigmoid", losses=["sixth"], optimizers=["Hill-ADAM"], eps="inside",
                       bias_correction="in_place", history=True, engine=engine, device="cpu").values()  # fmt: skip
    model = StackedMLP([3], activation="sigmoid")
    optimizer = ReferenceHillAdam(model.parameters, 0.02, eps=0.0, eps_root=1e-8, delta=1e-3, gamma=30.0,
                                  bias_correction="in_place")  # fmt: skip
    alone = train(model, stack([TABLE_1["sixth"]]), optimizer, 60)
    np.testing.assert_allclose(record.losses, alone.losses, rtol=1e-10)
    np.testing.assert_array_equal(record.reasons, alone.reasons)


def test_the_compiled_engine_runs_wherever_it_can(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setattr(_table1, "train", lambda *_, **__: pytest.fail("in lock step"))
    runs = table1([0], 2), table1([0], 2, device="cpu"), table1([0], 2, engine="compiled", threads=2)
    for run in runs:
        assert run["sixth", "Hill-ADAM"].final_losses.tolist() == runs[0]["sixth", "Hill-ADAM"].final_losses.tolist()
    assert len(readings([0], 1)) == 320


def test_what_it_cannot_run_goes_in_lock_step(monkeypatch):
    monkeypatch.setattr(_table1, "run_networks", lambda *_, **__: pytest.fail("compiled"))
    record = table1([0], 2, dtype=torch.float32, history=True)["sixth", "Hill-ADAM"]
    assert record.losses.dtype == np.float32
    assert len(table1([0], 2, device="cpu", engine="lock step")) == 10
    assert _table1._ensemble(None, torch.float64, "cuda", threads=1).func is _table1._lock_step


def test_the_losses_and_optimizers_that_are_asked_for():
    runs = table1(range(3), 2, losses=["tenth", "x2"], optimizers=["Adam"])
    assert list(runs) == [("tenth", "Adam"), ("x2", "Adam")]
    assert [record.best_losses.shape for record in runs.values()] == [(3,), (3,)]
    assert all(record.losses.shape == (0, 3) for record in runs.values())


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"seeds": []}, "Invalid seeds: none"),
        ({"losses": []}, "Invalid losses: none"),
        ({"optimizers": []}, "Invalid optimizers: none"),
        ({"losses": ["seventh"]}, "Invalid loss: 'seventh'; expected one of"),
        ({"optimizers": ["SGD"]}, "Invalid optimizer: 'SGD'; expected one of"),
        ({"eps": "nowhere"}, "Invalid eps: 'nowhere'; expected one of"),
        ({"activation": "swish"}, "Invalid activation: 'swish'; expected one of"),
        ({"bias_correction": "none"}, "Invalid bias_correction reading: 'none'"),
        ({"steps": 0}, "Invalid steps: 0"),
        ({"engine": "steam"}, "Invalid engine: 'steam'; expected one of"),
        ({"engine": "compiled", "dtype": torch.float32}, "Invalid engine: 'compiled' with torch.float32 on cpu"),
        ({"engine": "compiled", "device": "cuda"}, "Invalid engine: 'compiled' with torch.float64 on cuda"),
        ({"threads": 0, "engine": "compiled"}, "Invalid threads: 0"),
        ({"lr": -0.1}, "Invalid lr: -0.1"),
        ({"delta": -1.0}, "Invalid delta"),
        ({"gamma": math.nan}, "Invalid gamma"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        table1(**{"seeds": [0], "steps": 2, **arguments})


# The summary ---------------------------------------------------------------------------------------------------------


SIXTH = TABLE_1["sixth"]


def a_record(best, final):
    """Runs of which only the best and the last state matter; the loss is that of the sixth order."""
    best, final = np.array(best), np.array(final)
    empty = np.zeros((0, len(best)))
    return Record(empty, empty, empty, empty, SIXTH(best), best[:, None], SIXTH(final), final[:, None])


def test_the_summary_counts_runs_by_basin():
    low, high = (point.x for point in SIXTH.minima)
    record = a_record([low, low + 0.0060, low + 0.0068, high], [low, high, 5.0, math.nan])
    assert (record.best_losses - SIXTH.global_minimum.value)[1:3] == pytest.approx([0.0088, 0.0113], abs=2e-4)
    row = summarize({("sixth", "Hill-ADAM"): record}).loc["sixth order", "Hill-ADAM"]
    assert row["paper"] == 3.3475
    assert row["mean_best"] == record.best_losses.mean()
    assert row["runs"] == 4
    assert row["success"] == 0.5  # the third run is in the basin, but more than 0.01 above its bottom
    assert row["best_in"] == "2.8863: 3, 5.1923: 1"
    assert row["final_in"] == "2.8863: 1, 5.1923: 2, ∞: 1"


def wilson(successes, runs, z=1.959963984540054):
    share, weight = successes / runs, z * z / runs
    middle, half = share + weight / 2, z * math.sqrt(share * (1 - share) / runs + weight / runs / 4)
    return (middle - half) / (1 + weight), (middle + half) / (1 + weight)


@pytest.mark.parametrize("successes, runs", [(0, 15), (12, 15), (15, 15), (1, 1), (30, 60)])
def test_the_interval_is_wilsons(successes, runs):
    low, high = (point.x for point in SIXTH.minima)
    places = [low] * successes + [high] * (runs - successes)
    (row,) = summarize({("sixth", "Adam"): a_record(places, places)}).to_dict("records")
    assert row["success"] == successes / runs
    assert (row["low"], row["high"]) == pytest.approx(wilson(successes, runs), abs=1e-12)


def minima(key):
    return [point.value for point in TABLE_1[key].minima]


@pytest.mark.parametrize(
    "mean, key, counts",
    [
        (3.3475, "sixth", [12, 3]),  # Hill-ADAM's: 12 of 15 runs in the global minimum
        (4.4237, "sixth", [5, 10]),  # ADAM's
        (-10.4340, "eighth", [0, 0, 0, 15]),
        (4.0, "x2", [15]),
        (0.3125, "fourth", [15]),
    ],
)
def test_the_papers_means_are_mixtures_of_minima(mean, key, counts):
    table = decode_mean(mean, minima(key))
    assert table.iloc[:, :-1].to_numpy().tolist() == [counts]  # that mixture, and no other
    assert table["error"].abs().max() <= 5e-5


def test_decoding_finds_every_mixture_the_closest_first():
    table = decode_mean(0.5, [0.0, 0.49, 1.0], runs=2, rounding=0.02)
    assert table.iloc[:, :-1].to_numpy().tolist() == [[1, 0, 1], [0, 2, 0]]
    assert table["error"].tolist() == pytest.approx([0.0, -0.01])
    assert list(table) == ["0.0000", "0.4900", "1.0000", "error"]
    assert decode_mean(2.0, [0.0, 1.0]).empty
    every = decode_mean(0.0, [0.0, 1.0, 3.0], runs=2, rounding=3.0)  # 3 among them, which is that far off
    assert sorted(every.iloc[:, :-1].to_numpy().tolist()) == [[0, 0, 2], [0, 1, 1], [0, 2, 0], [1, 0, 1], [1, 1, 0],
                                                              [2, 0, 0]]  # fmt: skip


def test_a_mean_decodes_by_accident_as_often_as_a_random_one_does():
    for key, runs in (("tenth", 5), ("eighth", 15), ("sixth", 3)):
        low, high = min(minima(key)), max(minima(key))
        rounding = (high - low) / 2000
        means = np.random.default_rng(0).uniform(low, high, 400)
        share = np.mean([len(decode_mean(mean, minima(key), runs, rounding)) > 0 for mean in means])
        expected = decode_chance(minima(key), runs, rounding)
        assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / 400) + 1e-3
    # Two values and n runs: n + 1 mixtures, each 2 × rounding wide, but the outermost half as wide.
    assert decode_chance([0.0, 1.0], 10, 0.001) == pytest.approx(10 * 0.002)
    assert decode_chance([0.0, 1.0], 10, 1.0) == pytest.approx(1.0)  # they overlap, and count once
    with pytest.raises(ValueError, match="expected at least two different ones"):
        decode_chance([1.0, 1.0])


# The readings --------------------------------------------------------------------------------------------------------


def test_the_readings_cover_what_the_paper_leaves_open():
    table = readings(range(2), 3, gammas=(50.0, math.inf), device="cpu")
    options = ["activation", "scale", "eps", "bias_correction", "gamma"]
    assert list(table)[:7] == [*options, "loss", "optimizer"]
    assert len(table) == 4 * 2 * 2 * 3 * 5  # activations, places of ε, bias corrections, two γ and Adam, losses
    assert not table.duplicated([*options, "loss"]).any()
    assert (table["gamma"].isna() == (table["optimizer"] == "Adam")).all()


def test_a_reading_is_the_table_under_it():
    table = readings([5], 60, gammas=(20.0,), device="cpu").set_index(["activation", "eps", "bias_correction", "gamma"])
    expected = summarize(table1([5], 60, gamma=20.0, activation="tanh", eps="inside", optimizers=["Hill-ADAM"],
                                bias_correction="in_place", device="cpu"))  # fmt: skip
    found = table.loc["tanh", "inside", "in_place", 20.0]
    np.testing.assert_allclose(found["mean_best"], expected["mean_best"], rtol=1e-9)
    np.testing.assert_allclose(found["mean_final"], expected["mean_final"], rtol=1e-9)


def test_the_readings_are_those_that_are_asked_for():
    table = readings([5], 2, (20.0,), activations=["relu"], scales=(1.0, 2.0), eps_places=["outside"],
                     bias_corrections=["copied"], device="cpu")  # fmt: skip
    assert len(table) == 2 * 2 * 5  # scales, Adam and one γ, losses
    assert set(table["eps"]) == {"outside"} and set(table["bias_correction"]) == {"copied"}
    expected = summarize(table1([5], 2, gamma=20.0, activation="relu", scale=2.0, optimizers=["Hill-ADAM"],
                                device="cpu"))  # fmt: skip
    found = table.query("scale == 2 and optimizer == 'Hill-ADAM'")
    np.testing.assert_allclose(found["mean_best"], expected["mean_best"], rtol=1e-9)


def test_the_stored_readings_are_those_of_a_full_run():
    table = stored_readings()
    calls = [{"bias_corrections": ["copied"]},
             {"gammas": (50, 200), "scales": (1.5, 2, 3), "eps_places": ["outside"], "bias_corrections": ["copied"]},
             {"bias_corrections": ["in_place"]}]  # fmt: skip
    small = pd.concat([readings([0], 1, device="cpu", **call) for call in calls], ignore_index=True)
    options = ["activation", "scale", "eps", "bias_correction", "gamma", "loss", "optimizer"]
    assert list(table) == list(small)
    assert table[options].equals(small[options])
    assert ((table["runs"] == 1000) == (table["bias_correction"] == "copied")).all()
    usual = (table["activation"] == "none") & (table["eps"] == "outside") & (table["bias_correction"] == "copied")
    usual &= table["scale"] == 1
    found = table[usual & (table["gamma"] == 200.0)].set_index("loss")["mean_best"]
    for loss in TABLE_1.values():  # with no activation every run finds the global minimum
        assert found[loss.name] == pytest.approx(loss.global_minimum.value, abs=0.02)


@pytest.mark.parametrize("engine", ["compiled", "lock step"])
def test_progress_goes_to_a_bar_that_must_be_asked_for(engine, capsys):
    for progress in ({}, {"progress": False}, {"progress": True}):
        table1([0], 3, losses=["sixth"], engine=engine, device="cpu", **progress)
        assert bool(capsys.readouterr().err) == progress.get("progress", False)


def test_the_papers_steps_and_the_authors_gamma_are_the_defaults():
    run = {"optimizers": ["Hill-ADAM"], "history": True, "device": "cpu"}
    table, same, other = table1([0], **run), table1([0], gamma=200.0, **run), table1([0], gamma=201.0, **run)
    assert all(record.losses.shape == (15_000, 1) for record in table.values())
    assert all((record.losses == same[cell].losses).all() for cell, record in table.items())
    assert any((record.losses != other[cell].losses).any() for cell, record in table.items())


def test_lock_step_keeps_its_history_when_asked():
    for history, rows in ((False, 0), (True, 4)):
        runs = table1([0], 4, losses=["sixth"], engine="lock step", history=history, device="cpu")
        assert {record.losses.shape for record in runs.values()} == {(rows, 1)}


def test_the_readings_hand_on_what_runs_them(monkeypatch):
    asked, ensemble = [], _table1._ensemble
    monkeypatch.setattr(_table1, "_ensemble", lambda *told: asked.append(told) or ensemble(None, *told[1:2], None, 1))
    readings([0], 1, activations=["none"], engine="lock step", device="meta", threads=3)
    assert asked == [("lock step", torch.float64, "meta", 3)]
