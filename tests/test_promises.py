"""What is promised of versions is the same wherever it stands, and what is pinned keeps it."""

import re
import tomllib
from importlib.metadata import metadata, version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

import hilladam

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OLDEST = re.search(r">=([\d.]+)", PROJECT["requires-python"])[1]
PINS = [Requirement(line) for line in (ROOT / "requirements.txt").read_text().splitlines() if re.match(r"\w", line)]
HERE = [pin for pin in PINS if not pin.marker or pin.marker.evaluate()]


def asks_for_more(python):
    """Whether a `Requires-Python` shuts out the oldest Python promised, or one of its own series."""
    return not all(f"{OLDEST}.{patch}" in SpecifierSet(python) for patch in range(15))


@pytest.mark.parametrize("python, more", [(">=3.11", False), (">=3.8,<4", False), (">=3.11.5", True), (">=3.12", True)])
def test_what_asks_for_more_is_told(python, more):
    assert asks_for_more(python) == more


def test_no_pin_asks_for_a_newer_python_than_the_project():
    pythons = {pin.name: metadata(pin.name).get("Requires-Python", "") for pin in HERE}
    assert not {name: python for name, python in pythons.items() if asks_for_more(python)}


def test_what_is_installed_is_what_is_pinned():
    """So the test above reads the metadata of the pins."""
    found = {pin.name: version(pin.name) for pin in HERE}
    assert not [f"{pin}: {found[pin.name]}" for pin in HERE if not pin.specifier.contains(found[pin.name], True)]


def test_every_pin_names_one_version():
    assert PINS and all([each.operator for each in pin.specifier] == ["=="] for pin in PINS)


def test_the_pins_are_within_what_the_package_takes():
    pinned = {pin.name.lower(): Version(next(iter(pin.specifier)).version) for pin in PINS}
    lists = PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()
    wanted = [Requirement(line) for lines in lists for line in lines]
    assert all(pinned[want.name] in want.specifier for want in wanted if want.name != PROJECT["name"])


def test_the_oldest_python_is_the_same_everywhere():
    assert f"Python {OLDEST} or newer" in (ROOT / "README.md").read_text()
    assert f"Python {OLDEST} or newer" in (ROOT / "CONTRIBUTING.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    assert f"({OLDEST.replace('.', ', ')})" in makefile and f"Python {OLDEST} or newer" in makefile
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]
    assert ruff["target-version"] == "py" + OLDEST.replace(".", "")


def test_the_pythons_named_are_those_that_the_workflow_tries():
    named = re.findall(r"Programming Language :: Python :: (3\.\d+)", str(PROJECT["classifiers"]))
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "book.yml").read_text())
    tried = {".".join(each.split(".")[:2]) for each in workflow["jobs"]["test"]["strategy"]["matrix"]["python"]}
    assert named[0] == OLDEST and set(named) == tried


def test_the_version_is_the_same_everywhere():
    assert PROJECT["dynamic"] == ["version"]
    assert version("hilladam") == hilladam.__version__
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == hilladam.__version__


def test_the_changelog_has_the_version_and_what_is_not_released():
    heads = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert heads[:2] == ["Unreleased", hilladam.__version__]


def test_the_release_steps_name_the_tag_that_the_set_up_cells_install():
    # That the cells install the version's tag is what `tools/repository.py --check` says.
    assert f"`v{hilladam.__version__}`" in (ROOT / "CONTRIBUTING.md").read_text()


def test_every_action_of_the_workflow_is_named_by_its_commit():
    workflow = (ROOT / ".github" / "workflows" / "book.yml").read_text()
    uses = re.findall(r"uses: (.*)", workflow)
    assert uses and all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", each) for each in uses)
    steps = [step for job in yaml.safe_load(workflow)["jobs"].values() for step in job["steps"]]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts and all(step["with"]["persist-credentials"] is False for step in checkouts)
    assert yaml.safe_load(workflow)["permissions"] == {"contents": "read"}
