"""BBOB's functions are COCO's, and their minima are where its formula says."""

import numpy as np
import pytest

from hilladam.experiments import GROUPS
from hilladam.experiments._bbob import bbob, minimum

cocoex = pytest.importorskip("cocoex")


def test_the_groups_share_out_all_functions():
    assert sorted(function for group in GROUPS.values() for function in group) == list(range(1, 25))


@pytest.mark.parametrize("function", range(1, 25))
def test_the_height_is_zero_at_the_best_place_that_coco_knows(function, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # COCO writes the place into a file
    for variables, instance in ((2, 1), (5, 7)):
        indices = f"function_indices: {function} dimensions: {variables}"
        problem = cocoex.Suite("bbob", f"instances: {instance}", indices).get_problem(0)
        problem._best_parameter("print")
        best = np.loadtxt("._bbob_problem_best_parameter.txt")
        assert abs(problem(best) - minimum(function, instance)) < 1e-9
        found = bbob(function, variables, instance)
        assert found.name == f"f{function}" and found.box.tolist() == [[-5, 5]] * variables
        assert abs(found.height(best)) < 1e-9 < found.height(np.zeros(variables))


@pytest.mark.parametrize("variables", [2, 3, 5, 10, 20, 40])
def test_it_has_as_many_variables_as_coco_offers(variables):
    assert bbob(1, variables, 1).box.shape == (variables, 2)


@pytest.mark.parametrize("function, variables", [(0, 2), (25, 2), (1, 4), (1, 41)])
def test_a_problem_that_there_is_not_is_refused(function, variables):
    with pytest.raises(ValueError, match=f"function {function} of {variables} variables"):
        bbob(function, variables, 1)
