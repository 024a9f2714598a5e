"""How well a criterion agrees with the truth over a grid of settings."""

from typing import NamedTuple

import numpy as np


class Agreement(NamedTuple):
    """A prediction of escape scored against the truth."""

    overall: float
    """The share of cells on which the two agree."""
    band: float
    """The same over the boundary band alone; NaN where there is none."""
    cells: int
    band_cells: int
    true_escapes: int
    """Confusion counts over all cells: predicted, and it does;"""
    false_escapes: int
    """predicted, and it does not;"""
    missed_escapes: int
    """not predicted, and it does;"""
    true_stays: int
    """not predicted, and it does not."""


def boundary_band(truth) -> np.ndarray:
    """The cells whose truth differs from that of a neighbour, above, below, left or right.

    A grid that reaches far into the easy regions flatters every criterion; these cells are where it is decided.

    Args:
        truth: bool, two-dimensional.
    """
    truth = np.asarray(truth, dtype=bool)
    band = np.zeros_like(truth)
    for cells, edge in ((truth, band), (truth.T, band.T)):
        differs = cells[1:] != cells[:-1]
        edge[1:] |= differs
        edge[:-1] |= differs
    return band


def agreement(predicted, truth) -> Agreement:
    """Score a prediction of escape.

    Args:
        predicted, truth: bool, two-dimensional, of one shape.

    Raises:
        ValueError: the shapes differ, or are not two-dimensional.
    """
    predicted, truth = np.asarray(predicted, dtype=bool), np.asarray(truth, dtype=bool)
    if predicted.shape != truth.shape or truth.ndim != 2:
        raise ValueError(f"Invalid predicted: shape {predicted.shape}; expected truth's {truth.shape}, two-dimensional")
    agrees, band = predicted == truth, boundary_band(truth)
    return Agreement(
        agrees.mean().item(),
        agrees[band].mean().item() if band.any() else float("nan"),
        truth.size,
        int(band.sum()),
        int((predicted & truth).sum()),
        int((predicted & ~truth).sum()),
        int((~predicted & truth).sum()),
        int((~predicted & ~truth).sum()),
    )
