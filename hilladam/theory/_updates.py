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


class State(NamedTuple):
    """What an optimizer remembers between two steps. All of them start from the same one, which knows nothing."""

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
        lr: λ.
        momentum: μ; 0 is plain gradient descent.
        nesterov: whether to take the gradient and the momentum of the step to come, which is Nesterov's method as
            seen from the point where it takes its gradients.

    Returns:
        The step and the next state.
    """
    b = momentum * state.b + g
    return -lr * (g + momentum * b if nesterov else b), state._replace(t=state.t + 1, b=b)


def rmsprop(state: State, g, lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8) -> tuple[Any, State]:
    """``torch.optim.RMSprop``, neither centred nor with momentum. Nothing corrects the bias of v.

    Args:
        state, g: what is remembered, and the gradient.
        lr: λ.
        alpha: the decay rate of v.
        eps: ε, outside the root.

    Returns:
        The step and the next state. No step is longer than λ/√(1 − α).
    """
    v = alpha * state.v + (1 - alpha) * g * g
    return -lr * g / (v**0.5 + eps), state._replace(t=state.t + 1, v=v)


def adam(
    state: State, g, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
) -> tuple[Any, State]:
    """``torch.optim.Adam``.

    Args:
        state, g: what is remembered, and the gradient.
        lr: λ.
        betas: (β₁, β₂).
        eps: ε, outside the root.

    Returns:
        The step and the next state.
    """
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
        lr: λ.
        betas: (β₁, β₂).
        eps: ε, outside the root.
        momentum_decay: ψ of the schedule.

    Returns:
        The step and the next state.
    """
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
        beta1: β₁.
        momentum_decay: ψ.
    """
    return beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))


def radam(
    state: State, g, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
) -> tuple[Any, State]:
    """``torch.optim.RAdam``: Adam times :func:`rectification`; while there is none, momentum that divides by nothing.

    ε is added to the root of v before v is corrected.

    Args:
        state, g: what is remembered, and the gradient.
        lr: λ.
        betas: (β₁, β₂).
        eps: ε.

    Returns:
        The step and the next state.
    """
    t, m, v = _averages(state, g, betas)
    m_hat, r = m / (1 - betas[0] ** t), rectification(t, betas[1])
    scale = 1.0 if r is None else r * (1 - betas[1] ** t) ** 0.5 / (v**0.5 + eps)
    return -lr * m_hat * scale, state._replace(t=t, m=m, v=v)


def rectification(t: int, beta2: float = 0.999) -> float | None:
    """RAdam's rₜ, which rises to 1, or ``None`` as long as ρₜ, the length of the average v, is at most 5.

    Args:
        t: the step, counted from 1.
        beta2: β₂.
    """
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * t * beta2**t / (1 - beta2**t)
    if length <= 5:
        return None
    return math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))


def _averages(state: State, g, betas):
    m, v = betas[0] * state.m + (1 - betas[0]) * g, betas[1] * state.v + (1 - betas[1]) * g * g
    return state.t + 1, m, v
