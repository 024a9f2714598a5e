"""Six losses of d variables that the literature tests global optimizers with, their optima moved and turned."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from hilladam.losses._landscapes import _Landscape

# Each takes z, shape (variables,), and a table of its own to the loss, and writes the gradient; loops, which numba
# compiles as they stand (hilladam.experiments does).


def _ackley(z, slopes, table):
    d = len(z)
    squares = cosines = 0.0
    for i in range(d):
        squares += z[i] * z[i]
        cosines += math.cos(2 * math.pi * z[i])
    radius = math.sqrt(squares / d)
    cone, egg = 20 * math.exp(-0.2 * radius), math.exp(cosines / d)
    for i in range(d):
        slopes[i] = 2 * math.pi * egg * math.sin(2 * math.pi * z[i]) / d
        if radius > 0:
            slopes[i] += 0.2 * cone * z[i] / (radius * d)
    return 20 + math.e - cone - egg


def _levy(z, slopes, table):
    d = len(z)
    value = 0.0
    for i in range(d):
        slopes[i] = 0.0
    first, last = 1 + (z[0] - 1) / 4, 1 + (z[d - 1] - 1) / 4
    value += math.sin(math.pi * first) ** 2
    slopes[0] += math.pi * math.sin(2 * math.pi * first) / 4
    for i in range(d - 1):
        w = 1 + (z[i] - 1) / 4
        sine = math.sin(math.pi * w + 1)
        value += (w - 1) ** 2 * (1 + 10 * sine * sine)
        slopes[i] += (
            2 * (w - 1) * (1 + 10 * sine * sine) + (w - 1) ** 2 * 10 * math.pi * math.sin(2 * (math.pi * w + 1))
        ) / 4
    sine = math.sin(2 * math.pi * last)
    value += (last - 1) ** 2 * (1 + sine * sine)
    slopes[d - 1] += (
        2 * (last - 1) * (1 + sine * sine) + (last - 1) ** 2 * 2 * math.pi * math.sin(4 * math.pi * last)
    ) / 4
    return value


def _griewank(z, slopes, table):
    d = len(z)
    squares, product = 0.0, 1.0
    for i in range(d):
        squares += z[i] * z[i]
        product *= math.cos(z[i] / math.sqrt(i + 1))
    for i in range(d):
        others = 1.0
        for k in range(d):
            if k != i:
                others *= math.cos(z[k] / math.sqrt(k + 1))
        slopes[i] = z[i] / 2000 + others * math.sin(z[i] / math.sqrt(i + 1)) / math.sqrt(i + 1)
    return 1 + squares / 4000 - product


def _rastrigin(z, slopes, table):
    value = 0.0
    for i in range(len(z)):
        value += z[i] * z[i] + 10 - 10 * math.cos(2 * math.pi * z[i])
        slopes[i] = 2 * z[i] + 20 * math.pi * math.sin(2 * math.pi * z[i])
    return value


def _styblinski_tang(z, slopes, table):
    value = 0.0
    for i in range(len(z)):
        value += (z[i] ** 4 - 16 * z[i] * z[i] + 5 * z[i]) / 2
        slopes[i] = 2 * z[i] ** 3 - 16 * z[i] + 2.5
    return value


def _shekel(z, slopes, table):
    d = len(z)
    value = 0.0
    for i in range(d):
        slopes[i] = 0.0
    for k in range(len(table)):  # a row: c, and the place a
        away = table[k, 0]
        for i in range(d):
            away += (z[i] - table[k, 1 + i]) ** 2
        value -= 1 / away
        for i in range(d):
            slopes[i] += 2 * (z[i] - table[k, 1 + i]) / away**2
    return value


def _ackley_torch(z, table):
    cone = 20 * torch.exp(-0.2 * (z**2).mean(-1).sqrt())
    return 20 + math.e - cone - torch.exp(torch.cos(2 * math.pi * z).mean(-1))


def _levy_torch(z, table):
    w = 1 + (z - 1) / 4
    inner, last = w[..., :-1], w[..., -1]
    parts = (inner - 1) ** 2 * (1 + 10 * torch.sin(math.pi * inner + 1) ** 2)
    end = (last - 1) ** 2 * (1 + torch.sin(2 * math.pi * last) ** 2)
    return torch.sin(math.pi * w[..., 0]) ** 2 + parts.sum(-1) + end


def _griewank_torch(z, table):
    roots = torch.arange(1, z.shape[-1] + 1).to(z).sqrt()
    return 1 + (z**2).sum(-1) / 4000 - torch.cos(z / roots).prod(-1)


def _rastrigin_torch(z, table):
    return (z**2 + 10 - 10 * torch.cos(2 * math.pi * z)).sum(-1)


def _styblinski_tang_torch(z, table):
    return (z**4 - 16 * z**2 + 5 * z).sum(-1) / 2


def _shekel_torch(z, table):
    rows = torch.from_numpy(table).to(z)
    return -(1 / (((z[..., None, :] - rows[:, 1:]) ** 2).sum(-1) + rows[:, 0])).sum(-1)


class _Family(NamedTuple):
    slopes: Callable[[np.ndarray, np.ndarray, np.ndarray], float]
    torch: Callable[[Tensor, np.ndarray], Tensor]
    box: tuple[float, float]
    anchor: float  # where each z_i is at the global minimum; of Shekel's, see random_suite_loss
    level: float  # the loss there, for each variable


_TANG = -2.903534027771177  # the lowest root of 4 z³ − 32 z + 5
FAMILIES: dict[str, _Family] = {
    "Ackley": _Family(_ackley, _ackley_torch, (-32.768, 32.768), 0.0, 0.0),
    "Levy": _Family(_levy, _levy_torch, (-10.0, 10.0), 1.0, 0.0),
    "Griewank": _Family(_griewank, _griewank_torch, (-600.0, 600.0), 0.0, 0.0),
    "Rastrigin": _Family(_rastrigin, _rastrigin_torch, (-5.12, 5.12), 0.0, 0.0),
    "Styblinski–Tang": _Family(
        _styblinski_tang, _styblinski_tang_torch, (-5.0, 5.0), _TANG, (_TANG**4 - 16 * _TANG**2 + 5 * _TANG) / 2
    ),
    "Shekel": _Family(_shekel, _shekel_torch, (0.0, 10.0), math.nan, math.nan),
}
SUITE: tuple[str, ...] = tuple(FAMILIES)
"""The families that :func:`random_suite_loss` draws from, by name."""

_SHEKEL_WIDTHS = (0.1, 0.2, 0.2, 0.4, 0.4, 0.6, 0.3, 0.7, 0.5, 0.5)  # the literature's c


@dataclass(frozen=True, eq=False)
class SuiteLoss(_Landscape):
    r"""A loss of the literature, moved and turned: :math:`f(R (x - x_*) + z_*) - f(z_*)`, which is 0 at :math:`x_*`.

    Made by :func:`random_suite_loss`.

    Args:
        family: one of :data:`SUITE`.
        optimum: the global minimum :math:`x_*`, shape ``(variables,)``.
        rotation: R, orthogonal, shape ``(variables, variables)``.
        table: of Shekel's, a row for each well: its c and its place; else empty.
        anchor: the family's own minimum :math:`z_*`, shape ``(variables,)``.
        level: its loss there.

    Example:
        >>> import numpy as np
        >>> from hilladam.losses import random_suite_loss
        >>> loss = random_suite_loss("Rastrigin", np.random.default_rng(0), 2)
        >>> float(loss(loss.optimum)), round(float(loss(loss.optimum + [1.0, 0.0])), 9)
        (0.0, 1.0)
    """

    family: str
    optimum: np.ndarray
    rotation: np.ndarray
    table: np.ndarray
    anchor: np.ndarray
    level: float

    @property
    def box(self) -> tuple[float, float]:  # type: ignore[override]
        """(lowest, highest) of each variable, as the literature has it: where starts are drawn."""
        return FAMILIES[self.family].box

    @cached_property
    def mean(self) -> float:
        """The mean loss in the box, above that of the global minimum: of 10,000 points of a fixed seed."""
        points = np.random.default_rng(0).uniform(*self.box, (10_000, self.dimensions))
        return float(self(points).mean())

    def _places(self):
        return self.rotation

    def _loss(self, points):
        turn, optimum, anchor = (torch.from_numpy(a).to(points) for a in (self.rotation, self.optimum, self.anchor))
        return FAMILIES[self.family].torch((points - optimum) @ turn.T + anchor, self.table) - self.level

    def _slopes(self, x):
        z, slopes = self.rotation @ (x - self.optimum) + self.anchor, np.empty(len(x))
        value = FAMILIES[self.family].slopes(z, slopes, self.table)
        return float(value - self.level), slopes @ self.rotation


def random_suite_loss(
    family: str, generator: "np.random.Generator", dimensions: int = 2, rotated: bool = False
) -> SuiteLoss:
    """A loss of that family, its minimum somewhere in the middle four fifths of the box in each variable.

    Shekel's has ten wells at random places of the box, with the literature's widths.

    Args:
        family: one of :data:`SUITE`.
        generator: draws it.
        dimensions: the number of variables, at least 2.
        rotated: whether the variables are turned against each other, by a random orthogonal matrix.

    Raises:
        ValueError: an unknown family, or fewer than two variables.

    Example:
        >>> import numpy as np
        >>> from hilladam.losses import random_suite_loss
        >>> loss = random_suite_loss("Ackley", np.random.default_rng(0), 4, rotated=True)
        >>> loss.dimensions, loss.box
        (4, (-32.768, 32.768))
    """
    if family not in FAMILIES:
        raise ValueError(f"Invalid family: {family!r}; expected one of {SUITE}")
    if dimensions < 2:
        raise ValueError(f"Invalid dimensions: {dimensions}; expected at least 2")
    low, high = FAMILIES[family].box
    margin = 0.1 * (high - low)
    optimum = generator.uniform(low + margin, high - margin, dimensions)
    rotation = np.linalg.qr(generator.normal(size=(dimensions, dimensions)))[0] if rotated else np.eye(dimensions)
    if family == "Shekel":
        table = np.column_stack([_SHEKEL_WIDTHS, generator.uniform(low, high, (len(_SHEKEL_WIDTHS), dimensions))])
        anchor, level = _deepest(table)
        return SuiteLoss(family, anchor, rotation, table, anchor, level)
    anchor = np.full(dimensions, FAMILIES[family].anchor)
    level = float(FAMILIES[family].slopes(anchor, np.empty(dimensions), np.empty((0, 0))))
    return SuiteLoss(family, optimum, rotation, np.empty((0, 0)), anchor, level)


def _deepest(table: np.ndarray) -> tuple[np.ndarray, float]:
    """Shekel's global minimum: the lowest of those next to the places of its wells."""
    from scipy.optimize import minimize

    def loss(z):
        slopes = np.empty(len(z))
        value = _shekel(z, slopes, table)
        return value, slopes

    ends = [minimize(loss, place, jac=True, options={"gtol": 1e-10}) for place in table[:, 1:]]
    best = min(ends, key=lambda end: end.fun)
    return best.x, float(best.fun)
