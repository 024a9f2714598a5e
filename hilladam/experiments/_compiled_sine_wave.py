"""Hill-ADAM on the README's sine wave, compiled: :data:`hilladam.losses.SINE_WAVE` with four sines a step."""

import math

import numpy as np

from hilladam.experiments._compiled_arithmetic import _compiled, adam, decide

_N, _SCALE, _COS = 256, math.pi / 255, math.cos(1.0)
_SIN6, _COS6 = math.sin(6 * _SCALE), math.cos(6 * _SCALE)
_SIN6N, _COS6N = math.sin(6 * _N * _SCALE), math.cos(6 * _N * _SCALE)
_CONSTANT = 1 - _COS / 2 * math.sin(12 * _N * _SCALE) / (_N * math.sin(12 * _SCALE))


@_compiled
def _quotient(many_sine, many_cosine, sine, cosine, u):
    """sin(Nu) / (N sin u) and its derivative by frequency, 2πu/a."""
    if abs(u) < 1e-4:
        value = 1 - (_N**2 - 1) / 6 * u**2 + (_N**2 - 1) * (3 * _N**2 - 7) / 360 * u**4
        return value, _SCALE * (-(_N**2 - 1) / 3 * u + (_N**2 - 1) * (3 * _N**2 - 7) / 90 * u**3)
    slope = (_N * many_cosine * sine - many_sine * cosine) / (_N * sine * sine)
    return many_sine / (_N * sine), _SCALE * slope


@_compiled
def evaluate(x):
    """Value and slope at the frequency x."""
    u = _SCALE * x
    s, c, sn, cn = math.sin(u), math.cos(u), math.sin(_N * u), math.cos(_N * u)
    twice, twice_slope = _quotient(2 * sn * cn, 1 - 2 * sn * sn, 2 * s * c, 1 - 2 * s * s, 2 * u)
    minus, minus_slope = _quotient(sn * _COS6N - cn * _SIN6N, cn * _COS6N + sn * _SIN6N, s * _COS6 - c * _SIN6,
                                   c * _COS6 + s * _SIN6, u - 6 * _SCALE)  # fmt: skip
    plus, plus_slope = _quotient(sn * _COS6N + cn * _SIN6N, cn * _COS6N - sn * _SIN6N, s * _COS6 + c * _SIN6,
                                 c * _COS6 - s * _SIN6, u + 6 * _SCALE)  # fmt: skip
    return _CONSTANT - _COS * twice / 2 - minus + _COS * plus, _COS * (plus_slope - twice_slope) - minus_slope


@_compiled
def best_losses(starts, lr, delta, gamma, betas, eps, steps):
    """The lowest loss of each run, all arrays of shape ``(members,)``."""
    beta1, beta2 = betas
    best = np.full(len(starts), math.inf)
    for i in range(len(starts)):
        x, m, v, power1, power2, climbs, previous = starts[i], 0.0, 0.0, 1.0, 1.0, False, math.nan
        for _ in range(steps):
            value, g = evaluate(x)
            best[i] = min(best[i], value)
            climbs, previous, reason = decide(value, climbs, previous, delta[i], gamma, -math.inf)
            if reason:
                m, v, power1, power2 = 0.0, 0.0, 1.0, 1.0
            power1 *= beta1
            power2 *= beta2
            x, m, v = adam(x, m, v, -g if climbs else g, lr[i], 1 / (1 - power1), 1 / (1 - power2), beta1, beta2, eps,
                           0.0, False)  # fmt: skip
    return best
