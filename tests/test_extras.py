"""Without an optional dependency the package says how to install it, and does the rest."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hilladam._extras import MissingExtra, extra

ROOT = Path(__file__).parents[1]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
OPTIONAL = ["PIL", "skimage", "colour", "sklearn", "matplotlib", "ipywidgets", "anywidget", "numba", "nlopt", "cma",
            "cocoex"]  # fmt: skip

# One interpreter without any of them tries everything.
CODE = f"""
import sys
sys.modules.update(dict.fromkeys({OPTIONAL}))  # an import of these fails
import hilladam, hilladam.theory, hilladam.losses, hilladam.experiments
from hilladam.__main__ import main

def tell(name, use):
    try:
        use()
    except ImportError as error:
        print(f"{{name}}: {{error}}")

for name in ("figures", "widgets", "colour"):
    tell(name, lambda: __import__(f"hilladam.{{name}}"))
tell("digits", hilladam.experiments.load_digits)
print("table2", main(["table2", "--steps", "1"]))
tell("search", lambda: hilladam.experiments.search(abs, 0.0, (-1, 1), searchers=["MLSL with L-BFGS"], runs=1))
print("race", main(["race"]))
sys.modules.update(cma=sys, nlopt=sys)
tell("benchmark", lambda: hilladam.experiments.contest("DIRECT", [1], 2))
print("championship", main(["championship"]))
print("again", main(["again"]))
print("table1", main(["table1", "--steps", "1", "--seeds", "1"]))
"""


@pytest.fixture(scope="module")
def bare():
    return subprocess.run([sys.executable, "-c", CODE], check=True, text=True, capture_output=True)


@pytest.mark.parametrize(
    "name, package",
    [
        ("figures", "matplotlib"),
        ("widgets", "matplotlib"),
        ("colour", "PIL"),
        ("digits", "sklearn"),
        ("search", "nlopt"),
        ("benchmark", "cocoex"),
    ],
)
def test_what_is_missing_is_told_in_one_line(bare, name, package):
    assert re.search(rf"^{name}: \w+ is not installed: pip install 'hilladam\[{name}\]'$", bare.stdout, re.M)


def test_the_command_tells_it_without_a_traceback(bare):
    assert "table2 2\n" in bare.stdout
    assert "hilladam: PIL is not installed: pip install 'hilladam[colour]'\n" in bare.stderr
    assert "race 2\n" in bare.stdout
    assert "hilladam: cma is not installed: pip install 'hilladam[search]'\n" in bare.stderr
    assert "championship 2\n" in bare.stdout
    assert "again 2\n" in bare.stdout
    assert "hilladam: cocoex is not installed: pip install 'hilladam[benchmark]'\n" in bare.stderr
    assert "Traceback" not in bare.stderr


def test_what_needs_no_extra_works(bare):
    assert "table1 0\n" in bare.stdout


LATER = """
import sys
sys.modules[sys.argv[1]] = None
import numpy as np
from hilladam import colour
image = colour.load(np.full((2, 2, 3), 0.5))
eval(sys.argv[2])
"""


@pytest.mark.parametrize(
    "package, use",
    [
        ("skimage", "colour.difference(image, image)"),
        ("skimage", "colour.pairs()"),
        ("colour", "colour.relight(image, 3000)"),
    ],
)
def test_photographs_need_pillow_alone(package, use):
    done = subprocess.run([sys.executable, "-c", LATER, package, use], text=True, capture_output=True)
    assert done.stderr.splitlines()[-1].endswith(f"{package} is not installed: pip install 'hilladam[colour]'")


def test_what_the_package_itself_lacks_is_no_missing_extra():
    for name in ("hilladam", "hilladam.no_such_module"):
        with pytest.raises(ModuleNotFoundError) as error, extra("figures"):
            raise ModuleNotFoundError("a bug", name=name)
        assert not isinstance(error.value, MissingExtra)


def test_every_extra_that_is_named_exists_and_all_has_all_of_them():
    (everything,) = EXTRAS["all"]
    assert set(re.findall(r"\w+", everything)) == {"hilladam", *EXTRAS} - {"all"}
    named = {
        name
        for file in ROOT.glob("hilladam/**/*.py")
        for name in re.findall(r'extra\("(\w+)"\)|hilladam\[(\w+)\]', file.read_text(encoding="utf-8"))
    }
    assert {first or second for first, second in named} <= set(EXTRAS)


def test_every_package_that_is_imported_only_where_it_is_needed_belongs_to_an_extra():
    distributions = {"PIL": "pillow", "skimage": "scikit-image", "colour": "colour-science", "sklearn": "scikit-learn",
                     "cocoex": "coco-experiment"}  # fmt: skip
    required = {re.split(r"[<>=]", line)[0] for name, lines in EXTRAS.items() if name != "all" for line in lines}
    assert {distributions.get(name, name) for name in OPTIONAL} == required
