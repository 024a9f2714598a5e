"""Experiment 1: the five polynomials of Table 1, by the network of Figure 1, with Adam and with Hill-ADAM."""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from hilladam.experiments._compiled import arithmetic, can_compile, run_networks
from hilladam.experiments._intervals import wilson_interval
from hilladam.experiments._models import ACTIVATIONS, StackedMLP
from hilladam.experiments._protocol import CLOSE
from hilladam.experiments._training import Record, train
from hilladam.losses import TABLE_1, Polynomial, stack
from hilladam.optim import ReferenceHillAdam

OPTIMIZERS = ("Adam", "Hill-ADAM")
EPS = {"outside": {"eps": 1e-8, "eps_root": 0.0}, "inside": {"eps": 0.0, "eps_root": 1e-8}}
"""The two places of ε: Equation 1's, which is torch's, and that of Equations 12–13 and of lines 32 and 34."""

PAPER_TABLE_1 = {
    "x2": {"Adam": 4.000, "Hill-ADAM": 4.0000},
    "sixth": {"Adam": 4.4237, "Hill-ADAM": 3.3475},
    "eighth": {"Adam": -0.4837, "Hill-ADAM": -10.4340},
    "tenth": {"Adam": -0.5425, "Hill-ADAM": -1.3811},
    "fourth": {"Adam": 0.3125, "Hill-ADAM": 0.3125},
}
"""The means that the paper prints, over 15 runs each."""

ENGINES = ("compiled", "lock step")
"""What can run Experiment 1: :func:`run_networks`, or :func:`train` with :class:`StackedMLP`."""

Runs = dict[tuple[str, str], Record]


def table1(
    seeds: Iterable[int] = range(15),
    steps: int = 15_000,
    lr: float = 0.01,
    delta: float = 1e-4,
    gamma: float = 200.0,
    activation: str = "none",
    *,
    scale: float = 1.0,
    losses: Sequence[str] = tuple(TABLE_1),
    optimizers: Sequence[str] = OPTIMIZERS,
    eps: str = "outside",
    bias_correction: str = "copied",
    history: bool = False,
    engine: str | None = None,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str | None = None,
    threads: int = 1,
    progress: bool = False,
) -> Runs:
    """Train every loss, optimizer and seed of Table 1 as one ensemble.

    A member of the ensemble with δ = 0 and γ = ∞ is Adam, so that one loop serves both columns.

    There are two engines. The compiled one, :func:`run_networks`, needs numba, a CPU and float64, takes under a second
    for Table 1, and gives the same bits on every machine with no activation or ReLU. Lock step, :func:`train`, runs on
    any device in any precision; its last digits depend on them, and in a long run so may the side of a hill on which
    it comes down.

    The initial weights are PyTorch's default initialisation, drawn in float32 from the seed and then converted; see
    :func:`network`.

    Args:
        seeds: of the initial weights; each is run on every loss with both optimizers.
        steps: how many; the paper takes 15,000.
        lr, delta: λ and δ; the defaults are the paper's.
        gamma: γ; the default is that of the authors' code, the paper gives none.
        activation: a key of :data:`~hilladam.experiments.ACTIVATIONS`; the paper names none.
        scale: what to multiply the initial weights by; the paper says nothing of them.
        losses: keys of :data:`~hilladam.losses.TABLE_1`.
        optimizers: ``"Adam"``, ``"Hill-ADAM"`` or both.
        eps: a key of :data:`EPS`.
        bias_correction: as for :class:`~hilladam.optim.ReferenceHillAdam`.
        history: whether to keep every step of every run.
        engine: ``"compiled"`` or ``"lock step"``; default: compiled wherever that is possible and the device is not
            another one.
        dtype: floating point, of the training.
        device: default: the CPU for the compiled engine; for lock step the GPU where there is one.
        threads: CPU threads of the compiled engine; they change no bit. Lock step takes torch's.
        progress: whether to show a progress bar.

    Returns:
        The records by (key of the loss, ``"Adam"`` or ``"Hill-ADAM"``), with a member for each seed.

    Raises:
        ImportError: the compiled engine is asked for, and numba is not installed.
        ValueError: no seed, loss or optimizer, an unknown one, an unknown activation, engine or placement of ε, a
            number out of its range, fewer than one step, or the compiled engine in another precision or on a GPU.

    Example:
        >>> from hilladam.experiments import table1
        >>> runs = table1(range(3), 2000, losses=["sixth"])
        >>> {name: record.best_losses.round(2).tolist() for (_, name), record in runs.items()}
        {'Adam': [5.19, 5.19, 5.19], 'Hill-ADAM': [2.89, 2.89, 2.89]}
    """
    seeds = list(seeds)
    for name, given in (("seeds", seeds), ("losses", losses), ("optimizers", optimizers)):
        if not given:
            raise ValueError(f"Invalid {name}: none; expected at least one")
    for name, value, known in (("eps", eps, EPS), *(("loss", key, TABLE_1) for key in losses),
                               *(("optimizer", o, OPTIMIZERS) for o in optimizers)):  # fmt: skip
        if value not in known:
            raise ValueError(f"Invalid {name}: {value!r}; expected one of {tuple(known)}")
    ensemble = _ensemble(engine, dtype, device, threads)
    cells = [_Cell(loss, optimizer, eps, gamma) for loss, optimizer in itertools.product(losses, optimizers)]
    records = ensemble(cells, seeds, steps, lr, delta, activation, scale, bias_correction, history,
                       "Table 1" if progress else "")  # fmt: skip
    return {(cell.loss, cell.optimizer): record for cell, record in zip(cells, records, strict=True)}


class _Cell(NamedTuple):
    """What may differ between the members of one ensemble, besides the seed."""

    loss: str
    optimizer: str
    eps: str
    gamma: float


def _ensemble(engine, dtype, device, threads) -> Callable[..., list[Record]]:
    """The function that trains every cell with every seed as one ensemble and returns a record for each cell."""
    if engine not in (None, *ENGINES):
        raise ValueError(f"Invalid engine: {engine!r}; expected one of {ENGINES}")
    possible = dtype == torch.float64 and (device is None or torch.device(device).type == "cpu")
    if engine == "compiled" and not possible:
        raise ValueError(f"Invalid engine: 'compiled' with {dtype} on {device or 'cpu'}; expected torch.float64 on cpu")
    if engine == "compiled":
        arithmetic()  # raises where numba is missing
    if engine == "compiled" or (engine is None and possible and can_compile()):
        return partial(_compiled, threads=threads)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    return partial(_lock_step, dtype=dtype, device=device)


def _compiled(cells: Sequence[_Cell], seeds, steps, lr, delta, activation, scale, bias_correction, history, progress,
              threads) -> list[Record]:  # fmt: skip
    members = [cell for cell in cells for _ in seeds]
    record = run_networks(
        [TABLE_1[cell.loss] for cell in members], seeds * len(cells), steps, lr, activation=activation, scale=scale,
        bias_correction=bias_correction, history=history, threads=threads, progress=progress,
        **_settings(members, delta),
    )  # fmt: skip
    return _parts(record, cells, seeds)


def _lock_step(cells: Sequence[_Cell], seeds, steps, lr, delta, activation, scale, bias_correction, history, progress,
               dtype, device) -> list[Record]:  # fmt: skip
    members = [cell for cell in cells for _ in seeds]
    model = StackedMLP(seeds * len(cells), activation=activation, dtype=dtype, device=device, scale=scale)
    each = {
        name: torch.tensor(values, dtype=dtype, device=device) for name, values in _settings(members, delta).items()
    }
    optimizer = ReferenceHillAdam(model.parameters, lr, bias_correction=bias_correction, **each)
    loss = stack([TABLE_1[cell.loss] for cell in members], dtype=dtype, device=device)
    return _parts(train(model, loss, optimizer, steps, history=history, progress=progress), cells, seeds)


def _settings(members: Sequence[_Cell], delta) -> dict[str, list[float]]:
    return {
        "eps": [EPS[cell.eps]["eps"] for cell in members],
        "eps_root": [EPS[cell.eps]["eps_root"] for cell in members],
        "delta": [0.0 if cell.optimizer == "Adam" else delta for cell in members],
        "gamma": [math.inf if cell.optimizer == "Adam" else cell.gamma for cell in members],
    }


def _parts(record: Record, cells, seeds) -> list[Record]:
    return [record.member(slice(i * len(seeds), (i + 1) * len(seeds))) for i in range(len(cells))]


def summarize(runs: Runs) -> pd.DataFrame:
    """Table 1 with what the paper's means hide: one row for each loss and optimizer.

    ``runs`` counts them. ``mean_best`` and ``sd_best`` are over their lowest losses, ``mean_final`` over their last. A
    run succeeds when its best loss is within 0.01 of the global minimum; ``low`` and ``high`` bound the rate of
    ``success`` with 95 % confidence (Wilson). ``best_in`` and ``final_in`` count the runs in the basin of each
    stationary point, written as ``value: runs``.

    Args:
        runs: from :func:`table1`.

    Example:
        >>> from hilladam.experiments import summarize, table1
        >>> table = summarize(table1(range(3), 2000, losses=["sixth"]))
        >>> table[["paper", "success", "best_in"]].to_dict("list")
        {'paper': [4.4237, 3.3475], 'success': [0.0, 1.0], 'best_in': ['5.1923: 3', '2.8863: 3']}
    """
    rows = []
    for (key, optimizer), record in runs.items():
        loss, size = TABLE_1[key], len(record.best_losses)
        successes = int((record.best_losses < loss.global_minimum.value + CLOSE).sum())
        interval = wilson_interval(successes, size)
        rows.append({
            "loss": loss.name,
            "optimizer": optimizer,
            "paper": PAPER_TABLE_1[key][optimizer],
            "runs": size,
            "mean_best": record.best_losses.mean(),
            "sd_best": record.best_losses.std(),
            "mean_final": record.final_losses.mean(),
            "success": successes / size,
            "low": interval.low,
            "high": interval.high,
            "best_in": _basins(loss, record.best_states),
            "final_in": _basins(loss, record.final_states),
        })  # fmt: skip
    return pd.DataFrame(rows).set_index(["loss", "optimizer"])


def _basins(loss: Polynomial, states) -> str:
    indices, counts = loss.basin(torch.as_tensor(states).flatten()).unique(return_counts=True)
    points = loss.stationary_points
    names = [f"{points[i].value:.4f}" if 0 <= i < len(points) else "∞" for i in indices.tolist()]
    return ", ".join(f"{name}: {count}" for name, count in zip(names, counts.tolist(), strict=True))


def _counts(runs: int, basins: int) -> list[list[int]]:
    """All ways to deal out the runs to the basins."""
    bars = itertools.combinations(range(runs + basins - 1), basins - 1)
    ends = [(-1, *bar, runs + basins - 1) for bar in bars]
    return [[right - left - 1 for left, right in itertools.pairwise(end)] for end in ends]


def decode_mean(mean: float, values: Sequence[float], runs: int = 15, rounding: float = 5e-5) -> pd.DataFrame:
    """Which mixtures of basins give a printed mean.

    Args:
        mean: of the losses of ``runs`` runs, each of which ended at one of ``values``.
        values: the losses of the minima.
        runs: how many.
        rounding: how far the printed mean may be from the true one.

    Returns:
        The counts for each value, a row for each mixture whose mean agrees, the closest first; and ``error``.

    Example:
        >>> from hilladam.experiments import decode_mean
        >>> decode_mean(3.3475, [2.8863, 5.1923])[["2.8863", "5.1923"]].values.tolist()  # twelve runs and three
        [[12, 3]]
    """
    table = pd.DataFrame(_counts(runs, len(values)), columns=[f"{value:.4f}" for value in values])
    table["error"] = table.to_numpy() @ list(values) / runs - mean
    agrees = table["error"].abs() <= rounding
    return table[agrees].sort_values("error", key=abs).reset_index(drop=True)


def decode_chance(values: Sequence[float], runs: int = 15, rounding: float = 5e-5) -> float:
    """How likely :func:`decode_mean` finds a mixture for a mean that is none: one drawn evenly between the extremes.

    It is the share of the interval from the lowest to the highest value that lies within ``rounding`` of a mixture.

    Args:
        values, runs, rounding: as for :func:`decode_mean`.

    Raises:
        ValueError: fewer than two different values.

    Example:
        >>> from hilladam.experiments import decode_chance
        >>> round(decode_chance([2.8863, 5.1923]), 4)  # sixteen mixtures, each 0.0001 wide, on 2.306
        0.0007
    """
    if len(set(values)) < 2:
        raise ValueError(f"Invalid values: {list(values)}; expected at least two different ones")
    means = np.sort([np.dot(counts, values) / runs for counts in _counts(runs, len(values))])
    gaps = np.minimum(np.diff(means), 2 * rounding)  # where two mixtures' windows overlap they count once
    return float(gaps.sum() / (max(values) - min(values)))


def stored_readings() -> pd.DataFrame:
    """:func:`readings` as it was last run in full: the rows of three calls.

    ``readings(range(1000), bias_corrections=["copied"])``; ``readings(bias_corrections=["in_place"])``, with sixty
    seeds, for what fails wherever it is tried; and ``readings(range(1000), gammas=[50, 200], scales=[1.5, 2, 3],
    eps_places=["outside"], bias_corrections=["copied"])``. On two cores they take about an hour.

    Example:
        >>> from hilladam.experiments import stored_readings
        >>> table = stored_readings().query("activation == 'relu' and loss == 'sixth order' and gamma == 200")
        >>> table.set_index(["scale", "eps", "bias_correction"])["success"].loc[1, "outside", "copied"].item()
        0.688
    """
    table = pd.read_json(files("hilladam.experiments") / "readings.json", precise_float=True)
    return table.assign(gamma=table["gamma"].astype(float))


def readings(
    seeds: Iterable[int] = range(60),
    steps: int = 15_000,
    gammas: Sequence[float] = (50.0, 200.0, math.inf),
    *,
    engine: str | None = None,
    activations: Sequence[str] = tuple(ACTIVATIONS),
    scales: Sequence[float] = (1.0,),
    eps_places: Sequence[str] = tuple(EPS),
    bias_corrections: Sequence[str] = ("copied", "in_place"),
    device: torch.device | str | None = None,
    threads: int = 1,
    progress: bool = False,
) -> pd.DataFrame:
    """Table 1 under every reading of what the paper leaves open.

    The readings are the activation between the layers, the scale of the initial weights, the place of ε, γ, and
    whether lines 29–30 of Algorithm 1 overwrite the moments.

    Args:
        seeds, steps: as for :func:`table1`.
        gammas: which γ to give Hill-ADAM.
        activations: keys of :data:`~hilladam.experiments.ACTIVATIONS`.
        scales: what to multiply torch's initial weights by.
        eps_places: where ε stands, keys of :data:`EPS`.
        bias_corrections: as for :class:`~hilladam.optim.ReferenceHillAdam`.
        engine, device, threads, progress: as for :func:`table1`; the precision is float64.

    Returns:
        :func:`summarize`'s rows for each reading, with the columns ``activation``, ``scale``, ``eps``,
        ``bias_correction`` and ``gamma`` before them; Adam knows no γ and has one row for all of them, with ``gamma``
        NaN.

    Raises:
        ValueError, ImportError: as for :func:`table1`.

    Example:
        >>> from hilladam.experiments import readings
        >>> table = readings([0], 1, gammas=(200.0,))
        >>> len(table)  # four activations, two places of ε, two corrections, Adam and one γ, five losses
        160
    """
    ensemble = _ensemble(engine, torch.float64, device, threads)
    seeds, tables = list(seeds), []
    for activation, scale, bias_correction in itertools.product(activations, scales, bias_corrections):
        settings = list(itertools.product(eps_places, (math.nan, *gammas)))
        cells = [
            _Cell(loss, "Adam" if math.isnan(gamma) else "Hill-ADAM", eps, gamma)
            for eps, gamma in settings for loss in TABLE_1
        ]  # fmt: skip
        label = f"{activation}, {scale:g}, {bias_correction}" if progress else ""
        records = ensemble(cells, seeds, steps, 0.01, 1e-4, activation, scale, bias_correction, False, label)
        for i, (eps, gamma) in enumerate(settings):
            part = slice(i * len(TABLE_1), (i + 1) * len(TABLE_1))
            runs = {(c.loss, c.optimizer): record for c, record in zip(cells[part], records[part], strict=True)}
            reading = {"activation": activation, "scale": scale, "eps": eps, "bias_correction": bias_correction,
                       "gamma": gamma}  # fmt: skip
            tables.append(summarize(runs).reset_index().assign(**reading))
    table = pd.concat(tables, ignore_index=True)
    return table[[*reading, *table.columns.drop(list(reading))]]
