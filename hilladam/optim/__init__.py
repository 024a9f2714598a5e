"""Optimizers that leave local minima. This floor of the package knows ``torch`` alone."""

from hilladam.optim.hill_adam import HillAdam, Switch
from hilladam.optim.reference import ReferenceHillAdam
from hilladam.optim.switching import REASONS, Decision, decide

__all__ = ["REASONS", "Decision", "HillAdam", "ReferenceHillAdam", "Switch", "decide"]
