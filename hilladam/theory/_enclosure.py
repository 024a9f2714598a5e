"""A rigorous enclosure of the return map on an interval, which can prove that the interval is a prison."""

import math
from typing import NamedTuple

import numpy as np

from hilladam._checks import decays, finite, whole
from hilladam.losses import Polynomial

_ROUNDING = 2.0**-50  # generous: every operation below rounds a few numbers to 2⁻⁵³


class _Cells:
    """Numbers ``c + aε + ρ`` with ε from −1 to 1 and ``|ρ| ≤ r``, a row of cells that share each its ε.

    What is linear in the start is kept as such, so that it cancels where it should; all else goes into r, the errors
    of rounding too.
    """

    __array_ufunc__ = None

    def __init__(self, c, a=0.0, r=0.0):
        c, a, r = np.broadcast_arrays(c, a, r)
        self.c, self.a, self.r = c, a, r + _ROUNDING * (np.abs(c) + np.abs(a) + r)

    @property
    def reach(self):
        return (np.abs(self.a) + self.r) * (1 + _ROUNDING)

    @property
    def low(self):
        return self.c - self.reach - _ROUNDING * np.abs(self.c)

    @property
    def high(self):
        return self.c + self.reach + _ROUNDING * np.abs(self.c)

    def __getitem__(self, which):
        return _Cells(self.c[which], self.a[which], self.r[which])

    def __add__(self, other):
        if not isinstance(other, _Cells):
            return _Cells(self.c + other, self.a, self.r)
        return _Cells(self.c + other.c, self.a + other.a, self.r + other.r)

    def __mul__(self, other):
        if not isinstance(other, _Cells):
            return _Cells(self.c * other, self.a * other, self.r * np.abs(other))
        square = np.abs(self.a * other.a)
        r = square + (np.abs(self.c) + np.abs(self.a)) * other.r + (np.abs(other.c) + other.reach) * self.r
        return _Cells(self.c * other.c, self.c * other.a + self.a * other.c, r)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return _Cells(-self.c, -self.a, self.r)

    def _smooth(self, value, first, second):
        """A function of this by Taylor's theorem, from a bound on its second derivative."""
        return _Cells(value, first * self.a, np.abs(first) * self.r + second * self.reach**2 / 2)

    def root(self):
        low = np.maximum(self.low, 0.0)
        return self._smooth(np.sqrt(self.c), 0.5 / np.sqrt(self.c), 0.25 * low**-1.5)

    def inverse(self):
        low = np.maximum(self.low, 0.0)
        return self._smooth(1 / self.c, -1 / self.c**2, 2 * low**-3.0)


class Enclosure(NamedTuple):
    """What :func:`enclose_return` proves: from its interval every round ends between ``low`` and ``high``.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import enclose_return
        >>> found = enclose_return(DOUBLE_WELL, 1.004, 1.0052, lr=0.03, delta=1e-4, gamma=200.0, cells=1000)
        >>> 1.004 < found.low < found.high < 1.0052  # the interval is mapped into itself
        True
    """

    low: float
    """No bottom turn lies to the left of this; −∞ where nothing could be proved."""
    high: float
    """None lies to the right of this; +∞ where nothing could be proved."""


def enclose_return(f: Polynomial, low: float, high: float, lr: float, delta: float, gamma: float = math.inf, *,
                   betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, cells: int = 2000,
                   steps: int = 3000) -> Enclosure:  # fmt: skip
    """Bound the return map on an interval of bottom turns, by interval arithmetic to first order.

    The interval is cut into cells. For each, position, moments and losses are kept as a number, plus a multiple of the
    place within the cell, plus a bound on all the rest; every rounding goes into the bound. Where it is not sure that a
    leg turns at a step, both are followed: the turn counts, and the leg goes on. So the result holds for every real
    number of the interval, with Algorithm 1 in exact arithmetic.

    Args:
        f: a polynomial, with its coefficients as floating-point numbers.
        low, high: the interval, on one side of a minimum.
        lr, delta, gamma, betas, eps: single numbers, as for :func:`hilladam.theory.leg`.
        cells: into how many to cut it, at least 1. More are sharper.
        steps: how many a leg may take.

    Returns:
        :class:`Enclosure`, from −∞ to ∞ where cells are too wide or a leg too long.

    Raises:
        ValueError: a number out of its range, or an interval that is empty.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import enclose_return
        >>> enclose_return(DOUBLE_WELL, 0.95, 1.0, lr=0.03, delta=1e-4, cells=4)  # the minimum lies in one of them
        Enclosure(low=-inf, high=inf)
    """
    low, high = finite("low", low).item(), finite("high", high).item()
    if not low < high:
        raise ValueError(f"Invalid high: {high}; expected a number above low = {low}")
    if math.isnan(gamma):
        raise ValueError(f"Invalid gamma: {gamma}; expected a number")
    lr, delta, eps = finite("lr", lr, above=0), finite("delta", delta, least=0), finite("eps", eps, least=0)
    setting = lr, delta, gamma, decays(betas), eps, whole("steps", steps, 1)
    edges = np.linspace(low, high, whole("cells", cells, 1) + 1)
    starts = _Cells((edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2)
    with np.errstate(all="ignore"):  # cells that grow beyond all bounds give up
        tops = _legs(f, starts, True, *setting)
        bottoms = None if tops is None else _legs(f, tops, False, *setting)
    if bottoms is None:
        return Enclosure(-math.inf, math.inf)
    return Enclosure(float(bottoms.low.min()), float(bottoms.high.max()))


def _legs(f, x, climbs, lr, delta, gamma, betas, eps, steps):
    """All places where legs from ``x`` may turn; None if they cannot be followed."""
    m = v = _Cells(np.zeros_like(x.c))
    power1 = power2 = 1.0
    known = np.zeros(x.c.shape, bool)  # whether it is sure that the loss before is remembered
    ends = []
    for step in range(1, steps + 1):
        power1, power2 = power1 * betas[0], power2 * betas[1]
        g = _quotient(f, x, x)
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * (g * g)
        # A product of n factors is right to n roundings.
        mean, square = (
            average * _Cells(np.full_like(x.c, 1 / (1 - power)), 0.0, _ROUNDING * step / (1 - power) ** 2)
            for average, power in ((m, power1), (v, power2))
        )
        if not (square.low > 0).all():
            return None
        move = lr * (mean * (square.root() + eps).inverse())
        move = move if climbs else -move
        x, old = x + move, x
        loss = _value(f, x)
        may = must = np.zeros(x.c.shape, bool)  # the first loss has nothing to be compared with
        if step > 1:
            change = move * _quotient(f, x, old)
            may = (change.low < delta) & (change.high > -delta)
            must = known & (change.high < delta) & (change.low > -delta)
        if climbs:
            may, must = may | (loss.high > gamma), must | (loss.low > gamma)
            known = np.ones(x.c.shape, bool)  # what goes on is not above γ
        else:
            known = loss.high <= gamma  # above γ a descent does not turn, and forgets
            must = must & known
        if may.any():
            ends.append(x[may])
        left = ~must
        if not left.any():
            return _joined(ends)
        x, m, v, known = x[left], m[left], v[left], known[left]
    return None


def _joined(cells):
    return _Cells(*(np.concatenate([getattr(part, name) for part in cells]) for name in "car"))


def _value(f, x):
    u = x + -f.middle
    value = _Cells(np.full_like(x.c, f.about_centre[0]))
    for coefficient in f.about_centre[1:]:
        value = value * u + coefficient
    return value


def _quotient(f, x, y):
    """(f(x) − f(y)) / (x − y), the slope where they are equal, by Horner's rule."""
    u, w = x + -f.middle, y + -f.middle
    value, quotient = _Cells(np.full_like(x.c, f.about_centre[0])), _Cells(np.zeros_like(x.c))
    for coefficient in f.about_centre[1:]:
        quotient = quotient * w + value
        value = value * u + coefficient
    return quotient
