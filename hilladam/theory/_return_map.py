"""The return map, from one turn at the bottom to the next: all the memory that Hill-ADAM has on one variable."""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hilladam._checks import finite, whole
from hilladam.theory._legs import Leg, leg

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from hilladam.theory._way_out import Loss


class Round(NamedTuple):
    """A climb and the descent after it. :func:`return_map` makes it.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import return_map
        >>> there = return_map(DOUBLE_WELL, [0.95, 1.0], lr=0.03, delta=1e-4, gamma=200.0)
        >>> there.top.x.round(2).tolist(), there.bottom.x.round(2).tolist()
        ([0.08, 3.92], [0.96, 1.0])
    """

    top: Leg
    """Where the climb turned."""
    bottom: Leg
    """Where the descent turned: the value of the map."""


def return_map(f: "Loss", x: "ArrayLike", lr: "ArrayLike", delta: "ArrayLike" = 1e-4, gamma: "ArrayLike" = math.inf, *,
               betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, steps: int = 5000) -> Round:  # fmt: skip
    """Take Hill-ADAM from turns at the bottom, at ``x``, up and down again to the next turns at the bottom.

    Args:
        f, lr, delta, gamma, betas, eps, steps: as for :func:`hilladam.theory.leg`.
        x: where the rounds start.

    Returns:
        :class:`Round`; its numbers are NaN from the first leg on that did not turn.

    Raises:
        TypeError, ValueError: as for :func:`hilladam.theory.leg`.

    Example:
        >>> import numpy as np
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import return_map
        >>> outside = np.linspace(0.961, 1.05, 5)  # on the outer side of the minimum; and so they stay
        >>> return_map(DOUBLE_WELL, outside, lr=0.03, gamma=200.0).bottom.x.round(2).tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    options = dict(betas=betas, eps=eps, steps=steps)
    top = leg(f, x, True, lr, delta, gamma, **options)
    lr, delta, gamma = (np.broadcast_to(a, top.x.shape) for a in (lr, delta, gamma))
    turned = ~np.isnan(top.x)
    bottom = Leg(np.full(top.x.shape, np.nan), np.zeros(top.x.shape, np.int64), np.zeros(top.x.shape, bool))
    if turned.any():
        down = leg(f, top.x[turned], False, lr[turned], delta[turned], gamma[turned], **options)
        for kept, new in zip(bottom, down, strict=True):
            kept[turned] = new
    return Round(top, bottom)


class Fate(NamedTuple):
    """Where rounds without end lead. :func:`fate` finds it.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import fate
        >>> inside, outside = fate(DOUBLE_WELL, [0.93, 1.0], lr=0.03, gamma=200.0).x.round(2).tolist()
        >>> inside, outside  # the deeper minimum, and for ever on the outer side of the other
        (-1.03, 1.0)
    """

    x: np.ndarray
    """The smallest place of the cycle; NaN where none was found."""
    period: np.ndarray
    """How many rounds it has (int64); 0 where none was found."""
    rounds: np.ndarray
    """After how many rounds it was reached (int64)."""


def fate(f: "Loss", x: "ArrayLike", lr: float, delta: float = 1e-4, gamma: float = math.inf, *, rounds: int = 100,
         tolerance: float = 1e-9, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
         steps: int = 5000) -> Fate:  # fmt: skip
    """Repeat the return map until a turn comes back.

    The map takes a finite set, the floating-point numbers, into itself. So every run that goes on turning comes back to
    a turn that it had before, bit for bit, and from then on repeats itself. Some rounds earlier it comes close enough.

    Args:
        f, lr, delta, gamma, betas, eps, steps: as for :func:`return_map`.
        x: the first turns at the bottom, shape ``(members,)``.
        rounds: how many at most, at least 1.
        tolerance: how near an earlier turn counts as that turn, ≥ 0, in units of x.

    Returns:
        :class:`Fate`, its arrays of shape ``(members,)``.

    Raises:
        TypeError, ValueError: as for :func:`return_map`; or another shape of ``x``.

    Example:
        >>> import numpy as np
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import fate
        >>> found = fate(DOUBLE_WELL, np.linspace(0.9, 1.0, 21), lr=0.03, gamma=1.2)
        >>> set(found.x.round(2).tolist())  # γ just above the top opens the prison
        {-1.03}
    """
    x, rounds, tolerance = finite("x", x), whole("rounds", rounds, 1), finite("tolerance", tolerance, least=0)
    if x.ndim != 1:
        raise ValueError(f"Invalid x: shape {x.shape}; expected (members,)")
    different, which = np.unique(x, return_inverse=True)
    orbits = [[start] for start in different.tolist()]
    left = dict(enumerate(orbits))
    found = np.full((3, len(orbits)), np.nan)
    for _ in range(rounds):
        if not left:
            break
        after = return_map(f, [orbit[-1] for orbit in left.values()], lr, delta, gamma, betas=betas, eps=eps,
                           steps=steps).bottom.x  # fmt: skip
        for member, place in zip(list(left), after.tolist(), strict=True):
            orbit = orbits[member]
            back = [turn for turn, earlier in enumerate(orbit) if abs(place - earlier) <= tolerance]
            if back:
                found[:, member] = min(orbit[back[-1] :]), len(orbit) - back[-1], back[-1]
            orbit.append(place)
            if back or math.isnan(place):
                del left[member]
    found = found[:, which]
    return Fate(found[0], *np.nan_to_num(found[1:]).astype(np.int64))
