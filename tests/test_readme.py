"""What the README shows is what happens."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```)?", README, re.M | re.S)


def test_has_code():
    assert BLOCKS


@pytest.mark.parametrize(("code", "printed"), BLOCKS)
def test_code_runs_as_it_stands_and_prints_what_follows_it(code, printed, tmp_path):
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_links_lead_somewhere(target):
    assert (ROOT / target).is_file()


@pytest.mark.parametrize("target", re.findall(r"^make (\w+)|; make (\w+)", README, re.M))
def test_make_knows_the_commands(target):
    assert re.search(rf"^{''.join(target)}:", (ROOT / "Makefile").read_text(), re.M)


def test_the_plain_commands_are_those_that_make_runs():
    [block] = [block for block in re.findall(r"^```sh\n(.*?)^```", README, re.M | re.S) if "-m venv" in block]
    makefile = (ROOT / "Makefile").read_text()
    for name, value in {
        "$(PYTHON)": "python3",
        "$(BIN)": ".venv/bin",
        " --quiet --disable-pip-version-check --no-compile": "",  # what is said, and how long it takes
    }.items():
        makefile = makefile.replace(name, value)
    recipes = [line.lstrip("\t@") for line in makefile.splitlines() if line.startswith("\t")]
    *commands, tests = block.splitlines()
    assert len(commands) == 3 and [command for command in commands if command not in recipes] == []
    assert [recipe for recipe in recipes if tests in recipe]
