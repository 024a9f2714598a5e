"""Table 2 in lock step is what a reader's own loop gives, run by run."""

import json
import math
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
import torch

from hilladam import HillAdam, colour
from hilladam.experiments import (
    PAPER_TABLE_2,
    TABLE_2_CONTENDERS,
    TABLE_2_SEEDS,
    TABLE_2_SIZES,
    PositiveGains,
    StackedMLP,
    _table2,
    network,
    stored_table2,
    stored_table2_rates,
    summarize_table2,
    table2,
    table2_rates,
    tabulate,
    wilson_interval,
)
from hilladam.losses import ColourLoss, stack_colours

LOSSES = {"one": ColourLoss((0.65, 0.45, 0.25), (0.2, 0.4, 0.7)), "other": ColourLoss((0.5, 0.4, 0.3), (0.3, 0.4, 0.5))}
PLAIN = {
    "Adam": torch.optim.Adam,
    "RMSprop": torch.optim.RMSprop,
    "NAdam": torch.optim.NAdam,
    "RAdam": torch.optim.RAdam,
    "momentum": lambda params, lr: torch.optim.SGD(params, lr, momentum=0.9),
    "Hill-ADAM": lambda params, lr: HillAdam(params, lr, delta=1e-4, gamma=200.0),
}


def alone(name, loss, seed, steps, lr=1e-2):
    model = network(TABLE_2_SIZES, "sigmoid", seed)
    optimizer, one, losses = PLAIN[name](model.parameters(), lr=lr), torch.ones(1, dtype=torch.float64), []
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss(model(one))
        value.backward()
        optimizer.step(loss=value) if name == "Hill-ADAM" else optimizer.step()
        losses.append(value.item())
    return losses


@pytest.mark.parametrize("name", TABLE_2_CONTENDERS)
def test_lock_step_is_one_by_one(name):
    steps = 90 if name == "Hill-ADAM" else 40
    runs = table2(LOSSES, (100, 5343), steps, optimizers=[name], dtype=torch.float64)
    for key, loss in LOSSES.items():
        for member, seed in enumerate((100, 5343)):
            record = runs[key, name].member(member)
            np.testing.assert_allclose(record.losses, alone(name, loss, seed, steps), rtol=1e-9)
    if name == "Hill-ADAM":
        assert any(len(runs[key, name].member(0).switches) for key in LOSSES)  # else it was only Adam


def test_the_network_has_the_size_of_the_text():
    assert sum(p.numel() for p in network(TABLE_2_SIZES).parameters()) == 82_819


def test_adam_stops_in_the_blue_well_and_hill_adam_has_met_the_global_minimum():
    loss = {"one": LOSSES["one"]}
    table = tabulate(table2(loss, optimizers=["Adam", "Hill-ADAM"]), loss).set_index("optimizer")
    assert (table.loc["Adam", "final_well"] == "red high, blue high").sum() >= 3
    assert (table.loc["Hill-ADAM", "best_well"] == "red high, blue low").all()
    assert (table.loc["Hill-ADAM", "best"] - table.loc["Hill-ADAM", "minimum"] < 0.01).all()
    # A run may pass where it cannot stay, and only a final loss says where it stayed.
    assert (table["best"] <= table["final"]).all()


def test_the_rows_say_what_the_records_hold():
    runs = table2(LOSSES, (7, 8), 30, optimizers=["Adam"])
    table = tabulate(runs, LOSSES, (7, 8))
    assert list(table["pair"]) == ["one", "one", "other", "other"] and list(table["seed"]) == [7, 8, 7, 8]
    record, row = runs["other", "Adam"], table.iloc[3]
    assert row["final"] == record.final_losses[1] == record.losses[-1, 1]
    assert [row["final_red"], row["final_green"], row["final_blue"]] == record.final_states[1].tolist()
    assert row["best"] == record.best_losses[1] == record.losses[:, 1].min()
    assert [row["best_red"], row["best_green"], row["best_blue"]] == record.best_states[1].tolist()
    assert row["minimum"] == LOSSES["other"].global_minimum.value
    assert tabulate(runs, LOSSES, iter((7, 8))).equals(table)
    with pytest.raises(ValueError, match="Invalid seeds: 4 of them; expected one for each of 2 runs"):
        tabulate(runs, LOSSES)


def test_the_summary_counts_runs():
    table = tabulate(table2(LOSSES, (7,), 5, optimizers=["Adam"]), LOSSES, (7,))
    table = table.assign(minimum=1.0, best=[1.005, 2.0], final=[3.0, math.nan])
    table.loc[0, "final_red"], table.loc[1, "final_red"] = 0.0, -0.1
    row = summarize_table2(table).loc["Adam"]
    assert row["runs"] == 2 and row["best_global"] == 0.5 and row["final_global"] == 0.0
    assert row["best_low"] == wilson_interval(0, 1).low and row["best_high"] == wilson_interval(1, 1).high  # one seed
    assert row["best_excess"] == pytest.approx((0.005 + 1.0) / 2)
    assert row["final_excess"] == math.inf  # half of the runs diverged
    assert row["negative"] == 0.5
    both = pd.concat([table.assign(optimizer="Hill-ADAM"), table])
    assert list(summarize_table2(both).index) == ["Hill-ADAM", "Adam"]  # as they come


def test_a_seed_counts_once_however_many_losses_it_is_run_on():
    losses = {str(i): LOSSES["one"] for i in range(6)}
    table = tabulate(table2(losses, (7, 8, 9, 10), 2, optimizers=["Adam"]), losses, (7, 8, 9, 10))
    table = table.assign(minimum=0.0, best=np.where(table["seed"] < 9, 0.0, 1.0), final=1.0)
    row = summarize_table2(table).loc["Adam"]
    assert row["runs"] == 24 and row["best_global"] == 0.5
    assert (row["best_low"], row["best_high"]) == wilson_interval(2, 4)
    assert (row["final_low"], row["final_high"]) == wilson_interval(0, 4)


def test_the_rates_count_the_losses_of_each_seed():
    rates, exact = (0.003, 0.01), {"steps": 200, "dtype": torch.float64}
    table = table2_rates(LOSSES, (7, 100), rates, optimizers=["Hill-ADAM", "Adam"], **exact)
    assert table[["lr", "optimizer", "seed"]].values.tolist() == [
        [lr, name, seed] for lr in (0.003, 0.01) for name in ("Hill-ADAM", "Adam") for seed in (7, 100)
    ]
    assert (table["losses"] == 2).all()
    for name in ("Hill-ADAM", "Adam"):
        rows = tabulate(table2(LOSSES, (7, 100), lr=0.01, optimizers=[name], **exact), LOSSES, (7, 100))
        for seed, one in rows.groupby("seed"):
            (row,) = table.query(f"lr == 0.01 and optimizer == '{name}' and seed == {seed}").to_dict("records")
            assert row["best_global"] == (one["best"] < one["minimum"] + 0.01).sum()
            assert row["final_global"] == (one["final"] < one["minimum"] + 0.01).sum()
            assert row["final_blue"] == (one["final_well"] == "red high, blue high").sum()
            assert row["negative"] == (one[["final_red", "final_green", "final_blue"]] < 0).any(axis=1).sum()
    assert table["best_global"].sum() > table["final_global"].sum() + 1  # which are not the same
    assert table.query("lr == 0.01 and optimizer == 'Adam'")["final_blue"].sum() == 4


def test_optimizers_of_any_kind_are_run_at_every_rate():
    rates, names = [0.003, 0.01], ["Adam", "NAdam"]
    tables = [table2_rates(LOSSES, [7], rates, optimizers=kind(names), steps=2) for kind in (list, iter)]
    assert tables[0].equals(tables[1]) and len(tables[0]) == 4


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"seeds": [7, 7]}, r"Invalid seeds: \[7, 7\]; expected at least one, and none twice"),
        ({"seeds": []}, "Invalid seeds: none; expected at least one"),
        ({"lrs": []}, "Invalid lrs: none; expected at least one"),
        ({"lrs": [0.1, 0.1]}, r"Invalid lrs: \[0.1, 0.1\]; expected at least one, and none twice"),
        ({"optimizers": []}, "Invalid optimizers: none; expected at least one"),
        ({"optimizers": ["Adam", "Adam"]}, "Invalid optimizers: .* none twice"),
    ],
)
def test_rates_that_would_count_nothing_or_something_twice_are_refused(arguments, message, monkeypatch):
    monkeypatch.setattr(_table2, "table2", lambda *_, **__: pytest.fail("it computes"))
    with pytest.raises(ValueError, match=message):
        table2_rates(LOSSES, **{"seeds": [7], "lrs": [0.1], "optimizers": ["Adam"]} | arguments)


def test_the_stored_rates_are_complete_and_are_reproduced():
    stored = stored_table2_rates()
    assert len(stored) == 6 * len(TABLE_2_CONTENDERS) * 120 and not stored.duplicated(["lr", "optimizer", "seed"]).any()
    assert list(stored["optimizer"].unique()) == list(TABLE_2_CONTENDERS)
    pairs = {pair.name: pair for pair in colour.pairs()}
    losses = {
        name: ColourLoss(colour.channel_means(pair.source), colour.channel_means(pair.target))
        for name, pair in pairs.items()
    }
    again = table2_rates(losses, [3], [0.003], optimizers=["Adam"], steps=300)
    kept = stored.query("lr == 0.003 and optimizer == 'Adam' and seed == 3")
    columns = ["losses", "final_global", "final_blue", "negative"]
    assert again[columns].values.tolist() == kept[columns].values.tolist()  # it has settled by then


def test_a_run_that_diverges_is_in_no_well():
    runs = table2({"one": LOSSES["one"]}, (5343,), 60, lr=10.0, optimizers=["momentum"])
    row = tabulate(runs, LOSSES, (5343,)).iloc[0]
    assert math.isnan(row["final"]) and row["final_well"] == "none" and math.isfinite(row["best"])


def test_where_no_channel_has_two_wells_there_is_only_one():
    one = {"one": ColourLoss((0.65, 0.45, 0.25), (0.2, 0.4, 0.7), red=None, blue=None)}
    row = tabulate(table2(one, (100,), 3, optimizers=["Adam"]), one, (100,)).iloc[0]
    assert row["best_well"] == row["final_well"] == "only"


def test_positive_gains_are_positive_and_train():
    model = PositiveGains(StackedMLP([0, 1], (1, 4, 3), "sigmoid"))
    assert (model() > 0).all()
    loss = {"one": ColourLoss((0.65, 0.45, 0.25), (0.2, 0.4, 0.7), red=None, blue=None)}
    run = table2(loss, (100,), 400, optimizers=["Adam"], positive=True)["one", "Adam"]
    assert (run.states > 0).all()
    np.testing.assert_allclose(run.final_states[0], loss["one"].global_minimum.gains, rtol=0.02)


def test_the_stored_table_is_complete_and_is_reproduced():
    stored = stored_table2()
    assert stored.groupby(["pair", "optimizer"]).ngroups == 12 * len(TABLE_2_CONTENDERS)
    assert set(stored["seed"]) == set(TABLE_2_SEEDS) and len(stored) == 12 * 4 * len(TABLE_2_CONTENDERS)
    assert set(PAPER_TABLE_2) < set(TABLE_2_CONTENDERS)
    losses = {
        pair.name: ColourLoss(colour.channel_means(pair.source), colour.channel_means(pair.target))
        for pair in colour.pairs()
    }
    for name, rows in stored.groupby("pair"):
        np.testing.assert_allclose(rows["minimum"], losses[name].global_minimum.value, rtol=1e-9)
    name = "rocket to coffee"
    again = tabulate(table2({name: losses[name]}, (100,), 300, optimizers=["Adam"], history=False), losses, (100,))
    rows = stored[(stored["pair"] == name) & (stored["optimizer"] == "Adam") & (stored["seed"] == 100)]
    np.testing.assert_allclose(again["final"], rows["final"], atol=1e-3)  # it has settled by then


def test_an_interrupt_keeps_the_optimizers_that_have_finished(monkeypatch):
    names, loss = ["Adam", "NAdam", "RMSprop"], {"one": LOSSES["one"]}
    whole = table2(loss, (7,), 5, optimizers=names)
    left = iter([*[False] * 12, True])

    def pressed(states):
        if next(left, False):
            raise KeyboardInterrupt
        return stacked(states)

    stacked = stack_colours([LOSSES["one"]], dtype=torch.float32)
    monkeypatch.setattr(_table2, "stack_colours", lambda *_, **__: pressed)
    with pytest.warns(RuntimeWarning, match="Interrupted: 2 of 3 optimizers are complete"):
        found = table2(loss, (7,), 5, optimizers=names)
    assert list(found) == [("one", "Adam"), ("one", "NAdam")]
    assert all(found[key].losses.shape == whole[key].losses.shape == (5, 1) for key in found)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"losses": LOSSES, "optimizers": ["Adam", "Adam"]}, r"Invalid optimizers: .*; expected .* none twice"),
        ({"losses": LOSSES, "lr": math.nan}, "Invalid lr: nan; expected a finite number >= 0"),
        ({"losses": LOSSES, "delta": math.nan, "optimizers": ["Hill-ADAM"]}, "Invalid delta value: nan"),
        ({"losses": {}}, "Invalid losses: none"),
        ({"losses": LOSSES, "seeds": []}, "Invalid seeds: none"),
        ({"losses": LOSSES, "optimizers": []}, "Invalid optimizers: none"),
        ({"losses": LOSSES, "optimizers": ["Adamax"]}, "Invalid optimizer: 'Adamax'; expected one of"),
        ({"losses": LOSSES, "steps": 0}, "Invalid steps: 0"),
        ({"losses": LOSSES, "lr": -1.0}, "Invalid lr: -1.0; expected a finite number >= 0"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        table2(**arguments)


def test_tables_without_rows_are_refused():
    with pytest.raises(ValueError, match="Invalid runs: none"):
        tabulate({}, LOSSES)
    with pytest.raises(ValueError, match="Invalid losses: none for 'one'"):
        tabulate(table2({"one": LOSSES["one"]}, (7,), 1, optimizers=["Adam"]), {"other": LOSSES["other"]}, (7,))
    with pytest.raises(ValueError, match="Invalid table: it has no rows"):
        summarize_table2(stored_table2()[:0])


def test_progress_goes_to_a_bar(capsys):
    for progress in (True, False):
        table2({"one": LOSSES["one"]}, (7,), 1, optimizers=["NAdam"], progress=progress)
        assert ("NAdam" in capsys.readouterr().err) == progress


def test_the_stored_numbers_are_read_to_the_last_digit():
    text = (files("hilladam.experiments") / "table2.json").read_text("utf-8")
    written, read = pd.DataFrame(json.loads(text)), stored_table2()
    for column in ("minimum", "best", "final", "best_red", "final_blue"):
        np.testing.assert_array_equal(read[column], written[column].astype(float))


def test_the_papers_settings_are_the_defaults(monkeypatch):
    made = []

    def one_step(model, loss, optimizer, steps, **options):
        made.append((model, optimizer, steps, options))
        return train_in_full(model, loss, optimizer, 1, **options)

    train_in_full = _table2.train_in_full
    monkeypatch.setattr(_table2, "train_in_full", one_step)
    table2({"one": LOSSES["one"]}, (7,), optimizers=["Hill-ADAM"], device="cpu")
    table2({"one": LOSSES["one"]}, (7,), optimizers=["Adam"], positive=True, history=False, device="cpu")
    (model, (optimizer,), steps, options), (positive, _, _, others) = made
    assert steps == 1000 and options == {"history": True, "progress": ""} and not others["history"]
    assert {key: optimizer.defaults[key] for key in ("lr", "delta", "gamma")} == {
        "lr": 1e-2,
        "delta": 1e-4,
        "gamma": 200.0,
    }
    assert isinstance(positive, PositiveGains) and not isinstance(model, PositiveGains)
    assert (positive() > 0).all()


def test_a_well_is_named_by_the_minimum_of_each_channel_that_has_two():
    red, green, blue = (channel.minima for channel in LOSSES["one"].channels)
    assert (len(red), len(green), len(blue)) == (2, 1, 2)
    gains = np.array([(red[i].x, green[0].x, blue[j].x) for i in (0, 1) for j in (0, 1)])
    names = [f"red {r}, blue {b}" for r in ("low", "high") for b in ("low", "high")]
    assert _table2._wells(LOSSES["one"], gains) == names
