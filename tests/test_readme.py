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
