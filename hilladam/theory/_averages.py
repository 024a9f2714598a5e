"""What a moving average remembers: the weights of Equations 2–9, as numbers."""

from typing import TYPE_CHECKING

import numpy as np

from hilladam._checks import decay, finite, one_of, steps_of, whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

STARTS = ("zero", "first")


def weights(t: int, beta: float, start: str = "zero") -> np.ndarray:
    """The weight of each of ``t`` values in their moving average (Equation 9).

    Args:
        t: how many values there are, at least 1. The paper's G is t − 1: it counts from g₀.
        beta: β in [0, 1).
        start: ``"zero"``, torch's and Algorithm 1's way: the average starts at 0 and is divided by 1 − βᵗ, so the
            weights are (1−β) βᵗ⁻ᵏ/(1−βᵗ); ``"first"``, Equation 3's: the average starts at the first value, which
            then weighs βᵗ⁻¹, and the others (1−β) βᵗ⁻ᵏ.

    Returns:
        float64 of shape ``(t,)``, the oldest value's weight first; their sum is 1.

    Raises:
        ValueError: a number out of its range, or another start.

    Example:
        >>> from hilladam.theory import weights
        >>> weights(3, 0.5, "first").tolist()
        [0.25, 0.25, 0.5]
        >>> weights(3, 0.5).round(4).tolist()
        [0.1429, 0.2857, 0.5714]
    """
    t, beta = whole("t", t, 1), _checked(beta, start)
    powers = beta ** np.arange(t - 1, -1, -1.0)
    if start == "zero":
        return (1 - beta) / (1 - beta**t) * powers
    powers[1:] *= 1 - beta
    return powers


def weight_matrix(t: int, beta: float, start: str = "zero") -> np.ndarray:
    """:func:`weights` for 1, 2, … up to ``t`` values, one row each, with zeros for the values still to come.

    Args:
        t, beta, start: as for :func:`weights`.

    Returns:
        float64 of shape ``(t, t)``. ``weight_matrix(t, beta) @ values`` is the series itself; :func:`moving_average`
        gives the same numbers in t operations instead of t².

    Raises:
        ValueError: as for :func:`weights`.

    Example:
        >>> from hilladam.theory import weight_matrix
        >>> weight_matrix(3, 0.5, "first").tolist()
        [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.25, 0.25, 0.5]]
    """
    t, beta = whole("t", t, 1), _checked(beta, start)
    steps = np.arange(t)
    lags = np.tril(steps[:, None] - steps)
    rows = np.tril((1 - beta) * beta**lags)
    if start == "zero":
        return rows / (1 - beta ** (steps[:, None] + 1))
    rows[:, 0] = beta**steps
    return rows


def moving_average(values: "ArrayLike", beta: float, start: str = "zero") -> np.ndarray:
    """The moving average after each value: the series of Equation 8, as ``scipy.signal.lfilter`` sums it.

    Args:
        values: shape ``(..., t)``, the oldest first; anything that numpy takes as float64.
        beta, start: as for :func:`weights`.

    Returns:
        float64 of the same shape; NaN from a NaN on, and after an infinite value.

    Raises:
        ValueError: no values, or as for :func:`weights`.

    Example:
        >>> from hilladam.theory import moving_average
        >>> moving_average([8, 0, 4], 0.5, "first").tolist()
        [8.0, 4.0, 4.0]
        >>> moving_average([8, 0, 4], 0.5).round(4).tolist()
        [8.0, 2.6667, 3.4286]
    """
    from scipy.signal import lfilter

    beta, values = _checked(beta, start), steps_of("values", values)
    before = values[..., :1] if start == "first" else np.zeros_like(values[..., :1])
    averages, _ = lfilter([1 - beta], [1, -beta], values, zi=beta * before)
    if start == "zero":
        averages /= 1 - beta ** np.arange(1, values.shape[-1] + 1)
    return averages


def mean_lag(t: "ArrayLike", beta: float, start: str = "zero"):
    """How many steps old the average's content is: the weighted mean of 0 for the newest value, 1 for the one before …

    Args:
        t: how many values there are, at least 1: a number or an array of any shape.
        beta, start: as for :func:`weights`.

    Returns:
        β/(1−β) − t βᵗ/(1−βᵗ) for the zero start and β (1−βᵗ⁻¹)/(1−β) for the other, float64, shaped like ``t``. Both
        grow from 0 to β/(1−β).

    Raises:
        ValueError: as for :func:`weights`.

    Example:
        >>> from hilladam.theory import mean_lag
        >>> mean_lag([1, 10, 1000], 0.9).round(2).tolist()
        [0.0, 3.65, 9.0]
    """
    t, beta = finite("t", t, least=1), _checked(beta, start)
    if start != "zero":
        return beta * (1 - beta ** (t - 1)) / (1 - beta)
    away = 1 - beta
    lag = beta / away - t * beta**t / (1 - beta**t)
    # For β → 1 both terms grow without bound and little is left of their difference, which has a series in −ln β.
    nearly_even = (t - 1) / 2 - (away + away**2 / 2) * (t**2 - 1) / 12
    return np.where(t * away < 1e-3, nearly_even, lag)[()]


def _checked(beta, start):
    one_of("start", start, STARTS)
    return decay("beta parameter at index 0", beta)
