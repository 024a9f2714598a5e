"""The phase explorer's cells, paths and scores are theory's."""

import re

import numpy as np
import pytest
import torch
import traitlets

from hilladam import theory
from hilladam.theory._escape import _sweep
from hilladam.theory._first_pass import run_adam, settings
from hilladam.widgets import PhaseExplorer
from hilladam.widgets._phase_explorer import _setting, _steps, _way

SOME = 7  # of the cells, for the paths of all their sweeps
LOSSES = ["double well", "sixth", "tenth"]
CELLS = """
import { read } from "./phase.js";
import { adamPass, boundaryBand, sweepPasses } from "./escape_dynamics.js";
export default (diagram) => {
  const scene = read(diagram);
  const sum = (path) => path.reduce((total, u) => total + u, 0);
  const brief = ({ path, escapes, turns }) => [path.length - 1, path.at(-1), sum(path), escapes, turns];
  const cells = scene.truth.map((_, i) => scene.at([i % scene.columns, Math.floor(i / scene.columns)]));
  return {
    passes: cells.map((cell) => [adamPass(scene.way, cell), ...sweepPasses(scene.way, cell, 6)].map(brief)),
    band: boundaryBand(scene.truth, scene.columns),
  };
};
"""
PATHS = """
import { read } from "./phase.js";
import { adamPass, sweepPasses } from "./escape_dynamics.js";
export default ({ diagram, cell, sweeps }) => {
  const scene = read(diagram);
  const settings = scene.at(cell);
  return [adamPass(scene.way, settings).path, sweepPasses(scene.way, settings, sweeps).at(-1).path]
    .map((path) => path.map((u) => scene.way.x0 + scene.way.direction * u));
};
"""


@pytest.fixture(scope="module")
def diagrams():
    return PhaseExplorer().diagrams


@pytest.mark.parametrize("loss", LOSSES)
def test_every_cell_runs_as_theory_runs_it(node, diagrams, loss):
    page = node(CELLS, diagrams[loss])
    found = np.array(page["passes"], dtype=float).transpose(2, 1, 0)
    rows = [diagrams[loss]["truth"], *diagrams[loss]["predicted"]]
    assert (found[3] == [[int(bit) for bit in row] for row in rows]).all()
    adam, predicted = _passes(loss)
    for paths, expected in ((found[:, :1], adam), (found[:, 1:, ::SOME], predicted)):
        length, last, total, escapes, turns = (np.broadcast_to(each, paths[0].shape) for each in expected)
        assert (paths[3] == escapes).all()
        same = paths[0] == length  # a run that comes to rest turns back, or not, by a rounding error
        assert same.mean() > 0.99 and not escapes[~same].any()
        assert (paths[4] == turns)[same].all()
        assert np.allclose(paths[1][same], last[same], rtol=0, atol=1e-9)
        assert np.allclose(paths[2][same], total[same], rtol=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_diagram_is_the_chapters(node, diagrams, loss):
    f, x0, _, lr, (beta1, beta2) = _setting(loss)
    assert np.allclose(lr, np.geomspace(_way(loss).length / 1000, _way(loss).length / 2.5, 31))
    assert np.allclose(beta1[:, 0], 1 - np.geomspace(0.5, 0.003, 31))
    truth = theory.first_pass(f, x0, None, lr, (beta1, beta2)).first
    explorer = PhaseExplorer(loss=loss, sweeps=1)
    assert (explorer.truth == truth).all()
    assert (explorer.predicted == theory.sweeps(f, x0, None, lr, (beta1, beta2), count=1)).all()
    assert (np.array(node(CELLS, diagrams[loss])["band"]) == theory.boundary_band(truth).ravel()).all()


def test_torch_agrees():
    truths = [PhaseExplorer(loss=loss).truth for loss in LOSSES]
    ways = [_way(loss) for loss in LOSSES]
    lr = np.array([_setting(loss)[3] for loss in LOSSES])[:, ::3]
    torch.set_num_threads(1)
    passes = theory.torch_first_pass(ways, lr, _setting("sixth")[4][0][::3, 0], steps=1200)
    assert (passes.first == np.array(truths)[:, ::3, ::3]).all()


@pytest.mark.parametrize(
    ("loss", "cell", "sweeps"),
    [("double well", (20, 9), 0), ("double well", (30, 0), 3), ("sixth", (5, 28), 6), ("tenth", (18, 15), 1),
     ("tenth", (30, 30), 2)],
)  # fmt: skip
def test_the_paths_are_those_of_the_picture(node, diagrams, loss, cell, sweeps):
    explorer = PhaseExplorer(loss=loss, cell=cell, sweeps=sweeps)
    page = node(PATHS, {"diagram": diagrams[loss], "cell": cell, "sweeps": sweeps})
    for found, expected in zip(page, explorer.paths().values(), strict=True):
        assert len(found) == len(expected) and np.allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_the_default_cell_is_a_promise_that_sweeps_mend():
    explorer = PhaseExplorer()
    column, row = explorer.cell
    said = [PhaseExplorer(sweeps=count).predicted[row, column] for count in range(7)]
    assert not explorer.truth[row, column] and said[0] and not any(said[4:])


@pytest.mark.parametrize(
    "wrong",
    [{"loss": "third"}, {"sweeps": 7}, {"sweeps": -1}, {"cell": (31, 0)}, {"cell": (0, -1)}, {"cell": (1,)},
     {"cell": (0.5, 1)}, {"task": None}],
)  # fmt: skip
def test_malformed_settings_raise(wrong):
    with pytest.raises(traitlets.TraitError):
        PhaseExplorer(**wrong)


def test_a_cell_may_come_as_a_list():
    explorer = PhaseExplorer(cell=[3, 4])
    assert explorer.cell == (3, 4) and explorer.lr < explorer.beta1


@pytest.mark.parametrize("settings", [{}, {"loss": "tenth", "cell": (0, 0), "sweeps": 6}, {"cell": (30, 30)}])
def test_picture_and_words_carry_no_address(settings):
    explorer = PhaseExplorer(**settings)
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["image/png"].startswith("iVBOR")
    assert not re.search("0x[0-9a-f]{6}", repr(explorer)) and repr(explorer) == repr(PhaseExplorer(**settings))


def _passes(loss):
    """Steps, last distance, sum of distances, escapes, turns: of Adam in every cell, of sweeps 0 … 6 in some."""
    way, steps = _way(loss), _steps(loss)
    lr, beta1, beta2, _ = settings(*_setting(loss)[3:])

    def brief(run):
        length, last, total, escapes, turns = 0, 0, 0, np.False_, np.False_
        for u, step in run:
            going = ~(escapes | turns)
            length, last, total = length + going, np.where(going, u, last), total + np.where(going, u, 0)
            back = going & (step < 0)
            turns = turns | back
            escapes = escapes | (going & ~back & (u > way.length))
        return [length, last, total, escapes, turns]

    def sweeps():
        few = [a[::SOME] for a in (lr, beta1, beta2)]
        rows, powers = np.zeros((3, 7, few[0].size)), np.ones((2, few[0].size))
        for _ in range(steps):
            rows, powers, step = _sweep(way, *few, 1e-8, rows, powers)
            yield rows[0], step

    return brief(run_adam(way, lr, beta1, beta2, 1e-8, steps)), brief(sweeps())
