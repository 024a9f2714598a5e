"""The turns of an optimizer that goes down and up: its direction, and a log of how it changed."""

import warnings
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from hilladam.optim._best import BestSoFar, one_number
from hilladam.optim._numbers import check, check_count, check_flag, element, number

LOGGED = 1000
"""How many changes of direction :attr:`Turning.switches` remembers."""

_DIRECTIONS = ("minimize", "maximize")
_ENOUGH = 10  # steps without any loss, after which it is no oversight of a checkpoint library


class Switch(NamedTuple):
    """One change of direction.

    Example:
        >>> import torch
        >>> from hilladam import HillAdam
        >>> x = torch.nn.Parameter(torch.zeros(1))
        >>> x.grad = torch.ones(1)
        >>> opt = HillAdam([x])
        >>> for loss in (3.0, 2.0, 2.0):
        ...     loss = opt.step(loss=loss)
        >>> opt.switches
        [Switch(step=2, direction='maximize', reason='critical')]
    """

    step: int
    """Which loss brought it about, counted from 0 over all losses given to the optimizer."""
    direction: str
    """The direction taken from that step on, ``"minimize"`` or ``"maximize"``."""
    reason: str
    """Why; for Hill-ADAM one of :data:`hilladam.optim.REASONS`, for the rule that tunes itself one of
    :data:`hilladam.optim.COURSE_REASONS`."""


class Turning(BestSoFar):
    """An optimizer with Adam's moments that changes its direction, and remembers when and why."""

    _MEMORY: ClassVar[dict[str, Any]] = {
        "maximize": False,  # torch's own name of the direction
        "losses": 0,
        "switch_count": 0,
        "switch_log": torch.full((LOGGED,), -1),  # int64, a ring of the last ones; see _turn
        **BestSoFar._MEMORY,
    }
    _STATE: ClassVar[tuple[str, ...]] = ("exp_avg", "exp_avg_sq")
    _REASONS: ClassVar[tuple[str, ...]] = ()
    """Why it turns, four words at most, the first of which is for no turn."""

    _bare_steps = 0

    @property
    def direction(self) -> str:
        """The direction of the last step, ``"minimize"`` (also before any step) or ``"maximize"``."""
        return _DIRECTIONS[self._first()["maximize"]]

    @property
    def switches(self) -> list[Switch]:
        """The changes of direction so far, in order; of very many only the last 1,000. :attr:`switch_count` has all."""
        first = self._first()
        count, log = first["switch_count"], first["switch_log"].tolist()
        return [self._switch(log[index % LOGGED]) for index in range(max(count - LOGGED, 0), count)]

    @property
    def last_switch(self) -> Switch | None:
        """The last change of direction, ``None`` before any; in the same time however many there were."""
        first = self._first()
        count = first["switch_count"]
        return self._switch(int(first["switch_log"][(count - 1) % LOGGED])) if count else None

    @property
    def switch_count(self) -> int:
        """How many changes of direction there were."""
        count: int = self._first()["switch_count"]
        return count

    def _value(self, loss: Any) -> float:
        return one_number(loss)

    def _switch(self, entry: int) -> Switch:
        """A switch from its number in the log: 8 times the step, 2 times the reason, and 1 if it goes up."""
        return Switch(entry // 8, _DIRECTIONS[entry % 2], self._REASONS[entry % 8 // 2])

    def _turn(self, losses: int, maximize: bool, reason: int) -> dict[str, Any]:
        """What of the memory changes with a turn, at the loss of that number."""
        first = self.param_groups[0]
        count, log = first["switch_count"], first["switch_log"].clone()
        log[count % LOGGED] = 8 * losses + 2 * reason + maximize
        return {"maximize": maximize, "switch_count": count + 1, "switch_log": log}

    def _nothing(self) -> dict[str, Any]:
        return {**self._MEMORY, "switch_log": self._MEMORY["switch_log"].to(self._device())}

    def _completed(self, index: int, saved: dict[str, Any]) -> dict[str, Any]:
        group = super()._completed(index, saved)
        betas = group["betas"]  # a list where torch has gathered it from ranks
        return {**group, "betas": tuple(betas) if isinstance(betas, list) else betas}

    def _needed(self, group: dict[str, Any]) -> tuple[str, ...]:
        return (*self._STATE, "step")

    def _check_state(self, id_: int | str, state: Any, param: Tensor, group: dict[str, Any]) -> None:
        super()._check_state(id_, state, param, group)
        if state:
            step, square = number(element(state["step"])), state["exp_avg_sq"]
            if not (step >= 0 and step.is_integer()):
                raise ValueError(f"Invalid step: {state['step']!r} of parameter {id_!r}; expected a whole number >= 0")
            if not square.is_complex() and bool((square < 0).any()):
                raise ValueError(f"Invalid exp_avg_sq of parameter {id_!r}: a negative number; expected squares")

    def _check_turns(self, memory: dict[str, Any]) -> None:
        """Raise where a state dict remembers turns that cannot have been."""
        check_flag("maximize value", memory["maximize"])
        for key in ("losses", "switch_count"):
            check_count(key, memory[key])
        count, log = memory["switch_count"], memory["switch_log"]
        check("switch_count", count, lambda v: v <= memory["losses"], f"at most losses = {memory['losses']}")
        known = isinstance(log, Tensor) and log.dtype == torch.int64 and log.shape == (LOGGED,)
        if not known or not all(0 <= n < 8 * memory["losses"] and n % 8 > 1 for n in log[:count].tolist()):
            raise ValueError(f"Invalid switch_log: expected the last of {count} switches in {LOGGED} int64 numbers")

    def _warn_bare(self, otherwise: str) -> None:
        self._bare_steps += 1
        if self._bare_steps == _ENOUGH and not self.param_groups[0]["losses"]:
            warnings.warn(
                f"{type(self).__name__} took {_ENOUGH} steps and was given no loss, without which it {otherwise}. "
                "Hand the loss to the step: step(loss=loss), or step(closure) with a closure that returns it, or "
                "hand_over(loss) before the step of a wrapper that takes no arguments.",
                RuntimeWarning,
                stacklevel=6,
            )
