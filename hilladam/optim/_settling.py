"""To end a run whose losses are noisy: settle at the best place, and keep the mean of where that leads."""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from hilladam.optim._best import call
from hilladam.optim._numbers import check, check_count
from hilladam.optim._ranks import copy_all, whole
from hilladam.optim._turning import Turning


class Settling(Turning):
    """An optimizer that turns, and can be told to turn no more: to descend, and to stay where it has come to rest."""

    _MEMORY: ClassVar[dict[str, Any]] = {**Turning._MEMORY, "settled": 0, "settled_loss": 0.0}

    _STATE: ClassVar[tuple[str, ...]] = (*Turning._STATE, "mean")

    _settles = False

    def finish(self, closure: Callable[[], Any], steps: int) -> float:
        """Settle: go back to the best parameters, only descend from there, and leave the mean of the second half.

        For noisy losses, of which the lowest is mostly luck: it names the valley, and not its bottom. Slopes find that,
        and the mean over many places lies nearer to it than each of them. Give it a tenth of all steps. Where losses
        are exact, :meth:`load_best` alone may still lie above the bottom, by about δ times the height of the hills.

        ``steps`` gradients are computed, as many as steps are taken; :attr:`best_loss` and :meth:`load_best` go on as
        before. Ended by an exception, it leaves the parameters where they are then. What is remembered of the place is
        cleared, so that training can go on from the mean. A state dict that is saved meanwhile holds how far it has
        come: where that is loaded, with the parameters, ``finish`` with the same ``steps`` makes the rest of them.

        Args:
            closure: as for :meth:`step`; it must return the loss.
            steps: how many, at least 1.

        Returns:
            The mean of the losses of the second half. Nothing was chosen by them, so that they are not the luckiest.

        Raises:
            RuntimeError: there are no best parameters, see :meth:`load_best`.
            ValueError: fewer than one step, or a closure that returns ``None``.

        Example:
            The loss and its slope come with a noise of 0.1. The lowest of 900 losses is too low by more than that; the
            bottom lies at x = −1.036, and there the loss is −1.305.

            >>> import torch
            >>> from hilladam import AdaptiveHillAdam
            >>> x = torch.nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
            >>> opt, dice = AdaptiveHillAdam([x]), torch.Generator().manual_seed(0)
            >>> def closure():
            ...     opt.zero_grad()
            ...     a, b = 0.1 * torch.randn(2, generator=dice)
            ...     loss = (x**4 - 2 * x**2 + 0.3 * x).sum() + a + b * (x - x.detach()).sum()
            ...     loss.backward()
            ...     return loss
            >>> for _ in range(900):
            ...     loss = opt.step(closure)
            >>> opt.load_best() < -1.45
            True
            >>> loss = opt.finish(closure, 100)
            >>> abs(loss + 1.305) < 0.06, abs(x.item() + 1.036) < 0.02
            (True, True)
        """
        check("steps", steps, lambda v: isinstance(v, int) and v >= 1, "a whole number >= 1")
        if not self.param_groups[0]["settled"]:
            self.load_best()
        count, self._settles = max(steps // 2, 1), True
        try:
            for step in range(self.param_groups[0]["settled"], steps):
                loss = call(closure)
                loss = loss[0] if isinstance(loss, tuple) and loss else loss
                if loss is None:
                    raise ValueError("Invalid closure: it returned None; finish() needs the loss")
                late = step - steps + count
                if late >= 0:
                    self._average(late)
                    value = self._value(whole(loss) if isinstance(loss, Tensor) else loss)
                    self._remember(settled_loss=self.param_groups[0]["settled_loss"] + value)
                self._remember(settled=step + 1)
                self.step(loss=loss)
            with torch.no_grad():
                known, _ = self._known()
                copy_all([param for param, _ in known], [state["mean"] for _, state in known])
                total: float = self.param_groups[0]["settled_loss"]
                self._leave()
        finally:
            self._settles = False
            self._settled()
        return total / count

    def _average(self, late: int) -> None:
        """Let the mean of the places take in the one where the parameters are, after so many."""
        known, _ = self._known()
        if known:
            places = [param.detach() for param, _ in known]
            torch._foreach_lerp_([state["mean"] for _, state in known], places, 1 / (late + 1))

    def _settled(self) -> None:
        """Forget how far it has settled."""
        self._remember(settled=0, settled_loss=0.0)

    def _go_on(self) -> None:
        """At a step that is not one of a finish, forget a finish that was loaded in the middle."""
        if not self._settles and self.param_groups[0]["settled"]:
            self._settled()

    def _check_settled(self, memory: dict[str, Any]) -> None:
        """Raise where a state dict remembers a settling that cannot have been."""
        check_count("settled", memory["settled"])
        check("settled_loss", memory["settled_loss"], lambda v: isinstance(v, float), "a float")
