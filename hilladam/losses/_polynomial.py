"""The five polynomials of the paper's Table 1, exact where it matters and accurate everywhere else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from hilladam.losses._numbers import Exact, exact, floating

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class StationaryPoint(NamedTuple):
    """A root of the derivative.

    Example:
        >>> from hilladam.losses import TABLE_1
        >>> point = TABLE_1["fourth"].stationary_points[1]
        >>> point.x, point.value, point.kind, point.exact
        (2.5, 0.3125, 'minimum', 5/2)
    """

    x: float
    """The root."""
    value: float
    """The loss there."""
    kind: str
    """``"minimum"``, ``"maximum"`` or ``"inflection"``."""
    exact: object
    """The root as an exact sympy number."""


@dataclass(frozen=True)
class Polynomial:
    """A polynomial loss of one variable, with exact coefficients.

    Calling it evaluates it on numbers, arrays, tensors (differentiably, as often as you like) or sympy expressions.
    Written out in powers of x, a polynomial of high order adds huge terms that nearly cancel: the tenth-order loss
    near x = 3 adds terms of more than a million to get −0.9. Here the polynomial is expanded about ``centre`` instead,
    by exact arithmetic, and the terms stay as small as the values.

    Args:
        name: what tables and figures call it.
        coefficients: highest power first: integers, fractions, decimals, or decimal strings such as ``"0.1"``, in any
            sequence. Floats are taken at their exact binary value. They are kept as a tuple of fractions.
        centre: the point to expand about, as one such number: the middle of the region of interest.

    Raises:
        TypeError: a coefficient or centre that is no real number.
        ValueError: one that is not finite; fewer than two coefficients, or a leading zero.

    Example:
        >>> from hilladam.losses import Polynomial
        >>> loss = Polynomial("two wells", (1, 0, -2, "0.3", 1))
        >>> round(loss(2), 9), round(loss.derivative(2), 9)
        (9.6, 24.3)
        >>> [(round(point.x, 3), point.kind) for point in loss.stationary_points]
        [(-1.036, 'minimum'), (0.075, 'maximum'), (0.96, 'minimum')]
    """

    name: str
    coefficients: Sequence[Exact]
    centre: Exact = 0

    def __post_init__(self):
        object.__setattr__(self, "coefficients", tuple(exact(c, "coefficients") for c in self.coefficients))
        object.__setattr__(self, "centre", exact(self.centre, "centre"))
        if len(self.coefficients) < 2 or not self.coefficients[0]:
            numbers = ", ".join(map(str, self.coefficients))
            raise ValueError(f"Invalid coefficients: ({numbers}); expected at least two, the first not zero")

    @property
    def degree(self) -> int:
        """The highest power."""
        return len(self.coefficients) - 1

    def __call__(self, x):
        """The loss at ``x``: a number, array, tensor or sympy expression of any shape, in its own precision."""
        return _horner(self.about_centre, x - self.middle)[0]

    def derivative(self, x):
        """The slope of the loss at ``x``, as for calling."""
        return _horner(self.about_centre, x - self.middle)[1]

    @cached_property
    def middle(self) -> float:
        """The centre as the nearest floating-point number: :attr:`about_centre` belongs to powers of (x − middle).

        Example:
            >>> from hilladam.losses import TABLE_1
            >>> TABLE_1["sixth"].middle
            -0.5
        """
        return float(self.centre)

    @cached_property
    def about_centre(self) -> tuple[float, ...]:
        """The coefficients in powers of (x − centre), highest first, each rounded once: what runs are computed with.

        By repeated synthetic division in exact arithmetic.

        Example:
            >>> from hilladam.losses import Polynomial
            >>> Polynomial("parabola", (1, -2, 5), centre=1).about_centre  # (x − 1)² + 4
            (1.0, 0.0, 4.0)
        """
        remaining, shifted = list(self.coefficients), []
        while remaining:
            for index in range(1, len(remaining)):
                remaining[index] += remaining[index - 1] * self.centre
            shifted.append(remaining.pop())
        return tuple(float(c) for c in reversed(shifted))

    def expression(self, x):
        """The polynomial as an exact sympy expression in the symbol ``x``."""
        import sympy

        return sympy.Poly([sympy.Rational(c.numerator, c.denominator) for c in self.coefficients], x).as_expr()

    @cached_property
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        """Every real stationary point, from left to right.

        sympy isolates the real roots of the derivative exactly, with their multiplicities. The slope keeps its sign
        across a root of even multiplicity, an inflection; at one of odd multiplicity it changes.
        """
        import sympy

        x = sympy.Symbol("x", real=True)
        loss = sympy.Poly(self.expression(x), x)
        roots = sympy.real_roots(loss.diff(x), multiple=False)
        rises, points = self.coefficients[0] > 0, []
        for root, multiplicity in reversed(roots):
            kind = "inflection" if multiplicity % 2 == 0 else "minimum" if rises else "maximum"
            rises ^= kind != "inflection"
            value = loss.as_expr().subs(x, root).evalf(30)
            points.append(StationaryPoint(float(root.evalf(30)), float(value), kind, root))
        return tuple(reversed(points))

    @cached_property
    def minima(self) -> tuple[StationaryPoint, ...]:
        """Those of the stationary points that are minima, from left to right."""
        return tuple(p for p in self.stationary_points if p.kind == "minimum")

    @cached_property
    def global_minimum(self) -> StationaryPoint:
        """The lowest minimum.

        Raises:
            ValueError: a polynomial without a lower bound.
        """
        if self.degree % 2 or self.coefficients[0] < 0:
            raise ValueError(f"{self.name} has no global minimum: it falls without bound")
        return min(self.minima, key=lambda point: point.value)

    def basin(self, x: "ArrayLike | Tensor") -> Tensor:
        """Which stationary point gradient flow from ``x`` comes to rest at.

        Args:
            x: a number, array or tensor of any shape.

        Returns:
            int64 of the same shape, indices into :attr:`stationary_points`; −1 where the flow runs off to −∞ and
            ``len(stationary_points)`` where it runs off to +∞, and for NaN.
        """
        x = floating(x)
        points = self.stationary_points
        places = torch.tensor([p.x for p in points], dtype=x.dtype, device=x.device)
        falls_right = [self.coefficients[0] < 0]  # beyond the last point; then between each two, from the right
        for point in reversed(points):
            falls_right.append(falls_right[-1] ^ (point.kind != "inflection"))
        falls_right = torch.tensor(falls_right[::-1], device=x.device)
        right = torch.searchsorted(places, x.contiguous())  # the first stationary point at or beyond x
        moves_left = ~(falls_right[right] | torch.isin(x, places) | x.isnan())
        return right - moves_left.long()


def _horner(coefficients, u):
    """Value and slope of a polynomial, by Horner's rule; ``coefficients`` are indexed highest power first."""
    value, slope = coefficients[0] + 0 * u, 0 * u
    for coefficient in coefficients[1:]:
        slope = slope * u + value
        value = value * u + coefficient
    return value, slope


def stack(
    polynomials: Sequence[Polynomial], *, dtype: torch.dtype = torch.float64, device: torch.device | str | None = None
) -> Callable[[Tensor], Tensor]:
    """One function that gives every member of an ensemble its own polynomial.

    Args:
        polynomials: one for each member, at least one.
        dtype, device: of the coefficients; x has the same. Default: float64, on torch's default device.

    Returns:
        A function that takes ``x`` of shape ``(members,)`` or ``(members, 1)`` to the losses, of shape ``(members,)``.
        It is differentiable once, by the exact derivative, which costs one pass instead of an automatic one.

    Raises:
        ValueError: no polynomials; or, from that function, another number of places than of members.

    Example:
        >>> import torch
        >>> from hilladam.losses import TABLE_1, stack
        >>> losses = stack([TABLE_1["x2"], TABLE_1["fourth"]])
        >>> losses(torch.tensor([3, 2], dtype=torch.float64)).round(decimals=6).tolist()
        [13.0, 1.0]
    """
    if not polynomials:
        raise ValueError(f"Invalid polynomials: {polynomials!r}; expected at least one")
    degree = max(p.degree for p in polynomials)
    like = dict(dtype=dtype, device=device)
    rows = [(0.0,) * (degree - p.degree) + p.about_centre for p in polynomials]
    coefficients = torch.tensor(rows, **like).T.contiguous().unbind()
    centres = torch.tensor([p.middle for p in polynomials], **like)

    def losses(x):
        if x.numel() != len(centres):
            raise ValueError(f"Invalid x: shape {tuple(x.shape)}; expected a place for each of {len(centres)} members")
        return _Stacked.apply(x.flatten() - centres, coefficients)

    return losses


class _Stacked(torch.autograd.Function):
    """:func:`_horner` with half the kernel launches: lock step is as fast as its launches are few."""

    @staticmethod
    def forward(ctx, u, coefficients):
        value, slope = coefficients[0], torch.zeros_like(u)
        for coefficient in coefficients[1:]:
            slope = torch.addcmul(value, slope, u)
            value = torch.addcmul(coefficient, value, u)
        ctx.save_for_backward(slope)
        return value

    @staticmethod
    def backward(ctx, grad):
        if torch.is_grad_enabled():  # create_graph=True; torch's once_differentiable would take the slope as a constant
            raise RuntimeError("stack() is differentiable once; for more, call the polynomials themselves")
        return grad * ctx.saved_tensors[0], None


DOUBLE_WELL = Polynomial("double well", (1, 0, -2, "0.3", 1))
"""(x² − 1)² + 0.3 x: a local minimum near x = 0.96 and the global one near x = −1.04."""

TABLE_1 = {
    "x2": Polynomial("x² + 4", (1, 0, 4)),
    "sixth": Polynomial("sixth order", (40, 40, 0, 120, 160, 40, 8), "-1/2"),
    "eighth": Polynomial("eighth order", (4, -76, 605, "-2614.01", 6629, -9940, 8404, -3552, 576), "9/4"),
    "tenth": Polynomial(
        "tenth order",
        ("0.1", -3, "39.5", -300, "1452.3", -4671, "10080.5", -14370, "12907.6", "-6576.3", 1440),
        3,
    ),
    "fourth": Polynomial("fourth order", (1, -6, 12, -10, 5), "3/2"),
}
"""Table 1's losses with the paper's exact coefficients, in its order."""
