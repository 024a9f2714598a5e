"""Colour transfer in closed form: the baselines that need no optimizer."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hilladam.colour._images import as_image, channel_means
from hilladam.colour._science import science

# Reinhard et al., from linear RGB to the cones' responses.
_CONES = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
# From the logarithms of the responses to lαβ: lightness, yellow against blue, red against green.
_LAB = np.diag([3**-0.5, 6**-0.5, 2**-0.5]) @ np.array([[1.0, 1.0, 1.0], [1.0, 1.0, -2.0], [1.0, -1.0, 0.0]])
_DARKEST = 1 / 255 / 12.92
"""The smallest linear value of an 8-bit image that is not 0; black has no logarithm and counts as this."""


def reinhard(source: ArrayLike, target: ArrayLike) -> NDArray[np.float64]:
    """Give the source the target's mean and standard deviation in each channel of lαβ (Reinhard et al., 2001).

    The images are decoded to linear light first, since the responses of the cones are linear in it.

    Args:
        source, target: shape (height, width, 3), sRGB in [0, 1]; their sizes may differ.

    Returns:
        The source's shape, clipped to [0, 1]. A channel without any spread in the source gets the target's mean.

    Raises:
        ValueError: an array that is no image.
        ImportError: colour-science is not installed.

    Example:
        >>> import numpy as np
        >>> from hilladam import colour
        >>> flat = np.full((2, 2, 3), 0.8)  # it has no spread, and so takes the target's colour
        >>> colour.reinhard(flat, np.full((3, 3, 3), [0.3, 0.5, 0.7]))[0, 0].round(3).tolist()
        [0.3, 0.5, 0.7]
    """
    from_source, from_target = _to_lab(source), _to_lab(target)
    spread = from_source.std(axis=(0, 1))
    scale = from_target.std(axis=(0, 1)) / np.where(spread > 1e-12, spread, np.inf)
    moved = (from_source - from_source.mean(axis=(0, 1))) * scale + from_target.mean(axis=(0, 1))
    return _from_lab(moved)


def match_means(source: ArrayLike, target: ArrayLike) -> NDArray[np.float64]:
    """The gains that bring the source's channel means to the target's, before clipping: t/s.

    This is the paper's form of the transfer, in RGB and without the standard deviations (Section 7.2), and the minimum
    of its loss without regularisers.

    Args:
        source, target: shape (height, width, 3), floating point in [0, 1]; their sizes may differ.

    Returns:
        Shape (3,).

    Raises:
        ValueError: an array that is no image, or the source has nothing of some channel.

    Example:
        >>> import numpy as np
        >>> from hilladam import colour
        >>> colour.match_means(np.full((2, 2, 3), 0.5), np.full((3, 3, 3), [0.25, 0.5, 0.75])).tolist()
        [0.5, 1.0, 1.5]
    """
    means = channel_means(source)
    if not means.all():
        raise ValueError(f"Invalid source: its channel means are {means.tolist()}; expected none to be 0")
    return channel_means(target) / means


def _to_lab(image: ArrayLike) -> np.ndarray:
    colour = science()

    linear = np.maximum(colour.models.eotf_sRGB(as_image(image)), _DARKEST)
    return np.log10(linear @ _CONES.T) @ _LAB.T


def _from_lab(lab: np.ndarray) -> np.ndarray:
    colour = science()

    linear = 10 ** (lab @ np.linalg.inv(_LAB).T) @ np.linalg.inv(_CONES).T
    return np.clip(colour.models.eotf_inverse_sRGB(np.clip(linear, 0.0, 1.0)), 0.0, 1.0)
