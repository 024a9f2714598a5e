"""Hill-ADAM for PyTorch: Adam that climbs out of the local minima it settles in.

The optimizer is :class:`hilladam.HillAdam`. The losses, experiments and figures of the book live in
``hilladam.losses``, ``hilladam.experiments`` and ``hilladam.figures``; they are imported only on demand, so that
``import hilladam`` costs what ``import torch`` costs.
"""

from hilladam.optim import HillAdam

__all__ = ["HillAdam", "__version__"]
__version__ = "0.1.0"
