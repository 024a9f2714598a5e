"""Twelve amber photographs, each with a blue one to be corrected towards."""

import itertools
from functools import cache
from typing import NamedTuple

import numpy as np

from hilladam.colour._images import load
from hilladam.colour._light import relight

AMBER = 2_856.0
"""A light bulb, in kelvin: CIE's standard illuminant A."""
BLUE = 12_000.0
"""Open shade under a clear sky, in kelvin."""


class Photograph(NamedTuple):
    """A photograph that comes with the package scikit-image, and who made it."""

    title: str
    credit: str
    licence: str


PHOTOGRAPHS = {
    "astronaut": Photograph("Eileen Collins, astronaut", "NASA", "public domain"),
    "chelsea": Photograph("Chelsea the cat", "Stéfan van der Walt", "CC0"),
    "coffee": Photograph("Coffee cup, courtesy of Pikolo Espresso Bar", "Rachel Michetti", "CC0"),
    "rocket": Photograph("Launch of DSCOVR on a Falcon 9", "SpaceX", "public domain"),
}
"""By the name of the function of ``skimage.data`` that loads it; licences as scikit-image states them."""


class Pair(NamedTuple):
    """One instance of Experiment 2; every image has shape (256, 256, 3), float64, sRGB in [0, 1]."""

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
    """The twelve ordered pairs of four photographs, the source at :data:`AMBER` and the target at :data:`BLUE`."""
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
