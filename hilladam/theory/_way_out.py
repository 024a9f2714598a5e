"""The way out of a basin: where a run starts, which way it goes, and the top that it must cross."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from hilladam._checks import finite
from hilladam.losses import Polynomial, SineWave

if TYPE_CHECKING:
    import sympy

    from hilladam.losses._numbers import Exact

    Function = Callable[[torch.Tensor], torch.Tensor]
    Loss = Polynomial | Sequence[Exact] | np.ndarray | torch.Tensor | sympy.Expr | Function

_SCAN = 4000  # points of the search for the minimum and the top ahead of the start


@dataclass(frozen=True)
class WayOut:
    """A start in a basin and the barrier ahead of it. :func:`way_out` makes and checks it.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import way_out
        >>> way = way_out(DOUBLE_WELL, 2.0)
        >>> round(float(way.push(0.0)), 6), round(float(DOUBLE_WELL.derivative(2.0)), 6)
        (24.3, 24.3)
    """

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


def way_out(f: "Loss", x0: float, barrier: float | None = None, *, reach: float = 20.0) -> WayOut:
    """Find, or check, the top that a run from ``x0`` has to cross to leave its basin.

    A polynomial's stationary points are known exactly, wherever they are. Any other loss is searched at 4,000 points,
    as far ahead as ``reach`` or as ``barrier``: what lies farther, and a valley or hill narrower than the distance of
    two points, is not found.

    Args:
        f: the loss: a :class:`hilladam.losses.Polynomial`, its coefficients (highest power first), a sympy expression
            in one symbol, or a torch function that works elementwise (its derivative comes from autograd). A sympy
            expression with rational or floating-point coefficients may be a polynomial; a function never is one.
        x0: the start, a finite number.
        barrier: x_b, the first maximum behind the first minimum ahead of ``x0``, to a millionth of its distance.
            Default: it is found.
        reach: how far ahead to search for it, in units of x, > 0.

    Raises:
        TypeError: an ``f`` that is none of these.
        ValueError: ``x0`` is a stationary point or no finite number, or no minimum lies ahead of it; no ``barrier``
            lies ahead, or the one given does not stand behind a minimum in the direction of travel.

    Example:
        >>> from hilladam.theory import way_out
        >>> way = way_out([1, 0, -2, "0.3", 1], 2.0)
        >>> round(way.minimum, 3), round(way.barrier, 3), way.direction, round(way.length, 3)
        (0.96, 0.075, -1.0, 1.925)
    """
    f = _polynomial(f)
    value, slope = _value_and_slope(f)
    x0, reach = finite("x0", x0).item(), finite("reach", reach, above=0).item()
    if not math.isfinite(slope(np.asarray(x0))):
        raise ValueError(f"Invalid x0: {x0}; the loss has no finite slope there")
    if isinstance(f, Polynomial):
        return WayOut(value, slope, x0, *_known(f, x0, barrier))
    return WayOut(value, slope, x0, *_searched(slope, x0, barrier, reach))


def _known(f, x0, barrier):
    """The minimum and the top ahead, of a polynomial."""
    if any(math.isclose(x0, p.x, rel_tol=1e-12, abs_tol=1e-12) for p in f.stationary_points):
        raise ValueError(f"Invalid x0: {x0} is a stationary point; Adam does not move from there")
    turns = [p for p in f.stationary_points if p.kind != "inflection"]
    left, right = ([p for p in turns if p.x < x0], [p for p in turns if p.x > x0])
    falls_right = right[0].kind == "minimum" if right else f.coefficients[0] < 0
    ahead = [p.x for p in (right if falls_right else reversed(left))]
    if barrier is not None:
        barrier = _ahead(barrier, x0, 1.0 if falls_right else -1.0)
    if not ahead:
        raise ValueError(f"Invalid x0: {x0} is in no basin; the loss falls for ever ahead of it")
    low, top = ahead[0], ahead[1] if len(ahead) > 1 else None
    if barrier is None:
        if top is None:
            raise ValueError(f"Invalid barrier: None; the loss has no maximum ahead of x0 = {x0}")
        return low, top
    if abs(barrier - x0) <= abs(low - x0):
        raise ValueError(f"Invalid barrier: {barrier}; the loss has no minimum between x0 = {x0} and there")
    if top is None or abs(top - barrier) > 1e-6 * abs(top - x0):
        if top is not None and abs(barrier - x0) > abs(top - x0):
            raise ValueError(f"Invalid barrier: {barrier}; another maximum stands between x0 = {x0} and there")
        raise ValueError(f"Invalid barrier: {barrier}; the loss still rises there, expected a maximum")
    return low, barrier


def _searched(slope, x0, barrier, reach):
    """The minimum and the top ahead, of any loss, by the signs of its slope."""
    start = float(slope(np.asarray(x0)))
    if start == 0.0:
        raise ValueError(f"Invalid x0: {x0} is a stationary point; Adam does not move from there")
    direction = -math.copysign(1.0, start)
    if barrier is not None:
        barrier = _ahead(barrier, x0, direction)
        reach = abs(barrier - x0)

    def push(distance):
        return -direction * slope(x0 + direction * distance)

    grid = np.linspace(0.0, reach, _SCAN)
    ahead = push(grid)
    rising = np.flatnonzero(ahead < 0)
    if not len(rising):
        if barrier is not None:
            raise ValueError(f"Invalid barrier: {barrier}; the loss has no minimum between x0 = {x0} and there")
        raise ValueError(f"Invalid x0: {x0} is in no basin; no minimum was found within reach = {reach:g} ahead of it")
    low = _root(push, grid[rising[0] - 1], grid[rising[0]])
    if barrier is None:
        falling = np.flatnonzero((ahead > 0) & (grid > grid[rising[0]]))
        if not len(falling):
            raise ValueError(f"Invalid barrier: None; no maximum was found within reach = {reach:g} ahead of x0 = {x0}")
        top = _root(push, grid[falling[0] - 1], grid[falling[0]])
    else:
        top = reach
        if (ahead[rising[0] : -1] > 0).any():
            raise ValueError(f"Invalid barrier: {barrier}; another maximum stands between x0 = {x0} and there")
        if push(reach) < -1e-6 * np.abs(ahead).max():
            raise ValueError(f"Invalid barrier: {barrier}; the loss still rises there, expected a maximum")
    return x0 + direction * low, x0 + direction * top


def _ahead(barrier, x0, direction):
    barrier = float(barrier)
    if not (math.isfinite(barrier) and direction * (barrier - x0) > 0):
        side = "right" if direction > 0 else "left"
        raise ValueError(f"Invalid barrier: {barrier}; the loss falls to the {side} of x0 = {x0}, so Adam goes there")
    return barrier


def _polynomial(f):
    """``f`` as a Polynomial, if it is one in some form."""
    if isinstance(f, Sequence | np.ndarray | torch.Tensor) and not isinstance(f, str):
        return Polynomial("loss", f)
    if not hasattr(f, "free_symbols"):
        return f
    if len(f.free_symbols) != 1:
        raise ValueError(f"Invalid f: {f}; expected an expression in one symbol")
    if f.is_polynomial():
        coefficients = f.as_poly(*f.free_symbols).all_coeffs()
        if all(c.is_Rational or c.is_Float for c in coefficients):
            return Polynomial("loss", coefficients)
    return f


def _value_and_slope(f) -> tuple[Callable, Callable]:
    """A loss and its derivative as elementwise functions of numpy arrays."""
    if isinstance(f, Polynomial | SineWave):
        return f, f.derivative
    if hasattr(f, "free_symbols"):
        return _from_sympy(f)
    if callable(f):
        return _from_torch(f)
    raise TypeError(f"Invalid f: {f!r}; expected a Polynomial, coefficients, a sympy expression or a torch function")


def _from_sympy(expression):
    import sympy

    (symbol,) = expression.free_symbols
    value, slope = (sympy.lambdify(symbol, e) for e in (expression, expression.diff(symbol)))
    return value, lambda x: slope(x) + 0.0 * x  # a constant slope takes the shape of x


def _from_torch(function):
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

    return brentq(lambda u: float(function(np.asarray(u))), left, right, xtol=1e-15)
