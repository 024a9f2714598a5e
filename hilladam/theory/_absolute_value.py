"""Adam on f(x) = |x|, where the first overshoot can be written down exactly."""

import math
from typing import TYPE_CHECKING

import numpy as np

from hilladam._checks import decay, finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def overshoot_in_steps(beta1: float, approach: float = math.inf) -> float:
    r"""D, how far past 0 the averaged gradient carries x, in units of λ, after the step that crosses.

    With n gradients of −1 before the crossing, step k after it is λ(2β₁ᵏ − 1 − β₁ⁿ⁺ᵏ)/(1 − β₁ⁿ⁺ᵏ), and D is the sum of
    those that are positive (over λ). As n → ∞ that is Σ_{k ≤ ⌊ln 2/ln(1/β₁)⌋} (2β₁ᵏ − 1).

    Args:
        beta1: β₁ in [0, 1).
        approach: n, how many gradients were taken on the near side, at least 1; default: infinitely many.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> from hilladam.theory import overshoot_in_steps
        >>> round(overshoot_in_steps(0.9), 3), round(overshoot_in_steps(0.9, approach=1), 3)
        (2.434, 0.0)
    """
    beta1 = decay("beta1", beta1)
    if not (approach >= 1 and (approach == math.inf or approach == math.floor(approach))):
        raise ValueError(f"Invalid approach: {approach}; expected a whole number >= 1, or infinity")
    if beta1 == 0.0:
        return 0.0
    k = np.arange(1, math.floor(math.log(2) / -math.log(beta1)) + 1)
    old = beta1 ** (approach + k)
    steps = (2 * beta1**k - 1 - old) / (1 - old)
    return float(steps[steps > 0].sum())


def overshoot_of_absolute_value(x0: "ArrayLike", lr: "ArrayLike", beta1: float):
    """How far past 0 Adam goes in its first pass over ``|x|``, exactly, for ε = 0.

    The approach has n = ⌈q⌉ steps of λ each, with ``q = |x₀|/λ``, and leaves n − q of a step over: the overshoot is
    λ(n − q + D), so it lies in [D, D + 1)·λ. β₂ drops out, because every squared gradient is 1.

    Args:
        x0: the start, not 0, a number or an array; q must not be a whole number, or x lands on 0 itself.
        lr: λ > 0, a number or an array that broadcasts with ``x0``.
        beta1: β₁ in [0, 1).

    Returns:
        The overshoot in units of x, > 0, float64, in the common shape of ``x0`` and ``lr``.

    Raises:
        ValueError: a number out of its range, or a start that is, to rounding, a whole number of steps away from 0.

    Example:
        >>> from hilladam.theory import overshoot_of_absolute_value
        >>> overshoot_of_absolute_value([-2.005, -2.008], 0.01, 0.9).round(4).tolist()
        [0.0293, 0.0263]
    """
    beta1, lr = decay("beta1", beta1), finite("lr", lr, above=0)
    distance = np.abs(finite("x0", x0)) / lr
    if (np.abs(distance - np.rint(distance)) <= 4 * np.finfo(float).eps * distance).any():
        raise ValueError(f"Invalid x0: {x0}; expected starts that are no whole multiple of lr = {lr}")
    steps = np.ceil(distance)
    past = np.vectorize(lambda n: overshoot_in_steps(beta1, n), otypes=[float])(steps)
    return lr * (steps - distance + past)
