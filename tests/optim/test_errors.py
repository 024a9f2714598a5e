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


@pytest.mark.parametrize(
    "setting, value, first",
    [
        ("delta", 0.5, 0.0001),
        ("gamma", 5.0, 200.0),
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


def test_fused_and_foreach_together():
    with pytest.raises(RuntimeError, match="`fused` and `foreach` cannot be `True` together"):
        HillAdam([parameter()], fused=True, foreach=True)


@pytest.mark.parametrize("name", ["maximize", "amsgrad", "capturable", "differentiable"])
def test_what_adam_has_and_hill_adam_has_not(name):
    with pytest.raises(TypeError, match=name):
        HillAdam([parameter()], **{name: True})
