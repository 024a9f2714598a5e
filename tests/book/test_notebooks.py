"""What the stored notebooks must be for nbval to mean something: it passes a notebook whose outputs were cleared."""

import copy
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(path for path in ROOT.glob("book/**/*.ipynb") if ".ipynb_checkpoints" not in path.parts)
OF_ONE_MACHINE = re.compile(r"/(home|root|tmp|Users)/|\bat 0x[0-9a-f]+")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: str(path.relative_to(ROOT)))
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def is_executed(notebook):
    """Each cell ran once, in order, in a fresh kernel, and what they printed is there."""
    cells = code_cells(notebook)
    counts = [cell.execution_count for cell in cells]
    return counts == list(range(1, len(cells) + 1)) and any(cell.outputs for cell in cells)


def test_is_executed(notebook):
    assert is_executed(notebook)


def test_would_not_count_as_executed_without_its_outputs(notebook):
    cleared = copy.deepcopy(notebook)
    for cell in code_cells(cleared):
        cell.outputs = []
    assert not is_executed(cleared)


def test_would_not_count_as_executed_with_one_cell_reset(notebook):
    code_cells(notebook)[-1].execution_count = None
    assert not is_executed(notebook)


def test_has_no_error_stored(notebook):
    assert not [out for cell in code_cells(notebook) for out in cell.outputs if out.output_type == "error"]


def test_shows_a_picture_under_every_caption(notebook):
    captioned = [cell for cell in code_cells(notebook) if "figure" in cell.metadata.get("mystnb", {})]
    shown = [any("data" in out and len(out.data) > 1 for out in cell.outputs) for cell in captioned]
    assert all(shown)


def test_no_caption_names_a_colour_that_the_dark_turns_round(notebook):
    captions = [cell.metadata.get("mystnb", {}).get("figure", {}).get("caption", "") for cell in code_cells(notebook)]
    assert not [caption for caption in captions if re.search(r"\b(black|white|(dark|light)(er)?)\b", caption)]


def test_prints_nothing_that_differs_between_machines(notebook):
    assert not [found[0] for cell in code_cells(notebook) for found in OF_ONE_MACHINE.finditer(str(cell.outputs))]


def test_every_exercise_has_a_title(notebook):
    """In its first line, so that all titles look alike, and not as emphasis at the beginning of its text."""
    heads = [line for cell in notebook.cells for line in cell.source.splitlines() if line.startswith(":::{exercise}")]
    assert not [head for head in heads if not head.removeprefix(":::{exercise}").strip()]


@pytest.fixture(scope="module")
def cell():
    """The cell that all notebooks begin with."""
    first = [code_cells(nbformat.read(path, as_version=4))[0] for path in NOTEBOOKS]
    assert all(cell.metadata.tags == ["remove-cell"] and not cell.outputs for cell in first)
    (source,) = {cell.source for cell in first}
    return source


def run_bare(cell, tmp_path, before=""):
    """Run the cell as IPython does, in an interpreter that has the standard library alone."""
    code = f"import sys\n{before}\n{TransformerManager().transform_cell(cell)}"
    return subprocess.run([sys.executable, "-I", "-S", "-c", code], cwd=tmp_path, text=True, capture_output=True)


def test_alone_they_say_what_they_need(cell, tmp_path):
    done = run_bare(cell, tmp_path)
    assert done.returncode == 1
    needed, command = done.stderr.splitlines()[-2:]
    assert needed.startswith("ImportError: This notebook needs the package hilladam.")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (extra, address), = re.findall(r'^pip install "hilladam\[(\w+)\] @ git\+(\S+)@v[\d.]+"$', command)  # fmt: skip
    assert extra in project["optional-dependencies"] and address == project["urls"]["Repository"]


def test_in_colab_they_install_it(cell, tmp_path):
    before = """
sys.modules["google.colab"] = sys
class Shell:
    def run_line_magic(self, name, line):
        print(name, line)
get_ipython = Shell"""
    done = run_bare(cell, tmp_path, before)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r'pip install --quiet --no-deps "git\+https://\S+@v[\d.]+"\n', done.stdout)
