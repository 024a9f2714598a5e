"""What a count of successes says about the rate behind it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hilladam._checks import finite, whole


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
    from scipy.special import ndtri  # scipy.stats takes half as long to import as torch

    runs = whole("runs", runs, 1)
    if not 0 < confidence < 1:
        raise ValueError(f"Invalid confidence: {confidence}; expected a number between 0 and 1")
    counts = np.asarray(successes)
    are_whole = counts.dtype.kind in "iu" or (counts.dtype.kind == "f" and (counts == np.trunc(counts)).all())
    if not are_whole or not ((0 <= counts) & (counts <= runs)).all():
        raise ValueError(f"Invalid successes: {successes!r}; expected whole numbers from 0 to {runs}")
    z, rates = ndtri(0.5 + 0.5 * confidence), counts / runs
    width = 2 * (runs + z**2)
    middle = (2 * runs * rates + z**2) / width
    half = z / width * np.sqrt(4 * runs * rates * (1 - rates) + z**2)
    low, high = np.where(counts == 0, 0.0, middle - half), np.where(counts == runs, 1.0, middle + half)
    return Interval(low, high) if counts.ndim else Interval(low.item(), high.item())


def cluster_interval(
    outcomes: ArrayLike, clusters: ArrayLike, confidence: float = 0.95, draws: int = 10_000, seed: int = 0
) -> Interval:
    """An interval for a mean over runs that are not independent, because some share a seed, a picture, a start.

    The clusters are independent, so they are what is drawn again, with all their runs: a bootstrap over clusters. A
    bootstrap of few clusters comes out too narrow, so the percentiles are taken further out, as far as Student's t with
    as many degrees of freedom asks for (Hesterberg, The American Statistician 69, 371, 2015). With fewer than ten
    clusters take even that with care, and with one there is no interval.

    Args:
        outcomes: of each run, shape ``(runs,)``: bool, or any numbers.
        clusters: what each run shares with others, shape ``(runs,)``: numbers or names.
        confidence: the share of such intervals that hold the true mean, above 0 and below 1.
        draws: how many bootstrap samples.
        seed: of the draws.

    Raises:
        ValueError: arrays of other shapes, an outcome that is not finite, fewer than two clusters, no draws, or a
            confidence out of its range.

    Example:
        Forty runs, but only four seeds, and the seed decides everything:

        >>> import numpy as np
        >>> from hilladam.experiments import cluster_interval, wilson_interval
        >>> seeds = np.repeat([1, 2, 3, 4], 10)
        >>> print("as if independent: {:.2f} to {:.2f}".format(*wilson_interval(20, 40)))
        as if independent: 0.35 to 0.65
        >>> print("four clusters: {:.2f} to {:.2f}".format(*cluster_interval(seeds < 3, seeds)))
        four clusters: 0.00 to 1.00
    """
    from scipy.special import ndtr, stdtrit

    values, labels = np.asarray(outcomes), np.asarray(clusters)
    if values.ndim != 1 or values.shape != labels.shape:
        raise ValueError(
            f"Invalid clusters: shape {labels.shape} for outcomes of shape {values.shape}; expected (runs,)"
        )
    finite("outcomes", values)
    draws = whole("draws", draws, 1)
    if not 0 < confidence < 1:
        raise ValueError(f"Invalid confidence: {confidence}; expected a number between 0 and 1")
    names, which = np.unique(labels, return_inverse=True)
    count = len(names)
    if count < 2:
        raise ValueError(f"Invalid clusters: {count}; expected at least two")
    sizes, sums = np.bincount(which), np.bincount(which, weights=values)
    picked = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws)
    means = picked @ sums / (picked @ sizes)
    further = ndtr(np.sqrt(count / (count - 1)) * stdtrit(count - 1, (1 - confidence) / 2))
    low, high = np.quantile(means, [further, 1 - further])
    return Interval(float(low), float(high))
