"""The digits in lock step are what a reader's own loop gives; their noise turns the δ rule at the rate predicted."""

import math
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hilladam import HillAdam
from hilladam.experiments import (
    CONTENDERS,
    DIGITS_CONTENDERS,
    DIGITS_LR,
    DIGITS_SIZES,
    Record,
    coincidences,
    digits,
    load_digits,
    network,
    summarize_digits,
    tune_digits,
)
from hilladam.optim import CoolMomentum

ONCE_AN_EPOCH = "Hill-ADAM, once an epoch"
GUESSING = math.log(10)
STEPS = 1347 // 64
DELTA = 2e-3  # so wide that a Hill-ADAM turns within a few epochs
MEASURES = ["train_loss", "test_loss", "test_accuracy"]
OWN = {
    "SGD": torch.optim.SGD,
    "momentum": lambda params, lr: torch.optim.SGD(params, lr, momentum=0.9),
    "Nesterov": lambda params, lr: torch.optim.SGD(params, lr, momentum=0.9, nesterov=True),
    "RMSprop": torch.optim.RMSprop,
    "NAdam": torch.optim.NAdam,
    "RAdam": torch.optim.RAdam,
    "Adam": torch.optim.Adam,
    "CoolMomentum": lambda params, lr: CoolMomentum(params, lr, cooling_steps=4 * STEPS),
    "Hill-ADAM": lambda params, lr: HillAdam(params, lr, delta=DELTA, gamma=GUESSING),
    ONCE_AN_EPOCH: lambda params, lr: HillAdam(params, lr, delta=DELTA, gamma=GUESSING),
}


def over(model, images, classes):
    with torch.no_grad():
        logits = model(images)
    hits = (logits.argmax(1) == classes).double().mean().item()
    return nn.functional.cross_entropy(logits, classes).item(), hits


def alone(name, seed, epochs):
    """A reader's loop; the optimizer, and for each epoch training loss, test loss and test accuracy."""
    data, model = load_digits(), network(DIGITS_SIZES, "tanh", seed)
    optimizer, generator = OWN[name](model.parameters(), lr=DIGITS_LR[name]), torch.Generator().manual_seed(seed)
    rows = []
    for epoch in range(epochs + 1):
        train_loss, _ = over(model, data.train_images, data.train_classes)
        rows.append((train_loss, *over(model, data.test_images, data.test_classes)))
        if epoch == epochs:
            return optimizer, model, rows
        order = torch.randperm(1347, generator=generator)
        for step in range(STEPS):
            batch = order[64 * step : 64 * (step + 1)]
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(data.train_images[batch]), data.train_classes[batch])
            loss.backward()
            if name == "Hill-ADAM":
                optimizer.step(loss=loss)
            elif name == ONCE_AN_EPOCH and step == 0:
                optimizer.step(loss=train_loss)
            else:
                optimizer.step()


def rows_of(frame, name, seed):
    return frame[(frame["optimizer"] == name) & (frame["seed"] == seed)].reset_index(drop=True)


def assert_same(found, expected):
    """Two runs of the same thing; rounding may differ, and some hundred steps of training magnify it."""
    for name in ("epochs", "switches", "best"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name), rtol=1e-6)
    assert found.runs.keys() == expected.runs.keys() and found.weights.keys() == expected.weights.keys()
    for name, run in expected.runs.items():
        np.testing.assert_allclose(found.runs[name].losses, run.losses, rtol=1e-6)
    for key, weights in expected.weights.items():
        torch.testing.assert_close(found.weights[key], weights, rtol=1e-6, atol=1e-8)


@pytest.fixture(scope="module")
def record():
    return digits(seeds=(0, 7), epochs=4, delta=DELTA)


@pytest.fixture(scope="module")
def turned():
    """Ten epochs, in which both Hill-ADAMs turn."""
    return digits(["Adam", "Hill-ADAM", ONCE_AN_EPOCH], (1,), 10, delta=8e-3)


# The training --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DIGITS_CONTENDERS)
def test_lock_step_is_one_by_one(record, name):
    for seed in (0, 7):
        optimizer, model, expected = alone(name, seed, 4)
        np.testing.assert_allclose(rows_of(record.epochs, name, seed)[MEASURES], expected, rtol=1e-7)
        ended = nn.utils.parameters_to_vector(model.parameters()).detach()
        torch.testing.assert_close(record.weights[name, seed], ended, rtol=1e-6, atol=1e-9)
        if name == "Hill-ADAM":
            turns = rows_of(record.switches, name, seed)
            assert len(turns) and optimizer.switches == [
                tuple(turn) for turn in turns[["step", "direction", "reason"]].itertuples(index=False)
            ]


def test_all_optimizers_meet_the_same_weights_and_mini_batches():
    still = digits(["SGD", "Adam", "RMSprop"], (0, 1), 2, lr={"SGD": 0.0, "Adam": 0.0, "RMSprop": 0.0})
    sgd, *others = (run.losses for run in still.runs.values())
    for losses in others:
        np.testing.assert_allclose(losses, sgd, rtol=1e-12)
    assert (sgd[:, 0] != sgd[:, 1]).all()
    assert len(set(sgd[:, 0])) == 2 * STEPS  # a new order in every epoch


def test_a_run_is_the_same_again_and_in_any_company(record):
    again = digits(seeds=(0, 7), epochs=4, delta=DELTA)
    assert_same(again, record)
    adam = digits(["Adam"], (7,), 4, delta=DELTA)
    np.testing.assert_allclose(adam.epochs[MEASURES], rows_of(record.epochs, "Adam", 7)[MEASURES], rtol=1e-9)


def test_records_are_equal_if_everything_in_them_is(record):
    one = digits(["SGD", "Hill-ADAM"], (0,), 1)
    assert (one == deepcopy(one)) is True and one != record and one != "a record"
    for part in ("epochs", "best"):
        assert one != replace(one, **{part: getattr(one, part)[:-1]})
    assert one != replace(one, weights={run: row + 1e-9 for run, row in one.weights.items()})
    assert one != replace(one, runs={name: run.member([0, 0]) for name, run in one.runs.items()})


def test_what_trains_returns_the_one_record(record):
    assert list(record.runs) == list(DIGITS_CONTENDERS)
    for name, run in record.runs.items():
        assert isinstance(run, Record) and run.losses.shape == (4 * STEPS, 2) and run.states.shape == (0, 2, 2410)
        np.testing.assert_array_equal(run.best_losses, run.losses.min(axis=0))
        turns = rows_of(record.switches, name, 7)
        assert run.member(1).switches.tolist() == turns["step"].tolist()


def test_every_optimizer_learns_to_read(record):
    last = record.epochs[record.epochs["epoch"] == 4].groupby("optimizer")["test_accuracy"].mean()
    assert (last.drop(["Hill-ADAM", ONCE_AN_EPOCH]) > 0.85).all()
    assert (record.epochs[record.epochs["epoch"] == 0]["train_loss"] - GUESSING).abs().max() < 0.1


def test_without_delta_and_gamma_a_hill_adam_is_adam():
    run = digits(["Adam", "Hill-ADAM", ONCE_AN_EPOCH], (3,), 3, delta=0.0, gamma=math.inf)
    adam, *hills = (each.losses for each in run.runs.values())
    for losses in hills:
        np.testing.assert_allclose(losses, adam, rtol=1e-9)
    assert run.switches.empty and not run.epochs[["close", "expected"]].any(axis=None)


def test_the_record_gives_back_the_networks(record):
    data = load_digits()
    for name in ("Adam", ONCE_AN_EPOCH):
        test_loss, accuracy = over(record.network(name, 7), data.test_images, data.test_classes)
        row = rows_of(record.epochs, name, 7).iloc[-1]
        assert (test_loss, accuracy) == pytest.approx((row["test_loss"], row["test_accuracy"]), rel=1e-12)


def test_the_data_are_split_in_proportion():
    data = load_digits()
    assert [tuple(part.shape) for part in data] == [(1347, 64), (1347,), (450, 64), (450,)]
    images = torch.cat([data.train_images, data.test_images])
    assert images.dtype == torch.float64 and images.min() == 0 and images.max() == 1
    shares = [classes.bincount() / len(classes) for classes in (data.train_classes, data.test_classes)]
    torch.testing.assert_close(*shares, rtol=0, atol=0.002)


# Hill-ADAM -----------------------------------------------------------------------------------------------------------


def test_a_switch_says_which_losses_decided(turned):
    for name, every in (("Hill-ADAM", 1), (ONCE_AN_EPOCH, STEPS)):
        per_epoch = rows_of(turned.epochs, name, 1)["train_loss"].to_numpy()
        judged = turned.runs[name].losses[:, 0] if every == 1 else per_epoch
        turns = rows_of(turned.switches, name, 1)
        assert {"critical", "dead_end"} <= set(turns["reason"])
        for turn in turns.itertuples():
            index = turn.step // every
            assert (turn.previous_loss, turn.loss) == (judged[index - 1], judged[index])
            assert turn.epoch == turn.step // STEPS + 1
            close = abs(turn.loss - turn.previous_loss) < 8e-3
            assert close if turn.reason == "critical" else turn.loss > GUESSING


def test_the_best_mini_batch_is_the_luckiest_and_not_that_of_the_best_weights(turned):
    row = rows_of(turned.best, "Hill-ADAM", 1).iloc[0]
    assert row["best_loss"] == turned.runs["Hill-ADAM"].losses[:, 0].min()
    assert row["best_loss"] < 0.5 * row["train_loss"]
    lowest = rows_of(turned.epochs, "Hill-ADAM", 1)["train_loss"].min()
    assert row["train_loss"] > lowest


def test_judged_once_an_epoch_the_best_loss_is_that_of_the_whole_training_set(turned):
    row = rows_of(turned.best, ONCE_AN_EPOCH, 1).iloc[0]
    epochs = rows_of(turned.epochs, ONCE_AN_EPOCH, 1)[:-1]  # nothing judges the last one
    best = epochs.loc[epochs["train_loss"].idxmin()]
    assert row["best_loss"] == best["train_loss"]
    assert row[MEASURES].tolist() == pytest.approx(best[MEASURES].tolist(), rel=1e-12)


def test_on_the_full_batch_both_hill_adams_are_one():
    run = digits(["Hill-ADAM", ONCE_AN_EPOCH], (0,), 60, None, delta=1e-2)
    ours, other = (each.losses for each in run.runs.values())
    np.testing.assert_allclose(ours, other, rtol=1e-7)
    np.testing.assert_allclose(ours[:, 0], run.epochs["train_loss"][:60], rtol=1e-7)
    ours, other = (rows_of(run.switches, name, 0)[["step", "reason"]] for name in ("Hill-ADAM", ONCE_AN_EPOCH))
    assert len(ours) and ours.equals(other)


def test_the_summary_compares_final_with_final_and_best_with_best(record):
    table = summarize_digits(record)
    assert list(table.loc["final"].index) == list(table.loc["best"].index) == list(DIGITS_CONTENDERS)
    for name in ("Adam", "Hill-ADAM"):
        runs = record.epochs[(record.epochs["optimizer"] == name) & (record.epochs["epoch"] == 4)]
        assert table.loc[("final", name), "test_loss"] == pytest.approx(runs["test_loss"].mean())
        assert table.loc[("final", name), "test_loss_sd"] == pytest.approx(runs["test_loss"].std())
    lowest = record.epochs[record.epochs["optimizer"] == "Adam"].groupby("seed")["train_loss"].min().mean()
    assert table.loc[("best", "Adam"), "train_loss"] == pytest.approx(lowest)
    best = record.best[record.best["optimizer"] == "Hill-ADAM"]
    assert table.loc[("best", "Hill-ADAM"), "train_loss"] == pytest.approx(best["train_loss"].mean())


# The noise -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delta", [1e-3, 1e-2])
def test_chance_turns_as_predicted_where_the_batches_are_large_enough_to_be_normal(delta):
    model = network(DIGITS_SIZES, "tanh", 0)
    table = coincidences(model, (32, 64, 256, 900), delta, draws=5000).set_index("batch_size")
    error = 3 * np.sqrt(table["predicted"] / 5000)
    assert ((table["measured"] - table["predicted"]).abs() < 0.05 * table["predicted"] + error).all()
    assert (table["low"] < table["measured"]).all() and (table["measured"] < table["high"]).all()
    small = table["sigma"] > 2 * delta
    simple = delta / (table["sigma"] * math.sqrt(math.pi))
    assert small.any() and np.allclose(table["predicted"][small], simple[small], rtol=0.03)


def test_the_variance_of_a_difference_is_twice_that_of_a_batch():
    data, model, rng = load_digits(), network(DIGITS_SIZES, "tanh", 0), np.random.default_rng(1)
    with torch.no_grad():
        losses = nn.functional.cross_entropy(model(data.train_images), data.train_classes, reduction="none").numpy()
    first, second = rng.permuted(np.tile(losses, (2000, 1)), axis=1)[:, :600].reshape(-1, 2, 300).mean(2).T
    sigma = coincidences(model, [300], draws=1)["sigma"].item()
    assert (first - second).std() == pytest.approx(math.sqrt(2) * sigma, rel=0.05)
    once, twice = (rng.permuted(np.tile(losses, (2000, 1)), axis=1)[:, :900].mean(1) for _ in range(2))
    sigma = coincidences(model, [900], draws=1)["sigma"].item()
    assert (once - twice).std() == pytest.approx(math.sqrt(2) * sigma, rel=0.05)


@pytest.mark.parametrize("draws", [1, 777])
def test_every_pair_that_is_asked_for_is_drawn_and_no_other(draws):
    sizes = [8, 64, 673, 674, None]
    table = coincidences(network(DIGITS_SIZES, "tanh", 0), sizes, 1e6, draws=draws)
    assert (table["measured"] == 1).all() and (table["predicted"] == 1).all()
    apart = coincidences(network(DIGITS_SIZES, "tanh", 0), sizes[:-1], 0.0, draws=draws)
    assert not apart[["measured", "predicted"]].any(axis=None)


def test_the_expected_count_follows_from_the_noise_at_both_ends_of_an_epoch():
    data, rows = load_digits(), digits(["SGD"], (0,), 2, delta=2e-3).epochs
    with torch.no_grad():
        logits = network(DIGITS_SIZES, "tanh", 0)(data.train_images)
    losses = nn.functional.cross_entropy(logits, data.train_classes, reduction="none")
    assert rows["sigma"][0] == pytest.approx(losses.std().item() / 8)
    chance = [math.erf(2e-3 / (2 * sigma)) for sigma in rows["sigma"]]
    expected = [0, (STEPS - 1) * (chance[0] + chance[1]) / 2, STEPS * (chance[1] + chance[2]) / 2]
    assert rows["expected"].tolist() == pytest.approx(expected)


def test_the_full_batch_has_no_noise():
    row = coincidences(network(DIGITS_SIZES, "tanh", 0), [None], draws=500).iloc[0]
    assert row["batch_size"] == 1347 and row["sigma"] == 0 and row["measured"] == row["predicted"] == 1


def test_small_batches_of_a_trained_network_are_not_normal_and_turn_more_often(record):
    table = coincidences(record.network("SGD", 0), (8, 256), 1e-3).set_index("batch_size")
    assert table.loc[8, "low"] > 1.5 * table.loc[8, "predicted"]
    assert table.loc[256, "measured"] == pytest.approx(table.loc[256, "predicted"], rel=0.2)


def test_weights_that_stand_still_are_turned_by_chance_at_the_rate_expected():
    run = digits(["SGD"], range(6), 12, lr={"SGD": 0.0}, delta=2e-3).epochs
    assert run["expected"].sum() > 60
    assert abs(run["close"].sum() - run["expected"].sum()) < 3 * math.sqrt(run["expected"].sum())


def test_weights_that_learn_are_turned_by_chance_at_the_rate_expected():
    run = digits(["momentum", "NAdam", "Adam"], (0, 1), 12, delta=2e-3).epochs
    early = run[run["train_loss"] > 0.01]  # while the loss still falls
    assert early["expected"].sum() > 60
    assert early["close"].sum() == pytest.approx(early["expected"].sum(), rel=0.35)


def test_close_counts_what_the_losses_say(record):
    within = np.abs(np.diff(record.runs["Adam"].losses[:, 1])) < DELTA
    expected = [0, *np.concatenate([[False], within]).reshape(4, STEPS).sum(1)]
    assert list(rows_of(record.epochs, "Adam", 7)["close"]) == expected and sum(expected)


# The rest ------------------------------------------------------------------------------------------------------------


def test_a_rate_is_judged_by_its_runs():
    table = tune_digits(["SGD", "Adam"], (0.01, 0.1), (100, 101), epochs=2)
    assert list(table.index) == ["SGD", "Adam"] and list(table.columns) == [0.01, 0.1]
    run = digits(["Adam"], (100, 101), 2, lr={"Adam": 0.1}).epochs
    assert table.loc["Adam", 0.1] == pytest.approx(run[run["epoch"] == 2]["train_loss"].mean())


class Stopping(torch.optim.SGD):
    """SGD during whose step of the given number someone presses Ctrl-C."""

    left = 0

    def step(self):
        super().step()
        Stopping.left -= 1
        if Stopping.left == 0:
            raise KeyboardInterrupt


@pytest.fixture
def stop_at(monkeypatch):
    stopping = replace(CONTENDERS["SGD"], make=lambda params, lr, _: Stopping(params, lr))
    monkeypatch.setitem(CONTENDERS, "SGD", stopping)
    return lambda step: monkeypatch.setattr(Stopping, "left", step)


def test_an_interrupt_keeps_the_epochs_that_were_complete(stop_at):
    chosen = dict(optimizers=["Hill-ADAM", "SGD", ONCE_AN_EPOCH], seeds=(0,), delta=8e-3)
    expected = digits(epochs=6, **chosen)
    stop_at(6 * STEPS + 15)
    with pytest.warns(RuntimeWarning, match="Interrupted: 6 of 10 epochs are complete"):
        found = digits(epochs=10, **chosen)
    assert_same(found, expected)
    assert len(expected.switches)


def test_an_interrupt_before_the_first_epoch_is_complete_is_passed_on(stop_at):
    stop_at(5)
    with pytest.raises(KeyboardInterrupt):
        digits(["SGD"], (0,), 2)


def test_an_interrupt_keeps_the_rates_that_are_complete(stop_at):
    expected = tune_digits(["SGD"], (0.1,), (0,), epochs=2)
    stop_at(3 * STEPS + 5)  # in the second epoch of the second rate
    with pytest.warns(RuntimeWarning, match="Interrupted: 1 of 2 rates are complete"):
        found = tune_digits(["SGD"], (0.1, 1.0), (0,), epochs=2)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-9)
    stop_at(STEPS + 5)
    with pytest.raises(KeyboardInterrupt):
        tune_digits(["SGD"], (0.1, 1.0), (0,), epochs=2)


@pytest.mark.filterwarnings("ignore:HillAdam was given a loss that is not finite")
def test_a_run_that_diverges_is_recorded():
    run = digits(["SGD", "Hill-ADAM"], (0,), 2, lr={"SGD": 1e308, "Hill-ADAM": 1e308})
    assert not np.isfinite(run.epochs[run.epochs["epoch"] == 2]["train_loss"]).any()
    assert run.best["train_loss"].item() < 3
    assert summarize_digits(run).loc[("best", "SGD"), "train_loss"] < 3


def test_progress_goes_to_a_bar(capsys):
    digits(["SGD"], (0,), 1, progress=True)
    assert "digits" in capsys.readouterr().err
    digits(["SGD"], (0,), 1)
    assert capsys.readouterr().err == ""
    for progress in (True, False):
        tune_digits(["SGD"], (0.1,), (0,), epochs=1, progress=progress)
        assert ("tune" in capsys.readouterr().err) == progress


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"optimizers": []}, "Invalid optimizers: none; expected at least one"),
        ({"optimizers": ["Adam", "Adam"]}, "Invalid optimizers: .*; expected at least one, and none twice"),
        ({"optimizers": ["Adamax"]}, "Invalid optimizer: 'Adamax'; expected one of"),
        ({"seeds": ()}, "Invalid seeds: none; expected at least one"),
        ({"seeds": (1, 1)}, "Invalid seeds: .*; expected at least one, and none twice"),
        ({"epochs": 2.5}, "Invalid epochs: 2.5; expected an integer >= 1"),
        ({"lr": {"Adam": math.nan}}, "Invalid lr: nan; expected a finite number >= 0"),
        ({"optimizers": ["Langevin"]}, "Invalid optimizer: 'Langevin'; expected one of"),  # a contender, but not here
        ({"epochs": 0}, "Invalid epochs: 0; expected an integer >= 1"),
        ({"batch_size": 0}, "Invalid batch_size: 0; expected 1 to 1347, or None for all images"),
        ({"batch_size": 1348}, "Invalid batch_size: 1348; expected 1 to 1347"),
        ({"lr": {"Adamax": 0.1}}, "Invalid lr: 'Adamax'; expected one of"),
        ({"lr": {"Adam": -1.0}}, "Invalid lr: -1.0; expected a finite number >= 0"),
        ({"delta": -1e-4}, "Invalid delta: -0.0001; expected a finite number >= 0"),
        ({"gamma": -math.inf}, "Invalid gamma value: -inf"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        digits(**arguments)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"batch_sizes": [0]}, "Invalid batch_size: 0; expected 1 to 1347"),
        ({"delta": math.nan}, "Invalid delta: nan; expected a finite number >= 0"),
        ({"draws": 0}, "Invalid draws: 0; expected an integer >= 1"),
        ({"draws": 10.0}, "Invalid draws: 10.0; expected an integer >= 1"),
        ({"batch_sizes": [8, 6.4]}, "Invalid batch_size: 6.4; expected 1 to 1347"),
        ({"batch_sizes": []}, "Invalid batch_sizes: none; expected at least one"),
    ],
)
def test_what_is_refused_of_coincidences(arguments, message):
    with pytest.raises(ValueError, match=message):
        coincidences(network(DIGITS_SIZES, "tanh", 0), **arguments)


def test_logits_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"Invalid model: its logits are of shape \(1347, 4\); expected \(1347, 10\)"):
        coincidences(network((64, 4)), [64], draws=1)


def test_a_run_that_is_not_there_and_rates_that_are_none_are_refused(record):
    with pytest.raises(ValueError, match=r"Invalid run: \('Adam', 3\); expected one of"):
        record.network("Adam", 3)
    with pytest.raises(ValueError, match="Invalid rates: none"):
        tune_digits(["SGD"], [])


def test_coincidences_in_numbers():
    """The defaults, and a batch's σ to the last digits."""
    data, model = load_digits(), network(DIGITS_SIZES, "tanh", 0)
    with torch.no_grad():
        losses = nn.functional.cross_entropy(model(data.train_images), data.train_classes, reduction="none")
    row = coincidences(model, [64]).iloc[0]
    assert row["sigma"] == pytest.approx(losses.std().item() / 8, rel=1e-6)
    assert row["predicted"] == pytest.approx(math.erf(1e-4 / (2 * row["sigma"])))
    assert 0 < row["measured"] < 1 and (row["measured"] * 10_000).is_integer()


def test_a_delta_of_zero_is_met_by_no_pair_not_even_the_full_batch():
    row = coincidences(network(DIGITS_SIZES, "tanh", 0), [None], 0.0, draws=10).iloc[0]
    assert row["measured"] == row["predicted"] == 0


def test_logits_with_one_wrong_dimension_are_refused():
    for shape in ((5, 10), (1347, 10, 2)):
        with pytest.raises(ValueError, match="Invalid model: its logits are of shape"):
            coincidences(lambda images, shape=shape: torch.zeros(shape), [64], draws=1)


def test_a_batch_may_have_one_image_and_delta_is_finite():
    model = network(DIGITS_SIZES, "tanh", 0)
    one, third = coincidences(model, [1, 600], draws=5)["sigma"]
    assert third == pytest.approx(one / math.sqrt(600), rel=1e-12)  # two of 600 share no image: one epoch gives both
    with pytest.raises(ValueError, match="Invalid delta: inf; expected a finite number >= 0"):
        coincidences(model, [1], math.inf, draws=5)


def test_tuning_says_nothing_by_default(capsys):
    tune_digits(["SGD"], (0.1,), (0,), epochs=1)
    assert capsys.readouterr().err == ""


def test_the_summary_s_rows_are_named(record):
    assert summarize_digits(record).index.names == ["network", "optimizer"]
