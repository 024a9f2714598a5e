"""Random landscapes of any number of variables: on a torus, of wells in a bowl, and polynomials of one variable."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from hilladam.losses._numbers import floating
from hilladam.losses._polynomial import Polynomial

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Range(NamedTuple):
    """The lowest and the highest loss in a box.

    Example:
        >>> from hilladam.losses import Torus
        >>> [round(end, 9) for end in Torus([1.0], [[1]], [0.0]).range]
        [-1.0, 1.0]
    """

    low: float
    """The loss at the lowest point of the box."""
    high: float
    """The loss at the highest."""


class _Landscape:
    """What a sum of many parts, each with an amplitude, a place and a number of its own, has in common."""

    box: tuple[float, float]
    """(lowest, highest) of each variable: where starts are drawn."""

    @property
    def dimensions(self) -> int:
        """The number of variables."""
        return int(self._places().shape[1])

    def __call__(self, points: "ArrayLike | Tensor") -> Tensor:
        """The losses at points of shape ``(…, variables)``, differentiably; the result has shape ``(…)``.

        Raises:
            ValueError: points of another shape.
        """
        points = floating(points)
        if points.shape[-1:] != (self.dimensions,):
            raise ValueError(f"Invalid points: shape {tuple(points.shape)}; expected (…, {self.dimensions})")
        return self._loss(points)

    def value_and_gradient(self, point: "ArrayLike") -> tuple[float, np.ndarray]:
        """The loss and its gradient, shape ``(variables,)``, at one point of that shape, in float64."""
        x = np.asarray(point, dtype=np.float64)
        if x.shape != (self.dimensions,):
            raise ValueError(f"Invalid point: shape {x.shape}; expected ({self.dimensions},)")
        return self._slopes(x)

    @cached_property
    def range(self) -> Range:
        """The lowest and the highest loss in the box, of one or two variables; polished from the best of a fine grid.

        Raises:
            ValueError: more than two variables, where no grid is fine enough.
        """
        from scipy.optimize import minimize

        d, (left, right) = self.dimensions, self.box
        if d > 2:
            raise ValueError(f"Invalid range: {d} variables; expected one or two, where a grid finds it")
        line = torch.linspace(left, right, 20001 if d == 1 else 401, dtype=torch.float64)
        grid = torch.cartesian_prod(*[line] * d).reshape(-1, d)
        losses, ends = self(grid), []
        for sign in (1, -1):
            best = grid[(sign * losses).argsort()[:8]]

            def turned(x, sign=sign):
                value, slope = self._slopes(x)
                return sign * value, sign * slope

            found = [
                minimize(turned, x.numpy(), jac=True, bounds=[self.box] * d, options={"ftol": 1e-15}) for x in best
            ]
            ends.append(sign * min(float(result.fun) for result in found))
        return Range(*ends)

    def _places(self) -> np.ndarray:
        raise NotImplementedError

    def _loss(self, points: Tensor) -> Tensor:
        raise NotImplementedError

    def _slopes(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Torus(_Landscape):
    r"""A loss with the period 2π in each variable: :math:`\sum_k a_k \cos(w_k \cdot x + p_k)`.

    Args:
        amplitudes: a, shape ``(waves,)``.
        waves: w, whole numbers, shape ``(waves, variables)``.
        phases: p, shape ``(waves,)``.

    Raises:
        ValueError: shapes that do not fit.

    Example:
        >>> from hilladam.losses import Torus
        >>> loss = Torus([-1.0, -1.0], [[1, 0], [0, 1]], [0.0, 0.0])  # −cos x − cos y
        >>> [round(value, 9) for value in loss([[0.0, 0.0], [0.0, 1.0]]).tolist()], round(loss.range.high, 9)
        ([-2.0, -1.540302306], 2.0)
    """

    amplitudes: "ArrayLike"
    waves: "ArrayLike"
    phases: "ArrayLike"

    box = (0.0, 2 * math.pi)

    def __post_init__(self):
        _keep(self, "waves", amplitudes=1, waves=2, phases=1)

    def _places(self):
        return self.waves

    def _loss(self, points):
        a, w, p = (torch.from_numpy(part).to(points) for part in (self.amplitudes, self.waves, self.phases))
        return (a * torch.cos(points @ w.T + p)).sum(-1)

    def _slopes(self, x):
        angles = self.waves @ x + self.phases
        return float(self.amplitudes @ np.cos(angles)), -(self.amplitudes * np.sin(angles)) @ self.waves


@dataclass(frozen=True, eq=False)
class Wells(_Landscape):
    r"""Wells in a wide bowl: :math:`\tfrac12 c\,|x|^2 - \sum_k a_k \exp(-|x - x_k|^2 / 2w_k^2)`.

    Args:
        depths: a, shape ``(wells,)``.
        centres: x, shape ``(wells, variables)``.
        widths: w > 0, shape ``(wells,)``.
        bowl: c ≥ 0.

    Raises:
        ValueError: shapes that do not fit, a width not above 0, or a bowl below 0.

    Example:
        >>> from hilladam.losses import Wells
        >>> loss = Wells([1.0, 2.0], [[-2.0], [2.0]], [0.5, 0.5], bowl=0.1)
        >>> [round(value, 3) for value in loss([[-2.0], [2.0]]).tolist()], round(loss.range.low, 2)
        ([-0.8, -1.8], -1.8)
    """

    depths: "ArrayLike"
    centres: "ArrayLike"
    widths: "ArrayLike"
    bowl: float = 0.05

    box = (-6.0, 6.0)

    def __post_init__(self):
        _keep(self, "centres", depths=1, centres=2, widths=1)
        if not (self.widths > 0).all():
            raise ValueError(f"Invalid widths: {self.widths.tolist()}; expected numbers above 0")
        if not self.bowl >= 0:
            raise ValueError(f"Invalid bowl: {self.bowl}; expected a number >= 0")

    def _places(self):
        return self.centres

    def _loss(self, points):
        a, places, w = (torch.from_numpy(part).to(points) for part in (self.depths, self.centres, self.widths))
        away = ((points[..., None, :] - places) ** 2).sum(-1)
        return self.bowl / 2 * (points**2).sum(-1) - (a * torch.exp(-away / (2 * w**2))).sum(-1)

    def _slopes(self, x):
        apart = x - self.centres
        parts = self.depths * np.exp(-(apart**2).sum(1) / (2 * self.widths**2))
        return self.bowl / 2 * float(x @ x) - float(parts.sum()), self.bowl * x + (parts / self.widths**2) @ apart


def _keep(landscape, rows, **ranks):
    """Keep the arrays as float64 of those ranks, with one length for all."""
    arrays = {name: np.array(getattr(landscape, name), dtype=np.float64) for name in ranks}
    length = len(arrays[rows]) if arrays[rows].ndim else 0
    for name, rank in ranks.items():
        if arrays[name].ndim != rank or len(arrays[name]) != length or not arrays[name].size:
            wanted = f"({length}, variables)" if rank == 2 else f"({length},)"
            raise ValueError(f"Invalid {name}: shape {arrays[name].shape}; expected {wanted}, at least one")
        object.__setattr__(landscape, name, arrays[name])


def random_torus(generator: "np.random.Generator", dimensions: int = 1) -> Torus:
    """A torus of all waves of at most 4 periods in one variable, at most 3 in each of two or more.

    Amplitudes are normal and fall with the number of periods, phases uniform. In more than two variables 24 waves are
    drawn of them all.

    Args:
        generator: draws it.
        dimensions: the number of variables, at least 1.

    Raises:
        ValueError: fewer than one variable.

    Example:
        >>> import numpy as np
        >>> from hilladam.losses import random_torus
        >>> random_torus(np.random.default_rng(0), 2).waves.shape
        (27, 2)
    """
    if dimensions < 1:
        raise ValueError(f"Invalid dimensions: {dimensions}; expected at least 1")
    if dimensions == 1:
        waves = np.arange(1, 5)[:, None]
    elif dimensions == 2:
        waves = np.array([(i, j) for i in range(-3, 4) for j in range(4) if i or j])
    else:
        waves = generator.integers(-3, 4, (24, dimensions))
        waves[~waves.any(axis=1), 0] = 1
    amplitudes = generator.normal(size=len(waves)) / np.sqrt((waves**2).sum(axis=1))
    return Torus(amplitudes, waves, generator.uniform(0, 2 * math.pi, len(waves)))


def random_wells(generator: "np.random.Generator", dimensions: int = 1) -> Wells:
    """Four to eight wells of depth 0.5 to 2 and width 0.2 to 0.6, within 5 of the origin in each variable, in a bowl.

    Args:
        generator: draws them.
        dimensions: the number of variables, at least 1.

    Raises:
        ValueError: fewer than one variable.

    Example:
        >>> import numpy as np
        >>> from hilladam.losses import random_wells
        >>> random_wells(np.random.default_rng(0)).centres.shape
        (8, 1)
    """
    if dimensions < 1:
        raise ValueError(f"Invalid dimensions: {dimensions}; expected at least 1")
    count = int(generator.integers(4, 9))
    depths, centres = generator.uniform(0.5, 2, count), generator.uniform(-5, 5, (count, dimensions))
    return Wells(depths, centres, generator.uniform(0.2, 0.6, count))


def random_polynomial(generator: "np.random.Generator") -> Polynomial:
    """A polynomial with two to four minima, its stationary points from −3 to 3, at least a quarter apart.

    Its stationary values span 2, to the rounding of its coefficients.

    Args:
        generator: draws it.

    Example:
        >>> import numpy as np
        >>> from hilladam.losses import random_polynomial
        >>> loss = random_polynomial(np.random.default_rng(0))
        >>> values = [point.value for point in loss.stationary_points]
        >>> loss.degree, round(max(values) - min(values), 9)
        (8, 2.0)
    """
    minima = int(generator.integers(2, 5))
    while True:
        roots = np.sort(generator.uniform(-3, 3, 2 * minima - 1))
        if np.diff(roots).min() > 0.25:
            break
    # Exact, so that the coefficients are the same on every machine.
    derivative = [Fraction(1)]
    for root in roots:
        longer = [*derivative, Fraction(0)]
        for index, coefficient in enumerate(derivative):
            longer[index + 1] -= coefficient * Fraction(float(root))
        derivative = longer
    powers = range(len(derivative), 0, -1)
    coefficients = [c / power for c, power in zip(derivative, powers, strict=True)] + [Fraction(0)]

    def value(x):
        total = Fraction(0)
        for c in coefficients:
            total = total * x + c
        return total

    values = [value(Fraction(float(root))) for root in roots]
    scale = 2 / (max(values) - min(values))
    return Polynomial(f"{2 * minima}th order", [float(c * scale) for c in coefficients])


LANDSCAPES: "Mapping[str, Callable[[np.random.Generator], Polynomial | Torus | Wells]]" = {
    "polynomials": random_polynomial,
    "tori": random_torus,
    "wells": random_wells,
    "tori of two variables": lambda generator: random_torus(generator, 2),
    "wells of two variables": lambda generator: random_wells(generator, 2),
}
"""The families of random losses that Part V tries its rules on, by name: each takes a generator to a loss."""
