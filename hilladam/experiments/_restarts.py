"""The control for every claim of escape: start Adam again whenever Hill-ADAM would have turned."""

import math
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
        draw: takes the indices of members, an integer tensor of shape ``(n,)``, to a new start for each of them, a
            tensor of shape ``(n, …)``. It is asked as often as the run lasts.
        delta: δ ≥ 0, Hill-ADAM's trigger.

    Raises:
        ValueError: more than one parameter, or a number out of its range.

    Example:
        >>> import torch
        >>> from hilladam.experiments import Points, RestartedAdam, train
        >>> from hilladam.losses import DOUBLE_WELL
        >>> rng, points = torch.Generator().manual_seed(0), Points(torch.full((100,), 2.0))
        >>> starts = lambda members: 4 * torch.rand(len(members), generator=rng) - 2
        >>> record = train(points, DOUBLE_WELL, RestartedAdam(points.parameters, 0.1, starts), 500)
        >>> bool((record.best_losses < -0.3).mean() > 0.9)
        True
    """

    def __init__(self, params: Sequence[Tensor], lr: float, draw: Callable[[Tensor], Tensor], *, delta: float = 1e-4):
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
        members = still.nonzero()[:, 0]
        if len(members):
            param[still] = self.draw(members).to(param)
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

    Raises:
        ValueError: a record without history, or a target that is not a number.

    Example:
        >>> import torch
        >>> from hilladam.experiments import Points, gradients_to, train
        >>> points = Points(torch.tensor([1.0, 8.0, 1000.0]))
        >>> run = train(points, torch.square, torch.optim.SGD(points.parameters, 0.25), 5)  # which halves x
        >>> gradients_to(run, 1.5).tolist()
        [1.0, 4.0, inf]
    """
    if not len(run.losses):
        raise ValueError("Invalid run: it has no history; expected one trained with history=True")
    if math.isnan(target):
        raise ValueError(f"Invalid target: {target}; expected a number, in units of the loss")
    below = run.losses < target
    return np.where(below.any(axis=0), below.argmax(axis=0) + 1.0, np.inf)


def restarted(run: Record, target: float, delta: float, chains: int, budget: int | None = None) -> np.ndarray:
    """The same count for chains of restarts: each run is given up when its loss changes by less than ``delta``.

    The members of the record are the restarts: runs of Adam from independent random starts. They are dealt out to the
    chains in equal number, and a chain does its runs one after the other.

    Args:
        run: with history; the number of members must be a multiple of ``chains``.
        target: in units of the loss.
        delta: δ, Hill-ADAM's own trigger.
        chains: how many chains to make.
        budget: how many gradients each chain is to have. A chain that has spent all its runs before that has not had
            them, and cannot be compared with what has. Default: as many as its runs take.

    Returns:
        Shape ``(chains,)``; infinite for a chain that spends all its runs, or its budget, in vain.

    Raises:
        ValueError: members that cannot be dealt out evenly, a record without history, a number out of its range, or a
            chain whose runs end before its budget.

    Example:
        >>> import torch
        >>> from hilladam.experiments import Points, restarted, train
        >>> from hilladam.losses import DOUBLE_WELL
        >>> points = Points(torch.linspace(2, -2, 8, dtype=torch.float64))  # the shallow valley first
        >>> run = train(points, DOUBLE_WELL, torch.optim.Adam(points.parameters, 0.02), 500)
        >>> restarted(run, -0.25, 1e-4, chains=2).tolist()  # four restarts each
        [inf, 33.0]
    """
    hit = gradients_to(run, target)
    if not 0 <= delta < math.inf:
        raise ValueError(f"Invalid delta: {delta}; expected a finite number >= 0")
    if run.losses.ndim < 2:
        raise ValueError("Invalid run: of one member; expected an ensemble, whose members are the restarts")
    steps, members = run.losses.shape
    if chains < 1 or members % chains:
        raise ValueError(f"Invalid chains: {chains}; expected a divisor of the {members} members")
    critical = np.abs(np.diff(run.losses, axis=0)) < delta
    length = np.where(critical.any(axis=0), critical.argmax(axis=0) + 2.0, steps)
    hit[hit > length] = np.inf
    length, hit = length.reshape(chains, -1), hit.reshape(chains, -1)
    spent = np.cumsum(length, axis=1) - length
    found = (spent + hit).min(axis=1)
    if budget is None:
        return found
    dry = np.isinf(found) & (length.sum(axis=1) < budget)
    if dry.any():
        raise ValueError(f"Invalid budget: {budget}; {dry.sum()} of {chains} chains ran out of runs before; give more")
    return np.where(found <= budget, found, np.inf)
