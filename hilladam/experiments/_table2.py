"""Experiment 2: three gains for a photograph, by a network of 82,819 weights, with each optimizer of Table 2."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from importlib.resources import files

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hilladam.experiments._intervals import wilson_interval
from hilladam.experiments._models import StackedMLP
from hilladam.experiments._training import Record, train
from hilladam.losses import ColourLoss, stack_colours
from hilladam.losses._colour_loss import CHANNELS
from hilladam.optim import HillAdam

COLOUR_SIZES = (1, 64, 128, 256, 128, 64, 3)
"""The widths of the network's layers, as in the authors' published code, with sigmoids between them."""

COLOUR_SEEDS = (5343, 100, 2534, 3956)
"""Table 2's seeds."""

COLOUR_OPTIMIZERS = {
    "Adam": partial(torch.optim.Adam, fused=True),
    "RMSprop": partial(torch.optim.RMSprop, foreach=False),
    "NAdam": partial(torch.optim.NAdam, foreach=False),
    "RAdam": partial(torch.optim.RAdam, foreach=False),
    "SGD with momentum": partial(torch.optim.SGD, momentum=0.9, fused=True),
    "Hill-ADAM": partial(HillAdam, fused=True),
}
"""The optimizers of Table 2 and two more, with torch's defaults, as functions of parameters and learning rate."""

PAPER_TABLE_2 = {
    "Adam": (2.9471, 2.9471, 2.9471, 2.9471),
    "RMSprop": (2.6051, 2.5917, 3.6865, 2.6482),
    "NAdam": (2.5308, 2.5310, 2.5321, 2.5372),
    "Hill-ADAM": (2.5305, 2.5307, 2.5306, 2.5697),
}
"""What the paper prints, for the seeds of :data:`COLOUR_SEEDS`."""


class PositiveGains:
    """A model whose outputs are the logarithms of gains: no gain is negative, and an output of 0 changes nothing.

    Args:
        model: an ensemble, as for :func:`~hilladam.experiments.train`.
    """

    def __init__(self, model: StackedMLP):
        self.parameters, self._model = model.parameters, model

    def __call__(self) -> Tensor:
        """The gains, shape ``(members, 3)``."""
        return self._model().exp()


def table2(
    losses: Mapping[str, ColourLoss],
    seeds: Iterable[int] = COLOUR_SEEDS,
    steps: int = 1000,
    lr: float = 1e-2,
    delta: float = 1e-4,
    gamma: float = 200.0,
    *,
    optimizers: Sequence[str] = tuple(COLOUR_OPTIMIZERS),
    positive: bool = False,
    history: bool = True,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
    progress: bool = False,
) -> dict[tuple[str, str], Record]:
    """Train every loss and seed of Table 2 with each optimizer: one ensemble for each optimizer, in lock step.

    Args:
        losses: the colour losses by name, one for each pair of photographs.
        seeds: of the initial weights; each is run on every loss with every optimizer.
        steps: how many; the paper takes 1,000.
        lr: λ, for every optimizer, as in the paper.
        delta, gamma: δ and γ of Hill-ADAM; the paper gives δ, its authors' published code both.
        optimizers: keys of :data:`COLOUR_OPTIMIZERS`.
        positive: whether the network gives the logarithms of the gains; see :class:`PositiveGains`.
        history: whether to keep every step of every run.
        dtype: floating point; the authors used float32.
        device: default: the GPU where there is one.
        progress: whether to show a progress bar for each optimizer.

    Returns:
        The records by (name of the loss, name of the optimizer), with a member for each seed; a state is three gains.

    Raises:
        ValueError: no loss, seed or optimizer, an unknown optimizer, a number out of its range, or fewer than one step.
    """
    seeds = list(seeds)
    for name, given in (("losses", losses), ("seeds", seeds), ("optimizers", optimizers)):
        if not given:
            raise ValueError(f"Invalid {name}: none; expected at least one")
    for name in optimizers:
        if name not in COLOUR_OPTIMIZERS:
            raise ValueError(f"Invalid optimizer: {name!r}; expected one of {tuple(COLOUR_OPTIMIZERS)}")
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    loss = stack_colours([each for each in losses.values() for _ in seeds], dtype=dtype, device=device)

    runs = {}
    for name in optimizers:
        model = StackedMLP(seeds * len(losses), COLOUR_SIZES, "sigmoid", dtype, device, split=True)
        make = COLOUR_OPTIMIZERS[name]
        if name == "Hill-ADAM":  # it decides for a whole model, so every member has its own
            optimizer = [make([row], lr, delta=delta, gamma=gamma) for row in model.parameters]
        else:
            optimizer = make(model.parameters, lr)
        record = train(PositiveGains(model) if positive else model, loss, optimizer, steps, history=history,
                       progress=name if progress else "")  # fmt: skip
        for index, key in enumerate(losses):
            runs[key, name] = record.member(slice(index * len(seeds), (index + 1) * len(seeds)))
    return runs


def tabulate(runs: Mapping[tuple[str, str], Record], losses: Mapping[str, ColourLoss],
             seeds: Iterable[int] = COLOUR_SEEDS) -> pd.DataFrame:  # fmt: skip
    """One row for each run of :func:`table2`: its best and its final loss, and where they were.

    The columns ``pair``, ``optimizer`` and ``seed`` say which run it is; ``minimum`` is the pair's global minimum.
    ``best`` and ``final`` are losses; ``best_red`` to ``final_blue`` the gains there; ``best_well`` and ``final_well``
    the minimum that gradient flow reaches from there, as ``"red high, blue low"``: which well it is in every channel
    that has two. A run that ended beyond all bounds has the well ``"none"``.

    Args:
        runs: from :func:`table2`.
        losses, seeds: what it was given.

    Raises:
        ValueError: not one seed for each member of a record.
    """
    seeds, rows = list(seeds), []
    for (pair, optimizer), record in runs.items():
        loss = losses[pair]
        wells = {kind: _wells(loss, getattr(record, f"{kind}_states")) for kind in ("best", "final")}
        if len(seeds) != len(record.final_losses):
            raise ValueError(
                f"Invalid seeds: {len(seeds)} of them; expected one for each of {len(record.final_losses)} runs"
            )
        for member, seed in enumerate(seeds):
            row = {"pair": pair, "optimizer": optimizer, "seed": seed, "minimum": loss.global_minimum.value}
            for kind in ("best", "final"):
                gains = getattr(record, f"{kind}_states")[member]
                row[kind] = float(getattr(record, f"{kind}_losses")[member])
                row |= {f"{kind}_{name}": float(gain) for name, gain in zip(CHANNELS, gains, strict=True)}
                row[f"{kind}_well"] = wells[kind][member]
            rows.append(row)
    return pd.DataFrame(rows)


def _wells(loss: ColourLoss, gains: np.ndarray) -> list[str]:
    names = []
    for index in loss.basin(torch.as_tensor(gains, dtype=torch.float64)).tolist():
        point = loss.stationary_points[index]
        parts = []
        for name, channel, gain in zip(CHANNELS, loss.channels, point.gains, strict=True):
            if len(channel.minima) > 1:
                parts.append(f"{name} {'low' if gain < channel.minima[-1].x else 'high'}")
        names.append(", ".join(parts) or "only" if index >= 0 else "none")
    return names


def summarize_colour(table: pd.DataFrame) -> pd.DataFrame:
    """Table 2 over all pairs and seeds, like with like: one row for each optimizer of :func:`tabulate`'s rows.

    ``best_excess`` and ``final_excess`` are medians of the loss above the pair's global minimum. ``best_global`` is the
    share of runs whose best loss lies in the well of the global minimum, within 0.01 of it; ``final_global`` the share
    whose final loss does. ``…_low`` and ``…_high`` bound them with 95 % confidence (Wilson), as if the runs were
    independent draws. ``negative`` is the share that ends with a negative gain.
    """
    rows = []
    for optimizer, runs in table.groupby("optimizer", sort=False):
        row = {"optimizer": optimizer, "runs": len(runs)}
        for kind in ("best", "final"):
            excess = runs[kind] - runs["minimum"]
            successes = int((excess < 0.01).sum())
            interval = wilson_interval(successes, len(runs))
            row |= {f"{kind}_excess": excess.fillna(np.inf).median(), f"{kind}_global": successes / len(runs),
                    f"{kind}_low": interval.low, f"{kind}_high": interval.high}  # fmt: skip
        row["negative"] = float((runs[[f"final_{name}" for name in CHANNELS]] < 0).any(axis=1).mean())
        rows.append(row)
    return pd.DataFrame(rows).set_index("optimizer")


def stored_table2() -> pd.DataFrame:
    """:func:`tabulate`'s rows as last made in full, with ``python -m hilladam table2 --json table2.json``."""
    return pd.read_json(files("hilladam.experiments") / "table2.json")
