"""What the limits are measured with is the losses and the rule themselves, and what is stored is what they give."""

import json

import numpy as np
import pytest
import torch

from hilladam import HillAdam
from hilladam.experiments import (
    LossSample,
    Points,
    Record,
    choose_by_half,
    climb_ends,
    loss_sample,
    lowest_found,
    run_on_sample,
    stored_limits,
    train,
)
from hilladam.experiments import _limits as limits_module
from hilladam.experiments._limits import DIMENSIONS, FAMILIES, climbs_of, limits_sample
from hilladam.losses import LANDSCAPES, Polynomial, Torus, random_torus


def alone(loss, points):
    """A loss at one point, and its gradient."""
    if isinstance(loss, Polynomial):
        return float(loss(points[0])), np.array([loss.derivative(points[0])])
    return loss.value_and_gradient(points)


@pytest.mark.parametrize("family", LANDSCAPES)
def test_side_by_side_each_run_has_its_own_loss_and_slope(family):
    sample = loss_sample(family, 4, starts=2, seed=3)
    points = sample.starts.clone().requires_grad_()
    values = sample.loss()(points)
    (slopes,) = torch.autograd.grad(values.sum(), points)
    single = sample.loss(torch.float32)(sample.starts.float())
    assert single.dtype == torch.float32
    for run, cluster in enumerate(sample.clusters):
        value, slope = alone(sample.losses[cluster], sample.starts[run].numpy())
        assert float(values[run].detach()) == pytest.approx(value, rel=1e-12, abs=1e-12)
        assert slopes[run].tolist() == pytest.approx(slope.tolist(), rel=1e-10, abs=1e-10)
        assert float(single[run]) == pytest.approx(value, rel=1e-4, abs=1e-4)


def test_the_first_losses_have_the_same_starts():
    whole, part = (loss_sample("tori", 6, 3, seed=1, first=first) for first in (None, 2))
    assert torch.equal(whole.starts[:6], part.starts)
    np.testing.assert_array_equal(whole.low[:6], part.low)


@pytest.mark.parametrize("family", FAMILIES[:3])
def test_found_is_a_thousandth_of_the_range_above_the_lowest_loss(family):
    sample = loss_sample(family, 3, seed=2)
    line = torch.linspace(-6, 2 * np.pi, 60_001, dtype=torch.float64)[:, None]
    for run, loss in enumerate(sample.losses):
        one = LossSample(
            [loss], np.zeros(len(line), int), line, *(np.full(len(line), part[run]) for part in sample[3:])
        )
        values = loss(line[:, 0] if family == "polynomials" else line).numpy()
        if family == "polynomials":  # of the losses between the outermost minima, where starts are
            left, *_, right = (point.x for point in loss.minima)
            inside = values[(line[:, 0].numpy() >= left) & (line[:, 0].numpy() <= right)]
        else:
            low, high = loss.box
            inside = values[(line[:, 0].numpy() >= low) & (line[:, 0].numpy() <= high)]
        assert sample.low[run] == pytest.approx(inside.min(), abs=1e-4)
        assert sample.low[run] + sample.span[run] == pytest.approx(inside.max(), abs=1e-3)
        np.testing.assert_array_equal(one.found(line), values <= sample.low[run] + 1e-3 * sample.span[run])


def test_it_is_the_rule_itself():
    sample = loss_sample("wells of two variables", 3, seed=4)
    record = run_on_sample(sample, 150, 0.05, 1e-3, 5.0, history=True)
    for run, loss in enumerate(sample.losses):
        points = Points(sample.starts[run : run + 1])
        fast = train(points, loss, HillAdam(points.parameters, 0.05, delta=1e-3, gamma=5.0), 150)
        np.testing.assert_allclose(record.states[:, run], fast.states[:, 0], atol=1e-7)


@pytest.mark.own_rounding
def test_units_change_nothing_if_the_settings_have_them_too():
    sample = loss_sample("tori of two variables", 5, seed=5)
    plain = run_on_sample(sample, 300, history=True)
    s, c = 2.0**20, 2.0**-7
    scaled = run_on_sample(
        sample, 300, 0.01 * c, 1e-4 * s, 200 * s, 1e-8 * s / c, loss_scale=s, x_scale=c, history=True
    )
    np.testing.assert_array_equal(scaled.states, c * plain.states)
    np.testing.assert_array_equal(scaled.losses, s * plain.losses)
    assert plain.turns.max() > 1


def test_noise_comes_where_and_as_large_as_it_is_told():
    sample = loss_sample("tori", 1, seed=6).repeated(4000)
    exact, losses = (run_on_sample(sample, 2, loss_noise=level, history=True) for level in (0.0, 0.1))
    assert np.std(losses.losses[0]) == pytest.approx(0.1 * sample.span[0], rel=0.05)
    np.testing.assert_allclose(losses.states, exact.states)  # the slope is exact
    slopes = run_on_sample(sample, 2, slope_noise=0.1, history=True)
    np.testing.assert_array_equal(slopes.losses[0], exact.losses[0])
    seen = np.sign(exact.states[0] - slopes.states[1])  # of the noisy slope
    slope = sample.losses[0].value_and_gradient(sample.starts[0].numpy())[1].item()
    from scipy.stats import norm

    assert (seen > 0).mean() == pytest.approx(norm.cdf(slope / (0.1 * sample.span[0])), abs=0.03)


@pytest.mark.parametrize("kind", ["loss_noise", "slope_noise"])
def test_the_noise_is_that_of_its_seed(kind):
    sample = loss_sample("tori", 5, seed=6)
    one, same, other = (run_on_sample(sample, 9, **{kind: 0.1}, noise_seed=seed).final_losses for seed in (0, 0, 1))
    assert (one == same).all() and (one != other).all()
    np.testing.assert_array_equal(run_on_sample(sample, 9, **{kind: 0.1}).final_losses, one)


def test_single_precision_loses_what_is_small_beside_the_losses():
    sample = loss_sample("tori", 50, seed=9)
    offset = torch.full((50,), 1e4, dtype=torch.float64)
    record = run_on_sample(sample, 200, offset=offset, gamma=1e5, dtype=torch.float32, history=True)
    assert record.losses.dtype == np.float32
    doubles = dict.fromkeys(("lr", "delta", "gamma", "eps", "loss_noise", "slope_noise", "x_scale"), offset / 1e5)
    assert run_on_sample(sample, 2, **doubles, dtype=torch.float32, history=True).losses.dtype == np.float32
    steps = np.unique(np.diff(record.losses, axis=0))
    assert (steps % 2.0**-10 == 0).all()  # the spacing of floats between 8,192 and 16,384
    assert record.turns.mean() > 2 * run_on_sample(sample, 200).turns.mean()


def test_a_row_for_each_setting():
    sample = loss_sample("polynomials", 30, seed=7)
    rows = lowest_found(sample, 300, lr=[0.01, 0.3], x_scale=[1.0, 10.0])
    for row, lr, scale in zip(rows, (0.01, 0.3), (1.0, 10.0), strict=True):
        record = run_on_sample(sample, 300, lr, x_scale=scale)
        np.testing.assert_array_equal(row, sample.found(record.best_states / scale))
    assert rows.any() and not rows.all()
    noise = {"loss_noise": 0.1, "noise_seed": 3, "dtype": torch.float32}
    (row,) = lowest_found(sample, 300, **noise)
    np.testing.assert_array_equal(row, sample.found(run_on_sample(sample, 300, **noise).best_states))
    assert (row != lowest_found(sample, 300, **noise | {"noise_seed": 4})).any()


def test_a_climb_is_a_bottom_a_top_and_the_next_bottom():
    reasons = np.zeros((9, 2), np.int8)
    reasons[[1, 3, 4, 6, 8], 0] = 1
    maximize = np.zeros((9, 2), bool)
    maximize[[1, 2, 4, 5, 8], 0] = True
    empty = np.zeros((9, 2))
    record = Record(empty, empty, maximize, reasons, empty[0], empty[0], empty[0], empty[0])
    members, steps = climbs_of(record)
    assert members.tolist() == [0, 0]
    assert steps.tolist() == [[1, 3, 4], [4, 6, 8]]


def test_in_one_variable_another_minimum_is_one_beyond_a_maximum():
    """Counted in another way: the maxima between two bottoms, from a fine grid."""
    found = climb_ends(1, 30, 1000, seed=8)
    generator = np.random.default_rng([8, 1])
    drawn = [random_torus(generator, 1) for _ in range(30)]
    starts = torch.from_numpy(generator.uniform(0, 2 * np.pi, (30, 1)))
    record = run_on_sample(LossSample(drawn, np.arange(30), starts, *np.full((2, 30), np.nan)), 1000, history=True)
    line, over = np.linspace(0, 2 * np.pi, 2000, endpoint=False), np.zeros(30, int)
    for member, (bottom, _, after) in zip(*climbs_of(record), strict=True):
        values = drawn[member](line[:, None]).numpy()
        tops = line[(values > np.roll(values, 1)) & (values >= np.roll(values, -1))]
        whole, rest = np.divmod(record.states[[bottom, after], member, 0], 2 * np.pi)
        cell = np.searchsorted(tops, rest) + len(tops) * whole
        over[member] += cell[0] != cell[1]
    assert over.sum() > 0
    np.testing.assert_array_equal(found.over, over)
    assert found.over.sum() + found.back.sum() == len(climbs_of(record)[0])
    assert found.by_index.sum() == found.back.sum() + found.over.sum() > found.steep.sum() > 0
    assert (found.lower <= found.over).all()


def test_the_index_counts_the_directions_that_fall():
    egg_box, places = Torus([-1.0, -1.0], [[1, 0], [0, 1]], [0.0, 0.0]), [[0, 0], [np.pi, 0], [np.pi, np.pi], [1, 2]]
    points = torch.tensor(places, dtype=torch.float64)
    index, slope = limits_module._at([egg_box], torch.zeros(4, dtype=torch.int64), points)
    assert index.tolist() == [0, 1, 2, 1]
    assert slope.tolist() == pytest.approx([0, 0, 0, np.hypot(np.sin(1), np.sin(2))])  # the mean square is 1
    twice = Torus([-2.0, -2.0], [[1, 0], [0, 1]], [0.0, 0.0])
    assert limits_module._at([twice], torch.zeros(4, dtype=torch.int64), points)[1].tolist() == pytest.approx(slope)


def test_a_descent_ends_in_the_valley_where_it_begins_whoever_else_descends():
    drawn = [random_torus(np.random.default_rng(0), 2), random_torus(np.random.default_rng(1), 2)]
    drawn.append(Torus([-1.0], [[1, -1]], [0.5]))
    which, points = torch.tensor([2, 0, 1, 2]), torch.tensor([[1.0, 2.0], [3.0, 1.0], [5.0, 5.0], [4.0, 0.5]]).double()
    ends = limits_module._descended(drawn, which, points)
    for k, place, end in zip(which.tolist(), points, ends, strict=True):
        alone = limits_module._descended([drawn[k]], torch.zeros(1, dtype=torch.int64), place[None])
        np.testing.assert_allclose(end, alone[0], atol=1e-12)
        value, slope = drawn[k].value_and_gradient(end.numpy())
        assert value < drawn[k].value_and_gradient(place.numpy())[0] and np.abs(slope).max() < 1e-2


def test_what_is_stored_is_what_the_rule_finds():
    stored = stored_limits()
    sample = limits_sample("tori", 40)
    again = lowest_found(sample, delta=[0.0, 1e-4])
    assert (again == stored["published", "tori"][:, :40]).mean() > 0.95
    cells = np.ix_([10, 24, 45], range(30))  # of the map, on three of its losses
    rates = {"delta": limits_module.DELTA[[1, 3, 6]], "lr": limits_module.LR[[3, 3, 3]]}
    again = lowest_found(limits_module.map_sample("wells", 3), **rates)
    assert (again == stored["map", "wells"][cells]).mean() > 0.95 and 0.2 < again.mean() < 0.8
    part = climb_ends(2, seed=limits_module.STOPS_SEED, first=15)
    kept = stored["climb ends", 2][:15]
    assert part.by_index.sum() == pytest.approx(int(kept[:, :3].sum()), rel=0.05)
    assert part.over.sum() == pytest.approx(int(kept[:, -2].sum()), rel=0.15)


def test_what_is_packed_comes_back():
    counts = np.array([[0, 255, 256], [499, 1000, 3]])
    ends = limits_module.ClimbEnds(counts[:, :2], *(counts[:, [2]] + k for k in range(4)))
    for found in (limits_module._side_by_side(ends), counts > 255):
        again = limits_module._unpacked(*json.loads(json.dumps(limits_module.pack(found))))
        assert again.dtype == found.dtype
        np.testing.assert_array_equal(again, found)
    assert limits_module._side_by_side(ends).tolist() == [[0, 255, *range(256, 260)], [499, 1000, *range(3, 7)]]


def test_every_climb_of_the_run_that_trembles_is_stored():
    counts = stored_limits()["climb ends", 1]
    of_each, most = counts[:, :2].sum(axis=1), limits_module.STEPS // 4  # a climb and a descent take two steps each
    trembles = of_each.argmax()
    generator = np.random.default_rng([limits_module.STOPS_SEED, 1])
    drawn = [random_torus(generator, 1) for _ in range(limits_module.RUNS)]
    start = torch.from_numpy(generator.uniform(*Torus.box, (limits_module.RUNS, 1)))[[trembles]]
    record = run_on_sample(
        LossSample([drawn[trembles]], np.zeros(1, int), start, *np.full((2, 1), np.nan)), history=True
    )
    assert of_each[trembles] == pytest.approx(len(climbs_of(record)[0]), rel=0.05)
    assert 0.9 * most < of_each[trembles] <= most
    np.testing.assert_array_equal(of_each, counts[:, 3:5].sum(axis=1))


def test_everything_is_measured_that_is_stored(monkeypatch):
    for name, small in {"RUNS": 2, "STEPS": 3, "DIMENSIONS": DIMENSIONS[:1]}.items():
        monkeypatch.setattr(limits_module, name, small)
    few = {"losses": 2, "steps": 3}
    monkeypatch.setattr(limits_module, "lowest_found", lambda sample, **rates: lowest_found(sample, 3, **rates))
    monkeypatch.setattr(limits_module, "climb_ends", lambda variables, seed: climb_ends(variables, seed=seed, **few))
    monkeypatch.setattr(limits_module, "map_sample", limits_sample)
    told = []
    found = limits_module.limits(told.append)
    stored = stored_limits()
    assert list(found) == [key for key in stored if key[1] in (*FAMILIES, 1)]
    assert len(told) == len(found)
    assert all(len(array) == len(stored[key]) for key, array in found.items() if key[0] != "climb ends")
    assert found["climb ends", 1].shape == (2, 6)


def test_a_family_that_is_none_is_refused():
    with pytest.raises(ValueError, match="Invalid family: 'cones'; expected one of"):
        loss_sample("cones", 2, seed=0)


def test_a_setting_is_chosen_by_one_half_of_the_starts_and_judged_by_the_other():
    hits = np.zeros((3, 2, 4), dtype=bool)
    hits[0, 0, :1], hits[1, 0, :2], hits[1, 0, 2:] = True, True, [True, False]  # the first loss: setting 1
    hits[0, 1, :2], hits[2, 1, :2], hits[2, 1, 2:] = True, True, True  # the second: 0 and 2 tie, and 0 does more in all
    chosen, share = choose_by_half(hits)
    assert chosen.tolist() == [1, 0] and share.tolist() == [0.5, 0.0]
    hits[0, 0, :1], hits[2, 0, :1] = False, True  # now 2 does
    chosen, share = choose_by_half(hits)
    assert chosen.tolist() == [1, 2] and share.tolist() == [0.5, 1.0]
    for shape in ((3, 4), (1, 1, 3), (0, 1, 2)):
        with pytest.raises(ValueError, match="Invalid hits: shape"):
            choose_by_half(np.zeros(shape, dtype=bool))
