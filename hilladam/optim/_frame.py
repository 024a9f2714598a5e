"""Directions to walk in: plus and minus the columns of random orthogonal frames."""

import torch
from torch import Tensor

LARGEST_FRAME = 256
"""The most variables for which a frame is made orthogonal, at d³ operations and d² numbers; tested up to 20. Above,
its directions are drawn one by one from the normal distribution, which in so many dimensions is nearly the same."""


def directions(dimensions: int) -> int:
    """How many directions a frame has: two for each variable, at most two for each of :data:`LARGEST_FRAME`."""
    return 2 * min(dimensions, LARGEST_FRAME)


def orthogonal_frame(seed: int, frame: int, dimensions: int) -> Tensor:
    """A random orthogonal matrix, float64, shape ``(dimensions, dimensions)``; the same for the same numbers."""
    normal = torch.randn(dimensions, dimensions, generator=_generator(seed, frame), dtype=torch.float64, device="cpu")
    columns, triangle = torch.linalg.qr(normal)
    uniform: Tensor = columns * torch.where(triangle.diagonal() < 0, -1.0, 1.0)
    return uniform


def normal_direction(seed: int, frame: int, column: int, dimensions: int) -> Tensor:
    """A direction from the normal distribution, float64, shape ``(dimensions,)``; the same for the same numbers."""
    return torch.randn(dimensions, generator=_generator(seed, frame, column + 1), dtype=torch.float64, device="cpu")


def _generator(seed: int, frame: int, column: int = 0) -> torch.Generator:
    # Mixed, because a generator's seeds that differ in a few bits begin alike.
    mixed = seed
    for number in (frame, column):
        mixed = (mixed * 6364136223846793005 + number + 1442695040888963407) % 2**63
    return torch.Generator().manual_seed(mixed)
