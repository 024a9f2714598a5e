"""How well a criterion agrees with the truth over a grid of settings."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Agreement(NamedTuple):
    """A prediction of escape scored against the truth.

    Example:
        >>> from hilladam.theory import agreement
        >>> score = agreement([[False, True, True]], [[False, False, True]])
        >>> score.cells, score.band_cells, score.false_escapes, round(score.overall, 3), score.band
        (3, 2, 1, 0.667, 0.5)
    """

    overall: float
    """The share of cells on which the two agree."""
    band: float
    """The same over the boundary band alone; NaN where there is none."""
    cells: int
    """How many cells there are."""
    band_cells: int
    """How many of them are in the band."""
    true_escapes: int
    """On how many cells an escape is predicted, and comes."""
    false_escapes: int
    """On how many it is predicted, and does not come."""
    missed_escapes: int
    """On how many it is not predicted, and comes."""
    true_stays: int
    """On how many it is not predicted, and does not come."""


def boundary_band(truth: "ArrayLike") -> np.ndarray:
    """The cells whose truth differs from that of a neighbour, above, below, left or right.

    A grid that reaches far into the easy regions flatters every criterion; these cells are where it is decided.

    Args:
        truth: bool, two-dimensional.

    Returns:
        bool, of the same shape.

    Raises:
        ValueError: a truth of another number of dimensions.

    Example:
        >>> from hilladam.theory import boundary_band
        >>> boundary_band([[False, False, True, True]]).tolist()
        [[False, True, True, False]]
    """
    truth = np.asarray(truth, dtype=bool)
    if truth.ndim != 2:
        raise ValueError(f"Invalid truth: shape {truth.shape}; expected two dimensions")
    band = np.zeros_like(truth)
    for cells, edge in ((truth, band), (truth.T, band.T)):
        differs = cells[1:] != cells[:-1]
        edge[1:] |= differs
        edge[:-1] |= differs
    return band


def agreement(predicted: "ArrayLike", truth: "ArrayLike") -> Agreement:
    """Score a prediction of escape.

    Args:
        predicted, truth: bool, two-dimensional, of one shape.

    Raises:
        ValueError: the shapes differ, are not two-dimensional, or have no cells.

    Example:
        >>> from hilladam.theory import agreement
        >>> score = agreement([[True, True], [False, True]], [[True, False], [False, True]])
        >>> score.overall, score.false_escapes, score.missed_escapes
        (0.75, 1, 0)
    """
    predicted, truth = np.asarray(predicted, dtype=bool), np.asarray(truth, dtype=bool)
    band = boundary_band(truth)
    if predicted.shape != truth.shape:
        raise ValueError(f"Invalid predicted: shape {predicted.shape}; expected truth's {truth.shape}")
    if not truth.size:
        raise ValueError(f"Invalid truth: shape {truth.shape}; expected at least one cell")
    agrees = predicted == truth
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
