"""Hill-ADAM for PyTorch: Adam that climbs out of the local minima it settles in.

The optimizer is :class:`hilladam.HillAdam`, and :class:`hilladam.AdaptiveHillAdam` is the one that tunes itself;
:class:`hilladam.OverTheHill` walks straight over hills in a few variables; :class:`hilladam.CoolMomentum`,
:class:`hilladam.Langevin` and :class:`hilladam.SimulatedAnnealing` are neighbours. The losses, experiments and figures
of the book live in ``hilladam.losses``, ``hilladam.experiments`` and ``hilladam.figures``; they are imported only on
demand, so that ``import hilladam`` costs what ``import torch`` costs.
"""

from hilladam.optim import AdaptiveHillAdam, CoolMomentum, HillAdam, Langevin, OverTheHill, SimulatedAnnealing

__all__ = [
    "AdaptiveHillAdam",
    "CoolMomentum",
    "HillAdam",
    "Langevin",
    "OverTheHill",
    "SimulatedAnnealing",
    "__version__",
]
__version__ = "0.1.0"
