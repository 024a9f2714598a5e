"""torch.optim.Adam itself, as the truth that the series is held to."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from hilladam._checks import finite, steps_of, whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def record(
    slope: Callable[[torch.Tensor], torch.Tensor],
    x0: "ArrayLike",
    steps: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
) -> tuple[np.ndarray, np.ndarray]:
    """Run ``torch.optim.Adam`` in float64 and keep where it was and which gradients it met.

    Args:
        slope: f′, a function of a float64 tensor, elementwise.
        x0: the starts, finite numbers of any shape; each is a run of its own.
        steps: how many, at least 1.
        lr, betas, eps: as for ``torch.optim.Adam``.

    Returns:
        The states of shape ``(..., steps + 1)`` and the gradients of shape ``(..., steps)``, float64.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> from hilladam.theory import record
        >>> states, grads = record(lambda x: 2 * x, 1.0, 3, lr=0.1)
        >>> states.round(3).tolist(), grads.round(3).tolist()
        ([1.0, 0.9, 0.8, 0.702], [2.0, 1.8, 1.601])
    """
    steps = whole("steps", steps, 1)
    x = torch.tensor(finite("x0", x0))
    opt = torch.optim.Adam([x], lr, betas, eps)
    states, grads = [x.clone()], []
    for _ in range(steps):
        x.grad = slope(x)
        opt.step()
        grads.append(x.grad)
        states.append(x.clone())
    return torch.stack(states, -1).numpy(), torch.stack(grads, -1).numpy()


def replay(
    grads: "ArrayLike",
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

    Raises:
        ValueError: no gradients, or a number out of its range.

    Example:
        >>> from hilladam.theory import replay
        >>> replay([4.0, 4.0, 0.0], lr=0.1).round(4).tolist()
        [-0.1, -0.1, -0.0773]
    """
    grads = torch.tensor(steps_of("grads", grads))
    x = torch.zeros(grads.shape[:-1], dtype=torch.float64)
    opt = torch.optim.Adam([x], lr, betas, eps)
    taken = []
    for grad in grads.unbind(-1):
        x.zero_()
        x.grad = grad.clone()
        opt.step()
        taken.append(x.clone())
    return torch.stack(taken, -1).numpy()
