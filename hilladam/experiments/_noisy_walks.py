"""Over the hill with noise on every loss and slope, on the random landscapes of ``_tuning_itself.py``."""

import json
from collections.abc import Iterable
from importlib.resources import files

import numpy as np

from hilladam._checks import one_of
from hilladam._extras import extra
from hilladam.experiments._compiled_landscapes import _tabulate
from hilladam.experiments._hits import unpacked_hits
from hilladam.experiments._tuning_itself import FINISH, NOISE, RUNS, STEPS, Ground, ground
from hilladam.optim._frame import orthogonal_frame

NOISY_FAMILIES = ("tori", "wells", "tori of two variables", "wells of two variables")
NOISY_LEVELS = (0.0, *NOISE)
NOISY_WALKERS = {
    "κ = 0, lowest loss": (0.0, 0),
    "κ = 0": (0.0, FINISH),
    "κ = ½, lowest loss": (0.5, 0),
    "κ = ½": (0.5, FINISH),
}
"""κ, and how many of the 2,000 steps settle."""

_FRAMES = 16  # after which the first comes again


def noisy_walks(
    families: Iterable[str] = NOISY_FAMILIES, walkers: Iterable[str] = tuple(NOISY_WALKERS), runs: int = RUNS
) -> dict[tuple[str, str, float], np.ndarray]:
    """Which runs of over the hill keep a place within a thousandth of the range of losses of the lowest.

    Landscapes, starts, budget and the measure of success are those of :func:`tuning_itself`. Noise of so many times the
    range of losses, 0 to 0.1, is added to each loss, and as much per unit of length to each slope.

    Args:
        families: some of ``"tori"``, ``"wells"``, ``"tori of two variables"``, ``"wells of two variables"``.
        walkers: some of ``"κ = 0"`` and ``"κ = ½"``, which finish with 200 of their 2,000 steps, and the same two with
            ``", lowest loss"`` behind, which keep the place of their lowest loss instead.
        runs: how many, each on a landscape of its own.

    Returns:
        By family, walker and level of noise: bool, shape ``(runs,)``.

    Raises:
        ValueError: an unknown family or walker, or no runs.
        MissingExtra: numba is not installed.

    Example:
        >>> from hilladam.experiments import noisy_walks
        >>> found = noisy_walks(["wells"], ["κ = ½"], runs=20)
        >>> bool(found["wells", "κ = ½", 0.01].mean() > 0.8)
        True
    """
    families, walkers, found = tuple(families), tuple(walkers), {}
    for family in families:
        one_of("family", family, NOISY_FAMILIES)
    for walker in walkers:
        one_of("walker", walker, tuple(NOISY_WALKERS))
    for family in families:
        here = ground(family, runs)
        d = here.starts.shape[1]
        frames = np.array([[orthogonal_frame(run, k, d).numpy() for k in range(_FRAMES)] for run in range(runs)])
        for walker in walkers:
            for level in NOISY_LEVELS:
                found[family, walker, level] = here.reached(_kept(here, frames, level, *NOISY_WALKERS[walker]))
    return found


def _kept(here: Ground, frames: np.ndarray, level: float, kappa: float, finish: int) -> np.ndarray:
    """The place that each run keeps, shape ``(runs, variables)``."""
    with extra("fast"):
        from hilladam.experiments import _compiled_noise as compiled
    table, box, rng = _tabulate(here.landscapes, here.starts.shape[1]), np.array(here.box), np.random.default_rng(0)
    noise = (level * here.size).astype(np.float32)  # without the last bits, which are the machine's
    kept = np.empty_like(here.starts)
    for run, start in enumerate(here.starts):
        loss = (table, run, float(noise[run]), np.array([run], np.uint64))
        *_, kept[run] = compiled.walk_over(
            loss, start, frames[run], box, rng, STEPS, -np.inf, compiled.NOTHING, kappa, 1.2, finish
        )
    return kept


def stored_noisy_walks() -> dict[tuple[str, str, float], np.ndarray]:
    """What :func:`noisy_walks` found with 1,000 runs, which the package stores.

    Made with ``python tools/store_results.py noisy_walks``; the tests and the book make some of it again.

    Example:
        >>> from hilladam.experiments import stored_noisy_walks
        >>> found = stored_noisy_walks()
        >>> for walker in ("κ = 0", "κ = ½"):
        ...     print(f"{walker}: {found['wells', walker, 0.01].mean():.1f}")
        κ = 0: 0.8
        κ = ½: 1.0
    """
    rows = json.loads((files("hilladam.experiments") / "noisy_walks.json").read_text(encoding="utf-8"))
    return {tuple(key): unpacked_hits(runs, bits) for *key, runs, bits in rows}
