"""The experiments of "A rule that tunes itself": the ground they stand on, and that what is stored comes out."""

import itertools

import numpy as np
import pytest

from hilladam.experiments import LADDER, ground, stored_tuning_itself, tuning_itself
from hilladam.experiments import _tuning_itself as module
from hilladam.losses import LANDSCAPES

pytest.importorskip("numba")

pytestmark = pytest.mark.own_rounding  # what is stored was not rounded otherwise


@pytest.mark.parametrize("family", LANDSCAPES)
def test_fewer_runs_are_the_first_of_more(family):
    few, more = ground(family, 2), ground(family, 3)
    np.testing.assert_array_equal(few.starts, more.starts[:2])
    np.testing.assert_array_equal(few.low, more.low[:2])
    assert (more.starts >= more.box[0]).all() and (more.starts <= more.box[1]).all()
    assert not np.array_equal(ground(family, 2, seed=5).starts, few.starts)


@pytest.mark.parametrize("family", module.ONE_VARIABLE)
def test_the_range_is_that_of_a_fine_grid(family):
    here = ground(family, 4)
    grid = np.linspace(*here.box, 4001)
    for landscape, low, size in zip(here.landscapes, here.low, here.size, strict=True):
        losses = np.asarray(landscape(grid) if family == "polynomials" else landscape(grid[:, None]))
        assert losses.min() == pytest.approx(low, abs=1e-4 * size)
        if family == "polynomials":
            values = [point.value for point in landscape.stationary_points]
            assert (min(values), max(values) - min(values)) == pytest.approx((low, size), rel=1e-9)
        else:
            assert np.ptp(losses) == pytest.approx(size, rel=1e-4)


def test_reached_is_within_a_thousandth_of_the_range():
    here = ground("polynomials", 5)
    lowest = np.array([[loss.global_minimum.x] for loss in here.landscapes])
    assert here.reached(lowest).all() and here.reached(1000 * lowest, 1000.0).all()
    for far in (1e200, np.inf, np.nan):
        assert not here.reached(np.full((5, 1), far)).any()  # and nothing is said of it
    curvature = []
    for loss, (x,) in zip(here.landscapes, lowest, strict=True):
        curvature.append((loss.derivative(x + 1e-4) - loss.derivative(x - 1e-4)) / 2e-4)
    reach = np.sqrt(2 * module.CLOSE * here.size / np.array(curvature))[:, None]
    assert here.reached(lowest + 0.9 * reach).all() and not here.reached(lowest + 1.2 * reach).any()


def test_a_part_run_again_is_what_is_stored(monkeypatch):
    stored = stored_tuning_itself()
    monkeypatch.setattr(module, "_tuned", lambda family, name: stored["ladder", family, name, 0.0].lr)
    found = tuning_itself(["ladder", "scalings", "noise"], ["wells"], runs=6)
    found |= tuning_itself(["ladder", "noise", "scalings", "rates", "oracle"], ["wells of two variables"], runs=2)
    found |= tuning_itself(["rates", "starts"], ["polynomials"], runs=6)
    found |= tuning_itself(["ladder", "starts"], ["tori"], runs=4)
    assert {key[0] for key in found} == {"ladder", "scalings", "noise", "rates", "starts"}  # what is asked for
    assert {key[1] for key in found if key[0] == "starts"} == {"polynomials"}  # a torus has no outside
    assert {key[2] for key in found} >= {*LADDER, *module.MULTISTARTS, "lowest"}
    for key, outcome in found.items():
        differ = outcome.hits != stored[key].hits[: len(outcome.hits)]
        # Factors and ranges have a last bit of their machine, which a long run magnifies.
        assert differ.sum() <= (key[0] in ("scalings", "noise")), key
        assert outcome.lr == stored[key].lr


def test_a_run_from_farther_out_begins_on_the_ray_from_the_middle_through_its_start(monkeypatch):
    here, told = ground("polynomials", 3), []
    monkeypatch.setattr(module, "_race", lambda there, rule, **settings: told.append((there, rule, settings)))
    found = tuning_itself(["starts"], ["polynomials"], runs=3)
    assert [key[2:] for key in found] == [
        (name, distance)
        for distance in (1.0, 3.0, 10.0)
        for name in ("published", "lids in turn", "lids in turn, finished")
    ]
    for (_, _, name, distance), (there, rule, settings) in zip(found, told, strict=True):
        np.testing.assert_array_equal(there.starts, distance * here.starts)  # the box's middle is 0
        assert rule == LADDER[name.removesuffix(", finished")]
        assert settings == ({"finish": 200} if "finished" in name else {})


def test_who_is_told_a_box_is_told_that_of_its_variable_and_others_nothing(monkeypatch):
    told, rates = {}, dict(zip(module.MULTISTARTS, (0.1, 0.2, 0.3), strict=True))

    def run_landscapes(landscapes, starts, steps, rule, **settings):
        told.setdefault(rule, []).append((starts, settings))
        return run_landscapes_(landscapes, starts, 1, LADDER["Adam"])

    run_landscapes_ = module.run_landscapes
    monkeypatch.setattr(module, "run_landscapes", run_landscapes)
    monkeypatch.setattr(module.Ground, "reached", lambda here, *_: np.zeros(len(here.starts), bool))
    monkeypatch.setattr(module, "_tuned", lambda family, name: rates[name])
    tuning_itself(["scalings"], ["tori"], runs=40)
    here, widths = ground("tori", 40), told[LADDER["Adam"]][0][1]["widths"]
    heights = told[LADDER["Adam"]][0][1]["heights"]
    for factors, most in ((heights, 8), (widths, 4)):  # log-uniform, each run's own, the same for all
        powers = np.log10(factors)
        assert -most < powers.min() < -0.8 * most and 0.8 * most < powers.max() < most
        assert abs(powers.mean()) < 0.2 * most and len(set(powers)) == 40
    for starts, settings in itertools.chain(*told.values()):
        np.testing.assert_array_equal(settings["heights"], heights)
        np.testing.assert_array_equal(settings["widths"], widths)
        np.testing.assert_allclose(starts, here.starts * widths[:, None])
    low, high = here.box
    exact, wide, near = (settings for _, settings in told[module._MULTISTART])
    np.testing.assert_allclose(exact["boxes"], np.multiply.outer(widths, [[low, high]]))
    reach = 5 * (high - low)
    np.testing.assert_allclose(wide["boxes"].mean(axis=-1), exact["boxes"].mean(axis=-1), atol=1e-9)
    np.testing.assert_allclose(np.ptp(wide["boxes"], axis=-1), 2 * reach * widths[:, None])
    np.testing.assert_allclose(near["boxes"], starts[..., None] + [-1, 1])
    np.testing.assert_allclose(exact["lr"], 0.1 * (high - low) * widths)
    np.testing.assert_allclose(wide["lr"], 0.2 * 10 * (high - low) * widths)
    assert near["lr"] == 0.3
    ((_, bare),) = told[module._MULTISTART._replace(eps=0.0)]
    assert bare.keys() == exact.keys() and all(np.array_equal(bare[key], exact[key]) for key in bare)

    told.clear()
    tuning_itself(["noise"], ["tori"], runs=3)
    size = here.size[:3]  # fewer runs are the first of more
    assert set(told) == {module._MULTISTART, *(LADDER[name] for name in module._NOISY)}
    for rule, calls in told.items():
        twice = rule == LADDER["lids in turn"]  # which first keeps its lowest loss, and finishes then
        for k, (_, settings) in enumerate(calls):
            np.testing.assert_array_equal(settings["noise"], module.NOISE[k // (1 + twice)] * size)
            assert settings.get("finish") == (None if twice and k % 2 == 0 else module.FINISH)
        assert len(calls) == 3 * (1 + twice)


@pytest.mark.parametrize("name", module.MULTISTARTS)
def test_the_rate_of_multistart_is_tuned_on_other_losses(name, monkeypatch):
    seeds, trials = [], []
    original = module.ground

    def watched(family, runs, seed=module.SEED):
        seeds.append(seed)
        return original(family, 5, seed)

    def tune(trial, budget, rates):
        trials.append(np.array(trial(rates)))
        assert budget == module.STEPS
        return type("Found", (), {"lr": 0.1})

    monkeypatch.setattr(module, "ground", watched)
    monkeypatch.setattr(module, "tune", tune)
    assert module._tuned("tori", name) == 0.1 and seeds == [module.TUNING_SEED]
    hits = [module._multistart(original("tori", 5, module.TUNING_SEED), name, rate) for rate in module._SHARES]
    np.testing.assert_array_equal(trials[0], np.where(hits, module.STEPS, np.inf))


def test_the_oracle_takes_the_best_of_its_settings_for_each_loss(monkeypatch):
    monkeypatch.setattr(module, "_FUNCTIONS", 3)  # the first of fifty, with the first of their starts
    tried = []
    original = module._race

    def watched(here, rule, **settings):
        tried.append((rule, original(here, rule, **settings)))
        return tried[-1][1]

    monkeypatch.setattr(module, "_race", watched)
    found = tuning_itself(["oracle"], ["tori", "tori of two variables"], runs=1)
    assert list(found) == [("oracle", "tori", name, 0.0) for name in ("published", "tuning itself")]
    best, own = (outcome.hits for outcome in found.values())
    assert best.dtype == own.dtype == bool
    counts = np.array([hits.reshape(3, 20).sum(axis=1) for _, hits in tried[:-1]])
    np.testing.assert_array_equal(best.reshape(3, 20).sum(axis=1), counts.max(axis=0))
    assert own is tried[-1][1] and tried[-1][0] == LADDER["lids in turn"] and len(tried) == 3 * 9 + 1
    for key, outcome in found.items():
        assert (outcome.hits != stored_tuning_itself()[key].hits[:60]).sum() <= 2  # where a last bit is the machine's


def test_of_settings_of_the_oracle_that_do_as_well_the_first_counts(monkeypatch):
    monkeypatch.setattr(module, "_FUNCTIONS", 1)
    monkeypatch.setattr(module, "_STARTS", 4)
    hits = itertools.chain([np.array([1, 0, 1, 0], bool)], itertools.repeat(np.array([0, 1, 0, 1], bool)))
    monkeypatch.setattr(module, "_race", lambda *_, **__: next(hits))
    assert module._oracle("tori")[0].tolist() == [True, False, True, False]


def test_on_mini_batches_it_is_what_is_stored(monkeypatch):
    stored, tried = stored_tuning_itself(), []
    rate = stored["batches", "sine wave", module.MULTISTARTS[0], 0.0].lr

    def tune(trial, budget, rates):
        tried.append((np.array(trial([rate, 1e-9])), budget, rates))
        return type("Found", (), {"lr": rate})

    monkeypatch.setattr(module, "TUNING_RUNS", 20)
    monkeypatch.setattr(module, "tune", tune)
    for key, outcome in tuning_itself(["batches"], [], 3).items():
        np.testing.assert_array_equal(outcome.hits, stored[key].hits[:3])
        assert outcome.lr == stored[key].lr
    ((hits, *told),) = tried
    assert told == [module.STEPS, module._SHARES] and hits.shape == (2, 20)
    assert (hits[0] == module.STEPS).mean() > 0.7 > (hits[1] == module.STEPS).mean()
    assert ((hits == module.STEPS) | (hits == np.inf)).all()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((["ladders"],), "Invalid experiment: 'ladders'; expected one of"),
        ((["ladder"], ["hills"]), "Invalid family: 'hills'; expected one of"),
        ((["ladder"], ["tori"], 0), "Invalid runs: 0; expected an integer >= 1"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        tuning_itself(*arguments)
