"""What every optimizer here does as those of torch do, and what they remember: one suite, a line for each of them."""

import copy
import io
import math
import pickle
import re
import warnings
from collections import defaultdict
from functools import partial

import numpy as np
import pytest
import torch
from torch import distributed, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)

from hilladam import AdaptiveHillAdam, CoolMomentum, HillAdam, Langevin, OverTheHill, SimulatedAnnealing
from hilladam.losses import DOUBLE_WELL
from hilladam.optim._memory import _like, _same

inf, nan = math.inf, math.nan


def seeded(make, *args, **settings):
    return make(*args, generator=torch.Generator().manual_seed(0), **settings)


# A new optimizer is a line here, and a few below where its arguments have ranges. It turns, cools or walks in 40 steps.
OPTIMIZERS = {
    "HillAdam": partial(HillAdam, lr=0.1, delta=1e-2),
    "HillAdam, foreach": partial(HillAdam, lr=0.1, delta=1e-2, foreach=True),
    "HillAdam, fused": partial(HillAdam, lr=0.1, delta=1e-2, fused=True),
    "HillAdam, on the device": partial(HillAdam, lr=0.1, delta=1e-2, capturable=True),
    "AdaptiveHillAdam": partial(AdaptiveHillAdam, lr=0.1),
    "CoolMomentum": partial(CoolMomentum, lr=0.03, momentum=0.9, cooling_steps=30),
    "Langevin": partial(seeded, Langevin, lr=0.05, temperature=0.3),
    "OverTheHill": partial(OverTheHill, lr=0.1),
    "SimulatedAnnealing": partial(seeded, SimulatedAnnealing, lr=0.3, temperature=1.0, alpha=0.95),
}
WALKS = {"SimulatedAnnealing"}  # it needs a closure, and no gradients
GOES_BACK = {"AdaptiveHillAdam", "OverTheHill"}  # from where the loss is not finite

# An argument out of its range, and what the error says.
RATES = [
    ({"lr": -0.1}, "Invalid learning rate: -0.1"),
    ({"lr": nan}, "Invalid learning rate: nan"),
    ({"lr": inf}, "Invalid learning rate: inf"),
]
PLAIN_RATES = [  # but Hill-ADAM takes tensors, as Adam does
    *RATES,
    ({"lr": torch.tensor(0.1)}, "Invalid learning rate: tensor(0.1000); expected a finite number >= 0"),
    ({"lr": torch.tensor([0.1])}, "Invalid learning rate: tensor([0.1000]); expected a finite number >= 0"),
]
FLAGS = [({"track_best": None}, "Invalid track_best value: None; expected True or False")]
MOMENTA = [
    ({"momentum": -0.1}, "Invalid momentum value: -0.1"),
    ({"momentum": 1.0}, "Invalid momentum value: 1.0"),
    ({"momentum": nan}, "Invalid momentum value: nan"),
    ({"momentum": np.zeros(2)}, "Invalid momentum value: array(["),
]
TEMPERATURES = [
    ({"temperature": -1.0}, "Invalid temperature value: -1.0"),
    ({"temperature": nan}, "Invalid temperature value: nan"),
    ({"temperature": inf}, "Invalid temperature value: inf"),
]
OUT_OF_RANGE = {
    "HillAdam": [
        *RATES,
        *FLAGS,
        ({"betas": (1.0, 0.999)}, "Invalid beta parameter at index 0: 1.0"),
        ({"betas": (-0.1, 0.999)}, "Invalid beta parameter at index 0: -0.1"),
        ({"betas": (0.9, 1.5)}, "Invalid beta parameter at index 1: 1.5"),
        ({"betas": (nan, 0.999)}, "Invalid beta parameter at index 0: nan"),
        ({"betas": (0.9, nan)}, "Invalid beta parameter at index 1: nan"),
        ({"eps": -1e-8}, "Invalid epsilon value: -1e-08"),
        ({"eps": nan}, "Invalid epsilon value: nan"),
        ({"eps": inf}, "Invalid epsilon value: inf"),
        ({"weight_decay": -1.0}, "Invalid weight_decay value: -1.0"),
        ({"weight_decay": nan}, "Invalid weight_decay value: nan"),
        ({"delta": -1e-4}, "Invalid delta value: -0.0001; expected a finite number >= 0"),
        ({"delta": nan}, "Invalid delta value: nan"),
        ({"delta": inf}, "Invalid delta value: inf"),
        ({"delta": "1e-4"}, "Invalid delta value: '1e-4'"),
        ({"gamma": 1.0, "floor": 1.0}, "Invalid gamma value: 1.0; expected a number above floor = 1.0"),
        ({"gamma": 1.0, "floor": 2.0}, "Invalid gamma value: 1.0; expected a number above floor = 2.0"),
        ({"gamma": -inf}, "Invalid gamma value: -inf; expected a number above floor = -inf"),
        ({"gamma": nan}, "Invalid gamma value: nan"),
        ({"floor": nan}, "floor = nan"),
        ({"floor": inf}, "floor = inf"),
    ],
    "AdaptiveHillAdam": [
        *PLAIN_RATES,
        *FLAGS,
        ({"betas": 0.9}, "Invalid betas: 0.9; expected two numbers in [0, 1)"),
        ({"betas": (1.0, 0.999)}, "Invalid beta parameter at index 0: 1.0"),
        ({"betas": (0.9, nan)}, "Invalid beta parameter at index 1: nan"),
        ({"delta": -1e-4}, "Invalid delta value: -0.0001; expected a finite number >= 0"),
        ({"kappa": nan}, "Invalid kappa value: nan; expected a finite number >= 0"),
    ],
    "OverTheHill": [
        *PLAIN_RATES,
        *FLAGS,
        ({"betas": (1.0, 0.999)}, "Invalid beta parameter at index 0: 1.0"),
        ({"delta": nan}, "Invalid delta value: nan; expected a finite number >= 0"),
        ({"kappa": -1.0}, "Invalid kappa value: -1.0; expected a finite number >= 0"),
        ({"seed": 0.5}, "Invalid seed: 0.5; expected an int >= 0"),
    ],
    "CoolMomentum": [
        *PLAIN_RATES,
        *FLAGS,
        *MOMENTA,
        ({"cooling_steps": 0}, "Invalid cooling_steps value: 0; expected a number > 0"),
        ({"cooling_steps": nan}, "Invalid cooling_steps value: nan"),
        ({"schedule": "hot"}, "Invalid schedule: 'hot'; expected one of ('geometric_memory', "),
    ],
    "Langevin": [
        *PLAIN_RATES,
        *FLAGS,
        *MOMENTA,
        *TEMPERATURES,
        ({"momentum": lambda t: 2.0}, "Invalid momentum value: 2.0 at step 0; expected a number in [0, 1)"),
        ({"temperature": lambda t: -2.0}, "Invalid temperature value: -2.0 at step 0; expected a finite number >= 0"),
    ],
    "SimulatedAnnealing": [
        *PLAIN_RATES,
        *FLAGS,
        *TEMPERATURES,
        ({"alpha": 0.0}, "Invalid alpha value: 0.0; expected a number in (0, 1]"),
        ({"alpha": 1.1}, "Invalid alpha value: 1.1"),
        ({"alpha": nan}, "Invalid alpha value: nan"),
        ({"schedule": "hot"}, "Invalid schedule: 'hot'; expected one of ('geometric', 'logarithmic')"),
    ],
}
# What is the same in every group, and a value that the first group does not have.
ONE_FOR_ALL = {
    "HillAdam": {"delta": 0.5, "gamma": 5.0, "floor": -5.0, "track_best": False},
    "AdaptiveHillAdam": {"delta": 0.5, "kappa": 2.0, "track_best": False},
    "OverTheHill": {"delta": 0.5, "kappa": 2.0, "seed": 1, "track_best": False},
    "CoolMomentum": {"track_best": False},
    "Langevin": {"track_best": False},
    "SimulatedAnnealing": {"temperature": 2.0, "alpha": 0.5, "schedule": "logarithmic", "track_best": False},
}


@pytest.fixture(params=OPTIMIZERS.items(), ids=OPTIMIZERS)
def case(request):
    return request.param


@pytest.fixture
def make(case):
    return case[1]


@pytest.fixture
def name(case):
    return case[0]


def each(table):
    """A test for each line of a table, with what makes the optimizer."""
    table = {name: list(lines) for name, lines in table.items()}
    lines = [(OPTIMIZERS[name], line) for name, lines in table.items() for line in lines]
    ids = [
        f"{name}-{next(part for part in line if isinstance(part, str))}" for name, ls in table.items() for line in ls
    ]
    return pytest.mark.parametrize("make, line", lines, ids=ids)


class Wells(nn.Module):
    """A double well in each coordinate of two tensors, the second of which takes part from some step on."""

    def __init__(self, late=0, dtype=torch.float64, shape=(2,)):
        super().__init__()
        self.first = nn.Parameter(torch.full(shape, 1.7, dtype=dtype))
        self.late = nn.Parameter(torch.tensor(0.9, dtype=dtype))
        self.start = late

    def forward(self, step=inf):
        wells = DOUBLE_WELL(self.first).mean()
        return wells + 0.1 * DOUBLE_WELL(self.late) if step >= self.start else wells


def new(make, late=0, dtype=torch.float64, **settings):
    model = Wells(late, dtype)
    return model, make([{"params": [model.first]}, {"params": [model.late], "lr": 0.07}], **settings)


def go(model, optimizer, start, end):
    """Take steps; return their losses."""

    def closure(step):
        optimizer.zero_grad()
        loss = model(step)
        loss.backward()
        return loss

    losses = []
    for step in range(start, end):
        losses.append(optimizer.step(partial(closure, step)).item())
    return losses


def exact(value):
    """A value as text, a tensor as its bits, which takes a hundredth of the time and tells all of it."""
    if not isinstance(value, torch.Tensor):
        return str(value)
    return value.dtype, value.shape, value.detach().flatten().view(torch.uint8).numpy().tobytes()


def memory(optimizer):
    """All that is remembered but the moments, comparable."""
    saved = optimizer.state_dict()["param_groups"]
    groups = [{key: exact(value) for key, value in group.items() if key != "params"} for group in saved]
    return groups, str(optimizer.best_loss)


def snapshot(optimizer):
    """All of an optimizer, comparable: what it has and where it has it."""
    optimizer.state_dict()  # what lies on a device is in the groups once it is asked for
    state = {id(p): {k: (id(v), exact(v)) for k, v in s.items()} for p, s in optimizer.state.items()}
    groups = [{key: (id(value), exact(value)) for key, value in group.items()} for group in optimizer.param_groups]
    generator = getattr(optimizer, "generator", None)
    place = None if generator is None else generator.get_state().tolist()
    return (
        id(optimizer.state),
        id(optimizer.param_groups),
        state,
        groups,
        place,
        len(optimizer._optimizer_load_state_dict_pre_hooks),
    )


# Construction --------------------------------------------------------------------------------------------------------


@each(OUT_OF_RANGE)
def test_an_argument_out_of_its_range(make, line):
    arguments, message = line
    with pytest.raises(ValueError, match=re.escape(message)):
        make([nn.Parameter(torch.ones(2))], **arguments)
    with pytest.raises(ValueError, match=re.escape(message)):  # in a group
        make([{"params": [nn.Parameter(torch.ones(2))], **arguments}])
    optimizer = make([nn.Parameter(torch.ones(2))])
    with pytest.raises(ValueError, match=re.escape(message)):  # in a group that comes later
        optimizer.add_param_group({"params": [nn.Parameter(torch.ones(2))], **arguments})
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize("make", [HillAdam, AdaptiveHillAdam, OverTheHill], ids=lambda make: make.__name__)
def test_averages_may_forget_at_once(make):
    assert make([nn.Parameter(torch.ones(2))], betas=(0.0, 0.0)).param_groups[0]["betas"] == (0.0, 0.0)


@each({name: settings.items() for name, settings in ONE_FOR_ALL.items()})
def test_the_groups_follow_the_first_in_what_is_decided_for_all_parameters(make, line):
    setting, value = line
    x, y, z = (nn.Parameter(torch.ones(2)) for _ in range(3))
    optimizer = make([{"params": [x], setting: value}, {"params": [y]}])
    optimizer.add_param_group({"params": [z]})
    assert [group[setting] for group in optimizer.param_groups] == [value] * 3
    first = make([x]).param_groups[0][setting]
    message = f"Invalid {setting} value: {value} in a parameter group; expected {first}, as in the first group, because"
    with pytest.raises(ValueError, match=re.escape(message)):
        make([{"params": [x]}, {"params": [y], setting: value}])
    optimizer = make([x])
    with pytest.raises(ValueError, match=re.escape(message)):
        optimizer.add_param_group({"params": [y], setting: value})
    assert len(optimizer.param_groups) == 1


DEFAULTS = {
    HillAdam: {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "delta": 1e-4, "gamma": 200.0,
               "floor": -inf, "track_best": True, "foreach": None, "fused": None, "decoupled_weight_decay": False},
    AdaptiveHillAdam: {"lr": 1e-4, "betas": (0.9, 0.999), "delta": 1e-3, "kappa": 0.5, "track_best": True},
    OverTheHill: {"lr": 1e-4, "betas": (0.9, 0.999), "delta": 3e-3, "kappa": 0.0, "seed": 0, "track_best": True},
    partial(CoolMomentum, cooling_steps=9): {"lr": 0.01, "momentum": 0.99, "schedule": "geometric_memory",
                                             "cooling_steps": 9, "track_best": True},
    partial(Langevin, lr=0.1, temperature=2.0): {"momentum": 0.9, "temperature": 2.0, "track_best": True},
    partial(SimulatedAnnealing, lr=0.1, temperature=2.0): {"temperature": 2.0, "schedule": "geometric",
                                                           "alpha": 0.999, "track_best": True},
}  # fmt: skip


@pytest.mark.parametrize(
    "make, defaults",
    DEFAULTS.items(),
    ids=["HillAdam", "adaptive", "over the hill", "CoolMomentum", "Langevin", "annealing"],
)
def test_the_defaults_are_those_of_the_documentation(make, defaults):
    optimizer = make([nn.Parameter(torch.ones(2))])
    assert {key: optimizer.defaults[key] for key in defaults} == defaults
    (group,) = optimizer.param_groups
    assert {key: group[key] for key in defaults} == defaults
    assert group.keys() == {"params", *optimizer.defaults, *optimizer._MEMORY}


def test_parameters_that_are_no_list_of_them(make):
    with pytest.raises(TypeError, match="params argument"):
        make(nn.Parameter(torch.ones(2)))
    with pytest.raises(ValueError, match="empty parameter list"):
        make([])
    with pytest.raises(TypeError, match="must be a dict"):
        make([nn.Parameter(torch.ones(2))]).add_param_group([nn.Parameter(torch.ones(2))])


def test_named_parameters_and_iterators(make):
    model = Wells()
    assert make(model.named_parameters()).param_groups[0]["param_names"] == ["first", "late"]
    assert [id(p) for p in make(model.parameters()).param_groups[0]["params"]] == [id(p) for p in model.parameters()]


def test_numbers_of_numpy_are_saved_as_python_s(make):
    settings = {"HillAdam": {"delta": np.float64(0.5), "betas": (np.float32(0.5), np.float64(0.9))},
                "AdaptiveHillAdam": {"kappa": np.float64(0.5)}, "OverTheHill": {"seed": np.int64(3)},
                "CoolMomentum": {"cooling_steps": np.int64(5)},
                "Langevin": {"momentum": np.float32(0.5)},
                "SimulatedAnnealing": {"alpha": np.float64(0.5)}}  # fmt: skip
    model = Wells()
    name = type(make([model.first])).__name__
    optimizer = make([{"params": [model.first], "lr": np.float32(0.5)}, {"params": [model.late]}], **settings[name])
    go(model, optimizer, 0, 2)
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    assert torch.load(file, weights_only=True)["param_groups"][0]["lr"] == 0.5
    assert {type(optimizer.defaults[key]) for key in settings[name]} <= {int, float, tuple}


def test_its_representation_is_torch_s_without_what_is_remembered(make):
    model, optimizer = new(make)
    go(model, optimizer, 0, 40)
    full = torch.optim.Optimizer.__repr__(optimizer).replace("\n\n", "\n")
    short = re.sub(rf"    ({'|'.join(optimizer._MEMORY)}): .*(\n {{5,}}.*)*\n", "", full)
    assert repr(optimizer) == short and "best_loss" in full and "best_loss" not in short


# Nothing inherited ---------------------------------------------------------------------------------------------------


def reused(make):
    """A model, and groups for it that a run has been made with."""
    old = Wells()
    groups = [{"params": [old.first], "lr": 0.2}, {"params": [old.late]}]
    optimizer = make(groups)
    go(old, optimizer, 0, 40)
    assert optimizer.best_loss < 0.5
    return groups, optimizer


def test_the_groups_that_it_is_given_are_left_alone(make):
    model = Wells()
    groups = [{"params": [model.first], "lr": 0.2}, {"params": [model.late]}]
    kept = [dict(group) for group in groups]
    optimizer = make(groups)
    optimizer.add_param_group(late := {"params": [nn.Parameter(torch.ones(2, dtype=torch.float64))]})
    go(model, optimizer, 0, 40)
    assert groups == kept and late.keys() == {"params"}


@pytest.mark.parametrize("again", ["the same groups", "the groups of the old one"])
def test_a_new_optimizer_starts_with_nothing_remembered(make, again):
    groups, old = reused(make)
    if again == "the groups of the old one":
        groups = old.param_groups
    fresh_model, (model, fresh) = Wells(), (Wells(), None)
    fresh = make([{"params": [fresh_model.first], "lr": 0.2}, {"params": [fresh_model.late]}])
    for group, params in zip(groups, ([model.first], [model.late]), strict=True):
        group["params"] = params
    optimizer = make(groups)
    assert memory(optimizer) == memory(fresh) and optimizer.best_loss == inf
    with pytest.raises(RuntimeError, match="before any finite loss"):
        optimizer.load_best()
    assert go(model, optimizer, 0, 20) == go(fresh_model, fresh, 0, 20)
    assert memory(optimizer) == memory(fresh)


def test_folds_do_not_know_each_other(make):
    groups, bests = [{"params": None}], []
    for start in (1.7, 0.95):  # the second fold starts lower than the first one ends
        model = Wells()
        nn.init.constant_(model.first, start)
        groups[0]["params"] = model.parameters()
        optimizer = make(groups)
        losses = go(model, optimizer, 0, 5)
        bests.append((optimizer.best_loss, min(losses)))
    assert all(best == lowest for best, lowest in bests)


def test_a_group_of_an_iterator_can_be_used_again(make):
    model = Wells()
    groups = [{"params": model.parameters()}]
    assert [len(make(groups).param_groups[0]["params"]) for _ in range(2)] == [2, 2]


def test_an_empty_state_is_a_new_start(make):
    model, optimizer = new(make)
    fresh_model, fresh = new(make)
    go(model, optimizer, 0, 40)
    optimizer.state = defaultdict(dict)
    if hasattr(optimizer, "generator"):
        optimizer.generator.manual_seed(0)
    model.load_state_dict(fresh_model.state_dict())
    assert memory(optimizer) == memory(fresh)
    assert go(model, optimizer, 0, 20) == go(fresh_model, fresh, 0, 20)
    assert optimizer.load_best() == fresh.load_best() == model().item()


def test_a_state_that_is_moved_is_no_new_start(make):
    (model, optimizer), (other_model, other) = new(make), new(make)
    go(model, optimizer, 0, 10)
    go(other_model, other, 0, 10)
    optimizer.state = defaultdict(dict, optimizer.state)
    assert go(model, optimizer, 10, 20) == go(other_model, other, 10, 20)


# The best ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [0, 10, 35], ids=["at once", "late", "very late"])
def test_load_best_reproduces_the_best_loss_exactly(make, late):
    model, optimizer = new(make, late)
    losses = go(model, optimizer, 0, 40)
    best = min(losses)
    assert optimizer.best_loss == best
    assert optimizer.load_best() == best
    assert model(losses.index(best)).item() == best
    assert optimizer.load_best() == best  # asking twice changes nothing
    assert min(go(model, optimizer, 40, 60)) >= optimizer.load_best()


def test_of_several_places_with_the_lowest_loss_the_first_is_kept(make):
    model, optimizer = new(make)
    start = [x.tolist() for x in model.parameters()]
    model().backward()
    for _ in range(5):
        optimizer.step(lambda: 1.0)
    assert start != [x.tolist() for x in model.parameters()]
    assert optimizer.load_best() == 1.0
    assert start == [x.tolist() for x in model.parameters()]


@pytest.mark.parametrize("name", ["CoolMomentum", "Langevin", "SimulatedAnnealing"])
def test_the_first_is_kept_for_each_member(name):
    x = nn.Parameter(torch.zeros(2, 2, dtype=torch.float64))
    optimizer = OPTIMIZERS[name]([x])
    ways = []
    for losses in ([3.0, 1.0], [2.0, 1.0], [2.0, nan], [2.0, 4.0]):
        x.grad = torch.ones_like(x)
        if name in WALKS:  # a fall is accepted, and so is every move from a loss that is not finite
            optimizer.forget_loss()
        ways.append(x.tolist())
        optimizer.step(lambda losses=losses: torch.tensor(losses, dtype=torch.float64))
        if name in WALKS:
            with torch.no_grad():
                x.add_(1.0)
    assert optimizer.load_best().tolist() == [2.0, 1.0]
    assert x.tolist() == [ways[1][0], ways[0][1]] and len({str(way) for way in ways}) == 4


@pytest.mark.parametrize("name", ["CoolMomentum", "Langevin", "SimulatedAnnealing"])
@pytest.mark.parametrize("first, then", [(1.0, torch.ones(2)), (torch.ones(2), 1.0), (torch.ones(2), torch.ones(()))])
def test_losses_keep_their_shape(name, first, then):
    x = nn.Parameter(torch.zeros(2, 2))
    x.grad = torch.ones_like(x)
    optimizer = OPTIMIZERS[name]([x])
    optimizer.step(lambda: first)
    before = x.tolist()
    shape = re.escape(str(tuple(torch.as_tensor(first).shape)))
    with pytest.raises(ValueError, match=rf"Invalid loss: .*; expected shape {shape}, as before"):
        optimizer.step(lambda: then)
    assert x.tolist() == before and torch.equal(torch.as_tensor(optimizer.best_loss), torch.as_tensor(first))


def test_after_load_best_it_goes_on_from_rest(make, name):
    model, optimizer = new(make)
    go(model, optimizer, 0, 40)
    optimizer.load_best()
    moments = [
        v for s in optimizer.state.values() for k, v in s.items() if k not in {"best", "previous", "centre"}
    ]  # places
    assert all((moment == 0).all() for moment in moments) and (moments or name in WALKS)


def test_a_loss_that_is_not_finite_is_never_the_best(make, name):
    model, optimizer = new(make)
    losses = go(model, optimizer, 0, 10)
    for bad in (nan, inf, -inf):
        if name in WALKS:
            optimizer.step(lambda bad=bad: bad)
        else:
            with pytest.warns(RuntimeWarning, match=f"{type(optimizer).__name__} was given a loss that is not finite"):
                optimizer.step(loss=bad)
    assert optimizer.load_best() == min(losses) == model().item()


def test_a_first_loss_that_is_not_finite_is_no_best_either(make, name):
    model, optimizer = new(make)
    model().backward()
    for _ in range(3):
        if name in WALKS:
            optimizer.step(lambda: nan)
        else:
            with pytest.warns(RuntimeWarning, match="not finite"):
                optimizer.step(loss=nan)
    with pytest.raises(RuntimeError, match="before any finite loss"):
        optimizer.load_best()
    best = min(go(model, optimizer, 0, 2))
    assert optimizer.load_best() == best == model().item()


@pytest.mark.filterwarnings("ignore:.* was given a loss that is not finite")
def test_training_goes_on_after_a_divergence_and_load_best(make, name):
    model, optimizer = new(make)
    best = min(go(model, optimizer, 0, 10))
    rates = [group["lr"] for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        group["lr"] = 1e200
    go(model, optimizer, 10, 15)
    assert name in WALKS | GOES_BACK or model.first.isnan().all()
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
    assert optimizer.load_best() == best == model().item()
    go(model, optimizer, 15, 40)
    assert -inf < optimizer.load_best() == model().item() < best


def test_without_track_best_nothing_is_copied(make):
    model, optimizer = new(make, track_best=False)
    losses = go(model, optimizer, 0, 10)
    assert optimizer.best_loss == min(losses)
    assert not any("best" in state for state in optimizer.state.values())
    with pytest.raises(RuntimeError, match="needs track_best=True"):
        optimizer.load_best()


def test_before_any_loss_there_is_no_best(make):
    with pytest.raises(RuntimeError, match="before any finite loss"):
        new(make)[1].load_best()


def clear(optimizer):
    optimizer.state.clear()


def forget_one(optimizer):
    del optimizer.state[optimizer.param_groups[0]["params"][0]]


def forget_a_copy(optimizer):
    del optimizer.state[optimizer.param_groups[0]["params"][0]]["best"]


def delete_a_group(optimizer):
    del optimizer.param_groups[1]


def delete_a_group_and_its_state(optimizer):
    del optimizer.state[optimizer.param_groups.pop(0)["params"][0]]


def load_without_copies(optimizer):
    saved = copy.deepcopy(optimizer.state_dict())
    for state in saved["state"].values():
        del state["best"]
    optimizer.load_state_dict(saved)


def load_without_a_state(optimizer):
    saved = copy.deepcopy(optimizer.state_dict())
    del saved["state"][1]
    optimizer.load_state_dict(saved)


def change_a_shape(optimizer):
    state = optimizer.state[optimizer.param_groups[0]["params"][0]]
    state["best"] = state["best"][:1]


TAKEN = [clear, forget_one, forget_a_copy, delete_a_group, delete_a_group_and_its_state, load_without_copies,
         load_without_a_state, change_a_shape]  # fmt: skip


@pytest.mark.parametrize("take", TAKEN, ids=[take.__name__ for take in TAKEN])
def test_load_best_never_returns_a_loss_that_the_parameters_do_not_have(make, take):
    model, optimizer = new(make)
    best = min(go(model, optimizer, 0, 30))
    take(optimizer)
    before = [x.tolist() for x in model.parameters()]
    with pytest.raises(RuntimeError, match=rf"cannot bring back the parameters that gave {best}"):
        optimizer.load_best()
    assert [x.tolist() for x in model.parameters()] == before
    if take is change_a_shape:
        return
    with pytest.warns(RuntimeWarning, match="counted anew"):
        go(model, optimizer, 30, 31)
    go(model, optimizer, 31, 60)
    assert optimizer.load_best() == model().item()


def test_warnings_point_at_the_caller(make, name):
    model, optimizer = new(make)
    go(model, optimizer, 0, 3)
    forget_a_copy(optimizer)
    with pytest.warns(RuntimeWarning) as caught:
        go(model, optimizer, 3, 4)
        if name not in WALKS:
            optimizer.step(loss=nan)
    assert [warning.filename for warning in caught] == [__file__] * (1 if name in WALKS else 2)


def test_copies_of_another_time_are_not_taken_for_the_best(make):
    model, optimizer = new(make)
    go(model, optimizer, 0, 5)
    for track in (False, True):
        for group in optimizer.param_groups:
            group["track_best"] = track
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            go(model, optimizer, 5, 40)
        assert track == any("best" in state for state in optimizer.state.values())
    assert optimizer.load_best() == model().item()


def test_a_parameter_that_joins_later_comes_back_too(make):
    model = Wells()
    optimizer = make([model.first])
    go(model, optimizer, 0, 3)
    optimizer.add_param_group({"params": [model.late]})
    go(model, optimizer, 3, 40)
    assert optimizer.load_best() == model().item()


@pytest.mark.parametrize(
    "key, entry", [("global", 3), ("log", "text"), ("cache", torch.ones(2)), ("more", {"best": 1})]
)
def test_other_entries_in_the_state_do_not_matter(make, key, entry):
    (model, optimizer), (other_model, other) = new(make), new(make)
    other.state[key] = entry
    assert go(model, optimizer, 0, 20) == go(other_model, other, 0, 20)
    other.load_state_dict(copy.deepcopy(other.state_dict()))
    assert optimizer.load_best() == other.load_best() == other_model().item()
    assert str(other.state[key]) == str(entry)


# The call ------------------------------------------------------------------------------------------------------------


def test_the_closure_is_called_once_with_gradients_on(make):
    model, optimizer = new(make)
    calls = []

    def closure():
        calls.append(torch.is_grad_enabled())
        optimizer.zero_grad()
        loss = model()
        loss.backward()
        return loss

    with torch.no_grad():
        loss = optimizer.step(closure)
    assert calls == [True] and loss.item() == optimizer.best_loss


def test_a_loss_in_place_of_the_closure(make):
    model, optimizer = new(make)
    message = "SimulatedAnnealing measures" if isinstance(optimizer, SimulatedAnnealing) else r"step\(loss=\.\.\.\)"
    for loss in (model(), 3.0, np.float64(3.0), np.array(3.0)):
        with pytest.raises(TypeError, match=message):
            optimizer.step(loss)
    assert optimizer.best_loss == inf and not optimizer.state


def test_a_bare_step_judges_nothing(make, name):
    model, optimizer = new(make)
    losses = go(model, optimizer, 0, 3)
    if name in WALKS:
        with pytest.raises(ValueError, match="needs one that returns the loss"):
            optimizer.step()
        for group in optimizer.param_groups:
            group["lr"] = 0.0  # as checkpoint libraries do
    assert optimizer.step() is None
    assert name in WALKS or optimizer.step(lambda: None) is None
    assert optimizer.best_loss == min(losses)
    assert optimizer.load_best() == min(losses)


def test_hooks_fire_once(make):
    model, optimizer = new(make)
    fired = []
    optimizer.register_step_pre_hook(lambda *_: fired.append("before"))
    optimizer.register_step_post_hook(lambda *_: fired.append("after"))
    go(model, optimizer, 0, 1)
    assert fired == ["before", "after"]


LOSSES = [
    (torch.ones(2), "a torch.float32 tensor of shape (2,)"),
    (torch.ones(0), "a torch.float32 tensor of shape (0,)"),
    (torch.ones(2, 3), "a torch.float32 tensor of shape (2, 3)"),
    (torch.tensor(1j), "a torch.complex64 tensor of shape ()"),
    (1j, "1j"),
    ("1.0", "'1.0'"),
    ([1.0], "[1.0]"),
    (np.array(1j), "array of 1j"),
    (np.array([1.0, 2.0]), "array of two"),
]


@pytest.mark.parametrize("loss, message", LOSSES, ids=[message for _, message in LOSSES])
def test_a_loss_that_is_not_one_real_number(make, name, loss, message):
    model, optimizer = new(make)
    before = [x.tolist() for x in model.parameters()]
    model().backward()
    message = repr(loss) if isinstance(loss, np.ndarray) else message  # numpy can be told to print in an older way
    if name in WALKS:
        message = "tensor(0.+1.j)" if message.startswith("a torch.complex") else message
    with pytest.raises(ValueError, match=re.escape(f"Invalid loss: {message}; expected one ")):
        optimizer.step(lambda: loss)
    if name not in WALKS:
        with pytest.raises(ValueError, match=re.escape(f"Invalid loss: {message}; expected one ")):
            optimizer.step(loss=loss)
    assert [x.tolist() for x in model.parameters()] == before and optimizer.best_loss == inf  # nothing has happened


def test_what_wrappers_hand_over(make, name):
    """A closure may return a tuple; a loss beside it counts, else one that was handed over, for one step."""
    if name in WALKS:
        pytest.skip("it measures the loss itself")
    model, optimizer = new(make)
    model().backward()
    returned = (torch.tensor(3.0), "more")
    assert optimizer.step(lambda: returned) is returned and optimizer.best_loss == 3.0
    assert optimizer.step(lambda: 5.0, loss=2.0) == 5.0 and optimizer.best_loss == 2.0
    loss = torch.tensor(1.0, requires_grad=True)
    optimizer.hand_over(loss)
    assert not optimizer._handed.requires_grad  # so that what made it need not be kept
    assert optimizer.step(lambda: None) is None and optimizer.best_loss == 1.0
    optimizer.hand_over(0.5)
    optimizer.step(loss=0.75)  # drops it: it was the loss of other parameters
    optimizer.step()
    assert optimizer.best_loss == 0.75
    optimizer.hand_over(0.5)
    assert optimizer.step(lambda: 0.0) == 0.0 and optimizer.best_loss == 0.5  # of a closure's last part, say
    optimizer.hand_over(0.0)
    optimizer.hand_over(0.25)
    optimizer.step()
    optimizer.step()
    assert optimizer.best_loss == 0.25
    known = optimizer.param_groups[0].get("losses")
    assert known in (None, 6)


def test_the_loss_comes_back_as_it_was_given(make, name):
    if name in WALKS:
        pytest.skip("it returns the loss of the place that it is at")
    model, optimizer = new(make)
    model().backward()
    numbers = 0.1, np.float64(0.1), np.array(0.1), np.array([0.1])
    for loss in (*numbers, torch.tensor(0.1), torch.tensor([0.1]), torch.tensor([[0.1]])):
        assert optimizer.step(loss=loss) is loss
        assert optimizer.step(lambda loss=loss: loss) is loss
    assert type(optimizer.best_loss) is float


@pytest.mark.parametrize("steps", [0, 2])
def test_a_sparse_gradient_is_refused_before_anything_moves(make, name, steps):
    if name in WALKS:
        pytest.skip("it needs no gradients")
    model, optimizer = new(make)
    go(model, optimizer, 0, steps)
    model().backward()
    model.first.grad = model.first.grad.to_sparse()
    kept, late = memory(optimizer), model.late.item()
    said = type(optimizer).__name__.removeprefix("Hill")  # torch says it for HillAdam
    with pytest.raises(RuntimeError, match=f"{said} does not support sparse gradients"):
        optimizer.step(loss=1.0)
    assert memory(optimizer) == kept and model.late.item() == late


def test_a_gradient_scaler(make, name):
    if name in WALKS:
        pytest.skip("it needs no gradients")
    (model, optimizer), (twin, unscaled) = new(make), new(make)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    for step in range(12):
        loss, same = model(), twin()
        optimizer.zero_grad(), unscaled.zero_grad()
        scaler.scale(loss).backward()
        if step == 2:
            model.first.grad.fill_(inf)  # a step that overflows is skipped, and so is its judgement
        else:
            same.backward()
            unscaled.step(loss=same)
        scaler.step(optimizer, loss=loss)
        scaler.update()
        assert torch.equal(model.first, twin.first)
    assert optimizer.best_loss == unscaled.best_loss


@pytest.mark.parametrize("schedule", [partial(torch.optim.lr_scheduler.ExponentialLR, gamma=0.9),
                                      partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=20)])  # fmt: skip
def test_a_scheduler_sets_the_learning_rate_and_nothing_else(make, schedule):
    (model, optimizer), (twin, set_by_hand) = new(make), new(make)
    scheduler = schedule(optimizer)
    for step in range(20):
        assert go(model, optimizer, step, step + 1) == go(twin, set_by_hand, step, step + 1)
        scheduler.step()
        for group, other in zip(optimizer.param_groups, set_by_hand.param_groups, strict=True):
            other["lr"] = group["lr"]
    assert optimizer.param_groups[0]["lr"] < 0.5 * optimizer.param_groups[0]["initial_lr"]
    _, other = new(make)  # a checkpoint goes where there is a scheduler, and the other way
    other.load_state_dict(optimizer.state_dict())
    optimizer.load_state_dict(set_by_hand.state_dict())


@pytest.mark.filterwarnings("ignore:HillAdam turned at a")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16], ids=str)
def test_every_floating_point_type(make, dtype):
    model, optimizer = new(make, dtype=dtype)
    losses = go(model, optimizer, 0, 40)
    assert min(losses) < losses[0]
    assert {p.dtype for p in model.parameters()} == {dtype}
    assert optimizer.load_best() == model().item() == min(losses)
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    other_model, other = new(make, dtype=dtype)
    other_model.load_state_dict(model.state_dict())
    other.load_state_dict(torch.load(file, weights_only=True))
    assert go(other_model, other, 40, 45) == go(model, optimizer, 40, 45)


# Checkpoints ---------------------------------------------------------------------------------------------------------


def restored(make, model, state):
    other, optimizer = new(make, model.start)
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    optimizer.load_state_dict(state)
    return other, optimizer


def through_state_dicts(make, model, optimizer):
    return restored(make, model, copy.deepcopy(optimizer.state_dict()))


def through_a_file(make, model, optimizer):
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    return restored(make, model, torch.load(file, weights_only=True))


def through_deepcopy(make, model, optimizer):
    return copy.deepcopy((model, optimizer))


def through_pickle(make, model, optimizer):
    return pickle.loads(pickle.dumps((model, optimizer)))


def distributed_through(make, model, optimizer, **options):
    options = StateDictOptions(**options)
    saved = copy.deepcopy(get_optimizer_state_dict(model, optimizer, options=options))
    other, fresh = new(make, model.start)
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    set_optimizer_state_dict(other, fresh, saved, options=options)
    return other, fresh


@pytest.fixture
def one_rank(tmp_path):
    """Some ways of torch's to load a checkpoint want a process group."""
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/rank", rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


LATE, STEPS = 5, 40
# The distributed ones make state where there is none by a step of size zero, so they start after all of it is there.
WAYS = {
    "a state dict": (through_state_dicts, 0),
    "a file": (through_a_file, 0),
    "deepcopy": (through_deepcopy, 0),
    "pickle": (through_pickle, 0),
    "distributed": (distributed_through, LATE + 1),
    "distributed, flat": (partial(distributed_through, flatten_optimizer_state_dict=True), LATE + 1),
    "distributed, full": (partial(distributed_through, full_state_dict=True), LATE + 1),
    "distributed, full on the CPU": (partial(distributed_through, full_state_dict=True, cpu_offload=True), LATE + 1),
    "distributed, full from rank 0": (
        partial(distributed_through, full_state_dict=True, broadcast_from_rank0=True), LATE + 1),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*torch.distributed")
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_run_that_is_resumed_at_every_step_equals_the_unbroken_one(make, way, one_rank):
    through, start = way
    unbroken, resumed = new(make, LATE), new(make, LATE)
    losses = go(*unbroken, 0, STEPS)
    assert go(*resumed, 0, start) == losses[:start]
    for step in range(start, STEPS):
        resumed = through(make, *resumed)
        assert go(*resumed, step, step + 1) == losses[step : step + 1]
    assert [x.tolist() for x in resumed[0].parameters()] == [x.tolist() for x in unbroken[0].parameters()]
    assert memory(resumed[1]) == memory(unbroken[1])
    assert resumed[1].load_best() == unbroken[1].load_best()
    assert [x.tolist() for x in resumed[0].parameters()] == [x.tolist() for x in unbroken[0].parameters()]


FINISHES = ["AdaptiveHillAdam", "OverTheHill"]


def finishing(model, optimizer, steps, steps_before=0, stop=None):
    """Finish in so many steps, of which some are made already; ``stop`` is called before each gradient."""
    count = steps_before

    def closure():
        nonlocal count
        if stop:
            stop(count)
        optimizer.zero_grad()
        bend = math.cos(7.0 * count)  # for noise
        loss = model() + 0.1 * bend + 0.3 * bend * (model.first - model.first.detach()).sum()
        loss.backward()
        count += 1
        return loss

    return optimizer.finish(closure, steps)


@pytest.mark.filterwarnings("ignore:.*torch.distributed")
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("name", FINISHES)
def test_a_finish_that_is_resumed_at_every_step_equals_the_unbroken_one(name, way, one_rank):
    (through, _), make, steps = way, OPTIMIZERS[name], 10
    unbroken, saved = new(make), []
    go(*unbroken, 0, 30)
    mean = finishing(*unbroken, steps, stop=lambda _: saved.append(through(make, *unbroken)))
    places = [x.tolist() for x in unbroken[0].parameters()]
    assert len(saved) == steps
    for made, resumed in enumerate(saved):
        assert finishing(*resumed, steps, made) == mean
        assert [x.tolist() for x in resumed[0].parameters()] == places
        assert memory(resumed[1]) == memory(unbroken[1])
        go(*resumed, 30, 35)
    go(*unbroken, 30, 35)
    assert memory(saved[3][1]) == memory(unbroken[1])


@pytest.mark.parametrize("name", FINISHES)
def test_a_finish_that_was_begun_elsewhere_need_not_be_ended(name):
    make, saved = OPTIMIZERS[name], []
    model, optimizer = new(make)
    go(model, optimizer, 0, 30)
    finishing(model, optimizer, 10, stop=lambda _: saved.append(through_state_dicts(make, model, optimizer)))
    other, resumed = saved[7]
    assert resumed.param_groups[0]["settled"] == 7
    turns = resumed.switch_count
    go(other, resumed, 0, 60)
    assert resumed.param_groups[0]["settled"] == 0
    assert resumed.switch_count > turns


@pytest.mark.parametrize("name", FINISHES)
def test_an_interrupted_finish_leaves_the_parameters_where_they_are(name):
    model, optimizer = new(OPTIMIZERS[name])
    go(model, optimizer, 0, 30)
    places = []

    def stop(count):
        places.append(model.first.tolist())
        if count == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finishing(model, optimizer, 10, stop=stop)
    assert model.first.tolist() == places[-1]
    assert optimizer.param_groups[0]["settled"] == 0
    turns = optimizer.switch_count
    go(model, optimizer, 0, 60)
    assert optimizer.switch_count > turns


@pytest.mark.parametrize("name", FINISHES)
def test_a_finish_costs_its_steps_and_never_turns(name):
    model, optimizer = new(OPTIMIZERS[name])
    go(model, optimizer, 0, 30)
    turns, losses = optimizer.switch_count, optimizer.param_groups[0]["losses"]
    finishing(model, optimizer, 40)
    assert optimizer.switch_count - turns <= 1 and optimizer.direction == "minimize"  # load_best() may end a climb
    assert optimizer.param_groups[0]["losses"] == losses + 40


def test_what_was_remembered_stands_in_a_saved_state_dict_when_training_goes_on(make):
    model, optimizer = new(make)
    go(model, optimizer, 0, 20)
    saved = optimizer.state_dict()["param_groups"]
    kept = str(saved)
    go(model, optimizer, 20, 40)
    assert str(saved) == kept != str(optimizer.state_dict()["param_groups"])


def test_a_copy_goes_its_own_way(make):
    model, optimizer = new(make)
    go(model, optimizer, 0, 20)
    before = memory(optimizer)
    other_model, other = copy.deepcopy((model, optimizer))
    go(other_model, other, 20, 40)
    assert memory(optimizer) == before != memory(other)


def test_a_deepcopy_asks_the_same_ranks_and_a_pickle_all_of_them(make, one_rank):
    group = distributed.new_group([0])
    model = Wells()
    optimizer = make(model.parameters(), process_group=group)
    assert copy.deepcopy(optimizer)._process_group is group  # which a pickle could not take to another process
    assert pickle.loads(pickle.dumps(optimizer))._process_group is None
    alone = make(Wells().parameters(), process_group=False)
    assert pickle.loads(pickle.dumps(alone))._process_group is copy.deepcopy(alone)._process_group is False


@pytest.mark.parametrize("group", [True, 0, "gloo", [0, 1]], ids=repr)
def test_what_is_no_group_of_ranks_is_refused(make, group):
    message = f"Invalid process_group value: {group!r}; expected a process group of torch.distributed, None for "
    with pytest.raises(ValueError, match=re.escape(message)):
        make([nn.Parameter(torch.ones(2))], process_group=group)


def test_losses_keep_their_precision_beside_parameters_of_less(make):
    model, optimizer = new(make, dtype=torch.float16)
    model().backward()
    optimizer.step(lambda: 1 / 3)
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    _, resumed = new(make, dtype=torch.float16)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    assert resumed.best_loss == resumed.load_best() == 1 / 3


def test_what_is_loaded_wins_over_what_the_constructor_was_told(make):
    model, optimizer = new(make)
    go(model, optimizer, 0, 5)
    _, other = new(make)
    changed = {"lr": 0.011, "delta": 0.5, "gamma": 7.0, "momentum": 0.25, "cooling_steps": 77, "temperature": 0.125,
               "alpha": 0.75, "betas": (0.5, 0.5)}  # fmt: skip
    for group in optimizer.param_groups:
        group.update({key: value for key, value in changed.items() if key in group})
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert memory(other) == memory(optimizer)


def test_hooks_may_change_what_is_loaded(make):
    (model, optimizer), (_, other) = new(make), new(make)
    go(model, optimizer, 0, 5)
    other.register_load_state_dict_pre_hook(lambda _, wrapped: wrapped["inner"])
    seen = []
    other.register_load_state_dict_post_hook(lambda optimizer: seen.append(optimizer.best_loss))
    other.load_state_dict({"inner": optimizer.state_dict()})
    assert seen == [optimizer.best_loss] and memory(other) == memory(optimizer)


def test_a_hook_that_fails_leaves_everything_as_it_was(make):
    (model, optimizer), (other_model, other) = new(make), new(make)
    go(model, optimizer, 0, 5)
    go(other_model, other, 0, 3)

    def fail(_):
        raise KeyboardInterrupt

    other.register_load_state_dict_post_hook(fail)
    before = snapshot(other)
    with pytest.raises(KeyboardInterrupt):
        other.load_state_dict(optimizer.state_dict())
    assert snapshot(other) == before


JUNK = [None, "x", [], {}, nan, inf, -1, -0.5, 1e9, True, (1, 2), torch.tensor(nan), torch.ones(1), torch.tensor(1j),
        torch.ones(2).to_sparse()]  # fmt: skip


def paths(tree, path=()):
    """Every place in nested dicts and lists."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list | tuple) else ()
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))


def alter(tree, path, junk):
    """Put something else in one place; ``...`` takes the place away."""
    for key in path[:-1]:
        if isinstance(tree[key], tuple):
            tree[key] = list(tree[key])
        tree = tree[key]
    if junk is ...:
        del tree[path[-1]]
    else:
        tree[path[-1]] = copy.deepcopy(junk)


def damaged(saved):
    """What was changed, the state dict with the change, and the name of the place."""
    for path in paths(saved):
        places = [path]
        if path[0] == "param_groups" and len(path) > 2:  # the same in both groups; that they differ is another test
            if path[1]:
                continue
            places.append((path[0], 1, *path[2:]))
        for junk in (..., *JUNK):
            changed = copy.deepcopy(saved)
            for place in places:
                alter(changed, place, junk)
            yield f"{path} = {junk!r}", changed, [key for key in path if isinstance(key, str)][-1]


def check_load(make, name, what, saved, true):
    """It is loaded to something valid, or refused by an error that says why, and nothing has changed: what it says."""
    model, optimizer = new(make)
    go(model, optimizer, 0, 1)
    before = snapshot(optimizer)
    try:
        optimizer.load_state_dict(saved)
    except ValueError as error:
        assert len(str(error)) > 20 and snapshot(optimizer) == before, what
        return str(error)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        go(model, optimizer, 1, 3)
        try:
            best = optimizer.load_best()
        except RuntimeError as error:
            assert "load_best()" in str(error), what
        else:
            assert not true or not math.isfinite(best) or best == model().item(), what
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    return ""


# How errors call what checkpoints have.
WORDS = {"lr": ["learning rate"], "eps": ["epsilon value"], "betas": ["beta"], "amsgrad": ["amsgrad", "max_exp_avg_sq"],
         "param_groups": ["parameter groups"], "params": ["parameters"]}  # fmt: skip


@pytest.mark.parametrize("name", ["HillAdam", "AdaptiveHillAdam", "CoolMomentum", "Langevin", "SimulatedAnnealing"])
def test_a_damaged_checkpoint_is_refused_as_a_whole_or_is_valid(name):
    make = OPTIMIZERS[name]
    model, optimizer = new(make)
    go(model, optimizer, 0, 25)
    saved, refused = copy.deepcopy(optimizer.state_dict()), set()
    assert not check_load(make, name, "undamaged", copy.deepcopy(saved), True)
    for what, changed, key in damaged(saved):
        # The numbers below may be any: that they are not those of the run cannot be seen.
        if message := check_load(make, name, what, changed, key not in {"best_loss", "loss", "best"}):
            assert any(word in message for word in (f"'{key}'", *WORDS.get(key, [key]))), (what, message)
            refused.add(what)
    known = {"lr", "delta", "momentum", "temperature", "best_loss"} & optimizer.param_groups[0].keys()
    for key in known:
        assert f"('param_groups', 0, '{key}') = nan" in refused
    assert {"('param_groups', 0, 'lr') = Ellipsis", "('state', 0, 'best') = tensor([1.])"} <= refused


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if "," not in name])
def test_groups_that_disagree_on_what_is_remembered(name):
    model, optimizer = new(OPTIMIZERS[name])
    go(model, optimizer, 0, 60)  # by then all is finite
    saved = optimizer.state_dict()
    for key in optimizer._MEMORY:
        changed = copy.deepcopy(saved)
        value = changed["param_groups"][1][key]
        changed["param_groups"][1][key] = not value if isinstance(value, bool) else value + 1
        with pytest.raises(ValueError, match=f"Invalid {key}"):
            new(OPTIMIZERS[name])[1].load_state_dict(changed)


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name not in WALKS])
def test_a_step_without_a_loss_leaves_the_best_place_as_it_was(name):
    model, optimizer = new(OPTIMIZERS[name])
    go(model, optimizer, 0, 20)
    best = {param: state["best"].clone() for param, state in optimizer.state.items()}
    assert not all(torch.equal(param, place) for param, place in best.items())
    optimizer.step()
    assert all(torch.equal(optimizer.state[param]["best"], place) for param, place in best.items())


COUNT = "expected an int >= 0"
BEST = [
    ("copies", -1, f"Invalid copies: -1; {COUNT}"),
    ("copies", 1.0, f"Invalid copies: 1.0; {COUNT}"),
    ("best_loss", -inf, "Invalid best_loss: -inf; expected a"),
    ("best_loss", nan, "Invalid best_loss: nan; expected a"),
    ("best_loss", "1.0", "Invalid best_loss: '1.0'; expected a"),
]
BESTS = [
    *BEST,
    ("best_loss", torch.tensor([1.0, -inf]), "Invalid best_loss: tensor([1., -inf]); expected a number above -inf for"),
    (
        "best_loss",
        torch.ones(3),
        "Invalid best_loss: tensor([1., 1., 1.]); expected a number above -inf for each member",
    ),
    ("best_loss", torch.ones(2, 1), "Invalid best_loss: tensor([[1.],"),
    ("best_loss", torch.ones(2) * 1j, "Invalid best_loss: tensor([0.+1.j, 0.+1.j]); expected a number above -inf for"),
]
STEPPED = [("steps", -1, f"Invalid steps: -1; {COUNT}"), ("steps", 1.5, f"Invalid steps: 1.5; {COUNT}")]
LOG = "Invalid switch_log: expected the last of 2 switches in 1000 int64 numbers"
FINISHES = [
    ("settled", -1, f"Invalid settled: -1; {COUNT}"),
    ("settled_loss", 1, "Invalid settled_loss: 1; expected a float"),
]
IMPOSSIBLE = {
    "HillAdam": [
        *BEST,
        ("best_loss", 1, "Invalid best_loss: 1; expected a float above -inf"),
        ("maximize", 0, "Invalid maximize value: 0; expected True or False"),
        ("losses", -1, f"Invalid losses: -1; {COUNT}"),
        ("losses", 0, "Invalid switch_count: 2; expected at most losses = 0"),
        ("switch_count", -1, f"Invalid switch_count: -1; {COUNT}"),
        ("switch_count", 3, LOG.replace("2", "3")),
        ("switch_count", 99, "Invalid switch_count: 99; expected at most losses = 40"),
        ("previous_loss", inf, "Invalid previous_loss: inf; expected a finite float, or NaN for none"),
        ("previous_loss", 1, "Invalid previous_loss: 1; expected a finite float, or NaN for none"),
        ("switch_log", [10], LOG),
        ("switch_log", torch.full((1000,), 10.0), LOG),
        ("switch_log", torch.full((999,), 10), LOG),
        ("switch_log", torch.full((1000,), 8 * 40 + 2), LOG),
        ("switch_log", torch.full((1000,), 9), LOG),
        ("switch_log", torch.full((1000,), -1), LOG),
    ],
    "AdaptiveHillAdam": [
        *BEST,
        ("best_loss", -inf, "Invalid best_loss: -inf; expected a number above -inf"),
        ("maximize", 0, "Invalid maximize value: 0; expected True or False"),
        ("losses", 1, "Invalid switch_count: "),
        ("probing", 0, "Invalid probing value: 0; expected True or False"),
        ("walls", -1, f"Invalid walls: -1; {COUNT}"),
        ("blind", 1, "Invalid blind value: 1; expected True or False"),
        ("rise", 1, "Invalid rise: 1; expected a float"),
        ("scale", inf, "Invalid scale: inf; expected a finite number >= 0"),
        ("scale", -1.0, "Invalid scale: -1.0; expected a finite number >= 0"),
        ("growth", 0.99, "Invalid growth: 0.99; expected a number in [1, 2]"),
        ("growth", 2.01, "Invalid growth: 2.01; expected a number in [1, 2]"),
        *FINISHES,
    ],
    "OverTheHill": [
        *BEST,
        ("best_loss", -inf, "Invalid best_loss: -inf; expected a number above -inf"),
        ("maximize", 0, "Invalid maximize value: 0; expected True or False"),
        ("losses", 0, "Invalid switch_count: "),
        ("crested", 0, "Invalid crested value: 0; expected True or False"),
        ("tried", -2, "Invalid tried: -2; expected an int >= -1"),
        ("frame", True, "Invalid frame: True; expected an int >= -1"),
        ("walked", 1.0, "Invalid walked: 1.0; expected an int >= -1"),
        ("hill", 1, "Invalid hill: 1; expected a float"),
        *((key, -1.0, f"Invalid {key}: -1.0; expected a finite number") for key in ("scale", "stride", "pace", "rate")),
        ("pace", inf, "Invalid pace: inf; expected a finite number >= 0"),
        ("rate", nan, "Invalid rate: nan; expected a finite number >= 0"),
        *FINISHES,
    ],
    "CoolMomentum": [*BESTS, *STEPPED],
    "Langevin": [*BESTS, *STEPPED],
    "SimulatedAnnealing": [
        *BESTS,
        ("proposals", -1, f"Invalid proposals: -1; {COUNT}"),
        ("proposals", 1, "; expected an int64 tensor of 0 to 1"),
        ("proposals", 0, "; expected an int64 tensor of 0 to 0"),
        ("accepted", 3, "Invalid accepted: 3; expected an int64 tensor of 0 to 39"),
        ("accepted", torch.tensor(-1), "Invalid accepted: tensor(-1); expected an int64 tensor of 0 to 39"),
        ("accepted", torch.tensor(40), "Invalid accepted: tensor(40); expected an int64 tensor of 0 to 39"),
        ("accepted", torch.tensor(3.0), "Invalid accepted: tensor(3.); expected an int64 tensor of 0 to 39"),
        ("accepted", torch.tensor([3, 3]), "Invalid loss, best_loss and accepted: shapes [(), (2,)]; expected one"),
        ("loss", 1.0, "Invalid loss: 1.0; expected numbers above -inf, or None"),
        ("loss", torch.tensor(1), "Invalid loss: tensor(1); expected numbers above -inf, or None"),
        ("loss", torch.tensor(-inf), "Invalid loss: tensor(-inf); expected numbers above -inf, or None"),
        ("loss", torch.tensor(nan), "Invalid loss: tensor(nan); expected numbers above -inf, or None"),
        ("loss", torch.ones(3), "Invalid loss: tensor([1., 1., 1.]); expected numbers above -inf, or None"),
    ],
}


@each(IMPOSSIBLE)
def test_a_memory_that_cannot_have_been_is_refused(make, line):
    key, value, message = line
    models = [Wells(), Wells()]
    optimizer, other = (make([model.first]) for model in models)
    go(models[0], optimizer, 0, 40)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))  # as it is, it can be
    saved = copy.deepcopy(optimizer.state_dict())
    saved["param_groups"][0][key] = value
    with pytest.raises(ValueError, match=re.escape(message)):
        other.load_state_dict(saved)
    assert memory(other) == memory(optimizer)


@each(
    {
        "AdaptiveHillAdam": [("scale", 0.0), ("growth", 1.0), ("growth", 2.0), ("room", 1e9), ("top", nan)],
        "OverTheHill": [("tried", -1), *((key, 0.0) for key in ("scale", "stride", "pace", "rate")), ("low", inf)],
    }
)
def test_a_memory_on_the_edge_of_what_can_have_been_is_taken(make, line):
    key, value = line
    model, optimizer = new(make)
    go(model, optimizer, 0, 3)
    saved = copy.deepcopy(optimizer.state_dict())
    for group in saved["param_groups"]:
        group[key] = value
    optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0][key] is value


MOMENTS = [
    ("step", torch.tensor(-1.0), "Invalid step: tensor(-1.) of parameter 0; expected a whole number >= 0"),
    ("step", torch.tensor(2.5), "Invalid step: tensor(2.5000) of parameter 0; expected a whole number >= 0"),
    ("step", torch.tensor(nan), "Invalid step: tensor(nan) of parameter 0; expected a whole number >= 0"),
    ("exp_avg_sq", torch.tensor([1.0, -1.0]), "Invalid exp_avg_sq of parameter 0: a negative number; expected squares"),
]


@each({"HillAdam": MOMENTS, "AdaptiveHillAdam": MOMENTS, "OverTheHill": MOMENTS})
def test_moments_that_cannot_have_been_are_refused(make, line):
    key, value, message = line
    model, optimizer = new(make)
    go(model, optimizer, 0, 3)
    saved = copy.deepcopy(optimizer.state_dict())
    saved["state"][0][key] = value
    before = snapshot(optimizer)
    with pytest.raises(ValueError, match=re.escape(message)):
        optimizer.load_state_dict(saved)
    assert snapshot(optimizer) == before


OTHERS = {
    **{name: make for name, make in OPTIMIZERS.items() if "," not in name},
    "Adam": torch.optim.Adam,
    "AdamW": torch.optim.AdamW,
    "AMSGrad": partial(torch.optim.Adam, amsgrad=True),
    "NAdam": torch.optim.NAdam,
    "SGD": partial(torch.optim.SGD, lr=0.1),
    "SGD with momentum": partial(torch.optim.SGD, lr=0.1, momentum=0.9),
    "RMSprop": torch.optim.RMSprop,
    "Adagrad": torch.optim.Adagrad,
    "LBFGS": None,
}
FITS = {("HillAdam", other) for other in ("Adam", "AdamW", "AMSGrad", "NAdam")}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("name", ["HillAdam", "CoolMomentum", "Langevin", "SimulatedAnnealing"])
def test_the_checkpoint_of_another_optimizer(name, other):
    if other == "LBFGS":
        model = Wells()
        theirs = torch.optim.LBFGS(model.parameters())
        go(model, theirs, 0, 3)
    else:
        model, theirs = new(OTHERS[other])
        go(model, theirs, 0, 20)
    refused = check_load(OPTIMIZERS[name], name, other, copy.deepcopy(theirs.state_dict()), True)
    assert bool(refused) == (name != other and (name, other) not in FITS)


@pytest.mark.parametrize("saved", [None, [], {}, {"state": {}}, {"param_groups": []}, {"state": {}, "param_groups": {}},
                                   {"state": {}, "param_groups": [{"params": [0, 1]}]}], ids=str)  # fmt: skip
def test_what_is_no_state_dict(make, saved):
    _, optimizer = new(make)
    before = snapshot(optimizer)
    with pytest.raises(ValueError, match="Invalid state dict"):
        optimizer.load_state_dict(saved)
    assert snapshot(optimizer) == before


def test_what_a_state_dict_lacks_is_named(make):
    _, optimizer = new(make)
    for key in {"lr", *optimizer._MEMORY} - optimizer._OPTIONAL:
        saved = copy.deepcopy(optimizer.state_dict())
        del saved["param_groups"][1][key]
        message = f"Invalid state dict: parameter group 1 lacks '{key}'; expected one of {type(optimizer).__name__}"
        with pytest.raises(ValueError, match=re.escape(message)):
            optimizer.load_state_dict(saved)


def test_memories_are_compared_by_their_values_and_nan_is_itself():
    one, other = torch.tensor([1.0, nan]), torch.tensor([1.0, nan])
    assert _same(one, other) and _same(one, one) and _same(1.0, 1.0) and _same(nan, nan)
    for different in (torch.tensor([1.0, 2.0]), torch.tensor([nan, nan]), torch.tensor([2.0, nan]), torch.ones(1)):
        assert not _same(one, different) and not _same(different, one)
    for a, b in ((1.0, 2.0), (1.0, nan), (torch.tensor(1.0), 1.0), (1.0, torch.tensor(1.0))):
        assert not _same(a, b) and not _same(b, a)
    assert not _same(torch.ones(2), torch.ones(1, 2))


def test_what_can_stand_for_a_parameter():
    param, whole = torch.ones(2), torch.ones(2, dtype=torch.int64)
    assert _like(torch.zeros(2), param) and _like(torch.zeros(2, dtype=torch.float64), param) and _like(whole, whole)
    assert _like(param.to("meta"), param.to("meta"))
    for value in (None, "ones", torch.ones(1), torch.ones(2).to_sparse(), param.to("meta"), whole):
        assert not _like(value, param)
    assert not _like(param, whole) and not _like(whole.int(), whole)


def saved_by_hill_adam():
    params = [nn.Parameter(torch.ones(2)) for _ in range(2)]
    hill = HillAdam(params)
    for param in params:
        param.grad = torch.ones(2)
    hill.step(loss=1.0)
    return hill, copy.deepcopy(hill.state_dict())


@pytest.mark.parametrize(
    "best, message",
    [
        (torch.ones(3), "best = a torch.float32 tensor of shape (3,)"),
        ("nothing", "best = nothing"),
    ],
    ids=["tensor", "text"],
)
def test_a_state_that_does_not_fit_is_named(best, message):
    hill, saved = saved_by_hill_adam()
    saved["state"][1]["best"] = best
    expected = f"the state of parameter 1 has {message}; expected a torch.float32 tensor of shape (2,)"
    with pytest.raises(ValueError, match=re.escape(expected)):
        hill.load_state_dict(saved)


def test_a_memory_that_is_sparse_is_refused():
    hill, saved = saved_by_hill_adam()
    saved["param_groups"][0]["best_loss"] = torch.ones(1).to_sparse()
    with pytest.raises(ValueError, match=r"(?s)^Invalid best_loss: tensor\(.*; expected a dense tensor$"):
        hill.load_state_dict(saved)


def test_groups_and_parameters_that_are_none_are_refused():
    hill, saved = saved_by_hill_adam()
    for groups in ([{}], [3]):
        with pytest.raises(ValueError, match="expected 'param_groups', a list of dicts"):
            hill.load_state_dict({**saved, "param_groups": groups})
    for names in ([0, 0], [0, None]):
        saved["param_groups"][0]["params"] = names
        with pytest.raises(ValueError, match="expected 'params' with a number or a name of its own"):
            hill.load_state_dict(saved)
