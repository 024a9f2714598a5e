"""Over the hill and its rivals on the losses of :func:`hilladam.losses.random_suite_loss`, compiled; see ``_walks.py``.

All take a loss as :func:`described` makes it, a start, a random generator and a budget of evaluations of the loss with
its gradient, and return the lowest loss and the number of the evaluation at which ``enough`` was met; 0 if never.
"""

import math
from functools import partial
from types import FunctionType

import numpy as np
from numba import njit

from hilladam.experiments._compiled_arithmetic import _compiled
from hilladam.losses._suite import FAMILIES, SuiteLoss
from hilladam.optim._trek import DESCEND, HOME, NEXT, ONWARD, RENEW, RETRY, Trek
from hilladam.optim._trek import guide as _guide

_NAMES = tuple(FAMILIES)
_ackley, _levy, _griewank, _rastrigin, _tang, _shekel = (njit(family.slopes) for family in FAMILIES.values())
_advise = njit(_guide)
NOTHING = Trek()
_cached = partial(_compiled, error_model="python")  # a walk takes a quarter of a minute to compile


def described(loss: SuiteLoss) -> tuple:
    """The loss as numbers and arrays."""
    return (
        _NAMES.index(loss.family), np.ascontiguousarray(loss.rotation), loss.optimum, loss.table, loss.anchor,
        loss.level, np.array(loss.box),
    )  # fmt: skip


@njit
def evaluate(x, g, loss):
    """The loss at x; its gradient goes into g."""
    family, turn, optimum, table, anchor, level, _ = loss
    d = len(x)
    z, slopes = anchor.copy(), np.empty(d)
    for i in range(d):
        for j in range(d):
            z[i] += turn[i, j] * (x[j] - optimum[j])
    if family == 0:
        value = _ackley(z, slopes, table)
    elif family == 1:
        value = _levy(z, slopes, table)
    elif family == 2:
        value = _griewank(z, slopes, table)
    elif family == 3:
        value = _rastrigin(z, slopes, table)
    elif family == 4:
        value = _tang(z, slopes, table)
    else:
        value = _shekel(z, slopes, table)
    for j in range(d):
        g[j] = 0.0
        for i in range(d):
            g[j] += turn[i, j] * slopes[i]
    return value - level


def _walk_over(loss, start, frames, box, rng, budget, enough, trek, kappa=0.0, faster=1.2, finish=0, restarts=False):
    """The optimizer itself; or, with ``restarts``, its descents alone, each from a random place of the box.

    The last of the budget, so many as ``finish`` says, settle as :meth:`hilladam.OverTheHill.finish` does. Returns the
    place that is kept, too: the mean of the second half of them; without any, the best.
    """
    d, lr = len(start), 1e-4
    x, centre, previous, way = start.copy(), start.copy(), start.copy(), np.zeros(d)
    g, gradient, average, square, steps = np.zeros(d), np.zeros(d), np.zeros(d), np.zeros(d), 0
    walking, settle, best, met, place, mean = False, False, np.inf, 0, start.copy(), np.zeros(d)
    for n in range(budget):
        if finish and n == budget - finish:
            walking, settle = False, True
            trek, lr = NOTHING, trek.rate * lr
            x[:], previous[:], centre[:] = place, place, place
            average[:], square[:], steps, gradient[:], way[:] = 0.0, 0.0, 0, 0.0, 0.0
        value = evaluate(x, g, loss)
        if value < best:
            best = value
            place[:] = x
        if best < enough:
            met = n + 1
            break
        late = n - budget + max(finish // 2, 1)
        if finish and late >= 0:
            mean += (x - mean) / (late + 1)
        slope = bend = 0.0
        for i in range(d):
            if walking:
                slope += lr * g[i] * way[i]
            else:
                slope += (gradient[i] + g[i]) * (x[i] - previous[i]) / 2
                bend += (g[i] - gradient[i]) * (x[i] - previous[i]) / 2
        trek, walking, move, reason, rose = _advise(
            trek, walking, value, slope, bend, 3e-3, kappa, 2 * d, faster, settle
        )
        if restarts and reason == 1:
            trek, walking, move = NOTHING, False, HOME
            for i in range(d):
                centre[i] = rng.uniform(box[0], box[1])
        if move != DESCEND or reason != 0:
            average[:], square[:], steps = 0.0, 0.0, 0
        elif rose:
            average[:] = 0.0
        if move == ONWARD:
            most = np.abs(x - centre).max() / lr
            if most > 0:
                way[:] = (x - centre) / lr / most
            else:
                move = RENEW
        if move == ONWARD or move == RENEW:
            centre[:] = x
        if move == NEXT or move == RENEW:
            tried = max(trek.tried, 0)
            column = frames[trek.frame % len(frames), :, tried // 2]
            way[:] = column / np.abs(column).max() * (1 - 2 * (tried % 2))
        if move == DESCEND or move == RETRY:
            if move == RETRY:
                x[:], g[:] = previous, gradient
            previous[:], gradient[:] = x, g
            steps += 1
            for i in range(d):
                average[i] += 0.1 * (g[i] - average[i])
                square[i] = 0.999 * square[i] + 0.001 * g[i] * g[i]
                if square[i] > 0:
                    ratio = average[i] / (1 - 0.9**steps) / math.sqrt(square[i] / (1 - 0.999**steps))
                    x[i] -= trek.scale * lr * ratio
        elif move == HOME:
            x[:], previous[:] = centre, centre
        else:
            if move == NEXT:
                x[:] = centre
            x += trek.pace * lr * way
    return best, met, mean if finish else place


def walk_over_with(evaluate, name):
    """:func:`_walk_over` on the losses of ``evaluate``, a compiled function; the cache has it under ``name``."""
    walk = FunctionType(_walk_over.__code__, globals() | {"evaluate": evaluate}, name, _walk_over.__defaults__)
    walk.__qualname__ = name
    return _cached(walk)


walk_over = walk_over_with(evaluate, "walk_over")


@_cached
def restart_adam(loss, start, rng, budget, enough, lr, reach):
    """Adam with a fixed λ, begun anew in ``reach`` boxes where its loss changes by less than 1e-4 of its range."""
    d, middle, half = len(start), (loss[6][0] + loss[6][1]) / 2, (loss[6][1] - loss[6][0]) / 2
    lr = lr * half
    x, g, average, square, steps = start.copy(), np.zeros(d), np.zeros(d), np.zeros(d), 0
    best, last, high, low = np.inf, np.nan, -np.inf, np.inf
    for n in range(budget):
        value = evaluate(x, g, loss)
        best = min(best, value)
        if best < enough:
            return best, n + 1
        high, low = max(high, value), min(low, value)
        if abs(value - last) <= 1e-4 * (high - low):
            for i in range(d):
                x[i] = middle + reach * half * rng.uniform(-1.0, 1.0)
            average[:], square[:], steps = 0.0, 0.0, 0
            last, high, low = np.nan, -np.inf, np.inf
            continue
        last = value
        steps += 1
        for i in range(d):
            average[i] += 0.1 * (g[i] - average[i])
            square[i] = 0.999 * square[i] + 0.001 * g[i] * g[i]
            x[i] -= lr * average[i] / (1 - 0.9**steps) / (math.sqrt(square[i] / (1 - 0.999**steps)) + 1e-8)
    return best, 0


@njit
def descend_lbfgs(loss, x, budget, enough):
    """L-BFGS from x, which it moves, with ten pairs and a line search by bisection for the weak conditions of Wolfe.

    It ends as scipy's does: where no slope exceeds 1e-5, or a step lowers the loss by less than 2.2e-9 of it.
    Returns the lowest loss, the evaluations spent, and whether ``enough`` was met.
    """
    d, pairs = len(x), 10
    g, new, slopes, way = np.zeros(d), np.zeros(d), np.zeros(d), np.zeros(d)
    steps, changes, weights = np.zeros((pairs, d)), np.zeros((pairs, d)), np.zeros(pairs)
    value, spent, kept = evaluate(x, g, loss), 1, 0
    best = value
    while spent < budget and best >= enough and np.abs(g).max() > 1e-5:
        way[:] = -g
        for k in range(kept - 1, max(kept - pairs, 0) - 1, -1):
            weights[k % pairs] = np.dot(steps[k % pairs], way) / np.dot(steps[k % pairs], changes[k % pairs])
            way -= weights[k % pairs] * changes[k % pairs]
        if kept:
            k = (kept - 1) % pairs
            way *= np.dot(steps[k], changes[k]) / np.dot(changes[k], changes[k])
        for k in range(max(kept - pairs, 0), kept):
            back = np.dot(changes[k % pairs], way) / np.dot(steps[k % pairs], changes[k % pairs])
            way += (weights[k % pairs] - back) * steps[k % pairs]
        along = np.dot(g, way)
        if not along < 0:
            way[:], along, kept = -g, -np.dot(g, g), 0
        size = 1.0 if kept else min(1.0, 1 / math.sqrt(np.dot(g, g)))
        short, long, found, lower = 0.0, np.inf, False, value
        for _ in range(20):
            if spent >= budget:
                break
            new[:] = x + size * way
            lower = evaluate(new, slopes, loss)
            spent += 1
            best = min(best, lower)
            if best < enough:
                break
            if not lower <= value + 1e-4 * size * along:
                long = size
            elif np.dot(slopes, way) < 0.9 * along:
                short = size
            else:
                found = True
                break
            size = (short + long) / 2 if long < np.inf else 2 * size
        if not found:
            break
        if np.dot(new - x, slopes - g) > 0:
            steps[kept % pairs], changes[kept % pairs] = new - x, slopes - g
            kept += 1
        small = value - lower <= 2.2e-9 * max(abs(value), abs(lower), 1.0)
        x[:], g[:], value = new, slopes, lower
        if small:
            break
    return best, spent, best < enough


@_cached
def restart_lbfgs(loss, start, rng, budget, enough, kick, reach):
    """L-BFGS from random places of ``reach`` boxes; or from the best bottom, kicked by up to so many half boxes."""
    d, middle, half = len(start), (loss[6][0] + loss[6][1]) / 2, (loss[6][1] - loss[6][0]) / 2
    x, bottom, lowest, best, spent = start.copy(), start.copy(), np.inf, np.inf, 0
    while spent < budget:
        value, more, met = descend_lbfgs(loss, x, budget - spent, enough)
        spent += more
        best = min(best, value)
        if met:
            return best, spent
        if value < lowest:
            lowest = value
            bottom[:] = x
        for i in range(d):
            if kick > 0:
                x[i] = bottom[i] + kick * half * rng.uniform(-1.0, 1.0)
            else:
                x[i] = middle + reach * half * rng.uniform(-1.0, 1.0)
    return best, 0
