"""HillAdam is the reference, and without its rules it is torch.optim.Adam."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from hilladam import HillAdam
from hilladam.losses import DOUBLE_WELL, TABLE_1
from hilladam.optim import REASONS, ReferenceHillAdam, Switch

# Landscapes ----------------------------------------------------------------------------------------------------------


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def himmelblau(x):
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def rastrigin(x):
    return 10 * x.numel() + (x**2 - 10 * torch.cos(2 * math.pi * x)).sum()


def ackley(x):
    waves, distance = torch.cos(2 * math.pi * x).mean(), x.square().mean().sqrt()
    return 20 + math.e - 20 * torch.exp(-0.2 * distance) - torch.exp(waves)


def regression(w1, b1, w2, b2):
    inputs = torch.linspace(-2, 2, 16, dtype=torch.float64).unsqueeze(1)
    outputs = torch.tanh(inputs @ w1.T + b1) @ w2.T + b2
    return (outputs - torch.sin(2 * inputs)).square().mean()


def curve(polynomial):
    return lambda x: polynomial(x).sum()


def point(*coordinates):
    return [torch.tensor(coordinates, dtype=torch.float64)]


def weights():
    torch.manual_seed(0)
    return [torch.randn(*shape, dtype=torch.float64) for shape in [(8, 1), (8,), (1, 8), (1,)]]


# The loss, the start, δ, γ and floor: each meets all three rules within 200 steps of λ = 0.1.
LANDSCAPES = {
    "x2": (curve(TABLE_1["x2"]), point(2.0), 1e-2, 20.0, 4.01),
    "sixth": (curve(TABLE_1["sixth"]), point(0.6), 1e-2, 20.0, 4.0),
    "eighth": (curve(TABLE_1["eighth"]), point(4.5), 1e-2, 3.0, -9.0),
    "tenth": (curve(TABLE_1["tenth"]), point(5.5), 1e-1, 50.0, -1.4),
    "fourth": (curve(TABLE_1["fourth"]), point(3.0), 1e-1, 20.0, 0.32),
    "double well": (curve(DOUBLE_WELL), point(2.0), 1e-2, 10.0, -0.3),
    "rosenbrock": (rosenbrock, point(0.0, 0.0), 1.0, 50.0, 0.5),
    "himmelblau": (himmelblau, point(0.0, 0.0), 1e-2, 2.0, 0.01),
    "rastrigin": (rastrigin, point(2.3, -1.7, 0.4), 1.0, 20.0, 8.0),
    "ackley": (ackley, point(2.5, -1.5), 1e-2, 10.0, 5.5),
    "regression": (regression, weights(), 1e-3, 3.0, 0.05),
}


# The reference -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LANDSCAPES)
def test_it_equals_the_reference_on_every_step(name, path):
    loss, start, delta, gamma, floor = LANDSCAPES[name]
    rules = {"delta": delta, "gamma": gamma, "floor": floor}
    ours = [x.clone().requires_grad_() for x in start]
    theirs = [x.clone().unsqueeze(0) for x in start]
    fast, reference = HillAdam(ours, 0.1, **rules, **path), ReferenceHillAdam(theirs, 0.1, **rules)
    reasons = []
    for step in range(200):
        members = [x[0].requires_grad_() for x in theirs]
        value = loss(*members)
        reference.step(value.detach().view(1), [g.unsqueeze(0) for g in torch.autograd.grad(value, members)])
        fast.zero_grad()
        loss(*ours).backward()
        fast.step(loss=loss(*ours))

        for x, y in zip(ours, theirs, strict=True):
            torch.testing.assert_close(x, y[0], rtol=1e-9, atol=1e-9)
        assert (fast.direction == "maximize") == reference.maximize
        assert fast.best_loss == pytest.approx(reference.best_loss.item(), rel=1e-9, abs=1e-9)
        if reference.reason:
            reasons.append(REASONS[reference.reason])
            assert fast.switches[-1] == Switch(step, fast.direction, reasons[-1])
        assert len(fast.switches) == len(reasons)

    assert set(reasons) == {"critical", "dead_end", "floor"}
    fast.load_best()
    for x, y in zip(ours, reference.best_params, strict=True):
        torch.testing.assert_close(x, y[0], rtol=1e-9, atol=1e-9)


# Adam ----------------------------------------------------------------------------------------------------------------

OFF = {"delta": 0.0, "gamma": math.inf, "floor": -math.inf}
SETTINGS = {
    "plain": {},
    "betas and eps": {"betas": (0.5, 0.6), "eps": 1e-3},
    "weight decay": {"weight_decay": 0.1},
    "decoupled weight decay": {"weight_decay": 0.1, "decoupled_weight_decay": True},
}


def grouped(tensors):
    return [{"params": tensors[:2], "lr": 0.02, "weight_decay": 0.3}, {"params": tensors[2:], "betas": (0.7, 0.9)}]


def twins(dtype):
    torch.manual_seed(0)
    ours = [nn.Parameter(torch.randn(shape, dtype=dtype)) for shape in [(3,), (), (2, 4), (5,)]]
    return ours, [nn.Parameter(x.detach().clone()) for x in ours]


def step_alike(ours, theirs, tensors, other_tensors, absent=False, **loss):
    """One step of both optimizers on the same random gradients."""
    for index, (x, y) in enumerate(zip(tensors, other_tensors, strict=True)):
        x.grad = None if absent and index % 2 else torch.randn_like(x)
        y.grad = None if x.grad is None else x.grad.clone()
    ours.step(**loss)
    theirs.step()
    for x, y in zip(tensors, other_tensors, strict=True):
        assert torch.equal(x, y)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_without_its_rules_it_is_adam_bit_for_bit(settings, dtype, path):
    tensors, others = twins(dtype)
    hill, adam = HillAdam(tensors, 0.1, **settings, **OFF, **path), torch.optim.Adam(others, 0.1, **settings, **path)
    for _ in range(30):
        step_alike(hill, adam, tensors, others, loss=1.0)  # a loss that never changes, and still nothing turns
    assert hill.switches == []


@pytest.mark.parametrize("absent", [False, True], ids=["all gradients", "gradients absent at times"])
def test_it_is_adam_bit_for_bit_with_several_groups(absent, path):
    tensors, others = twins(torch.float32)
    hill, adam = HillAdam(grouped(tensors), 0.1, **OFF, **path), torch.optim.Adam(grouped(others), 0.1, **path)
    for step in range(30):
        step_alike(hill, adam, tensors, others, absent=absent and step % 3 == 0, loss=1.0)


@pytest.mark.parametrize(
    "schedule",
    [
        lambda opt: [torch.optim.lr_scheduler.OneCycleLR(opt, 0.1, total_steps=60)],  # moves β₁ too
        lambda opt: [
            torch.optim.lr_scheduler.LinearLR(opt, 0.1, total_iters=10),
            torch.optim.lr_scheduler.ExponentialLR(opt, 0.95),
        ],
    ],
    ids=["one cycle", "chained"],
)
def test_it_is_adam_bit_for_bit_under_schedulers(schedule, path):
    tensors, others = twins(torch.float32)
    hill, adam = HillAdam(grouped(tensors), 0.1, **OFF, **path), torch.optim.Adam(grouped(others), 0.1, **path)
    schedulers = [*schedule(hill), *schedule(adam)]
    for _ in range(30):
        step_alike(hill, adam, tensors, others, loss=1.0)
        for scheduler in schedulers:
            scheduler.step()
    rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in (hill, adam)]
    assert rates[0] == rates[1] != [0.02, 0.1]


@pytest.mark.parametrize("foreach", [False, True], ids=["for-loop", "foreach"])  # torch has no fused one
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
def test_it_is_adam_bit_for_bit_on_complex_parameters(dtype, foreach):
    tensors, others = twins(dtype)
    hill, adam = HillAdam(tensors, 0.1, **OFF, foreach=foreach), torch.optim.Adam(others, 0.1, foreach=foreach)
    for _ in range(30):
        step_alike(hill, adam, tensors, others, loss=1.0)


def test_it_is_adam_bit_for_bit_with_a_tensor_as_learning_rate():
    tensors, others = twins(torch.float32)
    hill, adam = HillAdam(tensors, torch.tensor(0.1), **OFF), torch.optim.Adam(others, torch.tensor(0.1))
    for _ in range(30):
        step_alike(hill, adam, tensors, others, loss=1.0)


# Climbing ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_after_a_switch_it_is_a_new_adam_that_maximizes(settings, path):
    tensors, others = twins(torch.float32)
    hill = HillAdam(tensors, 0.1, **settings, **path)
    down = torch.optim.Adam(others, 0.1, **settings, **path)
    for loss in (5.0, 4.0, 3.0):
        step_alike(hill, down, tensors, others, loss=loss)
    up = torch.optim.Adam(others, 0.1, maximize=True, **settings, **path)
    for loss in (3.0, 4.0, 5.0, 6.0):
        step_alike(hill, up, tensors, others, loss=loss)
    assert hill.switches == [Switch(3, "maximize", "critical")]


@pytest.mark.parametrize("decoupled", [False, True], ids=["L2", "decoupled"])
def test_weight_decay_decays_while_climbing(decoupled, path):
    x = nn.Parameter(torch.tensor([1.0, -2.0]))
    hill = HillAdam([x], 0.1, weight_decay=0.1, decoupled_weight_decay=decoupled, **path)
    x.grad = torch.zeros(2)
    sizes = []
    for _ in range(4):  # the second loss turns it round, the third has nothing to be compared with, the fourth turns it
        hill.step(loss=1.0)
        sizes.append(x.abs().sum().item())
    assert [switch.step for switch in hill.switches] == [1, 3]
    assert 3.0 > sizes[0] > sizes[1] > sizes[2] > sizes[3]


def test_it_leaves_the_gradients_alone(path):
    tensors, _ = twins(torch.float64)
    hill = HillAdam(tensors, 0.1, weight_decay=0.1, **path)
    for loss in (1.0, 1.0, 2.0, 3.0, 3.0):
        for x in tensors:
            x.grad = torch.randn_like(x)
        before = [x.grad.clone() for x in tensors]
        hill.step(loss=loss)
        assert all(torch.equal(x.grad, grad) for x, grad in zip(tensors, before, strict=True))
    assert len(hill.switches) == 2


def test_a_new_group_joins_in_the_direction_of_the_others(path):
    tensors, _ = twins(torch.float64)
    hill = HillAdam(tensors[:1], 0.1, delta=0.5, **path)
    tensors[0].grad = torch.ones_like(tensors[0])
    for loss in (1.0, 1.0):
        hill.step(loss=loss)
    hill.add_param_group({"params": tensors[1:2], "lr": 0.2})
    before = tensors[1].clone()
    tensors[1].grad = torch.ones_like(tensors[1])
    hill.step(loss=3.0)
    assert torch.allclose(tensors[1] - before, torch.tensor(0.2, dtype=torch.float64))
    assert all(group["delta"] == 0.5 for group in hill.param_groups)
    hill.step(loss=3.0)
    assert hill.direction == "minimize"
    assert [group["maximize"] for group in hill.param_groups] == [False, False]


# The call ------------------------------------------------------------------------------------------------------------


def descent(**settings):
    x = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    x.grad = torch.ones_like(x)
    return x, HillAdam([x], 0.1, **settings)


def test_the_hooks_fire_once(path):
    _, hill = descent(**path)
    fired = []
    hill.register_step_pre_hook(lambda optimizer, args, kwargs: fired.append(("before", optimizer.best_loss, kwargs)))
    hill.register_step_post_hook(lambda optimizer, args, kwargs: fired.append(("after", optimizer.best_loss, kwargs)))
    hill.step(loss=3.0)
    assert fired == [("before", math.inf, {"loss": 3.0}), ("after", 3.0, {"loss": 3.0})]


@pytest.mark.parametrize(
    "loss",
    [0.1, torch.tensor(0.1, dtype=torch.float64), torch.tensor([0.1], dtype=torch.float64), np.float64(0.1),
     torch.tensor([[0.1]], dtype=torch.float64, requires_grad=True)],
    ids=["float", "0-dim", "1-element", "numpy", "with gradient"],
)  # fmt: skip
def test_it_takes_numbers_and_tensors_of_one_element_and_returns_them(loss):
    _, hill = descent()
    assert hill.step(loss=loss) is loss
    assert hill.best_loss == 0.1
    assert hill.step(lambda: loss) is loss
    assert hill.direction == "maximize"


@pytest.mark.parametrize("loss", [3, True, np.float32(3), torch.tensor(3), torch.tensor(True)], ids=repr)
def test_what_it_remembers_of_a_loss_is_a_float(loss):
    _, hill = descent()
    hill.step(loss=loss)
    assert type(hill.best_loss) is type(hill.param_groups[0]["previous_loss"]) is float


def test_a_bare_step_is_one_of_adam_and_judges_nothing(path):
    x, hill = descent(**path)
    for sign, losses in ((-1, [5.0]), (+1, [5.0, 6.0])):
        for loss in losses:
            hill.step(loss=loss)
        before, known = x.item(), {key: value for key, value in hill.param_groups[0].items() if key != "params"}
        assert hill.step() is None
        assert x.item() - before == pytest.approx(sign * 0.1)
        assert {key: value for key, value in hill.param_groups[0].items() if key != "params"} == known


class Operations(TorchDispatchMode):
    """The names of the operations that torch carries out."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.names.add(operation.overloadpacket.__name__)
        return operation(*args, **(kwargs or {}))


def test_the_implementation_asked_for_is_the_one_that_runs(path):
    _, hill = descent(**path)
    with Operations() as operations:
        hill.step(loss=1.0)
    kinds = {"foreach": "_foreach_addcmul_", "fused": "_fused_adam_"}
    ran = {kind for kind, name in kinds.items() if name in operations.names}
    assert ran == {kind for kind in kinds if path.get(kind)}


def test_asking_for_the_state_of_a_parameter_changes_nothing(path):
    tensors, others = twins(torch.float32)
    asked, unasked = HillAdam(tensors, 0.1, **path), HillAdam(others, 0.1, **path)
    for index, loss in enumerate((3.0, 3.0, 2.0, 1.0)):
        assert all(asked.state[x] is not None for x in tensors)  # a defaultdict: this leaves an empty entry
        for x, y in zip(tensors[: index + 1], others, strict=False):
            x.grad, y.grad = torch.ones_like(x), torch.ones_like(y)
        asked.step(loss=loss)
        unasked.step(loss=loss)
    asked.load_best()
    unasked.load_best()
    assert asked.switches == unasked.switches != []
    assert all(torch.equal(x, y) for x, y in zip(tensors, others, strict=True))


def test_a_gradient_scaler_that_skips_a_step_skips_the_judgement(path):
    (x, hill), (y, unscaled) = descent(**path), descent(**path)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    for step in range(6):
        loss = DOUBLE_WELL(x).sum()
        hill.zero_grad()
        scaler.scale(loss).backward()
        if step == 2:
            x.grad.fill_(math.inf)
        else:
            y.grad = x.grad / scaler.get_scale()
            unscaled.step(loss=loss)
        scaler.step(hill, loss=loss)
        scaler.update()
        assert torch.equal(x, y)
    assert hill.switches == []  # after the skipped step the loss is the same again
    assert hill.param_groups[0]["losses"] == 5


# The log of its turns -------------------------------------------------------------------------------------------------


def test_it_counts_all_switches_and_remembers_the_last_thousand():
    _, hill = descent(delta=1.0)
    expected = []
    for step in range(2500):  # a constant loss turns it at every second step, in turns up and down
        hill.step(loss=3.0)
        if step % 2:
            expected.append(Switch(step, "maximize" if step % 4 == 1 else "minimize", "critical"))
        assert hill.switch_count == len(expected)
        assert hill.last_switch == (expected[-1] if expected else None)
    assert len(expected) == 1250 and hill.switches == expected[-1000:]
    resumed = HillAdam([nn.Parameter(torch.zeros(1))])
    resumed.load_state_dict(hill.state_dict())
    assert resumed.switches == hill.switches and resumed.switch_count == 1250


def test_the_log_lies_where_the_parameters_are():
    first, second = (nn.Parameter(torch.zeros(2, device=device)) for device in ("meta", "cpu"))
    hill = HillAdam([first, second])
    assert hill.param_groups[0]["switch_log"].device.type == "meta"
    hill.add_param_group({"params": [nn.Parameter(torch.zeros(2))]})
    assert hill.param_groups[1]["switch_log"].device.type == "meta"


def test_every_reason_and_direction_is_remembered():
    _, hill = descent(gamma=10.0, floor=-10.0)
    for loss in (1.0, 1.0, 11.0, -11.0, 3.0, 3.0):
        hill.step(loss=loss)
    assert hill.switches == [
        Switch(1, "maximize", "critical"), Switch(2, "minimize", "dead_end"), Switch(3, "maximize", "floor"),
        Switch(5, "minimize", "critical"),
    ]  # fmt: skip


# Whatever the losses are ----------------------------------------------------------------------------------------------

values = st.sampled_from([0.0, 1.0, 1.00001, 5.0, -5.0, math.nan, math.inf, -math.inf]) | st.floats(-20, 20)
settings = st.fixed_dictionaries(
    {"delta": st.sampled_from([0.0, 1e-4, 1.0]), "gamma": st.sampled_from([2.0, 10.0, math.inf]),
     "floor": st.sampled_from([-math.inf, -2.0, 1.0]), "lr": st.sampled_from([0.0, 0.1]), "foreach": st.booleans()}
)  # fmt: skip


@pytest.mark.filterwarnings("ignore:HillAdam was given a loss that is not finite")
@given(st.lists(values, min_size=1, max_size=30), settings, st.randoms(use_true_random=False))
def test_whatever_the_losses_are(losses, settings, random):
    x = nn.Parameter(torch.zeros(2, dtype=torch.float64))
    optimizer = HillAdam([x], **settings)
    best, held, turns = math.inf, None, []
    for step, loss in enumerate(losses):
        x.grad = torch.tensor([random.uniform(-1, 1), random.uniform(-1, 1)], dtype=x.dtype)
        before, direction = x.detach().clone(), optimizer.direction
        optimizer.step(loss=loss)
        if math.isfinite(loss) and loss < best:
            best, held = loss, before
        if optimizer.direction != direction:
            turns.append((step, optimizer.direction))
        # The best loss is the lowest finite one, and never rises.
        assert optimizer.best_loss == best
    # The switches are the changes of direction.
    assert [(switch.step, switch.direction) for switch in optimizer.switches] == turns
    if held is not None:
        # load_best() brings back exactly the parameters that had it.
        assert optimizer.load_best() == best
        assert torch.equal(x, held)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_warns_and_decides_nothing(bad, path):
    x = nn.Parameter(torch.tensor([1.0]))
    optimizer = HillAdam([x], 0.1, gamma=10.0, floor=-10.0, **path)
    x.grad = torch.ones(1)
    optimizer.step(loss=3.0)
    with pytest.warns(RuntimeWarning, match="not finite"):
        optimizer.step(loss=bad)
    optimizer.step(loss=3.0)  # nothing to be compared with
    assert optimizer.switches == []
    assert optimizer.best_loss == 3.0
    optimizer.step(loss=3.0)
    assert optimizer.switches == [Switch(3, "maximize", "critical")]


# Defaults and warnings ------------------------------------------------------------------------------------------------


def test_a_climb_on_a_loss_without_a_top_ends():
    inputs = torch.linspace(-1, 1, 20, dtype=torch.float64)
    x = nn.Parameter(torch.zeros(2, dtype=torch.float64))
    hill = HillAdam([x], 0.1)
    losses = []
    for _ in range(2000):
        hill.zero_grad()
        loss = (x[0] * inputs + x[1] - 3 * inputs - 1).square().sum()
        loss.backward()
        losses.append(hill.step(loss=loss).item())
    assert {switch.reason for switch in hill.switches} == {"critical", "dead_end"}
    assert 200 < max(losses) < 220


def test_a_start_above_gamma_is_adam_until_it_is_below(path):
    tensors, others = twins(torch.float32)
    hill, adam = HillAdam(tensors, 0.1, **path), torch.optim.Adam(others, 0.1, **path)
    for loss in (1000.0, 1000.0, 999.0, 300.0):
        step_alike(hill, adam, tensors, others, loss=loss)
    assert hill.switches == []


def test_a_loss_that_is_too_coarse_for_delta_is_told_once_where_it_turns():
    _, hill = descent()
    hill.step(loss=torch.tensor(9.75, dtype=torch.bfloat16))
    message = "bfloat16 loss of 9.75, whose neighbours are up to 0.076 away: it cannot tell a change of delta = 0.0001"
    with pytest.warns(RuntimeWarning, match=message):
        hill.step(loss=torch.tensor(9.75, dtype=torch.bfloat16))
    for _ in range(4):
        hill.step(loss=torch.tensor(9.75, dtype=torch.bfloat16))
    assert hill.switch_count == 3


@pytest.mark.parametrize("loss", [9.75, torch.tensor(9.75), torch.tensor(1e-4, dtype=torch.bfloat16)], ids=repr)
def test_a_loss_that_is_fine_enough_is_not(loss):
    _, hill = descent()
    for _ in range(4):
        hill.step(loss=loss)
    assert hill.switch_count == 2


def test_a_float_is_too_coarse_where_its_neighbours_are_further_than_delta():
    delta, edge = 2.0**-10, 2.0**42  # between 2⁴² and 2⁴³ floats are 2⁻¹⁰ apart
    for loss in (edge, torch.tensor(edge, dtype=torch.float64)):
        _, hill = descent(delta=delta, gamma=math.inf)
        hill.step(loss=loss)
        hill.step(loss=loss)
        assert hill.switch_count == 1
        hill.step(loss=1.001 * loss)
        with pytest.warns(RuntimeWarning, match="loss of 4.402e[+]12, whose neighbours are up to 0.00098 away"):
            hill.step(loss=1.001 * loss)


def test_many_steps_without_any_loss_are_told_once():
    _, hill = descent()
    for _ in range(9):
        hill.step()
    with pytest.warns(RuntimeWarning, match=r"took 10 steps and was given no loss.*step\(loss=loss\)"):
        hill.step(lambda: None)
    for _ in range(30):
        hill.step()


def test_warnings_point_at_the_caller():
    _, hill = descent()
    with pytest.warns(RuntimeWarning) as caught:
        for _ in range(10):
            hill.step()
        for _ in range(2):
            hill.step(loss=torch.tensor(9.75, dtype=torch.bfloat16))
    assert [warning.filename for warning in caught] == [__file__] * 2


def test_bare_steps_between_losses_are_not():
    _, hill = descent()
    hill.step(loss=1.0)
    for _ in range(30):
        hill.step()


def test_after_load_best_the_next_loss_is_compared_with_nothing():
    _, hill = descent()
    hill.step(loss=1.0)
    hill.load_best()
    hill.step(loss=1.0)
    assert hill.switch_count == 0
    hill.step(loss=1.0)
    assert hill.switch_count == 1


def test_a_group_that_asks_to_maximize_is_refused_and_that_of_a_climbing_one_is_not():
    x, hill = descent()
    for _ in range(2):
        hill.step(loss=1.0)
    assert hill.direction == "maximize"
    assert HillAdam(hill.param_groups).direction == "minimize"
    with pytest.raises(ValueError, match=r"Invalid maximize value: True .* To maximise f, minimise -f"):
        HillAdam([{"params": [x], "maximize": True}])


def test_fused_and_foreach_together():
    with pytest.raises(RuntimeError, match="`fused` and `foreach` cannot be `True` together"):
        HillAdam([nn.Parameter(torch.ones(2))], fused=True, foreach=True)


@pytest.mark.parametrize("name", ["maximize", "amsgrad", "differentiable"])
def test_what_adam_has_and_hill_adam_has_not(name):
    with pytest.raises(TypeError, match=name):
        HillAdam([nn.Parameter(torch.ones(2))], **{name: True})
