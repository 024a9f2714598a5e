"""`python -m hilladam`, as a shell sees it."""

import io
import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import hilladam
from hilladam import colour, experiments
from hilladam.__main__ import main
from hilladam.experiments import _championship, _race_results

SHORT = "table1 --seeds 1 --steps 2"


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
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def shell(command, **environment):
    """What becomes of a shell's line in which `hilladam` is the command."""
    line = command.replace("hilladam", f"{shlex.quote(sys.executable)} -m hilladam", 1)
    done = subprocess.run(["bash", "-c", line], capture_output=True, env=os.environ | environment)
    assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr, done.stderr.decode()
    return done


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
                                "--seeds", 100, 7, "--steps", 6, "--out", out, "--json", file)  # fmt: skip
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
    (("--seeds", "7", "8", "7"), "argument --seeds: 7 is there twice"),
    (("--source", "a.png", "--target", "b.png", "--json", "b.png"), "b.png would be written over b.png"),
    (("--source", "a.png", "--target", "c.png", "--out", "."), "a-Adam.png would be written over c.png"),
    (("--out", ".", "--json", "gains.json"), "gains.json would be written over gains.json"),
    (("--out", ".", "--json", "./sub/../gains.json"), "gains.json would be written over sub/../gains.json"),
    (("--out", "taken"), "astronaut-to-coffee-RAdam.png is a folder"),
    (("--source", f"{'n' * 251}.png", "--target", "b.png", "--out", "."), "File name too long"),
])  # fmt: skip
def test_table_2_refuses_what_it_cannot_use(call, options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.png").touch()
    for name in ("a.png", "b.png", "a-Adam.png", f"{'n' * 251}.png"):
        Image.new("RGB", (2, 2), "grey").save(name)
    (tmp_path / "c.png").symlink_to("a-Adam.png")
    (tmp_path / "sub").mkdir()
    (tmp_path / "taken" / "astronaut-to-coffee-RAdam.png").mkdir(parents=True)
    monkeypatch.setattr(experiments, "table2", lambda *_, **__: pytest.fail("the work was done"))
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


def test_the_race_is_printed_and_written_and_resumed(call, tmp_path, monkeypatch):
    monkeypatch.setattr(_race_results, "COURSES", ("himmelblau",))
    monkeypatch.setattr(_race_results, "RACE_CONTENDERS", ("SGD", "Adam"))
    monkeypatch.setattr(_race_results, "SEARCHERS", ("DIRECT",))
    file, again = tmp_path / "race.json", tmp_path / "again.json"
    numbers = ("--runs", 2, "--tuning-runs", 2, "--evaluations", 30)
    status, out, _ = call("race", *numbers, "--json", file)
    assert status == 0 and "himmelblau" in out and "DIRECT" in out
    rows = read(file)
    assert [row["contender"] for row in rows] == ["SGD", "Adam", "DIRECT"]
    assert [line.split()[0] for line in out.splitlines()[-3:]] == ["SGD", "Adam", "DIRECT"]  # not by the alphabet
    assert [row["lr"] is None for row in rows] == [False, False, True]
    file.write_text(json.dumps(rows[:2]))
    assert call("race", *numbers, "--resume", file, "--json", again)[0] == 0
    assert read(again) == rows
    assert call("race", *numbers, "--resume", again, "--json", file)[0] == 0  # nothing is left to do
    assert read(file) == rows


def a_smaller_championship(monkeypatch):
    monkeypatch.setattr(_championship, "CONTESTANTS", ("Hill-ADAM", "DIRECT", "CMA-ES"))
    monkeypatch.setattr(_championship.championship_results, "__kwdefaults__", {
        **_championship.championship_results.__kwdefaults__, "functions": ("Levy", *["Ackley"] * 29),
    })  # fmt: skip


def test_the_championship_is_printed_and_written_and_resumed(call, tmp_path, monkeypatch):
    pytest.importorskip("cocoex")
    a_smaller_championship(monkeypatch)
    file, again = tmp_path / "all.json", tmp_path / "again.json"
    numbers = ("--budget", 2, "--dimensions", 3)
    status, out, _ = call("championship", *numbers, "--json", file)
    assert status == 0 and "free" in out and "charged" in out
    rows = read(file)
    assert [row["contestant"] for row in rows] == ["Hill-ADAM", "DIRECT", "CMA-ES"]
    assert [line.split()[0] for line in out.splitlines()[-3:]] == ["Hill-ADAM", "DIRECT", "CMA-ES"]
    file.write_text(json.dumps(rows[:2]))
    assert call("championship", *numbers, "--resume", file, "--json", again)[0] == 0
    assert read(again) == rows
    assert call("championship", *numbers, "--resume", again, "--json", file)[0] == 0  # nothing is left to do
    assert read(file) == rows


def row_of_the_experiments_again(contender="Adam", **changed):
    row = {"experiment": "table 1", "case": "sixth", "contender": contender, "lr": 0.01}
    return row | {"measures": {"reached": [8, "0f"], "ended": [8, "01"]}} | changed


def test_the_experiments_again_are_printed_and_written_and_resumed(call, tmp_path, monkeypatch):
    read_by = {"best": [0.5, 3.0, 1e300], "final": [1.0, np.inf, np.nan]}
    made = [row_of_the_experiments_again(), row_of_the_experiments_again("self-tuning, finished"),
            row_of_the_experiments_again(experiment="digits", case="mini-batches", measures=read_by)]  # fmt: skip

    def results(done):
        yield from (row for row in made if (row["experiment"], row["case"], row["contender"]) not in done)

    monkeypatch.setattr(experiments, "again_results", results)
    file, again = tmp_path / "all.json", tmp_path / "again.json"
    status, out, _ = call("again", "--json", file)
    assert status == 0 and "0.5000" in out and "3.0000" in out
    rows = read(file)
    assert [row["contender"] for row in rows] == ["Adam", "self-tuning, finished", "Adam"]
    assert rows[2]["measures"]["final"] == [1.0, "inf", None]
    file.write_text(json.dumps(rows[1:]))
    assert call("again", "--resume", file, "--json", again)[0] == 0
    assert read(again) == [*rows[1:], rows[0]]


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "rows.json: "),
        *((text, "does not have the rows of these experiments") for text in ("{}", "3", "[3]", '[{"lr": 2}]')),
        *(
            (json.dumps([row_of_the_experiments_again(**changed)]), "does not have the rows of these experiments")
            for changed in (
                {"contender": "SGD"},
                {"case": ["sixth"]},
                {"measures": None},
                {"measures": {"reached": "0f"}},
                {"measures": {"reached": []}},
            )
        ),
        (json.dumps([row_of_the_experiments_again()] * 2), "has a row twice"),
    ],
)
def test_what_cannot_be_resumed_of_the_experiments_again_is_refused(call, tmp_path, text, message, monkeypatch):
    monkeypatch.setattr(experiments, "again_results", lambda *_, **__: pytest.fail("it computes"))
    file = tmp_path / "rows.json"
    file.write_text(text)
    status, _, err = call("again", "--resume", file)
    assert status == 2 and message in err.splitlines()[-1] and "Traceback" not in err


def test_ctrl_c_keeps_what_of_the_experiments_again_is_complete(call, tmp_path, monkeypatch):
    def results(done):
        yield row_of_the_experiments_again()
        raise KeyboardInterrupt

    monkeypatch.setattr(experiments, "again_results", results)
    status, out, err = call("again", "--json", tmp_path / "all.json")
    assert status == 130 and "sixth" in out
    part = tmp_path / "all.interrupted.json"
    complete = err.splitlines()[-1]
    assert complete.startswith("Interrupted: 1 of ") and complete.endswith(f"the table is of that, and so is {part}.")
    assert read(part) == [row_of_the_experiments_again()] and list(tmp_path.iterdir()) == [part]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("championship --budget 0", "0 is not a positive whole number"),
        ("championship --dimensions 4", "invalid choice: 4"),
        ("championship --dimensions 2 2", "2 is there twice"),
        ("table1 --seeds 0", "0 is not a positive whole number"),
        ("table1 --seeds 1000001", "1000001 is not a positive whole number up to 1,000,000"),
        ("table1 --steps 1e99", "1e99 is not a positive whole number"),
        (f"table1 --steps {10**30}", "is not a positive whole number up to 1,000,000,000"),
        ("table1 --threads 1025", "1025 is not a positive whole number up to 1,024"),
        ("race --evaluations 0", "0 is not a positive whole number"),
        ("table1 --seeds=-3", "-3 is not a positive whole number"),
        ("table1 --steps many", "many is not a positive whole number"),
        ("table1 --steps 1.5", "1.5 is not a positive whole number"),
        ("table1 --gamma high", "argument --gamma: high is not a number"),
        ("table1 --activation swish", "argument --activation: invalid choice: 'swish'"),
        ("table1 --device abacus", "argument --device: abacus: "),
        ("table1 --device meta", "argument --device: meta: "),
        ("table1 --lr nan", "argument --lr: nan is not a finite number >= 0"),
        ("table1 --lr inf", "argument --lr: inf is not a finite number >= 0"),
        ("table1 --lr=-1", "argument --lr: -1 is not a finite number >= 0"),
        ("table1 --delta=-1", "argument --delta: -1 is not a finite number >= 0"),
        ("table1 --delta nan", "argument --delta: nan is not a finite number >= 0"),
        ("table1 --gamma nan", "argument --gamma: nan is not a number above -inf"),
        ("table1 --gamma=-inf", "argument --gamma: -inf is not a number above -inf"),
        ("table3", "invalid choice: 'table3'"),
        ("", "the following arguments are required: {table1,table2,readings,race,championship,again}"),
    ],
)
def test_bad_arguments_get_one_line_and_exit_with_2(call, arguments, message):
    status, out, err = call(*arguments.split())
    assert (status, out) == (2, "")
    assert message in err.splitlines()[-1]
    assert all(line.startswith(("usage:", " ")) for line in err.splitlines()[:-1])  # argparse's reminder, no traceback


@pytest.mark.parametrize(
    "target, message",
    [
        ("missing/table.json", "there is no folder missing"),
        (".", ". is a folder"),
        ("file/table.json", "Not a directory"),
        ("n" * 256, "File name too long"),
        ("é" * 128, "File name too long"),
        ("dangling", "there is no folder /nowhere"),
        ("loop", "symbolic links"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_at_once(call, target, message, tmp_path, monkeypatch):
    monkeypatch.setattr(experiments, "table1", lambda *_, **__: pytest.fail("it computes"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("/nowhere/table.json")
    (tmp_path / "loop").symlink_to("loop")
    status, _, err = call("table1", "--json", target)
    assert status == 2
    assert message in err.splitlines()[-1] and "Traceback" not in err


def test_a_name_may_be_as_long_as_names_can_be(call, tmp_path):
    file = tmp_path / ("n" * 255)
    assert call(*SHORT.split(), "--json", file)[0] == 0
    assert len(read(file)) == 10


def test_a_file_keeps_its_mode_and_a_link_its_target(call, tmp_path):
    file, link = tmp_path / "table.json", tmp_path / "link.json"
    file.write_text("old")
    file.chmod(0o600)
    link.symlink_to("table.json")
    assert call(*SHORT.split(), "--json", link)[0] == 0
    assert link.is_symlink() and len(read(file)) == 10
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_pipe_and_a_device_are_written_through(call, device, tmp_path):
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    assert call(*SHORT.split(), "--json", pipe)[0] == 0
    reader.join(20)
    assert len(json.loads(got[0])) == 10 and pipe.is_fifo()
    null = device("null")
    assert call(*SHORT.split(), "--json", null)[0] == 0
    assert null.is_char_device()


@pytest.mark.parametrize("target", ["- >", "/dev/stdout >>", "$OUT >"])
def test_standard_output_takes_the_rows_alone_and_the_table_goes_to_standard_error(target, tmp_path):
    file = tmp_path / "out.json"
    done = shell(f"hilladam {SHORT} --json {target} $OUT", OUT=str(file), PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert len(read(file)) == 10
    assert b"mean_best" in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_an_old_terminal_gets_what_it_can_show(call, encoding, tmp_path, monkeypatch):
    file, terminal = tmp_path / "table.json", io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", terminal)
    assert call(*SHORT.split(), "--json", file)[0] == 0
    assert call("table1", "--help")[0] == 0
    terminal.flush()
    assert len(read(file)) == 10
    for text in ("x² + 4", "γ, the dead-end"):
        assert text.encode(encoding, "backslashreplace") in terminal.buffer.getvalue()


def test_a_closed_pipe_ends_quietly_after_the_file_is_written(tmp_path):
    file = tmp_path / "table.json"
    done = shell(f"hilladam {SHORT} --json {file} | exec 0<&-; exit ${{PIPESTATUS[0]}}")
    assert done.returncode == 141
    assert len(read(file)) == 10


@pytest.mark.parametrize("redirection, reason", [(">/dev/full", "No space left"), (">&-", "it is closed")])
def test_where_standard_output_takes_nothing_the_file_is_written_and_standard_error_gets_the_table(
    redirection, reason, tmp_path
):
    file = tmp_path / "table.json"
    done = shell(f"hilladam {SHORT} --json {file} {redirection}")
    assert done.returncode == 2
    assert len(read(file)) == 10
    assert f"hilladam: cannot write to standard output: {reason}" in done.stderr.decode()
    assert b"mean_best" in done.stderr


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "2> >(exec 0<&-)"])
def test_work_does_not_end_where_its_progress_cannot_be_shown(redirection, tmp_path):
    file = tmp_path / "table.json"
    done = shell(f"hilladam table1 --seeds 1 --steps 300 --json {file} {redirection}")
    assert done.returncode == 0 and b"mean_best" in done.stdout
    assert len(read(file)) == 10


@pytest.mark.parametrize("target", ["full", "full.json"])
def test_a_disk_that_is_full_after_the_work_is_told_and_the_rows_are_shown(call, target, device, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    there = device("full")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    status, out, err = call("table2", "--seeds", 3, "--steps", 1, "--json", target)
    assert status == 2
    assert err.splitlines()[-1] == f"hilladam: cannot write {target}: No space left on device"
    assert out.count("astronaut to coffee") == len(experiments.TABLE_2_CONTENDERS)  # rows, not their summary
    assert list(tmp_path.iterdir()) == [there]


def test_one_file_that_cannot_be_written_keeps_no_other_from_it(call, tmp_path, monkeypatch):
    for name in ("a.png", "b.png"):
        colour.save(np.full((2, 2, 3), 0.5), tmp_path / name)
    save = Image.Image.save

    def full(self, *place, **options):
        if next(pictures) == 2:
            raise OSError(28, "No space left on device")
        save(self, *place, **options)

    pictures = iter(range(9))
    monkeypatch.setattr(Image.Image, "save", full)
    out, file = tmp_path / "out", tmp_path / "rows.json"
    status, printed, err = call("table2", "--source", tmp_path / "a.png", "--target", tmp_path / "b.png",
                                "--seeds", 3, "--steps", 1, "--out", out, "--json", file)  # fmt: skip
    assert status == 2 and "best_excess" in printed
    assert err.splitlines()[-1] == f"hilladam: cannot write {out / 'a-NAdam.png'}: No space left on device"
    assert len(read(file)) == len(read(out / "gains.json")) == len(list(out.glob("*.png"))) + 1 == 6


def test_a_photograph_whose_name_is_no_text_is_corrected(call, tmp_path):
    colour.save(np.full((2, 2, 3), 0.5), tmp_path / "b.png")
    source = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    source.write_bytes((tmp_path / "b.png").read_bytes())
    out, file = tmp_path / "out", tmp_path / "rows.json"
    status, _, err = call("table2", "--source", source, "--target", tmp_path / "b.png", "--seeds", 3, "--steps", 1,
                          "--out", out, "--json", file)  # fmt: skip
    assert status == 0, err
    assert {row["pair"] for row in read(file)} == {source.stem}
    assert b"caf\xe9-Adam.png" in os.listdir(os.fsencode(out))
    assert read(out / "gains.json").keys() == {name for name in os.listdir(out) if name.endswith(".png")}


def stop(process, reached, number=signal.SIGINT):
    """Interrupt it when its progress bar has reached something: what it printed then, and all it said."""
    try:
        said = ""
        while not re.search(reached, said):
            said += process.stderr.read(1).decode(errors="replace")
            assert process.poll() is None, said
        for _ in range(6):
            process.send_signal(number)
            try:
                out, err = process.communicate(timeout=20)
                break
            except subprocess.TimeoutExpired:  # Python drops an interrupt that meets it in a destructor
                continue
    finally:
        process.kill()
    assert b"Traceback" not in err
    return out.decode(), err.decode(errors="replace").splitlines()[-1]


def test_ctrl_c_before_anything_is_complete_leaves_nothing(tmp_path):
    process = start("table2", "--seeds", 2, "--steps", 10**6, "--json", tmp_path / "rows.json")
    out, last = stop(process, r"Adam:.*\| [1-9]\d*/")
    assert (process.returncode, out) == (130, "")
    assert last == "Interrupted: nothing was complete, nothing was written."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_keeps_the_steps_that_all_runs_took_beside_the_file_of_a_whole_result(number, tmp_path):
    file = tmp_path / "table.json"
    file.write_text("whole")
    process = start("table1", "--seeds", 2, "--steps", 10**6, "--json", file)
    out, last = stop(process, r"\| [1-9]\d*/", number)
    assert process.returncode == 130
    assert out.count("Hill-ADAM") == 5
    part = tmp_path / "table.interrupted.json"
    steps = re.fullmatch(r"Interrupted: the record ends after (\d+) of 1000000 steps; the table is of that, and so is "
                         + re.escape(f"{part}."), last)  # fmt: skip
    again = tmp_path / "again.json"
    assert main(["table1", "--seeds", "2", "--steps", steps[1], "--json", str(again)]) == 0
    assert read(part) == read(again)
    assert file.read_text() == "whole"


def interrupted_when(call_number, function):
    """The function, in which Ctrl-C arrives in the call of that number."""
    numbers = iter(range(1, 99))

    def interrupted(*arguments, **options):
        if next(numbers) == call_number:
            warnings.warn("Interrupted: the record ends after 1 of 2 steps", RuntimeWarning, stacklevel=2)
        return function(*arguments, **options)

    return interrupted


@pytest.mark.parametrize(
    "command, function, rows, complete",
    [
        ("table2 --seeds 3 --steps 1", "table2", 24, "2 of 6 optimizers"),
        ("readings --seeds 1 --steps 1", "readings", 160, "2 of 4 activations"),
    ],
)
def test_ctrl_c_keeps_what_is_complete(call, command, function, rows, complete, tmp_path, monkeypatch):
    monkeypatch.setattr(experiments, function, interrupted_when(3, getattr(experiments, function)))
    status, out, err = call(*command.split(), "--json", tmp_path / "all.json")
    assert status == 130 and out
    part = tmp_path / "all.interrupted.json"
    assert err.splitlines()[-1] == f"Interrupted: {complete}; the table is of that, and so is {part}."
    assert len(read(part)) == rows
    assert list(tmp_path.iterdir()) == [part]


def a_race_that_ends_with(error):
    def race_results(done, **numbers):
        yield {"course": "camel", "contender": "SGD", "lr": 0.1, "evaluations": "3 -"}
        yield {"course": "camel", "contender": "DIRECT", "evaluations": "7 9"}
        raise error

    return race_results


def test_ctrl_c_keeps_what_of_the_race_is_complete(call, tmp_path, monkeypatch):
    monkeypatch.setattr(experiments, "race_results", a_race_that_ends_with(KeyboardInterrupt()))
    status, out, err = call("race", "--json", tmp_path / "all.json")
    assert status == 130 and out
    part = tmp_path / "all.interrupted.json"
    complete = "2 of 100 contenders and courses"
    assert err.splitlines()[-1] == f"Interrupted: {complete}; the table is of that, and so is {part}."
    assert len(read(part)) == 2 and list(tmp_path.iterdir()) == [part]


def test_ctrl_c_keeps_what_of_the_championship_is_complete(call, tmp_path, monkeypatch):
    pytest.importorskip("cocoex")

    def results(done, **numbers):
        yield row_of_a_championship()
        raise KeyboardInterrupt

    monkeypatch.setattr(experiments, "championship_results", results)
    status, out, err = call("championship", "--json", tmp_path / "all.json")
    assert status == 130 and "DIRECT" in out
    part = tmp_path / "all.interrupted.json"
    complete = f"1 of {2 * len(experiments.CONTESTANTS)} contestants and dimensions"
    assert err.splitlines()[-1] == f"Interrupted: {complete}; the table is of that, and so is {part}."
    assert len(read(part)) == 1 and list(tmp_path.iterdir()) == [part]


def test_ctrl_c_writes_no_part_into_what_another_program_reads(call, device, monkeypatch):
    monkeypatch.setattr(experiments, "race_results", a_race_that_ends_with(KeyboardInterrupt()))
    status, out, err = call("race", "--json", device("null"))
    assert status == 130 and "camel" in out
    assert err.splitlines()[-1] == "Interrupted: 2 of 100 contenders and courses; the table is of that."


def test_ctrl_c_while_files_are_written_says_which_are_missing(call, tmp_path, monkeypatch):
    for name in ("a.png", "b.png"):
        colour.save(np.full((2, 2, 3), 0.5), tmp_path / name)
    save = Image.Image.save

    def interrupted(self, *place, **options):
        if next(pictures) == 4:
            raise KeyboardInterrupt
        save(self, *place, **options)

    pictures = iter(range(9))
    monkeypatch.setattr(Image.Image, "save", interrupted)
    out, file = tmp_path / "out", tmp_path / "rows.json"
    status, printed, err = call("table2", "--source", tmp_path / "a.png", "--target", tmp_path / "b.png",
                                "--seeds", 3, "--steps", 1, "--out", out, "--json", file)  # fmt: skip
    assert status == 130 and "best_excess" in printed
    names = [f"a-{name.replace(' ', '-')}.png" for name in experiments.TABLE_2_CONTENDERS]
    missing = [*names[4:], "gains.json"]
    assert err.splitlines()[-1] == (
        f"Interrupted while files were written; missing: {', '.join(str(out / name) for name in missing)}."
    )
    assert len(read(file)) == 6 and len(os.listdir(out)) == 4


def test_an_error_in_the_work_is_shown_after_what_is_complete(call, tmp_path, monkeypatch):
    monkeypatch.setattr(experiments, "race_results", a_race_that_ends_with(ValueError("a bug")))
    with pytest.raises(ValueError, match="a bug"):  # so there will be a traceback
        call("race", "--json", tmp_path / "all.json")
    assert len(read(tmp_path / "all.interrupted.json")) == 2


def row_of_a_championship(**changed):
    row = {"contestant": "DIRECT", "variables": 2, "costs": "/".join(["3 9"] * 150), "kept": " ".join(["2"] * 150)}
    return row | changed


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "rows.json: "),
        *((text, "does not have the rows of a championship") for text in ("{}", "3", "[3]", '[{"variables": 2}]')),
        *(
            (json.dumps([row_of_a_championship(**changed)]), "does not have the rows of a championship")
            for changed in (
                {"contestant": "SGD"},
                {"contestant": ["DIRECT"]},
                {"variables": "2"},
                {"costs": "3 9"},
                {"costs": "/".join(["3 -"] * 150)},
                {"charged": "/".join(["3"] * 149)},
                {"kept": "2"},
                {"kept": None},
            )
        ),
        (json.dumps([row_of_a_championship()] * 2), "has a contestant twice with one number of variables"),
    ],
)
def test_what_cannot_be_resumed_of_a_championship_is_refused(call, tmp_path, text, message, monkeypatch):
    monkeypatch.setattr(experiments, "championship_results", lambda *_, **__: pytest.fail("it computes"))
    file = tmp_path / "rows.json"
    file.write_text(text)
    status, _, err = call("championship", "--resume", file)
    assert status == 2 and message in err.splitlines()[-1] and "Traceback" not in err


def row_of_a_race(**changed):
    return {"course": "camel", "contender": "SGD", "lr": 0.1, "evaluations": "3 -"} | changed


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "rows.json: "),
        *((text, "rows.json does not have the rows of a race") for text in ("{}", "3", "[3]", '[{"course": "camel"}]')),
        *(
            (json.dumps([row_of_a_race(**changed)]), "rows.json does not have the rows of a race")
            for changed in (
                {"course": "ackley"},
                {"contender": "Adamax"},
                {"contender": ["SGD"]},
                {"evaluations": ["3", "-"]},
                {"evaluations": "3 many"},
                {"evaluations": None},
            )
        ),
        (json.dumps([row_of_a_race()] * 2), "rows.json has a contender twice on one course"),
        (json.dumps([row_of_a_race(evaluations="")]), "--resume has 0 runs of SGD on camel, and --runs asks for 2"),
        (json.dumps([row_of_a_race(evaluations="3")]), "--resume has 1 runs of SGD on camel, and --runs asks for 2"),
    ],
)
def test_what_cannot_be_resumed_is_refused(call, tmp_path, text, message, monkeypatch):
    monkeypatch.setattr(experiments, "race_results", lambda *_, **__: pytest.fail("it computes"))
    file = tmp_path / "rows.json"
    file.write_text(text)
    status, _, err = call("race", "--runs", 2, "--resume", file)
    assert status == 2 and message in err.splitlines()[-1] and "Traceback" not in err


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory"), torch.OutOfMemoryError()]
)
def test_too_little_memory_is_one_line(call, error, monkeypatch):
    def full(*_, **__):
        raise error

    monkeypatch.setattr(experiments, "table1", full)
    status, out, err = call("table1")
    assert (status, out) == (2, "")
    assert err.splitlines()[-1].startswith("hilladam: there is not enough memory")


PEAK = """
import sys
from hilladam.__main__ import main
main(sys.argv[1:])
for line in open("/proc/self/status"):  # what getrusage says includes the process that started this one
    if line.startswith("VmHWM"):
        print("peak", line.split()[1])
"""


def test_a_big_photograph_takes_little_more_memory_than_its_pixels(tmp_path):
    peaks = []
    for side in (100, 3000):
        pixels = np.zeros((side, side, 3), dtype=np.uint8)
        pixels[:, :, 0] = np.arange(side) // 12
        Image.fromarray(pixels).save(tmp_path / f"{side}.png", compress_level=1)
        arguments = ["table2", "--source", tmp_path / f"{side}.png", "--target", tmp_path / "100.png", "--steps", "1",
                     "--seeds", "1", "--out", tmp_path / "out"]  # fmt: skip
        done = subprocess.run([sys.executable, "-c", PEAK, *arguments], check=True, text=True, capture_output=True)
        peaks.append(1024 * int(done.stdout.split()[-1]))
    assert (peaks[1] - peaks[0]) / 3000**2 < 15  # bytes a pixel, of which the picture and a copy are 8


def test_help_names_every_option(call):
    status, out, _ = call("table1", "--help")
    assert status == 0
    for option in ("--seeds", "--steps", "--device", "--activation", "--gamma", "--delta", "--lr", "--json"):
        assert option in out


@pytest.mark.parametrize("experiment", ["table1", "table2", "readings", "race", "championship"])
def test_help_gives_an_example(call, experiment):
    _, out, _ = call(experiment, "--help")
    (example,) = re.findall(rf"^  python -m hilladam ({experiment} .*)$", out, re.M)
    assert shlex.split(example)


def test_the_version_is_the_packages(call):
    assert call("--version")[:2] == (0, f"hilladam {hilladam.__version__}\n")
