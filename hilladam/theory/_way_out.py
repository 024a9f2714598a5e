"""The way out of a basin: where a run starts, which way it goes, and the top that it must cross."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hilladam.losses import Polynomial

_SCAN = 4000  # points of the search for the minimum and the top ahead of the start


@dataclass(frozen=True)
class WayOut:
    """A start in a basin and the barrier ahead of it. :func:`way_out` makes and checks it."""

    value: Callable
    """The loss as an elementwise function of numpy arrays."""
    slope: Callable
    """Its derivative, likewise."""
    x0: float
    """The start."""
    minimum: float
    """The first minimum ahead."""
    barrier: float
    """x_b, the top of the barrier behind that minimum."""

    @property
    def direction(self) -> float:
        """s = −sign f′(x₀): the way in which descent goes, +1 or −1."""
        return math.copysign(1.0, self.barrier - self.x0)

    @property
    def length(self) -> float:
        """``L = |x_b − x₀|``."""
        return abs(self.barrier - self.x0)

    def push(self, distance):
        """−df/du at ``distance`` u travelled from the start: positive where the loss falls ahead."""
        return -self.direction * self.slope(self.x0 + self.direction * distance)


def way_out(f, x0: float, barrier: float | None = None, *, reach: float = 20.0) -> WayOut:
    """Find, or check, the top that a run from ``x0`` has to cross to leave its basin.

    Args:
        f: the loss: a :class:`hilladam.losses.Polynomial`, its coefficients (highest power first), a sympy expression
            in one symbol, or a torch function that works elementwise (its derivative comes from autograd).
        x0: the start.
        barrier: x_b, the first maximum behind the first minimum ahead of ``x0``. Default: it is searched for.
        reach: how far ahead to search, in units of x; a polynomial is searched everywhere.

    Raises:
        TypeError: an ``f`` that is none of these.
        ValueError: ``x0`` is a stationary point or no finite number, or no minimum lies ahead of it; no ``barrier``
            lies ahead, or the one given does not stand behind a minimum in the direction of travel.
    """
    value, slope = loss_and_slope(f)
    x0 = float(x0)
    if not math.isfinite(x0):
        raise ValueError(f"Invalid x0: {x0}; expected a finite number")
    start = float(slope(np.asarray(x0)))
    if not math.isfinite(start):
        raise ValueError(f"Invalid x0: {x0}; the loss has no finite slope there")
    if isinstance(f, Polynomial):
        stationary = [p.x for p in f.stationary_points]
        reach = max([reach, *(2 * abs(x - x0) for x in stationary)])
        if any(math.isclose(x0, x, rel_tol=1e-12, abs_tol=1e-12) for x in stationary):
            start = 0.0
    if start == 0.0:
        raise ValueError(f"Invalid x0: {x0} is a stationary point; Adam does not move from there")
    direction = -math.copysign(1.0, start)
    if barrier is not None:
        barrier = float(barrier)
        if not (math.isfinite(barrier) and direction * (barrier - x0) > 0):
            side = "right" if direction > 0 else "left"
            raise ValueError(
                f"Invalid barrier: {barrier}; the loss falls to the {side} of x0 = {x0}, so Adam goes there"
            )
        reach = abs(barrier - x0)

    def push(distance):
        return -direction * slope(x0 + direction * distance)

    grid = np.linspace(0.0, reach, _SCAN)
    ahead = push(grid)
    rising = np.flatnonzero(ahead < 0)
    if not len(rising):
        if barrier is not None:
            raise ValueError(f"Invalid barrier: {barrier}; the loss has no minimum between x0 = {x0} and there")
        raise ValueError(f"Invalid x0: {x0} is in no basin; the loss falls for {reach:g} ahead of it")
    low = _root(push, grid[rising[0] - 1], grid[rising[0]])
    if barrier is None:
        falling = np.flatnonzero((ahead > 0) & (grid > grid[rising[0]]))
        if not len(falling):
            raise ValueError(f"Invalid barrier: None; the loss has no maximum within {reach:g} ahead of x0 = {x0}")
        top = _root(push, grid[falling[0] - 1], grid[falling[0]])
    else:
        top = reach
        if (ahead[rising[0] : -1] > 0).any():
            raise ValueError(f"Invalid barrier: {barrier}; another maximum stands between x0 = {x0} and there")
        if push(reach) < -1e-6 * np.abs(ahead).max():
            raise ValueError(f"Invalid barrier: {barrier}; the loss still rises there, expected a maximum")
    return WayOut(value, slope, x0, x0 + direction * low, x0 + direction * top)


def loss_and_slope(f) -> tuple[Callable, Callable]:
    """A loss and its derivative as elementwise functions of numpy arrays.

    Args:
        f: as for :func:`way_out`.

    Raises:
        TypeError: an ``f`` that is none of these.
        ValueError: a sympy expression that does not have exactly one symbol.
    """
    if isinstance(f, Polynomial):
        return f, f.derivative
    if isinstance(f, Sequence | np.ndarray) and not isinstance(f, str):
        polynomial = Polynomial("loss", tuple(c if isinstance(c, str) else _exact(c) for c in f))
        return polynomial, polynomial.derivative
    if hasattr(f, "free_symbols"):
        return _from_sympy(f)
    if callable(f):
        return _from_torch(f)
    raise TypeError(f"Invalid f: {f!r}; expected a Polynomial, coefficients, a sympy expression or a torch function")


def _exact(number):
    return number.item() if isinstance(number, np.generic) else number


def _from_sympy(expression):
    import sympy

    if len(expression.free_symbols) != 1:
        raise ValueError(f"Invalid f: {expression}; expected an expression in one symbol")
    (symbol,) = expression.free_symbols
    value, slope = (sympy.lambdify(symbol, e, "numpy") for e in (expression, expression.diff(symbol)))
    return value, lambda x: slope(x) + 0.0 * x  # a constant slope takes the shape of x


def _from_torch(function):
    import torch

    def value(x):
        with torch.no_grad():
            return function(torch.as_tensor(x, dtype=torch.float64)).numpy()

    def slope(x):
        at = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        with torch.enable_grad():
            (grad,) = torch.autograd.grad(function(at).sum(), at)
        return grad.numpy()

    return value, slope


def _root(function, left, right):
    from scipy.optimize import brentq

    return brentq(lambda u: float(function(np.asarray(u))), left, right, xtol=1e-15, rtol=8.9e-16)
