"""Adam's step as a function of the gradients alone, and the largest step that there can be."""

import math
from typing import TYPE_CHECKING

import numpy as np

from hilladam._checks import decays, finite, steps_of, whole
from hilladam.theory._averages import moving_average

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def step_series(
    grads: "ArrayLike",
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    *,
    start: str = "zero",
    eps_root: float = 0.0,
) -> np.ndarray:
    """Every step that Adam takes on given gradients: −λ Σ aₖgₖ / (√(Σ bₖgₖ²) + ε).

    The defaults are those of ``torch.optim.Adam``. Equation 12 of the paper is ``betas=(β, β), start="first", eps=0,
    eps_root=1e-8``, and leaves out the minus sign.

    Args:
        grads: shape ``(..., t)``, the oldest first, real numbers.
        lr: λ, in the unit of x per step.
        betas: (β₁, β₂), each in [0, 1), for the numerator's weights a and the denominator's b.
        eps: ε ≥ 0 outside the root, in the unit of the gradients.
        start: of both averages, see :func:`weights`.
        eps_root: ε ≥ 0 inside the root, in the unit of the squared gradients.

    Returns:
        float64 of the same shape: the step taken after each gradient. NaN where the denominator is zero, which takes
        ε = 0 and no gradient other than zero so far.

    Raises:
        ValueError: no gradients, a number out of its range, or another start.

    Example:
        >>> from hilladam.theory import step_series
        >>> step_series([4.0, 4.0, 0.0], lr=0.1).round(4).tolist()
        [-0.1, -0.1, -0.0773]
    """
    (beta1, beta2), grads = decays(betas), steps_of("grads", grads)
    for name, number in (("lr", lr), ("eps", eps), ("eps_root", eps_root)):
        finite(name, number, least=0)
    mean, square = moving_average(grads, beta1, start), moving_average(grads**2, beta2, start)
    with np.errstate(invalid="ignore"):
        return -lr * mean / (np.sqrt(square + eps_root) + eps)


def largest_step(t: "ArrayLike", betas: tuple[float, float] = (0.9, 0.999)):
    """The largest ``|step|/λ`` that any ``t`` gradients can make Adam take as its t-th step, as ε → 0.

    By Cauchy and Schwarz it is √(Σ aₖ²/bₖ), and :func:`extremal_gradients` attain it.

    Args:
        t: the step, counted from 1: a finite number or an array of any shape.
        betas: (β₁, β₂), each in (0, 1).

    Returns:
        (1−β₁)/√(1−β₂) · √((1−β₂ᵗ)(1−qᵗ)/(1−q))/(1−β₁ᵗ) with q = β₁²/β₂, shaped like ``t``. It lies below
        :func:`step_supremum` at every t.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> from hilladam.theory import largest_step
        >>> largest_step([1, 10, 1000]).round(3).tolist()
        [1.0, 1.043, 5.781]
    """
    beta1, beta2 = _inside(betas)
    t, q = finite("t", t, least=1), beta1**2 / beta2
    with np.errstate(over="ignore"):
        terms = t if q == 1 else np.expm1(t * math.log(q)) / (q - 1)  # exact also where q is close to 1
    return (1 - beta1) / (1 - beta1**t) * np.sqrt(terms * (1 - beta2**t) / (1 - beta2))


def step_supremum(betas: tuple[float, float] = (0.9, 0.999)) -> float:
    """What ``|step|/λ`` can come arbitrarily close to and never exceed: (1−β₁)/√((1−β₂)(1−β₁²/β₂)), or ∞ for β₁² ≥ β₂.

    Args:
        betas: (β₁, β₂), each in (0, 1).

    Raises:
        ValueError: a β out of its range.

    Example:
        >>> from hilladam.theory import step_supremum
        >>> round(step_supremum(), 3), step_supremum((0.9, 0.8))
        (7.27, inf)
    """
    beta1, beta2 = _inside(betas)
    q = beta1**2 / beta2
    return (1 - beta1) / math.sqrt((1 - beta2) * (1 - q)) if q < 1 - 1e-12 else math.inf


def extremal_gradients(t: int, betas: tuple[float, float] = (0.9, 0.999), *, last: float = 1.0) -> np.ndarray:
    """The gradients that make the t-th step as large as :func:`largest_step` says: gₖ = (β₂/β₁)ᵏ up to a factor.

    Args:
        t: how many, at least 1.
        betas: (β₁, β₂), each in (0, 1). For β₂ > β₁ the gradients grow, for β₂ < β₁ they shrink.
        last: the newest of them, a finite number.

    Returns:
        float64 of shape ``(t,)``. The oldest underflow to zero where they are too small to matter.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> from hilladam.theory import extremal_gradients
        >>> extremal_gradients(3, (0.4, 0.8), last=4).tolist()
        [1.0, 2.0, 4.0]
    """
    beta1, beta2 = _inside(betas)
    return finite("last", last) * (beta1 / beta2) ** np.arange(whole("t", t, 1) - 1, -1, -1.0)


def _inside(betas):
    beta1, beta2 = decays(betas)
    if not (beta1 and beta2):
        raise ValueError(f"Invalid betas: {betas}; expected numbers in (0, 1)")
    return beta1, beta2
