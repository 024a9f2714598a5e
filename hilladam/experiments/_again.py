"""Both experiments of the paper and the digits once more, with the rule that tunes itself beside those that are told.

Table 1 with its 15,000 steps and with the 3,000 of :func:`~hilladam.experiments.against_restarts`, whose rivals are
stored there; the twelve pairs of photographs; the digits on mini-batches and on all images at once.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from hilladam._checks import one_of, whole
from hilladam.experiments._against_restarts import _Places, _Starts, _Weights, stored_against_restarts
from hilladam.experiments._classifier import DIGITS_SIZES, logits_of, losses_of, measure
from hilladam.experiments._compiled_landscapes import Networks, run_landscapes
from hilladam.experiments._digits import _batches, digits
from hilladam.experiments._digits_data import load_digits
from hilladam.experiments._hits import packed_hits, unpacked_hits
from hilladam.experiments._models import Points, StackedMLP, network
from hilladam.experiments._protocol import CLOSE
from hilladam.experiments._table2 import TABLE_2_SIZES
from hilladam.experiments._training import Record, train_in_full
from hilladam.losses import TABLE_1, ColourLoss, stack_colours
from hilladam.optim import AdaptiveHillAdam

EXPERIMENTS = ("3000 gradients", "digits", "table 1", "colour")
TUNING, RUNS = 200, 1000
"""The first searches choose a λ, and those after them are compared."""

COLOUR_SEEDS = range(100, 105)
DIGITS_SEEDS, DIGITS_EPOCHS, DIGITS_SIZE = range(20), 25, 64

_DIGITS_STEPS = 1347 // DIGITS_SIZE * DIGITS_EPOCHS
_STEPS, _BUDGET, _COLOUR_STEPS, _BOX = 15_000, 3000, 1000, (-2.0, 6.0)
_SELF_TUNING, _FINISHED = "self-tuning", "self-tuning, finished"
_SCALES = (None, 1.0, 3.0)

Key = tuple[str, str, str]
Found = dict[str, np.ndarray]


def again_results(
    done: Iterable[Key] = (),
    *,
    experiments: Iterable[str] = EXPERIMENTS,
    runs: int = RUNS,
    seeds: Sequence[int] = COLOUR_SEEDS,
    digits_seeds: Sequence[int] = DIGITS_SEEDS,
) -> Iterator[dict]:
    """Run the experiments of the chapter "The experiments again": a row of ``again.json`` at a time.

    The contender ``"self-tuning"`` is :class:`hilladam.AdaptiveHillAdam` with its defaults everywhere, and
    ``"self-tuning, finished"`` the same with a tenth of the steps left to its :meth:`finish`. On the polynomials,
    compiled, search k begins where search k of :func:`~hilladam.experiments.against_restarts` does.

    - ``"table 1"``: the five polynomials through the paper's network without activation, 15,000 steps, with Adam and
      Hill-ADAM as the paper has them (λ = 0.01, δ = 10⁻⁴, γ = 200), and the one that tunes itself, finished.
      ``reached``: whether the lowest loss is within 0.01 of the global minimum, and ``ended``:
      whether the last one is.
    - ``"3000 gradients"``: three of the polynomials, on x itself and through the network from initial weights times 1
      and 3; one Adam with the λ that 200 other searches choose among those of the rivals, and the one that
      tunes itself, with and without a finish. ``reached`` as above.
    - ``"colour"``: the twelve pairs of :func:`hilladam.colour.pairs`, 1,000 steps, float32, a row for each seed.
      ``best`` is the lowest loss less the global minimum, ``red``, ``green`` and ``blue`` are the gains there.
    - ``"digits"``: as :func:`~hilladam.experiments.digits` trains, mini-batches of 64 for 25 epochs, or 525 steps of
      all images at once. ``best`` is the loss over the training set of what :meth:`load_best` brings back (of Adam: at
      the end of its best epoch), ``final`` that of the last weights, which are those that the finish leaves where there
      is one; ``first`` the step of the first turn (−1: none) and ``lowest`` that of the lowest loss before the finish.

    Args:
        done: (experiment, case, contender) of rows that need not be made again.
        experiments: some of these.
        runs: searches of each polynomial and contender, the 200th and those after it.
        seeds: of the colour experiment.
        digits_seeds: of the digits.

    Raises:
        ValueError: an unknown experiment, or no runs.
        MissingExtra: numba, scikit-learn or scikit-image is not installed.

    Example:
        >>> from hilladam.experiments import again_results
        >>> row = next(again_results([("table 1", "x2", "Adam")], experiments=["table 1"], runs=2))
        >>> row["case"], row["contender"], row["measures"]["reached"]
        ('x2', 'published', [2, 'c0'])
    """
    experiments, done = tuple(experiments), set(done)
    for name in experiments:
        one_of("experiment", name, EXPERIMENTS)
    runs = whole("runs", runs, 1)
    for name in experiments:
        for case, contender, work in _PARTS[name](runs, list(seeds), list(digits_seeds)):
            if (name, case, contender) not in done:
                lr, found = work()
                measures = {key: _packed(values) for key, values in found.items()}
                yield {"experiment": name, "case": case, "contender": contender, "lr": lr, "measures": measures}


Parts = Iterator[tuple[str, str, Callable[[], tuple[float | None, Found]]]]


def _table_1(runs, *_) -> Parts:
    def hits(losses, key):
        return losses < TABLE_1[key].global_minimum.value + CLOSE

    def told(key, delta):
        searches = range(TUNING, TUNING + runs)
        run = _Weights(searches, 1.0).run(TABLE_1[key], np.zeros(runs, int), _STEPS, lr=0.01, delta=delta)
        return 0.01, {"reached": hits(run.best_losses, key), "ended": hits(run.final_losses, key)}

    def tuning_itself(key):
        run = _self_tuning(key, 1.0, runs, _STEPS, finish=_STEPS // 10)
        return None, {"reached": hits(run.best_losses, key), "ended": hits(run.final_losses, key)}

    for key in TABLE_1:
        yield key, "Adam", lambda key=key: told(key, 0.0)
        yield key, "published", lambda key=key: told(key, 1e-4)
        yield key, _FINISHED, lambda key=key: tuning_itself(key)


def _budget(runs, *_) -> Parts:
    def adam(key, scale):
        rates = sorted({lr for loss, start, lr, _ in stored_against_restarts() if (loss, start) == (key, scale)})

        def hits(first, count, lr):
            starts = _starts(range(first, first + count), scale)
            run = starts.run(TABLE_1[key], np.zeros(count, int), _BUDGET, lr=lr, delta=0.0)
            return run.best_losses < TABLE_1[key].global_minimum.value + CLOSE

        lr = max(rates, key=lambda rate: hits(0, TUNING, rate).sum())  # of equal ones the smallest
        return lr, {"reached": hits(TUNING, runs, lr)}

    def tuning_itself(key, scale, finish):
        lowest = _self_tuning(key, scale, runs, _BUDGET, finish).best_losses
        return None, {"reached": lowest < TABLE_1[key].global_minimum.value + CLOSE}

    for key, scale in itertools.product(("sixth", "eighth", "tenth"), _SCALES):
        case = case_of(key, scale)
        yield case, "Adam", lambda key=key, scale=scale: adam(key, scale)
        yield case, _SELF_TUNING, lambda key=key, scale=scale: tuning_itself(key, scale, 0)
        yield case, _FINISHED, lambda key=key, scale=scale: tuning_itself(key, scale, _BUDGET // 10)


def case_of(loss: str, scale: float | None) -> str:
    """What a row of the experiment with 3,000 gradients calls a loss and its starts."""
    return f"{loss}, x itself" if scale is None else f"{loss}, weights × {scale:g}"


def _starts(searches: Sequence[int], scale: float | None) -> _Starts:
    return _Places(searches, _BOX) if scale is None else _Weights(searches, scale)


def _self_tuning(key: str, scale: float | None, runs: int, steps: int, finish: int = 0) -> Record:
    """The 200th search and those after it."""
    starts, first = _starts(range(TUNING, TUNING + runs), scale), np.zeros(runs, int)
    if scale is None:
        return run_landscapes([TABLE_1[key]], starts.places(first, range(runs)), steps, finish=finish)
    weights = starts.model(first).parameters[0].detach().numpy()
    return run_landscapes([Networks(TABLE_1[key])], weights, steps, finish=finish)


def _colour(_, seeds, __) -> Parts:
    def twelve(seed):
        from hilladam import colour

        losses = [
            ColourLoss(colour.channel_means(pair.source), colour.channel_means(pair.target)) for pair in colour.pairs()
        ]
        model = StackedMLP([seed] * len(losses), TABLE_2_SIZES, "sigmoid", torch.float32, split=True)
        optimizers = [AdaptiveHillAdam([weights]) for weights in model.parameters]
        run = train_in_full(model, stack_colours(losses, dtype=torch.float32), optimizers, _COLOUR_STEPS, history=False)
        gains = dict(zip(("red", "green", "blue"), run.best_states.T, strict=True))
        excess = run.best_losses - [loss.global_minimum.value for loss in losses]
        return None, {"best": excess, **gains, "turns": run.turns}

    for seed in seeds:
        yield f"seed {seed}", _SELF_TUNING, lambda seed=seed: twelve(seed)


def _digits(_, __, seeds) -> Parts:
    def adam(size, epochs):
        losses = digits(["Adam"], seeds, epochs, size).epochs.pivot(index="seed", columns="epoch", values="train_loss")
        return 0.03, {"best": losses.min(axis=1).to_numpy(), "final": losses[epochs].to_numpy()}

    for case, size, epochs in (("mini-batches", DIGITS_SIZE, DIGITS_EPOCHS), ("all images", None, _DIGITS_STEPS)):
        yield case, "Adam", lambda size=size, epochs=epochs: adam(size, epochs)
        for name, finish in ((_SELF_TUNING, 0), (_FINISHED, _DIGITS_STEPS // 10)):
            yield case, name, lambda size=size, finish=finish: (None, read_digits(seeds, _DIGITS_STEPS, size, finish))


def read_digits(seeds: Sequence[int], steps: int, size: int | None = DIGITS_SIZE, finish: int = 0) -> Found:
    """Train the network of the digits with the rule that tunes itself; ``finish`` of the steps settle."""
    data = load_digits()
    images = len(data.train_images)
    size = images if size is None else size
    weights = [nn.utils.parameters_to_vector(network(DIGITS_SIZES, "tanh", seed).parameters()) for seed in seeds]
    model = Points(torch.stack(weights).detach(), split=True)
    dice = [torch.Generator().manual_seed(seed) for seed in seeds]
    batches = (batch for _ in itertools.count() for batch in _batches(dice, images, size))

    def loss(weights):
        batch = next(batches)
        return losses_of(logits_of(weights, data.train_images[batch]), data.train_classes[batch]).mean(-1)

    optimizers = [AdaptiveHillAdam([weights]) for weights in model.parameters]
    run = train_in_full(model, loss, optimizers, steps - finish)
    turned, last = run.reasons > 0, [next(batches) for _ in range(finish)]
    if finish:
        for number, (weights, optimizer) in enumerate(zip(model.parameters, optimizers, strict=True)):
            _settle(weights, optimizer, data, [batch[number] for batch in last])
    return {
        "best": measure(torch.as_tensor(run.best_states), data, size)[0].numpy(),
        "final": measure(model().detach(), data, size)[0].numpy(),
        "first": np.where(turned.any(axis=0), turned.argmax(axis=0), -1),
        "lowest": np.nanargmin(run.losses, axis=0),
        "turns": run.turns,
    }


def _settle(weights, optimizer, data, batches):
    coming = iter(batches)

    def closure():
        batch = next(coming)
        loss = losses_of(logits_of(weights, data.train_images[batch]), data.train_classes[batch]).mean()
        (weights.grad,) = torch.autograd.grad(loss, weights)
        return loss

    optimizer.finish(closure, len(batches))


_PARTS: dict[str, Callable[..., Parts]] = {
    "digits": _digits, "table 1": _table_1, "3000 gradients": _budget, "colour": _colour
}  # fmt: skip


def _packed(values: np.ndarray) -> list[Any]:
    return packed_hits(values) if values.dtype == bool else values.tolist()


def _unpacked(values: list[Any]) -> np.ndarray:
    """Bits, or numbers, of which JSON writes the infinite ones as strings and NaN as null."""
    if isinstance(values[-1], str) and "inf" not in values[-1]:
        return unpacked_hits(*values)
    return np.array([np.nan if value is None else float(value) for value in values])


def key_of(row: dict) -> Key:
    """By what a row is known."""
    return row["experiment"], row["case"], row["contender"]


def measures_of(row: dict) -> Found:
    """What a row has measured."""
    return {name: _unpacked(values) for name, values in row["measures"].items()}


def keys() -> list[Key]:
    """All that there is to run."""
    return [
        (name, case, contender)
        for name in EXPERIMENTS
        for case, contender, _ in _PARTS[name](RUNS, COLOUR_SEEDS, DIGITS_SEEDS)
    ]


def stored_again() -> dict[Key, Found]:
    """What :func:`again_results` found, which the package stores, by experiment, case and contender.

    ``python -m hilladam again --json again.json`` makes it anew, in some ten minutes of one core, and the chapter a
    part of it.

    Example:
        >>> from hilladam.experiments import stored_again
        >>> found = stored_again()
        >>> found["table 1", "sixth", "Adam"]["reached"].shape
        (1000,)
    """
    rows = pd.read_json(files("hilladam.experiments") / "again.json", dtype=False, precise_float=True)
    return {key_of(row): measures_of(row) for row in rows.to_dict("records")}
