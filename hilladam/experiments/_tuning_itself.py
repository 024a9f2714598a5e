"""What each change from the published rule to the one that tunes itself is worth, on random landscapes.

Every run has a landscape of its own, so that runs are independent. Only the oracle's share one, and there the
landscapes are what is independent.
"""

import json
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hilladam._checks import one_of, whole
from hilladam.experiments._compiled_landscapes import LADDER, Rule, SineBatches, run_landscapes
from hilladam.experiments._hits import unpacked_hits
from hilladam.experiments._protocol import tune
from hilladam.losses import LANDSCAPES, Polynomial, Torus, Wells

RUNS, STEPS, SEED, TUNING_SEED, TUNING_RUNS = 1000, 2000, 2026, 1, 200
CLOSE = 1e-3
"""How far above the lowest loss a kept state may lie, as a part of the range of losses."""

MULTISTARTS = ("multistart, exact box", "multistart, ten times the box", "multistart, within 1 of x₀")
NOISE, RATES_TRIED = (1e-3, 1e-2, 1e-1), (1e-8, 1e-6, 1e-4, 1e-2, 1.0, 100.0)
DISTANCES = (1.0, 3.0, 10.0)
"""How many times as far from the middle of the box a run begins."""
FINISH = STEPS // 10
ONE_VARIABLE = ("polynomials", "tori", "wells")
EXPERIMENTS = ("ladder", "scalings", "rates", "starts", "noise", "oracle", "batches")

_BOX = (-3.3, 3.3)  # around the stationary points of random polynomials
_MULTISTART = Rule(restart=True, relative=True, slopes=True, delta=1e-3, gamma=np.inf)
_SHARES = tuple(10 ** (k / 2) for k in range(-7, 0))  # of the box: λ of multistart Adam
_BOUNDED = ("polynomials", "wells", "wells of two variables")  # a torus has no outside
_NOISY = ("Adam", "published", "+ δ relative", "by slopes, κ = 0", "by slopes, κ = ½", "lids in turn")
_ORACLE_LR, _ORACLE_DELTA = np.geomspace(1e-3, 10, 9), np.geomspace(1e-5, 1e-3, 3)
_FUNCTIONS, _STARTS = 50, 20


class Ground(NamedTuple):
    """Random landscapes, and a start on each of them; see :func:`ground`.

    Example:
        >>> from hilladam.experiments import ground
        >>> wells = ground("wells", runs=3)
        >>> wells.starts.shape, wells.reached(wells.starts).tolist()
        ((3, 1), [False, False, False])
    """

    landscapes: list[Polynomial] | list[Torus] | list[Wells]
    """One for each run."""
    starts: np.ndarray
    """Shape ``(runs, variables)``, uniform in the box."""
    low: np.ndarray
    """The lowest loss in the box, shape ``(runs,)``."""
    size: np.ndarray
    """The highest less the lowest, likewise; of a polynomial that of its stationary values."""
    box: tuple[float, float]
    """The ends of each variable."""

    def reached(self, states: ArrayLike, widths: ArrayLike = 1.0) -> np.ndarray:
        """Whether the exact loss at each state is within a thousandth of the range of the lowest: bool, ``(runs,)``.

        Args:
            states: shape ``(runs, variables)``.
            widths: what the variables were multiplied by, a number or an array of shape ``(runs,)``.
        """
        places = np.asarray(states) / np.broadcast_to(widths, len(self.starts))[:, None]
        with np.errstate(over="ignore", invalid="ignore"):  # a run may have ended anywhere
            losses = [_loss(landscape, place) for landscape, place in zip(self.landscapes, places, strict=True)]
        return np.array(losses) <= self.low + CLOSE * self.size


def ground(family: str, runs: int = RUNS, seed: int = SEED) -> Ground:
    """Draw a random landscape for each run, and a start in its box. Fewer runs are the first of more.

    Args:
        family: a key of :data:`hilladam.losses.LANDSCAPES`.
        runs: how many, at least 1.
        seed: of landscapes and starts.

    Raises:
        ValueError: an unknown family, or no runs.

    Example:
        >>> from hilladam.experiments import ground
        >>> (ground("tori", runs=2).starts == ground("tori", runs=3).starts[:2]).all().item()
        True
    """
    one_of("family", family, tuple(LANDSCAPES))
    generator = np.random.default_rng([seed, list(LANDSCAPES).index(family)])
    landscapes, starts, ranges = [], [], []
    for _ in range(whole("runs", runs, 1)):
        landscape = LANDSCAPES[family](generator)
        polynomial = isinstance(landscape, Polynomial)
        box = _BOX if polynomial else landscape.box
        starts.append(generator.uniform(*box, 1 if polynomial else landscape.dimensions))
        landscapes.append(landscape)
        ranges.append(_stationary_range(landscape) if polynomial else landscape.range)
    low, high = np.array(ranges).T
    return Ground(landscapes, np.array(starts), low, high - low, box)


def _stationary_range(loss: Polynomial):
    """By numpy's roots, which are real here and a quarter apart: sympy's exact ones take a hundred times as long."""
    roots = np.roots(np.polyder([float(c) for c in loss.about_centre])).real + loss.middle
    values = loss(roots)
    return values.min(), values.max()


def _loss(landscape, place):
    return landscape(place[0]) if isinstance(landscape, Polynomial) else landscape.value_and_gradient(place)[0]


class Outcome(NamedTuple):
    """What :func:`tuning_itself` found of one contender.

    Example:
        >>> from hilladam.experiments import stored_tuning_itself
        >>> outcome = stored_tuning_itself()["ladder", "tori", "multistart, exact box", 0.0]
        >>> len(outcome.hits), 0 < outcome.lr < 1
        (1000, True)
    """

    hits: np.ndarray
    """Whether each run kept a state within a thousandth of the range of the lowest loss, shape ``(runs,)``."""
    lr: float | None = None
    """The λ that was tuned for multistart Adam, as a part of the box where it knows one."""


Key = tuple[str, str, str, float]


def tuning_itself(
    experiments: Iterable[str] = EXPERIMENTS, families: Sequence[str] = tuple(LANDSCAPES), runs: int = RUNS
) -> dict[Key, Outcome]:
    """Run the experiments of the chapter "A rule that tunes itself". Everything takes some ten minutes on one core.

    Each run has 2,000 gradients and a landscape of its own, of the seed 2026, from which nothing was tuned.

    - ``"ladder"``: every rule of :data:`LADDER` and three multistart Adams on exact losses.
    - ``"scalings"``: the same in one variable, with each landscape multiplied by a factor of its own, log-uniform from
      10⁻⁸ to 10⁸, and its variable by one from 10⁻⁴ to 10⁴; every setting stays as it is, and only a box is multiplied.
      ``"multistart, exact box, ε = 0"`` is the first of the three without its ε, which has the unit of a slope.
    - ``"rates"``: the published rule and the last two of the ladder from λ of 10⁻⁸ to 100, in one variable.
    - ``"starts"``: the published rule and the last of the ladder, from one, three and ten times as far from the middle
      of the box, on all families but the tori; ``"lids in turn, finished"`` settles in the last tenth, as with noise.
    - ``"noise"``: six rules and multistart Adam in the exact box with a noise of 10⁻³, 10⁻² and 10⁻¹
      of the range on each loss and slope. The last tenth settles, from the lowest loss, and its mean is kept;
      ``"lowest"`` is the last of the ladder when it keeps the place of its lowest loss instead, and has its whole
      budget for that.
    - ``"oracle"``: in one variable, 50 landscapes with 20 starts each. ``"published"`` has of 9 λ and 3 δ, for each
      landscape, those that succeed from most of the same starts, and a γ at the highest loss; ``"tuning itself"`` is
      the last of the ladder as it is.

    - ``"batches"``: the rules of ``"noise"`` on the README's sine wave with mini-batches of 32, from starts in
      (0, 12) Hz and (−π, π); a success is a kept state whose loss on all samples is below 0.01. Its family is
      ``"sine wave"``. The last of the ladder also begins with every λ of ``"rates"``, which is the level then.

    Multistart Adam draws a new place where a leg stands still, in the box, in one ten times as wide with the same
    middle, or within 1 of where the run began. Its λ is tuned by :func:`tune` for each family, on 200 landscapes of
    another seed, exact ones. Without noise and scaling the successes are the same on every machine; with them a few
    may differ, for the last bits of factors and ranges are the machine's.

    Args:
        experiments: some of these.
        families: some keys of :data:`hilladam.losses.LANDSCAPES`.
        runs: of each contender, but for ``"oracle"``.

    Returns:
        By experiment, family, contender and level: the noise as a part of the range, λ, or the distance; 0 where there
        is none of them.

    Raises:
        ValueError: an unknown experiment or family, or no runs.
        MissingExtra: numba is not installed.

    Example:
        >>> from hilladam.experiments import tuning_itself
        >>> found = tuning_itself(["rates"], ["tori"], runs=20)
        >>> bool(found["rates", "tori", "lids in turn", 100.0].hits.mean() > 0.8)
        True
    """
    experiments, found = tuple(experiments), {}
    for name in experiments:
        one_of("experiment", name, EXPERIMENTS)
    for family in families:
        here = ground(family, runs)
        if "ladder" in experiments:
            for name, rule in LADDER.items():
                found["ladder", family, name, 0.0] = Outcome(_race(here, rule))
        if {"ladder", "scalings", "noise"} & set(experiments):
            rates = {name: _tuned(family, name) for name in MULTISTARTS}
        if "ladder" in experiments:
            for name, rate in rates.items():
                found["ladder", family, name, 0.0] = Outcome(_multistart(here, name, rate), rate)
        if "scalings" in experiments and family in ONE_VARIABLE:
            powers = np.random.default_rng([SEED, 1]).uniform([-8, -4], [8, 4], (runs, 2))
            scales = dict(zip(("heights", "widths"), 10**powers.T, strict=True))
            for name, rule in LADDER.items():
                found["scalings", family, name, 0.0] = Outcome(_race(here, rule, **scales))
            for name, rate in rates.items():
                found["scalings", family, name, 0.0] = Outcome(_multistart(here, name, rate, **scales), rate)
            name = MULTISTARTS[0]
            hits = _multistart(here, name, rates[name], eps=0.0, **scales)
            found["scalings", family, f"{name}, ε = 0", 0.0] = Outcome(hits, rates[name])
        if "rates" in experiments and family in ONE_VARIABLE:
            for name in ("published", "by slopes, κ = ½", "lids in turn"):
                for lr in RATES_TRIED:
                    found["rates", family, name, lr] = Outcome(_race(here, LADDER[name], lr=lr))
        if "starts" in experiments and family in _BOUNDED:
            middle = sum(here.box) / 2
            for distance in DISTANCES:
                far = here._replace(starts=middle + distance * (here.starts - middle))
                for name in ("published", "lids in turn"):
                    found["starts", family, name, distance] = Outcome(_race(far, LADDER[name]))
                hits = _race(far, LADDER["lids in turn"], finish=FINISH)
                found["starts", family, "lids in turn, finished", distance] = Outcome(hits)
        if "noise" in experiments:
            for level in NOISE:
                settings = dict(noise=level * here.size)
                last = LADDER["lids in turn"]
                found["noise", family, "lowest", level] = Outcome(_race(here, last, **settings))
                settings["finish"] = FINISH
                for name in _NOISY:
                    found["noise", family, name, level] = Outcome(_race(here, LADDER[name], **settings))
                name = MULTISTARTS[0]
                hits = _multistart(here, name, rates[name], **settings)
                found["noise", family, name, level] = Outcome(hits, rates[name])
        if "oracle" in experiments and family in ONE_VARIABLE:
            best, own = _oracle(family)
            found["oracle", family, "published", 0.0] = Outcome(best)
            found["oracle", family, "tuning itself", 0.0] = Outcome(own)
    if "batches" in experiments:
        found.update(_batches(runs))
    return found


def _race(here: Ground, rule: Rule, **settings) -> np.ndarray:
    """Whether the kept state of each run is close enough: the settled one, or that of the lowest loss."""
    found = run_landscapes(here.landscapes, here.starts * _column(settings), STEPS, rule, **settings)
    states = found.final_states if settings.get("finish") else found.best_states
    return here.reached(states, settings.get("widths", 1.0))


def _column(settings):
    return np.reshape(settings.get("widths", 1.0), (-1, 1))


def _multistart(here: Ground, name: str, rate: float, eps: float = _MULTISTART.eps, **settings) -> np.ndarray:
    middle, wide = sum(here.box) / 2, here.box[1] - here.box[0]
    if name == MULTISTARTS[2]:  # which knows nothing of the widths
        around, lr = here.starts * _column(settings), rate
        boxes = np.stack([around - 1, around + 1], axis=-1)
    else:
        wide *= 10 if name == MULTISTARTS[1] else 1
        boxes = np.array([middle - wide / 2, middle + wide / 2]) * _column(settings)[..., None]
        lr = rate * wide * np.asarray(settings.get("widths", 1.0))
    return _race(here, _MULTISTART._replace(eps=eps), lr=lr, boxes=boxes, **settings)


def _tuned(family: str, name: str) -> float:
    """The λ with which multistart Adam succeeds most often; as a part of its box, where it knows one."""
    here = ground(family, TUNING_RUNS, TUNING_SEED)

    def trial(rates):
        return [np.where(_multistart(here, name, rate), STEPS, np.inf) for rate in rates]

    return tune(trial, STEPS, _SHARES).lr


def _batches(runs: int) -> dict[Key, Outcome]:
    low, high = np.array([0.0, -np.pi]), np.array([12.0, np.pi])

    def hits(rule, runs, seed, **settings):
        starts = np.random.default_rng([seed, 3]).uniform(low, high, (runs, 2))
        seeds = seed * 10**6 + np.arange(runs)
        found = run_landscapes([SineBatches(32)], starts, STEPS, rule, seeds=seeds, finish=FINISH, **settings)
        exact = run_landscapes([SineBatches()], found.final_states, 1, rule, **settings)
        return exact.best_losses < 0.01

    def multistart(rate, runs, seed):
        return hits(_MULTISTART, runs, seed, lr=rate, boxes=np.stack([low, high], axis=-1))

    def trial(rates):
        return [np.where(multistart(rate, TUNING_RUNS, TUNING_SEED), STEPS, np.inf) for rate in rates]

    rate = tune(trial, STEPS, _SHARES).lr
    found = {("batches", "sine wave", name, 0.0): Outcome(hits(LADDER[name], runs, SEED)) for name in _NOISY}
    found["batches", "sine wave", MULTISTARTS[0], 0.0] = Outcome(multistart(rate, runs, SEED), rate)
    for lr in RATES_TRIED:
        found["batches", "sine wave", "lids in turn", lr] = Outcome(hits(LADDER["lids in turn"], runs, SEED, lr=lr))
    return found


def _oracle(family: str) -> tuple[np.ndarray, np.ndarray]:
    few = ground(family, _FUNCTIONS)
    starts = np.random.default_rng([SEED, 2]).uniform(*few.box, (_FUNCTIONS * _STARTS, few.starts.shape[1]))
    many = Ground([loss for loss in few.landscapes for _ in range(_STARTS)], starts,
                  few.low.repeat(_STARTS), few.size.repeat(_STARTS), few.box)  # fmt: skip
    best = np.zeros((_FUNCTIONS, _STARTS), bool)
    for delta in _ORACLE_DELTA:
        for lr in _ORACLE_LR:
            rule = LADDER["published"]._replace(delta=float(delta), lr=float(lr))
            hits = _race(many, rule, gamma=many.low + many.size).reshape(best.shape)
            better = hits.sum(axis=1) > best.sum(axis=1)
            best[better] = hits[better]
    return best.ravel(), _race(many, LADDER["lids in turn"])


def stored_tuning_itself() -> dict[Key, Outcome]:
    """What :func:`tuning_itself` found with 1,000 runs, which the package stores.

    Made with ``python tools/store_results.py tuning_itself``; the tests and the book make some of it again.

    Example:
        >>> from hilladam.experiments import stored_tuning_itself
        >>> found = stored_tuning_itself()
        >>> for name in ("published", "lids in turn"):
        ...     print(f"{name}: {found['ladder', 'tori', name, 0.0].hits.mean():.1f}")
        published: 0.5
        lids in turn: 1.0
    """
    rows = json.loads((files("hilladam.experiments") / "tuning_itself.json").read_text(encoding="utf-8"))
    return {tuple(key): Outcome(unpacked_hits(runs, bits), lr) for *key, lr, runs, bits in rows}
