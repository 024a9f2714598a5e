"""Photographs, the light they were taken in, and the transfer of colour from one to another.

An image is an array of shape (height, width, 3), float64, sRGB-encoded in [0, 1]. Needs scikit-image and
colour-science: ``pip install hilladam[colour]``.
"""

from hilladam.colour._images import apply_gains, channel_means, difference, load, save
from hilladam.colour._light import light_matrix, relight
from hilladam.colour._pairs import AMBER, BLUE, PHOTOGRAPHS, Pair, Photograph, pairs
from hilladam.colour._transfer import match_means, reinhard

__all__ = [
    "AMBER",
    "BLUE",
    "PHOTOGRAPHS",
    "Pair",
    "Photograph",
    "apply_gains",
    "channel_means",
    "difference",
    "light_matrix",
    "load",
    "match_means",
    "pairs",
    "reinhard",
    "relight",
    "save",
]
