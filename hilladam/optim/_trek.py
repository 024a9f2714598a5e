"""The rule that walks over hills: when to settle, when to walk, how far and which way; a pure function of numbers."""

import math
from typing import NamedTuple

TREK_REASONS = ("none", "bottom", "crest", "round")
"""What :attr:`Advice.reason` counts: its values are indices into this tuple."""

MOVES = ("descend", "retry", "walk", "next", "onward", "home", "renew")
"""What :attr:`Advice.move` counts: its values are indices into this tuple."""

DESCEND, RETRY, WALK, NEXT, ONWARD, HOME, RENEW = range(7)

FIRST_GROWTH, GROWTH = 2.0, 1.05  # of λ a step of a descent: before the first rise, after it
LOWER = 1e-3  # of the height of the hills: how much deeper a bottom must be to count as a new one
LONGER, SHORTER = 4.0, 0.7  # of the first stride: after a lower bottom, after a direction in vain
FINER = 0.25  # of δ after a round of directions in vain
PATIENCE = 4  # rounds in vain, after which a walk goes over one top more
LONGEST = 60  # steps of a walk


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
    """How far the descent has gone up since it last got on, by its slopes."""
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
    tops: int = 0
    """How many tops this walk has gone over."""
    frame: int = 0
    """The number of the frame that directions are taken from."""
    tried: int = -1
    """How many directions of it have been tried in vain; −1 before the walk straight on."""
    rounds: int = 0
    """How many frames have been in vain since the last lower bottom."""
    crested: bool = False
    """Whether any walk of this round has gone over a top."""
    told: bool = False
    """Whether any walk has."""
    homing: bool = False
    """Whether this descent starts from the centre, to make it finer."""


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
    delta: float = 1e-2,
    kappa: float = 0.0,
    directions: int = 2,
    faster: float = 1.2,
) -> Advice:
    (
        scale, growth, probing, moved, start_loss, high, lowest, drift, spread, low, rate, hill, room, fineness,
        stride, pace, walked, rises, tops, frame, tried, rounds, crested, told, homing,
    ) = trek  # fmt: skip
    move, reason, rose, failed = DESCEND, 0, False, False
    finite = math.isfinite(loss) and (math.isfinite(slope + bend) or not (walking or moved))
    if walking:
        walked += 1
        if finite:
            high = max(high, loss)
            if slope > 0:
                rises += 1
            else:
                if rises >= 2:
                    tops += 1
                    crested = told = True
                rises = 0
        if finite and (loss < low or tops > rounds // PATIENCE):
            walking, reason, moved = False, 2, True
            scale, lowest, drift, spread = pace, loss, 0.0, 0.0
        elif not finite or loss > low + room * hill or walked >= LONGEST:
            failed = True
        else:
            move = WALK
            if tops == 0:
                pace = faster * pace
    elif not finite:
        if moved:
            scale = scale / 4
        move = RETRY
    elif probing and moved and not loss < start_loss and slope != 0:
        # A step too short to change anything is short enough.
        scale = scale / 4
        move = RETRY
    else:
        high, lowest = max(high, loss), min(lowest, loss)
        still = False
        if moved:
            probing = False
            drift, spread = drift + slope, spread + bend * bend
            back = drift > kappa * math.sqrt(spread)
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
        if still:
            walking, reason = True, 1
            first = low == math.inf
            if first or loss < low - LOWER * hill:
                hill = max(hill, start_loss - loss if first else high - loss)
                if not first:
                    stride = LONGER * max(stride, scale)
                low, rate, frame, tried, rounds, crested = loss, scale, frame + 1, -1, 0, False
                move = ONWARD
            elif homing:
                move = RENEW if loss < low else NEXT
                low, rate = min(low, loss), scale
            else:
                failed = True
            homing = False
    if failed:
        if tops > 0:
            hill = max(hill, min(high - low, room * hill))
        elif walking and not told and math.isfinite(high):
            # A run may begin near a bottom, and then knows of no height.
            hill = min(high - low, 2 * hill) if hill > 0 else high - low
        stride = SHORTER * stride
        tried += 1
        walking, move = True, NEXT
        if tried >= directions:
            rounds, frame, tried, fineness = rounds + 1, frame + 1, 0, FINER * fineness
            if not crested:
                room = 2 * room
            crested = False
            walking, move, homing = False, HOME, True
            reason = 0 if reason == 1 else 3
            scale, moved, high, lowest, drift, spread = rate, False, low + hill, low, 0.0, 0.0
    if walking and move >= NEXT:
        pace, walked, rises, tops, high = max(rate, stride), 0, 0, 0, low
    now = Trek(
        scale, growth, probing, moved, start_loss, high, lowest, drift, spread, low, rate, hill, room, fineness,
        stride, pace, walked, rises, tops, frame, tried, rounds, crested, told, homing,
    )  # fmt: skip
    return Advice(now, walking, move, reason, rose)
