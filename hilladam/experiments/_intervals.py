"""What a count of successes says about the rate behind it."""

import operator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Interval(NamedTuple):
    """The ends of a confidence interval: numbers, or arrays of them."""

    low: float | np.ndarray
    high: float | np.ndarray


def wilson_interval(successes: ArrayLike, runs: int, confidence: float = 0.95) -> Interval:
    """Wilson's interval for the rate of success, from how many of so many independent runs succeeded.

    Wilson (1927), as in :func:`scipy.stats.binomtest`. It stays within 0 and 1, and has a width where all runs succeed.

    Args:
        successes: 0 to ``runs``; or an array of such counts, of any shape.
        runs: how many there were, at least 1.
        confidence: the share of such intervals that hold the true rate, above 0 and below 1.

    Returns:
        ``low`` and ``high``: numbers, or arrays of the shape of ``successes``.

    Raises:
        ValueError: no runs, a count that is no whole number from 0 to ``runs``, or a confidence out of its range.

    Example:
        >>> from hilladam.experiments import wilson_interval
        >>> low, high = wilson_interval(12, 15)
        >>> print(f"{low:.2f} to {high:.2f}")
        0.55 to 0.93
        >>> wilson_interval([0, 12, 15], 15).low.round(2).tolist()
        [0.0, 0.55, 0.8]
    """
    from scipy.stats import binomtest

    try:
        runs = operator.index(runs)
    except TypeError:
        raise ValueError(f"Invalid runs: {runs!r}; expected a whole number >= 1") from None
    if runs < 1:
        raise ValueError(f"Invalid runs: {runs}; expected a whole number >= 1")
    if not 0 < confidence < 1:
        raise ValueError(f"Invalid confidence: {confidence}; expected a number between 0 and 1")
    counts = np.asarray(successes)
    whole = counts.dtype.kind in "iu" or (counts.dtype.kind == "f" and (counts == np.trunc(counts)).all())
    if not whole or not ((0 <= counts) & (counts <= runs)).all():
        raise ValueError(f"Invalid successes: {successes!r}; expected whole numbers from 0 to {runs}")
    ends = [binomtest(int(k), runs).proportion_ci(confidence, method="wilson") for k in counts.flat]
    low, high = (np.reshape([float(end[i]) for end in ends], counts.shape) for i in (0, 1))
    return Interval(low, high) if counts.ndim else Interval(low.item(), high.item())
