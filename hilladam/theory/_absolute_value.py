"""Adam on f(x) = |x|, where the first overshoot can be written down exactly."""

import math

import numpy as np


def overshoot_in_steps(beta1: float, approach: float = math.inf) -> float:
    r"""D, how far past 0 the averaged gradient carries x, in units of λ, after the step that crosses.

    With n gradients of −1 before the crossing, step k after it is λ(2β₁ᵏ − 1 − β₁ⁿ⁺ᵏ)/(1 − β₁ⁿ⁺ᵏ), and D is the sum of
    those that are positive (over λ). As n → ∞ that is Σ_{k ≤ ⌊ln 2/ln(1/β₁)⌋} (2β₁ᵏ − 1).

    Args:
        beta1: β₁ in [0, 1).
        approach: n, how many gradients were taken on the near side; default: infinitely many.

    Raises:
        ValueError: β₁ out of its range.
    """
    if not 0.0 <= beta1 < 1.0:
        raise ValueError(f"Invalid beta1: {beta1}; expected a number in [0, 1)")
    if beta1 == 0.0:
        return 0.0
    k = np.arange(1, math.floor(math.log(2) / -math.log(beta1) + 1e-12) + 1)
    old = beta1 ** (approach + k)
    steps = (2 * beta1**k - 1 - old) / (1 - old)
    return float(steps[steps > 0].sum())


def overshoot_of_absolute_value(x0, lr, beta1: float):
    """How far past 0 Adam goes in its first pass over ``|x|``, exactly, for ε = 0.

    The approach has n = ⌈q⌉ steps of λ each, with ``q = |x₀|/λ``, and leaves n − q of a step over: the overshoot is
    λ(n − q + D), so it lies in [D, D + 1)·λ. β₂ drops out, because every squared gradient is 1.

    Args:
        x0: the start, not 0, a number or an array; q must not be a whole number, or x lands on 0 itself.
        lr: λ > 0.
        beta1: β₁ in [0, 1).

    Returns:
        The overshoot in units of x, ≥ 0, shaped like ``x0``.
    """
    distance = np.abs(np.asarray(x0, dtype=float)) / lr
    steps = np.ceil(distance)
    past = np.vectorize(lambda n: overshoot_in_steps(beta1, n), otypes=[float])(steps)
    return lr * (steps - distance + past)
