"""The one loop that trains, and the one record it returns."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import trange

from hilladam.optim import REASONS, HillAdam, ReferenceHillAdam


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
    optimizer: torch.optim.Optimizer | ReferenceHillAdam,
    steps: int,
    *,
    history: bool = True,
    progress: str = "",
) -> Record:
    """Train every member of an ensemble at once and record what happens.

    The members are independent as long as the optimizer works element by element, as Adam and its relatives in
    ``torch.optim`` do, or keeps the members apart itself, as :class:`~hilladam.optim.ReferenceHillAdam` does.
    :class:`~hilladam.HillAdam` takes one decision for everything it moves, so it trains an ensemble of one.

    Ctrl-C ends the training and keeps the steps that were complete, with a warning.

    Args:
        model: takes nothing and returns the members' states, shape ``(members, …)``; it has a list ``parameters``.
        loss: takes states to losses of shape ``(members,)``.
        optimizer: over ``model.parameters``.
        steps: how many steps to take, at least 1.
        history: whether to keep the losses, states and directions of every step; without, those arrays have no rows.
        progress: the label of a progress bar; none without.

    Raises:
        ValueError: fewer than one step, or a :class:`~hilladam.HillAdam` with several members.
    """
    if steps < 1:
        raise ValueError(f"Invalid steps: {steps}; expected at least 1")
    states = model()
    values = loss(states).detach()
    if isinstance(optimizer, HillAdam) and values.numel() != 1:
        raise ValueError(f"HillAdam decides for one model, not for {values.numel()}; use ReferenceHillAdam")
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
            grads = torch.autograd.grad(value.sum(), model.parameters)
            value, state = value.detach(), state.detach().clone()
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
    for parameter, grad in zip(parameters, grads, strict=True):
        parameter.grad = grad
    if not isinstance(optimizer, HillAdam):
        optimizer.step()
        return False, 0
    before = len(optimizer.switches)
    optimizer.step(loss=values)
    turned = optimizer.switches[before:]
    return optimizer.direction == "maximize", REASONS.index(turned[0].reason) if turned else 0
