"""The heat explorer's balls move as the package's optimizers move them, and settle where theory says."""

import numpy as np
import pytest
import torch
import traitlets
from scipy import integrate, stats

from hilladam.experiments import CONTENDERS
from hilladam.optim import COOLING_SCHEDULES, cooling
from hilladam.widgets import HeatExplorer
from hilladam.widgets._heat_explorer import LOSSES, MEMBERS

METHODS = HeatExplorer.method.values
REPLAY = """
import { simulate, reading } from "./heat_dynamics.js";
export default ({ scene, settings, draws, exponentials }) => {
  const next = (numbers) => { let i = 0; return () => numbers[i++]; };
  const source = { normal: next(draws), exponential: next(exponentials) };
  const run = simulate(scene, settings, source, 300);
  const readings = run.heat.map((_, t) => reading(run, settings, t, [-100, 100]));
  return { ...run, places: run.places.map((each) => [...each]), readings };
};
"""
OWN_DICE = """
import { simulate, dice, reading } from "./heat_dynamics.js";
export default ({ scene, settings, members, last, low, high }) => {
  const run = simulate(scene, settings, dice(settings.seed), members);
  const readings = run.heat.map((_, t) => reading(run, settings, t, [low, high]));
  return { places: run.places.slice(-last).map((each) => [...each]), readings };
};
"""


def settings_of(explorer):
    return {name: getattr(explorer, name) for name in explorer.trait_names(setting=True)}


def throws(explorer):
    """The random numbers that the package's optimizer draws: normal ones, and exponential ones."""
    generator, normal, exponential = torch.Generator().manual_seed(explorer.seed), [], []
    for _ in range(explorer.steps):
        draw = torch.empty(MEMBERS, dtype=torch.float64)
        normal += draw.normal_(0, 1, generator=generator).tolist()
        if explorer.method == "simulated annealing":
            exponential += draw.exponential_(generator=generator).tolist()
    return {"draws": normal, "exponentials": exponential}


@pytest.mark.own_rounding
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("method, fall", [
    ("Langevin", {}), ("Langevin", {"annealing": "geometric"}), ("Langevin", {"temperature": 0.0, "start": 1.2}),
    *(("CoolMomentum", {"cooling": cools}) for cools in ("none", *COOLING_SCHEDULES)),
    *(("simulated annealing", {"annealing": falls}) for falls in ("none", "geometric", "logarithmic")),
])  # fmt: skip
def test_the_same_numbers_lead_to_the_same_places(node, loss, method, fall):
    explorer = HeatExplorer(loss=loss, method=method, steps=150, **({"temperature": 0.5} | fall))
    page = node(REPLAY, {"scene": explorer.landscape_of(loss), "settings": settings_of(explorer), **throws(explorer)})
    places = explorer.places()
    gap = np.abs(np.array(page["places"]) - places)
    assert gap[:25].max() < 1e-12
    assert gap.max() < 1e-8, "more than what a hilltop makes of torch's fused multiplications"
    assert np.ptp(places[-1]) > 0 or explorer.temperature == 0, "nothing moved apart"
    assert np.allclose(page["heat"], explorer.temperatures(), rtol=1e-12, atol=0)
    if method == "CoolMomentum" and explorer.cooling != "none":
        assert np.allclose(page["rho"], [cooling(explorer.cooling, t, 150, 0.9) for t in range(150)], atol=1e-12)


def test_the_same_seed_throws_the_same_normal_numbers(node):
    throw = """
import { dice } from "./heat_dynamics.js";
export default ([seed, kind]) => { const source = dice(seed); return Array.from({ length: 40_000 }, source[kind]); };
"""
    first, again, other = (np.array(node(throw, [seed, "normal"])) for seed in (1, 1, 2))
    assert (first == again).all() and abs(np.corrcoef(first, other)[0, 1]) < 0.02
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.02
    for numbers in (first, other):
        assert stats.kstest(numbers, "norm").pvalue > 1e-3
        assert stats.kstest(numbers**2, "chi2", args=(1,)).pvalue > 1e-3
    assert stats.kstest(node(throw, [1, "uniform"]), "uniform").pvalue > 1e-3
    assert stats.kstest(node(throw, [1, "exponential"]), "expon").pvalue > 1e-3


@pytest.mark.parametrize("loss, temperature", [("double well", 0.02), ("double well", 0.5), ("tenth", 1.0)])
def test_the_law_is_the_density(node, loss, temperature):
    source = """
import { density } from "./heat_dynamics.js";
export default ([scene, T, ends]) => {
  const { x, density: values } = density(scene, T, ends);
  return [[...x], [...values]];
};
"""
    f = LOSSES[loss]
    ends = [-3.0, 3.0] if loss == "double well" else [0.0, 6.0]
    x, values = np.array(node(source, [HeatExplorer.landscape_of(loss), temperature, ends]))
    points = [point.x for point in f.stationary_points]
    lowest = f.global_minimum.value
    total, _ = integrate.quad(lambda at: np.exp(-(f(at) - lowest) / temperature), *ends, points=points)
    assert np.allclose(values, np.exp(-(f(x) - lowest) / temperature) / total, rtol=1e-6)


@pytest.mark.parametrize("method", ["Langevin", "simulated annealing"])
def test_the_balls_of_the_page_settle_to_the_law(node, method):
    explorer = HeatExplorer(method=method, temperature=0.6, steps=600)
    arguments = dict(scene=explorer.landscape_of("double well"), settings=settings_of(explorer), members=3000, last=1)
    places = np.array(node(OWN_DICE, arguments | {"low": -9, "high": 9})["places"][0])
    x = np.linspace(-4, 4, 8001)
    weight = np.exp(-explorer.polynomial(x) / 0.6)
    law = np.cumsum(weight) / weight.sum()
    assert stats.kstest(places, lambda at: np.interp(at, x, law)).statistic < 0.04


@pytest.mark.parametrize("method, settings", [("Langevin", {"temperature": 0.02}), ("CoolMomentum", {"noise": 1.15})])
def test_the_steps_show_the_temperature(node, method, settings):
    explorer = HeatExplorer(method=method, cooling="none", momentum=0.5, steps=800, lr=0.02, **settings)
    arguments = dict(scene=explorer.landscape_of("double well"), settings=settings_of(explorer), members=1000, last=1)
    page = node(OWN_DICE, arguments | {"low": -9, "high": 9})
    assert np.mean(page["readings"][300:]) == pytest.approx(explorer.temperatures()[0], rel=0.05)


def test_friction_without_noise_lets_nobody_out():
    for momentum in (0.0, 0.9, 0.999):
        for method, still in (("Langevin", {"temperature": 0.0}), ("CoolMomentum", {"noise": 0.0})):
            assert not HeatExplorer(method=method, momentum=momentum, start=1.3, lr=0.005, **still).beyond().any()
    thrown = HeatExplorer(temperature=0.0, momentum=0.999, start=1.4, lr=0.001, steps=3000)
    assert (thrown.places() < 0).any(), "from above the hill a ball rolls over"


@pytest.mark.parametrize("loss", LOSSES)
def test_it_starts_in_the_shallowest_valley_and_counts_the_deepest(loss):
    explorer, f = HeatExplorer(loss=loss), LOSSES[loss]
    minima = [point for point in f.stationary_points if point.kind == "minimum"]
    assert explorer.start == max(minima, key=lambda point: point.value).x
    valleys = explorer.beyond(np.array([point.x for point in minima]))
    assert valleys.tolist() == [point == f.global_minimum for point in minima]
    tops = np.array([point.x for point in f.stationary_points if point.kind == "maximum"])
    edges = explorer.beyond(np.stack([tops - 1e-6, tops + 1e-6]))
    assert (edges[0] != edges[1]).tolist() == [valleys[k] or valleys[k + 1] for k in range(len(tops))]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("step", [0, 40])
def test_the_picture_counts_what_it_draws(method, step):
    explorer = HeatExplorer(method=method, temperature=1.0, noise=4.0, step=step, steps=40)
    figure = explorer.picture()
    axes = {ax.get_label(): ax for ax in figure.axes}
    hill, heat = axes["hill"], axes["heat"]
    drawn = [line.get_xdata() for line in hill.lines[1:]]
    places = explorer.places()[step]
    assert sorted(np.concatenate(drawn)) == sorted(places)
    assert f"{explorer.beyond(places).sum()} of 300 beyond the hill" in hill.get_title("left")
    assert len(heat.lines) == 1 + (step > 0 and method != "simulated annealing")
    assert (heat.lines[0].get_ydata() == explorer.temperatures()).all()


@pytest.mark.parametrize("start, drawn", [(0.5, 0.5), (-9.0, -1.72)])
def test_a_triangle_stands_where_they_are_released(start, drawn):
    hill = HeatExplorer(start=start, step=0, steps=1).picture().axes[0]
    (triangle,) = hill.collections
    assert triangle.get_offsets()[0, 0] == drawn


def test_its_methods_are_contenders():
    assert set(METHODS) <= set(CONTENDERS)


@pytest.mark.parametrize("trait, value", [
    ("method", "Adam"), ("loss", "sixth"), ("start", float("inf")), ("temperature", -1.0), ("momentum", 1.0),
    ("noise", -0.1), ("lr", float("nan")), ("annealing", "linear"), ("cooling", "geometric"), ("steps", 3001),
    ("step", -1), ("seed", -1),
])  # fmt: skip
def test_bad_settings_are_refused(trait, value):
    with pytest.raises(traitlets.TraitError, match=trait):
        HeatExplorer(**{trait: value})
