"""A small network on real data, in mini-batches: every optimizer on scikit-learn's digits."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from hilladam._checks import whole
from hilladam.experiments._classifier import DIGITS_SIZES, logits_of, losses_of, measure
from hilladam.experiments._coincidences import chance, check_delta
from hilladam.experiments._contenders import CONTENDERS, ONCE_AN_EPOCH, chosen
from hilladam.experiments._digits_data import checked_size, load_digits
from hilladam.experiments._in_turn import in_turn
from hilladam.experiments._models import Points, network
from hilladam.experiments._training import Optimizers, Record, joined, train_in_full
from hilladam.optim import REASONS

GUESSING = math.log(10)
"""The cross-entropy of giving all ten classes the same probability. A network with a higher one had better guess."""

DIGITS_CONTENDERS = ("SGD", "momentum", "Nesterov", "RMSprop", "NAdam", "RAdam", "Adam", "CoolMomentum", "Hill-ADAM",
                     ONCE_AN_EPOCH)  # fmt: skip
"""The names of those of :data:`CONTENDERS` that learn to read.

``"Hill-ADAM"`` judges the loss of every mini-batch. ``"Hill-ADAM, once an epoch"`` judges the loss over the whole
training set at the first step of every epoch; its other steps are bare ones, which judge nothing.
"""

DIGITS_LR = {
    "SGD": 1.0,
    "momentum": 0.3,
    "Nesterov": 0.3,
    "RMSprop": 0.01,
    "NAdam": 0.03,
    "RAdam": 0.1,
    "Adam": 0.03,
    "CoolMomentum": 0.1,
    "Hill-ADAM": 0.03,
    ONCE_AN_EPOCH: 0.03,
}
"""The learning rates of :func:`digits`, for mini-batches of 64 images and 25 epochs.

Each is the one of :func:`tune_digits`'s rates that ends with the lowest training loss, the two Hill-ADAMs' too; no test
image has a say in it. Where a Hill-ADAM ends depends on when it last turned; by the network that ``load_best()`` brings
back the same rate is best for both.
"""

_MEASURES = ["train_loss", "test_loss", "test_accuracy"]


@dataclass(frozen=True, eq=False)
class DigitsRecord:
    """What happened in every run of :func:`digits`: a :class:`Record` of each optimizer, and what was measured besides.

    A record has the losses of the mini-batches. How a network does on all images is measured once an epoch, and that
    is a table. Two of these are equal if everything in them is.

    Example:
        >>> from hilladam.experiments import digits
        >>> record = digits(["Adam"], seeds=[0], epochs=1, batch_size=64)
        >>> list(record.runs), record.runs["Adam"].losses.shape, list(record.epochs["epoch"])
        (['Adam'], (21, 1), [0, 1])
    """

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
    runs: dict[str, Record]
    """By optimizer, with a member for each seed: the loss of every step's mini-batch, before the step, and the turns.
    A state is all weights in one row; the states of every step are left out, but the best and the final one are there.
    """
    weights: dict[tuple[str, int], Tensor]
    """By optimizer and seed: all weights at the end in one row, as ``parameters_to_vector`` lays them out."""

    def network(self, optimizer: str, seed: int) -> nn.Sequential:
        """The network as a run left it; a Hill-ADAM may have left it on a hill.

        Raises:
            ValueError: there is no such run.
        """
        if (optimizer, seed) not in self.weights:
            raise ValueError(f"Invalid run: {(optimizer, seed)}; expected one of {list(self.weights)}")
        model = network(DIGITS_SIZES, "tanh", seed)
        nn.utils.vector_to_parameters(self.weights[optimizer, seed], model.parameters())
        return model

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DigitsRecord):
            return NotImplemented
        tables = all(getattr(self, name).equals(getattr(other, name)) for name in ("epochs", "switches", "best"))
        same = self.weights.keys() == other.weights.keys() and self.runs == other.runs
        return tables and same and all(torch.equal(row, other.weights[run]) for run, row in self.weights.items())

    __hash__ = None  # type: ignore[assignment]


def digits(
    optimizers: Iterable[str] = DIGITS_CONTENDERS,
    seeds: Iterable[int] = range(3),
    epochs: int = 25,
    batch_size: int | None = 64,
    *,
    lr: Mapping[str, float] | None = None,
    delta: float = 1e-4,
    gamma: float = GUESSING,
    progress: bool = False,
) -> DigitsRecord:
    """Train a small network to read digits, with every optimizer and seed: the seeds in lock step, epoch by epoch.

    The loss is the cross-entropy. Everything is float64 and on the CPU, which is the fastest place for a network this
    small. A seed gives the initial weights and the order of the images, so that all optimizers start from the same
    weights and meet the same mini-batches. Every epoch goes through the images in a new order; the few that do not
    fill a mini-batch are left out of it.

    Ctrl-C ends the training and keeps the epochs that were complete, with a warning.

    Args:
        optimizers: names among :data:`DIGITS_CONTENDERS`.
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

    Example:
        >>> from hilladam.experiments import digits
        >>> record = digits(["SGD", "Hill-ADAM"], seeds=[0], epochs=2)
        >>> list(record.epochs["epoch"])
        [0, 1, 2, 0, 1, 2]
        >>> record.runs["SGD"].losses.shape
        (42, 1)
        >>> bool((record.epochs.query("epoch == 2")["test_accuracy"] > 0.8).all())
        True
    """
    optimizers, seeds = chosen(optimizers, DIGITS_CONTENDERS), list(seeds)
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"Invalid seeds: {seeds or 'none'}; expected at least one, and none twice")
    for name in lr or ():
        if name not in DIGITS_CONTENDERS:
            raise ValueError(f"Invalid lr: {name!r}; expected one of {DIGITS_CONTENDERS}")
    epochs = whole("epochs", epochs, 1)
    check_delta(delta)
    data, rates = load_digits(), {**DIGITS_LR, **(lr or {})}
    images = len(data.train_images)
    size = checked_size(batch_size, images)
    steps = images // size

    starts = [nn.utils.parameters_to_vector(network(DIGITS_SIZES, "tanh", seed).parameters()) for seed in seeds]
    starts = torch.stack(starts).detach()
    told = {"delta": delta, "gamma": gamma, "steps": epochs * steps}
    models = {name: Points(starts, split=bool(CONTENDERS[name].told)) for name in optimizers}
    movers = {name: CONTENDERS[name].for_each(model.parameters, rates[name], **told) for name, model in models.items()}
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def end() -> tuple[Tensor, Tensor]:
        weights = torch.stack([model().detach() for model in models.values()])
        return weights, measure(weights, data, size)

    ends = [end()]

    def epoch(_) -> dict[str, Record]:
        batches = [(data.train_images[b], data.train_classes[b]) for b in _batches(generators, images, size)]
        whole = dict(zip(optimizers, ends[-1][1][0], strict=True))
        records = {name: _epoch(name, models[name], movers[name], batches, whole[name]) for name in optimizers}
        ends.append(end())
        return records

    records = in_turn(range(epochs), epoch, "epochs", "digits" if progress else "").values()
    weights, measures = (torch.stack(part) for part in zip(*ends[: len(records) + 1], strict=True))
    runs = {name: joined([each[name] for each in records]) for name in optimizers}
    measures = measures.numpy()
    return DigitsRecord(
        _epochs(runs, seeds, measures, delta),
        _switches(runs, seeds, measures),
        _best(runs, seeds, measures, weights, data, size),
        runs,
        {(name, seed): weights[-1, i, j] for i, name in enumerate(optimizers) for j, seed in enumerate(seeds)},
    )


def _epoch(name: str, model: Points, optimizer: Optimizers, batches, whole: Tensor) -> Record:
    """One epoch of every seed of an optimizer; ``whole`` is the loss over all images before it, shape ``(seeds,)``."""
    coming = iter(batches)

    def loss(weights):
        images, classes = next(coming)
        return losses_of(logits_of(weights, images), classes).mean(-1)

    def judged(step):
        return None if step else whole

    seldom = CONTENDERS[name].told == "every epoch"
    record = train_in_full(model, loss, optimizer, len(batches), judged=judged if seldom else None)
    return replace(record, states=record.states[:0])


def _batches(generators: Sequence[torch.Generator], images: int, size: int) -> Iterator[Tensor]:
    """One epoch's mini-batches: indices of shape ``(seeds, size)``."""
    orders = torch.stack([torch.randperm(images, generator=generator) for generator in generators])
    yield from orders[:, : images // size * size].split(size, dim=1)


def _epochs(runs, seeds, measures, delta) -> pd.DataFrame:
    count, losses = len(measures) - 1, np.stack([run.losses for run in runs.values()], axis=1)
    steps = len(losses) // count
    train_loss, sigma, test_loss, accuracy = np.moveaxis(measures, 1, 0)

    close, expected = np.zeros(sigma.shape, dtype=int), np.zeros(sigma.shape)
    within = np.zeros(losses.shape, dtype=bool)
    with np.errstate(invalid="ignore"):  # of runs that diverged
        within[1:] = np.abs(np.diff(losses, axis=0)) < delta
    close[1:] = within.reshape(count, steps, *sigma.shape[1:]).sum(axis=1)
    likely = chance(sigma, delta)
    expected[1:] = steps * (likely[1:] + likely[:-1]) / 2
    expected[1] *= 1 - 1 / steps  # the very first mini-batch has none before it

    index = pd.MultiIndex.from_product([runs, seeds, range(count + 1)], names=["optimizer", "seed", "epoch"])
    columns = {"train_loss": train_loss, "test_loss": test_loss, "test_accuracy": accuracy, "sigma": sigma,
               "close": close, "expected": expected}  # fmt: skip
    return pd.DataFrame({name: np.moveaxis(c, 0, -1).ravel() for name, c in columns.items()}, index).reset_index()


def _judged(name: str, losses: np.ndarray, per_epoch: np.ndarray) -> tuple[np.ndarray, int]:
    """The losses of one run that a Hill-ADAM judged, and how many steps there are from one to the next."""
    seldom = CONTENDERS[name].told == "every epoch"
    return (per_epoch, len(losses) // len(per_epoch)) if seldom else (losses, 1)


def _switches(runs, seeds, measures) -> pd.DataFrame:
    rows = []
    for i, (name, run) in enumerate(runs.items()):
        for j, seed in enumerate(seeds):
            alone, per_epoch = run.member(j), measures[:-1, 0, i, j]
            judged, every = _judged(name, alone.losses, per_epoch)
            for step in alone.switches.tolist():
                turn, epoch = step // every, step * len(per_epoch) // len(alone.losses) + 1
                direction = "maximize" if alone.maximize[step] else "minimize"
                # The first loss never turns a run, so that there is one before it.
                reason, previous = REASONS[alone.reasons[step]], judged[turn - 1]
                rows.append((name, seed, step, epoch, direction, reason, previous, judged[turn]))
    columns = ["optimizer", "seed", "step", "epoch", "direction", "reason", "previous_loss", "loss"]
    return pd.DataFrame(rows, columns=columns)


def _best(runs, seeds, measures, weights, data, size) -> pd.DataFrame:
    rows = []
    for i, (name, run) in enumerate(runs.items()):
        for j, seed in enumerate(seeds if CONTENDERS[name].told else ()):
            if CONTENDERS[name].told == "every epoch":
                whole = np.where(np.isfinite(measures[:-1, 0, i, j]), measures[:-1, 0, i, j], math.inf)
                best_loss, best = whole.min(), weights[whole.argmin(), i, j]
            else:
                best_loss, best = run.best_losses[j], torch.as_tensor(run.best_states[j])
            train_loss, _, test_loss, accuracy = measure(best, data, size).tolist()
            rows.append((name, seed, float(best_loss), train_loss, test_loss, accuracy))
    return pd.DataFrame(rows, columns=["optimizer", "seed", "best_loss", *_MEASURES])


def summarize_digits(record: DigitsRecord) -> pd.DataFrame:
    """Like with like, over the seeds: one row for the final and one for the best network of each optimizer.

    The best network is that of the epoch that ended with the lowest training loss; a Hill-ADAM's is the one that
    ``load_best()`` brings back. ``train_loss``, ``test_loss`` and ``test_accuracy`` are means over the seeds, each with
    its standard deviation, ``…_sd``.

    Example:
        >>> from hilladam.experiments import digits, summarize_digits
        >>> table = summarize_digits(digits(["Adam", "Hill-ADAM"], seeds=[0, 1], epochs=2))
        >>> table.index.tolist()
        [('final', 'Adam'), ('final', 'Hill-ADAM'), ('best', 'Adam'), ('best', 'Hill-ADAM')]
    """
    epochs = record.epochs
    final = epochs[epochs["epoch"] == epochs["epoch"].max()]
    others = epochs[~epochs["optimizer"].isin(record.best["optimizer"])]
    lowest = others.loc[others.groupby(["optimizer", "seed"])["train_loss"].idxmin()]
    best = pd.concat([lowest, record.best], ignore_index=True)
    groups = {
        kind: rows.groupby("optimizer")[_MEASURES].agg(["mean", "std"]).reindex(epochs["optimizer"].unique())
        for kind, rows in (("final", final), ("best", best))
    }
    table = pd.concat(groups, names=["network"])
    table.columns = [name if of == "mean" else f"{name}_sd" for name, of in table.columns]
    return table
