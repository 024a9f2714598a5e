"""One climb of Hill-ADAM, taken without δ: from it the outcome for every δ can be read off."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from hilladam._checks import decays, finite, whole
from hilladam.theory._way_out import _polynomial, _value_and_slope

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from hilladam.theory._way_out import Loss


@dataclass(frozen=True)
class Climb:
    """A climb, or an array of them, that no δ ended. :func:`climb` makes it.

    Until it turns, a climb does not know δ. So the climb with δ is this one, cut off at the first change of the loss
    below δ; and that is the first *record low* below δ: a change smaller than every one before.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import climb
        >>> up = climb(DOUBLE_WELL, 0.95, 0.0754, lr=0.03, steps=160)
        >>> up.ends([1e-4, 1e-3, 3e-3]).tolist()  # after so many steps
        [56, 30, 29]
        >>> up.crosses([1e-4, 1e-3, 3e-3]).tolist()
        [False, True, False]
    """

    x: np.ndarray
    """The positions, float64 of shape ``(steps + 1, …)``, from the turn at the bottom on."""
    change: np.ndarray
    """``|ΔL|`` as the δ rule judges it at each position, likewise. The first two are not judged, and infinite here."""
    top: float
    """The maximum that was climbed towards."""

    @cached_property
    def beyond(self) -> np.ndarray:
        """Whether each position lies beyond the top (bool)."""
        return (self.x - self.top) * (self.x[0] - self.top) < 0

    @cached_property
    def lowest(self) -> np.ndarray:
        """The smallest change so far: it falls at the record lows and nowhere else."""
        return np.minimum.accumulate(self.change)

    def ends(self, delta: "ArrayLike") -> np.ndarray:
        """After how many steps the climb with this δ turns round: the place of the first record low below δ.

        Args:
            delta: δ ≥ 0, a number or an array; its dimensions come before those of the climbs.

        Returns:
            int64; −1 where no change was below δ in the steps taken.

        Raises:
            ValueError: a δ out of its range.
        """
        delta = finite("delta", delta, least=0)
        below = self.lowest < delta.reshape(delta.shape + (1,) * self.x.ndim)
        at = below.argmax(axis=delta.ndim)
        return np.where(below.any(axis=delta.ndim), at, -1)

    def crosses(self, delta: "ArrayLike") -> np.ndarray:
        """Whether the climb with this δ turns round beyond the top; False where it does not turn in the steps taken.

        Args:
            delta: as for :meth:`ends`.

        Raises:
            ValueError: as :meth:`ends`.
        """
        at = self.ends(delta)
        members = np.indices(self.x.shape[1:])
        return self.beyond[(at, *members)] & (at >= 0)

    @cached_property
    def largest_delta(self) -> np.ndarray:
        """The largest δ with which the climb turns round beyond the top.

        0 where there is none, and ∞ where the first change that is judged is made beyond it already.
        """
        record = np.concatenate([np.zeros_like(self.lowest[:1], bool), self.lowest[1:] < self.lowest[:-1]])
        far = record & self.beyond
        at = np.maximum(far.argmax(axis=0), 1)
        before = np.take_along_axis(self.lowest, at[None] - 1, axis=0)[0]
        return np.where(far.any(axis=0), before, 0.0)


def climb(f: "Loss", x0: "ArrayLike", top: float, lr: "ArrayLike", *, betas: tuple[float, float] = (0.9, 0.999),
          eps: float = 1e-8, steps: int = 1000) -> Climb:  # fmt: skip
    """Let Hill-ADAM climb from ``x0`` with fresh moments, as after a turn at the bottom, and never turn.

    Args:
        f: the loss, as for :func:`hilladam.theory.way_out`.
        x0: the turns at the bottom, on the slopes of the hill; a number or an array.
        top: the maximum that they climb towards.
        lr: λ > 0, broadcast with ``x0``.
        betas: (β₁, β₂), each in [0, 1).
        eps: ε ≥ 0, outside the root.
        steps: how many to take, at least 1.

    On a polynomial the positions have the bits of :func:`hilladam.experiments.run_points`.

    Returns:
        :class:`Climb`, its arrays of shape ``(steps + 1, …)``.

    Raises:
        TypeError: as for :func:`hilladam.theory.way_out`.
        ValueError: a number out of its range, or a start from which the loss does not rise towards the top.

    Example:
        >>> from hilladam.losses import Polynomial
        >>> from hilladam.theory import climb
        >>> up = climb(Polynomial("hill", (-1, 0, 0)), -1.0, 0.0, lr=0.1, steps=30)
        >>> round(float(up.x.max()), 3), round(float(up.largest_delta), 4)
        (0.273, 0.0058)
    """
    value, slope = _value_and_slope(_polynomial(f))
    top, steps, betas = finite("top", top).item(), whole("steps", steps, 1), decays(betas)
    eps = finite("eps", eps, least=0)
    x, lr = np.broadcast_arrays(finite("x0", x0), finite("lr", lr, above=0))
    if not (np.sign(top - x) * slope(x) > 0).all():
        raise ValueError(f"Invalid x0: {x}; expected places from which the loss rises towards top = {top}")
    path = ascend(slope, x, lr, betas, eps, steps)
    return Climb(path, changes(value(path)), top)


def ascend(slope: "Callable", x: np.ndarray, lr: "ArrayLike", betas: tuple[float, float], eps: float,
           steps: int) -> np.ndarray:  # fmt: skip
    """Adam uphill from ``x``, with the operations of the compiled engine in their order: shape ``(steps + 1, …)``."""
    path = np.empty((steps + 1, *x.shape))
    path[0] = x
    m, v = np.zeros((2, *x.shape))
    (beta1, beta2), power1, power2 = betas, 1.0, 1.0
    for t in range(steps):
        power1, power2 = power1 * beta1, power2 * beta2
        g = slope(path[t])
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        path[t + 1] = path[t] + lr * (m * (1 / (1 - power1))) / (np.sqrt(v * (1 / (1 - power2))) + eps)
    return path


def changes(losses: np.ndarray) -> np.ndarray:
    """``|ΔL|`` by step; infinite at the first two, for a turn forgets the loss, and step 2 compares the first two."""
    change = np.full_like(losses, np.inf)
    change[2:] = np.abs(np.diff(losses[1:], axis=0))
    return change
