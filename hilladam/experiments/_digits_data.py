"""scikit-learn's handwritten digits, split in two."""

from functools import cache
from numbers import Integral
from typing import NamedTuple

import torch
from torch import Tensor


class Digits(NamedTuple):
    """1,797 images in two parts: pixels in float64 from 0 to 1, and which digit each image shows.

    Example:
        >>> from hilladam.experiments import load_digits
        >>> data = load_digits()
        >>> data.train_images.dtype, data.test_classes[:3].tolist()
        (torch.float64, [2, 0, 4])
    """

    train_images: Tensor
    """``(1347, 64)``"""
    train_classes: Tensor
    """``(1347,)``"""
    test_images: Tensor
    """``(450, 64)``"""
    test_classes: Tensor
    """``(450,)``"""


@cache
def load_digits() -> Digits:
    """scikit-learn's digits, three quarters to train with and one to test with, every class in proportion.

    Example:
        >>> from hilladam.experiments import load_digits
        >>> [tuple(part.shape) for part in load_digits()]
        [(1347, 64), (1347,), (450, 64), (450,)]
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, classes = load_digits(return_X_y=True)
    train, test, train_classes, test_classes = train_test_split(
        images / 16, classes, test_size=0.25, random_state=0, stratify=classes
    )
    return Digits(*(torch.as_tensor(part) for part in (train, train_classes, test, test_classes)))


def checked_size(batch_size: int | None, images: int) -> int:
    """How many images are in a mini-batch; ``None`` stands for all."""
    size = images if batch_size is None else batch_size
    if not isinstance(size, Integral) or not 1 <= size <= images:
        raise ValueError(f"Invalid batch_size: {batch_size}; expected 1 to {images}, or None for all images")
    return size
