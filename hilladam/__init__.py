"""Hill-ADAM for PyTorch: Adam that climbs out of the local minima it settles in.

The optimizer is :class:`hilladam.HillAdam`; :class:`hilladam.CoolMomentum`, :class:`hilladam.Langevin` and
:class:`hilladam.SimulatedAnnealing` are its neighbours. The losses, experiments and figures of the book live in
``hilladam.losses``, ``hilladam.experiments`` and ``hilladam.figures``; they are imported only on demand, so that
``import hilladam`` costs what ``import torch`` costs.
"""

from hilladam.optim import CoolMomentum, HillAdam, Langevin, SimulatedAnnealing

__all__ = ["CoolMomentum", "HillAdam", "Langevin", "SimulatedAnnealing", "__version__"]
__version__ = "0.1.0"
