"""What the optimizer keeps: the lowest loss, the parameters that gave it, and when it turned."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from hilladam import HillAdam
from hilladam.losses import DOUBLE_WELL
from hilladam.optim import Switch

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


class Model(nn.Module):
    """A loss of two tensors, the second of which takes part from some step on."""

    def __init__(self, first, late, start):
        super().__init__()
        self.first = nn.Parameter(torch.tensor(first, dtype=torch.float64))
        self.late = nn.Parameter(torch.tensor(late, dtype=torch.float64))
        self.start = start

    def forward(self, step):
        return DOUBLE_WELL(self.first).sum() + (DOUBLE_WELL(self.late).sum() if step >= self.start else 0.0)


def train(model, optimizer, steps):
    """Yield every loss and its step."""
    for step in range(steps):
        optimizer.zero_grad()
        loss = model(step)
        loss.backward()
        optimizer.step(loss=loss)
        yield loss.item(), step


@pytest.mark.parametrize("start, early", [(0, False), (30, True), (150, True)], ids=["at once", "late", "very late"])
def test_load_best_reproduces_the_best_loss_exactly(start, early, path):
    model = Model([0.9, -1.0], [1.3], start)
    groups = [{"params": [model.first]}, {"params": [model.late], "lr": 0.2}]
    optimizer = HillAdam(groups, 0.05, gamma=20.0, **path)
    best, at = min(train(model, optimizer, 200))
    assert (at < start) == early  # whether the late tensor got its first gradient after the best loss
    assert optimizer.switches
    assert model(at) != best
    assert optimizer.load_best() == optimizer.best_loss == best
    assert model(at).item() == best


def test_the_model_can_be_trained_on_from_its_best():
    model = Model([0.9], [0.0], 1000)
    optimizer = HillAdam(model.parameters(), 0.05)
    list(train(model, optimizer, 100))
    best = optimizer.load_best()
    known = optimizer.state_dict()["param_groups"]
    assert optimizer.load_best() == best  # asking twice changes nothing
    assert optimizer.state_dict()["param_groups"] == known
    list(train(model, optimizer, 100))
    assert optimizer.load_best() <= best


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_warns_and_decides_nothing(bad, path):
    x = nn.Parameter(torch.tensor([1.0]))
    optimizer = HillAdam([x], 0.1, gamma=10.0, floor=-10.0, **path)
    x.grad = torch.ones(1)
    optimizer.step(loss=3.0)
    with pytest.warns(RuntimeWarning, match="not finite") as caught:
        optimizer.step(loss=bad)
    assert [warning.filename for warning in caught] == [__file__]  # it points at the caller
    optimizer.step(loss=3.0)  # nothing to be compared with
    assert optimizer.switches == []
    assert optimizer.best_loss == 3.0
    optimizer.step(loss=3.0)
    assert optimizer.switches == [Switch(3, "maximize", "critical")]


@pytest.mark.filterwarnings("ignore:HillAdam was given a loss that is not finite")
def test_the_best_state_survives_a_divergence(path):
    model = Model([0.9], [0.0], 1000)
    optimizer = HillAdam(model.parameters(), 0.1, delta=1e-2, **path)
    losses = [loss for loss, _ in train(model, optimizer, 50)]
    for group in optimizer.param_groups:
        group["lr"] = 1e200
    losses += [loss for loss, _ in train(model, optimizer, 5)]
    assert math.isnan(losses[-1]) and model.first.isnan().all()
    assert optimizer.load_best() == min(losses[:50])
    assert model(0).item() == min(losses[:50])


def test_a_first_loss_that_is_not_finite_is_no_best_either():
    x = nn.Parameter(torch.tensor([1.0]))
    optimizer = HillAdam([x], 0.1)
    x.grad = torch.ones(1)
    with pytest.warns(RuntimeWarning, match="not finite"):
        optimizer.step(loss=math.nan)
    with pytest.raises(RuntimeError, match="before any finite loss"):
        optimizer.load_best()
    before = x.item()
    optimizer.step(loss=7.0)
    optimizer.load_best()
    assert x.item() == before


def test_training_goes_on_after_a_divergence_and_load_best():
    x = torch.nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    opt = HillAdam([x], lr=0.1, delta=0.0)

    def step():
        opt.zero_grad()
        loss = x.square().sum()
        loss.backward()
        return opt.step(loss=loss)

    step()
    x.grad.fill_(math.nan)
    opt.step(loss=0.5)
    assert x.isnan()
    opt.load_best()
    assert [step().item() for _ in range(3)] == pytest.approx([1.9**2, 1.8**2, 1.7**2], rel=0.01)
