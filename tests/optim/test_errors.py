"""Bad input gets the exception that torch.optim's users expect, naming the argument and its value."""

import math
import re

import pytest
import torch
from torch import nn

from hilladam import HillAdam

nan, inf = math.nan, math.inf


def parameter():
    x = nn.Parameter(torch.ones(2))
    x.grad = torch.ones(2)
    return x


ARGUMENTS = [
    ({"lr": -0.1}, "Invalid learning rate: -0.1"),
    ({"lr": nan}, "Invalid learning rate: nan"),
    ({"lr": inf}, "Invalid learning rate: inf"),
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
    ({"delta": -1e-4}, "Invalid delta value: -0.0001"),
    ({"delta": nan}, "Invalid delta value: nan"),
    ({"delta": inf}, "Invalid delta value: inf"),
    ({"gamma": 1.0, "floor": 1.0}, "Invalid gamma value: 1.0; expected a number above floor = 1.0"),
    ({"gamma": 1.0, "floor": 2.0}, "Invalid gamma value: 1.0; expected a number above floor = 2.0"),
    ({"gamma": -inf}, "Invalid gamma value: -inf; expected a number above floor = -inf"),
    ({"gamma": nan}, "Invalid gamma value: nan"),
    ({"floor": nan}, "floor = nan"),
    ({"floor": inf}, "floor = inf"),
]


@pytest.mark.parametrize("arguments, message", ARGUMENTS, ids=str)
def test_an_argument_out_of_its_range(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        HillAdam([parameter()], **arguments)
    with pytest.raises(ValueError, match=re.escape(message)):  # in a group
        HillAdam([{"params": [parameter()], **arguments}])
    optimizer = HillAdam([parameter()])
    with pytest.raises(ValueError, match=re.escape(message)):  # in a group that comes later
        optimizer.add_param_group({"params": [parameter()], **arguments})
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize(
    "setting, value, first",
    [
        ("delta", 0.5, 0.0001),
        ("gamma", 5.0, inf),
        ("floor", -5.0, -inf),
        ("track_best", False, True),
        ("maximize", True, False),
    ],
)
def test_groups_that_differ_in_what_is_decided_for_the_whole_model(setting, value, first):
    message = f"Invalid {setting} value: {value} in a parameter group; expected {first}"
    with pytest.raises(ValueError, match=re.escape(message)):
        HillAdam([{"params": [parameter()]}, {"params": [parameter()], setting: value}])
    optimizer = HillAdam([parameter()])
    with pytest.raises(ValueError, match=re.escape(message)):
        optimizer.add_param_group({"params": [parameter()], setting: value})


def test_what_the_first_group_decides_the_others_follow():
    optimizer = HillAdam([{"params": [parameter()], "delta": 0.5}])
    optimizer.add_param_group({"params": [parameter()]})
    assert [group["delta"] for group in optimizer.param_groups] == [0.5, 0.5]


def test_parameters_that_are_no_list_of_them():
    with pytest.raises(TypeError, match="params argument"):
        HillAdam(parameter())
    with pytest.raises(ValueError, match="empty parameter list"):
        HillAdam([])


@pytest.mark.parametrize(
    "loss, message",
    [
        (torch.ones(2), "a torch.float32 tensor of shape (2,)"),
        (torch.ones(0), "a torch.float32 tensor of shape (0,)"),
        (torch.ones(2, 3), "a torch.float32 tensor of shape (2, 3)"),
        (torch.tensor(1j), "a torch.complex64 tensor of shape ()"),
        (1j, "1j"),
        ("1.0", "'1.0'"),
        ([1.0], "[1.0]"),
    ],
    ids=repr,
)
def test_a_loss_that_is_not_one_real_number(loss, message):
    x = parameter()
    optimizer = HillAdam([x])
    with pytest.raises(ValueError, match=re.escape(f"Invalid loss: {message}; expected one real number")):
        optimizer.step(loss=loss)
    with pytest.raises(ValueError, match=re.escape(f"Invalid loss: {message}")):
        optimizer.step(lambda: loss)
    assert torch.equal(x, torch.ones(2)) and optimizer.best_loss == inf  # nothing has happened


def test_both_a_closure_and_a_loss():
    with pytest.raises(ValueError, match="both a closure and a loss"):
        HillAdam([parameter()]).step(lambda: 1.0, loss=1.0)


def test_a_closure_that_returns_nothing():
    with pytest.raises(ValueError, match="closure returned None"):
        HillAdam([parameter()]).step(lambda: None)


def test_load_best_before_any_loss():
    optimizer = HillAdam([parameter()])
    with pytest.raises(RuntimeError, match="before any finite loss"):
        optimizer.load_best()
    optimizer.step()
    with pytest.raises(RuntimeError, match="before any finite loss"):
        optimizer.load_best()


def test_load_best_without_track_best():
    optimizer = HillAdam([parameter()], track_best=False)
    optimizer.step(loss=1.0)
    with pytest.raises(RuntimeError, match="needs track_best=True"):
        optimizer.load_best()


def test_sparse_gradients():
    x, dense = parameter(), parameter()
    x.grad = torch.ones(2).to_sparse()
    optimizer = HillAdam([dense, x])
    with pytest.raises(RuntimeError, match="does not support sparse gradients"):
        optimizer.step(loss=1.0)
    assert optimizer.best_loss == inf  # it was refused before anything was decided


def test_fused_and_foreach_together():
    with pytest.raises(RuntimeError, match="`fused` and `foreach` cannot be `True` together"):
        HillAdam([parameter()], fused=True, foreach=True)


@pytest.mark.parametrize("name", ["maximize", "amsgrad", "capturable", "differentiable"])
def test_what_adam_has_and_hill_adam_has_not(name):
    with pytest.raises(TypeError, match=name):
        HillAdam([parameter()], **{name: True})
