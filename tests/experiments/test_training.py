"""The one loop and its record."""

import math
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from hilladam import AdaptiveHillAdam, HillAdam
from hilladam.experiments import Points, Record, StackedMLP, train
from hilladam.experiments._training import joined, train_in_full
from hilladam.losses import DOUBLE_WELL, TABLE_1, stack
from hilladam.optim import COURSE_REASONS, REASONS, ReferenceHillAdam

STARTS = [2.0, 0.9, -0.5]


def points(*starts):
    return Points(torch.tensor(starts, dtype=torch.float64))


def hill(model, **settings):
    return HillAdam(model.parameters, 0.05, **settings)


def run(steps=100, **settings):
    model = points(*STARTS)
    return train(model, DOUBLE_WELL, ReferenceHillAdam(model.parameters, 0.05, gamma=3.0), steps, **settings)


def assert_same(found, expected):
    """Two runs of the same thing. Rounding may differ, by 1e-16 at first and by less than 1e-9 after 100 steps."""
    for name, value in vars(expected).items():
        np.testing.assert_allclose(getattr(found, name), value, rtol=1e-9, atol=1e-9, err_msg=name)


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


def test_records_are_equal_if_their_arrays_are():
    record = run()
    again = deepcopy(record)
    assert record == again and (record == again) is True
    assert record != run(99) and record != replace(record, final_losses=record.final_losses + 1e-9)
    assert record != record.losses.tolist() and record.member(0) != record.member(1)
    hole = np.full_like(record.losses, math.nan)
    assert replace(record, losses=hole) == replace(again, losses=hole.copy()) != record
    with pytest.raises(TypeError, match="unhashable"):
        hash(record)


def test_an_ensemble_has_no_steps_at_which_it_switches_and_a_member_no_members():
    record = run()
    with pytest.raises(ValueError, match=r"one of 3 members; expected one of a member, as record.member\(0\) is"):
        record.switches  # noqa: B018
    with pytest.raises(ValueError, match="of one member already"):
        record.member(0).member(0)
    with pytest.raises(ValueError, match="one of 1 members"):
        record.member(slice(1)).switches  # noqa: B018
    with pytest.raises(IndexError):
        record.member(3)


def test_several_members_are_a_record_of_an_ensemble():
    record = run()
    for chosen in (slice(1, 3), [1, 2]):
        some = record.member(chosen)
        assert some.states.shape == (100, 2) and some.member(1) == record.member(2)


def test_what_goes_on_is_joined_into_one_record():
    model = points(*STARTS)
    optimizer = ReferenceHillAdam(model.parameters, 0.05, gamma=3.0)
    parts = [train(model, DOUBLE_WELL, optimizer, steps) for steps in (30, 1, 69)]
    assert_same(joined(parts), run())


def test_without_history_the_ends_are_the_same():
    kept, light = run(), run(history=False)
    assert light.losses.shape == light.reasons.shape == (0, 3)
    assert light.turns.all()
    np.testing.assert_array_equal(light.turns, kept.turns)
    for name in ("best_losses", "best_states", "final_losses", "final_states"):
        np.testing.assert_allclose(getattr(light, name), getattr(kept, name), rtol=1e-9)


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


def test_a_rule_that_tells_neither_direction_nor_reason_has_turned_nowhere():
    class Downhill:
        def __init__(self, params):
            (self.points,) = params

        @torch.no_grad()
        def step(self, losses, grads):
            self.points -= 0.01 * grads[0]

    model = points(*STARTS)
    record = train(model, DOUBLE_WELL, Downhill(model.parameters), 5)
    assert not record.maximize.any() and not record.reasons.any() and not record.turns.any()


def test_hill_adam_is_refused_for_several_members():
    model = points(1.0, 2.0)
    with pytest.raises(ValueError, match="decides for one model: expected 2 optimizers for as many members, got 1"):
        train(model, DOUBLE_WELL, hill(model), 10)


def test_the_rule_that_tunes_itself_trains_members_apart():
    model = Points(torch.tensor([2.0, -0.4], dtype=torch.float64), split=True)
    optimizers = [AdaptiveHillAdam([point]) for point in model.parameters]
    record = train(model, DOUBLE_WELL, optimizers, 80)
    for member, optimizer in enumerate(optimizers):
        found = [(step, "maximize" if record.maximize[step, member] else "minimize",
                  COURSE_REASONS[record.reasons[step, member]])
                 for step in record.member(member).switches]  # fmt: skip
        assert found == optimizer.switches != []
        assert record.best_losses[member] == optimizer.best_loss
    together = points(2.0, -0.4)
    with pytest.raises(ValueError, match="AdaptiveHillAdam decides for one model: expected 2 optimizers"):
        train(together, DOUBLE_WELL, AdaptiveHillAdam(together.parameters), 10)


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


@pytest.mark.parametrize("history", [True, False])
def test_every_step_evaluates_the_loss_once(history):
    """So that a loss may take a new mini-batch each time it is called."""
    calls = []

    def loss(x):
        calls.append(x.detach().clone())
        return DOUBLE_WELL(x)

    model = points(*STARTS)
    record = train(model, loss, torch.optim.Adam(model.parameters, 0.05), 17, history=history)
    assert len(calls) == 17
    np.testing.assert_array_equal(calls[-1], record.final_states)


def test_hill_adam_judges_what_it_is_told_in_place_of_the_loss():
    def far(step):  # nothing to decide by at the odd steps; at the others a loss that never stands still, until it does
        return None if step % 2 else torch.tensor([float(max(10 - step, 0))], dtype=torch.float64)

    model = points(2.0)
    optimizer = hill(model)
    record = train(model, DOUBLE_WELL, [optimizer], 16, judged=far).member(0)
    assert record.switches.tolist() == [12]  # 0 at the steps 10 and 12
    assert [switch.step for switch in optimizer.switches] == [6]  # of those it judged
    assert record.maximize.tolist() == [False] * 12 + [True] * 4
    np.testing.assert_allclose(record.losses, DOUBLE_WELL(record.states), rtol=1e-12)  # of the losses themselves


def test_told_nothing_a_hill_adam_is_adam():
    ours, theirs = points(*STARTS), points(*STARTS)
    rows = Points(torch.tensor(STARTS, dtype=torch.float64), split=True)
    each = [HillAdam([row], 0.05) for row in rows.parameters]
    with pytest.warns(RuntimeWarning, match="HillAdam took 10 steps and was given no loss"):
        silent = train(rows, DOUBLE_WELL, each, 60, judged=lambda step: None)
    adam = train(theirs, DOUBLE_WELL, torch.optim.Adam(theirs.parameters, 0.05), 60)
    np.testing.assert_allclose(silent.states, adam.states, rtol=1e-12)
    assert not silent.reasons.any()
    reference = ReferenceHillAdam(ours.parameters, 0.05)
    with pytest.raises(ValueError, match="Invalid judged: none for ReferenceHillAdam"):
        train(ours, DOUBLE_WELL, reference, 60, judged=lambda step: None)
    assert train(ours, DOUBLE_WELL, reference, 60).reasons.any()  # where the loss is judged it turns


@pytest.mark.parametrize("steps", [0, -1])
def test_it_takes_at_least_one_step(steps):
    model = points(1.0)
    with pytest.raises(ValueError, match=f"Invalid steps: {steps}; expected at least 1"):
        train(model, DOUBLE_WELL, hill(model), steps)


@pytest.mark.parametrize(
    "loss, shape",
    [(lambda x: DOUBLE_WELL(x).mean(), r"\(\)"), (lambda x: DOUBLE_WELL(x)[:, None], r"\(3, 1\)"),
     (lambda x: DOUBLE_WELL(x)[:2], r"\(2,\)")],
)  # fmt: skip
def test_a_loss_gives_one_number_for_each_member(loss, shape):
    model = points(*STARTS)
    before = model.parameters[0].detach().clone()
    with pytest.raises(ValueError, match=rf"Invalid loss: of shape {shape} for states of shape \(3,\)"):
        train(model, loss, torch.optim.Adam(model.parameters, 0.05), 5)
    assert torch.equal(model.parameters[0], before)


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
        record = train(model, Interrupted(41), torch.optim.Adam(model.parameters, 0.05), 100, history=history)
    model = points(*STARTS)
    shorter = train(model, DOUBLE_WELL, torch.optim.Adam(model.parameters, 0.05), 40, history=history)
    assert_same(record, shorter)


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
        train(model, Interrupted(1), hill(model), 10)


def test_of_runs_that_are_compared_an_interrupt_leaves_none_half_done():
    model = points(*STARTS)
    with pytest.raises(KeyboardInterrupt):
        train_in_full(model, Interrupted(41), torch.optim.Adam(model.parameters, 0.05), 100)


@pytest.mark.filterwarnings("ignore:HillAdam was given a loss that is not finite")
def test_a_divergence_is_recorded_and_never_the_best():
    model = points(2.0)
    record = train(model, DOUBLE_WELL, HillAdam(model.parameters, 1e200), 4)
    assert math.isnan(record.final_losses[0]) and math.isnan(record.final_states[0])
    assert (record.best_losses, record.best_states) == (pytest.approx(DOUBLE_WELL(2.0)), 2.0)


def test_a_loss_without_a_bottom_is_no_best_loss():
    model = points(1.2)
    optimizer = torch.optim.SGD(model.parameters, 0.1)
    record = train(model, lambda x: torch.where(x < 1.0, -math.inf, x), optimizer, 5).member(0)
    assert record.losses.tolist()[-1] == -math.inf
    assert record.best_losses == record.losses[np.isfinite(record.losses)].min()
    assert record.best_states == pytest.approx(record.best_losses)


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
