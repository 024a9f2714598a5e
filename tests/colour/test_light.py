"""Light changes colours as light does."""

import subprocess
import sys

import colour as science
import numpy as np
import pytest

from hilladam import colour
from hilladam.colour._light import light_matrix

GREYS = np.linspace(0, 1, 12)[:, None, None] * np.ones((1, 2, 3))


def test_daylight_changes_nothing():
    image = np.random.default_rng(0).uniform(size=(20, 20, 3))
    np.testing.assert_allclose(colour.relight(image, 6_504), image, atol=6e-3)  # D65 is 6,504 K, rounded


@pytest.mark.parametrize("kelvin", [2_000, 2_856, 3_999, 4_000, 6_504, 12_000, 25_000])
def test_a_grey_takes_the_chromaticity_of_the_light(kelvin):
    linear = science.models.eotf_sRGB(colour.relight(np.full((1, 1, 3), 0.6), kelvin))
    xy = science.XYZ_to_xy(science.RGB_COLOURSPACES["sRGB"].matrix_RGB_to_XYZ @ linear[0, 0])
    # Ohno searches Planck's curve for the temperature nearest to a chromaticity, and says how far above it that lies.
    found, above = science.temperature.uv_to_CCT_Ohno2013(science.xy_to_UCS_uv(xy))
    assert found == pytest.approx(kelvin, rel=5e-3)
    assert above == pytest.approx(0.003 if kelvin >= 4_000 else 0, abs=5e-4)  # daylight is greener
    assert linear.max() == pytest.approx(science.models.eotf_sRGB(0.6))  # the largest channel stays


def test_a_lower_temperature_is_more_amber():
    def red_over_blue(kelvin):
        red, _, blue = light_matrix(kelvin).sum(axis=1)
        return red / blue

    for lights in ((2_000, 2_400, 3_200, 3_999), (4_000, 4_100, 6_504, 9_000, 16_000, 25_000)):
        ratios = [red_over_blue(kelvin) for kelvin in lights]
        assert ratios == sorted(ratios, reverse=True) and len(set(ratios)) == len(ratios)
    assert red_over_blue(6_504) == pytest.approx(1, abs=0.01)


def test_no_grey_is_clipped_and_black_stays():
    for kelvin in (colour.AMBER, colour.BLUE):
        image = colour.relight(GREYS, kelvin)
        assert (np.diff(image, axis=0) > 0).all() and not image[0].any()
        linear, grey = science.models.eotf_sRGB(image), science.models.eotf_sRGB(GREYS)
        white = light_matrix(kelvin).sum(axis=1)
        np.testing.assert_allclose(linear, grey * white, atol=1e-12)


def test_a_light_is_not_changed_by_a_caller():
    with pytest.raises(ValueError, match="read-only"):
        light_matrix(3_000.0)[0] = 0


def test_a_light_can_be_taken_back():
    image = np.random.default_rng(0).uniform(0.3, 0.6, (20, 20, 3))
    linear = science.models.eotf_sRGB(colour.relight(image, 3_500))
    back = linear @ np.linalg.inv(light_matrix(3_500)).T
    np.testing.assert_allclose(science.models.eotf_inverse_sRGB(back), image, atol=1e-9)


@pytest.mark.parametrize("kelvin", [0, 1_600, 25_001, np.nan, -3])
def test_a_temperature_has_bounds(kelvin):
    with pytest.raises(ValueError, match=r"Invalid kelvin: .*; expected a colour temperature from 2000 to 25000"):
        colour.relight(GREYS, kelvin)


def test_numpy_prints_as_before():
    code = """
import numpy as np
from hilladam import colour
colour.relight(np.ones((1, 1, 3)), 3000)
print(np.array([1.5, 2]))
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, text=True, stdout=subprocess.PIPE)
    assert done.stdout == "[1.5 2. ]\n"
