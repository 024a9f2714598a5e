"""The prescribed loss of Experiment 2: what three gains cost, one for each colour channel of a photograph."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from hilladam.losses._numbers import Exact, exact, floating
from hilladam.losses._polynomial import Polynomial, stack

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

CHANNELS = ("red", "green", "blue")


def double_well(low: Exact, high: Exact, barrier: Exact = 1, tilt: Exact = 0, level: Exact = 0) -> Polynomial:
    """A regulariser that prefers a gain near ``low`` or near ``high`` to any other.

    Its value is barrier·(((x − m)/h)² − 1)² + tilt·x + level, with m the middle of the two wells and h half their
    distance. All arguments are integers, fractions, decimals, decimal strings or floats, as for :class:`Polynomial`.

    Args:
        low, high: the gains at the bottoms of the wells, for ``tilt=0``.
        barrier: the height of the hill between them, in units of the loss.
        tilt: what one unit of gain costs; a positive tilt makes the low well the deeper one.
        level: a constant.

    Raises:
        TypeError: an argument that is no real number.
        ValueError: one that is not finite; ``low`` not below ``high``, or a barrier that is not positive.

    Example:
        >>> from hilladam.losses import double_well
        >>> wells = double_well("0.5", 2, barrier=3)
        >>> [(point.x, round(point.value, 9)) for point in wells.stationary_points]
        [(0.5, 0.0), (1.25, 3.0), (2.0, 0.0)]
    """
    low, high, barrier = exact(low, "low"), exact(high, "high"), exact(barrier, "barrier")
    tilt, level = exact(tilt, "tilt"), exact(level, "level")
    if not low < high:
        raise ValueError(f"Invalid high: {float(high)}; expected a gain above low = {float(low)}")
    if barrier <= 0:
        raise ValueError(f"Invalid barrier: {float(barrier)}; expected a number > 0")
    m, a = (low + high) / 2, ((high - low) / 2) ** -2
    # barrier·(a(x − m)² − 1)², multiplied out.
    shift = a * m * m - 1
    powers = (a * a, -4 * a * a * m, 2 * a * (2 * a * m * m + shift), -4 * a * m * shift, shift * shift)
    fourth, third, second, first, constant = (barrier * power for power in powers)
    return Polynomial("double well", (fourth, third, second, first + tilt, constant + level), m)


def preference(gain: Exact, weight: Exact = 1) -> Polynomial:
    """A regulariser with one well: weight·(x − gain)².

    Args:
        gain: the bottom of the well.
        weight: what a distance of one from it costs. Both are exact numbers, as for :class:`Polynomial`.

    Raises:
        TypeError: an argument that is no real number.
        ValueError: one that is not finite, or a weight that is not positive.

    Example:
        >>> from hilladam.losses import preference
        >>> round(preference("0.5", weight=8)(1), 6)
        2.0
    """
    gain, weight = exact(gain, "gain"), exact(weight, "weight")
    if weight <= 0:
        raise ValueError(f"Invalid weight: {float(weight)}; expected a number > 0")
    return Polynomial("preference", (weight, -2 * weight * gain, weight * gain * gain), gain)


RED_WELLS = double_well("-1.5", "0.5")
"""((r + 0.5)² − 1)²: the authors' regulariser of the red gain. Its well at r = −1.5 has no physical meaning."""

BLUE_WELLS = double_well("1.1", "3.1", tilt="0.3", level=2)
"""((b − 2.1)² − 1)² + 0.3 b + 2: the authors' regulariser of the blue gain, tilted towards the well near 1.1."""


class GainPoint(NamedTuple):
    """A stationary point of a :class:`ColourLoss`.

    Example:
        >>> from hilladam.losses import ColourLoss
        >>> point = ColourLoss((0.5, 0.5, 0.5), (0.25, 0.5, 0.75), red=None, blue=None).global_minimum
        >>> point.gains, point.value, point.kind
        ((0.5, 1.0, 1.5), 0.0, 'minimum')
    """

    gains: tuple[float, float, float]
    """(r, g, b)."""
    value: float
    """The loss there."""
    kind: str
    """``"minimum"``, ``"maximum"`` or ``"saddle"``."""


@dataclass(frozen=True)
class ColourLoss:
    """What gains (r, g, b) cost that are to bring a source's mean colour to a target's (Section 7.2 of the paper).

    The loss is Σ_c (source_c·gain_c − target_c)² plus a regulariser for each channel that has one. The paper leaves the
    regularisers out; the defaults are those of its authors' published code. A condition is added by adding a term: any
    polynomial of one gain with a lower bound will do, say one by :func:`double_well` or :func:`preference`.

    Every term depends on one gain only, so the loss is a sum of three polynomials of one variable, and its stationary
    points are known exactly.

    Args:
        source, target: the channel means (red, green, blue) of the two photographs, each in [0, 1].
        red, green, blue: the regulariser of each gain, or None.

    Raises:
        ValueError: means that are not three numbers in [0, 1], or a channel whose gain nothing determines: the source
            has none of it, and there is no regulariser; or a regulariser without a lower bound.

    Example:
        >>> from hilladam.losses import ColourLoss
        >>> loss = ColourLoss(source=(0.65, 0.45, 0.25), target=(0.2, 0.4, 0.7))
        >>> len(loss.minima), [round(gain, 2) for gain in loss.global_minimum.gains]
        (4, [0.48, 0.89, 1.09])
    """

    source: Sequence[float]
    target: Sequence[float]
    red: Polynomial | None = RED_WELLS
    green: Polynomial | None = None
    blue: Polynomial | None = BLUE_WELLS
    channels: tuple[Polynomial, Polynomial, Polynomial] = field(init=False, repr=False, compare=False)
    """The loss of each gain: match and regulariser together. The loss is their sum."""

    def __post_init__(self):
        for name in ("source", "target"):
            means = tuple(float(mean) for mean in getattr(self, name))
            if len(means) != 3 or not all(0.0 <= mean <= 1.0 for mean in means):
                raise ValueError(f"Invalid {name}: {means}; expected the three means (red, green, blue) in [0, 1]")
            object.__setattr__(self, name, means)
        terms = zip(CHANNELS, self.source, self.target, (self.red, self.green, self.blue), strict=True)
        object.__setattr__(self, "channels", tuple(_channel(*term) for term in terms))

    def __call__(self, gains):
        """The loss at gains of shape ``(…, 3)``, an array or a tensor; the result has shape ``(…)``.

        Raises:
            ValueError: gains of another shape.
        """
        _three(gains)
        return sum(channel(gains[..., c]) for c, channel in enumerate(self.channels))

    def terms(self, gains) -> dict:
        """The loss taken apart: ``"match"``, and ``"red"``, ``"green"``, ``"blue"`` for the regularisers there are."""
        _three(gains)
        pairs = enumerate(zip(self.source, self.target, strict=True))
        parts = {"match": sum((source * gains[..., c] - target) ** 2 for c, (source, target) in pairs)}
        for c, name in enumerate(CHANNELS):
            if getattr(self, name) is not None:
                parts[name] = getattr(self, name)(gains[..., c])
        return parts

    @cached_property
    def stationary_points(self) -> tuple[GainPoint, ...]:
        """Every stationary point: one for each choice of a stationary point in each channel, blue changing fastest."""
        points = []
        for choice in itertools.product(*(channel.stationary_points for channel in self.channels)):
            kinds = {point.kind for point in choice}
            kind = kinds.pop() if len(kinds) == 1 else "saddle"
            gains = tuple(point.x for point in choice)
            points.append(GainPoint(gains, sum(p.value for p in choice), "saddle" if kind == "inflection" else kind))
        return tuple(points)

    @cached_property
    def minima(self) -> tuple[GainPoint, ...]:
        """Those of the stationary points that are minima."""
        return tuple(point for point in self.stationary_points if point.kind == "minimum")

    @cached_property
    def global_minimum(self) -> GainPoint:
        """The lowest minimum. Where it has a negative gain, see :attr:`physical_minimum`."""
        return min(self.minima, key=lambda point: point.value)

    @cached_property
    def physical_minimum(self) -> GainPoint:
        """The lowest of the minima without a negative gain.

        Raises:
            ValueError: there is none.
        """
        physical = [point for point in self.minima if min(point.gains) >= 0]
        if not physical:
            raise ValueError("no minimum of this loss has three gains >= 0")
        return min(physical, key=lambda point: point.value)

    def basin(self, gains: "ArrayLike | Tensor") -> Tensor:
        """Which stationary point gradient flow from these gains comes to rest at.

        Args:
            gains: shape ``(…, 3)``, an array or a tensor.

        Returns:
            int64 of shape ``(…)``, indices into :attr:`stationary_points`; −1 for gains that are not finite.

        Raises:
            ValueError: gains of another shape.
        """
        gains = _three(floating(gains))
        index = 0
        for c, channel in enumerate(self.channels):
            index = index * len(channel.stationary_points) + channel.basin(gains[..., c])
        return torch.where(gains.isfinite().all(-1), index, -1)


def _three(gains):
    if gains.shape[-1:] != (3,):
        raise ValueError(f"Invalid gains: shape {tuple(gains.shape)}; expected (…, 3)")
    return gains


def _channel(name: str, source: float, target: float, regulariser: Polynomial | None) -> Polynomial:
    """(source·x − target)² and the regulariser, as one exact polynomial."""
    source, target = Fraction(source), Fraction(target)
    match = (source * source, -2 * source * target, target * target)
    if regulariser is None:
        if not source:
            raise ValueError(f"Invalid source: its mean {name} is 0 and no regulariser determines the {name} gain")
        return Polynomial(name, match, target / source)
    if regulariser.degree % 2 or regulariser.coefficients[0] < 0:
        raise ValueError(f"Invalid {name}: {regulariser.name} falls without bound; expected a lower bound")
    pairs = itertools.zip_longest(reversed(regulariser.coefficients), reversed(match), fillvalue=0)
    return Polynomial(name, tuple(sum(pair) for pair in pairs)[::-1], regulariser.centre)


def stack_colours(
    losses: Sequence[ColourLoss], *, dtype: torch.dtype = torch.float64, device: torch.device | str | None = None
) -> Callable[[Tensor], Tensor]:
    """One function that gives every member of an ensemble its own colour loss.

    Args:
        losses: one for each member, at least one.
        dtype, device: of the coefficients; the gains have the same. Default: float64, on torch's default device.

    Returns:
        A function that takes gains of shape ``(members, 3)`` to the losses, of shape ``(members,)``; differentiable
        once, as for :func:`stack`.

    Raises:
        ValueError: no losses; or, from that function, another number of gains than three for each member.

    Example:
        >>> import torch
        >>> from hilladam.losses import ColourLoss, preference, stack_colours
        >>> grey, half = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
        >>> losses = [ColourLoss(grey, grey, red=None, blue=None), ColourLoss(grey, half, red=preference(1), blue=None)]
        >>> stack_colours(losses)(torch.ones(2, 3, dtype=torch.float64)).round(decimals=6).tolist()
        [0.0, 0.1875]
    """
    if not losses:
        raise ValueError(f"Invalid losses: {losses!r}; expected at least one")
    each = stack([channel for loss in losses for channel in loss.channels], dtype=dtype, device=device)
    return lambda gains: each(gains).view(-1, 3).sum(1)
