"""How often chance alone brings the losses of two mini-batches within δ."""

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from hilladam._checks import whole
from hilladam.experiments._digits_data import checked_size, load_digits
from hilladam.experiments._intervals import wilson_interval


def coincidences(
    model: Callable[[Tensor], Tensor],
    batch_sizes: Iterable[int | None] = (8, 16, 32, 64, 128, 256, 512, None),
    delta: float = 1e-4,
    *,
    draws: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
    r"""How often two mini-batches, one after the other, have losses within δ although the weights stand still.

    The δ rule takes such a pair for a loss that stands still, wherever the weights are. Were the losses of the batches
    normal, with standard deviation σ, it would happen with probability
    :math:`\operatorname{erf}(\delta / 2\sigma) \approx \delta / (\sigma \sqrt\pi)` for :math:`\delta \ll \sigma`. For
    batches of B images, :math:`\sigma = S / \sqrt B`, with the standard deviation S of the images' own losses. Two
    batches of one epoch share no image; batches of more than half of the images come from two epochs, so that they
    may, and σ falls to 0 with all images.

    Args:
        model: takes training images, ``(1347, 64)``, to logits, ``(1347, 10)``.
        batch_sizes: as for :func:`digits`.
        delta: δ ≥ 0, in units of the loss.
        draws: how many pairs of mini-batches to draw of each size.
        seed: of the draws.

    Returns:
        A row for each size: ``batch_size``, ``sigma``, the share ``measured`` with its 95 % interval ``low`` to
        ``high`` (Wilson), and the share ``predicted``.

    Raises:
        ValueError: no size or one that :func:`digits` refuses, a δ below 0, no draws, or a model that gives something
            else than logits.

    Example:
        >>> from hilladam.experiments import DIGITS_SIZES, coincidences, network
        >>> table = coincidences(network(DIGITS_SIZES, "tanh"), [64, None], delta=0.01, draws=1000)
        >>> table.round(1)[["batch_size", "measured", "predicted"]].to_dict("list")
        {'batch_size': [64, 1347], 'measured': [0.2, 1.0], 'predicted': [0.2, 1.0]}
    """
    check_delta(delta)
    draws = whole("draws", draws, 1)
    data, rng, rows = load_digits(), np.random.default_rng(seed), []
    images = len(data.train_images)
    sizes = [checked_size(batch_size, images) for batch_size in batch_sizes]
    if not sizes:
        raise ValueError("Invalid batch_sizes: none; expected at least one")
    with torch.no_grad():
        logits = model(data.train_images)
        if logits.dim() != 2 or len(logits) != images or logits.shape[1] != 10:
            raise ValueError(f"Invalid model: its logits are of shape {tuple(logits.shape)}; expected ({images}, 10)")
        losses = nn.functional.cross_entropy(logits, data.train_classes, reduction="none").numpy()
    for size in sizes:
        sigma = losses.std(ddof=1) * shrink(size, images)
        close = int(sum((d < delta).sum() for d in _differences(losses, size, draws, rng)))
        interval = wilson_interval(close, draws)
        rows.append((size, sigma, close / draws, interval.low, interval.high, float(chance(sigma, delta))))
    return pd.DataFrame(rows, columns=["batch_size", "sigma", "measured", "low", "high", "predicted"])


def _differences(losses: np.ndarray, size: int, draws: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """How far apart the losses of pairs of mini-batches are, some hundred epochs at a time."""
    if size == len(losses):
        yield np.zeros(draws)  # the same images in another order
        return
    pairs = len(losses) // (2 * size)  # in one epoch; where there is none, two epochs give one
    taken = max(2 * pairs, 1) * size
    while draws > 0:
        epochs = min(500, -(-draws // pairs) if pairs else 2 * draws)
        orders = rng.permuted(np.broadcast_to(losses, (epochs, len(losses))), axis=1)
        means = orders[:, :taken].reshape(-1, 2, size).mean(axis=-1)[:draws]
        yield np.abs(means[:, 0] - means[:, 1])
        draws -= len(means)


def shrink(size: int, images: int) -> float:
    """σ of a mini-batch's loss over that of an image's, for σ such that the difference of two batches has √2 σ.

    Batches of one epoch share no image, which makes their difference exactly as wide as that of independent draws.
    Batches of different epochs may share images, and with all images they are equal.
    """
    return math.sqrt(1 / size if 2 * size <= images else 1 / size - 1 / images)


def chance(sigma, delta: float) -> np.ndarray:
    """P(|difference| < δ) for two independent normal draws of standard deviation σ."""
    from scipy.special import erf

    with np.errstate(divide="ignore"):
        return erf(np.divide(delta, 2 * np.asarray(sigma))) if delta else np.zeros_like(sigma)


def check_delta(delta: float) -> None:
    if not 0 <= delta < math.inf:
        raise ValueError(f"Invalid delta: {delta}; expected a finite number >= 0")
