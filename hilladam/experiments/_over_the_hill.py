"""Over the hill without torch: the same rule and the same directions for a loss of numpy arrays, one run at a time."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from hilladam.optim import OverTheHill
from hilladam.optim._frame import LARGEST_FRAME, directions, normal_direction, orthogonal_frame
from hilladam.optim._trek import DESCEND, HOME, NEXT, ONWARD, RENEW, RETRY, WALK, Trek, guide


class Journey(NamedTuple):
    """What :class:`hilladam.OverTheHill` did, evaluation by evaluation.

    Example:
        >>> from hilladam.experiments import journey
        >>> from hilladam.losses import Torus
        >>> taken = journey(Torus([-1.0, -1.0], [[1, 0], [0, 1]], [0.0, 0.0]), [2.0, 0.5], 40)
        >>> taken.places.shape, bool(taken.losses.min() < -1.9)
        ((40, 2), True)
    """

    places: np.ndarray
    """Where the loss was evaluated, shape ``(evaluations, variables)``."""
    losses: np.ndarray
    """The losses there, shape ``(evaluations,)``."""
    walking: np.ndarray
    """Whether the step to each place belonged to a walk, bool, shape ``(evaluations,)``."""
    origins: np.ndarray
    """Where that step began: at the place before, at the centre, or, where a step was taken back, where that had begun;
    shape ``(evaluations, variables)``."""


def journey(function: Callable, start: np.ndarray, evaluations: int, **settings) -> Journey:
    """Run the optimizer of torch on a loss of points, and keep where it was.

    Args:
        function: takes a tensor of shape ``(variables,)`` to the loss, differentiably.
        start: shape ``(variables,)``.
        evaluations: how many.
        settings: for :class:`hilladam.OverTheHill`.

    Returns:
        The journey.

    Example:
        >>> from hilladam.experiments import journey
        >>> taken = journey(lambda x: (x**2).sum(), [3.0, 4.0], 100)
        >>> float(taken.losses[0]), bool(taken.walking.any())
        (25.0, True)
    """
    x = torch.nn.Parameter(torch.as_tensor(start, dtype=torch.float64).clone())
    optimizer = OverTheHill([x], **settings)
    places, losses, walking, origins = [], [], [False], [x.tolist()]
    for _ in range(evaluations):
        optimizer.zero_grad()
        loss = function(x)
        loss.backward()
        places.append(x.tolist())
        losses.append(loss.item())
        optimizer.step(loss=loss)
        group, state = optimizer.param_groups[0], optimizer.state[x]
        walking.append(group["maximize"])
        begun = places[-1] if group["walked"] else state["centre"].tolist()
        origins.append(begun if group["maximize"] else state["previous"].tolist())
    return Journey(np.array(places), np.array(losses), np.array(walking[:-1]), np.array(origins[:-1]))


def walk_over(
    function: Callable[[np.ndarray], tuple[float, np.ndarray]],
    start: np.ndarray,
    evaluations: int,
    *,
    lr: float = 1e-4,
    betas: tuple[float, float] = (0.9, 0.999),
    delta: float = 3e-3,
    kappa: float = 0.0,
    seed: int = 0,
    trek: Trek | None = None,
) -> tuple[float, np.ndarray]:
    """Run :class:`hilladam.OverTheHill` on a function of numpy arrays, some twenty times as fast as through torch.

    Args:
        function: takes an array of shape ``(variables,)`` to the loss and its gradient.
        start: shape ``(variables,)``.
        evaluations: how many; a function that raises ends the run sooner, and what it raised passes through.
        lr, betas, delta, kappa, seed: as for the class.
        trek: what the rule remembers at the beginning; default: nothing.

    Returns:
        The lowest loss, and its place.

    Example:
        >>> import numpy as np
        >>> from hilladam.experiments import walk_over
        >>> from hilladam.losses import random_suite_loss
        >>> f = random_suite_loss("Rastrigin", np.random.default_rng(0), 2)
        >>> lowest, place = walk_over(f.value_and_gradient, np.array([4.0, -4.0]), 2000)
        >>> lowest < 0.1
        True
    """
    x = np.array(start, dtype=float)
    d, (beta1, beta2) = len(x), betas
    trek, walking = trek or Trek(), False
    centre, previous, gradient, way = x.copy(), x.copy(), np.zeros(d), np.zeros(d)
    average, square, steps = np.zeros(d), np.zeros(d), 0
    best, place, frame, drawn = math.inf, x.copy(), np.empty((d, 0)), -1
    for _ in range(evaluations):
        loss, slopes = function(x)
        if loss < best:
            best, place = loss, x.copy()
        if walking:
            slope, bend = lr * float(slopes @ way), 0.0
        else:
            step = x - previous
            slope, bend = float((gradient + slopes) @ step) / 2, float((slopes - gradient) @ step) / 2
        trek, walking, move, reason, rose = guide(trek, walking, loss, slope, bend, delta, kappa, directions(d))
        if move != DESCEND or reason:
            average, square, steps = np.zeros(d), np.zeros(d), 0
        elif rose:
            average = np.zeros(d)
        if move == ONWARD:
            ahead = (x - centre) / lr
            most = np.abs(ahead).max()
            if 0 < most < math.inf:
                way = ahead / most
            else:
                move = RENEW
        if move in (ONWARD, RENEW):
            centre = x.copy()
        if move in (NEXT, RENEW):
            tried = max(trek.tried, 0)
            if d <= LARGEST_FRAME:
                if trek.frame != drawn:
                    frame, drawn = orthogonal_frame(seed, trek.frame, d).numpy(), trek.frame
                way = frame[:, tried // 2 % d]
            else:
                way = normal_direction(seed, trek.frame, tried // 2, d).numpy()
            way = way / np.abs(way).max() * (1 - 2 * (tried % 2))
        if move in (DESCEND, RETRY):
            if move == RETRY:
                x, slopes = previous, gradient
            previous, gradient = x, np.asarray(slopes, dtype=float)
            steps += 1
            average = average + (1 - beta1) * (gradient - average)
            square = beta2 * square + (1 - beta2) * gradient * gradient
            root = np.sqrt(square / (1 - beta2**steps))
            ratio = np.divide(average / (1 - beta1**steps), root, out=np.zeros(d), where=root > 0)
            x = x - trek.scale * lr * ratio
        elif move == HOME:
            x = previous = centre.copy()
        else:
            x = (x if move == WALK else centre) + trek.pace * lr * way
    return best, place
