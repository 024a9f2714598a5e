"""Runs on random landscapes, compiled: Adam, the published rule, and each step from it to the one that tunes itself."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hilladam._checks import decays, finite, one_of, whole
from hilladam._extras import extra
from hilladam.experiments._training import Record
from hilladam.losses import Polynomial, Torus, Wells
from hilladam.optim._numbers import check_flag

_KEPT = ("none", "top", "both", "alone")
_CHUNK = 2**22
"""How many steps to take before looking up: some tenths of a second, after which Ctrl-C counts."""


class Rule(NamedTuple):
    """How a run of :func:`run_landscapes` decides. Without an argument it is the published rule.

    Example:
        >>> from hilladam.experiments import LADDER
        >>> rule = LADDER["λ cycle"]
        >>> rule.cycle, rule.lid, rule._replace(lid=True) == LADDER["+ lid"]
        (True, False, True)
    """

    lr: float = 0.01
    """λ, or where it begins."""
    delta: float = 1e-4
    """δ; in units of the loss, or of the range of a leg where ``relative``."""
    gamma: float = 200.0
    """γ, in units of the loss; unused where there is a ``lid``."""
    eps: float = 1e-8
    """ε of Adam."""
    kept: str = "none"
    """Where the moments are kept, so that it goes straight on: ``"none"``, over the ``"top"``, at ``"both"`` turns; or
    at both the first ``"alone"``, without the squares."""
    cycle: bool = False
    """Whether λ grows while the run gets on, is halved where a descent goes up, and is carried over the turns."""
    lid: bool = False
    """Whether the lid takes the place of γ."""
    fall: bool = False
    """Whether a climb ends where it falls."""
    relative: bool = False
    """Whether δ is a part of the range of losses of the leg."""
    slopes: bool = False
    """Whether rising, falling and standing still are judged by slopes along the steps, not by losses."""
    kappa: float = 0.0
    """κ: how far a leg must go back, in units of what its slopes can be wrong by."""
    restart: bool = False
    """Whether it begins anew in a box where Hill-ADAM would climb."""
    in_turn: bool = False
    """Whether high lids are tried in turn, the higher the more seldom; else the lid doubles where it has ended climbs
    in vain: 2d of them in d variables, and one until a climb has gone over a top."""


class SineBatches(NamedTuple):
    """The README's fit of a sine wave, frequency and phase, on mini-batches: a landscape for :func:`run_landscapes`.

    Example:
        >>> from hilladam.experiments import LADDER, SineBatches, run_landscapes
        >>> fit = run_landscapes([SineBatches(32)], [[5.8, 0.0]], 500, LADDER["Adam"], history=True)
        >>> fit.final_states.round(2).tolist()
        [[6.0, 0.5]]
    """

    size: int = 0
    """How many of the 256 samples a gradient sees, drawn with replacement; all of them, once each, where 0."""

    dimensions = 2


class Networks(NamedTuple):
    """A polynomial of the output of the paper's network without activation: a landscape for :func:`run_landscapes`.

    Its variables are the weights, laid out as :func:`torch.nn.utils.parameters_to_vector` does, and its input is ones.

    Example:
        >>> import torch
        >>> from hilladam.experiments import LADDER, Networks, network, run_landscapes
        >>> from hilladam.losses import TABLE_1
        >>> weights = torch.nn.utils.parameters_to_vector(network(seed=0).parameters()).detach().numpy()
        >>> found = run_landscapes([Networks(TABLE_1["sixth"])], [weights], 1000, LADDER["lids in turn"])
        >>> found.best_losses.round(2).tolist()
        [2.89]
    """

    loss: Polynomial
    """What the output of the network costs."""
    sizes: tuple[int, ...] = (6, 4, 3, 1)
    """The widths of the layers, the last one 1."""

    @property
    def dimensions(self) -> int:
        """How many weights there are."""
        return sum((columns + 1) * rows for columns, rows in pairwise(self.sizes))


_CYCLE = Rule(lr=1e-4, cycle=True)
_LOSSES = _CYCLE._replace(lid=True, fall=True, relative=True, eps=0.0)
_SLOPES = _LOSSES._replace(slopes=True, delta=1e-3)
_SURE = _SLOPES._replace(kappa=0.5)

LADDER: Mapping[str, Rule] = {
    "Adam": Rule(delta=0.0, gamma=math.inf),
    "published": Rule(),
    "momentum over the top": Rule(kept="top"),
    "straight on at both turns": Rule(kept="both"),
    "straight on, squares forgotten": Rule(kept="alone"),
    "λ cycle": _CYCLE,
    "+ lid": _CYCLE._replace(lid=True),
    "+ turn where it falls": _CYCLE._replace(lid=True, fall=True),
    "+ δ relative": _LOSSES,
    "by slopes, κ = 0": _SLOPES,
    "by slopes, κ = ½": _SURE,
    "lids in turn": _SURE._replace(in_turn=True),
}
"""From Adam to :class:`hilladam.AdaptiveHillAdam` with its defaults, the last of them, by name."""


def run_landscapes(
    landscapes: Sequence[Polynomial] | Sequence[Torus] | Sequence[Wells] | Sequence[SineBatches] | Sequence[Networks],
    starts: ArrayLike,
    steps: int,
    rule: Rule = LADDER["lids in turn"],
    betas: tuple[float, float] = (0.9, 0.999),
    *,
    lr: ArrayLike | None = None,
    gamma: ArrayLike | None = None,
    noise: ArrayLike = 0.0,
    heights: ArrayLike = 1.0,
    widths: ArrayLike = 1.0,
    boxes: ArrayLike | None = None,
    seeds: ArrayLike | None = None,
    finish: int = 0,
    history: bool = False,
) -> Record:
    """Move points on landscapes of any number of variables, compiled, each by a rule of Hill-ADAM's family.

    Everything is float64 and rounds in one way only, in a fixed order, so that a run has the same bits on every CPU.
    With ``LADDER["lids in turn"]`` it is :class:`hilladam.AdaptiveHillAdam`, with ``LADDER["published"]``
    :class:`hilladam.HillAdam` with those settings, up to rounding. Needs numba. A step takes some 50 ns on a landscape
    of one variable.

    Args:
        landscapes: one for all runs or one for each, all of one kind and with as many variables.
        starts: shape ``(runs,)`` or ``(runs, variables)``.
        steps: how many gradients each run takes, at least 1.
        rule: what decides.
        betas: (β₁, β₂), each in [0, 1).
        lr, gamma: instead of the rule's.
        noise: standard deviation of what is added to each loss; on each slope it is that by ``widths``. Nearly normal.
        heights, widths: what to multiply a landscape by, and its variables (starts and boxes are in those of the run).
        boxes: where ``rule.restart`` draws its places, shape ``(runs, variables, 2)`` or anything that spreads to it.
        seeds: of noise and places, integers; the numbers of the runs where ``None``.
        finish: how many of the steps settle, as :meth:`hilladam.AdaptiveHillAdam.finish` does: from the place of the
            lowest loss they only descend, and the final state is the mean over the second half of them.
        history: whether to keep losses, states, directions and reasons of every step.

    ``lr``, ``gamma``, ``noise``, ``heights``, ``widths`` and ``seeds`` are numbers or have the shape ``(runs,)``.

    Returns:
        The record, its states of shape ``(steps, runs, variables)``. Losses are those that the rule saw, with their
        noise; of places farther out than 10⁹ none is the best. The reasons are those of
        :data:`hilladam.optim.COURSE_REASONS`, γ counting as a lid.

    Raises:
        ValueError: numbers out of their range, shapes that do not fit, landscapes of several kinds, or a rule that
            restarts without a box.
        MissingExtra: numba is not installed.

    Example:
        >>> from hilladam.experiments import LADDER, run_landscapes
        >>> from hilladam.losses import DOUBLE_WELL
        >>> for name in ("Adam", "published", "lids in turn"):
        ...     found = run_landscapes([DOUBLE_WELL], [2.0], 1000, LADDER[name])
        ...     print(f"{name}: {found.best_states.item():.1f}")
        Adam: 1.0
        published: 1.0
        lids in turn: -1.0
    """
    compiled = _compiled_rules()
    x = np.array(starts, dtype=np.float64)
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or not x.size:
        raise ValueError(f"Invalid starts: shape {np.shape(starts)}; expected (runs,) or (runs, variables)")
    finite("starts", x)
    count, dimensions = x.shape
    steps, betas, switches = whole("steps", steps, 1), decays(betas), _switches(rule)
    finish = whole("finish", finish)
    if finish > steps - 1:
        raise ValueError(f"Invalid finish: {finish}; expected fewer than steps = {steps}")
    given = list(landscapes)
    table = _tabulate(given, dimensions)
    if len(given) not in (1, count):
        raise ValueError(f"Invalid landscapes: {len(given)}; expected one, or one for each of {count} runs")
    if rule.restart and boxes is None:
        raise ValueError("Invalid boxes: None; expected where to begin anew")
    gammas = np.asarray(rule.gamma if gamma is None else gamma, dtype=np.float64)
    if np.isnan(gammas).any():
        raise ValueError(f"Invalid gamma: {gamma}; expected numbers, or infinity")
    each = {
        "lr": finite("lr", rule.lr if lr is None else lr, least=0),
        "gamma": gammas,
        "noise": finite("noise", noise, least=0),
        "heights": finite("heights", heights, above=0),
        "widths": finite("widths", widths, above=0),
        "seeds": np.arange(count) if seeds is None else np.asarray(seeds),
    }
    if each["seeds"].dtype.kind not in "iu":
        raise ValueError(f"Invalid seeds: {seeds}; expected integers")
    for name, values in each.items():
        if values.shape not in ((), (count,)):
            raise ValueError(f"Invalid {name}: shape {values.shape}; expected a number or shape ({count},)")
    each = {name: np.array(np.broadcast_to(values, count)) for name, values in each.items()}
    box = finite("boxes", 0.0 if boxes is None else boxes)
    try:
        box = np.broadcast_to(box, (count, dimensions, 2))
    except ValueError as error:
        raise ValueError(f"Invalid boxes: {np.shape(boxes)}; expected shape {(count, dimensions, 2)}") from error
    which = np.arange(count) if len(given) == count else np.zeros(count, dtype=np.int64)
    runs = compiled.Runs(
        which=which, starts=x, low=box[..., 0].copy(), high=box[..., 1].copy(),
        **each | {"seeds": each["seeds"].astype(np.uint64)},
    )  # fmt: skip

    rows = steps if history else 0
    kinds = (float, bool, np.int8)
    losses, climbs, reasons = (np.empty((rows, count), kind) for kind in kinds)
    kept = compiled.History(losses, np.empty((rows, *x.shape)), climbs, reasons)
    ends = compiled.Kept(
        *(np.full(shape, np.nan) for shape in (count, x.shape, count, x.shape)), np.zeros(count, np.int64)
    )
    chunk = max(1, _CHUNK // steps)
    for start in range(0, count, chunk):
        compiled.run(table, runs, switches, betas, steps, finish, kept, ends, start, min(start + chunk, count))
    return Record(kept.losses, kept.states, kept.climbs, kept.reasons, *ends)


def _compiled_rules():
    with extra("fast"):
        from hilladam.experiments import _compiled_rules
    return _compiled_rules


def _switches(rule: Rule):
    one_of("kept", rule.kept, _KEPT)
    for name in ("cycle", "lid", "fall", "relative", "slopes", "restart", "in_turn"):
        check_flag(f"{name} value", getattr(rule, name))
    for name in ("delta", "eps", "kappa"):
        if not getattr(rule, name) >= 0:
            raise ValueError(f"Invalid {name}: {getattr(rule, name)}; expected a number >= 0")
    fields = _compiled_rules().Switches._fields
    plain = {name: getattr(rule, name) for name in fields} | {"kept": _KEPT.index(rule.kept)}
    return _compiled_rules().Switches(**{name: float(v) if name in fields[:3] else v for name, v in plain.items()})


def _tabulate(given, dimensions):
    """The landscapes as arrays; a kind is told by the first of them."""
    compiled = _compiled_rules()
    kinds = {
        Polynomial: compiled.POLYNOMIAL, Torus: compiled.TORUS, Wells: compiled.WELLS, SineBatches: compiled.SINE,
        Networks: compiled.NETWORK,
    }  # fmt: skip
    names = sorted({type(loss).__name__ for loss in given})
    if len(names) != 1 or type(given[0]) not in kinds:
        raise ValueError(f"Invalid landscapes: {', '.join(names) or 'none'}; expected one kind of them")
    kind = kinds[type(given[0])]
    variables = {1 if kind == compiled.POLYNOMIAL else loss.dimensions for loss in given}
    if variables != {dimensions}:
        raise ValueError(f"Invalid starts: {dimensions} variables for landscapes of {sorted(variables)}")
    if kind == compiled.SINE:
        counts = np.array([whole("size", loss.size) for loss in given])
        nothing = np.zeros((1, 1))
        return compiled.Landscapes(kind, counts, nothing, nothing[..., None], nothing, nothing[0])
    if kind in (compiled.POLYNOMIAL, compiled.NETWORK):
        polynomials = [loss if kind == compiled.POLYNOMIAL else loss.loss for loss in given]
        parts, rest = [loss.about_centre for loss in polynomials], [loss.middle for loss in polynomials]
    elif kind == compiled.TORUS:
        parts, rest = [loss.amplitudes for loss in given], [0.0] * len(given)
    else:
        parts, rest = [loss.depths for loss in given], [loss.bowl for loss in given]
    counts = np.array([len(part) for part in parts])
    width = counts.max()
    sizes, shapes = np.zeros((len(given), width)), np.ones((len(given), width))
    places = np.zeros((len(given), width, dimensions))
    for row, (loss, part, count) in enumerate(zip(given, parts, counts, strict=True)):
        if kind in (compiled.POLYNOMIAL, compiled.NETWORK):
            sizes[row, width - count :] = part
            continue
        sizes[row, :count] = part
        places[row, :count] = loss.waves if kind == compiled.TORUS else loss.centres
        shapes[row, :count] = loss.phases if kind == compiled.TORUS else loss.widths
    if kind in (compiled.POLYNOMIAL, compiled.NETWORK):
        counts = width - counts
    if kind == compiled.NETWORK:
        architectures = {loss.sizes for loss in given}
        if len(architectures) != 1 or given[0].sizes[-1] != 1:
            raise ValueError(f"Invalid sizes: {sorted(architectures)}; expected the same for all, the last of them 1")
        places = np.array(given[0].sizes, dtype=np.float64)[None, :, None]
    return compiled.Landscapes(kind, counts, sizes, places, shapes, np.array(rest, dtype=np.float64))
