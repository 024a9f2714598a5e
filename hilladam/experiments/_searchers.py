"""What a reader would pick instead: searches of scipy, NLopt and pycma, as each library's documentation calls them."""

from collections.abc import Callable

import numpy as np

from hilladam._extras import extra
from hilladam.experiments._budget import Budget, Spent

Searcher = Callable[[Budget, np.ndarray, np.ndarray, np.random.Generator], None]
"""Takes the loss, a start of shape ``(variables,)``, the box of shape ``(variables, 2)`` and a random generator, and
searches until :class:`Spent` stops it, or until it has no more to try."""


def _lbfgs(loss, start, box, rng):
    from scipy.optimize import minimize

    while True:
        minimize(loss.both, start, jac=True, method="L-BFGS-B", bounds=box)
        start = rng.uniform(*box.T)


def _basin_hopping(loss, start, box, rng):
    from scipy.optimize import basinhopping

    local = {"method": "L-BFGS-B", "jac": True, "bounds": box}
    basinhopping(loss.both, start, niter=loss.evaluations, minimizer_kwargs=local, rng=rng)


def _dual_annealing(loss, start, box, rng):
    from scipy.optimize import dual_annealing

    local = {"method": "L-BFGS-B", "jac": loss.gradient, "bounds": box}
    while True:
        dual_annealing(loss, box, x0=start, minimizer_kwargs=local, maxfun=10**9, rng=rng)
        start = rng.uniform(*box.T)


def _direct(loss, start, box, rng, **tolerances):
    from scipy.optimize import Bounds, direct

    def function(place):
        try:
            return loss(place)
        except Spent:  # which cannot pass through DIRECT's C before scipy 1.17.1
            return loss.best_loss

    direct(function, Bounds(*box.T), maxfun=loss.evaluations, maxiter=loss.evaluations, **tolerances)


def _differential_evolution(loss, start, box, rng):
    from scipy.optimize import differential_evolution

    while True:
        differential_evolution(loss, box, x0=start, rng=rng)
        start = rng.uniform(*box.T)


def _mlsl(loss, start, box, rng):
    with extra("search"):
        import nlopt

    def function(place, gradient):
        try:
            value, slopes = loss.both(place) if gradient.size else (loss(place), 0.0)
        except Spent:  # which cannot pass through NLopt: a flat place, and no other after it
            search.force_stop()
            value, slopes = loss.best_loss, 0.0
        if gradient.size:
            gradient[:] = slopes
        return value

    local = nlopt.opt(nlopt.LD_LBFGS, len(start))
    local.set_ftol_rel(1e-6)
    search = nlopt.opt(nlopt.G_MLSL, len(start))
    search.set_local_optimizer(local)
    search.set_min_objective(function)
    search.set_lower_bounds(box[:, 0])
    search.set_upper_bounds(box[:, 1])
    nlopt.srand(int(rng.integers(2**31)))
    failure = getattr(nlopt, "runtime_error", RuntimeError)  # its own from 2.11 on
    while True:
        try:
            search.optimize(start)
        except nlopt.ForcedStop:
            raise Spent from None
        except failure:  # a line search that found nothing lower, which ends all of NLopt's search
            start = rng.uniform(*box.T)


def _cma(loss, start, box, rng):
    with extra("search"):
        import cma

    variables = slice(len(start))
    if len(start) == 1:  # which pycma does not take: a second variable that nothing depends on
        box, start = np.tile(box, (2, 1)), np.tile(start, 2)
    starts = iter([start])
    settings = {
        "bounds": [*box.T], "CMA_stds": box[:, 1] - box[:, 0], "seed": int(rng.integers(1, 2**31)),
        "verbose": -9, "maxfevals": 10**9,
    }  # fmt: skip
    before = np.random.get_state()  # noqa: NPY002 - pycma draws from the global generator
    try:
        while True:
            cma.fmin2(lambda place: loss(place[variables]), lambda: next(starts, rng.uniform(*box.T)), 0.3, settings,
                      restarts=9, bipop=True)  # fmt: skip
    finally:
        np.random.set_state(before)  # noqa: NPY002


SEARCHERS: dict[str, Searcher] = {
    "L-BFGS, restarted": _lbfgs,
    "MLSL with L-BFGS": _mlsl,
    "basin hopping": _basin_hopping,
    "dual annealing": _dual_annealing,
    "DIRECT": _direct,
    "differential evolution": _differential_evolution,
    "CMA-ES": _cma,
}
"""The searches of scipy, NLopt (MLSL) and pycma (CMA-ES, with BIPOP restarts) that race, by name. None is tuned: each
runs as its documentation calls it, told the box, and given the gradient where it takes one."""
