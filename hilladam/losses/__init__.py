"""Prescribed losses whose stationary points are known exactly."""

from hilladam.losses._colour_loss import (
    BLUE_WELLS,
    RED_WELLS,
    ColourLoss,
    GainPoint,
    double_well,
    preference,
    stack_colours,
)
from hilladam.losses._polynomial import DOUBLE_WELL, TABLE_1, Polynomial, StationaryPoint, stack
from hilladam.losses._sine_wave import SINE_WAVE, SineWave
from hilladam.losses._surface import SURFACES, Surface, SurfacePoint

__all__ = [
    "BLUE_WELLS",
    "DOUBLE_WELL",
    "RED_WELLS",
    "SINE_WAVE",
    "SURFACES",
    "TABLE_1",
    "ColourLoss",
    "GainPoint",
    "Polynomial",
    "SineWave",
    "StationaryPoint",
    "Surface",
    "SurfacePoint",
    "double_well",
    "preference",
    "stack",
    "stack_colours",
]
