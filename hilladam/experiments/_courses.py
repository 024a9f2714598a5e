"""The losses that the book races on, with the box of the starts and the target."""

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from hilladam.experiments._protocol import CLOSE
from hilladam.losses import SURFACES, TABLE_1, Polynomial, Surface


class Course(NamedTuple):
    """A loss to race on; see :func:`course`.

    Example:
        >>> from hilladam.experiments import course
        >>> loss, box, target, heat = course("himmelblau")
        >>> f"{loss.global_minimum.value:.2f} {target:.2f}"
        '0.00 0.01'
    """

    loss: Polynomial | Surface
    """Of one variable, or of two."""
    box: tuple
    """(lowest, highest) for each variable: where starts are drawn, each run's box a little shifted."""
    target: float
    """The loss below which a run has found the global minimum."""
    heat: float
    """About the height of the hills between its valleys: where what cools begins to."""


COURSES = ("tenth", "camel", "mueller_brown", "rastrigin", "himmelblau")
"""The losses that the book races on: the tenth order of Table 1 and the four of :data:`~hilladam.losses.SURFACES`."""

# No optimum in the middle of its box, nor on an axis through it.
_BOXES = {
    "tenth": ((-2.0, 6.0),),
    "camel": ((-1.8, 2.2), (-1.3, 1.1)),
    "mueller_brown": SURFACES["mueller_brown"].box,
    "rastrigin": ((-6.2, 4.04), (-3.3, 6.94)),
    "himmelblau": ((-4.5, 5.5), (-5.5, 4.5)),
}

_HEATS = {"tenth": 1.0, "camel": 2.0, "mueller_brown": 50.0, "rastrigin": 10.0, "himmelblau": 50.0}

TURN = 0.5
"""By how much Rastrigin's surface is turned about its optimum, in radians: unturned it is a sum of functions of one
variable each, and who moves along the axes would solve it one variable at a time."""


@cache
def course(key: str) -> Course:
    """One of :data:`COURSES`. Its target is 0.01 above the global minimum, or 1 on the heights of Müller and Brown.

    No global minimum lies in the middle of its box, and Rastrigin's surface is turned by half a radian about its own:
    where the literature has them, a method that looks at the middle first, or along the axes, would have found them
    before it has begun.

    Raises:
        ValueError: an unknown key.

    Example:
        >>> from hilladam.experiments import COURSES, course
        >>> [key for key in COURSES if course(key).target < -1]
        ['tenth', 'camel', 'mueller_brown']
    """
    if key not in COURSES:
        raise ValueError(f"Invalid course: {key!r}; expected one of {COURSES}")
    box = _BOXES[key]
    loss: Polynomial | Surface
    if key == "tenth":
        loss = TABLE_1[key]
    elif key == "rastrigin":
        loss = _turned_rastrigin(TURN, box)
    else:
        plain = SURFACES[key]
        loss = Surface(plain.name, plain.function, box, plain.near, plain.slopes)
    return Course(loss, box, loss.global_minimum.value + (1.0 if key == "mueller_brown" else CLOSE), _HEATS[key])


def _turned_rastrigin(angle: float, box: tuple) -> Surface:
    """Rastrigin's surface, turned by an angle about the origin, with those of its minima that lie in the box."""
    plain, cos, sin = SURFACES["rastrigin"], math.cos(angle), math.sin(angle)

    def function(x, y):
        return plain.function(cos * x + sin * y, cos * y - sin * x)

    def slopes(x, y):
        value, (u, v) = plain.value_and_gradient((cos * x + sin * y, cos * y - sin * x))
        return value, cos * u - sin * v, sin * u + cos * v

    # Its minima go on for ever, one in every unit square: those of its own box would not fill a turned one.
    grid = 0.995 * np.arange(-10, 11)
    places = [(cos * u - sin * v, sin * u + cos * v) for u in grid for v in grid]
    inside = tuple(p for p in places if all(low < each < high for each, (low, high) in zip(p, box, strict=True)))
    return Surface(plain.name, function, box, inside, slopes)
