"""A run that was stopped, saved and resumed is the unbroken one, bit for bit."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)

from hilladam import HillAdam
from hilladam.losses import DOUBLE_WELL

STEPS, LATE = 100, 20


class Wells(nn.Module):
    """A double well in each of a few coordinates, the last of which gets its first gradient late."""

    def __init__(self, dtype=torch.float64):
        super().__init__()
        self.first = nn.Parameter(torch.tensor([1.7, 0.4], dtype=dtype))
        self.late = nn.Parameter(torch.tensor(0.9, dtype=dtype))

    def forward(self, step):
        wells = DOUBLE_WELL(self.first).mean()
        return wells + 0.1 * DOUBLE_WELL(self.late) if step >= LATE else wells


def new(path):
    model = Wells()
    groups = [{"params": [model.first], "weight_decay": 1e-3}, {"params": [model.late], "lr": 0.03}]
    return model, HillAdam(groups, 0.1, delta=1e-2, gamma=2.0, floor=-0.25, **path)


def go(model, optimizer, start, end):
    for step in range(start, end):
        optimizer.zero_grad()
        loss = model(step)
        loss.backward()
        optimizer.step(loss=loss)


def through_state_dicts(model, optimizer, path):
    saved = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    return restore(*saved, path)


def through_a_file(model, optimizer, path):
    file = io.BytesIO()
    torch.save((model.state_dict(), optimizer.state_dict()), file)
    file.seek(0)
    return restore(*torch.load(file, weights_only=True), path)


def restore(model_state, optimizer_state, path):
    model, optimizer = new(path)
    model.load_state_dict(model_state)
    optimizer.load_state_dict(optimizer_state)
    return model, optimizer


def through_deepcopy(model, optimizer, path):
    return copy.deepcopy((model, optimizer))


def through_pickle(model, optimizer, path):
    return pickle.loads(pickle.dumps((model, optimizer)))


def through_distributed(model, optimizer, path, flatten=False):
    options = StateDictOptions(flatten_optimizer_state_dict=flatten)
    saved = copy.deepcopy((model.state_dict(), get_optimizer_state_dict(model, optimizer, options=options)))
    other, fresh = new(path)
    other.load_state_dict(saved[0])
    set_optimizer_state_dict(other, fresh, saved[1], options=options)
    return other, fresh


def through_distributed_flat(model, optimizer, path):
    return through_distributed(model, optimizer, path, flatten=True)


def outcome(model, optimizer):
    end = [x.tolist() for x in model.parameters()]
    best = optimizer.load_best()
    return end, best, [x.tolist() for x in model.parameters()], optimizer.direction, optimizer.switches


# The distributed ones make state where there is none by a step of size zero, so they start after all of it is there.
@pytest.mark.parametrize(
    "through, start",
    [(through_state_dicts, 0), (through_a_file, 0), (through_deepcopy, 0), (through_pickle, 0),
     (through_distributed, LATE + 1), (through_distributed_flat, LATE + 1)],
)  # fmt: skip
def test_a_run_that_is_resumed_at_every_step_equals_the_unbroken_one(through, start, path):
    unbroken = new(path)
    go(*unbroken, 0, STEPS)
    assert {switch.reason for switch in unbroken[1].switches} == {"critical", "dead_end", "floor"}

    resumed = new(path)
    go(*resumed, 0, start)
    for step in range(start, STEPS):
        resumed = through(*resumed, path)
        go(*resumed, step, step + 1)
    assert outcome(*resumed) == outcome(*unbroken)


@pytest.mark.parametrize("settings", [{}, {"maximize": True}, {"amsgrad": True}, {"weight_decay": 0.1}], ids=str)
def test_a_state_dict_of_plain_adam_goes_on_as_adam(settings, path):
    torch.manual_seed(0)
    theirs, ours = nn.Parameter(torch.randn(5)), nn.Parameter(torch.zeros(5))
    adam = torch.optim.Adam([theirs], 0.1, **settings, **path)
    hill = HillAdam([ours], 0.5, delta=0.0, **path)
    for step in range(20):
        if step == 10:
            ours.data.copy_(theirs.data)
            hill.load_state_dict(copy.deepcopy(adam.state_dict()))
        theirs.grad = torch.randn(5) / (1 + step)
        ours.grad = theirs.grad.clone()
        adam.step()
        if step >= 10:
            hill.step(loss=1.0)
            assert torch.equal(ours, theirs)
    assert hill.direction == ("maximize" if settings.get("maximize") else "minimize")
    assert hill.load_best() == 1.0


@pytest.mark.parametrize("settings", [{"maximize": True}, {"amsgrad": True}], ids=str)
def test_after_a_state_dict_of_plain_adam_a_switch_starts_afresh(settings):
    x = nn.Parameter(torch.zeros(1))
    adam, hill = torch.optim.Adam([x], 0.1, **settings), HillAdam([x], 0.1)
    x.grad = torch.full_like(x, 100.0)
    adam.step()
    hill.load_state_dict(adam.state_dict())
    x.grad = torch.ones_like(x)
    hill.step(loss=1.0)
    before = x.item()
    hill.step(loss=1.0)
    assert [switch.direction for switch in hill.switches] == [hill.direction]
    assert x.item() - before == pytest.approx(0.1 if hill.direction == "maximize" else -0.1)


def test_plain_adam_takes_a_state_dict_of_hill_adam():
    model, optimizer = new({})
    go(model, optimizer, 0, 5)
    other = copy.deepcopy(model)
    adam = torch.optim.Adam([{"params": [other.first]}, {"params": [other.late]}])
    adam.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    other(5).backward()
    adam.step()
    go(model, optimizer, 5, 6)
    assert torch.equal(model.first, other.first)
