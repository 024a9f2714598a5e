"""`python -m hilladam`, as a shell sees it."""

import json
import os
import signal
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch

from hilladam import colour, experiments
from hilladam.__main__ import main


@pytest.fixture
def call(capsys):
    """Run a command in this interpreter: its exit status, standard output and standard error."""
    threads = torch.get_num_threads()

    def call(*arguments):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:  # argparse's way out
            status = end.code
        return status, *capsys.readouterr()

    yield call
    torch.set_num_threads(threads)


def start(*arguments):
    command = [sys.executable, "-m", "hilladam", *map(str, arguments)]
    # A shell's background jobs, and what they start, would ignore Ctrl-C.
    attend = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=attend)


def read(file):
    return json.loads(file.read_text(encoding="utf-8"), parse_constant=pytest.fail)  # NaN and Infinity are not JSON


def test_table_1_is_printed_and_written(tmp_path):
    file = tmp_path / "table.json"
    process = start("table1", "--seeds", 2, "--steps", 50, "--json", file)
    out, err = process.communicate()
    assert process.returncode == 0, err.decode()
    assert [word for word in out.decode().split() if word in ("Adam", "Hill-ADAM")] == ["Adam", "Hill-ADAM"] * 5
    rows = read(file)
    assert len(rows) == 10
    assert [(row["loss"], row["optimizer"]) for row in rows[:2]] == [("x² + 4", "Adam"), ("x² + 4", "Hill-ADAM")]
    for row in rows:
        assert row["mean_best"] <= row["mean_final"]
        assert row["low"] <= row["success"] <= row["high"]
    assert list(tmp_path.iterdir()) == [file]


def test_the_options_reach_the_experiment(call, tmp_path):
    tables = []
    for number, options in enumerate([[], ["--lr", 0.1], ["--activation", "relu"], ["--gamma", 10], ["--delta", 1.0],
                                      ["--seeds", 2], ["--steps", 61]]):  # fmt: skip
        file = tmp_path / f"{number}.json"
        assert call("table1", "--seeds", 1, "--steps", 60, *options, "--json", file)[0] == 0
        tables.append(file.read_text(encoding="utf-8"))
    assert len(set(tables)) == len(tables)


def test_table_2_of_two_photographs_is_printed_and_written(call, tmp_path):
    rng = np.random.default_rng(0)
    shape = (40, 60, 3)
    colour.save(rng.uniform(0.4, 0.8, shape) * [1, 0.7, 0.4], tmp_path / "amber room.png")
    colour.save(rng.uniform(0.4, 0.8, shape) * [0.4, 0.7, 1], tmp_path / "blue.jpg")
    out, file = tmp_path / "corrected", tmp_path / "rows.json"
    status, printed, err = call("table2", "--source", tmp_path / "amber room.png", "--target", tmp_path / "blue.jpg",
                                "--seeds", 100, 7, "--steps", 60, "--out", out, "--json", file)  # fmt: skip
    assert status == 0, err
    assert all(name in printed for name in experiments.TABLE_2_CONTENDERS)
    rows = read(file)
    assert len(rows) == 2 * len(experiments.TABLE_2_CONTENDERS) and {row["seed"] for row in rows} == {7, 100}
    gains = json.loads((out / "gains.json").read_text(encoding="utf-8"))
    assert sorted(gains) == sorted(path.name for path in out.glob("*.png"))
    # Each photograph is the whole source, in full size, with the gains of its optimizer's best run.
    source = colour.load(tmp_path / "amber room.png", size=None)
    for name, found in gains.items():
        best = min((row for row in rows if row["optimizer"] == found["optimizer"]), key=lambda row: row["best"])
        assert found["best"] == best["best"] and found["seed"] == best["seed"]
        corrected = colour.load(out / name, size=None)
        np.testing.assert_allclose(corrected, colour.apply_gains(source, found["gains"]), atol=0.5 / 255 + 1e-9)


def test_table_2_without_photographs_is_of_the_twelve_pairs(call, tmp_path):
    file = tmp_path / "rows.json"
    assert call("table2", "--seeds", 100, "--steps", 1, "--json", file)[0] == 0
    assert [row["pair"] for row in read(file)][:12] == [pair.name for pair in colour.pairs()]


@pytest.mark.parametrize("options, message", [
    (("--source", "a.png"), "--source and --target go together"),
    (("--source", "missing.png", "--target", "missing.png"), "missing.png"),
    (("--source", "empty.png", "--target", "empty.png"), "empty.png"),
    (("--out", "empty.png"), "empty.png"),
    (("--seeds", "-1"), "-1 is not a seed"),
    (("--seeds", "1.5"), "1.5 is not a seed"),
])  # fmt: skip
def test_table_2_refuses_what_it_cannot_use(call, options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.png").touch()
    status, out, err = call("table2", *options)
    assert (status, out) == (2, "")
    assert message in err.splitlines()[-1] and "Traceback" not in err


@pytest.mark.parametrize("option", ["--out", "--json"])
def test_a_folder_without_permission_is_refused_before_the_work(call, option, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the tests may run as root, who may write anywhere
    monkeypatch.setattr(experiments, "table2", lambda *_, **__: pytest.fail("the work was done"))
    status, out, err = call("table2", option, tmp_path / "new")
    assert (status, out) == (2, "")
    assert "no permission to write" in err.splitlines()[-1] and "Traceback" not in err


def test_numbers_that_json_does_not_have(call, tmp_path):
    file = tmp_path / "table.json"
    status, _, err = call("table1", "--seeds", 1, "--steps", 9, "--lr", 1e60, "--gamma", "inf", "--json", file)
    assert status == 0, err
    assert None in [row["mean_final"] for row in read(file)]


def test_the_readings_are_printed_and_written(call, tmp_path):
    file = tmp_path / "readings.json"
    assert call("readings", "--seeds", 1, "--steps", 2, "--json", file)[0] == 0
    assert {row["gamma"] for row in read(file)} == {None, 50.0, 200.0, "inf"}


def test_the_learning_rates_are_printed_and_written(call, tmp_path, monkeypatch):
    monkeypatch.setattr(experiments, "COURSES", ("double_well",))
    file = tmp_path / "race.json"
    assert call("tune", "--runs", 2, "--evaluations", 2, "--json", file)[0] == 0
    (row,) = read(file)
    assert row.pop("course") == "double_well"
    assert list(row) == list(experiments.RACE_CONTENDERS)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("table1 --seeds 0", "0 is not a positive whole number"),
        ("table1 --seeds=-3", "-3 is not a positive whole number"),
        ("table1 --steps many", "many is not a positive whole number"),
        ("table1 --steps 1.5", "1.5 is not a positive whole number"),
        ("table1 --gamma high", "argument --gamma: invalid float value: 'high'"),
        ("table1 --activation swish", "argument --activation: invalid choice: 'swish'"),
        ("table1 --device abacus", "argument --device: abacus: "),
        ("table1 --lr nan", "hilladam: Invalid lr: nan"),
        ("table1 --lr=-1", "hilladam: Invalid lr: -1.0"),
        ("table1 --delta=-1", "hilladam: Invalid delta: -1.0"),
        ("table1 --gamma nan", "hilladam: Invalid gamma: nan"),
        ("table3", "invalid choice: 'table3'"),
        ("", "the following arguments are required: experiment"),
    ],
)
def test_bad_arguments_get_one_line_and_exit_with_2(call, arguments, message):
    status, out, err = call(*arguments.split())
    assert (status, out) == (2, "")
    assert message in err.splitlines()[-1]
    assert all(line.startswith(("usage:", " ")) for line in err.splitlines()[:-1])  # argparse's reminder, no traceback


@pytest.mark.parametrize(
    "target, message", [("missing/table.json", "there is no folder missing"), (".", ". is a folder")]
)
def test_a_file_that_cannot_be_written_is_refused_at_once(call, target, message, tmp_path, monkeypatch):
    monkeypatch.setattr(experiments, "table1", lambda *_, **__: pytest.fail("it computes"))
    monkeypatch.chdir(tmp_path)
    status, _, err = call("table1", "--json", target)
    assert status == 2
    assert message in err.splitlines()[-1]


def test_ctrl_c_leaves_no_file_and_not_half_of_one(tmp_path):
    process = start("table1", "--seeds", 2, "--steps", 10**6, "--json", tmp_path / "table.json")
    try:
        bar = ""
        while "it/s]" not in bar:  # until steps are being counted
            bar += process.stderr.read(1).decode(errors="replace")
            assert process.poll() is None, bar
        for _ in range(6):
            process.send_signal(signal.SIGINT)
            try:
                out, err = process.communicate(timeout=20)
                break
            except subprocess.TimeoutExpired:  # Python drops an interrupt that meets it in a destructor
                continue
    finally:
        process.kill()
    assert process.returncode == 130
    assert out == b""
    assert err.decode(errors="replace").splitlines()[-1] == "Interrupted: nothing was written."
    assert b"Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_could_not_be_finished_is_not_left_behind(call, tmp_path, monkeypatch):
    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="no space left"):
        call("table1", "--seeds", 1, "--steps", 1, "--json", tmp_path / "table.json")
    assert list(tmp_path.iterdir()) == []


def test_help_names_every_option(call):
    status, out, _ = call("table1", "--help")
    assert status == 0
    for option in ("--seeds", "--steps", "--device", "--activation", "--gamma", "--delta", "--lr", "--json"):
        assert option in out
