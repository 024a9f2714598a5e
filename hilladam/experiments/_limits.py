"""Where Hill-ADAM loses: the rule as published on random losses, over settings, noise, precision, units, dimensions."""

import base64
import json
import math
import zlib
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from hilladam.experiments._models import Points
from hilladam.experiments._training import Record, train_in_full
from hilladam.losses import LANDSCAPES, Polynomial, Torus, Wells, random_torus, stack
from hilladam.optim import ReferenceHillAdam

STEPS, RUNS = 2000, 1000
LR, DELTA = np.geomspace(1e-3, 1, 7), np.geomspace(1e-7, 1e-1, 7)
NOISES = (1e-4, 1e-3, 1e-2, 1e-1)
OFFSETS = (0.0, 1e2, 1e3, 1e4)
LOSS_SCALES, X_SCALES = np.geomspace(1e-8, 1e8, 9), np.geomspace(1e-4, 1e4, 9)
DIMENSIONS = (1, 2, 4, 8)
FAMILIES = ("polynomials", "tori", "wells", "tori of two variables")
SEED, MAP_SEED, STOPS_SEED = 141, 142, 143
CLOSE = 1e-3
"""How far above the lowest loss, as a share of the range of losses, a state may be and still count as found."""
STEEP, SAME = 0.05, 0.2
"""Above which share of the usual slope a climb ends on a slope; and how near minima are one."""
_TOGETHER = 5_000


class LossSample(NamedTuple):
    """Losses of one family side by side, a member for each run. :func:`loss_sample` draws one.

    Example:
        >>> from hilladam.experiments import loss_sample
        >>> sample = loss_sample("tori", 3, seed=0)
        >>> sample.loss()(sample.starts).shape, sample.clusters.tolist()
        (torch.Size([3]), [0, 1, 2])
    """

    losses: Sequence[Polynomial | Torus | Wells]
    """The losses, each once."""
    clusters: np.ndarray
    """Which of them is each run's, shape ``(runs,)``."""
    starts: Tensor
    """Where each run starts, shape ``(runs, variables)``, float64."""
    low: np.ndarray
    """Each run's lowest loss, shape ``(runs,)``; NaN where nobody knows it."""
    span: np.ndarray
    """Its range of losses, likewise: from the lowest to the highest, of a polynomial's stationary points."""

    def loss(self, dtype: torch.dtype = torch.float64) -> Callable[[Tensor], Tensor]:
        """The runs' losses side by side: takes points of shape ``(runs, variables)`` to losses of shape ``(runs,)``.

        They are differentiable once. ``dtype`` is that of the points.
        """
        if isinstance(self.losses[0], Polynomial):
            return stack([self.losses[cluster] for cluster in self.clusters], dtype=dtype)
        values_and_slopes = _torus if isinstance(self.losses[0], Torus) else _wells
        parts = values_and_slopes(self.losses, torch.from_numpy(self.clusters), dtype)
        return lambda points: _WithSlopes.apply(points, parts)

    def found(self, states: np.ndarray | Tensor) -> np.ndarray:
        """Whether states of shape ``(runs, variables)`` lie within a thousandth of the range above the lowest loss."""
        losses = self.loss()(torch.as_tensor(states, dtype=torch.float64)).numpy()
        return losses <= self.low + CLOSE * self.span

    def repeated(self, times: int) -> "LossSample":
        """The same runs so many times, one after the other."""
        return LossSample(self.losses, np.tile(self.clusters, times), self.starts.repeat(times, 1),
                      np.tile(self.low, times), np.tile(self.span, times))  # fmt: skip


class _WithSlopes(torch.autograd.Function):
    """Losses whose slopes are computed with them."""

    @staticmethod
    def forward(ctx, points, both):
        values, slopes = both(points.T)
        ctx.save_for_backward(slopes)
        return values

    @staticmethod
    def backward(ctx, grad):
        return grad[:, None] * ctx.saved_tensors[0].T, None


def _padded(rows, which, dtype, fill=0.0):
    """Rows of different lengths, filled up, one for each member, with the members last."""
    width = max(len(row) for row in rows)
    full = np.full((len(rows), width, *rows[0].shape[1:]), fill)
    for place, row in zip(full, rows, strict=True):
        place[: len(row)] = row
    return torch.from_numpy(full)[which].movedim(0, -1).to(dtype).contiguous()


def _waves(losses, which, dtype):
    """The tori's amplitudes, waves and phases: (waves, members), (waves, variables, members), (waves, members)."""
    parts = ([getattr(loss, name) for loss in losses] for name in ("amplitudes", "waves", "phases"))
    return tuple(_padded(rows, which, dtype) for rows in parts)


def _torus(losses, which, dtype):
    a, w, p = _waves(losses, which, dtype)

    def both(x):
        angles = (w * x).sum(1) + p
        return (a * angles.cos()).sum(0), -((a * angles.sin())[:, None] * w).sum(0)

    return both


def _wells(losses, which, dtype):
    a = _padded([loss.depths for loss in losses], which, dtype)
    w = _padded([loss.widths for loss in losses], which, dtype, fill=1.0)
    places = _padded([loss.centres for loss in losses], which, dtype)  # (wells, variables, members)
    bowl = torch.tensor([loss.bowl for loss in losses], dtype=dtype)[which]

    def both(x):
        apart = x - places
        parts = a * torch.exp(-(apart**2).sum(1) / (2 * w**2))
        return bowl / 2 * (x**2).sum(0) - parts.sum(0), bowl * x + ((parts / w**2)[:, None] * apart).sum(0)

    return both


def loss_sample(family: str, losses: int, starts: int = 1, *, seed: int, first: int | None = None) -> LossSample:
    """Draw random losses, and places uniform in the box of each; on a polynomial, between its outermost minima.

    Args:
        family: a key of :data:`hilladam.losses.LANDSCAPES`.
        losses: how many to draw.
        starts: on each of them. Runs on one loss are not independent; with one start each, all runs are.
        seed: of losses and starts.
        first: keep only so many of the losses, with the same starts, which saves the search for their ranges.

    Raises:
        ValueError: a family that is none.

    Example:
        >>> from hilladam.experiments import loss_sample
        >>> loss_sample("wells of two variables", 2, starts=3, seed=0).starts.shape
        torch.Size([6, 2])
    """
    if family not in LANDSCAPES:
        raise ValueError(f"Invalid family: {family!r}; expected one of {tuple(LANDSCAPES)}")
    generator = np.random.default_rng([seed, list(LANDSCAPES).index(family)])
    drawn = [LANDSCAPES[family](generator) for _ in range(losses)]
    places, ranges = [], []
    for loss in drawn[:first]:
        if isinstance(loss, Polynomial):
            # Simple roots, well apart: what sympy would prove of each takes a minute for a thousand losses.
            roots = np.sort(np.roots(np.polyder(loss.about_centre)).real) + loss.middle
            box, variables, ends = (roots[0], roots[-1]), 1, (loss(roots).min(), loss(roots).max())
        else:
            box, variables = loss.box, loss.dimensions
            ends = tuple(loss.range)
        places.append(generator.uniform(*box, (starts, variables)))
        ranges.append(ends)
    low, high = np.repeat(ranges, starts, axis=0).T
    clusters, points = np.repeat(np.arange(len(ranges)), starts), torch.from_numpy(np.concatenate(places))
    return LossSample(drawn[:first], clusters, points, low, high - low)


def run_on_sample(
    sample: LossSample, steps: int = STEPS, lr: Any = 0.01, delta: Any = 1e-4, gamma: Any = 200.0, eps: Any = 1e-8, *,
    loss_noise: Any = 0.0, slope_noise: Any = 0.0, loss_scale: Any = 1.0, x_scale: Any = 1.0, offset: Any = 0.0,
    dtype: torch.dtype = torch.float64, noise_seed: int = 0, history: bool = False,
) -> Record:  # fmt: skip
    """Run Hill-ADAM, as the paper's authors set it by default, on the losses of a sample.

    A run sees the loss s·f(x/c) + offset, starts at c times its start, and its record is in those units.

    Args:
        sample: the losses and starts.
        steps: how many steps to take.
        lr, delta, gamma, eps: λ, δ, γ and ε; with δ = 0 it is Adam. These and the five below: a number, or a tensor
            with one for each run.
        loss_noise: the standard deviation of normal noise on each loss, as a share of that loss's range.
        slope_noise: likewise of the noise on each part of the gradient, as that share for each unit of x.
        loss_scale: the factor s of the loss.
        x_scale: the factor c of x.
        offset: added to every loss.
        dtype: of everything that the run computes.
        noise_seed: of the noise.
        history: whether to keep every step.

    Example:
        >>> from hilladam.experiments import loss_sample, run_on_sample
        >>> sample = loss_sample("polynomials", 5, seed=0)
        >>> run_on_sample(sample, 100).best_states.shape
        (5, 1)
    """
    loss, noise = sample.loss(dtype), torch.Generator().manual_seed(noise_seed)
    span, one = torch.from_numpy(sample.span).to(dtype), torch.ones(len(sample.starts), dtype=dtype)
    settings = [(setting * one).to(dtype) for setting in (lr, delta, gamma, eps, loss_scale, x_scale, offset)]
    lr, delta, gamma, eps, loss_scale, x_scale, offset = settings
    sigma, slope_sigma = ((level * one).to(dtype) * span for level in (loss_noise, slope_noise))
    points = Points(sample.starts.to(dtype) * x_scale[:, None])
    noisy, steep = bool((sigma > 0).any()), bool((slope_sigma > 0).any())

    def seen(x):
        values = loss_scale * loss(x / x_scale[:, None]) + offset
        if noisy:
            values = values + sigma * torch.randn(len(x), generator=noise, dtype=dtype)
        if steep:  # no loss, but a slope
            push = slope_sigma[:, None] * torch.randn(x.shape, generator=noise, dtype=dtype)
            values = values + (push * (x - x.detach())).sum(1)
        return values

    optimizer = ReferenceHillAdam(points.parameters, lr, eps=eps, delta=delta, gamma=gamma)
    return train_in_full(points, seen, optimizer, steps, history=history)


def lowest_found(sample: LossSample, steps: int = STEPS, **settings: Any) -> np.ndarray:
    """Whether the best state of each run lies at the lowest loss, for one setting after the other.

    Args:
        sample, steps, settings: as for :func:`run_on_sample`; each setting a number, or a list with one for each row.

    Returns:
        bool, shape ``(rows, runs)``.

    Example:
        >>> from hilladam.experiments import loss_sample, lowest_found
        >>> lowest_found(loss_sample("tori", 4, seed=0), 200, lr=[0.01, 0.1]).shape
        (2, 4)
    """
    same = {name: settings.pop(name) for name in ("dtype", "noise_seed") if name in settings}
    rows = np.broadcast_arrays(*map(np.atleast_1d, settings.values())) if settings else [np.zeros(1)]
    runs, found = len(sample.starts), []
    together = max(1, _TOGETHER // runs)
    for first in range(0, len(rows[0]), together):
        part = [torch.from_numpy(np.repeat(row[first : first + together], runs)) for row in rows]
        many = sample.repeated(len(part[0]) // runs)
        each = dict(zip(settings, part, strict=False))
        record = run_on_sample(many, steps, **each, **same)
        scale = each.get("x_scale", torch.ones(1)).double()
        states = torch.from_numpy(record.best_states).double() / scale[:, None]
        found.append(many.found(states).reshape(-1, runs))
    return np.concatenate(found)


class ClimbEnds(NamedTuple):
    """What became of the climbs on random tori, by loss; :func:`climb_ends` counts.

    Example:
        >>> from hilladam.experiments import climb_ends
        >>> found = climb_ends(2, losses=10, seed=0)
        >>> found.by_index.shape, found.back.shape
        ((10, 3), (10,))
    """

    by_index: np.ndarray
    """How many climbs ended where so many of the Hessian's eigenvalues are negative, ``(losses, variables + 1)``."""
    steep: np.ndarray
    """How many ended where the slope is more than a twentieth of its root mean square on the torus, ``(losses,)``."""
    back: np.ndarray
    """How many led back to the minimum that they came from, ``(losses,)``."""
    over: np.ndarray
    """How many led to another one, ``(losses,)``."""
    lower: np.ndarray
    """How many of these led to one with a lower loss, ``(losses,)``."""


def climbs_of(record: Record) -> tuple[np.ndarray, np.ndarray]:
    """Each climb between two descents: whose it is, and the steps of its bottom, its top and the next bottom.

    Returns:
        The members, shape ``(climbs,)``, and the steps, shape ``(climbs, 3)``.
    """
    members, steps = [], []
    for member in range(record.reasons.shape[1]):
        turned = np.flatnonzero(record.reasons[:, member])
        rows = [turned[k : k + 3] for k in range(len(turned) - 2) if record.maximize[turned[k], member]]
        members += [member] * len(rows)
        steps += rows
    return np.array(members, dtype=int), np.array(steps, dtype=int).reshape(-1, 3)


def climb_ends(
    variables: int, losses: int = RUNS, steps: int = STEPS, *, seed: int, first: int | None = None
) -> ClimbEnds:
    """Follow the climbs of Hill-ADAM as published on random tori, from one start on each.

    Two bottoms have the same minimum if gradient descent from them ends within a fifth of the unit of x.

    Args:
        variables: of the tori.
        losses: how many to draw.
        steps: of each run.
        seed: of losses and starts.
        first: follow only the runs on so many of the losses.

    Example:
        >>> from hilladam.experiments import climb_ends
        >>> found = climb_ends(1, losses=50, seed=0)
        >>> bool(found.back.sum() > 10 * found.over.sum())
        True
    """
    generator = np.random.default_rng([seed, variables])
    drawn = [random_torus(generator, variables) for _ in range(losses)][:first]
    losses = len(drawn)
    starts = torch.from_numpy(generator.uniform(*Torus.box, (losses, variables)))
    sample = LossSample(drawn, np.arange(losses), starts, *np.full((2, losses), math.nan))
    record = run_on_sample(sample, steps, history=True)
    members, at = climbs_of(record)
    whose = torch.from_numpy(members)
    bottoms, tops, nexts = (torch.from_numpy(record.states[at[:, k], members]) for k in range(3))
    index, slope = _at(drawn, whose, tops)
    first_minima, next_minima = (_descended(drawn, whose, points) for points in (bottoms, nexts))
    back = (first_minima - next_minima).abs().amax(1).numpy() < SAME
    lower = record.losses[at[:, 2], members] < record.losses[at[:, 0], members]

    def counted(which):
        return np.bincount(members[which], minlength=losses)

    by_index = np.stack([counted(index == k) for k in range(variables + 1)], axis=1)
    return ClimbEnds(by_index, counted(slope > STEEP), counted(back), counted(~back), counted(~back & lower))


def _at(tori, which, points):
    """The index of the Hessian at points, and the length of the gradient as a share of its root mean square."""
    a, w, p = _waves(tori, which, torch.float64)
    angles = (w * points.T).sum(1) + p
    hessian = -torch.einsum("kn,kin,kjn->nij", a * angles.cos(), w, w)
    slope = ((a * angles.sin())[:, None] * w).sum(0).norm(dim=0)
    usual = ((a**2)[:, None] * w**2).sum((0, 1)).div(2).sqrt()
    return (torch.linalg.eigvalsh(hessian) < 0).sum(1).numpy(), (slope / usual).numpy()


def _descended(tori, which, points):
    """Where gradient descent from points on tori is after 200 steps, each too short to leave a valley."""
    a, w, _ = _waves(tori, which, torch.float64)
    step = 1 / (a.abs() * (w**2).sum(1)).sum(0)  # no curvature is larger
    both, x = _torus(tori, which, torch.float64), points.T.clone()
    for _ in range(200):
        x -= both(x)[1] * step
    return x.T


def limits(progress: Callable[[str], Any] = str) -> dict[tuple, np.ndarray]:
    """Measure what the chapter on the limits of Hill-ADAM reports. Takes a quarter of an hour on one core.

    All runs take 2,000 gradients, at λ = 0.01, δ = 1e-4 and γ = 200 where nothing else is said. In all but the maps
    each run has a loss of its own, so that runs are independent: 1,000 random losses of a family, one start on each.

    - ``"published"``: Adam and Hill-ADAM;
    - ``"map"``: a row for each δ and each λ within it, 10 starts on each of 100 losses;
    - ``"loss scale"``, ``"x scale"``: the losses times 1e-8 to 1e8, x times 1e-4 to 1e4;
    - ``"noise of losses"``, ``"noise of gradients"``: a row for each of four levels;
    - ``"float32"``: in one variable, with 0, 100, 1,000 and 10,000 added to losses and γ;
    - ``"climb ends"``: with the number of variables in place of the family, what :func:`climb_ends` counts, in
      columns side by side: a column for each index, then ``steep``, ``back``, ``over`` and ``lower``.

    Args:
        progress: is told the name of each part before it begins.

    Returns:
        By name and family; bool of shape ``(rows, runs)``, whether each run found the lowest loss, unless the list
        says more.

    Example:
        What is stored was made so, by ``python tools/store_results.py limits``.

        >>> from hilladam.experiments import stored_limits
        >>> adam, hill_adam = stored_limits()["published", "tori of two variables"]
        >>> bool(hill_adam.mean() > adam.mean())
        True
    """
    found: dict[tuple, np.ndarray] = {}
    for family in FAMILIES:
        sample = limits_sample(family)
        settings: dict[str, dict[str, Any]] = {
            "published": {"delta": [0.0, 1e-4]},
            "loss scale": {"loss_scale": LOSS_SCALES},
            "x scale": {"x_scale": X_SCALES},
            "noise of losses": {"loss_noise": NOISES},
            "noise of gradients": {"slope_noise": NOISES},
        }
        if sample.starts.shape[1] == 1:
            settings["float32"] = {"offset": OFFSETS, "gamma": 200.0 + np.array(OFFSETS), "dtype": torch.float32}
        for name, each in settings.items():
            progress(f"{name}, {family}")
            found[name, family] = lowest_found(sample, **each)
        progress(f"map, {family}")
        rates = {"delta": np.repeat(DELTA, len(LR)), "lr": np.tile(LR, len(DELTA))}
        found["map", family] = lowest_found(map_sample(family), **rates)
    for variables in DIMENSIONS:
        progress(f"climb ends, {variables} variables")
        found["climb ends", variables] = _side_by_side(climb_ends(variables, seed=STOPS_SEED))
    return found


def limits_sample(family: str, first: int | None = None) -> LossSample:
    """The losses and starts of :func:`limits`, or those of the first losses, outside its maps."""
    return loss_sample(family, RUNS, seed=SEED, first=first)


def map_sample(family: str, first: int | None = None) -> LossSample:
    """Those of its maps, 10 starts on each loss."""
    return loss_sample(family, 100, 10, seed=MAP_SEED, first=first)


def choose_by_half(hits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Choose a setting for each loss by the first half of its starts, and judge it by the others.

    Many settings tie on a few starts. Of those the one counts that does best on the first halves of all losses: the
    first in a list would be a choice, too, and a poor one.

    Args:
        hits: which runs succeed, bool of shape ``(settings, losses, starts)``, with an even number of starts.

    Returns:
        The chosen settings, integers of shape ``(losses,)``, and the share of each loss's other starts from which its
        setting succeeds.

    Raises:
        ValueError: hits of another shape.

    Example:
        >>> import numpy as np
        >>> from hilladam.experiments import choose_by_half
        >>> hits = np.array([[[1, 0, 1, 0]], [[1, 1, 0, 1]]], dtype=bool)  # two settings, one loss, four starts
        >>> chosen, share = choose_by_half(hits)
        >>> chosen.tolist(), share.tolist()
        ([1], [0.5])
    """
    if np.ndim(hits) != 3 or np.shape(hits)[-1] % 2 or not np.size(hits):
        raise ValueError(f"Invalid hits: shape {np.shape(hits)}; expected (settings, losses, an even number of starts)")
    chooses, judges = (half.mean(axis=-1) for half in np.split(np.asarray(hits, dtype=float), 2, axis=-1))
    least = 1 / np.shape(hits)[-1]  # less than one start more
    chosen = (chooses + least * chooses.mean(axis=1, keepdims=True)).argmax(axis=0)
    return chosen, judges[chosen, np.arange(len(chosen))]


def _side_by_side(found: ClimbEnds) -> np.ndarray:
    # A run that trembles turns at every second step: in 2,000 gradients it makes hundreds of climbs.
    return np.column_stack([*found.by_index.T, found.steep, found.back, found.over, found.lower]).astype("<u2")


def pack(found: np.ndarray) -> list:
    """An array of bool or uint16 as its shape, and a text."""
    bits = np.packbits(found) if found.dtype == bool else found
    return [list(found.shape), found.dtype.name, base64.b64encode(zlib.compress(bits.tobytes(), 9)).decode()]


def _unpacked(shape, kind, text):
    data = zlib.decompress(base64.b64decode(text))
    if kind == "bool":
        bits = np.unpackbits(np.frombuffer(data, np.uint8), count=math.prod(shape))
        return bits.astype(bool).reshape(shape)
    return np.frombuffer(data, "<u2").reshape(shape)


def stored_limits() -> dict[tuple, np.ndarray]:
    """What :func:`limits` found, which the package stores.

    Made with ``python tools/store_results.py limits``; a chapter of the book and the tests make some of it again.

    Example:
        >>> from hilladam.experiments import stored_limits
        >>> stored_limits()["published", "tori"].shape
        (2, 1000)
    """
    rows = json.loads((files("hilladam.experiments") / "limits.json").read_text(encoding="utf-8"))
    return {(name, family): _unpacked(*packed) for name, family, *packed in rows}
