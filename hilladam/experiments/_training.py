"""The one loop that trains, and the one record it returns."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import trange

from hilladam.optim import REASONS, HillAdam, ReferenceHillAdam, SimulatedAnnealing


@dataclass(frozen=True)
class Record:
    """What happened in a run, or in ``members`` runs side by side: numpy arrays, the step first, then the member."""

    losses: np.ndarray
    """``(steps, members)``: the loss before each step."""
    states: np.ndarray
    """``(steps, members, …)``: the model's output before each step."""
    maximize: np.ndarray
    """``(steps, members)``, bool: whether the step climbed."""
    reasons: np.ndarray
    """``(steps, members)``: index into :data:`hilladam.optim.REASONS`, 0 where the direction did not change."""
    best_losses: np.ndarray
    """``(members,)``: the lowest loss."""
    best_states: np.ndarray
    """``(members, …)``: the model's output that gave it."""
    final_losses: np.ndarray
    """``(members,)``: the last loss."""
    final_states: np.ndarray
    """``(members, …)``: the model's output that gave it."""

    def member(self, index: int) -> "Record":
        """The run of one member alone, without the member dimension."""
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        return Record(**{name: a[:, index] if name in _HISTORY else a[index] for name, a in parts.items()})

    @property
    def switches(self) -> np.ndarray:
        """The steps at which the direction changed, for a record of one run."""
        return np.flatnonzero(self.reasons)


_HISTORY = ("losses", "states", "maximize", "reasons")


def train(
    model: Callable[[], Tensor],
    loss: Callable[[Tensor], Tensor],
    optimizer: torch.optim.Optimizer | ReferenceHillAdam | Sequence[HillAdam],
    steps: int,
    *,
    history: bool = True,
    progress: str = "",
) -> Record:
    """Train every member of an ensemble at once and record what happens.

    The members are independent as long as the optimizer works element by element, as Adam and its relatives in
    ``torch.optim`` do, or keeps the members apart itself, as :class:`~hilladam.optim.ReferenceHillAdam` does.
    :class:`~hilladam.HillAdam` takes one decision for everything it moves, so an ensemble needs one for each member.

    :class:`~hilladam.SimulatedAnnealing` needs no gradients, and its steps are proposals: each member's loss before a
    step is that of the place it has accepted.

    Ctrl-C ends the training and keeps the steps that were complete, with a warning.

    Args:
        model: takes nothing and returns the members' states, shape ``(members, …)``; it has a list ``parameters``.
        loss: takes states to losses of shape ``(members,)``.
        optimizer: over ``model.parameters``; or a list with a :class:`~hilladam.HillAdam` for each of them, where each
            is one member's: faster than the reference where a member has many weights.
        steps: how many steps to take, at least 1.
        history: whether to keep the losses, states and directions of every step; without, those arrays have no rows.
        progress: the label of a progress bar; none without.

    Raises:
        ValueError: fewer than one step, or not one :class:`~hilladam.HillAdam` for each member.
    """
    if steps < 1:
        raise ValueError(f"Invalid steps: {steps}; expected at least 1")
    states = model()
    values = loss(states).detach()
    decisions = len(optimizer) if isinstance(optimizer, Sequence) else 1
    if isinstance(optimizer, HillAdam | Sequence) and values.numel() != decisions:
        raise ValueError(
            f"HillAdam decides for one model: expected {values.numel()} optimizers for as many members, got {decisions}"
        )
    rows = steps if history else 0
    losses, visited = values.new_empty(rows, *values.shape), values.new_empty(rows, *states.shape)
    maximize = torch.zeros(rows, *values.shape, dtype=torch.bool, device=values.device)
    reasons = torch.zeros(rows, *values.shape, dtype=torch.int8, device=values.device)
    best_losses, best_states = torch.full_like(values, torch.inf), states.detach().clone()

    done = 0
    try:
        for _ in trange(steps, desc=progress, disable=not progress, leave=False):
            state = model()
            value = loss(state)
            walks = isinstance(optimizer, SimulatedAnnealing)
            grads = () if walks else torch.autograd.grad(value.sum(), model.parameters)
            value, state = value.detach(), state.detach().clone()
            if walks:
                climbs, reason = False, 0
                optimizer.step(lambda: loss(model()))
            else:
                climbs, reason = _step(optimizer, model.parameters, value, grads)
            # Only now: an interrupted step leaves no trace.
            values, states = value, state
            better = (values < best_losses) & values.isfinite()
            best_losses = torch.where(better, values, best_losses)
            best_states = torch.where(better.view(-1, *[1] * (states.dim() - 1)), states, best_states)
            if history:
                losses[done], visited[done], maximize[done], reasons[done] = values, states, climbs, reason
            done += 1
    except KeyboardInterrupt:
        if not done:
            raise
        warnings.warn(f"Interrupted: the record ends after {done} of {steps} steps", RuntimeWarning, stacklevel=2)

    kept = [history[:done] for history in (losses, visited, maximize, reasons)]
    found = (*kept, best_losses, best_states, values, states)
    return Record(*(tensor.detach().cpu().numpy() for tensor in found))


def _step(optimizer, parameters, values, grads) -> tuple:
    """Take one step; say whether it climbs, and why it turned if it did."""
    if isinstance(optimizer, ReferenceHillAdam):
        optimizer.step(values, grads)
        return optimizer.maximize, optimizer.reason
    if isinstance(optimizer, Sequence):
        moves = [
            _step_one(one, [parameter], value, [grad])
            for one, parameter, value, grad in zip(optimizer, parameters, values.tolist(), grads, strict=True)
        ]
        return tuple(torch.tensor(part, device=values.device) for part in zip(*moves, strict=True))
    return _step_one(optimizer, parameters, values, grads)


def _step_one(optimizer, parameters, value, grads) -> tuple[bool, int]:
    for parameter, grad in zip(parameters, grads, strict=True):
        parameter.grad = grad
    if not isinstance(optimizer, HillAdam):
        optimizer.step()
        return False, 0
    before = optimizer.switch_count
    optimizer.step(loss=value)
    turned = optimizer.last_switch if optimizer.switch_count > before else None
    return optimizer.direction == "maximize", REASONS.index(turned.reason) if turned else 0
