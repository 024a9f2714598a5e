"""The protocol of the race, and of the book's other comparisons where they do not say otherwise: what makes them fair.

1. *Budget.* Everybody gets the same number of evaluations of the loss with its gradient; see :class:`Budget`.
2. *Tuning.* Whoever has a learning rate gets the one that :func:`tune` finds for it, on starts that are not compared.
3. *Runs.* A thousand in the race, the same for everybody: run k has the same start and box whoever runs it.
4. *One rate* comes with Wilson's interval, :func:`wilson_interval`; where runs share a seed or a picture, with that of
   :func:`cluster_interval`. Table 2's four seeds are too few for it: there each of them counts as one run in Wilson's.
5. *Two rates* on the same runs are compared by :func:`compare`: an exact test of the runs in which only one of the two
   succeeded, corrected for the number of comparisons, and an interval for the difference, each by itself. Where the
   corrected p is above 0.05 the text says that no difference was seen, and gives the interval; it never says "equal".
"""

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hilladam.experiments._intervals import Interval

CLOSE = 0.01
"""How far above the global minimum a loss may be and still count as there."""

RATES = tuple(round(10 ** (k / 2), 8) for k in range(-10, 3))
"""The learning rates that :func:`tune` tries first: 0.00001 to 10, two to a factor of ten, with eight decimals."""


class Tuning(NamedTuple):
    """What :func:`tune` found.

    Example:
        >>> from hilladam.experiments import Tuning
        >>> Tuning(0.1, {0.01: [9.0, float("inf")], 0.1: [3.0, 4.0]}).successes
        {0.01: 1, 0.1: 2}
    """

    lr: float
    """The chosen λ."""
    trials: dict[float, np.ndarray]
    """What each λ cost each run, by λ in ascending order."""

    @property
    def successes(self) -> dict[float, int]:
        """How many runs succeeded, by λ."""
        return {rate: int(np.isfinite(costs).sum()) for rate, costs in self.trials.items()}


def tune(
    trial: Callable[[Sequence[float]], ArrayLike],
    budget: float,
    rates: Iterable[float] = RATES,
    lowest: float = 1e-10,
    highest: float = 1e4,
) -> Tuning:
    """The learning rate with which a contender succeeds most often.

    Of rates that succeed equally often the one with the fewest evaluations, summed over the runs, is taken, where a run
    that fails counts with the whole budget; of those that are equal in this too, the smallest. Where the best of the
    rates is the smallest or the largest of them, the grid is widened on that side, by the factor between its two
    outermost rates and rounded to six digits, until an inner one is best. Where no rate succeeds at all there is
    nothing to choose by, and the one in the middle is taken.

    Args:
        trial: takes a list of rates to what each run cost with each of them, shape ``(rates, runs)``: the evaluations
            to the target, infinite where the run failed. The runs should be others than those of the comparison.
        budget: the evaluations of each run.
        rates: the grid to begin with, at least three.
        lowest, highest: where widening ends.

    Raises:
        ValueError: fewer than three rates, one not above 0 or twice, a cost that is NaN, or a best rate that is still
            an end of the grid when widening has reached ``lowest`` or ``highest``.

    Example:
        >>> import numpy as np
        >>> from hilladam.experiments import tune
        >>> def bowl(rates):  # one run: too large a step fails; below that, larger is sooner
        ...     return [[1 / lr if lr < 1 else np.inf] for lr in rates]
        >>> tune(bowl, budget=1000, rates=(0.001, 0.01, 0.1)).lr  # 1 was tried too, and failed
        0.1
    """
    grid = sorted(map(float, rates))
    if len(set(grid)) < max(len(grid), 3) or not all(0 < rate < math.inf for rate in grid):
        raise ValueError(f"Invalid rates: {grid}; expected at least three different numbers above 0")
    trials: dict[float, np.ndarray] = {}

    def add(new):
        costs = np.asarray(trial(new), dtype=float)
        if np.isnan(costs).any():
            raise ValueError(f"Invalid trial: NaN at a rate of {new}; expected what each run cost, infinite if in vain")
        trials.update(zip(new, costs, strict=True))

    def score(rate):
        costs = trials[rate]
        return np.isfinite(costs).sum(), -np.minimum(costs, budget).sum(), -rate

    add(grid)
    while any(np.isfinite(costs).any() for costs in trials.values()):
        best = max(grid, key=score)
        if best not in (grid[0], grid[-1]):
            return Tuning(best, {rate: trials[rate] for rate in grid})
        wider = _rounded(best**2 / (grid[1] if best == grid[0] else grid[-2]))
        if not lowest <= wider <= highest:
            raise ValueError(f"Invalid rates: the best, {best}, is an end of what may be tried, {lowest} to {highest}")
        add([wider])
        grid = sorted(trials)
    return Tuning(grid[len(grid) // 2], trials)


def _rounded(rate: float) -> float:
    return float(f"{rate:.6g}")


def compare(pairs: Mapping[Hashable, tuple[ArrayLike, ArrayLike]], confidence: float = 0.95) -> pd.DataFrame:
    """Compare successes pair by pair, each on the same runs, and correct for the number of pairs.

    Runs in which both succeed or both fail say nothing of which is better. If the two are equally good, each of the
    others is as likely to go to the one as to the other, so that their number is binomial: this is McNemar's test in
    its exact form. The correction for a family of comparisons is Holm's (1979): with it, the chance that any of the
    table's equal pairs is called different is at most 1 − ``confidence``. The difference of the two rates has Tango's
    score interval, see :func:`difference_interval`; each by itself, not corrected for their number.

    Args:
        pairs: by any name, (first, second): whether each run succeeded, two arrays of shape ``(runs,)``, bool, in which
            place k belongs to the same run. Where a run shares a seed or a picture with another they are not
            independent; see :func:`cluster_interval`.
        confidence: of the intervals of the differences, above 0 and below 1; each by itself.

    Returns:
        A row for each pair: the rates ``first`` and ``second``; how many runs ``only_first`` and ``only_second``
        succeeded in; the ``difference`` of the rates, first less second, from ``low`` to ``high``; ``p``, two-sided;
        and ``corrected``, the same after Holm's correction.

    Raises:
        ValueError: no pairs, arrays that are not bool or not of one shape, or a confidence out of its range.

    Example:
        >>> import numpy as np
        >>> from hilladam.experiments import compare
        >>> first = np.array([True] * 90 + [False] * 10)
        >>> second = np.array([True] * 70 + [False] * 30)
        >>> row = compare({"one pair": (first, second)}).iloc[0]
        >>> print(f"{row.only_first:.0f} to {row.only_second:.0f}, {row.low:.2f} to {row.high:.2f}, p = {row.p:.0e}")
        20 to 0, 0.13 to 0.29, p = 2e-06
    """
    from scipy.special import bdtr

    if not pairs:
        raise ValueError("Invalid pairs: none; expected at least one")
    rows = {}
    for name, (first, second) in pairs.items():
        a, b = np.asarray(first), np.asarray(second)
        if a.dtype != bool or b.dtype != bool or a.shape != b.shape or a.ndim != 1 or not a.size:
            raise ValueError(
                f"Invalid pair {name!r}: {a.dtype} of shape {a.shape} and {b.dtype} of shape {b.shape}; expected two "
                "arrays of bool of one shape (runs,)"
            )
        one, other = int((a & ~b).sum()), int((b & ~a).sum())
        low, high = difference_interval(one, other, a.size, confidence)
        rows[name] = {
            "first": a.mean(), "second": b.mean(), "only_first": one, "only_second": other,
            "difference": (one - other) / a.size, "low": low, "high": high,
            "p": min(1.0, 2 * bdtr(min(one, other), one + other, 0.5)),  # as often as that, or rarer, if a coin decides
        }  # fmt: skip
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.assign(corrected=holm(table["p"]))


def difference_interval(only_first: int, only_second: int, runs: int, confidence: float = 0.95) -> Interval:
    """Tango's score interval for the difference of two rates on the same runs.

    It holds every difference that the score test for pairs does not reject (Tango, Statistics in Medicine 17, 891,
    1998). It keeps its word near the ends, where both contenders nearly always succeed: Wald's interval, also with half
    a run added to each of the four outcomes, is too narrow there. If no run tells the two apart it is
    ±z²/(runs + z²), where z is the normal quantile.

    Args:
        only_first, only_second: how many runs only one of the two succeeded in.
        runs: how many there were.
        confidence: the share of such intervals that hold the true difference, about; above 0 and below 1.

    Returns:
        ``low`` and ``high``, from −1 to 1, of the rate of the first less that of the second.

    Raises:
        ValueError: counts that do not fit the runs, or a confidence out of its range.

    Example:
        >>> from hilladam.experiments import difference_interval
        >>> for counts in ((7, 3), (0, 0)):
        ...     low, high = difference_interval(*counts, 1000)
        ...     print(f"{low:+.4f} to {high:+.4f}")
        -0.0026 to +0.0117
        -0.0038 to +0.0038
    """
    from scipy.special import ndtri

    if runs < 1 or min(only_first, only_second) < 0 or only_first + only_second > runs:
        raise ValueError(f"Invalid counts: {only_first} and {only_second} of {runs} runs")
    if not 0 < confidence < 1:
        raise ValueError(f"Invalid confidence: {confidence}; expected a number between 0 and 1")
    z = -float(ndtri((1 - confidence) / 2))
    return Interval(_score_low(only_first, only_second, runs, z), -_score_low(only_second, only_first, runs, z))


def _score_low(b: int, c: int, n: int, z: float) -> float:
    """The lowest difference that lies less than z standard errors below the one observed, by bisection."""
    low, high = -1.0, (b - c) / n
    for _ in range(60):
        d = (low + high) / 2
        # The share of runs of the second outcome that is likeliest if the true difference is d.
        linear = (2 * n - b + c) * d - b - c
        share = (math.sqrt(linear**2 + 8 * n * c * d * (1 - d)) - linear) / (4 * n)
        variance = max(n * (2 * share + d * (1 - d)), 0.0)
        if b - c - n * d > z * math.sqrt(variance):
            low = d
        else:
            high = d
    return low


def holm(p: ArrayLike) -> np.ndarray:
    """p-values corrected for their number, after Holm (1979): for independent tests or not.

    Args:
        p: from 0 to 1, shape ``(tests,)``.

    Returns:
        Shape ``(tests,)``, from ``p`` to 1.

    Raises:
        ValueError: an array of another shape, or what is no probability.

    Example:
        >>> from hilladam.experiments import holm
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    p = np.asarray(p, dtype=float)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"Invalid p: {p}; expected numbers from 0 to 1, of shape (tests,)")
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    corrected = np.empty(p.size)
    corrected[order] = np.minimum(raised, 1.0)
    return corrected
