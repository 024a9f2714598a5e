"""Scores of a championship, and what may be said of their differences where runs share a function."""

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hilladam._checks import finite
from hilladam.experiments._protocol import holm


def score(costs: ArrayLike, budget: float) -> np.ndarray:
    """The share of targets that each run met.

    Args:
        costs: shape ``(…, targets)``: the evaluations to each; infinite where it was not met.
        budget: in evaluations.

    Returns:
        Shape ``(…)``, from 0 to 1.

    Example:
        >>> from hilladam.experiments import score
        >>> score([[1, 20, 300, float("inf")], [5, 6, 7, 8]], 100).tolist()
        [0.5, 1.0]
    """
    return (np.asarray(costs, dtype=float) <= budget).mean(axis=-1)


def compare_scores(pairs: Mapping[Hashable, tuple[ArrayLike, ArrayLike]], confidence: float = 0.95) -> pd.DataFrame:
    """Compare scores pair by pair, run for run, where the functions are the sample and not their runs.

    Runs on one function, on its instances and with few variables or many, resemble each other. So each function counts
    once, with the mean of its differences, and the functions are compared by Student's t: its interval, and its test,
    corrected for the number of pairs after Holm.

    Args:
        pairs: by any name, (first, second): scores, two arrays of shape ``(functions, runs)``, in which places belong
            to the same run.
        confidence: of the intervals, above 0 and below 1; each by itself, not corrected.

    Returns:
        A row for each pair: the means ``first`` and ``second``; their ``difference``, from ``low`` to ``high``; ``p``,
        two-sided; and ``corrected``, the same after Holm's correction. Where no function tells the two apart, p is 1.

    Raises:
        ValueError: no pairs, scores that are not finite, or fewer than two functions.

    Example:
        >>> import numpy as np
        >>> from hilladam.experiments import compare_scores
        >>> first = np.array([[0.9, 0.7], [0.5, 0.5], [0.8, 0.8]])
        >>> row = compare_scores({"a pair": (first, first - [[0.1], [0.2], [0.3]])}).loc["a pair"]
        >>> print(f"{row.difference:.2f} ({row.low:.2f} to {row.high:.2f}), p = {row.p:.3f}")
        0.20 (-0.05 to 0.45), p = 0.074
    """
    from scipy.special import stdtr, stdtrit

    if not pairs:
        raise ValueError("Invalid pairs: none; expected at least one")
    if not 0 < confidence < 1:
        raise ValueError(f"Invalid confidence: {confidence}; expected a number between 0 and 1")
    rows = {}
    for name, pair in pairs.items():
        first, second = (finite(f"pair {name!r}", scores) for scores in pair)
        if first.shape != second.shape or first.ndim != 2 or len(first) < 2:
            raise ValueError(
                f"Invalid pair {name!r}: shapes {first.shape} and {second.shape}; expected one (functions, runs) of "
                "two functions or more"
            )
        differences = (first - second).mean(axis=1)
        difference, free = differences.mean(), len(differences) - 1
        error = differences.std(ddof=1) / np.sqrt(len(differences))
        reach = -stdtrit(free, (1 - confidence) / 2) * error
        rows[name] = {
            "first": first.mean(), "second": second.mean(), "difference": difference,
            "low": difference - reach, "high": difference + reach,
            "p": 2 * stdtr(free, -abs(difference) / error) if error else float(difference == 0),
        }  # fmt: skip
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.assign(corrected=holm(table["p"]))
