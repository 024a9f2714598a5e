"""What the map of success shows of a cell is what it has counted there, and its run is Hill-ADAM's."""

import re

import numpy as np
import pytest
import traitlets

from hilladam.experiments import MAPPED, stored_success_maps
from hilladam.losses import SINE_WAVE
from hilladam.theory import hill
from hilladam.widgets import SuccessMapExplorer

POLYNOMIALS = [name for name in MAPPED if name != "sine wave"]
CELLS = [(49, 49), (30, 20), (60, 80), (45, 5), (70, 40), (99, 0), (0, 99), (55, 62)]
PAGE = """
import { travel } from "./crossing_dynamics.js";
import { evaluate } from "./dynamics.js";
import { lawAbove, levels, startsOf } from "./success_dynamics.js";
export default ({ landscape, rule, cells, start, places }) => {
  const starts = startsOf(landscape, rule.starts);
  const at = ([column, row]) => ({ ...rule, lr: rule.lr[column], delta: rule.delta[row] });
  const fate = (x, cell, known) => travel(landscape, x, at(cell), rule.steps, known);
  const all = (cell, known = new Map()) => starts.map((x) => fate(x, cell, known).arrival >= 0);
  return {
    starts,
    levels: levels(landscape.counts, rule.delta.length),
    laws: cells.map(([column]) => lawAbove(landscape.laws, column)),
    fates: cells.map((cell) => all(cell)),
    runs: cells.map((cell) => fate(start, cell)),
    values: places.map((x) => evaluate(landscape, x)),
  };
};
"""


def page(node, explorer, cells, places=()):
    landscape = explorer.landscapes[explorer.loss]
    return node(PAGE, dict(landscape=landscape, rule=explorer.rule, cells=cells, start=explorer.start,
                           places=list(places)))  # fmt: skip


@pytest.mark.own_rounding  # the same bits on both sides, which perturbed ones are not
@pytest.mark.parametrize("loss", POLYNOMIALS)
def test_what_is_tapped_is_what_was_counted(node, loss):
    pytest.importorskip("numba")
    explorer = SuccessMapExplorer(loss=loss)
    shown = page(node, explorer, CELLS)
    assert shown["starts"] == explorer.starts.tolist()
    stored = stored_success_maps()[loss].counts
    np.testing.assert_array_equal(np.reshape(shown["levels"], stored.shape), np.round(stored / 8))
    for cell, fates, found in zip(CELLS, shown["fates"], shown["runs"], strict=True):
        explorer.cell = cell
        assert fates == explorer.reached().tolist(), cell
        late = 2 if loss == "tenth order" else 0  # runs that cross with their last steps
        assert 0 <= explorer.count - sum(fates) <= late and explorer.count == stored[cell[1], cell[0]]
        run = explorer.run()
        below = np.flatnonzero(run.losses < explorer.landscapes[loss]["gate"])
        assert found["arrival"] == (below[0] if len(below) else -1)
        turns = found["turns"][1:]
        assert [turn["step"] for turn in turns] == run.switches[: len(turns)].tolist()
        assert [turn["x"] for turn in turns] == run.states[run.switches[: len(turns)]].tolist()


def test_the_sine_wave_is_counted_up_to_its_rounding(node):
    explorer = SuccessMapExplorer(loss="sine wave")
    x = np.linspace(2.5, 6.8, 301)
    cells = CELLS[:4]
    shown = page(node, explorer, cells, x)
    value, slope = np.array(shown["values"], dtype=float).T
    np.testing.assert_allclose(value, SINE_WAVE(x), atol=1e-13)
    near = abs(x - 6) > 0.02  # there the quotients lose their digits, and the run has arrived
    np.testing.assert_allclose(slope[near], SINE_WAVE.derivative(x[near]), atol=1e-10)
    for cell, fates in zip(cells, shown["fates"], strict=True):
        explorer.cell = cell
        assert abs(sum(fates) - explorer.count) <= 2, cell
    explorer.cell = (40, 60)
    assert abs(int(explorer.reached().sum()) - explorer.count) <= 2


def test_the_lines_are_the_laws(node):
    for loss in MAPPED:
        explorer = SuccessMapExplorer(loss=loss)
        rates = np.array(explorer.rule["lr"])
        laws = explorer.landscapes[loss]["laws"]
        assert len(laws) == {"eighth order": 3, "tenth order": 4}.get(loss, 1)
        shown = page(node, explorer, [(60, 0)])["laws"]
        assert shown == [max(law[60] for law in laws)]
        if loss == "sine wave":
            np.testing.assert_allclose(laws[0], hill(SINE_WAVE, 3.483, 4.586).largest_delta(rates), rtol=5e-3)


def test_the_goal_is_the_deepest_valley_and_lies_in_the_picture():
    for loss, (function, low, high) in MAPPED.items():
        scene = SuccessMapExplorer().landscapes[loss]
        x = np.linspace(scene["left"], scene["right"], 2001)
        assert abs(scene["minima"][scene["goal"]] - x[np.argmin(function(x))]) < 3e-3
        assert scene["left"] < low < high < scene["right"] and low < scene["start"] < high


@pytest.mark.parametrize(
    "wrong", [{"loss": "sixth"}, {"cell": (0, 100)}, {"cell": (-1, 0)}, {"cell": (1, 2, 3)}, {"start": np.nan}]
)
def test_malformed_settings_raise(wrong):
    with pytest.raises(traitlets.TraitError):
        SuccessMapExplorer(**wrong)


@pytest.mark.parametrize("settings", [{}, {"loss": "tenth order", "cell": (60, 40)}])
def test_picture_and_words_carry_no_address(settings):
    explorer = SuccessMapExplorer(**settings)
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["image/png"].startswith("iVBOR")
    assert not re.search("0x[0-9a-f]{6}", repr(explorer)) and repr(explorer) == repr(SuccessMapExplorer(**settings))
