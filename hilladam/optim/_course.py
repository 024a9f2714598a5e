"""The rule that tunes itself: when to turn and how long a step to take, from what a run has seen; a pure function."""

import math
from typing import NamedTuple

COURSE_REASONS = ("none", "critical", "crest", "lid")
"""What :attr:`Verdict.reason` counts: its values are indices into this tuple."""

FIRST_GROWTH, GROWTH = 2.0, 1.1  # of λ a step: before the first step back; after it, and uphill
LOWER = 1e-3  # of the height of the hills: how much deeper a bottom must be to count as a new one
_ENOUGH_TO_TELL = 4  # steps of the first climb that show a height
ROOM, WIDER, FAR_WIDER = 2.0, 2.0, 16.0  # heights to the lid; what multiplies them in turn, and for the blind


class Course(NamedTuple):
    """What the rule remembers of a run, in plain numbers. A run begins with ``Course()``.

    Example:
        >>> from hilladam.optim import Course
        >>> Course().scale
        1.0
    """

    scale: float = 1.0
    """λ as a multiple of ``lr``."""
    growth: float = FIRST_GROWTH
    """What λ is multiplied by at every step of a descent that has surely got on."""
    probing: bool = True
    """Whether the first step is still being sought: one that leads lower."""
    start_loss: float = math.nan
    """The first loss."""
    moved: bool = False
    """Whether a step has been made, so that there is a slope along it."""
    high: float = -math.inf
    """The highest loss of this leg."""
    lowest: float = math.inf
    """The lowest loss of this leg."""
    drift: float = 0.0
    """How far the leg has gone the wrong way since it last got on, by its slopes."""
    spread: float = 0.0
    """The sum of squares of what those slopes can be wrong by."""
    low: float = math.inf
    """The lowest bottom so far."""
    bottom: float = math.nan
    """The loss at which this climb began."""
    climbed: int = 0
    """How many steps this climb has made."""
    rise: float = 0.0
    """The height of the hills seen so far, from which the lid is measured."""
    top: float = math.nan
    """The highest loss of the last climb; NaN before any."""
    walls: int = 0
    """How often the lid has ended a climb since the lowest bottom was found."""
    walled: bool = False
    """Whether the lid ended the last climb."""
    blind: bool = False
    """Whether four steps of the first climb led higher than the first descent came down, and no climb over a top."""


class Verdict(NamedTuple):
    """What :func:`steer` says of one loss.

    Example:
        >>> from hilladam.optim import Course, steer
        >>> steer(Course(), False, 3.0, 0.0, 0.0).reason
        0
    """

    course: Course
    """What is remembered from now on."""
    maximize: bool
    """Whether the coming step climbs."""
    reason: int
    """Why the direction changed, as an index into :data:`COURSE_REASONS`; 0 where it did not."""
    rose: bool = False
    """Whether a descent went back, so that its momentum is to be dropped; λ has been halved."""
    again: bool = False
    """Whether the last step is to be taken back, and made again with the shorter λ."""


def room_above(walls: int, dimensions: int, blind: bool) -> float:
    """How many heights of hills the lid lies above the lowest bottom, after so many climbs that it has ended in vain.

    :func:`steer` says why. In one variable it is 2, 2, 4, 4, 2, 2, 8, 8, 2, 2, 4, 4, 2, 2, 16, …, if not blind.
    """
    number = 1 + (walls if blind else walls // (2 * dimensions))
    room = ROOM
    while number % 2 == 0:
        room, number = room * (FAR_WIDER if blind else WIDER), number // 2
    return room


def steer(
    course: Course,
    maximize: bool,
    loss: float,
    slope: float,
    bend: float,
    *,
    delta: float = 1e-3,
    kappa: float = 0.5,
    dimensions: int = 1,
    settle: bool = False,
) -> Verdict:
    r"""Decide the direction and the length of the next step.

    With the gradients :math:`g_{t-1}, g_t` at both ends of the step s just made, the change of the loss along it is the
    trapezoid

    .. math:: D = \tfrac12 (g_{t-1} + g_t) \cdot s, \qquad q = \tfrac12 (g_t - g_{t-1}) \cdot s,

    ``slope`` and ``bend``, and :math:`|q|` bounds what D can be wrong by where the slope along the step only rises or
    only falls. A difference of losses carries the noise of both, however short the step; the noise of D shrinks with
    the step as D itself does. So losses serve only for the range of a leg, the lid, a new bottom and the first step.

    1. D and q² are summed until the leg has got on, down or up. It has gone *back* where the sum of D, the wrong way,
       exceeds κ times the root of the sum of q². It *stands still* where :math:`|D| \le \delta` times the range of
       losses of this leg. But a descent that stands still where :math:`|q| > \sqrt\delta` times that range has gone
       back: it has jumped over a bottom, a kink or one that is narrow for such a step, and the slopes on its two sides
       cancel.
    2. Downhill, a step back halves λ and drops the momentum. Else λ grows where the leg has *surely* got on, the sum of
       −D being at least the root of the sum of q²: twofold until the first step back, and by 10 % from then on. Uphill
       it grows by 10 % at every step.
    3. It turns where it stands still (*critical*); uphill also where it goes back, over the top (*crest*), and where
       the loss exceeds the *lid*.
    4. The lid lies c heights of hills above the lowest bottom. The first height is that of the first descent; a higher
       hill replaces it at the bottom after it, unless the lid ended its climb. Hills may be higher than the lid, or
       there may be none. So high lids are tried *in turn*, the higher the more seldom: of the rounds of 2d climbs that
       the lid has ended since the lowest bottom was found, the nth has :math:`c = 2 \cdot 2^k`, where k is how often
       two divides n: 2, 4, 2, 8, 2, 4, 2, 16, …, much as Luby, Sinclair and Zuckerman (Optimal speedup of Las Vegas
       algorithms, 1993) choose how long to run. A run that knows of no height, because four steps of its first
       climb lead higher than its first descent came down, is *blind* until it has gone over a top: there a round is one
       climb, and :math:`c = 2 \cdot 16^k`.
    5. Until the first step has led lower, it is taken back and tried again with a quarter of λ; so is a step to where
       loss or slope are not finite.

    Args:
        course: what is remembered.
        maximize: whether the last step climbed.
        loss: the loss of the parameters as they stand, before the step.
        slope: D, in units of the loss; anything where there is no step yet.
        bend: q, in units of the loss.
        delta: δ ≥ 0, as a part of the range of losses of a leg.
        kappa: κ ≥ 0; 0 where gradients are exact.
        dimensions: d, the number of parameters.
        settle: whether a descent goes on where it stands still.

    Returns:
        The verdict. After a turn, the moments are to be cleared.

    Example:
        The first loss is noted. The second is surely lower, so λ doubles; then the slope points up, and λ is halved.

        >>> from hilladam.optim import Course, steer
        >>> verdict = steer(Course(), False, 3.0, 0.0, 0.0)
        >>> verdict = steer(verdict.course, False, 2.0, -1.1, 0.2)
        >>> verdict.course.scale
        2.0
        >>> verdict = steer(verdict.course, False, 2.5, 0.4, 0.7)
        >>> verdict.course.scale, verdict.rose
        (1.0, True)
    """
    now = course
    if not (math.isfinite(loss) and (math.isfinite(slope + bend) or not now.moved)):
        return Verdict(now._replace(scale=now.scale / 4) if now.moved else now, maximize, 0, again=True)
    if not now.moved and now.probing:
        now = now._replace(start_loss=loss)
    elif now.probing:
        # A step too short to change anything is short enough.
        if not loss < now.start_loss and slope:
            return Verdict(now._replace(scale=now.scale / 4), maximize, 0, again=True)
        now = now._replace(probing=False)
    now = now._replace(high=max(now.high, loss), lowest=min(now.lowest, loss))
    back = still = sure = False
    if now.moved:
        drift, spread, size = now.drift + slope, now.spread + bend * bend, now.high - now.lowest
        on = drift >= 0 if maximize else drift <= 0
        still = abs(slope) <= delta * size
        sure = -drift >= math.sqrt(spread)  # as where a step was too short to change anything
        jumped = still and not maximize and abs(bend) > math.sqrt(delta) * size
        back = jumped or (not on and abs(drift) > kappa * math.sqrt(spread))
        still = still and not jumped
        now = now._replace(drift=0.0, spread=0.0) if on or back else now._replace(drift=drift, spread=spread)
    if maximize:
        now = now._replace(climbed=now.climbed + 1, scale=GROWTH * now.scale)
        untold = math.isnan(now.top)
        if untold and now.climbed == _ENOUGH_TO_TELL and loss - now.bottom > now.rise:
            now = now._replace(rise=loss - now.bottom, blind=True)
        room = room_above(now.walls, dimensions, now.blind)
        lid = loss > now.low + room * now.rise and not (untold and now.climbed < _ENOUGH_TO_TELL)
        reason = 3 if lid else 2 if back else 1 if still else 0
        if reason:
            now = now._replace(top=now.high, walled=lid, walls=now.walls + lid, blind=now.blind and reason != 2)
    else:
        if back:
            now = now._replace(scale=now.scale / 2, growth=GROWTH)
        elif sure:
            now = now._replace(scale=now.growth * now.scale)
        reason = 1 if still and not settle else 0
        if reason:
            if now.low == math.inf:
                now = now._replace(rise=now.start_loss - loss)
            elif not now.walled:
                now = now._replace(rise=max(now.rise, now.top - min(loss, now.low)))
            if loss < now.low - LOWER * now.rise:
                now = now._replace(walls=0)
            now = now._replace(low=min(now.low, loss), bottom=loss, climbed=0, walled=False)
    if reason:
        now = now._replace(high=loss, lowest=loss, drift=0.0, spread=0.0)
    return Verdict(now._replace(moved=True), maximize ^ bool(reason), reason, rose=back and not maximize)
