"""Prescribed losses whose stationary points are known exactly."""

from hilladam.losses.polynomials import DOUBLE_WELL, TABLE_1, Polynomial, StationaryPoint, stack

__all__ = ["DOUBLE_WELL", "TABLE_1", "Polynomial", "StationaryPoint", "stack"]
