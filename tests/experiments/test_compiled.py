"""The compiled engine: the reference up to rounding, and the same bits everywhere."""

import hashlib
import math
import os
import random
import shutil
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

import hilladam
from hilladam.experiments import ACTIVATIONS, Points, Record, StackedMLP, run_networks, run_points, table1, train
from hilladam.experiments import _compiled as engine
from hilladam.losses import DOUBLE_WELL, TABLE_1, Polynomial, stack
from hilladam.optim import ReferenceHillAdam, decide

pytest.importorskip("numba")
from hilladam.experiments import _compiled_arithmetic as arithmetic

pytestmark = pytest.mark.own_rounding  # compiled runs are out of the reach of another rounding

LOSSES = {"double well": DOUBLE_WELL, **TABLE_1}


def bits(record: Record) -> str:
    """A fingerprint of everything in a record; all NaNs are one."""
    numbers = [np.where(array == array, array, np.nan) for array in vars(record).values()]
    return hashlib.sha256(b"".join(array.tobytes() for array in numbers)).hexdigest()


# Against the reference and torch -------------------------------------------------------------------------------------


def test_decides_as_the_package_does():
    numbers = [0.0, 0.5, 1.0, 1.0 + 1e-5, 200.0, 250.0, math.inf, -math.inf, math.nan]  # the floor and γ among them
    for loss in numbers:
        for previous in numbers:
            for climbs in (False, True):
                for rule in ((0.0, math.inf, -math.inf), (1e-4, 200.0, -math.inf), (1e-4, 200.0, 0.5)):
                    case = (loss, climbs, previous, *rule)
                    np.testing.assert_equal(arithmetic.decide(*case), tuple(decide(*case)), err_msg=str(case))


# Rounding is all that differs, and a climb away from a minimum magnifies it. Over 300 steps, from these starts, there
# are switches of each kind and few enough climbs for it to stay below 1e-12; after 1,500 steps it may reach 1e-4.
@pytest.mark.parametrize("lr", [0.01, 0.05])
@pytest.mark.parametrize("loss", LOSSES)
def test_points_are_those_of_the_reference(loss, lr):
    loss, starts = LOSSES[loss], np.linspace(-1.0, 4.0, 11)
    lowest = loss.global_minimum.value
    # A gamma and a floor that some of the members meet within so few steps.
    rules = dict(
        lr=lr, delta=1e-4, gamma=np.linspace(lowest + 2, 200.0, 11), floor=np.where(starts < 1, -np.inf, lowest + 0.1)
    )
    model = Points(torch.tensor(starts))
    each = {name: torch.tensor(value, dtype=torch.float64) for name, value in rules.items()}
    optimizer = ReferenceHillAdam(model.parameters, **each)
    expected, found = train(model, loss, optimizer, 300), run_points(loss, starts, 300, **rules)
    assert_equal_up_to_rounding(found, expected)
    assert set(np.unique(expected.reasons)) >= ({0, 1, 2} if lr == 0.01 else {0, 1, 2, 3})


def assert_equal_up_to_rounding(found, expected):
    for name in ("maximize", "reasons", "turns"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    for name in ("losses", "states", "best_losses", "best_states", "final_losses", "final_states"):
        here, there = getattr(found, name), getattr(expected, name)
        assert here.shape == there.shape and here.dtype == there.dtype
        # At the bottom of a well, rounding may decide which of two steps is the lower one.
        atol = 1e-7 if name == "best_states" else 1e-12
        np.testing.assert_allclose(here, there, rtol=1e-12, atol=atol, err_msg=name)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("bias_correction", ["copied", "in_place"])
def test_networks_are_those_of_the_reference(activation, bias_correction):
    losses, seeds = [loss for loss in TABLE_1.values() for _ in range(2)], [0, 2] * 5
    rules = dict(eps=[1e-8, 0.0] * 5, eps_root=[0.0, 1e-8] * 5, delta=[1e-4] * 9 + [0.0], gamma=[200.0, 30.0] * 5)
    model = StackedMLP(seeds, activation=activation)
    each = {name: torch.tensor(value, dtype=torch.float64) for name, value in rules.items()}
    optimizer = ReferenceHillAdam(model.parameters, 0.01, bias_correction=bias_correction, **each)
    expected = train(model, stack(losses), optimizer, 300)
    found = run_networks(losses, seeds, 300, 0.01, activation=activation, bias_correction=bias_correction, **rules)
    assert_equal_up_to_rounding(found, expected)
    assert (expected.turns > 0).sum() >= 5


@pytest.mark.parametrize("sizes", [(2, 1), (1, 7, 1), (3, 5, 4, 2, 1)], ids=str)
def test_networks_may_have_other_sizes(sizes):
    model = StackedMLP([0, 1], sizes, "tanh")
    expected = train(model, stack([DOUBLE_WELL] * 2), ReferenceHillAdam(model.parameters, 0.01), 100)
    assert_equal_up_to_rounding(run_networks(DOUBLE_WELL, [0, 1], 100, 0.01, sizes=sizes, activation="tanh"), expected)


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.8, 0.9995), (0.95, 0.9999)], ids=str)
def test_with_a_delta_of_zero_it_is_torchs_adam(betas):
    starts = np.linspace(-1.0, 4.0, 11)
    for loss in LOSSES.values():
        model = Points(torch.tensor(starts))
        expected = train(model, loss, torch.optim.Adam(model.parameters, 0.01, betas), 300)
        assert_equal_up_to_rounding(run_points(loss, starts, 300, 0.01, betas, delta=0.0), expected)
    model, losses = StackedMLP([0] * 5), list(TABLE_1.values())
    expected = train(model, stack(losses), torch.optim.Adam(model.parameters, 0.01, betas), 300)
    assert_equal_up_to_rounding(run_networks(losses, [0] * 5, 300, 0.01, betas, delta=0.0), expected)


# Where the loss is not finite, and where two are equal.


@pytest.mark.parametrize("name", ["points", "networks"])
def test_a_loss_without_a_bottom_is_no_best_loss(name):
    hill = Polynomial("hill", (-1, 0, 0))
    if name == "points":
        record = run_points(hill, [1.0], 2, 1e200, delta=0.0)
    else:
        record = run_networks(hill, [0], 2, 1e60, delta=0.0)
    assert math.isfinite(record.losses[0, 0]) and record.losses[1, 0] == -math.inf
    assert record.best_losses == record.losses[0] and record.best_states == record.states[0]


@pytest.mark.parametrize("name", ["points", "networks"])
def test_of_equal_losses_the_earliest_is_the_best(name):
    """Steps of λ across the bottom of x² lead from x to −x, where λ is right and rounding allows it."""
    square, rule = Polynomial("square", (1, 0, 0)), dict(betas=(0.0, 0.0), eps=0.0, delta=0.0)
    if name == "points":
        record = run_points(square, [1.0], 2, 2.0, **rule)
    else:
        starts = StackedMLP(range(50), (1, 1))()[:, 0].abs().detach().numpy()  # a weight and a bias, both moved
        record = run_networks(square, range(50), 2, starts, sizes=(1, 1), **rule)
    equal = (record.losses[0] == record.losses[1]) & (record.states[0] != record.states[1]).ravel()
    assert equal.any()
    np.testing.assert_array_equal(record.best_states[equal], record.states[0][equal])


# The same bits -------------------------------------------------------------------------------------------------------


def test_no_product_is_contracted_into_a_sum():
    # The square of 1 + 2⁻²⁷ is 1 + 2⁻²⁶ + 2⁻⁵⁴, of which a product of floats keeps the first two; fused with the
    # subtraction of those it would leave the third.
    u = 1 + 2**-27
    assert Fraction(u) * Fraction(u) - Fraction(1 + 2**-26) == Fraction(2) ** -54
    assert arithmetic.evaluate(np.array([[u, -(1 + 2**-26)]]), 0, 0, u) == (0.0, u)


def test_every_operation_rounds_as_pythons_floats_do():
    random.seed(0)
    fused = 0
    for _ in range(2000):
        x, m, g, u = (random.uniform(-4, 4) for _ in range(4))
        v, beta1, beta2, c1, c2 = random.uniform(0, 9), *(random.random() for _ in range(4))
        case = (x, m, v, g, 0.01, 1 / c1, 1 / c2, beta1, beta2, 1e-8, 1e-8, random.random() < 0.5)
        assert arithmetic.adam(*case) == arithmetic.adam.py_func(*case)
        coefficients = np.array([[random.uniform(-9, 9) for _ in range(7)]])
        assert arithmetic.evaluate(coefficients, 0, 2, u) == arithmetic.evaluate.py_func(coefficients, 0, 2, u)
        fused += float(Fraction(v) * Fraction(beta2) + Fraction((1 - beta2) * g * g)) != v * beta2 + (1 - beta2) * g * g
    assert fused > 200  # a fused multiplication and addition would have shown


BITS = """
import sys
sys.path.insert(0, {tests!r})
from test_compiled import some_runs
print(some_runs({steps}))
"""


def some_runs(steps: int) -> list[str]:
    starts, losses = np.linspace(-1.0, 4.0, 12), list(LOSSES.values()) * 2
    points = run_points(losses, starts, steps, 0.02, gamma=30.0, floor=[-np.inf] * 6 + [0.0] * 6)
    networks = run_networks(losses, range(12), steps, 0.01, gamma=200.0, activation="relu")
    in_place = run_networks(losses, range(12), steps, 0.01, eps=0.0, eps_root=1e-8, bias_correction="in_place")
    return [bits(record) for record in (points, networks, in_place)]


def python(source, folder=None, **environment):
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", source], env={**os.environ, **environment}, text=True,
                          capture_output=True, cwd=folder, timeout=300)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "steps, environment",
    [
        # No vectors of four or eight, no fused steps; nor has torch any, which draws the first weights.
        (2000, {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "ATEN_CPU_CAPABILITY": "default"}),
        (60, {"NUMBA_DISABLE_JIT": "1"}),  # numpy's float64, one by one
    ],
    ids=["another CPU", "interpreted"],
)
def test_the_bits_do_not_depend_on_the_machine_code(steps, environment):
    source = BITS.format(tests=str(Path(__file__).parent), steps=steps)
    assert python(source, **environment).strip() == str(some_runs(steps))


def test_neither_threads_nor_chunks_nor_neighbours_nor_history_change_a_bit(monkeypatch):
    losses, starts, lr = list(LOSSES.values()) * 5, np.linspace(-1.0, 4.0, 30), np.linspace(0.001, 0.1, 30)
    for run, each in ((run_points, starts), (run_networks, range(30))):
        expected = run(losses, each, 500, lr, gamma=50.0)
        assert bits(run(losses, each, 500, lr, gamma=50.0, threads=7)) == bits(expected)
        with monkeypatch.context() as patch:
            patch.setattr(engine, "_CHUNK", 30 * 47 * 7)
            assert bits(run(losses, each, 500, lr, gamma=50.0)) == bits(expected)
        alone = run(losses[13], each[13:14], 500, lr[13], gamma=50.0)
        assert bits(alone.member(0)) == bits(expected.member(13))
        light = run(losses, each, 500, lr, gamma=50.0, history=False)
        assert light.losses.shape == light.maximize.shape == (0, 30) and light.states.shape[0] == 0
        for name in ("best_losses", "best_states", "final_losses", "final_states", "turns"):
            np.testing.assert_array_equal(getattr(light, name), getattr(expected, name))


# Around the arithmetic -----------------------------------------------------------------------------------------------


class Bar:
    """A progress bar during which someone presses Ctrl-C, at the given chunk."""

    def __init__(self, at):
        self.left = at

    def __call__(self, **_):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def update(self, _):
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("history", [True, False])
def test_an_interrupt_keeps_the_steps_that_were_complete(monkeypatch, threads, history):
    monkeypatch.setattr(engine, "_CHUNK", 6 * 40 // threads)
    monkeypatch.setattr(engine, "tqdm", Bar(3))
    with pytest.warns(RuntimeWarning, match="Interrupted: the record ends after 120 of 1000 steps"):
        record = run_points(DOUBLE_WELL, np.linspace(-1, 2, 6), 1000, 0.05, history=history, threads=threads)
    monkeypatch.undo()
    assert bits(record) == bits(run_points(DOUBLE_WELL, np.linspace(-1, 2, 6), 120, 0.05, history=history))


def test_an_interrupt_between_the_threads_leaves_no_member_behind(monkeypatch):
    """The first thread has done its second chunk when the interrupt comes, the others have not."""
    calls = []

    def points(*arguments):
        calls.append(arguments)
        if len(calls) == 5:
            raise KeyboardInterrupt
        compiled(*arguments)

    compiled = arithmetic.points
    monkeypatch.setattr(engine, "_CHUNK", 6 * 40 // 3)
    monkeypatch.setattr(arithmetic, "points", points)
    with pytest.warns(RuntimeWarning, match="Interrupted: the record ends after 80 of 1000 steps"):
        record = run_points(DOUBLE_WELL, np.linspace(-1, 2, 6), 1000, 0.05, threads=3)
    monkeypatch.undo()
    assert bits(record) == bits(run_points(DOUBLE_WELL, np.linspace(-1, 2, 6), 80, 0.05))


def test_an_interrupt_before_the_first_step_is_passed_on(monkeypatch):
    def points(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(arithmetic, "points", points)
    with pytest.raises(KeyboardInterrupt):
        run_points(DOUBLE_WELL, [1.0], 10)


def test_progress_goes_to_a_bar(capsys):
    run_points(DOUBLE_WELL, [1.0], 5, progress="wells")
    assert "wells" in capsys.readouterr().err
    run_points(DOUBLE_WELL, [1.0], 5)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"steps": 0}, "Invalid steps: 0; expected at least 1"),
        ({"threads": 0}, "Invalid threads: 0; expected at least 1"),
        ({"lr": -0.1}, "Invalid lr: -0.1"),
        ({"eps": math.inf}, "Invalid eps: inf"),
        ({"betas": (0.9, 1.0)}, "Invalid betas"),
        ({"delta": [0.1, math.nan]}, "Invalid delta: nan"),
        ({"gamma": 1.0, "floor": 1.0}, "Invalid gamma: 1.0; expected numbers above floor"),
        ({"gamma": [1.0, 2.0, 3.0]}, r"Invalid gamma: shape \(3,\); expected a number or shape \(2,\)"),
        ({"losses": [DOUBLE_WELL] * 3}, "Invalid losses: 3 polynomials; expected one, or one for each of 2 members"),
        ({"bias_correction": "none"}, "Invalid bias_correction"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_arguments_are_refused(arguments, message):
    for run, members in ((run_points, {"starts": [0.0, 1.0]}), (run_networks, {"seeds": [0, 1]})):
        with pytest.raises(ValueError, match=message):
            run(**{"losses": DOUBLE_WELL, "steps": 2, **members, **arguments})


@pytest.mark.parametrize("starts", [[], 1.0, [[1.0]]], ids=str)
def test_starts_are_a_row_of_numbers(starts):
    with pytest.raises(ValueError, match="Invalid starts: shape"):
        run_points(DOUBLE_WELL, starts, 2)


def test_bad_networks_are_refused():
    with pytest.raises(ValueError, match="Invalid seeds: none"):
        run_networks(DOUBLE_WELL, [], 2)
    with pytest.raises(ValueError, match=r"Invalid sizes: \(3, 2\); expected at least two, the last one 1"):
        run_networks(DOUBLE_WELL, [0], 2, sizes=(3, 2))
    with pytest.raises(ValueError, match="Invalid activation: 'swish'"):
        run_networks(DOUBLE_WELL, [0], 2, activation="swish")


def test_without_numba_lock_step_does_the_work(monkeypatch):
    settings = dict(lr=[0.02, 0.05], delta=[0.1, 0.0], gamma=[10.0, 20.0])
    work = (run_points, [DOUBLE_WELL, TABLE_1["sixth"]], [1.5, 0.5]), (run_networks, TABLE_1["sixth"], [0, 1])
    compiled = [run(losses, members, 150, **settings) for run, losses, members in work]
    monkeypatch.delitem(sys.modules, "hilladam.experiments._compiled_arithmetic")
    monkeypatch.delattr(hilladam.experiments, "_compiled_arithmetic")
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ImportError, match="numba"):
        table1([0], 5, engine="compiled")
    for (run, losses, members), expected in zip(work, compiled, strict=True):
        found = run(losses, members, 150, **settings)
        assert expected.turns.any()
        for name, array in vars(expected).items():
            np.testing.assert_allclose(getattr(found, name), array, rtol=1e-9, err_msg=name)
    found, expected = table1([0], 5, device="cpu"), table1([0], 5, engine="lock step", device="cpu")
    for cell, record in found.items():
        assert bits(record) == bits(expected[cell])


def test_numba_is_imported_only_where_it_is_used():
    assert python("import sys, hilladam.experiments; print('numba' in sys.modules)").strip() == "False"


def test_it_works_where_nothing_can_be_written(copy_of):
    """A file in the place of the folder stops even those who may write everywhere."""
    folder = copy_of("hilladam")
    cache = folder / "hilladam" / "experiments" / "__pycache__"
    shutil.rmtree(cache, ignore_errors=True)
    cache.touch()
    source = """
import hilladam
from hilladam.experiments import run_points
from hilladam.losses import DOUBLE_WELL
print(hilladam.__file__, run_points(DOUBLE_WELL, [1.0], 5).turns)
"""
    nowhere = {"HOME": os.devnull, "XDG_CACHE_HOME": os.devnull, "NUMBA_CACHE_DIR": "", "PYTHONPATH": str(folder)}
    assert python(source, folder, **nowhere).split() == [str(folder / "hilladam" / "__init__.py"), "[0]"]


def test_a_single_step_is_taken(monkeypatch):
    for run, members in ((run_points, [1.5, -0.5]), (run_networks, [0, 1])):
        for steps, chunk in ((1, engine._CHUNK), (5, 8)):
            monkeypatch.setattr(engine, "_CHUNK", chunk)
            record, longer = run(DOUBLE_WELL, members, steps, 0.1), run(DOUBLE_WELL, members, 7, 0.1)
            assert record.losses.shape == (steps, 2)
            np.testing.assert_array_equal(record.losses, longer.losses[:steps])
            np.testing.assert_array_equal(record.final_losses, longer.losses[steps - 1])


def test_whole_numbers_will_do():
    whole = run_points(DOUBLE_WELL, [2, -1], 50, 1, delta=0, gamma=200, floor=-5, eps=1)
    assert bits(whole) == bits(
        run_points(DOUBLE_WELL, [2.0, -1.0], 50, 1.0, delta=0.0, gamma=200.0, floor=-5.0, eps=1.0)
    )


def test_the_defaults_are_the_reference_s():
    defaults = dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, eps_root=0.0, delta=1e-4, gamma=200.0)
    steps = 20_000  # enough for a climb to γ
    for run, members in ((run_points, [2.0, -1.5]), (run_networks, [0, 1])):
        record = run(DOUBLE_WELL, members, steps)
        assert bits(record) == bits(run(DOUBLE_WELL, members, steps, **defaults))
        assert bits(record) != bits(run(DOUBLE_WELL, members, steps, **defaults | {"gamma": 201.0}))


def test_networks_report_their_progress_when_asked(capsys):
    run_networks(DOUBLE_WELL, [0], 5)
    assert capsys.readouterr().err == ""
    run_networks(DOUBLE_WELL, [0], 5, progress="nets")
    assert "nets" in capsys.readouterr().err


def test_lock_step_is_told_all_that_the_compiled_engine_is(monkeypatch, capsys):
    settings = dict(lr=0.05, betas=(0.5, 0.8), delta=0.01, bias_correction="in_place")
    for run, members in ((run_points, [1.5, 0.9]), (run_networks, [0, 1])):
        expected = run(DOUBLE_WELL, members, 60, **settings)
        with monkeypatch.context() as patch:
            patch.setattr(engine, "can_compile", lambda: False)
            found = run(DOUBLE_WELL, members, 60, **settings)
            light = run(DOUBLE_WELL, members, 3, history=False)
            assert capsys.readouterr().err == ""
            run(DOUBLE_WELL, members, 3, progress="slowly")
            assert "slowly" in capsys.readouterr().err
        np.testing.assert_allclose(found.losses, expected.losses, rtol=1e-9)
        assert light.losses.shape == (0, 2)
