"""Adam, Hill-ADAM and the rules between it and the one that tunes itself, on random landscapes, compiled.

Only additions, multiplications, divisions, square roots and roundings to whole numbers occur, in one fixed order, so
that a run has the same bits on every machine. Cosines and exponentials are series for that reason, and noise is a sum
of twelve whole numbers from a generator of three lines.
"""

import math
from typing import NamedTuple

import numpy as np

from hilladam.experiments import _compiled_arithmetic as arithmetic
from hilladam.experiments._compiled_arithmetic import _compiled
from hilladam.optim._course import _ENOUGH_TO_TELL, FIRST_GROWTH, GROWTH, LOWER, room_above

POLYNOMIAL, TORUS, WELLS, SINE, NETWORK = range(5)

SAMPLES = 256
FAR = 1e9
"""Farther out, in units of the landscape, no state is kept: float64 hardly tells one period from the next."""

_LN2 = math.log(2)
_STEP, _MIX1, _MIX2 = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


class Landscapes(NamedTuple):
    """Losses of one kind, padded to the parts of the largest."""

    kind: int
    counts: np.ndarray
    """``(losses,)``: the parts of each; of a polynomial, of a network's output too, where its coefficients begin; of a
    sine, its mini-batch."""
    sizes: np.ndarray
    """``(losses, parts)``: amplitudes, depths, or coefficients in powers of (x − centre)."""
    places: np.ndarray
    """``(losses, parts, variables)``: waves or centres; ``(1, layers + 1, 1)``: the widths of the networks' layers."""
    shapes: np.ndarray
    """``(losses, parts)``: phases or widths."""
    rest: np.ndarray
    """``(losses,)``: bowls, or centres of polynomials."""


class Switches(NamedTuple):
    """A rule as plain numbers; see :class:`hilladam.experiments.Rule`."""

    delta: float
    eps: float
    kappa: float
    kept: int
    cycle: bool
    lid: bool
    fall: bool
    relative: bool
    slopes: bool
    restart: bool
    in_turn: bool


class Runs(NamedTuple):
    """What each run has of its own: all of shape ``(runs,)`` but those that say otherwise."""

    which: np.ndarray
    starts: np.ndarray
    """``(runs, variables)``, as are ``low`` and ``high``."""
    low: np.ndarray
    high: np.ndarray
    lr: np.ndarray
    gamma: np.ndarray
    noise: np.ndarray
    heights: np.ndarray
    """What to multiply the loss by."""
    widths: np.ndarray
    """What to multiply the place by."""
    seeds: np.ndarray


class History(NamedTuple):
    """Every step of every run, ``(steps, runs)``, states ``(steps, runs, variables)``; or no rows."""

    losses: np.ndarray
    states: np.ndarray
    climbs: np.ndarray
    reasons: np.ndarray


class Kept(NamedTuple):
    """What is known of each run in the end: ``(runs,)``, the places ``(runs, variables)``."""

    best_losses: np.ndarray
    best_states: np.ndarray
    final_losses: np.ndarray
    final_states: np.ndarray
    turns: np.ndarray


@_compiled
def cosine_and_sine(angle):
    """By their series about 0 for an eighth of the angle, doubled three times. The remainder ``fmod`` is exact."""
    r = np.fmod(angle, 2 * math.pi) / 8
    z = r * r
    c = s = 1.0
    for k in range(16, 1, -2):
        c = 1 - z / (k * (k - 1)) * c
        s = 1 - z / (k * (k + 1)) * s
    s *= r
    for _ in range(3):
        c, s = 1 - 2 * s * s, 2 * s * c
    return c, s


@_compiled
def decay(z):
    """exp(−z) for z ≥ 0."""
    if not z < 700:
        return 0.0
    k = math.floor(z / _LN2 + 0.5)
    r = z - k * _LN2
    value = 1.0
    for n in range(14, 0, -1):
        value = 1 - r / n * value
    return math.ldexp(value, -int(k))


@_compiled
def word(state):
    """The next 64 random bits (Steele, Lea and Flood's SplitMix64)."""
    state[0] += _STEP
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * _MIX1
    z = (z ^ (z >> np.uint64(27))) * _MIX2
    return z ^ (z >> np.uint64(31))


@_compiled
def fit(batch, x, g, dice):
    """The README's fit of frequency and phase, on so many of 256 samples, drawn with replacement; on all where 0."""
    value, count = 0.0, batch if batch else SAMPLES
    g[0] = g[1] = 0.0
    for k in range(count):
        k = np.int64(word(dice) >> np.uint64(56)) if batch else k
        time = k / (SAMPLES - 1) - 0.5
        c, s = cosine_and_sine(2 * math.pi * x[0] * time + x[1])
        away = s - cosine_and_sine(2 * math.pi * 6.0 * time + 0.5)[1]
        value += away * away / count
        g[0] += 4 * math.pi * time * away * c / count
        g[1] += 2 * away * c / count
    return value


@_compiled
def through(sizes, coefficients, first, centre, x, g):
    """A polynomial of the output of a network without activation, whose weights are x."""
    widths = np.empty(len(sizes), np.int64)
    for k in range(len(sizes)):
        widths[k] = np.int64(sizes[k, 0])
    hidden, errors = np.ones((len(widths), widths.max())), np.empty((len(widths), widths.max()))
    output = arithmetic.forward(x, widths, arithmetic.NONE, hidden)
    value, slope = arithmetic.evaluate(coefficients, 0, first, output - centre)
    arithmetic.backward(x, widths, arithmetic.NONE, hidden, errors, g, slope)
    return value


@_compiled
def evaluate(landscapes, row, x, g, dice):
    """The loss at x; its gradient goes into g."""
    kind, counts, sizes, places, shapes, rest = landscapes
    if kind == SINE:
        return fit(counts[row], x, g, dice)
    if kind == NETWORK:
        return through(places[0], sizes[row : row + 1], counts[row], rest[row], x, g)
    if kind == POLYNOMIAL:
        value, g[0] = arithmetic.evaluate(sizes, row, counts[row], x[0] - rest[row])
        return value
    value, d = 0.0, len(x)
    for j in range(d):
        g[j] = 0.0
        if kind == WELLS:
            value += rest[row] / 2 * x[j] * x[j]
            g[j] = rest[row] * x[j]
    for k in range(counts[row]):
        size = sizes[row, k]
        if kind == TORUS:
            angle = shapes[row, k]
            for j in range(d):
                angle += places[row, k, j] * x[j]
            c, s = cosine_and_sine(angle)
            value += size * c
            for j in range(d):
                g[j] -= size * s * places[row, k, j]
        else:
            square, distance = shapes[row, k] * shapes[row, k], 0.0
            for j in range(d):
                distance += (x[j] - places[row, k, j]) * (x[j] - places[row, k, j])
            part = size * decay(distance / (2 * square))
            value -= part
            for j in range(d):
                g[j] += part / square * (x[j] - places[row, k, j])
    return value


@_compiled
def scaled(landscapes, row, x, g, height, width, inner, dice):
    """The loss of x / width, times height; ``inner`` is room for x / width."""
    for j in range(len(x)):
        inner[j] = x[j] / width
    value = height * evaluate(landscapes, row, inner, g, dice)
    for j in range(len(x)):
        g[j] *= height / width
    return value


@_compiled
def uniform(state):
    return float(word(state) >> np.uint64(11)) * 2.0**-53


@_compiled
def normal(state):
    """Nearly normal: the sum of twelve whole numbers below 2¹⁶, with mean 0 and standard deviation 1."""
    total = 0
    for _ in range(3):
        bits = word(state)
        for _ in range(4):
            total += np.int64(bits & np.uint64(0xFFFF))
            bits >>= np.uint64(16)
    return (total - 12 * 32767.5) / 65536


@_compiled
def copy(source, target):
    """As ``target[:] = source``, which costs more than a step."""
    for j in range(len(target)):
        target[j] = source[j]


@_compiled
def clear(*arrays):
    for array in arrays:
        for j in range(len(array)):
            array[j] = 0.0


room_in_turn = _compiled(room_above)


@_compiled
def run(landscapes, runs, switches, betas, steps, finish, history, kept, start, stop):
    """Make the runs from start to stop: Algorithm 1 and what replaces its λ, δ and γ, each by a switch.

    ``finish`` is how many of the steps settle: from the best place they only descend, and the final state is the mean
    of the second half of them.
    """
    delta, eps, kappa, keeps, cycle, lid, fall, relative, slopes, restart, in_turn = switches
    beta1, beta2 = betas
    keep, d = len(history.losses) > 0, runs.starts.shape[1]
    x, g, m, v, place, gradient = np.empty((6, d))
    inner, dice = np.empty(d), np.empty(1, np.uint64)
    for i in range(start, stop):
        row, noise, height, width = runs.which[i], runs.noise[i], runs.heights[i], runs.widths[i]
        dice[0], gamma = runs.seeds[i], runs.gamma[i]
        copy(runs.starts[i], x)
        copy(x, place)
        clear(m, v, gradient)
        power1 = power2 = 1.0
        length, growth, up, probing, moved = runs.lr[i], FIRST_GROWTH, False, cycle, False
        first = previous = bottom = top = math.nan
        high, lowest, low = -math.inf, math.inf, math.inf
        drift = spread = rise = 0.0
        room, climbed, walls, walled, crested, near = 2.0, 0, 0, False, False, False
        kept.best_losses[i], kept.turns[i] = math.inf, 0
        for t in range(steps):
            settles = t >= steps - finish
            if t == steps - finish:
                copy(kept.best_states[i], x)
                clear(m, v)
                power1 = power2 = 1.0
                growth, up, probing, moved, previous = FIRST_GROWTH, False, cycle, False, math.nan
                high, lowest, drift, spread = -math.inf, math.inf, 0.0, 0.0
            loss = scaled(landscapes, row, x, g, height, width, inner, dice)
            if noise:
                loss += noise * normal(dice)
                for j in range(d):
                    g[j] += noise / width * normal(dice)
            if abs(loss) < math.inf and loss < kept.best_losses[i] and np.abs(x).max() <= FAR * width:
                kept.best_losses[i] = loss
                copy(x, kept.best_states[i])
            kept.final_losses[i] = loss
            late = t - steps + max(finish // 2, 1)  # from 0 on in the second half of the settling
            for j in range(d):
                kept.final_states[i, j] = x[j] if late <= 0 else (late * kept.final_states[i, j] + x[j]) / (late + 1)

            # The change along the last step, and whether it is to be taken back.
            change, bend, total = loss - previous, 0.0, loss
            if slopes:
                change = 0.0
                for j in range(d):
                    change += (gradient[j] + g[j]) * (x[j] - place[j]) / 2
                    bend += (g[j] - gradient[j]) * (x[j] - place[j]) / 2
                total = loss + change + bend if moved else loss
            again = False
            if cycle:
                if not abs(total) < math.inf:
                    again = True
                elif probing and not moved:
                    first = loss
                elif probing:
                    again = not loss < first and change != 0.0
                    probing = again
                if again and moved:
                    length /= 4
            elif not moved:
                first = loss

            reason = 0
            if not again:
                # Has the leg gone back, and does it stand still?
                high, lowest = max(high, loss), min(lowest, loss)
                back = still = sure = False
                if moved and change == change:
                    drift += change
                    spread += bend * bend
                    on = drift >= 0 if up else drift <= 0
                    still = abs(change) <= delta * (high - lowest) if relative else abs(change) < delta
                    sure = -drift >= math.sqrt(spread)
                    jumped = cycle and still and not up and abs(bend) > math.sqrt(delta) * (high - lowest)
                    back = jumped or (not on and abs(drift) > kappa * math.sqrt(spread))
                    still = still and not jumped
                    if on or back:
                        drift = spread = 0.0
                previous = loss
                if up:
                    climbed += 1
                    if cycle:
                        length *= GROWTH
                    over = loss > gamma and loss < math.inf
                    if lid:
                        untold = top != top
                        if untold and climbed == _ENOUGH_TO_TELL and loss - bottom > rise:
                            rise, near = loss - bottom, True
                        if in_turn:
                            room = room_in_turn(walls, d, near and not crested)
                        over = loss > low + room * rise and not (untold and climbed < _ENOUGH_TO_TELL)
                    reason = 3 if over else 2 if fall and back else 1 if still else 0
                    if reason:
                        top, walled, walls = high, over, walls + over
                        crested = crested or reason == 2
                        if not in_turn and walls >= (2 * d if crested else 1):
                            room, walls = 2 * room, 0
                else:
                    if cycle and back:
                        length, growth = length / 2, GROWTH
                        clear(m)
                    elif cycle and sure:
                        length *= growth
                    over = not lid and loss > gamma
                    if over:
                        previous = math.nan
                    elif still and not settles:
                        reason = 1
                        if low == math.inf:
                            rise = first - loss
                        elif not walled:
                            rise = max(rise, top - min(loss, low))
                        if loss < low - LOWER * rise:
                            walls = 0
                        low, bottom, climbed, walled = min(low, loss), loss, 0, False
            if keep:
                history.losses[t, i], history.climbs[t, i], history.reasons[t, i] = loss, up ^ (reason > 0), reason
                copy(x, history.states[t, i])
            if reason:
                kept.turns[i] += 1
                high = lowest = loss
                drift, spread, previous = 0.0, 0.0, math.nan
                if restart:
                    up, moved = False, False
                    high, lowest = -math.inf, math.inf
                    power1 = power2 = 1.0
                    clear(m, v)
                    for j in range(d):
                        x[j] = runs.low[i, j] + (runs.high[i, j] - runs.low[i, j]) * uniform(dice)
                    continue
                up = not up
                if keeps >= 2 or (keeps == 1 and not up):
                    for j in range(d):
                        m[j] = -m[j]
                    if keeps == 3:
                        power2 = 1.0
                        clear(v)
                else:
                    power1 = power2 = 1.0
                    clear(m, v)
            if again:
                copy(place, x)
                copy(gradient, g)
                power1 = power2 = 1.0
                clear(m, v)
            else:
                copy(x, place)
                copy(g, gradient)
            moved = True
            power1 *= beta1
            power2 *= beta2
            for j in range(d):
                m[j] = beta1 * m[j] + (1 - beta1) * g[j]
                v[j] = beta2 * v[j] + (1 - beta2) * g[j] * g[j]
                root = math.sqrt(v[j] / (1 - power2)) + eps
                if root > 0:
                    step = length * (m[j] / (1 - power1)) / root
                    x[j] += step if up else -step
