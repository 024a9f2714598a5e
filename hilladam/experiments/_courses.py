"""The losses that the book races on, with the box of the starts and the target."""

from functools import cache
from typing import NamedTuple

from hilladam.losses import DOUBLE_WELL, SURFACES, TABLE_1, ColourLoss, Polynomial, Surface


class Course(NamedTuple):
    """A loss to race on; see :func:`course`.

    Example:
        >>> from hilladam.experiments import course
        >>> loss, box, target = course("himmelblau")
        >>> f"{loss.global_minimum.value:.2f} {target:.2f}"
        '0.00 0.01'
    """

    loss: Polynomial | Surface | ColourLoss
    box: tuple
    """Where starts are drawn: (lowest, highest) for each variable."""
    target: float
    """The loss below which a run has found the global minimum."""


COURSES = ("double_well", "sixth", "eighth", "tenth", "camel", "mueller_brown", "rastrigin", "himmelblau", "colour")
"""The losses that the book races on: the double well, three of Table 1's polynomials, the four of
:data:`~hilladam.losses.SURFACES`, and the colour loss on its three gains."""


@cache
def course(key: str) -> Course:
    """One of :data:`COURSES`. Its target is 0.01 above the global minimum, or 1 on the heights of Müller and Brown.

    Raises:
        ValueError: an unknown key.

    Example:
        >>> from hilladam.experiments import COURSES, course
        >>> [key for key in COURSES if course(key).target < -1]
        ['eighth', 'tenth', 'camel', 'mueller_brown']
    """
    if key not in COURSES:
        raise ValueError(f"Invalid course: {key!r}; expected one of {COURSES}")
    loss: Polynomial | Surface | ColourLoss
    box: tuple
    if key in SURFACES:
        loss, box = SURFACES[key], SURFACES[key].box
    elif key == "colour":  # with the means that the authors' photographs may have had
        loss, box = ColourLoss((0.65, 0.45, 0.25), (0.2, 0.4, 0.7)), ((0.0, 3.5),) * 3
    else:
        loss, box = (DOUBLE_WELL, (-2.0, 2.0)) if key == "double_well" else (TABLE_1[key], (-2.0, 6.0))
    return Course(loss, box, loss.global_minimum.value + (1.0 if key == "mueller_brown" else 0.01))
