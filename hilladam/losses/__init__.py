"""Prescribed losses whose stationary points are known exactly."""

from hilladam.losses.colour import (
    BLUE_WELLS,
    RED_WELLS,
    ColourLoss,
    GainPoint,
    double_well,
    preference,
    stack_colours,
)
from hilladam.losses.polynomials import DOUBLE_WELL, TABLE_1, Polynomial, StationaryPoint, stack

__all__ = [
    "BLUE_WELLS",
    "DOUBLE_WELL",
    "RED_WELLS",
    "TABLE_1",
    "ColourLoss",
    "GainPoint",
    "Polynomial",
    "StationaryPoint",
    "double_well",
    "preference",
    "stack",
    "stack_colours",
]
