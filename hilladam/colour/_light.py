"""A photograph under another light: von Kries's model of adaptation, run backwards."""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hilladam.colour._images import as_image
from hilladam.colour._science import science

WARMEST, COOLEST = 2_000.0, 25_000.0
"""In kelvin. A warmer white leaves sRGB; the formula for daylight ends at the other."""


@cache
def light_matrix(kelvin: float) -> NDArray[np.float64]:
    """What a light of this colour temperature makes of linear sRGB under daylight (D65).

    Colours are converted to the responses of the three kinds of cones, scaled there by the ratio of the two white
    points, and converted back. The responses are Bradford's, which are sharper than real cones' and predict real
    surfaces better. Below 4,000 K the light is a glowing body (Planck), from 4,000 K on it is daylight (CIE D series),
    which is a little greener there.

    Args:
        kelvin: from 2,000, about a candle, to 25,000, a clear northern sky.

    Returns:
        Shape (3, 3), scaled so that the largest channel of white stays 1 and no grey is clipped.

    Raises:
        ValueError: a temperature outside that range.
    """
    colour = science()
    if not WARMEST <= kelvin <= COOLEST:
        raise ValueError(f"Invalid kelvin: {kelvin}; expected a colour temperature from {WARMEST:.0f} to {COOLEST:.0f}")
    if kelvin < 4_000:
        white = colour.UCS_uv_to_xy(colour.temperature.CCT_to_uv_Planck1900(kelvin))
    else:
        white = colour.temperature.CCT_to_xy_CIE_D(kelvin)
    space = colour.RGB_COLOURSPACES["sRGB"]
    adapt = colour.adaptation.matrix_chromatic_adaptation_VonKries(
        colour.xy_to_XYZ(space.whitepoint), colour.xy_to_XYZ(white), transform="Bradford"
    )
    matrix = space.matrix_XYZ_to_RGB @ adapt @ space.matrix_RGB_to_XYZ
    matrix /= matrix.sum(axis=1).max()
    matrix.setflags(write=False)  # it is shared by all callers
    return matrix


def relight(image: ArrayLike, kelvin: float) -> NDArray[np.float64]:
    """The scene of a photograph taken in daylight, as the same camera would record it under another light.

    Daylight (D65) has 6,504 K. Colours are scaled in the responses of the three kinds of cones (Bradford's) by the
    ratio of the white points of the two lights, and so that the largest channel of white stays what it is. Below
    4,000 K the light is a glowing body (Planck), from 4,000 K on it is daylight (CIE D series), a little greener there.

    Args:
        image: shape (height, width, 3), floating point, sRGB in [0, 1].
        kelvin: the colour temperature of the light, from 2,000, about a candle, to 25,000, a clear northern sky: amber
            well below 6,500, blue above.

    Returns:
        The same shape. Saturated colours that leave sRGB are clipped; greys never are.

    Raises:
        ValueError: an array that is no image, or a temperature out of range.
        ImportError: colour-science is not installed.

    Example:
        >>> import numpy as np
        >>> from hilladam import colour
        >>> grey = np.full((1, 1, 3), 0.6)
        >>> colour.relight(grey, colour.AMBER)[0, 0].round(2).tolist()
        [0.6, 0.41, 0.22]
    """
    colour = science()

    linear = colour.models.eotf_sRGB(as_image(image)) @ light_matrix(float(kelvin)).T
    return np.clip(colour.models.eotf_inverse_sRGB(np.clip(linear, 0.0, 1.0)), 0.0, 1.0)
