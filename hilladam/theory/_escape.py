"""Does Adam cross the barrier in its first pass? Criteria that answer without running it, from the crudest on.

Each takes ``(f, x0, barrier, lr, betas)`` with arrays of settings and returns an array of bools in their common shape.
Only the stretch of the loss between the start and the barrier's top enters. Arguments and errors are those of
:func:`hilladam.theory.first_pass`, the ground truth.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hilladam._checks import finite, one_of, whole
from hilladam.theory._first_pass import first_pass, one_setting, run_adam, settings
from hilladam.theory._way_out import way_out

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from hilladam.theory._way_out import Loss

    Betas = tuple[ArrayLike, ArrayLike]


def energy_rule(f: "Loss", x0: float, barrier: float | None, lr: "ArrayLike", betas: "Betas") -> np.ndarray:
    """The baseline of a ball without friction: escape if it starts above the barrier, f(x₀) > f(x_b).

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import energy_rule
        >>> energy_rule(DOUBLE_WELL, 2.0, None, [0.01, 0.5], (0.9, 0.999)).tolist()
        [True, True]
    """
    way = way_out(f, x0, barrier)
    *_, shape = settings(lr, betas)
    return np.full(shape, float(way.value(np.asarray(way.x0))) > float(way.value(np.asarray(way.barrier))))


def turning_points(
    f: "Loss", x0: float, barrier: float | None, lr: "ArrayLike", betas: "Betas", *, start: str = "first_gradient"
) -> np.ndarray:
    """Where Equation 13 first holds: the first of the points x₀ ± nλ at which the numerator has changed sign.

    Args:
        f, x0, barrier, lr, betas: as for :func:`hilladam.theory.first_pass`; β₂ has no part in it.
        start: ``"first_gradient"`` gives the first gradient the weight β₁ᴺ, as Equations 3 and 9–13 do; ``"zero"``
            starts the average at zero, as torch and Algorithm 1 do.

    Returns:
        The points, in units of x; NaN where the numerator keeps its sign up to the barrier.

    Raises:
        ValueError: another ``start``; or as :func:`hilladam.theory.first_pass`.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import turning_points
        >>> turning_points(DOUBLE_WELL, 2.0, None, [0.01, 0.5], (0.9, 0.999)).round(3).tolist()
        [0.85, nan]
    """
    one_of("start", start, ("first_gradient", "zero"))
    way = way_out(f, x0, barrier)
    lr, beta1, _, shape = settings(lr, betas)
    first = float(way.push(0.0))
    average = np.full(lr.size, first) if start == "first_gradient" else (1 - beta1) * first
    found = np.full(lr.size, math.nan)
    open_ = np.arange(lr.size)
    for n in range(1, math.ceil(way.length / lr.min())):
        u = n * lr[open_]
        average = beta1[open_] * average + (1 - beta1[open_]) * way.push(u)
        found[open_[average <= 0]] = u[average <= 0]
        stays = (average > 0) & (u < way.length)
        found[open_[u >= way.length]] = math.nan
        open_, average = open_[stays], average[stays]
        if not open_.size:
            break
    return (way.x0 + way.direction * found).reshape(shape)


def equation_13(f: "Loss", x0: float, barrier: float | None, lr: "ArrayLike", betas: "Betas") -> np.ndarray:
    """The paper's series at equidistant points with Δx = λ: escape if Equation 13 holds nowhere before the barrier.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import equation_13
        >>> equation_13(DOUBLE_WELL, 2.0, None, [0.01, 0.5], (0.9, 0.999)).tolist()
        [False, True]
    """
    return np.isnan(turning_points(f, x0, barrier, lr, betas, start="first_gradient"))


class OnAdamsPath(NamedTuple):
    """What :func:`equation_13_on_adams_path` says, for each setting.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import equation_13_on_adams_path
        >>> said = equation_13_on_adams_path(DOUBLE_WELL, 2.0, None, [0.1, 0.5], (0.9, 0.999))
        >>> said.escapes.tolist(), said.lag.tolist()
        ([False, True], [7.0, nan])
    """

    escapes: np.ndarray
    """Whether the numerator keeps its sign until Adam is over the top (bool)."""
    lag: np.ndarray
    """How many steps after Adam's own average the numerator changes its sign; NaN where one of them never does."""


def equation_13_on_adams_path(
    f: "Loss", x0: float, barrier: float | None, lr: "ArrayLike", betas: "Betas", *, eps: float = 1e-8
) -> OnAdamsPath:
    """Equation 13 with the paper's weights, at the points where Adam really is in place of equidistant ones.

    It differs from :func:`equation_13` by the spacing alone.

    Args:
        f, x0, barrier, lr, betas, eps: as for :func:`hilladam.theory.first_pass`; so many steps are taken as there.

    Returns:
        :class:`OnAdamsPath` in the common shape of ``lr`` and ``betas``.

    Raises:
        ValueError: as :func:`hilladam.theory.first_pass`.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import equation_13, equation_13_on_adams_path
        >>> setting = DOUBLE_WELL, 2.0, None, 0.1, (0.9, 0.999)  # Adam turns back
        >>> bool(equation_13(*setting)), bool(equation_13_on_adams_path(*setting).escapes)
        (True, False)
    """
    way = way_out(f, x0, barrier)
    lr, beta1, beta2, shape = settings(lr, betas, eps)
    steps = math.ceil(2 * way.length / lr.min())
    average = np.full(lr.size, float(way.push(0.0)))
    crossed = np.zeros(lr.size, dtype=bool)
    adam, paper = np.full((2, lr.size), math.nan)  # the step at which each changes its sign
    for t, (u, step) in enumerate(run_adam(way, lr, beta1, beta2, eps, steps)):
        adam[np.isnan(adam) & (step <= 0) & ~crossed] = t
        crossed |= (u > way.length) & np.isnan(paper)
        paper[np.isnan(paper) & (average <= 0) & ~crossed] = t
        average = beta1 * average + (1 - beta1) * way.push(u)
    return OnAdamsPath(crossed.reshape(shape), (paper - adam).reshape(shape))


def equidistant(f: "Loss", x0: float, barrier: float | None, lr: "ArrayLike", betas: "Betas") -> np.ndarray:
    """Equation 13 with torch's weights in place of the paper's; still with points λ apart.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import equidistant
        >>> equidistant(DOUBLE_WELL, 2.0, None, [0.01, 0.5], (0.9, 0.999)).tolist()
        [False, True]
    """
    return np.isnan(turning_points(f, x0, barrier, lr, betas, start="zero"))


def path_average(
    f: "Loss", x0: float, barrier: float | None, lr: "ArrayLike", betas: "Betas", *, points: int = 4000
) -> np.ndarray:
    r"""The closed form of :func:`equidistant` as λ → 0: escape if f stays below its own average over the path.

    The average at x weighs the loss on the way there by how long ago it was passed, with the memory length
    ℓ₁ = λ / ln(1/β₁): f̄(x) = e^{−u/ℓ₁} f(x₀) + ∫₀ᵘ e^{−(u−w)/ℓ₁} f(x₀ + sw) dw/ℓ₁, with ``u = |x − x₀|``.

    Args:
        f, x0, barrier, lr, betas: as for :func:`hilladam.theory.first_pass`; only ℓ₁ has a part in it.
        points: how many to take on the path, at least 2; the loss is taken to be straight between them.

    Raises:
        ValueError: fewer points; or as :func:`hilladam.theory.first_pass`.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import path_average
        >>> path_average(DOUBLE_WELL, 2.0, None, [0.01, 0.5], (0.9, 0.999)).tolist()
        [False, True]
    """
    points = whole("points", points, 2)
    way = way_out(f, x0, barrier)
    lr, beta1, _, shape = settings(lr, betas)
    with np.errstate(divide="ignore"):
        memory, back = np.unique(lr / -np.log(beta1), return_inverse=True)
    memory = np.maximum(memory, 1e-9 * way.length)  # β₁ = 0 remembers nothing
    u, width = np.linspace(0.0, way.length, points, retstep=True)
    loss = way.value(way.x0 + way.direction * u)
    decay = np.exp(-width / memory)
    # f̄ − f, divided by what every straight piece adds to it, (1 − decay)·ℓ₁/width of the loss's fall over the piece.
    # Once it is lost on the way up it is lost for good, so that the top decides.
    lead = np.zeros(memory.size)
    for fall in -np.diff(loss):
        lead = decay * lead + fall
    return (lead > 0)[back].reshape(shape)


def sweeps(
    f: "Loss",
    x0: float,
    barrier: float | None,
    lr: "ArrayLike",
    betas: "Betas",
    *,
    count: int = 6,
    eps: float = 1e-8,
    every: bool = False,
) -> np.ndarray:
    """Equation 13 along points that are put where Adam's own rule puts them, by repeated correction.

    Sweep 0 is :func:`equidistant`. Each further sweep takes the gradients at the last sweep's points, computes from
    them the steps λ m̂/(√v̂ + ε), and puts its own points those steps apart. Sweep k has the first k + 1 steps of Adam
    exactly (up to ε), whatever the loss; enough sweeps are Adam itself. All sweeps run side by side, a step at a time.

    Args:
        f, x0, barrier, lr, betas, eps: as for :func:`hilladam.theory.first_pass`.
        count: how many, ≥ 0.
        every: return the verdicts of sweeps 0 … ``count``, along a new first dimension, in place of the last alone.

    Raises:
        ValueError: a negative ``count``; or as :func:`hilladam.theory.first_pass`.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import sweeps
        >>> sweeps(DOUBLE_WELL, 2.0, None, [0.01, 0.5], (0.9, 0.999), count=1, every=True).tolist()
        [[False, True], [False, True]]
    """
    count = whole("count", count)
    way = way_out(f, x0, barrier)
    lr, beta1, beta2, shape = settings(lr, betas, eps)
    wanted = slice(None) if every else slice(-1, None)
    escaped = np.zeros((count + 1, lr.size), dtype=bool)[wanted]
    stopped, running = np.zeros_like(escaped), np.arange(lr.size)
    rows, powers = np.zeros((3, count + 1, lr.size)), np.ones((2, lr.size))
    for _ in range(math.ceil(2 * way.length / lr.min())):
        rows, powers, steps = _sweep(way, lr, beta1, beta2, eps, rows, powers)
        stopped |= (steps[wanted] < 0) & ~escaped[:, running]
        escaped[:, running] |= (rows[0, wanted] > way.length) & ~stopped
        goes_on = ~(stopped | escaped[:, running]).all(axis=0)
        if not goes_on.any():
            break
        if not goes_on.all():
            running, lr, beta1, beta2 = (a[goes_on] for a in (running, lr, beta1, beta2))
            rows, powers, stopped = rows[..., goes_on], powers[:, goes_on], stopped[:, goes_on]
    return escaped.reshape(-1, *shape) if every else escaped.reshape(shape)


def sweep_path(f: "Loss", x0: float, barrier: float | None, lr: float, betas: tuple[float, float], steps: int, *,
               count: int = 6, eps: float = 1e-8) -> np.ndarray:  # fmt: skip
    """The points of sweeps 0 … ``count`` for one setting.

    Args:
        f, x0, barrier, lr, betas, eps: as for :func:`hilladam.theory.first_pass`, of one setting.
        steps: how many, ≥ 0.
        count: how many sweeps, as for :func:`sweeps`.

    Returns:
        Positions in units of x, float64, shape ``(count + 1, steps + 1)``.

    Raises:
        ValueError: more than one setting, or a negative count; or as :func:`hilladam.theory.first_pass`.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import sweep_path
        >>> sweep_path(DOUBLE_WELL, 2.0, None, 0.1, (0.9, 0.999), 3, count=1).round(4).tolist()
        [[2.0, 1.9, 1.8, 1.7], [2.0, 1.9, 1.8009, 1.7035]]
    """
    steps, count = whole("steps", steps), whole("count", count)
    way = way_out(f, x0, barrier)
    lr, beta1, beta2 = one_setting(lr, betas, eps)
    rows, powers = np.zeros((3, count + 1, 1)), np.ones((2, 1))
    travelled = [rows[0, :, 0]]
    for _ in range(steps):
        rows, powers, _ = _sweep(way, lr, beta1, beta2, eps, rows, powers)
        travelled.append(rows[0, :, 0])
    return way.x0 + way.direction * np.array(travelled).T


def _sweep(way, lr, beta1, beta2, eps, rows, powers):
    """One step of every sweep, and the steps that its gradients call for, which the next sweep takes."""
    u, m, v = rows
    push = way.push(np.minimum(u, way.length))  # a path that has crossed waits at the top, where the slope is zero
    m = beta1 * m + (1 - beta1) * push
    v = beta2 * v + (1 - beta2) * push**2
    powers = powers * (beta1, beta2)
    step = lr * (m / (1 - powers[0])) / (np.sqrt(v / (1 - powers[1])) + eps)
    u = u + np.vstack([lr[None], step[:-1]])
    return np.stack([u, m, v]), powers, step


def continuous_limit(
    f: "Loss",
    x0: float,
    barrier: float | None,
    lr: "ArrayLike",
    betas: "Betas",
    *,
    eps: float = 1e-8,
    fineness: int = 2000,
) -> np.ndarray:
    """Adam with ever smaller steps and ever longer memory: λ/n, β₁^(1/n), β₂^(1/n).

    That leaves the two memory lengths ℓᵢ = λ/ln(1/βᵢ) as they are, and nothing else of the settings matters.

    Args:
        f, x0, barrier, lr, betas, eps: as for :func:`hilladam.theory.first_pass`.
        fineness: n is chosen so that a step of λ/n is at most 1/``fineness`` of the way to the barrier; > 0.

    Raises:
        ValueError: another ``fineness``; or as :func:`hilladam.theory.first_pass`.

    Example:
        >>> from hilladam.losses import DOUBLE_WELL
        >>> from hilladam.theory import continuous_limit
        >>> continuous_limit(DOUBLE_WELL, 2.0, None, [0.01, 0.5], (0.9, 0.999)).tolist()
        [False, True]
    """
    finite("fineness", fineness, above=0)
    way = way_out(f, x0, barrier)
    lr, beta1, beta2, shape = settings(lr, betas)
    n = np.maximum(np.ceil(lr * fineness / way.length), 1)
    passes = first_pass(f, x0, barrier, lr / n, (beta1 ** (1 / n), beta2 ** (1 / n)), eps=eps)
    return passes.first.reshape(shape)
