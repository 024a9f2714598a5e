"""Over the hill: its rule step by step, its directions, what it does not depend on, and what it finds."""

import hashlib
import math

import numpy as np
import pytest
import torch
from torch import nn

from hilladam import AdaptiveHillAdam, OverTheHill
from hilladam.losses import DOUBLE_WELL, random_torus
from hilladam.optim import MOVES, TREK_REASONS, Trek, guide
from hilladam.optim._frame import LARGEST_FRAME, _generator, directions, normal_direction, orthogonal_frame
from hilladam.optim._memory import gather
from hilladam.optim._trek import LONGEST

CENTRED = Trek(
    probing=False, moved=True, start_loss=9.0, low=1.0, rate=3.0, hill=4.0, stride=8.0, pace=8.0, frame=1, tried=0,
    high=1.0, told=True,
)  # fmt: skip
"""A walk that has just set out from a centre at 1, hills being 4 high."""


def said(advice):
    return MOVES[advice.move], TREK_REASONS[advice.reason]


def run(loss, start, steps, **settings):
    """The places, the losses and the optimizer of a run."""
    x = nn.Parameter(torch.as_tensor(start, dtype=torch.float64).clone())
    optimizer = OverTheHill([x], **settings)
    places, losses = [], []
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss(x)
        value.backward()
        places.append(x.tolist())
        losses.append(value.item())
        optimizer.step(loss=value)
    return np.array(places), np.array(losses), optimizer


TORUS = random_torus(np.random.default_rng(4), 3)


def torus(x):
    return TORUS(x)


# The rule ------------------------------------------------------------------------------------------------------------


def test_a_descent_that_gets_on_doubles_its_step_and_one_that_rises_halves_it():
    advice = guide(Trek(), False, 9.0, 0.0, 0.0)
    for loss, slope, scale in ((8.0, -1.0, 2.0), (6.0, -2.0, 4.0), (7.0, 1.0, 2.0), (6.5, -0.5, 2.1)):
        advice = guide(advice.trek, False, loss, slope, 0.5)
        assert advice.trek.scale == pytest.approx(scale) and advice.rose == (slope > 0)
        assert said(advice) == ("descend", "none")


def test_a_first_step_that_does_not_lead_lower_is_made_again_a_quarter_as_long():
    advice = guide(Trek(), False, 9.0, 0.0, 0.0)
    advice = guide(advice.trek, False, 9.5, 0.5, 0.1)
    assert said(advice) == ("retry", "none") and advice.trek.scale == 0.25


def test_so_is_a_first_step_over_a_kink_whose_slopes_cancel():
    """λ = 1 on |x| from 0.4 to −0.6. Accepted, each next step was longer and crossed the kink as well, to 1e88."""
    advice = guide(guide(Trek(), False, 0.4, 0.0, 0.0).trek, False, 0.6, 0.0, 1.0)
    assert said(advice) == ("retry", "none") and advice.trek.scale == 0.25
    for start in ([0.4], [0.4, -0.3]):
        places, _, optimizer = run(lambda x: x.abs().sum(), start, 300, lr=1.0)
        assert np.abs(places).max() < 1e6 and optimizer.best_loss < 0.01


def test_a_step_over_a_kink_whose_slopes_cancel_is_a_step_up():
    """λ = 1 on |x| from 0.7 to −0.3 leads lower. λ was doubled for it, and for every crossing that came, to 1e178."""
    advice = guide(guide(Trek(), False, 0.7, 0.0, 0.0).trek, False, 0.3, 0.0, 1.0)
    assert said(advice) == ("descend", "none") and advice.rose and advice.trek.scale == 0.5
    for start in ([0.7], [0.7, -0.45]):
        places, _, optimizer = run(lambda x: x.abs().sum(), start, 600, lr=1.0)
        assert np.abs(places).max() < 1e9 and optimizer.best_loss < 0.01


@pytest.mark.parametrize("slope, bend, still", [(0.02, 0.0, True), (0.0, 0.02, True), (0.02, 0.02, False)])
def test_a_bottom_is_where_both_slopes_along_a_step_are_small(slope, bend, still):
    trek = Trek(probing=False, moved=True, start_loss=11.0, high=11.0, lowest=1.0)
    assert guide(trek, False, 1.0, -slope, bend).walking is still  # a range of 10, and δ = 0.003


def test_the_first_bottom_is_the_centre_and_the_walk_goes_straight_on():
    advice = guide(Trek(probing=False, moved=True, start_loss=11.0, high=11.0, lowest=1.0), False, 1.0, 0.0, 0.0)
    assert said(advice) == ("onward", "bottom") and advice.walking
    assert (advice.trek.low, advice.trek.hill) == (1.0, 10.0)


def test_a_walk_grows_by_a_fifth_a_step_and_faster_near_the_bottom():
    advice = guide(CENTRED, True, 1.1, 1.0, 0.0)
    assert said(advice) == ("walk", "none") and advice.trek.pace == pytest.approx(8 * 1.2**4)
    advice = guide(advice.trek, True, 2.0, 1.0, 0.0)
    assert advice.trek.pace == pytest.approx(8 * 1.2**5)


@pytest.mark.parametrize("rises, crosses", [(1, False), (2, True)])
def test_a_walk_is_over_a_top_where_the_slope_turns_down_after_two_steps_up(rises, crosses):
    advice = guide(CENTRED._replace(rises=rises), True, 5.0, -1.0, 0.0)
    assert said(advice) == (("descend", "crest") if crosses else ("walk", "none"))
    assert advice.trek.crested is crosses
    if crosses:
        assert advice.trek.scale == CENTRED.pace and not advice.walking


def test_a_place_lower_than_the_centre_needs_no_top():
    assert said(guide(CENTRED, True, 0.9, 1.0, 0.0)) == ("descend", "crest")


@pytest.mark.parametrize("loss, slope, walked", [(9.1, 1.0, 0), (math.nan, 1.0, 0), (2.0, math.inf, 0), (2.0, 1.0, 59)])
def test_a_walk_in_vain_tries_the_next_direction_half_as_far(loss, slope, walked):
    advice = guide(CENTRED._replace(walked=walked), True, loss, slope, 0.0, directions=4)
    assert said(advice) == ("next", "none") and advice.walking
    assert (advice.trek.tried, advice.trek.stride, advice.trek.pace) == (1, 4.0, 4.0)
    assert advice.trek.hill == CENTRED.hill


def test_a_bottom_that_is_not_lower_is_in_vain_too_and_a_lower_one_doubles_the_stride():
    descent = CENTRED._replace(high=6.0, lowest=1.5, scale=2.0)
    advice = guide(descent, False, 1.5, 0.0, 0.0, directions=4)
    assert said(advice) == ("next", "bottom") and advice.trek.hill == 5.0 and advice.trek.low == 1.0
    advice = guide(descent._replace(lowest=0.5), False, 0.5, 0.0, 0.0, directions=4)
    assert said(advice) == ("onward", "bottom") and advice.trek.low == 0.5
    assert (advice.trek.stride, advice.trek.frame, advice.trek.tried) == (16.0, 2, -1)


@pytest.mark.parametrize("crested, room", [(True, 2.0), (False, 4.0)])
def test_a_round_in_vain_makes_the_centre_finer_and_without_a_top_the_lid_higher(crested, room):
    advice = guide(CENTRED._replace(tried=3, crested=crested), True, 10.0, 1.0, 0.0, directions=4)
    assert said(advice) == ("home", "round") and not advice.walking
    trek = advice.trek
    assert (trek.fineness, trek.room, trek.frame, trek.tried, trek.scale) == (0.5, room, 2, 0, CENTRED.rate)
    advice = guide(trek, False, 1.0, 0.0, 0.0)  # at home
    advice = guide(advice.trek, False, 0.99999, -1e-5, 0.0)
    assert said(advice) == ("renew", "bottom") and advice.trek.low == 0.99999


def test_before_the_first_top_each_lid_doubles_the_height_of_the_hills():
    walk = CENTRED._replace(told=False, hill=0.0)
    for loss, hill in ((1.5, 0.5), (9.0, 1.0), (9.0, 2.0)):
        walk = guide(walk, True, loss, 1.0, 0.0, directions=100).trek
        assert walk.hill == hill
    advice = guide(walk._replace(rises=2, high=4.0), True, 3.0, -1.0, 0.0)
    assert advice.trek.hill == 3.0 and advice.trek.told


def set_out(trek, move, reason):
    anew = dict(walked=0, rises=0, drift=0.0, spread=0.0, pitch=0.0, climb=0.0, valley=0.0, passed=0)
    return trek._replace(pace=max(trek.rate, trek.stride), high=trek.low, **anew), True, move, reason, False


def in_vain(trek, reason, rose, directions):
    trek = trek._replace(stride=trek.stride / 2, tried=trek.tried + 1, homing=False)
    if trek.tried < directions:
        return *set_out(trek, "next", reason)[:4], rose
    home = trek._replace(
        frame=trek.frame + 1, tried=0, fineness=trek.fineness / 2, room=trek.room * (1 if trek.crested else 2),
        vain=trek.vain + 1, crested=False, homing=True, scale=trek.rate, moved=False, high=trek.low + trek.hill,
        lowest=trek.low, drift=0.0, spread=0.0,
    )  # fmt: skip
    return home, False, "home", "round" if reason == "none" else "none", rose


def of_a_walk(trek, loss, slope, bend, kappa, directions, faster):
    trek = trek._replace(walked=trek.walked + 1)
    if not all(map(math.isfinite, (loss, slope, bend))):
        return in_vain(trek, "none", False, directions)
    trek = trek._replace(high=max(trek.high, loss))
    if kappa:
        climb = trek.climb + (trek.pitch + slope) / 2 * trek.pace
        drift, spread = trek.drift + slope * trek.pace, trek.spread + ((slope - trek.pitch) / 2 * trek.pace) ** 2
        down = drift <= -kappa * math.sqrt(spread)
        over, lower, height = down and climb > trek.valley, down and climb < -0.03 * trek.hill, climb
        drift, spread = (0.0, 0.0) if down or drift > 0 else (drift, spread)
        trek = trek._replace(pitch=slope, climb=climb, valley=min(trek.valley, climb), drift=drift, spread=spread)
    else:
        over, lower, height = slope <= 0 and trek.rises >= 2, loss < trek.low, loss - trek.low
        trek = trek._replace(rises=trek.rises + 1 if slope > 0 else 0)
    if over:
        hill = trek.hill if trek.told else trek.high - trek.low
        trek = trek._replace(hill=hill, crested=True, told=True, passed=trek.passed + 1, valley=trek.climb)
    if lower or (over and (not kappa or trek.passed > trek.vain % 3)):
        across = trek._replace(scale=trek.pace, moved=True, lowest=loss, drift=0.0, spread=0.0)
        return across, False, "descend", "crest", False
    if loss > trek.low + trek.room * trek.hill or trek.walked >= LONGEST:
        if not trek.told:
            highest = trek.high - trek.low
            trek = trek._replace(hill=min(highest, 2 * trek.hill) if trek.hill else highest)
        return in_vain(trek, "none", False, directions)
    grown = faster ** (4 if height < 0.03 * trek.hill else 1)
    return trek._replace(pace=trek.pace * grown), True, "walk", "none", False


def of_a_descent(trek, loss, slope, bend, delta, kappa, directions):
    nowhere = not math.isfinite(loss) or (trek.moved and not (math.isfinite(slope) and math.isfinite(bend)))
    if trek.moved and (nowhere or (trek.probing and (slope or bend) and loss >= trek.start_loss)):
        return trek._replace(scale=trek.scale / 4), False, "retry", "none", False
    if nowhere:
        return trek, False, "retry", "none", False
    trek = trek._replace(high=max(trek.high, loss), lowest=min(trek.lowest, loss))
    if not trek.moved:
        start_loss = loss if trek.probing else trek.start_loss
        return trek._replace(start_loss=start_loss, moved=True), False, "descend", "none", False
    drift, spread = trek.drift + slope, trek.spread + bend**2
    rose = drift > kappa * math.sqrt(spread) or slope == 0 != bend
    trek = trek._replace(probing=False, drift=drift, spread=spread)
    if rose or drift <= 0:
        trek = trek._replace(drift=0.0, spread=0.0)
    trek = trek._replace(scale=trek.scale / 2, growth=1.05) if rose else trek._replace(scale=trek.scale * trek.growth)
    if abs(slope) + abs(bend) > delta * trek.fineness * (trek.high - trek.lowest):
        return trek, False, "descend", "none", rose
    centre = dict(low=loss, rate=trek.scale, frame=trek.frame + 1, tried=-1, crested=False, homing=False, vain=0)
    if trek.low == math.inf:
        new = trek._replace(hill=max(trek.hill, trek.start_loss - loss), **centre)
        return *set_out(new, "onward", "bottom")[:4], rose
    if loss < trek.low - 1e-4 * trek.hill:
        hill, stride = max(trek.hill, trek.high - loss), 2 * max(trek.stride, trek.scale)
        return *set_out(trek._replace(hill=hill, stride=stride, **centre), "onward", "bottom")[:4], rose
    if trek.homing:
        finer = trek._replace(low=min(trek.low, loss), rate=trek.scale, homing=False)
        return *set_out(finer, "renew" if loss < trek.low else "next", "bottom")[:4], rose
    hill = max(trek.hill, min(trek.high - trek.low, trek.room * trek.hill))
    return in_vain(trek._replace(hill=hill), "bottom", rose, directions)


@pytest.mark.parametrize("walking", [False, True])
def test_it_does_what_its_points_say_from_wherever_it_is(walking):
    """The rule once more, case by case, at places drawn from few numbers, so that many lie exactly on an edge."""
    dice, moves = np.random.default_rng(0), set()
    few = dict(
        scale=(1.0, 4.0), growth=(2.0, 1.05), probing=(True, False), moved=(True, True, False), start_loss=(2.0, 9.0),
        high=(3.0, 9.0), lowest=(1.0, 2.0), drift=(0.0, 0.5, -1.0), spread=(0.0, 1.0),
        low=(1.0,) if walking else (1.0, 1.0, math.inf), rate=(1.0, 8.0), hill=(0.0, 2.0, 4.0), room=(1.0, 2.0),
        fineness=(1.0, 0.5), stride=(0.0, 4.0, 16.0), pace=(2.0, 8.0), walked=(0, LONGEST - 2, LONGEST - 1),
        rises=(0, 1, 2, 3), frame=(0, 5), tried=(-1, 0, 3), crested=(True, False), told=(True, False),
        homing=(False,) if walking else (True, False), pitch=(-1.0, 0.0, 0.5), climb=(-1.0, 0.0, 2.0),
        valley=(-1.0, 0.0, 1.0), passed=(0, 1, 2), vain=(0, 1, 2, 3),
    )  # fmt: skip
    losses = (-1.0, 0.9999, 0.99955, 1.0, 1.0 + 0.03 * 4, 1.1, 2.0, 3.0, 5.0, 9.0, 9.5, 14.0, math.nan, math.inf)
    slopes, bends = (-2.0, -1.0, -0.5, 0.0, 0.0, 0.5, 1.0, math.nan, math.inf), (0.0, 0.0, 0.5, -1.0, 1.0, math.nan)
    for _ in range(8000):
        trek = Trek(**{key: values[dice.integers(len(values))] for key, values in few.items()})
        loss, slope, bend, delta, kappa, count, faster = (
            values[dice.integers(len(values))]
            for values in (losses, slopes, bends, (0.0, 0.0625, 0.125), (0.0, 0.5), (1, 4), (1.2, 2.0))
        )
        if walking:
            told = of_a_walk(trek, loss, slope, bend, kappa, count, faster)
        else:
            told = of_a_descent(trek, loss, slope, bend, delta, kappa, count)
        advice = guide(trek, walking, loss, slope, bend, delta, kappa, count, faster)
        assert (advice.trek, advice.walking, *said(advice), advice.rose) == told
        moves.add(said(advice))
    assert {move for move, _ in moves} == {"walk", "descend", "next", "home"} if walking else set(MOVES) - {"walk"}


def test_it_takes_gradients_as_exact_and_one_variable_where_nothing_else_is_said():
    trek = CENTRED._replace(high=6.0, lowest=1.5)
    assert guide(trek, False, 5.0, 1e-9, 1.0).rose
    last = guide(CENTRED, True, 10.0, 1.0, 0.0).trek
    assert last.tried == 1 and said(guide(last, True, 10.0, 1.0, 0.0)) == ("home", "round")


# The rule under noise -------------------------------------------------------------------------------------------------


def test_without_kappa_the_rule_is_the_one_for_exact_losses_to_the_last_bit():
    """What the stored walks and the championship were run with; only sums, products and roots, so the same anywhere."""
    state, seen, told = 1, set(), hashlib.sha256()
    of_noise = {"drift", "spread", "pitch", "climb", "valley", "passed", "vain"}
    known = [name for name in Trek._fields if name not in of_noise]

    def uniform():
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return state / 2**64

    for call in range(20000):
        if call % 500 == 0:
            trek, walking = Trek(), False
        loss, slope, bend = uniform() * 4 - 1, uniform() - 0.5, uniform() - 0.5
        if uniform() < 0.3:
            slope, bend = slope * 1e-3, bend * 1e-3
        if uniform() < 0.005:
            loss = math.nan
        advice = guide(trek, walking, loss, slope, bend, directions=4)
        trek, walking = advice.trek, advice.walking
        seen.add(said(advice))
        numbers = [*(float(getattr(trek, name)) for name in known), walking, advice.move, advice.reason, advice.rose]
        told.update(repr(numbers).encode())
    assert len(seen) == 10 and told.hexdigest()[:16] == "cb0c93d342ac192a"


@pytest.mark.parametrize("loss", [-3.0, 1.2, 5.0, 8.9])
@pytest.mark.parametrize("slope, crest", [(-1.0, True), (1.0, False)])
def test_under_noise_the_top_of_a_walk_is_told_by_its_slope(loss, slope, crest):
    risen = CENTRED._replace(pitch=0.5, climb=20.0)
    advice = guide(risen, True, loss, slope, 0.0, kappa=0.5)
    assert said(advice) == (("descend", "crest") if crest else ("walk", "none"))


@pytest.mark.parametrize("loss", [1.0, 2.0, 8.0])
@pytest.mark.parametrize(
    "slope, bend, rose, still",
    [(0.5, 0.3, True, False), (-0.5, 0.3, False, False), (0.1, 0.9, False, False), (-0.01, 0.01, False, True)],
)
def test_under_noise_rising_and_standing_still_are_told_by_slopes(loss, slope, bend, rose, still):
    descent = Trek(probing=False, moved=True, start_loss=11.0, high=11.0, lowest=1.0)
    advice = guide(descent, False, loss, slope, bend, kappa=0.5)
    assert advice.rose is rose and advice.walking is still


def test_a_slope_that_can_be_wrong_is_no_top():
    risen = CENTRED._replace(pitch=5.0, climb=20.0)  # half the change of slope is 2.55
    doubtful = guide(risen, True, 5.0, -0.1, 0.0, kappa=0.5)
    assert said(doubtful) == ("walk", "none") and doubtful.trek.drift == pytest.approx(-0.8)
    assert said(guide(risen, True, 5.0, -0.1, 0.0, kappa=0.01)) == ("descend", "crest")
    again = guide(doubtful.trek, True, 5.0, -1.5, 0.0, kappa=0.5)
    assert said(again) == ("descend", "crest")
    up = guide(doubtful.trek, True, 5.0, 1.5, 0.0, kappa=0.5)
    assert said(up) == ("walk", "none") and up.trek.drift == 0.0


def test_under_noise_a_walk_that_has_not_risen_is_over_no_top():
    walk = guide(CENTRED, True, 5.0, -0.01, 0.0, kappa=0.5)
    assert said(walk) == ("walk", "none") and -0.03 * 4 < walk.trek.climb < 0
    assert said(guide(CENTRED, True, 5.0, -1.0, 0.0, kappa=0.5)) == ("descend", "crest")  # clearly below the centre


def test_under_noise_walks_pass_none_one_and_two_tops_after_rounds_in_vain():
    for vain, tops in ((0, 0), (1, 1), (2, 2), (3, 0)):
        advice, passed = guide(CENTRED._replace(vain=vain), True, 2.0, 1.0, 0.0, kappa=0.5), 0
        for slope in 10 * (-1.0, 1.0):
            advice = guide(advice.trek, advice.walking, 3.0, slope * (1.0 if slope > 0 else 0.5), 0.0, kappa=0.5)
            if said(advice) == ("descend", "crest"):
                break
            passed += slope < 0
        assert passed == tops


def test_a_round_in_vain_is_counted_until_there_is_a_lower_bottom():
    advice = guide(CENTRED._replace(tried=3), True, 10.0, 1.0, 0.0, directions=4, kappa=0.5)
    assert advice.trek.vain == 1
    descent = CENTRED._replace(high=6.0, lowest=0.5, vain=5)
    assert guide(descent, False, 0.5, 0.0, 0.0, directions=4, kappa=0.5).trek.vain == 0


def test_a_descent_that_is_to_settle_goes_on_where_it_stands_still():
    descent = Trek(probing=False, moved=True, start_loss=11.0, high=11.0, lowest=1.0)
    assert guide(descent, False, 1.0, 0.0, 0.0).walking
    advice = guide(descent, False, 1.0, 0.0, 0.0, settle=True)
    assert not advice.walking and said(advice) == ("descend", "none")


# Directions ----------------------------------------------------------------------------------------------------------


def test_a_frame_is_orthogonal_and_the_same_for_the_same_numbers():
    frame = orthogonal_frame(3, 5, 6)
    assert torch.allclose(frame.T @ frame, torch.eye(6, dtype=torch.float64), atol=1e-12)
    assert torch.equal(frame, orthogonal_frame(3, 5, 6))
    for other in ((4, 5, 6), (3, 6, 6)):
        assert not torch.allclose(frame, orthogonal_frame(*other), atol=0.1)


def test_a_frame_is_normal_numbers_made_orthogonal_in_the_one_way_that_is_unique():
    """With a triangle whose diagonal is positive; other signs, which a library may choose, are not spread evenly."""
    triangle = orthogonal_frame(3, 5, 6).T @ torch.randn(6, 6, generator=_generator(3, 5), dtype=torch.float64)
    assert triangle.tril(-1).abs().max() < 1e-12 and triangle.diagonal().min() > 0


def test_frames_are_spread_evenly():
    columns = torch.stack([orthogonal_frame(seed, 0, 3)[:, 0] for seed in range(3000)])
    assert columns.mean(0).abs().max() < 0.04  # √(1/3 / 3000) = 0.0105
    assert ((columns.T @ columns) / 3000 - torch.eye(3) / 3).abs().max() < 0.03


@pytest.mark.parametrize("sizes", [[3], [1, 1, 1]])
def test_a_round_tries_both_ways_along_each_column_through_all_tensors(sizes):
    params = [nn.Parameter(part) for part in torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64).split(sizes)]
    optimizer, tried = OverTheHill(params, seed=2), set()
    for _ in range(250):  # of a bowl, where every walk is in vain
        for x in params:
            x.grad = 2 * x.detach()
        optimizer.step(loss=sum(float((x.detach() ** 2).sum()) for x in params))
        group = optimizer.param_groups[0]
        if group["maximize"] and not group["walked"] and group["tried"] >= 0:
            column = orthogonal_frame(2, group["frame"], 3)[:, group["tried"] // 2]
            way = column / column.abs().max() * (-1) ** group["tried"]
            assert torch.allclose(torch.cat([optimizer.state[x]["way"] for x in params]), way)
            tried.add(group["tried"])
    assert tried == set(range(6))


def test_in_one_variable_a_round_has_two_ways():
    x = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer, tried = OverTheHill([x]), set()
    for _ in range(100):
        x.grad = 2 * x.detach()
        optimizer.step(loss=x.item() ** 2)
        tried.add(optimizer.param_groups[0]["tried"])
    assert tried == {-1, 0, 1}


def test_many_variables_have_normal_directions_and_no_frame():
    assert directions(LARGEST_FRAME + 50) == directions(LARGEST_FRAME) == 2 * LARGEST_FRAME
    way = normal_direction(0, 1, 2, 300)
    assert way.dtype == torch.float64 and torch.equal(way, normal_direction(0, 1, 2, 300))
    for other in ((0, 1, 3), (0, 2, 2), (1, 1, 2)):
        assert not torch.equal(way, normal_direction(*other, 300))
    assert way.std() == pytest.approx(1, abs=0.15)
    _, losses, optimizer = run(lambda x: (DOUBLE_WELL(x)).sum(), torch.full((300,), 1.7), 120)
    assert optimizer.switch_count >= 1 and optimizer.best_loss == losses.min() and optimizer._frame is None


# The optimizer -------------------------------------------------------------------------------------------------------


@pytest.mark.own_rounding
@pytest.mark.parametrize("power", [-30, 4, 40])
def test_a_loss_times_a_power_of_two_gives_the_same_run(power):
    start = [1.0, 2.0, 3.0]
    places, losses, _ = run(torus, start, 300)
    others, scaled, _ = run(lambda x: 2.0**power * torus(x), start, 300)
    np.testing.assert_array_equal(places, others)
    np.testing.assert_array_equal(losses * 2.0**power, scaled)


@pytest.mark.own_rounding
@pytest.mark.parametrize("power", [-20, 3, 20])
def test_parameters_and_lr_times_a_power_of_two_give_the_same_run(power):
    start, unit = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64), 2.0**power
    places, losses, _ = run(torus, start, 300)
    others, scaled, _ = run(lambda x: torus(x / unit), start * unit, 300, lr=1e-4 * unit)
    np.testing.assert_array_equal(places * unit, others)
    np.testing.assert_array_equal(losses, scaled)


@pytest.mark.own_rounding
def test_groups_keep_the_ratio_of_their_rates_in_walks_too():
    places, _, _ = run(torus, [1.0, 2.0, 3.0], 300)
    first = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    rest = nn.Parameter(torch.tensor([8.0, 12.0], dtype=torch.float64))
    optimizer = OverTheHill([{"params": [first]}, {"params": [rest], "lr": 4e-4}])
    for place in places:
        assert [*first.tolist(), *(rest.detach() / 4).tolist()] == place.tolist()
        optimizer.zero_grad()
        loss = torus(torch.cat([first, rest / 4]))
        loss.backward()
        optimizer.step(loss=loss)


@pytest.mark.parametrize("lr", [1e-8, 1e-3, 1.0, 100.0])
def test_any_rate_finds_the_deeper_well(lr):
    for start in (2.0, 0.95, 0.5):
        _, _, optimizer = run(lambda x: DOUBLE_WELL(x).sum(), [start], 300, lr=lr)
        assert optimizer.load_best() == pytest.approx(DOUBLE_WELL.global_minimum.value, abs=1e-3)


def test_a_run_that_begins_at_rest_walks_away_at_once():
    """On a hilltop there is no way straight on, so the first walk takes a direction of the frame."""
    places, *_ = run(lambda x: ((x**2 - 1) ** 2).sum(), [0.0, 0.0], 3)
    assert (places[1] == 0).all() and (places[2] != 0).all()


def test_a_walk_is_told_the_slope_along_its_way(monkeypatch):
    told, slopes = [], []
    monkeypatch.setattr(
        "hilladam.optim._over_the_hill.guide", lambda *said, **more: told.append(said) or guide(*said, **more)
    )
    x, y = (nn.Parameter(torch.tensor([2.0, 1.5], dtype=torch.float64)) for _ in range(2))
    optimizer = OverTheHill([{"params": [x], "lr": 0.1}, {"params": [y], "lr": 0.2}])
    for _ in range(60):
        optimizer.zero_grad()
        loss = sum(((z**2 - 1) ** 2 + 0.3 * z).sum() for z in (x, y))
        loss.backward()
        if optimizer.direction == "maximize":
            along = [(z.grad * optimizer.state[z]["way"]).sum().item() for z in (x, y)]
            slopes.append((len(told), 0.1 * along[0] + 0.2 * along[1]))
        optimizer.step(loss=loss)
    assert [told[step][3] for step, _ in slopes] == pytest.approx([slope for _, slope in slopes])
    assert len(slopes) > 5 and max(slope for _, slope in slopes) > 0


def test_a_finish_walks_nowhere_however_still_it_stands():
    x = nn.Parameter(torch.tensor([3.0], dtype=torch.float64))
    optimizer = OverTheHill([x], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = ((x - 1) ** 2).sum()
        loss.backward()
        return loss

    while not optimizer.switches:
        optimizer.step(closure)
    assert optimizer.finish(closure, 60) < 1e-3
    assert [switch.reason for switch in optimizer.switches] == ["bottom"]


def test_the_first_walk_leads_on_from_the_start_through_the_bottom():
    x, still = (nn.Parameter(torch.full((1,), 3.0, dtype=torch.float64)) for _ in range(2))
    optimizer = OverTheHill([{"params": [x], "lr": 0.1}, {"params": [still], "lr": 0.0}])
    while not optimizer.switches:
        optimizer.zero_grad()
        loss = ((x - 1) ** 2).sum() + ((still - 1) ** 2).sum()
        loss.backward()
        optimizer.step(loss=loss)
    assert [optimizer.state[param]["way"].item() for param in (x, still)] == [-1.0, 0.0] and still.item() == 3.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_first_loss_that_is_not_finite_moves_nothing(bad):
    for make in (OverTheHill, AdaptiveHillAdam):
        x = nn.Parameter(torch.tensor([3.0]))
        x.grad = torch.ones(1)
        with pytest.warns(RuntimeWarning, match="not finite"):
            make([x]).step(loss=bad)
        assert x.item() == 3.0


def test_a_new_place_after_load_best_is_a_new_run_in_new_directions():
    x = nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    optimizer = OverTheHill([x])
    while optimizer.param_groups[0]["frame"] < 3 or not optimizer.param_groups[0]["maximize"]:
        x.grad = 2 * x.detach()
        optimizer.step(loss=float((x.detach() ** 2).sum()))
    before = dict(optimizer.param_groups[0])
    optimizer.load_best()
    group = optimizer.param_groups[0]
    assert optimizer.direction == "minimize" and group["probing"] and group["low"] == math.inf
    assert (group["frame"], group["scale"]) == (before["frame"], before["rate"])


def test_the_seed_alone_decides_the_directions():
    start = [1.0, 2.0, 3.0]
    places = [run(torus, start, 200, seed=seed)[0] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(places[0], places[1])
    assert not np.array_equal(places[0], places[2])


def test_without_a_loss_it_goes_straight_on_and_says_so():
    _, _, optimizer = run(torus, [1.0, 2.0, 3.0], 20)
    (x,) = optimizer.param_groups[0]["params"]
    while not optimizer.param_groups[0]["maximize"]:
        loss = torus(x)
        (x.grad,) = torch.autograd.grad(loss, x)
        optimizer.step(loss=loss)
    group, before = optimizer.param_groups[0], x.detach().clone()
    for _ in range(2):
        optimizer.step()
    ahead = 2 * group["pace"] * group["lr"] * optimizer.state[x]["way"]
    assert group["maximize"] and torch.allclose(x.detach() - before, ahead)
    new = OverTheHill([x])
    with pytest.warns(RuntimeWarning, match="OverTheHill took 10 steps and was given no loss, without which it goes"):
        for _ in range(10):
            new.step()


def test_a_walk_never_stays_where_the_loss_is_not_finite():
    def fenced(x):
        return torus(x) + torch.where((x.abs() > 5).any(), math.nan, 0.0)

    with pytest.warns(RuntimeWarning, match="not finite"):
        places, losses, optimizer = run(fenced, [1.0, 2.0, 3.0], 400)
    outside = ~np.isfinite(losses)
    assert 0 < outside.sum() < 100
    assert not (outside[1:] & outside[:-1] & (np.abs(np.diff(places, axis=0)).max(axis=1) == 0)).any()
    assert optimizer.best_loss == np.nanmin(losses) == optimizer.load_best()


def test_two_load_bests_are_one():
    _, _, optimizer = run(torus, [1.0, 2.0, 3.0], 200)
    optimizer.load_best()
    once = {key: optimizer.param_groups[0][key] for key in Trek._fields}
    optimizer.load_best()
    assert once["scale"] != 1 and str(once) == str({key: optimizer.param_groups[0][key] for key in Trek._fields})


def test_the_switches_say_why():
    _, _, optimizer = run(torus, [1.0, 2.0, 3.0], 400)
    first, second = optimizer.switches[:2]
    assert (first.direction, first.reason) == ("maximize", "bottom")
    assert second.direction == "minimize" and second.reason in ("crest", "round")
    assert {switch.reason for switch in optimizer.switches} >= {"bottom", "crest"}
    assert optimizer.param_groups[0]["losses"] == 400


def test_directions_are_drawn_where_their_generator_is():
    with torch.device("meta"):
        assert orthogonal_frame(0, 0, 3).device.type == normal_direction(0, 0, 0, 3).device.type == "cpu"


# What is missing and what is short ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32], ids=str)
def test_a_way_is_found_where_it_is_more_steps_long_than_16_bits_count(dtype):
    x = nn.Parameter(torch.zeros(2, dtype=dtype))
    optimizer = OverTheHill([x], lr=1e-4)
    x.grad = torch.ones_like(x)
    optimizer.step(loss=1.0)
    optimizer.state[x]["centre"].zero_()
    with torch.no_grad():
        x.copy_(torch.tensor([8.0, -4.0]))
        assert optimizer._look_ahead(gather(optimizer, *optimizer._STATE))
    assert optimizer.state[x]["way"].tolist() == [1.0, -0.5]


def test_a_parameter_without_a_gradient_at_a_bottom_has_its_part_of_the_centre():
    x, y = (nn.Parameter(torch.tensor([2.0], dtype=torch.float64)) for _ in range(2))
    optimizer = OverTheHill([x, y], lr=0.01)

    def step(missing):
        optimizer.zero_grad()
        loss = (DOUBLE_WELL(x) + (y - 5) ** 2).sum()
        loss.backward()
        y.grad = None if missing else y.grad
        optimizer.step(loss=loss)

    for count in range(200):
        step(missing=count > 4)
        if optimizer.direction == "maximize":
            break
    place = y.item()
    assert place != 2.0 and optimizer.state[y]["centre"].item() == place and not optimizer.state[y]["way"].any()
    homes = 0
    for _ in range(300):
        step(missing=False)
        group = optimizer.param_groups[0]
        if group["homing"] and not group["moved"]:
            homes += 1
            assert all(torch.equal(param, optimizer.state[param]["centre"]) for param in (x, y))
    assert homes
