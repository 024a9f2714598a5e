"""The network that reads digits, as rows of weights: many networks at once, and how well they read."""

import math

import torch
from torch import Tensor

from hilladam.experiments._coincidences import shrink
from hilladam.experiments._digits_data import Digits

DIGITS_SIZES = (64, 32, 10)
"""The widths of the network's layers: 8 × 8 pixels, 32 hidden units with tanh, ten classes. It has 2,410 weights."""

GUESSING = math.log(10)
"""The cross-entropy of giving all ten classes the same probability. A network with a higher one had better guess."""


def logits_of(weights: Tensor, images: Tensor) -> Tensor:
    """``(…, seeds, images, 10)`` from the rows ``(…, seeds, weights)`` of networks.

    The images are ``(images, 64)``, the same for all, or ``(seeds, images, 64)``.
    """
    inputs, hidden, outputs = DIGITS_SIZES
    w1, b1, w2, b2 = weights.split([hidden * inputs, hidden, outputs * hidden, outputs], dim=-1)
    activity = torch.tanh(images @ w1.unflatten(-1, (hidden, inputs)).mT + b1[..., None, :])
    return activity @ w2.unflatten(-1, (outputs, hidden)).mT + b2[..., None, :]


def losses_of(logits: Tensor, classes: Tensor) -> Tensor:
    """The cross-entropy of each image: ``(…, seeds, images)``."""
    chosen = logits.gather(-1, classes.expand(logits.shape[:-1])[..., None])[..., 0]
    return logits.logsumexp(-1) - chosen


@torch.no_grad()
def measure(weights: Tensor, data: Digits, size: int) -> Tensor:
    """``(4, …, seeds)``: training loss, σ of a mini-batch's loss, test loss and test accuracy."""
    train = losses_of(logits_of(weights, data.train_images), data.train_classes)
    logits = logits_of(weights, data.test_images)
    hits = (logits.argmax(-1) == data.test_classes).to(logits)
    sigma = train.std(-1) * shrink(size, train.shape[-1])
    return torch.stack([train.mean(-1), sigma, losses_of(logits, data.test_classes).mean(-1), hits.mean(-1)])
