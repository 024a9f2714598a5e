"""Twelve amber photographs, each with a blue one to be corrected towards."""

import itertools
from functools import cache
from typing import NamedTuple

import numpy as np

from hilladam._extras import extra
from hilladam.colour._images import load
from hilladam.colour._light import relight

AMBER = 2_856.0
"""A light bulb, in kelvin: CIE's standard illuminant A."""
BLUE = 12_000.0
"""Open shade under a clear sky, in kelvin."""


PHOTOGRAPHS = {
    "astronaut": "Eileen Collins, astronaut, by NASA, public domain",
    "chelsea": "Chelsea the cat, by Stéfan van der Walt, CC0",
    "coffee": "Coffee cup, courtesy of Pikolo Espresso Bar, by Rachel Michetti, CC0",
    "rocket": "Launch of DSCOVR on a Falcon 9, by SpaceX, public domain",
}
"""By the name of the function of ``skimage.data`` that loads it; licences as scikit-image states them."""


class Pair(NamedTuple):
    """One instance of Experiment 2; every image has shape (256, 256, 3), float64, sRGB in [0, 1].

    Example:
        >>> from hilladam import colour
        >>> pair = colour.pairs()[0]
        >>> pair.name, pair.source.shape
        ('astronaut to chelsea', (256, 256, 3))
    """

    name: str
    """``"astronaut to coffee"``: the source's photograph and the target's."""
    source: np.ndarray
    """A photograph under amber light."""
    target: np.ndarray
    """Another one under blue light."""
    original: np.ndarray
    """The source's photograph as it was, in daylight: the truth that the source lost."""


@cache
def pairs() -> tuple[Pair, ...]:
    """The twelve ordered pairs of four photographs, the source at :data:`AMBER` and the target at :data:`BLUE`.

    The photographs come with scikit-image: an astronaut and a rocket, by NASA and SpaceX, in the public domain; a cat
    and a cup of coffee, by Stéfan van der Walt and Rachel Michetti, CC0.

    Raises:
        ImportError: scikit-image or colour-science is not installed.

    Example:
        >>> from hilladam import colour
        >>> len(colour.pairs())
        12
        >>> red, _, blue = colour.channel_means(colour.pairs()[0].source)
        >>> bool(red > 2 * blue)  # amber
        True
    """
    with extra("colour"):
        import skimage.data

    originals = {name: load(getattr(skimage.data, name)()) for name in PHOTOGRAPHS}
    amber = {name: relight(image, AMBER) for name, image in originals.items()}
    blue = {name: relight(image, BLUE) for name, image in originals.items()}
    for image in (*originals.values(), *amber.values(), *blue.values()):
        image.setflags(write=False)  # they are shared by all callers
    return tuple(
        Pair(f"{source} to {target}", amber[source], blue[target], originals[source])
        for source, target in itertools.permutations(PHOTOGRAPHS, 2)
    )
