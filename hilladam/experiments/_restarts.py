"""The control for every claim of escape: start Adam again whenever Hill-ADAM would have turned."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from hilladam.experiments._training import Record
from hilladam.optim import ReferenceHillAdam, decide


class RestartedAdam(ReferenceHillAdam):
    """Adam for many members in lock step, each begun anew at a random start whenever Hill-ADAM would have turned.

    A restart takes the place of a step: it costs the gradient that found the loss standing still, and no other.

    Args:
        params: one tensor of shape ``(members, …)``.
        lr: λ ≥ 0.
        draw: takes a number n to n new starts, a tensor of shape ``(n, …)``.
        delta: δ ≥ 0, Hill-ADAM's trigger.

    Raises:
        ValueError: more than one parameter, or a number out of its range.
    """

    def __init__(self, params: Sequence[Tensor], lr: float, draw: Callable[[int], Tensor], *, delta: float = 1e-4):
        super().__init__(params, lr, delta=0.0)
        if len(self.params) != 1:
            raise ValueError(f"Invalid params: {len(self.params)} tensors; expected one")
        if not 0.0 <= delta < float("inf"):
            raise ValueError(f"Invalid delta: {delta}; expected a finite number >= 0")
        self.draw, self.trigger = draw, delta
        self.judged = self.previous_loss.clone()

    @torch.no_grad()
    def step(self, loss: Tensor, grads: Sequence[Tensor]) -> None:
        """Restart the members whose loss stands still or is not finite, and let the others take a step of Adam."""
        _, self.judged, reason = decide(loss, False, self.judged, self.trigger)
        still = (reason > 0) | ~loss.isfinite()
        (param,), (grad,) = self.params, grads
        kept = still.view(-1, *[1] * (param.dim() - 1))
        super().step(loss, [torch.where(kept, 0.0, grad)])
        self.reason = still.long()  # as "critical", with the direction unchanged
        count = int(still.sum())
        if count:
            param[still] = self.draw(count).to(param)
            self.steps[still] = 0
            for moment in (*self.exp_avgs, *self.exp_avg_sqs):
                moment[still] = 0


def gradients_to(run: Record, target: float) -> np.ndarray:
    """How many gradients each member had taken when its loss first lay below the target.

    Args:
        run: with history.
        target: in units of the loss.

    Returns:
        Shape ``(members,)``; infinite for a member that never got there.
    """
    below = run.losses < target
    return np.where(below.any(axis=0), below.argmax(axis=0) + 1.0, np.inf)


def restarted(run: Record, target: float, delta: float, chains: int) -> np.ndarray:
    """The same count for chains of restarts: each run is given up when its loss changes by less than ``delta``.

    The members of the record are the restarts: runs of Adam from independent random starts. They are dealt out to the
    chains in equal number, and a chain does its runs one after the other.

    Args:
        run: with history; the number of members must be a multiple of ``chains``.
        target: in units of the loss.
        delta: δ, Hill-ADAM's own trigger.
        chains: how many chains to make.

    Returns:
        Shape ``(chains,)``; infinite for a chain that spends all its runs in vain.

    Raises:
        ValueError: members that cannot be dealt out evenly.
    """
    steps, members = run.losses.shape
    if chains < 1 or members % chains:
        raise ValueError(f"Invalid chains: {chains}; expected a divisor of the {members} members")
    critical = np.abs(np.diff(run.losses, axis=0)) < delta
    length = np.where(critical.any(axis=0), critical.argmax(axis=0) + 2.0, steps)
    hit = gradients_to(run, target)
    hit[hit > length] = np.inf
    length, hit = length.reshape(chains, -1), hit.reshape(chains, -1)
    spent = np.cumsum(length, axis=1) - length
    return (spent + hit).min(axis=1)
