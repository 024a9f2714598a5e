"""Equations 4–12: momentum, variance and step as series over equidistant points, for a given loss."""

import numpy as np
import sympy as sp


def momentum_series(f: sp.Expr, x: sp.Symbol, x0, dx, n, beta) -> sp.Expr:
    """The momentum after visiting x₀, x₀ + Δx, …, x₀ + NΔx (Equation 10).

    Args:
        f: the loss, an expression in ``x``.
        x: its variable.
        x0, dx: the first point and the distance of neighbours, with its sign; numbers or symbols.
        n: N, the number of moves; an integer or a symbol, for which the sum stays a sum. ``.doit()`` evaluates it.
        beta: β.

    Returns:
        βᴺ f′(x₀) + Σₙ βᴺ⁻ⁿ (1−β) f′(x₀ + nΔx), n from 1 to N.
    """
    return _average(sp.diff(f, x), x, x0, dx, n, beta)


def variance_series(f: sp.Expr, x: sp.Symbol, x0, dx, n, beta) -> sp.Expr:
    """The same of the squared gradients (Equation 11, where the paper's ε belongs to the step and is left to it)."""
    return _average(sp.diff(f, x) ** 2, x, x0, dx, n, beta)


def step_size_series(f: sp.Expr, x: sp.Symbol, x0, dx, n, beta, lr, eps_root=0) -> sp.Expr:
    """The paper's step (Equation 12): λ E[g]/√(E[g²] + ε), with ε inside the root and one β for both averages."""
    where = f, x, x0, dx, n, beta
    return lr * momentum_series(*where) / sp.sqrt(variance_series(*where) + eps_root)


def equidistant_gradients(slope, x0, dx, t: int) -> np.ndarray:
    """The gradients at x₀, x₀ + Δx, …, x₀ + (t−1)Δx: what Equations 10–12 put in place of the gradients that Adam met.

    Args:
        slope: f′, a function of a float64 array, elementwise.
        x0, dx: the first point and the signed distance of neighbours; numbers, or arrays that broadcast together.
        t: how many points, at least 1. The paper's N is t − 1.

    Returns:
        float64 of shape ``(..., t)``, to be averaged by :func:`moving_average` or made into steps by
        :func:`step_series`.
    """
    points = np.asarray(x0, dtype=np.float64)[..., None] + np.asarray(dx, dtype=np.float64)[..., None] * np.arange(t)
    return slope(points)


def _average(value, x, x0, dx, n, beta):
    i = sp.Symbol("n", integer=True, positive=True)
    weighted = beta ** (n - i) * (1 - beta) * value.subs(x, x0 + i * dx)
    return beta**n * value.subs(x, x0) + sp.Sum(weighted, (i, 1, n))
