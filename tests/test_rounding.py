"""The perturbation of rounding reaches every loss and gradient, is one of the last bit, and finds what hangs on it."""

import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import rounding
import sympy
import torch

from hilladam import HillAdam
from hilladam.experiments import StackedMLP
from hilladam.losses import DOUBLE_WELL, SURFACES, ColourLoss, Polynomial, stack
from hilladam.theory import way_out

pytestmark = pytest.mark.own_rounding  # these tests perturb by themselves

ROOT = Path(__file__).parents[1]
EPS = {np.dtype("float64"): 2.0**-52, np.dtype("float32"): 2.0**-23}
PLACES = torch.linspace(-1.9, 1.9, 64, dtype=torch.float64)
CHAOTIC = """\
x = torch.tensor([0.2], dtype=torch.float64, requires_grad=True)
opt = torch.optim.SGD([x], lr=0.9)  # so large a step makes the descent on this loss chaotic
for _ in range(300):
    opt.zero_grad()
    (x**4 / 4 - x**2).sum().backward()
    opt.step()"""


def gradient_by_grad():
    x = PLACES.clone().requires_grad_()
    return torch.autograd.grad(x.sin().sum(), x)[0]


def gradient_by_backward(**settings):
    x, unused = PLACES.clone().requires_grad_(), torch.ones(1, requires_grad=True)
    (x.sin() * x).sum().backward(**settings)
    assert unused.grad is None
    return x.grad


def gradient_in_a_closure():
    x = PLACES.clone().requires_grad_()
    opt = HillAdam([x], lr=0.1)

    def closure():
        opt.zero_grad()
        loss = x.cos().sum()
        loss.backward()
        return loss

    opt.step(closure)
    return x.grad


def network_output():
    model = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Tanh()).double()
    torch.nn.init.constant_(model[0].weight, 0.7)
    torch.nn.init.constant_(model[0].bias, 0.1)
    return model(PLACES[:, None]).detach()


HOOKS = {
    "a polynomial of a number": lambda: np.array([DOUBLE_WELL(x) for x in PLACES.tolist()]),
    "a polynomial of a numpy number": lambda: np.array([DOUBLE_WELL(x) for x in PLACES.numpy()]),
    "a polynomial of an array": lambda: DOUBLE_WELL(PLACES.numpy()),
    "a polynomial of a tensor": lambda: DOUBLE_WELL(PLACES),
    "a polynomial in single precision": lambda: DOUBLE_WELL(PLACES.float()),
    "a derivative": lambda: DOUBLE_WELL.derivative(PLACES.numpy()),
    "a way out": lambda: way_out(DOUBLE_WELL, 2.0).push(PLACES.numpy()),
    "a stack": lambda: stack([DOUBLE_WELL] * 64)(PLACES),
    "a surface": lambda: SURFACES["camel"](PLACES.view(32, 2)),
    "a colour loss": lambda: ColourLoss((0.5, 0.4, 0.3), (0.2, 0.4, 0.6))(PLACES[:63].view(21, 3)),
    "an ensemble": lambda: StackedMLP(range(64))().detach(),
    "a module": network_output,
    "autograd.grad": gradient_by_grad,
    "backward": gradient_by_backward,
    "backward to a chosen leaf": lambda: gradient_by_backward(retain_graph=True),
    "a closure": gradient_in_a_closure,
}


@pytest.mark.parametrize("compute", HOOKS.values(), ids=HOOKS)
def test_every_hook_changes_last_bits_as_a_function_does_and_only_while_it_is_on(compute):
    before = np.asarray(compute())
    perturbation = rounding.start(1)
    try:
        first, again = np.asarray(compute()), np.asarray(compute())
    finally:
        perturbation.close()
    assert before.dtype == first.dtype and before.shape == first.shape
    assert (first == again).all()
    assert (first != before).mean() > 0.2
    np.testing.assert_allclose(first, before, rtol=0, atol=100 * EPS[before.dtype] * np.abs(before).max())
    assert (np.asarray(compute()) == before).all()


def test_a_number_changes_by_at_most_one_unit_of_its_precision_up_or_down():
    for dtype, eps in EPS.items():
        values = np.random.default_rng(0).normal(size=4000).astype(dtype)
        changes = rounding.perturb(values, seed=3) / values - 1
        assert 0 < np.abs(changes).max() < 2 * eps  # the product is rounded too
        assert (changes > 0).mean() > 0.2 and (changes < 0).mean() > 0.2 and (changes == 0).mean() > 0.4
        larger = rounding.perturb(values, seed=3, size=16.0) / values - 1
        assert 15 * eps < np.abs(larger).max() < 17 * eps
        assert (rounding.perturb(values, seed=4) != rounding.perturb(values, seed=3)).any()


def test_neither_the_sign_nor_a_power_of_two_changes_how_a_number_is_rounded():
    values = np.random.default_rng(0).normal(size=100)
    for factor in (-1.0, 2.0**16, -(2.0**-30)):
        assert (rounding.perturb(factor * values, seed=3) == factor * rounding.perturb(values, seed=3)).all()


@pytest.mark.parametrize("size", [1.0, 16.0])
def test_a_number_alone_is_rounded_as_among_others(size):
    values = np.random.default_rng(0).normal(size=400) * 10.0 ** np.arange(-200, 200)
    values[:4] = 0.0, -0.0, math.inf, 5e-324
    among = rounding.perturb(values, 7, size)
    assert [rounding.perturb(value, 7, size) for value in values.tolist()] == among.tolist()
    alone = [rounding.perturb(value, 7, size) for value in torch.as_tensor(values)]
    assert all(value.dtype == torch.float64 and value.shape == () for value in alone)
    assert torch.stack(alone).tolist() == among.tolist()


@pytest.mark.parametrize("value", [3, True, None, "x", sympy.Rational(1, 3), torch.arange(3), np.arange(3), 0.0])
def test_what_is_exact_stays_exact(value):
    assert rounding.perturb(value, seed=1) is value or np.all(rounding.perturb(value, seed=1) == value)


def test_a_polynomial_of_a_symbol_stays_exact():
    x = sympy.Symbol("x")
    perturbation = rounding.start(1)
    try:
        assert DOUBLE_WELL.expression(x) == x**4 - 2 * x**2 + sympy.Rational(3, 10) * x + 1
    finally:
        perturbation.close()


def test_without_the_option_nothing_is_put_in_place():
    def state():
        return Polynomial.__call__, Polynomial.derivative, torch.autograd.grad, torch.autograd.backward, {**os.environ}

    before, options = state(), {"--perturb-rounding": None, "--rounding-size": 1.0}
    rounding.pytest_configure(SimpleNamespace(getoption=options.get, addinivalue_line=lambda *line: None))
    assert state() == before


def run(folder, *options):
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONSTARTUP", rounding.SEED)}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT / "tools"), str(ROOT)])
    command = [sys.executable, "-m", "pytest", "-p", "rounding", "--nbval", "--nbval-current-env", "-q", *options]
    done = subprocess.run([*command, "."], cwd=folder, env=environment, capture_output=True, text=True)
    return done.stdout


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A test and a notebook that hang on rounding, beside others that do not."""
    folder = tmp_path_factory.mktemp("planted")
    names = {"torch": torch}
    exec(CHAOTIC, names)
    end = names["x"].item()
    assert abs(end) < 2
    body = CHAOTIC.replace("\n", "\n    ")
    tests = f"""\
import pytest
import torch

def test_chaotic():
    {body}
    assert abs(x.item() - {end!r}) < 1e-6

def test_robust():
    {body.replace("lr=0.9", "lr=0.1")}
    assert abs(abs(x.item()) - 2**0.5) < 1e-6

@pytest.mark.own_rounding
def test_exempt():
    {body}
    assert x.item() == {end!r}
"""
    (folder / "test_planted.py").write_text(tests)
    cells = {
        "import torch": "",
        f"{CHAOTIC}\nprint(round(x.item(), 4))": f"{round(end, 4)}\n",
        f"{CHAOTIC.replace('lr=0.9', 'lr=0.1')}\nprint(round(abs(x.item()), 4))": "1.4142\n",
        "print([name for name in dir() if 'perturb' in name or name in ('os', 'sys', 'rounding')])": "[]\n",
    }
    notebook = nbformat.v4.new_notebook()
    for count, (source, text) in enumerate(cells.items(), 1):
        outputs = [nbformat.v4.new_output("stream", text=text)] if text else []
        notebook.cells.append(nbformat.v4.new_code_cell(source, execution_count=count, outputs=outputs))
    nbformat.write(notebook, folder / "planted.ipynb")
    return folder


def test_a_planted_chaotic_number_is_found_and_a_robust_one_is_not(planted):
    perturbed = run(planted, "--perturb-rounding=1")
    assert "2 failed, 5 passed" in perturbed, perturbed
    assert "FAILED test_planted.py::test_chaotic" in perturbed and "FAILED planted.ipynb::Cell 1" in perturbed


def test_a_larger_perturbation_finds_a_digit_near_a_rounding_edge():
    just_above = 2.05 + 4 * 2.0**-51
    for size, printed in ((1.0, {"2.1"}), (16.0, {"2.0", "2.1"})):
        assert {f"{rounding.perturb(just_above, seed, size):.1f}" for seed in range(40)} == printed
