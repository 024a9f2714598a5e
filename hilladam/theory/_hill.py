"""When a climb over a hill crosses its top: the hill's shape in a few numbers, and the largest δ that they allow."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hilladam._checks import decay, decays, finite
from hilladam.losses import Polynomial
from hilladam.theory._way_out import _polynomial, _value_and_slope

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from hilladam.theory._way_out import Loss


@dataclass(frozen=True)
class Hill:
    """The way from a minimum up to a top. :func:`hill` measures it.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import hill
        >>> inner = hill(DOUBLE_WELL, 0.96, 0.075)
        >>> round(inner.height, 3), round(inner.curvature, 2), round(inner.rms_slope, 2)
        (0.717, 3.93, 0.89)
    """

    minimum: float
    """x at the foot."""
    top: float
    """x_b, at the top."""
    height: float
    """H, how much higher the top is."""
    rms_slope: float
    """V, the root mean square of f′ from the minimum to the top."""
    steepest: float
    """The largest size of f′ between them."""
    steepest_at: float
    """x where that is."""
    curvature: float
    """κ, the size of f″ at the top."""
    bottom_curvature: float
    """f″ at the minimum."""

    @property
    def width(self) -> float:
        """w, the distance from the minimum to the top."""
        return abs(self.top - self.minimum)

    @property
    def shape(self) -> float:
        """q = (π/2) f′max/(κd), with d the distance from the steepest place to the top; 1 on a hill of a sine wave."""
        return math.pi / 2 * self.steepest / (self.curvature * abs(self.steepest_at - self.top))

    def number(self, lr: "ArrayLike", beta1: float = 0.9) -> np.ndarray:
        """K = κℓ₁/V with ``ℓ₁ = λ/ln(1/β₁)``, which decides how a climb arrives: it creeps for K ≤ ¼.

        Args:
            lr: λ > 0.
            beta1: β₁ in (0, 1).

        Raises:
            ValueError: a number out of its range.
        """
        return self.curvature * finite("lr", lr, above=0) / (_memory(beta1) * self.rms_slope)

    def derived_step(self, lr: "ArrayLike", beta1: float = 0.9) -> np.ndarray:
        """The step at the top as the continuous limit has it, in units of λ.

        Where the slope is steepest, m̂ = f′ and the step is f′/V = c. From there on U″ + U′ + KU = 0, and the step at
        U = 0 is :func:`fading_step` times c. But m̂ is corrected for its bias and cannot forget more than the whole
        climb: the step stays below mean slope / V, what a climb of few steps has.

        Args:
            lr, beta1: as for :meth:`number`.

        Raises:
            ValueError: as :meth:`number`.
        """
        arriving = self.steepest / self.rms_slope * fading_step(self.number(lr, beta1))
        return np.minimum(arriving, self.height / self.width / self.rms_slope)

    def fitted_step(self, lr: "ArrayLike", beta1: float = 0.9) -> np.ndarray:
        """0.9 exp(−0.29/K²) with K q^0.3 for K: the step at the top, in units of λ, on both sides of K = 1.

        The numbers were fitted to the largest δ on five losses; the steps themselves are some 6 % shorter. Where the
        slope does not come down to the top as on a sine wave, :attr:`shape` says so, and a little of it belongs into K.

        Args:
            lr, beta1: as for :meth:`number`.

        Raises:
            ValueError: as :meth:`number`.
        """
        return 0.9 * np.exp(-0.29 / (self.number(lr, beta1) * self.shape**0.3) ** 2)

    def largest_delta(self, lr: "ArrayLike", betas: tuple[float, float] = (0.9, 0.999), *,
                      distance: "ArrayLike" = 0.0, derived: bool = False) -> np.ndarray:  # fmt: skip
        """δ*, the largest δ with which a climb crosses the top, as a law has it.

        The top allows κs², with s the step that arrives there (0.8 κs² / 0.9² of the fitted one). The bottom allows the
        change of the loss at the second step after a turn, :func:`second_change`: a larger δ ends the climb there.

        Args:
            lr: λ > 0.
            betas: (β₁, β₂), each in [0, 1), the first not 0.
            distance: b ≥ 0, how far from the minimum the climb begins, in units of λ.
            derived: whether to take :meth:`derived_step`, or :meth:`fitted_step`.

        Returns:
            δ* in units of the loss, float64 in the common shape of ``lr`` and ``distance``.

        Raises:
            ValueError: a number out of its range.
        """
        lr, (beta1, beta2) = np.asarray(lr), decays(betas)
        step = self.derived_step(lr, beta1) if derived else math.sqrt(0.8) / 0.9 * self.fitted_step(lr, beta1)
        bottom = second_change(distance, (beta1, beta2)) * self.bottom_curvature
        return np.minimum(self.curvature * step**2, bottom) * lr**2


def hill(f: "Loss", minimum: float, top: float) -> Hill:
    """Measure the way from a minimum to a neighbouring top.

    Args:
        f: the loss, as for :func:`hilladam.theory.way_out`.
        minimum: where it is, to a hundredth of the distance of the two: it is found from there.
        top: likewise.

    Raises:
        TypeError: as for :func:`hilladam.theory.way_out`.
        ValueError: a number that is not finite; no minimum or no top there, or a slope that changes its sign between.

    Example:
        >>> from hilladam.losses import TABLE_1
        >>> from hilladam.theory import hill
        >>> inner = hill(TABLE_1["sixth"], -0.151, -0.699)
        >>> round(inner.height, 2), round(inner.width, 3), round(inner.curvature)
        (10.03, 0.549, 170)
    """
    value, slope = _value_and_slope(_polynomial(f))
    minimum, top = finite("minimum", minimum).item(), finite("top", top).item()
    foot, summit = (_root(slope, name, x, abs(top - minimum)) for name, x in (("minimum", minimum), ("top", top)))
    nodes, weights = np.polynomial.legendre.leggauss(64)
    rise = np.sign(summit - foot) * slope(foot + (summit - foot) * (nodes + 1) / 2)
    if not (rise > 0).all():
        raise ValueError(f"Invalid top: {top}; the loss does not rise all the way from minimum = {minimum}")
    fine = np.linspace(foot, summit, 4001)
    steep = np.abs(slope(fine))
    h = 1e-5 * abs(summit - foot)
    bottom, over = ((slope(np.asarray(x + h)) - slope(np.asarray(x - h))) / (2 * h) for x in (foot, summit))
    return Hill(foot, summit, float(value(np.asarray(summit)) - value(np.asarray(foot))),
                math.sqrt(weights @ rise**2 / 2), float(steep.max()), float(fine[steep.argmax()]), -float(over),
                float(bottom))  # fmt: skip


def hills(f: Polynomial) -> list[Hill]:
    """Every way from a minimum of a polynomial up to a neighbouring maximum, by minimum, from left to right.

    Args:
        f: the polynomial.

    Raises:
        ValueError: as for :func:`hill`.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import hills
        >>> [(round(over.minimum, 2), round(over.top, 2)) for over in hills(DOUBLE_WELL)]
        [(-1.04, 0.08), (0.96, 0.08)]
    """
    found, turns = [], [p for p in f.stationary_points if p.kind != "inflection"]
    for place, foot in enumerate(turns):
        for beside in (place - 1, place + 1):
            if foot.kind == "minimum" and 0 <= beside < len(turns):
                found.append(hill(f, foot.x, turns[beside].x))
    return found


def fading_step(number: "ArrayLike") -> np.ndarray:
    """exp(−arccos(1 − 1/(2K)) / √(4K − 1)): what is left at the top of the step where the slope was steepest.

    On the parabola of the top the continuous limit of Adam is ``U″ + U′ + KU = 0`` in units of 1/ln(1/β₁) steps, with
    ``M`` the step in units of λ, ``U = (x_b − x)κ/V`` and ``U′ = −KM``. From U = M the first U = 0 has this M.

    Args:
        number: K ≥ 0, see :meth:`Hill.number`.

    Returns:
        float64 in the shape of ``number``, 0 for K ≤ ¼: then U never reaches 0.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> from hilladam.theory import fading_step
        >>> fading_step([0.25, 0.5, 1.0, 10.0]).round(3).tolist()
        [0.0, 0.208, 0.546, 0.95]
    """
    number = finite("number", number, least=0)
    crosses = number > 0.25
    K = np.where(crosses, number, 1.0)
    return np.where(crosses, np.exp(-np.arccos(1 - 1 / (2 * K)) / np.sqrt(4 * K - 1)), 0.0)


def second_change(distance: "ArrayLike" = 0.0, betas: tuple[float, float] = (0.9, 0.999)) -> np.ndarray:
    """The first change of the loss that is judged after a turn near a minimum, in units of f″λ².

    The turn forgets the loss, so that the first step, of λ, is not judged. With b the distance of the turn from the
    minimum in units of λ, the first two slopes are as b to b + 1. They make the second step r λ long, with
    ``r = (β₁b + b + 1)/(1 + β₁) / √((β₂b² + (b + 1)²)/(1 + β₂))``, and the loss changes by f″λ² r (b + 1 + r/2).

    Args:
        distance: b ≥ 0; a number or an array.
        betas: (β₁, β₂), each in [0, 1).

    Returns:
        float64 in the shape of ``distance``.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> from hilladam.theory import second_change
        >>> second_change([0.0, 0.5, 1.0]).round(3).tolist()
        [1.021, 1.798, 2.396]
    """
    b, (beta1, beta2) = finite("distance", distance, least=0), decays(betas)
    r = (beta1 * b + b + 1) / (1 + beta1) / np.sqrt((beta2 * b**2 + (b + 1) ** 2) / (1 + beta2))
    return r * (b + 1 + r / 2)


def overshoot_threshold(beta1: float) -> float:
    """(1 − √β₁)/(1 + √β₁): a climb from rest crosses a quadratic top, with √v̂ = V constant, iff λκ/V is above it.

    Where a climb stops short of the top, the descent that follows starts on the same side and goes back the same way.

    Args:
        beta1: β₁ in [0, 1).

    Raises:
        ValueError: β₁ out of its range.

    Example:
        >>> from hilladam.theory import overshoot_threshold
        >>> round(overshoot_threshold(0.9), 4)
        0.0263
    """
    beta1 = decay("beta1", beta1)
    return (1 - math.sqrt(beta1)) / (1 + math.sqrt(beta1))


def half_swing(stiffness: "ArrayLike", beta1: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
    """How a climb swings about a quadratic top: the steps of a half-swing, and what it leaves of ``|ΔL|``.

    With √v̂ held at V the positions obey ``y₊ = (1 + β₁ − (1 − β₁)c) y − β₁y₋``, whose roots are √β₁ e^(±iθ).

    Args:
        stiffness: c = λκ/V, between :func:`overshoot_threshold` and the reciprocal of it; a number or an array.
        beta1: β₁ in (0, 1).

    Returns:
        π/θ and β₁^(π/θ), float64 in the shape of ``stiffness``.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> from hilladam.theory import half_swing
        >>> steps, left = half_swing(0.131)  # the double well at λ = 0.03
        >>> round(float(steps), 1), round(float(left), 3)
        (29.9, 0.043)
    """
    log = _memory(beta1)
    stiffness, least = finite("stiffness", stiffness), overshoot_threshold(beta1)
    if not ((stiffness > least) & (stiffness < 1 / least)).all():
        raise ValueError(f"Invalid stiffness: {stiffness}; expected numbers for which the climb swings")
    steps = math.pi / np.arccos((1 + beta1 - (1 - beta1) * stiffness) / (2 * math.sqrt(beta1)))
    return steps, np.exp(-log * steps)


def _memory(beta1):
    """ln(1/β₁)."""
    if not decay("beta1", beta1):
        raise ValueError(f"Invalid beta1: {beta1}; expected a number in (0, 1)")
    return -math.log(beta1)


def _root(slope, name, x, width):
    """The stationary point within a hundredth of the width."""
    from scipy.optimize import brentq

    def at(place):
        return float(slope(np.asarray(place)))

    low, high = x - width / 100, x + width / 100
    falls = at(low) < 0 < at(high) if name == "minimum" else at(low) > 0 > at(high)
    if not falls:
        raise ValueError(f"Invalid {name}: {x}; expected a {name} of the loss there")
    return brentq(at, low, high, xtol=1e-15)
