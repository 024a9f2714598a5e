"""What docstrings show runs as it stands there, and everything public shows something."""

import doctest
import importlib
import inspect
import pkgutil

import matplotlib
import matplotlib.pyplot as plt
import pytest

import hilladam

PARTS = ["optim", "losses", "colour", "theory", "experiments", "figures", "widgets"]
MODULES = [m.name for m in pkgutil.walk_packages(hilladam.__path__, "hilladam.") if not m.name.endswith("__main__")]
FINDER = doctest.DocTestFinder(exclude_empty=True)


@pytest.fixture(autouse=True)
def unseen():
    backend = matplotlib.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(backend)


def examples(module):
    """By the name of what they explain. They import what they need, as a reader would."""
    tests = FINDER.find(importlib.import_module(module), module, globs={})
    return {test.name.removeprefix(f"{module}."): test for test in tests if test.examples}


@pytest.mark.parametrize("module", ["hilladam", *MODULES])
def test_every_example_prints_what_it_shows(module):
    for name, test in examples(module).items():
        said = []
        failed, _ = doctest.DocTestRunner().run(test, out=said.append)
        assert not failed, f"{name}\n{''.join(said)}"


@pytest.mark.parametrize("part", PARTS)
def test_everything_public_has_an_example_that_prints(part):
    package = importlib.import_module(f"hilladam.{part}")
    offered = {name: getattr(package, name) for name in package.__all__}
    explained = {name: o for name, o in offered.items() if inspect.isclass(o) or inspect.isfunction(o)}
    assert explained
    without = []
    for name, o in explained.items():
        test = examples(o.__module__).get(o.__name__)
        if "Example:" not in o.__doc__ or test is None or not any(example.want for example in test.examples):
            without.append(name)
    assert not without
