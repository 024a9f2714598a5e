"""Where nothing is said: a setting has one default wherever it occurs, and what is stored was made with them."""

import inspect
import math

import numpy as np
import pytest
import torch

from hilladam import experiments
from hilladam.experiments import (
    stored_against_restarts,
    stored_championship,
    stored_noisy_walks,
    stored_race,
    stored_readings,
    stored_success_maps,
    stored_table2,
    stored_table2_rates,
    stored_tuning_itself,
    stored_walks,
)
from hilladam.experiments._digits import GUESSING

USUAL = {
    "activation": "none", "betas": (0.9, 0.999), "bias_correction": "copied", "confidence": 0.95, "delta": 1e-4,
    "device": None, "draws": 10_000, "dtype": torch.float64, "engine": None, "eps": 1e-8, "eps_root": 0.0,
    "evaluations": 2000, "finish": 0, "first": None, "floor": -math.inf, "gamma": 200.0, "heights": 1.0, "kappa": 0.0,
    "loss_noise": 0.0, "loss_scale": 1.0, "noise": 0.0, "noise_seed": 0, "offset": 0.0, "positive": False,
    "rounding": 5e-5, "scale": 1.0, "seed": 0, "sizes": (6, 4, 3, 1), "slope_noise": 0.0, "split": False,
    "temperature": None, "threads": 1, "trek": None, "widths": 1.0, "x_scale": 1.0,
}  # fmt: skip
OTHERS = {
    ("digits", "gamma"): GUESSING, ("table2", "dtype"): torch.float32, ("table1", "eps"): "outside",
    ("walk_over", "delta"): 3e-3, ("ground", "seed"): 2026, ("run_landscapes", "gamma"): None,
}  # fmt: skip
"""Those that have a reason of their own, which their docstrings give."""


@pytest.fixture
def defaults():
    """What whatever of the package can be called takes by default, by its name."""
    found = {}
    for name in experiments.__all__:
        each = getattr(experiments, name)
        if inspect.isfunction(each) or (inspect.isclass(each) and each is not experiments.Spent):
            parameters = inspect.signature(each).parameters.values()
            found[name] = {p.name: p.default for p in parameters if p.default is not p.empty}
    return found


@pytest.mark.parametrize("name", USUAL)
def test_a_setting_has_the_same_default_wherever_it_is_one(name, defaults):
    having = {of: found[name] for of, found in defaults.items() if name in found}
    having = {of: default for of, default in having.items() if not isinstance(default, np.ndarray)}
    assert having
    for of, default in having.items():
        usual = OTHERS.get((of, name), USUAL[name])
        assert default == usual and type(default) is type(usual), of


def test_nobody_shows_a_bar_who_is_not_asked_to(defaults):
    for name, found in defaults.items():
        progress = found.get("progress", False)
        assert progress in (False, "") or (name == "limits" and progress is str)


def test_what_is_stored_was_made_with_the_defaults(defaults):
    table = stored_readings().query("activation == 'none' and bias_correction == 'in_place'")  # which nothing else says
    of = defaults["readings"]
    assert set(table["runs"]) == {len(of["seeds"])} and set(table["scale"]) == set(of["scales"])
    assert set(table["gamma"].dropna()) == set(of["gammas"]) and set(table["eps"]) == set(of["eps_places"])
    assert defaults["table1"]["steps"] == of["steps"] == 15_000 and defaults["table1"]["seeds"] == range(15)

    of, keys = defaults["against_restarts"], stored_against_restarts()
    for losses, scale, lr, name in keys:
        assert losses in of["losses"] and scale in of["scales"]
        assert lr in of["lrs"] or (scale is None and lr in (2, 3, 10))
        assert name in ("Hill-ADAM", "restarted when still", f"restarted every {of['every']}")
    assert {len(hits) for hits in keys.values()} == {len(of["searches"])} and set(of["lrs"]) < {key[2] for key in keys}
    assert (of["budget"], of["box"]) == (3000, (-2.0, 6.0))

    of, rows = defaults["table2_rates"], stored_table2_rates()
    for name, column in (("seeds", "seed"), ("lrs", "lr"), ("optimizers", "optimizer")):
        assert list(of[name]) == list(rows[column].unique())
    of, rows = defaults["table2"], stored_table2()
    assert set(of["seeds"]) == set(rows["seed"]) and set(of["optimizers"]) == set(rows["optimizer"])
    assert (of["steps"], of["lr"], of["history"]) == (1000, 0.01, True)
    for name in ("table1", "run_on_sample"):
        assert (defaults[name]["lr"], defaults[name]["history"]) == (0.01, False)

    for found in stored_success_maps().values():  # a map is of many λ and δ
        assert all((getattr(found, name) == defaults["success_map"][name]).all() for name in ("lr", "delta"))

    of = defaults["walks"]
    for gaps in stored_walks().values():
        assert gaps.shape == (len(of["cells"]), of["instances"], of["starts"])
    assert tuple(stored_walks()) == of["walkers"] and defaults["walk_problem"]["starts"] == of["starts"]
    for name, stored in (("race_results", stored_race()), ("tuning_itself", stored_tuning_itself())):
        assert {len(each.hits) for each in stored.values()} == {defaults[name]["runs"]}
    of = defaults["noisy_walks"]
    assert {(len(hits), *key[:2]) for key, hits in stored_noisy_walks().items()} == {
        (of["runs"], family, walker) for family in of["families"] for walker in of["walkers"]
    }
    of = defaults["contest"]
    assert {standing.costs.shape[1] for standing in stored_championship().values()} == {len(of["instances"])}
    assert of["budget"] == defaults["championship_results"]["budget"] == 1000
    assert defaults["tuned"]["runs"] == defaults["race_results"]["tuning_runs"] == 200
