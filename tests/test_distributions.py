"""The sdist is the whole project, and the wheel that it makes works in an environment that has what it asks for."""

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"
IMPORT = "import importlib, sys; [importlib.import_module(f'hilladam.{name}') for name in sys.argv[1:]]"
pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="git says what belongs to the project")


@pytest.fixture(scope="module")
def tracked():
    """The project's files."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).exists()}


def build(what, source, target):
    """Build an sdist or a wheel, offline, and return its path."""
    command = [sys.executable, "-c", BUILD, f"build_{what}", target]
    done = subprocess.run(command, cwd=source, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return target / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def sdist(tracked, tmp_path_factory):
    """The sdist of a clone, in which nothing has been built."""
    clone, target = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("sdist")
    for name in tracked:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).symlink_to(ROOT / name)
    for rubbish in (".venv-lowest/lib/a.py", "_build/html/a.html", "hilladam/__pycache__/a.pyc", ".ruff_cache/a"):
        (clone / rubbish).parent.mkdir(parents=True, exist_ok=True)
        (clone / rubbish).touch()
    return build("sdist", clone, target)


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    subprocess.run(["tar", "-xzf", sdist, "-C", source], check=True)  # tarfile's filters came with Python 3.11.4
    return build("wheel", next(source.iterdir()), target)


def test_the_sdist_is_the_whole_project_and_nothing_else(sdist, tracked):
    with tarfile.open(sdist) as tar:
        members = {member.name.partition("/")[2] for member in tar if member.isfile()}
    made = {name for name in members if name.partition("/")[0] in ("PKG-INFO", "setup.cfg", "hilladam.egg-info")}
    assert members - made == tracked


def test_the_wheel_has_every_file_of_the_package(wheel, tracked):
    with zipfile.ZipFile(wheel) as archive:
        members = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert members == {name for name in tracked if name.startswith("hilladam/")}


def needs(name, extras=()):
    """Return the distributions that one needs, and those that these need in turn."""
    found, todo = set(), [Requirement(f"{name}[{','.join(extras)}]")]
    while todo:
        asked = todo.pop()
        if (asked.name, *asked.extras) in found:
            continue
        found.add((asked.name, *asked.extras))
        for line in distribution(asked.name).requires or ():
            need = Requirement(line)
            if not need.marker or any(need.marker.evaluate({"extra": extra}) for extra in ("", *asked.extras)):
                todo.append(need)
    return {name for name, *_ in found}


@pytest.fixture
def environment(wheel, tmp_path):
    """Make an environment that has the wheel, what it needs with these extras, and nothing else; return its Python."""

    def make(*extras):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
        [packages] = (tmp_path / "venv").glob("lib/python*/site-packages")
        with zipfile.ZipFile(wheel) as archive:  # which is all that installing a wheel of pure Python comes to
            archive.extractall(packages)
        for need in needs("hilladam", extras) - {"hilladam"}:
            for top in {file.parts[0] for file in distribution(need).files} - {"..", "__pycache__"}:
                if not (packages / top).exists():
                    (packages / top).symlink_to(distribution(need).locate_file(top))
        return tmp_path / "venv" / "bin" / "python"

    return make


def run(python, *arguments):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run([python, *arguments], cwd=python.parent, env=clean, text=True, capture_output=True)


def test_without_extras_the_wheel_optimizes_and_reruns_table_1(environment):
    python = environment()
    done = run(python, "-c", IMPORT, "optim", "losses", "theory", "experiments")
    assert done.returncode == 0, done.stderr
    done = run(python, "-m", "hilladam", "table1", "--seeds", "1", "--steps", "5")
    assert done.returncode == 0 and "Hill-ADAM" in done.stdout, done.stderr
    assert run(python, "-c", "import matplotlib").returncode == 1  # the environment is clean
    done = run(python, "-c", "import hilladam; print(hilladam.__file__)")
    assert Path(done.stdout).is_relative_to(python.parents[1])


def test_with_all_extras_every_part_of_the_wheel_can_be_imported(environment):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    python = environment(*project["optional-dependencies"])
    done = run(python, "-c", IMPORT, *sorted(path.name for path in (ROOT / "hilladam").iterdir() if path.is_dir()))
    assert done.returncode == 0, done.stderr
