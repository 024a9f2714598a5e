"""The one loop that moves PyTorch's optimizers, and the one record that every run returns."""

import operator
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import trange

from hilladam.optim import ReferenceHillAdam, SimulatedAnnealing
from hilladam.optim._turning import Turning


@dataclass(frozen=True, eq=False)
class Record:
    """What happened in a run, or in ``members`` runs side by side: numpy arrays, the step first, then the member.

    Two records are equal if their arrays are, where NaN equals NaN; ``==`` gives one answer, and no array.

    Example:
        >>> import torch
        >>> from hilladam.experiments import Points, train
        >>> from hilladam.losses import DOUBLE_WELL
        >>> points = Points(torch.tensor([2.0, -2.0]))
        >>> record = train(points, DOUBLE_WELL, torch.optim.Adam(points.parameters, 0.1), 100)
        >>> record.losses.shape, [f"{loss:.1f}" for loss in record.best_losses]
        ((100, 2), ['0.3', '-0.3'])
        >>> record.member(1).losses.shape
        (100,)
    """

    losses: np.ndarray
    """``(steps, members)``: the loss before each step."""
    states: np.ndarray
    """``(steps, members, …)``: the model's output before each step."""
    maximize: np.ndarray
    """``(steps, members)``, bool: whether the step climbed."""
    reasons: np.ndarray
    """``(steps, members)``: index into :data:`hilladam.optim.REASONS`, or into those of another rule; 0 where
    the direction did not change."""
    best_losses: np.ndarray
    """``(members,)``: the lowest loss."""
    best_states: np.ndarray
    """``(members, …)``: the model's output that gave it."""
    final_losses: np.ndarray
    """``(members,)``: the last loss."""
    final_states: np.ndarray
    """``(members, …)``: the model's output that gave it."""
    turns: np.ndarray = None  # type: ignore[assignment]
    """``(members,)``: how often the direction changed; default: counted from ``reasons``."""

    def __post_init__(self):
        if self.turns is None:
            object.__setattr__(self, "turns", np.count_nonzero(self.reasons, axis=0))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return all(np.array_equal(ours, theirs, equal_nan=True) for ours, theirs in pairs)

    __hash__ = None  # type: ignore[assignment]  # as of everything that is equal by what it holds and not by what it is

    def member(self, index: int | slice | Sequence[int]) -> "Record":
        """The run of one member alone, without the member dimension; with a slice or a list, those of several.

        Raises:
            ValueError: the record is one of a member already.
            IndexError: there is no such member.
        """
        if self.reasons.ndim < 2:
            raise ValueError(f"Invalid member: {index}; this record is of one member already")
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        return Record(**{name: a[:, index] if name in _HISTORY else a[index] for name, a in parts.items()})

    @property
    def switches(self) -> np.ndarray:
        """The steps at which the direction changed, shape ``(switches,)``, for a record of one member.

        Raises:
            ValueError: the record is one of an ensemble, whose members turn at steps of their own.
        """
        if self.reasons.ndim > 1:
            raise ValueError(
                f"Invalid record for switches: one of {self.reasons.shape[1]} members; expected one of a member, as "
                "record.member(0) is"
            )
        return np.flatnonzero(self.reasons)


_HISTORY = ("losses", "states", "maximize", "reasons")


class Model(Protocol):
    """What :func:`train` trains."""

    @property
    def parameters(self) -> Sequence[Tensor]:
        """What an optimizer moves."""
        ...

    def __call__(self) -> Tensor:
        """The members' states, shape ``(members, …)``."""
        ...


class LossRule(Protocol):
    """A rule of your own that decides by the losses, for many members in lock step; see :func:`train`.

    It may say where it went: ``maximize``, bool of shape ``(members,)``, whether the step climbed, and ``reason``,
    integers of that shape, not 0 where it began anew. A record keeps both.

    Example:
        Restart at the origin whoever has a loss above 5; the others take a step of gradient descent.

        >>> import torch
        >>> from hilladam.experiments import Points, train
        >>> class Homing:
        ...     def __init__(self, params, lr):
        ...         (self.points,), self.lr = params, lr
        ...     @torch.no_grad()
        ...     def step(self, losses, grads):
        ...         self.points -= self.lr * grads[0]
        ...         self.points[losses > 5] = 0.0
        >>> points = Points(torch.tensor([1.0, 3.0]))
        >>> record = train(points, torch.square, Homing(points.parameters, 0.25), 3)
        >>> record.states.tolist()
        [[1.0, 3.0], [0.5, 0.0], [0.25, 0.0]]
    """

    def step(self, loss: Tensor, grads: Sequence[Tensor], /) -> object:
        """Move the parameters, given the losses ``(members,)`` and a gradient for each parameter, shaped like it."""
        ...


Optimizers = torch.optim.Optimizer | LossRule | Sequence[torch.optim.Optimizer | ReferenceHillAdam]


def train(
    model: Model,
    loss: Callable[[Tensor], Tensor],
    optimizer: Optimizers,
    steps: int,
    *,
    judged: Callable[[int], Tensor | None] | None = None,
    history: bool = True,
    progress: str = "",
) -> Record:
    """Train every member of an ensemble at once and record what happens.

    Whatever has a loss and an optimizer of PyTorch goes through here: the networks of Tables 1 and 2, the points that
    race, the digits an epoch at a time, and the runs that the widgets show.

    The members are independent as long as the optimizer works element by element, as Adam and its relatives in
    ``torch.optim`` do, or keeps the members apart itself, as :class:`~hilladam.optim.ReferenceHillAdam` does.
    :class:`~hilladam.HillAdam` takes one decision for everything it moves, so an ensemble needs one for each member.

    Every step evaluates the loss once, so that a loss may take a new mini-batch each time it is called.
    :class:`~hilladam.SimulatedAnnealing` needs no gradients, and its steps are proposals, which it evaluates itself:
    each member's loss before a step is that of the place it has accepted.

    Ctrl-C ends the training and keeps the steps that were complete, with a warning.

    Args:
        model: takes nothing and returns the members' states, shape ``(members, …)``; it has a list ``parameters``.
        loss: takes states to losses of shape ``(members,)``.
        optimizer: over ``model.parameters``; one of torch's, or a :class:`LossRule`, which is told the losses. Or a
            list with a :class:`~hilladam.HillAdam` for each of the parameters, where each is one member's: faster than
            the reference where a member has many weights.
        steps: how many steps to take, at least 1.
        judged: takes the number of a step, from 0, to what Hill-ADAM is told in place of the losses, shape
            ``(members,)``, or to ``None``, which makes it a step that judges nothing (the reference has none such). For
            noisy losses, of which the gradient is taken and by which nothing can be decided. Default: the losses.
        history: whether to keep the losses, states and directions of every step; without, those arrays have no rows.
        progress: the label of a progress bar; none without.

    Raises:
        ValueError: fewer than one step, not one :class:`~hilladam.HillAdam` for each member, or losses of another
            shape than ``(members,)``.

    Example:
        >>> import torch
        >>> from hilladam import HillAdam
        >>> from hilladam.experiments import Points, train
        >>> from hilladam.losses import DOUBLE_WELL
        >>> point = Points(torch.tensor([1.4], dtype=torch.float64))
        >>> record = train(point, DOUBLE_WELL, HillAdam(point.parameters, 0.02, gamma=3.0), 300).member(0)
        >>> print(f"best {record.best_losses:.1f} at {record.best_states:.1f}, started at {record.states[0]}")
        best -0.3 at -1.0, started at 1.4
    """
    record, done = _trained(model, loss, optimizer, steps, judged, history, progress)
    if done < steps:
        warnings.warn(f"Interrupted: the record ends after {done} of {steps} steps", RuntimeWarning, stacklevel=2)
    return record


def train_in_full(model: Model, loss, optimizer: Optimizers, steps: int, *, judged=None, history=True,
                  progress="") -> Record:  # fmt: skip
    """:func:`train` for runs that are to be compared: Ctrl-C passes on, for a shorter run compares with no other."""
    record, done = _trained(model, loss, optimizer, steps, judged, history, progress)
    if done < steps:
        raise KeyboardInterrupt
    return record


def _trained(model, loss, optimizer, steps, judged, history, progress) -> tuple[Record, int]:
    """The record, and how many steps were complete."""
    if steps < 1:
        raise ValueError(f"Invalid steps: {steps}; expected at least 1")
    kept: dict[str, Tensor] = {}
    done = 0
    try:
        for step in trange(operator.index(steps), desc=progress, disable=not progress, leave=False):
            state = model()
            value = loss(state)
            if not step:
                _check(optimizer, state, value)
                kept = _room(state.detach(), value.detach(), steps if history else 0)
            walks = isinstance(optimizer, SimulatedAnnealing)
            grads = () if walks else torch.autograd.grad(value.sum(), model.parameters)
            value, state = value.detach(), state.detach().clone()
            if walks:
                climbs, reason = False, 0
                optimizer.step(lambda: loss(model()))
            else:
                told = judged(step) if judged else value
                climbs, reason = _step(optimizer, model.parameters, told, grads)
            if history:
                for name, part in zip(_HISTORY, (value, state, climbs, reason), strict=True):
                    kept[name][done] = part
            better = (value < kept["best_losses"]) & value.isfinite()
            best_losses = torch.where(better, value, kept["best_losses"])
            best_states = torch.where(better.view(-1, *[1] * (state.dim() - 1)), state, kept["best_states"])
            turns = kept["turns"] + (torch.as_tensor(reason, device=value.device) > 0)
            ends = {"best_losses": best_losses, "best_states": best_states, "final_losses": value,
                    "final_states": state, "turns": turns}  # fmt: skip
            # Only now, and at once: an interrupted step leaves no trace.
            kept, done = kept | ends, done + 1
    except KeyboardInterrupt:
        if not done:
            raise
    kept |= {name: kept[name][:done] for name in _HISTORY}
    return Record(**{name: tensor.cpu().numpy() for name, tensor in kept.items()}), done


def _check(optimizer, states: Tensor, values: Tensor) -> None:
    members = len(states) if states.dim() else 0
    if not members or values.shape != (members,):
        raise ValueError(
            f"Invalid loss: of shape {tuple(values.shape)} for states of shape {tuple(states.shape)}; expected one "
            "loss for each member, of which the states have at least one"
        )
    decisions = len(optimizer) if isinstance(optimizer, Sequence) else 1
    if isinstance(optimizer, Turning | Sequence) and members != decisions:
        kind = type(next(iter(optimizer), None) if isinstance(optimizer, Sequence) else optimizer).__name__
        raise ValueError(
            f"{kind} decides for one model: expected {members} optimizers for as many members, got {decisions}"
        )


def _room(states: Tensor, values: Tensor, rows: int) -> dict[str, Tensor]:
    """Room for so many steps, and best losses that everything beats."""
    return {
        "losses": values.new_empty(rows, *values.shape),
        "states": values.new_empty(rows, *states.shape),
        "maximize": torch.zeros(rows, *values.shape, dtype=torch.bool, device=values.device),
        "reasons": torch.zeros(rows, *values.shape, dtype=torch.int8, device=values.device),
        "best_losses": torch.full_like(values, torch.inf),
        "best_states": states.clone(),
        "turns": torch.zeros_like(values, dtype=torch.int64),
    }


def _step(optimizer, parameters, values, grads) -> tuple:
    """Take one step; say whether it climbs, and why it turned if it did. No values are a step that judges nothing."""
    if not isinstance(optimizer, torch.optim.Optimizer | Sequence):
        if values is None:
            kind = type(optimizer).__name__
            raise ValueError(f"Invalid judged: none for {kind}, which judges a loss at every step")
        optimizer.step(values, grads)
        return getattr(optimizer, "maximize", False), getattr(optimizer, "reason", 0)
    if isinstance(optimizer, Sequence):
        told = [None] * len(optimizer) if values is None else values.tolist()
        moves = [
            _step_one(one, [parameter], value, [grad])
            for one, parameter, value, grad in zip(optimizer, parameters, told, grads, strict=True)
        ]
        return tuple(torch.tensor(part, device=grads[0].device) for part in zip(*moves, strict=True))
    return _step_one(optimizer, parameters, values, grads)


def _step_one(optimizer, parameters, value, grads) -> tuple[bool, int]:
    for parameter, grad in zip(parameters, grads, strict=True):
        parameter.grad = grad
    if not isinstance(optimizer, Turning):
        optimizer.step()
        return False, 0
    before = optimizer.switch_count
    optimizer.step(loss=value)
    turned = optimizer.last_switch if optimizer.switch_count > before else None
    return optimizer.direction == "maximize", optimizer._REASONS.index(turned.reason) if turned else 0


def joined(records: Sequence[Record]) -> Record:
    """One record of members whose training went on from each record to the next."""
    losses = np.stack([record.best_losses for record in records])
    first = losses.argmin(axis=0)  # the earlier one of equals, as in a run
    states = np.stack([record.best_states for record in records])
    return Record(
        **{name: np.concatenate([getattr(record, name) for record in records]) for name in _HISTORY},
        best_losses=np.take_along_axis(losses, first[None], axis=0)[0],
        best_states=states[first, np.arange(len(first))],
        final_losses=records[-1].final_losses,
        final_states=records[-1].final_states,
        turns=np.sum([record.turns for record in records], axis=0),
    )
