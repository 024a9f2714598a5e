"""Prescribed losses: with stationary points known exactly, and random ones of any number of variables."""

from hilladam.losses._colour_loss import (
    BLUE_WELLS,
    RED_WELLS,
    ColourLoss,
    GainPoint,
    double_well,
    preference,
    stack_colours,
)
from hilladam.losses._landscapes import (
    LANDSCAPES,
    Range,
    Torus,
    Wells,
    random_polynomial,
    random_torus,
    random_wells,
)
from hilladam.losses._polynomial import DOUBLE_WELL, TABLE_1, Polynomial, StationaryPoint, stack
from hilladam.losses._sine_wave import SINE_WAVE, SineWave
from hilladam.losses._suite import SUITE, SuiteLoss, random_suite_loss
from hilladam.losses._surface import SURFACES, Surface, SurfacePoint

__all__ = [
    "BLUE_WELLS",
    "DOUBLE_WELL",
    "LANDSCAPES",
    "RED_WELLS",
    "SINE_WAVE",
    "SUITE",
    "SURFACES",
    "TABLE_1",
    "ColourLoss",
    "GainPoint",
    "Polynomial",
    "Range",
    "SineWave",
    "StationaryPoint",
    "SuiteLoss",
    "Surface",
    "SurfacePoint",
    "Torus",
    "Wells",
    "double_well",
    "preference",
    "random_polynomial",
    "random_suite_loss",
    "random_torus",
    "random_wells",
    "stack",
    "stack_colours",
]
