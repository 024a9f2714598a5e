"""The rule that walks over hills: when to settle, when to walk, how far and which way; a pure function of numbers."""

import math
from typing import NamedTuple

TREK_REASONS = ("none", "bottom", "crest", "round")
"""What :attr:`Advice.reason` counts: its values are indices into this tuple."""

MOVES = ("descend", "retry", "walk", "next", "onward", "home", "renew")
"""What :attr:`Advice.move` counts: its values are indices into this tuple."""

DESCEND, RETRY, WALK, NEXT, ONWARD, HOME, RENEW = range(7)

FIRST_GROWTH, GROWTH = 2.0, 1.05  # of λ a step of a descent: before the first rise, after it
LOWER = 1e-4  # of the height of the hills: how much deeper a bottom must be to count as a new one
LONGER, SHORTER = 2.0, 0.5  # of the first stride: after a lower bottom, after a direction in vain
NEAR, HASTE = 0.03, 4  # below this part of the height of the hills a walk's steps grow as in so many steps
FINER = 0.5  # of δ after a round of directions in vain
LONGEST = 60  # steps of a walk
ROUNDS = 3  # under noise walks end at the first top, pass one, pass two, and so on in turn


class Trek(NamedTuple):
    """What the rule remembers of a run, in plain numbers. A run begins with ``Trek()``.

    Example:
        >>> from hilladam.optim import Trek
        >>> Trek().room
        2.0
    """

    scale: float = 1.0
    """λ as a multiple of ``lr``."""
    growth: float = FIRST_GROWTH
    """What λ is multiplied by at every step of a descent that gets on."""
    probing: bool = True
    """Whether the first step is still being sought: one that leads lower."""
    moved: bool = False
    """Whether a step of this descent has been made, so that there is a slope along it."""
    start_loss: float = math.nan
    """The first loss."""
    high: float = -math.inf
    """The highest loss of this descent, and of the walk before it."""
    lowest: float = math.inf
    """The lowest loss of this descent."""
    drift: float = 0.0
    """How far it has gone the wrong way since it last got on, by its slopes: a descent up, a walk down."""
    spread: float = 0.0
    """The sum of squares of what those slopes can be wrong by."""
    low: float = math.inf
    """The loss at the centre, the lowest bottom so far; infinite before any."""
    rate: float = 1.0
    """The scale with which the descent to the centre ended."""
    hill: float = 0.0
    """The height of the hills seen so far, from which the lid is measured."""
    room: float = 2.0
    """The lid lies this many heights above the centre."""
    fineness: float = 1.0
    """What δ is multiplied by."""
    stride: float = 0.0
    """The first step of a walk, as a multiple of ``lr``."""
    pace: float = 0.0
    """The coming step of this walk, as a multiple of ``lr``."""
    walked: int = 0
    """How many steps this walk has made."""
    rises: int = 0
    """How many of them in a row led up."""
    frame: int = 0
    """The number of the frame that directions are taken from."""
    tried: int = -1
    """How many directions of it have been tried in vain; −1 before the walk straight on."""
    crested: bool = False
    """Whether any walk of this round has gone over a top."""
    told: bool = False
    """Whether any walk has."""
    homing: bool = False
    """Whether this descent starts from the centre, to make it finer."""
    pitch: float = 0.0
    """The slope along this walk where it was last."""
    climb: float = 0.0
    """How high above the centre this walk is, by its slopes."""
    valley: float = 0.0
    """How low that has been since the last top."""
    passed: int = 0
    """How many tops this walk has passed."""
    vain: int = 0
    """How many rounds in vain there were since the centre was found."""


class Advice(NamedTuple):
    """What :func:`guide` says of one loss.

    Example:
        >>> from hilladam.optim import MOVES, Trek, guide
        >>> MOVES[guide(Trek(), False, 3.0, 0.0, 0.0).move]
        'descend'
    """

    trek: Trek
    """What is remembered from now on."""
    walking: bool
    """Whether the coming step belongs to a walk."""
    move: int
    """What the parameters do, as an index into :data:`MOVES`."""
    reason: int
    """Why a walk or a descent ended, as an index into :data:`TREK_REASONS`; 0 where none did."""
    rose: bool
    """Whether a descent went up, so that its momentum is to be dropped; λ has been halved."""


def guide(
    trek: Trek,
    walking: bool,
    loss: float,
    slope: float,
    bend: float,
    delta: float = 3e-3,
    kappa: float = 0.0,
    directions: int = 2,
    faster: float = 1.2,
    settle: bool = False,
) -> Advice:
    r"""Decide what the parameters do next.

    A run alternates between descents and walks. The *centre* c is the lowest bottom so far.

    1. A *descent* is Adam's. At the start of a run λ is divided by four until a step leads lower, then it is twofold
       from step to step until the first step up; a step up halves λ and drops the momentum, and every other multiplies
       it by 1.05. Up and down are told by the slopes along the step just
       made, from the gradients at both its ends, as :func:`hilladam.optim.steer` does. Where they cancel, the step led
       over a kink, and counts as up.
    2. It has come to a *bottom* where the slopes along the step at both its ends, times its length, are at most δ times
       the range of losses of this descent and the walk before it.
    3. If that bottom is lower than c, it is the new centre, and a walk goes straight on from it, away from the last
       one; the first step of walks becomes twice as long. If it is not, or a walk ends in vain, the next walk starts
       at c in the next direction of the frame, and the first step is half as long.
    4. A *walk* makes steps along one direction, each 1.2 times as long as the last, and 1.2⁴ times while the loss has
       risen by less than 3 % of the height of the hills. It is over a *top* where the slope turns down after two steps
       up, and there, or where the loss is lower than at c, the next descent begins, with λ as long as the last step.
       It ends in vain at a *lid*, at a loss or slope that is not finite, and after 60 steps.
    5. The lid lies two heights of hills above c. The first height is that of the first descent; the first top replaces
       it, higher ones do later. Until the first top, a lid doubles it. A round without any top doubles the room under
       the lid.
    6. After a round of directions in vain δ is halved, and a descent from c makes the centre finer.

    With κ > 0 losses may be noisy, and no difference of two of them decides. A descent has gone up where the sum of its
    slopes along the steps, since it last got on, exceeds κ times the root of the sum of the squares of q, half the
    change of slope along each step. A walk sums the slopes at the ends of its steps, times their lengths: it is over a
    top where that sum has fallen so far, after a rise; and lower than c where it has fallen by more than 3 % of the
    height of the hills below 0. Losses serve for the range of a descent, the lid, the first step, and to compare
    bottoms. What a noisy descent cannot make finer a longer walk may find: after one round in vain walks pass one top,
    after two they pass two, and after three none again, until there is a lower bottom.

    Written so that numba can compile it as it stands.

    Args:
        trek: what is remembered.
        walking: whether the last step belonged to a walk.
        loss: the loss of the parameters as they stand.
        slope: in a descent the change of the loss along the last step by the trapezoid,
            :math:`\tfrac12 (g_{t-1} + g_t) \cdot s`; in a walk the slope along its direction; in units of the loss.
        bend: in a descent :math:`\tfrac12 (g_t - g_{t-1}) \cdot s`, in units of the loss; else 0.
        delta: δ ≥ 0.
        kappa: κ ≥ 0, how far a descent must go up, and a walk down, in units of what its slopes can be wrong by, before
            it counts; 0 where losses and slopes are exact.
        directions: how many directions a round has.
        faster: what a walk's steps are multiplied by, ≥ 1.
        settle: whether a descent goes on where it stands still.

    Returns:
        The advice. Wherever its move is not ``"descend"``, and where its reason is not 0, the moments are to be
        cleared.

    Example:
        A descent from 3 stands still at 1: that is the first centre, and a walk goes straight on.

        >>> from hilladam.optim import MOVES, Trek, guide
        >>> advice = guide(Trek(), False, 3.0, 0.0, 0.0)
        >>> for loss, slope in ((1.1, -1.9), (1.0, -0.001)):
        ...     advice = guide(advice.trek, advice.walking, loss, slope, 0.0)
        >>> MOVES[advice.move], advice.trek.low, advice.trek.hill
        ('onward', 1.0, 2.0)
    """
    (
        scale, growth, probing, moved, start_loss, high, lowest, drift, spread, low, rate, hill, room, fineness,
        stride, pace, walked, rises, frame, tried, crested, told, homing, pitch, climb, valley, passed, vain,
    ) = trek  # fmt: skip
    move, reason, rose, failed, over, lower = DESCEND, 0, False, False, False, False
    height = 0.0
    finite = math.isfinite(loss) and (math.isfinite(slope + bend) or not (walking or moved))
    if walking:
        walked += 1
        if finite:
            high = max(high, loss)
            if kappa > 0:
                bend = (slope - pitch) / 2 * pace
                pitch, climb = slope, climb + slope * pace - bend
                valley, height = min(valley, climb), climb
                drift, spread = drift + slope * pace, spread + bend * bend
                back = drift <= -kappa * math.sqrt(spread)
                if back or drift > 0:
                    drift = spread = 0.0
                over = back and climb > valley
                lower = back and climb < -NEAR * hill
            else:
                over = slope <= 0 and rises >= 2
                rises = rises + 1 if slope > 0 else 0
                lower, height = loss < low, loss - low
        if over:
            if not told:
                hill = high - low
            crested = told = True
            passed, valley = passed + 1, climb
            over = kappa == 0 or passed > vain % ROUNDS
        if over or lower:
            walking, reason, moved = False, 2, True
            scale, lowest, drift, spread = pace, loss, 0.0, 0.0
        elif not finite or loss > low + room * hill or walked >= LONGEST:
            failed = True
            if not told and finite:
                # A run may begin near a bottom, and then knows of no height.
                hill = min(high - low, 2 * hill) if hill > 0 else high - low
        else:
            move = WALK
            pace = faster ** (HASTE if height < NEAR * hill else 1) * pace
    elif not finite:
        if moved:
            scale = scale / 4
        move = RETRY
    elif probing and moved and not loss < start_loss and (slope != 0 or bend != 0):
        # A step too short to change anything is short enough. Over a kink its slopes cancel, and it has a bend.
        scale = scale / 4
        move = RETRY
    else:
        high, lowest = max(high, loss), min(lowest, loss)
        still = False
        if moved:
            probing = False
            drift, spread = drift + slope, spread + bend * bend
            back = drift > kappa * math.sqrt(spread) or (slope == 0 and bend != 0)
            if back or drift <= 0:
                drift = spread = 0.0
            if back:
                scale, growth, rose = scale / 2, GROWTH, True
            else:
                scale = growth * scale
            still = abs(slope) + abs(bend) <= delta * fineness * (high - lowest)
        else:
            if probing:
                start_loss = loss
            moved = True
        if still and not settle:
            walking, reason = True, 1
            first = low == math.inf
            if first or loss < low - LOWER * hill:
                hill = max(hill, start_loss - loss if first else high - loss)
                if not first:
                    stride = LONGER * max(stride, scale)
                low, rate, frame, tried, crested, vain = loss, scale, frame + 1, -1, False, 0
                move = ONWARD
            elif homing:
                move = RENEW if loss < low else NEXT
                low, rate = min(low, loss), scale
            else:
                failed = True
                hill = max(hill, min(high - low, room * hill))
            homing = False
    if failed:
        stride = SHORTER * stride
        tried += 1
        walking, move = True, NEXT
        if tried >= directions:
            frame, tried, fineness, vain = frame + 1, 0, FINER * fineness, vain + 1
            if not crested:
                room = 2 * room
            crested = False
            walking, move, homing = False, HOME, True
            reason = 0 if reason == 1 else 3
            scale, moved, high, lowest, drift, spread = rate, False, low + hill, low, 0.0, 0.0
    if walking and move >= NEXT:
        pace, walked, rises, high = max(rate, stride), 0, 0, low
        drift, spread, pitch, climb, valley, passed = 0.0, 0.0, 0.0, 0.0, 0.0, 0
    now = Trek(
        scale, growth, probing, moved, start_loss, high, lowest, drift, spread, low, rate, hill, room, fineness,
        stride, pace, walked, rises, frame, tried, crested, told, homing, pitch, climb, valley, passed, vain,
    )  # fmt: skip
    return Advice(now, walking, move, reason, rose)
