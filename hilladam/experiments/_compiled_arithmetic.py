"""Adam and Hill-ADAM on polynomials, in one fixed order of operations, compiled.

Additions, multiplications, divisions and square roots of float64 round in one way only, and numba neither reorders nor
contracts them unless it is asked to. So a run has the same bits on every machine, and those of
``hilladam/widgets/dynamics.js``, which does the same operations in the same order in the reader's browser. What comes
from a mathematics library, tanh and the exponential function of the sigmoid, may differ in the last bit.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

# How many points advance side by side: while one of them waits for a quotient or a root, the others compute.
SIDE_BY_SIDE = 8

NONE, TANH, SIGMOID, RELU = range(4)
"""The activations, in the order of :data:`hilladam.experiments.ACTIVATIONS`."""


class Settings(NamedTuple):
    """What a member runs with: arrays of shape ``(members,)``."""

    lr: np.ndarray
    eps: np.ndarray
    eps_root: np.ndarray
    delta: np.ndarray
    gamma: np.ndarray
    floor: np.ndarray


class Losses(NamedTuple):
    """The members' polynomials in powers of (x − centre)."""

    coefficients: np.ndarray
    """One polynomial a row, highest power first, ending in the last column."""
    first: np.ndarray
    """Where each row begins."""
    centres: np.ndarray
    which: np.ndarray
    """The row of each member."""


class State(NamedTuple):
    """What a run remembers from step to step; the first three ``(members, parameters)``, the others ``(members,)``."""

    x: np.ndarray
    m: np.ndarray
    v: np.ndarray
    power1: np.ndarray
    """β₁ᵗ, a product of t factors; ``pow`` would round differently from machine to machine."""
    power2: np.ndarray
    climbs: np.ndarray
    previous: np.ndarray
    turns: np.ndarray
    loss: np.ndarray
    output: np.ndarray
    best_loss: np.ndarray
    best_output: np.ndarray


class History(NamedTuple):
    """Every step of every member, ``(steps, members)``, or no rows."""

    losses: np.ndarray
    outputs: np.ndarray
    climbs: np.ndarray
    reasons: np.ndarray


def _compiled(function, error_model="numpy"):
    options = dict(nogil=True, error_model=error_model)
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # there is no folder that the machine code could be written to
        return njit(**options)(function)


@_compiled
def evaluate(coefficients, row, first, u):
    """Value and slope of a polynomial at u, by Horner's rule."""
    value = coefficients[row, first]
    slope = 0.0
    for k in range(first + 1, coefficients.shape[1]):
        slope = slope * u + value
        value = value * u + coefficients[row, k]
    return value, slope


@_compiled
def decide(loss, climbs, previous, delta, gamma, floor):
    """Algorithm 1, lines 8–19, as in :func:`hilladam.optim.decide`."""
    finite = abs(loss) < math.inf
    critical = abs(loss - previous) < delta
    above = finite and loss > gamma
    below = finite and loss < floor
    turned, reason = climbs != critical, 1
    if above:
        turned, reason = False, 2
    if below:
        turned, reason = True, 3
    remembered = math.nan if critical or above or below or not finite else loss
    return turned, remembered, reason if turned != climbs else 0


@_compiled
def adam(x, m, v, g, lr, correction1, correction2, beta1, beta2, eps, eps_root, in_place):
    """Algorithm 1, lines 27–35, downhill along g; correction1 is 1 / (1 − β₁ᵗ), correction2 likewise."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    mean = m * correction1
    square = v * correction2
    if in_place:
        m, v = mean, square
    return x - lr * mean / (math.sqrt(square + eps_root) + eps), m, v


@_compiled
def activate(z, activation):
    if activation == TANH:
        return math.tanh(z)
    if activation == SIGMOID:
        return 1 / (1 + math.exp(-z))
    if activation == RELU:
        return 0.0 if z <= 0.0 else z
    return z


@_compiled
def activation_slope(y, activation):
    """The derivative of an activation, in terms of what it returned."""
    if activation == TANH:
        return 1 - y * y
    if activation == SIGMOID:
        return y * (1 - y)
    if activation == RELU:
        return 1.0 if y > 0.0 else 0.0
    return 1.0


@_compiled
def points(losses, settings, betas, in_place, state, history, steps, done, start, stop):
    """Move the points from start to stop, each ``x[i, 0]``, by some steps more; count them in ``done[0]``."""
    coefficients, first, centres, which = losses
    lr, eps, eps_root, delta, gamma, floor = settings
    x, m, v, power1, power2, climbs, previous, turns, loss, output, best_loss, best_output = state
    beta1, beta2 = betas
    keep = len(history.losses) > 0
    for left in range(start, stop, SIDE_BY_SIDE):
        for step in range(done[0], done[0] + steps):
            for i in range(left, min(left + SIDE_BY_SIDE, stop)):
                place, row = x[i, 0], which[i]
                value, g = evaluate(coefficients, row, first[row], place - centres[row])
                climb, previous[i], reason = decide(value, climbs[i], previous[i], delta[i], gamma[i], floor[i])
                loss[i], output[i], climbs[i] = value, place, climb
                if abs(value) < math.inf and value < best_loss[i]:
                    best_loss[i], best_output[i] = value, place
                if keep:
                    history.losses[step, i], history.outputs[step, i] = value, place
                    history.climbs[step, i], history.reasons[step, i] = climb, reason
                if reason:
                    turns[i] += 1
                    power1[i], power2[i], m[i, 0], v[i, 0] = 1.0, 1.0, 0.0, 0.0
                power1[i] *= beta1
                power2[i] *= beta2
                correction1, correction2 = 1 / (1 - power1[i]), 1 / (1 - power2[i])
                x[i, 0], m[i, 0], v[i, 0] = adam(place, m[i, 0], v[i, 0], -g if climb else g, lr[i], correction1,
                                                 correction2, beta1, beta2, eps[i], eps_root[i], in_place)  # fmt: skip
    done[0] += steps


@_compiled
def forward(w, sizes, activation, hidden):
    """The output of a network with an input of ones.

    Its weights lie in a row: for each layer its matrix, row by row, and then its biases. ``hidden`` has a row for what
    goes into each layer, the first all ones, and one for the output.
    """
    layers, at = len(sizes) - 1, 0
    for layer in range(layers):
        columns, rows = sizes[layer], sizes[layer + 1]
        bias = at + rows * columns
        for r in range(rows):
            total = w[bias + r]
            for c in range(columns):
                total += w[at + r * columns + c] * hidden[layer, c]
            hidden[layer + 1, r] = activate(total, activation) if layer < layers - 1 else total
        at = bias + rows
    return hidden[layers, 0]


@_compiled
def backward(w, sizes, activation, hidden, errors, g, slope):
    """The gradient by the weights into g, after :func:`forward`; ``slope`` is the derivative by the output.

    ``errors`` is room for the derivatives by what each layer adds up, shaped as ``hidden``.
    """
    layers, at = len(sizes) - 1, len(w)
    errors[layers, 0] = slope
    for layer in range(layers - 1, -1, -1):
        columns, rows = sizes[layer], sizes[layer + 1]
        bias = at - rows
        at = bias - rows * columns
        for r in range(rows):
            g[bias + r] = errors[layer + 1, r]
            for c in range(columns):
                g[at + r * columns + c] = errors[layer + 1, r] * hidden[layer, c]
        if layer > 0:
            for c in range(columns):
                total = 0.0
                for r in range(rows):
                    total += errors[layer + 1, r] * w[at + r * columns + c]
                errors[layer, c] = total * activation_slope(hidden[layer, c], activation)


@_compiled
def networks(losses, settings, betas, in_place, state, history, steps, done, start, stop, sizes, activation):
    """The same for fully connected networks with an input of ones and one output, a member's weights a row of ``x``."""
    coefficients, first, centres, which = losses
    lr, eps, eps_root, delta, gamma, floor = settings
    x, m, v, power1, power2, climbs, previous, turns, loss, output, best_loss, best_output = state
    beta1, beta2 = betas
    keep = len(history.losses) > 0
    layers, weights = len(sizes) - 1, x.shape[1]
    hidden, errors = np.ones((layers + 1, max(sizes))), np.empty((layers + 1, max(sizes)))
    g = np.empty(weights)
    for i in range(start, stop):
        w, mean, square, row = x[i].copy(), m[i].copy(), v[i].copy(), which[i]
        for step in range(done[0], done[0] + steps):
            place = forward(w, sizes, activation, hidden)
            value, slope = evaluate(coefficients, row, first[row], place - centres[row])
            climb, previous[i], reason = decide(value, climbs[i], previous[i], delta[i], gamma[i], floor[i])
            loss[i], output[i], climbs[i] = value, place, climb
            if abs(value) < math.inf and value < best_loss[i]:
                best_loss[i], best_output[i] = value, place
            if keep:
                history.losses[step, i], history.outputs[step, i] = value, place
                history.climbs[step, i], history.reasons[step, i] = climb, reason
            if reason:
                turns[i] += 1
                power1[i], power2[i], mean[:], square[:] = 1.0, 1.0, 0.0, 0.0

            backward(w, sizes, activation, hidden, errors, g, -slope if climb else slope)
            power1[i] *= beta1
            power2[i] *= beta2
            correction1, correction2 = 1 / (1 - power1[i]), 1 / (1 - power2[i])
            for k in range(weights):
                w[k], mean[k], square[k] = adam(w[k], mean[k], square[k], g[k], lr[i], correction1, correction2,
                                                beta1, beta2, eps[i], eps_root[i], in_place)  # fmt: skip
        x[i], m[i], v[i] = w, mean, square
    done[0] += steps
