"""torch.optim.Adam itself, as the truth that the series is held to."""

from collections.abc import Callable

import numpy as np
import torch


def record(
    slope: Callable,
    x0,
    steps: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
) -> tuple[np.ndarray, np.ndarray]:
    """Run ``torch.optim.Adam`` in float64 and keep where it was and which gradients it met.

    Args:
        slope: f′, a function of a float64 tensor, elementwise.
        x0: the starts, of any shape; each is a run of its own.
        steps: how many.
        lr, betas, eps: as for ``torch.optim.Adam``.

    Returns:
        The states of shape ``(..., steps + 1)`` and the gradients of shape ``(..., steps)``.
    """
    x = torch.tensor(x0, dtype=torch.float64)
    opt = torch.optim.Adam([x], lr, betas, eps)
    states, grads = [x.clone()], []
    for _ in range(steps):
        x.grad = slope(x)
        opt.step()
        grads.append(x.grad)
        states.append(x.clone())
    return torch.stack(states, -1).numpy(), torch.stack(grads, -1).numpy()


def replay(
    grads,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
) -> np.ndarray:
    """The steps that ``torch.optim.Adam`` takes when it is fed these gradients, whatever loss they come from.

    The parameter is put back to zero before every step, so that a step comes back as torch computed it. The difference
    of two states would have lost the digits that their sum cannot hold.

    Args:
        grads: shape ``(..., t)``, the oldest first.
        lr, betas, eps: as for ``torch.optim.Adam``.

    Returns:
        float64 of the same shape.
    """
    grads = torch.tensor(np.asarray(grads), dtype=torch.float64)
    x = torch.zeros(grads.shape[:-1], dtype=torch.float64)
    opt = torch.optim.Adam([x], lr, betas, eps)
    taken = []
    for grad in grads.unbind(-1):
        x.zero_()
        x.grad = grad.clone()
        opt.step()
        taken.append(x.clone())
    return torch.stack(taken, -1).numpy()
