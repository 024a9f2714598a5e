"""What every explorer keeps, in Python and in the stored notebooks."""

import json
import math
import re
from pathlib import Path

import nbformat
import pytest
from traitlets import TraitError

from hilladam.widgets import HillExplorer, _explorer
from hilladam.widgets._explorer import front_end

BOOK = Path(__file__).parents[2] / "book"
NOTEBOOKS = sorted(path for path in BOOK.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)


def stored_explorers():
    for path in NOTEBOOKS:
        state = nbformat.read(path, as_version=4).metadata.get("widgets", {}).get(
            "application/vnd.jupyter.widget-state+json", {"state": {}})["state"]  # fmt: skip
        for model in state.values():
            if model["model_module"] == "anywidget":
                yield path.stem, model["state"]


def explorer_classes():
    import hilladam.widgets as widgets

    return {name: getattr(widgets, name) for name in widgets.__all__ if name.endswith("Explorer")}


def test_notebooks_store_the_explorers_as_they_are():
    """A page runs the front end that its notebook has stored: after a change, `make notebooks`."""
    stored = list(stored_explorers())
    used = {state["_anywidget_id"].rpartition(".")[2] for _, state in stored}
    assert used == set(explorer_classes()), "an explorer that no page shows"
    for chapter, state in stored:
        explorer = explorer_classes()[state["_anywidget_id"].rpartition(".")[2]]
        assert state["_esm"] == explorer._esm, chapter
        assert state["_css"] == explorer._css, chapter


def test_what_explorers_say_has_typographic_apostrophes():
    for chapter, state in stored_explorers():
        settings = [value for name, value in state.items() if isinstance(value, str) and name not in ("_css", "_esm")]
        script = re.sub(r" // .*$", "", state["_esm"], flags=re.M)  # strings are in double quotes there
        assert not [found for each in [*settings, script] for found in re.findall(r".{,40}\w'.{,20}", each)], chapter


def test_every_stored_explorer_brings_its_picture():
    cells = [cell for path in NOTEBOOKS for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    shown = [output.data for cell in cells for output in cell.outputs if "data" in output]
    explorers = [data for data in shown if re.match(r"\w+Explorer\(", data.get("text/plain", ""))]
    assert len(explorers) == len(list(stored_explorers()))
    for data in explorers:
        assert data.keys() & {"image/png", "image/jpeg"}, data["text/plain"]
        assert "0x" not in data["text/plain"], "an address changes from run to run"


@pytest.mark.parametrize(
    "name",
    ["hill", "series", "phase", "wells", "climb", "turns", "training", "heat", "map", "success", "race", "course"],
)
def test_a_front_end_is_one_module(name):
    assert not re.search(r"^(import|export (?!default))", front_end(name), re.M)
    assert not re.search(r"^\s*(//|/\*\*| \* )", front_end(name), re.M), "a comment"


def test_what_a_module_imports_is_exported_where_it_is_sought():
    folder = Path(_explorer.__file__).parent
    exports = {
        path.name: set(
            re.findall(r"^export (?:async )?(?:function\*?|const|class) (\w+)", path.read_text("utf-8"), re.M)
        )
        for path in folder.glob("*.js")
    }
    imported = [
        (path.name, name.split(" as ")[0].strip(), source)
        for path in folder.glob("*.js")
        for names, source in re.findall(r'^import \{([^}]*)\} from "\./([\w.]+)";$', path.read_text("utf-8"), re.M)
        for name in names.split(",")
        if name.strip()
    ]
    assert len(imported) > 100
    assert [each for each in imported if each[1] not in exports[each[2]]] == []


def test_traits_survive_the_way_to_the_page():
    explorer = HillExplorer(gamma=math.inf, loss="x^4 - x^2", optimizers=["Adam"], step=7)
    state = json.loads(json.dumps(explorer.get_state()))  # what the page gets
    other = HillExplorer()
    other.set_state({name: state[name] for name in other.trait_names(setting=True)})
    assert repr(other) == repr(explorer)
    assert other.gamma == math.inf


def test_a_run_is_the_one_that_the_traits_describe():
    explorer = HillExplorer(loss="sixth", start=0.1, delta=1e-3)
    runs = explorer.run()
    assert set(runs) == {"Hill-ADAM", "Adam"}
    assert runs["Hill-ADAM"].best_losses == pytest.approx(2.8863, abs=1e-3)
    assert runs["Adam"].best_losses == pytest.approx(5.1923, abs=1e-3)
    assert len(runs["Adam"].losses) == 300


def test_the_start_suits_the_loss():
    assert HillExplorer(loss="x2").start == 2.5
    assert HillExplorer(loss="x^4 - x").start == 1.5
    assert HillExplorer(loss="x2", start=-1).start == -1


@pytest.mark.parametrize(("trait", "value"), [
    ("lr", -0.1), ("lr", math.nan), ("lr", math.inf), ("beta1", 1.0), ("beta2", -0.1), ("delta", math.nan),
    ("gamma", math.nan), ("gamma", -math.inf), ("start", math.inf), ("steps", 0), ("steps", 5001), ("steps", 1.5),
    ("step", -1), ("speed", 0), ("optimizers", ["SGD"]), ("loss", "x^3"), ("loss", "__import__('os')"),
])  # fmt: skip
def test_bad_settings_are_refused_and_change_nothing(trait, value):
    explorer = HillExplorer()
    before = repr(explorer)
    with pytest.raises(TraitError, match=trait):
        setattr(explorer, trait, value)
    assert repr(explorer) == before
