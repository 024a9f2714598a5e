"""The updates of Adam's neighbours in one notation: torch's optimizers, as pure functions that can be read.

Each takes a :class:`State` and a gradient, and returns the step, which is to be added to x, and the next state::

    state = State()
    for _ in range(steps):
        step, state = adam(state, slope(x))
        x = x + step

Gradients are numbers, arrays or tensors, elementwise; the defaults are torch's, but for SGD's momentum.
"""

import math
from typing import Any, NamedTuple

from hilladam._checks import decay, decays, finite, whole


class State(NamedTuple):
    """What an optimizer remembers between two steps. All of them start from the same one, which knows nothing.

    Example:
        >>> from hilladam.theory import State, adam
        >>> step, state = adam(State(), 4.0, lr=0.1)
        >>> state.t, round(state.m, 6), round(state.v, 6)
        (1, 0.4, 0.016)
    """

    t: int = 0
    """How many steps have been taken."""
    b: Any = 0.0
    """The sum of fading gradients that momentum keeps."""
    m: Any = 0.0
    """The running average of the gradient."""
    v: Any = 0.0
    """The running average of its square."""
    product: float = 1.0
    """NAdam's μ₁ μ₂ … μₜ."""


def sgd(state: State, g, lr: float = 1e-3, momentum: float = 0.9, nesterov: bool = False) -> tuple[Any, State]:
    """``torch.optim.SGD`` without dampening.

    Args:
        state, g: what is remembered, and the gradient.
        lr: λ ≥ 0.
        momentum: μ ≥ 0; 0 is plain gradient descent.
        nesterov: whether to take the gradient and the momentum of the step to come, which is Nesterov's method as
            seen from the point where it takes its gradients.

    Returns:
        The step and the next state.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> from hilladam.theory import State, sgd
        >>> step, state = sgd(State(), 4.0, lr=0.1)
        >>> step, state = sgd(state, 4.0, lr=0.1)
        >>> round(step, 6)
        -0.76
    """
    _at_least_0(lr=lr, momentum=momentum)
    b = momentum * state.b + g
    return -lr * (g + momentum * b if nesterov else b), state._replace(t=state.t + 1, b=b)


def rmsprop(state: State, g, lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8) -> tuple[Any, State]:
    """``torch.optim.RMSprop``, neither centred nor with momentum. Nothing corrects the bias of v.

    Args:
        state, g: what is remembered, and the gradient.
        lr: λ ≥ 0.
        alpha: the decay rate of v, in [0, 1).
        eps: ε ≥ 0, outside the root.

    Returns:
        The step and the next state. No step is longer than λ/√(1 − α).

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> from hilladam.theory import State, rmsprop
        >>> step, state = rmsprop(State(), 4.0)
        >>> round(step, 6)
        -0.1
    """
    decay("alpha", alpha)
    _at_least_0(lr=lr, eps=eps)
    v = alpha * state.v + (1 - alpha) * g * g
    return -lr * g / (v**0.5 + eps), state._replace(t=state.t + 1, v=v)


def adam(
    state: State, g, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
) -> tuple[Any, State]:
    """``torch.optim.Adam``.

    Args:
        state, g: what is remembered, and the gradient.
        lr: λ ≥ 0.
        betas: (β₁, β₂), each in [0, 1).
        eps: ε ≥ 0, outside the root.

    Returns:
        The step and the next state.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> from hilladam.theory import State, adam
        >>> step, state = adam(State(), 4.0)
        >>> round(step, 6)
        -0.001
    """
    _at_least_0(lr=lr, eps=eps)
    t, m, v = _averages(state, g, betas)
    m_hat, v_hat = m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)
    return -lr * m_hat / (v_hat**0.5 + eps), state._replace(t=t, m=m, v=v)


def nadam(
    state: State,
    g,
    lr: float = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    momentum_decay: float = 4e-3,
) -> tuple[Any, State]:
    """``torch.optim.NAdam``: Adam whose mean gives the gradient of this step more weight, by a schedule.

    The schedule :func:`nadam_momentum` weighs m and the gradient, but does not make m, which keeps β₁.

    Args:
        state, g: what is remembered, and the gradient.
        lr: λ ≥ 0.
        betas: (β₁, β₂), each in [0, 1).
        eps: ε ≥ 0, outside the root.
        momentum_decay: ψ ≥ 0 of the schedule.

    Returns:
        The step and the next state.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> from hilladam.theory import State, nadam
        >>> step, state = nadam(State(), 4.0)
        >>> round(step, 6)
        -0.002113
    """
    _at_least_0(lr=lr, eps=eps, momentum_decay=momentum_decay)
    t, m, v = _averages(state, g, betas)
    now, then = (nadam_momentum(s, betas[0], momentum_decay) for s in (t, t + 1))
    product = state.product * now
    m_bar = then * m / (1 - product * then) + (1 - now) * g / (1 - product)
    v_hat = v / (1 - betas[1] ** t)
    return -lr * m_bar / (v_hat**0.5 + eps), state._replace(t=t, m=m, v=v, product=product)


def nadam_momentum(t: int, beta1: float = 0.9, momentum_decay: float = 4e-3) -> float:
    """NAdam's μₜ = β₁ (1 − 0.96^(tψ) / 2), which rises from β₁/2 to β₁.

    Args:
        t: the step, counted from 1.
        beta1: β₁ in [0, 1).
        momentum_decay: ψ ≥ 0.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> from hilladam.theory import nadam_momentum
        >>> [round(nadam_momentum(t), 3) for t in (1, 1000, 100_000)]
        [0.45, 0.518, 0.9]
    """
    whole("t", t, 1)
    decay("beta1", beta1)
    _at_least_0(momentum_decay=momentum_decay)
    return beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))


def radam(
    state: State, g, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
) -> tuple[Any, State]:
    """``torch.optim.RAdam``: Adam times :func:`rectification`; while there is none, momentum that divides by nothing.

    ε is added to the root of v before v is corrected.

    Args:
        state, g: what is remembered, and the gradient.
        lr: λ ≥ 0.
        betas: (β₁, β₂), each in [0, 1).
        eps: ε ≥ 0.

    Returns:
        The step and the next state.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> from hilladam.theory import State, radam
        >>> step, state = radam(State(), 4.0)
        >>> round(step, 6)
        -0.004
    """
    _at_least_0(lr=lr, eps=eps)
    t, m, v = _averages(state, g, betas)
    m_hat, r = m / (1 - betas[0] ** t), rectification(t, betas[1])
    scale = 1.0 if r is None else r * (1 - betas[1] ** t) ** 0.5 / (v**0.5 + eps)
    return -lr * m_hat * scale, state._replace(t=t, m=m, v=v)


def rectification(t: int, beta2: float = 0.999) -> float | None:
    """RAdam's rₜ, which rises to 1, or ``None`` as long as ρₜ, the length of the average v, is at most 5.

    Args:
        t: the step, counted from 1.
        beta2: β₂ in [0, 1).

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> from hilladam.theory import rectification
        >>> rectification(5), round(rectification(6), 3), round(rectification(10_000), 3)
        (None, 0.026, 1.0)
    """
    whole("t", t, 1)
    decay("beta2", beta2)
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * t * beta2**t / (1 - beta2**t)
    if length <= 5:
        return None
    return math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))


def _at_least_0(**numbers):
    for name, number in numbers.items():
        finite(name, number, least=0)


def _averages(state: State, g, betas):
    beta1, beta2 = decays(betas)
    return state.t + 1, beta1 * state.m + (1 - beta1) * g, beta2 * state.v + (1 - beta2) * g * g
