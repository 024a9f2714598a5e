"""The compiled engine: many runs of Adam and Hill-ADAM on polynomials, with the same bits on every machine."""

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import ArrayLike
from tqdm.auto import tqdm

from hilladam._extras import extra
from hilladam.experiments._models import ACTIVATIONS, Points, StackedMLP
from hilladam.experiments._training import Record, train
from hilladam.losses import Polynomial, stack
from hilladam.optim import ReferenceHillAdam

_CHUNK = 2**23
"""How many parameters to move before looking up: some tenths of a second, after which Ctrl-C counts."""


def run_points(
    losses: Polynomial | Sequence[Polynomial],
    starts: ArrayLike,
    steps: int,
    lr: ArrayLike = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: ArrayLike = 1e-8,
    *,
    eps_root: ArrayLike = 0.0,
    delta: ArrayLike = 1e-4,
    gamma: ArrayLike = 200.0,
    floor: ArrayLike = -np.inf,
    bias_correction: str = "copied",
    history: bool = True,
    threads: int = 1,
    progress: str = "",
) -> Record:
    """Move points on polynomials, compiled: what :func:`train` does with :class:`Points` and the reference, faster.

    Everything is float64, and every operation rounds in one way only, in a fixed order: a run has the same bits on
    every CPU, alone or among others, on any number of threads, and in the explorers of the book. From
    :class:`~hilladam.optim.ReferenceHillAdam` and :class:`torch.optim.Adam` it differs by rounding, which a climb away
    from a minimum magnifies. Where numba is not installed, :func:`train` and the reference do the same work, some
    ten times slower, and with the rounding of the machine.

    An array gives every member a value of its own, so that one call computes a map over starts and settings; a member
    with δ = 0 and no floor is Adam. A step of a point takes some 30 ns.

    Ctrl-C ends the runs and keeps the steps that were complete, with a warning, as in :func:`train`.

    Args:
        losses: one polynomial for all members, or one for each.
        starts: shape ``(members,)``.
        steps: how many steps to take, at least 1.
        lr, betas, eps, eps_root, delta, gamma, floor, bias_correction: as for
            :class:`~hilladam.optim.ReferenceHillAdam`; all but ``betas`` and ``bias_correction`` a number or an array
            of shape ``(members,)``.
        history: whether to keep the losses, states and directions of every step: 18 bytes a step and member. Without,
            those arrays have no rows.
        threads: over how many CPU threads to deal out the members.
        progress: the label of a progress bar; none without.

    Returns:
        The record, its states of shape ``(steps, members)``.

    Raises:
        ValueError: fewer than one step, thread or member, a shape that does not fit, or a number out of its range.

    Example:
        >>> from hilladam.experiments import run_points
        >>> from hilladam.losses import TABLE_1
        >>> record = run_points(TABLE_1["tenth"], [2.5, 2.5], 2000, lr=0.05, delta=[0.0, 1e-4], history=False)
        >>> record.best_states.round(1).tolist()  # Adam stops in the nearest of five wells; Hill-ADAM finds the deepest
        [3.1, 5.0]
        >>> record.turns.tolist()
        [0, 46]
    """
    x = np.array(starts, dtype=np.float64)
    if x.ndim != 1 or not len(x):
        raise ValueError(f"Invalid starts: shape {x.shape}; expected (members,), at least one")
    settings = dict(lr=lr, eps=eps, eps_root=eps_root, delta=delta, gamma=gamma, floor=floor)
    return _run(lambda: arithmetic().points, (), Points(torch.from_numpy(x)), losses, x[:, None], steps, betas,
                settings, bias_correction, history, threads, progress)  # fmt: skip


def run_networks(
    losses: Polynomial | Sequence[Polynomial],
    seeds: Sequence[int],
    steps: int,
    lr: ArrayLike = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: ArrayLike = 1e-8,
    *,
    sizes: Sequence[int] = (6, 4, 3, 1),
    activation: str = "none",
    scale: ArrayLike = 1.0,
    eps_root: ArrayLike = 0.0,
    delta: ArrayLike = 1e-4,
    gamma: ArrayLike = 200.0,
    floor: ArrayLike = -np.inf,
    bias_correction: str = "copied",
    history: bool = True,
    threads: int = 1,
    progress: str = "",
) -> Record:
    """Train networks on polynomials of their output, compiled: :func:`train` with :class:`StackedMLP`, but faster.

    As :func:`run_points`, with :func:`network`'s initial weights (PyTorch's default initialisation, drawn in float32)
    and an input of ones. With no activation or ReLU the bits are the same on every machine; tanh and sigmoid come from
    the machine's mathematics library, so that with them they are equal up to rounding.

    Args:
        seeds: of the initial weights, one for each member; a seed may occur more than once.
        sizes: the widths of the layers, the last one 1; the default is Figure 1's.
        activation: a key of :data:`ACTIVATIONS`.
        scale: what to multiply the initial weights by; a number, or an array of shape ``(members,)``.
        losses, steps, lr, betas, eps, eps_root, delta, gamma, floor, bias_correction, history, threads, progress: as
            for :func:`run_points`.

    Returns:
        The record, its states of shape ``(steps, members, 1)``.

    Raises:
        ValueError: as for :func:`run_points`, an unknown activation, a scale that is not finite and above 0, or a
            network with more than one output.

    Example:
        >>> from hilladam.experiments import run_networks
        >>> from hilladam.losses import TABLE_1
        >>> record = run_networks(TABLE_1["sixth"], [0, 1, 2], 2000, lr=0.01, gamma=200.0, history=False)
        >>> record.best_losses.round(2).tolist()
        [2.89, 2.89, 2.89]
    """
    if len(sizes) < 2 or sizes[-1] != 1:
        raise ValueError(f"Invalid sizes: {tuple(sizes)}; expected at least two, the last one 1")
    if not len(seeds):
        raise ValueError("Invalid seeds: none; expected at least one")
    model = StackedMLP(seeds, sizes, activation, scale=scale)
    weights = model.parameters[0].detach().numpy()
    settings = dict(lr=lr, eps=eps, eps_root=eps_root, delta=delta, gamma=gamma, floor=floor)
    network = tuple(sizes), list(ACTIVATIONS).index(activation)
    return _run(lambda: arithmetic().networks, network, model, losses, weights, steps, betas, settings,
                bias_correction, history, threads, progress)  # fmt: skip


def arithmetic():
    """The compiled functions; numba is imported here and not before."""
    with extra("fast"):
        from hilladam.experiments import _compiled_arithmetic
    return _compiled_arithmetic


def can_compile() -> bool:
    """Whether numba is installed, and for this version of numpy."""
    try:
        arithmetic()
    except ImportError:
        return False
    return True


def _run(kernel, network, model, losses, x, steps, betas, settings, bias_correction, history, threads,
         progress) -> Record:  # fmt: skip
    members = len(x)
    for name, number in (("steps", steps), ("threads", threads)):
        if number < 1:
            raise ValueError(f"Invalid {name}: {number}; expected at least 1")
    for name, value in settings.items():
        if np.shape(value) not in ((), (members,)):
            raise ValueError(f"Invalid {name}: shape {np.shape(value)}; expected a number or shape ({members},)")
    given = [losses] if isinstance(losses, Polynomial) else list(losses)
    if len(given) not in (1, members):
        raise ValueError(
            f"Invalid losses: {len(given)} polynomials; expected one, or one for each of {members} members"
        )
    # The reference says what is out of range.
    ReferenceHillAdam([torch.empty(members, 0)], betas=betas, bias_correction=bias_correction, **settings)
    settings = {name: np.full(members, value, dtype=np.float64) for name, value in settings.items()}
    if not can_compile():
        tensors = {name: torch.from_numpy(value) for name, value in settings.items()}
        optimizer = ReferenceHillAdam(model.parameters, betas=betas, bias_correction=bias_correction, **tensors)
        loss = stack(given * (members // len(given)))
        return train(model, loss, optimizer, steps, history=history, progress=progress)
    compiled, each = kernel(), arithmetic().Settings(**settings)

    rows = steps if history else 0
    kept = arithmetic().History(*(np.empty((rows, members), kind) for kind in (float, float, bool, np.int8)))
    state = _start(x)
    shared = _tabulate(given, members), each, tuple(map(float, betas)), bias_correction == "in_place", state, kept
    parts = list(pairwise(np.linspace(0, members, threads + 1).astype(int).tolist()))
    done = [np.zeros(1, dtype=np.int64) for _ in parts]  # the kernel counts, so that no interrupt comes in between

    def advance(part, count):
        compiled(*shared, count, done[part], *parts[part], *network)

    chunk = max(1, _CHUNK * threads // x.size)
    try:
        with ThreadPoolExecutor(threads) as pool, tqdm(total=steps, desc=progress, disable=not progress,
                                                       leave=False) as bar:  # fmt: skip
            while (count := min(chunk, steps - int(done[0][0]))) > 0:
                list((pool.map if threads > 1 else map)(advance, range(threads), [count] * threads))
                bar.update(count)
    except KeyboardInterrupt:
        complete = max(int(count[0]) for count in done)
        if not complete:
            raise
        for part, count in enumerate(done):
            advance(part, complete - int(count[0]))
        kept = [rows[:complete] for rows in kept]
        warnings.warn(f"Interrupted: the record ends after {complete} of {steps} steps", RuntimeWarning, stacklevel=3)
    losses, states, maximize, reasons = kept
    outputs = states, state.best_output, state.output
    if network:  # whose one output is a dimension
        outputs = tuple(output[..., None] for output in outputs)
    states, best, final = outputs
    return Record(losses, states, maximize, reasons, state.best_loss, best, state.loss, final, state.turns)


def _start(x: np.ndarray):
    members = len(x)
    return arithmetic().State(
        x=x.copy(), m=np.zeros_like(x), v=np.zeros_like(x), power1=np.ones(members), power2=np.ones(members),
        climbs=np.zeros(members, bool), previous=np.full(members, np.nan), turns=np.zeros(members, np.int64),
        loss=np.empty(members), output=np.empty(members),
        best_loss=np.full(members, np.inf), best_output=np.full(members, np.nan),
    )  # fmt: skip


def _tabulate(given: Sequence[Polynomial], members: int):
    different = {id(loss): loss for loss in given}
    place = {key: row for row, key in enumerate(different)}
    width = 1 + max(loss.degree for loss in different.values())
    coefficients = np.zeros((len(different), width))
    for row, loss in zip(coefficients, different.values(), strict=True):
        row[width - 1 - loss.degree :] = loss.about_centre
    return arithmetic().Losses(
        coefficients,
        first=np.array([width - 1 - loss.degree for loss in different.values()]),
        centres=np.array([loss.middle for loss in different.values()]),
        which=np.full(members, [place[id(loss)] for loss in given]),
    )
