"""What a moving average remembers: the weights of Equations 2–9, as numbers."""

import numpy as np

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
    """
    check(start, beta)
    if t < 1:
        raise ValueError(f"Invalid t: {t}; expected at least 1")
    powers = beta ** np.arange(t - 1, -1, -1.0)
    if start == "zero":
        return (1 - beta) / (1 - beta**t) * powers
    powers[1:] *= 1 - beta
    return powers


def weight_matrix(t: int, beta: float, start: str = "zero") -> np.ndarray:
    """:func:`weights` for 1, 2, … up to ``t`` values, one row each, with zeros for the values still to come.

    Returns:
        float64 of shape ``(t, t)``. ``weight_matrix(t, beta) @ values`` is the series itself; :func:`moving_average`
        gives the same numbers in t operations instead of t².
    """
    check(start, beta)
    steps = np.arange(t)
    lags = np.tril(steps[:, None] - steps)
    rows = np.tril((1 - beta) * beta**lags)
    if start == "zero":
        return rows / (1 - beta ** (steps[:, None] + 1))
    rows[:, 0] = beta**steps
    return rows


def moving_average(values, beta: float, start: str = "zero") -> np.ndarray:
    """The moving average after each value: the series of Equation 8, summed by Horner's rule.

    Args:
        values: shape ``(..., t)``, the oldest first; anything that numpy takes as float64.
        beta, start: as for :func:`weights`.

    Returns:
        float64 of the same shape.
    """
    check(start, beta)
    values = np.asarray(values, dtype=np.float64)
    averages = np.empty_like(values)
    average = values[..., 0] if start == "first" else np.zeros(values.shape[:-1])
    for step in range(values.shape[-1]):
        average = beta * average + (1 - beta) * values[..., step]
        averages[..., step] = average
    if start == "zero":
        averages /= 1 - beta ** np.arange(1, values.shape[-1] + 1)
    return averages


def mean_lag(t, beta: float, start: str = "zero"):
    """How many steps old the average's content is: the weighted mean of 0 for the newest value, 1 for the one before …

    Args:
        t: how many values there are, at least 1: a number or an array of any shape.
        beta, start: as for :func:`weights`.

    Returns:
        β/(1−β) − t βᵗ/(1−βᵗ) for the zero start and β (1−βᵗ⁻¹)/(1−β) for the other, shaped like ``t``. Both grow from
        0 to β/(1−β).
    """
    check(start, beta)
    t = np.asarray(t, dtype=np.float64)
    if start == "zero":
        return beta / (1 - beta) - t * beta**t / (1 - beta**t)
    return beta * (1 - beta ** (t - 1)) / (1 - beta)


def check(start: str = "zero", *betas: float) -> None:
    """Raise torch's error for a β that is none, and one for a start."""
    for index, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {index}: {beta}")
    if start not in STARTS:
        raise ValueError(f"Invalid start: {start!r}; expected one of {STARTS}")
