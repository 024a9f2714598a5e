"""The race explorer counts what the package stores, and says of it what the package says."""

import numpy as np
import pytest
import traitlets

from hilladam.experiments import COURSES, compare, difference_interval, stored_race, wilson_interval
from hilladam.experiments._race_results import EVALUATIONS, RUNS
from hilladam.figures._style import COLOURS, apart
from hilladam.widgets import RaceExplorer
from hilladam.widgets._race_explorer import GRID

COUNTS = """
import { cumulate } from "./race_dynamics.js";
export default (courses) => Object.fromEntries(Object.entries(courses).map(([key, { rows }]) => [key,
  Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, [cumulate(row.found), cumulate(row.both)]]))]));
"""
VERSUS = """
import { versus } from "./race_dynamics.js";
export default (all) => all.map(([first, second, both]) => versus(first, second, both, 1000));
"""
APART = """
import { apart } from "./race_dynamics.js";
export default (all) => all.map((given) => apart(...given));
"""


def test_the_page_counts_the_runs_that_are_stored(node):
    explorer, stored = RaceExplorer(), stored_race()
    page = node(COUNTS, explorer.races["courses"])
    assert list(page) == list(COURSES) and GRID[0] == 1 and GRID[-1] == EVALUATIONS == explorer.races["grid"][-1]
    for key, rows in page.items():
        assert {(key, name) for name in rows} == {each for each in stored if each[0] == key}
        hero = stored[key, "Hill-ADAM"].hits
        for name, (found, both) in rows.items():
            hits = stored[key, name].hits
            assert found == [int((hits <= n).sum()) for n in GRID]
            assert both == [int(((hits <= n) & (hero <= n)).sum()) for n in GRID]
            tried = explorer.races["courses"][key]["rows"][name]["tried"]
            assert (dict(tried) if tried else None) == stored[key, name].tried


def test_the_page_compares_as_the_package_does(node):
    counts = [(10, 10, 10), (993, 1000, 993), (0, 0, 0), (1000, 0, 0), (96, 220, 24), (700, 300, 250), (1, 0, 0)]
    for (first, second, both), page in zip(counts, node(VERSUS, counts), strict=True):
        assert (page["onlyFirst"], page["onlySecond"]) == (first - both, second - both)
        assert page["interval"] == pytest.approx(difference_interval(first - both, second - both, RUNS), abs=1e-14)
        for side, count in (("first", first), ("second", second)):
            assert page[side]["share"] == count / RUNS
            assert page[side]["interval"] == pytest.approx(wilson_interval(count, RUNS), abs=1e-14)


def test_python_has_the_runs_that_the_sentence_counts(node):
    explorer = RaceExplorer(course="rastrigin", rival="Adam, restarted", evaluations=490)
    hill, again = explorer.found().values()
    row = compare({"": (hill, again)}).iloc[0]
    (page,) = node(VERSUS, [[int(hill.sum()), int(again.sum()), int((hill & again).sum())]])
    assert (page["onlyFirst"], page["onlySecond"]) == (row.only_first, row.only_second) == (34, 63)
    assert page["interval"] == pytest.approx([row.low, row.high], abs=1e-14)
    explorer.evaluations = EVALUATIONS
    assert [each.sum() for each in explorer.found().values()] == [96, 220]


def test_labels_keep_their_distance_and_their_order(node):
    rng = np.random.default_rng(0)
    cases = [(rng.uniform(0, 100, size).round(1).tolist(), 13.0, 0.0, 300.0) for size in (1, 2, 5, 20)]
    cases += [([100.0] * 6, 13.0, 0.0, 110.0), ([0.0, 0.0, 50.0], 13.0, 0.0, 110.0)]
    for (heights, least, low, high), page in zip(cases, node(APART, cases), strict=True):
        spread = apart(np.array(heights), least, low, high)
        assert page == pytest.approx(spread.tolist(), abs=1e-9)
        order = np.argsort(heights, kind="stable")
        assert (np.diff(spread[order]) >= least - 1e-9).all()
        assert low - 1e-9 <= spread.min() and spread.max() <= high + 1e-9
    alone = apart(np.array([5.0, 90.0, 40.0]), 13.0, 0.0, 100.0)
    assert alone.tolist() == [5, 90, 40], "who has room stays"


def test_the_picture_draws_whom_the_reader_chose():
    explorer = RaceExplorer(course="camel", rival="DIRECT", contenders=["SGD"], evaluations=50)
    curves, rates = explorer.picture().axes
    assert [text.get_text() for text in curves.texts] == ["SGD", "Hill-ADAM", "DIRECT"]
    assert [line.get_marker() for line in rates.lines] == ["None", "None", "o"], "DIRECT has no λ"
    assert {text.get_text(): text.get_color() for text in curves.texts}["Hill-ADAM"] == COLOURS["maximize"]
    ends = {line.get_ydata()[-1] for line in curves.lines[:3]}
    assert ends == {np.isfinite(stored_race()["camel", name].hits).mean() for name in ("SGD", "Hill-ADAM", "DIRECT")}


@pytest.mark.parametrize("trait, value", [
    ("course", "sixth"), ("rival", "Hill-ADAM"), ("rival", "BFGS"), ("contenders", ["Adam", "BFGS"]),
    ("evaluations", 0), ("evaluations", 2001),
])  # fmt: skip
def test_bad_settings_are_refused(trait, value):
    with pytest.raises(traitlets.TraitError, match=trait):
        RaceExplorer(**{trait: value})
