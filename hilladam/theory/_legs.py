"""A run of Hill-ADAM on x itself, leg by leg: from one turn to the next, with fresh moments and nothing remembered."""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hilladam._checks import decays, finite, whole
from hilladam.theory._way_out import _polynomial, _value_and_slope

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from hilladam.theory._way_out import Loss


class Leg(NamedTuple):
    """What became of legs. :func:`leg` makes it.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import leg
        >>> down = leg(DOUBLE_WELL, 2.0, False, lr=0.03, delta=1e-4, first=True)
        >>> round(float(down.x), 4), int(down.steps)
        (0.9717, 78)
    """

    x: np.ndarray
    """Where it turned, float64; NaN where it did not within the steps allowed."""
    steps: np.ndarray
    """After how many steps (int64)."""
    dead_end: np.ndarray
    """Whether γ turned it, and not δ (bool)."""


def leg(f: "Loss", x: "ArrayLike", maximize: "ArrayLike", lr: "ArrayLike", delta: "ArrayLike" = 1e-4,
        gamma: "ArrayLike" = math.inf, *, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        first: bool = False, steps: int = 5000) -> Leg:  # fmt: skip
    """Follow Hill-ADAM from a turn at ``x`` to its next turn, for every number of an array.

    A turn clears the moments and the remembered loss. So ``x`` and the direction are all that the next leg starts
    from, and two runs that share one turn share all that follow. On a polynomial the places have the bits of
    :func:`hilladam.experiments.run_points`.

    Args:
        f: the loss, as for :func:`hilladam.theory.way_out`.
        x: where the leg starts.
        maximize: whether it climbs.
        lr: λ > 0.
        delta: δ ≥ 0.
        gamma: γ, the loss above which a climb turns.
        betas: (β₁, β₂), each in [0, 1).
        eps: ε ≥ 0, outside the root.
        first: whether it is the first leg of a run. Then the loss at ``x`` is remembered, and the loss after the first
            step is compared with it.
        steps: how many at most, at least 1.

    Returns:
        :class:`Leg` in the common shape of ``x``, ``maximize``, ``lr``, ``delta`` and ``gamma``.

    Raises:
        TypeError: as for :func:`hilladam.theory.way_out`.
        ValueError: a number out of its range.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import leg
        >>> up = leg(DOUBLE_WELL, [0.95, 0.97], True, lr=0.03, delta=1e-4, gamma=200.0)
        >>> up.x.round(2).tolist(), up.dead_end.tolist()  # just inside the minimum, and just outside it
        ([0.08, 3.94], [False, True])
    """
    value, slope = _value_and_slope(_polynomial(f))
    steps, (beta1, beta2), eps = whole("steps", steps, 1), decays(betas), finite("eps", eps, least=0)
    gamma = np.asarray(gamma)
    if np.isnan(gamma).any():
        raise ValueError(f"Invalid gamma: {gamma}; expected numbers")
    given = finite("x", x), np.asarray(maximize), finite("lr", lr, above=0), finite("delta", delta, least=0)
    shape = np.broadcast_shapes(*(a.shape for a in (*given, gamma)))
    x, climbs, lr, delta, gamma = (np.broadcast_to(a, shape).ravel() for a in (*given, gamma))
    stop, count, dead_end = np.full(x.size, np.nan), np.zeros(x.size, np.int64), np.zeros(x.size, bool)

    who, m, v = np.arange(x.size), np.zeros(x.size), np.zeros(x.size)
    remembered = np.where(value(x) > gamma, np.nan, value(x)) if first else np.full(x.size, np.nan)
    uphill = np.where(climbs, lr, -lr)
    power1 = power2 = 1.0
    for step in range(1, steps + 1):
        power1, power2 = power1 * beta1, power2 * beta2
        g = slope(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        x = x + uphill * (m * (1 / (1 - power1))) / (np.sqrt(v * (1 / (1 - power2))) + eps)
        loss = value(x)
        finite_loss = np.abs(loss) < np.inf
        above = finite_loss & (loss > gamma)
        critical = np.abs(loss - remembered) < delta
        turns = np.where(climbs, critical | above, critical & ~above)
        remembered = np.where(finite_loss & ~above, loss, np.nan)
        if turns.any():
            here = who[turns]
            stop[here], count[here], dead_end[here] = x[turns], step, above[turns]
            left = ~turns
            if not left.any():
                break
            who, x, m, v, remembered, uphill, climbs, delta, gamma = (
                a[left] for a in (who, x, m, v, remembered, uphill, climbs, delta, gamma)
            )
    return Leg(*(a.reshape(shape) for a in (stop, count, dead_end)))


def turns(f: "Loss", start: "ArrayLike", lr: "ArrayLike", delta: "ArrayLike" = 1e-4, gamma: "ArrayLike" = math.inf,
          *, count: int, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
          steps: int = 5000) -> Leg:  # fmt: skip
    """Follow whole runs of Hill-ADAM through their first turns: a descent, a climb, a descent and so on.

    Args:
        f, lr, delta, gamma, betas, eps, steps: as for :func:`leg`; ``steps`` is of each leg.
        start: where the runs begin.
        count: how many turns, at least 1.

    Returns:
        :class:`Leg`, its arrays of shape ``(count, …)``, NaN after a leg that did not turn.

    Raises:
        TypeError, ValueError: as for :func:`leg`.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import turns
        >>> run = turns(DOUBLE_WELL, 1.0, lr=0.03, delta=1e-4, gamma=200.0, count=4)
        >>> run.x.round(2).tolist()  # the inner minimum, beyond the top, the other minimum, the top again
        [0.93, 0.08, -1.03, 0.08]
    """
    count = whole("count", count, 1)
    x, lr, delta, gamma = np.broadcast_arrays(start, lr, delta, gamma)
    found = Leg(np.full((count, *x.shape), np.nan), np.zeros((count, *x.shape), np.int64),
                np.zeros((count, *x.shape), bool))  # fmt: skip
    alive = np.ones(x.shape, bool)
    for index in range(count):
        if not alive.any():
            break
        here = leg(f, x[alive], index % 2 == 1, lr[alive], delta[alive], gamma[alive], betas=betas, eps=eps,
                   first=index == 0, steps=steps)  # fmt: skip
        for kept, new in zip(found, here, strict=True):
            kept[index, ...][alive] = new
        x = found.x[index, ...]
        alive = ~np.isnan(x)
    return found
