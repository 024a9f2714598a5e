"""Photographs, the light they were taken in, and the transfer of colour from one to another.

An image is an array of shape (height, width, 3), float64, sRGB-encoded in [0, 1]. Needs Pillow, and for
:func:`difference`, :func:`pairs`, :func:`reinhard` and :func:`relight` scikit-image and colour-science:
``pip install 'hilladam[colour]'``.
"""

from hilladam._extras import extra

with extra("colour"):
    from hilladam.colour._images import apply_gains, channel_means, difference, load, save
    from hilladam.colour._light import relight
    from hilladam.colour._pairs import AMBER, BLUE, Pair, pairs
    from hilladam.colour._transfer import match_means, reinhard

__all__ = [
    "AMBER",
    "BLUE",
    "Pair",
    "apply_gains",
    "channel_means",
    "difference",
    "load",
    "match_means",
    "pairs",
    "reinhard",
    "relight",
    "save",
]
