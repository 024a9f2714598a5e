"""One step of torch's own Adam for a parameter group, by its functional form."""

from operator import attrgetter
from typing import Any

import torch
from torch import Tensor
from torch.optim.adam import _multi_tensor_adam, _single_tensor_adam, adam
from torch.optim.optimizer import _get_capturable_supported_devices

Prepared = list[list[Tensor]]
"""Parameters, gradients, first and second moments, AMSGrad's maxima and counts of steps, as torch's Adam takes them."""

_KIND = attrgetter("device", "dtype")


def torch_adam(
    group: dict[str, Any], tensors: Prepared, maximize: bool, grad_scale: Tensor | None, found_inf: Tensor | None = None
) -> None:
    """Move the parameters as Adam does; the fused form leaves all as it is where ``found_inf`` is 1."""
    params, grads, averages, squares, maxima, steps = tensors
    if not params:
        return
    (beta1, beta2), lr = group["betas"], group["lr"]
    foreach, decoupled = group["foreach"], group["decoupled_weight_decay"]
    if group["fused"] and isinstance(lr, float) and _alike(params, grad_scale, found_inf):
        # What adam() does, without sorting the tensors by device and type, which takes as long as the step of a few.
        torch._foreach_add_(steps, 1)
        (torch._fused_adamw_ if decoupled else torch._fused_adam_)(
            params, grads, averages, squares, maxima, steps, lr=lr, beta1=beta1, beta2=beta2,
            weight_decay=group["weight_decay"], eps=group["eps"], amsgrad=group["amsgrad"], maximize=maximize,
            grad_scale=grad_scale, found_inf=found_inf,
        )  # fmt: skip
        if found_inf is not None:
            torch._foreach_sub_(steps, [found_inf] * len(steps))
        return
    capturable = not steps[0].is_cpu and all(on_accelerator(step.device) for step in steps)
    if isinstance(lr, Tensor):
        lr = lr.view(())  # torch 2.7 does not take shape (1,)
        if foreach and group["capturable"] and not capturable:
            lr = lr.item()  # on a CPU
    settings: dict[str, Any] = {
        "capturable": capturable, "differentiable": False, "has_complex": any([param.is_complex() for param in params]),
        "amsgrad": group["amsgrad"], "beta1": beta1, "beta2": beta2, "lr": lr, "weight_decay": group["weight_decay"],
        "eps": group["eps"], "maximize": maximize, "decoupled_weight_decay": decoupled, "grad_scale": grad_scale,
        "found_inf": found_inf,
    }  # fmt: skip
    if group["fused"] or foreach is None:
        adam(params, grads, averages, squares, maxima, steps, foreach=foreach, fused=group["fused"], **settings)
    else:  # as adam() does it, which takes as long to choose as the step of one parameter
        move = _multi_tensor_adam if foreach else _single_tensor_adam
        move(params, grads, averages, squares, maxima, steps, **settings)


def on_accelerator(device: torch.device) -> bool:
    """Whether a device computes while the host goes on, and torch's Adam has steps that do not wait for it."""
    return device.type != "cpu" and device.type in _get_capturable_supported_devices()


def _alike(params: list[Tensor], *scalars: Tensor | None) -> bool:
    """Whether all are of one type, and all on one device."""
    kinds = set(map(_KIND, params))
    return len(kinds) == 1 and all(scalar is None or scalar.device == params[0].device for scalar in scalars)
