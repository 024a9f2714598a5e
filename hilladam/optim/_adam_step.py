"""Adam's step without ε, and what the rules that take their λ from the run measure along it."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from hilladam.optim._numbers import element
from hilladam.optim._ranks import whole


def adam_step(
    states: Mapping[Tensor, dict[str, Any]], length: float, betas: tuple[float, float], params: list[Tensor],
    grads: list[Tensor], averages: list[Tensor], squares: list[Tensor],
) -> None:  # fmt: skip
    """Move the parameters by ``length`` times m̂/√v̂; where no gradient has been seen yet there is no step."""
    beta1, beta2 = betas
    torch._foreach_lerp_(averages, grads, 1 - beta1)
    torch._foreach_mul_(squares, beta2)
    torch._foreach_addcmul_(squares, grads, grads, value=1 - beta2)
    for param, average, square in zip(params, averages, squares, strict=True):
        states[param]["step"] = states[param]["step"] + 1
        step = element(states[param]["step"])
        correction1, correction2 = 1 - beta1**step, 1 - beta2**step
        ratio = (average / correction1) / (square / correction2).sqrt()
        param.add_(torch.where(square > 0, ratio, torch.zeros_like(ratio)), alpha=length)


def forget(state: dict[str, Any]) -> None:
    """Clear the moments."""
    state["step"] = torch.tensor(0.0, dtype=torch.float32)
    state["exp_avg"].zero_()
    state["exp_avg_sq"].zero_()


def begin(states: Mapping[Tensor, dict[str, Any]], params: list[Tensor], *places: str) -> None:
    """Complete the state of parameters that have just got one: no step yet, and where they are as their places."""
    for param in params:
        state = states.get(param)
        if state and "step" not in state:
            state["step"] = torch.tensor(0.0, dtype=torch.float32)
            for key in places:
                state[key].copy_(param)


def slopes(tensors: list[tuple[list[Tensor], ...]]) -> tuple[float, float, int]:
    """The change of the loss along the last step by the trapezoid, what it can be wrong by, and the number of elements.

    An accelerator is waited for once.
    """
    changes, bends, dimensions = [], [], 0
    for params, grads, _, _, _, places, gradients in tensors:
        for param, grad, place, gradient in zip(params, grads, places, gradients, strict=True):
            step = param - place
            changes.append(whole(((gradient + grad) * step).sum()))
            bends.append(whole(((grad - gradient) * step).sum()))
            dimensions += param.numel()
    if not changes:
        return 0.0, 0.0, 0
    totals = [torch.stack([x.to(changes[0].device) for x in part]).sum() / 2 for part in (changes, bends)]
    slope, bend = torch.stack(totals).tolist()
    return slope, bend, dimensions
