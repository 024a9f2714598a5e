"""What the stored notebooks must be for nbval to mean something: it passes a notebook whose outputs were cleared."""

import copy
import re
from pathlib import Path

import nbformat
import pytest

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


def test_prints_nothing_that_differs_between_machines(notebook):
    assert not [found[0] for cell in code_cells(notebook) for found in OF_ONE_MACHINE.finditer(str(cell.outputs))]
