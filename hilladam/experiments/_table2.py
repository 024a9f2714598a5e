"""Experiment 2: three gains for a photograph, by a network of 82,819 weights, with each optimizer of Table 2."""

import json
import math
from collections.abc import Iterable, Mapping
from importlib.resources import files

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hilladam.experiments._contenders import CONTENDERS, chosen
from hilladam.experiments._in_turn import in_turn
from hilladam.experiments._intervals import wilson_interval
from hilladam.experiments._models import StackedMLP
from hilladam.experiments._protocol import CLOSE
from hilladam.experiments._training import Model, Record, train_in_full
from hilladam.losses import ColourLoss, stack_colours
from hilladam.losses._colour_loss import CHANNELS

TABLE_2_SIZES = (1, 64, 128, 256, 128, 64, 3)
"""The widths of the network's layers, as in the authors' published code, with sigmoids between them."""

TABLE_2_SEEDS = (5343, 100, 2534, 3956)
"""Table 2's seeds."""

TABLE_2_CONTENDERS = ("Adam", "RMSprop", "NAdam", "RAdam", "momentum", "Hill-ADAM")
"""The optimizers of Table 2 and two more, with torch's defaults: names of :data:`CONTENDERS`."""

PAPER_TABLE_2 = {
    "Adam": (2.9471, 2.9471, 2.9471, 2.9471),
    "RMSprop": (2.6051, 2.5917, 3.6865, 2.6482),
    "NAdam": (2.5308, 2.5310, 2.5321, 2.5372),
    "Hill-ADAM": (2.5305, 2.5307, 2.5306, 2.5697),
}
"""What the paper prints, for the seeds of :data:`TABLE_2_SEEDS`."""


class PositiveGains:
    """A model whose outputs are the logarithms of gains: no gain is negative, and an output of 0 changes nothing.

    Args:
        model: an ensemble, as for :func:`~hilladam.experiments.train`.

    Example:
        >>> from hilladam.experiments import PositiveGains, StackedMLP
        >>> ensemble = StackedMLP([0, 1], (1, 4, 3))
        >>> bool((ensemble() < 0).any()), bool((PositiveGains(ensemble)() > 0).all())
        (True, True)
    """

    def __init__(self, model: Model):
        self.parameters, self._model = model.parameters, model

    def __call__(self) -> Tensor:
        """The gains, shape ``(members, 3)``."""
        return self._model().exp()


def table2(
    losses: Mapping[str, ColourLoss],
    seeds: Iterable[int] = TABLE_2_SEEDS,
    steps: int = 1000,
    lr: float = 1e-2,
    delta: float = 1e-4,
    gamma: float = 200.0,
    *,
    optimizers: Iterable[str] = TABLE_2_CONTENDERS,
    positive: bool = False,
    history: bool = True,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
    progress: bool = False,
) -> dict[tuple[str, str], Record]:
    """Train every loss and seed of Table 2 with each optimizer: one ensemble for each optimizer, in lock step.

    Ctrl-C keeps the optimizers that have finished, with a warning.

    Args:
        losses: the colour losses by name, one for each pair of photographs.
        seeds: of the initial weights; each is run on every loss with every optimizer.
        steps: how many; the paper takes 1,000.
        lr: λ, for every optimizer, as in the paper.
        delta, gamma: δ and γ of Hill-ADAM; the paper gives δ, its authors' published code both.
        optimizers: names among :data:`TABLE_2_CONTENDERS`.
        positive: whether the network gives the logarithms of the gains; see :class:`PositiveGains`.
        history: whether to keep every step of every run.
        dtype: floating point; the authors used float32.
        device: default: the GPU where there is one.
        progress: whether to show a progress bar for each optimizer.

    Returns:
        The records by (name of the loss, name of the optimizer), with a member for each seed; a state is three gains.

    Raises:
        ValueError: no loss, seed or optimizer, an optimizer that is unknown or there twice, a number out of its range,
            or fewer than one step.

    Example:
        >>> from hilladam.experiments import table2
        >>> from hilladam.losses import ColourLoss
        >>> losses = {"amber to blue": ColourLoss((0.65, 0.45, 0.25), (0.2, 0.4, 0.7))}
        >>> runs = table2(losses, seeds=[100], steps=3, optimizers=["Adam", "NAdam"], device="cpu")
        >>> {key: record.states.shape for key, record in runs.items()}
        {('amber to blue', 'Adam'): (3, 1, 3), ('amber to blue', 'NAdam'): (3, 1, 3)}
    """
    seeds, optimizers = list(seeds), chosen(optimizers, TABLE_2_CONTENDERS)
    for name, given in (("losses", losses), ("seeds", seeds)):
        if not given:
            raise ValueError(f"Invalid {name}: none; expected at least one")
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    loss = stack_colours([each for each in losses.values() for _ in seeds], dtype=dtype, device=device)

    split = torch.device(device).type == "cpu"  # a GPU has no cache to keep a row in, and would rather see one tensor

    def ensemble(name):
        model = StackedMLP(seeds * len(losses), TABLE_2_SIZES, "sigmoid", dtype, device, split=split)
        make = CONTENDERS[name].for_each if split else CONTENDERS[name].for_rows
        optimizer = make(model.parameters, lr, delta=delta, gamma=gamma, fused=True)
        return train_in_full(PositiveGains(model) if positive else model, loss, optimizer, steps, history=history,
                             progress=name if progress else "")  # fmt: skip

    return {
        (key, name): record.member(slice(index * len(seeds), (index + 1) * len(seeds)))
        for name, record in in_turn(optimizers, ensemble, "optimizers").items()
        for index, key in enumerate(losses)
    }


def tabulate(runs: Mapping[tuple[str, str], Record], losses: Mapping[str, ColourLoss],
             seeds: Iterable[int] = TABLE_2_SEEDS) -> pd.DataFrame:  # fmt: skip
    """One row for each run of :func:`table2`: its best and its final loss, and where they were.

    The columns ``pair``, ``optimizer`` and ``seed`` say which run it is; ``minimum`` is the pair's global minimum.
    ``best`` and ``final`` are losses; ``best_red`` to ``final_blue`` the gains there; ``best_well`` and ``final_well``
    the minimum that gradient flow reaches from there, as ``"red high, blue low"``: which well it is in every channel
    that has two. A run that ended beyond all bounds has the well ``"none"``.

    Args:
        runs: from :func:`table2`.
        losses, seeds: what it was given.

    Raises:
        ValueError: no runs, runs of a loss that is not given, or not one seed for each member of a record.

    Example:
        >>> from hilladam.experiments import table2, tabulate
        >>> from hilladam.losses import ColourLoss
        >>> losses = {"amber to blue": ColourLoss((0.65, 0.45, 0.25), (0.2, 0.4, 0.7))}
        >>> rows = tabulate(table2(losses, [100], 60, optimizers=["Adam"], device="cpu"), losses, [100])
        >>> rows[["pair", "optimizer", "final_well"]].iloc[0].tolist()
        ['amber to blue', 'Adam', 'red high, blue high']
    """
    seeds, rows = list(seeds), []
    if not runs:
        raise ValueError("Invalid runs: none; expected at least one")
    for (pair, optimizer), record in runs.items():
        if pair not in losses:
            raise ValueError(f"Invalid losses: none for {pair!r}; expected one for each pair of the runs")
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


def summarize_table2(table: pd.DataFrame) -> pd.DataFrame:
    """Table 2 over all pairs and seeds, like with like: one row for each optimizer of :func:`tabulate`'s rows.

    ``best_excess`` and ``final_excess`` are medians of the loss above the pair's global minimum. ``best_global`` is the
    share of runs whose best loss lies in the well of the global minimum, within 0.01 of it; ``final_global`` the share
    whose final loss does. ``…_low`` and ``…_high`` bound them with 95 % confidence (Wilson), each seed counting as one
    run: runs of one seed start from the same weights and end alike, so that only the seeds are independent. Counts that
    are not whole are rounded outwards. (:func:`cluster_interval` has nothing to draw from where all of a few seeds end
    alike.) ``negative`` is the share that ends with a negative gain.

    Raises:
        ValueError: a table without rows.

    Example:
        >>> from hilladam.experiments import stored_table2, summarize_table2
        >>> table = summarize_table2(stored_table2())
        >>> table.loc[["Adam", "NAdam", "Hill-ADAM"], "best_global"].round(1).tolist()
        [0.0, 1.0, 0.8]
    """
    if not len(table):
        raise ValueError("Invalid table: it has no rows; expected those of tabulate()")
    rows = []
    for optimizer, runs in table.groupby("optimizer", sort=False):
        row = {"optimizer": optimizer, "runs": len(runs)}
        for kind in ("best", "final"):
            excess = runs[kind] - runs["minimum"]
            successes = excess < CLOSE
            seeds = runs["seed"].nunique()
            expected = seeds * successes.mean()
            low = wilson_interval(math.floor(expected), seeds).low
            high = wilson_interval(math.ceil(expected), seeds).high
            row |= {f"{kind}_excess": excess.fillna(np.inf).median(), f"{kind}_global": successes.mean(),
                    f"{kind}_low": low, f"{kind}_high": high}  # fmt: skip
        row["negative"] = float((runs[[f"final_{name}" for name in CHANNELS]] < 0).any(axis=1).mean())
        rows.append(row)
    return pd.DataFrame(rows).set_index("optimizer")


def stored_table2() -> pd.DataFrame:
    """:func:`tabulate`'s rows as last made in full, with ``python -m hilladam table2 --json table2.json``.

    Example:
        >>> from hilladam.experiments import stored_table2
        >>> rows = stored_table2()
        >>> len(rows), rows["pair"].nunique()
        (288, 12)
    """
    return pd.read_json(files("hilladam.experiments") / "table2.json", precise_float=True)


def table2_rates(
    losses: Mapping[str, ColourLoss],
    seeds: Iterable[int] = range(120),
    lrs: Iterable[float] = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2),
    *,
    optimizers: Iterable[str] = TABLE_2_CONTENDERS,
    **settings,
) -> pd.DataFrame:
    """Table 2 over learning rates: how many of the losses each optimizer solves from the weights of each seed.

    Args:
        losses: as for :func:`table2`, one for each pair of photographs.
        seeds: of the initial weights.
        lrs: learning rates, every one for every optimizer.
        optimizers: names among :data:`TABLE_2_CONTENDERS`.
        settings: what else :func:`table2` takes, by name.

    Returns:
        A row for each ``lr``, ``optimizer`` and ``seed``. ``losses`` counts them; ``best_global`` of them had a best
        loss within 0.01 of the global minimum, ``final_global`` a final one; ``final_blue`` ended in the well of high
        red and high blue, ``negative`` with a negative gain.

    Raises:
        ValueError: what :func:`table2` refuses, no learning rate, or a seed, rate or optimizer twice.

    Example:
        >>> from hilladam.experiments import table2_rates
        >>> from hilladam.losses import ColourLoss
        >>> losses = {"amber to blue": ColourLoss((0.65, 0.45, 0.25), (0.2, 0.4, 0.7))}
        >>> rows = table2_rates(losses, [100], [0.003, 0.01], optimizers=["Adam"], steps=300, device="cpu")
        >>> rows[["lr", "final_global", "final_blue"]].values.tolist()
        [[0.003, 1.0, 0.0], [0.01, 0.0, 1.0]]
    """
    seeds, lrs, optimizers, tables = list(seeds), list(lrs), chosen(optimizers, TABLE_2_CONTENDERS), []
    for argument, given in (("seeds", seeds), ("lrs", lrs)):
        if not given or len(set(given)) < len(given):
            raise ValueError(f"Invalid {argument}: {given or 'none'}; expected at least one, and none twice")
    for lr in lrs:
        for name in optimizers:  # one at a time: each needs the memory of all members
            runs = table2(losses, seeds, lr=lr, optimizers=[name], history=False, **settings)
            rows = tabulate(runs, losses, seeds)
            tables.append(pd.DataFrame({
                "lr": lr,
                "optimizer": name,
                "seed": rows["seed"],
                "losses": 1,
                "best_global": rows["best"] - rows["minimum"] < CLOSE,
                "final_global": rows["final"] - rows["minimum"] < CLOSE,
                "final_blue": rows["final_well"] == "red high, blue high",
                "negative": (rows[[f"final_{channel}" for channel in CHANNELS]] < 0).any(axis=1),
            }))  # fmt: skip
    return pd.concat(tables).groupby(["lr", "optimizer", "seed"], sort=False).sum().astype(int).reset_index()


def stored_table2_rates() -> pd.DataFrame:
    """:func:`table2_rates` of the twelve pairs of :func:`hilladam.colour.pairs`, as last run in full, on a GPU.

    ``tools/store_results.py`` of the repository makes it again.

    Example:
        >>> from hilladam.experiments import stored_table2_rates
        >>> rows = stored_table2_rates()
        >>> len(rows), rows["losses"].unique().tolist()  # six learning rates, six optimizers, 120 seeds; twelve pairs
        (4320, [12])
    """
    text = (files("hilladam.experiments") / "table2_rates.json").read_text("utf-8")
    return pd.DataFrame(json.loads(text))
