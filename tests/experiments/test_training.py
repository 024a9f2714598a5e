"""The one loop and its record."""

import math

import numpy as np
import pytest
import torch

from hilladam import HillAdam
from hilladam.experiments import Points, Record, StackedMLP, train
from hilladam.losses import DOUBLE_WELL, TABLE_1, stack
from hilladam.optim import REASONS, ReferenceHillAdam

STARTS = [2.0, 0.9, -0.5]


def points(*starts):
    return Points(torch.tensor(starts, dtype=torch.float64))


def hill(model, **settings):
    return HillAdam(model.parameters, 0.05, **settings)


def run(steps=100, **settings):
    model = points(*STARTS)
    return train(model, DOUBLE_WELL, ReferenceHillAdam(model.parameters, 0.05, gamma=3.0), steps, **settings)


def test_the_record_of_an_ensemble():
    record = run()
    assert record.losses.shape == record.states.shape == record.maximize.shape == record.reasons.shape == (100, 3)
    assert record.losses.dtype == np.float64 and record.maximize.dtype == bool
    assert record.states[0].tolist() == STARTS
    # A loss is that of its state, before the step.
    np.testing.assert_allclose(record.losses, DOUBLE_WELL(record.states), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(record.best_losses, record.losses.min(axis=0))
    np.testing.assert_array_equal(record.best_states, record.states[record.losses.argmin(axis=0), range(3)])
    np.testing.assert_array_equal(record.final_losses, record.losses[-1])
    np.testing.assert_array_equal(record.final_states, record.states[-1])
    # A reason is where the direction changes, and nowhere else.
    before = np.vstack([np.zeros((1, 3), dtype=bool), record.maximize[:-1]])
    np.testing.assert_array_equal(record.reasons > 0, record.maximize != before)
    assert set(np.unique(record.reasons)) == {0, 1, 2}
    np.testing.assert_array_equal(record.turns, (record.reasons > 0).sum(axis=0))


def test_a_member_is_a_record_of_its_own():
    record = run()
    member = record.member(1)
    assert isinstance(member, Record)
    assert member.losses.shape == (100,) and member.best_losses.shape == ()
    np.testing.assert_array_equal(member.states, record.states[:, 1])
    assert member.final_states == record.final_states[1]
    np.testing.assert_array_equal(member.switches, np.flatnonzero(record.reasons[:, 1]))
    assert len(member.switches)


def test_without_history_the_ends_are_the_same():
    kept, light = run(), run(history=False)
    assert light.losses.shape == light.reasons.shape == (0, 3)
    assert light.turns.all()
    for name in ("best_losses", "best_states", "final_losses", "final_states", "turns"):
        np.testing.assert_array_equal(getattr(light, name), getattr(kept, name))


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.NAdam, torch.optim.RMSprop, torch.optim.SGD])
def test_torchs_optimizers_give_every_member_a_run_of_its_own(kind):
    model = points(*STARTS)
    together = train(model, DOUBLE_WELL, kind(model.parameters, 0.01), 60)
    assert not together.maximize.any() and not together.reasons.any()
    for index, start in enumerate(STARTS):
        x = torch.tensor([start], dtype=torch.float64, requires_grad=True)
        optimizer = kind([x], 0.01)
        for loss in together.losses[:, index]:
            optimizer.zero_grad()
            value = DOUBLE_WELL(x).sum()
            assert abs(value.item() - loss) < 1e-12
            value.backward()
            optimizer.step()


def test_hill_adam_trains_an_ensemble_of_one():
    model = points(2.0)
    optimizer = hill(model, gamma=3.0)
    record = train(model, DOUBLE_WELL, optimizer, 200).member(0)
    found = [(step, "maximize" if record.maximize[step] else "minimize", REASONS[record.reasons[step]])
             for step in record.switches]  # fmt: skip
    assert found == optimizer.switches != []
    assert record.best_losses == optimizer.best_loss == optimizer.load_best()
    assert record.best_states == model().item()


def test_hill_adam_is_refused_for_several_members():
    model = points(1.0, 2.0)
    with pytest.raises(ValueError, match="decides for one model: expected 2 optimizers for as many members, got 1"):
        train(model, DOUBLE_WELL, hill(model), 10)


def test_one_hill_adam_for_each_member_is_the_reference():
    def network(split):
        return StackedMLP([0, 3], (6, 4, 3, 1), split=split)

    loss = stack([TABLE_1["sixth"]] * 2)
    model = network(split=True)
    each = [HillAdam([row], 0.01, gamma=200.0) for row in model.parameters]
    ours = train(model, loss, each, 300)
    model = network(split=False)
    expected = train(model, loss, ReferenceHillAdam(model.parameters, 0.01, gamma=200.0), 300)
    np.testing.assert_allclose(ours.losses, expected.losses, rtol=1e-6)
    np.testing.assert_array_equal(ours.maximize, expected.maximize)
    np.testing.assert_array_equal(ours.reasons, expected.reasons)
    assert ours.reasons.any(axis=0).all()
    assert ours.best_losses.tolist() == [one.best_loss for one in each]
    with pytest.raises(ValueError, match="expected 2 optimizers for as many members, got 1"):
        train(network(split=True), loss, each[:1], 10)


@pytest.mark.parametrize("steps", [0, -1])
def test_it_takes_at_least_one_step(steps):
    model = points(1.0)
    with pytest.raises(ValueError, match=f"Invalid steps: {steps}; expected at least 1"):
        train(model, DOUBLE_WELL, hill(model), steps)


class Interrupted:
    """A double well during which someone presses Ctrl-C, at the given evaluation."""

    def __init__(self, at):
        self.left = at

    def __call__(self, x):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return DOUBLE_WELL(x)


@pytest.mark.parametrize("history", [True, False])
def test_an_interrupt_keeps_the_steps_that_were_complete(history):
    model = points(*STARTS)
    with pytest.warns(RuntimeWarning, match="Interrupted: the record ends after 40 of 100 steps"):
        record = train(model, Interrupted(42), torch.optim.Adam(model.parameters, 0.05), 100, history=history)
    model = points(*STARTS)
    shorter = train(model, DOUBLE_WELL, torch.optim.Adam(model.parameters, 0.05), 40, history=history)
    for name, value in vars(shorter).items():
        np.testing.assert_array_equal(getattr(record, name), value)


def test_an_interrupted_step_leaves_no_trace():
    class Stopping(torch.optim.SGD):
        def step(self):
            super().step()
            if DOUBLE_WELL(model()).max() < 0.0:
                raise KeyboardInterrupt

    model = points(-0.5)
    with pytest.warns(RuntimeWarning, match="Interrupted"):
        record = train(model, DOUBLE_WELL, Stopping(model.parameters, 0.01), 1000)
    assert record.best_losses == record.final_losses == record.losses[-1]
    assert record.final_states == record.states[-1]


def test_an_interrupt_before_the_first_step_is_passed_on():
    model = points(1.0)
    with pytest.raises(KeyboardInterrupt):
        train(model, Interrupted(2), hill(model), 10)


@pytest.mark.filterwarnings("ignore:HillAdam was given a loss that is not finite")
def test_a_divergence_is_recorded_and_never_the_best():
    model = points(2.0)
    record = train(model, DOUBLE_WELL, HillAdam(model.parameters, 1e200), 4)
    assert math.isnan(record.final_losses[0]) and math.isnan(record.final_states[0])
    assert (record.best_losses, record.best_states) == (DOUBLE_WELL(2.0), 2.0)


def test_a_loss_without_a_bottom_is_no_best_loss():
    model = points(1.2)
    optimizer = torch.optim.SGD(model.parameters, 0.1)
    record = train(model, lambda x: torch.where(x < 1.0, -math.inf, x), optimizer, 5).member(0)
    assert record.losses.tolist()[-1] == -math.inf
    assert record.best_losses == record.best_states == record.losses[np.isfinite(record.losses)].min()


def test_states_of_more_dimensions():
    model = StackedMLP([0, 1], (3, 4, 2), "tanh")
    record = train(model, lambda x: x.square().sum(1), torch.optim.Adam(model.parameters, 0.05), 50)
    assert record.states.shape == (50, 2, 2) and record.losses.shape == (50, 2)
    np.testing.assert_allclose(record.best_losses, np.square(record.best_states).sum(axis=1), rtol=1e-12)


def test_progress_goes_to_a_bar(capsys):
    run(5, progress="wells")
    assert "wells" in capsys.readouterr().err
    run(5)
    assert capsys.readouterr().err == ""
