"""The frequency of a sine wave, fitted by least squares: a loss of one variable with many minima and no polynomial."""

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_SAMPLES, _FREQUENCY, _PHASE = 256, 6.0, 0.5


class SineWave:
    """``mean (sin(2πxt + ½) − sin(2π6t + ½))²`` over 256 times t from −½ to ½: the README's fit, its phase known.

    The mean of a product of sines is a sum of the mean's closed form, ``mean cos(at) = sin(Nu) / (N sin u)`` with
    ``N = 256`` and ``u = a / 510``.

    Example:
        >>> from hilladam.losses import SINE_WAVE
        >>> SINE_WAVE([3.5, 6.0]).round(3).tolist(), SINE_WAVE.derivative(3.5).round(3).tolist()
        ([0.855, 0.0], 0.022)

        A tensor is answered with a tensor, differentiably:

        >>> import torch
        >>> from hilladam.experiments import Points, train
        >>> frequency = Points(torch.tensor([5.5], dtype=torch.float64))
        >>> run = train(frequency, SINE_WAVE, torch.optim.Adam(frequency.parameters, 0.05), 200)
        >>> run.final_states.round(3).tolist()
        [6.0]
    """

    name = "sine wave"

    def __call__(self, x: "ArrayLike | Tensor") -> np.ndarray | Tensor:
        """The loss at frequencies ``x`` in Hz, a number, an array or a tensor: float64 of the same shape."""
        x, cos = _floating(x), math.cos(2 * _PHASE)
        both = _mean(2 * x)[0] + float(_mean(2 * _FREQUENCY)[0])
        return 1 - cos * both / 2 - _mean(x - _FREQUENCY)[0] + cos * _mean(x + _FREQUENCY)[0]

    def derivative(self, x: "ArrayLike | Tensor") -> np.ndarray | Tensor:
        """The slope of the loss at ``x``, likewise."""
        x, cos = _floating(x), math.cos(2 * _PHASE)
        return cos * (_mean(x + _FREQUENCY)[1] - _mean(2 * x)[1]) - _mean(x - _FREQUENCY)[1]

    def __repr__(self):
        return "SINE_WAVE"


SINE_WAVE = SineWave()
"""The only :class:`SineWave`."""


def _floating(x):
    return x.double() if isinstance(x, Tensor) else np.asarray(x, np.float64)


def _mean(frequency):
    """The mean of cos(2π frequency t) over the times, and its derivative by the frequency."""
    xp = torch if isinstance(frequency, Tensor) else np
    scale = math.pi / (_SAMPLES - 1)
    u, n = scale * frequency, _SAMPLES
    small = abs(u) < 1e-4  # where the quotients lose their digits, the series has them
    safe = xp.where(small, 1.0, u)
    sine, many = xp.sin(safe), xp.sin(n * safe)
    value = xp.where(small, 1 - (n**2 - 1) / 6 * u**2 + (n**2 - 1) * (3 * n**2 - 7) / 360 * u**4, many / (n * sine))
    slope = (n * xp.cos(n * safe) * sine - many * xp.cos(safe)) / (n * sine**2)
    return value, scale * xp.where(small, -(n**2 - 1) / 3 * u + (n**2 - 1) * (3 * n**2 - 7) / 90 * u**3, slope)
