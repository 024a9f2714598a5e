"""What `import hilladam` brings along, and what it offers."""

import importlib
import inspect
import json
import pkgutil
import subprocess
import sys

import pytest

PARTS = ["optim", "losses", "colour", "theory", "experiments", "figures", "widgets"]

# What each import adds, in a fresh interpreter, to those before it.
CODE = """
import json, sys
for name in ["torch", "hilladam", "hilladam.losses", "hilladam.experiments"]:
    known = set(sys.modules)
    __import__(name)
    new = {module.partition(".")[0] for module in set(sys.modules) - known}
    print(json.dumps([name, sorted(new - sys.stdlib_module_names)]))
"""


@pytest.fixture(scope="module")
def added():
    done = subprocess.run([sys.executable, "-c", CODE], check=True, text=True, stdout=subprocess.PIPE)
    return dict(map(json.loads, done.stdout.splitlines()))


def test_the_optimizer_and_the_losses_need_torch_alone(added):
    assert "torch" in added["torch"]
    assert added["hilladam"] == ["hilladam"]
    assert added["hilladam.losses"] == ["hilladam"]  # sympy waits until a stationary point is asked for


def test_a_run_draws_no_figures(added):
    assert "hilladam" in added["hilladam.experiments"]
    assert not {"matplotlib", "ipywidgets", "scipy"} & set(added["hilladam.experiments"])


@pytest.mark.parametrize("name", ["hilladam", *(f"hilladam.{part}" for part in PARTS)])
def test_what_a_module_offers_is_there_and_says_what_it_is(name):
    module = importlib.import_module(name)
    assert module.__doc__
    for public in module.__all__:
        offered = getattr(module, public)
        if not (inspect.isclass(offered) or inspect.isfunction(offered)):
            continue  # a constant
        assert offered.__doc__, public
        assert not offered.__doc__.startswith(f"{public}("), f"{public}: Python made up this docstring"
        for method in vars(offered) if inspect.isclass(offered) else ():
            if not method.startswith("_") and inspect.isfunction(getattr(offered, method)):
                assert inspect.getdoc(getattr(offered, method)), f"{public}.{method}"


@pytest.mark.parametrize("part", PARTS)
def test_no_module_hides_behind_what_it_offers(part):
    package = importlib.import_module(f"hilladam.{part}")
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert modules
    assert not modules & set(package.__all__)
