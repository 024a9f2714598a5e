"""The experiments again: that what is stored is whole and comes out, and that the digits are read as told."""

import json
from importlib.resources import files

import numpy as np
import pytest
import torch
from torch import nn

from hilladam import AdaptiveHillAdam, colour
from hilladam._commands import to_json
from hilladam.experiments import (
    DIGITS_LR,
    TABLE_2_SIZES,
    Networks,
    again_results,
    digits,
    load_digits,
    network,
    stored_again,
    stored_against_restarts,
)
from hilladam.experiments import _again as module
from hilladam.losses import TABLE_1, ColourLoss

pytest.importorskip("numba")

POLYNOMIALS = ("3000 gradients", "table 1")


def test_everything_is_stored_and_reads_back():
    text = (files("hilladam.experiments") / "again.json").read_bytes()
    rows = json.loads(text)
    assert [module.key_of(row) for row in rows] == module.keys() == list(stored_again())
    again = [row | {"measures": {n: module._packed(m) for n, m in module.measures_of(row).items()}} for row in rows]
    assert json.loads(to_json(again)) == rows
    for (experiment, *_), found in stored_again().items():
        sizes = {values.shape for values in found.values()}
        expected = {"colour": 12, "digits": 20}.get(experiment, module.RUNS)
        assert sizes == {(expected,)}


@pytest.mark.own_rounding  # what is stored was not rounded otherwise
def test_a_part_run_again_is_what_is_stored():
    stored = stored_again()
    wanted = {("3000 gradients", "eighth, weights × 3", "self-tuning, finished"), ("table 1", "tenth", "Adam"),
              ("3000 gradients", "tenth, x itself", "self-tuning"), ("table 1", "sixth", "published"),
              ("3000 gradients", "sixth, x itself", "self-tuning, finished"),
              ("table 1", "tenth", "self-tuning, finished")}  # fmt: skip
    done = set(module.keys()) - wanted
    found = list(again_results(done, experiments=POLYNOMIALS, runs=4))
    assert {module.key_of(row) for row in found} == wanted
    for row in found:
        assert row["lr"] == (None if row["contender"].startswith("self-tuning") else 0.01)
        for name, values in module.measures_of(row).items():
            np.testing.assert_array_equal(values, stored[module.key_of(row)][name][:4])


def test_the_rule_that_tunes_itself_begins_where_search_200_does_and_is_told_when_to_finish(monkeypatch):
    asked, original = [], module.run_landscapes

    def run_landscapes(landscapes, starts, *numbers, **settings):
        asked.append((landscapes, np.array(starts), *numbers, settings))
        return original(landscapes, starts, 2)

    monkeypatch.setattr(module, "run_landscapes", run_landscapes)
    done = [key for key in module.keys() if not key[2].startswith("self-tuning")]
    rows = list(again_results(done, experiments=POLYNOMIALS, runs=2))
    places = {f"{key}, x itself": (key, None) for key in TABLE_1} | {key: (key, 1.0) for key in TABLE_1}
    places |= {f"{key}, weights × {scale:g}": (key, scale) for key in TABLE_1 for scale in (1.0, 3.0)}
    for row, (landscapes, starts, steps, settings) in zip(rows, asked, strict=True):
        (key, scale), finished = places[row["case"]], row["contender"].endswith("finished")
        assert steps == {"table 1": 15_000, "3000 gradients": 3000}[row["experiment"]]
        assert settings == {"finish": steps // 10 * finished}
        for search, start in zip((200, 201), starts, strict=True):
            if scale is None:
                assert landscapes == [TABLE_1[key]] and start == np.random.default_rng(search).uniform(-2, 6)
            else:
                weights = nn.utils.parameters_to_vector(network(seed=search).parameters())
                assert landscapes == [Networks(TABLE_1[key])] and start.tolist() == (scale * weights).tolist()


def test_adam_and_the_published_rule_have_the_papers_settings(monkeypatch):
    asked, original = [], module._Weights.run

    def run(starts, loss, turns, steps, **settings):
        asked.append((starts.searches.tolist(), starts.scale, loss, turns.tolist(), steps, settings))
        return original(starts, loss, turns, 2, **settings)

    monkeypatch.setattr(module._Weights, "run", run)
    done = [key for key in module.keys() if key[2].startswith("self-tuning")]
    rows = list(again_results(done, experiments=["table 1"], runs=2))
    expected = [(loss, {"lr": 0.01, "delta": delta}) for loss in TABLE_1.values() for delta in (0.0, 1e-4)]
    assert asked == [([200, 201], 1.0, loss, [0, 0], 15_000, settings) for loss, settings in expected]
    assert [row["contender"] for row in rows] == ["Adam", "published"] * 5


@pytest.mark.own_rounding
def test_adam_takes_the_best_of_its_rivals_rates(monkeypatch):
    asked, original = [], module._starts
    monkeypatch.setattr(module, "_starts", lambda who, scale: asked.append((list(who), scale)) or original(who, scale))
    monkeypatch.setattr(module, "TUNING", 12)
    done = set(module.keys()) - {("3000 gradients", "sixth, x itself", "Adam")}
    (row,) = again_results(done, experiments=["3000 gradients"], runs=5)
    rates = sorted({lr for loss, scale, lr, _ in stored_against_restarts() if (loss, scale) == ("sixth", None)})
    assert asked == [(list(range(12)), None)] * len(rates) + [(list(range(12, 17)), None)]
    starts = original(range(12), None)
    low = TABLE_1["sixth"].global_minimum.value + 0.01
    runs = [starts.run(TABLE_1["sixth"], np.zeros(12, int), 3000, lr=lr, delta=0.0) for lr in rates]
    counts = [(run.best_losses < low).sum() for run in runs]
    assert row["lr"] == rates[int(np.argmax(counts))] and len(set(counts)) > 1


def by_torch(weights, loss, steps, finish):
    weights = nn.Parameter(weights)
    optimizer, losses = AdaptiveHillAdam([weights]), []

    def closure():
        optimizer.zero_grad()
        value = loss(weights)
        value.backward()
        return value

    for _ in range(steps - finish):
        losses.append(optimizer.step(closure).item())
    turns, last = [step for step, *_ in optimizer.switches], weights.detach().clone()
    optimizer.load_best()
    best = weights.detach().clone()
    if finish:
        optimizer.finish(closure, finish)
        last = weights.detach()
    return np.array(losses), best, last, turns


@pytest.mark.own_rounding  # a noisy decision magnifies the last bit
@pytest.mark.parametrize(
    "size, steps, finish, seed", [(64, 16, 0, 3), (64, 16, 4, 3), (None, 16, 0, 3), (None, 40, 6, 5)]
)
def test_the_digits_are_read_by_a_plain_loop(size, steps, finish, seed):
    pytest.importorskip("sklearn")
    data, dice = load_digits(), torch.Generator().manual_seed(seed)
    model = network(module.DIGITS_SIZES, "tanh", seed)
    order = torch.randperm(len(data.train_images), generator=dice)

    batches = iter(order.split(size) if size else [order] * steps)

    def loss(weights):
        batch = next(batches)
        w1, b1, w2, b2 = weights.split([32 * 64, 32, 10 * 32, 10])
        hidden = torch.tanh(data.train_images[batch] @ w1.view(32, 64).T + b1)
        return nn.functional.cross_entropy(hidden @ w2.view(10, 32).T + b2, data.train_classes[batch])

    weights = nn.utils.parameters_to_vector(model.parameters()).detach()
    losses, best, last, turns = by_torch(weights, loss, steps, finish)
    found = module.read_digits([seed], steps, size, finish)
    for name, weights in (("best", best), ("final", last)):
        nn.utils.vector_to_parameters(weights, model.parameters())
        whole = nn.functional.cross_entropy(model(data.train_images), data.train_classes).item()
        assert found[name][0] == pytest.approx(whole, rel=1e-6 if steps == 16 else 1e-3)
    assert found["lowest"].tolist() == [losses.argmin()]
    assert (found["first"][0], found["turns"][0]) == ((turns or [-1])[0], len(turns)) and bool(turns) == (steps == 40)


@pytest.mark.own_rounding
def test_the_digits_are_adams_and_those_of_the_rule_that_tunes_itself(monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.setattr(module, "DIGITS_EPOCHS", 2)
    monkeypatch.setattr(module, "_DIGITS_STEPS", 20)
    rows = again_results(experiments=["digits"], digits_seeds=[4, 9])
    for case, size, epochs in (("mini-batches", 64, 2), ("all images", None, 20)):
        row, losses = next(rows), digits(["Adam"], [4, 9], epochs, size).epochs.groupby("seed")["train_loss"]
        assert (row["case"], row["contender"], row["lr"]) == (case, "Adam", DIGITS_LR["Adam"])
        assert row["measures"] == {"best": losses.min().tolist(), "final": losses.last().tolist()}
        for contender, finish in (("self-tuning", 0), ("self-tuning, finished", 2)):
            row, alone = next(rows), [module.read_digits([seed], 20, size, finish) for seed in (4, 9)]
            assert (row["case"], row["contender"], row["lr"]) == (case, contender, None)
            for name, values in module.measures_of(row).items():
                np.testing.assert_allclose(values, np.concatenate([one[name] for one in alone]), rtol=1e-9)
    assert next(rows, None) is None


@pytest.mark.own_rounding
def test_a_pair_of_photographs_is_trained_by_a_plain_loop(monkeypatch):
    pytest.importorskip("skimage")
    monkeypatch.setattr(module, "_COLOUR_STEPS", 12)
    (row,) = again_results(experiments=["colour"], seeds=[4])
    assert row["case"] == "seed 4"
    pair = colour.pairs()[2]
    loss = ColourLoss(colour.channel_means(pair.source), colour.channel_means(pair.target))
    model = network(TABLE_2_SIZES, "sigmoid", 4, torch.float32)
    optimizer = AdaptiveHillAdam(model.parameters())
    for _ in range(12):
        optimizer.zero_grad()
        value = loss(model(torch.ones(1, 1))[0])
        value.backward()
        optimizer.step(loss=value)
    lowest = optimizer.load_best()
    found = module.measures_of(row)
    assert found["best"][2] == pytest.approx(lowest - loss.global_minimum.value, abs=1e-3)
    gains = model(torch.ones(1, 1))[0].tolist()
    assert [found[name][2] for name in ("red", "green", "blue")] == pytest.approx(gains, abs=1e-3)


@pytest.mark.parametrize(
    "arguments, message",
    [({"experiments": ["table 3"]}, "Invalid experiment: 'table 3'"), ({"runs": 0}, "Invalid runs: 0")],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        next(again_results(**arguments))
