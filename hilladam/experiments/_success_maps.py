"""How often Hill-ADAM reaches the deepest valley, over δ and λ, on five losses of one variable."""

import base64
import json
import zlib
from collections.abc import Mapping
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hilladam._checks import finite, whole
from hilladam.experiments._compiled import arithmetic, run_points
from hilladam.losses import DOUBLE_WELL, SINE_WAVE, TABLE_1, Polynomial, SineWave

STARTS, STEPS, GAMMA = 200, 2000, 200.0
LR, DELTA = np.geomspace(1e-3, 1, 100), np.geomspace(1e-7, 1e-1, 100)


class MappedLoss(NamedTuple):
    """A loss, and where the runs of its map start.

    Example:
        >>> from hilladam.experiments import MAPPED
        >>> MAPPED["double well"].low, MAPPED["double well"].high
        (0.5, 2.0)
    """

    loss: Polynomial | SineWave
    """What is descended and climbed."""
    low: float
    """The lowest start."""
    high: float
    """The highest start."""


MAPPED: Mapping[str, MappedLoss] = {
    "double well": MappedLoss(DOUBLE_WELL, 0.5, 2.0),
    "sixth order": MappedLoss(TABLE_1["sixth"], -0.6, 0.6),
    "eighth order": MappedLoss(TABLE_1["eighth"], 0.2, 3.5),
    "tenth order": MappedLoss(TABLE_1["tenth"], 0.7, 4.6),
    "sine wave": MappedLoss(SINE_WAVE, 2.6, 4.5),
}
"""The losses of the maps by name, with the interval on which their starts lie: wells that are not the deepest."""


class SuccessMap(NamedTuple):
    """A map over δ and λ. :func:`success_map` counts, :func:`stored_success_maps` reads what it counted.

    Example:
        >>> from hilladam.experiments import stored_success_maps
        >>> stored = stored_success_maps()["double well"]
        >>> stored.counts.shape, len(stored.delta), len(stored.lr)
        ((100, 100), 100, 100)
    """

    lr: np.ndarray
    """λ, shape ``(lambdas,)``."""
    delta: np.ndarray
    """δ, shape ``(deltas,)``."""
    counts: np.ndarray
    """How many of 200 starts reach the deepest valley, uint8 of shape ``(deltas, lambdas)``."""


def success_map(name: str, lr: ArrayLike = LR, delta: ArrayLike = DELTA, *, threads: int = 1) -> SuccessMap:
    """Count the starts from which Hill-ADAM reaches the basin of the global minimum.

    200 starts at equal distances, 2,000 gradients each, γ = 200, β₁ = 0.9, β₂ = 0.999. On the polynomials the counts
    are the same on every machine that has numba. The sine wave needs numba; its sines may differ in the last bit, and
    so may a run.

    Args:
        name: a key of :data:`MAPPED`.
        lr: λ > 0, shape ``(lambdas,)``.
        delta: δ ≥ 0, shape ``(deltas,)``.
        threads: over how many CPU threads to deal out the starts on a polynomial; the sine wave takes one.

    Raises:
        ValueError: a name that is none of them, numbers out of their range, or in an array of another shape.
        MissingExtra: the sine wave without numba.

    Example:
        >>> from hilladam.experiments import success_map
        >>> success_map("double well", [0.01, 0.03], [1e-4]).counts.tolist()
        [[0, 109]]
    """
    if name not in MAPPED:
        raise ValueError(f"Invalid name: {name!r}; expected one of {tuple(MAPPED)}")
    loss, low, high = MAPPED[name]
    lr, delta, threads = finite("lr", lr, above=0), finite("delta", delta, least=0), whole("threads", threads, 1)
    for argument, values, shape in (("lr", lr, "(lambdas,)"), ("delta", delta, "(deltas,)")):
        if values.ndim != 1:
            raise ValueError(f"Invalid {argument}: shape {values.shape}; expected {shape}")
    starts = np.tile(np.linspace(low, high, STARTS), len(delta))
    counts = np.empty((len(delta), len(lr)), np.uint8)
    for column, rate in enumerate(lr):
        reached = _reached(loss, starts, rate, np.repeat(delta, STARTS), threads)
        counts[:, column] = reached.reshape(len(delta), STARTS).sum(axis=1)
    return SuccessMap(lr, delta, counts)


def _reached(loss, starts, lr, delta, threads):
    if isinstance(loss, Polynomial):
        runs = run_points(loss, starts, STEPS, lr, delta=delta, gamma=GAMMA, history=False, threads=threads)
        return (loss.basin(runs.best_states) == loss.basin(loss.global_minimum.x)).numpy()
    arithmetic()  # says what to install, where numba is missing
    from hilladam.experiments._compiled_sine_wave import best_losses

    # Every other valley is higher than 0.8.
    return best_losses(starts, np.full(len(starts), lr), delta, GAMMA, (0.9, 0.999), 1e-8, STEPS) < 0.8


def stored_success_maps() -> dict[str, SuccessMap]:
    """The maps of all five losses, 100 λ from 0.001 to 1 by 100 δ from 10⁻⁷ to 0.1, from ``success_maps.json``.

    ``tools/store_results.py`` of the repository makes that file again, in some ten minutes on one core.

    Example:
        >>> from hilladam.experiments import stored_success_maps
        >>> list(stored_success_maps())
        ['double well', 'sixth order', 'eighth order', 'tenth order', 'sine wave']
    """
    packed = json.loads(files("hilladam.experiments").joinpath("success_maps.json").read_text())
    counts = {name: np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8) for name, text in packed.items()}
    return {name: SuccessMap(LR, DELTA, array.reshape(len(DELTA), len(LR))) for name, array in counts.items()}
