"""Algorithm 1 line by line, and its other readings."""

import math

import pytest
import torch

from hilladam.losses import DOUBLE_WELL
from hilladam.optim import REASONS, ReferenceHillAdam

FAR = (1e3, -1e3)  # losses that differ by more than any δ


def run(optimizer, loss, steps):
    """Take steps on the first parameter; yield it, its losses and the reasons of every step."""
    (x,) = optimizer.params
    for _ in range(steps):
        x.requires_grad_()
        values = loss(x)
        (grad,) = torch.autograd.grad(values.sum(), x)
        x.requires_grad_(False)
        optimizer.step(values, [grad])
        yield x.clone(), values.detach(), optimizer.reason


def feed(optimizer, losses, grad=1.0):
    """Take steps on made-up losses with a constant gradient; yield the sizes of the steps in units of λ."""
    (x,) = optimizer.params
    for loss in losses:
        before = x.clone()
        optimizer.step(torch.tensor([loss], dtype=x.dtype), [torch.full_like(x, grad)])
        yield (x - before).abs().item() / optimizer.lr


def one(**settings):
    return ReferenceHillAdam([torch.zeros(1, 1, dtype=torch.float64)], 0.01, **settings)


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.6), (0.0, 0.0)], ids=str)
@pytest.mark.parametrize("eps", [1e-8, 1e-2])
def test_with_a_delta_of_zero_it_is_adam(betas, eps):
    torch.manual_seed(0)
    start = torch.randn(3, 2, 4, dtype=torch.float64)
    theirs = start.clone()
    ours = ReferenceHillAdam([start], 0.01, betas, eps, delta=0)
    adam = torch.optim.Adam([theirs], 0.01, betas, eps)
    for _ in range(300):
        theirs.grad = torch.randn_like(theirs)
        ours.step(torch.ones(3), [theirs.grad])
        adam.step()
        torch.testing.assert_close(ours.params[0], theirs, rtol=0, atol=1e-12)


def test_the_members_never_meet():
    starts = torch.tensor([2.0, 0.9, -1.5, 0.3, 1.2], dtype=torch.float64)
    each = {
        "lr": torch.tensor([0.01, 0.02, 0.05, 0.1, 0.3], dtype=torch.float64),
        "delta": torch.tensor([1e-4, 1e-3, 1e-2, 0.0, 1e-4], dtype=torch.float64),
        "gamma": torch.tensor([math.inf, 2.0, 5.0, math.inf, 3.0], dtype=torch.float64),
        "floor": torch.tensor([-math.inf, -math.inf, -0.2, -math.inf, -0.1], dtype=torch.float64),
    }
    ensemble = ReferenceHillAdam([starts.clone()], **each)
    together = list(run(ensemble, DOUBLE_WELL, 400))
    for i, start in enumerate(starts):
        single = ReferenceHillAdam([start.clone().view(1)], **{name: value[i] for name, value in each.items()})
        for (xs, _, reasons), (x, _, reason) in zip(together, run(single, DOUBLE_WELL, 400), strict=True):
            assert abs(xs[i] - x) < 1e-9
            assert reasons[i] == reason
        assert abs(ensemble.best_loss[i] - single.best_loss) < 1e-9
        assert abs(ensemble.best_params[0][i] - single.best_params[0]) < 1e-9
    turned = torch.stack([reasons for *_, reasons in together])
    assert set(turned.unique().tolist()) == set(range(len(REASONS)))
    assert turned[:, 3].sum() == 0  # δ = 0


def test_the_best_state_is_the_one_before_the_update():
    optimizer = ReferenceHillAdam([torch.tensor([1.5], dtype=torch.float64)], 0.1)
    losses = torch.cat([loss for _, loss, _ in run(optimizer, DOUBLE_WELL, 200)])
    assert optimizer.best_loss == losses.min()
    assert DOUBLE_WELL(optimizer.best_params[0]) == optimizer.best_loss


def test_the_first_step_after_a_switch_has_size_lambda():
    optimizer = one(gamma=10.0)
    losses = [3.0, 3.0, 2.0, 11.0, 4.0, 4.0]
    sizes, turned = [], []
    for index, loss in enumerate(losses):  # growing gradients, so that a step is λ only where Adam starts afresh
        sizes += feed(optimizer, [loss], 2.0**index)
        turned.append(bool(optimizer.reason))
    assert turned == [False, True, False, True, False, True]
    assert sizes[1::2] == pytest.approx([1.0, 1.0, 1.0], abs=1e-6)
    assert sizes[2::2] == pytest.approx([0.9652, 0.9652], abs=1e-4)


@pytest.mark.parametrize("grad, outside, inside", [(1.0, 1.0, 1.0), (1e-4, 0.9999, 0.7071), (1e-6, 0.9901, 0.0100)])
def test_epsilon_inside_the_root_shrinks_the_steps_of_small_gradients(grad, outside, inside):
    assert next(feed(one(), [0.0], grad)) == pytest.approx(outside, abs=1e-4)
    assert next(feed(one(eps=0.0, eps_root=1e-8), [0.0], grad)) == pytest.approx(inside, abs=1e-4)


def test_overwriting_the_moments_shrinks_the_steps_of_a_constant_gradient():
    copied = list(feed(one(), range(3)))
    in_place = list(feed(one(bias_correction="in_place"), range(3)))
    assert copied == pytest.approx([1.0, 1.0, 1.0], abs=1e-6)
    assert in_place == pytest.approx([1.0, 0.2353, 0.0437], abs=1e-4)


def test_a_previous_loss_that_is_kept_can_fire_twice_in_a_row():
    losses = [FAR[0], 5.0, 5.0, 5.0, 5.0]
    fired = {}
    for reading in ("cleared", "kept"):
        optimizer = one(previous_loss=reading)
        fired[reading] = [bool(optimizer.reason) for _ in feed(optimizer, losses)]
    assert fired == {"cleared": [False, False, True, False, True], "kept": [False, False, True, True, True]}


def test_a_kept_loss_is_a_copy():
    optimizer = one(previous_loss="kept")
    loss = torch.tensor([5.0], dtype=torch.float64)
    for value in (5.0, 7.0):
        loss.fill_(value)
        optimizer.step(loss, [torch.ones_like(optimizer.params[0])])
    assert not optimizer.reason


def test_an_excursion_above_gamma_clears_the_moments_once_in_the_authors_reading():
    steps = {}
    for reading in ("on_turn", "per_excursion"):
        optimizer = one(dead_end=reading, gamma=200.0)
        steps[reading] = [int(optimizer.steps) for _ in feed(optimizer, [100.0, 300.0, 400.0, 150.0, 300.0, 199.0])]
    assert steps == {"on_turn": [1, 2, 3, 4, 5, 6], "per_excursion": [1, 1, 2, 3, 1, 2]}


@pytest.mark.parametrize("reading", ["on_turn", "per_excursion"])
def test_a_run_that_starts_above_gamma_starts_like_any_other(reading):
    optimizer = one(dead_end=reading, gamma=200.0)
    assert [int(optimizer.steps) for _ in feed(optimizer, [500.0, 400.0, 300.0])] == [1, 2, 3]


def test_a_loss_that_toggles_may_be_kept_from_being_the_best():
    best = {}
    for reading in ("every_loss", "no_toggle"):
        optimizer = one(best=reading)
        best[reading] = [optimizer.best_loss.item() for _ in feed(optimizer, [3.0, 2.0, 2.0 - 1e-5, 2.5])]
    assert best == {"every_loss": [3.0, 2.0, 2.0 - 1e-5, 2.0 - 1e-5], "no_toggle": [3.0, 2.0, 2.0, 2.0]}


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_never_the_best(loss):
    optimizer = one()
    for _ in feed(optimizer, [3.0, loss]):
        pass
    assert optimizer.best_loss == 3.0
    assert optimizer.best_params[0] == 0.0


@pytest.mark.parametrize("option", ["bias_correction", "previous_loss", "dead_end", "best"])
def test_an_unknown_reading_is_refused(option):
    with pytest.raises(ValueError, match=f"Invalid {option} reading: 'other'; expected one of"):
        one(**{option: "other"})


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"lr": -1.0}, "Invalid lr: -1.0"),
        ({"lr": math.nan}, "Invalid lr: nan"),
        ({"lr": torch.tensor([0.1, math.inf])}, "Invalid lr: inf"),
        ({"eps": -1.0}, "Invalid eps: -1.0"),
        ({"eps_root": -1.0}, "Invalid eps_root: -1.0"),
        ({"delta": math.nan}, "Invalid delta: nan"),
        ({"delta": torch.tensor([0.1, -1.0])}, "Invalid delta: -1.0"),
        ({"betas": (0.9, 1.0)}, r"Invalid betas: \(0.9, 1.0\)"),
        ({"gamma": 1.0, "floor": 1.0}, "Invalid gamma: 1.0; expected numbers above floor = 1.0"),
        ({"gamma": torch.tensor([1.0, 2.0]), "floor": 1.5}, "Invalid gamma: 1.0; expected numbers above floor = 1.5"),
        ({"gamma": math.nan}, "Invalid gamma: nan"),
    ],
    ids=str,
)
def test_a_number_out_of_its_range_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        ReferenceHillAdam([torch.zeros(2, 1)], **settings)


@pytest.mark.parametrize("shapes", [[(2, 1), (3, 1)], [()], [(2,), ()], []], ids=str)
def test_parameters_without_one_member_dimension_are_refused(shapes):
    with pytest.raises(ValueError, match="Invalid params: expected one leading member dimension"):
        ReferenceHillAdam([torch.zeros(shape) for shape in shapes])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_it_counts_beyond_what_the_parameters_can(dtype):
    optimizer = ReferenceHillAdam([torch.zeros(1, 1, dtype=dtype)], 0.0, gamma=math.inf)
    for _ in range(3000):
        optimizer.step(torch.tensor([float(optimizer.steps[0])]), [torch.zeros(1, 1, dtype=dtype)])
    assert optimizer.steps == 3000


def test_the_defaults_are_adams_and_the_paper_s():
    reference = ReferenceHillAdam([torch.zeros(1, 1)])
    assert (reference.lr, reference.betas, reference.eps) == (1e-3, (0.9, 0.999), 1e-8)
    assert (reference.delta, reference.gamma, reference.floor) == (1e-4, 200.0, -math.inf)
    assert reference.reason.tolist() == [0] and reference.reason.dtype == torch.int64
