"""Hill-ADAM that tunes itself: its rule line by line, what it does not depend on, and what it finds."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from hilladam import AdaptiveHillAdam, OverTheHill
from hilladam.losses import DOUBLE_WELL, TABLE_1
from hilladam.optim import COURSE_REASONS, Course, Verdict, steer
from hilladam.optim._adam_step import slopes

TORUS = np.random.default_rng(0).normal(size=(2, 4)) / np.arange(
    1, 5
)  # of a periodic loss with hills of several heights


def torus(x):
    k = torch.arange(1, 5, dtype=x.dtype)
    a, b = torch.tensor(TORUS, dtype=x.dtype)
    return (a * torch.cos(k * x[..., None]) + b * torch.sin(k * x[..., None])).sum()


def run(loss, start, steps=300, noise=0.0, seed=0, **settings):
    """The places, the losses and the optimizer of a run; noise is added to loss and gradient."""
    x = nn.Parameter(torch.as_tensor(start, dtype=torch.float64).clone())
    optimizer, generator = AdaptiveHillAdam([x], **settings), torch.Generator().manual_seed(seed)
    places, losses = [], []
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss(x)
        value.backward()
        places.append(x.tolist())
        losses.append(value.item())
        if noise:
            x.grad += noise * torch.randn(x.shape, generator=generator, dtype=x.dtype)
            value = value.detach() + noise * torch.randn((), generator=generator, dtype=x.dtype)
        optimizer.step(loss=value)
    return np.array(places), np.array(losses), optimizer


def by_the_book(f, slope, x, steps, lr, delta=1e-3, kappa=0.5, beta1=0.9, beta2=0.999):
    """The rule once more, for one number, in the order in which the book tells it: the places of a run."""
    places, length, growth, up = [], lr, 2.0, False
    m = v = k = 0
    low, height, top, walls, walled, blind = math.inf, 0.0, math.nan, 0, False, False
    drift = spread = 0.0
    probing, before, start = True, None, f(x)
    high = lowest = start
    for _ in range(steps):
        places.append(x)
        loss, g = f(x), slope(x)
        back = still = sure = False
        if before is not None:
            x_before, g_before = before
            if probing and loss >= start:
                length /= 4
                m = v = k = 0
                x, g = x_before, g_before
                k, m, v = 1, (1 - beta1) * g, (1 - beta2) * g * g
                x -= length * (m / (1 - beta1)) / math.sqrt(v / (1 - beta2))
                continue
            probing = False
            high, lowest = max(high, loss), min(lowest, loss)
            d, q = (g_before + g) * (x - x_before) / 2, (g - g_before) * (x - x_before) / 2
            drift, spread = drift + d, spread + q * q
            sure = -drift >= math.sqrt(spread)
            if drift * (1 if up else -1) >= 0:
                drift = spread = 0.0
            elif abs(drift) > kappa * math.sqrt(spread):
                back, drift, spread = True, 0.0, 0.0
            still = abs(d) <= delta * (high - lowest)
            if not up and still and abs(q) > math.sqrt(delta) * (high - lowest):
                back, still, drift, spread = True, False, 0.0, 0.0
        if up:
            climbed += 1  # noqa: F821, it is set where the climb begins
            length *= 1.1
            if math.isnan(top) and climbed == 4 and loss - bottom > height:  # noqa: F821
                height, blind = loss - bottom, True  # noqa: F821
            number = f"{1 + (walls if blind else walls // 2):b}"
            room = 2 * (16 if blind else 2) ** (len(number) - len(number.rstrip("0")))
            lid = loss > low + room * height and (not math.isnan(top) or climbed >= 4)
            turn = lid or back or still
            if turn:
                top, walled = high, lid
                walls, blind = walls + lid, blind and not (back and not lid)
        else:
            if back:
                length, growth, m = length / 2, 1.1, 0
            elif sure:
                length *= growth
            turn = still
            if turn:
                if low == math.inf:
                    height = start - loss
                elif not walled:
                    height = max(height, top - min(loss, low))
                if loss < low - 1e-3 * height:
                    walls = 0
                low, bottom, climbed, walled = min(low, loss), loss, 0, False  # noqa: F841
        if turn:
            up, high, lowest, drift, spread = not up, loss, loss, 0.0, 0.0
            m = v = k = 0
        before = x, g
        k, m, v = k + 1, beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        x += (1 if up else -1) * length * (m / (1 - beta1**k)) / math.sqrt(v / (1 - beta2**k))
    return np.array(places)


@pytest.mark.parametrize("loss", [DOUBLE_WELL, *TABLE_1.values()], ids=lambda loss: getattr(loss, "name", "loss"))
@pytest.mark.parametrize("lr", [1e-4, 3.0])
def test_it_is_the_rule_as_the_book_tells_it(loss, lr):
    steps = 120
    places, _, optimizer = run(lambda x: loss(x).sum(), [0.4], steps, lr=lr)
    told = by_the_book(lambda x: loss(x), lambda x: loss.derivative(x), 0.4, steps, lr)
    assert optimizer.switch_count > 3
    assert places[:, 0] == pytest.approx(told, rel=1e-6, abs=1e-9)


def test_a_loss_that_is_scaled_by_a_power_of_two_changes_no_bit():
    places, losses, _ = run(torus, [1.0, 2.0], 400)
    for factor in (2.0**40, 2.0**-60):
        scaled, heights, _ = run(lambda x, c=factor: c * torus(x), [1.0, 2.0], 400)
        assert (scaled == places).all() and (heights == factor * losses).all()


def test_parameters_scaled_by_a_power_of_two_with_lr_change_no_bit():
    places, losses, _ = run(torus, [1.0, 2.0], 400)
    for factor in (2.0**30, 2.0**-30):
        scaled, heights, _ = run(lambda x, c=factor: torus(x / c), [factor, 2 * factor], 400, lr=1e-4 * factor)
        assert (scaled == factor * places).all() and (heights == losses).all()


def test_a_constant_added_to_the_loss_changes_next_to_nothing():
    places, _, _ = run(torus, [1.0], 100)
    shifted, _, _ = run(lambda x: torus(x) + 8, [1.0], 100)
    assert shifted == pytest.approx(places, abs=1e-12)


@pytest.mark.parametrize("lr", [1e-8, 1e-5, 1e-2, 1.0, 100.0])
@pytest.mark.parametrize("start", [-1.8, -0.4, 0.3, 2.0])
def test_any_learning_rate_finds_the_deeper_well(lr, start):
    _, losses, optimizer = run(lambda x: DOUBLE_WELL(x).sum(), [start], lr=lr)
    assert optimizer.load_best() == losses.min() < -0.29


def test_on_a_torus_it_crosses_more_than_ten_barriers_in_a_thousand_gradients():
    grid = torch.linspace(0, 2 * math.pi, 20001, dtype=torch.float64)[:-1]
    values = torch.stack([torus(x[None]) for x in grid]).numpy()
    tops = grid[(values > np.roll(values, 1)) & (values > np.roll(values, -1))].numpy()
    places, _, optimizer = run(torus, [1.0], 1000)
    ends = [0, *(switch.step for switch in optimizer.switches if switch.direction == "maximize"), 999]
    turns = places[ends, 0]
    wells = np.searchsorted(tops, turns % (2 * math.pi)) + len(tops) * (turns // (2 * math.pi))
    assert np.count_nonzero(np.diff(wells)) > 10


def test_noise_does_not_blind_it():
    """Where it has been, judged without noise, from twelve starts on a circle with several wells."""
    grid = torch.linspace(0, 2 * math.pi, 4001, dtype=torch.float64)
    values = torch.stack([torus(x[None]) for x in grid])
    low, size = values.min().item(), (values.max() - values.min()).item()
    found = 0
    for seed, start in enumerate(np.linspace(0, 2 * math.pi, 12, endpoint=False)):
        _, losses, _ = run(torus, [start], 600, 1e-2 * size, seed)
        found += losses.min() < low + 1e-3 * size
    assert found >= 11


def test_it_turns_for_the_reasons_that_it_names():
    _, _, optimizer = run(lambda x: DOUBLE_WELL(x).sum(), [2.0])
    reasons = {switch.reason for switch in optimizer.switches}
    assert reasons <= set(COURSE_REASONS[1:]) and {"critical", "crest"} <= reasons
    for switch in optimizer.switches:
        assert switch.direction == "maximize" if switch.reason == "critical" else True
        assert switch.direction == "minimize" if switch.reason in {"crest", "lid"} else True


def test_a_climb_without_a_top_ends_at_the_lid():
    _, losses, optimizer = run(lambda x: (x**2).sum(), [1.0])
    assert "lid" in {switch.reason for switch in optimizer.switches}
    assert np.isfinite(losses).all()


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.filterwarnings("ignore:AdaptiveHillAdam was given a loss that is not finite")
def test_a_step_into_nowhere_is_taken_back(bad):
    """A loss that is not finite beyond 1.5, and its gradient with it."""
    x = nn.Parameter(torch.tensor([1.3], dtype=torch.float64))
    optimizer, places = AdaptiveHillAdam([x], lr=0.01), []
    for _ in range(200):
        optimizer.zero_grad()
        loss = (DOUBLE_WELL(x) if x < 1.5 else bad * x).sum()
        loss.backward()
        places.append(x.item())
        before = x.item()
        optimizer.step(loss=loss)
        if before >= 1.5:
            assert x.item() < before
    assert max(places) > 1.5 and optimizer.load_best() < -0.29 and math.isfinite(x.item())


def test_a_gradient_that_is_not_finite_is_taken_back_too():
    x = nn.Parameter(torch.tensor([1.2], dtype=torch.float64))
    optimizer = AdaptiveHillAdam([x], lr=0.01)
    for step in range(30):
        loss = DOUBLE_WELL(x).sum()
        (x.grad,) = torch.autograd.grad(loss, x)
        if step == 7:
            x.grad.fill_(math.nan)
            scale = optimizer.param_groups[0]["scale"]
        optimizer.step(loss=loss)
        if step == 7:
            assert optimizer.param_groups[0]["scale"] == scale / 4
        assert math.isfinite(x.item())


def test_where_there_is_no_gradient_there_is_no_step():
    x, y = nn.Parameter(torch.tensor([0.5, 3.0])), nn.Parameter(torch.tensor(2.0))
    optimizer = AdaptiveHillAdam([x, y])
    for _ in range(20):
        optimizer.zero_grad()
        loss = DOUBLE_WELL(x[0])
        loss.backward()
        optimizer.step(loss=loss)
    assert x[1].item() == 3.0 and y.item() == 2.0 and x[0].item() != 0.5


def test_many_parameters_are_one_place():
    """The same run whether two coordinates are one tensor, two, or two groups."""
    start = [1.0, 2.0]
    _, losses, _ = run(torus, start, 200)
    for groups in (lambda a, b: [a, b], lambda a, b: [{"params": [a]}, {"params": [b]}]):
        a, b = (nn.Parameter(torch.tensor([v], dtype=torch.float64)) for v in start)
        optimizer = AdaptiveHillAdam(groups(a, b))
        for step in range(200):
            optimizer.zero_grad()
            loss = torus(torch.cat([a, b]))
            loss.backward()
            if step < 60:
                assert loss.item() == pytest.approx(losses[step], abs=1e-9)
            optimizer.step(loss=loss)


def test_the_slope_along_a_step_is_a_trapezoid_over_all_parameters():
    """D = ½ (g + g′)·s and q = ½ (g′ − g)·s, by hand, over two groups, one of them of two tensors."""
    numbers = torch.arange(1.0, 25.0, dtype=torch.float64).split([2, 1, 3] * 4)
    params, places, grads, gradients = (list(numbers[k : k + 3]) for k in (9, 0, 3, 6))
    tensors = [(params[:2], grads[:2], [], [], [], places[:2], gradients[:2])]
    tensors += [(params[2:], grads[2:], [], [], [], places[2:], gradients[2:]), ([],) * 7]
    # s = 18 everywhere, g′ from 7 to 12, g from 13 to 18
    assert slopes(tensors) == ((57 + 93) * 18 / 2, (57 - 93) * 18 / 2, 6)
    assert slopes([]) == slopes([([],) * 7]) == (0.0, 0.0, 0)


@pytest.mark.parametrize("split", [[1], [3], [1, 2]])
def test_the_lid_rises_after_two_walls_of_each_number_in_the_parameters(split):
    params = [nn.Parameter(torch.ones(size, dtype=torch.float64)) for size in split]
    for walls, ended in ((2 * sum(split) - 1, True), (2 * sum(split), False)):
        optimizer = AdaptiveHillAdam(params)
        for param in params:
            param.grad = torch.ones_like(param)
        optimizer.step(loss=4.0)
        up = BEGUN._replace(low=4.0, rise=1.0, top=5.0, bottom=4.0, climbed=9, walls=walls)
        optimizer.param_groups[0].update(maximize=True, **up._asdict())
        optimizer.step(loss=6.1)
        assert (optimizer.last_switch.reason == "lid") == ended


def test_a_group_without_gradients_stops_none_behind_it():
    x, y = (nn.Parameter(torch.ones(1)) for _ in range(2))
    for make in (AdaptiveHillAdam, OverTheHill):
        optimizer = make([{"params": [x]}, {"params": [y]}], lr=0.1)
        x.grad, y.grad, start = None, torch.ones(1), y.item()
        optimizer.step(loss=1.0)
        assert x.item() == 1.0 and y.item() < start


def test_groups_keep_the_ratio_of_their_learning_rates():
    a, b = (nn.Parameter(torch.tensor([1.0], dtype=torch.float64)) for _ in range(2))
    optimizer = AdaptiveHillAdam([{"params": [a], "lr": 1e-3}, {"params": [b], "lr": 4e-3}])
    loss = DOUBLE_WELL(a).sum() + DOUBLE_WELL(b).sum()
    loss.backward()
    optimizer.step(loss=loss)
    assert (1 - b.item()) == pytest.approx(4 * (1 - a.item()), rel=1e-12)


def test_a_new_place_after_load_best_is_a_new_run():
    _, losses, optimizer = run(lambda x: DOUBLE_WELL(x).sum(), [2.0], 100)
    optimizer.load_best()
    assert optimizer.direction == "minimize" and optimizer.param_groups[0]["probing"]
    assert optimizer.best_loss == losses.min() and optimizer.switch_count > 0


def test_without_a_loss_it_goes_straight_on_and_says_so():
    x = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    optimizer = AdaptiveHillAdam([x], lr=0.1)
    with pytest.warns(
        RuntimeWarning, match="AdaptiveHillAdam took 10 steps and was given no loss, without which it goes"
    ):
        for _ in range(10):
            x.grad = torch.ones_like(x)
            optimizer.step()
    assert x.item() == pytest.approx(1.0)


# Kinks ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("power, start", [(1.0, [1.5]), (1.0, [1.5, -0.7]), (1.2, [0.9, -2.0, 0.3])])
def test_it_finds_the_bottom_of_a_kink(power, start):
    """Where slopes did not tell that it had jumped over, it climbed, and ended beyond 1e50."""
    x = nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = AdaptiveHillAdam([x])

    def closure():
        optimizer.zero_grad()
        loss = x.abs().pow(power).sum()
        loss.backward()
        return loss

    for _ in range(450):
        optimizer.step(closure)
    optimizer.finish(closure, 50)
    assert x.abs().pow(power).sum().item() < 1e-2


@pytest.mark.parametrize("seed", range(2))
def test_it_finds_the_bottom_between_planes(seed):
    """The highest of eight planes that no direction goes down for ever: the bottom by scipy's linear program."""
    from scipy.optimize import linprog

    dice = np.random.default_rng(seed)
    slopes, heights = dice.normal(size=(8, 2)), dice.normal(size=8)
    slopes -= slopes.mean(axis=0)
    low = linprog([0, 0, 1], np.column_stack([slopes, -np.ones(8)]), -heights, bounds=(None, None)).fun
    planes, offsets = torch.tensor(slopes), torch.tensor(heights)
    x = nn.Parameter(torch.tensor([2.0, -1.0], dtype=torch.float64))
    optimizer = AdaptiveHillAdam([x])

    def closure():
        optimizer.zero_grad()
        loss = (planes @ x + offsets).max()
        loss.backward()
        return loss

    begun = closure().item()
    for _ in range(900):
        optimizer.step(closure)
    optimizer.finish(closure, 100)
    assert low <= closure().item() < low + 1e-2 * (begun - low)


# To finish under noise -----------------------------------------------------------------------------------------------


def noisy(seed, sigma=0.1, start=2.0):
    """A parameter on the double well, its optimizer, a closure with noise on loss and slope, and the places it saw."""
    x = nn.Parameter(torch.tensor([start], dtype=torch.float64))
    optimizer, dice, places = AdaptiveHillAdam([x]), torch.Generator().manual_seed(seed), []

    def closure():
        optimizer.zero_grad()
        a, b = sigma * torch.randn(2, generator=dice, dtype=torch.float64)
        loss = DOUBLE_WELL(x).sum() + a + b * (x - x.detach()).sum()
        loss.backward()
        places.append(x.item())
        return loss

    return x, optimizer, closure, places


def test_it_finishes_nearer_to_the_bottom_than_where_the_lowest_loss_was():
    bottom, lucky, settled = DOUBLE_WELL.global_minimum, [], []
    for seed in range(8):
        x, optimizer, closure, _ = noisy(seed)
        for _ in range(300):
            optimizer.step(closure)
        optimizer.load_best()
        lucky.append(abs(x.item() - bottom.x))
        assert optimizer.finish(closure, 60) == pytest.approx(bottom.value, abs=0.15)
        settled.append(abs(x.item() - bottom.x))
    assert np.median(settled) < 0.4 * np.median(lucky)


@pytest.mark.parametrize("steps", [1, 2, 7, 40])
def test_it_finishes_with_the_mean_of_the_second_half_of_its_places(steps):
    x, optimizer, closure, places = noisy(0)
    for _ in range(100):
        optimizer.step(closure)
    best, turns = optimizer.best_loss, optimizer.switch_count
    state, losses = optimizer.state[x]["best"].clone(), []

    def noted():
        losses.append(closure())
        return losses[-1]

    mean = optimizer.finish(noted, steps)
    assert mean == pytest.approx(torch.stack(losses)[-max(steps // 2, 1) :].mean().item(), rel=1e-12)
    assert len(places) == 100 + steps and places[100] == state.item()
    assert x.item() == pytest.approx(np.mean(places[-max(steps // 2, 1) :]), abs=1e-12)
    assert optimizer.switch_count == turns and optimizer.direction == "minimize"
    assert optimizer.best_loss <= best and optimizer.param_groups[0]["probing"]
    losses.clear()
    mean = optimizer.finish(noted, steps)  # knows nothing of the one before
    assert mean == pytest.approx(torch.stack(losses)[-max(steps // 2, 1) :].mean().item(), rel=1e-12)


def test_after_the_finish_it_goes_on_and_climbs_again():
    x, optimizer, closure, _ = noisy(0, sigma=0.0)
    for _ in range(50):
        optimizer.step(closure)
    optimizer.finish(closure, 30)
    saved, turns, place = copy.deepcopy(optimizer.state_dict()), optimizer.switch_count, x.item()
    for _ in range(60):
        optimizer.step(closure)
    assert optimizer.switch_count > turns
    again, resumed, other, _ = noisy(0, sigma=0.0, start=place)
    resumed.load_state_dict(saved)
    for _ in range(60):
        resumed.step(other)
    assert again.item() == x.item()


def test_what_finish_refuses():
    _, optimizer, closure, _ = noisy(0)
    with pytest.raises(RuntimeError, match="before any finite loss"):
        optimizer.finish(closure, 5)
    for _ in range(20):
        optimizer.step(closure)
    for steps in (0, 2.5):
        with pytest.raises(ValueError, match=f"Invalid steps: {steps}; expected a whole number >= 1"):
            optimizer.finish(closure, steps)

    def silent():
        closure()

    with pytest.raises(ValueError, match="Invalid closure: it returned None"):
        optimizer.finish(silent, 5)
    assert not optimizer._settles
    with pytest.raises(TypeError, match="takes a closure"):
        optimizer.finish(3.0, 5)


def test_a_descent_that_is_to_settle_goes_on_where_it_stands_still():
    assert steer(BEGUN, False, 4.0, 0.0, 0.0).maximize
    verdict = steer(BEGUN, False, 4.0, 0.0, 0.0, settle=True)
    assert not verdict.maximize and verdict.reason == 0 and verdict.course.low == math.inf


# The rule by itself ---------------------------------------------------------------------------------------------------

BEGUN = Course(probing=False, moved=True, start_loss=5.0, high=5.0, lowest=4.0)


def test_the_first_step_is_sought_until_it_leads_lower():
    verdict = steer(Course(), False, 3.0, math.nan, math.nan)
    assert verdict.course.probing and verdict.course.start_loss == 3.0 and not verdict.again
    higher = steer(verdict.course, False, 3.5, 0.5, 0.9)
    assert higher.again and higher.course.scale == 0.25 and higher.course.probing
    lower = steer(higher.course, False, 2.5, -0.5, 0.1)
    assert not lower.again and not lower.course.probing and lower.course.scale == 0.5


def test_noise_in_the_slopes_is_no_way_back():
    doubtful = steer(BEGUN, False, 4.5, 0.1, 1.0)
    assert not doubtful.rose and doubtful.course.drift == 0.1 and doubtful.course.spread == 1.0
    assert steer(BEGUN, False, 4.5, 0.1, 1.0, kappa=0.0).rose
    assert steer(doubtful.course, False, 4.6, 0.7, 1.0).rose  # 0.8 > ½ √2
    assert steer(doubtful.course, False, 4.4, -0.2, 1.0).course.drift == 0.0


def test_standing_still_is_measured_by_the_range_of_the_leg():
    assert steer(BEGUN, False, 4.0, -0.9e-3, 0.0).reason == COURSE_REASONS.index("critical")
    assert steer(BEGUN, False, 4.0, -1.1e-3, 0.0).reason == 0
    assert steer(BEGUN, False, 4.0, -1.1e-3, 0.0, delta=2e-3).maximize


@pytest.mark.parametrize("growth", [2.0, 1.1])
def test_a_step_grows_only_where_the_leg_has_surely_got_on(growth):
    """By more than its slopes can be wrong by, since it last got on."""
    down = BEGUN._replace(growth=growth)
    assert steer(down, False, 4.0, -0.6, 0.5).course.scale == growth
    for slope, bend in ((-0.49, 0.5), (-0.4, -0.5), (0.1, 0.5)):
        doubtful = steer(down, False, 4.0, slope, bend)
        assert doubtful.course.scale == 1.0 and not doubtful.rose
    gone = down._replace(drift=0.3, spread=0.16)  # what it lost counts, and how wrong that can be
    assert steer(gone, False, 4.0, -0.6, 0.0).course.scale == 1.0
    made_up = steer(gone, False, 4.0, -0.8, 0.0).course
    assert made_up.scale == growth and made_up.drift == made_up.spread == 0.0
    # A step that changed nothing was too short for the numbers' last bits, and a finish would never move again.
    assert steer(down, False, 4.0, 0.0, 0.0, settle=True).course.scale == growth


def test_a_descent_over_a_kink_has_gone_back_and_stands_not_still():
    """Of a range of 1 the slopes leave less than a thousandth, and the bend says that they cancel."""
    for bend in (0.04, -0.04, 5.0):
        jumped = steer(BEGUN, False, 4.0, 1e-3, bend)
        assert jumped.rose and jumped.reason == 0 and not jumped.maximize
        assert (jumped.course.scale, jumped.course.growth) == (0.5, 1.1)
    assert steer(BEGUN, False, 4.0, 1e-3, 0.03).maximize  # √δ is 0.032
    assert steer(BEGUN, False, 4.0, -0.01, 5.0).course.scale == 1.0  # got on, and nothing is sure
    assert steer(BEGUN, False, 4.0, 0.0, 0.3, delta=0.25).maximize
    assert steer(BEGUN, False, 4.0, 0.0, 0.3, settle=True).rose  # to settle, too
    up = BEGUN._replace(low=4.0, rise=1.0, top=5.0, bottom=4.0, climbed=9)
    assert COURSE_REASONS[steer(up, True, 4.5, 0.0, 5.0).reason] == "critical"


def test_the_lid_lies_two_heights_up_and_a_climb_that_it_ends_is_counted():
    up = BEGUN._replace(low=4.0, rise=1.0, top=5.0, bottom=4.0, climbed=9)
    verdict = steer(up, True, 6.1, 0.3, 0.0, dimensions=2)
    assert verdict.reason == COURSE_REASONS.index("lid") and verdict.course.walls == 1
    assert steer(up, True, 5.9, 0.3, 0.0).reason == 0


@pytest.mark.parametrize(
    "blind, dimensions, rooms",
    [
        (False, 1, [2, 2, 4, 4, 2, 2, 8, 8, 2, 2, 4, 4, 2, 2, 16, 16]),
        (False, 2, [2] * 4 + [4] * 4),
        (True, 2, [2, 2 * 16, 2, 2 * 16**2, 2, 2 * 16, 2, 2 * 16**3]),
    ],
)
def test_high_lids_are_tried_the_more_seldom_the_higher_they_are(blind, dimensions, rooms):
    up = BEGUN._replace(low=4.0, rise=1.0, top=5.0, bottom=4.0, climbed=9, blind=blind)
    for walls, room in enumerate(rooms):
        here = up._replace(walls=walls)
        assert steer(here, True, 4 + 0.999 * room, room, 0.0, dimensions=dimensions).reason == 0
        assert steer(here, True, 4 + 1.001 * room, room, 0.0, dimensions=dimensions).reason == 3


@pytest.mark.parametrize("start", [[3.0], [3.0, -2.0]])
def test_from_a_bowl_without_hills_it_comes_back(start):
    """A lid doubled whenever climbs end at it in vain took these runs to a loss of 1e26, and never back."""
    places, losses, optimizer = run(lambda x: (x**2).sum(), start, 2000)
    assert {switch.reason for switch in optimizer.switches} == {"critical", "lid"}
    assert np.median(np.abs(places)) < 30 and losses.max() < 1e11 and losses[-500:].min() < 1e-2


@pytest.mark.parametrize("start", [0.94, 0.97])
def test_a_start_at_the_bottom_of_a_shallow_well_is_left(start):
    _, losses, _ = run(lambda x: DOUBLE_WELL(x).sum(), [start], 400)
    assert losses.min() < -0.29


def test_a_leg_that_has_made_up_for_what_it_lost_begins_to_count_anew():
    gone = BEGUN._replace(drift=-0.5, spread=1.0)
    even = steer(gone, True, 4.6, 0.5, 0.0).course
    assert even.drift == 0.0 and even.spread == 0.0


def test_a_bottom_counts_as_new_where_it_is_a_thousandth_of_a_height_deeper():
    down = BEGUN._replace(low=4.0, rise=1.0, top=5.0, walls=1, walled=True, high=5.0, lowest=3.9)
    assert steer(down, False, 3.99, 0.0, 0.0).course.walls == 0
    assert steer(down, False, 3.9995, 0.0, 0.0).course.walls == 1


def test_a_hill_crossed_is_as_high_as_its_top_above_the_deeper_of_its_valleys():
    down = BEGUN._replace(low=4.0, rise=1.0, top=6.0)
    assert steer(down, False, 3.0, 0.0, 0.0).course.rise == 3.0
    assert steer(down, False, 4.5, 0.0, 0.0).course.rise == 2.0
    assert steer(down._replace(walled=True), False, 3.0, 0.0, 0.0).course.rise == 1.0  # a lid is no hill
    assert steer(down._replace(rise=2.5), False, 4.5, 0.0, 0.0).course.rise == 2.5


def test_only_a_crest_shows_that_hills_have_tops():
    up = BEGUN._replace(low=4.0, rise=1.0, bottom=4.0, climbed=9, blind=True)
    over = steer(up, True, 4.9, -0.3, 0.0)
    assert COURSE_REASONS[over.reason] == "crest" and not over.course.blind and not over.rose
    still = steer(up, True, 4.9, 0.0, 0.0)
    assert COURSE_REASONS[still.reason] == "critical" and still.course.blind


def test_a_loss_at_the_lid_is_still_below_it():
    up = BEGUN._replace(low=4.0, rise=1.0, top=5.0, bottom=4.0, climbed=9)
    assert steer(up, True, 6.0, 0.3, 0.0).reason == 0


def twos(number):
    return (number & -number).bit_length() - 1


def said(course, loss, up, reason="none", rose=False, again=False):
    if reason != "none":
        course, up = course._replace(high=loss, lowest=loss, drift=0.0, spread=0.0), not up
    return Verdict(course, up, COURSE_REASONS.index(reason), rose, again)


def of_a_climb(course, loss, back, still, dimensions):
    course, first = course._replace(climbed=course.climbed + 1, scale=1.1 * course.scale), math.isnan(course.top)
    if first and course.climbed == 4 and loss - course.bottom > course.rise:
        course = course._replace(rise=loss - course.bottom, blind=True)
    room = 2 * (16 if course.blind else 2) ** twos(1 + course.walls // (1 if course.blind else 2 * dimensions))
    lid = loss > course.low + room * course.rise and not (first and course.climbed < 4)
    if not (lid or back or still):
        return said(course, loss, True)
    reason = "lid" if lid else "crest" if back else "critical"
    blind = course.blind and reason != "crest"
    course = course._replace(top=course.high, walled=lid, walls=course.walls + lid, blind=blind)
    return said(course, loss, True, reason)


def of_a_descent(course, loss, back, still, sure, settle):
    if back:
        course = course._replace(scale=course.scale / 2, growth=1.1)
    elif sure:
        course = course._replace(scale=course.scale * course.growth)
    if settle or not still:
        return said(course, loss, False, rose=back)
    if course.low == math.inf:
        course = course._replace(rise=course.start_loss - loss)
    elif not course.walled:
        course = course._replace(rise=max(course.rise, course.top - min(course.low, loss)))
    walls = 0 if loss < course.low - 1e-3 * course.rise else course.walls
    course = course._replace(low=min(course.low, loss), bottom=loss, climbed=0, walls=walls, walled=False)
    return said(course, loss, False, "critical", rose=back)


def of_any_leg(course, up, loss, slope, bend, delta, kappa, dimensions, settle):
    nowhere = not math.isfinite(loss) or (course.moved and not (math.isfinite(slope) and math.isfinite(bend)))
    if course.moved and (nowhere or (course.probing and slope and loss >= course.start_loss)):
        return said(course._replace(scale=course.scale / 4), loss, up, again=True)
    if nowhere:
        return said(course, loss, up, again=True)
    if course.probing:
        course = course._replace(probing=False) if course.moved else course._replace(start_loss=loss)
    course, back, still = course._replace(high=max(course.high, loss), lowest=min(course.lowest, loss)), False, False
    sure = False
    if course.moved:
        drift, spread = course.drift + slope, course.spread + bend**2
        wrong = -drift if up else drift
        sure, size = wrong <= -math.sqrt(spread), course.high - course.lowest
        still = abs(slope) <= delta * size
        over = still and not up and abs(bend) > math.sqrt(delta) * size
        back, still = over or (wrong > 0 and wrong > kappa * math.sqrt(spread)), still and not over
        drift, spread = (0.0, 0.0) if back or wrong <= 0 else (drift, spread)
        course = course._replace(drift=drift, spread=spread)
    if up:
        verdict = of_a_climb(course, loss, back, still, dimensions)
    else:
        verdict = of_a_descent(course, loss, back, still, sure, settle)
    return verdict._replace(course=verdict.course._replace(moved=True))


@pytest.mark.parametrize("up", [False, True])
def test_it_does_what_its_points_say_from_wherever_it_is(up):
    """The rule once more, case by case, at places drawn from few numbers, so that many lie exactly on an edge."""
    dice, reasons = np.random.default_rng(0), set()
    few = dict(
        scale=(1.0, 4.0), growth=(2.0, 1.1), probing=(True, False, False), moved=(True, True, False),
        start_loss=(2.0, 9.0), high=(3.0, 9.0), lowest=(1.0, 2.0), drift=(0.0, 0.5, -0.5, -1.0), spread=(0.0, 1.0),
        low=(1.0,) if up else (1.0, 1.0, math.inf), bottom=(1.0, 3.0), climbed=(0, 2, 3, 9), rise=(0.0, 2.0, 4.0),
        top=(5.0, math.nan) if up else (5.0,), walls=(0, 1, 3), walled=(True, False), blind=(True, False),
    )  # fmt: skip
    losses = (-1.0, 0.5, 0.9975, 0.9999, 1.0, 2.0, 3.0, 5.0, 9.0, 9.5, 30.0, math.nan, math.inf)
    slopes, bends = (-2.0, -1.0, -0.5, 0.0, 0.0, 0.5, 1.0, math.nan, math.inf), (0.0, 0.0, 0.5, -1.0, 1.0, math.nan)
    for _ in range(6000):
        course = Course(**{key: values[dice.integers(len(values))] for key, values in few.items()})
        given = [
            values[dice.integers(len(values))]
            for values in (losses, slopes, bends, (0.0, 0.0625, 0.125), (0.0, 0.5), (1, 2), (True, False))
        ]
        numbers = dict(zip(("delta", "kappa", "dimensions", "settle"), given[3:], strict=True))
        verdict = steer(course, up, *given[:3], **numbers)
        assert verdict == of_any_leg(course, up, *given)
        reasons.add(COURSE_REASONS[verdict.reason])
    assert reasons == (set(COURSE_REASONS) if up else {"none", "critical"})


def test_the_rule_is_told_the_settings_and_how_many_variables_there_are(monkeypatch):
    told = []
    monkeypatch.setattr(
        "hilladam.optim._adaptive_hill_adam.steer", lambda *args, **said: told.append(said) or steer(*args, **said)
    )
    x = nn.Parameter(torch.ones(2, 3))
    x.grad = torch.ones_like(x)
    AdaptiveHillAdam([x], delta=0.2, kappa=0.7).step(loss=1.0)
    assert told == [{"delta": 0.2, "kappa": 0.7, "dimensions": 6, "settle": False}]


def test_it_has_one_parameter_where_nothing_else_is_said():
    up = BEGUN._replace(low=4.0, rise=1.0, top=5.0, bottom=4.0, climbed=9, walls=2)
    assert steer(up, True, 7.9, 0.3, 0.0).reason == 0 and steer(up, True, 7.9, 0.3, 0.0, dimensions=2).reason == 3


def test_a_run_is_blind_where_its_first_climb_is_soon_higher_than_its_first_descent():
    up = BEGUN._replace(low=4.0, rise=1.0, bottom=4.0, climbed=3)
    sees, near = steer(up, True, 4.9, 0.3, 0.0).course, steer(up, True, 5.5, 0.3, 0.0).course
    assert (sees.blind, sees.rise) == (False, 1.0) and (near.blind, near.rise) == (True, 1.5)
    assert not steer(up._replace(top=5.0), True, 5.5, 0.3, 0.0).course.blind  # in a later climb it is a hill
    assert not steer(up._replace(climbed=4), True, 5.5, 0.3, 0.0).course.blind


def test_a_finish_takes_the_loss_out_of_a_tuple():
    (x, optimizer, closure, _), (y, other, single, _) = noisy(0), noisy(0)
    for _ in range(60):
        optimizer.step(closure)
        other.step(single)
    assert optimizer.finish(lambda: (closure(), "more"), 20) == other.finish(single, 20) and x.item() == y.item()


@pytest.mark.parametrize("lr, loss", [(1e-4, lambda x: torch.relu(x) + 1), (0.0, lambda x: x**2)])
def test_where_nothing_can_move_the_step_does_not_grow(lr, loss):
    """Grown for so long it would be infinite: the parameters with it, or the step a crash."""
    x = nn.Parameter(torch.tensor([-1.0]))
    optimizer = AdaptiveHillAdam([x], lr=lr)
    for _ in range(2000):
        optimizer.zero_grad()
        value = loss(x).sum()
        value.backward()
        optimizer.step(loss=value)
    assert x.item() == -1 and optimizer.param_groups[0]["scale"] <= 2


def test_a_frozen_model_that_is_set_free_begins_with_a_short_step():
    x = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    optimizer = AdaptiveHillAdam([x])
    for step in range(400):
        optimizer.zero_grad()
        value = DOUBLE_WELL(x).sum()
        if step >= 100:
            value.backward()
        optimizer.step(loss=value.detach())
    assert optimizer.load_best() == pytest.approx(DOUBLE_WELL.global_minimum.value, abs=1e-2)


@pytest.mark.parametrize("losses", [[1.0], [1.0, 1.0]], ids=["begun", "begun and cleared"])
def test_steps_are_counted_in_full_where_the_default_is_half(losses):
    torch.set_default_dtype(torch.bfloat16)
    try:
        x = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
        optimizer = AdaptiveHillAdam([x])
        for loss in losses:
            x.grad = torch.ones_like(x)
            optimizer.step(loss=loss)
    finally:
        torch.set_default_dtype(torch.float32)
    assert optimizer.state[x]["step"].dtype == torch.float32
