"""A small network on real data: scikit-learn's digits, in mini-batches, and what their noise does to the δ rule."""

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm.auto import trange

from hilladam._extras import extra
from hilladam.experiments._models import network
from hilladam.optim import CoolMomentum, HillAdam

DIGITS_SIZES = (64, 32, 10)
"""The widths of the network's layers: 8 × 8 pixels, 32 hidden units with tanh, ten classes. It has 2,410 weights."""

GUESSING = math.log(10)
"""The cross-entropy of giving all ten classes the same probability. A network with a higher one had better guess."""

ONCE_AN_EPOCH = "Hill-ADAM, once an epoch"

DIGITS_OPTIMIZERS: dict[str, Callable] = {
    "SGD": partial(torch.optim.SGD, foreach=False),
    "momentum": partial(torch.optim.SGD, momentum=0.9, foreach=False),
    "Nesterov": partial(torch.optim.SGD, momentum=0.9, nesterov=True, foreach=False),
    "RMSprop": partial(torch.optim.RMSprop, foreach=False),
    "NAdam": partial(torch.optim.NAdam, foreach=False),
    "RAdam": partial(torch.optim.RAdam, foreach=False),
    "Adam": partial(torch.optim.Adam, foreach=False),
    "CoolMomentum": CoolMomentum,
    "Hill-ADAM": partial(HillAdam, foreach=False),
    ONCE_AN_EPOCH: partial(HillAdam, foreach=False),
}
"""What trains, as functions of parameters and learning rate.

``"Hill-ADAM"`` judges the loss of every mini-batch. ``"Hill-ADAM, once an epoch"`` judges the loss over the whole
training set at the first step of every epoch; its other steps are bare ones, which judge nothing. CoolMomentum also
takes ``cooling_steps``, which :func:`digits` makes the number of steps of the run.
"""

DIGITS_LR = {
    "SGD": 1.0,
    "momentum": 0.3,
    "Nesterov": 0.3,
    "RMSprop": 0.03,
    "NAdam": 0.03,
    "RAdam": 0.1,
    "Adam": 0.03,
    "CoolMomentum": 0.1,
    "Hill-ADAM": 0.03,
    ONCE_AN_EPOCH: 0.03,
}
"""The learning rates of :func:`digits`, for mini-batches of 64 images and 25 epochs.

Each is the one of :func:`sweep`'s rates that ends with the lowest training loss; no test image has a say in it. The
two Hill-ADAMs take Adam's rate, so that they differ from it in nothing but their turns: where a Hill-ADAM ends depends
on when it last turned, and the rates 0.01 and 0.03 do about equally well for the one that judges every mini-batch.
"""

_HILLS = ("Hill-ADAM", ONCE_AN_EPOCH)
_MEASURES = ["train_loss", "test_loss", "test_accuracy"]


class Digits(NamedTuple):
    """1,797 images in two parts: pixels in float64 from 0 to 1, and which digit each image shows."""

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
    """scikit-learn's digits, three quarters to train with and one to test with, every class in proportion."""
    with extra("digits"):
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

    images, classes = load_digits(return_X_y=True)
    train, test, train_classes, test_classes = train_test_split(
        images / 16, classes, test_size=0.25, random_state=0, stratify=classes
    )
    return Digits(*(torch.as_tensor(part) for part in (train, train_classes, test, test_classes)))


@dataclass(frozen=True)
class DigitsRecord:
    """What happened in every run of :func:`digits`."""

    epochs: pd.DataFrame
    """A row for each ``optimizer``, ``seed`` and ``epoch``; epoch 0 is before training.

    ``train_loss``, ``test_loss`` and ``test_accuracy`` are over the whole sets, at the epoch's end. ``sigma`` is the
    standard deviation of a mini-batch's loss there. ``close`` counts the epoch's mini-batches whose loss was within δ
    of the one before, which the δ rule takes for a loss that stands still. ``expected`` is how many the noise alone
    would make so close: the mean of :func:`coincidences`' prediction at the epoch's two ends, for each of its steps.
    """
    switches: pd.DataFrame
    """A row for each turn of a Hill-ADAM: ``optimizer``, ``seed``, ``step`` (from 0, over all epochs), ``epoch`` (from
    1), ``direction``, ``reason``, and the two losses that decided, as they were judged: ``previous_loss`` and ``loss``.
    """
    best: pd.DataFrame
    """A row for each run of a Hill-ADAM: ``best_loss``, as it was judged, and what :meth:`~hilladam.HillAdam.load_best`
    brings back: ``train_loss``, ``test_loss`` and ``test_accuracy`` over the whole sets."""
    losses: np.ndarray
    """``(steps, optimizers, seeds)``: the loss of each step's mini-batch, before the step."""
    weights: dict[tuple[str, int], Tensor]
    """By optimizer and seed: all weights at the end in one row, as ``parameters_to_vector`` lays them out."""

    def network(self, optimizer: str, seed: int) -> nn.Sequential:
        """The network as a run left it; a Hill-ADAM may have left it on a hill."""
        model = network(DIGITS_SIZES, "tanh", seed)
        nn.utils.vector_to_parameters(self.weights[optimizer, seed], model.parameters())
        return model


def digits(
    optimizers: Iterable[str] = tuple(DIGITS_OPTIMIZERS),
    seeds: Iterable[int] = range(3),
    epochs: int = 25,
    batch_size: int | None = 64,
    *,
    lr: Mapping[str, float] | None = None,
    delta: float = 1e-4,
    gamma: float = GUESSING,
    progress: bool = False,
) -> DigitsRecord:
    """Train a small network to read digits, with every optimizer and seed: all of them in lock step.

    The loss is the cross-entropy. Everything is float64 and on the CPU, which is the fastest place for a network this
    small. A seed gives the initial weights and the order of the images, so that all optimizers start from the same
    weights and meet the same mini-batches. Every epoch goes through the images in a new order; the few that do not
    fill a mini-batch are left out of it.

    Ctrl-C ends the training and keeps the epochs that were complete, with a warning.

    Args:
        optimizers: keys of :data:`DIGITS_OPTIMIZERS`.
        seeds: one run each.
        epochs: how many, at least 1.
        batch_size: from 1 to 1,347; ``None`` for all 1,347 images at once, so that an epoch is one step.
        lr: learning rates by optimizer, in place of those of :data:`DIGITS_LR`.
        delta: δ of Hill-ADAM and of what the record counts as close; the default is the paper's.
        gamma: γ of Hill-ADAM. Cross-entropy is unbounded above, so that a climb needs an end; the default is what
            guessing costs.
        progress: whether to show a progress bar.

    Raises:
        ValueError: no seed or optimizer, one twice, an unknown optimizer, or a number out of its range.
    """
    optimizers, seeds = list(optimizers), list(seeds)
    for name, given in (("optimizers", optimizers), ("seeds", seeds)):
        if not given or len(set(given)) < len(given):
            raise ValueError(f"Invalid {name}: {given or 'none'}; expected at least one, and none twice")
    for name, given in (("optimizer", optimizers), ("lr", lr or ())):
        for key in given:
            if key not in DIGITS_OPTIMIZERS:
                raise ValueError(f"Invalid {name}: {key!r}; expected one of {tuple(DIGITS_OPTIMIZERS)}")
    if epochs < 1:
        raise ValueError(f"Invalid epochs: {epochs}; expected at least 1")
    _check_delta(delta)
    data, rates = load_digits(), {**DIGITS_LR, **(lr or {})}
    images = len(data.train_images)
    size = _checked_size(batch_size, images)
    steps = images // size

    starts = [nn.utils.parameters_to_vector(network(DIGITS_SIZES, "tanh", seed).parameters()) for seed in seeds]
    weights = torch.stack(starts).detach().repeat(len(optimizers), 1, 1).requires_grad_()
    movers = [
        _Mover(name, rows, rates[name], epochs * steps, delta, gamma)
        for name, rows in zip(optimizers, weights.detach(), strict=True)
    ]
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    measures, losses, complete = [_measure(weights, data, size)], [], None
    try:
        for _ in trange(epochs, desc="digits", disable=not progress, leave=False):
            whole = measures[-1][0]
            for batch in _batches(generators, images, size):
                value = _losses(_logits(weights, data.train_images[batch]), data.train_classes[batch]).mean(-1)
                (grads,) = torch.autograd.grad(value.sum(), weights)
                losses.append(value.detach())
                for i, mover in enumerate(movers):
                    mover.step(grads[i], losses[-1][i], None if whole is None else whole[i])
                whole = None
            measures.append(_measure(weights, data, size))
            # Only now, and at once: an interrupted epoch leaves no trace.
            complete = len(measures), weights.detach().clone(), [mover.memory() for mover in movers]
    except KeyboardInterrupt:
        if complete is None:
            raise
        message = f"Interrupted: the record ends after {complete[0] - 1} of {epochs} epochs"
        warnings.warn(message, RuntimeWarning, stacklevel=2)

    done, last, memories = complete
    measures, losses = torch.stack(measures[:done]).numpy(), torch.stack(losses[: (done - 1) * steps]).numpy()
    runs = [(name, seed) for name in optimizers for seed in seeds]
    hills = {}
    for mover, memory in zip(movers, memories, strict=True):
        hills.update(((mover.name, seed), hill) for seed, hill in zip(seeds, mover.hills(memory), strict=False))
    return DigitsRecord(
        _epochs(optimizers, seeds, measures, losses, delta),
        _switches(runs, measures, losses, hills),
        _best(data, size, hills),
        losses,
        dict(zip(runs, last.flatten(0, 1), strict=True)),
    )


def _checked_size(batch_size: int | None, images: int) -> int:
    size = images if batch_size is None else batch_size
    if not 1 <= size <= images:
        raise ValueError(f"Invalid batch_size: {batch_size}; expected 1 to {images}, or None for all images")
    return size


def _check_delta(delta: float) -> None:
    if not 0 <= delta < math.inf:
        raise ValueError(f"Invalid delta: {delta}; expected a finite number >= 0")


class _Mover:
    """One optimizer for all its runs, whose weights are the rows; a Hill-ADAM, which decides, for each of them."""

    def __init__(self, name: str, rows: Tensor, lr: float, steps: int, delta: float, gamma: float):
        self.name, self.decides = name, name in _HILLS
        settings = {"delta": delta, "gamma": gamma} if self.decides else {}
        if name == "CoolMomentum":
            settings = {"cooling_steps": steps}
        self.params = rows.split(1) if self.decides else [rows]
        self.optimizers = [DIGITS_OPTIMIZERS[name]([param], lr, **settings) for param in self.params]

    def step(self, grads: Tensor, losses: Tensor, whole: Tensor | None) -> None:
        """``whole`` is the loss over the whole training set, at the first step of an epoch."""
        judged = whole if self.name == ONCE_AN_EPOCH else losses
        parts = grads.split(1) if self.decides else [grads]
        for i, (param, part, optimizer) in enumerate(zip(self.params, parts, self.optimizers, strict=True)):
            param.grad = part
            if self.decides and judged is not None:
                optimizer.step(loss=judged[i])
            else:
                optimizer.step()

    def memory(self) -> list[dict]:
        return [deepcopy(optimizer.state_dict()) for optimizer in self.optimizers if self.decides]

    def hills(self, memory: list[dict]) -> list[HillAdam]:
        """The Hill-ADAMs as they were when they had this memory."""
        for optimizer, remembered in zip(self.optimizers, memory, strict=self.decides):
            optimizer.load_state_dict(remembered)
        return self.optimizers if self.decides else []


def _batches(generators: Sequence[torch.Generator], images: int, size: int) -> Iterator[Tensor]:
    """One epoch's mini-batches: indices of shape ``(seeds, size)``."""
    orders = torch.stack([torch.randperm(images, generator=generator) for generator in generators])
    yield from orders[:, : images // size * size].split(size, dim=1)


def _logits(weights: Tensor, images: Tensor) -> Tensor:
    """``(…, seeds, images, 10)`` from the rows ``(…, seeds, weights)`` of networks.

    The images are ``(images, 64)``, the same for all, or ``(seeds, images, 64)``.
    """
    inputs, hidden, outputs = DIGITS_SIZES
    w1, b1, w2, b2 = weights.split([hidden * inputs, hidden, outputs * hidden, outputs], dim=-1)
    activity = torch.tanh(images @ w1.unflatten(-1, (hidden, inputs)).mT + b1[..., None, :])
    return activity @ w2.unflatten(-1, (outputs, hidden)).mT + b2[..., None, :]


def _losses(logits: Tensor, classes: Tensor) -> Tensor:
    """The cross-entropy of each image: ``(…, seeds, images)``."""
    chosen = logits.gather(-1, classes.expand(logits.shape[:-1])[..., None])[..., 0]
    return logits.logsumexp(-1) - chosen


@torch.no_grad()
def _measure(weights: Tensor, data: Digits, size: int) -> Tensor:
    """``(4, …, seeds)``: training loss, σ of a mini-batch's loss, test loss and test accuracy."""
    train = _losses(_logits(weights, data.train_images), data.train_classes)
    logits = _logits(weights, data.test_images)
    hits = (logits.argmax(-1) == data.test_classes).to(logits)
    sigma = train.std(-1) * _shrink(size, train.shape[-1])
    return torch.stack([train.mean(-1), sigma, _losses(logits, data.test_classes).mean(-1), hits.mean(-1)])


def _shrink(size: int, images: int) -> float:
    """σ of a mini-batch's loss over that of an image's, for σ such that the difference of two batches has √2 σ.

    Batches of one epoch share no image, which makes their difference exactly as wide as that of independent draws.
    Batches of different epochs may share images, and with all images they are equal.
    """
    return math.sqrt(1 / size if 2 * size <= images else 1 / size - 1 / images)


def _chance(sigma, delta: float) -> np.ndarray:
    """P(|difference| < δ) for two independent normal draws of standard deviation σ."""
    from scipy.special import erf

    with np.errstate(divide="ignore"):
        return erf(np.divide(delta, 2 * np.asarray(sigma))) if delta else np.zeros_like(sigma)


def _epochs(optimizers, seeds, measures, losses, delta) -> pd.DataFrame:
    count = len(measures) - 1
    steps = len(losses) // count
    train_loss, sigma, test_loss, accuracy = np.moveaxis(measures, 1, 0)

    close, expected = np.zeros(sigma.shape, dtype=int), np.zeros(sigma.shape)
    within = np.zeros(losses.shape, dtype=bool)
    with np.errstate(invalid="ignore"):  # of runs that diverged
        within[1:] = np.abs(np.diff(losses, axis=0)) < delta
    close[1:] = within.reshape(count, steps, *sigma.shape[1:]).sum(axis=1)
    chance = _chance(sigma, delta)
    expected[1:] = steps * (chance[1:] + chance[:-1]) / 2
    expected[1] *= 1 - 1 / steps  # the very first mini-batch has none before it

    index = pd.MultiIndex.from_product([optimizers, seeds, range(count + 1)], names=["optimizer", "seed", "epoch"])
    columns = {"train_loss": train_loss, "test_loss": test_loss, "test_accuracy": accuracy, "sigma": sigma,
               "close": close, "expected": expected}  # fmt: skip
    return pd.DataFrame({name: np.moveaxis(c, 0, -1).ravel() for name, c in columns.items()}, index).reset_index()


def _switches(runs, measures, losses, hills) -> pd.DataFrame:
    steps = len(losses) // (len(measures) - 1)
    per_epoch, per_step = measures[:-1, 0].reshape(-1, len(runs)), losses.reshape(-1, len(runs))
    rows = []
    for (name, seed), hill in hills.items():
        judged, every = (per_epoch, steps) if name == ONCE_AN_EPOCH else (per_step, 1)
        judged = judged[:, runs.index((name, seed))]
        for turn in hill.switches:
            step, previous = turn.step * every, judged[turn.step - 1] if turn.step else math.nan
            rows.append((name, seed, step, step // steps + 1, turn.direction, turn.reason, previous, judged[turn.step]))
    columns = ["optimizer", "seed", "step", "epoch", "direction", "reason", "previous_loss", "loss"]
    return pd.DataFrame(rows, columns=columns)


def _best(data, size, hills) -> pd.DataFrame:
    rows = []
    for (name, seed), hill in hills.items():
        best_loss = hill.load_best()
        (weights,) = hill.param_groups[0]["params"]
        train_loss, _, test_loss, accuracy = _measure(weights, data, size).flatten().tolist()
        rows.append((name, seed, best_loss, train_loss, test_loss, accuracy))
    return pd.DataFrame(rows, columns=["optimizer", "seed", "best_loss", *_MEASURES])


def summarize_digits(record: DigitsRecord) -> pd.DataFrame:
    """Like with like, over the seeds: one row for the final and one for the best network of each optimizer.

    The best network is that of the epoch that ended with the lowest training loss; a Hill-ADAM's is the one that
    ``load_best()`` brings back. ``train_loss``, ``test_loss`` and ``test_accuracy`` are means over the seeds, each with
    its standard deviation, ``…_sd``.
    """
    epochs = record.epochs
    final = epochs[epochs["epoch"] == epochs["epoch"].max()]
    others = epochs[~epochs["optimizer"].isin(_HILLS)]
    lowest = others.loc[others.groupby(["optimizer", "seed"])["train_loss"].idxmin()]
    best = pd.concat([lowest, record.best], ignore_index=True)
    groups = {
        kind: rows.groupby("optimizer")[_MEASURES].agg(["mean", "std"]).reindex(epochs["optimizer"].unique())
        for kind, rows in (("final", final), ("best", best))
    }
    table = pd.concat(groups, names=["network"])
    table.columns = [name if of == "mean" else f"{name}_sd" for name, of in table.columns]
    return table


def sweep(
    optimizers: Iterable[str] = tuple(DIGITS_OPTIMIZERS),
    rates: Iterable[float] = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
    seeds: Iterable[int] = range(100, 103),
    **settings,
) -> pd.DataFrame:
    """The final training loss with each learning rate, the mean over the seeds: how :data:`DIGITS_LR` was found.

    Ctrl-C ends it without a table.

    Args:
        optimizers: keys of :data:`DIGITS_OPTIMIZERS`.
        rates: what to try.
        seeds: others than those of the runs that are to be compared.
        settings: what :func:`digits` takes besides, by name.

    Returns:
        A row for each optimizer, a column for each rate.
    """
    optimizers, seeds, columns = list(optimizers), list(seeds), {}
    for rate in rates:
        with warnings.catch_warnings():  # an interrupted run is no result
            warnings.filterwarnings("error", "Interrupted", RuntimeWarning)
            try:
                epochs = digits(optimizers, seeds, lr=dict.fromkeys(optimizers, rate), **settings).epochs
            except RuntimeWarning:
                raise KeyboardInterrupt from None
        final = epochs[epochs["epoch"] == epochs["epoch"].max()]
        columns[rate] = final.groupby("optimizer", sort=False)["train_loss"].mean()
    return pd.DataFrame(columns)


def coincidences(
    model: nn.Module,
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
        ValueError: a size that :func:`digits` refuses, a δ below 0, or no draws.
    """
    from scipy.stats import binomtest

    _check_delta(delta)
    if draws < 1:
        raise ValueError(f"Invalid draws: {draws}; expected at least 1")
    data, rng, rows = load_digits(), np.random.default_rng(seed), []
    images = len(data.train_images)
    with torch.no_grad():
        losses = _losses(model(data.train_images), data.train_classes).numpy()
    for batch_size in batch_sizes:
        size = _checked_size(batch_size, images)
        sigma = losses.std(ddof=1) * _shrink(size, images)
        close = int(sum((d < delta).sum() for d in _differences(losses, size, draws, rng)))
        interval = binomtest(close, draws).proportion_ci(method="wilson")
        rows.append((size, sigma, close / draws, interval.low, interval.high, float(_chance(sigma, delta))))
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
