"""What Adam really does at a barrier: the ground truth that every criterion of escape is measured against."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from hilladam._checks import finite, whole
from hilladam.theory._way_out import WayOut, way_out

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from hilladam.theory._way_out import Loss


class Passes(NamedTuple):
    """What became of one run of Adam, or of an array of them.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import first_pass
        >>> passes = first_pass(DOUBLE_WELL, 2.0, None, [0.01, 1.5], (0.9, 0.999), steps=1)
        >>> passes.first.tolist(), passes.ever.tolist(), passes.undecided.tolist()
        ([False, False], [False, False], [True, True])
    """

    first: np.ndarray
    """Whether x crossed the barrier's top before any step turned back (bool)."""
    ever: np.ndarray
    """Whether x crossed it at any of the steps taken (bool)."""
    undecided: np.ndarray
    """Whether x neither crossed nor turned back within the steps taken (bool)."""


def first_pass(
    f: "Loss",
    x0: float,
    barrier: float | None,
    lr: "ArrayLike",
    betas: tuple["ArrayLike", "ArrayLike"],
    *,
    eps: float = 1e-8,
    steps: int | None = None,
) -> Passes:
    """Run Adam from ``x0`` with every (λ, β₁, β₂) of an array, in lock step, and say which runs leave the basin.

    The recursion is torch's, in float64, written out so that thousands of settings run at once.
    :func:`torch_first_pass` is the same question put to ``torch.optim.Adam`` itself.

    Args:
        f, x0, barrier: as for :func:`hilladam.theory.way_out`.
        lr: λ > 0, a number or an array.
        betas: (β₁, β₂), numbers or arrays in [0, 1) that broadcast with ``lr``.
        eps: ε ≥ 0, outside the root.
        steps: how many to take, at least 1. Default: the least count that carries a run with steps of λ twice to the
            barrier.

    Returns:
        :class:`Passes` in the common shape of ``lr`` and ``betas``.

    Raises:
        ValueError: a number out of its range; or as :func:`hilladam.theory.way_out`.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import first_pass
        >>> first_pass(DOUBLE_WELL, 2.0, None, [0.01, 0.5], (0.9, 0.999)).first.tolist()
        [False, True]
    """
    way = way_out(f, x0, barrier)
    lr, beta1, beta2, shape = settings(lr, betas, eps)
    steps = math.ceil(2 * way.length / lr.min()) if steps is None else whole("steps", steps, 1)
    crossed, turned, ever = np.zeros((3, lr.size), dtype=bool)
    for u, step in run_adam(way, lr, beta1, beta2, eps, steps):
        ahead = u > way.length
        turned |= (step < 0) & ~crossed
        crossed |= ahead & ~turned
        ever |= ahead
    return Passes(*(a.reshape(shape) for a in (crossed, ever, ~(crossed | turned))))


def adam_path(f: "Loss", x0: float, barrier: float | None, lr: float, betas: tuple[float, float], steps: int, *,
              eps: float = 1e-8) -> np.ndarray:  # fmt: skip
    """The positions x₀, x₁, … of one run of Adam.

    Args:
        f, x0, barrier, lr, betas, eps: as for :func:`first_pass`, of one setting.
        steps: how many, ≥ 0.

    Returns:
        float64 of shape ``(steps + 1,)``, in units of x.

    Raises:
        ValueError: more than one setting; or as :func:`first_pass`.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import adam_path
        >>> adam_path(DOUBLE_WELL, 2.0, None, 0.1, (0.9, 0.999), 3).round(4).tolist()
        [2.0, 1.9, 1.8009, 1.7035]
    """
    way, steps = way_out(f, x0, barrier), whole("steps", steps)
    lr, beta1, beta2 = one_setting(lr, betas, eps)
    travelled = [0.0, *(u.item() for u, _ in run_adam(way, lr, beta1, beta2, eps, steps))]
    return way.x0 + way.direction * np.array(travelled)


def torch_first_pass(ways: Sequence[WayOut], lr: "ArrayLike", beta1: "ArrayLike", beta2: float = 0.999, *,
                     eps: float = 1e-8, steps: int = 2000) -> Passes:  # fmt: skip
    """Ask ``torch.optim.Adam`` itself, for a grid of λ and β₁ and several losses at once.

    Adam takes one β₁ for each parameter group and one λ too. So there is one group for each β₁, and its parameter has
    an element for each loss and λ: the distance travelled in units of that λ. Adam moves this with a learning rate of
    one and is given f′ at the point x₀ + λu: then x moves as Adam with learning rate λ moves it, ε included.

    Args:
        ways: the losses with their starts and barriers.
        lr: λ > 0, shape (losses, lambdas).
        beta1: β₁ in [0, 1), shape (betas,).
        beta2: β₂ in [0, 1).
        eps: ε ≥ 0.
        steps: how many to take, at least 1.

    Returns:
        :class:`Passes` of shape (losses, betas, lambdas).

    Raises:
        ValueError: a number out of its range, or arrays of another shape.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import torch_first_pass, way_out
        >>> torch_first_pass([way_out(DOUBLE_WELL, 2.0)], [[0.1, 0.5]], [0.5, 0.9], steps=40).first.tolist()
        [[[False, False], [False, True]]]
    """
    lr, beta1, steps = finite("lr", lr, above=0), np.asarray(beta1), whole("steps", steps, 1)
    if lr.ndim != 2 or len(lr) != len(ways) or not lr.size:
        raise ValueError(f"Invalid lr: shape {lr.shape}; expected (losses, lambdas), with {len(ways)} losses")
    if beta1.ndim != 1 or not beta1.size:
        raise ValueError(f"Invalid beta1: shape {beta1.shape}; expected (betas,), at least one")
    settings(1.0, (beta1, beta2), eps)
    units = torch.zeros(len(beta1), lr.size, dtype=torch.float64)
    params = [row.requires_grad_() for row in units.unbind()]
    groups = [{"params": [p], "betas": (float(b), beta2)} for p, b in zip(params, beta1, strict=True)]
    optimizer = torch.optim.Adam(groups, lr=1.0, eps=eps, foreach=False)
    grads = torch.zeros_like(units)
    for param, grad in zip(params, grads.unbind(), strict=True):
        param.grad = grad

    def by_loss(tensor):
        return tensor.numpy().reshape(len(beta1), len(ways), -1).swapaxes(0, 1)

    moved, slopes = by_loss(units.detach()), by_loss(grads)
    length = np.array([way.length for way in ways])[:, None, None]
    crossed, turned, ever = np.zeros((3, *moved.shape), dtype=bool)
    for _ in range(steps):
        for way, u, scale, slope in zip(ways, moved, lr, slopes, strict=True):
            slope[...] = -way.push(scale * u)
        before = moved.copy()
        optimizer.step()
        ahead = lr[:, None] * moved > length
        turned |= (moved < before) & ~crossed
        crossed |= ahead & ~turned
        ever |= ahead
    return Passes(crossed, ever, ~(crossed | turned))


def settings(lr, betas, eps=0.0):
    """λ, β₁ and β₂ as flat arrays of one length, and the shape they had in common.

    Raises:
        ValueError: a number out of its range, no setting at all, or shapes that do not broadcast.
    """
    if len(betas) != 2:
        raise ValueError(f"Invalid betas: {betas}; expected two, (beta1, beta2)")
    finite("eps", eps, least=0)
    try:
        lr, beta1, beta2 = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (lr, *betas)))
    except ValueError:
        shapes = [np.shape(a) for a in (lr, *betas)]
        raise ValueError(f"Invalid lr and betas: shapes {shapes}; expected shapes that broadcast") from None
    if not lr.size:
        raise ValueError(f"Invalid lr and betas: shape {lr.shape}; expected at least one setting")
    finite("lr", lr, above=0)
    for index, beta in enumerate((beta1, beta2)):
        if not ((beta >= 0) & (beta < 1)).all():
            raise ValueError(f"Invalid beta parameter at index {index}: {beta}; expected numbers in [0, 1)")
    return lr.ravel(), beta1.ravel(), beta2.ravel(), lr.shape


def one_setting(lr, betas, eps):
    """The same of a single setting, which is all that a path can show."""
    *numbers, shape = settings(lr, betas, eps)
    if shape:
        raise ValueError(f"Invalid lr and betas: shape {shape}; expected single numbers")
    return numbers


def run_adam(way, lr, beta1, beta2, eps, steps):
    """Yield the distance travelled, and the step that led there, of many runs of Adam."""
    u, m, v = np.zeros((3, lr.size))
    power1, power2 = np.ones((2, lr.size))
    for _ in range(steps):
        push = way.push(u)
        m = beta1 * m + (1 - beta1) * push
        v = beta2 * v + (1 - beta2) * push**2
        power1, power2 = power1 * beta1, power2 * beta2
        step = lr * (m / (1 - power1)) / (np.sqrt(v / (1 - power2)) + eps)
        u = u + step
        yield u, step
