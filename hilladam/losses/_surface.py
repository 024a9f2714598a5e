"""Four losses of two variables that the literature tests global optimizers with."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from hilladam.losses._numbers import floating

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class SurfacePoint(NamedTuple):
    """A minimum of a :class:`Surface`.

    Example:
        >>> from hilladam.losses import SURFACES
        >>> point = SURFACES["himmelblau"].minima[-1]
        >>> [round(coordinate, 3) for coordinate in point.x], round(point.value, 6)
        ([3.584, -1.848], 0.0)
    """

    x: tuple[float, float]
    """(x, y)."""
    value: float
    """The loss there."""


@dataclass(frozen=True)
class Surface:
    """A loss of two variables, with its minima.

    Args:
        name: what tables and figures call it.
        function: takes two tensors of one shape, x and y, to the losses, differentiably.
        box: ((lowest x, highest x), (lowest y, highest y)): where the literature starts.
        near: one rough place for each minimum; the exact ones are found from there by Newton's method.
        slopes: takes x and y as plain floats to the loss and its two slopes, for :meth:`value_and_gradient`; default:
            automatic differentiation, some fifty times as slow.

    Example:
        >>> from hilladam.losses import SURFACES
        >>> camel = SURFACES["camel"]
        >>> round(camel([1, 1]).item(), 4)
        3.2333
        >>> len(camel.minima), round(camel.global_minimum.value, 4)
        (6, -1.0316)
    """

    name: str
    function: Callable[[Tensor, Tensor], Tensor]
    box: tuple[tuple[float, float], tuple[float, float]]
    near: tuple[tuple[float, float], ...]
    slopes: Callable[[float, float], tuple[float, float, float]] | None = None

    def __call__(self, points: "ArrayLike | Tensor") -> Tensor:
        """The losses at points of shape ``(…, 2)``, an array or a tensor; the result has shape ``(…)``.

        Integers and Python's numbers count as float64.

        Raises:
            ValueError: points of another shape.
        """
        points = floating(points)
        if points.shape[-1:] != (2,):
            raise ValueError(f"Invalid points: shape {tuple(points.shape)}; expected (…, 2)")
        return self.function(points[..., 0], points[..., 1])

    def value_and_gradient(self, point: "ArrayLike") -> tuple[float, tuple[float, float]]:
        """The loss and its gradient at one point, in plain floats, as optimizers outside torch ask for them.

        Args:
            point: two numbers.

        Example:
            >>> from hilladam.losses import SURFACES
            >>> SURFACES["himmelblau"].value_and_gradient([1, 1])
            (106.0, (-46.0, -38.0))
        """
        x, y = map(float, point)  # type: ignore[arg-type, union-attr]
        if self.slopes:
            value, along_x, along_y = self.slopes(x, y)
            return value, (along_x, along_y)
        place = torch.tensor([x, y], dtype=torch.float64, requires_grad=True)
        loss = self(place)
        (gradient,) = torch.autograd.grad(loss, place)
        return loss.item(), tuple(gradient.tolist())

    @cached_property
    def minima(self) -> tuple[SurfacePoint, ...]:
        """The minima in the box, in double precision, the lowest first."""
        return tuple(
            sorted((self._minimum(start) for start in self.near), key=lambda point: (round(point.value, 9), point.x))
        )

    @property
    def global_minimum(self) -> SurfacePoint:
        """A lowest minimum; camel and Himmelblau have several of one depth."""
        return self.minima[0]

    def _minimum(self, start: tuple[float, float]) -> SurfacePoint:
        point = torch.tensor(start, dtype=torch.float64)
        for _ in range(50):
            slope = torch.autograd.functional.jacobian(self, point)
            step = torch.linalg.solve(torch.autograd.functional.hessian(self, point), slope)
            point = point - step
            if step.abs().max() < 1e-13:
                break
        return SurfacePoint(tuple(point.tolist()), self(point).item())


def _camel(x, y):
    return (4 - 2.1 * x**2 + x**4 / 3) * x**2 + x * y + (4 * y**2 - 4) * y**2


def _camel_slopes(x, y):
    return _camel(x, y), 8 * x - 8.4 * x**3 + 2 * x**5 + y, x + 16 * y**3 - 8 * y


def _himmelblau(x, y):
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def _himmelblau_slopes(x, y):
    a, b = x**2 + y - 11, x + y**2 - 7
    return a**2 + b**2, 4 * x * a + 2 * b, 2 * a + 4 * y * b


def _rastrigin(x, y):
    return 20 + x**2 + y**2 - 10 * (torch.cos(2 * math.pi * x) + torch.cos(2 * math.pi * y))


def _rastrigin_slopes(x, y):
    turn = 2 * math.pi
    return (
        20 + x**2 + y**2 - 10 * (math.cos(turn * x) + math.cos(turn * y)),
        2 * x + 10 * turn * math.sin(turn * x),
        2 * y + 10 * turn * math.sin(turn * y),
    )


_BROWN = [  # A, a, b, c, x₀, y₀
    (-200.0, -1.0, 0.0, -10.0, 1.0, 0.0),
    (-100.0, -1.0, 0.0, -10.0, 0.0, 0.5),
    (-170.0, -6.5, 11.0, -6.5, -0.5, 1.5),
    (15.0, 0.7, 0.6, 0.7, -1.0, 1.0),
]


def _mueller_brown(x, y):
    return sum(
        height * torch.exp(a * (x - x0) ** 2 + b * (x - x0) * (y - y0) + c * (y - y0) ** 2)
        for height, a, b, c, x0, y0 in _BROWN
    )


def _mueller_brown_slopes(x, y):
    value = along_x = along_y = 0.0
    for height, a, b, c, x0, y0 in _BROWN:
        u, v = x - x0, y - y0
        exponent = a * u * u + b * u * v + c * v * v
        part = height * math.exp(exponent) if exponent < 700 else math.copysign(math.inf, height)
        value += part
        along_x += part * (2 * a * u + b * v)
        along_y += part * (b * u + 2 * c * v)
    return value, along_x, along_y


SURFACES = {
    "camel": Surface(
        "six-hump camel",
        _camel,
        ((-2.0, 2.0), (-1.2, 1.2)),
        ((0.09, -0.71), (-0.09, 0.71), (-1.7, 0.8), (1.7, -0.8), (-1.6, -0.57), (1.6, 0.57)),
        _camel_slopes,
    ),
    "mueller_brown": Surface(
        "Müller–Brown",
        _mueller_brown,
        ((-1.5, 1.2), (-0.3, 2.0)),
        ((-0.56, 1.44), (0.62, 0.03), (-0.05, 0.47)),
        _mueller_brown_slopes,
    ),
    "rastrigin": Surface(
        "Rastrigin",
        _rastrigin,
        ((-5.12, 5.12), (-5.12, 5.12)),
        tuple((0.995 * i, 0.995 * j) for i in range(-5, 6) for j in range(-5, 6)),
        _rastrigin_slopes,
    ),
    "himmelblau": Surface(
        "Himmelblau",
        _himmelblau,
        ((-5.0, 5.0), (-5.0, 5.0)),
        ((3.0, 2.0), (-2.805, 3.131), (-3.779, -3.283), (3.584, -1.848)),
        _himmelblau_slopes,
    ),
}
"""The six-hump camel back (Dixon and Szegö, 1978: two global minima of six), the Müller–Brown potential of chemistry
(1979: three minima), Rastrigin's function (121 minima in the box) and Himmelblau's (1972: four minima, all
of depth 0)."""
