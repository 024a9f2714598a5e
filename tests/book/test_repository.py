"""The repository's address is the same wherever it stands, and one command changes it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ADDRESS = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
FILES = ["_config.yml", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "README.md", "pyproject.toml"]


def repository(folder, argument):
    return subprocess.run([sys.executable, "tools/repository.py", argument], cwd=folder, text=True, capture_output=True)


@pytest.fixture
def project(copy_of):
    return copy_of(*FILES, "hilladam/__init__.py", "tools", "book")


def test_every_file_names_the_same_address():
    done = repository(ROOT, "--check")
    assert done.returncode == 0, done.stderr


def test_one_command_changes_it_everywhere(project):
    assert repository(project, "https://example.org/someone/else").returncode == 0
    assert repository(project, "--check").returncode == 0
    assert "https://example.org/someone/else" in (project / "README.md").read_text()
    assert "baseurl: &address https://someone.github.io/else/" in (project / "_config.yml").read_text()


@pytest.mark.parametrize("name", ["README.md", "book/index.ipynb"])
def test_a_file_left_behind_is_noticed(project, name):
    path = project / name
    path.write_text(path.read_text().replace("https://github.com/", "https://github.com/another-"))
    done = repository(project, "--check")
    assert done.returncode == 1
    assert name in done.stderr


@pytest.mark.parametrize("place", [".github.io/", "notfound_urls_prefix: /"])
def test_an_address_of_the_book_left_behind_is_noticed(project, place):
    path = project / "_config.yml"
    path.write_text(path.read_text().replace(place, place + "another-"))
    done = repository(project, "--check")
    assert done.returncode == 1
    assert "_config.yml" in done.stderr


def test_the_set_up_cells_follow_the_version(project):
    package = project / "hilladam" / "__init__.py"
    package.write_text(re.sub('__version__ = ".*"', '__version__ = "7.8.9"', package.read_text()))
    done = repository(project, "--check")
    assert done.returncode == 1 and "book/index.ipynb" in done.stderr
    assert repository(project, ADDRESS).returncode == 0
    assert repository(project, "--check").returncode == 0
    assert f"{ADDRESS}@v7.8.9" in (project / "book" / "index.ipynb").read_text()
