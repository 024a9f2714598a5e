"""The paper's Equations 2–9 and what follows from them, derived by sympy for symbolic t."""

from typing import NamedTuple

import sympy as sp

from hilladam._checks import decay, one_of
from hilladam.theory._averages import STARTS

t, k = sp.symbols("t k", integer=True, positive=True)
j = sp.Symbol("j", integer=True, nonnegative=True)
beta, beta1, beta2 = sp.symbols("beta beta_1 beta_2", positive=True)
lr = sp.Symbol("lambda", positive=True)
g = sp.IndexedBase("g")


class Unrolled(NamedTuple):
    """A moving average as a series in t, and the proof by induction that it is one.

    Example:
        >>> from hilladam.theory import unroll
        >>> unrolled = unroll()
        >>> unrolled.base, unrolled.step
        (0, 0)
    """

    series: sp.Expr
    """The average after t steps, in g₀ (for the paper's start only), g₁ … g_t."""
    base: sp.Expr
    """The series at t = 0 less the average's start: zero, if the series is right."""
    step: sp.Expr
    """The series at t + 1 less what the recurrence makes of the series at t: zero again, for every t and every g."""


def unroll(start: str = "zero") -> Unrolled:
    """Solve the recurrence avgₜ = β avgₜ₋₁ + (1−β) gₜ of Equations 2 and 3 for symbolic t (Equations 6–8).

    The recurrence is linear, so each gradient's weight obeys it by itself: it enters with some weight and is multiplied
    by β from then on. ``sympy.rsolve`` solves that. The sum over the gradients is then put back into the recurrence.

    Args:
        start: ``"first"`` for avg₀ = g₀, as Equation 3 has it; ``"zero"`` for avg₀ = 0, as torch and Algorithm 1 have
            it. The latter is the running average before it is divided by 1 − βᵗ.

    Raises:
        ValueError: another start.

    Example:
        >>> import sympy
        >>> from hilladam.theory import unroll
        >>> from hilladam.theory.derivations import beta, g, t
        >>> two = unroll("first").series.subs(t, 2).doit()
        >>> [sympy.factor(sympy.expand(two).coeff(g[k])) for k in range(3)]
        [beta**2, -beta*(beta - 1), 1 - beta]
    """
    one_of("start", start, STARTS)
    first = g[0] if start == "first" else sp.S.Zero
    series = fading_weight(1).subs(j, t) * first + sp.Sum(fading_weight(1 - beta).subs(j, t - k) * g[k], (k, 1, t))
    base = series.subs(t, 0).doit() - first
    after = series.subs(t, t + 1).replace(sp.Sum, _without_last)
    return Unrolled(series, sp.simplify(base), sp.simplify((after - beta * series - (1 - beta) * g[t + 1]).expand()))


def fading_weight(first) -> sp.Expr:
    """The weight of a gradient j steps after it entered with weight ``first``, from w(j+1) = β w(j)."""
    w = sp.Function("w")
    return sp.rsolve(w(j + 1) - beta * w(j), w(j), {w(0): sp.sympify(first)})


def weight(start: str = "zero", beta: sp.Expr | float = beta) -> tuple[sp.Expr, sp.Expr]:
    """The weights of Equation 9: of the oldest gradient, and of the one that is j steps old.

    Args:
        start: ``"first"``: of g₀ … g_t; ``"zero"``: of g₁ … g_t, after the division by 1 − βᵗ.
        beta: a symbol or a number in [0, 1).

    Returns:
        Two expressions in t and j. For the zero start the first is the second at j = t − 1.

    Raises:
        ValueError: another start, or a number out of its range.

    Example:
        >>> from hilladam.theory import weight
        >>> weight("first")
        (beta**t, beta**j*(1 - beta))
    """
    one_of("start", start, STARTS)
    if not getattr(beta, "free_symbols", None):
        decay("beta", beta)
    if start == "first":
        return beta**t, (1 - beta) * beta**j
    later = (1 - beta) * beta**j / (1 - beta**t)
    return later.subs(j, t - 1), later


def weighted_sum(values: sp.Expr | float, start: str = "zero", beta: sp.Expr | float = beta) -> sp.Expr:
    """The average of ``values``, an expression in the age j of a gradient, summed by sympy for symbolic t.

    ``weighted_sum(1)`` is the sum of the weights, ``weighted_sum(j)`` the mean lag.

    Args:
        values: an expression in j.
        start, beta: as for :func:`weight`.

    Raises:
        ValueError: as for :func:`weight`.

    Example:
        >>> from hilladam.theory import weighted_sum
        >>> from hilladam.theory.derivations import j
        >>> weighted_sum(1), weighted_sum(j, "first")
        (1, beta*(beta**t - 1)/(beta - 1))
    """
    values = sp.sympify(values)
    oldest, newest = weight(start, beta)[0], weight(start, beta)[1].subs(j, 0)
    total = newest * _away_from_one(sp.summation(values * beta**j, (j, 0, t - 1)))
    if start == "first":
        total += oldest * values.subs(j, t)
    return sp.factor(total)


def step_ceiling() -> tuple[sp.Expr, sp.Expr]:
    """The square of the largest ``|step|/λ`` at step t, and its limit as t → ∞ for β₁² < β₂.

    Returns:
        Σ aₖ²/bₖ by sympy's geometric sum, in t, β₁ and β₂; and its limit.

    Example:
        >>> import sympy
        >>> from hilladam.theory import step_ceiling
        >>> from hilladam.theory.derivations import beta1, beta2
        >>> limit = step_ceiling()[1]
        >>> round(float(sympy.sqrt(limit.subs({beta1: 0.9, beta2: 0.999}))), 2)
        7.27
    """
    q = sp.Dummy()
    a, b = weight(beta=beta1)[1], weight(beta=beta2)[1]
    outside = sp.simplify(a**2 / b / (beta1**2 / beta2) ** j)
    inside = _away_from_one(sp.summation(q**j, (j, 0, t - 1)))
    squared = outside * inside
    fade = {beta1**t: 0, beta2**t: 0, q**t: 0}
    return squared.subs(q, beta1**2 / beta2), sp.factor(squared.subs(fade).subs(q, beta1**2 / beta2))


def lag_error() -> sp.Expr:
    """``|step|/λ`` on equidistant points to first order in λ, for any weights with mean lags τ₁ and τ₂.

    The gradient j steps ago was f′(x − sλj) ≈ f′ − sλj f″, with s the direction of travel.

    Returns:
        1 + sλ (f″/f′)(τ₂ − τ₁), in the symbols s, lambda, tau_1, tau_2, f1 (f′) and f2 (f″).

    Example:
        >>> from hilladam.theory import lag_error
        >>> error = lag_error()
        >>> sorted(symbol.name for symbol in error.free_symbols)
        ['f1', 'f2', 'lambda', 's', 'tau_1', 'tau_2']
        >>> [error.subs(symbol, 0) for symbol in error.free_symbols if symbol.name in ("lambda", "f2")]
        [1, 1]
    """
    s, f1, f2, lag1, lag2 = sp.symbols("s f1 f2 tau_1 tau_2")
    mean = f1 - s * lr * f2 * lag1
    square = f1**2 - 2 * s * lr * f1 * f2 * lag2  # and a term in λ²
    ratio = (mean / f1) / sp.sqrt(sp.expand(square / f1**2))
    return sp.series(ratio, lr, n=2).removeO()


def _without_last(summand, limits):
    """A sum with its last term written apart."""
    index, low, high = limits
    return sp.Sum(summand, (index, low, high - 1)) + summand.subs(index, high)


def _away_from_one(expression):
    """sympy guards a geometric sum against the ratio 1."""
    return expression.replace(sp.Eq, lambda *sides: sp.false if sp.S.One in sides else sp.Eq(*sides))
