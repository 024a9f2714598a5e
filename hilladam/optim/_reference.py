"""Algorithm 1 line by line, for any number of models at once: what the fast optimizer is tested against."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from hilladam.optim._switching import decide

_READINGS = {
    "bias_correction": ("copied", "in_place"),
    "previous_loss": ("cleared", "kept"),
    "dead_end": ("on_turn", "per_excursion"),
    "best": ("every_loss", "no_toggle"),
}


class ReferenceHillAdam:
    """Hill-ADAM as Algorithm 1 writes it, for ``members`` independent models in lock step.

    Every parameter carries the members along its first dimension. Each member has its own direction, its own moments,
    its own step count and its own best state: Adam works element by element, so the members never meet. This class is
    written to be read; the constant arguments marked *per member* also take a tensor of shape ``(members,)``.

    Algorithm 1 can be read in more than one way. The defaults are the reading of :class:`hilladam.HillAdam`; the
    options below give the others, so that they can be run side by side.

    Args:
        params: tensors of shape ``(members, …)``, floating point, updated in place.
        lr: λ ≥ 0, per member.
        betas: (β₁, β₂), each in [0, 1).
        eps: ε outside the root, as in Equation 1 and in torch; per member.
        eps_root: ε inside the root, as in Equations 12–13 and lines 32 and 34; per member. The paper's form is
            ``eps=0, eps_root=1e-8``.
        delta: δ ≥ 0, per member. A member with ``delta=0`` is Adam.
        gamma: γ, the loss above which a member must descend; per member. ``math.inf`` lets climbs go on for ever.
        floor: the loss below which a member must climb; per member.
        bias_correction: ``"copied"`` keeps the running averages and corrects a copy of them, as Adam does;
            ``"in_place"`` overwrites them, as lines 29–30 say literally.
        previous_loss: after a rule has fired, ``"cleared"`` compares the next loss with nothing (lines 10 and 16);
            ``"kept"`` compares it with the loss that fired, as line 38 would have it if it came last.
        dead_end: ``"on_turn"`` clears the moments only when the direction changes (line 22); ``"per_excursion"`` also
            clears them at the first loss of every excursion above γ, as the author's code does.
        best: ``"every_loss"`` lets every finite loss compete for the best one; ``"no_toggle"`` leaves out the losses
            that line 10 resets, as the author's code does.

    Example:
        Two members: with δ = 0 the first is Adam, which stays in the shallow well; the second climbs into the deep one.

        >>> import torch
        >>> from hilladam.optim import ReferenceHillAdam
        >>> x = torch.tensor([[2.0], [2.0]], dtype=torch.float64)
        >>> opt = ReferenceHillAdam([x], lr=0.2, delta=torch.tensor([0.0, 1e-2]))
        >>> for _ in range(300):
        ...     opt.step((x**4 - 2 * x**2 + 0.3 * x).sum(1), [4 * x**3 - 4 * x + 0.3])
        >>> opt.best_loss.round(decimals=1)
        tensor([-0.7000, -1.3000], dtype=torch.float64)

    Raises:
        ValueError: an option that is none of the above, a number out of its range, or parameters whose first
            dimensions differ.
    """

    def __init__(
        self,
        params: Sequence[Tensor],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float | Tensor = 1e-8,
        *,
        eps_root: float | Tensor = 0.0,
        delta: float | Tensor = 1e-4,
        gamma: float | Tensor = 200.0,
        floor: float | Tensor = -math.inf,
        bias_correction: str = "copied",
        previous_loss: str = "cleared",
        dead_end: str = "on_turn",
        best: str = "every_loss",
    ):
        readings = dict(bias_correction=bias_correction, previous_loss=previous_loss, dead_end=dead_end, best=best)
        for name, reading in readings.items():
            if reading not in _READINGS[name]:
                raise ValueError(f"Invalid {name} reading: {reading!r}; expected one of {_READINGS[name]}")
        for name, value in dict(lr=lr, eps=eps, eps_root=eps_root, delta=delta).items():
            for number in _numbers(value).tolist():
                if not 0.0 <= number < math.inf:
                    raise ValueError(f"Invalid {name}: {number}; expected finite numbers >= 0")
        if not all(0.0 <= beta < 1.0 for beta in betas):
            raise ValueError(f"Invalid betas: {betas}; expected numbers in [0, 1)")
        bounds = torch.broadcast_tensors(_numbers(floor), _numbers(gamma))  # type: ignore[no-untyped-call]
        for low, high in torch.stack(bounds, 1).tolist():
            if not low < high:
                raise ValueError(f"Invalid gamma: {high}; expected numbers above floor = {low}")
        self.params = list(params)
        sizes = {p.shape[:1] for p in self.params}
        if len(sizes) != 1 or torch.Size() in sizes:
            raise ValueError(
                f"Invalid params: expected one leading member dimension, got {[tuple(p.shape) for p in self.params]}"
            )
        self.lr, self.betas, self.eps, self.eps_root = lr, betas, eps, eps_root
        self.delta, self.gamma, self.floor = delta, gamma, floor
        self.readings = readings

        # Lines 4–6.
        (members,) = sizes.pop()
        dtype, device = self.params[0].dtype, self.params[0].device
        self.exp_avgs = [torch.zeros_like(p) for p in self.params]
        self.exp_avg_sqs = [torch.zeros_like(p) for p in self.params]
        # bfloat16 cannot count beyond 256.
        self.steps = torch.zeros(members, dtype=torch.promote_types(dtype, torch.float32), device=device)
        self.maximize = torch.zeros(members, dtype=torch.bool, device=device)
        self.above = torch.zeros_like(self.maximize)
        self.reason = torch.zeros(members, dtype=torch.int64, device=device)
        self.previous_loss = torch.full((members,), math.nan, dtype=dtype, device=device)
        self.best_loss = torch.full((members,), math.inf, dtype=dtype, device=device)
        self.best_params = [p.detach().clone() for p in self.params]

    @torch.no_grad()
    def step(self, loss: Tensor, grads: Sequence[Tensor]) -> None:
        """Do lines 8–38 once.

        Args:
            loss: shape ``(members,)``, the losses of the parameters as they stand.
            grads: the gradients of those losses, shaped like the parameters.
        """
        loss = loss.detach()

        # Lines 8–19: the direction.
        decision: Any = decide(loss, self.maximize, self.previous_loss, self.delta, self.gamma, self.floor)
        self.maximize, remembered, self.reason = decision
        toggled = abs(loss - self.previous_loss) < self.delta
        self.previous_loss = loss.clone() if self.readings["previous_loss"] == "kept" else remembered
        reset = self.reason > 0
        if self.readings["dead_end"] == "per_excursion":
            reset = reset | ((loss > self.gamma) & ~self.above)
            self.above = loss > self.gamma

        # Line 38, before the update: the loss belongs to the parameters as they still are.
        improved = (abs(loss) < math.inf) & (loss < self.best_loss)
        if self.readings["best"] == "no_toggle":
            improved &= ~toggled
        self.best_loss = torch.where(improved, loss, self.best_loss)
        for best, param in zip(self.best_params, self.params, strict=True):
            best.copy_(torch.where(_column(improved, param), param, best))

        # Lines 22–25: a change of direction starts Adam afresh.
        self.steps = torch.where(reset, 0.0, self.steps) + 1

        # Lines 21–36: Adam, towards lower losses or higher ones.
        beta1, beta2 = self.betas
        correction1, correction2 = 1 - beta1**self.steps, 1 - beta2**self.steps
        signed_lr = (2 * self.maximize.to(self.steps.dtype) - 1) * self.lr
        for param, grad, exp_avg, exp_avg_sq in zip(self.params, grads, self.exp_avgs, self.exp_avg_sqs, strict=True):
            exp_avg.masked_fill_(_column(reset, param), 0.0)
            exp_avg_sq.masked_fill_(_column(reset, param), 0.0)
            exp_avg.mul_(beta1).add_(grad, alpha=1 - beta1)  # line 27
            exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)  # line 28
            mean = exp_avg / _column(correction1, param)  # line 29
            square = exp_avg_sq / _column(correction2, param)  # line 30
            if self.readings["bias_correction"] == "in_place":
                exp_avg.copy_(mean)
                exp_avg_sq.copy_(square)
            denominator = (square + _column(self.eps_root, param)).sqrt() + _column(self.eps, param)
            param.addcmul_(_column(signed_lr, param), mean / denominator)  # lines 31–35


def _numbers(value: float | Tensor) -> Tensor:
    return torch.as_tensor(value, dtype=torch.float64).reshape(-1).cpu()


def _column(value: Any, param: Tensor) -> Any:
    """Give a ``(members,)`` tensor the trailing dimensions that let it broadcast over ``param``."""
    return value.view(-1, *[1] * (param.dim() - 1)) if isinstance(value, Tensor) else value
