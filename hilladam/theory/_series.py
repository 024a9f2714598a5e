"""Equations 4–12: momentum, variance and step as series over equidistant points, for a given loss."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import sympy as sp

from hilladam._checks import decay, finite, whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Number = sp.Expr | float
"""A number or a symbol."""


def momentum_series(f: sp.Expr, x: sp.Symbol, x0: Number, dx: Number, n: Number, beta: Number) -> sp.Expr:
    """The momentum after visiting x₀, x₀ + Δx, …, x₀ + NΔx (Equation 10).

    Args:
        f: the loss, an expression in ``x``.
        x: its variable.
        x0, dx: the first point and the distance of neighbours, with its sign; numbers or symbols.
        n: N, the number of moves; an integer ≥ 0 or a symbol, for which the sum stays a sum. ``.doit()`` evaluates it.
        beta: β, a number in [0, 1) or a symbol.

    Returns:
        βᴺ f′(x₀) + Σₙ βᴺ⁻ⁿ (1−β) f′(x₀ + nΔx), n from 1 to N.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> import sympy
        >>> from hilladam.theory import momentum_series
        >>> x, beta = sympy.symbols("x beta")
        >>> sympy.factor(momentum_series(x**2 / 2, x, x0=1, dx=-1, n=1, beta=beta).doit())
        beta
    """
    return _average(sp.diff(f, x), x, x0, dx, n, beta)


def variance_series(f: sp.Expr, x: sp.Symbol, x0: Number, dx: Number, n: Number, beta: Number) -> sp.Expr:
    """The same of the squared gradients (Equation 11, where the paper's ε belongs to the step and is left to it).

    Args:
        f, x, x0, dx, n, beta: as for :func:`momentum_series`.

    Returns:
        βᴺ f′(x₀)² + Σₙ βᴺ⁻ⁿ (1−β) f′(x₀ + nΔx)², n from 1 to N.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> import sympy
        >>> from hilladam.theory import variance_series
        >>> x, beta = sympy.symbols("x beta")
        >>> sympy.expand(variance_series(x**2 / 2, x, x0=3, dx=-1, n=1, beta=beta).doit())
        5*beta + 4
    """
    return _average(sp.diff(f, x) ** 2, x, x0, dx, n, beta)


def step_size_series(
    f: sp.Expr, x: sp.Symbol, x0: Number, dx: Number, n: Number, beta: Number, lr: Number, eps_root: Number = 0
) -> sp.Expr:
    """The paper's step (Equation 12): λ E[g]/√(E[g²] + ε), with ε inside the root and one β for both averages.

    Args:
        f, x, x0, dx, n, beta: as for :func:`momentum_series`.
        lr: λ, a number or a symbol.
        eps_root: ε, likewise.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> import sympy
        >>> from hilladam.theory import step_size_series
        >>> x, beta, lr = sympy.symbols("x beta lambda")
        >>> step_size_series(x, x, x0=0, dx=1, n=1, beta=beta, lr=lr).doit()
        lambda
    """
    where = f, x, x0, dx, n, beta
    return lr * momentum_series(*where) / sp.sqrt(variance_series(*where) + eps_root)


def equidistant_gradients(
    slope: Callable[[np.ndarray], np.ndarray], x0: "ArrayLike", dx: "ArrayLike", t: int
) -> np.ndarray:
    """The gradients at x₀, x₀ + Δx, …, x₀ + (t−1)Δx: what Equations 10–12 put in place of the gradients that Adam met.

    Args:
        slope: f′, a function of a float64 array, elementwise.
        x0, dx: the first point and the signed distance of neighbours; finite numbers, or arrays that broadcast.
        t: how many points, at least 1. The paper's N is t − 1.

    Returns:
        float64 of shape ``(..., t)``, to be averaged by :func:`moving_average` or made into steps by
        :func:`step_series`.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> from hilladam.theory import equidistant_gradients
        >>> equidistant_gradients(lambda x: 2 * x, x0=[2, 0], dx=-0.5, t=3).tolist()
        [[4.0, 3.0, 2.0], [0.0, -1.0, -2.0]]
    """
    return slope(finite("x0", x0)[..., None] + finite("dx", dx)[..., None] * np.arange(whole("t", t, 1)))


def _average(value, x, x0, dx, n, beta):
    if not getattr(n, "free_symbols", None):
        n = whole("n", n)
    if not getattr(beta, "free_symbols", None):
        decay("beta", beta)
    i = sp.Symbol("n", integer=True, positive=True)
    weighted = beta ** (n - i) * (1 - beta) * value.subs(x, x0 + i * dx)
    return beta**n * value.subs(x, x0) + sp.Sum(weighted, (i, 1, n))
