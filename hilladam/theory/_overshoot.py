"""What Hill-ADAM itself needs to leave a basin: its climb must overshoot the top.

Where a climb stops short of the maximum, the descent that follows starts on the same side and goes back the same way.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from hilladam.losses import Polynomial
from hilladam.optim import ReferenceHillAdam
from hilladam.theory._checks import decay, decays, finite, whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def overshoot_threshold(beta1: float) -> float:
    """(1 − √β₁)/(1 + √β₁): a climb from rest crosses a quadratic top, with √v̂ = V constant, iff λκ/V is above it.

    Args:
        beta1: β₁ in [0, 1).

    Raises:
        ValueError: β₁ out of its range.

    Example:
        >>> from hilladam.theory import overshoot_threshold
        >>> round(overshoot_threshold(0.9), 4)
        0.0263
    """
    beta1 = decay("beta1", beta1)
    return (1 - math.sqrt(beta1)) / (1 + math.sqrt(beta1))


def largest_delta(curvature: "ArrayLike", lr: "ArrayLike"):
    """(3/2)κλ²: with steps of at most λ, a δ of at least this ends every climb before it crosses a quadratic top.

    Args:
        curvature: κ ≥ 0, the size of f″ at the top: a number or an array.
        lr: λ ≥ 0, likewise.

    Returns:
        δ in units of the loss, float64, in their common shape.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> from hilladam.theory import largest_delta
        >>> largest_delta(4, [0.1, 0.5]).round(6).tolist()
        [0.06, 1.5]
    """
    return 1.5 * finite("curvature", curvature, least=0) * finite("lr", lr, least=0) ** 2


class Climbs(NamedTuple):
    """What became of climbs, one for each member of an ensemble.

    Example:
        >>> from hilladam.losses import Polynomial
        >>> from hilladam.theory import climbs
        >>> climb = climbs(Polynomial("hill", (-1, 0, 0)), -1.0, 0.0, lr=0.1, delta=1e-3)
        >>> bool(climb.finished), bool(climb.crossed)
        (True, True)
    """

    finished: np.ndarray
    """Whether the climb ended, with a switch to minimising (bool)."""
    far: np.ndarray
    """Whether it ended beyond the top (bool)."""
    crossed: np.ndarray
    """Whether it was beyond the top at any time (bool)."""
    rms_slope: np.ndarray
    """V, the root mean square of f′ over the climb's steps."""
    stop: np.ndarray
    """x where it ended; NaN where it did not."""


def climbs(f: Polynomial, x0: "ArrayLike", top: float, lr: "ArrayLike", delta: "ArrayLike", *,
           betas: tuple[float, float] = (0.9, 0.999), steps: int = 5000) -> Climbs:  # fmt: skip
    """Let Hill-ADAM climb on x itself, with fresh moments, until it turns, for every start, λ and δ of an array.

    Args:
        f: the loss.
        x0: the starts, between a minimum and the top.
        top: the maximum that they climb towards.
        lr: λ > 0, broadcast with ``x0``.
        delta: δ ≥ 0, likewise.
        betas: (β₁, β₂), each in [0, 1).
        steps: how many at most, at least 1.

    Returns:
        :class:`Climbs` in the common shape of ``x0``, ``lr`` and ``delta``.

    Raises:
        ValueError: a number out of its range, or a start from which the loss does not rise towards the top.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import climbs, way_out
        >>> top = way_out(DOUBLE_WELL, 2.0).barrier
        >>> climb = climbs(DOUBLE_WELL, 0.5, top, lr=[0.01, 0.1], delta=1e-4)
        >>> climb.finished.tolist(), climb.far.tolist()
        ([True, True], [False, True])
    """
    top, steps, betas = finite("top", top).item(), whole("steps", steps, 1), decays(betas)
    x0, lr, delta = np.broadcast_arrays(finite("x0", x0), finite("lr", lr, above=0), finite("delta", delta, least=0))
    shape, side = x0.shape, np.sign(top - x0.ravel())
    if not (side * f.derivative(x0.ravel()) > 0).all():
        raise ValueError(f"Invalid x0: {x0}; expected starts from which the loss rises towards top = {top}")
    x = torch.tensor(x0.reshape(-1, 1))
    optimizer = ReferenceHillAdam(
        [x], torch.tensor(lr.ravel()), betas, delta=torch.tensor(delta.ravel()), gamma=math.inf
    )
    optimizer.maximize = ~optimizer.maximize
    squares, count = np.zeros((2, x0.size))
    finished, crossed = np.zeros((2, x0.size), dtype=bool)
    stop = np.full(x0.size, math.nan)
    for _ in range(steps):
        slope, here = f.derivative(x), x[:, 0].numpy().copy()
        optimizer.step(f(x[:, 0]), [slope])
        crossed |= ~finished & (side * (here - top) > 0)
        ends = ~optimizer.maximize.numpy() & ~finished
        stop[ends] = here[ends]
        finished |= ends
        if finished.all():
            break
        squares += ~finished * slope[:, 0].numpy() ** 2
        count += ~finished
    far = finished & (side * (stop - top) > 0)
    rms = np.sqrt(squares / np.maximum(count, 1))
    return Climbs(*(a.reshape(shape) for a in (finished, far, crossed, rms, stop)))
