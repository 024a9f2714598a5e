"""Optimizers that leave local minima. This floor of the package knows ``torch`` alone."""

from hilladam.optim._cool_momentum import COOLING_SCHEDULES, CoolMomentum, cooling
from hilladam.optim._hill_adam import HillAdam, Switch
from hilladam.optim._langevin import Langevin
from hilladam.optim._reference import ReferenceHillAdam
from hilladam.optim._simulated_annealing import ANNEALING_SCHEDULES, SimulatedAnnealing, annealing
from hilladam.optim._switching import REASONS, Decision, decide

__all__ = [
    "ANNEALING_SCHEDULES",
    "COOLING_SCHEDULES",
    "REASONS",
    "CoolMomentum",
    "Decision",
    "HillAdam",
    "Langevin",
    "ReferenceHillAdam",
    "SimulatedAnnealing",
    "Switch",
    "annealing",
    "cooling",
    "decide",
]
