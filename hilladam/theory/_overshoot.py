"""What Hill-ADAM itself needs to leave a basin: its climb must overshoot the top.

Where a climb stops short of the maximum, the descent that follows starts on the same side and goes back the same way.
"""

import math

from hilladam._checks import decay


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
